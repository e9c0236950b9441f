//! Seeded draws: one stream for each purpose, so that one slot's luck does not move another's.

use rand::Rng;
use rand_pcg::Pcg64Mcg;

/// What a stream of draws is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The service that this watch happens to: its normal rates, its users.
    Habits,
    /// The outcome: onset, length and size of what goes wrong.
    Outcome,
    /// The drift of the latency, and the weather of the traffic.
    Drift,
    /// Sessions that break, and on which slot.
    Sessions,
    /// The requests of a slot's users; Blue is 0, Green 1.
    Users(u8),
    /// The probes of a slot; Blue is 0, Green 1.
    Probes(u8),
    /// Whatever a policy draws for itself.
    Policy,
}

impl Purpose {
    const fn number(self) -> u64 {
        match self {
            Self::Habits => 1,
            Self::Outcome => 2,
            Self::Drift => 3,
            Self::Sessions => 4,
            Self::Policy => 5,
            Self::Users(slot) => 16 + slot as u64,
            Self::Probes(slot) => 32 + slot as u64,
        }
    }
}

/// Spreads neighbouring numbers apart: the finaliser of splitmix64.
const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The seed of the `n`th of many stories that come from one seed.
pub const fn seed_of(seed: u64, n: u64) -> u64 {
    mix(seed ^ mix(n))
}

/// A stream of draws.
#[derive(Debug, Clone)]
pub struct Dice(Pcg64Mcg);

impl Dice {
    /// The stream of a purpose.
    pub fn stream(seed: u64, purpose: Purpose) -> Self {
        let low = mix(seed ^ mix(purpose.number()));
        let high = mix(low ^ seed);
        Self(Pcg64Mcg::new(u128::from(high) << 64 | u128::from(low)))
    }

    /// Sixty-four even bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Evenly from 0 up to, and never, 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly from `low` to `high`.
    pub fn between(&mut self, (low, high): (f64, f64)) -> f64 {
        low + (high - low) * self.unit()
    }

    /// From `low` to `high`, evenly in the logarithm: as often by half as by double.
    pub fn scaled(&mut self, (low, high): (f64, f64)) -> f64 {
        libm::exp(self.between((libm::log(low), libm::log(high))))
    }

    /// A whole number from `low` to `high`, both included.
    pub fn whole(&mut self, (low, high): (u64, u64)) -> u64 {
        low + (self.unit() * (high.saturating_sub(low) + 1) as f64) as u64
    }

    /// Exponential with mean 1.
    pub fn wait(&mut self) -> f64 {
        -libm::log(1.0 - self.unit())
    }

    /// Normal with mean 0 and deviation 1.
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.wait(), self.unit());
        libm::sqrt(2.0 * radius) * libm::cos(std::f64::consts::TAU * angle)
    }
}
