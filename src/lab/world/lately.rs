//! The users of the last seconds, one by one, as the services' own logs would have them: what
//! looks part by part are made from. Nothing reads it but who asks.

use super::World;
use super::request::{Fate, PATIENCE, Request, Served};
use crate::units::{Millis, Slot};
use std::collections::VecDeque;

/// How far back a look goes.
pub(super) const SPAN: Millis = Millis::secs(10);
/// The most requests that are remembered, so that a crowd does not fill the memory.
const MOST: usize = 40_000;

/// A user's request, and what came of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit {
    pub request: Request,
    pub slot: Slot,
    pub at: Millis,
    pub served: Served,
}

impl Visit {
    /// When it ends, in microseconds.
    fn ends_us(&self) -> u64 {
        let patience_us = PATIENCE.0 * 1000;
        let takes_us =
            if self.served.fate == Fate::Hang { patience_us } else { self.served.latency_us };
        self.at.0 * 1000 + takes_us.min(patience_us)
    }

    /// Whether it ended in the span before `at`.
    pub fn ended(&self, at: Millis) -> bool {
        let ends_us = self.ends_us();
        ends_us <= at.0 * 1000 && ends_us > at.since(SPAN).0 * 1000
    }

    /// Whether it waits at `at`.
    pub fn waits(&self, at: Millis) -> bool {
        self.at <= at && self.ends_us() > at.0 * 1000
    }
}

/// Counts that only grow, as they stood at one time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mark {
    pub at: Millis,
    pub jobs_in: u64,
    pub jobs_out: u64,
    pub duplicates: u64,
    pub ticks: u64,
}

/// See the module's text.
#[derive(Debug, Clone, Default)]
pub(super) struct Lately {
    visits: VecDeque<Visit>,
    marks: VecDeque<Mark>,
    /// Jobs that came, in all.
    pub jobs_in: u64,
}

impl Lately {
    pub fn visit(&mut self, visit: Visit) {
        let old = visit.at.since(Millis(SPAN.0 + PATIENCE.0));
        while self.visits.front().is_some_and(|first| first.at < old) || self.visits.len() >= MOST {
            self.visits.pop_front();
        }
        self.visits.push_back(visit);
    }

    /// Whether a mark is due: one a second is enough.
    pub fn is_due(&self, at: Millis) -> bool {
        self.marks.back().is_none_or(|last| at >= last.at + Millis::secs(1))
    }

    pub fn mark(&mut self, mark: Mark) {
        while self.marks.front().is_some_and(|first| mark.at.since(first.at) > Millis::secs(61)) {
            self.marks.pop_front();
        }
        self.marks.push_back(mark);
    }

    /// What was counted so long ago, or at the beginning of what is known.
    pub fn then(&self, at: Millis, ago: Millis) -> Mark {
        let old = self.marks.iter().rev().find(|mark| at.since(mark.at) >= ago);
        old.or(self.marks.front()).copied().unwrap_or_default()
    }

    pub fn visits(&self) -> impl Iterator<Item = &Visit> {
        self.visits.iter()
    }
}

impl World {
    /// What has been counted by `at`.
    pub(super) fn counted(&self, at: Millis) -> Mark {
        let tick = self.scenario.world.queue.tick.0.max(1);
        Mark {
            at,
            jobs_in: self.lately.jobs_in,
            jobs_out: self.queue.done(),
            duplicates: self.tally.duplicates,
            ticks: at.0 / tick,
        }
    }

    /// The users' requests that ended lately.
    pub(super) fn ended(&self, at: Millis) -> impl Iterator<Item = &Visit> {
        self.lately.visits().filter(move |visit| visit.ended(at))
    }
}
