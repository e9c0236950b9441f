//! A change of a verdict as it is told: one JSON object with all its numbers, or one line for
//! people.
//!
//! ```text
//! {"at":155000,"limit":"error_rate","verdict":"tripped","was":"tripping","from":"users","k":25,"n":125,…}
//! 2:35  TRIPPED   5xx 25 of 125 (20 %) · limit 2 % for 2m · …
//! ```

use crate::plan::{Bound, Signal};
use crate::signal::{Judgement, Tally, Verdict};
use crate::text::clock;
use crate::units::Millis;
use serde::Serialize;

/// A change of a verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The evaluation that it was found at: a multiple of 5 s of sample time.
    pub at: Millis,
    /// What the limit said before.
    pub was: Verdict,
    /// What it says now, with its numbers.
    pub judgement: Judgement,
}

/// The object that is printed. Keys are only ever added.
#[derive(Serialize)]
struct Out<'a> {
    at: Millis,
    limit: &'static str,
    verdict: Verdict,
    was: Verdict,
    from: &'static str,
    k: u64,
    n: u64,
    value: Option<f64>,
    above: f64,
    hold: Millis,
    #[serde(skip_serializing_if = "is_not")]
    literal: bool,
    #[serde(skip_serializing_if = "is_not")]
    both: bool,
    over_for: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    trips_in: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tolerance: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    luck: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    normal: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    needed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<(u64, u64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blue: Option<Tally>,
    line: &'a str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_not(so: &bool) -> bool {
    !*so
}

impl Said {
    /// Whose seconds were counted.
    const fn from(&self) -> &'static str {
        match self.judgement.limit.signal {
            Signal::Health => "probes",
            Signal::QueueDepth => "gauges",
            _ if self.judgement.probes => "probes",
            _ => "users",
        }
    }

    /// One JSON object, without a line feed. `k` of `n` are the counts in the hold; `value` and
    /// `above` are in the limit's unit, `normal` is a percentage, `luck` is one in so many, times
    /// are milliseconds.
    pub fn json(&self) -> serde_json::Result<String> {
        let judgement = &self.judgement;
        let (Bound::Percent(above) | Bound::Millis(above) | Bound::Count(above)) =
            judgement.limit.above;
        serde_json::to_string(&Out {
            at: self.at,
            limit: judgement.signal().key(),
            verdict: judgement.verdict,
            was: self.was,
            from: self.from(),
            k: judgement.bad,
            n: judgement.of,
            value: judgement.value,
            above,
            hold: judgement.limit.hold,
            literal: judgement.limit.literal,
            both: judgement.both,
            over_for: judgement.over_for,
            trips_in: judgement.trips_in,
            used: judgement.used,
            tolerance: judgement.tolerance,
            luck: judgement.luck,
            normal: judgement.normal,
            needed: judgement.needed,
            parts: judgement.parts,
            blue: judgement.blue,
            line: &judgement.line(),
        })
    }

    /// One line for people, without a line feed; the time is told since `origin`.
    pub fn line(&self, origin: Millis) -> String {
        let judgement = &self.judgement;
        format!(
            "{:>8}  {:<8}  {}",
            clock(self.at.since(origin)),
            judgement.verdict.word(),
            judgement.line()
        )
    }
}
