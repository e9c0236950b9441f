//! What runs in the slots, as far as a flight needs to know it: what is measured of each second,
//! and whether somebody answers there. How it comes about is the model's own business.

use super::router::Manner;
use super::world::Fate;
use crate::plan::CommandName;
use crate::runbook::Regime;
use crate::signal::Sample;
use crate::units::{Millis, Slot, Split};

/// The two slots of a simulated world, with their users.
pub trait Model {
    /// What was measured in the `span` that ends at `at`, one sample for each role and origin:
    /// probes as `regime` says, users as the router's `split` sent them. It is asked once a
    /// second, or once in `span` where the flight goes in longer strides.
    fn seconds(
        &mut self,
        at: Millis,
        span: Millis,
        regime: &Regime,
        split: Split,
        samples: &mut Vec<Sample>,
    );

    /// The router sends users like this from `at` on. A model that only looks at whole seconds
    /// need not listen.
    fn routed(&mut self, at: Millis, split: Split) {
        let _ = (at, split);
    }

    /// The slots are measured like this from `at` on. A model that only looks at whole seconds
    /// need not listen.
    fn observed(&mut self, at: Millis, regime: &Regime) {
        let _ = (at, regime);
    }

    /// The deploy command begins at `at`, and will end well. A model that knows says how long it
    /// takes; the others leave that to the command's fate.
    fn deploying(&mut self, at: Millis, slot: Slot, release: &str) -> Option<Millis> {
        let _ = (at, slot, release);
        None
    }

    /// The deploy command was ended before it had ended by itself. A model for which the deploy
    /// goes on behind it need not listen.
    fn cut_off(&mut self, at: Millis, slot: Slot) {
        let _ = (at, slot);
    }

    /// The deploy command has brought `release` to `slot`, at `at`.
    fn deployed(&mut self, at: Millis, slot: Slot, release: &str);

    /// The stop command has ended what ran in `slot`, at `at`.
    fn stopped(&mut self, at: Millis, slot: Slot);

    /// How the router treats what it is asked at `at`. A model that has nothing to do with the
    /// router leaves that to the world.
    fn manner(&mut self, at: Millis) -> Option<Manner> {
        let _ = at;
        None
    }

    /// Where the router sends users at `at`, where the site has moved it since it was last told;
    /// a model that never does that need not listen.
    fn moved(&mut self, at: Millis) -> Option<Split> {
        let _ = at;
        None
    }

    /// How a command that begins at `at` will end. A model that does not know leaves that to the
    /// world.
    fn fate(&mut self, at: Millis, command: CommandName, slot: Slot) -> Option<Fate> {
        let _ = (at, command, slot);
        None
    }

    /// Whether somebody answers in `slot` now: the front door is asked this on the way back.
    fn answers(&self, slot: Slot) -> bool;
}
