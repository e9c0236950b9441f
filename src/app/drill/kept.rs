//! What is kept of a drill: its line in the history, and its debrief beside its journal.

use super::Sortie;
use super::ask::Answers;
use crate::app::Failure;
use crate::drill::account::Account;
use crate::drill::debrief::Debrief;
use crate::drill::history::{self, HistoryLine};
use crate::drill::history::{About, seen};
use crate::drill::score::Score;
use crate::engine::clock::unix_ms;
use crate::lab::scenario;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The debrief's file in a run's directory.
const FILE: &str = "debrief.json";

/// What became of the check that a debrief offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carried {
    /// Nobody has said.
    #[default]
    Open,
    /// It stands in the plan.
    Yes,
    /// It is not wanted.
    No,
    /// It is asked again with the debrief.
    Later,
}

/// A debrief as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The run's id.
    pub run: String,
    /// The scenario's id.
    pub scenario: String,
    /// The debrief.
    pub debrief: Debrief,
    /// What became of its check.
    #[serde(default)]
    pub carried: Carried,
}

/// Writes it. It replaces the one that is there.
pub fn save(directory: &Path, kept: &Kept) -> Result<(), Failure> {
    let failed = |why: String| {
        let cause = format!("the debrief in {} was not kept: {why}", directory.display());
        Failure::world(cause, "the run itself and the history are whole")
    };
    let text = serde_json::to_string_pretty(kept).map_err(|error| failed(error.to_string()))?;
    let beside = directory.join(".debrief.new");
    let written = (|| {
        let mut options = std::fs::OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, directory.join(FILE))
    })();
    written.map_err(|error: std::io::Error| failed(error.to_string()))
}

/// The last debrief of a scenario that can be read.
pub fn last(root: &Path, lines: &[HistoryLine], scenario: &str) -> Option<Kept> {
    let of_it = lines.iter().rev().filter(|line| line.scenario == scenario);
    of_it.filter_map(|line| read(&root.join(&line.run))).next()
}

/// The debrief of a run.
fn read(directory: &Path) -> Option<Kept> {
    let text = std::fs::read_to_string(directory.join(FILE)).ok()?;
    serde_json::from_str(&text).ok()
}

/// A flight's line in the history.
pub fn line(
    root: &Path,
    sortie: &Sortie,
    run: &str,
    (account, score): (&Account, &Score),
    answers: &Answers,
) -> HistoryLine {
    let now = unix_ms();
    let (lines, _) = history::read(root);
    let id = &sortie.course.scenario.drill.id;
    let text = scenario::text(&sortie.file).unwrap_or_default();
    let digest = Sha256::digest(text.as_bytes());
    let looks = seen::read(root);
    let about = About {
        run: run.to_owned(),
        file: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        seed: sortie.seed,
        blind: sortie.blind,
        spoiled: seen::spoils(&looks, id, now).is_some(),
        reread: seen::reread(&looks, id, now),
        ended_unix_ms: now,
    };
    HistoryLine::of(&sortie.course, account, score, &answers.sure, about, &lines)
}
