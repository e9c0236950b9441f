//! A fault's table as it is written, and what is wrong with it: a kind gets the keys it needs and
//! no others.

use super::{Couple, FaultKind, FaultSpec, Shape, Target};
use crate::lab::anchor::Moment;
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
    cosmetic: bool,
    #[serde(default)]
    share: Option<f64>,
    #[serde(default)]
    value: Option<f64>,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default, deserialize_with = "maybe_millis")]
    takes: Option<Millis>,
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
                let status = self.status.take().unwrap_or(500);
                if !(400..600).contains(&status) {
                    return Err(format!("`status` = {status} is outside 400 to 599"));
                }
                FaultKind::HttpError { share: self.share()?, status }
            }
            RawKind::HttpHang => FaultKind::HttpHang { share: self.share()? },
            RawKind::HttpReset => FaultKind::HttpReset { share: self.share()? },
            RawKind::HttpWrongOk => FaultKind::HttpWrongOk { share: self.share()? },
            RawKind::RejectAuth => FaultKind::RejectAuth { share: self.share()? },
            RawKind::HttpLatency => {
                let more = self.takes.take();
                let factor = match (self.value.is_some(), more) {
                    (false, Some(_)) => 1.0,
                    _ => self.factor()?,
                };
                let more = more.unwrap_or_default();
                FaultKind::HttpLatency { factor, more, share: self.share_or(1.0)? }
            }
            RawKind::ReadySequence => {
                let turns = self.turns.take().unwrap_or_default();
                if turns.is_empty() || turns.iter().any(|turn| *turn > 1) {
                    return Err("a fault of this kind needs `turns`, a list of 0 and 1".to_owned());
                }
                let turns = turns.iter().map(|turn| *turn == 1).collect();
                FaultKind::ReadySequence { turns, deep: self.deep.take().unwrap_or(false) }
            }
            RawKind::ReadyLie => FaultKind::ReadyLie,
            RawKind::BootFail => FaultKind::BootFail,
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
                mb_per_s: self.value(0.001, 1_000.0)?,
                share: self.share_or(0.33)?,
                down: self.takes_or(8),
            },
            RawKind::CpuBurn => FaultKind::CpuBurn { share: self.value(0.0, 0.98)? },
            RawKind::DiskFill => FaultKind::DiskFill { pct_per_s: self.value(0.0, 100.0)? },
            RawKind::CacheCold => FaultKind::CacheCold { hit: self.value(0.0, 1.0)? },
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
            },
            RawKind::SchemaMigrate => FaultKind::SchemaMigrate {
                contract: self.contract.take().unwrap_or(false),
                share: self.share_or(1.0)?,
            },
            RawKind::QueueStop => FaultKind::QueueStop,
            RawKind::QueueSlow => FaultKind::QueueSlow { factor: self.value(0.0, 1.0)? },
            RawKind::QueueFormat => FaultKind::QueueFormat { share: self.share_or(0.2)? },
            RawKind::JobDouble => FaultKind::JobDouble { per_tick: self.value(0.0, 1e4)? },
            RawKind::ConnPinned => FaultKind::ConnPinned {
                sockets: self.value(0.0, 1e6)?,
                share: self.share_or(0.18)?,
                herd: self.takes_or(20),
            },
            RawKind::StickyDns => {
                FaultKind::StickyDns { share: self.share()?, ttl: self.takes_or(60) }
            }
            RawKind::ClientAbuse => {
                FaultKind::ClientAbuse { rps: self.value(0.0, 500.0)?, share: self.share_or(0.9)? }
            }
            RawKind::RetryStorm => {
                FaultKind::RetryStorm { times: self.value(1.0, 10.0)?.round() as u32 }
            }
            RawKind::SessionKey => FaultKind::SessionKey,
            RawKind::DrainSlow => {
                FaultKind::DrainSlow { uploads: self.value(0.0, 1e4)?, over: self.takes()? }
            }
            RawKind::ProxyRefuse => FaultKind::ProxyRefuse,
            RawKind::ProxyPartial => FaultKind::ProxyPartial { share: self.share()? },
            RawKind::ProxyStuck => FaultKind::ProxyStuck,
            RawKind::ProxyMute => FaultKind::ProxyMute,
            RawKind::RollbackMissing => FaultKind::RollbackMissing,
            RawKind::ConfigDrift => {
                FaultKind::ConfigDrift { factor: self.factor()?, share: self.share_or(0.0)? }
            }
            RawKind::ClockSkew => FaultKind::ClockSkew { by: self.takes()? },
            RawKind::TlsBad => {
                let days = self.value.take().unwrap_or(1.0);
                FaultKind::TlsBad { days: need(Some(days), "value", 0.0, 1e4)? }
            }
            RawKind::VendorSlow => FaultKind::VendorSlow { factor: self.factor()? },
            RawKind::VendorDown => FaultKind::VendorDown { share: self.share()? },
            RawKind::LatentTrigger => FaultKind::LatentTrigger { share: self.share()? },
            RawKind::TelemetryFreeze => FaultKind::TelemetryFreeze,
            RawKind::TelemetryGap => FaultKind::TelemetryGap,
            RawKind::TelemetryDelay => FaultKind::TelemetryDelay { by: self.takes()? },
            RawKind::TelemetryWrong => {
                FaultKind::TelemetryWrong { factor: self.value(0.0, 1_000.0)? }
            }
            RawKind::TrafficProfile => FaultKind::TrafficProfile { factor: self.value(0.0, 50.0)? },
            RawKind::LabelSwap => FaultKind::LabelSwap,
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
            ("takes", self.takes.is_some()),
            ("turns", self.turns.is_some()),
            ("deep", self.deep.is_some()),
            ("writes", self.writes.is_some()),
            ("contract", self.contract.is_some()),
            ("version", self.version.is_some()),
            ("from", self.from.is_some()),
            ("text", self.text.is_some()),
            ("decoy", self.decoy.is_some()),
        ];
        left.into_iter().find(|(_, given)| *given).map(|(key, _)| key)
    }
}

/// How long a period is, where the kind or the shape has one.
fn period(raw: &RawFault) -> Result<Millis, String> {
    let shape = matches!(raw.shape, Shape::Saw | Shape::Burst | Shape::Flap);
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
        let every = period(&raw)?;
        let target = raw.target.unwrap_or(match raw.kind {
            RawKind::VendorSlow | RawKind::VendorDown | RawKind::LatentTrigger => Target::Both,
            RawKind::RollbackMissing
            | RawKind::ConfigDrift
            | RawKind::ConnPinned
            | RawKind::DrainSlow
            | RawKind::StickyDns => Target::Blue,
            RawKind::DbLock | RawKind::SessionKey | RawKind::ClientAbuse => Target::Both,
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
            cosmetic: raw.cosmetic,
            inert: false,
        })
    }
}
