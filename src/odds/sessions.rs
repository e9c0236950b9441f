//! Broken sessions: a few failures each, spread over the seconds after the session broke.

use super::dice::Dice;
use super::profile::Sessions;

/// Seconds that a session's failures can be spread over, and the block in which it began.
const AHEAD: usize = 64;

/// Failures that are on their way, by slot and second.
#[derive(Debug, Clone)]
pub(super) struct Broken {
    sessions: Sessions,
    dice: Dice,
    /// Sessions a second, at all traffic together.
    rate: f64,
    /// When the next session breaks, in seconds.
    next: f64,
    ahead: [[u64; AHEAD]; 2],
}

impl Broken {
    pub fn new(sessions: Sessions, rps: f64, mut dice: Dice) -> Self {
        let mean = (sessions.size.0 + sessions.size.1) as f64 / 2.0;
        let rate = sessions.share * rps / mean.max(1.0);
        let next = if rate > 0.0 { dice.wait() / rate } else { f64::INFINITY };
        Self { sessions, dice, rate, next, ahead: [[0; AHEAD]; 2] }
    }

    /// Lets sessions break that do so before `until` seconds; Green has this share of the users.
    pub fn go_on(&mut self, until: u64, green: f64) {
        while self.next < until as f64 {
            let slot = usize::from(self.dice.unit() < green);
            for _ in 0..self.dice.whole(self.sessions.size) {
                let at = self.next + self.dice.unit() * self.sessions.within.min(30.0);
                self.ahead[slot][at as usize % AHEAD] += 1;
            }
            self.next += self.dice.wait() / self.rate;
        }
    }

    /// The failures of a slot in this second; they are told once.
    pub fn take(&mut self, slot: usize, second: u64) -> u64 {
        std::mem::take(&mut self.ahead[slot][second as usize % AHEAD])
    }
}
