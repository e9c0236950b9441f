//! One slot's counts: what its users and its probes meet in a few seconds that are alike.

use super::dice::{Dice, Purpose};
use super::draw::{Binomial, Poisson};
use super::latency::{Ladder, Times, Z95, place, steps};
use super::profile::Habits;
use super::release::State;
use crate::signal::{Origin, Sample, Whose};
use crate::units::Millis;

/// What was counted of one origin since the last sample.
#[derive(Debug, Clone)]
struct Tally {
    requests: u64,
    failed: u64,
    client_errors: u64,
    unready: u64,
    /// Probes that a process which is away did not answer.
    away: u64,
    times: Times,
}

impl Tally {
    const fn new() -> Self {
        Self { requests: 0, failed: 0, client_errors: 0, unready: 0, away: 0, times: Times::new() }
    }
}

/// A slot. Blue is 0, Green 1.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    whose: Whose,
    users: (Dice, Tally),
    probes: (Dice, Tally),
    failed: Poisson,
    client_errors: Poisson,
    fine: Poisson,
    away: Binomial,
    noise: Binomial,
    touching: Binomial,
    scarce: Binomial,
    /// Where half of the answers are faster, on the grid; and the deviation, in steps.
    middle: [f64; 2],
    width: f64,
}

/// Some seconds in which nothing changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Alike {
    /// Requests of the slot's users that are to be expected.
    pub expected: f64,
    /// Failures of broken sessions, beyond these.
    pub broken: u64,
    /// Probes that are sent.
    pub probes: u64,
    /// The drift of the latency, in steps of the grid.
    pub drift: f64,
    /// How the slot behaves.
    pub state: State,
}

impl Slot {
    pub fn new(index: u8, habits: &Habits, seed: u64) -> Self {
        let width = steps(habits.spread) / Z95;
        let middle = place(habits.p95_ms / habits.spread);
        Self {
            whose: if index == 0 { Whose::Blue } else { Whose::Green },
            users: (Dice::stream(seed, Purpose::Users(index)), Tally::new()),
            probes: (Dice::stream(seed, Purpose::Probes(index)), Tally::new()),
            failed: Poisson::default(),
            client_errors: Poisson::default(),
            fine: Poisson::default(),
            away: Binomial::default(),
            noise: Binomial::default(),
            touching: Binomial::default(),
            scarce: Binomial::default(),
            middle: [middle, middle + steps(habits.probe_time)],
            width,
        }
    }

    /// Lets some seconds pass.
    pub fn go_on(&mut self, alike: &Alike, habits: &Habits, ladder: &Ladder) {
        if alike.expected > 0.0 || alike.broken > 0 {
            self.serve(alike, habits, ladder);
        }
        if alike.probes > 0 {
            self.probe(alike, habits, ladder);
        }
    }

    fn serve(&mut self, alike: &Alike, habits: &Habits, ladder: &Ladder) {
        let (dice, tally) = &mut self.users;
        let State { errors, down, slower } = alike.state;
        let failing = 1.0 - (1.0 - habits.errors) * (1.0 - errors) * (1.0 - down);
        // Each kind of answer comes at an even rate of its own: so does their sum.
        let mut failed = self.failed.draw(alike.expected * failing, dice);
        let fine = alike.expected * (1.0 - failing);
        let client_errors = self.client_errors.draw(fine * habits.client_errors, dice);
        let mut answered =
            self.fine.draw(fine * (1.0 - habits.client_errors), dice) + client_errors;
        let lost = self.scarce.draw(failed, down / failing.max(1e-12) * habits.unanswered, dice);
        failed += alike.broken;
        tally.requests += answered + failed;
        tally.failed += failed;
        tally.client_errors += client_errors;
        answered += failed - lost;
        let level = self.middle[0] + alike.drift + slower;
        tally.times.draw(answered, level, self.width, ladder, dice);
    }

    fn probe(&mut self, alike: &Alike, habits: &Habits, ladder: &Ladder) {
        let (dice, tally) = &mut self.probes;
        let State { errors, down, slower } = alike.state;
        let n = alike.probes;
        let away = self.away.draw(n, down, dice);
        let touched = habits.coverage * (1.0 - (1.0 - habits.errors) * (1.0 - errors));
        let failing = 1.0 - (1.0 - habits.probe_noise) * (1.0 - touched);
        let soft = self.noise.draw(n - away, failing, dice);
        tally.requests += n;
        tally.failed += away + soft;
        tally.away += away;
        tally.unready += away + self.scarce.draw(soft, habits.readiness, dice);
        let answered = n - self.scarce.draw(away, habits.unanswered, dice);
        let level = self.middle[1] + alike.drift;
        let slow =
            if slower == 0.0 { 0 } else { self.touching.draw(answered, habits.coverage, dice) };
        tally.times.draw(slow, level + slower, self.width, ladder, dice);
        tally.times.draw(answered - slow, level, self.width, ladder, dice);
    }

    /// What users met since the last time, as a sample that ends at `at`.
    pub fn users(&mut self, at: Millis, ladder: &Ladder) -> Sample {
        let tally = &mut self.users.1;
        let sample = Sample {
            requests: Some(tally.requests),
            failed: Some(tally.failed),
            client_errors: Some(tally.client_errors),
            latency_ms: Some(tally.times.take(ladder)),
            ..Sample::empty(at, self.whose, Origin::Users)
        };
        (tally.requests, tally.failed, tally.client_errors) = (0, 0, 0);
        sample
    }

    /// What probes met since the last time, as a sample that ends at `at`.
    pub fn probes(&mut self, at: Millis, ladder: &Ladder) -> Sample {
        let tally = &mut self.probes.1;
        let sample = Sample {
            requests: Some(tally.requests),
            failed: Some(tally.failed),
            client_errors: Some(0),
            latency_ms: Some(tally.times.take(ladder)),
            checks: Some(tally.requests),
            unready: Some(tally.unready),
            live: Some(tally.requests == 0 || tally.away < tally.requests),
            ready: Some(tally.unready == 0),
            ..Sample::empty(at, self.whose, Origin::Probes)
        };
        (tally.requests, tally.failed, tally.unready, tally.away) = (0, 0, 0, 0);
        sample
    }
}
