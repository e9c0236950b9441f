//! The world: two services behind a weighted proxy, the users who come to them, and what the
//! services share. Pure and seeded; the caller brings the time, which never runs backwards.
//!
//! Each request's fate is decided at its arrival, from causes: the load on the threads, the
//! cache, the database's connections, and the faults that are at work. Its luck hangs on its
//! number and the seed alone, so two ways through the same drill can be compared user by user.

mod health;
mod request;
mod serve;

use crate::lab::anchor::{Anchor, Anchors};
use crate::lab::balance::Balance;
use crate::lab::database::Database;
use crate::lab::dice::{Dice, Purpose};
use crate::lab::fault::Fault;
use crate::lab::queue::Queue;
use crate::lab::scenario::{Scenario, TrafficSpec};
use crate::lab::service::Service;
use crate::lab::tally::Tally;
use crate::lab::traffic::Traffic;
use crate::units::{Millis, Role, Slot, Split};

pub use crate::lab::service::Life;
pub use crate::lab::traffic::Arrival;
pub use health::{DbGauge, QueueGauge, Readiness};
pub use request::{Fate, PATIENCE, Request, Served, page};

/// A good answer after this long counts as slow.
const SLOW: Millis = Millis::secs(1);
/// The 95th percentile of a normal distribution, in deviations.
const Z95: f64 = 1.644_853_626_951_472_7;
/// Requests of nobody's are numbered from here, so that they never share a user's luck.
const PROBES_FROM: u64 = 1 << 62;

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
        for fault in &mut self.faults {
            fault.look(&self.anchors);
        }
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
        // In whole percent, rounded down: 29 of 100 must not become 28.
        let percent = |weights: [u32; 2]| {
            let total = u64::from(weights[0]) + u64::from(weights[1]);
            (u64::from(weights[green]) * 100).checked_div(total).unwrap_or(0) as u8
        };
        let (before, had) = (percent(self.weights()), self.weights()[green] > 0);
        self.balance = Balance::new(weights);
        let share = percent(weights);
        if weights[green] == 0 {
            if had {
                self.anchors.note(Anchor::Rollback, at);
            }
            return;
        }
        self.anchors.note(Anchor::Switch, at);
        for percent in before..share {
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
        if cut_off && self.anchors.seen(&Anchor::Ready).is_some_and(|ready| ready > at) {
            self.anchors.forget(&Anchor::Ready);
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
}

fn weights(split: Split) -> [u32; 2] {
    Slot::BOTH.map(|slot| u32::from(split.share(slot).get()))
}
