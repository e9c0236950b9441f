//! Answers that were looked at by a command, in a chained list beside the history.
//!
//! `drill --check` and `--bot` load a scenario's answer and print what it comes to. Whoever has
//! had that printed knows, and a flight within thirty days of it is spoiled: it stays visible and
//! sets no record. A debrief that is read again is told apart: it was earned by a flight, so that
//! the next one is a rehearsal, as it is after a flight. What a person saw elsewhere, in the file
//! itself for one, nobody can know here.

use super::REHEARSAL_DAYS;
use crate::journal::list;
use crate::runbook::{Fault, FaultKind};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The list's file in the runs' root.
pub const SEEN: &str = "drills-seen.jsonl";
const DAY_MS: i64 = 86_400_000;

/// How an answer was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It was proved: `drill --check`.
    Check,
    /// Bots flew it: `drill --bot`.
    Bots,
    /// Its debrief was read again.
    Debrief,
}

impl How {
    /// How it was seen, as a sentence ends.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Check => "by `drill --check`",
            Self::Bots => "by letting bots fly it",
            Self::Debrief => "in its debrief",
        }
    }
}

/// One look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenLine {
    /// The scenarios' ids.
    pub scenarios: Vec<String>,
    /// How.
    pub how: How,
    /// When, in milliseconds since 1970.
    pub at_unix_ms: i64,
}

/// Adds a look.
///
/// # Errors
/// The file cannot be written.
pub fn note(root: &Path, line: &SeenLine) -> Result<(), Fault> {
    list::append(&root.join(SEEN), line).map(|_| ()).map_err(|error| {
        let cause =
            format!("that an answer was seen cannot be kept in {}: {error}", root.display());
        Fault::new(FaultKind::Local, cause, "make the directory writable, or name another: --runs")
    })
}

/// The looks, as far as their chain holds.
pub fn read(root: &Path) -> Vec<SeenLine> {
    list::read(&root.join(SEEN)).0
}

/// The last look at a scenario's answer in the thirty days before `now`, in milliseconds since
/// 1970, by one of these ways.
fn last(lines: &[SeenLine], scenario: &str, now: i64, ways: &[How]) -> Option<SeenLine> {
    let lately = |line: &&SeenLine| {
        let days = now.div_euclid(DAY_MS) - line.at_unix_ms.div_euclid(DAY_MS);
        days < REHEARSAL_DAYS && line.scenarios.iter().any(|id| id == scenario)
    };
    let of_it = lines.iter().filter(lately).filter(|line| ways.contains(&line.how));
    of_it.max_by_key(|line| line.at_unix_ms).cloned()
}

/// What spoils a flight that ends `now`, in milliseconds since 1970; nothing where nothing does.
pub fn spoils(lines: &[SeenLine], scenario: &str, now: i64) -> Option<SeenLine> {
    last(lines, scenario, now, &[How::Check, How::Bots])
}

/// Whether the scenario's debrief was read in the thirty days before `now`.
pub fn reread(lines: &[SeenLine], scenario: &str, now: i64) -> bool {
    last(lines, scenario, now, &[How::Debrief]).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(scenario: &str, how: How, day: i64) -> SeenLine {
        SeenLine { scenarios: vec![scenario.to_owned()], how, at_unix_ms: day * DAY_MS }
    }

    #[test]
    fn who_had_the_answer_printed_knows_it_for_thirty_days() {
        let lines = [look("red", How::Bots, 0), look("red", How::Check, 10)];
        let at = |day: i64| spoils(&lines, "red", day * DAY_MS);
        assert_eq!(at(39).map(|line| line.how), Some(How::Check));
        assert_eq!(at(40), None);
        assert_eq!(spoils(&lines, "bed", 0), None);
    }

    #[test]
    fn a_debrief_that_is_read_again_spoils_nothing_and_is_fresh_in_mind() {
        let lines = [look("red", How::Debrief, 5)];
        assert_eq!(spoils(&lines, "red", 6 * DAY_MS), None);
        assert!(reread(&lines, "red", 6 * DAY_MS) && !reread(&lines, "red", 35 * DAY_MS));
    }

    #[test]
    fn looks_are_kept_in_a_chain() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(read(root.path()), []);
        note(root.path(), &look("red", How::Check, 1)).unwrap();
        note(root.path(), &look("bed", How::Bots, 2)).unwrap();
        assert_eq!(read(root.path()), [look("red", How::Check, 1), look("bed", How::Bots, 2)]);
    }
}
