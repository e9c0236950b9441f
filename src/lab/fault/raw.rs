//! A fault's table as it is written, and what is wrong with it: a kind gets the keys it needs and
//! no others.

use super::keys;
use super::{Couple, FaultKind, FaultSpec, Measure, Per, Reconnect, Shape, Target};
use crate::lab::anchor::{Anchor, Moment};
use crate::lab::scenario::{maybe_millis, millis};
use crate::units::Millis;
use serde::Deserialize;

macro_rules! kinds {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// The kinds by name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        enum RawKind { $(#[serde(rename = $text)] $name),* }
    };
}

kinds! {
    HttpError = "http.error",
    HttpLatency = "http.latency",
    HttpHang = "http.hang",
    HttpReset = "http.reset",
    NetBandwidth = "net.bandwidth",
    NetSlicer = "net.slicer",
    NetLimit = "net.limit",
    HttpWrongOk = "http.wrong_ok",
    RejectAuth = "http.reject_auth",
    ReadySequence = "ready.sequence",
    ReadyLie = "ready.lie",
    BootFail = "boot.fail",
    BootSlow = "boot.slow",
    RestartLoop = "restart_loop",
    WorkerVariant = "worker.variant",
    MemLeak = "mem.leak",
    CpuBurn = "cpu.burn",
    DiskFill = "disk.fill",
    CacheCold = "cache.cold",
    CachePoison = "cache.poison",
    DbPoolGrow = "db.pool_grow",
    DbHold = "db.hold",
    DbConnLeak = "db.conn_leak",
    DbSlow = "db.slow",
    DbLock = "db.lock",
    SchemaMigrate = "schema.migrate",
    QueueStop = "queue.stop",
    QueueSlow = "queue.slow",
    QueueFormat = "queue.format",
    JobDouble = "job.double",
    ConnPinned = "conn.pinned",
    StickyDns = "client.sticky_dns",
    ClientAbuse = "client.abuse",
    RetryStorm = "client.retry_storm",
    SessionKey = "session.key",
    DrainSlow = "drain.slow",
    ProxyRefuse = "proxy.refuse",
    ProxyPartial = "proxy.partial",
    ProxyStuck = "proxy.stuck",
    ProxyMute = "proxy.mute",
    RollbackMissing = "rollback.missing",
    ConfigDrift = "config.drift",
    ClockSkew = "clock.skew",
    TlsBad = "tls.bad",
    VendorSlow = "vendor.slow",
    VendorDown = "vendor.down",
    LatentTrigger = "latent.trigger",
    TelemetryFreeze = "telemetry.freeze",
    TelemetryGap = "telemetry.gap",
    TelemetryDelay = "telemetry.delay",
    TelemetryWrong = "telemetry.wrong",
    TrafficProfile = "traffic.profile",
    LabelSwap = "label.swap",
    AdviceWrong = "advice.wrong",
    InjectMessage = "inject.message",
}

/// The keys of a fault's table, before it is known which of them its kind wants.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFault {
    id: String,
    kind: RawKind,
    #[serde(default)]
    target: Option<Target>,
    #[serde(default)]
    worker: Option<u32>,
    #[serde(default)]
    route: Option<String>,
    #[serde(default)]
    cohort: Option<String>,
    at: Moment,
    #[serde(default)]
    or_by: Option<Moment>,
    #[serde(default, rename = "for", deserialize_with = "maybe_millis")]
    lasts: Option<Millis>,
    #[serde(default)]
    until: Option<Moment>,
    #[serde(default, deserialize_with = "millis")]
    ramp: Millis,
    #[serde(default)]
    shape: Shape,
    #[serde(default, deserialize_with = "maybe_millis")]
    every: Option<Millis>,
    #[serde(default, deserialize_with = "maybe_millis")]
    on: Option<Millis>,
    #[serde(default)]
    couple: Couple,
    #[serde(default)]
    odds: Option<f64>,
    #[serde(default)]
    visible: Option<bool>,
    #[serde(default)]
    share: Option<f64>,
    #[serde(default)]
    value: Option<f64>,
    #[serde(default)]
    status: Option<Status>,
    #[serde(default, deserialize_with = "maybe_millis")]
    takes: Option<Millis>,
    #[serde(default)]
    variation: Option<f64>,
    #[serde(default)]
    turns: Option<Vec<u8>>,
    #[serde(default)]
    deep: Option<bool>,
    #[serde(default)]
    writes: Option<bool>,
    #[serde(default)]
    contract: Option<bool>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    decoy: Option<bool>,
    #[serde(default)]
    jitter: Option<f64>,
    #[serde(default)]
    band: Option<[f64; 2]>,
    #[serde(default)]
    probed: Option<bool>,
    #[serde(default, deserialize_with = "maybe_millis")]
    younger: Option<Millis>,
    #[serde(default, deserialize_with = "maybe_millis")]
    older: Option<Millis>,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    cycle: Option<bool>,
    #[serde(default)]
    exit: Option<u8>,
    #[serde(default)]
    per: Option<Per>,
    #[serde(default)]
    cost: Option<f64>,
    #[serde(default)]
    table: Option<String>,
    #[serde(default)]
    versions: Option<Vec<String>>,
    #[serde(default)]
    skip: Option<bool>,
    #[serde(default)]
    reconnect: Option<Reconnect>,
    #[serde(default)]
    checked: Option<String>,
    #[serde(default)]
    slot: Option<bool>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    shift: Option<bool>,
    #[serde(default)]
    series: Option<Vec<Measure>>,
}

/// A status, or a class of them as people write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Status {
    Number(u16),
    Class(String),
}

/// Takes a number that a kind must have, within bounds.
fn need(taken: Option<f64>, key: &str, low: f64, high: f64) -> Result<f64, String> {
    let value = taken.ok_or_else(|| format!("a fault of this kind needs `{key}`"))?;
    if (low..=high).contains(&value) {
        Ok(value)
    } else {
        Err(format!("`{key}` = {value} is outside {low} to {high}"))
    }
}

/// A status within bounds.
fn within(status: u16, low: u16, high: u16) -> Result<u16, String> {
    if (low..=high).contains(&status) {
        Ok(status)
    } else {
        Err(format!("`status` = {status} is outside {low} to {high}"))
    }
}

impl RawFault {
    fn share(&mut self) -> Result<f64, String> {
        need(self.share.take(), "share", 0.0, 1.0)
    }

    fn share_or(&mut self, otherwise: f64) -> Result<f64, String> {
        need(Some(self.share.take().unwrap_or(otherwise)), "share", 0.0, 1.0)
    }

    fn value(&mut self, low: f64, high: f64) -> Result<f64, String> {
        need(self.value.take(), "value", low, high)
    }

    fn number(&mut self, otherwise: u16, low: u16, high: u16) -> Result<u16, String> {
        match self.status.take() {
            Some(Status::Class(class)) => Err(format!("`status` = {class:?} is no number")),
            Some(Status::Number(status)) => within(status, low, high),
            None => Ok(otherwise),
        }
    }

    fn factor(&mut self) -> Result<f64, String> {
        self.value(0.1, 1_000.0)
    }

    fn takes_or(&mut self, secs: u64) -> Millis {
        self.takes.take().unwrap_or(Millis::secs(secs))
    }

    fn takes(&mut self) -> Result<Millis, String> {
        self.takes.take().ok_or_else(|| "a fault of this kind needs `takes`".to_owned())
    }

    fn text(&mut self) -> Result<String, String> {
        self.text.take().ok_or_else(|| "a fault of this kind needs `text`".to_owned())
    }

    /// What its kind makes of the keys; those that are left then are too many.
    fn kind(&mut self) -> Result<FaultKind, String> {
        Ok(match self.kind {
            RawKind::HttpError => {
                let (status, any) = match self.status.take() {
                    Some(Status::Class(class)) => match class.as_str() {
                        "4xx" => (400, true),
                        "5xx" => (500, true),
                        _ => return Err(format!("`status` = {class:?} is neither 4xx nor 5xx")),
                    },
                    Some(Status::Number(status)) => (within(status, 400, 599)?, false),
                    None => (500, false),
                };
                FaultKind::HttpError { share: self.share()?, status, any }
            }
            RawKind::HttpHang => {
                FaultKind::HttpHang { share: self.share()?, after: self.takes.take() }
            }
            RawKind::HttpReset => {
                FaultKind::HttpReset { share: self.share()?, after: self.takes.take() }
            }
            RawKind::NetBandwidth => FaultKind::NetBandwidth {
                kb_per_s: self.value(0.001, 1e6)?,
                share: self.share_or(1.0)?,
            },
            RawKind::NetSlicer => {
                let bytes = self.value(1.0, 1e7)?;
                let variation = self.variation.take().unwrap_or(0.0);
                FaultKind::NetSlicer {
                    bytes,
                    variation: need(Some(variation), "variation", 0.0, bytes - 1.0)?,
                    pause: self.takes()?,
                    share: self.share_or(1.0)?,
                }
            }
            RawKind::NetLimit => {
                FaultKind::NetLimit { bytes: self.value(0.0, 1e9)?, share: self.share_or(1.0)? }
            }
            RawKind::HttpWrongOk => FaultKind::HttpWrongOk {
                share: self.share()?,
                status: self.number(302, 200, 399)?,
                probed: self.probed.take().unwrap_or(false),
            },
            RawKind::RejectAuth => {
                let (younger, older) = (self.younger.take(), self.older.take());
                let ruled = younger.is_some() || older.is_some();
                let share = if ruled { self.share_or(1.0)? } else { self.share()? };
                FaultKind::RejectAuth { share, younger, older, key: self.key.take() }
            }
            RawKind::HttpLatency => {
                let more = self.takes.take();
                let factor = match (self.value.is_some(), more) {
                    (false, Some(_)) => 1.0,
                    _ => self.factor()?,
                };
                let more = more.unwrap_or_default();
                let jitter = need(Some(self.jitter.take().unwrap_or(0.0)), "jitter", 0.0, 1.0)?;
                let band = self.band.take();
                if let Some([low, high]) = band
                    && !(0.0 <= low && low < high && high <= 100.0)
                {
                    return Err(format!("`band` = {low} to {high} is not within 0 to 100"));
                }
                FaultKind::HttpLatency { factor, more, share: self.share_or(1.0)?, jitter, band }
            }
            RawKind::ReadySequence => {
                let turns = self.turns.take().unwrap_or_default();
                if turns.is_empty() || turns.iter().any(|turn| *turn > 1) {
                    return Err("a fault of this kind needs `turns`, a list of 0 and 1".to_owned());
                }
                let turns = turns.iter().map(|turn| *turn == 1).collect();
                FaultKind::ReadySequence {
                    turns,
                    cycle: self.cycle.take().unwrap_or(true),
                    deep: self.deep.take().unwrap_or(false),
                }
            }
            RawKind::ReadyLie => FaultKind::ReadyLie,
            RawKind::BootFail => {
                FaultKind::BootFail { exit: self.exit.take().unwrap_or(1), runs: self.takes.take() }
            }
            RawKind::BootSlow => FaultKind::BootSlow { more: self.takes()? },
            RawKind::RestartLoop => FaultKind::RestartLoop { down: self.takes_or(3) },
            RawKind::WorkerVariant => {
                if self.worker.is_none() {
                    return Err("a fault of this kind needs `worker`".to_owned());
                }
                let version = self.version.take().unwrap_or_else(|| "1.7.4".to_owned());
                FaultKind::WorkerVariant { share: self.share()?, version }
            }
            RawKind::MemLeak => FaultKind::MemLeak {
                mb: self.value(0.001, 1_000.0)?,
                per: self.per.take().unwrap_or_default(),
                share: self.share_or(0.33)?,
                down: self.takes_or(8),
            },
            RawKind::CpuBurn => FaultKind::CpuBurn {
                share: self.value(0.0, 0.98)?,
                per: self.per.take().unwrap_or_default(),
            },
            RawKind::DiskFill => FaultKind::DiskFill { pct_per_s: self.value(0.0, 100.0)? },
            RawKind::CacheCold => FaultKind::CacheCold {
                hit: self.value(0.0, 1.0)?,
                cost: need(Some(self.cost.take().unwrap_or(1.0)), "cost", 0.1, 1_000.0)?,
            },
            RawKind::CachePoison => {
                FaultKind::CachePoison { share: self.share()?, over: self.takes_or(20) }
            }
            RawKind::DbPoolGrow => FaultKind::DbPoolGrow { connections: self.value(0.0, 1e4)? },
            RawKind::DbHold => FaultKind::DbHold { connections: self.value(0.0, 1e4)? },
            RawKind::DbConnLeak => FaultKind::DbConnLeak { per_s: self.value(0.0, 1e3)? },
            RawKind::DbSlow => FaultKind::DbSlow { factor: self.factor()? },
            RawKind::DbLock => FaultKind::DbLock {
                wait: self.takes_or(3),
                writes: self.writes.take().unwrap_or(true),
                table: self.table.take(),
            },
            RawKind::SchemaMigrate => FaultKind::SchemaMigrate {
                contract: self.contract.take().unwrap_or(false),
                share: self.share_or(1.0)?,
                versions: self.versions.take().unwrap_or_default(),
            },
            RawKind::QueueStop => FaultKind::QueueStop,
            RawKind::QueueSlow => FaultKind::QueueSlow { factor: self.value(0.0, 1.0)? },
            RawKind::QueueFormat => FaultKind::QueueFormat {
                share: self.share_or(0.2)?,
                versions: self.versions.take().unwrap_or_default(),
                skip: self.skip.take().unwrap_or(false),
            },
            RawKind::JobDouble => FaultKind::JobDouble { per_tick: self.value(0.0, 1e4)? },
            RawKind::ConnPinned => FaultKind::ConnPinned {
                sockets: self.value(0.0, 1e6)?,
                share: self.share_or(0.18)?,
                herd: self.takes_or(20),
                reconnect: self.reconnect.take().unwrap_or_default(),
            },
            RawKind::StickyDns => {
                FaultKind::StickyDns { share: self.share()?, ttl: self.takes_or(60) }
            }
            RawKind::ClientAbuse => {
                let client = self.from.take().unwrap_or_else(|| "one client".to_owned());
                let (rps, share) = (self.value(0.0, 500.0)?, self.share_or(0.9)?);
                FaultKind::ClientAbuse { client, rps, share }
            }
            RawKind::RetryStorm => {
                FaultKind::RetryStorm { times: self.value(1.0, 10.0)?.round() as u32 }
            }
            RawKind::SessionKey => FaultKind::SessionKey,
            RawKind::DrainSlow => {
                FaultKind::DrainSlow { uploads: self.value(0.0, 1e4)?, over: self.takes()? }
            }
            RawKind::ProxyRefuse => FaultKind::ProxyRefuse { status: self.number(403, 400, 499)? },
            RawKind::ProxyPartial => FaultKind::ProxyPartial { share: self.share()? },
            RawKind::ProxyStuck => FaultKind::ProxyStuck,
            RawKind::ProxyMute => FaultKind::ProxyMute,
            RawKind::RollbackMissing => FaultKind::RollbackMissing {
                checked: self.checked.take(),
                slot: self.slot.take().unwrap_or(false),
            },
            RawKind::ConfigDrift => {
                FaultKind::ConfigDrift { factor: self.factor()?, share: self.share_or(0.0)? }
            }
            RawKind::ClockSkew => FaultKind::ClockSkew { by: self.takes()? },
            RawKind::TlsBad => {
                let days = self.value.take().unwrap_or(1.0);
                let name = self.name.take();
                FaultKind::TlsBad { days: need(Some(days), "value", 0.0, 1e4)?, name }
            }
            RawKind::VendorSlow => FaultKind::VendorSlow { factor: self.factor()? },
            RawKind::VendorDown => FaultKind::VendorDown { share: self.share()? },
            RawKind::LatentTrigger => FaultKind::LatentTrigger { share: self.share()? },
            RawKind::TelemetryFreeze => {
                FaultKind::TelemetryFreeze { series: self.series.take().unwrap_or_default() }
            }
            RawKind::TelemetryGap => FaultKind::TelemetryGap,
            RawKind::TelemetryDelay => FaultKind::TelemetryDelay {
                by: self.takes()?,
                series: self.series.take().unwrap_or_default(),
            },
            RawKind::TelemetryWrong => {
                FaultKind::TelemetryWrong { factor: self.value(0.0, 1_000.0)? }
            }
            RawKind::TrafficProfile => {
                let (factor, shift) = (self.value(0.0, 50.0)?, self.shift.take().unwrap_or(false));
                if shift && self.cohort.is_none() && self.route.is_none() {
                    return Err("a shift needs a `cohort` or a `route`".to_owned());
                }
                FaultKind::TrafficProfile { factor, shift }
            }
            RawKind::LabelSwap => {
                if self.odds.is_some() || self.at.anchor != Anchor::Start || self.at.after.0 > 0 {
                    return Err("labels are swapped from the start: write at = \"start\", \
                                and no `odds`"
                        .to_owned());
                }
                let from = self.from.take().unwrap_or_else(|| "colleague".to_owned());
                FaultKind::LabelSwap { says: self.text.take().map(|text| (from, text)) }
            }
            RawKind::AdviceWrong => FaultKind::AdviceWrong { text: self.text()? },
            RawKind::InjectMessage => FaultKind::InjectMessage {
                from: self.from.take().unwrap_or_else(|| "colleague".to_owned()),
                text: self.text()?,
                decoy: self.decoy.take().unwrap_or(false),
            },
        })
    }

    /// A key that its kind has not taken.
    fn left(&self) -> Option<&'static str> {
        let left = [
            ("share", self.share.is_some()),
            ("value", self.value.is_some()),
            ("status", self.status.is_some()),
            ("variation", self.variation.is_some()),
            ("takes", self.takes.is_some()),
            ("turns", self.turns.is_some()),
            ("deep", self.deep.is_some()),
            ("writes", self.writes.is_some()),
            ("contract", self.contract.is_some()),
            ("version", self.version.is_some()),
            ("from", self.from.is_some()),
            ("text", self.text.is_some()),
            ("decoy", self.decoy.is_some()),
            ("jitter", self.jitter.is_some()),
            ("band", self.band.is_some()),
            ("probed", self.probed.is_some()),
            ("younger", self.younger.is_some()),
            ("older", self.older.is_some()),
            ("key", self.key.is_some()),
            ("cycle", self.cycle.is_some()),
            ("exit", self.exit.is_some()),
            ("per", self.per.is_some()),
            ("cost", self.cost.is_some()),
            ("table", self.table.is_some()),
            ("versions", self.versions.is_some()),
            ("skip", self.skip.is_some()),
            ("reconnect", self.reconnect.is_some()),
            ("checked", self.checked.is_some()),
            ("slot", self.slot.is_some()),
            ("name", self.name.is_some()),
            ("shift", self.shift.is_some()),
            ("series", self.series.is_some()),
        ];
        left.into_iter().find(|(_, given)| *given).map(|(key, _)| key)
    }
}

/// How long a period is, where the kind or the shape has one.
fn period(raw: &RawFault) -> Result<Millis, String> {
    let shape = matches!(raw.shape, Shape::Saw | Shape::Burst | Shape::Flap | Shape::Sine);
    let otherwise = match raw.kind {
        RawKind::ReadySequence => Some(Millis::secs(1)),
        RawKind::BootFail => Some(Millis::secs(3)),
        RawKind::RestartLoop => Some(Millis::secs(30)),
        _ => None,
    };
    let every = match (raw.every, otherwise) {
        (Some(every), _) if shape || otherwise.is_some() => every,
        (Some(_), _) => return Err("a fault of this kind and shape has no `every`".to_owned()),
        (None, Some(otherwise)) => otherwise,
        (None, None) if shape => return Err("a fault of this shape needs `every`".to_owned()),
        (None, None) => Millis::ZERO,
    };
    if (shape || otherwise.is_some()) && every < Millis(100) {
        return Err(format!("`every` = {every} is shorter than 100ms"));
    }
    Ok(every)
}

impl TryFrom<RawFault> for FaultSpec {
    type Error = String;
    fn try_from(mut raw: RawFault) -> Result<Self, String> {
        let kind = raw.kind()?;
        if let Some(key) = raw.left() {
            return Err(format!("a fault of this kind has no `{key}`"));
        }
        if raw.shape == Shape::Decay && raw.lasts.is_none() {
            return Err("a fault that decays needs `for`".to_owned());
        }
        let about = keys::About {
            worker: raw.worker.is_some(),
            route: raw.route.is_some(),
            cohort: raw.cohort.is_some(),
        };
        keys::selects(&kind, about)?;
        keys::runs(&kind, raw.shape, raw.ramp, raw.couple)?;
        let every = period(&raw)?;
        let target = raw.target.unwrap_or(match raw.kind {
            RawKind::VendorSlow | RawKind::VendorDown | RawKind::LatentTrigger => Target::Both,
            RawKind::RollbackMissing
            | RawKind::ConfigDrift
            | RawKind::ConnPinned
            | RawKind::DrainSlow
            | RawKind::StickyDns => Target::Blue,
            RawKind::DbLock | RawKind::SessionKey | RawKind::ClientAbuse | RawKind::RetryStorm => {
                Target::Both
            }
            _ => Target::Green,
        });
        Ok(Self {
            id: raw.id,
            kind,
            target,
            worker: raw.worker,
            route: raw.route,
            cohort: raw.cohort,
            at: raw.at,
            or_by: raw.or_by,
            lasts: raw.lasts,
            until: raw.until,
            ramp: raw.ramp,
            shape: raw.shape,
            every,
            on: raw.on.unwrap_or(Millis(every.0 / 2)),
            couple: raw.couple,
            odds: need(Some(raw.odds.unwrap_or(1.0)), "odds", 0.0, 1.0)?,
            visible: raw.visible.unwrap_or(true),
        })
    }
}
