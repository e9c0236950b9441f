//! Counts drawn exactly and cheaply: Poisson and binomial, by a search outwards from the mode.
//!
//! A release behaves the same for many spans, so what is costly (the probability of the mode) is
//! worked out once and kept until the parameters change. From the mode the search goes up and down
//! in turn; it takes about as many steps as the distribution is wide, and draws one number.

use super::dice::Dice;

/// Reciprocals, so that no step of the search divides.
const RECIPROCALS: [f64; 1024] = {
    let mut table = [0.0; 1024];
    let mut i = 1;
    while i < 1024 {
        table[i] = 1.0 / i as f64;
        i += 1;
    }
    table
};

fn reciprocal(n: u64) -> f64 {
    RECIPROCALS.get(n as usize).copied().unwrap_or_else(|| 1.0 / n as f64)
}

/// What is less likely than this is not looked for: the draw falls back to the mode.
const NEVER: f64 = 1e-18;

/// How many of something that happens at an even rate.
#[derive(Debug, Clone, Default)]
pub struct Poisson {
    mean: f64,
    inverse: f64,
    mode: u64,
    peak: f64,
}

impl Poisson {
    /// A count with this mean.
    pub fn draw(&mut self, mean: f64, dice: &mut Dice) -> u64 {
        if mean.to_bits() != self.mean.to_bits() {
            self.set(mean);
        }
        if self.mean <= 0.0 {
            return 0;
        }
        let mut left = dice.unit();
        if left < self.peak {
            return self.mode;
        }
        left -= self.peak;
        let (mut up, mut above) = (self.mode, self.peak);
        let (mut down, mut below) = (self.mode, self.peak);
        loop {
            up += 1;
            above *= self.mean * reciprocal(up);
            if left < above {
                return up;
            }
            left -= above;
            if down > 0 {
                below *= down as f64 * self.inverse;
                down -= 1;
                if left < below {
                    return down;
                }
                left -= below;
            }
            if above < NEVER && (down == 0 || below < NEVER) {
                return self.mode;
            }
        }
    }

    fn set(&mut self, mean: f64) {
        self.mean = mean;
        self.inverse = if mean > 0.0 { 1.0 / mean } else { 0.0 };
        self.mode = mean as u64;
        let mode = self.mode as f64;
        self.peak = if mean > 0.0 {
            libm::exp(mode * libm::log(mean) - mean - libm::lgamma(mode + 1.0))
        } else {
            1.0
        };
    }
}

/// How many of `n` that each meet something with the same chance.
#[derive(Debug, Clone, Default)]
pub struct Binomial {
    n: u64,
    share: f64,
    odds: f64,
    inverse: f64,
    mode: u64,
    peak: f64,
}

impl Binomial {
    /// How many of `n`, each with the chance `share` (0 to 1).
    pub fn draw(&mut self, n: u64, share: f64, dice: &mut Dice) -> u64 {
        if n == 0 || share <= 0.0 {
            return 0;
        }
        if share >= 1.0 {
            return n;
        }
        if n != self.n || share.to_bits() != self.share.to_bits() {
            self.set(n, share);
        }
        let mut left = dice.unit();
        if left < self.peak {
            return self.mode;
        }
        left -= self.peak;
        let (mut up, mut above) = (self.mode, self.peak);
        let (mut down, mut below) = (self.mode, self.peak);
        loop {
            if up < n {
                above *= (n - up) as f64 * reciprocal(up + 1) * self.odds;
                up += 1;
                if left < above {
                    return up;
                }
                left -= above;
            }
            if down > 0 {
                below *= down as f64 * reciprocal(n - down + 1) * self.inverse;
                down -= 1;
                if left < below {
                    return down;
                }
                left -= below;
            }
            if (up == n || above < NEVER) && (down == 0 || below < NEVER) {
                return self.mode;
            }
        }
    }

    fn set(&mut self, n: u64, share: f64) {
        let all = n as f64;
        (self.n, self.share) = (n, share);
        self.odds = share / (1.0 - share);
        self.inverse = (1.0 - share) / share;
        self.mode = (((all + 1.0) * share) as u64).min(n);
        let mode = self.mode as f64;
        let ways =
            libm::lgamma(all + 1.0) - libm::lgamma(mode + 1.0) - libm::lgamma(all - mode + 1.0);
        self.peak = libm::exp(ways + mode * libm::log(share) + (all - mode) * libm::log1p(-share));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odds::dice::Purpose;

    fn mean_and_variance(mut draw: impl FnMut(&mut Dice) -> u64) -> (f64, f64) {
        let mut dice = Dice::stream(3, Purpose::Policy);
        let all: Vec<f64> = (0..40_000).map(|_| draw(&mut dice) as f64).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64;
        (mean, variance)
    }

    #[test]
    fn counts_have_the_mean_and_the_variance_of_their_distribution() {
        for mean in [0.003, 0.4, 1.0, 7.3, 250.0, 5_000.0] {
            let mut poisson = Poisson::default();
            let (m, v) = mean_and_variance(|dice| poisson.draw(mean, dice));
            let spread = 4.5 * (mean / 40_000.0).sqrt();
            assert!((m - mean).abs() < spread, "poisson {mean}: mean {m}");
            assert!(
                (v / mean - 1.0).abs() < 0.2_f64.max(4.0 * spread / mean).min(0.5),
                "poisson {mean}: {v}"
            );
        }
        for (n, share) in [(4, 0.03), (20, 0.5), (20, 0.97), (1_000, 0.001), (5_000, 0.4)] {
            let mut binomial = Binomial::default();
            let (m, v) = mean_and_variance(|dice| binomial.draw(n, share, dice));
            let (mean, variance) = (n as f64 * share, n as f64 * share * (1.0 - share));
            assert!((m - mean).abs() < 4.5 * (variance / 40_000.0).sqrt(), "{n} x {share}: {m}");
            assert!((v / variance - 1.0).abs() < 0.05, "{n} x {share}: variance {v}");
        }
    }

    #[test]
    fn what_never_and_what_always_happens_needs_no_luck() {
        let mut dice = Dice::stream(1, Purpose::Policy);
        assert_eq!(Binomial::default().draw(20, 0.0, &mut dice), 0);
        assert_eq!(Binomial::default().draw(20, 1.0, &mut dice), 20);
        assert_eq!(Poisson::default().draw(0.0, &mut dice), 0);
    }
}
