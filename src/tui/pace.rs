//! When to draw: soon enough to be believed, seldom enough to be cheap.
//!
//! A key is drawn at once. While traffic goes back the milliseconds run at 30 frames a second.
//! That it has begun, and that it is done, is drawn at once. What the operator must know is drawn
//! within a twentieth of a second; numbers that only moved are drawn at most four times a second,
//! and clock text once a second. What is measured in a second comes in a handful of pieces: they
//! are gathered for a moment and drawn together.

use crate::runbook::snapshot::Snapshot;
use crate::units::Millis;
use std::time::{Duration, Instant};

const ROLLING: Duration = Duration::from_millis(33);
const URGENT: Duration = Duration::from_millis(50);
const ORDINARY: Duration = Duration::from_millis(250);
const GATHER: Duration = Duration::from_millis(40);

/// Decides when the next frame is due.
#[derive(Debug, Default)]
pub struct Pace {
    last: Option<Drawn>,
    at_once: bool,
    urgent: bool,
    /// Since when something is new.
    news: Option<Instant>,
    rolling: bool,
}

#[derive(Debug)]
struct Drawn {
    at: Instant,
    second: i64,
    revision: u64,
}

impl Pace {
    /// Draw at once, whatever is new.
    pub const fn now(&mut self) {
        self.at_once = true;
    }

    /// Something is new.
    pub fn news(&mut self, before: Option<&Snapshot>, after: &Snapshot, now: Instant) {
        self.news.get_or_insert(now);
        let way_back = |snapshot: &Snapshot| {
            let verified = snapshot.rollback.as_ref().map(|rollback| rollback.verified);
            (verified, snapshot.finish.is_some())
        };
        self.at_once |= before.is_some_and(|before| way_back(before) != way_back(after));
        self.rolling = after.rollback.as_ref().is_some_and(|rollback| !rollback.verified)
            && after.finish.is_none();
        self.urgent |= before.is_none_or(|before| {
            before.headline.state != after.headline.state
                || before.headline.going != after.headline.going
                || before.step != after.step
                || before.gate != after.gate
                || before.question != after.question
                || before.rollback != after.rollback
                || before.finish != after.finish
                || before.traffic.read != after.traffic.read
                || before.traffic.asked != after.traffic.asked
                || before.held != after.held
                || before.alarm.is_some() != after.alarm.is_some()
        });
    }

    /// The run's time stands: whatever goes on in it, no milliseconds run.
    pub const fn stands(&mut self) {
        self.rolling = false;
    }

    /// How long until the next frame is due; zero if it is.
    pub fn wait(&self, now: Instant, unix_ms: i64, revision: u64) -> Duration {
        let Some(last) = &self.last else { return Duration::ZERO };
        if self.at_once || revision != last.revision {
            return Duration::ZERO;
        }
        let to_next_second =
            Duration::from_millis(1_000 - u64::try_from(unix_ms.rem_euclid(1_000)).unwrap_or(0));
        let to_tick =
            if unix_ms.div_euclid(1_000) == last.second { to_next_second } else { Duration::ZERO };
        let due = match (self.rolling, self.urgent, self.news) {
            (true, ..) => last.at + ROLLING,
            (_, true, _) => last.at + URGENT,
            (_, _, Some(since)) => (last.at + ORDINARY).max(since + GATHER),
            _ => return to_tick,
        };
        due.saturating_duration_since(now).min(to_tick)
    }

    /// How long more news need not be looked at, because what there is waits for it; zero if it
    /// does not.
    pub fn gather(&self, now: Instant) -> Duration {
        match self.news {
            Some(since) if !self.at_once && !self.rolling && !self.urgent => {
                (since + GATHER).saturating_duration_since(now)
            }
            _ => Duration::ZERO,
        }
    }

    /// A frame was drawn.
    pub fn drawn(&mut self, at: Instant, unix_ms: i64, revision: u64) {
        self.last = Some(Drawn { at, second: unix_ms.div_euclid(1_000), revision });
        self.at_once = false;
        self.urgent = false;
        self.news = None;
    }
}

/// The run's clock as the screen knows it: the instant of the last news, and the time since.
#[derive(Debug, Default)]
pub struct RunClock {
    heard: Option<(Millis, Instant)>,
    /// When there was news last, however old it was.
    spoke: Option<Instant>,
}

/// The engine speaks at least once a second: after this time without a word, it is silent.
const SILENCE: Duration = Duration::from_secs(3);

/// News that is further than this from what was expected sets the clock anew.
const LEAP: Millis = Millis(1_000);

impl RunClock {
    /// The engine was at `at` when it last spoke.
    ///
    /// News may be old when it is read, never young: the later of the two clocks is right.
    pub fn heard(&mut self, at: Millis, read: Instant) {
        self.spoke = Some(read);
        let expected = self.now(read);
        if self.heard.is_none() || at >= expected || expected.since(at) > LEAP {
            self.heard = Some((at, read));
        }
    }

    /// The process was stopped and goes on: the engine's silence until now was nobody's fault.
    pub fn awoke(&mut self, now: Instant) {
        self.spoke = self.spoke.map(|_| now);
    }

    /// How long the engine has been silent, if it is longer than it ever is.
    pub fn silent(&self, now: Instant) -> Option<Millis> {
        let silence = now.saturating_duration_since(self.spoke?);
        (silence > SILENCE).then(|| Millis(u64::try_from(silence.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The present instant of the run.
    pub fn now(&self, now: Instant) -> Millis {
        self.heard.map_or(Millis::ZERO, |(at, read)| {
            at + Millis(u64::try_from((now - read).as_millis()).unwrap_or(u64::MAX))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_screen_is_drawn_once_a_second_and_a_key_at_once() {
        let start = Instant::now();
        let mut pace = Pace::default();
        assert_eq!(pace.wait(start, 5_000, 0), Duration::ZERO, "the first frame");
        pace.drawn(start, 5_100, 0);
        assert_eq!(pace.wait(start, 5_100, 0), Duration::from_millis(900));
        assert_eq!(pace.wait(start, 6_001, 0), Duration::ZERO);
        assert_eq!(pace.wait(start, 5_100, 1), Duration::ZERO, "a key");
        pace.news = Some(start);
        assert_eq!(pace.wait(start, 5_100, 0), ORDINARY);
        assert_eq!(pace.gather(start), GATHER);
        let later = start + ORDINARY;
        pace.news = Some(later);
        assert_eq!(pace.wait(later, 5_350, 0), GATHER, "more of the same second may come");
        assert_eq!(pace.gather(later + GATHER), Duration::ZERO);
        pace.rolling = true;
        assert_eq!(pace.wait(start, 5_100, 0), ROLLING);
    }

    #[test]
    fn a_silent_engine_is_noticed_and_a_stopped_process_is_no_silence() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut clock = RunClock::default();
        assert_eq!(clock.silent(after(60_000)), None, "it has not begun");
        clock.heard(Millis(1_000), start);
        assert_eq!(clock.silent(after(3_000)), None);
        assert_eq!(clock.silent(after(5_100)), Some(Millis(5_100)));
        clock.awoke(after(60_000));
        assert_eq!(clock.silent(after(61_000)), None);
        assert_eq!(clock.silent(after(64_000)), Some(Millis(4_000)));
        // Old news is a word too.
        clock.heard(Millis(900), after(64_100));
        assert_eq!(clock.silent(after(65_000)), None);
    }

    #[test]
    fn late_news_does_not_set_the_clock_back_but_a_leap_does() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut clock = RunClock::default();
        clock.heard(Millis(1_000), start);
        clock.heard(Millis(1_100), after(400));
        assert_eq!(clock.now(after(500)), Millis(1_500));
        clock.heard(Millis(1_700), after(500));
        assert_eq!(clock.now(after(500)), Millis(1_700));
        clock.heard(Millis(0), after(9_000));
        assert_eq!(clock.now(after(9_010)), Millis(10));
    }
}
