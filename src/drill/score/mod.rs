//! A flight in a number of a hundred, and the number in its parts, each with its reason.
//!
//! The call is 40, users spared 20, procedure 20, timing 10, calibration 10. To be fast is worth
//! little and to be faster than par nothing, for a hair trigger is the easiest way to look
//! skilled. Something grave caps the whole. The words name what happened and blame nobody.

mod call;
mod critical;
mod hints;
mod parts;

use super::account::Account;
use super::harm::Compared;
use super::tape::Tape;
use super::truth::Truth;
use crate::lab::Scenario;
use crate::lab::scenario::answer::Answer;
use serde::{Deserialize, Serialize};

pub use call::{Ruling, Standing};
pub use hints::{Hints, price};

/// The version of these rules; a run is never scored anew under others in silence.
pub const VERSION: u32 = 1;
/// From here on a flight has passed.
pub const PASS: u32 = 70;
/// From here on it was clean.
pub const CLEAN: u32 = 85;

/// What the operator says at the call, asked after the flight and before anything is shown.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sureness {
    /// How sure, 0.5 to 1; nothing where it was not said.
    pub confidence: Option<f64>,
    /// Which signal told it.
    pub telling: Option<String>,
}

/// Everything that a score is made from.
#[derive(Debug, Clone, Copy)]
pub struct Flown<'a> {
    /// The scenario that was flown.
    pub scenario: &'a Scenario,
    /// Its answer.
    pub answer: &'a Answer,
    /// What the operator saw and did.
    pub tape: &'a Tape,
    /// What was true.
    pub truth: &'a Truth,
    /// What was measured.
    pub account: &'a Account,
    /// What it did to users, beside the oracle's and the do-nothing flight of the same seed.
    pub harm: Compared,
    /// How sure the operator was.
    pub sure: &'a Sureness,
}

/// One part of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What it is of.
    pub name: PartName,
    /// Points.
    pub points: f64,
    /// Of so many.
    pub of: f64,
    /// Why, in a sentence with its numbers.
    pub says: String,
}

/// What a part is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartName {
    /// The call.
    Call,
    /// Users spared.
    Users,
    /// Procedure.
    Procedure,
    /// Timing.
    Timing,
    /// Calibration.
    Calibration,
}

impl PartName {
    /// The words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Call => "the call",
            Self::Users => "users spared",
            Self::Procedure => "procedure",
            Self::Timing => "timing",
            Self::Calibration => "calibration",
        }
    }
}

/// Something grave that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grave {
    /// When.
    pub at: crate::units::Millis,
    /// The most that the run can score with it.
    pub cap: u32,
    /// What was grave about it.
    pub says: String,
}

/// What a flight counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// 85 and more, and nothing grave.
    Clean,
    /// 70 and more, and nothing grave.
    Pass,
    /// Less.
    Fail,
    /// Something grave was done.
    Critical,
    /// It was ended before a call.
    Abandoned,
    /// It does not count: the lab was not steady, or the run was paused.
    Void,
}

impl Grade {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Critical => "critical",
            Self::Abandoned => "abandoned",
            Self::Void => "void",
        }
    }

    /// Whether it passed.
    pub const fn passed(self) -> bool {
        matches!(self, Self::Clean | Self::Pass)
    }
}

/// A flight in a number, and the number in its parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The version of the rules.
    pub version: u32,
    /// Points, 0 to 100.
    pub total: u32,
    /// What it counts as.
    pub grade: Grade,
    /// The five parts, the call first.
    pub parts: Vec<Part>,
    /// Taken off for marks for which there was nothing to be seen.
    pub marks_off: u32,
    /// Hints that were taken, and what is taken off for them; none in scores of older programs.
    #[serde(default)]
    pub hints: Hints,
    /// What was grave.
    pub critical: Vec<Grave>,
    /// Why it does not count, where it does not.
    pub void: Option<String>,
    /// Which of the scenario's decisions it was held against, and how that stands.
    pub ruling: Ruling,
}

impl Score {
    /// The part of this name.
    pub fn part(&self, name: PartName) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// The part that lost the most; nothing where next to nothing was lost.
    pub fn largest_loss(&self) -> Option<&Part> {
        let loss = |part: &Part| part.of - part.points;
        let largest = self.parts.iter().max_by(|a, b| loss(a).total_cmp(&loss(b)));
        largest.filter(|part| loss(part) >= 1.0)
    }
}

/// Scores a flight.
pub fn of(flown: &Flown<'_>) -> Score {
    let ruling = call::ruling(flown);
    let parts = vec![
        ruling.part(),
        parts::users(flown, &ruling),
        parts::procedure(flown, &ruling),
        parts::timing(flown, &ruling),
        parts::calibration(flown, &ruling),
    ];
    let critical = critical::graves(flown);
    let marks_off = flown.account.idle_marks.saturating_sub(2).min(3) * 2;
    let void = parts::void(flown);
    let sum: f64 = parts.iter().map(|part| part.points).sum();
    let cap = critical.iter().map(|grave| grave.cap).min().unwrap_or(100);
    let hints = hints::taken(flown);
    let off = marks_off + hints.off;
    let whole = (sum - f64::from(off)).clamp(0.0, 100.0).round() as u32;
    let abandoned = parts::abandoned(flown, &ruling);
    let total = if abandoned { 0 } else { whole.min(cap) };
    let grade = match total {
        _ if void.is_some() => Grade::Void,
        _ if abandoned => Grade::Abandoned,
        _ if !critical.is_empty() => Grade::Critical,
        CLEAN.. => Grade::Clean,
        PASS.. => Grade::Pass,
        _ => Grade::Fail,
    };
    Score { version: VERSION, total, grade, parts, marks_off, hints, critical, void, ruling }
}
