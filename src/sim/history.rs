//! What happened in a flight, kept so that it can be looked at, told and replayed. It grows with
//! the flight: the wind tunnel does without it.

use super::watcher::Watcher;
use crate::plan::Plan;
use crate::runbook::{Core, Effect, Event, RunFacts};
use crate::units::Millis;

/// One step: when, what happened, and what followed.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// When, in milliseconds since the run began.
    pub at: Millis,
    /// What happened.
    pub event: Event,
    /// What the core said, in its order.
    pub effects: Vec<Effect>,
}

/// Every step of a flight, and everything that was asked of the world.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The steps, in their order.
    pub steps: Vec<Past>,
    /// Everything that was asked of the world, and when in milliseconds.
    pub asked: Vec<(u64, Effect)>,
}

/// A replay that went another way.
#[derive(Debug, Clone, PartialEq)]
pub struct Differs {
    /// When, in milliseconds since the run began.
    pub at: Millis,
    /// After which event.
    pub event: Box<Event>,
    /// What followed in the flight, as JSON.
    pub was: String,
    /// What followed in the replay, as JSON.
    pub is: String,
}

impl std::fmt::Display for Differs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { at, event, was, is } = self;
        write!(f, "replay of {event:?} at {} ms:\nwas {was}\nis  {is}", at.0)
    }
}

impl History {
    /// Feeds the same events to a fresh core: every effect must come out the same, byte for byte.
    ///
    /// # Errors
    /// The first step after which something else followed.
    pub fn replay(&self, plan: &Plan, facts: &RunFacts) -> Result<(), Differs> {
        let mut core = Core::new(plan.clone(), facts.clone());
        for Past { at, event, effects } in &self.steps {
            let again = core.step(event.clone(), *at);
            let (was, is) = (to_json(effects), to_json(&again));
            if was != is {
                return Err(Differs { at: *at, event: Box::new(event.clone()), was, is });
            }
        }
        Ok(())
    }
}

/// Effects as they would be written down. What cannot be written down is told in its place.
fn to_json(effects: &[Effect]) -> String {
    serde_json::to_string(effects).unwrap_or_else(|error| format!("{error}: {effects:?}"))
}

impl Watcher for History {
    fn stepped(&mut self, now: Millis, event: &Event, effects: &[Effect], _: &mut Core) {
        self.steps.push(Past { at: now, event: event.clone(), effects: effects.to_vec() });
        self.asked.extend(effects.iter().map(|effect| (now.0, effect.clone())));
    }
}
