//! The account of a run: everything that a report says of it, in one place and in plain data.
//!
//! It is derived from the run's journal and recordings and from nothing else, so that whoever has
//! the bundle can derive it again. The report, its Markdown, the tables for assessors' tools and
//! the transcript are renderings of it and add nothing. What is not known is absent, never zero.

mod before;
mod beside;
mod build;
mod cast;
mod compared;
mod cuts;
mod gates;
mod told;

pub use before::Before;
pub use cuts::Cut;
pub use gates::{GateEnd, GateTold};

use super::exercise::Exercise;
use crate::clean::Clean;
use crate::journal::{Declared, RecordingClosed, RecordingLost, Run};
use crate::plan::{Limit, Migration};
use crate::runbook::record::Tone;
use crate::runbook::snapshot::{Stamp, StepState};
use crate::runbook::{Kind, RunOutcome, Step};
use crate::signal::{Judgement, Sample};
use crate::units::{Millis, Role};
use std::collections::BTreeMap;
use std::path::Path;

/// Everything that a report says of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The run's id.
    pub run: String,
    /// Its kind.
    pub kind: Kind,
    /// The host that it was flown from.
    pub host: Clean,
    /// The service.
    pub service: Clean,
    /// Who was at the keyboard, as the system names them.
    pub operator: Option<Clean>,
    /// Whether anybody was.
    pub attended: bool,
    /// The marking line, if the plan declares one.
    pub marking: Option<Clean>,
    /// The program's version.
    pub program: String,
    /// When it began, in milliseconds since 1970.
    pub began_unix_ms: i64,
    /// When it ended; nothing while it has not.
    pub ended_unix_ms: Option<i64>,
    /// How it ended; nothing where it was cut off.
    pub outcome: Option<RunOutcome>,
    /// The exit code.
    pub exit: Option<u8>,
    /// How it ended, in a sentence.
    pub says: Clean,
    /// SHA-256 of the plan's bytes, in hex.
    pub plan_sha256: String,
    /// What the command line said instead of the plan.
    pub overrides: BTreeMap<String, Clean>,
    /// What the router is known by.
    pub router: Clean,
    /// The slots' names; Blue first, once it is known.
    pub slots: [Clean; 2],
    /// Whether Blue is known.
    pub blue_known: bool,
    /// What Blue ran, declared or read.
    pub current: Option<Clean>,
    /// What Green was to run.
    pub next: Option<Clean>,
    /// What the release does to the data.
    pub migration: Migration,
    /// Reason, reference, impact, commit and artefact, as far as declared.
    pub change: BTreeMap<String, Clean>,
    /// What was put down before the first change; nothing in journals of older programs.
    pub declared: Option<Declared>,
    /// When users were first moved or Green first touched, in the run's time: the first change.
    pub first_change: Option<Millis>,
    /// The eight steps.
    pub steps: Vec<StepTold>,
    /// Where nobody watched: the run was cut off or left, and picked up again.
    pub cuts: Vec<Cut>,
    /// Each gate as it last stood when its step was over.
    pub gates: Vec<GateTold>,
    /// What was planned against what was.
    pub compared: Vec<Compared>,
    /// Users' requests while the run was flown.
    pub users: Users,
    /// The way back, if it was taken.
    pub back: Option<Back>,
    /// Green's percent from an instant on: each change of the split, as the router reported it.
    pub switches: Vec<(Millis, u8)>,
    /// The limits, as sealed.
    pub limits: Vec<Limit>,
    /// The split as the router was last read: when, and Green's percent.
    pub last_read: Option<(Millis, u8)>,
    /// What tripped before the way back began: when, on which role, and its numbers.
    pub trips: Vec<(Millis, Role, Judgement)>,
    /// What tripped when the way back had begun already: no cause of it.
    pub later_trips: Vec<(Millis, Role, Judgement)>,
    /// What the watch ended with where it proved too little, in the run's words.
    pub unproven: Option<Clean>,
    /// What was changed outside Switchback, in sentences.
    pub outside: Vec<Clean>,
    /// The timeline.
    pub timeline: Vec<Moment>,
    /// How often each rule has masked something.
    pub redacted: BTreeMap<String, u64>,
    /// Marks of masking that stand in journal and logs; counted only where a killed process took
    /// its own counts with it.
    pub marks: Option<u64>,
    /// When the second person has approved, as their approval says: RFC 3339.
    pub approved_at: Option<Clean>,
    /// Of a drill that was debriefed: what it was an exercise of, and what came of it. What does not
    /// fit the journal is not told.
    pub exercise: Option<Exercise>,
    /// The recordings.
    pub recordings: Vec<Recording>,
    /// Every measured second, for the plots.
    pub samples: Vec<Sample>,
    /// What is still owed after the run.
    pub owed: Vec<Clean>,
    /// Lines of the journal, and the digest of its last.
    pub journal: (u64, String),
    /// Inputs that a power cut has taken.
    pub missing_inputs: u64,
    /// The instant of the last record.
    pub last_at: Millis,
}

impl Account {
    /// The account of a run that was read and verified. `dir` is the run's directory or a bundle:
    /// its recordings are looked at for when each line of the journal is on the screen.
    pub fn of(dir: &Path, run: &Run) -> Self {
        build::account(dir, run)
    }

    /// UTC of an instant of the run, in milliseconds since 1970.
    pub fn unix_ms(&self, at: Millis) -> i64 {
        self.began_unix_ms.saturating_add(i64::try_from(at.0).unwrap_or(i64::MAX))
    }
}

/// A step, told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepTold {
    /// Which one.
    pub step: Step,
    /// How it stands.
    pub state: StepState,
    /// When it was entered.
    pub entered: Option<Millis>,
    /// How long it took, if it has ended well.
    pub took: Option<Millis>,
}

/// A row of planned against actual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// What.
    pub what: String,
    /// As planned; nothing where the plan says nothing.
    pub planned: Option<Clean>,
    /// As it was; nothing where nobody knows.
    pub actual: Option<Clean>,
    /// Whether it is as planned; nothing where that cannot be said.
    pub same: Option<bool>,
}

/// Users' requests while the run was flown, of both slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Users {
    /// Failed ones and all that Green answered.
    pub green: (u64, u64),
    /// Failed ones and all that Blue answered.
    pub blue: (u64, u64),
    /// Whether anybody counted: without a router that counts, nothing is known.
    pub counted: bool,
}

/// The way back, told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Back {
    /// When it began.
    pub at: Millis,
    /// Why.
    pub why: Clean,
    /// Green's percent at that moment, if it was known.
    pub from: Option<u8>,
    /// The four stamps: microseconds since it began, and what was said of each.
    pub stamps: Vec<(Stamp, Option<u64>, Clean)>,
}

/// A row of the timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// The journal's line.
    pub seq: u64,
    /// When, in the run's time.
    pub at: Millis,
    /// Who or what speaks.
    pub topic: String,
    /// What is said.
    pub text: String,
    /// How loud.
    pub tone: Tone,
    /// Which recording has a marker for it (from 0), and at which second.
    pub cast: Option<(usize, f64)>,
}

/// A recording, told.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Its file.
    pub file: String,
    /// Columns and rows at the beginning.
    pub size: (u16, u16),
    /// How it was closed; nothing if it was cut off.
    pub closed: Option<RecordingClosed>,
    /// Where it has failed, if it has.
    pub lost: Option<RecordingLost>,
    /// Whether the bundle holds it: it can be left out.
    pub present: bool,
}
