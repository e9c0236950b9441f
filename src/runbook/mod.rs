//! PURE. The runbook: eight steps, their gates, and the one place that decides.
pub mod effect;
pub mod event;
pub mod gate;
pub mod readback;
pub mod record;
pub mod snapshot;
pub mod step;

pub use effect::{Act, Barrier, Effect, EffectId, Finish, Regime, RunOutcome};
pub use event::{Answer, Command, End, Event, Interrupt, Outcome, Ran, Seen, View};
pub use gate::{Check, CheckState, GateState};
pub use readback::{Fault, FaultKind, NodeOutcome, NodeRead, NodeState, Readback};
pub use record::{LogLine, Record, Tone};
pub use snapshot::{Kind, RunFacts, Snapshot, Update};
pub use step::Step;
