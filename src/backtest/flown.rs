//! A run, from its journal: its inputs are stepped as its core stepped them.
//!
//! The core judges at every input, whatever it is, and its steps say when Green is judged afresh;
//! both are in the journal. What the core decided then is not decided again: under other limits
//! the run would have gone another way, and here it goes the way that it went.

use super::told::Told;
use crate::journal::{Opened, Run};
use crate::plan::{Plan, Signal};
use crate::runbook::{Act, Command, Effect, Event, OTHERS_USERS, Record, RunOutcome, Step};
use crate::signal::{self, Cadence, Judge};
use crate::units::{Millis, Slot};

/// After a longer silence than this nobody watched meanwhile, and Green is judged afresh.
const LEAP: Millis = Millis::secs(10);
/// How the question begins whether a run that was cut off shall go on.
const CUT_OFF: &str = "The run was cut off in step";

/// What Blue's record was when the run began, as far as it holds under these limits: how many
/// answers were late hangs on the limit.
fn record(plan: &Plan, opened: &Opened) -> signal::Record {
    let mut record = opened.facts.record.clone();
    let bound = |plan: &Plan| plan.limit(Signal::LatencyP95).map(|limit| limit.above);
    if bound(plan) != bound(&opened.plan) {
        record.users.remove(&Signal::LatencyP95);
        record.probes.remove(&Signal::LatencyP95);
    }
    record
}

/// One input: nothing where it is missing, and only what followed from it is known.
struct Input<'r> {
    n: u64,
    at: Millis,
    event: Option<&'r Event>,
    effects: Vec<&'r Effect>,
}

/// Judges a run by the limits of `plan`.
pub fn flown(plan: &Plan, run: &Run) -> Told {
    let whole = run.turns.iter().map(|turn| (turn.n, turn.at, Some(&turn.event), &turn.effects));
    let loose = run.loose.iter().map(|turn| (turn.n, turn.at, None, &turn.effects));
    let mut inputs: Vec<Input<'_>> = whole
        .chain(loose)
        .map(|(n, at, event, effects)| {
            let effects = effects.iter().map(|written| &written.effect).collect();
            Input { n, at, event, effects }
        })
        .collect();
    inputs.sort_by_key(|input| input.n);
    let mut flight = Flight::new(plan, &run.opened);
    inputs.iter().for_each(|input| flight.step(input));
    flight.told.seen = (flight.judge.requests(), flight.judge.needed());
    flight.told
}

/// A run that is stepped again.
struct Flight {
    judge: Judge,
    cadence: Cadence,
    now: Millis,
    begun: bool,
    finished: bool,
    /// Whether it can be picked up once it has ended.
    reopens: bool,
    blue_is_gone: bool,
    blue: Option<Slot>,
    /// Whether Green is judged: from the soak on.
    judged: bool,
    going_back: bool,
    suspended: bool,
    /// The question whether a run that was picked up shall go on.
    go_on: Option<u32>,
    told: Told,
}

impl Flight {
    fn new(plan: &Plan, opened: &Opened) -> Self {
        Self {
            judge: Judge::of_green(plan, &record(plan, opened)),
            cadence: Cadence::live(),
            now: Millis::ZERO,
            begun: false,
            finished: false,
            reopens: false,
            blue_is_gone: false,
            blue: None,
            judged: false,
            going_back: false,
            suspended: false,
            go_on: None,
            told: Told::new(plan),
        }
    }

    fn step(&mut self, input: &Input<'_>) {
        let silent = input.at.since(self.now);
        self.now = self.now.max(input.at);
        let resumed = matches!(input.event, Some(Event::Resumed { .. }));
        self.finished &= !(resumed && self.reopens);
        if self.finished {
            return;
        }
        if self.begun && !resumed && silent > LEAP {
            self.suspended = false;
            self.afresh();
        }
        match input.event {
            Some(Event::Sample(sample)) => {
                let mut sample = (**sample).clone();
                sample.at = sample.at.min(self.now);
                self.told.heard(&sample);
                self.cadence.heard(&sample);
                self.judge.add(&sample);
            }
            Some(Event::Resumed { .. }) => {
                (self.suspended, self.go_on) = (false, None);
            }
            Some(Event::Command(Command::Suspend)) => self.suspended = true,
            Some(Event::Command(Command::Continue)) if std::mem::take(&mut self.suspended) => {
                self.afresh();
            }
            _ => {}
        }
        // The operator's answer is heard before the limits, and one that time gave after them.
        let goes_on = self.goes_on(input);
        let by_hand = matches!(input.event, Some(Event::Command(_) | Event::Autopilot(_)));
        if goes_on && by_hand {
            self.afresh();
        }
        // What the limits say after the operator's own way back has begun is not its cause.
        let started =
            |effect: &&Effect| matches!(effect, Effect::Record(Record::RollbackStarted { .. }));
        if matches!(input.event, Some(Event::Command(Command::Rollback)))
            && input.effects.iter().any(started)
        {
            self.told.goes_back_itself(input.at);
        }
        // A yes does not overtake a trip that is due: users are judged from then on, not before.
        self.evaluate();
        if goes_on && !by_hand {
            self.afresh();
        }
        input.effects.iter().for_each(|effect| self.follow(effect, input));
    }

    fn evaluate(&mut self) {
        while let Some(at) = self.cadence.due(self.now) {
            if self.judged {
                let changes = self.judge.evaluate(at);
                self.told.changed(&self.judge, changes, at);
            }
        }
    }

    /// Nobody watched in between.
    fn afresh(&mut self) {
        if self.judged && !self.going_back && self.judge.tripped().is_none() {
            self.judge.again_from(self.now);
        }
    }

    /// Whether a run that was picked up goes on with this input.
    fn goes_on(&mut self, input: &Input<'_>) -> bool {
        let mut goes_on = false;
        for effect in &input.effects {
            match effect {
                Effect::Record(Record::Asked { question, words })
                    if words.as_str().starts_with(CUT_OFF) =>
                {
                    self.go_on = Some(*question);
                }
                Effect::Record(Record::Answered { question, how })
                    if self.go_on == Some(*question) =>
                {
                    self.go_on = None;
                    goes_on = how.as_str() != "withdrawn";
                }
                _ => {}
            }
        }
        goes_on
    }

    fn follow(&mut self, effect: &Effect, input: &Input<'_>) {
        match effect {
            Effect::Record(Record::Blue { slot, .. }) => self.blue = Some(*slot),
            Effect::Record(Record::StepEntered { step: Step::Confirm }) => self.begun = true,
            Effect::Record(Record::StepEntered { step: Step::Soak }) => {
                self.judged = true;
                self.judge.soak_from(self.now);
            }
            Effect::Record(Record::Info(says)) if says.as_str().starts_with(OTHERS_USERS) => {
                if self.judged && self.judge.tripped().is_none() {
                    self.judge.users_from(self.now);
                    self.told.switched.get_or_insert(input.at);
                } else {
                    self.judge.freeze();
                }
            }
            Effect::Record(Record::RollbackStarted { .. }) => {
                self.going_back = true;
                self.told.goes_back_itself(input.at);
            }
            Effect::Act {
                id, act: Act::SetRouter { split, rollback: false, expect, .. }, ..
            } => {
                // The first step of the ramp, each time that it is asked for.
                let first = id.attempt == 1
                    && expect.and_then(|expect| expect.sole()) == self.blue
                    && split.sole() != self.blue;
                if first {
                    self.judge.users_from(self.now);
                    self.told.switched.get_or_insert(input.at);
                }
            }
            // In step 8 the cockpit tells, and does not go back by itself.
            Effect::Record(Record::StepEntered { step: Step::Warm }) => self.told.kept = true,
            Effect::Record(Record::StepPassed { step: Step::Warm, .. }) => self.blue_is_gone = true,
            Effect::Finish(finish) => {
                self.finished = true;
                // One that went back, or whose Blue is gone, is over.
                self.reopens = match finish.outcome {
                    RunOutcome::Interrupted => true,
                    RunOutcome::Kept => !self.blue_is_gone,
                    _ => false,
                };
            }
            _ => {}
        }
    }
}
