//! `exercise.json`: what a drill was an exercise of, by which criteria, and what came of it.
//!
//! The form is that of an after-action record: scope and objective, criteria that stood before the
//! flight, measures against them, observations, corrective actions, review. It is written when the
//! operator has been debriefed, and goes into the bundle beside the journal. The journal alone does
//! not give it, for it rests on what the lab knew and the cockpit did not: so it is told as the
//! program's word, and what the journal does say is held against it.
//!
//! Nothing here knows how a drill is flown or scored.

use super::manifest::read_plain;
use super::{json, names};
use crate::clean::Clean;
use crate::journal::Run;
use crate::runbook::Kind;
use crate::units::Millis;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The most bytes that one may have.
const MOST: u64 = 1 << 20;
/// What is printed on each.
pub const LIMITS: &str = "The lab is not your production. This supports training and a simulated \
    exercise (CP-3(1), IR-2(1), IR-3, and part of CP-4). It does not show that your real rollback, \
    backup or restore works: CP-4(4) needs a run on the real thing, such as a rehearsal of the way \
    back on the real router, which has its own bundle.";
/// What kind of exercise a drill is.
pub const TYPE: &str = "simulated functional exercise on an embedded stand-in";

/// All of it. Instants are of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    /// `DRILL`.
    pub kind: Kind,
    /// The host that it was flown on.
    pub host: Clean,
    /// The run's id.
    pub run: String,
    /// The marking line, if the plan declares one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub marking: Option<Clean>,
    /// What kind of exercise: [`TYPE`].
    #[serde(rename = "type")]
    pub what: String,
    /// SHA-256 of the plan that was exercised, in hex.
    pub plan_sha256: String,
    /// The version of the program, and so of its lab.
    pub program: String,
    /// Who flew, as the system names them.
    pub operator: Option<Clean>,
    /// What was flown.
    pub scenario: Scenario,
    /// What was to be shown, fixed before.
    pub objective: Clean,
    /// What counts as a pass, fixed before.
    pub pass: Clean,
    /// What came of it, in a few words.
    pub result: Clean,
    /// Whether it passed; nothing where it does not count.
    pub passed: Option<bool>,
    /// Measures against criteria.
    pub measures: Vec<Measure>,
    /// What was true and what was done, in order.
    pub timeline: Vec<Point>,
    /// What the operator was asked before anything was shown, and what they said.
    pub account: Vec<Said>,
    /// What was seen of the flight: what went well, what to work on, the lesson.
    pub observations: Vec<Clean>,
    /// Where the runbook was not kept.
    pub deviations: Vec<Clean>,
    /// What is to be done about it.
    pub corrective_actions: Vec<Action>,
    /// Who has looked at the result.
    pub review: Review,
    /// When it is due again: a day.
    pub next_due: Option<Clean>,
    /// Its line in the operator's chained history.
    pub history: Option<HistoryLine>,
    /// What it does not show: [`LIMITS`].
    pub limits: String,
}

/// What was flown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its id.
    pub id: Clean,
    /// Its title.
    pub title: Clean,
    /// SHA-256 of its file, in hex.
    pub sha256: String,
    /// The seed of its world.
    pub seed: u64,
    /// Its level, 1 to 4.
    pub level: u8,
    /// What it trains.
    pub families: Vec<Clean>,
    /// Whether the operator knew a codename and nothing else.
    pub blind: bool,
    /// Whether the operator had seen its answer.
    pub spoiled: bool,
    /// What it was on the record: cold, rehearsal, replay.
    pub standing: Clean,
    /// What went wrong in it.
    pub cause: Clean,
    /// Real incidents that it is modelled on: title and address.
    pub sources: Vec<(Clean, Clean)>,
}

/// A measure against its criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// What is measured.
    pub what: Clean,
    /// By which criterion.
    pub criterion: Clean,
    /// What was measured.
    pub measured: Clean,
    /// Why, with its numbers.
    pub says: Clean,
}

/// Something with a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// When, in milliseconds of the run.
    pub at: Millis,
    /// Whether it was so in the lab; otherwise the operator did it.
    pub true_in_lab: bool,
    /// What.
    pub what: Clean,
}

/// A question and what was said to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The question.
    pub asked: Clean,
    /// The answer; empty where there was none.
    pub said: Clean,
}

/// Something that is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// What.
    pub text: Clean,
    /// Who does it.
    pub owner: Option<Clean>,
    /// Until when: a day.
    pub due: Option<Clean>,
    /// When it was done: a day.
    pub closed_on: Option<Clean>,
    /// What shows it, or what became of it.
    pub evidence: Clean,
}

/// Who has looked at the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// Who; nothing where nobody has.
    pub reviewer: Option<Clean>,
    /// Whether that is who flew.
    pub by_the_operator: bool,
    /// When: a day.
    pub at: Option<Clean>,
}

/// A line in the operator's history of drills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryLine {
    /// SHA-256 of the line, in hex.
    pub sha256: String,
    /// That of the line before it, in hex.
    pub previous: String,
}

impl Exercise {
    /// As its file has it.
    pub fn text(&self) -> String {
        json::file(self)
    }

    /// Reads one.
    ///
    /// # Errors
    /// Why these bytes are none, in words.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|error| format!("it is no exercise record: {error}"))
    }

    /// The one beside a journal; nothing where there is none.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    pub fn beside(dir: &Path) -> Result<Option<Self>, String> {
        match read_plain(&dir.join(names::EXERCISE), MOST) {
            Ok(bytes) => Self::parse(&bytes).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("it cannot be read: {error}")),
        }
    }

    /// Holds it against what the journal says of the same flight.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn fits(&self, run: &Run) -> Result<(), String> {
        let facts = &run.opened.facts;
        if facts.kind != Kind::Drill || self.kind != Kind::Drill {
            return Err(format!("the journal is that of a {}", facts.kind.word().to_lowercase()));
        }
        for (what, here, there) in [
            ("run", &self.run, &facts.run),
            ("plan", &self.plan_sha256, &run.opened.plan_sha256),
            ("program", &self.program, &run.opened.program),
            ("host", &self.host.as_str().to_owned(), &facts.host.as_str().to_owned()),
        ] {
            if here != there {
                let here = Clean::new(here);
                return Err(format!("it names the {what} {here}, the journal {there}"));
            }
        }
        let last = run.turns.iter().map(|turn| turn.at).max().unwrap_or_default();
        let late = self.timeline.iter().find(|point| !point.true_in_lab && point.at > last);
        if let Some(point) = late {
            return Err(format!("{} is said to be done after the journal's end", point.what));
        }
        if self.what != TYPE || self.limits != LIMITS {
            return Err("its type or its limits are not the words of this program".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exercise() -> Exercise {
        let clean = |text: &str| Clean::new(text);
        Exercise {
            kind: Kind::Drill,
            host: clean("vps-1"),
            run: "20261123T142207Z-7f3a".to_owned(),
            marking: None,
            what: TYPE.to_owned(),
            plan_sha256: "0".repeat(64),
            program: "0.1.0".to_owned(),
            operator: Some(clean("ada")),
            scenario: Scenario {
                id: clean("twice-the-pool"),
                title: clean("Twice the pool"),
                sha256: "1".repeat(64),
                seed: 901,
                level: 2,
                families: vec![clean("shared fate")],
                blind: true,
                spoiled: false,
                standing: clean("cold"),
                cause: clean("both slots hold a full pool"),
                sources: vec![(clean("Tremendous"), clean("https://example.org/"))],
            },
            objective: clean("call it right"),
            pass: clean("70 of 100"),
            result: clean("91 of 100, clean"),
            passed: Some(true),
            measures: vec![Measure {
                what: clean("the call"),
                criterion: clean("of 40 points"),
                measured: clean("40.0"),
                says: clean("in its step, in its time"),
            }],
            timeline: vec![Point { at: Millis::secs(40), true_in_lab: false, what: clean("back") }],
            account: vec![Said { asked: clean("What happened?"), said: clean("the pool") }],
            observations: vec![clean("Green had no users")],
            deviations: Vec::new(),
            corrective_actions: Vec::new(),
            review: Review { reviewer: None, by_the_operator: false, at: None },
            next_due: None,
            history: None,
            limits: LIMITS.to_owned(),
        }
    }

    #[test]
    fn what_is_written_is_read_and_what_is_more_is_refused() {
        let exercise = exercise();
        let text = exercise.text();
        assert_eq!(Exercise::parse(text.as_bytes()).unwrap(), exercise);
        let more = text.replacen('{', "{\"proven\": true,", 1);
        assert!(Exercise::parse(more.as_bytes()).unwrap_err().contains("proven"));
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Exercise::beside(home.path()), Ok(None));
        std::fs::write(home.path().join(names::EXERCISE), "{}").unwrap();
        assert!(Exercise::beside(home.path()).is_err());
    }

    #[test]
    fn nothing_in_it_acts_on_a_terminal_or_a_page() {
        let mut exercise = exercise();
        exercise.account[0].said = Clean::new("\u{1b}[2J\u{202e}<script>");
        let text = exercise.text();
        assert!(text.is_ascii() && !text.contains('\u{1b}'));
        let raw = text.replace("the pool", "x").replace("\"ada\"", "\"\\u001b[2J\"");
        let read = Exercise::parse(raw.as_bytes()).unwrap();
        assert!(!read.operator.unwrap().as_str().contains('\u{1b}'), "it is cleaned as it is read");
    }
}
