//! Living a run again: its inputs go through a fresh stepper, and every effect must be the same
//! text that was journalled.
//!
//! Where a run was cut off, what followed from its last inputs may not have been written any
//! more; there, and nowhere else, the stepper may give more than the journal holds.

use super::ascii::to_json;
use super::read::Run;
use crate::runbook::{Effect, Event};
use crate::units::Millis;
use std::fmt;

/// What a replay that found no difference has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replayed {
    /// Inputs that were stepped.
    pub inputs: u64,
    /// Effects that were compared.
    pub effects: u64,
    /// Effects that were not journalled because the run was cut off.
    pub unwritten: u64,
    /// The first input that a power cut took: the replay ends before it.
    pub gap: Option<u64>,
}

/// The first effect that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The number of the input it follows from.
    pub n: u64,
    /// When that input was stepped.
    pub at: Millis,
    /// Which of the effects of that input, from 0.
    pub index: usize,
    /// What was journalled; nothing if fewer effects were.
    pub expected: Option<String>,
    /// What the stepper gave; nothing if it gave fewer.
    pub got: Option<String>,
}

impl std::error::Error for Difference {}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nothing = || "nothing".to_owned();
        write!(
            f,
            "input {} at {}, effect {}: journalled {}, replayed {}",
            self.n,
            self.at,
            self.index + 1,
            self.expected.clone().unwrap_or_else(nothing),
            self.got.clone().unwrap_or_else(nothing),
        )
    }
}

/// Feeds the inputs of a run to a fresh stepper, and compares every effect byte for byte.
pub fn replay(
    run: &Run,
    mut step: impl FnMut(Event, Millis) -> Vec<Effect>,
) -> Result<Replayed, Difference> {
    let mut seen = Replayed { gap: run.gaps.first().map(|gap| gap.0), ..Replayed::default() };
    // From the last input with a written effect on, the end of a cut-off run is unwritten.
    let may_be_unwritten = |n: u64| {
        let ends = run.cuts.iter().copied().chain((run.closed.is_none()).then_some(run.last_n));
        ends.into_iter().any(|end| {
            let written = run.turns.iter().rev().find(|t| t.n <= end && !t.effects.is_empty());
            n <= end && n >= written.map_or(1, |turn| turn.n)
        })
    };
    for turn in &run.turns {
        if seen.gap.is_some_and(|gap| turn.n > gap) {
            break;
        }
        let got = step(turn.event.clone(), turn.at);
        seen.inputs += 1;
        for index in 0..turn.effects.len().max(got.len()) {
            let expected = turn.effects.get(index).map(|written| written.json.clone());
            let got = got.get(index).map(|effect| {
                to_json(effect).unwrap_or_else(|e| format!("what cannot be written: {e}"))
            });
            if expected == got {
                seen.effects += 1;
            } else if expected.is_none() && may_be_unwritten(turn.n) {
                seen.unwritten += 1;
            } else {
                return Err(Difference { n: turn.n, at: turn.at, index, expected, got });
            }
        }
    }
    Ok(seen)
}
