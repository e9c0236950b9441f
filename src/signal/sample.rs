//! One second of one slot from one origin, as it is kept in `samples.jsonl` and judged.

use super::histogram::Histogram;
use crate::clean::Clean;
use crate::units::Millis;
use serde::{Deserialize, Serialize};

/// Whose second it was. Journals and sample files speak of roles: which slot is Blue stands in
/// the run's first records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// The slot that served users when the run began.
    Blue,
    /// The candidate.
    Green,
    /// What the two share, such as a database.
    Both,
}

impl From<crate::units::Role> for Whose {
    fn from(role: crate::units::Role) -> Self {
        match role {
            crate::units::Role::Blue => Self::Blue,
            crate::units::Role::Green => Self::Green,
        }
    }
}

/// Who made the requests. Users and probes are never summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Real requests, as the router counted them, less our own.
    Users,
    /// The cockpit's own requests, sent straight to the slot, or through the front door and
    /// answered by it.
    Probes,
    /// Values read from a gauge.
    Gauges,
}

/// One second. What could not be read is absent, never zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The end of the second.
    pub at: Millis,
    /// What lies in it, where that is not one second: simulated time goes in longer strides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Millis>,
    /// Whose second.
    pub role: Whose,
    /// Who asked.
    pub from: Origin,
    /// Requests that were made. Of probes: the plan's `[[probe]]`s, or the readiness requests
    /// where the plan has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Of these, answered with 5xx (or not as the probe expects), or not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<u64>,
    /// Of these, answered with 4xx.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_errors: Option<u64>,
    /// Times to an answer, of every request that got one, failed ones too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<Histogram>,
    /// Readiness checks that were made in this second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<u64>,
    /// Of these, not ready or not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unready: Option<u64>,
    /// Whether the last liveness check was good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<bool>,
    /// Whether every readiness check of the second was good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<bool>,
    /// Why it was not ready, or which optional component is degraded, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Clean>,
    /// The release that the slot names, where the plan says how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Clean>,
    /// The digest of the artefact that the slot names, where the plan says how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artefact: Option<Clean>,
    /// Database connection errors in this second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub db_errors: Option<u64>,
    /// Jobs that wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_depth: Option<u64>,
    /// Requests still in flight at the end of the second, where the router knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<u64>,
}

impl Sample {
    /// A second in which nothing was read.
    pub const fn empty(at: Millis, role: Whose, from: Origin) -> Self {
        Self {
            at,
            span: None,
            role,
            from,
            requests: None,
            failed: None,
            client_errors: None,
            latency_ms: None,
            checks: None,
            unready: None,
            live: None,
            ready: None,
            why: None,
            release: None,
            artefact: None,
            db_errors: None,
            queue_depth: None,
            in_flight: None,
        }
    }

    /// The beginning of its second.
    pub const fn began(&self) -> Millis {
        self.at.since(match self.span {
            Some(span) => span,
            None => Millis::secs(1),
        })
    }

    /// Readiness checks that failed, and all of them. Where only requests were counted, those are
    /// the checks; where they say nothing either, the last word of the second is one check.
    pub fn readiness(&self) -> Option<(u64, u64)> {
        if let (Some(checks), Some(unready)) = (self.checks, self.unready) {
            return Some((unready, checks));
        }
        let unready = self.ready == Some(false);
        match (self.requests, self.failed) {
            (Some(requests), Some(0) | None) => {
                Some((if unready { requests } else { 0 }, requests))
            }
            (Some(requests), Some(failed)) => Some((failed, requests)),
            (None, _) => self.ready.map(|ready| (u64::from(!ready), 1)),
        }
    }
}
