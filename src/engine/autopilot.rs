//! `--yes`: answers every gate that is open, and never one that is not.
//!
//! It presses the same keys as an operator would, so that its presses stand in the journal, as its
//! own: nobody shall be taken for having answered. What
//! only a person can do (deploying by hand, typing a word) it leaves alone.

use crate::runbook::{Answer, Command, GateState, Snapshot, Step};

/// What the autopilot presses now, if anything. `idle` says that no act is in flight.
pub fn press(snapshot: &Snapshot, idle: bool) -> Option<Command> {
    if snapshot.finish.is_some() {
        return None;
    }
    if let Some(question) = &snapshot.question {
        return question
            .routine
            .then_some(Command::Answer { question: question.number, answer: Answer::Yes });
    }
    if snapshot.rollback.is_some() {
        return None;
    }
    if snapshot.step == Step::Warm {
        // Kept; nobody is there to wait for the end of the warm window.
        return idle.then_some(Command::Leave);
    }
    (snapshot.next_open && snapshot.gate == GateState::Open).then_some(Command::Next)
}
