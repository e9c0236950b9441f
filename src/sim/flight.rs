//! The loop: performs the core's effects with delays, and feeds it events in the order of time.
//!
//! It decides nothing and judges nothing. It knows nothing of how the core decides, only what an
//! engine knows: acts, outcomes, barriers, cancels, and when the core wants to be woken.

use super::model::Model;
use super::router::{self, Manner};
use super::slots::Slots;
use super::watcher::Watcher;
use super::world::{Fate, World};
use crate::clean::Clean;
use crate::plan::{CommandName, Plan};
use crate::runbook::{
    Act, Barrier, Command, Core, Effect, EffectId, End, Event, Fault, FaultKind, Finish, Outcome,
    Ran, Regime, RunFacts, Seen, Snapshot,
};
use crate::signal::Sample;
use crate::units::{Millis, Role, Slot, Split};
use std::collections::{BTreeMap, BTreeSet};

/// The longest stride in which the core is woken once a second besides.
const SECOND: u64 = 1_000;

/// A change of the world that waits for its moment.
type Change<M> = Box<dyn FnOnce(&mut World<M>)>;

/// What waits for its moment.
enum Arrival<M> {
    /// It reaches the core.
    Event(Event),
    /// An answer to an act, unless it was cancelled.
    Answer(EffectId, Outcome, u64),
    /// A write takes effect on the router, unless it was cancelled and the router honours that.
    Apply(EffectId, Split),
    /// The front door is asked once more whether Blue answers.
    Look(EffectId, u64),
    /// A command has brought a release to a slot.
    Deployed(Slot, String),
    /// A command has ended what ran in a slot.
    Stopped(Slot),
    /// The world changes.
    Change(Change<M>),
}

impl<M> Arrival<M> {
    /// Whether it happens to the world, whoever still looks at it.
    const fn is_of_the_world(&self) -> bool {
        matches!(self, Self::Change(_) | Self::Deployed(..) | Self::Stopped(_))
    }
}

/// A run in a simulated world: `W` looks at each step, `M` is what runs in the slots.
pub struct Flight<W = (), M = Slots> {
    /// The one that decides.
    pub core: Core,
    /// Everything outside of it.
    pub world: World<M>,
    /// Who looks at each step.
    pub watcher: W,
    /// Milliseconds since the run began.
    pub now: u64,
    /// How often slots and router are measured: once a second, or in longer strides where the
    /// model brings its counts so. It is whole seconds, and at most the five after which the
    /// limits decide and a router that was not read is not known any more.
    pub stride: Millis,
    plan: Plan,
    facts: RunFacts,
    arrivals: BTreeMap<(u64, u64), Arrival<M>>,
    counter: u64,
    cancelled: BTreeSet<EffectId>,
    behind_journal: Vec<(EffectId, Act)>,
    regime: Option<Regime>,
    routed: Option<Split>,
    /// The deploy command that runs, and where.
    deploying: Option<(EffectId, Slot)>,
    samples: Vec<Sample>,
}

impl<W: Watcher + Default, M: Model> Flight<W, M> {
    /// A run that has not begun, looked at by a fresh watcher.
    pub fn new(plan: Plan, facts: RunFacts, world: World<M>) -> Self {
        Self::watched(plan, facts, world, W::default())
    }
}

impl<W: Watcher, M: Model> Flight<W, M> {
    /// A run that has not begun, looked at by `watcher`.
    pub fn watched(plan: Plan, facts: RunFacts, world: World<M>, watcher: W) -> Self {
        Self {
            core: Core::new(plan.clone(), facts.clone()),
            world,
            watcher,
            now: 0,
            stride: Millis::secs(1),
            plan,
            facts,
            arrivals: BTreeMap::new(),
            counter: 0,
            cancelled: BTreeSet::new(),
            behind_journal: Vec::new(),
            regime: None,
            routed: None,
            deploying: None,
            samples: Vec::new(),
        }
    }

    /// The plan that is flown.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What is known of the run from its beginning.
    pub const fn facts(&self) -> &RunFacts {
        &self.facts
    }

    /// How things stand.
    pub fn snapshot(&mut self) -> Snapshot {
        self.core.snapshot()
    }

    /// How the run ended, once it has.
    pub fn finish(&self) -> Option<&Finish> {
        self.core.finish()
    }

    /// Something happens now.
    pub fn feed(&mut self, event: Event) {
        self.step(event);
    }

    /// The operator does something now.
    pub fn command(&mut self, command: Command) {
        self.step(Event::Command(command));
    }

    /// The world changes after so many milliseconds.
    pub fn after(&mut self, ms: u64, change: impl FnOnce(&mut World<M>) + 'static) {
        self.schedule(ms, Arrival::Change(Box::new(change)));
    }

    /// What was still to change by itself stays as it is.
    pub fn nothing_changes_any_more(&mut self) {
        self.arrivals.retain(|_, arrival| !arrival.is_of_the_world());
    }

    /// The journal fails or works again, and the core is told.
    pub fn journal(&mut self, works: bool) {
        self.world.journal_works = works;
        if !works {
            let fault = Fault::new(FaultKind::Local, "no space left on device", "free some");
            return self.step(Event::JournalFailed(fault));
        }
        self.step(Event::JournalRecovered { records: 0, samples: 0 });
        self.journal_catches_up();
    }

    /// What waited for the disk is done now; a disk that was only slow is never told of.
    pub fn journal_catches_up(&mut self) {
        self.world.journal_works = true;
        for (id, act) in std::mem::take(&mut self.behind_journal) {
            self.perform(id, &act);
        }
    }

    /// The process dies, is away for so many milliseconds, and the run is picked up.
    pub fn dies_for(&mut self, ms: u64) {
        // What was under way dies with it; what a router was already told does not.
        self.arrivals.retain(|_, arrival| arrival.is_of_the_world());
        self.behind_journal.clear();
        self.regime = None;
        self.watcher.process_died();
        self.now += ms;
        let attended = self.core.facts().attended;
        self.step(Event::Resumed { attended });
    }

    /// The machine sleeps: time passes, and nobody sees it. What was on its way comes afterwards.
    pub fn sleeps_for(&mut self, ms: u64) {
        self.now += ms;
        self.step(Event::Due);
    }

    /// Lets time pass.
    pub fn advance(&mut self, ms: u64) {
        let end = self.now + ms;
        while self.advance_to_next(end) {}
        self.now = end;
    }

    /// Lets time pass until something happens, at most until `end`; says whether it did.
    pub fn advance_to_next(&mut self, end: u64) -> bool {
        let stride = self.stride.0.max(1);
        let tick = (self.now / stride + 1) * stride;
        let due = self.core_due(stride).map_or(u64::MAX, |due| due.0);
        // What came while the machine slept is found when it wakes, and not before.
        let arrival = self.arrivals.keys().next().map_or(u64::MAX, |(at, _)| self.now.max(*at));
        let next = tick.min(due).min(arrival);
        if next > end {
            return false;
        }
        self.now = next;
        while let Some(key) = self.arrivals.keys().next().copied().filter(|(at, _)| *at <= next) {
            if let Some(arrival) = self.arrivals.remove(&key) {
                self.arrive(arrival);
                self.tell_routes();
            }
        }
        if next == tick {
            self.measure();
        }
        if next == due || self.core_due(stride).is_some_and(|due| due.0 <= self.now) {
            self.step(Event::Due);
        }
        true
    }

    /// When the core has to be woken. In longer strides the looks at the world that each second
    /// brings are left out: they come with what is measured.
    fn core_due(&self, stride: u64) -> Option<Millis> {
        if stride > SECOND { self.core.deadline() } else { self.core.next_due() }
    }

    /// The slots hear where users go, when that has changed.
    fn tell_routes(&mut self) {
        let split = self.world.router.split;
        if self.routed != Some(split) {
            self.routed = Some(split);
            self.world.slots.routed(Millis(self.now), split);
        }
    }

    /// The router behaves, and stands, as the slots' model wants, where it has a word in that.
    fn tell_manner(&mut self) {
        if let Some(split) = self.world.slots.moved(Millis(self.now)) {
            self.world.router.split = split;
        }
        if let Some(manner) = self.world.slots.manner(Millis(self.now)) {
            self.world.router.manner = manner;
        }
    }

    fn schedule(&mut self, ms: u64, arrival: Arrival<M>) {
        self.counter += 1;
        self.arrivals.insert((self.now + ms, self.counter), arrival);
    }

    fn step(&mut self, event: Event) {
        let at = Millis(self.now);
        let effects = if W::BLIND {
            self.core.step(event, at)
        } else {
            self.watcher.comes(at, &event, &mut self.core);
            let effects = self.core.step(event.clone(), at);
            self.watcher.stepped(at, &event, &effects, &mut self.core);
            effects
        };
        for effect in effects {
            match effect {
                Effect::Act { id, after: Barrier::Journal, act } if !self.world.journal_works => {
                    self.behind_journal.push((id, act));
                }
                Effect::Act { id, act, .. } => self.perform(id, &act),
                Effect::Cancel(id) => {
                    self.cancelled.insert(id);
                    if let Some((_, slot)) = self.deploying.take_if(|(deploy, _)| *deploy == id) {
                        self.world.slots.cut_off(at, slot);
                    }
                    self.behind_journal.retain(|(waiting, _)| *waiting != id);
                }
                Effect::Observe(regime) => {
                    self.regime = Some(regime);
                    self.world.slots.observed(at, &regime);
                }
                Effect::Record(_) | Effect::Finish(_) => {}
            }
        }
    }

    fn arrive(&mut self, arrival: Arrival<M>) {
        match arrival {
            Arrival::Event(event) => self.step(event),
            Arrival::Change(change) => change(&mut self.world),
            Arrival::Deployed(slot, release) => {
                self.deploying = None;
                self.world.slots.deployed(Millis(self.now), slot, &release);
            }
            Arrival::Stopped(slot) => self.world.slots.stopped(Millis(self.now), slot),
            Arrival::Apply(id, split) => {
                if !self.cancelled.contains(&id) || !self.world.router.honours_cancel {
                    self.world.router.split = split;
                }
            }
            Arrival::Answer(id, outcome, after_us) => {
                let done = Event::Done { effect: id, outcome, after_us };
                if !self.cancelled.contains(&id) {
                    self.step(done);
                } else if self.world.late_answers {
                    self.answer_late(done);
                }
            }
            Arrival::Look(id, until) => self.look(id, until),
        }
    }

    /// An answer to an act that was cancelled: it should change nothing at all.
    fn answer_late(&mut self, done: Event) {
        self.step(Event::Due);
        self.watcher.answers_late(Millis(self.now), &done, &mut self.core);
        self.step(done);
    }

    fn perform(&mut self, id: EffectId, act: &Act) {
        let delay = self.world.router.delay;
        self.tell_manner();
        match act {
            Act::ReadRouter => {
                if let Some(readback) = self.world.router.read() {
                    let outcome = Outcome::Router(readback);
                    self.schedule(delay, Arrival::Answer(id, outcome, delay * 1000));
                }
            }
            Act::SetRouter { split, timeout, expect, .. } => {
                self.write(id, *split, *expect, *timeout);
            }
            Act::PersistRouter => {
                let kept = Outcome::Kept(Clean::new("the split is kept for a restart"));
                self.schedule(1, Arrival::Answer(id, kept, 1_000));
            }
            Act::Capture { .. } => {
                let kept = Outcome::Kept(Clean::new("Green's last logs are kept"));
                self.schedule(50, Arrival::Answer(id, kept, 50_000));
            }
            Act::Chase { timeout, .. } => {
                self.schedule(30, Arrival::Look(id, self.now + timeout.0));
            }
            Act::Run { command, slot, timeout } => self.run(id, *command, *slot, *timeout),
        }
    }

    fn write(&mut self, id: EffectId, split: Split, expect: Option<Split>, timeout: Millis) {
        let router = &mut self.world.router;
        let delay = router.delay;
        // Right before the write it is read, where something must stand until then.
        if let (Some(expect), Some(stands)) = (expect, router.read())
            && stands.split().is_some_and(|split| split != expect)
        {
            let answer = Arrival::Answer(id, Outcome::Router(stands), delay * 1000);
            return self.schedule(delay, answer);
        }
        let answer = |outcome| Arrival::Answer(id, outcome, delay * 1000);
        match router.take_write() {
            Manner::Obeys => {
                self.schedule(delay, Arrival::Apply(id, split));
                let outcome = Outcome::Router(self.world.router.reports(split));
                self.schedule(delay, answer(outcome));
            }
            Manner::Partly(percent) => {
                let (from, to) = (self.world.router.split, split);
                let split = router::part_of_the_way(from, to, percent);
                self.schedule(delay, Arrival::Apply(id, split));
                let outcome = Outcome::Router(self.world.router.reports(split));
                self.schedule(delay, answer(outcome));
            }
            Manner::Refuses => {
                self.schedule(delay, answer(Outcome::Failed(router::refused())));
            }
            Manner::Ignores => {
                let outcome = Outcome::Router(router.reports(router.split));
                self.schedule(delay, answer(outcome));
            }
            Manner::Mute => {}
            Manner::Unreachable => {
                self.schedule(delay, answer(Outcome::Failed(router::unreachable())));
            }
            Manner::Late(ms) => {
                self.schedule(ms, Arrival::Apply(id, split));
                self.schedule(timeout.0, answer(Outcome::Failed(router::timed_out())));
            }
        }
    }

    fn run(&mut self, id: EffectId, command: CommandName, slot: Slot, timeout: Millis) {
        let fate = self.world.slots.fate(Millis(self.now), command, slot);
        let told = || self.world.commands.get(&command).copied().unwrap_or(Fate::Good(0));
        let fate = fate.unwrap_or_else(told);
        let (mut ms, end) = match fate {
            Fate::Good(ms) => (ms, End::Exit(0)),
            Fate::Fails(status, ms) => (ms, End::Exit(status)),
            Fate::Hangs => (timeout.0, End::TimedOut),
            Fate::Lost => return,
        };
        let good = end == End::Exit(0);
        let mut brings = None;
        if good && command == CommandName::Deploy {
            let planned = self.plan.release.next.clone().unwrap_or_default();
            let release = self.world.deploys.clone().unwrap_or(planned);
            if let Some(takes) = self.world.slots.deploying(Millis(self.now), slot, &release) {
                ms = takes.0;
            }
            self.deploying = Some((id, slot));
            brings = Some(release);
        }
        let ran = Ran { end, took: Millis(ms), tail: vec![Clean::new("last line")] };
        self.schedule(ms, Arrival::Answer(id, Outcome::Ran(ran), ms * 1000));
        if let Some(release) = brings {
            self.schedule(ms, Arrival::Deployed(slot, release));
        } else if good && command == CommandName::Stop {
            self.schedule(ms, Arrival::Stopped(slot));
        }
    }

    /// Asks the front door until Blue serves everybody, then tells what was seen.
    fn look(&mut self, id: EffectId, until: u64) {
        if self.cancelled.contains(&id) {
            return;
        }
        let at_blue = self.core.blue().is_some_and(|blue| {
            self.world.router.split.sole() == Some(blue) && self.world.slots.answers(blue)
        });
        if !at_blue && self.now < until {
            return self.schedule(50, Arrival::Look(id, until));
        }
        if at_blue {
            for (ms, what) in
                [(2, Seen::FirstAnswer(Role::Blue)), (9, Seen::LastAnswer(Role::Green))]
            {
                let seen = Event::Seen { what, after_us: ms * 1000 };
                self.schedule(ms, Arrival::Event(seen));
            }
        }
        let kept = Outcome::Kept(Clean::new("the front door was asked"));
        self.schedule(20, Arrival::Answer(id, kept, 20_000));
    }

    /// A second has passed: samples and a routine read reach the core.
    fn measure(&mut self) {
        let Some(regime) = self.regime else { return };
        self.tell_routes();
        let split = self.world.router.split;
        let mut samples = std::mem::take(&mut self.samples);
        let (at, span) = (Millis(self.now), self.stride);
        self.world.slots.seconds(at, span, &regime, split, &mut samples);
        for mut sample in samples.drain(..) {
            sample.span = (span != Millis::secs(1)).then_some(span);
            self.step(Event::Sample(Box::new(sample)));
        }
        self.samples = samples;
        self.tell_manner();
        if self.world.routine_reads
            && let Some(readback) = self.world.router.read()
        {
            self.step(Event::Read(readback));
        }
    }
}
