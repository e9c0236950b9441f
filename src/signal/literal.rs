//! The plain reading of "above X for Y", for those who must be able to say so: every rolling
//! share over `min(Y/2, 60 s)`, at each evaluation within Y, is above X. A window without
//! requests breaks it.

use super::rate::{EVALUATE_EVERY, Ground};
use crate::units::Millis;

/// The rolling share is never longer than this.
const WINDOW: Millis = Millis::secs(60);

/// Since when every rolling share was above the limit.
#[derive(Debug, Clone)]
pub struct Literal {
    window: Millis,
    since: Option<Millis>,
}

impl Literal {
    /// Of a limit that holds so long.
    pub fn new(hold: Millis) -> Self {
        Self { window: Millis((hold.0 / 2).clamp(1000, WINDOW.0)), since: None }
    }

    /// It is not known that it went on.
    pub const fn begin_anew(&mut self) {
        self.since = None;
    }

    /// For how long it has been over, this evaluation's own 5 s included.
    pub fn over_for(&mut self, ground: &Ground<'_>) -> Option<Millis> {
        if !ground.last(self.window).is_above(ground.x) {
            self.since = None;
            return None;
        }
        let since = *self.since.get_or_insert(ground.now);
        Some(ground.now.since(since) + EVALUATE_EVERY)
    }
}
