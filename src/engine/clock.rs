//! The run's clock: whole milliseconds since the run began, monotone, continued over a resume.
//!
//! It counts while the machine sleeps: a laptop that was closed for an hour is an hour further in
//! the run, and who waits for a limit or a window sees that. The wall clock is asked only once,
//! when a run is picked up; where it is set forth or back later, the run does not notice.

use crate::units::Millis;
use nix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Counts while the machine sleeps.
#[cfg(any(target_os = "linux", target_os = "android"))]
const COUNTS: ClockId = ClockId::CLOCK_BOOTTIME;
/// Elsewhere this one may count while the machine sleeps.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const COUNTS: ClockId = ClockId::CLOCK_MONOTONIC;

/// Counts from the instant at which a run began, or from where a resumed run stands.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    base: Millis,
    /// What the machine's clock said then.
    started: Duration,
}

impl Clock {
    /// A run that begins now.
    pub fn begin() -> Self {
        Self { base: Millis::ZERO, started: counted() }
    }

    /// A run that began at `began_unix_ms` and had come to `last` when it was cut off. The wall
    /// clock says how long ago that was; where it has been set back, the run goes on at `last`.
    pub fn resume(began_unix_ms: i64, last: Millis) -> Self {
        Self { base: resumed_at(began_unix_ms, last, unix_ms()), started: counted() }
    }

    /// Now.
    pub fn now(&self) -> Millis {
        self.at(counted())
    }

    /// The run's time when the machine's clock says `counted`. It never goes back.
    fn at(&self, counted: Duration) -> Millis {
        self.base + Millis(counted.saturating_sub(self.started).as_millis() as u64)
    }

    /// The instant at which the run's clock says `at`, unless the machine sleeps before it; now,
    /// for what has passed.
    pub fn instant(&self, at: Millis) -> Instant {
        Instant::now() + at.since(self.now()).into()
    }
}

/// Where a run goes on: never before `last`, and as late as the wall clock says.
fn resumed_at(began_unix_ms: i64, last: Millis, wall_unix_ms: i64) -> Millis {
    let wall = wall_unix_ms.saturating_sub(began_unix_ms).max(0) as u64;
    last.max(Millis(wall)) + Millis(1)
}

/// What the machine's clock says.
fn counted() -> Duration {
    // It cannot fail for a clock that there is; at nought the run's clock would stand still.
    clock_gettime(COUNTS).map_or(Duration::ZERO, Duration::from)
}

/// Milliseconds since 1970, by the wall clock.
pub fn unix_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: i64 = 1_795_443_727_000;

    #[test]
    fn a_wall_clock_that_was_set_back_does_not_take_the_run_back() {
        let last = Millis::secs(600);
        for wall in [BEGAN + 599_000, BEGAN, BEGAN - 3_600_000, 0, i64::MIN] {
            assert_eq!(resumed_at(BEGAN, last, wall), last + Millis(1), "{wall}");
        }
    }

    #[test]
    fn what_passed_before_a_run_was_picked_up_counts() {
        let last = Millis::secs(600);
        assert_eq!(resumed_at(BEGAN, last, BEGAN + 4_200_000), Millis::secs(4_200) + Millis(1));
        // A clock that was set a year forth makes the run a year old, and no more than that.
        let year = 365 * 24 * 3_600_000;
        let at = resumed_at(BEGAN, last, BEGAN + year);
        assert_eq!(at, Millis(year as u64 + 1));
        assert!(resumed_at(BEGAN, at, BEGAN + year) > at, "resumed again at once it goes on");
    }

    #[test]
    fn the_time_that_the_machine_slept_counts_and_the_wall_clock_does_not() {
        let clock = Clock { base: Millis(5), started: Duration::from_secs(100) };
        assert_eq!(clock.at(Duration::from_millis(100_250)), Millis(255));
        // An hour later, with nothing in between.
        assert_eq!(clock.at(Duration::from_secs(3_700)), Millis::secs(3_600) + Millis(5));
        assert_eq!(clock.at(Duration::from_secs(99)), Millis(5), "it never goes back");
    }

    #[test]
    fn an_instant_is_as_far_away_as_the_clock_says() {
        let clock = Clock::begin();
        let before = Instant::now();
        let away = clock.instant(clock.now() + Millis(200)).saturating_duration_since(before);
        assert!(away > Duration::from_millis(190) && away < Duration::from_secs(5), "{away:?}");
        assert!(clock.instant(Millis::ZERO) <= Instant::now(), "what has passed is due now");
    }
}
