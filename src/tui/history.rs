//! What was, second by second: the screen's own memory.
//!
//! The engine sends each second once; this keeps it for as long as the widest plot reaches. Rates
//! and quantiles are taken over the last half minute at the moment a second arrives, so that
//! drawing is nothing but reading. A second that was not measured is a gap and stays one: no
//! value is ever carried over, and none is zero for want of a better.

use crate::clean::Clean;
use crate::runbook::record::LogLine;
use crate::runbook::snapshot::Update;
use crate::signal::{Histogram, Origin, Sample, Whose};
use crate::units::{Millis, Role};
use std::collections::VecDeque;

/// Seconds that are kept: what the widest plot shows, and a little.
const SECONDS_KEPT: usize = 32 * 60;
const LINES_KEPT: usize = 2_000;
/// Seconds over which a plotted value is taken. In ten seconds at a small share of the users, one
/// failure looks like an incident; in a minute, an incident is slow to be seen.
const SMOOTH: u64 = 30;
/// Seconds after which the last value is no value of now.
const FRESH: u64 = 4;
/// Seconds over which database errors are counted.
const MINUTE: u64 = 60;

/// A value a second; `NaN` is a gap.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    first: u64,
    values: VecDeque<f32>,
}

impl Series {
    /// Puts a value at a second; seconds that were left out become gaps. An older second than
    /// the last keeps what it has.
    pub fn put(&mut self, second: u64, value: Option<f32>) {
        let value = value.unwrap_or(f32::NAN);
        let next = self.first + self.values.len() as u64;
        if self.values.is_empty() || second >= next + SECONDS_KEPT as u64 {
            self.values.clear();
            self.first = second;
        } else if second < next {
            return;
        } else {
            self.values.extend((next..second).map(|_| f32::NAN));
        }
        self.values.push_back(value);
        while self.values.len() > SECONDS_KEPT {
            self.values.pop_front();
            self.first += 1;
        }
    }

    /// Adds to the last second, if it is this one; else puts the value there.
    pub fn add(&mut self, second: u64, value: f32) {
        let is_last = self.first + self.values.len() as u64 == second + 1;
        match self.values.back_mut() {
            Some(last) if is_last && !last.is_nan() => *last += value,
            _ => self.put(second, Some(value)),
        }
    }

    fn within(&self, from: u64, to: u64) -> impl Iterator<Item = f32> {
        let end = self.first + self.values.len() as u64;
        let from = from.max(self.first).min(end);
        let range = (from - self.first) as usize..(to.min(end).max(from) - self.first) as usize;
        self.values.range(range).copied()
    }

    /// The sum over `from..to`, in seconds; nothing where all of it is a gap.
    pub fn sum(&self, from: u64, to: u64) -> Option<f32> {
        let mut known = self.within(from, to).filter(|value| !value.is_nan());
        let first = known.next()?;
        Some(known.fold(first, |sum, value| sum + value))
    }

    /// The largest value in `from..to`, in seconds; nothing where all of it is a gap.
    pub fn most(&self, from: u64, to: u64) -> Option<f32> {
        // `max` of a number and a NaN is the number.
        let most = self.within(from, to).fold(f32::NAN, f32::max);
        (!most.is_nan()).then_some(most)
    }

    /// The last value in `from..to`, in seconds; nothing where all of it is a gap.
    pub fn last(&self, from: u64, to: u64) -> Option<f32> {
        self.within(from, to).filter(|value| !value.is_nan()).last()
    }

    /// The smallest value in `from..to`, in seconds; nothing where all of it is a gap.
    pub fn least(&self, from: u64, to: u64) -> Option<f32> {
        let least = self.within(from, to).fold(f32::NAN, f32::min);
        (!least.is_nan()).then_some(least)
    }

    /// Whether anything was put before second `to`.
    fn has_begun(&self, to: u64) -> bool {
        !self.values.is_empty() && self.first < to
    }

    /// Whether nothing was ever put.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// One second of requests.
#[derive(Debug, Clone, Default)]
struct Tick {
    second: u64,
    requests: u64,
    failed: u64,
    latency: Option<Histogram>,
}

/// The requests of one role from one origin.
#[derive(Debug, Clone, Default)]
pub struct Lane {
    /// Percent of requests that failed, over half a minute.
    pub errors: Series,
    /// 95th percentile in milliseconds, over half a minute.
    pub p95: Series,
    recent: VecDeque<Tick>,
}

impl Lane {
    fn take(&mut self, sample: &Sample) {
        let second = sample.at.as_secs();
        let known = self.recent.back().is_some_and(|last| second <= last.second);
        let Some(requests) = sample.requests.filter(|_| !known) else { return };
        let failed = sample.failed.unwrap_or(0);
        let latency = sample.latency_ms.clone();
        self.recent.push_back(Tick { second, requests, failed, latency });
        let minute_ago = second.saturating_sub(MINUTE);
        while self.recent.front().is_some_and(|tick| tick.second <= minute_ago) {
            self.recent.pop_front();
        }
        let since = second.saturating_sub(SMOOTH);
        self.errors.put(second, self.error_rate(since));
        self.p95.put(second, self.quantile(since));
    }

    fn ticks(&self, since: u64) -> impl Iterator<Item = &Tick> {
        self.recent.iter().filter(move |tick| tick.second > since)
    }

    fn error_rate(&self, since: u64) -> Option<f32> {
        let (bad, of) = self.counts(since);
        (of > 0).then(|| (bad as f64 * 100.0 / of as f64) as f32)
    }

    fn quantile(&self, since: u64) -> Option<f32> {
        let mut all = Histogram::default();
        for h in self.ticks(since).filter_map(|tick| tick.latency.as_ref()) {
            all.merge(h);
        }
        all.quantile(0.95).map(|ms| ms as f32)
    }

    /// Failed and all requests after the second `since`.
    fn counts(&self, since: u64) -> (u64, u64) {
        self.ticks(since).fold((0, 0), |(bad, of), t| (bad + t.failed, of + t.requests))
    }

    const fn series(&self, what: Plotted) -> &Series {
        match what {
            Plotted::Errors => &self.errors,
            Plotted::P95 => &self.p95,
        }
    }
}

/// Which of the two plotted signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plotted {
    /// Share of failed requests.
    Errors,
    /// 95th percentile of latency.
    P95,
}

/// A value with the requests that it was measured on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The value, in percent or milliseconds.
    pub value: f32,
    /// Whether only probes measured it.
    pub probes: bool,
}

/// What was, second by second.
#[derive(Debug, Clone, Default)]
pub struct History {
    lanes: [[Lane; 2]; 2],
    ready: [Series; 2],
    /// Database errors in each second, of both slots together.
    pub db_errors: Series,
    /// Jobs that waited in each second.
    pub queue: Series,
    /// Each switch: when, and Green's percent afterwards.
    pub switches: Vec<(Millis, u8)>,
    /// The timeline.
    pub log: VecDeque<LogLine>,
    /// What commands printed.
    pub output: VecDeque<Clean>,
}

impl History {
    /// Takes in what an update brings.
    pub fn take(&mut self, update: &Update) {
        if update.reset {
            *self = Self::default();
        }
        for sample in &update.samples {
            self.sample(sample);
        }
        self.switches.extend(&update.switches);
        keep(&mut self.log, &update.log);
        keep(&mut self.output, &update.output);
    }

    fn sample(&mut self, sample: &Sample) {
        let second = sample.at.as_secs();
        if let Some(errors) = sample.db_errors {
            self.db_errors.add(second, errors as f32);
        }
        if let Some(depth) = sample.queue_depth {
            self.queue.put(second, Some(depth as f32));
        }
        let role = match sample.role {
            Whose::Blue => Role::Blue,
            Whose::Green => Role::Green,
            Whose::Both => return,
        };
        if let Some(ready) = sample.ready {
            self.ready[role.index()].put(second, Some(f32::from(u8::from(ready))));
        }
        if let Some(origin) = origin(sample.from) {
            self.lanes[role.index()][origin].take(sample);
        }
    }

    /// The largest value of a role in `from..to`, in seconds: users' where users were measured,
    /// else the probes'. Once users have been measured, a time in which they were not is a gap:
    /// that probes are well is no word about users.
    pub fn most(&self, what: Plotted, role: Role, from: u64, to: u64) -> Option<f32> {
        let [users, probes] = &self.lanes[role.index()];
        let users = users.series(what);
        if users.has_begun(to) {
            return users.most(from, to);
        }
        probes.series(what).most(from, to)
    }

    /// What a role's last half minute says: the value at the right end of its plot.
    pub fn now(&self, what: Plotted, role: Role, now: Millis) -> Option<Measured> {
        let second = now.as_secs();
        self.lanes[role.index()].iter().enumerate().find_map(|(origin, lane)| {
            let value = lane.series(what).last(second.saturating_sub(FRESH), second + 1)?;
            Some(Measured { value, probes: origin == PROBES })
        })
    }

    /// Whether a role was ready through `from..to`, in seconds; nothing where it was not asked.
    pub fn ready(&self, role: Role, from: u64, to: u64) -> Option<bool> {
        self.ready[role.index()].least(from, to).map(|least| least > 0.5)
    }

    /// Database errors and requests of the last minute, both slots together.
    pub fn db_errors_of(&self, now: Millis) -> Option<(u64, u64)> {
        let since = now.as_secs().saturating_sub(MINUTE);
        let errors = self.db_errors.sum(since + 1, now.as_secs() + 1)?;
        let of: u64 = Role::BOTH
            .iter()
            .map(|role| {
                let lanes = &self.lanes[role.index()];
                let users = lanes[USERS].counts(since).1;
                if users > 0 { users } else { lanes[PROBES].counts(since).1 }
            })
            .sum();
        Some((errors as u64, of))
    }

    /// Whether Green ever had weight in this run, as far as the switches say.
    pub fn green_had_weight(&self) -> bool {
        self.switches.iter().any(|(_, green)| *green > 0)
    }
}

const USERS: usize = 0;
const PROBES: usize = 1;

const fn origin(from: Origin) -> Option<usize> {
    match from {
        Origin::Users => Some(USERS),
        Origin::Probes => Some(PROBES),
        Origin::Gauges => None,
    }
}

fn keep<T: Clone>(lines: &mut VecDeque<T>, new: &[T]) {
    lines.extend(new.iter().cloned());
    while lines.len() > LINES_KEPT {
        lines.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: u64, requests: u64, failed: u64) -> Sample {
        let mut sample = Sample::empty(Millis::secs(at), Whose::Green, Origin::Users);
        sample.requests = Some(requests);
        sample.failed = Some(failed);
        let mut h = Histogram::default();
        (0..requests).for_each(|_| h.record(50.0));
        sample.latency_ms = Some(h);
        sample
    }

    #[test]
    fn seconds_that_were_not_measured_are_gaps_and_no_requests_are_no_rate() {
        let mut history = History::default();
        history.sample(&second(10, 20, 1));
        history.sample(&second(50, 0, 0));
        history.sample(&second(51, 20, 0));
        let at = |s| history.most(Plotted::Errors, Role::Green, s, s + 1);
        assert_eq!(at(10), Some(5.0));
        assert_eq!(at(20), None, "not measured");
        assert_eq!(at(50), None, "measured, and there was nobody");
        assert_eq!(at(51), Some(0.0));
        assert_eq!(history.most(Plotted::Errors, Role::Blue, 0, 100), None);
        let p95 = history.most(Plotted::P95, Role::Green, 51, 52).unwrap();
        assert!((50.0..52.0).contains(&p95), "{p95}");
    }

    #[test]
    fn users_come_before_probes_and_the_difference_is_said() {
        let mut history = History::default();
        let mut probe = second(10, 4, 0);
        probe.from = Origin::Probes;
        history.sample(&probe);
        let now = |h: &History, s| h.now(Plotted::P95, Role::Green, Millis::secs(s));
        assert!(now(&history, 11).unwrap().probes);
        history.sample(&second(12, 20, 0));
        assert!(!now(&history, 13).unwrap().probes);
        assert_eq!(now(&history, 200), None, "an old value is not a value");
    }

    #[test]
    fn memory_is_bounded_and_late_seconds_change_nothing() {
        let mut series = Series::default();
        for s in 0..10_000 {
            series.put(s, Some(1.0));
        }
        series.put(5, Some(9.0));
        assert_eq!(series.values.len(), SECONDS_KEPT);
        assert_eq!(series.most(0, 20_000), Some(1.0));
        series.put(1_000_000_000, Some(2.0));
        assert_eq!(series.values.len(), 1, "a leap of the clock is no million gaps");
    }
}
