//! What is kept of a drill: its line in the history, and its debrief beside its journal.

use super::Sortie;
use super::ask::Answers;
use crate::app::Failure;
use crate::drill::account::Account;
use crate::drill::debrief::Debrief;
use crate::drill::fly::Course;
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

/// In so many days a check that was put off is to be decided.
const LATER_DAYS: i64 = 7;
const DAY_MS: i64 = 86_400_000;

/// A check that waits for a yes or a no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCheck {
    /// The scenario that it comes from, by its id.
    pub scenario: String,
    /// And by its name for people.
    pub title: String,
    /// The check.
    pub check: String,
    /// Whether it was put off; otherwise nobody has said.
    pub later: bool,
    /// For how many days it has waited.
    pub days: i64,
    /// In how many days it is to be decided; below 0 where that is past.
    pub left: i64,
}

impl OpenCheck {
    /// How it stands, in words.
    pub fn says(&self) -> String {
        let how = if self.later { "put off" } else { "not answered" };
        let age = match self.days {
            ..=0 => "today".to_owned(),
            1 => "1 d ago".to_owned(),
            days => format!("{days} d ago"),
        };
        let left = match self.left {
            ..0 => format!("{} d overdue", -self.left),
            0 => "to be decided today".to_owned(),
            left => format!("to be decided in {left} d"),
        };
        format!("{how} {age}, {left}")
    }
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
    /// Since when its check waits, in milliseconds since 1970: since the flight, or since it was
    /// first put off. It stays when it is put off again.
    #[serde(default)]
    pub waits_since_unix_ms: Option<i64>,
}

impl Kept {
    /// Its check, where that waits for a yes or a no.
    pub fn open(&self, now_unix_ms: i64) -> Option<OpenCheck> {
        let check = self.debrief.carry_over.clone()?;
        let open = matches!(self.carried, Carried::Open | Carried::Later);
        let days = |at: i64| at.div_euclid(DAY_MS);
        let days = days(now_unix_ms) - days(self.waits_since_unix_ms.unwrap_or(now_unix_ms));
        open.then(|| OpenCheck {
            scenario: self.scenario.clone(),
            title: self.debrief.title.clone(),
            check,
            later: self.carried == Carried::Later,
            days,
            left: LATER_DAYS - days,
        })
    }
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

/// Checks that wait for a yes or a no, the one that has waited longest first. Of a scenario the last
/// debrief counts.
pub fn open(root: &Path, lines: &[HistoryLine], now_unix_ms: i64) -> Vec<OpenCheck> {
    let mut seen: Vec<&str> = Vec::new();
    let mut open: Vec<OpenCheck> = Vec::new();
    for line in lines.iter().rev() {
        if !seen.contains(&line.scenario.as_str()) {
            seen.push(&line.scenario);
            let kept = last(root, lines, &line.scenario);
            open.extend(kept.and_then(|kept| kept.open(now_unix_ms)));
        }
    }
    open.sort_by_key(|check| (check.left, check.scenario.clone()));
    open
}

/// The debrief of a run.
fn read(directory: &Path) -> Option<Kept> {
    let text = std::fs::read_to_string(directory.join(FILE)).ok()?;
    serde_json::from_str(&text).ok()
}

/// Writes down the flights that were begun and never ended here: killed, or not to be scored.
/// Another cockpit that flies one has it.
pub fn settle(root: &Path) -> Result<(), Failure> {
    let (mut lines, _) = history::read(root);
    for begun in history::begun::left(root, &lines) {
        let mut names = scenario::builtin().filter(|name| begun.is_of(name));
        let load = |name: &str| {
            let scenario = scenario::load(name).ok()?;
            Course::new(scenario, scenario::load_answer(name).ok()?).ok()
        };
        let course = names.next().and_then(load);
        let line = HistoryLine::left(course.as_ref(), &begun, &lines);
        history::append(root, &line)?;
        lines.push(line);
    }
    Ok(())
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
        blind: sortie.is_blind(),
        spoiled: seen::spoils(&looks, id, now).is_some(),
        reread: seen::reread(&looks, id, now),
        ended_unix_ms: now,
    };
    HistoryLine::of(&sortie.course, account, score, &answers.sure, about, &lines)
}
