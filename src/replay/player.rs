//! A place on a tape, and how to get to another one.
//!
//! On the way forward a core is stepped; on the way back, and over a long way, it begins at the
//! nearest copy. Either way the snapshot is the one that the live run gave there.

use super::tape::{Flag, Tape};
use crate::feed::News;
use crate::runbook::Core;
use crate::runbook::snapshot::Snapshot;
use crate::units::Millis;

/// Plays a tape.
#[derive(Debug)]
pub struct Player {
    tape: Tape,
    core: Core,
    index: usize,
}

/// What a move brought.
#[derive(Debug)]
pub struct Moved {
    /// How things stood there.
    pub snapshot: Snapshot,
    /// What is new; after a move back, everything until there.
    pub news: News,
    /// Whether what was told before is to be forgotten.
    pub reset: bool,
}

impl Player {
    /// At the very beginning of a tape, before its first input.
    pub fn new(tape: Tape) -> Self {
        let core = tape.copy(0).1.clone();
        Self { tape, core, index: 0 }
    }

    /// The tape.
    pub const fn tape(&self) -> &Tape {
        &self.tape
    }

    /// How many inputs are stepped.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// How things stand.
    pub fn snapshot(&mut self) -> Snapshot {
        self.core.snapshot()
    }

    /// Goes to where so many inputs are stepped.
    pub fn go(&mut self, index: usize) -> Moved {
        let index = index.min(self.tape.len());
        let (copied, core) = self.tape.copy(index);
        let back = index < self.index;
        let mut from = self.index;
        if back || copied > self.index {
            self.core = core.clone();
            from = copied;
        }
        for turn in self.tape.turns(from, index) {
            // What followed was done once, by the run itself; here it is only lived again.
            let _ = self.core.step(turn.event.clone(), turn.at);
        }
        let told = if back { 0 } else { self.index };
        self.index = index;
        let snapshot = self.snapshot();
        Moved { snapshot, news: self.tape.news(told, index), reset: back }
    }

    /// The next mark, or the last one before this place that was earlier than `before`.
    pub fn mark(&self, by: i8, before: Millis) -> Option<&Flag> {
        let flags = self.tape.flags();
        if by > 0 {
            return flags.iter().find(|flag| flag.index > self.index);
        }
        let earlier = |flag: &&Flag| flag.index < self.index && self.tape.at(flag.index) < before;
        flags.iter().rev().find(earlier)
    }
}
