//! A story is flown: what happens in it happens to a flight that is watched, and at its end the
//! promises that speak of a whole run are asked for.

use super::story::{Ending, Gust, Story};
use crate::sim::witness::{Places, told as instant};
use crate::sim::{Broken, Flight, Health, Manner, Router, SlotWorld, World, facts};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use switchback::clean::Clean;
use switchback::plan::{CommandName, Plan};
use switchback::runbook::line::line;
use switchback::runbook::{Answer, Command, Effect, EffectId, Event, Outcome, Readback, Seen};
use switchback::signal::{Origin, Sample};
use switchback::units::{Millis, Percent, Role, Slot, Split};

/// What must hold of a whole run.
pub mod of_the_end {
    /// A key that works, in the end.
    pub const LEADS_TO_BLUE: &str =
        "From wherever a run is, r leads to Blue as soon as the world obeys.";
    /// A key that cannot work.
    pub const NEVER_QUIET: &str =
        "Where the world does not obey, a way back says so as long as it lasts.";
    /// Nobody at the keyboard.
    pub const EVERY_WAIT_ENDS: &str =
        "Where nobody is at the keyboard every run ends, unless both slots suffer.";
    /// The journal's promise.
    pub const REPLAYS: &str = "The same events give the same effects again, byte for byte.";
    /// The program's.
    pub const STANDS: &str = "The core never falls over.";
}

/// What came of a story.
#[derive(Debug, Clone, Copy)]
pub struct Flown {
    /// Where the run has been.
    pub places: Places,
    /// Simulated milliseconds.
    pub simulated: u64,
}

/// Everything that happened in the story, and what the run said of it, a line each.
pub type Log = Vec<String>;

/// Flies a story with this plan. What is broken is brought back; `log` gets what happened.
///
/// # Errors
/// The first invariant that does not hold.
pub fn fly(story: &Story, plan: &Plan, log: Option<&mut Log>) -> Result<Flown, Box<Broken>> {
    let mut pilot = Pilot::new(story, plan, log.is_some());
    let flown = catch_unwind(AssertUnwindSafe(|| pilot.flies(story)));
    if let Some(log) = log {
        *log = pilot.log();
    }
    flown.map_err(|payload| match payload.downcast::<Broken>() {
        Ok(broken) => broken,
        Err(_) => Box::new(Broken {
            says: of_the_end::STANDS.to_owned(),
            seen: FELL.with_borrow(Clone::clone),
            at: 0,
            after: "something in the story".to_owned(),
        }),
    })
}

thread_local! {
    /// How the core last fell over, and where.
    static FELL: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A core that falls over is told like anything else that breaks.
pub fn panics_are_told() {
    std::panic::set_hook(Box::new(|info| {
        FELL.with_borrow_mut(|fell| *fell = info.to_string().replace('\n', " "));
    }));
}

/// What a router says that gives Green so much.
pub fn reports(green: u8, worker: u64) -> Readback {
    Router { worker, ..Router::new(gives(green)) }.reports(gives(green))
}

/// The split that gives the second slot so much.
fn gives(green: u8) -> Split {
    Split::giving(Slot::Second, Percent::new(green).unwrap_or(Percent::ALL))
}

/// Whoever sits at the keyboard of a story, and whatever happens around them.
struct Pilot {
    flight: Flight,
    /// What happened, and how much the run had said before; nothing where nobody listens.
    told: Option<Vec<(usize, String)>>,
}

impl Pilot {
    fn new(story: &Story, plan: &Plan, listened_to: bool) -> Self {
        let mut facts = facts();
        facts.attended = story.attended;
        let mut world = World::default();
        world.slots.users = story.terms.users;
        world.router.split = gives(story.terms.starts);
        let blue = usize::from(story.terms.starts == 100);
        world.slots[blue] = SlotWorld::running("1.8.2");
        world.slots[1 - blue] = match plan.commands.has(CommandName::Deploy) {
            true => SlotWorld::empty(),
            // Where the plan has no deploy command, somebody has deployed by hand.
            false => SlotWorld::running(plan.release.next.as_deref().unwrap_or("1.9.0")),
        };
        let mut flight = crate::sim::flight(plan.clone(), facts, world);
        flight.watcher.watching.caught = true;
        Self { flight, told: listened_to.then(Vec::new) }
    }

    fn flies(&mut self, story: &Story) -> Flown {
        self.flight.feed(Event::Begin);
        self.tells(&format!("the run begins; {} of calm", Millis(story.calm)));
        self.presses(story.calm);
        for gust in &story.gusts {
            self.tells(&gust.to_string());
            self.blow(gust);
        }
        self.tells(&story.ending.to_string());
        match &story.ending {
            Ending::Open => {}
            Ending::Settled if self.flight.core.facts().attended => self.goes_back(),
            Ending::Settled => self.ends_by_itself(),
            Ending::Defied(manner) => self.is_defied(*manner),
        }
        let history = &self.flight.watcher.history;
        if let Err(differs) = history.replay(self.flight.plan(), self.flight.facts()) {
            self.breaks(of_the_end::REPLAYS, differs.to_string());
        }
        let places = self.flight.watcher.watching.witness.places;
        Flown { places, simulated: self.flight.now }
    }

    fn tells(&mut self, what: &str) {
        let said = self.flight.watcher.history.asked.len();
        if let Some(told) = &mut self.told {
            told.push((said, format!("{:>10}  {what}", instant(self.flight.now))));
        }
    }

    /// What happened and what the run said, in the order of time.
    fn log(&self) -> Log {
        let mut log = Log::new();
        let mut told = self.told.iter().flatten().peekable();
        for (n, (at, effect)) in self.flight.watcher.history.asked.iter().enumerate() {
            while let Some((_, what)) = told.next_if(|(said, _)| *said <= n) {
                log.push(what.clone());
            }
            if let Effect::Record(record) = effect
                && let Some(line) = line(record, Millis(*at))
            {
                log.push(format!("{:>10}      {:8} {}", instant(*at), line.topic, line.text));
            }
        }
        log.extend(told.map(|(_, what)| what.clone()));
        log
    }

    fn breaks(&mut self, says: &str, seen: String) -> ! {
        let at = self.flight.now;
        let after = "the story's end".to_owned();
        resume_unwind(Box::new(Broken { says: says.to_owned(), seen, at, after }));
    }

    // ---- what happens ----

    fn blow(&mut self, gust: &Gust) {
        let flight = &mut self.flight;
        match gust {
            Gust::Time(ms) => flight.advance(*ms),
            Gust::Fly(ms) => self.presses(*ms),
            Gust::Key(command) => flight.command(command.clone()),
            Gust::Answer(yes) => {
                if let Some(question) = flight.snapshot().question {
                    let answer = if *yes { Answer::Yes } else { Answer::No };
                    flight.command(Command::Answer { question: question.number, answer });
                }
            }
            Gust::Type => {
                if let Some(question) = flight.snapshot().question
                    && let Some(word) = question.type_word
                {
                    let answer = Answer::Typed(word);
                    flight.command(Command::Answer { question: question.number, answer });
                }
            }
            Gust::Between(gust, ms) => {
                self.until_next();
                self.flight.command(Command::Next);
                let question = self.flight.snapshot().question.map_or(0, |open| open.number);
                self.blow(gust);
                self.flight.advance(*ms);
                self.flight.command(Command::Answer { question, answer: Answer::Yes });
            }
            Gust::SecondThoughts(manner, ms, key) => {
                self.until_next();
                self.flight.world.router.behaves(*manner, Some(2));
                self.flight.command(Command::Next);
                self.blow(&Gust::Answer(true));
                self.flight.advance(*ms);
                self.flight.command(key.clone());
                self.flight.advance(*ms);
            }
            Gust::HeldOnly(ms) => {
                self.until_next();
                self.flight.command(Command::Hold);
                self.flight.advance(*ms);
                self.flight.command(Command::Next);
                self.blow(&Gust::Answer(true));
            }
            Gust::Ill(percent, other, ms) => {
                let blue = flight.core.blue().map_or(0, Slot::index);
                flight.world.slots[1 - blue].health = Health::Failing(*percent);
                flight.world.slots[blue].health = *other;
                self.presses(*ms);
            }
            Gust::Router(manner, writes) => flight.world.router.behaves(*manner, *writes),
            Gust::Others(green) => flight.world.router.split = gives(*green),
            Gust::OthersIn(ms, green) => {
                let split = gives(*green);
                flight.after(*ms, move |world| world.router.split = split);
            }
            Gust::Up(slot, up) => flight.world.router.up[*slot] = *up,
            Gust::Sleep(ms) => flight.sleeps_for(*ms),
            Gust::Restart(green) => flight.world.router.restarts(gives(*green)),
            Gust::Nobody(nobody) => flight.world.router.reports_nobody = *nobody,
            Gust::Unread(unread) => flight.world.routine_reads = !unread,
            Gust::Slot(slot, health) => flight.world.slots[*slot].health = *health,
            Gust::Both(health) => {
                flight.world.slots[0].health = *health;
                flight.world.slots[1].health = *health;
            }
            Gust::Users(users) => flight.world.slots.users = *users,
            Gust::Command(name, fate) => {
                flight.world.commands.insert(*name, *fate);
            }
            Gust::Journal(works) => flight.journal(*works),
            Gust::StubbornRouter(stubborn) => flight.world.router.honours_cancel = !stubborn,
            Gust::Slow(ms) => flight.world.router.delay = *ms,
            Gust::Die(ms) => flight.dies_for(*ms),
            Gust::Stray(n, attempt, good) => self.strays(*n, *attempt, *good),
            Gust::Saw(blue, after_us) => {
                let what = match blue {
                    true => Seen::FirstAnswer(Role::Blue),
                    false => Seen::LastAnswer(Role::Green),
                };
                flight.feed(Event::Seen { what, after_us: *after_us });
            }
            Gust::Nonsense(a, b) => self.nonsense(*a, *b),
        }
    }

    fn strays(&mut self, n: u32, attempt: u32, good: bool) {
        // Ids above what a run asks for are never in flight; those below may be long over.
        let effect = EffectId { n: n + 1_000, attempt };
        let outcome = match good {
            true => Outcome::Router(reports(100, 1)),
            false => Outcome::Kept(Clean::new("what?")),
        };
        self.flight.feed(Event::Done { effect, outcome, after_us: 1 });
    }

    fn nonsense(&mut self, a: u64, b: u64) {
        for from in [Origin::Users, Origin::Probes] {
            let sample = Sample {
                requests: Some(a),
                failed: Some(b),
                client_errors: Some(b),
                checks: Some(b),
                unready: Some(a),
                ready: Some(a > b),
                ..Sample::empty(Millis(a), Role::Green.into(), from)
            };
            self.flight.feed(Event::Sample(Box::new(sample)));
        }
    }

    // ---- who presses ----

    /// Lets time pass until space would do something, for twenty seconds at most.
    fn until_next(&mut self) {
        let end = self.flight.now + 20_000;
        let mut second = u64::MAX;
        loop {
            if self.flight.now / 1_000 != second {
                second = self.flight.now / 1_000;
                if self.flight.snapshot().next_open {
                    return;
                }
            }
            if !self.flight.advance_to_next(end) {
                return;
            }
        }
    }

    /// Takes the run forward with the keys, as a pilot in a hurry would.
    fn presses(&mut self, ms: u64) {
        let end = self.flight.now + ms;
        let mut second = u64::MAX;
        while self.flight.now < end {
            let routine = self.flight.core.routine().filter(|key| *key != Command::Leave);
            if let Some(key) = routine {
                self.flight.command(key);
            } else if self.flight.now / 1_000 != second {
                // What is no routine is looked for once a second.
                second = self.flight.now / 1_000;
                self.decides();
            }
            if !self.flight.advance_to_next(end) {
                return;
            }
        }
    }

    fn decides(&mut self) {
        let snap = self.flight.snapshot();
        if let Some(question) = snap.question {
            let forward = question.type_word.is_some()
                || ["Deploy", "Send", "Run", "The run was", "Contract", "The watch ended"]
                    .iter()
                    .any(|words| question.title.starts_with(words));
            let answer = match (forward, question.type_word) {
                (true, Some(word)) => Answer::Typed(word),
                (true, None) => Answer::Yes,
                (false, _) => Answer::No,
            };
            self.flight.command(Command::Answer { question: question.number, answer });
        } else if snap.next_open {
            self.flight.command(Command::Next);
        } else if snap.held {
            self.flight.command(Command::Hold);
        }
    }

    // ---- how it ends ----

    /// Presses what `--yes` presses, until the run has ended.
    fn ends_by_itself(&mut self) {
        let end = self.flight.now + 300_000;
        while self.flight.finish().is_none() {
            if let Some(key) = self.flight.core.routine() {
                self.flight.command(key);
            }
            if self.flight.finish().is_none() && !self.flight.advance_to_next(end) {
                let snap = self.flight.snapshot();
                let shared = self.flight.watcher.watching.witness.shared_at;
                if shared.is_some_and(|at| self.flight.now - at < 30_000) {
                    return;
                }
                let seen = format!("{:?} {:?} {:?}", snap.headline, snap.question, snap.checks);
                self.breaks(of_the_end::EVERY_WAIT_ENDS, seen);
            }
        }
    }

    /// The world obeys again, and the key is pressed.
    fn goes_back(&mut self) {
        let snap = self.flight.snapshot();
        let gone = self.flight.watcher.watching.witness.stopped;
        if snap.finish.is_some() || snap.blue.is_none() || gone {
            return;
        }
        let router = &mut self.flight.world.router;
        router.behaves(Manner::Obeys, None);
        router.delay = 2;
        router.reports_nobody = false;
        self.flight.nothing_changes_any_more();
        // What was written before may still land; the second look is there for it.
        self.flight.command(Command::Rollback);
        if let Some(question) = self.flight.snapshot().question
            && question.title == "Go back all the same?"
        {
            let answer = Command::Answer { question: question.number, answer: Answer::Yes };
            self.flight.command(answer);
        }
        self.flight.advance(8_000);
        if self.flight.snapshot().headline.state.starts_with("WAS BACK, NOW") {
            // A write has landed after all of its time had passed: that was said, and the key
            // means what it says.
            self.flight.command(Command::Rollback);
            self.flight.advance(3_000);
        }
        let snap = self.flight.snapshot();
        let there = self.flight.world.router.split.sole() == snap.blue;
        let verified = snap.rollback.is_some_and(|back| back.verified);
        if !there || !verified {
            let split = self.flight.world.router.split;
            self.breaks(of_the_end::LEADS_TO_BLUE, format!("{:?}, {split:?}", snap.headline));
        }
    }

    /// The key is pressed, and the router does not obey.
    fn is_defied(&mut self, manner: Manner) {
        let snap = self.flight.snapshot();
        let read = snap.traffic.read.is_none_or(|read| read == Percent::ZERO);
        let there = read || self.flight.world.router.split.sole() == snap.blue;
        let gone = self.flight.watcher.watching.witness.stopped;
        let attended = self.flight.core.facts().attended;
        if snap.finish.is_some() || snap.rollback.is_some() || there || gone || !attended {
            return;
        }
        self.flight.nothing_changes_any_more();
        self.flight.world.router.behaves(manner, None);
        self.flight.command(Command::Rollback);
        if self.flight.snapshot().rollback.is_none() {
            // A release that cannot be undone asks once more.
            return;
        }
        for _ in 0..4 {
            self.flight.advance(2_500);
            let snap = self.flight.snapshot();
            let unverified = snap.rollback.as_ref().is_some_and(|back| !back.verified);
            let loud = snap.alarm.is_some() && snap.headline.state.contains("ROLLING BACK");
            if !unverified || !loud {
                let seen = format!("{:?} {:?}", snap.headline, snap.alarm);
                self.breaks(of_the_end::NEVER_QUIET, seen);
            }
        }
    }
}
