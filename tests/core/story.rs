//! Stories: a run told in sentences. What is pressed, what happens in the world, what is seen.
//! A story that does not come true says where it stopped, with the headline and the whole log.

use crate::sim::{Fate, Flight, Health, Manner, World, facts, flight, plan, replays};
use std::fmt::Write;
use switchback::clean::Clean;
use switchback::plan::{CommandName, Migration, Plan};
use switchback::runbook::line::line;
use switchback::runbook::snapshot::{Question, StampState};
use switchback::runbook::surroundings::LastEnd;
use switchback::runbook::{
    Act, Answer, Command, Effect, Finish, GateState, Interrupt, RunFacts, RunOutcome, Snapshot,
    Step,
};
use switchback::units::{Millis, Percent, Slot, Split};

/// A story's run. Blue is `left`, the first slot; Green is `right`.
pub struct Story {
    pub flight: Flight,
}

/// What a story begins with.
pub struct Given {
    plan: Plan,
    facts: RunFacts,
    world: World,
}

/// A run of the short plan in a world where nothing is wrong.
pub fn given() -> Given {
    Given { plan: plan(), facts: facts(), world: World::default() }
}

impl Given {
    pub fn plan(mut self, change: impl FnOnce(&mut Plan)) -> Self {
        change(&mut self.plan);
        self
    }

    pub fn world(mut self, change: impl FnOnce(&mut World)) -> Self {
        change(&mut self.world);
        self
    }

    pub fn command(self, name: CommandName) -> Self {
        self.plan(|plan| {
            plan.commands.argv.insert(name, vec!["true".to_owned()]);
        })
    }

    /// The deploy command ends like this.
    pub fn command_fate(self, fate: Fate) -> Self {
        self.world(|world| {
            world.commands.insert(CommandName::Deploy, fate);
        })
    }

    pub fn irreversible(self) -> Self {
        self.plan(|plan| plan.release.migration = Migration::Irreversible)
    }

    pub fn asks_on_trip(self) -> Self {
        self.plan(|plan| plan.on_trip.ask = true)
    }

    pub fn hard_switch(self) -> Self {
        self.plan(|plan| plan.ramp = vec![Percent::ALL])
    }

    pub fn after(mut self, last_end: LastEnd) -> Self {
        self.facts.last_end = Some(last_end);
        self
    }

    pub fn nobody_at_the_keyboard(mut self) -> Self {
        self.facts.attended = false;
        self
    }

    pub fn of_an_older_program(mut self) -> Self {
        self.facts.tells_gates = false;
        self
    }

    pub fn begins(self) -> Story {
        let mut story = Story { flight: flight(self.plan, self.facts, self.world) };
        story.flight.feed(switchback::runbook::Event::Begin);
        story
    }

    /// Begins, and is flown by the keys as far as `place`.
    pub fn reaches(self, place: Place) -> Story {
        self.begins().reaches(place)
    }
}

/// A place in the runbook that a story wants to be at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Step 1, the router not read yet.
    Reading,
    /// Step 1, gate open.
    Confirmed,
    /// Step 2, the migration runs.
    Migrating,
    /// Step 2, the deploy command runs.
    Deploying,
    Readiness,
    Soak,
    /// Step 5, no user on Green, gate open.
    BeforeSwitch,
    /// Step 5, the write of this share is in flight.
    Writing(u8),
    /// Step 5, this share stands and is held.
    Holding(u8),
    Watch,
    /// Step 7, the question.
    Unproven,
    /// Step 8, Blue is warm.
    Kept,
    /// Step 8, the window has passed.
    Idle,
    /// Step 8, Blue is being stopped.
    Stopping,
    /// Step 8, Blue is gone.
    Gone,
}

impl Place {
    /// Every place that a run of the short plan goes through.
    pub const ALONG: [Self; 13] = [
        Self::Reading,
        Self::Confirmed,
        Self::Deploying,
        Self::Readiness,
        Self::Soak,
        Self::BeforeSwitch,
        Self::Writing(10),
        Self::Holding(10),
        Self::Writing(50),
        Self::Holding(50),
        Self::Watch,
        Self::Kept,
        Self::Idle,
    ];

    fn is_here(self, snap: &Snapshot) -> bool {
        let state = snap.headline.state.as_str();
        let read = snap.traffic.read.map_or(255, Percent::get);
        let running = snap.running.as_ref().map_or("", |(name, _)| name.as_str());
        match self {
            Self::Reading => snap.blue.is_none(),
            Self::Confirmed => snap.step == Step::Confirm && snap.gate == GateState::Open,
            Self::Migrating => running == "migrate",
            Self::Deploying => running == "deploy",
            Self::Readiness => snap.step == Step::Readiness,
            Self::Soak => snap.step == Step::Soak,
            Self::BeforeSwitch => state.contains("READY TO SWITCH"),
            Self::Writing(share) => state.contains(&format!("SWITCHING TO {share} %")),
            Self::Holding(share) => read == share && state.contains("HOLDING"),
            Self::Watch => snap.step == Step::Watch,
            Self::Unproven => state.contains("UNPROVEN"),
            Self::Kept => state.contains("BLUE WARM"),
            Self::Idle => state.contains("BLUE IDLE"),
            Self::Stopping => running == "stop",
            Self::Gone => state.contains("BLUE GONE"),
        }
    }
}

impl Story {
    pub fn snap(&mut self) -> Snapshot {
        self.flight.snapshot()
    }

    // ---- what the operator does ----

    pub fn presses(mut self, command: Command) -> Self {
        self.flight.command(command);
        self
    }

    pub fn space(self) -> Self {
        self.presses(Command::Next)
    }

    pub fn r(self) -> Self {
        self.presses(Command::Rollback)
    }

    pub fn h(self) -> Self {
        self.presses(Command::Hold)
    }

    pub fn q(self) -> Self {
        self.presses(Command::Leave)
    }

    pub fn plus(self) -> Self {
        self.presses(Command::Extend)
    }

    pub fn notes(self, text: &str) -> Self {
        self.presses(Command::Note(Clean::new(text)))
    }

    pub fn terminal_goes_away(self) -> Self {
        self.presses(Command::Interrupt(Interrupt::Hangup))
    }

    pub fn answers(mut self, answer: Answer) -> Self {
        let question = self.question().number;
        self.presses(Command::Answer { question, answer })
    }

    pub fn yes(self) -> Self {
        self.answers(Answer::Yes)
    }

    pub fn no(self) -> Self {
        self.answers(Answer::No)
    }

    pub fn types(self, word: &str) -> Self {
        self.answers(Answer::Typed(Clean::new(word)))
    }

    // ---- what the world does ----

    pub fn waits(mut self, secs: u64) -> Self {
        self.flight.advance(secs * 1000);
        self
    }

    pub fn waits_ms(mut self, ms: u64) -> Self {
        self.flight.advance(ms);
        self
    }

    pub fn world(mut self, change: impl FnOnce(&mut World)) -> Self {
        change(&mut self.flight.world);
        self
    }

    pub fn blue_is(self, health: Health) -> Self {
        self.world(|world| world.slots[0].health = health)
    }

    pub fn green_is(self, health: Health) -> Self {
        self.world(|world| world.slots[1].health = health)
    }

    pub fn router(self, manner: Manner) -> Self {
        self.world(|world| world.router.behaves(manner, None))
    }

    pub fn router_for(self, writes: u32, manner: Manner) -> Self {
        self.world(|world| world.router.behaves(manner, Some(writes)))
    }

    pub fn somebody_else_sets(self, green: u8) -> Self {
        self.world(|world| world.router.split = gives(green))
    }

    pub fn command_will(self, name: CommandName, fate: Fate) -> Self {
        self.world(|world| {
            world.commands.insert(name, fate);
        })
    }

    pub fn journal(mut self, works: bool) -> Self {
        self.flight.journal(works);
        self
    }

    /// The disk was slow, and nobody was told of it.
    pub fn journal_comes_back_quietly(mut self) -> Self {
        self.flight.journal_catches_up();
        self
    }

    pub fn is_killed_and_resumed_after(mut self, secs: u64) -> Self {
        self.flight.dies_for(secs * 1000);
        self
    }

    // ---- getting somewhere ----

    /// Waits until something is so.
    pub fn until(mut self, what: &str, is_so: impl Fn(&Snapshot) -> bool) -> Self {
        let end = self.flight.now + 900_000;
        loop {
            if is_so(&self.snap()) {
                return self;
            }
            if !self.flight.advance_to_next(end) {
                self.fail(&format!("waited in vain until {what}"));
            }
        }
    }

    /// Waits until the headline says this.
    pub fn until_it_says(self, words: &str) -> Self {
        self.until(words, |snap| snap.headline.state.contains(words))
    }

    /// Presses space and yes wherever they are wanted, until the run is at `place`.
    pub fn reaches(mut self, place: Place) -> Self {
        let end = self.flight.now + 1_800_000;
        loop {
            let snap = self.snap();
            if place.is_here(&snap) {
                return self;
            }
            if snap.finish.is_some() {
                self.fail(&format!("the run ended before {place:?}"));
            }
            if let Some(Question { number, type_word, .. }) = snap.question {
                let answer = type_word.map_or(Answer::Yes, Answer::Typed);
                self.flight.command(Command::Answer { question: number, answer });
            } else if snap.next_open {
                self.flight.command(Command::Next);
            } else if !self.flight.advance_to_next(end) {
                self.fail(&format!("never came to {place:?}"));
            }
        }
    }

    // ---- what is seen ----

    pub fn question(&mut self) -> Question {
        match self.snap().question {
            Some(question) => question,
            None => self.fail("no question is open"),
        }
    }

    /// The headline says this.
    pub fn says(mut self, words: &str) -> Self {
        let snap = self.snap();
        let head =
            format!("{} · {} · {}", snap.headline.state, snap.headline.going, snap.headline.next);
        if head.contains(words) { self } else { self.fail(&format!("it does not say {words:?}")) }
    }

    /// The question that is open is about this.
    pub fn asks(mut self, words: &str) -> Self {
        let question = self.question();
        let text = format!("{} {}", question.title, question.lines.join(" "));
        if text.contains(words) { self } else { self.fail(&format!("asks not {words:?}: {text}")) }
    }

    pub fn asks_nothing(mut self) -> Self {
        match self.snap().question {
            None => self,
            Some(question) => self.fail(&format!("asks {:?}", question.title)),
        }
    }

    /// The alarm says this.
    pub fn alarms(mut self, words: &str) -> Self {
        let alarm = self.snap().alarm;
        match alarm {
            Some(alarm) if alarm.text.contains(words) => self,
            other => self.fail(&format!("no alarm {words:?}: {other:?}")),
        }
    }

    /// A line of the log says this.
    pub fn tells(self, words: &str) -> Self {
        if self.log().contains(words) { self } else { self.fail(&format!("never told {words:?}")) }
    }

    /// A check of the gate says this.
    pub fn gate_says(mut self, state: GateState, words: &str) -> Self {
        let snap = self.snap();
        let said = snap.checks.iter().any(|check| check.says.contains(words));
        if snap.gate == state && said {
            return self;
        }
        self.fail(&format!("gate {:?} {:#?}, not {state:?} {words:?}", snap.gate, snap.checks))
    }

    /// The router really gives Green so much.
    pub fn green_has(self, share: u8) -> Self {
        let real = self.flight.world.router.split;
        if real == gives(share) { self } else { self.fail(&format!("the router has {real:?}")) }
    }

    pub fn is_in(mut self, step: Step) -> Self {
        let now = self.snap().step;
        if now == step { self } else { self.fail(&format!("in {now:?} and not in {step:?}")) }
    }

    pub fn is_going_back(mut self) -> Self {
        if self.snap().rollback.is_some() { self } else { self.fail("is not going back") }
    }

    pub fn is_not_going_back(mut self) -> Self {
        if self.snap().rollback.is_none() { self } else { self.fail("is going back") }
    }

    /// All four stamps have a time.
    pub fn has_four_stamps(mut self) -> Self {
        let back = self.snap().rollback;
        let all = back.is_some_and(|b| b.stamps.iter().all(|s| matches!(s, StampState::After(_))));
        if all { self } else { self.fail("not all four stamps have a time") }
    }

    pub fn exits(self, code: u8, outcome: RunOutcome) -> Self {
        match self.flight.finish().cloned() {
            Some(Finish { exit, outcome: how, .. }) if exit == code && how == outcome => {
                replays(&self.flight);
                self
            }
            other => self.fail(&format!("no exit {code}: {other:?}")),
        }
    }

    pub fn goes_on(self) -> Self {
        match self.flight.finish().cloned() {
            None => self,
            Some(finish) => self.fail(&format!("ended: {finish:?}")),
        }
    }

    /// How many writes were asked for since the beginning: towards Green, and back.
    pub fn writes(&self) -> (usize, usize) {
        let count = |back: bool| {
            self.flight
                .watcher
                .history
                .asked
                .iter()
                .filter(|(_, effect)| {
                    matches!(
                        effect,
                        Effect::Act { act: Act::SetRouter { rollback, .. }, .. } if *rollback == back
                    )
                })
                .count()
        };
        (count(false), count(true))
    }

    /// The log, as plain mode prints it.
    pub fn log(&self) -> String {
        let mut text = String::new();
        for (at, effect) in &self.flight.watcher.history.asked {
            if let Effect::Record(record) = effect
                && let Some(line) = line(record, Millis(*at))
            {
                let _ = writeln!(text, "{:>9.3}  {:8} {}", *at as f64 / 1e3, line.topic, line.text);
            }
        }
        text
    }

    fn fail(&self, why: &str) -> ! {
        let snap = self.flight.core.clone().snapshot();
        panic!(
            "{why}\nat {} ms: {:?}\nquestion: {:?}\nchecks: {:#?}\nlog:\n{}",
            self.flight.now,
            snap.headline,
            snap.question.map(|question| question.title),
            snap.checks,
            self.log()
        );
    }
}

/// The split that gives Green so much.
pub fn gives(green: u8) -> Split {
    Split::giving(Slot::Second, Percent::new(green).expect("a percentage"))
}
