//! What a run writes down about itself, in the words of the screen.
//!
//! Records are the timeline: the journal keeps them, the cockpit's log shows them, plain mode
//! prints them. Each is one line.

use super::effect::RunOutcome;
use super::gate::{Check, GateState};
use super::snapshot::Stamp;
use super::step::Step;
use crate::clean::Clean;
use crate::runbook::event::View;
use crate::signal::Judgement;
use crate::units::{Millis, Slot};
use serde::{Deserialize, Serialize};

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Which slot is Blue in this run.
    Blue {
        /// The slot.
        slot: Slot,
        /// Its name.
        name: Clean,
    },
    /// Something is not as the last run on this router left it.
    Outside {
        /// How it was when that run ended.
        was: Clean,
        /// How it is now.
        is: Clean,
        /// What to say about it.
        says: Clean,
    },
    /// A step has begun.
    StepEntered {
        /// Which one.
        step: Step,
    },
    /// A step has ended well.
    StepPassed {
        /// Which one.
        step: Step,
        /// How long it took.
        took: Millis,
    },
    /// A gate says something else than before.
    Gate {
        /// Of which step.
        step: Step,
        /// What it says.
        state: GateState,
        /// Why.
        checks: Vec<Check>,
    },
    /// The router was told something, and what it said afterwards.
    Split {
        /// Green's percent that was asked for, if anything was.
        asked: Option<u8>,
        /// Green's percent that the router reports.
        read: Option<u8>,
        /// Microseconds from asking to the answer.
        took_us: u64,
        /// What to say about it.
        says: Clean,
    },
    /// A limit says something else than before.
    Verdict {
        /// On which role.
        role: crate::units::Role,
        /// What, with its numbers.
        judgement: Judgement,
    },
    /// The way back has begun.
    RollbackStarted {
        /// Why.
        why: Clean,
        /// Green's percent at that moment, if it is known.
        from: Option<u8>,
    },
    /// One of the four stamps.
    Stamped {
        /// Which one.
        stamp: Stamp,
        /// Microseconds since the rollback began; nothing if it could not be had.
        after_us: Option<u64>,
        /// What to say about it.
        says: Clean,
    },
    /// A question was put to the operator.
    Asked {
        /// Its number.
        question: u32,
        /// Its words.
        words: Clean,
    },
    /// A question was answered, or its time was up.
    Answered {
        /// Its number.
        question: u32,
        /// How.
        how: Clean,
    },
    /// A command of the plan has begun or ended.
    Command {
        /// Which, and how it went.
        says: Clean,
        /// Its last lines, once it has ended.
        tail: Vec<Clean>,
        /// Whether it went well; nothing while it runs.
        good: Option<bool>,
    },
    /// The operator's remark.
    Note(Clean),
    /// What the operator looked at.
    Looked(View),
    /// Something that the operator should know.
    Warning(Clean),
    /// Something that is good to know.
    Info(Clean),
    /// The run is over.
    Ended {
        /// In a word.
        outcome: RunOutcome,
        /// The exit code.
        exit: u8,
        /// In a sentence.
        says: Clean,
    },
}

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Good news.
    Good,
    /// Neither.
    Plain,
    /// Worth a look.
    Warn,
    /// Bad news.
    Bad,
}

/// A line of the log, as the screen and plain mode show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When.
    pub at: Millis,
    /// Who or what speaks: `router`, `limit`, `step`, `note`, ...
    pub topic: String,
    /// What is said.
    pub text: String,
    /// How loud.
    pub tone: Tone,
}
