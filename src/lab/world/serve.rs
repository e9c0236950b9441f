//! What a request gets, from its causes: the work it is, the cache, the threads, the database's
//! connections, and the faults that are at work on its slot.

use super::World;
use super::request::{Fate, PATIENCE, Request, Served};
use crate::lab::dice::{Dice, Purpose};
use crate::lab::fault::{Couple, Fault, FaultKind};
use crate::lab::service::Life;
use crate::units::{Millis, Role, Slot};

/// How long a request waits for a thread before the service turns it away.
const BACKLOG: Millis = Millis::secs(2);

/// What is at work on one slot now, all faults together.
pub(super) struct Effects {
    pub latency: f64,
    pub db_slow: f64,
    pub cpu_left: f64,
    pub hit: f64,
}

impl World {
    pub(super) fn decide(&mut self, slot: Slot, request: &Request, at: Millis) -> Served {
        match self.life(slot, at) {
            Life::Absent => return Served::end(Fate::Refused, 0),
            Life::Booting => return Served::end(Fate::Answer(503), 1_000),
            Life::Up => {}
        }
        let Some(route) = request.route.and_then(|n| self.scenario.traffic.routes.get(n)) else {
            return Served::end(Fate::Answer(404), 1_000);
        };
        let (path, db) = (route.path.as_str(), route.db);
        let effects = self.effects(slot, path, at);
        let reads = self.reads(db, effects.hit);

        // The work itself, split between processor and database.
        let (median, spread) = self.work;
        let luck = Dice::keyed(self.seed, Purpose::Latency, request.n).normal();
        let work_us = 1000.0 * libm::exp(median + spread * luck);
        let share = self.scenario.world.db.share;
        let cpu_us = work_us * (1.0 - share) / effects.cpu_left;
        let db_us = work_us * share * effects.db_slow * reads / self.reads.max(f64::MIN_POSITIVE);
        let took_us = ((cpu_us + db_us) * effects.latency) as u64;

        // Waiting for a thread, then for a connection.
        let now_us = at.0 * 1000;
        let pool_max = self.services[slot.index()].pool_max();
        let fate = self.fate(slot, request, path, at);
        let Some(thread) = self.services[slot.index()].next_thread() else {
            return Served::end(Fate::Refused, 0);
        };
        let begins = now_us.max(*thread);
        if begins - now_us > BACKLOG.0 * 1000 {
            return Served::end(Fate::Answer(503), BACKLOG.0 * 1000);
        }
        let taken = self.db.take(slot, pool_max, begins, db_us as u64);
        let (fate, inside_us) = match fate {
            _ if !taken.got => (Fate::Answer(500), taken.wait_us),
            // Who hangs holds a thread until the caller gives up.
            Fate::Hang => (fate, PATIENCE.0 * 1000),
            _ => (fate, taken.wait_us + took_us),
        };
        *thread = begins + inside_us;
        Served {
            fate,
            latency_us: begins - now_us + inside_us,
            db_refused: taken.refused,
            db_reads: reads,
        }
    }

    /// How a request ends that had all it needed.
    fn fate(&self, slot: Slot, request: &Request, path: &str, at: Millis) -> Fate {
        for fault in self.at_work_on(slot) {
            let (share, fate) = match &fault.spec.kind {
                FaultKind::HttpError { share, status } => (share, Fate::Answer(*status)),
                FaultKind::HttpHang { share, .. } => (share, Fate::Hang),
                FaultKind::HttpReset { share, .. } => (share, Fate::Reset),
                _ => continue,
            };
            let here = fault.spec.route.as_ref().is_none_or(|route| route == path);
            let share = share * self.level(fault, slot, at);
            if here && Dice::keyed(self.seed, fault.purpose, request.n).hits(share) {
                return fate;
            }
        }
        let traffic = &self.scenario.traffic;
        let luck = Dice::keyed(self.seed, Purpose::Mishap, request.n).unit() * 100.0;
        if luck < traffic.error_pct {
            Fate::Answer(500)
        } else if request.user && luck < traffic.error_pct + traffic.client_error_pct {
            Fate::Answer(404)
        } else {
            Fate::Answer(200)
        }
    }

    fn at_work_on(&self, slot: Slot) -> impl Iterator<Item = &Fault> {
        let role = self.role(slot);
        self.faults.iter().filter(move |fault| fault.spec.target.hits(role, Role::Blue))
    }

    fn level(&self, fault: &Fault, slot: Slot, at: Millis) -> f64 {
        let coupled = match fault.spec.couple {
            Couple::None | Couple::Time | Couple::Conns => 1.0,
            Couple::Weight => self.share(slot),
            Couple::Rps => self.traffic.declared(at.0 as f64) / self.scenario.traffic.base_rps,
        };
        fault.level(at, coupled)
    }

    /// What is at work on a slot, for requests to one path.
    pub(super) fn effects(&self, slot: Slot, path: &str, at: Millis) -> Effects {
        let hit = self.scenario.world.cache.hit;
        let mut effects = Effects { latency: 1.0, db_slow: 1.0, cpu_left: 1.0, hit };
        for fault in self.at_work_on(slot) {
            let level = self.level(fault, slot, at);
            if level <= 0.0 {
                continue;
            }
            let times = |factor: f64| (1.0 + (factor - 1.0) * level).max(0.1);
            match &fault.spec.kind {
                FaultKind::HttpLatency { factor, .. } => {
                    if fault.spec.route.as_deref().is_none_or(|route| route == path) {
                        effects.latency *= times(*factor);
                    }
                }
                FaultKind::DbSlow { factor } => effects.db_slow *= times(*factor),
                FaultKind::CpuBurn { share } => {
                    effects.cpu_left = (effects.cpu_left - share * level).max(0.02);
                }
                FaultKind::CacheCold { hit: cold } => {
                    effects.hit -= (hit - cold).max(0.0) * level;
                }
                _ => {}
            }
        }
        effects.hit = effects.hit.clamp(0.0, 1.0);
        effects
    }
}
