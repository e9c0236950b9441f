//! What is a matter of routine: the presses of whoever answers every gate that is open and never
//! one that is not. Told by the core itself, without a snapshot, because simulated time asks it
//! after each step.

use super::core::Core;
use super::event::{Answer, Command};
use super::gate::GateState;
use super::question::About;
use super::step::Step;

impl Core {
    /// What `--yes` would press now, if anything. What only a person can do (deploying by hand,
    /// typing a word, deciding what was not declared) is no routine.
    pub fn routine(&self) -> Option<Command> {
        if self.finish.is_some() {
            return None;
        }
        if let Some(open) = self.question() {
            let routine = open.routine && open.type_word.is_none();
            let question = open.number;
            return routine.then_some(Command::Answer { question, answer: Answer::Yes });
        }
        if self.rollback.is_some() {
            return None;
        }
        let step = self.step_now();
        if step == Step::Warm {
            // Kept; nobody is there to wait for the end of the warm window.
            return self.in_flight.is_empty().then_some(Command::Leave);
        }
        // What the gate said at the end of the last step is what it says until the next one.
        let open = self.gate_said == Some((step, GateState::Open));
        (open && self.next_open()).then_some(Command::Next)
    }

    /// Whether a question waits that is no routine: somebody has to decide.
    pub fn asks_somebody(&self) -> bool {
        self.question().is_some_and(|open| !open.routine || open.type_word.is_some())
    }

    /// Whether the way back is due, and what is asked of it will be settled without an answer: by
    /// a countdown, or by Blue being ready again.
    pub fn goes_back_by_itself(&self) -> bool {
        let about = self.question().map(|open| open.about);
        matches!(about, Some(About::Tripped | About::BlueUnwell))
    }

    /// Whether somebody has said that they leave, and the run ends as soon as it may.
    pub const fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// Whether the way back was taken and has nothing more to do.
    pub fn is_back(&self) -> bool {
        self.rollback.as_ref().is_some_and(super::rollback::Rollback::settled)
    }
}
