//! Flies many releases on as many threads as there are, and gives them back in their order.
//!
//! Each flight's dice come from its number alone, so neither the number of threads nor who flew
//! what changes any of them.

use super::catalogue::{Class, Outcome};
use super::dice::seed_of;
use super::flown::{Flown, Flyable, Service, fly};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// Requests a second at night: hardly any, and none.
pub const NIGHTS: [f64; 2] = [0.01, 0.0];
/// Flights that a thread takes at once.
const TAKEN: u64 = 8;
/// Added to the seed for nights, so that they are other nights than days.
const NIGHT: u64 = 0x6e69_6768;

/// The kind of release that the `n`th flight by day carries: all eighteen in turn.
pub const fn by_day(n: u64) -> Outcome {
    Outcome::ALL[(n % Outcome::ALL.len() as u64) as usize]
}

/// The same by night, with the traffic.
pub const fn by_night(n: u64) -> (Outcome, f64) {
    (Outcome::NIGHT[(n % 2) as usize], NIGHTS[(n / 2 % 2) as usize])
}

/// Flies releases to one service.
pub struct Tunnel<'a> {
    /// What they are flown to.
    pub service: Service,
    /// What all of it is drawn from.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
    /// Is told of each few flights that have landed; may be called from several threads.
    pub landed: &'a (dyn Fn(u64) + Sync),
}

impl Tunnel<'_> {
    /// The flights of these numbers, by day.
    pub fn days(&self, plan: &Flyable, numbers: Range<u64>) -> Vec<Flown> {
        self.fly(numbers, |n| {
            fly(plan, &self.service, by_day(n), self.service.rps, seed_of(self.seed, n))
        })
    }

    /// The flights of these numbers, by night.
    pub fn nights(&self, plan: &Flyable, numbers: Range<u64>) -> Vec<Flown> {
        self.fly(numbers, |n| {
            let (outcome, rps) = by_night(n);
            fly(plan, &self.service, outcome, rps, seed_of(self.seed ^ NIGHT, n))
        })
    }

    fn fly(&self, numbers: Range<u64>, one: impl Fn(u64) -> Flown + Sync) -> Vec<Flown> {
        let next = AtomicU64::new(numbers.start);
        let work = || {
            let mut landed = Vec::new();
            loop {
                let from = next.fetch_add(TAKEN, Ordering::Relaxed);
                if from >= numbers.end {
                    return landed;
                }
                let to = (from + TAKEN).min(numbers.end);
                landed.extend((from..to).map(|n| (n, one(n))));
                (self.landed)(to - from);
            }
        };
        let mut all: Vec<(u64, Flown)> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..self.threads).map(|_| scope.spawn(work)).collect();
            let mut all = work();
            for other in others {
                match other.join() {
                    Ok(landed) => all.extend(landed),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            all
        });
        all.sort_unstable_by_key(|(n, _)| *n);
        all.into_iter().map(|(_, flown)| flown).collect()
    }
}

/// The numbers below `end` that carry this kind by day, as places in what [`Tunnel::days`] gave.
pub fn of_kind(outcome: Outcome, flown: &[Flown]) -> impl Iterator<Item = &Flown> {
    let place = Outcome::ALL.iter().position(|kind| *kind == outcome).unwrap_or(0);
    flown.iter().skip(place).step_by(Outcome::ALL.len())
}

/// Whether going back is what should happen.
pub const fn is_bad(outcome: Outcome) -> bool {
    matches!(outcome.class(), Class::Roll)
}
