//! The scenario file: what the world is like, what goes wrong in it, and how long a drill on it
//! takes. Only what the lab can do is accepted; anything else is an error that names its line.
//!
//! Times are anchored to what happens (`switch+6s`), for operators differ in pace. Everything
//! but the drill's name has a default, and the defaults are one small ordinary service.

mod read;
mod span;

use super::fault::FaultSpec;
use crate::units::{Millis, Slot};
use serde::{Deserialize, Deserializer};

pub use read::{builtin, load, parse};
pub use span::span;

/// A whole scenario.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Version of the file's shape; 1.
    pub schema: u32,
    /// Its name and place in the list.
    pub drill: DrillSpec,
    /// What the operator is told.
    #[serde(default)]
    pub story: StorySpec,
    /// Seeds and how much they change.
    #[serde(default)]
    pub clock: ClockSpec,
    /// The services and what they share.
    #[serde(default)]
    pub world: WorldSpec,
    /// The users.
    #[serde(default)]
    pub traffic: TrafficSpec,
    /// The timings and limits of the drill's plan.
    #[serde(default)]
    pub plan: PlanSpec,
    /// What goes wrong.
    #[serde(default, rename = "fault")]
    pub faults: Vec<FaultSpec>,
}

impl Scenario {
    /// The slot that serves users when the lab starts.
    pub const fn blue(&self) -> Slot {
        match self.world.live {
            LiveSlot::Left => Slot::First,
            LiveSlot::Right => Slot::Second,
        }
    }

    /// What runs, or will run, in a slot.
    pub fn release(&self, slot: Slot) -> &ReleaseSpec {
        if slot == self.blue() { &self.world.blue } else { &self.world.green }
    }

    /// The seed to use where nobody chose one: the first of the scenario's pool.
    pub fn default_seed(&self) -> u64 {
        self.clock.seeds.first().copied().unwrap_or(1)
    }
}

/// The names of the lab's slots, in the plan's order.
pub const SLOT_NAMES: [&str; 2] = ["left", "right"];

/// Its name and place in the list of drills.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillSpec {
    /// The name on the command line.
    pub id: String,
    /// The name for people.
    pub title: String,
    /// 1 (recruit) to 4 (expert).
    pub level: u8,
    /// About how long it takes.
    pub minutes: u32,
}

/// What the operator is told. What is behind it is not part of the story.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorySpec {
    /// The situation, in a sentence or two.
    pub brief: String,
    /// What the release is said to change.
    pub change_note: String,
}

/// Seeds and how much they change.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockSpec {
    /// The official pool.
    pub seeds: Vec<u64>,
    /// How far onsets and sizes of faults move with the seed, as a share (0.15 is +-15 %).
    pub jitter: f64,
}

impl Default for ClockSpec {
    fn default() -> Self {
        Self { seeds: vec![1], jitter: 0.0 }
    }
}

/// The services and what they share.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorldSpec {
    /// Which slot serves users when the lab starts.
    pub live: LiveSlot,
    /// What runs in the live slot.
    pub blue: ReleaseSpec,
    /// What will be deployed into the other one.
    pub green: ReleaseSpec,
    /// The cache of each service.
    pub cache: CacheSpec,
    /// The database.
    pub db: DbSpec,
    /// The queue.
    pub queue: QueueSpec,
}

impl Default for WorldSpec {
    fn default() -> Self {
        Self {
            live: LiveSlot::Left,
            blue: ReleaseSpec { version: "1.8.2".to_owned(), ..ReleaseSpec::default() },
            green: ReleaseSpec::default(),
            cache: CacheSpec::default(),
            db: DbSpec::default(),
            queue: QueueSpec::default(),
        }
    }
}

/// One of the lab's slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveSlot {
    /// The first.
    #[default]
    Left,
    /// The second.
    Right,
}

/// One release of the service, and how it is run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseSpec {
    /// Its build id.
    pub version: String,
    /// Processes.
    pub workers: u32,
    /// Requests that one worker serves at once.
    pub threads: u32,
    /// Database connections that one worker may open.
    pub pool_per_worker: u32,
    /// Database connections that one worker opens as it starts; all of them unless told.
    pub pool_idle: Option<u32>,
    /// How long the deploy command takes until the process runs.
    #[serde(deserialize_with = "millis")]
    pub deploy: Millis,
    /// From the start of the process to the first ready.
    #[serde(deserialize_with = "millis")]
    pub boot: Millis,
}

impl Default for ReleaseSpec {
    fn default() -> Self {
        Self {
            version: "1.9.0".to_owned(),
            workers: 3,
            threads: 16,
            pool_per_worker: 8,
            pool_idle: None,
            deploy: Millis::secs(2),
            boot: Millis::secs(5),
        }
    }
}

/// The cache of each service.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CacheSpec {
    /// Share of lookups that a warm cache answers.
    pub hit: f64,
    /// Share of database reads that the cache can answer at all.
    pub cacheable: f64,
}

impl Default for CacheSpec {
    fn default() -> Self {
        Self { hit: 0.92, cacheable: 0.85 }
    }
}

/// The database.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DbSpec {
    /// Connections that it admits.
    pub max_connections: u32,
    /// Of these, kept for its own people.
    pub reserved: u32,
    /// How long a request waits for a connection.
    #[serde(deserialize_with = "millis")]
    pub acquire_timeout: Millis,
    /// Share of an ordinary request's time that is the database's.
    pub share: f64,
}

impl Default for DbSpec {
    fn default() -> Self {
        Self { max_connections: 60, reserved: 3, acquire_timeout: Millis(800), share: 0.6 }
    }
}

/// The queue.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueueSpec {
    /// Jobs a second that ordinary traffic leaves behind.
    pub in_per_s: f64,
    /// Jobs a second that the consumer can do.
    pub out_per_s: f64,
}

impl Default for QueueSpec {
    fn default() -> Self {
        Self { in_per_s: 6.0, out_per_s: 12.0 }
    }
}

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
    /// Percent of requests that a healthy service fails.
    pub error_pct: f64,
    /// Percent of requests that are the client's mistake.
    pub client_error_pct: f64,
    /// Median time to an answer of a healthy service, in milliseconds.
    pub p50_ms: f64,
    /// 95th percentile of it, in milliseconds.
    pub p95_ms: f64,
}

impl Default for TrafficSpec {
    fn default() -> Self {
        let route = |path: &str, share, db| RouteSpec { path: path.to_owned(), share, db };
        Self {
            base_rps: 40.0,
            noise: 0.08,
            stages: Vec::new(),
            routes: vec![
                route("/", 0.5, 1.0),
                route("/orders", 0.35, 3.0),
                route("/pay", 0.15, 4.0),
            ],
            error_pct: 0.2,
            client_error_pct: 2.0,
            p50_ms: 35.0,
            p95_ms: 120.0,
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
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteSpec {
    /// Its path.
    pub path: String,
    /// Share of users who ask for it.
    pub share: f64,
    /// Database reads that it needs with nothing cached.
    pub db: f64,
}

/// The timings and limits of the drill's plan: real seconds, chosen so that a drill lasts
/// minutes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlanSpec {
    /// How long readiness must hold.
    #[serde(deserialize_with = "millis")]
    pub ready_hold: Millis,
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
            soak: Millis::secs(10),
            ramp: vec![10, 50, 100],
            hold: Millis::secs(15),
            watch: Millis::secs(40),
            warm: Millis::secs(30),
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

/// A duration as people write it.
pub(super) fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
    let text = String::deserialize(deserializer)?;
    span(&text).map_err(serde::de::Error::custom)
}
