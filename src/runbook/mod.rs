//! PURE. The runbook: eight steps, their gates, and the one place that decides.
//!
//! [`Core`] is the state of a run and [`Core::step`] the only thing that changes it: an event and
//! an instant go in, effects come out. No clock, no socket, no file, no screen is named here.

mod artefact;
mod band;
mod checks;
mod command;
pub mod core;
pub mod effect;
pub mod event;
pub mod gate;
mod keep;
pub mod line;
mod phase;
mod question;
mod ramp;
pub mod readback;
pub mod record;
mod resume;
mod rollback;
mod routine;
mod shared;
pub mod snapshot;
mod stall;
pub mod step;
pub mod surroundings;
mod turn;
mod view;
mod watch;
mod world;

pub use self::core::Core;
pub use effect::{Act, Barrier, Effect, EffectId, Finish, Regime, RunOutcome};
pub use event::{Answer, Command, End, Event, Interrupt, Outcome, Ran, Seen, View};
pub use gate::{Check, CheckState, GateState};
pub use readback::{Fault, FaultKind, NodeOutcome, NodeRead, NodeState, Readback};
pub use record::{LogLine, Record, Tone};
pub use snapshot::{Kind, RunFacts, Snapshot, Update};
pub use step::Step;
pub use watch::OTHERS_USERS;
