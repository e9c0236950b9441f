//! What a service says about itself: the readiness body, the components in it, and the gauges.
//!
//! The shallow check asks whether the process serves; the deep one asks besides what it needs to
//! serve. What is not well is told in the component's own words, as services do it.

use super::{Life, World};
use crate::lab::fault::FaultKind;
use crate::units::{Millis, Slot};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

type Word = Cow<'static, str>;

const OK: Word = Cow::Borrowed("ok");

/// A service's word about itself, as its readiness body says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// `ok` or `starting`.
    pub status: &'static str,
    /// Build id.
    pub version: String,
    /// Each component's state in a few words.
    pub components: BTreeMap<&'static str, Word>,
    /// The database as this service sees it.
    pub db: DbGauge,
    /// The queue.
    pub queue: QueueGauge,
    /// The service's memory.
    pub memory: MemoryGauge,
    /// The disk that both slots share.
    pub disk: DiskGauge,
    /// What the scheduler does.
    pub jobs: JobsGauge,
    /// Connections that stay open.
    pub sockets: SocketsGauge,
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
    /// Seconds for which the oldest of them has waited.
    pub oldest_s: u64,
}

/// A service's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MemoryGauge {
    /// Megabytes that it uses.
    pub mb: u64,
    /// Megabytes at which it is killed.
    pub limit_mb: u64,
    /// Workers that were started anew.
    pub restarts: u64,
}

/// The disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DiskGauge {
    /// Percent of it that is used.
    pub used_pct: u64,
}

/// What the scheduler does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct JobsGauge {
    /// Starts of the job at each tick.
    pub per_tick: u64,
}

/// Connections that stay open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SocketsGauge {
    /// How many.
    pub open: u64,
}

impl World {
    /// The components that a lab's service may call degraded without being unready, in the order
    /// of its plan.
    pub const OPTIONAL: [&'static str; 12] = [
        "cache",
        "deep",
        "memory",
        "disk",
        "pool",
        "queue",
        "jobs",
        "workers",
        "clock",
        "certificate",
        "schema",
        "sockets",
    ];

    /// What a slot's service says about itself on the shallow check; nothing where nothing
    /// listens.
    pub fn readiness(&mut self, slot: Slot, at: Millis) -> Option<Readiness> {
        self.settle(at);
        let life = self.life(slot, at);
        if life == Life::Absent {
            return None;
        }
        let effects = self.effects(slot, None, at);
        let warm = effects.hit >= 0.75 * self.scenario.world.cache.hit;
        let connected = self.db.has(slot);
        let lies = self.says_all_is_well(slot, at);
        let up = lies || life == Life::Up && self.turn(slot, false, at);
        let mut components = BTreeMap::from([
            ("database", if connected || lies { OK } else { "no connection".into() }),
            ("config", OK),
            ("cache", if lies || up && warm { OK } else { "warming".into() }),
        ]);
        // Gauges of these names stand beside the components, and say nothing of being well.
        components.extend(["memory", "disk", "queue", "jobs", "sockets"].map(|name| (name, OK)));
        let (depth, oldest) = (self.queue.depth(at), self.queue.oldest(at));
        if !lies {
            for (name, word) in self.unwell(slot, oldest, at) {
                components.insert(name, word);
            }
        }
        let i = slot.index();
        let (memory, service) = (self.scenario.world.memory, &self.services[i]);
        Some(Readiness {
            status: if up { "ok" } else { "starting" },
            version: service.version.clone(),
            components,
            db: DbGauge {
                errors: service.db_errors,
                connections: self.db.open() as u64,
                max: self.scenario.world.db.max_connections,
            },
            queue: QueueGauge { depth, oldest_s: oldest.0 / 1000 },
            memory: MemoryGauge {
                mb: self.slow.memory_mb[i] as u64,
                limit_mb: memory.limit_mb as u64,
                restarts: self.slow.restarts[i],
            },
            disk: DiskGauge { used_pct: self.slow.disk_pct as u64 },
            jobs: JobsGauge { per_tick: 1 + u64::from(self.slow.twice) },
            sockets: SocketsGauge { open: self.sockets(slot) },
            latency_us: (1_500.0 / effects.cpu_left) as u64,
        })
    }

    /// What it says on the deep check, which goes the way that a user goes.
    pub fn deep_readiness(&mut self, slot: Slot, at: Millis) -> Option<Readiness> {
        let mut readiness = self.readiness(slot, at)?;
        if let Some(why) = self.deep(slot, at) {
            readiness.status = "degraded";
            readiness.components.insert("deep", why);
        }
        Some(readiness)
    }

    fn says_all_is_well(&self, slot: Slot, at: Millis) -> bool {
        self.on(slot, at).any(|kind| *kind == FaultKind::ReadyLie)
    }

    /// The kinds of the faults that are at work on a slot.
    fn on(&self, slot: Slot, at: Millis) -> impl Iterator<Item = &FaultKind> {
        let faults = self.faults.iter();
        faults
            .filter(move |fault| self.hits(fault, slot) && self.level(fault, slot, at) > 0.0)
            .map(|fault| &fault.spec.kind)
    }

    /// Whether it is the turn of a good answer, where they come in turns.
    fn turn(&self, slot: Slot, deep: bool, at: Millis) -> bool {
        self.faults.iter().filter(|fault| self.hits(fault, slot)).all(|fault| {
            match (&fault.spec.kind, fault.began(at)) {
                (FaultKind::ReadySequence { turns, deep: of_deep, cycle }, Some(began))
                    if *of_deep == deep && fault.is_on(at) =>
                {
                    let n = (at.since(began).0 / fault.spec.every.0.max(1)) as usize;
                    let last = turns.len() - 1;
                    turns[if *cycle { n % turns.len() } else { n.min(last) }]
                }
                _ => true,
            }
        })
    }

    /// What the deep check finds, if it finds something.
    fn deep(&self, slot: Slot, at: Millis) -> Option<Word> {
        if !self.turn(slot, true, at) {
            return Some("401 from an inner service".into());
        }
        let faults = self.faults.iter().filter(|fault| fault.spec.visible);
        for fault in faults.filter(|fault| self.hits(fault, slot)) {
            let whole = self.level(fault, slot, at);
            let (share, status) = match fault.spec.kind {
                // The check's own token is of no user's age.
                FaultKind::RejectAuth { share, younger: None, older: None, .. } => (share, 401),
                FaultKind::HttpError { share, status, .. } => (share, status),
                _ => continue,
            };
            // One look finds what nearly always fails.
            if share * whole > 0.9 {
                let path = fault.spec.route.as_deref().unwrap_or("everything");
                return Some(match &fault.spec.kind {
                    FaultKind::RejectAuth { key: Some(key), .. } => {
                        format!("{status} on {path}, key {key} is not known").into()
                    }
                    _ => format!("{status} on {path}").into(),
                });
            }
        }
        None
    }

    /// The components that are not well, with their words.
    fn unwell(&self, slot: Slot, oldest: Millis, at: Millis) -> Vec<(&'static str, Word)> {
        let mut said: Vec<(&'static str, Word)> = Vec::new();
        if self.faults.is_empty() {
            return said;
        }
        let i = slot.index();
        if let Some(why) = self.deep(slot, at) {
            said.push(("deep", why));
        }
        let (mb, limit) = (self.slow.memory_mb[i], self.scenario.world.memory.limit_mb);
        if self.is_short_of_a_worker(slot, at) {
            said.push(("memory", "out of memory, a worker starts anew".into()));
        } else if self.slow.leak[i] > 0.0 {
            let left = (limit - mb) / self.slow.leak[i];
            said.push(("memory", format!("{mb:.0} of {limit:.0} MB, full in {left:.0} s").into()));
        }
        let (disk, fills) = (self.slow.disk_pct, self.slow.disk_fills);
        if disk >= 100.0 {
            said.push(("disk", "100 % full, nothing can be written".into()));
        } else if fills > 0.0 {
            let left = (100.0 - disk) / fills;
            said.push(("disk", format!("{disk:.0} % full, 100 % in {left:.0} s").into()));
        }
        let (open, max) = (self.db.open(), self.scenario.world.db.max_connections as usize);
        if open * 10 >= max * 9 {
            said.push(("pool", format!("{open} of {max} database connections").into()));
        }
        if oldest >= Millis::secs(10) {
            said.push(("queue", format!("oldest job waits {} s", oldest.0 / 1000).into()));
        }
        if self.slow.twice {
            said.push(("jobs", "each job starts twice, once in each slot".into()));
        }
        let sockets = self.sockets(slot);
        if sockets > 0 && self.share(slot) == 0.0 {
            said.push(("sockets", format!("{sockets} are still open").into()));
        }
        for fault in self.faults.iter().filter(|fault| fault.spec.visible && fault.is_on(at)) {
            if !self.hits(fault, slot) {
                continue;
            }
            match &fault.spec.kind {
                FaultKind::WorkerVariant { version, .. } => {
                    let worker = fault.spec.worker.unwrap_or(1);
                    said.push(("workers", format!("worker {worker} runs {version}").into()));
                }
                FaultKind::ClockSkew { by } => {
                    said.push(("clock", format!("{} s ahead", by.0 / 1000).into()));
                }
                FaultKind::TlsBad { name: Some(name), .. } => {
                    said.push(("certificate", format!("is for {name}").into()));
                }
                FaultKind::TlsBad { days, .. } => {
                    said.push(("certificate", format!("expired {days:.0} d ago").into()));
                }
                FaultKind::SchemaMigrate { contract: true, versions, .. }
                    if self.is_left_behind(versions, slot) =>
                {
                    said.push(("schema", "a column that this release reads is gone".into()));
                }
                FaultKind::DbLock { table: Some(table), .. } => {
                    said.push(("schema", format!("a migration holds a lock on {table}").into()));
                }
                FaultKind::DbLock { .. } => {
                    said.push(("schema", "a migration holds a lock".into()))
                }
                _ => {}
            }
        }
        self.without_secrets(said, slot)
    }

    /// What the faults that are not visible bring about is not told.
    fn without_secrets(
        &self,
        mut said: Vec<(&'static str, Word)>,
        slot: Slot,
    ) -> Vec<(&'static str, Word)> {
        for fault in self.faults.iter().filter(|fault| !fault.spec.visible) {
            let name = match fault.spec.kind {
                FaultKind::MemLeak { .. } => "memory",
                FaultKind::DiskFill { .. } => "disk",
                FaultKind::JobDouble { .. } => "jobs",
                FaultKind::ConnPinned { .. } => "sockets",
                FaultKind::DbPoolGrow { .. }
                | FaultKind::DbHold { .. }
                | FaultKind::DbConnLeak { .. } => "pool",
                FaultKind::QueueStop | FaultKind::QueueSlow { .. } => "queue",
                _ => continue,
            };
            if self.hits(fault, slot) {
                said.retain(|(component, _)| *component != name);
            }
        }
        said
    }
}
