//! What was drilled: one line a flight, append-only and chained like a journal, beside the index
//! of runs.
//!
//! First cold flights are the record. Flying the same scenario again within thirty days is a
//! rehearsal, and the same seed again a replay; both stay visible and set no record. So do flights
//! that were abandoned, void, or spoiled by a look at the answer. The chain shows what was edited
//! or taken out; it does not keep anybody from deceiving themselves.

mod file;
pub mod level;
pub mod seen;
pub mod sense;

use super::account::Account;
use super::check::goes_back;
use super::fly::Course;
use super::score::{Back, Grade, PartName, Score, Sureness};
use crate::lab::scenario::Family;
use crate::lab::scenario::answer::Call;
use crate::units::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub mod begun;

pub use begun::Begun;
pub use file::{HISTORY, append, broken, read};

/// Within so many days the same scenario again is a rehearsal.
pub const REHEARSAL_DAYS: i64 = 30;
/// Marks of a family that are shown.
pub const MARKS: usize = 8;
/// Cold flights whose medians are set against those before.
pub const MEDIAN_OF: usize = 10;
const DAY_MS: i64 = 86_400_000;

/// What a flight is on the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The first, or the first in thirty days.
    Cold,
    /// The same scenario within thirty days.
    Rehearsal,
    /// The same scenario and seed.
    Replay,
}

/// One flight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// The run's id.
    pub run: String,
    /// The scenario's id.
    pub scenario: String,
    /// The SHA-256 of the scenario's file.
    pub file: String,
    /// The seed.
    pub seed: u64,
    /// Whether only its codename was known.
    pub blind: bool,
    /// What it trains.
    pub family: Vec<Family>,
    /// Whether going back was right.
    pub back_was_right: bool,
    /// The same flight by flight, and whether the operator went back; not in lines of older
    /// programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<Back>,
    /// The version of the scoring rules.
    pub version: u32,
    /// Points, 0 to 100.
    pub score: u32,
    /// Points by part.
    pub parts: BTreeMap<String, f64>,
    /// What it counts as.
    pub grade: Grade,
    /// What was called; nothing where nothing was.
    pub call: Option<Call>,
    /// Whether the call was right.
    pub right: bool,
    /// How sure it was said to be, 0.5 to 1.
    pub confidence: Option<f64>,
    /// How long noticing took, as a multiple of par.
    pub detect_par: Option<f64>,
    /// How long calling took, as a multiple of par.
    pub decide_par: Option<f64>,
    /// What it is on the record.
    pub standing: Standing,
    /// Whether the answer was looked at before.
    pub spoiled: bool,
    /// Hints that were taken; none in lines of older programs.
    #[serde(default)]
    pub hints: u32,
    /// When it ended, in milliseconds since 1970.
    pub ended_unix_ms: i64,
}

/// What a line says besides what is made of the flight.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// The run's id.
    pub run: String,
    /// The SHA-256 of the scenario's file.
    pub file: String,
    /// The seed.
    pub seed: u64,
    /// Whether only its codename was known.
    pub blind: bool,
    /// Whether the answer was looked at before.
    pub spoiled: bool,
    /// Whether its debrief was read again of late.
    pub reread: bool,
    /// When it ended, in milliseconds since 1970.
    pub ended_unix_ms: i64,
}

impl HistoryLine {
    /// The line of a flight, on top of what was flown before.
    pub fn of(
        course: &Course,
        account: &Account,
        score: &Score,
        sure: &Sureness,
        about: About,
        before: &[Self],
    ) -> Self {
        let drill = &course.scenario.drill;
        let par = score.ruling.par.unwrap_or(Millis::secs(20)).0.max(1) as f64;
        let ratio = |from: Option<Millis>, to: Option<Millis>| {
            let took = to?.since(from?).0 as f64;
            Some((took / par * 100.0).round() / 100.0)
        };
        let About { run, file, seed, blind, spoiled, reread, ended_unix_ms } = about;
        let standing = match standing(before, &drill.id, seed, ended_unix_ms) {
            Standing::Cold if reread => Standing::Rehearsal,
            standing => standing,
        };
        Self {
            standing,
            run,
            scenario: drill.id.clone(),
            file,
            seed,
            blind,
            family: drill.family.clone(),
            back_was_right: score.back.was_right.unwrap_or_else(|| goes_back(course)),
            back: Some(score.back),
            version: score.version,
            score: score.total,
            parts: parts(score),
            grade: score.grade,
            call: account.call.map(|made| made.call),
            right: score.ruling.is_right(),
            confidence: sure.confidence,
            detect_par: ratio(account.evidence, account.detect),
            decide_par: ratio(score.ruling.opens, score.ruling.at),
            spoiled,
            hints: score.hints.taken,
            ended_unix_ms,
        }
    }

    /// The line of a flight that was begun and never scored: it was killed, or its lab or its
    /// journal was lost. `course` is nothing where the scenario is not at hand.
    pub fn left(course: Option<&Course>, begun: &Begun, before: &[Self]) -> Self {
        let drill = course.map(|course| &course.scenario.drill);
        let named = drill.map(|drill| drill.id.as_str()).or(begun.named()).unwrap_or("unknown");
        let (seed, at) = (begun.seed(), begun.at_unix_ms);
        Self {
            standing: standing(before, named, seed, at),
            run: begun.run.clone(),
            scenario: named.to_owned(),
            file: String::new(),
            seed,
            blind: begun.blind,
            family: drill.map(|drill| drill.family.clone()).unwrap_or_default(),
            back_was_right: course.is_some_and(goes_back),
            back: None,
            version: super::score::VERSION,
            score: 0,
            parts: BTreeMap::new(),
            grade: Grade::Abandoned,
            call: None,
            right: false,
            confidence: None,
            detect_par: None,
            decide_par: None,
            spoiled: false,
            hints: 0,
            ended_unix_ms: at,
        }
    }

    /// The day on which it ended, in days since 1970, UTC.
    pub const fn day(&self) -> i64 {
        self.ended_unix_ms.div_euclid(DAY_MS)
    }

    /// Whether it sets a record: cold, whole, and not spoiled.
    pub const fn counts(&self) -> bool {
        matches!(self.standing, Standing::Cold)
            && !self.spoiled
            && !matches!(self.grade, Grade::Abandoned | Grade::Void)
    }

    /// What keeps it from being a record, in a sentence; nothing where it is one.
    pub fn remark(&self) -> Option<String> {
        let says = match self.standing {
            _ if self.spoiled => "spoiled: its answer was looked at in the 30 days before",
            Standing::Replay => "a replay: this scenario was flown with this seed before",
            Standing::Rehearsal => {
                "a rehearsal: it was flown, or its debrief read, in the 30 days before"
            }
            Standing::Cold => return None,
        };
        Some(format!("Kept as {says}; it stays visible, and sets no record."))
    }

    /// Whether it asks for the next flight: practice, and what was left, as a failure does.
    pub const fn is_asked(&self) -> bool {
        !self.spoiled && !matches!(self.grade, Grade::Void)
    }

    /// Whether it was practice: whole and not spoiled, cold or not.
    pub const fn is_practice(&self) -> bool {
        !self.spoiled && !matches!(self.grade, Grade::Abandoned | Grade::Void)
    }
}

/// The points of a score by part, as a line keeps them.
pub fn parts(score: &Score) -> BTreeMap<String, f64> {
    let key = |name| match name {
        PartName::Call => "call",
        PartName::Users => "users",
        PartName::Procedure => "procedure",
        PartName::Timing => "timing",
        PartName::Calibration => "calibration",
    };
    let tenths = |points: f64| (points * 10.0).round() / 10.0;
    score.parts.iter().map(|part| (key(part.name).to_owned(), tenths(part.points))).collect()
}

/// What a flight that ends now would be on the record.
pub fn standing(lines: &[HistoryLine], scenario: &str, seed: u64, now_unix_ms: i64) -> Standing {
    let of_it = || lines.iter().filter(|line| line.scenario == scenario);
    if of_it().any(|line| line.seed == seed) {
        return Standing::Replay;
    }
    let today = now_unix_ms.div_euclid(DAY_MS);
    let lately = of_it().any(|line| today - line.day() < REHEARSAL_DAYS);
    if lately { Standing::Rehearsal } else { Standing::Cold }
}

/// The seed for a flight where nobody chose one: the first of the pool that was not flown, and then
/// one after another behind them. Flown twice, a scenario is not the same film.
pub fn next_seed(lines: &[HistoryLine], scenario: &str, pool: &[u64]) -> u64 {
    let flown = |seed: &u64| lines.iter().any(|l| l.scenario == scenario && l.seed == *seed);
    let behind = pool.iter().copied().max().unwrap_or(0);
    let mut seeds = pool.iter().copied().chain((1..).map(|n| behind.wrapping_add(n)));
    seeds.find(|seed| !flown(seed)).unwrap_or(behind)
}

/// What the record says of one scenario.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Card {
    /// The first score that counts.
    pub first_cold: Option<u32>,
    /// The best score that counts.
    pub best: Option<u32>,
    /// The day of the last flight of any kind, in days since 1970.
    pub last_day: Option<i64>,
    /// Flights of any kind.
    pub flights: usize,
    /// Of these, abandoned.
    pub abandoned: usize,
    /// Of these, spoiled.
    pub spoiled: usize,
    /// Of these, void: paused, or in a lab that was not steady.
    pub void: usize,
    /// The last flight of any kind: what it counted as, and its points.
    pub last: Option<(Grade, u32)>,
}

/// What the record says of one scenario.
pub fn card(lines: &[HistoryLine], scenario: &str) -> Card {
    let of_it: Vec<_> = lines.iter().filter(|line| line.scenario == scenario).collect();
    let counted = || of_it.iter().filter(|line| line.counts());
    Card {
        first_cold: counted().min_by_key(|line| line.ended_unix_ms).map(|line| line.score),
        best: counted().map(|line| line.score).max(),
        last_day: of_it.iter().map(|line| line.day()).max(),
        flights: of_it.len(),
        abandoned: of_it.iter().filter(|line| line.grade == Grade::Abandoned).count(),
        spoiled: of_it.iter().filter(|line| line.spoiled).count(),
        void: of_it.iter().filter(|line| line.grade == Grade::Void).count(),
        last: of_it.iter().max_by_key(|line| line.ended_unix_ms).map(|l| (l.grade, l.score)),
    }
}

/// One flight in a row of marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkOf {
    /// What it counted as.
    pub grade: Grade,
    /// What it was on the record: a rehearsal is drawn hollow.
    pub standing: Standing,
    /// Whether it was spoiled.
    pub spoiled: bool,
}

/// The last eight flights of a family, the oldest first. Those that were left are not among them:
/// nothing was told of them, so that they shall not tell what they train either.
pub fn marks(lines: &[HistoryLine], family: Family) -> Vec<MarkOf> {
    let told =
        |line: &&HistoryLine| line.family.contains(&family) && line.grade != Grade::Abandoned;
    let mut of_it: Vec<_> = lines.iter().filter(told).collect();
    of_it.sort_by_key(|line| line.ended_unix_ms);
    let from = of_it.len().saturating_sub(MARKS);
    let mark = |line: &&HistoryLine| MarkOf {
        grade: line.grade,
        standing: line.standing,
        spoiled: line.spoiled,
    };
    of_it[from..].iter().map(mark).collect()
}

/// Calls as counts: who goes back always has no misses, and many false alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Calls {
    /// Going back was right, and was done.
    pub hits: u32,
    /// Going back was right, and was not done.
    pub misses: u32,
    /// Going back was wrong, and was done.
    pub false_alarms: u32,
    /// Going back was wrong, and was not done.
    pub passes: u32,
}

/// The calls of all flights that count.
pub fn calls(lines: &[HistoryLine]) -> Calls {
    let mut calls = Calls::default();
    for line in lines.iter().filter(|line| line.counts()) {
        let (right, done) = match line.back {
            // What could not be told is neither hit nor miss.
            Some(Back { was_right: None, .. }) => continue,
            Some(Back { was_right: Some(right), was_done }) => (right, was_done),
            None => (line.back_was_right, line.call == Some(Call::Rollback)),
        };
        *match (right, done) {
            (true, true) => &mut calls.hits,
            (true, false) => &mut calls.misses,
            (false, true) => &mut calls.false_alarms,
            (false, false) => &mut calls.passes,
        } += 1;
    }
    calls
}

/// The middle of some numbers: of an even count, the mean of the two in the middle.
pub fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|n| n.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    let upper = *sorted.get(half)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(sorted[half - 1].midpoint(upper))
}

/// A median now, the one before, and the points that they are of: no mean tells of skewed times.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Trend {
    /// Of the last ten that count.
    pub now: Option<f64>,
    /// Of the ten before.
    pub before: Option<f64>,
    /// All of them, the oldest first.
    pub points: Vec<f64>,
}

/// How a number of the flights that count has gone.
pub fn trend(lines: &[HistoryLine], of: impl Fn(&HistoryLine) -> Option<f64>) -> Trend {
    let mut counted: Vec<_> = lines.iter().filter(|line| line.counts()).collect();
    counted.sort_by_key(|line| line.ended_unix_ms);
    let all: Vec<f64> = counted.into_iter().filter_map(of).collect();
    let from = all.len().saturating_sub(MEDIAN_OF);
    let (earlier, now) = all.split_at(from);
    let before = &earlier[earlier.len().saturating_sub(MEDIAN_OF)..];
    Trend { now: median(now), before: median(before), points: all[from - before.len()..].to_vec() }
}

/// How often calls of one sureness were right: said in percent, right, of all.
pub fn calibration(lines: &[HistoryLine]) -> Vec<(u32, u32, u32)> {
    let mut said: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.counts()) {
        let Some(sure) = line.confidence.filter(|sure| sure.is_finite()) else { continue };
        let tens = (sure.clamp(0.5, 1.0) * 10.0).round() as u32 * 10;
        let (right, all) = said.entry(tens).or_default();
        *right += u32::from(line.right);
        *all += 1;
    }
    said.into_iter().map(|(tens, (right, all))| (tens, right, all)).collect()
}
