//! A pilot for flights that nobody watches: presses what is routine, and says how it ended.
//!
//! It presses the same keys as `--yes` does, so that its presses are events like any other. What
//! only a person can decide it leaves alone: there the flight ends, and the pilot says so.

use super::flight::Flight;
use super::model::Model;
use super::watcher::Watcher;
use crate::runbook::{Command, Event, RunOutcome};
use crate::units::Millis;

/// How a flight ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Landing {
    /// Green serves users, and stays.
    Kept,
    /// All traffic is back on Blue, verified.
    RolledBack,
    /// Back before any weight had reached Green.
    Abandoned,
    /// Something is asked that only a person can answer.
    Asks,
    /// It ended otherwise, in a code that calls a person.
    Interrupted,
    /// The time that it was given is up.
    TimeUp,
}

/// Begins the run and flies it to its end, or until `cap` in simulated time.
pub fn fly<W: Watcher, M: Model>(flight: &mut Flight<W, M>, cap: Millis) -> Landing {
    flight.feed(Event::Begin);
    go_on(flight, cap)
}

/// Flies on a run that has begun, to its end, or until `cap` in simulated time.
pub fn go_on<W: Watcher, M: Model>(flight: &mut Flight<W, M>, cap: Millis) -> Landing {
    loop {
        if let Some(finish) = flight.finish() {
            return match finish.outcome {
                RunOutcome::Kept => Landing::Kept,
                RunOutcome::RolledBack => Landing::RolledBack,
                RunOutcome::Abandoned => Landing::Abandoned,
                RunOutcome::Interrupted | RunOutcome::Failed => Landing::Interrupted,
            };
        }
        if let Some(command) = press(flight) {
            flight.command(command);
        } else if flight.facts().attended && flight.core.asks_somebody() {
            return Landing::Asks;
        } else if !flight.advance_to_next(cap.0) {
            return Landing::TimeUp;
        }
    }
}

/// What the pilot presses now: what is routine, and where somebody attends it leaves once the way
/// back has nothing more to do. Where nobody does, that run ends by itself.
fn press<W: Watcher, M: Model>(flight: &Flight<W, M>) -> Option<Command> {
    let routine = flight.core.routine();
    routine.or_else(|| {
        let back = flight.facts().attended && flight.core.is_back();
        (back && !flight.core.is_leaving()).then_some(Command::Leave)
    })
}
