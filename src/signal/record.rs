//! What Blue normally does: at most the last hour before users were moved, kept apart for users
//! and probes.
//!
//! Failures are kept in stretches of half a minute, because how much they come together in lumps
//! says how many of them one broken session makes. A record is plain data: one that an earlier
//! run has left of the same release is where this run begins.

use super::series::Tally;
use super::share;
use crate::plan::Signal;
use crate::units::Millis;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Half a minute: about as long as one broken session goes on failing.
const STRETCH: Millis = Millis::secs(30);
/// An hour of them.
const MOST: usize = 120;
/// Failures of one broken session, where there is no record to say how many.
const UNKNOWN_LUMP: f64 = 7.0;
/// Lumps are never taken for larger than this.
const LARGEST_LUMP: f64 = 20.0;

/// What one signal of Blue's was, in stretches of half a minute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "VecDeque<Tally>", into = "VecDeque<Tally>")]
pub struct Past {
    stretches: VecDeque<Tally>,
    sum: Tally,
    /// Which half minute of the run the newest stretch is; nothing while all are of earlier runs.
    newest: Option<u64>,
}

impl From<VecDeque<Tally>> for Past {
    fn from(mut stretches: VecDeque<Tally>) -> Self {
        stretches.drain(..stretches.len().saturating_sub(MOST));
        let sum = stretches.iter().fold(Tally::default(), |sum, one| sum.and(*one));
        Self { stretches, sum, newest: None }
    }
}

impl From<Past> for VecDeque<Tally> {
    fn from(past: Past) -> Self {
        past.stretches
    }
}

impl Past {
    /// Adds the second that ended at `at`.
    pub fn add(&mut self, at: Millis, bad: u64, of: u64) {
        let second = Tally { bad, of };
        if second == Tally::default() {
            return;
        }
        let stretch = at.0.saturating_sub(1) / STRETCH.0;
        let same = self.newest.is_some_and(|newest| newest >= stretch);
        match self.stretches.back_mut() {
            Some(last) if same => *last = last.and(second),
            _ => {
                self.stretches.push_back(second);
                self.newest = Some(stretch);
            }
        }
        self.sum = self.sum.and(second);
        if self.stretches.len() > MOST
            && let Some(oldest) = self.stretches.pop_front()
        {
            self.sum.bad = self.sum.bad.saturating_sub(oldest.bad);
            self.sum.of = self.sum.of.saturating_sub(oldest.of);
        }
    }

    /// How long it is: half a minute for each stretch in which anything was asked.
    pub fn length(&self) -> Millis {
        Millis(STRETCH.0.saturating_mul(self.stretches.len() as u64))
    }

    /// All of it.
    pub fn sum(&self) -> Tally {
        self.sum.sane()
    }

    /// Blue's normal share, 0 to 1: what luck is measured against. Between a tenth of the limit
    /// `x` and the limit; where there is no record, the limit.
    pub fn normal(&self, x: f64) -> f64 {
        self.usual(x).min(x)
    }

    /// The same where nobody was promised anything yet: in the soak, probes that fail on both
    /// slots more often than the limit allows say nothing about Green.
    pub fn usual(&self, x: f64) -> f64 {
        let Tally { bad, of } = self.sum();
        if of == 0 { x } else { share::wilson_upper(bad, of).clamp(x / 10.0, 0.5) }
    }

    /// How many failures one broken session makes, at least 1.
    pub fn lump(&self) -> f64 {
        let sum = self.sum();
        let Some(p) = sum.share() else { return UNKNOWN_LUMP };
        // Pairs of failures in one stretch, beyond those that chance alone brings together.
        let pairs: f64 = self
            .stretches
            .iter()
            .map(|stretch| {
                let (k, n) = (stretch.bad as f64, stretch.of as f64);
                k * (k - 1.0) - p * p * n * (n - 1.0)
            })
            .sum();
        let lump = 1.0 + 1.5 * (pairs.max(0.0) + 8.0) / (sum.bad as f64 + 2.0);
        lump.min(LARGEST_LUMP)
    }
}

/// What Blue normally does, by signal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Record {
    /// Of users.
    #[serde(default)]
    pub users: BTreeMap<Signal, Past>,
    /// Of probes.
    #[serde(default)]
    pub probes: BTreeMap<Signal, Past>,
}

impl Record {
    /// The same as a journal gives it back: whatever comes next begins a stretch of its own.
    pub fn of_earlier_runs(mut self) -> Self {
        for past in self.users.values_mut().chain(self.probes.values_mut()) {
            past.newest = None;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(stretches: &[(u64, u64)]) -> Past {
        let mut past = Past::default();
        for (i, (bad, of)) in stretches.iter().enumerate() {
            past.add(Millis::secs(30 * i as u64 + 17), *bad, *of);
        }
        past
    }

    #[test]
    fn seconds_of_one_half_minute_are_one_stretch() {
        let mut past = Past::default();
        (1..=60).for_each(|s| past.add(Millis::secs(s), 1, 10));
        assert_eq!(past.stretches.len(), 2);
        assert_eq!(past.sum(), Tally { bad: 60, of: 600 });
    }

    #[test]
    fn an_hour_is_remembered_and_no_more() {
        let past = past(&[(0, 7); 300]);
        assert_eq!(past.sum(), Tally { bad: 0, of: 120 * 7 });
    }

    #[test]
    fn without_a_record_the_limit_is_what_luck_is_measured_against() {
        assert_eq!(Past::default().normal(0.02), 0.02);
        assert_eq!(past(&[(0, 100_000)]).normal(0.02), 0.002, "never less than a tenth");
        assert_eq!(past(&[(50, 100)]).normal(0.02), 0.02, "never more than the limit");
    }

    #[test]
    fn failures_that_come_alone_make_small_lumps_and_sessions_large_ones() {
        assert_eq!(Past::default().lump(), 7.0);
        let alone: Vec<(u64, u64)> = (0..120).map(|i| (u64::from(i % 3 == 0), 300)).collect();
        assert!(past(&alone).lump() < 1.5, "{}", past(&alone).lump());
        let together: Vec<(u64, u64)> =
            (0..120).map(|i| (if i % 20 == 0 { 6 } else { 0 }, 300)).collect();
        assert!(past(&together).lump() > 6.0, "{}", past(&together).lump());
    }

    #[test]
    fn a_record_of_an_earlier_run_is_where_the_next_begins() {
        let json = serde_json::to_string(&past(&[(1, 10), (2, 20)])).unwrap();
        assert_eq!(json, r#"[{"bad":1,"of":10},{"bad":2,"of":20}]"#);
        let mut again: Past = serde_json::from_str(&json).unwrap();
        assert_eq!(again.length(), Millis::secs(60));
        let users = BTreeMap::from([(Signal::ErrorRate, past(&[(1, 10), (2, 20)]))]);
        let handed_on = Record { users, ..Record::default() }.of_earlier_runs();
        assert_eq!(handed_on.users[&Signal::ErrorRate], again);
        again.add(Millis::secs(1), 0, 5);
        assert_eq!(again.sum(), Tally { bad: 3, of: 35 });
        assert_eq!(again.stretches.len(), 3);
    }
}
