//! Who looks at each step of a flight. The loop itself judges nothing and keeps nothing.

use crate::runbook::{Core, Effect, Event};
use crate::units::Millis;

/// Looks at each step of a flight.
///
/// A pair of watchers is one too: the first looks first.
pub trait Watcher {
    /// Whether nothing is looked at: the loop then spares itself a copy of each event.
    const BLIND: bool = false;

    /// The core is about to take `event` at `now`, and still stands as the last step has left it.
    fn comes(&mut self, now: Millis, event: &Event, core: &mut Core) {
        let _ = (now, event, core);
    }

    /// The core has taken `event` at `now`, milliseconds since the run began, and said `effects`.
    /// Nothing of them has been done yet.
    fn stepped(&mut self, now: Millis, event: &Event, effects: &[Effect], core: &mut Core);

    /// The event that comes next, at the same instant, answers an act that was cancelled. The
    /// core has just been brought to that instant: the answer should change nothing at all.
    fn answers_late(&mut self, now: Millis, event: &Event, core: &mut Core) {
        let _ = (now, event, core);
    }

    /// The process died. What was in flight is gone, and the run is picked up.
    fn process_died(&mut self) {}
}

impl Watcher for () {
    const BLIND: bool = true;

    fn stepped(&mut self, _: Millis, _: &Event, _: &[Effect], _: &mut Core) {}
}

impl<A: Watcher, B: Watcher> Watcher for (A, B) {
    const BLIND: bool = A::BLIND && B::BLIND;

    fn comes(&mut self, now: Millis, event: &Event, core: &mut Core) {
        self.0.comes(now, event, core);
        self.1.comes(now, event, core);
    }

    fn stepped(&mut self, now: Millis, event: &Event, effects: &[Effect], core: &mut Core) {
        self.0.stepped(now, event, effects, core);
        self.1.stepped(now, event, effects, core);
    }

    fn answers_late(&mut self, now: Millis, event: &Event, core: &mut Core) {
        self.0.answers_late(now, event, core);
        self.1.answers_late(now, event, core);
    }

    fn process_died(&mut self) {
        self.0.process_died();
        self.1.process_died();
    }
}
