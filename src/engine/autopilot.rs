//! `--yes`: answers every gate that is open, and never one that is not.
//!
//! It presses the same keys as an operator would, so that its presses stand in the journal.

use crate::plan::{CommandName, Plan};
use crate::runbook::{Answer, Command, GateState, Snapshot, Step};

/// What the autopilot presses now, if anything. `idle` says that no act is in flight.
pub fn press(snapshot: &Snapshot, plan: &Plan, idle: bool) -> Option<Command> {
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
    let by_hand = snapshot.step == Step::Deploy && !plan.commands.has(CommandName::Deploy);
    let open = snapshot.gate == GateState::Open || (by_hand && snapshot.gate != GateState::Shut);
    (snapshot.next_open && open).then_some(Command::Next)
}
