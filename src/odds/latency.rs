//! Times to an answer: lognormal, on a level that moves, as counts in buckets.
//!
//! A request costs one look into a table of quantiles and one addition in the logarithm, in steps
//! of the 3 % grid of [`crate::signal::histogram`]; its bucket is the next kept bound above. Bounds are
//! kept step by step around the p95 of users and of probes, and wide apart elsewhere; the step on
//! which a limit falls is always one, so that the share above a limit is what the whole grid
//! would give.

use super::dice::Dice;
use crate::signal::Histogram;
use std::sync::OnceLock;

/// Bounds of the whole grid; as in the histogram.
const GRID: usize = 700;
const GROWTH: f64 = 1.03;
const FIRST_MS: f64 = 0.1;
/// Quantiles in the table: the slowest of so many is the slowest that there is.
const QUANTILES: usize = 2_048;
/// Bounds that are kept at most.
const KEPT: usize = 64;
/// The z of the 95th percentile.
pub(super) const Z95: f64 = 1.644_853_626_951_472_2;

fn grid() -> &'static [f64; GRID + 1] {
    static GRID_MS: OnceLock<[f64; GRID + 1]> = OnceLock::new();
    GRID_MS.get_or_init(|| {
        std::array::from_fn(|i| {
            let exact = FIRST_MS * libm::pow(GROWTH, i as f64);
            libm::round(exact * 10_000.0) / 10_000.0
        })
    })
}

/// The normal quantiles at the middles of equal parts.
fn quantiles() -> &'static [f64; QUANTILES] {
    static TABLE: OnceLock<[f64; QUANTILES]> = OnceLock::new();
    TABLE.get_or_init(|| {
        std::array::from_fn(|i| {
            let share = (i as f64 + 0.5) / QUANTILES as f64;
            let (mut low, mut high) = (-9.0, 9.0);
            for _ in 0..60 {
                let middle = (low + high) / 2.0;
                let below = 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2);
                if below < share { low = middle } else { high = middle }
            }
            (low + high) / 2.0
        })
    })
}

/// A few normal draws from one number, of as many steps as the table has: enough for what moves
/// slowly and is added up.
pub(super) fn normals<const N: usize>(dice: &mut Dice) -> [f64; N] {
    let bits = dice.bits();
    std::array::from_fn(|i| quantiles()[(bits >> (11 * i)) as usize % QUANTILES])
}

/// A factor of latency in steps of the grid.
pub(super) fn steps(factor: f64) -> f64 {
    libm::log(factor) / libm::log(GROWTH)
}

/// Milliseconds as a place on the grid, where a bucket's bound is a whole number.
pub(super) fn place(ms: f64) -> f64 {
    steps(ms / FIRST_MS)
}

/// The share of answers (0 to 1) over `limit_ms`, where half take `middle_ms` and everything takes
/// `slower` steps longer; `width` is the deviation of the logarithm, in steps.
pub(super) fn share_over(limit_ms: f64, middle_ms: f64, width: f64, slower: f64) -> f64 {
    let z = (place(limit_ms) - place(middle_ms) - slower) / width.max(1e-9);
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// Which buckets are kept, and which of them a place on the grid falls into.
#[derive(Debug, Clone)]
pub(super) struct Ladder {
    bounds: Vec<f64>,
    bucket: [u8; GRID + 1],
}

impl Ladder {
    /// Step by step around the `fine` milliseconds; exact at the `limits` (milliseconds).
    pub fn new(fine: &[f64], limits: &[f64]) -> Self {
        let mut keep = [false; GRID + 1];
        for &ms in fine {
            let middle = place(ms) as i64;
            // Beyond ten times the p95 and below a tenth of it nothing is told apart.
            for step in -80..=80_i64 {
                if step.abs() <= 8 || step % 10 == 0 {
                    keep[(middle + step).clamp(0, GRID as i64) as usize] = true;
                }
            }
        }
        for &ms in limits {
            let under = grid().partition_point(|bound| *bound <= ms);
            keep[under.saturating_sub(1)] = true;
        }
        let mut kept: Vec<usize> = (0..=GRID).filter(|i| keep[*i]).collect();
        if kept.len() > KEPT {
            // Too much is asked for: what is fast is told apart least.
            kept.drain(..kept.len() - KEPT);
        }
        let last = kept.len().saturating_sub(1);
        let bucket = std::array::from_fn(|i| kept.partition_point(|k| *k < i).min(last) as u8);
        Self { bounds: kept.into_iter().map(|i| grid()[i]).collect(), bucket }
    }
}

/// Counts in the buckets of a ladder.
#[derive(Debug, Clone)]
pub(super) struct Times([u32; KEPT]);

impl Times {
    pub const fn new() -> Self {
        Self([0; KEPT])
    }

    /// Counts `n` answers, of which half take less than `level` (a place on the grid); `width` is
    /// the deviation of the logarithm, in steps.
    pub fn draw(&mut self, n: u64, level: f64, width: f64, ladder: &Ladder, dice: &mut Dice) {
        let table = quantiles();
        let mut left = n;
        while left > 0 {
            // Five draws of eleven bits from one number.
            let mut bits = dice.bits();
            for _ in 0..left.min(5) {
                let z = table[bits as usize % QUANTILES];
                bits >>= 11;
                // The bucket's bound is the next whole place above.
                let place = (level + width * z + 1.0).clamp(0.0, GRID as f64) as usize;
                self.0[usize::from(ladder.bucket[place])] += 1;
            }
            left = left.saturating_sub(5);
        }
    }

    /// The counts as a histogram, and none of them left.
    pub fn take(&mut self, ladder: &Ladder) -> Histogram {
        let mut histogram = Histogram::default();
        for (count, bound) in self.0.iter_mut().zip(&ladder.bounds) {
            if *count > 0 {
                histogram.add(*bound, u64::from(std::mem::take(count)));
            }
        }
        histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odds::dice::Purpose;

    #[test]
    fn every_bound_is_one_that_the_histogram_would_write() {
        for bound in grid() {
            let mut histogram = Histogram::default();
            histogram.record(*bound);
            assert_eq!(histogram.buckets()[0].0.to_bits(), bound.to_bits());
        }
    }

    #[test]
    fn kept_buckets_say_of_a_limit_what_the_whole_grid_says() {
        let ladder = Ladder::new(&[250.0], &[325.0, 500.0]);
        let (width, mut dice) = (steps(250.0 / 110.0) / Z95, Dice::stream(5, Purpose::Policy));
        let (mut times, mut whole) = (Times::new(), Histogram::default());
        for n in 0..200 {
            let level = place(100.0 + f64::from(n));
            let mut same = dice.clone();
            times.draw(50, level, width, &ladder, &mut dice);
            for _ in 0..10 {
                let bits = same.bits();
                for i in 0..5 {
                    let z = quantiles()[(bits >> (11 * i)) as usize % QUANTILES];
                    whole.record(FIRST_MS * libm::pow(GROWTH, level + width * z));
                }
            }
        }
        let kept = times.take(&ladder);
        assert_eq!(kept.count(), whole.count());
        for limit in [240.0, 250.0, 260.0, 325.0, 500.0] {
            assert_eq!(kept.over(limit), whole.over(limit), "over {limit} ms");
        }
    }

    #[test]
    fn the_ninety_fifth_percentile_is_where_it_was_put() {
        let ladder = Ladder::new(&[250.0], &[]);
        let mut times = Times::new();
        let mut dice = Dice::stream(1, Purpose::Policy);
        let width = steps(250.0 / 110.0) / Z95;
        times.draw(200_000, place(110.0), width, &ladder, &mut dice);
        let p95 = times.take(&ladder).quantile(0.95).unwrap();
        assert!((243.0..258.0).contains(&p95), "{p95}");
    }
}
