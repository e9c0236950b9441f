//! A limit over a share: errors, health, and, with persistence of its own, latency.
//!
//! It goes back only where three things are true at once: the declared tolerance is used up, it
//! is not luck, and it still happens. The tolerance is a contract: that it is used up means that
//! even if every further request is good, this hold ends above the limit. A rate must be so at
//! three evaluations in a row, or at two where it is far over; a latency, which drifts, in every
//! part of the hold.

use super::evidence::{Evidence, Lumped, PROOF, Stakes};
use super::series::{Series, Tally};
use crate::units::Millis;

/// Time between evaluations.
pub const EVALUATE_EVERY: Millis = Millis::secs(5);
/// "Still" is the last ten seconds, or as many as hold three requests.
const STILL: Millis = Millis::secs(10);
const STILL_REQUESTS: u64 = 3;
/// One broken session fails within half a minute.
const SESSION: Millis = Millis::secs(30);
/// The largest lump in a hold is never taken for more than this many usual ones.
const LARGEST: f64 = 4.0;
/// Evaluations in a row.
const IN_A_ROW: u32 = 3;
const IN_A_ROW_FAR: u32 = 2;
/// Requests that a part of a hold should have.
const PART: u64 = 20;

/// What is judged, and when.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// Green's seconds of the judged source.
    pub seconds: &'a Series,
    /// The evaluation's instant.
    pub now: Millis,
    /// The beginning of the first judged second of this phase.
    pub since: Millis,
    /// The limit's hold.
    pub hold: Millis,
    /// The limit, 0 to 1.
    pub x: f64,
}

impl Ground<'_> {
    /// How long this phase has been judged.
    pub fn time(&self) -> Millis {
        self.now.since(self.since).max(EVALUATE_EVERY)
    }

    /// Where a stretch of this length begins, at the earliest with the phase.
    pub fn from(&self, length: Millis) -> Millis {
        self.now.since(length).max(self.since)
    }

    /// What is in the last `length`.
    pub fn last(&self, length: Millis) -> Tally {
        self.seconds.between(self.from(length), self.now).sane()
    }

    /// Point 1: how many failures the declared limit tolerates, as far as can be told by now.
    fn tolerance(&self) -> f64 {
        let scaled = |length: Millis, whole: Millis| {
            let n = self.last(length).of as f64;
            n * self.hold.0 as f64 / self.time().min(whole).0 as f64
        };
        let quarter = Millis(self.hold.0 / 4).max(Millis(1));
        self.x * scaled(self.hold, self.hold).max(scaled(quarter, quarter))
    }

    /// Most failures in any half minute of the hold.
    fn largest_lump(&self) -> u64 {
        let from = self.from(self.hold);
        let mut end = self.now;
        let mut most = 0;
        while end > from {
            most = most.max(self.seconds.between(end.since(SESSION).max(from), end).sane().bad);
            end = end.since(EVALUATE_EVERY);
        }
        most
    }

    /// Point 3: whether it still happens.
    fn still(&self) -> bool {
        let mut length = STILL;
        let mut last = self.last(length);
        while last.of < STILL_REQUESTS && length < self.hold {
            length = (length + EVALUATE_EVERY).min(self.hold);
            last = self.last(length);
        }
        last.is_above(self.x)
    }

    /// Parts of the hold that are over, of all, and how many of the newest are without a break.
    fn parts(&self) -> Parts {
        let of = (self.last(self.hold).of / PART).clamp(1, 4);
        let edge = |i: u64| self.now.since(Millis(self.hold.0 - self.hold.0 * i / of));
        let over = |i: u64| {
            let (from, to) = (edge(i).max(self.since), edge(i + 1));
            self.seconds.between(from, to).sane().is_above(self.x)
        };
        let newest = (0..of).rev().take_while(|i| over(*i)).count() as u64;
        Parts { over: (0..of).filter(|i| over(*i)).count() as u64, of, newest }
    }
}

/// How many parts of a hold are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts {
    over: u64,
    of: u64,
    newest: u64,
}

/// Whether failures must go on evaluation by evaluation, or in every part of the hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// Rates.
    Evaluations,
    /// Latency.
    Parts,
}

/// What a limit over a share has found.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Found {
    /// Failures that count against the tolerance.
    pub used: f64,
    /// The tolerance, in failures.
    pub tolerance: f64,
    /// One in how many it would be luck.
    pub luck: f64,
    /// Whether the tolerance is used up and it still happens, whether or not it may be luck.
    pub over: bool,
    /// Whether it is over and no luck.
    pub suspect: bool,
    /// Whether it is so for long enough.
    pub trips: bool,
    /// How long until it trips, at the earliest, while it is suspect.
    pub trips_in: Millis,
    /// Parts of the hold that are over, of all, where these are asked for.
    pub parts: Option<(u64, u64)>,
}

/// The state of a limit over a share in one phase.
#[derive(Debug, Clone, Default)]
pub struct Rate {
    plain: Evidence,
    lumped: Lumped,
    streak: u32,
}

impl Rate {
    /// Point 2: takes what came since the last evaluation into account. `lump` is how many
    /// failures one broken session makes.
    pub fn learn(&mut self, now: Millis, new: Tally, lump: f64, w: f64, stakes: &Stakes) {
        let Tally { bad, of } = new;
        self.plain.learn(now, bad as f64, of.saturating_sub(bad) as f64, w, stakes);
        if lump > 1.0 {
            self.lumped.learn(now, bad, of, lump, w, stakes);
        }
    }

    /// It was not so: what must be so several times in a row begins anew.
    pub const fn begin_anew(&mut self) {
        self.streak = 0;
    }

    /// Looks at the ground. `vouched` is asked where failures come in lumps, and says whether
    /// Green's own probes fail as its users do; `shared` where it is suspect, and says whether
    /// both slots suffer.
    pub fn look(
        &mut self,
        ground: &Ground<'_>,
        lump: f64,
        persistence: Persistence,
        vouched: impl FnOnce() -> bool,
        shared: impl FnOnce() -> bool,
    ) -> (Found, bool) {
        let k = ground.last(ground.hold).bad as f64;
        let tolerance = ground.tolerance();
        let mut found = Found { used: k, tolerance, ..Found::default() };
        let mut evidence = &self.plain;
        let mut far = 3.0 * tolerance;
        if lump > 1.0 {
            // Without lumps it is used up first: where even that is not so, nothing else is.
            if k <= tolerance || !vouched() {
                evidence = self.lumped.evidence();
                let largest = (ground.largest_lump() as f64).min(LARGEST * lump);
                let chance = libm::sqrt((lump - 1.0) * tolerance);
                found.used = k - largest * (1.0 - 1.0 / lump);
                found.tolerance = tolerance + chance;
                far += chance;
            }
        }
        found.luck = evidence.told(ground.now, ground.hold);
        found.over = found.used > found.tolerance && ground.still();
        found.suspect = found.over && evidence.is_proved(ground.now, ground.hold);
        if persistence == Persistence::Parts && found.over {
            let parts = ground.parts();
            found.parts = Some((parts.over, parts.of));
        }
        if !found.suspect {
            self.streak = 0;
            return (found, false);
        }
        if shared() {
            self.streak = 0;
            return (found, true);
        }
        self.streak = self.streak.saturating_add(1);
        match persistence {
            Persistence::Evaluations => {
                let wanted = if found.used > far { IN_A_ROW_FAR } else { IN_A_ROW };
                found.trips = self.streak >= wanted;
                let left = u64::from(wanted.saturating_sub(self.streak));
                found.trips_in = Millis(left * EVALUATE_EVERY.0);
            }
            Persistence::Parts => {
                let parts = ground.parts();
                let (left, long) = (ground.hold.since(ground.time()), left_of(parts, ground.hold));
                // With few requests a hold is one part, and one slow answer among the last three
                // would do: it must be so three times in a row here as well. A release that is
                // really slow has been so before its hold is over, and loses nothing.
                let row = u64::from(IN_A_ROW.saturating_sub(self.streak));
                let whole = left == Millis::ZERO && parts.over == parts.of;
                // And it must be proved now: what it was worth in a slow start does not count.
                found.trips = whole && self.streak >= IN_A_ROW && evidence.worth() >= PROOF;
                found.trips_in = left.max(long).max(Millis(row * EVALUATE_EVERY.0));
            }
        }
        (found, false)
    }
}

/// How long until every part is over, if the newest go on being so.
fn left_of(parts: Parts, hold: Millis) -> Millis {
    Millis(hold.0 * (parts.of - parts.newest) / parts.of)
}
