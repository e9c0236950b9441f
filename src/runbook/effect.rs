//! Everything that a run can ask of the world, as data.

use super::record::Record;
use crate::plan::CommandName;
use crate::units::{Millis, Slot, Split};
use serde::{Deserialize, Serialize};

/// Names one act, with its attempt, so that a late answer to an old question is known for what
/// it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EffectId {
    /// Counts the acts of a run from 1.
    pub n: u32,
    /// Counts the attempts at one act from 1.
    pub attempt: u32,
}

/// What follows from an event.
#[expect(clippy::large_enum_variant, reason = "records are most of the effects")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Write down what happened.
    Record(Record),
    /// Do something and report how it ended as [`Event::Done`](super::event::Event::Done).
    Act {
        /// Its name.
        id: EffectId,
        /// What must be true before it may be done.
        after: Barrier,
        /// What to do.
        act: Act,
    },
    /// End an act that is in flight: close its connection, kill its process group. It is done
    /// before any later effect of the same list, and reports nothing of its own.
    Cancel(EffectId),
    /// Measure like this from now on.
    Observe(Regime),
    /// The run is over.
    Finish(Finish),
}

/// What must be true before an act may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Barrier {
    /// Nothing: a rollback waits for no disk.
    Nothing,
    /// Its intent, and every record before it, is on disk.
    Journal,
}

/// An act. One that is not cancelled ends in one outcome, as soon as the engine knows it; where
/// none comes in time the core gives the act up, and a later one is not believed. One that is
/// cancelled reports nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Read the split.
    ReadRouter,
    /// Write the split, then read it back.
    SetRouter {
        /// The split to write.
        split: Split,
        /// How long writing and reading back may take.
        timeout: Millis,
        /// Whether this is the way back: it then has its own connection and goes ahead of all.
        rollback: bool,
        /// The split that must stand until now. Where another one is read right before the write,
        /// nothing is written, and the outcome is what was read: somebody else was here. The way
        /// back expects nothing and asks nothing first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expect: Option<Split>,
    },
    /// Let the router keep the split that it reports, so that it survives a restart.
    PersistRouter,
    /// Run one of the operator's commands for a slot.
    Run {
        /// Which command.
        command: CommandName,
        /// For which slot.
        slot: Slot,
        /// Its process group is killed after this long.
        timeout: Millis,
    },
    /// Keep Green's last logs, health bodies and series before anything of it is stopped.
    Capture {
        /// Green's slot.
        slot: Slot,
    },
    /// Ask the front door, as fast as is decent, until Blue's first answer and Green's last were
    /// seen.
    Chase {
        /// Blue's slot.
        blue: Slot,
        /// Give up then.
        timeout: Millis,
    },
}

/// How to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regime {
    /// Which slot is Blue.
    pub blue: Slot,
    /// Whether Green is probed too.
    pub green: bool,
    /// Time between the checks of a slot.
    pub every: Millis,
    /// Whether the plan's synthetic requests are sent.
    pub synthetic: bool,
    /// Whether they are sent through the front door as well.
    pub front: bool,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finish {
    /// In a word.
    pub outcome: RunOutcome,
    /// The exit code.
    pub exit: u8,
    /// In a sentence, for the line that stays on the terminal.
    pub says: String,
}

/// How a run ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Green serves users, and stays.
    Kept,
    /// All traffic is back on Blue, verified.
    RolledBack,
    /// No weight ever reached Green.
    Abandoned,
    /// The cockpit ended before the run did; it can be resumed.
    Interrupted,
    /// Something of ours or of the world failed before the run could begin.
    Failed,
}

impl RunOutcome {
    /// The word in journal and on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::RolledBack => "rolled back",
            Self::Abandoned => "abandoned",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}
