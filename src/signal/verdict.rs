//! What a limit says now.

use crate::plan::{Bound, Limit, Signal};
use crate::units::Millis;
use serde::{Deserialize, Serialize};

/// What a limit says now. Only `Ok` is good news; nothing else is ever drawn as if it were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Enough was seen, and it is within the limit.
    Ok,
    /// Not enough was seen to say.
    TooFew,
    /// Over the limit, but not yet for long enough.
    Tripping,
    /// Over the limit for as long as declared. On Green it stays so.
    Tripped,
    /// Both slots suffer: going back would not help.
    Shared,
    /// The last value is too old to be believed.
    Stale,
    /// The source could not be read.
    Unknown,
    /// The plan says that there is no source.
    NotDeclared,
}

impl Verdict {
    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::TooFew => "too few",
            Self::Tripping => "TRIPPING",
            Self::Tripped => "TRIPPED",
            Self::Shared => "SHARED",
            Self::Stale => "stale",
            Self::Unknown => "unknown",
            Self::NotDeclared => "not declared",
        }
    }
}

/// A verdict with its numbers, as counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The limit that was applied.
    pub limit: Limit,
    /// What it says.
    pub verdict: Verdict,
    /// The measured value in the limit's unit (percent, milliseconds, jobs), if there is one.
    pub value: Option<f64>,
    /// Failures (or answers over the limit) in the window.
    pub bad: u64,
    /// Requests (or checks) in the window.
    pub of: u64,
    /// Whether the counts are of probes rather than of users.
    pub probes: bool,
    /// While tripping: how long it has been over, of the declared hold.
    pub over_for: Millis,
}

impl Judgement {
    /// The signal that was judged.
    pub const fn signal(&self) -> Signal {
        self.limit.signal
    }

    /// While tripping: how long until it trips, if nothing changes.
    pub fn trips_in(&self) -> Option<Millis> {
        (self.verdict == Verdict::Tripping).then(|| self.limit.hold.since(self.over_for))
    }

    /// Whether the value itself is above the limit's.
    fn is_above(&self) -> bool {
        let above = match self.limit.above {
            Bound::Percent(above) | Bound::Millis(above) | Bound::Count(above) => above,
        };
        self.value.is_some_and(|value| value > above)
    }

    /// The numbers as a tired person reads them: `1 of 312`, `182 ms`, `41`.
    pub fn counts(&self) -> String {
        match (self.limit.signal, self.verdict) {
            (_, Verdict::NotDeclared) => "no source".to_owned(),
            (_, Verdict::Unknown) => "not read".to_owned(),
            // Requests that got no answer are late as well, and are in no p95: what was answered
            // in time must not stand there as the reason.
            (Signal::LatencyP95, Verdict::Tripping | Verdict::Tripped) if !self.is_above() => {
                format!("{} of {} late", self.bad, self.of)
            }
            (Signal::LatencyP95, _) => match self.value {
                Some(ms) if ms < 10.0 => format!("{ms:.1} ms"),
                Some(ms) => format!("{ms:.0} ms"),
                None => "no answers".to_owned(),
            },
            (Signal::QueueDepth, _) => match self.value {
                Some(depth) => format!("{depth:.0}"),
                None => "not read".to_owned(),
            },
            _ => format!("{} of {}", self.bad, self.of),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_p95_that_trips_on_requests_without_an_answer_does_not_name_those_that_got_one() {
        let limit = Limit {
            signal: Signal::LatencyP95,
            above: Bound::Millis(500.0),
            hold: Millis::secs(5),
            literal: false,
            declared: true,
        };
        let mut judgement = Judgement {
            limit,
            verdict: Verdict::Tripping,
            value: Some(1.0),
            bad: 30,
            of: 40,
            probes: true,
            over_for: Millis::secs(5),
        };
        assert_eq!(judgement.counts(), "30 of 40 late");
        judgement.value = Some(812.0);
        assert_eq!(judgement.counts(), "812 ms");
        judgement.verdict = Verdict::Ok;
        judgement.value = Some(1.0);
        assert_eq!(judgement.counts(), "1.0 ms");
    }
}
