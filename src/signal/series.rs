//! Bad ones of all, second by second, and their sums between any two instants.
//!
//! The rule looks at one stretch of time in many ways: the hold, its last quarter, its parts, the
//! last ten seconds, what came since the last evaluation. Running totals make each of these two
//! look-ups and a difference, however many seconds lie between.

use crate::units::Millis;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// More requests than any second of any service has.
const MOST: u64 = 1 << 40;

/// Bad ones, of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Failures, or answers over a limit.
    pub bad: u64,
    /// Requests, or checks.
    pub of: u64,
}

impl Tally {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        sum(self, other.bad, other.of)
    }

    /// The share of bad ones, 0 to 1; nothing where there was nothing.
    pub fn share(self) -> Option<f64> {
        (self.of > 0).then(|| self.bad as f64 / self.of as f64)
    }

    /// Whether the share of bad ones is above `share`, 0 to 1; nothing is not.
    pub fn is_above(self, share: f64) -> bool {
        self.share().is_some_and(|own| own > share)
    }

    /// The same with no more bad ones than there were requests: one request cannot have failed
    /// more than once, whatever a gauge says.
    pub fn sane(self) -> Self {
        Self { bad: self.bad.min(self.of), of: self.of }
    }
}

/// Totals up to the end of a second.
#[derive(Debug, Clone, Copy)]
struct Upto {
    at: Millis,
    total: Tally,
}

/// Seconds of one thing, as totals. It forgets what is older than it has to remember.
#[derive(Debug, Clone)]
pub struct Series {
    remembers: Millis,
    /// Totals of what was forgotten.
    before: Tally,
    seconds: VecDeque<Upto>,
}

impl Series {
    /// An empty series that remembers so much.
    pub const fn new(remembers: Millis) -> Self {
        Self { remembers, before: Tally { bad: 0, of: 0 }, seconds: VecDeque::new() }
    }

    /// Adds the second that ended at `at`. One that comes late finds its place, as long as that
    /// is remembered.
    pub fn add(&mut self, at: Millis, bad: u64, of: u64) {
        // Sums that would overflow are nonsense of somebody else's; they must not end the program.
        let (bad, of) = (bad.min(MOST), of.min(MOST));
        let place = self.place(at);
        let last = if place == 0 { self.before } else { self.seconds[place - 1].total };
        for later in self.seconds.range_mut(place..) {
            later.total = sum(later.total, bad, of);
        }
        let total = sum(last, bad, of);
        match place.checked_sub(1).and_then(|i| self.seconds.get_mut(i)) {
            Some(second) if second.at == at => second.total = total,
            _ => self.seconds.insert(place, Upto { at, total }),
        }
        let newest = self.seconds.back().map_or(at, |second| second.at);
        while self.seconds.front().is_some_and(|oldest| oldest.at + self.remembers < newest) {
            if let Some(oldest) = self.seconds.pop_front() {
                self.before = oldest.total;
            }
        }
    }

    /// How many seconds ended at `at` or before.
    fn place(&self, at: Millis) -> usize {
        match self.seconds.back() {
            Some(newest) if newest.at <= at => self.seconds.len(),
            _ => self.seconds.partition_point(|second| second.at <= at),
        }
    }

    fn upto(&self, at: Millis) -> Tally {
        match self.place(at) {
            0 => self.before,
            n => self.seconds[n - 1].total,
        }
    }

    /// What ended after `from`, and at `to` at the latest.
    pub fn between(&self, from: Millis, to: Millis) -> Tally {
        let (a, b) = (self.upto(from), self.upto(to));
        Tally { bad: b.bad.saturating_sub(a.bad), of: b.of.saturating_sub(a.of) }
    }

    /// The end of the newest second.
    pub fn newest(&self) -> Option<Millis> {
        self.seconds.back().map(|second| second.at)
    }
}

const fn sum(total: Tally, bad: u64, of: u64) -> Tally {
    Tally { bad: total.bad.saturating_add(bad), of: total.of.saturating_add(of) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: u64) -> Millis {
        Millis(ms)
    }

    #[test]
    fn a_stretch_is_open_on_the_left_and_closed_on_the_right() {
        let mut series = Series::new(Millis::secs(60));
        (1..=10).for_each(|s| series.add(Millis::secs(s), 1, 4));
        let last_five = series.between(Millis::secs(5), Millis::secs(10));
        assert_eq!(last_five, Tally { bad: 5, of: 20 });
        assert_eq!(series.between(Millis::secs(10), Millis::secs(20)), Tally::default());
    }

    #[test]
    fn a_share_of_nothing_is_not_above_anything() {
        assert!(!Tally::default().is_above(0.0));
        assert!(Tally { bad: 1, of: 3 }.is_above(0.3));
        assert_eq!(Tally { bad: 9, of: 3 }.sane(), Tally { bad: 3, of: 3 });
    }

    proptest! {
        /// In whatever order seconds come, a stretch holds what ended in it.
        #[test]
        fn every_stretch_is_the_sum_of_its_seconds(
            seconds in prop::collection::vec((0u64..500, 0u64..9, 0u64..99), 0..80),
            from in 0u64..500,
            to in 0u64..500,
        ) {
            let mut series = Series::new(Millis(500));
            seconds.iter().for_each(|(ms, bad, of)| series.add(at(*ms), *bad, *of));
            let want = seconds.iter().filter(|(ms, ..)| *ms > from && *ms <= to);
            let want = want.fold((0, 0), |(b, n), (_, bad, of)| (b + bad, n + of));
            let got = series.between(at(from), at(to));
            prop_assert_eq!((got.bad, got.of), want);
        }
    }
}
