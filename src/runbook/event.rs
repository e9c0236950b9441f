//! Everything that can happen to a run.

use super::effect::EffectId;
use super::readback::{Fault, FaultKind, Readback};
use crate::clean::Clean;
use crate::signal::Sample;
use crate::units::{Millis, Role};
use serde::{Deserialize, Serialize};

/// Something happened. Events are the only way in: the operator, the world and the clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The run begins, for the first time.
    Begin,
    /// A run that was cut off is picked up. Whatever was in flight is unknown.
    Resumed {
        /// Whether somebody is at the keyboard now, whoever it was before.
        attended: bool,
    },
    /// The operator did something.
    Command(Command),
    /// `--yes` pressed a key, where nobody is there.
    Autopilot(Command),
    /// A second was measured.
    Sample(Box<Sample>),
    /// The router was read, as it is routinely.
    Read(Readback),
    /// Something about the router that the operator should know before the first write.
    Caution(Clean),
    /// An act has ended, well or badly.
    Done {
        /// Which one, with its attempt.
        effect: EffectId,
        /// How it ended.
        outcome: Outcome,
        /// Microseconds from the event that caused the act to its end.
        after_us: u64,
    },
    /// An answer was seen that the four stamps wait for.
    Seen {
        /// Which one.
        what: Seen,
        /// Microseconds since the rollback began.
        after_us: u64,
    },
    /// The journal cannot be written.
    JournalFailed(Fault),
    /// The journal can be written again, and says itself what was too much to be kept.
    JournalRecovered {
        /// Records that are missing from it.
        #[serde(default)]
        records: u64,
        /// Seconds that are missing from the samples.
        #[serde(default)]
        samples: u64,
    },
    /// The time that the core asked to be woken at has come.
    Due,
}

/// What the operator can do. The screen sends these and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// All traffic back to Blue.
    Rollback,
    /// The next step, if its gate is open.
    Next,
    /// An answer to the question that is open; stale numbers are ignored.
    Answer {
        /// The question's number.
        question: u32,
        /// What was answered.
        answer: Answer,
    },
    /// Stay where we are; pressed again: go on.
    Hold,
    /// More time for the step that is being timed.
    Extend,
    /// A remark for the record.
    Note(Clean),
    /// The operator looks at something; drills ask who looked where.
    Look(View),
    /// The operator leaves. While Green has weight this opens a question first.
    Leave,
    /// The terminal is gone, or the process is asked to end. Traffic stays.
    Interrupt(Interrupt),
    /// The terminal is given back to the shell for a while (Ctrl-Z).
    Suspend,
    /// The terminal was taken again.
    Continue,
}

/// An answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Do it.
    Yes,
    /// Do not.
    No,
    /// The typed word.
    Typed(Clean),
}

/// What can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The cockpit.
    Cockpit,
    /// The run's timeline, whole.
    Log,
    /// What the commands printed.
    Output,
    /// The limits and gates in full.
    Limits,
    /// The keys.
    Help,
}

/// Why the cockpit ends without the operator's wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interrupt {
    /// The terminal went away.
    Hangup,
    /// The process was asked to end.
    Terminate,
    /// The screen failed.
    Screen,
}

/// How an act ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The router was read, after having been written if that was the act.
    Router(Readback),
    /// A command ended.
    Ran(Ran),
    /// Something was written down or kept.
    Kept(Clean),
    /// It could not be done.
    Failed(Fault),
}

impl Outcome {
    /// The fault, where it could not be done; an outcome that does not fit its act is one too.
    pub fn into_fault(self) -> Fault {
        match self {
            Self::Failed(fault) => fault,
            Self::Router(_) | Self::Ran(_) | Self::Kept(_) => {
                Fault::new(FaultKind::Garbage, "the answer does not fit the act", "report this")
            }
        }
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// In which way.
    pub end: End,
    /// How long it ran.
    pub took: Millis,
    /// Its last lines.
    pub tail: Vec<Clean>,
}

/// In which way a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// By itself, with this status.
    Exit(i32),
    /// By this signal of somebody else's.
    Signal(i32),
    /// We killed its process group when its time was up.
    TimedOut,
    /// We killed its process group because the operator went back.
    Cancelled,
}

impl End {
    /// Whether it did what it was asked.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Exit(0))
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exit(0) => f.write_str("ended well"),
            Self::Exit(status) => write!(f, "ended with status {status}"),
            Self::Signal(signal) => write!(f, "was ended by signal {signal}"),
            Self::TimedOut => f.write_str("took too long and was killed"),
            Self::Cancelled => f.write_str("was killed to go back"),
        }
    }
}

/// An answer that the stamps wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// The first answer of this role after the router was there.
    FirstAnswer(Role),
    /// The last answer of this role: nothing of it is in flight any more.
    LastAnswer(Role),
}
