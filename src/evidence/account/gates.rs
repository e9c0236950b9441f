//! How a gate is told when its step is over: what it said last is its last word only where the
//! journal wrote it down then. What was written while the gate still waited is told as that.

use super::Account;
use crate::runbook::gate::{Check, GateState};
use crate::runbook::{RunOutcome, Step};
use crate::units::Millis;

/// How the step of a gate ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateEnd {
    /// The step passed.
    Passed,
    /// The step passed, and what it had to prove was unproven.
    Unproven,
    /// The way back began in it.
    WayBack,
    /// The run was left or cut off in it, or still is there.
    Here,
}

/// A gate as it last stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateTold {
    /// Of which step.
    pub step: Step,
    /// What it said last.
    pub state: GateState,
    /// Why: what was expected and what was seen.
    pub checks: Vec<Check>,
    /// When.
    pub at: Millis,
    /// The journal's line.
    pub seq: u64,
    /// How its step ended.
    pub end: GateEnd,
}

impl GateTold {
    /// Whether it was written while the step was not over, and nothing later was: its numbers are
    /// of then.
    pub fn is_stale(&self) -> bool {
        self.state == GateState::Waiting && self.end != GateEnd::Here && !self.is_decided()
    }

    /// Whether it is the step that only waits for a decision, and that was made.
    pub const fn is_decided(&self) -> bool {
        matches!((self.step, self.end), (Step::Decide, GateEnd::Passed))
    }

    /// How it is told, in a word.
    pub const fn word(&self) -> &'static str {
        match (self.state, self.end) {
            _ if self.is_decided() => "decided",
            (GateState::Waiting, GateEnd::Passed | GateEnd::Unproven) => "passed",
            (GateState::Waiting, GateEnd::WayBack) => "left",
            (state, _) => state.word(),
        }
    }

    /// What to know besides.
    pub fn note(&self) -> Option<&'static str> {
        match (self.end, self.is_stale()) {
            (GateEnd::Passed, false) => Some("step passed"),
            (GateEnd::Passed, true) => Some("step passed; how the gate stood then is not written"),
            (GateEnd::Unproven, _) => Some("step passed, but its outcome was unproven"),
            (GateEnd::WayBack, _) => Some("left at the way back"),
            (GateEnd::Here, _) => None,
        }
    }

    /// What was seen last, as one sentence says it: what is stale is said to be.
    pub fn seen(&self) -> String {
        let says: Vec<&str> = self.checks.iter().map(|check| check.says.as_str()).collect();
        let seen = says.join("; ");
        match (self.is_stale(), self.note()) {
            (true, Some(note)) => format!("{note}; before that, at line {}: {seen}", self.seq),
            _ => seen,
        }
    }
}

impl Account {
    /// Whether the operator chose the way back, though nothing that is judged asked for it.
    pub fn operator_went_back(&self) -> bool {
        self.back.as_ref().is_some_and(|back| {
            let why = back.why.as_str();
            why.starts_with("the operator went back") || is_unproven(why)
        })
    }

    /// Whether the run was cut off, and never picked up.
    pub fn is_cut_off(&self) -> bool {
        self.outcome.is_none()
    }

    /// Whether its end says that the release was not kept.
    pub fn is_refused(&self) -> bool {
        matches!(
            self.outcome,
            Some(RunOutcome::RolledBack | RunOutcome::Abandoned | RunOutcome::Failed)
        )
    }
}

/// Whether words of the run say that its watch has proven too little.
pub(super) fn is_unproven(words: &str) -> bool {
    words.starts_with("The watch ended unproven") || words.starts_with("the watch ended unproven")
}
