//! What many flights of one kind say together: shares with their intervals, delays, users hurt.

use super::catalogue::{Class, Outcome};
use super::flown::{Flown, Where};
use serde::Serialize;

/// The z of an interval that holds in 95 of 100 cases.
pub const Z: f64 = 1.96;
/// Columns of a plot of delays; each is twice as late as the one before, the first is 10 s.
pub const COLUMNS: usize = 8;

/// A share in percent, with the interval that it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// Of how many.
    pub of: u64,
    /// How many.
    pub count: u64,
    /// The share in percent.
    pub percent: f64,
    /// Between these, in 95 of 100 cases (Wilson).
    pub interval: [f64; 2],
}

impl Share {
    /// `count` of `of`.
    pub fn new(count: u64, of: u64) -> Self {
        let (k, n) = (count as f64, of.max(1) as f64);
        let p = k / n;
        let middle = p + Z * Z / (2.0 * n);
        let spread = Z * libm::sqrt(p * (1.0 - p) / n + Z * Z / (4.0 * n * n));
        let scale = 100.0 / (1.0 + Z * Z / n);
        let low = if count == 0 { 0.0 } else { ((middle - spread) * scale).max(0.0) };
        let high = if count == of { 100.0 } else { ((middle + spread) * scale).min(100.0) };
        Self { of, count, percent: p * 100.0, interval: [low, high] }
    }
}

/// The median and the 95th percentile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Half are no more.
    pub median: f64,
    /// Nineteen of twenty are no more.
    pub p95: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let at = |q: f64| values[libm::round(last as f64 * q) as usize];
        Some(Self { median: at(0.5), p95: at(0.95) })
    }
}

/// What came of the flights of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tally {
    /// The kind.
    pub kind: &'static str,
    /// What should happen: `keep`, `shared` (hold) or `roll` (back).
    pub class: &'static str,
    /// Requests a second of all users.
    pub rps: f64,
    /// Rolled back, or abandoned before a user came.
    pub back: Share,
    /// Kept.
    pub kept: Share,
    /// Left to a person to decide.
    pub asks: Share,
    /// Held because both slots suffered, whatever came then.
    pub held: Share,
    /// Seconds from the onset until all users were back, of those that went back.
    pub delay_s: Option<Spread>,
    /// How many of these fell into each column; the last holds all that are later.
    pub delays: [u64; COLUMNS],
    /// Users' requests that fail or are slow because of the release, until it is sent back, or until
    /// an hour after its onset.
    pub users_hurt: Option<Spread>,
    /// Of the same the mean.
    pub users_hurt_mean: f64,
}

impl Tally {
    /// The tally of these.
    pub fn new<'f>(outcome: Outcome, rps: f64, flown: impl Iterator<Item = &'f Flown>) -> Self {
        let flown: Vec<&Flown> = flown.collect();
        let of = flown.len() as u64;
        let count = |is: &dyn Fn(&Flown) -> bool| {
            Share::new(flown.iter().filter(|one| is(one)).count() as u64, of)
        };
        let delays: Vec<f64> = flown
            .iter()
            .filter(|one| one.end == Where::Back)
            .filter_map(|one| one.delay.map(|delay| delay.0 as f64 / 1000.0))
            .collect();
        let mut columns = [0; COLUMNS];
        for delay in &delays {
            let late = libm::ceil(libm::log2((delay / 10.0).max(1.0))) as usize;
            columns[late.min(COLUMNS - 1)] += 1;
        }
        let hurt: Vec<f64> = flown.iter().map(|one| one.hurts(rps)).collect();
        Self {
            kind: outcome.name(),
            class: match outcome.class() {
                Class::Keep => "keep",
                Class::Shared => "shared",
                Class::Roll => "roll",
            },
            rps,
            back: count(&|one| one.end == Where::Back),
            kept: count(&|one| one.end == Where::Kept),
            asks: count(&|one| one.end == Where::Asks),
            held: count(&|one| one.held),
            delay_s: Spread::of(delays),
            delays: columns,
            users_hurt_mean: hurt.iter().sum::<f64>() / of.max(1) as f64,
            users_hurt: Spread::of(hurt),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Millis;

    #[test]
    fn a_share_of_none_is_not_certain() {
        let none = Share::new(0, 100);
        assert_eq!(none.interval[0], 0.0);
        assert!((3.0..4.0).contains(&none.interval[1]), "{none:?}");
        assert_eq!(Share::new(7, 7).interval[1], 100.0);
    }

    #[test]
    fn delays_fall_into_columns_that_double() {
        let flown: Vec<Flown> = [4, 10, 11, 20, 41, 9_999]
            .into_iter()
            .map(|secs| Flown {
                end: Where::Back,
                delay: Some(Millis::secs(secs)),
                hurt: 0.0,
                goes_on_s: 0.0,
                held: false,
            })
            .collect();
        let tally = Tally::new(Outcome::Everything, 1.0, flown.iter());
        assert_eq!(tally.delays, [2, 2, 0, 1, 0, 0, 0, 1]);
    }
}
