//! The debrief: the operator first, then the tape of what was true against what was seen, what
//! knowing the answer and doing nothing would have come to, one focus, one lesson, one thing to
//! carry over, and what went right.
//!
//! It is plain data, and nothing of it may be shown before the operator has said their account.
//! The words name what happened and what was not opened; they blame nobody.

mod focus;
mod lines;

use super::account::Account;
use super::harm::{self, Compared};
use super::score::Score;
use super::tape::{By, Deed, Tape};
use super::truth::Truth;
use crate::drill::fly::Course;
use crate::drill::regress::Yardstick;
use crate::lab::scenario::SourceSpec;
use crate::units::Millis;
use serde::{Deserialize, Serialize};

pub use focus::{Focus, Loss};

/// What the operator says before anything is shown: a line each, kept as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OwnAccount {
    /// What happened?
    pub what: String,
    /// When did you know?
    pub when: String,
    /// What would you do again?
    pub again: String,
    /// Answers to what the scenario asks besides, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<String>,
}

/// The three questions, in their order.
pub const QUESTIONS: [&str; 3] =
    ["What happened?", "When did you know?", "What would you do again?"];

/// A mark on the strip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When, in the run's time.
    pub at: Millis,
    /// What: `onset`, `evidence`, `detect`, `decide`, `effect`, `restore`, or a scenario's own.
    pub text: String,
}

/// The strip: two rows on one axis.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Strip {
    /// Where the axis ends; it begins at 0.
    pub ends: Millis,
    /// What was true.
    pub truth: Vec<Mark>,
    /// What was seen and done.
    pub seen: Vec<Mark>,
}

/// Users who had failed by each moment, in one way to fly.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ghost {
    /// By then, so many.
    pub line: Vec<(Millis, u64)>,
    /// In the end.
    pub failed: u64,
}

/// All of a debrief. See the module's text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Debrief {
    /// The scenario's name for people.
    pub title: String,
    /// The operator's own account.
    pub said: OwnAccount,
    /// What keeps the flight from being a record, if anything does: a rehearsal, a spoiled one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// What the scenario asks besides.
    pub ask: Vec<String>,
    /// What was true, in a sentence.
    pub cause: String,
    /// Where it really happened.
    pub sources: Vec<SourceSpec>,
    /// The strip.
    pub strip: Strip,
    /// The operator's line.
    pub yours: Ghost,
    /// The line of whoever knew the answer.
    pub oracle: Ghost,
    /// The line of whoever did nothing.
    pub nothing: Ghost,
    /// The score with its parts.
    pub score: Score,
    /// The one thing to work on; nothing where next to nothing was lost.
    pub focus: Option<Focus>,
    /// The one lesson.
    pub lesson: String,
    /// The one check for the operator's own plan; nothing where the scenario has none.
    pub carry_over: Option<String>,
    /// What went right.
    pub well: String,
    /// What a needless way back costs, after a good release was sent back.
    pub needless: Option<String>,
    /// What to fly next after this, where it did not pass.
    pub siblings: Vec<String>,
}

/// A flight and all that was made of it.
#[derive(Debug, Clone, Copy)]
pub struct Flight<'a> {
    /// What the operator saw and did.
    pub tape: &'a Tape,
    /// What was true.
    pub truth: &'a Truth,
    /// What was measured.
    pub account: &'a Account,
    /// Beside the oracle and doing nothing.
    pub harm: Compared,
    /// Its score.
    pub score: &'a Score,
}

/// The debrief of a flight.
pub fn of(
    course: &Course,
    flight: &Flight<'_>,
    yardstick: &Yardstick,
    said: &OwnAccount,
) -> Debrief {
    let Course { scenario, answer, .. } = course;
    let ghost = |truth: &Truth, failed| Ghost { line: harm::line(truth), failed };
    let spec = &answer.debrief;
    let told = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    Debrief {
        title: scenario.drill.title.clone(),
        said: said.clone(),
        remark: None,
        ask: spec.ask.clone(),
        cause: answer.truth.cause.clone(),
        sources: scenario.story.sources.clone(),
        strip: strip(course, flight),
        yours: ghost(flight.truth, flight.harm.yours.failed),
        oracle: ghost(&yardstick.oracle.truth, flight.harm.oracle.failed),
        nothing: ghost(&yardstick.nothing.truth, flight.harm.nothing.failed),
        score: flight.score.clone(),
        focus: focus::of(course, flight),
        lesson: spec.lesson.clone(),
        carry_over: told(&spec.carry_over),
        well: focus::well(course, flight),
        needless: focus::needless(course, flight),
        siblings: if flight.score.grade.passed() {
            Vec::new()
        } else {
            spec.redrill_siblings.clone()
        },
    }
}

impl Debrief {
    /// What was asked and what was said, in order; what was not answered is empty.
    pub fn account(&self) -> impl Iterator<Item = (&str, &str)> {
        let said = [&self.said.what, &self.said.when, &self.said.again].map(String::as_str);
        let own = (0..).map(|place| self.said.own.get(place).map_or("", String::as_str));
        let besides = self.ask.iter().map(String::as_str).zip(own);
        QUESTIONS.into_iter().zip(said).chain(besides)
    }

    /// The whole debrief as lines of at most `width` columns.
    pub fn lines(&self, width: usize) -> Vec<String> {
        lines::of(self, width)
    }
}

fn strip(course: &Course, flight: &Flight<'_>) -> Strip {
    let account = flight.account;
    let mark = |at: Option<Millis>, text: &str| at.map(|at| Mark { at, text: text.to_owned() });
    let mut truth: Vec<Mark> = [
        mark(account.onset, "onset"),
        mark(account.evidence, "evidence"),
        mark(account.effect, "effect"),
        mark(account.restore, "restore"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let own = course.answer.debrief.markers.iter();
    truth.extend(own.filter_map(|marker| mark(flight.truth.when(&marker.at), &marker.text)));
    let mut seen: Vec<Mark> = [mark(account.detect, "detect"), mark(account.decide, "decide")]
        .into_iter()
        .flatten()
        .collect();
    seen.extend(
        flight
            .tape
            .deeds
            .iter()
            .filter_map(|did| deed_words(&did.deed).map(|text| Mark { at: did.at, text })),
    );
    truth.sort_by_key(|mark| mark.at);
    seen.sort_by_key(|mark| mark.at);
    Strip { ends: account.ended, truth, seen }
}

/// What a deed is called on the strip.
fn deed_words(deed: &Deed) -> Option<String> {
    Some(match deed {
        Deed::Deploy => "deploy".to_owned(),
        Deed::Advance(percent) => format!("{percent} % to Green"),
        Deed::Rollback { by: By::Operator, .. } => "back".to_owned(),
        Deed::Rollback { by: By::Limit, .. } => "back, by a limit".to_owned(),
        Deed::Hold => "hold".to_owned(),
        Deed::GoOn => "go on".to_owned(),
        Deed::Extend => "more time".to_owned(),
        Deed::Declare(act) => act.words().to_owned(),
        Deed::Errand(errand) => errand.to_string(),
        Deed::Mark(what) if what.is_empty() => "mark".to_owned(),
        Deed::Mark(what) => format!("mark: {what}"),
        Deed::LookAt(item) => format!("looked at {item}"),
        Deed::Hint => "hint".to_owned(),
        Deed::Decommission => "Blue stopped".to_owned(),
        Deed::Unheard(_) | Deed::Look(_) | Deed::Pause => return None,
    })
}
