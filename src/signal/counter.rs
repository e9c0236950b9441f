//! PURE. Numbers that only grow, turned into what happened since they were last read.
//!
//! Routers and services count since they began. What is judged is the growth: the first reading
//! gives nothing, and a number that falls means that whoever counts has begun anew, so that all
//! it has counted since is growth. What is lost in between (requests counted between our last
//! reading and a restart) is not guessed at.
//!
//! Users are what the router counted less our own requests. The two are counted in different
//! places, so one of ours may be seen a second late: what could not be taken off is owed for one
//! more reading, and then forgotten, so that a request of ours that never reached a slot cannot
//! hide a user for ever.

use super::histogram::Histogram;

/// Requests of one slot: totals since somebody began to count, or the growth between two of
/// them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counts {
    /// Requests, failed ones included.
    pub requests: u64,
    /// Of these, answered with 5xx or not answered.
    pub failed: u64,
    /// Of these, answered with 4xx.
    pub client_errors: u64,
    /// Times to an answer in milliseconds, where they are counted.
    pub latency_ms: Option<Histogram>,
}

impl Counts {
    const fn numbers(&self) -> [u64; 3] {
        [self.requests, self.failed, self.client_errors]
    }

    fn with(numbers: [u64; 3], latency_ms: Option<Histogram>) -> Self {
        let [requests, failed, client_errors] = numbers;
        Self { requests, failed, client_errors, latency_ms }
    }

    /// What is left without `own`, never below zero.
    pub fn less(&self, own: &Self) -> Self {
        let latency_ms = self.latency_ms.clone().map(|mut latency| {
            for &(bound, count) in own.latency_ms.iter().flat_map(Histogram::buckets) {
                take_nearest(&mut latency, bound, count);
            }
            latency
        });
        Self::with(each(self.numbers(), own.numbers(), u64::saturating_sub), latency_ms)
    }
}

fn each(a: [u64; 3], b: [u64; 3], f: impl Fn(u64, u64) -> u64) -> [u64; 3] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

/// Takes `count` answers off, from the buckets nearest to `bound`: we measure our own requests
/// from further away than the router does, so that they seldom fall into the same bucket.
fn take_nearest(histogram: &mut Histogram, bound: f64, mut count: u64) {
    while count > 0 {
        let distance = |b: f64| (b / bound.max(f64::MIN_POSITIVE)).ln().abs();
        let nearest = histogram
            .buckets()
            .iter()
            .min_by(|(a, _), (b, _)| distance(*a).total_cmp(&distance(*b)))
            .copied();
        let Some((near, there)) = nearest else { return };
        let taken = count.min(there.max(1));
        let mut off = Histogram::default();
        off.add(near, taken);
        histogram.remove(&off);
        count -= taken;
    }
}

/// Whether every bucket of `before` is still as full in `now`.
fn has_grown(now: &Histogram, before: &Histogram) -> bool {
    before.buckets().iter().all(|(bound, count)| {
        now.buckets().iter().any(|(b, n)| b.total_cmp(bound).is_eq() && n >= count)
    })
}

/// One number that only grows, such as a service's database errors.
#[derive(Debug, Clone, Default)]
pub struct Growth {
    last: Option<u64>,
}

impl Growth {
    /// What happened since the last reading; nothing at the first.
    pub fn since_last(&mut self, now: u64) -> Option<u64> {
        let last = self.last.replace(now)?;
        Some(if now < last { now } else { now - last })
    }
}

/// The counters of one slot at the router, read again and again.
#[derive(Debug, Clone, Default)]
pub struct Counter {
    last: Option<Counts>,
}

impl Counter {
    /// What happened since the last reading; nothing at the first. Where one number falls, all
    /// have begun anew.
    pub fn since_last(&mut self, now: Counts) -> Option<Counts> {
        let last = self.last.replace(now.clone())?;
        let fell = now.numbers().iter().zip(last.numbers()).any(|(n, l)| *n < l);
        let latency_fell = match (&now.latency_ms, &last.latency_ms) {
            (Some(now), Some(last)) => !has_grown(now, last),
            _ => false,
        };
        if fell || latency_fell {
            return Some(now);
        }
        let latency_ms = match (now.latency_ms.clone(), &last.latency_ms) {
            (Some(mut latency), Some(last)) => {
                latency.remove(last);
                Some(latency)
            }
            // Times that were not counted before would all look new.
            _ => None,
        };
        Some(Counts::with(each(now.numbers(), last.numbers(), u64::saturating_sub), latency_ms))
    }
}

/// Takes our own requests off what a router has seen.
#[derive(Debug, Clone, Default)]
pub struct Users {
    owed: [u64; 3],
}

impl Users {
    /// What of `seen` were users, where `own` of ours were answered in the same time.
    pub fn of(&mut self, seen: &Counts, own: &Counts) -> Counts {
        let due = each(own.numbers(), self.owed, u64::saturating_add);
        let left = each(due, seen.numbers(), u64::saturating_sub);
        self.owed = each(left, own.numbers(), u64::min);
        seen.less(&Counts::with(due, own.latency_ms.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(requests: u64, failed: u64, client_errors: u64) -> Counts {
        Counts { requests, failed, client_errors, latency_ms: None }
    }

    fn times(ms: &[f64]) -> Option<Histogram> {
        let mut histogram = Histogram::default();
        ms.iter().for_each(|ms| histogram.record(*ms));
        Some(histogram)
    }

    #[test]
    fn the_first_reading_says_nothing_and_the_next_says_what_came_since() {
        let mut counter = Counter::default();
        assert_eq!(counter.since_last(counts(1_000, 7, 3)), None);
        assert_eq!(counter.since_last(counts(1_020, 8, 3)), Some(counts(20, 1, 0)));
        assert_eq!(counter.since_last(counts(1_020, 8, 3)), Some(counts(0, 0, 0)));
    }

    #[test]
    fn a_router_that_restarted_counts_from_its_new_beginning() {
        let mut counter = Counter::default();
        counter.since_last(counts(1_000, 7, 3));
        assert_eq!(counter.since_last(counts(12, 0, 0)), Some(counts(12, 0, 0)));
        assert_eq!(counter.since_last(counts(15, 0, 0)), Some(counts(3, 0, 0)));
        // More requests than before, but failures that fell: it is another process all the same.
        assert_eq!(counter.since_last(counts(20, 2, 0)), Some(counts(5, 2, 0)));
        assert_eq!(counter.since_last(counts(30, 1, 0)), Some(counts(30, 1, 0)));
    }

    #[test]
    fn times_grow_with_the_counts_and_begin_anew_with_them() {
        let mut counter = Counter::default();
        let read = |ms: &[f64]| Counts { latency_ms: times(ms), ..counts(ms.len() as u64, 0, 0) };
        counter.since_last(read(&[1.0, 5.0]));
        assert_eq!(counter.since_last(read(&[1.0, 5.0, 5.0, 90.0])), Some(read(&[5.0, 90.0])));
        assert_eq!(counter.since_last(read(&[2.0, 2.0, 2.0, 2.0])), Some(read(&[2.0; 4])));
    }

    #[test]
    fn times_that_were_not_counted_before_are_not_all_new() {
        let mut counter = Counter::default();
        counter.since_last(counts(2, 0, 0));
        let now = Counts { latency_ms: times(&[1.0, 2.0, 3.0]), ..counts(3, 0, 0) };
        assert_eq!(counter.since_last(now), Some(counts(1, 0, 0)));
    }

    #[test]
    fn our_own_requests_are_no_users() {
        let seen = Counts { latency_ms: times(&[1.0, 40.0, 40.0]), ..counts(3, 2, 1) };
        let own = Counts { latency_ms: times(&[1.3]), ..counts(1, 1, 4) };
        let users = seen.less(&own);
        assert_eq!((users.requests, users.failed, users.client_errors), (2, 1, 0));
        assert_eq!(users.latency_ms, times(&[40.0, 40.0]));
    }

    #[test]
    fn one_of_ours_that_is_seen_a_second_late_is_no_user_either() {
        let mut users = Users::default();
        assert_eq!(users.of(&counts(4, 0, 0), &counts(5, 0, 0)).requests, 0);
        assert_eq!(users.of(&counts(6, 0, 0), &counts(5, 0, 0)).requests, 0);
        assert_eq!(users.of(&counts(7, 0, 0), &counts(5, 0, 0)).requests, 2);
    }

    #[test]
    fn requests_of_ours_that_never_arrive_hide_users_for_one_reading_at_most() {
        let mut users = Users::default();
        for _ in 0..100 {
            users.of(&counts(0, 0, 0), &counts(5, 0, 0));
        }
        assert_eq!(users.of(&counts(20, 0, 0), &counts(0, 0, 0)).requests, 15);
        assert_eq!(users.of(&counts(20, 0, 0), &counts(0, 0, 0)).requests, 20);
    }

    #[test]
    fn a_single_number_grows_and_begins_anew_too() {
        let mut errors = Growth::default();
        assert_eq!([9, 9, 12, 4].map(|n| errors.since_last(n)), [None, Some(0), Some(3), Some(4)]);
    }
}
