//! The users of a scenario: how many come, what they ask for, and what a healthy service gives
//! them.

use super::millis;
use crate::units::Millis;
use serde::Deserialize;

/// The users.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrafficSpec {
    /// Requests a second at the start.
    pub base_rps: f64,
    /// How much the rate differs from second to second, as a share.
    pub noise: f64,
    /// Where the rate goes from there.
    pub stages: Vec<StageSpec>,
    /// What is asked for.
    pub routes: Vec<RouteSpec>,
    /// Who asks. Everybody is alike where none is named.
    pub cohorts: Vec<CohortSpec>,
    /// Percent of requests that a healthy service fails.
    pub error_pct: f64,
    /// Percent of requests that are the client's mistake.
    pub client_error_pct: f64,
    /// Median time to an answer of a healthy service, in milliseconds.
    pub p50_ms: f64,
    /// 95th percentile of it, in milliseconds.
    pub p95_ms: f64,
    /// A good answer after this long counts as slow; the scenario's `[harm]` says it.
    #[serde(skip)]
    pub slow_over: Millis,
}

impl Default for TrafficSpec {
    fn default() -> Self {
        let route = |path: &str, share, db| RouteSpec {
            path: path.to_owned(),
            share,
            db,
            ..RouteSpec::default()
        };
        Self {
            base_rps: 40.0,
            noise: 0.08,
            stages: Vec::new(),
            routes: vec![
                route("/", 0.5, 1.0),
                route("/orders", 0.35, 3.0),
                route("/pay", 0.15, 4.0),
            ],
            cohorts: Vec::new(),
            error_pct: 0.2,
            client_error_pct: 2.0,
            p50_ms: 35.0,
            p95_ms: 120.0,
            slow_over: Millis::secs(1),
        }
    }
}

/// The rate goes to `to` in a straight line.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageSpec {
    /// Requests a second at its end.
    pub to: f64,
    /// How long it takes.
    #[serde(deserialize_with = "millis")]
    pub over: Millis,
}

/// One page of the service.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteSpec {
    /// Its path.
    pub path: String,
    /// Share of users who ask for it.
    pub share: f64,
    /// Database reads that it needs with nothing cached.
    pub db: f64,
    /// Whether it writes; where this is not told, it does if it needs 4 reads or more.
    #[serde(default)]
    pub writes: Option<bool>,
    /// Size of a good answer's body, in bytes; what the page itself has unless told, and never
    /// less. At most ten million.
    #[serde(default)]
    pub bytes: Option<u32>,
    /// The database's table that it asks; its path without the slash unless told.
    #[serde(default)]
    pub table: Option<String>,
}

impl RouteSpec {
    /// Whether a request for it writes.
    pub fn writes(&self) -> bool {
        self.writes.unwrap_or(self.db >= 4.0)
    }

    /// The table that a request for it asks.
    pub fn table(&self) -> &str {
        self.table.as_deref().unwrap_or_else(|| self.path.trim_matches('/'))
    }
}

/// One kind of users.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CohortSpec {
    /// Its name.
    pub name: String,
    /// Share of users who belong to it.
    pub share: f64,
    /// How often one of them tries again after a failure.
    #[serde(default)]
    pub retry: u32,
}
