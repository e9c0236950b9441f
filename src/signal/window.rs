//! Sliding windows with running sums: adding a second costs the same however long the window is.

use super::histogram::Histogram;
use crate::units::Millis;
use std::collections::VecDeque;

/// More requests than any second of any service has.
const MOST: u64 = 1 << 40;

/// Bad ones of all, over the last so many milliseconds: the window is `(now - length, now]`.
#[derive(Debug, Clone)]
pub struct Share {
    length: Millis,
    seconds: VecDeque<(Millis, u64, u64)>,
    bad: u64,
    of: u64,
}

impl Share {
    /// An empty window of this length.
    pub const fn new(length: Millis) -> Self {
        Self { length, seconds: VecDeque::new(), bad: 0, of: 0 }
    }

    /// Adds a second that ended at `at`.
    pub fn add(&mut self, at: Millis, bad: u64, of: u64) {
        // A second that comes late counts with the last one: the window stays in order.
        let at = self.seconds.back().map_or(at, |(last, ..)| at.max(*last));
        // Sums that would overflow are nonsense of somebody else's; they must not end the program.
        let (bad, of) = (bad.min(MOST), of.min(MOST));
        self.seconds.push_back((at, bad, of));
        self.bad += bad;
        self.of += of;
        self.slide(at);
    }

    /// Lets go of what is too old at `now`.
    pub fn slide(&mut self, now: Millis) {
        while let Some(&(at, bad, of)) = self.seconds.front() {
            if at + self.length > now {
                break;
            }
            self.bad -= bad;
            self.of -= of;
            self.seconds.pop_front();
        }
    }

    /// Bad ones and all.
    pub const fn counts(&self) -> (u64, u64) {
        (self.bad, self.of)
    }

    /// The share in percent; nothing where there was nothing.
    pub fn percent(&self) -> Option<f64> {
        (self.of > 0).then(|| self.bad as f64 * 100.0 / self.of as f64)
    }
}

/// Times to an answer over the last so many milliseconds.
#[derive(Debug, Clone)]
pub struct Times {
    length: Millis,
    seconds: VecDeque<(Millis, Histogram)>,
    sum: Histogram,
}

impl Times {
    /// An empty window of this length.
    pub fn new(length: Millis) -> Self {
        Self { length, seconds: VecDeque::new(), sum: Histogram::default() }
    }

    /// Adds a second that ended at `at`.
    pub fn add(&mut self, at: Millis, second: &Histogram) {
        let at = self.seconds.back().map_or(at, |(last, _)| at.max(*last));
        self.sum.merge(second);
        self.seconds.push_back((at, second.clone()));
        self.slide(at);
    }

    /// Lets go of what is too old at `now`.
    pub fn slide(&mut self, now: Millis) {
        while self.seconds.front().is_some_and(|(at, _)| *at + self.length <= now) {
            if let Some((_, second)) = self.seconds.pop_front() {
                self.sum.remove(&second);
            }
        }
    }

    /// The 95th percentile in milliseconds.
    pub fn p95(&self) -> Option<f64> {
        self.sum.quantile(0.95)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_open_on_the_left_and_closed_on_the_right() {
        let mut w = Share::new(Millis::secs(10));
        for s in 1..=10 {
            w.add(Millis::secs(s), 1, 4);
        }
        assert_eq!(w.counts(), (10, 40));
        w.slide(Millis::secs(11));
        assert_eq!(w.counts(), (9, 36), "the second that ended 10 s ago has left");
        w.slide(Millis::secs(30));
        assert_eq!((w.counts(), w.percent()), ((0, 0), None));
    }

    #[test]
    fn running_sums_equal_what_is_in_the_window() {
        let mut w = Share::new(Millis::secs(7));
        for s in 0..200u64 {
            w.add(Millis(s * 900), s % 3, 3 + s % 5);
            let from = (s * 900).saturating_sub(7000);
            let want = (0..=s)
                .filter(|i| s * 900 < 7000 || i * 900 > from)
                .fold((0, 0), |(b, n), i| (b + i % 3, n + 3 + i % 5));
            assert_eq!(w.counts(), want, "at second {s}");
        }
    }
}
