//! The plain model: what runs in each slot is well, ill or gone, in whole numbers and without
//! chance, and changes when a test says so.

use super::model::Model;
use crate::clean::Clean;
use crate::runbook::Regime;
use crate::signal::{Histogram, Origin, Sample};
use crate::units::{Millis, Role, Slot, Split};
use std::ops::{Index, IndexMut};

/// How a slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Ready, and answers well.
    Well,
    /// Runs, and says that it is not ready.
    Unready,
    /// Ready, and fails this share of all requests, in percent.
    Failing(u64),
    /// Ready, and answers slowly.
    Slow,
    /// Nothing runs there.
    Gone,
    /// Nobody hears anything of it, not even that it is gone.
    Silent,
}

/// A slot of the world.
#[derive(Debug, Clone)]
pub struct SlotWorld {
    /// How it is.
    pub health: Health,
    /// What runs there, where anything does.
    pub release: Option<Clean>,
    /// The digest that it names, where it names one.
    pub artefact: Option<Clean>,
    /// How it is once it has been deployed to.
    pub after_deploy: Health,
    /// What is left of a share of requests that was no whole number.
    carry: [u64; 2],
}

impl SlotWorld {
    /// A slot in which this release runs well.
    pub fn running(release: &str) -> Self {
        Self {
            health: Health::Well,
            release: Some(Clean::new(release)),
            artefact: None,
            after_deploy: Health::Well,
            carry: [0; 2],
        }
    }

    /// A slot in which nothing runs.
    pub fn empty() -> Self {
        Self { health: Health::Gone, release: None, ..Self::running("") }
    }

    /// A release was deployed.
    pub fn starts(&mut self, release: &str) {
        self.health = self.after_deploy;
        self.release = Some(Clean::new(release));
    }

    /// Whether it gives any answer.
    pub fn answers(&self) -> bool {
        !matches!(self.health, Health::Gone | Health::Silent)
    }

    fn fails_percent(&self) -> u64 {
        match self.health {
            Health::Well | Health::Slow => 0,
            Health::Failing(percent) => percent,
            Health::Unready | Health::Gone | Health::Silent => 100,
        }
    }

    /// So many percent of so many, in whole numbers that add up over time.
    fn share(&mut self, which: usize, of: u64, percent: u64) -> u64 {
        self.carry[which] += of * percent;
        let whole = self.carry[which] / 100;
        self.carry[which] %= 100;
        whole
    }

    fn times(&self, answered: u64) -> Histogram {
        let mut times = Histogram::default();
        if answered > 0 {
            times.add(if self.health == Health::Slow { 900.0 } else { 30.0 }, answered);
        }
        times
    }

    /// The second that our own requests saw.
    fn probes(&mut self, at: Millis, span: Millis, role: Role, every: Millis) -> Option<Sample> {
        if self.health == Health::Silent {
            return None;
        }
        let checks = (span.0 / every.0.max(1)).max(1);
        let percent = self.fails_percent();
        let ready = !matches!(self.health, Health::Unready | Health::Gone);
        let answered = if self.answers() { checks } else { 0 };
        Some(Sample {
            requests: Some(checks),
            failed: Some(self.share(0, checks, percent)),
            client_errors: Some(0),
            latency_ms: Some(self.times(answered)),
            checks: Some(checks),
            unready: Some(if ready { 0 } else { checks }),
            ready: Some(ready),
            why: (!ready).then(|| Clean::new("readyz says 503")),
            release: self.release.clone().filter(|_| self.answers()),
            artefact: self.artefact.clone().filter(|_| self.answers()),
            ..Sample::empty(at, role.into(), Origin::Probes)
        })
    }

    /// The second that users saw: `hundredths` are requests times their share in percent.
    fn users(&mut self, at: Millis, role: Role, hundredths: u64, in_flight: Option<u64>) -> Sample {
        let requests = hundredths / 100;
        let percent = self.fails_percent();
        let answered = if self.answers() { requests } else { 0 };
        Sample {
            requests: Some(requests),
            failed: Some(self.share(1, requests, percent)),
            client_errors: Some(0),
            latency_ms: Some(self.times(answered)),
            in_flight,
            ..Sample::empty(at, role.into(), Origin::Users)
        }
    }
}

/// A second in which readiness was checked and no request was sent.
fn without_requests(sample: Sample) -> Sample {
    Sample { requests: None, failed: None, client_errors: None, latency_ms: None, ..sample }
}

/// Two slots, the users that come to them, and what the router knows of that.
#[derive(Debug, Clone)]
pub struct Slots {
    slots: [SlotWorld; 2],
    /// Users a second, as the router counts them; nothing where it does not count.
    pub users: Option<u64>,
    /// Requests in flight on Blue, where the router knows.
    pub blue_in_flight: Option<u64>,
    /// Whether the plan has requests of its own: then a check of readiness is none, and they are
    /// sent only while the regime says so.
    pub own_requests: bool,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            slots: [SlotWorld::running("1.8.2"), SlotWorld::empty()],
            users: Some(20),
            blue_in_flight: None,
            own_requests: false,
        }
    }
}

impl Index<usize> for Slots {
    type Output = SlotWorld;

    fn index(&self, slot: usize) -> &SlotWorld {
        &self.slots[slot]
    }
}

impl IndexMut<usize> for Slots {
    fn index_mut(&mut self, slot: usize) -> &mut SlotWorld {
        &mut self.slots[slot]
    }
}

impl Model for Slots {
    fn seconds(
        &mut self,
        at: Millis,
        span: Millis,
        regime: &Regime,
        split: Split,
        samples: &mut Vec<Sample>,
    ) {
        for role in Role::BOTH {
            let slot = if role == Role::Blue { regime.blue } else { regime.blue.other() };
            let share = u64::from(split.share(slot).get());
            let in_flight = if role == Role::Blue { self.blue_in_flight } else { None };
            let world = &mut self.slots[slot.index()];
            if role == Role::Blue || regime.green {
                let sent = regime.synthetic || !self.own_requests;
                let checked = world.probes(at, span, role, regime.every);
                samples.extend(checked.map(|s| if sent { s } else { without_requests(s) }));
            }
            if let Some(users) = self.users {
                let hundredths = users * share * span.as_secs();
                samples.push(world.users(at, role, hundredths, in_flight));
            }
        }
    }

    fn deployed(&mut self, _: Millis, slot: Slot, release: &str) {
        self.slots[slot.index()].starts(release);
    }

    fn stopped(&mut self, _: Millis, slot: Slot) {
        self.slots[slot.index()].health = Health::Gone;
    }

    fn answers(&self, slot: Slot) -> bool {
        self.slots[slot.index()].answers()
    }
}
