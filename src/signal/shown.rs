//! The 95th percentile that is shown. Nothing is judged by it: it is only worked out when somebody
//! looks, from the seconds of the hold.

use super::Histogram;
use crate::units::Millis;
use std::collections::VecDeque;

/// Times to an answer, second by second, over the last so many milliseconds.
#[derive(Debug, Clone)]
pub struct Shown {
    length: Millis,
    seconds: VecDeque<(Millis, Histogram)>,
}

impl Shown {
    /// Of so much time, without any answers yet.
    pub const fn new(length: Millis) -> Self {
        Self { length, seconds: VecDeque::new() }
    }

    /// Adds a second that ended at `at`.
    pub fn add(&mut self, at: Millis, second: &Histogram) {
        if !second.is_empty() {
            let at = self.seconds.back().map_or(at, |(last, _)| at.max(*last));
            self.seconds.push_back((at, second.clone()));
        }
        while self.seconds.front().is_some_and(|(first, _)| *first + self.length <= at) {
            self.seconds.pop_front();
        }
    }

    /// The 95th percentile in milliseconds; nothing where nobody answered.
    pub fn p95(&self, now: Millis) -> Option<f64> {
        let recent = self.seconds.iter().filter(|(at, _)| *at + self.length > now);
        let mut buckets: Vec<(f64, u64)> =
            recent.flat_map(|(_, second)| second.buckets().iter().copied()).collect();
        buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        Histogram::quantile_of(&buckets, 0.95)
    }
}
