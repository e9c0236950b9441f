//! The answer part of a scenario: what was true, what was right and until when, what would have
//! been grave, how harm counts, and what the debrief says.
//!
//! Nothing that a person sees before the end of a drill reads it. It is parsed apart from the
//! [`Scenario`](super::Scenario), by [`load_answer`](super::load_answer), for scoring, bots and
//! the debrief alone.

use super::{maybe_millis, millis};
use crate::lab::anchor::Moment;
use crate::lab::errand::Errand;
use crate::lab::lever::Lever;
use crate::units::{Millis, Role};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What was true, and what was right.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The truth behind the drill.
    pub truth: Truth,
    /// What was right, and in which window. The first is the best one.
    pub decisions: Vec<Decision>,
    /// What is grave whatever else was right.
    pub critical: Vec<Critical>,
    /// How harm counts.
    pub harm: HarmSpec,
    /// The bands in which the bots' scores must lie.
    pub bots: BotBands,
    /// What is asked and said afterwards.
    pub debrief: DebriefSpec,
}

/// The table `[answer]`: the truth behind the drill.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Truth {
    /// The cause, in a sentence.
    pub cause: String,
    /// When it began to hurt; nothing where nothing ever did.
    pub onset: Option<Moment>,
    /// Signals of which any tells it: `green.error_rate`, `queue_depth`, `db_connections`.
    pub telling_signal: Vec<String>,
}

/// What an operator can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Go on with the release.
    Advance,
    /// Stay where it is.
    Hold,
    /// Go back; before the switch, abandon Green.
    Rollback,
    /// None of these: what is done instead is declared.
    Declare,
}

/// What an operator declares where neither advance, hold nor rollback is the right act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Declares {
    /// Hold, and bring a repaired release to Green.
    FixForward,
    /// Stop the consumers before anything else moves.
    PauseQueue,
    /// Go back in steps, and look at each.
    RampBack,
    /// Throw away what the cache holds.
    Purge,
    /// Ask Blue directly before anything is sent to it.
    ProbeBlue,
    /// Stop the second scheduler.
    StopScheduler,
    /// Cancel the migration that runs.
    CancelMigration,
    /// Take load off what both slots share.
    ShedBatch,
    /// Switch off what sets the fault off.
    DisableTrigger,
    /// Let go of what hangs on the old slot, a slice at a time.
    DrainSlices,
    /// Go back on the second path, past the router's own interface.
    SecondPath,
    /// Put a slot's configuration back to what has run.
    RevertDrift,
}

impl Declares {
    /// All of them, in the order of a list.
    pub const ALL: [Self; 12] = [
        Self::FixForward,
        Self::PauseQueue,
        Self::RampBack,
        Self::Purge,
        Self::ProbeBlue,
        Self::StopScheduler,
        Self::CancelMigration,
        Self::ShedBatch,
        Self::DisableTrigger,
        Self::DrainSlices,
        Self::SecondPath,
        Self::RevertDrift,
    ];

    /// The act of the lab that does it; nothing where it is done with the cockpit's own keys.
    pub const fn lever(self) -> Option<Lever> {
        Some(match self {
            Self::FixForward => Lever::Patch,
            Self::PauseQueue => Lever::PauseQueue,
            Self::Purge => Lever::PurgeCache,
            Self::StopScheduler => Lever::StopScheduler,
            Self::CancelMigration => Lever::CancelMigration,
            Self::ShedBatch => Lever::ShedBatch,
            Self::DisableTrigger => Lever::DisableTrigger,
            Self::DrainSlices => Lever::DrainSlice,
            Self::SecondPath => Lever::SecondPath,
            Self::RevertDrift => Lever::RevertDrift,
            Self::RampBack => Lever::RampBack,
            Self::ProbeBlue => return None,
        })
    }

    /// What somebody at the site does for it, where it is no lever.
    pub const fn errand(self) -> Option<Errand> {
        match self {
            Self::ProbeBlue => Some(Errand::Probe(Role::Blue)),
            _ => None,
        }
    }

    /// What it is called in a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::FixForward => "fix forward",
            Self::PauseQueue => "pause the queue",
            Self::RampBack => "go back in steps",
            Self::Purge => "purge the cache",
            Self::ProbeBlue => "ask Blue directly",
            Self::StopScheduler => "stop Green's scheduler",
            Self::CancelMigration => "cancel the migration",
            Self::ShedBatch => "shed the batch load",
            Self::DisableTrigger => "switch the trigger off",
            Self::DrainSlices => "drain in slices",
            Self::SecondPath => "go back on the second path",
            Self::RevertDrift => "put the configuration back",
        }
    }
}

impl fmt::Display for Declares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// When a decision's window opens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Opens {
    /// When a reference detector on the operator's own series is sure.
    Evidence,
    /// At a moment.
    At(Moment),
}

impl TryFrom<String> for Opens {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text == "evidence" {
            return Ok(Self::Evidence);
        }
        Moment::try_from(text).map(Self::At).map_err(|why| format!("{why}, or evidence"))
    }
}

/// A decision that was right, or good enough.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Its name in this scenario.
    pub id: String,
    /// What is done.
    pub call: Call,
    /// What is declared, where the call is to declare.
    #[serde(default)]
    pub declares: Option<Declares>,
    /// The steps of the runbook in which it counts, 1 to 8; all where none is named.
    #[serde(default)]
    pub steps: Vec<u8>,
    /// Items of evidence that must have been looked at before.
    #[serde(default)]
    pub requires_viewed: Vec<String>,
    /// Only where this happens in the run: `fault:ID` of a fault that the seed may leave out.
    #[serde(default)]
    pub given: Option<Moment>,
    /// Only where this does not happen in the run.
    #[serde(default)]
    pub without: Option<Moment>,
    /// When its window opens.
    #[serde(default = "at_the_start")]
    pub opens: Opens,
    /// How long after that full credit is given; for ever where it is not told.
    #[serde(default, deserialize_with = "maybe_millis")]
    pub par: Option<Millis>,
    /// How long after it opens it counts at all; to the end where it is not told.
    #[serde(default, deserialize_with = "maybe_millis")]
    pub deadline: Option<Millis>,
    /// Share of the call's points, 0 to 1.
    #[serde(default = "full")]
    pub credit: f64,
    /// The decision that must follow it, where it is only the first half.
    #[serde(default)]
    pub then: Option<String>,
}

fn at_the_start() -> Opens {
    use crate::lab::anchor::Anchor;
    Opens::At(Moment { anchor: Anchor::Start, after: Millis::ZERO })
}

const fn full() -> f64 {
    1.0
}

/// Something grave: it caps the run whatever else was right.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Critical {
    /// The act: an anchor that the operator's own acts bring about.
    pub when: Moment,
    /// Only while this fault is at work, or after this moment.
    #[serde(default)]
    pub during: Option<Moment>,
    /// Only where this did not happen before: `event:pause-queue`.
    #[serde(default)]
    pub unless: Option<Moment>,
    /// The most that the run can score.
    #[serde(default = "thirty")]
    pub cap: u32,
    /// What was grave about it, in a sentence that blames nobody.
    pub says: String,
}

const fn thirty() -> u32 {
    30
}

/// How harm counts.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HarmSpec {
    /// What each kind of harm weighs.
    pub weights: HarmWeights,
    /// A good answer after this long counts as slow.
    #[serde(deserialize_with = "millis")]
    pub slow_over: Millis,
}

impl Default for HarmSpec {
    fn default() -> Self {
        Self { weights: HarmWeights::default(), slow_over: Millis::secs(1) }
    }
}

/// What each kind of harm weighs, in users who failed.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HarmWeights {
    /// A request that failed.
    pub failed: f64,
    /// A request that was answered late.
    pub slow: f64,
    /// A good status with a wrong answer.
    pub wrong: f64,
    /// A job that was done late, or not yet.
    pub late_job: f64,
    /// Something done twice that cannot be undone.
    pub duplicate: f64,
    /// A user who was logged out.
    pub session_lost: f64,
    /// Something long that was cut off.
    pub cut: f64,
}

impl Default for HarmWeights {
    fn default() -> Self {
        Self {
            failed: 1.0,
            slow: 0.25,
            wrong: 1.0,
            late_job: 0.2,
            duplicate: 3.0,
            session_lost: 1.0,
            cut: 1.0,
        }
    }
}

/// The bands in which the bots' scores must lie, each from and to, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BotBands {
    /// Reads the answer.
    pub oracle: Option<[u32; 2]>,
    /// Presses what is routine and never goes back.
    pub never: Option<[u32; 2]>,
    /// Goes back at the first red sample.
    pub twitch: Option<[u32; 2]>,
    /// Does what the limits say.
    pub threshold_only: Option<[u32; 2]>,
    /// Abandons whatever comes.
    pub always_abort: Option<[u32; 2]>,
    /// Waits for nothing.
    pub rusher: Option<[u32; 2]>,
}

impl BotBands {
    /// The bands by the bots' names.
    pub const fn named(&self) -> [(&'static str, Option<[u32; 2]>); 6] {
        [
            ("oracle", self.oracle),
            ("never", self.never),
            ("twitch", self.twitch),
            ("threshold_only", self.threshold_only),
            ("always_abort", self.always_abort),
            ("rusher", self.rusher),
        ]
    }
}

/// What is asked and said afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DebriefSpec {
    /// What the operator is asked before anything is shown.
    pub ask: Vec<String>,
    /// The one lesson.
    pub lesson: String,
    /// What stands on the strip besides what was measured.
    pub markers: Vec<MarkerSpec>,
    /// One check for the operator's own runbook.
    pub carry_over: String,
    /// What goes well in any flight of it, in a line.
    pub went_well: String,
    /// Scenarios to fly instead of this one after a failure.
    pub redrill_siblings: Vec<String>,
}

/// A mark on the debrief's strip.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkerSpec {
    /// When.
    pub at: Moment,
    /// What.
    pub text: String,
}
