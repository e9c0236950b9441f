//! What a replay can be asked for, and how it stands.

use crate::text;
use crate::units::Millis;
use std::fmt;

/// The speeds, in quarters of the run's own pace.
pub const SPEEDS: [Speed; 9] = [
    Speed(1),
    Speed(2),
    Speed(4),
    Speed(8),
    Speed(16),
    Speed(32),
    Speed(64),
    Speed(128),
    Speed(256),
];

/// How fast the run's time goes, in quarters of its own pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Speed(u16);

impl Speed {
    /// The run's own pace.
    pub const OWN: Self = Self(4);

    /// The one of [`SPEEDS`] that is so many times the run's own pace.
    pub fn of(times: f64) -> Option<Self> {
        SPEEDS.into_iter().find(|speed| f64::from(speed.0) == times * 4.0)
    }

    /// The next faster (or slower, where `up` is negative); the last stays.
    pub fn turned(self, up: i8) -> Self {
        let here = SPEEDS.iter().position(|speed| *speed == self).unwrap_or(2);
        SPEEDS[here.saturating_add_signed(isize::from(up)).min(SPEEDS.len() - 1)]
    }

    /// Milliseconds of the run in so many microseconds of ours.
    pub const fn run_ms(self, ours_us: u64) -> Millis {
        Millis(ours_us.saturating_mul(self.0 as u64) / 4_000)
    }

    /// Microseconds of ours that so much of the run takes, rounded up.
    pub const fn ours_us(self, run: Millis) -> u64 {
        run.0.saturating_mul(4_000).div_ceil(self.0 as u64)
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x", f64::from(self.0) / 4.0)
    }
}

/// What a replay can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Stop the run's time, or let it go on; from the beginning where it is at its end.
    Pause,
    /// So many events on (or back), and stop there.
    Step(i8),
    /// So many seconds on (or back).
    Skip(i16),
    /// To the next mark (or the one before): a step, a switch, a trip, the way back, the end.
    Mark(i8),
    /// Faster, or slower where it is negative.
    Turn(i8),
    /// To the beginning.
    Begin,
    /// To the end.
    End,
    /// To so many tenths.
    Tenth(u8),
    /// Leave.
    Leave,
}

/// How a replay stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playing {
    /// The run's present instant.
    pub at: Millis,
    /// The last instant that can be shown.
    pub end: Millis,
    /// How fast the run's time goes.
    pub speed: Speed,
    /// Whether it is stopped.
    pub paused: bool,
    /// What it was brought to, where it was brought to one thing: an input, or a mark.
    pub looked: Option<String>,
    /// The change of the feed that this belongs to: what was published before is from elsewhere.
    pub of: u64,
}

impl Playing {
    /// `12:41 of 31:07 · 4x · paused`.
    pub fn words(&self) -> String {
        let state = match (self.at >= self.end, self.paused) {
            (true, _) => " · the end",
            (false, true) => " · paused",
            (false, false) => "",
        };
        let (at, end) = (text::clock(self.at), text::clock(self.end));
        format!("{at} of {end} · {}{state}", self.speed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_a_ladder_with_two_ends() {
        let mut speed = Speed::OWN;
        (0..20).for_each(|_| speed = speed.turned(1));
        assert_eq!(speed.to_string(), "64x");
        (0..20).for_each(|_| speed = speed.turned(-1));
        assert_eq!(speed.to_string(), "0.25x");
        assert_eq!(Speed::of(4.0).map(|speed| speed.to_string()).as_deref(), Some("4x"));
        assert_eq!(Speed::of(3.0), None);
        assert_eq!(Speed::of(4.0).map(|s| s.run_ms(250_000)), Some(Millis(1_000)));
        assert_eq!(Speed::OWN.ours_us(Millis(20)), 20_000);
    }

    #[test]
    fn where_it_stands_is_said_in_one_line() {
        let mut playing = Playing {
            at: Millis::secs(761),
            end: Millis::secs(1_867),
            speed: Speed::OWN,
            paused: true,
            looked: None,
            of: 0,
        };
        assert_eq!(playing.words(), "12:41 of 31:07 · 1x · paused");
        playing.at = playing.end;
        assert_eq!(playing.words(), "31:07 of 31:07 · 1x · the end");
    }
}
