//! What to fly next: after a pass in 3, 7, 21, 60 and 90 days, after a failure a sibling on the
//! next day. A clean flight skips one step.
//!
//! It informs and never stands in anybody's way. Everything is a function of the lines and of
//! what day it is.

pub mod now;

use super::fly::Course;
use super::history::HistoryLine;
use super::score::Grade;
use crate::lab::scenario::{Family, VerdictClass};
use serde::{Deserialize, Serialize};

/// Days until the next flight, after so many passes in their time.
pub const LADDER: [i64; 5] = [3, 7, 21, 60, 90];
/// After a failure.
pub const AFTER_FAILURE: i64 = 1;

/// What of a scenario matters for what to fly next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// All that is shown of it blind.
    pub codename: String,
    /// 1 (recruit) to 4 (expert).
    pub level: u8,
    /// What it trains.
    pub family: Vec<Family>,
    /// What to fly instead of it after a failure.
    pub siblings: Vec<String>,
    /// Whether going back is the right call.
    pub back_is_right: bool,
    /// Whether the release is good.
    pub good: bool,
    /// Its official seeds.
    pub seeds: Vec<u64>,
}

impl Entry {
    /// The entry of a course.
    pub fn of(course: &Course) -> Self {
        let drill = &course.scenario.drill;
        let own = course.answer.debrief.redrill_siblings.iter().chain(&drill.twins);
        let mut siblings: Vec<String> = Vec::new();
        for sibling in own.filter(|sibling| **sibling != drill.id) {
            if !siblings.contains(sibling) {
                siblings.push(sibling.clone());
            }
        }
        Self {
            id: drill.id.clone(),
            codename: drill.codename.clone(),
            level: drill.level,
            family: drill.family.clone(),
            siblings,
            back_is_right: super::check::goes_back(course),
            good: drill.verdict == Some(VerdictClass::Good),
            seeds: course.scenario.clock.seeds.clone(),
        }
    }
}

/// Something that is, or will be, due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// What to fly.
    pub scenario: String,
    /// The scenario whose flight asks for it.
    pub after: String,
    /// When, in days since 1970.
    pub day: i64,
    /// How many days lie between that flight and this one.
    pub interval: i64,
    /// Whether that flight did not pass.
    pub failed: bool,
}

impl Due {
    /// In how many days; less than 0 where it is overdue.
    pub const fn days_left(&self, today: i64) -> i64 {
        self.day - today
    }
}

/// What each scenario that was ever flown asks for next, the most urgent first.
pub fn all(lines: &[HistoryLine], catalogue: &[Entry]) -> Vec<Due> {
    let mut dues: Vec<Due> =
        catalogue.iter().filter_map(|entry| of(lines, entry, catalogue)).collect();
    dues.sort_by(|a, b| (a.day, &a.scenario, &a.after).cmp(&(b.day, &b.scenario, &b.after)));
    // Two failures may ask for the same sibling: once is enough.
    let mut seen: Vec<String> = Vec::new();
    dues.retain(|due| {
        let new = !seen.contains(&due.scenario);
        seen.push(due.scenario.clone());
        new
    });
    dues
}

/// What a scenario asks for next; nothing where it was never flown.
pub fn of(lines: &[HistoryLine], entry: &Entry, catalogue: &[Entry]) -> Option<Due> {
    let mut flown: Vec<&HistoryLine> =
        lines.iter().filter(|line| line.scenario == entry.id && line.is_asked()).collect();
    flown.sort_by_key(|line| line.ended_unix_ms);
    let mut rung: Option<usize> = None;
    let mut due: Option<Due> = None;
    for line in flown {
        // Before its time a flight proves little: it moves the day, and no step is gained.
        let early = due.as_ref().is_some_and(|due| !due.failed && line.day() < due.day);
        let (interval, failed) = match line.grade {
            Grade::Clean | Grade::Pass => {
                let steps = if line.grade == Grade::Clean { 2 } else { 1 };
                let next = match rung {
                    Some(rung) if early => rung,
                    Some(rung) => rung + steps,
                    None => steps - 1,
                };
                let next = next.min(LADDER.len() - 1);
                rung = Some(next);
                (LADDER[next], false)
            }
            _ => {
                rung = None;
                (AFTER_FAILURE, true)
            }
        };
        // Of what was left nothing was told: it is still to be flown itself.
        let told = failed && line.grade != Grade::Abandoned;
        let scenario = if told { sibling(entry, catalogue) } else { entry.id.clone() };
        let (after, day) = (entry.id.clone(), line.day() + interval);
        due = Some(Due { scenario, after, day, interval, failed });
    }
    due.map(|due| sibling_flown(lines, due))
}

/// A failure whose sibling was flown since asks for the scenario itself, as much later as the
/// sibling says.
fn sibling_flown(lines: &[HistoryLine], due: Due) -> Due {
    if !due.failed || due.scenario == due.after {
        return due;
    }
    let failed_on = due.day - due.interval;
    let since = lines.iter().filter(|line| {
        line.scenario == due.scenario && line.is_practice() && line.day() >= failed_on
    });
    let passed = since.filter(|line| line.grade.passed()).map(HistoryLine::day).max();
    match passed {
        Some(day) => {
            Due { scenario: due.after.clone(), day: day + LADDER[0], interval: LADDER[0], ..due }
        }
        None => due,
    }
}

/// What to fly after a failure: the first sibling that is there, and not the same file.
fn sibling(entry: &Entry, catalogue: &[Entry]) -> String {
    let is_there = |id: &&String| catalogue.iter().any(|other| other.id == **id);
    let named = entry.siblings.iter().find(is_there).cloned();
    let kin = || {
        let kin = |other: &&Entry| {
            other.id != entry.id && other.family.iter().any(|f| entry.family.contains(f))
        };
        catalogue.iter().find(kin).map(|other| other.id.clone())
    };
    named.or_else(kin).unwrap_or_else(|| entry.id.clone())
}

/// When a family was last flown, in days since 1970.
pub fn last_flown(lines: &[HistoryLine], family: Family) -> Option<i64> {
    let of_it = lines.iter().filter(|line| line.family.contains(&family) && line.is_practice());
    of_it.map(HistoryLine::day).max()
}
