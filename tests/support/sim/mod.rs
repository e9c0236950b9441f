//! The simulated world as the stories use it: every flight is looked at by [`Watching`], and its
//! [`History`] is kept so that it can be told and replayed.

pub mod hostile;
pub mod invariants;
mod plan;
pub mod witness;

pub use invariants::{Broken, Watching};
pub use plan::{facts, plan};
pub use switchback::sim::{Fate, Health, History, Manner, Router, SlotWorld, World};

use switchback::plan::Plan;
use switchback::runbook::{Core, Effect, Event, RunFacts};
use switchback::sim::Watcher;
use switchback::units::Millis;

/// A flight that is looked at and kept.
pub type Flight = switchback::sim::Flight<Watched>;

/// A run that has not begun, looked at and kept.
pub fn flight(plan: Plan, facts: RunFacts, world: World) -> Flight {
    let watched = Watched { watching: Watching::new(&plan, &facts), history: History::default() };
    Flight::watched(plan, facts, world, watched)
}

/// What must hold after each step, and what happened.
#[derive(Debug)]
pub struct Watched {
    pub watching: Watching,
    pub history: History,
}

impl Watcher for Watched {
    fn comes(&mut self, now: Millis, event: &Event, core: &mut Core) {
        self.watching.comes(now, event, core);
    }

    fn stepped(&mut self, now: Millis, event: &Event, effects: &[Effect], core: &mut Core) {
        self.history.stepped(now, event, effects, core);
        self.watching.stepped(now, event, effects, core);
    }

    fn answers_late(&mut self, now: Millis, event: &Event, core: &mut Core) {
        self.watching.answers_late(now, event, core);
    }

    fn process_died(&mut self) {
        self.watching.process_died();
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
