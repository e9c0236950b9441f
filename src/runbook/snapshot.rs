//! What the screen needs to know, and no more.
//!
//! A snapshot is small, plain and serialisable: the screen is a window onto the engine and will
//! be in another process. Series are not part of it; they are sent as what is new.

use super::effect::Finish;
use super::gate::{Check, GateState};
use super::record::{LogLine, Record, Tone};
use super::step::Step;
use super::surroundings::LastEnd;
use crate::clean::Clean;
use crate::plan::Migration;
use crate::signal::{Judgement, Sample};
use crate::units::{Millis, Percent, Role, Slot};
use serde::{Deserialize, Serialize};

/// The kind of a run. Nobody can take one for the other: it is in every frame and file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Users' traffic.
    Deploy,
    /// The lab.
    Drill,
    /// A no-change rollback on the real router.
    Rehearsal,
}

impl Kind {
    /// Whether the world of such a run is still there when its process has ended.
    pub const fn outlives_process(self) -> bool {
        !matches!(self, Self::Drill)
    }

    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Deploy => "DEPLOY",
            Self::Drill => "DRILL",
            Self::Rehearsal => "REHEARSAL",
        }
    }
}

/// What stays the same through a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFacts {
    /// The run's id.
    pub run: String,
    /// Its kind.
    pub kind: Kind,
    /// The host it runs on.
    pub host: Clean,
    /// UTC of the instant `at = 0`, in milliseconds since 1970.
    pub began_unix_ms: i64,
    /// Whether somebody is at the keyboard. Unattended, every ask is answered by its default.
    pub attended: bool,
    /// The last real rollback on this router, if the runs' index knows one: its time in
    /// microseconds and when it was, in milliseconds since 1970.
    pub last_rollback: Option<(u64, i64)>,
    /// How the last run on this router left it, if the runs' index knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_end: Option<LastEnd>,
    /// Whether each gate is written down as it stood when its step was over, what artefacts are
    /// compared with, and that no answer came where none did. Journals of older programs do
    /// without, and replay as they were written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tells_gates: bool,
    /// When the way back was last drilled, where anybody drills; it informs, and opens and shuts
    /// nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drilled: Option<Drilled>,
    /// What earlier runs have seen of the release that is Blue now.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub record: crate::signal::Record,
}

/// When a family of drills was last flown, and when it is due; instants in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drilled {
    /// The last flight; nothing where there was none.
    pub last_unix_ms: Option<i64>,
    /// When it is due, or was; nothing where nothing asks for it.
    pub due_unix_ms: Option<i64>,
}

impl Drilled {
    /// Whether it is due at this time.
    pub const fn is_due(&self, unix_ms: i64) -> bool {
        match self.due_unix_ms {
            Some(due) => due <= unix_ms,
            None => self.last_unix_ms.is_none(),
        }
    }

    /// The line, at this time.
    pub fn says(&self, unix_ms: i64) -> String {
        const DAY: i64 = 86_400_000;
        let day = |at: i64| at.div_euclid(DAY);
        let Some(last) = self.last_unix_ms else {
            return "WAYBACK: never drilled: switchback drill".to_owned();
        };
        let ago = match day(unix_ms) - day(last) {
            ..=0 => "today".to_owned(),
            days => format!("{days} d ago"),
        };
        let due = self.due_unix_ms.map(|due| match day(due) - day(unix_ms) {
            ..=0 => ", due now".to_owned(),
            days => format!(", due in {days} d"),
        });
        format!("WAYBACK: last drilled {ago}{}", due.unwrap_or_default())
    }
}

impl RunFacts {
    /// The same without what earlier runs have seen: nobody looks at it, and it is long.
    pub fn without_record(&self) -> Self {
        let record = crate::signal::Record::default();
        Self {
            run: self.run.clone(),
            kind: self.kind,
            host: self.host.clone(),
            began_unix_ms: self.began_unix_ms,
            attended: self.attended,
            last_rollback: self.last_rollback,
            last_end: self.last_end.clone(),
            tells_gates: self.tells_gates,
            drilled: self.drilled,
            record,
        }
    }
}

fn is_empty(record: &crate::signal::Record) -> bool {
    record.users.is_empty() && record.probes.is_empty()
}

/// Everything that the screen shows but the series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The instant of the last event.
    pub at: Millis,
    /// What stays the same.
    pub facts: RunFacts,
    /// The service.
    pub service: Clean,
    /// First digits of the plan's SHA-256.
    pub plan: String,
    /// The marking line of the evidence, such as `CUI`, if the plan declares one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marking: Option<Clean>,
    /// What Blue runs, declared or read.
    pub current: Option<Clean>,
    /// What Green shall run.
    pub next: Option<Clean>,
    /// What the release does to the data.
    pub migration: Migration,
    /// The slots' names, in the plan's order.
    pub slots: [Clean; 2],
    /// Which slot is Blue, once it is known.
    pub blue: Option<Slot>,
    /// The step that the run is in.
    pub step: Step,
    /// The runbook, a line a step.
    pub steps: Vec<StepLine>,
    /// The line that a tired person reads first.
    pub headline: Headline,
    /// What is tripping, by how much, and when it will trip; or another warning.
    pub alarm: Option<Alarm>,
    /// Where the traffic is.
    pub traffic: Traffic,
    /// The gate of this step.
    pub gate: GateState,
    /// Why the gate says so.
    pub checks: Vec<Check>,
    /// What each limit says on Green (on Blue, before Green runs).
    pub limits: Vec<Judgement>,
    /// On which role `limits` were judged.
    pub limits_on: Role,
    /// When `limits` were judged: what is left of a limit's time is left since then.
    #[serde(default)]
    pub limits_at: Option<Millis>,
    /// How each slot is, Blue first.
    pub health: [Health; 2],
    /// The way back, once it has begun.
    pub rollback: Option<RollbackView>,
    /// The question that waits for an answer.
    pub question: Option<Question>,
    /// Whether *next* would do something now: the gate is open and a move is the operator's.
    pub next_open: bool,
    /// Whether only the way back is left: nothing more will ever be sent to Green.
    #[serde(default)]
    pub turns_back: bool,
    /// Whether the operator holds.
    pub held: bool,
    /// Whether a step can be extended now.
    pub can_extend: bool,
    /// The command that runs now, and for how long.
    pub running: Option<(Clean, Millis)>,
    /// The journal's trouble, if it has one.
    pub journal_trouble: Option<Clean>,
    /// What is still owed after the run, such as contracting the schema.
    pub owed: Vec<Clean>,
    /// How the run ended, once it has.
    pub finish: Option<Finish>,
}

/// A line of the runbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepLine {
    /// Which step.
    pub step: Step,
    /// How it stands.
    pub state: StepState,
    /// What to add to the title, such as `50 %`.
    pub note: String,
    /// How long it has taken, once it has begun.
    pub took: Option<Millis>,
    /// How long its timed part is.
    pub of: Option<Millis>,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Still to come.
    Ahead,
    /// Now.
    Now,
    /// Ended well.
    Passed,
    /// Left out, because the run went back before it.
    Skipped,
    /// The run went back here.
    Failed,
}

/// The line that a tired person reads first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headline {
    /// What is going on, in capitals: `HOLDING AT 50 %`.
    pub state: String,
    /// How it is going, in a word: `WELL`, `TRIPPING`, `UNKNOWN`.
    pub going: String,
    /// What comes next and whose move it is.
    pub next: String,
    /// How loud.
    pub tone: Tone,
    /// When the next thing happens by itself, if it does: the screen counts down to it.
    pub due: Option<Millis>,
}

/// A warning that stands until it is settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What it says.
    pub text: String,
    /// How loud.
    pub tone: Tone,
    /// When it will act by itself, if it will.
    pub due: Option<Millis>,
}

/// Where the traffic is: asked, read and seen are three things.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// Green's percent that we asked for, if we asked.
    pub asked: Option<Percent>,
    /// Green's percent that the router reports; nothing while Blue is not fixed or it is unknown.
    pub read: Option<Percent>,
    /// Share of the first slot that the router reports, while Blue is not fixed.
    pub first: Option<Percent>,
    /// When the router was last read with success.
    pub read_at: Option<Millis>,
    /// Why it cannot be read, if it cannot.
    pub trouble: Option<Clean>,
    /// Users that Green and both answered in the last minute, where the router counts them.
    pub seen: Option<(u64, u64)>,
    /// Whether somebody else moved it.
    pub moved_by_others: bool,
    /// Whether the plan says how an answer names its slot; otherwise what users saw is the
    /// router's word alone.
    pub named: bool,
}

/// How a slot is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Health {
    /// Whether it lives, if that is asked.
    pub live: Option<bool>,
    /// Whether it is ready; nothing while it is unknown or stale.
    pub ready: Option<bool>,
    /// Since when it is what it is.
    pub since: Millis,
    /// Good checks and all checks, since probing began at the present rate.
    pub good_of: (u64, u64),
    /// Why it is not ready, or what is degraded.
    pub why: Option<Clean>,
    /// The release that it names.
    pub release: Option<Clean>,
    /// The digest of the artefact that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artefact: Option<Clean>,
    /// Its requests in flight, where the router knows.
    pub in_flight: Option<u64>,
}

/// The four stamps, everywhere and always the same four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stamp {
    /// The router reports all traffic at Blue.
    RouterAtBlue,
    /// A request was answered by Blue after that.
    FirstFromBlue,
    /// The last request that Green answered.
    LastFromGreen,
    /// For 10 s, with at least 3 of Blue's users, no limit is exceeded.
    UsersInBand,
}

impl Stamp {
    /// All four, in the order they are told.
    pub const ALL: [Self; 4] =
        [Self::RouterAtBlue, Self::FirstFromBlue, Self::LastFromGreen, Self::UsersInBand];

    /// Why there is no time of an answer where none came.
    pub const NONE_SINCE: &str = "none since the rollback began";

    /// The words on the screen.
    pub const fn words(self) -> &'static str {
        match self {
            Self::RouterAtBlue => "router at Blue",
            Self::FirstFromBlue => "first answer from Blue",
            Self::LastFromGreen => "last answer from Green",
            Self::UsersInBand => "users back in band",
        }
    }
}

/// How a stamp stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StampState {
    /// Still to come.
    Waiting,
    /// After so many microseconds since the rollback began.
    After(u64),
    /// It cannot be had, and why.
    Not(String),
}

/// The way back, once it has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackView {
    /// When it began.
    pub began: Millis,
    /// Why.
    pub why: Clean,
    /// Whether the router has been read at Blue.
    pub verified: bool,
    /// Which attempt is running, or was the good one.
    pub attempt: u32,
    /// What went wrong with the last attempt.
    pub trouble: Option<Clean>,
    /// The stamps, in their order.
    pub stamps: [StampState; 4],
    /// Whether no weight had ever reached Green.
    pub abandoned: bool,
}

/// A question that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its number; answers name it.
    pub number: u32,
    /// What it is about.
    pub title: String,
    /// The question and its numbers, a line each.
    pub lines: Vec<String>,
    /// What *yes* does, as a verb.
    pub yes: String,
    /// What *no* does, as a verb.
    pub no: String,
    /// The word that must be typed instead of *yes*, if one must.
    pub type_word: Option<Clean>,
    /// When it answers itself, and how.
    pub due: Option<(Millis, String)>,
    /// Whether `--yes` may answer it: an open gate, and nothing that must be typed or known.
    pub routine: bool,
}

/// One message from the engine to whoever watches: a snapshot, and what is new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Update {
    /// Counts up with each change; ask with it for what is new since.
    pub seq: u64,
    /// Whether everything is told anew: what was told before is to be forgotten.
    #[serde(default)]
    pub reset: bool,
    /// How things stand.
    pub snapshot: Snapshot,
    /// Seconds that were measured since.
    pub samples: Vec<Sample>,
    /// Switches since: when, and Green's percent.
    pub switches: Vec<(Millis, u8)>,
    /// Lines of the log since.
    pub log: Vec<LogLine>,
    /// The records that these lines were made from.
    pub records: Vec<(Millis, Record)>,
    /// Lines that commands printed since.
    pub output: Vec<Clean>,
}
