//! What the world of a scenario is made of: two releases of a service, and the cache, database,
//! queue and disk that they use. Only sizes stand here; how they behave is the model's.

use super::millis;
use crate::units::Millis;
use serde::{Deserialize, Deserializer};

/// The services and what they share.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorldSpec {
    /// Which slot serves users when the lab starts; where labels are swapped, the one that is said
    /// to in the file, and the other one here.
    pub live: LiveSlot,
    /// What runs in the live slot.
    #[serde(deserialize_with = "live_release")]
    pub blue: ReleaseSpec,
    /// What will be deployed into the other one.
    #[serde(deserialize_with = "next_release")]
    pub green: ReleaseSpec,
    /// The cache of each service.
    pub cache: CacheSpec,
    /// The database.
    pub db: DbSpec,
    /// The queue.
    pub queue: QueueSpec,
    /// The disk that both slots share.
    pub disk: DiskSpec,
    /// The memory of each slot.
    pub memory: MemorySpec,
    /// How long a user stays logged in: who logged in lately is the share of fresh tokens.
    #[serde(deserialize_with = "millis")]
    pub session: Millis,
    /// Users who are logged in.
    pub sessions: u32,
}

impl Default for WorldSpec {
    fn default() -> Self {
        Self {
            live: LiveSlot::Left,
            blue: ReleaseSpec::default().named(VERSIONS[0]),
            green: ReleaseSpec::default().named(VERSIONS[1]),
            cache: CacheSpec::default(),
            db: DbSpec::default(),
            queue: QueueSpec::default(),
            disk: DiskSpec::default(),
            memory: MemorySpec::default(),
            session: Millis::secs(1_500),
            sessions: 1_200,
        }
    }
}

/// The version of the live release, and of the one that is to come, unless told.
const VERSIONS: [&str; 2] = ["1.8.2", "1.9.0"];

fn live_release<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ReleaseSpec, D::Error> {
    ReleaseSpec::deserialize(deserializer).map(|spec| spec.named(VERSIONS[0]))
}

fn next_release<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ReleaseSpec, D::Error> {
    ReleaseSpec::deserialize(deserializer).map(|spec| spec.named(VERSIONS[1]))
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

impl LiveSlot {
    /// The other one.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// One release of the service, and how it is run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseSpec {
    /// Its build id. What is said of a release without it leaves each slot its own.
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
    /// Size of its artefact, in megabytes.
    pub artefact_mb: u32,
    /// How long ago its configuration was changed, as people say it.
    pub config_age: String,
}

impl ReleaseSpec {
    /// The same, of this version where it names none.
    fn named(self, version: &str) -> Self {
        let version = if self.version.is_empty() { version.to_owned() } else { self.version };
        Self { version, ..self }
    }
}

impl Default for ReleaseSpec {
    fn default() -> Self {
        Self {
            version: String::new(),
            workers: 3,
            threads: 16,
            pool_per_worker: 8,
            pool_idle: None,
            deploy: Millis::secs(2),
            boot: Millis::secs(5),
            artefact_mb: 27,
            config_age: "9 d".to_owned(),
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
    /// Share of requests that have to open a connection anew because theirs has grown old. Where
    /// the database is full and somebody waits for the place, they are refused.
    pub churn: f64,
}

impl Default for DbSpec {
    fn default() -> Self {
        Self {
            max_connections: 60,
            reserved: 3,
            acquire_timeout: Millis(800),
            share: 0.6,
            churn: 0.07,
        }
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
    /// A job that waited longer is late.
    #[serde(deserialize_with = "millis")]
    pub late_after: Millis,
    /// How often the scheduler of a slot starts its job.
    #[serde(deserialize_with = "millis")]
    pub tick: Millis,
}

impl Default for QueueSpec {
    fn default() -> Self {
        Self {
            in_per_s: 6.0,
            out_per_s: 12.0,
            late_after: Millis::secs(30),
            tick: Millis::secs(10),
        }
    }
}

/// The disk that both slots share.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiskSpec {
    /// How full it is at the start, in percent.
    pub used_pct: f64,
}

impl Default for DiskSpec {
    fn default() -> Self {
        Self { used_pct: 41.0 }
    }
}

/// The memory of each slot.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MemorySpec {
    /// What a service needs from its start, in megabytes.
    pub base_mb: f64,
    /// At how much it is killed, in megabytes.
    pub limit_mb: f64,
}

impl Default for MemorySpec {
    fn default() -> Self {
        Self { base_mb: 180.0, limit_mb: 640.0 }
    }
}
