//! The one focus of a debrief, and what went right.

use super::Flight;
use crate::drill::fly::Course;
use crate::drill::score::{PartName, Standing};
use crate::drill::words;
use crate::lab::scenario::VerdictClass;
use crate::lab::scenario::answer::Call;
use crate::runbook::RunOutcome;
use crate::text;
use crate::units::Millis;
use serde::{Deserialize, Serialize};

/// Looks that come so much after the evidence came late.
const SOON: Millis = Millis::secs(15);

/// What kind of loss it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// It was not seen, or late.
    Perception,
    /// It was seen, and something else was chosen.
    Decision,
    /// The right thing was chosen, and did not take effect.
    Execution,
    /// A look at step 1 would have shown it.
    Preparation,
}

impl Loss {
    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Perception => "perception",
            Self::Decision => "decision",
            Self::Execution => "execution",
            Self::Preparation => "preparation",
        }
    }
}

/// The one thing to work on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Focus {
    /// What kind of loss it was.
    pub loss: Loss,
    /// Which part of the score it was in.
    pub part: PartName,
    /// Points that were lost there.
    pub points: f64,
    /// What happened, in a sentence that blames nobody.
    pub says: String,
}

/// The largest loss of points, and what kind it was.
pub(super) fn of(course: &Course, flight: &Flight<'_>) -> Option<Focus> {
    let part = flight.score.largest_loss()?;
    let points = part.of - part.points;
    let loss = class(course, flight, part.name);
    let says = match loss {
        Loss::Preparation => preparation(course, flight).unwrap_or_else(|| part.says.clone()),
        Loss::Perception => perception(course, flight).unwrap_or_else(|| part.says.clone()),
        Loss::Decision | Loss::Execution => part.says.clone(),
    };
    Some(Focus { loss, part: part.name, points, says })
}

fn class(course: &Course, flight: &Flight<'_>, part: PartName) -> Loss {
    let account = flight.account;
    if preparation(course, flight).is_some() {
        return Loss::Preparation;
    }
    match part {
        PartName::Procedure => {
            let first = flight.account.looks.iter().any(|look| look.step == 1);
            if first { Loss::Execution } else { Loss::Preparation }
        }
        PartName::Calibration => Loss::Decision,
        PartName::Call | PartName::Users | PartName::Timing => {
            let late = match (account.evidence, account.detect) {
                (Some(evidence), Some(detect)) => detect.since(evidence) > SOON,
                (Some(_), None) => true,
                (None, _) => false,
            };
            let right = flight.score.ruling.is_right()
                || flight.score.ruling.standing == Standing::Corrected;
            let undone = right
                && account.call.is_some_and(|made| made.call == Call::Rollback)
                && account.outcome != Some(RunOutcome::RolledBack)
                && account.outcome != Some(RunOutcome::Abandoned);
            if late {
                Loss::Perception
            } else if undone {
                Loss::Execution
            } else {
                Loss::Decision
            }
        }
    }
}

/// What stood at step 1 and was not opened, where a decision hung on it.
fn preparation(course: &Course, flight: &Flight<'_>) -> Option<String> {
    if flight.score.ruling.points >= 30.0 {
        return None;
    }
    let opened =
        |item: &str| flight.account.looks.iter().any(|look| look.item.as_deref() == Some(item));
    let asked = course.answer.decisions.iter().flat_map(|decision| &decision.requires_viewed);
    let item = asked.into_iter().find(|item| !opened(item))?;
    let evidence = course.scenario.evidence.iter().find(|evidence| evidence.item == *item)?;
    let detail = if evidence.detail.is_empty() { &evidence.shows } else { &evidence.detail };
    Some(format!("step {} had it: {detail}; {item} was not opened", evidence.step))
}

fn perception(course: &Course, flight: &Flight<'_>) -> Option<String> {
    let evidence = flight.account.evidence?;
    let signal = words::signal(course.answer.truth.telling_signal.first()?);
    let at = text::clock(evidence);
    Some(match flight.account.detect {
        Some(detect) => {
            let after = Millis(detect.since(evidence).0 / 1000 * 1000);
            format!("{signal} told it at {at}; the first sign that it was seen came {after} later")
        }
        None => format!("{signal} told it from {at} on; nothing followed on it"),
    })
}

/// What went right, in a line, also where the flight did not pass.
pub(super) fn well(course: &Course, flight: &Flight<'_>) -> String {
    let score = flight.score;
    let best = score.parts.iter().max_by(|a, b| (a.points / a.of).total_cmp(&(b.points / b.of)));
    match best {
        Some(part) if score.ruling.is_right() && part.name == PartName::Call => {
            score.ruling.says.clone()
        }
        Some(_) if score.ruling.is_right() => score.ruling.says.clone(),
        _ if !course.answer.debrief.went_well.is_empty() => course.answer.debrief.went_well.clone(),
        Some(part) if part.points > 0.0 => format!("{}: {}", part.name.words(), part.says),
        _ => "it was flown, and it is on record: that is how it gets better".to_owned(),
    }
}

/// What a needless way back costs, after a good release was sent back.
pub(super) fn needless(course: &Course, flight: &Flight<'_>) -> Option<String> {
    let good = course.scenario.drill.verdict == Some(VerdictClass::Good);
    let back = flight.account.call.filter(|made| made.call == Call::Rollback)?;
    good.then(|| {
        let whom = if back.switched { "users who had it lose it" } else { "nobody gets it" };
        format!(
            "a needless way back is not free: {whom}, it has to be deployed once more, and the \
             next red sample weighs less"
        )
    })
}
