//! Seeded draws, kept apart so that one act does not shift another's luck.
//!
//! There is one stream for each (seed, purpose), and one small stream for each (seed, purpose,
//! request): a request has the same luck whichever slot it is sent to and whatever happened to
//! the requests before it. All functions are `libm`'s, so that a seed tells the same story on
//! every machine.

use rand::Rng;
use rand_pcg::Pcg32;

/// What a draw is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Time between two arrivals.
    Gap,
    /// How busy a second is.
    Weather,
    /// Which page is asked for.
    Route,
    /// How long the work takes.
    Latency,
    /// Whether the request is one of the few that always fail.
    Mishap,
    /// Whether a good answer leaves a job in the queue.
    Job,
    /// How much work a job is.
    JobSize,
    /// Which worker of a slot takes the request.
    Worker,
    /// Which kind of user makes it.
    Cohort,
    /// Whether its connection to the database has grown old.
    Churn,
    /// Whether its user's session is of another key.
    Session,
    /// Whether its user has kept an old address.
    Sticky,
    /// When, and whether, a user tries again.
    Retry,
    /// How old its user's token is.
    Token,
    /// When a client that abuses the service asks.
    Abuse,
    /// Where a user is sent who has been there before.
    Again,
    /// Onset and size of a fault, and whom it hits.
    Fault(u64),
}

impl Purpose {
    const fn number(self) -> u64 {
        match self {
            Self::Gap => 1,
            Self::Weather => 2,
            Self::Route => 3,
            Self::Latency => 4,
            Self::Mishap => 5,
            Self::Job => 6,
            Self::JobSize => 7,
            Self::Worker => 8,
            Self::Cohort => 9,
            Self::Churn => 10,
            Self::Session => 11,
            Self::Sticky => 12,
            Self::Retry => 13,
            Self::Abuse => 14,
            Self::Again => 15,
            Self::Token => 16,
            Self::Fault(id) => id | 1 << 63,
        }
    }

    /// The purpose of the fault with this id: its name decides, not its place in the file.
    pub fn fault(id: &str) -> Self {
        let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
        });
        Self::Fault(hash)
    }
}

/// Spreads neighbouring numbers apart: the finaliser of splitmix64.
const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A stream of draws.
#[derive(Debug, Clone)]
pub(super) struct Dice(Pcg32);

impl Dice {
    /// The stream of a purpose.
    pub fn stream(seed: u64, purpose: Purpose) -> Self {
        Self::keyed(seed, purpose, u64::MAX)
    }

    /// The draws of one request (or one second) for a purpose.
    pub fn keyed(seed: u64, purpose: Purpose, n: u64) -> Self {
        let purpose = purpose.number();
        Self(Pcg32::new(mix(seed ^ mix(n ^ mix(purpose))), purpose))
    }

    /// Evenly from 0 up to, and never, 1.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something that happens to a `share` (0 to 1) happens now.
    pub fn hits(&mut self, share: f64) -> bool {
        self.unit() < share
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luck_belongs_to_the_request_and_is_even() {
        let luck = |n| Dice::keyed(7, Purpose::Latency, n).unit();
        assert_eq!(luck(3).to_bits(), luck(3).to_bits());
        assert_ne!(luck(3).to_bits(), Dice::keyed(7, Purpose::Mishap, 3).unit().to_bits());
        let mut tenths = [0_u32; 10];
        for n in 0..10_000 {
            tenths[(luck(n) * 10.0) as usize] += 1;
        }
        assert!(tenths.iter().all(|t| (880..1120).contains(t)), "{tenths:?}");
        let rising = (0..9_999).filter(|&n| luck(n) < luck(n + 1)).count();
        assert!((4_800..5_200).contains(&rising), "neighbours are independent: {rising}");
    }
}
