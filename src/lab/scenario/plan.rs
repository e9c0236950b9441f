//! The part of a scenario that becomes the plan of its drill: timings, limits, and what a trip
//! does. The plan is then read like any other.

use super::millis;
use crate::units::Millis;
use serde::Deserialize;

/// The timings and limits of the drill's plan: real seconds, chosen so that a drill lasts
/// minutes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlanSpec {
    /// How long readiness must hold.
    #[serde(deserialize_with = "millis")]
    pub ready_hold: Millis,
    /// How often it may break before that is too often.
    pub flaps: u32,
    /// Length of the soak.
    #[serde(deserialize_with = "millis")]
    pub soak: Millis,
    /// Green's percent at each step.
    pub ramp: Vec<u8>,
    /// How long each step but the last is held.
    #[serde(deserialize_with = "millis")]
    pub hold: Millis,
    /// Length of the watch.
    #[serde(deserialize_with = "millis")]
    pub watch: Millis,
    /// How long Blue is kept warm.
    #[serde(deserialize_with = "millis")]
    pub warm: Millis,
    /// Whether readiness is the deep check, which goes the way that a user goes.
    pub deep_check: bool,
    /// What is said of the data: `none`, `expand` or `irreversible`.
    pub migration: String,
    /// What a trip does: `rollback` or `ask`.
    pub on_trip: String,
    /// How long a countdown runs, where a trip asks.
    #[serde(deserialize_with = "millis")]
    pub countdown: Millis,
    /// The limits, in the plan's own words.
    #[serde(rename = "limit")]
    pub limits: Vec<LimitSpec>,
}

impl Default for PlanSpec {
    fn default() -> Self {
        let limit = |signal: &str, above: &str, secs| LimitSpec {
            signal: signal.to_owned(),
            above: above.to_owned(),
            hold: Millis::secs(secs),
        };
        Self {
            ready_hold: Millis::secs(5),
            flaps: 2,
            soak: Millis::secs(10),
            ramp: vec![10, 50, 100],
            hold: Millis::secs(15),
            watch: Millis::secs(40),
            warm: Millis::secs(30),
            deep_check: false,
            migration: "none".to_owned(),
            on_trip: "rollback".to_owned(),
            countdown: Millis::secs(30),
            limits: vec![
                limit("error_rate", "2%", 10),
                limit("client_error_rate", "10%", 15),
                limit("latency_p95", "500ms", 15),
                limit("health", "10%", 10),
                limit("db_errors", "1%", 10),
                limit("queue_depth", "100", 15),
            ],
        }
    }
}

/// One limit of the drill's plan.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSpec {
    /// The signal's name.
    pub signal: String,
    /// The bound, as a plan writes it.
    pub above: String,
    /// For how long.
    #[serde(rename = "for", deserialize_with = "millis")]
    pub hold: Millis,
}
