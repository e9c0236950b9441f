//! What a journal holds: inputs, what followed from them, and how the run began and ended.
//!
//! Inputs and effects are the core's own types, whole, so that nothing but the journal is needed
//! to live a run again. An input has a number that counts all inputs of the run from 1; an effect
//! carries the number of the input it followed from.

use super::noted::Noted;
use crate::clean::Clean;
use crate::plan::Plan;
use crate::runbook::{Command, Effect, Event, Outcome, RunFacts, RunOutcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version that we write. A reader refuses a greater one.
pub const VERSION: u32 = 1;
/// Counts additions that an older reader may pass over.
pub const MINOR: u32 = 1;

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// The run was opened: the first record.
    Opened(Box<Opened>),
    /// The journal was opened again after it had been cut off.
    Resumed(Resumed),
    /// Something happened.
    Input {
        /// The input's number.
        n: u64,
        /// What happened.
        event: Event,
    },
    /// What followed from an input.
    Effect {
        /// The number of that input.
        n: u64,
        /// What followed.
        effect: Effect,
    },
    /// The samples so far, as a digest.
    Samples(SamplesDigest),
    /// Something about the evidence itself.
    Noted(Noted),
    /// Lines could not be kept while the journal could not be written.
    Lost(Lost),
    /// The run is over: the last record.
    Closed(Closed),
}

/// How a run began. With it, a replay needs nothing but the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// Version of the journal.
    pub journal: u32,
    /// Additions to it.
    #[serde(default)]
    pub minor: u32,
    /// Version of the program.
    pub program: String,
    /// Who is at the keyboard, as the system names them.
    #[serde(default)]
    pub operator: Option<Clean>,
    /// What the router is known by; the lock and the age of the way back go by it.
    pub router: Clean,
    /// What stays the same through the run.
    pub facts: RunFacts,
    /// SHA-256 of the plan file's bytes, in hex.
    pub plan_sha256: String,
    /// What the command line said instead of the plan, such as `release`.
    #[serde(default)]
    pub overrides: BTreeMap<String, Clean>,
    /// The plan as it is meant.
    pub plan: Plan,
}

impl Opened {
    /// How a run begins, written by this program in this version.
    pub fn new(facts: RunFacts, plan: Plan, router: &str) -> Self {
        Self {
            journal: VERSION,
            minor: MINOR,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            operator: None,
            router: Clean::new(router),
            facts,
            plan_sha256: plan.digest.clone(),
            overrides: BTreeMap::new(),
            plan,
        }
    }
}

/// A journal that had been cut off was opened again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// Version of the program.
    pub program: String,
    /// The greatest number of an input that was found.
    pub n: u64,
    /// Bytes of a half-written line that were taken away.
    pub torn_bytes: u64,
    /// The same of the samples.
    pub torn_sample_bytes: u64,
}

/// The samples so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamplesDigest {
    /// How many lines.
    pub lines: u64,
    /// SHA-256 over these lines, in hex.
    pub sha256: String,
}

/// What was not written while the journal could not be, because more waited than memory may hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Records that are missing.
    pub records: u64,
    /// Lines of samples that are missing.
    pub samples: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// In a word.
    pub outcome: RunOutcome,
    /// The exit code.
    pub exit: u8,
    /// In a sentence.
    pub says: Clean,
    /// How long the way back took in microseconds, if the run took it and it was verified.
    #[serde(default)]
    pub rollback_us: Option<u64>,
    /// When, in milliseconds since 1970.
    pub ended_unix_ms: i64,
}

/// Who a record speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The person at the keyboard.
    Operator,
    /// This program.
    Cockpit,
    /// The router.
    Router,
    /// One of the plan's commands.
    Command,
    /// A request of ours.
    Probe,
}

impl Entry {
    /// Who it speaks of.
    pub const fn actor(&self) -> Actor {
        match self {
            Self::Input { event, .. } => match event {
                Event::Command(Command::Interrupt(_)) => Actor::Cockpit,
                Event::Command(_) => Actor::Operator,
                Event::Sample(_) | Event::Seen { .. } => Actor::Probe,
                Event::Read(_) | Event::Done { outcome: Outcome::Router(_), .. } => Actor::Router,
                Event::Done { outcome: Outcome::Ran(_), .. } => Actor::Command,
                _ => Actor::Cockpit,
            },
            _ => Actor::Cockpit,
        }
    }
}
