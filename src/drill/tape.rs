//! What an operator saw and did in one flight, in order: the seconds that were measured, the
//! verdicts of the limits, and the deeds.
//!
//! A tape is made from a journal's run or, while it is flown, from a simulated flight; from here
//! on nobody asks which. It holds nothing that the operator could not have known: what was true
//! is a [`Truth`](super::truth::Truth).

use super::declare::{self, Said};
use crate::journal;
use crate::lab::Errand;
use crate::lab::scenario::answer::Declares;
use crate::plan::{CommandName, Signal};
use crate::runbook::snapshot::Stamp;
use crate::runbook::{Act, Command, Core, Effect, Event, Record, RunOutcome, View};
use crate::signal::{Sample, Verdict};
use crate::sim;
use crate::units::{Millis, Percent, Role, Slot};
use serde::{Deserialize, Serialize};

/// Who brought a deed about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A key.
    Operator,
    /// A limit, or a question's time that was up.
    Limit,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// The release is brought to Green.
    Deploy,
    /// More users are sent to Green: so many percent.
    Advance(u8),
    /// The run goes back; before any weight, Green is abandoned.
    Rollback {
        /// Who brought it about.
        by: By,
        /// Green's percent at that moment, if it was known.
        from: Option<u8>,
    },
    /// Nothing moves forward until the operator says so.
    Hold,
    /// The hold is over.
    GoOn,
    /// More time for the step that is timed.
    Extend,
    /// An act besides the cockpit's keys is declared.
    Declare(Declares),
    /// A declaration that nobody understood.
    Unheard(String),
    /// Something was noticed.
    Mark(String),
    /// A view was looked at.
    Look(View),
    /// Somebody at the site was asked for something.
    Errand(Errand),
    /// An item of evidence was looked at.
    LookAt(String),
    /// The next hint was asked for.
    Hint,
    /// What ran in Blue is ended for good.
    Decommission,
    /// The cockpit was given back to the shell for a while.
    Pause,
}

/// A deed, with its time and its step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Did {
    /// When.
    pub at: Millis,
    /// In which step of the runbook, 1 to 8.
    pub step: u8,
    /// What.
    pub deed: Deed,
}

/// A limit that says something else than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When.
    pub at: Millis,
    /// On which role.
    pub role: Role,
    /// Over which signal.
    pub signal: Signal,
    /// What it says now.
    pub verdict: Verdict,
}

/// A question that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its number.
    pub number: u32,
    /// Its words.
    pub words: String,
}

/// One flight as its operator had it. See the module's text.
#[derive(Debug, Clone, Default)]
pub struct Tape {
    /// Every second that was measured.
    pub samples: Vec<Sample>,
    /// Every change of what a limit says.
    pub told: Vec<Told>,
    /// Every deed.
    pub deeds: Vec<Did>,
    /// When each step began, where it did.
    pub steps: [Option<Millis>; 8],
    /// When the router reported that percentage on Green, after it was asked for.
    pub moved: Vec<(Millis, u8)>,
    /// The four stamps of the way back, as instants; nothing where one could not be had.
    pub stamps: [Option<Millis>; 4],
    /// How it ended.
    pub outcome: Option<RunOutcome>,
    /// When the last thing happened.
    pub ended: Millis,
    pub(super) blue: Option<Slot>,
    pub(super) green: Option<Percent>,
    pub(super) open: Vec<Asked>,
    pub(super) back_began: Option<Millis>,
    pub(super) held: bool,
}

impl Tape {
    /// The tape of a journal's run.
    pub fn of_run(run: &journal::Run) -> Self {
        let mut tape = Self::default();
        for turn in &run.turns {
            tape.take(turn.at, &turn.event, turn.effects.iter().map(|written| &written.effect));
        }
        tape
    }

    /// The tape of a simulated flight that kept its history.
    pub fn of_history(history: &sim::History) -> Self {
        let mut tape = Self::default();
        for past in &history.steps {
            tape.take(past.at, &past.event, past.effects.iter());
        }
        tape
    }

    /// Takes one step of a run: what happened at `at`, and what followed.
    pub fn take<'a>(
        &mut self,
        at: Millis,
        event: &Event,
        effects: impl Iterator<Item = &'a Effect>,
    ) {
        self.ended = self.ended.max(at);
        let command = match event {
            Event::Sample(sample) => {
                self.samples.push((**sample).clone());
                None
            }
            Event::Command(command) => Some(command),
            _ => None,
        };
        if let Some(command) = command {
            self.commanded(at, command);
        }
        let step = self.step();
        for effect in effects {
            match effect {
                Effect::Record(record) => self.recorded(at, step, record, command),
                Effect::Act { act, .. } if command.is_some() => self.acted(at, step, act),
                _ => {}
            }
        }
    }

    /// The step that the run is in, 1 to 8.
    pub fn step(&self) -> u8 {
        (1..=8).rev().find(|n| self.steps[usize::from(*n) - 1].is_some()).unwrap_or(1)
    }

    /// The question that is shown.
    pub fn question(&self) -> Option<&Asked> {
        self.open.last()
    }

    /// Whether the operator holds.
    pub const fn held(&self) -> bool {
        self.held
    }

    /// Whether the run goes, or went, back.
    pub const fn is_back(&self) -> bool {
        self.back_began.is_some()
    }

    /// For how long the run has gone back by `now`.
    pub fn back_for(&self, now: Millis) -> Millis {
        self.back_began.map_or(Millis::ZERO, |began| now.since(began))
    }

    /// Green's percent that was last asked for.
    pub fn green(&self) -> u8 {
        self.green.map_or(0, Percent::get)
    }

    /// The deeds that `which` names, with their times.
    pub fn did(&self, which: impl Fn(&Deed) -> bool) -> impl Iterator<Item = &Did> {
        self.deeds.iter().filter(move |did| which(&did.deed))
    }

    /// The way back, if it was taken.
    pub fn rollback(&self) -> Option<&Did> {
        self.did(|deed| matches!(deed, Deed::Rollback { .. })).next()
    }

    fn did_at(&mut self, at: Millis, step: u8, deed: Deed) {
        self.deeds.push(Did { at, step, deed });
    }

    fn commanded(&mut self, at: Millis, command: &Command) {
        let step = self.step();
        let deed = match command {
            Command::Note(note) => match declare::read(note.as_str()) {
                Some(Said::Mark(what)) => Deed::Mark(what),
                Some(Said::Declare(act)) => Deed::Declare(act),
                Some(Said::Unheard(words)) => Deed::Unheard(words),
                Some(Said::Look(item)) => Deed::LookAt(item),
                Some(Said::Hint) => Deed::Hint,
                Some(Said::Errand(errand)) => Deed::Errand(errand),
                None => return,
            },
            Command::Look(view) => Deed::Look(*view),
            Command::Suspend => Deed::Pause,
            _ => return,
        };
        self.did_at(at, step, deed);
    }

    fn recorded(&mut self, at: Millis, step: u8, record: &Record, command: Option<&Command>) {
        match record {
            Record::Blue { slot, .. } => self.blue = Some(*slot),
            Record::StepEntered { step } => {
                let place = usize::from(step.number()) - 1;
                self.steps[place] = self.steps[place].or(Some(at));
            }
            Record::Verdict { role, judgement } => self.told.push(Told {
                at,
                role: *role,
                signal: judgement.signal(),
                verdict: judgement.verdict,
            }),
            Record::Split { asked: Some(asked), read: Some(read), .. } if asked == read => {
                self.moved.push((at, *read));
            }
            Record::RollbackStarted { from, .. } => {
                self.back_began = Some(at);
                let by = if command.is_some() { By::Operator } else { By::Limit };
                self.did_at(at, step, Deed::Rollback { by, from: *from });
            }
            Record::Stamped { stamp, after_us, .. } => {
                let place = Stamp::ALL.iter().position(|known| known == stamp);
                if let (Some(place), Some(us), Some(began)) = (place, after_us, self.back_began) {
                    self.stamps[place] = Some(began + Millis(us / 1000));
                }
            }
            Record::Asked { question, words } => {
                self.open.push(Asked { number: *question, words: words.as_str().to_owned() });
            }
            Record::Answered { question, .. } => {
                self.open.retain(|open| open.number != *question);
            }
            // To hold is told in a line; who pressed what for it depends on what was asked.
            Record::Info(says) | Record::Warning(says) if command.is_some() => {
                let says = says.as_str();
                if says.starts_with("held:") || says.contains("the operator holds") {
                    self.held = true;
                    self.did_at(at, step, Deed::Hold);
                } else if says.starts_with("going on") {
                    self.held = false;
                    self.did_at(at, step, Deed::GoOn);
                } else if says.contains(" extended by ") {
                    self.did_at(at, step, Deed::Extend);
                }
            }
            Record::Ended { outcome, .. } => self.outcome = Some(*outcome),
            _ => {}
        }
    }

    fn acted(&mut self, at: Millis, step: u8, act: &Act) {
        let Some(blue) = self.blue else { return };
        match act {
            Act::SetRouter { split, rollback: false, .. } => {
                let green = split.share(blue.other());
                if green > self.green.unwrap_or(Percent::ZERO) {
                    self.did_at(at, step, Deed::Advance(green.get()));
                }
                self.green = Some(green);
            }
            Act::Run { command: CommandName::Deploy, slot, .. } if *slot != blue => {
                self.did_at(at, step, Deed::Deploy);
            }
            Act::Run { command: CommandName::Stop, slot, .. } if *slot == blue => {
                self.did_at(at, step, Deed::Decommission);
            }
            _ => {}
        }
    }
}

impl sim::Watcher for Tape {
    fn stepped(&mut self, now: Millis, event: &Event, effects: &[Effect], _: &mut Core) {
        self.take(now, event, effects.iter());
    }
}
