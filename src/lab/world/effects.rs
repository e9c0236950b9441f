//! What all faults together do to one slot now: how much slower its parts are, and how much of
//! its cache answers.

use super::{Request, World};
use crate::lab::dice::{Dice, Purpose};
use crate::lab::fault::{Couple, Fault, FaultKind, Per};
use crate::lab::scenario::CohortSpec;
use crate::units::{Millis, Role, Slot};

/// What is at work on one slot now, all faults together.
pub(super) struct Effects {
    pub latency: f64,
    pub more_us: f64,
    pub db_slow: f64,
    /// How long the database makes this request wait for a lock, in microseconds.
    pub lock_us: u64,
    pub cpu_left: f64,
    pub hit: f64,
    /// So many times as many reads are a miss's.
    pub cost: f64,
}

impl World {
    /// Whether a fault's target includes a slot.
    pub(super) fn hits(&self, fault: &Fault, slot: Slot) -> bool {
        let green = self.share(self.blue().other()) > 0.5;
        let live = if green { Role::Green } else { Role::Blue };
        fault.spec.target.hits(self.role(slot), live)
    }

    /// How strong a fault is on a slot.
    pub(super) fn level(&self, fault: &Fault, slot: Slot, at: Millis) -> f64 {
        if !fault.is_on(at) {
            return 0.0;
        }
        let coupled = match fault.spec.couple {
            Couple::None | Couple::Time => 1.0,
            Couple::Weight => self.share(slot),
            Couple::Rps => self.traffic.declared(at.0 as f64) / self.scenario.traffic.base_rps,
            Couple::Conns => {
                self.db.open() as f64 / f64::from(self.scenario.world.db.max_connections.max(1))
            }
        };
        fault.level(at, coupled)
    }

    /// Which worker of a slot takes a request, counted from 1.
    pub(super) fn worker(&self, slot: Slot, request: &Request) -> u32 {
        let workers = self.services[slot.index()].spec.workers;
        let luck = Dice::keyed(self.seed, Purpose::Worker, request.n).unit();
        1 + (luck * f64::from(workers)) as u32
    }

    /// Which kind of user makes a request, where the scenario tells them apart.
    pub(super) fn cohort(&self, request: &Request) -> Option<&CohortSpec> {
        let cohorts = &self.scenario.traffic.cohorts;
        if cohorts.is_empty() || !request.user {
            return None;
        }
        let mut luck = Dice::keyed(self.seed, Purpose::Cohort, request.n).unit();
        let mut shares = self.slow.cohorts.iter();
        let drawn = cohorts.iter().find(|cohort| {
            luck -= shares.next().unwrap_or(&cohort.share);
            luck < 0.0
        });
        drawn.or(cohorts.last())
    }

    /// Whether a fault is about a request that asks a slot for a path.
    pub(super) fn is_about(
        &self,
        fault: &Fault,
        slot: Slot,
        request: &Request,
        path: &str,
    ) -> bool {
        let spec = &fault.spec;
        spec.route.as_ref().is_none_or(|route| route == path)
            && spec.worker.is_none_or(|worker| self.worker(slot, request) == worker)
            && spec
                .cohort
                .as_ref()
                .is_none_or(|name| self.cohort(request).is_some_and(|cohort| cohort.name == *name))
    }

    /// Whether a fault is about all that a slot does.
    const fn is_about_all(fault: &Fault) -> bool {
        let spec = &fault.spec;
        spec.route.is_none() && spec.worker.is_none() && spec.cohort.is_none()
    }

    /// What is at work on a slot: for a request to a path, or for all that it does.
    pub(super) fn effects(
        &self,
        slot: Slot,
        request: Option<(&Request, &str, bool)>,
        at: Millis,
    ) -> Effects {
        let hit = self.scenario.world.cache.hit;
        let mut effects = Effects {
            latency: 1.0,
            more_us: 0.0,
            db_slow: 1.0,
            lock_us: 0,
            cpu_left: 1.0,
            hit,
            cost: 1.0,
        };
        for fault in &self.faults {
            let level = if self.hits(fault, slot) { self.level(fault, slot, at) } else { 0.0 };
            let about = level > 0.0
                && match request {
                    Some((request, path, _)) => self.is_about(fault, slot, request, path),
                    None => Self::is_about_all(fault),
                };
            if !about {
                continue;
            }
            let times = |factor: f64| (1.0 + (factor - 1.0) * level).max(0.1);
            let chosen = |share: f64| {
                share >= 1.0
                    || request.is_some_and(|(request, ..)| {
                        Dice::keyed(self.seed, fault.purpose, request.n).hits(share)
                    })
            };
            match &fault.spec.kind {
                FaultKind::HttpLatency { factor, more, share, jitter, band } if chosen(*share) => {
                    if let (Some(band), Some((request, ..))) = (band, request)
                        && !self.is_within(*band, request)
                    {
                        continue;
                    }
                    let luck = || request.map_or(0.5, |(r, ..)| self.second(fault, r));
                    let around =
                        if *jitter > 0.0 { 1.0 + jitter * (2.0 * luck() - 1.0) } else { 1.0 };
                    effects.latency *= (1.0 + (factor - 1.0) * level * around).max(0.1);
                    effects.more_us += more.0 as f64 * 1000.0 * level * around;
                }
                FaultKind::VendorSlow { factor } => effects.latency *= times(*factor),
                FaultKind::ConfigDrift { factor, .. } => {
                    effects.latency *= 1.0 + (factor - 1.0) * level * self.load(slot);
                }
                FaultKind::DbSlow { factor } => effects.db_slow *= times(*factor),
                FaultKind::DbLock { wait, writes, table } => {
                    let waits = request.is_some_and(|(.., wrote)| wrote || !writes)
                        && table.as_deref().is_none_or(|table| {
                            let route = request.and_then(|(request, ..)| request.route);
                            let route = route.and_then(|n| self.scenario.traffic.routes.get(n));
                            route.is_some_and(|route| route.table() == table)
                        });
                    if waits {
                        effects.lock_us = effects.lock_us.max(wait.0 * 1000);
                    }
                }
                FaultKind::CpuBurn { share, per } => {
                    let share = match per {
                        Per::Second => *share,
                        Per::Request => {
                            share * self.slow.rps[slot.index()] / self.scenario.traffic.base_rps
                        }
                    };
                    effects.cpu_left = (effects.cpu_left - share * level).max(0.02);
                }
                FaultKind::CacheCold { hit: cold, cost } => {
                    effects.hit -= (hit - cold).max(0.0) * level;
                    effects.cost *= times(*cost);
                }
                _ => {}
            }
        }
        effects.hit = effects.hit.clamp(0.0, 1.0);
        effects
    }

    /// A second draw of a fault for a request, besides the one that says whether it meets it.
    pub(super) fn second(&self, fault: &Fault, request: &Request) -> f64 {
        let mut luck = Dice::keyed(self.seed, fault.purpose, request.n);
        luck.unit();
        luck.unit()
    }

    /// Whether the work that a request is lies between two percentiles of all.
    fn is_within(&self, [low, high]: [f64; 2], request: &Request) -> bool {
        let luck = Dice::keyed(self.seed, Purpose::Latency, request.n).normal();
        let percentile = 50.0 * (1.0 + libm::erf(luck / std::f64::consts::SQRT_2));
        (low..=high).contains(&percentile)
    }

    /// How loaded a slot is, from nothing at a fifth of the users to full at all of them.
    pub(super) fn load(&self, slot: Slot) -> f64 {
        ((self.share(slot) - 0.2) / 0.8).clamp(0.0, 1.0)
    }
}
