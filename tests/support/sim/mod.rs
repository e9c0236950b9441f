//! A small pure world for the core: a router, two slots, commands, a journal and a clock, all of
//! them data. It performs the core's effects with delays and feeds it events in the order of time,
//! so that a run of an hour takes a blink and goes the same way each time.
//!
//! [`Flight`] is the loop, [`World`] what can go wrong, [`Rules`] what must hold after each step,
//! whatever happens. It knows no tokio, and nothing of how the core decides.

mod plan;
mod router;
mod rules;
mod slots;

pub use plan::{facts, plan};
pub use router::{Manner, Router};
pub use rules::Rules;
pub use slots::{Health, SlotWorld};

use std::collections::{BTreeMap, BTreeSet};
use switchback::clean::Clean;
use switchback::plan::{CommandName, Plan};
use switchback::runbook::{
    Act, Barrier, Command, Core, Effect, EffectId, End, Event, Fault, FaultKind, Finish, Outcome,
    Ran, Regime, RunFacts, Seen, Snapshot,
};
use switchback::units::{Millis, Role, Slot, Split};

/// How one of the operator's commands ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Well, after so many milliseconds.
    Good(u64),
    /// With this status, after so many milliseconds.
    Fails(i32, u64),
    /// Not by itself: it is killed when its time is up.
    Hangs,
    /// Nobody ever hears of it again.
    Lost,
}

/// Everything outside the core, and what is wrong with it.
#[derive(Debug, Clone)]
pub struct World {
    pub router: Router,
    pub slots: [SlotWorld; 2],
    pub commands: BTreeMap<CommandName, Fate>,
    pub journal_works: bool,
    /// Users a second, as the router counts them; nothing where it does not count.
    pub users: Option<u64>,
    /// Requests in flight on Blue, where the router knows.
    pub blue_in_flight: Option<u64>,
    /// Whether an answer to an act that was cancelled still comes, much later.
    pub late_answers: bool,
    /// The release that the deploy command brings; the plan's unless told.
    pub deploys: Option<String>,
    /// Whether the router is read once a second by routine.
    pub routine_reads: bool,
}

impl Default for World {
    fn default() -> Self {
        Self {
            router: Router::new(Split::all_to(Slot::First)),
            slots: [SlotWorld::running("1.8.2"), SlotWorld::empty()],
            commands: CommandName::ALL.into_iter().map(|name| (name, Fate::Good(2_000))).collect(),
            journal_works: true,
            users: Some(20),
            blue_in_flight: None,
            late_answers: true,
            deploys: None,
            routine_reads: true,
        }
    }
}

/// What waits for its moment.
enum Arrival {
    /// It reaches the core.
    Event(Event),
    /// An answer to an act, unless it was cancelled.
    Answer(EffectId, Outcome, u64),
    /// A write takes effect on the router, unless it was cancelled and the router honours that.
    Apply(EffectId, Split),
    /// The front door is asked once more whether Blue answers.
    Look(EffectId, u64),
    /// The world changes.
    Change(Box<dyn FnOnce(&mut World)>),
}

/// A run in a simulated world.
pub struct Flight {
    pub core: Core,
    pub world: World,
    pub rules: Rules,
    /// Milliseconds since the run began.
    pub now: u64,
    /// Everything that was asked of the world, and when.
    pub asked: Vec<(u64, Effect)>,
    plan: Plan,
    facts: RunFacts,
    events: Vec<(u64, Event)>,
    effects: Vec<Vec<Effect>>,
    arrivals: BTreeMap<(u64, u64), Arrival>,
    counter: u64,
    cancelled: BTreeSet<EffectId>,
    behind_journal: Vec<(EffectId, Act)>,
    regime: Option<Regime>,
}

impl Flight {
    /// A run that has not begun.
    pub fn new(plan: Plan, facts: RunFacts, world: World) -> Self {
        Self {
            core: Core::new(plan.clone(), facts.clone()),
            world,
            rules: Rules::default(),
            now: 0,
            asked: Vec::new(),
            plan,
            facts,
            events: Vec::new(),
            effects: Vec::new(),
            arrivals: BTreeMap::new(),
            counter: 0,
            cancelled: BTreeSet::new(),
            behind_journal: Vec::new(),
            regime: None,
        }
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
    pub fn after(&mut self, ms: u64, change: impl FnOnce(&mut World) + 'static) {
        self.schedule(ms, Arrival::Change(Box::new(change)));
    }

    /// What was still to change by itself stays as it is.
    pub fn nothing_changes_any_more(&mut self) {
        self.arrivals.retain(|_, arrival| !matches!(arrival, Arrival::Change(_)));
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
        self.arrivals.retain(|_, arrival| matches!(arrival, Arrival::Change(_)));
        self.behind_journal.clear();
        self.regime = None;
        self.rules.process_died();
        self.now += ms;
        let attended = self.core.snapshot().facts.attended;
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
        let second = (self.now / 1000 + 1) * 1000;
        let due = self.core.next_due().map_or(u64::MAX, |due| due.0);
        let arrival = self.arrivals.keys().next().map_or(u64::MAX, |(at, _)| *at);
        let next = second.min(due).min(arrival);
        if next > end {
            return false;
        }
        self.now = next;
        while let Some(key) = self.arrivals.keys().next().copied().filter(|(at, _)| *at <= next) {
            if let Some(arrival) = self.arrivals.remove(&key) {
                self.arrive(arrival);
            }
        }
        if next == second {
            self.measure();
        }
        if self.core.next_due().is_some_and(|due| due.0 <= self.now) || next == due {
            self.step(Event::Due);
        }
        true
    }

    /// Feeds the same events to a fresh core: every effect must come out the same, byte for byte.
    pub fn replays(&self) {
        let mut core = Core::new(self.plan.clone(), self.facts.clone());
        for ((at, event), effects) in self.events.iter().zip(&self.effects) {
            let again = core.step(event.clone(), Millis(*at));
            let (was, is) = (to_json(effects), to_json(&again));
            assert_eq!(was, is, "replay of {event:?} at {at}");
        }
    }

    fn schedule(&mut self, ms: u64, arrival: Arrival) {
        self.counter += 1;
        self.arrivals.insert((self.now + ms, self.counter), arrival);
    }

    fn step(&mut self, event: Event) {
        let effects = self.core.step(event.clone(), Millis(self.now));
        self.rules.check(self.now, &event, &effects, &mut self.core);
        self.events.push((self.now, event));
        self.effects.push(effects.clone());
        for effect in effects {
            self.asked.push((self.now, effect.clone()));
            match effect {
                Effect::Act { id, after: Barrier::Journal, act } if !self.world.journal_works => {
                    self.behind_journal.push((id, act));
                }
                Effect::Act { id, act, .. } => self.perform(id, &act),
                Effect::Cancel(id) => {
                    self.cancelled.insert(id);
                    self.behind_journal.retain(|(waiting, _)| *waiting != id);
                }
                Effect::Observe(regime) => self.regime = Some(regime),
                Effect::Record(_) | Effect::Finish(_) => {}
            }
        }
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Event(event) => self.step(event),
            Arrival::Change(change) => change(&mut self.world),
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

    /// An answer to an act that was cancelled: it changes nothing at all.
    fn answer_late(&mut self, done: Event) {
        self.step(Event::Due);
        let before = to_json(&self.core.snapshot());
        self.step(done.clone());
        assert_eq!(self.effects.last().map(Vec::len), Some(0), "late {done:?} did something");
        assert_eq!(before, to_json(&self.core.snapshot()), "late {done:?} was believed");
    }

    fn perform(&mut self, id: EffectId, act: &Act) {
        let delay = self.world.router.delay;
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
        let fate = self.world.commands.get(&command).copied().unwrap_or(Fate::Good(0));
        let (ms, end) = match fate {
            Fate::Good(ms) => (ms, End::Exit(0)),
            Fate::Fails(status, ms) => (ms, End::Exit(status)),
            Fate::Hangs => (timeout.0, End::TimedOut),
            Fate::Lost => return,
        };
        let ran = Ran { end, took: Millis(ms), tail: vec![Clean::new("last line")] };
        self.schedule(ms, Arrival::Answer(id, Outcome::Ran(ran), ms * 1000));
        if end == End::Exit(0) {
            let planned = self.plan.release.next.clone().unwrap_or_default();
            let next = self.world.deploys.clone().unwrap_or(planned);
            match command {
                CommandName::Deploy => self.schedule(
                    ms,
                    Arrival::Change(Box::new(move |world| {
                        world.slots[slot.index()].starts(&next);
                    })),
                ),
                CommandName::Stop => self.schedule(
                    ms,
                    Arrival::Change(Box::new(move |world| {
                        world.slots[slot.index()].health = Health::Gone;
                    })),
                ),
                _ => {}
            }
        }
    }

    /// Asks the front door until Blue serves everybody, then tells what was seen.
    fn look(&mut self, id: EffectId, until: u64) {
        if self.cancelled.contains(&id) {
            return;
        }
        let at_blue = self.core.blue().is_some_and(|blue| {
            self.world.router.split.sole() == Some(blue) && self.world.slots[blue.index()].answers()
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
        let at = Millis(self.now);
        for role in Role::BOTH {
            let slot = if role == Role::Blue { regime.blue } else { regime.blue.other() };
            let share = u64::from(self.world.router.split.share(slot).get());
            let in_flight = if role == Role::Blue { self.world.blue_in_flight } else { None };
            let users = self.world.users;
            let world = &mut self.world.slots[slot.index()];
            let probes = role == Role::Blue || regime.green;
            let mut samples = Vec::new();
            if probes {
                samples.extend(world.probes(at, role, regime.every));
            }
            if let Some(users) = users {
                samples.push(world.users(at, role, users * share, in_flight));
            }
            for sample in samples {
                self.step(Event::Sample(Box::new(sample)));
            }
        }
        if self.world.routine_reads
            && let Some(readback) = self.world.router.read()
        {
            self.step(Event::Read(readback));
        }
    }
}

/// Serialised, for comparisons to the byte.
pub fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data serialises")
}
