//! What a service says about itself: the readiness body and the gauges in it.

use super::World;
use crate::lab::service::Life;
use crate::units::{Millis, Slot};
use serde::Serialize;
use std::collections::BTreeMap;

/// A service's word about itself, as its readiness body says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// `ok` or `starting`.
    pub status: &'static str,
    /// Build id.
    pub version: String,
    /// Each component's state in a word.
    pub components: BTreeMap<&'static str, &'static str>,
    /// The database as this service sees it.
    pub db: DbGauge,
    /// The queue.
    pub queue: QueueGauge,
    /// How long the answer takes, in microseconds.
    #[serde(skip)]
    pub latency_us: u64,
}

impl Readiness {
    /// Whether the service says that it can serve.
    pub fn ready(&self) -> bool {
        self.status == "ok"
    }
}

/// The database as one service sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DbGauge {
    /// Connection errors of this service since it started.
    pub errors: u64,
    /// Connections that are open, of all services.
    pub connections: u64,
    /// Connections that the database admits.
    pub max: u32,
}

/// The queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct QueueGauge {
    /// Jobs that wait or run.
    pub depth: u64,
}

impl World {
    /// What a slot's service says about itself; nothing where nothing listens.
    pub fn readiness(&mut self, slot: Slot, at: Millis) -> Option<Readiness> {
        self.settle(at);
        let life = self.life(slot, at);
        if life == Life::Absent {
            return None;
        }
        let up = life == Life::Up;
        let effects = self.effects(slot, "", at);
        let warm = effects.hit >= 0.75 * self.scenario.world.cache.hit;
        let connected = self.db.has(slot);
        let good = |good: bool, otherwise| if good { "ok" } else { otherwise };
        let service = &self.services[slot.index()];
        Some(Readiness {
            status: good(up, "starting"),
            version: service.version.clone(),
            components: BTreeMap::from([
                ("database", good(connected, "no connection")),
                ("config", "ok"),
                ("cache", good(up && warm, "warming")),
            ]),
            db: DbGauge {
                errors: service.db_errors,
                connections: self.db.open() as u64,
                max: self.scenario.world.db.max_connections,
            },
            queue: QueueGauge { depth: self.queue.depth(at) },
            latency_us: (1_500.0 / effects.cpu_left) as u64,
        })
    }
}
