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

/// Takes the checks of a gate as they are made. Most gates are looked at for what they say and
/// not for why: words are made only where somebody reads them.
pub(super) trait Checks {
    /// Whether anybody reads the words. Where nobody does, a check that cannot change what the
    /// gate says need not be made.
    const READS: bool;

    /// One check, with its words.
    fn check(&mut self, state: CheckState, says: impl FnOnce() -> String);

    /// One check whose words are always the same.
    fn plain(&mut self, state: CheckState, says: &'static str) {
        self.check(state, || says.to_owned());
    }
}

/// All of them, with their words.
impl Checks for Vec<Check> {
    const READS: bool = true;

    fn check(&mut self, state: CheckState, says: impl FnOnce() -> String) {
        self.push(Check::new(state, says()));
    }
}

/// A gate is as open as its worst check. This takes the checks, and none of their words.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Worst {
    any: bool,
    bad: bool,
    unknown: bool,
    waiting: bool,
}

impl Worst {
    /// What the gate says.
    pub const fn gate(self) -> GateState {
        if self.bad {
            GateState::Shut
        } else if self.unknown {
            GateState::Unknown
        } else if self.waiting || !self.any {
            GateState::Waiting
        } else {
            GateState::Open
        }
    }
}

impl Checks for Worst {
    const READS: bool = false;

    fn check(&mut self, state: CheckState, _: impl FnOnce() -> String) {
        self.any = true;
        match state {
            CheckState::Bad => self.bad = true,
            CheckState::Unknown => self.unknown = true,
            CheckState::Waiting => self.waiting = true,
            CheckState::Good | CheckState::NotDeclared => {}
        }
    }
}

/// A gate is as open as its worst check.
pub fn judge(checks: &[Check]) -> GateState {
    let mut worst = Worst::default();
    for check in checks {
        worst.check(check.state, String::new);
    }
    worst.gate()
}

/// One check, with its words; nothing where none was made.
pub(super) fn said(make: impl FnOnce(&mut Vec<Check>)) -> Option<Check> {
    let mut checks = Vec::new();
    make(&mut checks);
    checks.pop()
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
