//! The scenario file: what the world is like, what goes wrong in it, and how long a drill on it
//! takes. Only what the lab can do is accepted; anything else is an error that names its line.
//!
//! Times are anchored to what happens (`switch+6s`), for operators differ in pace. Everything
//! but the drill's name has a default, and the defaults are one small ordinary service.

//!
//! A file has two parts. [`Scenario`] is what the lab and the operator's screens may read. What
//! was right, and when, is the [`answer::Answer`]: read apart, and only by what judges a drill.

pub mod answer;
mod check;
mod file;
mod plan;
mod read;
mod span;
mod story;
mod traffic;
mod world;

use super::fault::FaultSpec;
use crate::units::{Millis, Slot};
use serde::{Deserialize, Deserializer, Serialize};

pub use plan::{LimitSpec, PlanSpec};
pub use read::{builtin, load, load_answer, parse, parse_answer, text};
pub use span::span;
pub use story::{EvidenceSpec, InjectSpec, OfferSpec, SourceSpec, SteadySpec, StorySpec};
pub use traffic::{CohortSpec, RouteSpec, StageSpec, TrafficSpec};
pub use world::{
    CacheSpec, DbSpec, DiskSpec, LiveSlot, MemorySpec, QueueSpec, ReleaseSpec, WorldSpec,
};

/// A whole scenario, without its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Version of the file's shape; 1.
    pub schema: u32,
    /// Its name and place in the list.
    pub drill: DrillSpec,
    /// What the operator is told.
    pub story: StorySpec,
    /// Seeds and how much they change.
    pub clock: ClockSpec,
    /// The services and what they share.
    pub world: WorldSpec,
    /// The users.
    pub traffic: TrafficSpec,
    /// What the world must look like before a drill counts.
    pub steady_state: SteadySpec,
    /// The timings and limits of the drill's plan.
    pub plan: PlanSpec,
    /// What goes wrong.
    pub faults: Vec<FaultSpec>,
    /// What people say meanwhile.
    pub injects: Vec<InjectSpec>,
    /// Levers of the site that are there from a moment on.
    pub offers: Vec<OfferSpec>,
    /// What a look at the runbook's steps shows, and what is behind it on a closer look.
    pub evidence: Vec<EvidenceSpec>,
}

impl Scenario {
    /// The slot that serves users when the lab starts.
    pub const fn blue(&self) -> Slot {
        match self.world.live {
            LiveSlot::Left => Slot::First,
            LiveSlot::Right => Slot::Second,
        }
    }

    /// Whether the fault of this name does nothing, though it begins and ends.
    pub fn is_inert(&self, fault: &str) -> bool {
        self.faults.iter().any(|known| known.id == fault && known.inert)
    }

    /// What runs, or will run, in a slot.
    pub fn release(&self, slot: Slot) -> &ReleaseSpec {
        if slot == self.blue() { &self.world.blue } else { &self.world.green }
    }

    /// The seed to use where nobody chose one: the first of the scenario's pool.
    pub fn default_seed(&self) -> u64 {
        self.clock.seeds.first().copied().unwrap_or(1)
    }
}

/// The names of the lab's slots, in the plan's order.
pub const SLOT_NAMES: [&str; 2] = ["left", "right"];

/// Its name and place in the list of drills.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillSpec {
    /// The name on the command line.
    pub id: String,
    /// All that a blind drill is called; the id in capitals unless told.
    #[serde(default)]
    pub codename: String,
    /// The name for people.
    pub title: String,
    /// Its number in the catalogue; 0 where it has none.
    #[serde(default)]
    pub number: u32,
    /// 1 (recruit) to 4 (expert).
    pub level: u8,
    /// What it trains. It is part of the answer's side: no screen shows it before the end.
    #[serde(default)]
    pub family: Vec<Family>,
    /// What kind of release it is. It is part of the answer's side, as the family is.
    #[serde(default)]
    pub verdict: Option<VerdictClass>,
    /// The steps of the runbook in which it is decided, 1 to 8.
    #[serde(default)]
    pub runbook_steps: Vec<u8>,
    /// About how long it takes, in minutes.
    pub minutes: u32,
    /// Scenarios that begin the same and call for something else.
    #[serde(default)]
    pub twins: Vec<String>,
}

/// What a release is like, and so what is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum VerdictClass {
    /// Ship it.
    Good,
    /// Go back.
    Bad,
    /// Both slots suffer: going back does not help.
    Shared,
    /// Going back hurts.
    Unsafe,
    /// There is not enough evidence yet.
    Thin,
}

/// What a drill trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Family {
    /// A gate before the switch would have shown it.
    Gate,
    /// Plain and loud: be quick.
    Loud,
    /// Not everything red is bad.
    Restraint,
    /// Whose error is it?
    Attribution,
    /// The signal is not in HTTP.
    OffHttp,
    /// It grows slowly.
    SlowBurn,
    /// The way back is in doubt.
    WayBack,
    /// Both slots spend the same thing.
    SharedFate,
    /// The drain and the end of Blue.
    EndGame,
    /// Schema and messages.
    Data,
    /// The instruments fail.
    Blind,
}

/// Seeds and how much they change.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockSpec {
    /// The official pool.
    pub seeds: Vec<u64>,
    /// How far onsets and sizes of faults move with the seed, as a share (0.15 is +-15 %).
    pub jitter: f64,
    /// The soak of the story, as a share of which the plan's soak is asked for. It is only said;
    /// the plan's own timings are what counts.
    pub soak_scale: f64,
    /// For how long after the end of a flight what becomes of its users still counts.
    #[serde(deserialize_with = "millis")]
    pub horizon: Millis,
    /// When a drill on it is ended whatever stands.
    #[serde(deserialize_with = "millis")]
    pub hard_stop: Millis,
}

impl Default for ClockSpec {
    fn default() -> Self {
        Self {
            seeds: vec![1],
            jitter: 0.0,
            soak_scale: 1.0,
            horizon: Millis::secs(60),
            hard_stop: Millis::secs(900),
        }
    }
}

/// A duration as people write it.
pub(super) fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
    let text = String::deserialize(deserializer)?;
    span(&text).map_err(serde::de::Error::custom)
}

/// A duration that may be missing.
pub(super) fn maybe_millis<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Millis>, D::Error> {
    millis(d).map(Some)
}
