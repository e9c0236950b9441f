//! Whether a bad release is told from a good one, and to which side an operator leans.
//!
//! Counts come first: hits, misses, false alarms, passes. From twelve graded flights on they are
//! also put as signal detection puts them: d' is how far apart good and bad look to this operator,
//! c how much it takes before they go back. Half a flight is added to each count (the log-linear
//! correction), so that a cell of nothing is no certainty, and both come with an interval: of so few
//! flights neither is known well. Below twelve nothing is said.

use super::Calls;
use serde::{Deserialize, Serialize};

/// Graded flights before anything but counts is told.
pub const GRADED: u32 = 12;
/// Nineteen times in twenty the truth lies within so many standard errors.
const REACH: f64 = 1.96;

/// A figure and the interval in which it lies nineteen times in twenty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The figure.
    pub is: f64,
    /// Not less, most likely.
    pub from: f64,
    /// Not more, most likely.
    pub to: f64,
}

impl Figure {
    fn of(is: f64, variance: f64) -> Self {
        let reach = REACH * variance.max(0.0).sqrt();
        Self { is, from: is - reach, to: is + reach }
    }
}

/// Both figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sense {
    /// d': 0 is guessing, 1 is fair, 2 and more is good.
    pub apart: Figure,
    /// c: below 0 they go back too readily, above 0 too late.
    pub leans: Figure,
}

/// The figures of so many calls; nothing below twelve, or where one kind was never flown.
pub fn of(calls: &Calls) -> Option<Sense> {
    let bad = calls.hits + calls.misses;
    let good = calls.false_alarms + calls.passes;
    if bad + good < GRADED || bad == 0 || good == 0 {
        return None;
    }
    let rate = |did: u32, of: u32| (f64::from(did) + 0.5) / (f64::from(of) + 1.0);
    let (hit, alarm) = (rate(calls.hits, bad), rate(calls.false_alarms, good));
    let (at_hit, at_alarm) = (deviate(hit), deviate(alarm));
    // How unsure a rate is, where it stands on the curve.
    let unsure = |share: f64, at: f64, of: u32| {
        let height = (-at * at / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        share * (1.0 - share) / ((f64::from(of) + 1.0) * height * height)
    };
    let variance = unsure(hit, at_hit, bad) + unsure(alarm, at_alarm, good);
    Some(Sense {
        apart: Figure::of(at_hit - at_alarm, variance),
        leans: Figure::of(-(at_hit + at_alarm) / 2.0, variance / 4.0),
    })
}

/// The place on the normal curve below which this share of it lies; the share is between 0 and 1.
/// It is found by halving: a few dozen steps, and nothing to get wrong.
fn deviate(share: f64) -> f64 {
    let (mut low, mut high) = (-8.0_f64, 8.0_f64);
    for _ in 0..60 {
        let middle = low.midpoint(high);
        if below(middle) < share { low = middle } else { high = middle }
    }
    low.midpoint(high)
}

/// The share of the normal curve below a place: the sum of its series, which within eight
/// deviations is good to more places than are ever shown.
fn below(at: f64) -> f64 {
    let (mut term, mut sum) = (at, at);
    for odd in (3..400).step_by(2) {
        term *= at * at / f64::from(odd);
        sum += term;
    }
    let height = (-at * at / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    (0.5 + height * sum).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn calls(hits: u32, misses: u32, false_alarms: u32, passes: u32) -> Calls {
        Calls { hits, misses, false_alarms, passes }
    }

    #[test]
    fn the_curve_is_the_one_in_the_tables() {
        for (share, at) in [(0.5, 0.0), (0.841_345, 1.0), (0.975, 1.959_964), (0.01, -2.326_348)] {
            assert!((deviate(share) - at).abs() < 1e-4, "{share}: {}", deviate(share));
        }
    }

    #[test]
    fn below_twelve_flights_nothing_is_said_but_counts() {
        assert_eq!(of(&calls(6, 0, 0, 5)), None);
        assert!(of(&calls(6, 0, 0, 6)).is_some());
        assert_eq!(of(&calls(12, 0, 0, 0)), None, "of one kind alone nothing can be told apart");
    }

    #[test]
    fn who_always_goes_back_tells_nothing_apart_and_leans_to_it() {
        let sense = of(&calls(9, 0, 6, 0)).unwrap();
        assert!(sense.apart.is.abs() < 0.3, "{sense:?}");
        assert!(sense.apart.from < 0.0 && sense.apart.to > 0.0, "it may well be guessing");
        assert!(sense.leans.is < -1.0, "{sense:?}");
        let never = of(&calls(0, 9, 0, 6)).unwrap();
        assert!((never.leans.is + sense.leans.is).abs() < 1e-9, "the other way round");
    }

    #[test]
    fn a_cell_of_nothing_is_no_certainty_and_more_flights_are_known_better() {
        let few = of(&calls(8, 0, 0, 6)).unwrap();
        // By hand: z(8.5/9) - z(0.5/7).
        assert!((few.apart.is - 3.058).abs() < 0.01, "{few:?}");
        assert!(few.leans.is.abs() < 0.1, "{few:?}");
        let many = of(&calls(40, 0, 0, 30)).unwrap();
        let wide = |figure: Figure| figure.to - figure.from;
        assert!(few.apart.is < many.apart.is && few.apart.from > 0.0);
        let (some, more) = (of(&calls(6, 2, 2, 6)).unwrap(), of(&calls(60, 20, 20, 60)).unwrap());
        assert!(wide(more.apart) < wide(some.apart) / 2.0);
    }
}
