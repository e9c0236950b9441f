//! Blue's word: whether Blue suffers as Green does. Where it does, going back would help nobody.
//!
//! Both slots are looked at over the same seconds, users and probes apart, and what each source
//! says is added up. In the same way Green's own probes can vouch that its users really fail.

use super::series::Tally;
use super::share::ln_ratio;

/// `ln 3`: above it a word is taken.
pub const TAKEN: f64 = 1.098_612_288_668_109_8;
/// Blue's share of answers slower than its own 95th percentile, by definition.
const SLOW: f64 = 0.05;
const MOST: f64 = 0.999;

/// How much likelier it is that `blue` suffers with `green` than that it is as always, as a
/// logarithm. `b` is Blue's normal share and `x` the limit, both 0 to 1. Nothing where either was
/// asked nothing.
pub fn suffers(green: Tally, blue: Tally, b: f64, x: f64) -> f64 {
    let (Some(own), true) = (blue.share(), green.of > 0) else { return 0.0 };
    let normal = b.min(x / 2.0);
    let g = (green.bad as f64 + 0.5) / (green.of as f64 + 1.0);
    let least = normal.max(g / 4.0);
    let q = own.clamp(least, least.max(g));
    ln_ratio(blue.bad, blue.of, q, normal)
}

/// The same of latency, by probes: `bad` are answers slower than Blue's 95th percentile was
/// before users were moved.
pub fn slows(green: Tally, blue: Tally) -> f64 {
    let (Some(g), Some(s)) = (green.share(), blue.share()) else { return 0.0 };
    if g <= SLOW {
        return 0.0;
    }
    let q = s.clamp(SLOW + (g - SLOW) / 2.0, g).min(MOST);
    ln_ratio(blue.bad, blue.of, q, SLOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn tally(bad: u64, of: u64) -> Tally {
        Tally { bad, of }
    }

    #[test]
    fn a_blue_that_fails_as_green_does_says_so() {
        assert!(suffers(tally(20, 200), tally(18, 200), 0.002, 0.02) > TAKEN);
        assert!(suffers(tally(200, 200), tally(30, 480), 0.002, 0.02) > -1e3);
    }

    #[test]
    fn a_blue_that_is_well_says_that_it_is_green() {
        assert!(suffers(tally(20, 200), tally(0, 480), 0.002, 0.02) < 0.0);
        assert!(slows(tally(60, 100), tally(5, 100)) < 0.0);
    }

    #[test]
    fn who_was_asked_nothing_says_nothing() {
        assert_eq!(suffers(tally(20, 200), tally(0, 0), 0.002, 0.02), 0.0);
        assert_eq!(suffers(tally(0, 0), tally(9, 10), 0.002, 0.02), 0.0);
        assert_eq!(slows(tally(1, 100), tally(50, 100)), 0.0, "Green's probes are not slow");
    }

    #[test]
    fn probes_that_are_slow_on_both_slots_say_that_it_is_shared() {
        assert!(slows(tally(60, 100), tally(50, 100)) > TAKEN);
    }
}
