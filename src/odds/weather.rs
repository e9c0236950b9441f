//! What goes on whatever is released: latency drifts, users come in gusts, sessions break.
//!
//! It moves in blocks of five seconds, however long the samples are that are made of it, so that a
//! course that is known beforehand and a flight that nobody knows have the same weather.

use super::dice::{Dice, Purpose};
use super::latency::{normals, steps};
use super::profile::Habits;
use super::sessions::Broken;
use std::ops::Range;

/// Seconds in which drift and gusts stand still.
const BLOCK: u64 = 5;

/// The weather of one deploy.
#[derive(Debug, Clone)]
pub(super) struct Weather {
    dice: Dice,
    broken: Option<Broken>,
    /// Drift of Blue, of Green, and of what they share, in units of its deviation.
    drift: [f64; 3],
    /// What the drift keeps and what is new in it, from block to block.
    forgets: (f64, f64),
    /// A unit of drift in steps of the ladder; what of it both slots share, and what is a slot's own.
    unit: f64,
    shared: (f64, f64),
    /// Requests a second of all users together, as a rule, and the deviation of its gusts.
    rps: f64,
    gusts: f64,
    gust: f64,
}

impl Weather {
    /// Of these habits and this seed, before the first second.
    pub fn new(habits: &Habits, seed: u64) -> Self {
        let mut dice = Dice::stream(seed, Purpose::Drift);
        let drift = std::array::from_fn(|_| dice.normal());
        let keeps = libm::exp(-(BLOCK as f64) / habits.drift_secs.max(0.1));
        let broken = habits.sessions.map(|sessions| {
            Broken::new(sessions, habits.rps, Dice::stream(seed, Purpose::Sessions))
        });
        Self {
            dice,
            broken,
            drift,
            forgets: (keeps, libm::sqrt(1.0 - keeps * keeps)),
            unit: steps(std::f64::consts::E) * habits.drift,
            shared: (libm::sqrt(habits.drift_shared), libm::sqrt(1.0 - habits.drift_shared)),
            rps: habits.rps,
            gusts: habits.weather,
            gust: 1.0,
        }
    }

    /// The end of the block that begins, or goes on, with this second, at most `until`. Where one
    /// begins the weather changes; `green` is Green's share of the users then, 0 to 1.
    pub fn block(&mut self, second: u64, until: u64, green: f64) -> u64 {
        let end = (second / BLOCK + 1) * BLOCK;
        if second.is_multiple_of(BLOCK) {
            self.change(end, green);
        }
        end.min(until)
    }

    fn change(&mut self, end: u64, green: f64) {
        let (keeps, takes) = self.forgets;
        let [blue, own, both, gust] = normals(&mut self.dice);
        for (drift, new) in self.drift.iter_mut().zip([blue, own, both]) {
            *drift = keeps * *drift + takes * new;
        }
        if self.gusts > 0.0 {
            // The mean of the factor is 1, so that the rate is what it is said to be.
            self.gust = libm::exp(self.gusts * gust - self.gusts * self.gusts / 2.0);
        }
        if let Some(broken) = &mut self.broken {
            broken.go_on(end, green);
        }
    }

    /// Requests of all users that are to be expected in so many seconds.
    pub fn requests(&self, seconds: u64) -> f64 {
        self.rps * self.gust * seconds as f64
    }

    /// How far a slot's latency has drifted, in steps of the ladder.
    pub fn drift(&self, slot: usize) -> f64 {
        let (both, own) = self.shared;
        self.unit * (both * self.drift[2] + own * self.drift[slot])
    }

    /// Failures of broken sessions in a slot in these seconds; they are told once.
    pub fn broken(&mut self, slot: usize, seconds: Range<u64>) -> u64 {
        let Some(broken) = &mut self.broken else { return 0 };
        seconds.map(|second| broken.take(slot, second)).sum()
    }
}
