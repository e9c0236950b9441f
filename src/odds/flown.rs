//! One release, flown on a plan through the core, and what came of it.

use super::catalogue::{Class, Outcome};
use super::model::{Air, BLUE, Counts, Knows};
use crate::clean::Clean;
use crate::plan::{
    Bound, CommandName, EvidencePlan, IdentityPlan, Migration, Plan, RouterKind, Signal,
};
use crate::runbook::{Core, Effect, Event, Kind, Record, RunFacts};
use crate::signal::Verdict;
use crate::sim::pilot::{self, Landing};
use crate::sim::{Flight, Router, Watcher, World};
use crate::units::{Millis, Split};

/// The p95 that a service is taken to have where nobody has measured it: as far under its limit as
/// the catalogue's is.
const UNDER: f64 = 325.0 / 250.0;
/// Where answers count as slow, if the plan has no limit over them, in milliseconds.
const SLOW_MS: f64 = 500.0;

/// How long a person leaves a way back alone that waits for Blue.
const PATIENCE: Millis = Millis::secs(60);

/// The service that releases are flown to: what stays the same whatever line of the plan changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Service {
    /// Requests a second of all users together.
    pub rps: f64,
    /// The users' p95 in milliseconds.
    pub p95_ms: f64,
    /// Above so many milliseconds an answer is slow to a user.
    pub slow_ms: f64,
}

impl Service {
    /// The service of a plan at this traffic; `p95_ms` is what was measured of its users.
    pub fn of(plan: &Plan, rps: f64, p95_ms: Option<f64>) -> Self {
        let slow_ms = slow_ms(plan);
        Self { rps, p95_ms: p95_ms.unwrap_or(slow_ms / UNDER), slow_ms }
    }
}

fn slow_ms(plan: &Plan) -> f64 {
    plan.limit(Signal::LatencyP95).map_or(SLOW_MS, |limit| match limit.above {
        Bound::Percent(value) | Bound::Millis(value) | Bound::Count(value) => value,
    })
}

/// A plan made ready to be flown, with what it means for a flight.
#[derive(Debug, Clone)]
pub struct Flyable {
    plan: Plan,
    air: Air,
    stride: Millis,
    cap: Millis,
    /// Whether any of the plan's requests touches what users touch.
    probes: bool,
}

impl Flyable {
    /// The plan as it is flown to this service. What only the real world could answer (names of
    /// releases, commands, gauges, the operator's word on a migration) is taken to be in order.
    pub fn new(plan: &Plan, service: &Service) -> Self {
        let mut plan = plan.clone();
        plan.release.next.get_or_insert_with(|| "next".to_owned());
        plan.release.migration = Migration::None;
        plan.identity = IdentityPlan::default();
        plan.evidence = EvidencePlan::default();
        plan.secrets.clear();
        plan.signals.clear();
        plan.limits.retain(|limit| !matches!(limit.signal, Signal::DbErrors | Signal::QueueDepth));
        plan.commands.argv.clear();
        plan.commands.argv.insert(CommandName::Deploy, vec!["deploy".to_owned()]);
        let knows = match plan.router.kind {
            RouterKind::Lab { .. } => Knows::All,
            RouterKind::Haproxy { .. } => Knows::Counts,
            RouterKind::Command { .. } => Knows::Nothing,
        };
        let air = Air { knows, slow_ms: service.slow_ms, exact_ms: slow_ms(&plan) };
        let rungs = plan.ramp.len().saturating_sub(1) as u64;
        let whole = plan.health.hold.0 + plan.soak.0 + plan.ramp_hold.0 * rungs + plan.watch.0 * 2;
        let cap = Millis(whole * 2 + plan.on_trip.shared_hold.0 + 3_600_000);
        let probes = !plan.probes.is_empty();
        Self { stride: stride(&plan), plan, air, cap, probes }
    }

    /// How long a deploy takes at least from the soak to the end of the watch.
    pub fn length(&self) -> Millis {
        let rungs = self.plan.ramp.len().saturating_sub(1) as u64;
        Millis(self.plan.soak.0 + self.plan.ramp_hold.0 * rungs + self.plan.watch.0)
    }

    /// The stride in which it is flown.
    pub const fn stride(&self) -> Millis {
        self.stride
    }
}

/// Five seconds where the windows of the plan are made of whole ones; else one second. A quarter
/// of a hold is a window too: one of half a minute or more may be out by less than a sample, a
/// shorter one may not.
fn stride(plan: &Plan) -> Millis {
    let five = |length: Millis| length.0.is_multiple_of(5_000);
    let fits =
        |hold: Millis| hold.0.is_multiple_of(20_000) || five(hold) && hold >= Millis::secs(30);
    let holds = plan.limits.iter().all(|limit| fits(limit.hold));
    let phases = [plan.soak, plan.ramp_hold, plan.watch, plan.health.hold];
    let known = plan.health.every <= Millis::secs(1) && plan.probe_every <= Millis::secs(1);
    Millis::secs(if holds && known && phases.into_iter().all(five) { 5 } else { 1 })
}

/// Where a flight ended, as a table counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// Green serves users, and stays.
    Kept,
    /// All users are on Blue.
    Back,
    /// A person has to answer.
    Asks,
}

/// What came of one release.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flown {
    /// Where it ended.
    pub end: Where,
    /// From the onset until all users were back, or a person was asked; nothing where neither
    /// happened.
    pub delay: Option<Millis>,
    /// Users' requests that Green failed or made slow until the flight's end, because of what is
    /// wrong with it.
    pub hurt: f64,
    /// What it goes on hurting until an hour after its onset, in seconds of all users, where it is
    /// bad and was not sent back. What a person decides who is asked nobody knows: it goes on.
    pub goes_on_s: f64,
    /// Whether it was held because both slots suffered.
    pub held: bool,
}

/// Notices that both slots suffer.
#[derive(Debug, Default)]
struct Both(bool);

impl Watcher for Both {
    fn stepped(&mut self, _: Millis, _: &Event, effects: &[Effect], _: &mut Core) {
        self.0 |= effects.iter().any(|effect| {
            matches!(effect, Effect::Record(Record::Verdict { judgement, .. })
                if judgement.verdict == Verdict::Shared)
        });
    }
}

impl Flown {
    /// Users' requests that it hurts in all, at this traffic: until it is sent back, or until an
    /// hour after its onset.
    pub fn hurts(&self, rps: f64) -> f64 {
        self.hurt + self.goes_on_s * rps
    }

    /// The same in seconds of all users.
    pub fn hurts_s(&self, rps: f64) -> f64 {
        self.goes_on_s + if rps > 0.0 { self.hurt / rps } else { 0.0 }
    }
}

/// Flies the release of this seed. `rps` is the traffic, which at night is not the service's.
pub fn fly(plan: &Flyable, service: &Service, outcome: Outcome, rps: f64, seed: u64) -> Flown {
    if outcome.class() == Class::Shared {
        flown::<Both>(plan, service, outcome, rps, seed, |both| both.0)
    } else {
        flown::<()>(plan, service, outcome, rps, seed, |()| false)
    }
}

fn flown<W: Watcher + Default>(
    plan: &Flyable,
    service: &Service,
    outcome: Outcome,
    rps: f64,
    seed: u64,
    held: fn(&W) -> bool,
) -> Flown {
    let (mut habits, release) = outcome.draw(super::Profile::Base, rps, seed);
    habits.p95_ms *= service.p95_ms / 250.0;
    if !plan.probes {
        // Health checks alone touch nothing of what users touch.
        habits.coverage = 0.0;
    }
    let model = Counts::new(plan.air.clone(), (habits, release), seed);
    let mut world = World::of(model);
    world.router = Router::new(Split::all_to(BLUE));
    let mut flight = Flight::<W, Counts>::new(plan.plan.clone(), facts(), world);
    flight.feed(Event::Begin);
    let landing = land(&mut flight, plan);
    let end = match landing {
        Landing::Kept => Where::Kept,
        Landing::RolledBack | Landing::Abandoned => Where::Back,
        Landing::Asks | Landing::Interrupted | Landing::TimeUp => Where::Asks,
    };
    let model = &mut flight.world.slots;
    let over = match end {
        Where::Kept => None,
        Where::Back => Some(model.back().unwrap_or(Millis::ZERO)),
        Where::Asks => Some(Millis(flight.now)),
    };
    let onset = model.onset().unwrap_or(Millis::ZERO);
    let stays = end != Where::Back && outcome.class() == Class::Roll;
    Flown {
        end,
        delay: over.map(|over| over.since(onset)),
        hurt: model.hurt(),
        goes_on_s: if stays { model.goes_on() } else { 0.0 },
        held: held(&flight.watcher),
    }
}

/// Flies a run that has begun to its end.
fn land<W: Watcher>(flight: &mut Flight<W, Counts>, plan: &Flyable) -> Landing {
    // Until the soak every second counts: one that is not ready is a break in readiness.
    let mut cap = Millis::ZERO;
    while !flight.world.slots.is_close() && cap < plan.cap {
        cap += Millis::secs(5);
        let landing = pilot::go_on(flight, cap);
        if landing != Landing::TimeUp {
            return landing;
        }
    }
    flight.stride = plan.stride;
    let mut patience = None;
    loop {
        let landing = pilot::go_on(flight, plan.cap);
        // A countdown that nobody stops is let run, and a Blue that is not ready is waited for.
        if landing != Landing::Asks || !flight.core.goes_back_by_itself() {
            return landing;
        }
        let wait = plan.plan.on_trip.countdown.0 + PATIENCE.0;
        let until: u64 = *patience.get_or_insert(flight.now + wait);
        if !flight.advance_to_next(until) {
            return landing;
        }
    }
}

fn facts() -> RunFacts {
    RunFacts {
        run: String::new(),
        kind: Kind::Rehearsal,
        host: Clean::new(""),
        began_unix_ms: 0,
        // Gates are answered as an operator would; what only a person can decide is told as such.
        attended: true,
        last_rollback: None,
        last_end: None,
        tells_gates: true,
        drilled: None,
        record: Default::default(),
    }
}
