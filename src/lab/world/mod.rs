//! The world: two services behind a weighted proxy, the users who come to them, and what the
//! services share. Pure and seeded; the caller brings the time, which never runs backwards.
//!
//! Each request's fate is decided at its arrival, from causes: the load on the threads, the
//! cache, the database's connections, and the faults that are at work. Its luck hangs on its
//! number and the seed alone, so two ways through the same drill can be compared user by user.
//! What grows or drains, such as memory, is brought up in even steps of a quarter of a second,
//! so that it does not hang on who looked when.

mod effects;
mod errands;
mod health;
mod lately;
mod levers;
mod messages;
mod mix;
mod net;
mod proxy;
mod request;
mod series;
mod serve;
mod slots;
mod slow;
mod users;
mod vision;
mod words;

use crate::lab::anchor::{Anchor, Anchors};
use crate::lab::balance::Balance;
use crate::lab::database::Database;
use crate::lab::fault::Fault;
use crate::lab::queue::Queue;
use crate::lab::scenario::{Scenario, TrafficSpec};
use crate::lab::service::Service;
use crate::lab::tally::Tally;
use crate::lab::traffic::Traffic;
use crate::units::{Millis, Role, Slot, Split};
use lately::Lately;
use slow::Slow;

pub use crate::lab::service::Life;
pub use crate::lab::traffic::Arrival;
pub use health::{DbGauge, DiskGauge, JobsGauge, MemoryGauge, QueueGauge, Readiness, SocketsGauge};
pub use messages::Message;
pub use proxy::Wrote;
pub use request::{Body, DbTimes, Fate, PATIENCE, Request, Served, page};
pub use vision::Vision;

/// The 95th percentile of a normal distribution, in deviations.
const Z95: f64 = 1.644_853_626_951_472_7;

/// How things really stand at a moment of the lab.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The moment, since the lab began.
    pub at: Millis,
    /// What happened to users so far.
    pub tally: Tally,
    /// What has happened, each with its moment.
    pub anchors: Vec<(Anchor, Millis)>,
    /// What was said, in order.
    pub messages: Vec<Message>,
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
    slow: Slow,
    tally: Tally,
    /// The users of the last seconds.
    lately: Lately,
    probes: u64,
    /// Requests that no user made and that the proxy has sent somewhere.
    sent: u64,
    /// The latest moment that somebody spoke of.
    now: Millis,
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
        let faults = scenario.faults.iter();
        let mut world = Self {
            scenario: scenario.clone(),
            seed,
            anchors: Anchors::default(),
            traffic: Traffic::new(&scenario.traffic, seed),
            balance: Balance::new(proxy::weights(Split::all_to(blue))),
            services: Slot::BOTH.map(|slot| Service::new(scenario.release(slot))),
            db: Database::new(spec.db.max_connections, spec.db.reserved, spec.db.acquire_timeout),
            queue: Queue::new(seed, spec.queue.out_per_s, spec.queue.late_after),
            faults: faults.map(|fault| Fault::new(fault, seed, scenario.clock.jitter)).collect(),
            slow: Slow::new(scenario),
            tally: Tally::default(),
            lately: Lately::default(),
            probes: request::PROBES_FROM,
            sent: 0,
            now: Millis::ZERO,
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
        world.note(Anchor::Start, Millis::ZERO);
        world.services[blue.index()].start(Millis::ZERO, Millis::ZERO);
        world.settle(Millis::ZERO);
        world
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

    /// The same where each miss costs so many times as many reads.
    fn reads_at(&self, db: f64, hit: f64, cost: f64) -> f64 {
        if cost == 1.0 {
            return self.reads(db, hit);
        }
        let cacheable = self.scenario.world.cache.cacheable;
        db * (1.0 - cacheable + cacheable * (1.0 - hit) * cost)
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

    /// A slot's role.
    pub fn role(&self, slot: Slot) -> Role {
        if slot == self.blue() { Role::Blue } else { Role::Green }
    }

    /// What the world was made from.
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Notes that something has happened. Only the first time counts.
    pub fn anchor(&mut self, anchor: Anchor, at: Millis) {
        self.note(anchor, at);
    }

    fn note(&mut self, anchor: Anchor, at: Millis) {
        if self.anchors.seen(&anchor).is_none() {
            self.anchors.note(anchor, at);
            self.look();
        }
    }

    /// Tells every fault which anchors were seen. Faults are anchors of each other: it goes on
    /// until nothing new comes of it.
    fn look(&mut self) {
        loop {
            let mut news = false;
            for fault in &mut self.faults {
                let Some(began) = fault.look(&self.anchors) else { continue };
                let anchor = Anchor::Fault(fault.spec.id.clone());
                if self.anchors.seen(&anchor) != Some(began) {
                    self.anchors.expect(anchor, began);
                    news = true;
                }
            }
            if !news {
                return;
            }
        }
    }

    /// What has happened so far, and what is already known to come.
    pub const fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    /// What happened to users so far.
    pub fn tally(&self) -> Tally {
        Tally { jobs_done: self.queue.done(), jobs_late: self.queue.late(), ..self.tally }
    }

    /// How things would stand at `until` if nobody did anything any more, but that whoever went back
    /// has ended Green (`ends_green`), so that it spends nothing that Blue needs.
    pub fn foresee(&self, until: Millis, ends_green: bool) -> Standing {
        let mut world = self.clone();
        let green = world.blue().other();
        if ends_green && world.weights()[green.index()] == 0 {
            world.stop(green, world.now);
        }
        world.play_until(until);
        world.standing(until)
    }

    /// How things really stand at `at`: for whoever judges a drill.
    pub fn standing(&self, at: Millis) -> Standing {
        let all = self.anchors.all().filter(|(_, when)| *when <= at);
        Standing {
            at,
            tally: self.tally(),
            anchors: all.map(|(anchor, when)| (anchor.clone(), when)).collect(),
            messages: self.messages(at),
        }
    }

    /// Everything that has its own pace is brought up to `at`.
    pub fn settle(&mut self, at: Millis) {
        self.now = self.now.max(at);
        // Processes that have begun to listen open their first connections.
        for slot in Slot::BOTH {
            let service = &mut self.services[slot.index()];
            if service.life(at) != Life::Absent && !std::mem::replace(&mut service.connected, true)
            {
                service.db_errors += self.db.warm_up(slot, service.pool_idle());
            }
        }
        self.drift(at);
        if self.lately.is_due(at) {
            self.lately.mark(self.counted(at));
        }
    }
}
