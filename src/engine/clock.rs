//! The run's clock: whole milliseconds since the run began, monotone, continued over a resume.

use crate::units::Millis;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Counts from the instant at which a run began, or from where a resumed run stands.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    base: Millis,
    started: Instant,
}

impl Clock {
    /// A run that begins now.
    pub fn begin() -> Self {
        Self { base: Millis::ZERO, started: Instant::now() }
    }

    /// A run that began at `began_unix_ms` and had come to `last` when it was cut off. The wall
    /// clock says how long ago that was; where it has been set back, the run goes on at `last`.
    pub fn resume(began_unix_ms: i64, last: Millis) -> Self {
        let wall = unix_ms().saturating_sub(began_unix_ms).max(0) as u64;
        Self { base: last.max(Millis(wall)) + Millis(1), started: Instant::now() }
    }

    /// Now.
    pub fn now(&self) -> Millis {
        self.base + Millis(self.started.elapsed().as_millis() as u64)
    }

    /// The instant of the machine's monotonic clock at which the run's clock says `at`.
    pub fn instant(&self, at: Millis) -> Instant {
        self.started + at.since(self.base).into()
    }
}

/// Milliseconds since 1970, by the wall clock.
pub fn unix_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
