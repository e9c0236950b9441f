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

    /// The 95th percentile in milliseconds, of the time that ended at `now`; nothing where nobody
    /// answered. What came since belongs to the next evaluation, as all the numbers beside it do.
    pub fn p95(&self, now: Millis) -> Option<f64> {
        let in_hold = |at: Millis| at <= now && at + self.length > now;
        let recent = self.seconds.iter().filter(|(at, _)| in_hold(*at));
        let mut buckets: Vec<(f64, u64)> =
            recent.flat_map(|(_, second)| second.buckets().iter().copied()).collect();
        buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        Histogram::quantile_of(&buckets, 0.95)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_of_the_time_that_was_judged_and_not_of_what_came_since() {
        let mut shown = Shown::new(Millis::secs(15));
        for at in 1..=9 {
            let mut second = Histogram::default();
            second.record(if at > 5 { 2_000.0 } else { 100.0 });
            shown.add(Millis::secs(at), &second);
        }
        assert!(shown.p95(Millis::secs(5)).is_some_and(|ms| ms < 104.0));
        assert!(shown.p95(Millis::secs(10)).is_some_and(|ms| ms > 1_999.0));
        assert_eq!(shown.p95(Millis::secs(60)), None);
    }
}
