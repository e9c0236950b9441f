//! The simulated world as the stories use it: every flight is looked at by [`Rules`], and its
//! [`History`] is kept so that it can be told and replayed.

mod plan;
mod rules;

pub use plan::{facts, plan};
pub use rules::Rules;
pub use switchback::sim::{Fate, Health, History, Manner, Router, SlotWorld, World};

use switchback::runbook::{Core, Effect, Event};
use switchback::sim::Watcher;
use switchback::units::Millis;

/// A flight that is looked at and kept.
pub type Flight = switchback::sim::Flight<Watched>;

/// What must hold after each step, and what happened.
#[derive(Debug, Default)]
pub struct Watched {
    pub rules: Rules,
    pub history: History,
}

impl Watcher for Watched {
    fn stepped(&mut self, now: Millis, event: &Event, effects: &[Effect], core: &mut Core) {
        self.rules.stepped(now, event, effects, core);
        self.history.stepped(now, event, effects, core);
    }

    fn answers_late(&mut self, now: Millis, event: &Event, core: &mut Core) {
        self.rules.answers_late(now, event, core);
    }

    fn process_died(&mut self) {
        self.rules.process_died();
    }
}

/// The same events give the same effects again, byte for byte.
pub fn replays(flight: &Flight) {
    if let Err(differs) = flight.watcher.history.replay(flight.plan(), flight.facts()) {
        panic!("{differs}");
    }
}

/// Serialised, for comparisons to the byte.
pub fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data serialises")
}
