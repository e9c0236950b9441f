//! What hints cost: nothing at level 1, where they are taken without shame, and above it a few
//! points each. A hint that was asked for when there were none left costs nothing.

use super::Flown;
use crate::drill::tape::Deed;
use crate::text;
use serde::{Deserialize, Serialize};

/// Points for a hint, from level 2 on: with two of them a flight that is whole is still clean.
const EACH: u32 = 5;

/// Hints that were taken in a flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hints {
    /// So many.
    pub taken: u32,
    /// Points that are taken off for them.
    pub off: u32,
}

impl Hints {
    /// Why, in a sentence; nothing where none was taken.
    pub fn says(self) -> Option<String> {
        let taken = text::count(self.taken.into(), "hint");
        Some(match (self.taken, self.off) {
            (0, _) => return None,
            (_, 0) => format!("{taken} taken, free at level 1"),
            (1, off) => format!("{taken} taken, at {off} points"),
            (all, off) => format!("{taken} taken, at {} points each", off / all),
        })
    }
}

/// What a hint costs at a level, in points.
pub const fn price(level: u8) -> u32 {
    if level <= 1 { 0 } else { EACH }
}

/// The hints that were taken in a flight.
pub(super) fn taken(flown: &Flown<'_>) -> Hints {
    let asked = flown.tape.did(|deed| *deed == Deed::Hint).count();
    let taken = asked.min(flown.scenario.story.hints.len()).try_into().unwrap_or(u32::MAX);
    Hints { taken, off: price(flown.scenario.drill.level).saturating_mul(taken) }
}
