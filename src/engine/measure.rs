//! Measuring: slots are probed, the front door is knocked at, the router is read; every second
//! what was found becomes samples.
//!
//! Each slot has a task of its own, so that one that hangs delays nobody else; and another for
//! the plan's requests, as Blue's readiness, on which the automatic way back depends, shall not
//! grow stale behind a page that hangs. Users come from the router's counters, less our own
//! requests; users and probes are never summed. A request of the plan's through the front door
//! counts for the slot that answered it; one that nobody answered counts for nobody.

use super::clock::Clock;
use crate::adapter::router::{Router, SlotCounters};
use crate::adapter::source::http::{ProbeAnswer, Prober};
use crate::adapter::source::second::Second;
use crate::plan::Plan;
use crate::runbook::{EffectId, Fault, Readback, Regime, Seen};
use crate::signal::counter::{Counter, Counts, Users};
use crate::signal::{Origin, Sample, Whose};
use crate::units::{Millis, Slot};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

/// The router is read this often.
const READ_EVERY: Duration = Duration::from_secs(1);

/// What a source has found.
#[derive(Debug)]
pub enum Measured {
    /// The router was read; `writes` is what [`Shared::writes`] was when the reading began.
    Router {
        /// What it reports.
        readback: Readback,
        /// How many writes had begun or ended when the reading began.
        writes: u64,
    },
    /// A second of a slot.
    Second(Box<Sample>),
    /// An answer that the stamps wait for.
    Seen {
        /// Which one.
        what: Seen,
        /// Microseconds since the rollback began.
        after_us: u64,
    },
    /// Nobody looks for these answers any more: what was not seen will not be seen.
    Over {
        /// Which act has ended.
        effect: EffectId,
        /// Microseconds since the rollback began.
        after_us: u64,
    },
    /// A command has printed something.
    Printed,
}

/// What the measuring tasks share. They run on one thread, so cells will do.
#[derive(Debug)]
pub struct Shared {
    /// How to measure; nothing before Blue is known.
    pub regime: watch::Sender<Option<Regime>>,
    /// Counts the beginnings and ends of writes to the router.
    pub writes: Cell<u64>,
    seconds: RefCell<[Second; 2]>,
    /// Our own requests through the front door, by the slot that answered.
    own: RefCell<[Counts; 2]>,
}

impl Shared {
    /// Nothing is measured yet.
    pub fn new(plan: &Plan) -> Rc<Self> {
        let second = || Second::new(!plan.probes.is_empty());
        Rc::new(Self {
            regime: watch::Sender::new(None),
            writes: Cell::new(0),
            seconds: RefCell::new([second(), second()]),
            own: RefCell::new([Counts::default(), Counts::default()]),
        })
    }

    /// Our own requests that a slot has answered since users were counted last.
    #[cfg(test)]
    pub fn own_requests(&self, slot: Slot) -> u64 {
        self.own.borrow()[slot.index()].requests
    }

    /// Our own request is taken off what the router counts for the slot that answered it.
    pub fn count_own(&self, slot: Slot, answer: &ProbeAnswer) {
        let own = &mut self.own.borrow_mut()[slot.index()];
        own.requests += 1;
        own.failed += u64::from(answer.is_server_error());
        own.client_errors += u64::from(answer.is_client_error());
        if let Some(ms) = answer.latency_ms {
            own.latency_ms.get_or_insert_default().record(ms);
        }
    }
}

/// Who asks the slots, and the front door where its answers name their slot. Clones share their
/// connections.
#[derive(Debug, Clone)]
pub struct Probers {
    /// One for each slot.
    pub slots: [Prober; 2],
    /// Through the front door.
    pub front: Option<Prober>,
}

impl Probers {
    /// Builds their HTTP clients. `secrets` are values by name, for the headers.
    pub fn new(plan: &Plan, secrets: &BTreeMap<String, String>) -> Result<Self, Fault> {
        let [first, second] =
            plan.slots.each_ref().map(|slot| Prober::new(plan, &slot.url, secrets));
        let named = plan.identity.slot_header.is_some();
        let front = plan.router.front.as_ref().filter(|_| named);
        Ok(Self {
            slots: [first?, second?],
            front: front.map(|url| Prober::new(plan, url, secrets)).transpose()?,
        })
    }
}

fn whose(regime: &Regime, slot: Slot) -> Whose {
    if regime.blue == slot { Whose::Blue } else { Whose::Green }
}

/// Starts the measuring tasks; they end with the set of tasks that they run in.
pub fn start(
    plan: &Rc<Plan>,
    probers: &Probers,
    router: &Router,
    clock: Clock,
    shared: &Rc<Shared>,
    found: &UnboundedSender<Measured>,
) -> Vec<tokio::task::AbortHandle> {
    let mut tasks = Vec::new();
    for (slot, prober) in Slot::BOTH.into_iter().zip(&probers.slots) {
        let task = check_slot(slot, prober.clone(), Rc::clone(shared));
        tasks.push(tokio::task::spawn_local(task).abort_handle());
        if !prober.questions().is_empty() {
            let task = ask_slot(slot, prober.clone(), Rc::clone(shared));
            tasks.push(tokio::task::spawn_local(task).abort_handle());
        }
    }
    if let Some(front) = &probers.front {
        let (front, router) = (front.clone(), router.clone());
        let task = knock(front, router, Rc::clone(plan), Rc::clone(shared));
        tasks.push(tokio::task::spawn_local(task).abort_handle());
    }
    let flush = flush(clock, Rc::clone(shared), found.clone());
    tasks.push(tokio::task::spawn_local(flush).abort_handle());
    let read = read_router(router.clone(), clock, Rc::clone(shared), found.clone());
    tasks.push(tokio::task::spawn_local(read).abort_handle());
    tasks
}

/// Waits until `due` or until the regime changes, whichever comes first.
async fn until(due: Instant, regime: &mut watch::Receiver<Option<Regime>>) {
    tokio::select! {
        () = sleep_until(due) => {}
        _ = regime.changed() => {}
    }
}

/// The regime, as soon as it is one in which `wanted` holds; nothing when the run is over.
async fn regime_where(
    changes: &mut watch::Receiver<Option<Regime>>,
    wanted: impl Fn(&Regime) -> bool,
) -> Option<Regime> {
    loop {
        let regime = *changes.borrow_and_update();
        match regime.filter(&wanted) {
            Some(regime) => return Some(regime),
            None => changes.changed().await.ok()?,
        }
    }
}

/// Checks a slot's liveness and readiness, and nothing else.
async fn check_slot(slot: Slot, prober: Prober, shared: Rc<Shared>) {
    let mut changes = shared.regime.subscribe();
    let asked = |regime: &Regime| regime.blue == slot || regime.green;
    while let Some(regime) = regime_where(&mut changes, asked).await {
        let next = Instant::now() + regime.every.into();
        let check = prober.check().await;
        shared.seconds.borrow_mut()[slot.index()].check(&check);
        // A slot that is slower than its rate is asked again at once, and not for what it missed.
        until(next, &mut changes).await;
    }
}

/// Sends a slot the plan's requests.
async fn ask_slot(slot: Slot, prober: Prober, shared: Rc<Shared>) {
    let mut changes = shared.regime.subscribe();
    let asked = |regime: &Regime| regime.synthetic && (regime.blue == slot || regime.green);
    while let Some(regime) = regime_where(&mut changes, asked).await {
        let next = Instant::now() + regime.every.into();
        for question in prober.questions() {
            let answer = prober.probe(question).await;
            shared.seconds.borrow_mut()[slot.index()].probe(&answer);
        }
        until(next, &mut changes).await;
    }
}

/// Sends the plan's requests through the front door.
async fn knock(prober: Prober, mut router: Router, plan: Rc<Plan>, shared: Rc<Shared>) {
    let mut changes = shared.regime.subscribe();
    let knock = std::slice::from_ref(prober.knock());
    // Without a request of the plan's it only matters who answers.
    let expects = !prober.questions().is_empty();
    let questions = if expects { prober.questions() } else { knock };
    while let Some(regime) = regime_where(&mut changes, |regime| regime.front).await {
        let next = Instant::now() + regime.every.into();
        for question in questions {
            let answer = prober.probe(question).await;
            let slot = match &answer.slot {
                Some(name) => router.slot_named(&plan, name.as_str()).await,
                None => None,
            };
            let Some(slot) = slot else { continue };
            shared.count_own(slot, &answer);
            if expects {
                shared.seconds.borrow_mut()[slot.index()].probe(&answer);
            }
        }
        until(next, &mut changes).await;
    }
}

/// A timer that fires on the run's whole seconds.
fn seconds(clock: Clock) -> tokio::time::Interval {
    let next = Millis((clock.now().0 / 1000 + 1) * 1000);
    let mut timer = interval_at(clock.instant(next).into(), Duration::from_secs(1));
    timer.set_missed_tick_behavior(MissedTickBehavior::Skip);
    timer
}

async fn flush(clock: Clock, shared: Rc<Shared>, found: UnboundedSender<Measured>) {
    let mut timer = seconds(clock);
    loop {
        timer.tick().await;
        let Some(regime) = *shared.regime.borrow() else { continue };
        let at = Millis(clock.now().0 / 1000 * 1000);
        for slot in Slot::BOTH {
            let samples = shared.seconds.borrow_mut()[slot.index()].take(at, whose(&regime, slot));
            for sample in samples {
                if found.send(Measured::Second(Box::new(sample))).is_err() {
                    return;
                }
            }
        }
    }
}

#[derive(Default)]
struct SlotUsers {
    counter: Counter,
    users: Users,
}

impl SlotUsers {
    /// The second's users of a slot; nothing at the first reading.
    fn second(
        &mut self,
        at: Millis,
        whose: Whose,
        counters: SlotCounters,
        own: Counts,
    ) -> Option<Sample> {
        let in_flight = counters.in_flight;
        let seen = self.counter.since_last(counters.into())?;
        let users = self.users.of(&seen, &own);
        Some(Sample {
            requests: Some(users.requests),
            failed: Some(users.failed),
            client_errors: Some(users.client_errors),
            latency_ms: users.latency_ms,
            in_flight: Some(in_flight),
            ..Sample::empty(at, whose, Origin::Users)
        })
    }
}

async fn read_router(
    mut router: Router,
    clock: Clock,
    shared: Rc<Shared>,
    found: UnboundedSender<Measured>,
) {
    let mut timer = seconds(clock);
    timer.reset_after(READ_EVERY);
    let mut slots = [SlotUsers::default(), SlotUsers::default()];
    loop {
        timer.tick().await;
        let writes = shared.writes.get();
        let stats = router.stats().await;
        if found.send(Measured::Router { readback: stats.readback, writes }).is_err() {
            return;
        }
        let own = std::mem::take(&mut *shared.own.borrow_mut());
        let (Some(counters), Some(regime)) = (stats.slots, *shared.regime.borrow()) else {
            continue;
        };
        let at = Millis(clock.now().0 / 1000 * 1000);
        let each = Slot::BOTH.into_iter().zip(counters).zip(own);
        for ((slot, counters), own) in each {
            let users = &mut slots[slot.index()];
            let Some(sample) = users.second(at, whose(&regime, slot), counters, own) else {
                continue;
            };
            // Green has no users before it is deployed, and nobody asks it.
            if slot != regime.blue && !regime.green && sample.requests == Some(0) {
                continue;
            }
            if found.send(Measured::Second(Box::new(sample))).is_err() {
                return;
            }
        }
    }
}
