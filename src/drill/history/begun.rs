//! Flights that were begun, in a chained list of their own: one that was killed, or that nobody
//! could score, is on the record all the same, as left.
//!
//! A line is written as the flight begins, and a file in its run's directory is held until it has
//! its line in the history; the system lets go of it however a process ends. Of a blind flight the
//! line holds a digest in place of the name, and its seed is covered: a glance at the file shall not
//! tell what a screen does not.

use super::HistoryLine;
use crate::journal::chain::digest;
use crate::journal::list;
use crate::runbook::{Fault, FaultKind};
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The list's file in the runs' root.
pub const BEGUN: &str = "drills-begun.jsonl";
/// What is held in a run's directory.
const HELD: &str = ".drill";

/// A flight that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// The run's id.
    pub run: String,
    /// The scenario's id; of a blind flight its digest together with the run's id.
    scenario: String,
    /// The seed; of a blind flight covered with the run's digest.
    seed: u64,
    /// Whether only a codename was known.
    pub blind: bool,
    /// When it began, in milliseconds since 1970.
    pub at_unix_ms: i64,
}

/// A flight that has no line in the history yet. It is held while this lives.
#[derive(Debug)]
pub struct Held {
    _file: Option<Flock<File>>,
}

impl Begun {
    /// A flight that begins now.
    pub fn new(run: &str, scenario: &str, seed: u64, blind: bool, at_unix_ms: i64) -> Self {
        let named = if blind { covered(run, scenario) } else { scenario.to_owned() };
        let seed = if blind { seed ^ cover(run) } else { seed };
        Self { run: run.to_owned(), scenario: named, seed, blind, at_unix_ms }
    }

    /// Its seed.
    pub fn seed(&self) -> u64 {
        if self.blind { self.seed ^ cover(&self.run) } else { self.seed }
    }

    /// Whether it is a flight of this scenario.
    pub fn is_of(&self, scenario: &str) -> bool {
        match self.blind {
            true => self.scenario == covered(&self.run, scenario),
            false => self.scenario == scenario,
        }
    }

    /// The scenario's id, where it is not covered.
    pub fn named(&self) -> Option<&str> {
        (!self.blind).then_some(self.scenario.as_str())
    }
}

fn covered(run: &str, scenario: &str) -> String {
    digest(format!("{run} {scenario}").as_bytes())
}

fn cover(run: &str) -> u64 {
    digest(run.as_bytes()).get(..16).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0)
}

/// Writes down that a flight begins, and holds it.
///
/// # Errors
/// The list cannot be written.
pub fn begin(root: &Path, begun: &Begun) -> Result<Held, Fault> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600);
    // Where it cannot be held, another cockpit may count it as left too early: that is no reason
    // not to fly.
    let file = options.open(root.join(&begun.run).join(HELD)).ok();
    let held = file.and_then(|file| Flock::lock(file, FlockArg::LockExclusiveNonblock).ok());
    list::append(&root.join(BEGUN), begun).map_err(|error| {
        let cause = format!("that a drill begins cannot be kept in {}: {error}", root.display());
        Fault::new(FaultKind::Local, cause, "make the directory writable, or name another: --runs")
    })?;
    Ok(Held { _file: held })
}

/// Flights that were begun, have no line in the history, and are not flown any more.
pub fn left(root: &Path, lines: &[HistoryLine]) -> Vec<Begun> {
    let (begun, _) = list::read::<Begun>(&root.join(BEGUN));
    let ended = |begun: &Begun| lines.iter().any(|line| line.run == begun.run);
    let is_held = |begun: &Begun| {
        let file = File::open(root.join(&begun.run).join(HELD)).ok();
        file.is_some_and(|file| Flock::lock(file, FlockArg::LockSharedNonblock).is_err())
    };
    begun.into_iter().filter(|begun| !ended(begun) && !is_held(begun)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flight_that_is_held_is_not_left_and_one_that_was_let_go_is() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("r1")).unwrap();
        let begun = Begun::new("r1", "wall-of-red", 402, false, 7);
        let held = begin(root.path(), &begun).unwrap();
        assert_eq!(left(root.path(), &[]), []);
        drop(held);
        assert_eq!(left(root.path(), &[]), [begun]);
    }

    #[test]
    fn a_blind_flight_is_known_to_whoever_has_the_catalogue_and_not_at_a_glance() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("r1")).unwrap();
        drop(begin(root.path(), &Begun::new("r1", "wall-of-red", 402, true, 7)).unwrap());
        let text = std::fs::read_to_string(root.path().join(BEGUN)).unwrap();
        assert!(!text.contains("wall-of-red") && !text.contains(":402"), "{text}");
        let left = left(root.path(), &[]);
        assert!(left[0].is_of("wall-of-red") && !left[0].is_of("cold-shiver"));
        assert_eq!((left[0].seed(), left[0].named()), (402, None));
    }
}
