//! The world: two services behind a weighted proxy, the users who come to them, and what the
//! services share. Pure and seeded; the caller brings the time, which never runs backwards.
//!
//! Each request's fate is decided at its arrival, from causes: the load on the threads, the
//! cache, the database's connections, and the faults that are at work. Its luck hangs on its
//! number and the seed alone, so two ways through the same drill can be compared user by user.

use super::anchor::{Anchor, Anchors};
use super::balance::Balance;
use super::database::Database;
use super::dice::{Dice, Purpose};
use super::fault::{Couple, Fault, FaultKind};
use super::queue::Queue;
use super::scenario::{Scenario, TrafficSpec};
use super::service::Service;
use super::tally::Tally;
use super::traffic::Traffic;
use crate::units::{Millis, Role, Slot, Split};
use serde::Serialize;
use std::collections::BTreeMap;

pub use super::service::Life;
pub use super::traffic::Arrival;

/// How long a user waits for an answer.
pub const PATIENCE: Millis = Millis::secs(10);
/// A good answer after this long counts as slow.
const SLOW: Millis = Millis::secs(1);
/// How long a request waits for a thread before the service turns it away.
const BACKLOG: Millis = Millis::secs(2);
/// The 95th percentile of a normal distribution, in deviations.
const Z95: f64 = 1.644_853_626_951_472_7;
/// Requests of nobody's are numbered from here, so that they never share a user's luck.
const PROBES_FROM: u64 = 1 << 62;

/// A request to a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Its number; its luck hangs on it.
    n: u64,
    /// Which of the scenario's routes, if it is one.
    route: Option<usize>,
    /// Whether a user made it. Only users are counted.
    user: bool,
}

impl From<Arrival> for Request {
    fn from(arrival: Arrival) -> Self {
        Self { n: arrival.n, route: Some(arrival.route), user: true }
    }
}

/// How a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is answered with this status.
    Answer(u16),
    /// It is never answered.
    Hang,
    /// Its connection is reset.
    Reset,
    /// Nothing listens.
    Refused,
}

/// What a request gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Served {
    /// How it ends.
    pub fate: Fate,
    /// When it ends, in microseconds after its arrival.
    pub latency_us: u64,
    /// Whether the database refused a connection on the way.
    pub db_refused: bool,
    /// Database reads that it needed.
    pub db_reads: f64,
}

impl Served {
    const fn end(fate: Fate, latency_us: u64) -> Self {
        Self { fate, latency_us, db_refused: false, db_reads: 0.0 }
    }

    /// Whether a user would call it failed: 5xx, too late, or no answer.
    pub const fn failed(&self) -> bool {
        match self.fate {
            Fate::Answer(status) => status >= 500 || self.latency_us > PATIENCE.0 * 1000,
            Fate::Hang | Fate::Reset | Fate::Refused => true,
        }
    }
}

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

/// What is at work on one slot now, all faults together.
struct Effects {
    latency: f64,
    db_slow: f64,
    cpu_left: f64,
    hit: f64,
}

/// The world. See the module's text.
#[derive(Debug, Clone)]
pub struct World {
    scenario: Scenario,
    seed: u64,
    anchors: Anchors,
    traffic: Traffic,
    balance: Balance,
    services: [Service; 2],
    db: Database,
    queue: Queue,
    faults: Vec<Fault>,
    tally: Tally,
    probes: u64,
    /// Database reads of a mean request on a warm cache.
    reads: f64,
    /// Median and deviation of the logarithm of a mean route's milliseconds.
    work: (f64, f64),
}

impl World {
    /// The world of a scenario and a seed: Blue runs and serves, the other slot is empty.
    pub fn new(scenario: &Scenario, seed: u64) -> Self {
        let blue = scenario.blue();
        let spec = &scenario.world;
        let mut world = Self {
            scenario: scenario.clone(),
            seed,
            anchors: Anchors::default(),
            traffic: Traffic::new(&scenario.traffic, seed),
            balance: Balance::new(weights(Split::all_to(blue))),
            services: Slot::BOTH.map(|slot| Service::new(scenario.release(slot))),
            db: Database::new(spec.db.max_connections, spec.db.reserved, spec.db.acquire_timeout),
            queue: Queue::new(seed, spec.queue.out_per_s),
            faults: scenario
                .faults
                .iter()
                .map(|fault| Fault::new(fault, seed, scenario.clock.jitter))
                .collect(),
            tally: Tally::default(),
            probes: PROBES_FROM,
            reads: 0.0,
            work: (0.0, 0.0),
        };
        world.reads = scenario
            .traffic
            .routes
            .iter()
            .map(|route| route.share * world.reads(route.db, spec.cache.hit))
            .sum();
        world.work = world.calibrate(&scenario.traffic);
        world.anchors.note(Anchor::Start, Millis::ZERO);
        world.services[blue.index()].start(Millis::ZERO, Millis::ZERO);
        world.settle(Millis::ZERO);
        world
    }

    /// Processes that have begun to listen open their first connections.
    fn settle(&mut self, at: Millis) {
        for slot in Slot::BOTH {
            let service = &mut self.services[slot.index()];
            if service.life(at) != Life::Absent && !std::mem::replace(&mut service.connected, true)
            {
                service.db_errors += self.db.warm_up(slot, service.pool_idle());
            }
        }
    }

    /// Routes differ in their database reads, and that alone spreads the times. What is left to
    /// chance is what is missing to the declared median and 95th percentile.
    fn calibrate(&self, traffic: &TrafficSpec) -> (f64, f64) {
        let logs = || {
            traffic.routes.iter().map(|route| {
                (route.share, libm::log(self.route_factor(route.db, self.scenario.world.cache.hit)))
            })
        };
        let mean: f64 = logs().map(|(share, log)| share * log).sum();
        let spread: f64 = logs().map(|(share, log)| share * (log - mean) * (log - mean)).sum();
        let whole = libm::log(traffic.p95_ms / traffic.p50_ms) / Z95;
        let chance = libm::sqrt((whole * whole - spread).max(0.01));
        (libm::log(traffic.p50_ms) - mean, chance)
    }

    /// Database reads of a request that needs `db` of them with nothing cached.
    fn reads(&self, db: f64, hit: f64) -> f64 {
        db * (1.0 - self.scenario.world.cache.cacheable * hit)
    }

    /// How long a request takes, as a multiple of the mean route's time on a warm cache.
    fn route_factor(&self, db: f64, hit: f64) -> f64 {
        let share = self.scenario.world.db.share;
        1.0 - share + share * self.reads(db, hit) / self.reads.max(f64::MIN_POSITIVE)
    }

    /// The slot that served users when the lab began.
    pub const fn blue(&self) -> Slot {
        self.scenario.blue()
    }

    /// The scenario that this world was made from.
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The role of a slot.
    pub fn role(&self, slot: Slot) -> Role {
        if slot == self.blue() { Role::Blue } else { Role::Green }
    }

    /// Sets the proxy's split.
    pub fn set_split(&mut self, split: Split, at: Millis) {
        self.set_weights(weights(split), at);
    }

    /// Sets the proxy's weights, in the plan's order. Both may be 0: then nobody is served.
    pub fn set_weights(&mut self, weights: [u32; 2], at: Millis) {
        let green = self.blue().other().index();
        let (before, had) = (self.share(self.blue().other()), self.weights()[green] > 0);
        self.balance = Balance::new(weights);
        let share = (self.share(self.blue().other()) * 100.0).floor() as u8;
        if weights[green] == 0 {
            if had {
                self.anchors.note(Anchor::Rollback, at);
            }
            return;
        }
        self.anchors.note(Anchor::Switch, at);
        for percent in (before * 100.0) as u8..share {
            self.anchors.note(Anchor::Weight(percent + 1), at);
        }
        if share == 100 {
            self.anchors.note(Anchor::Full, at);
        }
    }

    /// The proxy's weights, in the plan's order.
    pub const fn weights(&self) -> [u32; 2] {
        self.balance.weights()
    }

    /// A slot's share of the traffic, 0 to 1.
    fn share(&self, slot: Slot) -> f64 {
        let weights = self.weights().map(f64::from);
        let total = weights[0] + weights[1];
        if total > 0.0 { weights[slot.index()] / total } else { 0.0 }
    }

    /// Notes that something has happened. Only the first time counts.
    pub fn anchor(&mut self, anchor: Anchor, at: Millis) {
        self.anchors.note(anchor, at);
    }

    /// What has happened so far.
    pub const fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    /// What happened to users so far.
    pub fn tally(&self) -> Tally {
        Tally { jobs_done: self.queue.done(), ..self.tally }
    }

    /// Begins a deploy to a slot, in which nothing runs meanwhile; `release` replaces the
    /// scenario's version. Answers when the new process will listen.
    pub fn deploy(&mut self, slot: Slot, release: Option<&str>, at: Millis) -> Millis {
        self.stop(slot, at);
        let green = self.role(slot) == Role::Green;
        let service = &mut self.services[slot.index()];
        if let Some(release) = release {
            service.version = release.to_owned();
        }
        let listens = at + service.spec.deploy;
        let ready = listens + service.spec.boot;
        service.start(listens, ready);
        if green {
            self.anchors.note(Anchor::Deploy, at);
            self.anchors.note(Anchor::Ready, ready);
        }
        listens
    }

    /// A slot's process has ended; also a deploy that was cut off before it was ready.
    pub fn stop(&mut self, slot: Slot, at: Millis) {
        let cut_off = self.life(slot, at) != Life::Up && self.role(slot) == Role::Green;
        if cut_off && self.anchors.seen(Anchor::Ready).is_some_and(|ready| ready > at) {
            self.anchors.forget(Anchor::Ready);
        }
        self.services[slot.index()].stop();
        self.db.close(slot);
    }

    /// Where a slot's process is in its life.
    pub fn life(&self, slot: Slot, at: Millis) -> Life {
        self.services[slot.index()].life(at)
    }

    /// The build id of what runs, or ran, in a slot.
    pub fn version(&self, slot: Slot) -> &str {
        &self.services[slot.index()].version
    }

    /// When the next user arrives.
    pub const fn next_arrival(&self) -> Millis {
        self.traffic.next_at()
    }

    /// The users who arrive up to `at`, in order.
    pub fn arrivals_until(&mut self, at: Millis) -> impl Iterator<Item = Arrival> + '_ {
        std::iter::from_fn(move || self.traffic.next_until(at))
    }

    /// Where the proxy sends the next request; nowhere if no slot has weight.
    pub fn route(&mut self) -> Option<Slot> {
        self.balance.choose()
    }

    /// The route at this path.
    pub fn route_at(&self, path: &str) -> Option<usize> {
        self.scenario.traffic.routes.iter().position(|route| route.path == path)
    }

    /// The request of a user whom the caller knows by number and route.
    pub fn user(&self, n: u64, route: Option<usize>) -> Request {
        Request { n: n % PROBES_FROM, route, user: true }
    }

    /// A request that no user made, such as a probe.
    pub fn probe(&mut self, route: Option<usize>) -> Request {
        self.probes += 1;
        Request { n: self.probes, route, user: false }
    }

    /// A user got nowhere: no slot had weight, or there was no room.
    pub fn lose(&mut self) {
        self.tally.lost += 1;
    }

    /// Plays the users who arrive up to `at`: each is routed and served on arrival. This is the
    /// whole front, where no sockets are wanted.
    pub fn play_until(&mut self, at: Millis) -> Vec<(Arrival, Slot, Served)> {
        let mut played = Vec::new();
        while let Some(arrival) = self.traffic.next_until(at) {
            match self.route() {
                Some(slot) => {
                    let served = self.serve(slot, &arrival.into(), arrival.at);
                    played.push((arrival, slot, served));
                }
                None => self.lose(),
            }
        }
        played
    }

    /// What a request gets from a slot at its arrival.
    pub fn serve(&mut self, slot: Slot, request: &Request, at: Millis) -> Served {
        self.settle(at);
        if !request.user && self.role(slot) == Role::Green && self.life(slot, at) == Life::Up {
            self.anchors.note(Anchor::Soak, at);
        }
        let served = self.decide(slot, request, at);
        if served.db_refused {
            self.services[slot.index()].db_errors += 1;
        }
        if !request.user {
            return served;
        }
        let answered = matches!(served.fate, Fate::Answer(200..400)) && !served.failed();
        let counts = &mut self.tally.slots[slot.index()];
        counts.requests += 1;
        counts.failed += u64::from(served.failed());
        counts.client_errors += u64::from(matches!(served.fate, Fate::Answer(400..500)));
        counts.slow += u64::from(answered && served.latency_us > SLOW.0 * 1000);
        counts.db_refused += u64::from(served.db_refused);
        let jobs = self.scenario.world.queue.in_per_s / self.scenario.traffic.base_rps;
        if answered && Dice::keyed(self.seed, Purpose::Job, request.n).hits(jobs) {
            self.queue.add(at);
        }
        served
    }

    fn decide(&mut self, slot: Slot, request: &Request, at: Millis) -> Served {
        match self.life(slot, at) {
            Life::Absent => return Served::end(Fate::Refused, 0),
            Life::Booting => return Served::end(Fate::Answer(503), 1_000),
            Life::Up => {}
        }
        let Some(route) = request.route.and_then(|n| self.scenario.traffic.routes.get(n)) else {
            return Served::end(Fate::Answer(404), 1_000);
        };
        let (path, db) = (route.path.clone(), route.db);
        let effects = self.effects(slot, &path, at);
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
        let Some(thread) = self.services[slot.index()].next_thread() else {
            return Served::end(Fate::Refused, 0);
        };
        let begins = now_us.max(*thread);
        if begins - now_us > BACKLOG.0 * 1000 {
            return Served::end(Fate::Answer(503), BACKLOG.0 * 1000);
        }
        let taken = self.db.take(slot, pool_max, begins, db_us as u64);
        let inside_us = if taken.got { taken.wait_us + took_us } else { taken.wait_us };
        *thread = begins + inside_us;
        Served {
            fate: if taken.got { self.fate(slot, request, &path, at) } else { Fate::Answer(500) },
            latency_us: begins - now_us + inside_us,
            db_refused: taken.refused,
            db_reads: reads,
        }
    }

    /// How a request ends that had all it needed.
    fn fate(&self, slot: Slot, request: &Request, path: &str, at: Millis) -> Fate {
        for fault in self.at_work_on(slot) {
            let (share, fate) = match &fault.spec.kind {
                FaultKind::HttpError { share, status, .. } => (share, Fate::Answer(*status)),
                FaultKind::HttpHang { share, .. } => (share, Fate::Hang),
                FaultKind::HttpReset { share, .. } => (share, Fate::Reset),
                _ => continue,
            };
            let here = fault.spec.kind.route().is_none_or(|route| route == path);
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
        self.faults.iter().filter(move |fault| fault.spec.target.hits(role))
    }

    fn level(&self, fault: &Fault, slot: Slot, at: Millis) -> f64 {
        let coupled = match fault.spec.couple {
            Couple::None => 1.0,
            Couple::Weight => self.share(slot),
            Couple::Rps => self.traffic.declared(at.0 as f64) / self.scenario.traffic.base_rps,
        };
        fault.level(&self.anchors, at, coupled)
    }

    /// What is at work on a slot, for requests to one path.
    fn effects(&self, slot: Slot, path: &str, at: Millis) -> Effects {
        let hit = self.scenario.world.cache.hit;
        let mut effects = Effects { latency: 1.0, db_slow: 1.0, cpu_left: 1.0, hit };
        for fault in self.at_work_on(slot) {
            let level = self.level(fault, slot, at);
            if level <= 0.0 {
                continue;
            }
            let times = |factor: f64| (1.0 + (factor - 1.0) * level).max(0.1);
            match &fault.spec.kind {
                FaultKind::HttpLatency { factor, route } => {
                    if route.as_deref().is_none_or(|route| route == path) {
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
                FaultKind::HttpError { .. }
                | FaultKind::HttpHang { .. }
                | FaultKind::HttpReset { .. } => {}
            }
        }
        effects.hit = effects.hit.clamp(0.0, 1.0);
        effects
    }

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

fn weights(split: Split) -> [u32; 2] {
    Slot::BOTH.map(|slot| u32::from(split.share(slot).get()))
}
