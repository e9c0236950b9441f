//! Drills: what a flight in the lab is worth, and what is learned from it.
//!
//! The lab makes a world go wrong and the cockpit is flown in it as in any other; here is what
//! comes after. A flight has two sides that are kept apart. The [`Tape`](tape::Tape) is what the
//! operator saw and did, read off a journal or a simulated flight. The [`Truth`](truth::Truth) is
//! what was so, told by the lab. Held against the scenario's answer they give an
//! [`account`] (what happened when), [`harm`] (what it did to users), a [`score`] with its reasons,
//! and a [`debrief`]. Runs that were flown are kept in a [`history`], from which [`due`] says what
//! to fly next; [`blind`] draws a drill without telling which.
//!
//! [`bots`] fly the catalogue on simulated time, so that [`regress`] can tell when a scenario, the
//! lab or the cockpit has changed, and [`check`] whether a new scenario is one.
//!
//! Everything but the files of [`history`] and [`carry`] is a function of its arguments. Nothing
//! here draws a screen, and nothing outside `app`, `lab` and `sim` knows that drills exist.

pub mod account;
pub mod blind;
pub mod bots;
pub mod carry;
pub mod check;
pub mod debrief;
pub mod declare;
pub mod due;
pub mod evidence;
pub mod fly;
pub mod harm;
pub mod history;
pub mod keys;
pub mod regress;
pub mod score;
pub mod tape;
pub mod truth;
pub mod words;

use crate::lab::scenario::answer::Call;

/// What a call is called in a line.
pub const fn call_word(call: Call) -> &'static str {
    match call {
        Call::Advance => "advance",
        Call::Hold => "hold",
        Call::Rollback => "rollback",
        Call::Declare => "declare",
    }
}
