//! A backlog is no share: it is over where it is above the limit in every part of the hold, and
//! grows over it. Blue's word is what the backlog was before users were moved: where it was over
//! then, both slots suffer.

use super::verdict::Verdict;
use crate::plan::{Bound, Limit};
use crate::units::Millis;
use std::collections::VecDeque;

/// Parts of the hold.
const PARTS: u64 = 4;

/// The readings of the hold.
#[derive(Debug, Clone)]
pub struct Queue {
    above: f64,
    hold: Millis,
    literal: bool,
    readings: VecDeque<(Millis, u64)>,
    began: Option<Millis>,
    before: Option<f64>,
}

fn mean(readings: impl Iterator<Item = u64>) -> Option<f64> {
    let (sum, n) = readings.fold((0u64, 0u64), |(sum, n), one| (sum.saturating_add(one), n + 1));
    (n > 0).then(|| sum as f64 / n as f64)
}

impl Queue {
    /// Of a limit over the backlog.
    pub fn new(limit: &Limit) -> Self {
        let above = match limit.above {
            Bound::Count(above) | Bound::Percent(above) | Bound::Millis(above) => above,
        };
        Self {
            above,
            hold: limit.hold,
            literal: limit.literal,
            readings: VecDeque::new(),
            began: None,
            before: None,
        }
    }

    /// A phase begins. What was until now is what it is compared with, if that was before users
    /// were moved.
    pub fn begin(&mut self, compares: bool) {
        if compares {
            self.before = mean(self.readings.iter().map(|(_, depth)| *depth)).or(self.before);
        }
        self.readings.clear();
        self.began = None;
    }

    /// Adds a reading.
    pub fn add(&mut self, at: Millis, depth: u64) {
        let at = self.readings.back().map_or(at, |(last, _)| at.max(*last));
        self.began.get_or_insert(at.since(Millis::secs(1)));
        self.readings.push_back((at, depth));
        while self.readings.front().is_some_and(|(oldest, _)| *oldest + self.hold <= at) {
            self.readings.pop_front();
        }
    }

    /// The last reading.
    pub fn depth(&self) -> Option<f64> {
        self.readings.back().map(|(_, depth)| *depth as f64)
    }

    fn part(&self, now: Millis, i: u64) -> Option<f64> {
        let edge = |i: u64| now.since(Millis(self.hold.0 - self.hold.0 * i / PARTS));
        let (from, to) = (edge(i), edge(i + 1));
        let within = self.readings.iter().filter(|(at, _)| *at > from && *at <= to);
        mean(within.map(|(_, depth)| *depth))
    }

    /// What it says at an evaluation.
    pub fn verdict(&self, now: Millis) -> Verdict {
        let over = |mean: Option<f64>| mean.is_some_and(|mean| mean > self.above);
        if !over(self.part(now, PARTS - 1)) {
            return Verdict::Ok;
        }
        // What shrinks, or was as long from the beginning, is not growing into an outage.
        let first = (0..PARTS).find_map(|i| self.part(now, i));
        let grows = self.part(now, PARTS - 1) > first;
        if !grows && !self.literal {
            return Verdict::Ok;
        }
        let lasts = self.began.is_some_and(|began| now.since(began) >= self.hold)
            && (0..PARTS).all(|i| over(self.part(now, i)));
        match lasts {
            true if !self.literal && over(self.before) => Verdict::Shared,
            true => Verdict::Tripped,
            false => Verdict::Tripping,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Signal;

    fn said(before: u64, depths: impl Iterator<Item = u64>) -> Verdict {
        let mut queue = Queue::new(&Limit {
            signal: Signal::QueueDepth,
            above: Bound::Count(500.0),
            hold: Millis::secs(120),
            literal: false,
            declared: true,
        });
        (1..=60).for_each(|s| queue.add(Millis::secs(s), before));
        queue.begin(true);
        let mut now = Millis::secs(60);
        for depth in depths {
            now += Millis::secs(1);
            queue.add(now, depth);
        }
        queue.verdict(now)
    }

    #[test]
    fn a_backlog_that_grows_over_the_whole_hold_trips() {
        assert_eq!(said(10, (0..120).map(|s| 501 + s)), Verdict::Tripped);
        assert_eq!(said(10, (0..110).map(|s| 501 + s)), Verdict::Tripping, "not for long enough");
    }

    #[test]
    fn a_backlog_that_shrinks_or_that_was_there_before_is_not_the_releases() {
        assert_eq!(said(10, (0..120).map(|s| 900 - s)), Verdict::Ok);
        assert_eq!(said(900, (0..120).map(|s| 901 + s)), Verdict::Shared);
        assert_eq!(said(10, (0..120).map(|_| 41)), Verdict::Ok);
    }

    #[test]
    fn a_backlog_that_dipped_in_one_part_of_the_hold_does_not_trip() {
        let dip = (0..120).map(|s| if (40..80).contains(&s) { 10 } else { 600 + s });
        assert_eq!(said(10, dip), Verdict::Tripping);
    }
}
