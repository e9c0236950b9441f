//! What the operator of a drill is told and may look at: the brief, its sources, what people say
//! meanwhile, and what the runbook's steps show on a look.

use super::{maybe_millis, millis};
use crate::lab::anchor::Moment;
use crate::lab::lever::Lever;
use crate::units::Millis;
use serde::{Deserialize, Serialize};

/// What the operator is told. What is behind it is not part of the story.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorySpec {
    /// The situation, in a sentence or two.
    pub brief: String,
    /// What the release is said to change.
    pub change_note: String,
    /// What may be asked for on the way, the gentlest first.
    pub hints: Vec<String>,
    /// What the story is taken from. Shown after the end: a title tells the cause.
    #[serde(rename = "source")]
    pub sources: Vec<SourceSpec>,
}

/// What a story is taken from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// What it is.
    pub title: String,
    /// Where it is; empty where nothing public was found.
    #[serde(default)]
    pub url: String,
    /// How the story hangs on it: `modelled on`, `typical`.
    #[serde(default)]
    pub relation: String,
}

/// What somebody says during the drill.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InjectSpec {
    /// When it is said.
    pub at: Moment,
    /// Who says it.
    pub from: String,
    /// What is said.
    pub text: String,
    /// Whether it leads astray. No screen shows this before the end.
    #[serde(default)]
    pub decoy: bool,
}

/// A lever of the site that somebody can pull from a moment on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferSpec {
    /// The lever.
    pub lever: Lever,
    /// From when it is there.
    pub at: Moment,
    /// Who offers it.
    #[serde(default = "colleague")]
    pub from: String,
    /// What is said then; nothing where nobody speaks of it.
    #[serde(default)]
    pub says: String,
}

fn colleague() -> String {
    "colleague".to_owned()
}

/// What a look at a step of the runbook shows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceSpec {
    /// The step that it belongs to, 1 to 8.
    pub step: u8,
    /// Its name, which decisions may ask for.
    pub item: String,
    /// What stands there at first sight.
    pub shows: String,
    /// What a closer look adds.
    #[serde(default)]
    pub detail: String,
}

/// What the world must look like before a drill counts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SteadySpec {
    /// For how long.
    #[serde(rename = "for", deserialize_with = "millis")]
    pub hold: Millis,
    /// Bounds of the share of requests that fail, in percent.
    pub error_pct: Option<[f64; 2]>,
    /// Bounds of the 95th percentile, in milliseconds.
    pub p95_ms: Option<[f64; 2]>,
    /// Bounds of the database's open connections.
    pub db_used: Option<[f64; 2]>,
    /// How long to wait for it at most.
    #[serde(deserialize_with = "maybe_millis")]
    pub within: Option<Millis>,
}

impl Default for SteadySpec {
    fn default() -> Self {
        Self { hold: Millis::secs(10), error_pct: None, p95_ms: None, db_used: None, within: None }
    }
}
