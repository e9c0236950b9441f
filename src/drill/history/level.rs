//! Which level an operator has reached: three passes in four cold flights of it, of four different
//! families, nothing grave among them, and at least one release that was good.
//!
//! Of each family the last cold flight of the level counts. What was once reached stays reached:
//! a bad week shows in the marks, and takes no level away. There are no streaks and no ranks.

use super::{HistoryLine, Standing};
use crate::drill::due::Entry;
use crate::drill::score::Grade;
use crate::lab::scenario::Family;
use serde::{Deserialize, Serialize};

/// The highest.
pub const HIGHEST: u8 = 4;
/// Flights that are looked at.
const OF: usize = 4;
/// Of these, so many must have passed.
const PASSES: usize = 3;

/// How far the way to the next level is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The level that is flown.
    pub level: u8,
    /// Families of it whose last cold flight is looked at, at most four.
    pub flown: usize,
    /// Of these, passed.
    pub passed: usize,
    /// Whether something grave is among them.
    pub grave: bool,
    /// Whether a good release is among them.
    pub good: bool,
}

impl Progress {
    /// Whether the next level is reached.
    const fn is_done(&self) -> bool {
        self.flown >= OF && self.passed >= PASSES && !self.grave && self.good
    }

    /// What is still wanted, in a sentence; nothing on the highest level.
    pub fn wants(&self) -> Option<String> {
        if self.level >= HIGHEST {
            return None;
        }
        let (level, next) = (self.level, self.level + 1);
        let mut says = format!(
            "Level {level}. On to {next}: {PASSES} passes in {OF} cold flights of different \
             families, none grave, one with a good release. So far {} of {}",
            self.passed, self.flown
        );
        if self.grave {
            says.push_str(", and one was grave");
        }
        if self.flown > 0 && !self.good {
            says.push_str("; the good release is missing");
        }
        says.push('.');
        Some(says)
    }
}

/// The level that was reached, and how far the next one is.
pub fn of(lines: &[HistoryLine], catalogue: &[Entry]) -> Progress {
    let mut lines: Vec<&HistoryLine> = lines.iter().filter(|line| line.counts()).collect();
    lines.sort_by_key(|line| line.ended_unix_ms);
    let mut level = 1;
    let mut progress = at(&[], level, catalogue);
    for until in 1..=lines.len() {
        progress = at(&lines[..until], level, catalogue);
        while progress.is_done() && level < HIGHEST {
            level += 1;
            progress = at(&lines[..until], level, catalogue);
        }
    }
    progress
}

fn at(lines: &[&HistoryLine], level: u8, catalogue: &[Entry]) -> Progress {
    let mut seen: Vec<Family> = Vec::new();
    let mut last: Vec<(&HistoryLine, &Entry)> = Vec::new();
    for line in lines.iter().rev().filter(|line| line.standing == Standing::Cold) {
        let Some(entry) = catalogue.iter().find(|entry| entry.id == line.scenario) else {
            continue;
        };
        let Some(family) = entry.family.first().filter(|_| entry.level == level) else { continue };
        if !seen.contains(family) && last.len() < OF {
            seen.push(*family);
            last.push((*line, entry));
        }
    }
    Progress {
        level,
        flown: last.len(),
        passed: last.iter().filter(|(line, _)| line.grade.passed()).count(),
        grave: last.iter().any(|(line, _)| line.grade == Grade::Critical),
        good: last.iter().any(|(_, entry)| entry.good),
    }
}
