//! What a limit says now.

use super::line;
use super::series::Tally;
use crate::plan::{Bound, Limit, Signal};
use crate::units::{Millis, Role};
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
    /// Failures (or answers over the limit) in the hold.
    pub bad: u64,
    /// Requests (or checks) in the hold.
    pub of: u64,
    /// Whether the counts are of probes rather than of users.
    pub probes: bool,
    /// Whether it would be judged on users, and nobody counts them.
    #[serde(default, skip_serializing_if = "is_not")]
    pub uncounted: bool,
    /// Whether the counts are of both slots, which share what is counted.
    #[serde(default, skip_serializing_if = "is_not")]
    pub both: bool,
    /// Whether the tolerance is used up and it still happens, whether or not it may be luck.
    #[serde(default, skip_serializing_if = "is_not")]
    pub over: bool,
    /// While it is over and no luck: for how long.
    pub over_for: Millis,
    /// While tripping: how long until it trips, at the earliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trips_in: Option<Millis>,
    /// Failures that count against the tolerance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<f64>,
    /// Failures that the declared limit tolerates in this hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// One in how many it would be luck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub luck: Option<f64>,
    /// Blue's normal share in percent, which luck is measured against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normal: Option<f64>,
    /// Requests since the phase began.
    #[serde(default, skip_serializing_if = "is_none_seen")]
    pub seen: u64,
    /// Requests that would have shown a bad release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<u64>,
    /// Parts of the hold that are over, of all, where it has to go on through all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<(u64, u64)>,
    /// While both slots suffer: what Blue does now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blue: Option<Tally>,
    /// Whether that is of Blue's probes rather than of its users.
    #[serde(default, skip_serializing_if = "is_not")]
    pub blue_probes: bool,
}

/// For what is written only where it is so.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_not(so: &bool) -> bool {
    !*so
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_none_seen(seen: &u64) -> bool {
    *seen == 0
}

impl Judgement {
    /// A limit that has seen nothing.
    pub const fn new(limit: Limit, verdict: Verdict) -> Self {
        Self {
            limit,
            verdict,
            value: None,
            bad: 0,
            of: 0,
            probes: false,
            uncounted: false,
            both: false,
            over: false,
            over_for: Millis::ZERO,
            trips_in: None,
            used: None,
            tolerance: None,
            luck: None,
            normal: None,
            seen: 0,
            needed: None,
            parts: None,
            blue: None,
            blue_probes: false,
        }
    }

    /// The signal that was judged.
    pub const fn signal(&self) -> Signal {
        self.limit.signal
    }

    /// Whether the value itself is above the limit's; that alone is no verdict.
    pub fn is_above(&self) -> bool {
        let (Bound::Percent(above) | Bound::Millis(above) | Bound::Count(above)) = self.limit.above;
        self.value.is_some_and(|value| value > above)
    }

    /// Whether the tolerance is used up, and nothing comes of it only because it does not still
    /// happen.
    pub fn is_quiet_now(&self) -> bool {
        let used_up = self.used.zip(self.tolerance).is_some_and(|(used, of)| used > of);
        self.verdict == Verdict::Ok && !self.over && used_up
    }

    /// The verdict in a word: beside a value above the limit, or a tolerance that is used up, `ok`
    /// alone would be read as a mistake.
    pub fn word(&self) -> &'static str {
        match self.verdict {
            Verdict::Ok | Verdict::TooFew if self.over => "over",
            Verdict::Ok if self.is_quiet_now() => "quiet now",
            // A backlog has no tolerance: it must last.
            Verdict::Ok if self.is_above() && self.used.is_none() => "not lasting",
            Verdict::Ok if self.is_above() => "in tolerance",
            Verdict::TooFew if self.is_unread() => Verdict::Unknown.word(),
            verdict => verdict.word(),
        }
    }

    /// Whether a gauge was not read yet; of that there are no few.
    pub(super) fn is_unread(&self) -> bool {
        self.limit.signal == Signal::QueueDepth
            && self.verdict == Verdict::TooFew
            && self.value.is_none()
    }

    /// Whether it says something that is acted on.
    pub(super) const fn is_loud(&self) -> bool {
        matches!(self.verdict, Verdict::Tripping | Verdict::Tripped | Verdict::Shared)
    }

    /// Whether there was nothing to count in the hold.
    pub(super) fn has_nothing(&self) -> bool {
        self.of == 0 && self.limit.signal != Signal::QueueDepth
    }

    /// What there was none of.
    pub(super) fn nothing(&self) -> &'static str {
        match self.limit.signal {
            Signal::Health => "no checks",
            _ if self.probes => "no probes",
            _ if self.uncounted => "users are not counted",
            _ => "no traffic",
        }
    }

    /// The whole verdict in one line that a tired person understands, as counts.
    pub fn line(&self) -> String {
        line::of(self, None)
    }

    /// The same, with the role that was judged: `5xx tripped on Green: ...`.
    pub fn line_on(&self, role: Role) -> String {
        line::of(self, Some(role))
    }

    /// One in how many it would be luck: `luck 1:4000`.
    pub fn luck_words(&self) -> Option<String> {
        self.luck.map(line::luck)
    }

    /// Failures that count against the tolerance, of those that it allows: `13 of 6.2`.
    pub fn used_words(&self) -> Option<String> {
        line::used(self)
    }

    /// Blue's normal share, of which only a bound is known: `<0.2 %`; nothing where that is no
    /// better than the limit.
    pub fn normal_words(&self) -> Option<String> {
        line::normally(self)
    }

    /// Requests that were seen since the phase began, of those that are needed: `9 of ~24`.
    pub fn seen_words(&self) -> Option<String> {
        line::seen(self)
    }

    /// The numbers as a tired person reads them: `1 of 312`, `182 ms`, `41`.
    pub fn counts(&self) -> String {
        match (self.limit.signal, self.verdict) {
            (_, Verdict::NotDeclared) => "no source".to_owned(),
            (_, Verdict::Unknown) => "not read".to_owned(),
            _ if self.is_unread() => "not read yet".to_owned(),
            _ if self.has_nothing() => self.nothing().to_owned(),
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
            value: Some(1.0),
            bad: 30,
            of: 40,
            probes: true,
            ..Judgement::new(limit, Verdict::Tripping)
        };
        assert_eq!(judgement.counts(), "30 of 40 late");
        judgement.value = Some(812.0);
        assert_eq!(judgement.counts(), "812 ms");
        judgement.verdict = Verdict::Ok;
        judgement.value = Some(1.0);
        assert_eq!(judgement.counts(), "1.0 ms");
    }
}
