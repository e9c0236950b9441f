//! Gates: whether the next step may begin, and why.

use serde::{Deserialize, Serialize};

/// What a gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    /// Every check is good: the next step may begin.
    Open,
    /// Something is still running; nothing is wrong.
    Waiting,
    /// A check has failed.
    Shut,
    /// A check cannot be made; that is never open.
    Unknown,
}

impl GateState {
    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Shut => "shut",
            Self::Unknown => "unknown",
        }
    }
}

/// How one check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Good.
    Good,
    /// Not yet.
    Waiting,
    /// Bad.
    Bad,
    /// It cannot be said.
    Unknown,
    /// The plan says nothing about it; it neither opens nor shuts the gate.
    NotDeclared,
}

/// One reason of a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// How it stands.
    pub state: CheckState,
    /// What was checked, with its numbers.
    pub says: String,
}

impl Check {
    /// A check from its parts.
    pub fn new(state: CheckState, says: impl Into<String>) -> Self {
        Self { state, says: says.into() }
    }
}

/// A gate is as open as its worst check.
pub fn judge(checks: &[Check]) -> GateState {
    let has = |state| checks.iter().any(|check| check.state == state);
    if has(CheckState::Bad) {
        GateState::Shut
    } else if has(CheckState::Unknown) {
        GateState::Unknown
    } else if has(CheckState::Waiting) || checks.is_empty() {
        GateState::Waiting
    } else {
        GateState::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_is_as_open_as_its_worst_check() {
        use CheckState::{Bad, Good, NotDeclared, Unknown, Waiting};
        let gate = |states: &[CheckState]| {
            judge(&states.iter().map(|&s| Check::new(s, "x")).collect::<Vec<_>>())
        };
        assert_eq!(gate(&[Good, NotDeclared]), GateState::Open);
        assert_eq!(gate(&[Good, Waiting]), GateState::Waiting);
        assert_eq!(gate(&[Waiting, Unknown]), GateState::Unknown);
        assert_eq!(gate(&[Unknown, Bad, Good]), GateState::Shut);
        assert_eq!(gate(&[]), GateState::Waiting, "nothing checked is not open");
    }
}
