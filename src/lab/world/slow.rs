//! What grows and drains at its own pace: memory, disk, bad cache entries, connections, sessions,
//! sockets, uploads, things done twice. It is brought up in even steps, whoever looks when.

use super::mix::Mix;
use super::{Life, World};
use crate::lab::fault::{FaultKind, Per, Reconnect};
use crate::lab::scenario::Scenario;
use crate::units::{Millis, Slot};

/// The length of a step.
const STEP: Millis = Millis(250);

/// See the module's text.
#[derive(Debug, Clone)]
pub(super) struct Slow {
    /// All steps up to here were made.
    at: Millis,
    pub memory_mb: [f64; 2],
    /// Megabytes a second, in the last step.
    pub leak: [f64; 2],
    /// Until when a worker of the slot is being started anew.
    pub starts_until: [Millis; 2],
    pub restarts: [u64; 2],
    pub disk_pct: f64,
    /// Percent a second, in the last step.
    pub disk_fills: f64,
    /// From 0 to 1: how far the cache has come to its share of bad entries.
    pub poisoned: f64,
    leaked: [f64; 2],
    /// Users' requests to each slot, up to the last step, and a second in the last ones.
    asked: [u64; 2],
    pub rps: [f64; 2],
    /// Shares of the cohorts, where they are not as declared.
    pub cohorts: Vec<f64>,
    /// What a slot's pool has been told to grow to.
    grown: [usize; 2],
    pub paused: bool,
    /// Since when the site goes back to Blue in steps.
    pub ramps_back: Option<Millis>,
    /// The slot whose consumers crash on what they cannot read.
    pub crashing: Option<Slot>,
    /// Share of a slot's sessions that another key has signed.
    pub unsigned: [f64; 2],
    /// Uploads that run, and since when they only drain, with how many there were then.
    pub uploads: [f64; 2],
    draining: [Option<(Millis, f64)>; 2],
    /// Open sockets that stay, and how many there were.
    pub sockets: [f64; 2],
    pinned: [f64; 2],
    pub herd_until: Millis,
    /// Share of the sockets that came back at once.
    pub herd: f64,
    pub scheduler_stopped: bool,
    duplicates: f64,
    /// Whether jobs start twice now.
    pub twice: bool,
}

impl Slow {
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            at: Millis::ZERO,
            memory_mb: [scenario.world.memory.base_mb; 2],
            leak: [0.0; 2],
            starts_until: [Millis::ZERO; 2],
            restarts: [0; 2],
            disk_pct: scenario.world.disk.used_pct,
            disk_fills: 0.0,
            poisoned: 0.0,
            leaked: [0.0; 2],
            asked: [0; 2],
            rps: [0.0; 2],
            cohorts: Vec::new(),
            grown: [0; 2],
            paused: false,
            ramps_back: None,
            crashing: None,
            unsigned: [0.0; 2],
            uploads: [0.0; 2],
            draining: [None; 2],
            sockets: [0.0; 2],
            pinned: [0.0; 2],
            herd_until: Millis::ZERO,
            herd: 0.0,
            scheduler_stopped: false,
            duplicates: 0.0,
            twice: false,
        }
    }
}

impl World {
    /// Makes every step up to `at`.
    pub(super) fn drift(&mut self, at: Millis) {
        let nothing = self.faults.is_empty() && self.slow.ramps_back.is_none();
        if nothing && !self.slow.paused {
            self.slow.at = Millis(at.0 - at.0 % STEP.0);
            return;
        }
        while self.slow.at + STEP <= at {
            let at = self.slow.at + STEP;
            self.slow.at = at;
            self.step(at);
        }
    }

    fn step(&mut self, at: Millis) {
        let secs = STEP.0 as f64 / 1000.0;
        let mut factor = 1.0;
        let mut fills = 0.0;
        let (mut leak, mut held, mut pool) = ([0.0; 2], [0.0; 2], [0.0; 2]);
        let (mut abuse, mut asks) = (0.0, None);
        self.slow.twice = false;
        let mut mix = Mix::default();
        let asked = self.tally.slots.map(|slot| slot.requests);
        let came = [0, 1].map(|i| (asked[i] - self.slow.asked[i]) as f64);
        self.slow.asked = asked;
        for (rps, came) in self.slow.rps.iter_mut().zip(came) {
            // Smooth over about two seconds.
            *rps += (came / secs - *rps) / 8.0;
        }
        for n in 0..self.faults.len() {
            let fault = &self.faults[n];
            let strength = Slot::BOTH
                .map(|slot| if self.hits(fault, slot) { self.level(fault, slot, at) } else { 0.0 });
            let runs = Slot::BOTH.map(|slot| self.life(slot, at) != Life::Absent);
            let most = strength[0].max(strength[1]);
            match fault.spec.kind {
                FaultKind::TrafficProfile { factor: times, shift } => {
                    let times = 1.0 + (times - 1.0) * most;
                    factor *= mix.moves(&self.scenario.traffic, &fault.spec, times, shift);
                }
                FaultKind::ClientAbuse { rps, .. } => {
                    abuse += rps * most;
                    let route = fault.spec.route.as_ref();
                    asks = asks.or(route.and_then(|route| self.route_at(route)));
                }
                FaultKind::DiskFill { pct_per_s } => {
                    fills +=
                        pct_per_s * (0..2).filter(|i| runs[*i]).map(|i| strength[i]).sum::<f64>();
                }
                FaultKind::MemLeak { mb, per, .. } => {
                    for i in (0..2).filter(|i| runs[*i]) {
                        let often = if per == Per::Request { came[i] / secs } else { 1.0 };
                        leak[i] += mb * often * strength[i];
                    }
                }
                FaultKind::DbPoolGrow { connections } => {
                    for i in (0..2).filter(|i| runs[*i]) {
                        pool[i] += connections * strength[i];
                    }
                }
                FaultKind::DbHold { connections } => {
                    for i in (0..2).filter(|i| runs[*i]) {
                        held[i] += connections * strength[i];
                    }
                }
                FaultKind::DbConnLeak { per_s } => {
                    for i in 0..2 {
                        let grows = per_s * strength[i] * secs;
                        let leaked = &mut self.slow.leaked[i];
                        *leaked = if runs[i] { *leaked + grows } else { 0.0 };
                        held[i] += *leaked;
                    }
                }
                FaultKind::CachePoison { over, .. } => {
                    let grows: f64 = Slot::BOTH
                        .map(|slot| strength[slot.index()] * self.share(slot))
                        .iter()
                        .sum();
                    let over = (over.0.max(1)) as f64 / 1000.0;
                    self.slow.poisoned = (self.slow.poisoned + grows * secs / over).min(1.0);
                }
                FaultKind::JobDouble { per_tick } => {
                    let both = Slot::BOTH.iter().all(|slot| self.life(*slot, at) == Life::Up);
                    let twice = most > 0.0 && both && !self.slow.scheduler_stopped;
                    self.slow.twice |= twice;
                    let tick = self.scenario.world.queue.tick.0.max(STEP.0);
                    if twice && at.0 / tick != (at.0 - STEP.0) / tick {
                        self.slow.duplicates += per_tick * fault.size();
                    }
                }
                FaultKind::ConnPinned { sockets, .. } => self.pin(n, sockets, strength, at),
                FaultKind::DrainSlow { uploads, over } => {
                    self.uploads_run(uploads, over, strength, at)
                }
                _ => {}
            }
        }
        self.ramp_back(at);
        self.traffic.factor = factor;
        self.traffic.shares = mix.routes;
        self.slow.cohorts = mix.cohorts;
        if abuse > 0.0 {
            self.abuse(abuse, asks, at + STEP, STEP);
        }
        self.slow.disk_fills = fills;
        self.slow.disk_pct = (self.slow.disk_pct + fills * secs).min(100.0);
        self.tally.duplicates = self.slow.duplicates.round() as u64;
        self.memory(leak, secs, at);
        self.connections(pool, held, at);
        self.consume(at);
    }

    fn memory(&mut self, leak: [f64; 2], secs: f64, at: Millis) {
        let spec = self.scenario.world.memory;
        self.slow.leak = leak;
        for (i, leak) in leak.into_iter().enumerate() {
            self.slow.memory_mb[i] += leak * secs;
            if self.slow.memory_mb[i] >= spec.limit_mb {
                let down = self.faults.iter().find_map(|fault| match fault.spec.kind {
                    FaultKind::MemLeak { down, .. } => Some(down),
                    _ => None,
                });
                self.slow.memory_mb[i] = spec.base_mb;
                self.slow.starts_until[i] = at + down.unwrap_or_default();
                self.slow.restarts[i] += 1;
            }
        }
    }

    /// Whether one of a slot's workers is being started anew.
    pub(super) fn is_short_of_a_worker(&self, slot: Slot, at: Millis) -> bool {
        self.slow.starts_until[slot.index()] > at
    }

    /// Pools grow and are held; what is refused is an error of the slot that asked.
    fn connections(&mut self, pool: [f64; 2], held: [f64; 2], at: Millis) {
        for slot in Slot::BOTH {
            let i = slot.index();
            let (pool, held) = (pool[i].round() as usize, held[i].round() as usize);
            let was = std::mem::replace(&mut self.slow.grown[i], pool);
            if was == 0 && pool == 0 && held == 0 && !self.db.holds(slot) {
                continue;
            }
            if pool < was {
                let idle = self.services[i].pool_idle() as usize;
                self.db.shrink(slot, pool.max(idle), at.0 * 1000);
            }
            // One attempt in each step: that is how often a pool asks again.
            self.services[i].db_errors += u64::from(self.db.want(slot, pool, held) > 0);
        }
    }

    /// The consumers work as their slots' shares, faults and the pause let them.
    pub(super) fn consume(&mut self, at: Millis) {
        let mut rate = 0.0;
        self.slow.crashing = None;
        for slot in Slot::BOTH {
            let mut works = 1.0_f64;
            for fault in self.faults.iter().filter(|fault| self.hits(fault, slot)) {
                let left = match fault.spec.kind {
                    FaultKind::QueueStop => 0.0,
                    FaultKind::QueueSlow { factor } => factor,
                    _ => continue,
                };
                let level = self.level(fault, slot, at).clamp(0.0, 1.0);
                works *= 1.0 - (1.0 - left) * level;
            }
            let share = self.share(slot);
            if share >= 0.5 && !self.slow.paused && self.skips(at) {
                self.tally.jobs_skipped += self.queue.skip(slot);
            }
            if share >= 0.5 && !self.slow.paused && self.queue.is_foreign(slot) {
                self.slow.crashing = Some(slot);
                works = 0.0;
            }
            rate += share * works;
        }
        let rate = if self.slow.paused { 0.0 } else { rate };
        self.queue.runs_at(rate * self.scenario.world.queue.out_per_s, at);
    }

    /// Whether consumers leave out what they cannot read.
    fn skips(&self, at: Millis) -> bool {
        self.faults.iter().any(|fault| {
            matches!(fault.spec.kind, FaultKind::QueueFormat { skip: true, .. })
                && fault.began(at).is_some()
        })
    }

    /// Sockets come with the fault and stay with the process.
    fn pin(&mut self, fault: usize, sockets: f64, strength: [f64; 2], at: Millis) {
        for slot in Slot::BOTH {
            let i = slot.index();
            let lives = self.life(slot, at) == Life::Up;
            if strength[i] > 0.0 && self.slow.pinned[i] == 0.0 && lives {
                let sockets = sockets * self.faults[fault].size();
                (self.slow.pinned[i], self.slow.sockets[i]) = (sockets, sockets);
            }
        }
    }

    fn uploads_run(&mut self, uploads: f64, over: Millis, strength: [f64; 2], at: Millis) {
        for (i, strength) in strength.into_iter().enumerate() {
            self.slow.uploads[i] = match self.slow.draining[i] {
                Some((since, had)) => {
                    let past = at.since(since).0 as f64 / over.0.max(1) as f64;
                    had * (1.0 - past).max(0.0)
                }
                None if strength > 0.0 => uploads * strength,
                None => 0.0,
            };
        }
    }

    /// A slot without weight gets no new uploads, and those that run drain.
    pub(super) fn uploads_move(&mut self, at: Millis) {
        for slot in Slot::BOTH {
            let i = slot.index();
            let drains = self.share(slot) == 0.0;
            self.slow.draining[i] = match self.slow.draining[i] {
                Some(since) if drains => Some(since),
                _ => drains.then_some((at, self.slow.uploads[i])),
            };
        }
    }

    /// Long uploads that run in a slot now: they are in flight, and no user's page waits for them.
    pub fn uploads(&self, slot: Slot) -> u64 {
        self.slow.uploads[slot.index()].round() as u64
    }

    /// Sockets that stay open in a slot.
    pub fn sockets(&self, slot: Slot) -> u64 {
        self.slow.sockets[slot.index()].round() as u64
    }

    /// A slot's process has ended, with all that hung on it.
    pub(super) fn let_go(&mut self, slot: Slot, at: Millis) {
        let i = slot.index();
        self.slow.memory_mb[i] = self.scenario.world.memory.base_mb;
        self.slow.leaked[i] = 0.0;
        self.tally.cut += self.slow.uploads[i].round() as u64;
        self.slow.uploads[i] = 0.0;
        self.slow.draining[i] = Some((at, 0.0));
        if self.slow.sockets[i] > 0.0 {
            let herd = self.faults.iter().find_map(|fault| match fault.spec.kind {
                FaultKind::ConnPinned { herd, reconnect, .. } => Some((herd, reconnect)),
                _ => None,
            });
            let (herd, reconnect) = herd.unwrap_or_default();
            let whole = self.slow.sockets[i] / self.slow.pinned[i].max(1.0);
            let (herd, lasts) = match reconnect {
                Reconnect::AtOnce => (whole, herd),
                Reconnect::Backoff => (whole / 5.0, Millis(herd.0 * 5)),
                Reconnect::Never => {
                    self.tally.cut += self.slow.sockets[i].round() as u64;
                    (0.0, Millis::ZERO)
                }
            };
            (self.slow.herd, self.slow.herd_until) = (herd, at + lasts);
            self.slow.sockets[i] = 0.0;
        }
    }

    /// The weights have changed: of a slot's sessions a part is new to it, and signed by the other.
    pub(super) fn sessions_move(&mut self, before: [f64; 2]) {
        for slot in Slot::BOTH {
            let i = slot.index();
            let (was, is) = (before[i], self.share(slot));
            if is > was {
                self.slow.unsigned[i] = (self.slow.unsigned[i] * was + is - was) / is;
            } else if is == 0.0 {
                self.slow.unsigned[i] = 0.0;
            }
        }
    }

    /// One of a slot's users has logged in again.
    pub(super) fn logs_in_again(&mut self, slot: Slot) {
        let sessions = f64::from(self.scenario.world.sessions.max(1)) * self.share(slot);
        let unsigned = &mut self.slow.unsigned[slot.index()];
        *unsigned = (*unsigned - 1.0 / sessions.max(1.0)).max(0.0);
    }
}
