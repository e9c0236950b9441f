//! The plan as it is meant: every default filled in, every unit resolved.
//!
//! These types are plain data. The journal carries a whole [`Plan`] in its first record, so that
//! a replay needs nothing but the journal. Secrets are named here and never held.

use crate::units::{Millis, Percent, Slot};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the operator declared before the deploy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The service's name; typing it is what decommissioning asks for.
    pub service: String,
    /// The two slots, in the order of the file.
    pub slots: [SlotPlan; 2],
    /// Which release replaces which.
    pub release: ReleasePlan,
    /// How an answer says who gave it.
    pub identity: IdentityPlan,
    /// Where the split is set and read.
    pub router: RouterPlan,
    /// Liveness and readiness, and how long they must hold.
    pub health: HealthPlan,
    /// Time between probes of each slot from the soak to the end of the watch.
    pub probe_every: Millis,
    /// Synthetic requests.
    pub probes: Vec<ProbePlan>,
    /// Green's share at each step of the ramp; the last is 100, but in a rehearsal, which turns
    /// back from there.
    pub ramp: Vec<Percent>,
    /// How long each step of the ramp that is below 100 is held.
    pub ramp_hold: Millis,
    /// Length of the soak.
    pub soak: Millis,
    /// Length of the watch.
    pub watch: Millis,
    /// What follows a watch that saw too little.
    pub unproven: Unproven,
    /// How long Blue is kept warm.
    pub warm: Millis,
    /// How long Blue's last requests may take, where they cannot be counted.
    pub drain: Millis,
    /// The limits, defaults included, one for each signal that is judged.
    pub limits: Vec<Limit>,
    /// What a trip does.
    pub on_trip: OnTrip,
    /// Where gauges are read.
    pub signals: BTreeMap<Signal, SignalSource>,
    /// The operator's commands.
    pub commands: CommandsPlan,
    /// What the operator wants to look at by themself before step 1 passes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<OwnCheck>,
    /// Keys and markings of the evidence.
    pub evidence: EvidencePlan,
    /// Where secrets live, by name.
    pub secrets: BTreeMap<String, SecretSource>,
    /// SHA-256 of the plan file's bytes, in hex.
    pub digest: String,
}

/// A check of the operator's own: the cockpit shows it at step 1 and cannot judge it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnCheck {
    /// What is to be looked at.
    pub text: String,
    /// Where it comes from, such as a drill and its day.
    pub from: Option<String>,
}

impl Plan {
    /// The name of a slot.
    pub fn slot_name(&self, slot: Slot) -> &str {
        &self.slots[slot.index()].name
    }

    /// The slot of this name.
    pub fn slot_named(&self, name: &str) -> Option<Slot> {
        Slot::BOTH.into_iter().find(|&slot| self.slot_name(slot) == name)
    }

    /// The limit over a signal.
    pub fn limit(&self, signal: Signal) -> Option<&Limit> {
        self.limits.iter().find(|limit| limit.signal == signal)
    }
}

/// A place where a version runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotPlan {
    /// The operator's name for it.
    pub name: String,
    /// Base URL, without a trailing slash.
    pub url: String,
}

/// Which release replaces which.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReleasePlan {
    /// What Blue runs, if declared; otherwise it is read from Blue where that is possible.
    pub current: Option<String>,
    /// What Green shall run.
    pub next: Option<String>,
    /// What the release does to the data.
    pub migration: Migration,
    /// Why, by which reference, with what impact; carried into the evidence.
    pub change: BTreeMap<String, String>,
}

impl ReleasePlan {
    /// The digest of what is deployed, if it was declared.
    pub fn artefact(&self) -> Option<&str> {
        self.change.get("artefact").map(String::as_str)
    }
}

/// What a release does to the data, and so to the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Migration {
    /// Nothing was said. Step 1 asks for it.
    #[default]
    Undeclared,
    /// The data stay as they are.
    None,
    /// Only additions; the old version goes on working.
    Expand,
    /// The old version may not work afterwards: rollback asks once more.
    Irreversible,
}

impl Migration {
    /// The word in plan and journal, and on the command line.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Undeclared => "undeclared",
            Self::None => "none",
            Self::Expand => "expand",
            Self::Irreversible => "irreversible",
        }
    }

    /// What a plan can declare, by its word.
    pub fn from_key(word: &str) -> Option<Self> {
        [Self::None, Self::Expand, Self::Irreversible].into_iter().find(|m| m.key() == word)
    }
}

/// How an answer says who gave it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IdentityPlan {
    /// Header that names the slot, set by the router.
    pub slot_header: Option<String>,
    /// Where an answer names its release.
    pub release: Option<ReleaseSource>,
    /// Where an answer names the digest of the artefact that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artefact: Option<ReleaseSource>,
}

/// Where an answer names its release, or its artefact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseSource {
    /// A response header.
    Header(String),
    /// A JSON pointer into the readiness body.
    Json(String),
}

/// The router: where the split is set and read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterPlan {
    /// Which kind, with what only that kind needs.
    pub kind: RouterKind,
    /// Where users come in.
    pub front: Option<String>,
    /// How long one read or write may take.
    pub timeout: Millis,
}

/// A kind of router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum RouterKind {
    /// HAProxy's runtime API on a unix socket (a path) or on TCP (`host:port`).
    Haproxy {
        /// Path of the stats socket, or `host:port`.
        address: String,
        /// Backend; found by the slots' addresses unless told.
        backend: Option<String>,
        /// Server of each slot; found by the slots' addresses unless told.
        servers: Option<[String; 2]>,
        /// Where the state is kept for a restart, if it is.
        state_file: Option<String>,
    },
    /// The lab's own proxy, over HTTP.
    Lab {
        /// `host:port` of its control endpoint.
        address: String,
    },
    /// Two commands of the operator's.
    Command {
        /// Sets the split; `{name}` of each slot is replaced by its percent.
        set: Vec<String>,
        /// Prints `left=90 right=10` with the slots' names.
        get: Vec<String>,
    },
}

/// Liveness and readiness, and how long they must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthPlan {
    /// Path that says whether the process lives, if there is one.
    pub liveness: Option<String>,
    /// Path that says whether it can serve.
    pub readiness: String,
    /// Time between checks outside soak and watch.
    pub every: Millis,
    /// A check without an answer by then has failed.
    pub timeout: Millis,
    /// How long readiness must hold without a break.
    pub hold: Millis,
    /// How many breaks are forgiven before the step fails.
    pub flaps: u32,
    /// When to stop waiting for readiness.
    pub deadline: Millis,
    /// What happens then.
    pub deadline_then: DeadlineThen,
    /// Components of the readiness body that must be good.
    pub require: Vec<String>,
    /// Components that may be degraded.
    pub optional: Vec<String>,
    /// Headers sent with each check; values may name secrets in braces.
    pub headers: BTreeMap<String, String>,
}

/// What happens when readiness does not come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineThen {
    /// Give Green up: no weight ever reached it.
    Abandon,
    /// Hold and ask the operator.
    Ask,
}

/// A synthetic request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbePlan {
    /// Path and query.
    pub path: String,
    /// Status that counts as good.
    pub expect: u16,
    /// Text that a good body contains.
    pub contains: Option<String>,
    /// Headers; values may name secrets in braces.
    pub headers: BTreeMap<String, String>,
}

/// What follows a watch that saw too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unproven {
    /// The operator decides; unattended it is rollback.
    Ask,
    /// Watch once more as long.
    Extend,
    /// Go back.
    Rollback,
}

/// What a trip does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnTrip {
    /// At once, or after a countdown that the operator can stop.
    pub ask: bool,
    /// Length of the countdown; it ends in rollback.
    pub countdown: Millis,
    /// How long to hold when both slots suffer, before asking.
    pub shared_hold: Millis,
}

/// A measured series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Share of requests answered with 5xx, or not answered.
    ErrorRate,
    /// Share of requests answered with 4xx.
    ClientErrorRate,
    /// 95th percentile of the time to an answer.
    LatencyP95,
    /// Share of readiness checks that failed.
    Health,
    /// Database connection errors as a share of requests.
    DbErrors,
    /// Length of the queue.
    QueueDepth,
}

impl Signal {
    /// All of them, in the order of the screen.
    pub const ALL: [Self; 6] = [
        Self::ErrorRate,
        Self::ClientErrorRate,
        Self::LatencyP95,
        Self::Health,
        Self::DbErrors,
        Self::QueueDepth,
    ];

    /// The name in plan and journal.
    pub const fn key(self) -> &'static str {
        match self {
            Self::ErrorRate => "error_rate",
            Self::ClientErrorRate => "client_error_rate",
            Self::LatencyP95 => "latency_p95",
            Self::Health => "health",
            Self::DbErrors => "db_errors",
            Self::QueueDepth => "queue_depth",
        }
    }

    /// The signal of this name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.key() == key)
    }

    /// The short name on the screen.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ErrorRate => "5xx",
            Self::ClientErrorRate => "4xx",
            Self::LatencyP95 => "p95",
            Self::Health => "health",
            Self::DbErrors => "DB err",
            Self::QueueDepth => "queue",
        }
    }
}

/// A rule over a signal, declared before the deploy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// What is judged.
    pub signal: Signal,
    /// Above this.
    pub above: Bound,
    /// For this long.
    pub hold: Millis,
    /// Judged by the plain reading, because the plan says so.
    pub literal: bool,
    /// Whether the plan declared it; otherwise it is the default.
    pub declared: bool,
}

/// The value of a limit, in the unit of its signal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// A share in percent, above 0 and at most 50 (rates, health, DB errors).
    Percent(f64),
    /// Milliseconds (latency).
    Millis(f64),
    /// A number of jobs (queue).
    Count(f64),
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Percent(value) => write!(f, "{value} %"),
            Self::Millis(value) => write!(f, "{value} ms"),
            Self::Count(value) => write!(f, "{value}"),
        }
    }
}

/// Where a gauge is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalSource {
    /// A JSON pointer into the readiness body.
    Readiness(String),
    /// Declared to have no source.
    None,
}

/// The operator's commands, as argv lists. `{slot}`, `{release}` and `{current}` are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CommandsPlan {
    /// The commands that are declared.
    pub argv: BTreeMap<CommandName, Vec<String>>,
    /// How long one may run.
    pub timeout: Millis,
}

impl CommandsPlan {
    /// Whether a command is declared.
    pub fn has(&self, name: CommandName) -> bool {
        self.argv.contains_key(&name)
    }
}

/// One of the operator's commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandName {
    /// Proves that Blue can be deployed again.
    RedeployCheck,
    /// Expands the schema before the deploy.
    Migrate,
    /// Deploys the next release to Green.
    Deploy,
    /// Prints Green's last logs.
    Logs,
    /// Stops a slot.
    Stop,
    /// Contracts the schema, after Blue is decommissioned.
    Contract,
}

impl CommandName {
    /// All of them, in the order of the runbook.
    pub const ALL: [Self; 6] =
        [Self::RedeployCheck, Self::Migrate, Self::Deploy, Self::Logs, Self::Stop, Self::Contract];

    /// The name in plan, journal and on the screen.
    pub const fn key(self) -> &'static str {
        match self {
            Self::RedeployCheck => "redeploy_check",
            Self::Migrate => "migrate",
            Self::Deploy => "deploy",
            Self::Logs => "logs",
            Self::Stop => "stop",
            Self::Contract => "contract",
        }
    }
}

/// Keys and markings of the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EvidencePlan {
    /// Private key that signs.
    pub key: Option<String>,
    /// Who signs.
    pub identity: Option<String>,
    /// A marking line, such as `CUI`.
    pub marking: Option<String>,
    /// An RFC 3161 time authority.
    pub tsa: Option<String>,
    /// Whether a deploy whose declaration cannot be signed does not begin.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require: bool,
}

/// Where a secret lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file; one trailing line feed is not part of the secret.
    File(String),
}
