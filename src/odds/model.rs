//! What runs in the slots of a flight, as counts: a release of the catalogue under the core itself.
//!
//! [`super::World`] plays a course that is known beforehand. Here nobody knows it: the flight says
//! when users are moved and when they are taken back, and the faults count from the first user on
//! Green. The weather is the same.
//!
//! Who was hurt is known to the model, not to the router: a router that keeps no latencies, or
//! counts nobody, hurts as many. It is what is to be expected, beyond what is normal, and never
//! beyond an hour after the onset: so that what is found late, what is never found, and what a
//! shorter watch no longer sees are counted alike.

use super::dice::{Dice, Purpose};
use super::latency::{Ladder, share_over, steps};
use super::profile::Habits;
use super::release::{Release, State};
use super::slot::{Alike, Slot as Played};
use super::weather::Weather;
use crate::runbook::Regime;
use crate::signal::Sample;
use crate::sim::Model;
use crate::units::{Millis, Percent, Slot, Split};

/// Seconds after its onset in which a release hurts, if nobody takes it back.
const HORIZON: u64 = 3_600;
/// The slot that is Blue in every flight.
pub(super) const BLUE: Slot = Slot::First;

/// What a router knows of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knows {
    /// Counts and times.
    All,
    /// Counts; p95 is judged on probes.
    Counts,
    /// Nothing: there are no samples of users at all.
    Nothing,
}

/// What goes on around the release, whatever its plan says.
#[derive(Debug, Clone)]
pub struct Air {
    /// What the router knows of users.
    pub knows: Knows,
    /// Above so many milliseconds an answer is slow to a user.
    pub slow_ms: f64,
    /// Milliseconds at which histograms shall be exact besides: the limit that is judged.
    pub exact_ms: f64,
}

/// Both slots of one deploy.
#[derive(Debug, Clone)]
pub struct Counts {
    air: Air,
    habits: Habits,
    release: Release,
    ladder: Ladder,
    slots: [Played; 2],
    weather: Weather,
    second: u64,
    /// Green's share of the users, 0 to 1.
    green: f64,
    /// Probes of each slot in a second.
    rates: [f64; 2],
    /// Whether both slots are looked at closely: from the soak on.
    close: bool,
    /// What decides which second of a longer span a bad check fell into.
    which: Dice,
    switched: Option<Millis>,
    back: Option<Millis>,
    /// Users hurt so far.
    hurt: f64,
    /// What share of users a state hurts: the last two that were asked for.
    known: [(State, f64); 2],
}

impl Counts {
    /// The deploy of this seed, before its first second.
    pub fn new(air: Air, (habits, release): (Habits, Release), seed: u64) -> Self {
        let fine = [habits.p95_ms, habits.p95_ms * habits.probe_time];
        Self {
            ladder: Ladder::new(&fine, &[air.slow_ms, air.exact_ms]),
            slots: [0, 1].map(|index| Played::new(index, &habits, seed)),
            weather: Weather::new(&habits, seed),
            second: 0,
            green: 0.0,
            rates: [1.0, 0.0],
            close: false,
            which: Dice::stream(seed, Purpose::Policy),
            switched: None,
            back: None,
            hurt: 0.0,
            known: [(State::WELL, 0.0); 2],
            air,
            habits,
            release,
        }
    }

    /// Whether the soak has begun.
    pub const fn is_close(&self) -> bool {
        self.close
    }

    /// When the first user came to Green, once one did.
    pub const fn switched(&self) -> Option<Millis> {
        self.switched
    }

    /// When all users were back on Blue again.
    pub const fn back(&self) -> Option<Millis> {
        self.back
    }

    /// From when on it is to be found; nothing before the switch.
    pub fn onset(&self) -> Option<Millis> {
        self.switched.map(|at| at + Millis::secs(self.release.onset))
    }

    /// Users' requests on Green that fail, or are slow, by what is wrong with the release, until
    /// now or an hour after its onset.
    pub const fn hurt(&self) -> f64 {
        self.hurt
    }

    /// What it goes on hurting if nobody takes it back: from now until an hour after its onset, in
    /// seconds of all users.
    pub fn goes_on(&mut self) -> f64 {
        let Some(switched) = self.switched else { return 0.0 };
        let since = self.second.saturating_sub(switched.as_secs());
        let all: f64 = (since..self.release.onset + HORIZON)
            .map(|second| {
                let state = self.release.state(true, Some(second));
                self.hurts(state)
            })
            .sum();
        all
    }

    /// The share of users (0 to 1) on Green that a state hurts, beyond what is normal.
    fn hurts(&mut self, state: State) -> f64 {
        if let Some((_, share)) = self.known.iter().find(|(known, _)| *known == state) {
            return *share;
        }
        let drift = steps(std::f64::consts::E) * self.habits.drift;
        let own = steps(self.habits.spread) / super::latency::Z95;
        let width = libm::sqrt(own * own + drift * drift);
        let middle = self.habits.p95_ms / self.habits.spread;
        let over = |slower: f64| share_over(self.air.slow_ms, middle, width, slower);
        let State { errors, down, slower } = state;
        let failing = 1.0 - (1.0 - errors) * (1.0 - down);
        let slow = if slower > 0.0 { (over(slower) - over(0.0)).max(0.0) } else { 0.0 };
        let share = failing + (1.0 - failing) * slow;
        self.known = [(state, share), self.known[0]];
        share
    }

    fn states(&self, second: u64) -> [State; 2] {
        let since = self.switched.and_then(|at| second.checked_sub(at.as_secs()));
        [false, true].map(|green| self.release.state(green, since))
    }

    /// Lets the seconds pass until `until`.
    fn go_on(&mut self, until: u64) {
        while self.second < until {
            let block = self.weather.block(self.second, until, self.green);
            self.alike(block);
        }
    }

    /// Lets the seconds pass that are like the present one, up to `until`.
    fn alike(&mut self, until: u64) {
        let from = self.second;
        let states = self.states(from);
        let mut to = if self.switched.is_some() { from + 1 } else { until };
        while to < until && self.states(to) == states {
            to += 1;
        }
        self.second = to;
        let requests = self.weather.requests(to - from);
        let [_, green] = states;
        let until = self.switched.map_or(0, |at| at.as_secs() + self.release.onset + HORIZON);
        if green != State::WELL && self.green > 0.0 && from < until {
            let share = self.hurts(green) * self.green;
            self.hurt += self.weather.requests(to.min(until) - from) * share;
        }
        for (slot, share) in [1.0 - self.green, self.green].into_iter().enumerate() {
            let broken = self.weather.broken(slot, from..to);
            let rate = self.rates[slot];
            let sent = ((to as f64 * rate) as u64) - ((from as f64 * rate) as u64);
            let alike = Alike {
                expected: requests * share,
                broken: if share > 0.0 { broken } else { 0 },
                probes: sent,
                drift: self.weather.drift(slot),
                state: states[slot],
            };
            self.slots[slot].go_on(&alike, &self.habits, &self.ladder);
        }
    }

    /// A slot is ready where every check of the last second was good; a longer span does not say in
    /// which of its seconds one was not.
    fn last_second(&mut self, probes: &mut Sample, span: Millis) {
        let (Some(n), Some(bad)) = (probes.checks, probes.unready) else { return };
        if bad > 0 && bad < n && span > Millis::secs(1) {
            let seconds = span.0 as f64 / 1_000.0;
            let good = libm::pow(1.0 - bad as f64 / n as f64, n as f64 / seconds);
            probes.ready = Some(self.which.unit() < good);
        }
    }
}

impl Model for Counts {
    fn seconds(
        &mut self,
        at: Millis,
        span: Millis,
        regime: &Regime,
        _: Split,
        samples: &mut Vec<Sample>,
    ) {
        let rate = 1_000.0 / regime.every.0.max(1) as f64;
        self.rates = [rate, if regime.green { rate } else { 0.0 }];
        self.go_on(at.as_secs());
        self.close = regime.synthetic;
        let mut slots: [[Sample; 2]; 2] = self
            .slots
            .each_mut()
            .map(|slot| [slot.probes(at, &self.ladder), slot.users(at, &self.ladder)]);
        slots.iter_mut().for_each(|[probes, _]| self.last_second(probes, span));
        let [[blue, mut blue_users], [green, mut green_users]] = slots;
        samples.push(blue);
        if regime.green {
            samples.push(green);
        }
        if self.air.knows == Knows::Nothing {
            return;
        }
        if self.air.knows == Knows::Counts {
            (blue_users.latency_ms, green_users.latency_ms) = (None, None);
        }
        samples.push(blue_users);
        if regime.green {
            samples.push(green_users);
        }
    }

    fn routed(&mut self, at: Millis, split: Split) {
        self.go_on(at.as_secs());
        let green = split.share(BLUE.other());
        self.green = f64::from(green.get()) / 100.0;
        if green > Percent::ZERO {
            self.switched.get_or_insert(at);
            self.back = None;
        } else if self.switched.is_some() {
            self.back = Some(at);
        }
    }

    fn deployed(&mut self, _: Millis, _: Slot, _: &str) {}

    fn stopped(&mut self, _: Millis, _: Slot) {}

    fn answers(&self, slot: Slot) -> bool {
        self.states(self.second)[slot.index()].down < 0.5
    }
}
