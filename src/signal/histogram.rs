//! Times to an answer as a sparse histogram: upper bound of the bucket, and how many.
//!
//! When we write, the bounds are `0.1 ms x 1.03^i`, rounded to four decimals, so that two
//! neighbours are 3 % apart. When we read, any bounds are taken. A request is over a limit where
//! its bound is above the limit, so that the same file gives the same verdict everywhere.

use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::LazyLock;

const FIRST_BOUND_MS: f64 = 0.1;
const GROWTH: f64 = 1.03;
/// `0.1 ms x 1.03^700` is more than a day.
const BUCKETS: usize = 700;

/// A sparse histogram of milliseconds, in ascending order of its bounds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    buckets: Vec<(f64, u64)>,
}

/// All bounds, in ascending order: a bound is asked for with each answer that is counted.
static BOUNDS: LazyLock<Vec<f64>> = LazyLock::new(|| (0..=BUCKETS).map(bound).collect());

/// The bound of the bucket that holds `ms`.
fn bound_for(ms: f64) -> f64 {
    let place = BOUNDS.partition_point(|bound| *bound < ms);
    BOUNDS[place.min(BUCKETS)]
}

fn bound(i: usize) -> f64 {
    let exact = FIRST_BOUND_MS * libm::pow(GROWTH, i as f64);
    (exact * 10_000.0).round() / 10_000.0
}

/// Counts of files that others wrote may be anything; a sum of them must not overflow.
fn sum<'a>(buckets: impl Iterator<Item = &'a (f64, u64)>) -> u64 {
    buckets.fold(0, |all, (_, count)| count.saturating_add(all))
}

impl Histogram {
    /// Counts one answer that took `ms` milliseconds.
    pub fn record(&mut self, ms: f64) {
        self.add(bound_for(ms), 1);
    }

    /// Counts `count` answers in the bucket that ends at `bound` milliseconds.
    pub fn add(&mut self, bound: f64, count: u64) {
        match self.buckets.binary_search_by(|(b, _)| b.total_cmp(&bound)) {
            Ok(i) => self.buckets[i].1 = self.buckets[i].1.saturating_add(count),
            Err(i) => self.buckets.insert(i, (bound, count)),
        }
    }

    /// Adds every bucket of `other`.
    pub fn merge(&mut self, other: &Self) {
        for &(bound, count) in &other.buckets {
            self.add(bound, count);
        }
    }

    /// Takes every bucket of `other` away, as when a second leaves a window.
    pub fn remove(&mut self, other: &Self) {
        for &(bound, count) in &other.buckets {
            if let Ok(i) = self.buckets.binary_search_by(|(b, _)| b.total_cmp(&bound)) {
                self.buckets[i].1 = self.buckets[i].1.saturating_sub(count);
                if self.buckets[i].1 == 0 {
                    self.buckets.remove(i);
                }
            }
        }
    }

    /// How many answers were counted.
    pub fn count(&self) -> u64 {
        sum(self.buckets.iter())
    }

    /// How many took longer than `limit_ms`.
    pub fn over(&self, limit_ms: f64) -> u64 {
        sum(self.buckets.iter().filter(|(bound, _)| *bound > limit_ms))
    }

    /// How many of `requests` took longer than `limit_ms`, or got no answer at all.
    pub fn late(&self, limit_ms: f64, requests: u64) -> u64 {
        self.over(limit_ms).saturating_add(requests.saturating_sub(self.count()))
    }

    /// The bound under which a share `q` (0 to 1) of the answers lies; nothing where there are
    /// no answers.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        Self::quantile_of(&self.buckets, q)
    }

    /// The same of buckets in ascending order, of which some may have the same bound.
    pub fn quantile_of(buckets: &[(f64, u64)], q: f64) -> Option<f64> {
        let count = sum(buckets.iter());
        let rank = ((count as f64 * q).ceil() as u64).clamp(1, count.max(1));
        let mut seen: u64 = 0;
        buckets.iter().find_map(|&(bound, n)| {
            seen = n.saturating_add(seen);
            (seen >= rank).then_some(bound)
        })
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Bounds and counts, ascending.
    pub fn buckets(&self) -> &[(f64, u64)] {
        &self.buckets
    }
}

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.buckets.len()))?;
        for (bound, count) in &self.buckets {
            map.serialize_entry(&bound.to_string(), count)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Buckets;
        impl<'de> Visitor<'de> for Buckets {
            type Value = Histogram;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of bucket bounds in milliseconds to counts")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Histogram, A::Error> {
                let mut histogram = Histogram::default();
                while let Some((bound, count)) = map.next_entry::<String, u64>()? {
                    let bound: f64 = bound
                        .parse()
                        .ok()
                        .filter(|b: &f64| b.is_finite() && *b >= 0.0)
                        .ok_or_else(|| A::Error::custom(format!("{bound:?} is no bucket bound")))?;
                    histogram.add(bound, count);
                }
                Ok(histogram)
            }
        }
        deserializer.deserialize_map(Buckets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_bounds_are_at_most_three_percent_apart_and_hold_what_they_say() {
        let mut ms = 0.05;
        while ms < 100_000.0 {
            let b = bound_for(ms);
            assert!(b >= ms, "{ms} in {b}");
            assert!(ms < FIRST_BOUND_MS || b / ms < 1.0301, "{ms} in {b}");
            ms *= 1.0077;
        }
    }

    #[test]
    fn a_second_that_leaves_takes_back_what_it_brought() {
        let mut all = Histogram::default();
        let mut second = Histogram::default();
        for ms in [1.0, 5.0, 5.01, 400.0] {
            all.record(ms);
        }
        let before = all.clone();
        second.record(5.0);
        second.record(900.0);
        all.merge(&second);
        assert_eq!(all.over(300.0), 2);
        all.remove(&second);
        assert_eq!(all, before);
    }

    #[test]
    fn quantiles_are_bounds_and_nothing_has_none() {
        let mut h = Histogram::default();
        assert_eq!(h.quantile(0.95), None);
        for ms in 1..=100 {
            h.record(f64::from(ms));
        }
        let p95 = h.quantile(0.95).unwrap();
        assert!((95.0..98.0).contains(&p95), "{p95}");
    }

    #[test]
    fn files_of_others_are_read_and_ours_are_read_back() {
        let theirs: Histogram = serde_json::from_str(r#"{"31.2":12,"36.1":6,"410.0":2}"#).unwrap();
        assert_eq!((theirs.count(), theirs.over(40.0)), (20, 2));
        let again: Histogram =
            serde_json::from_str(&serde_json::to_string(&theirs).unwrap()).unwrap();
        assert_eq!(theirs, again);
        assert!(serde_json::from_str::<Histogram>(r#"{"fast":1}"#).is_err());
    }
}
