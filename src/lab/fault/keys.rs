//! Which of the keys that all faults share have an effect with which kind. A key that would be
//! read and do nothing is an error, for whoever wrote it believes that it does something.

use super::{Couple, FaultKind, Shape};
use crate::units::Millis;

/// Which keys say what a fault is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About {
    pub worker: bool,
    pub route: bool,
    pub cohort: bool,
}

/// How the strength of a kind runs.
enum Runs {
    /// It has every strength.
    Scales,
    /// It is on or off.
    Switches,
    /// It comes, and there it is.
    Once,
}

const fn how(kind: &FaultKind) -> Runs {
    match kind {
        FaultKind::HttpError { .. }
        | FaultKind::HttpLatency { .. }
        | FaultKind::HttpHang { .. }
        | FaultKind::HttpReset { .. }
        | FaultKind::NetBandwidth { .. }
        | FaultKind::NetSlicer { .. }
        | FaultKind::NetLimit { .. }
        | FaultKind::HttpWrongOk { .. }
        | FaultKind::RejectAuth { .. }
        | FaultKind::WorkerVariant { .. }
        | FaultKind::MemLeak { .. }
        | FaultKind::CpuBurn { .. }
        | FaultKind::DiskFill { .. }
        | FaultKind::CacheCold { .. }
        | FaultKind::CachePoison { .. }
        | FaultKind::DbPoolGrow { .. }
        | FaultKind::DbHold { .. }
        | FaultKind::DbConnLeak { .. }
        | FaultKind::DbSlow { .. }
        | FaultKind::QueueStop
        | FaultKind::QueueSlow { .. }
        | FaultKind::ClientAbuse { .. }
        | FaultKind::DrainSlow { .. }
        | FaultKind::ConfigDrift { .. }
        | FaultKind::ClockSkew { .. }
        | FaultKind::VendorSlow { .. }
        | FaultKind::VendorDown { .. }
        | FaultKind::LatentTrigger { .. }
        | FaultKind::TrafficProfile { .. } => Runs::Scales,
        FaultKind::ReadySequence { .. }
        | FaultKind::ReadyLie
        | FaultKind::BootFail { .. }
        | FaultKind::BootSlow { .. }
        | FaultKind::RestartLoop { .. }
        | FaultKind::DbLock { .. }
        | FaultKind::QueueFormat { .. }
        | FaultKind::JobDouble { .. }
        | FaultKind::StickyDns { .. }
        | FaultKind::RetryStorm { .. }
        | FaultKind::SessionKey
        | FaultKind::ProxyRefuse { .. }
        | FaultKind::ProxyPartial { .. }
        | FaultKind::ProxyStuck
        | FaultKind::ProxyMute
        | FaultKind::RollbackMissing { .. }
        | FaultKind::TlsBad { .. }
        | FaultKind::TelemetryFreeze { .. }
        | FaultKind::TelemetryGap
        | FaultKind::TelemetryDelay { .. }
        | FaultKind::TelemetryWrong { .. } => Runs::Switches,
        FaultKind::SchemaMigrate { .. }
        | FaultKind::ConnPinned { .. }
        | FaultKind::LabelSwap { .. }
        | FaultKind::AdviceWrong { .. }
        | FaultKind::InjectMessage { .. } => Runs::Once,
    }
}

/// Whether a kind can run as its keys say.
pub(super) fn runs(
    kind: &FaultKind,
    shape: Shape,
    ramp: Millis,
    couple: Couple,
) -> Result<(), String> {
    let grows = match how(kind) {
        Runs::Scales => return Ok(()),
        Runs::Switches if matches!(shape, Shape::Burst | Shape::Flap) => Shape::Step,
        Runs::Switches | Runs::Once => shape,
    };
    let word = "a fault of this kind is there or not:";
    if grows != Shape::Step {
        return Err(format!("{word} it has no such `shape`"));
    }
    if ramp > Millis::ZERO {
        return Err(format!("{word} it has no `ramp`"));
    }
    if !matches!(couple, Couple::None | Couple::Time) {
        return Err(format!("{word} it has no `couple`"));
    }
    Ok(())
}

/// Whether a kind can be about a worker, a route or a cohort alone, where its keys say so.
pub(super) fn selects(kind: &FaultKind, about: About) -> Result<(), String> {
    // Worker, route, cohort.
    let can = match kind {
        FaultKind::HttpError { .. }
        | FaultKind::HttpLatency { .. }
        | FaultKind::HttpHang { .. }
        | FaultKind::HttpReset { .. }
        | FaultKind::NetBandwidth { .. }
        | FaultKind::NetSlicer { .. }
        | FaultKind::NetLimit { .. }
        | FaultKind::HttpWrongOk { .. }
        | FaultKind::RejectAuth { .. }
        | FaultKind::WorkerVariant { .. }
        | FaultKind::MemLeak { .. }
        | FaultKind::CpuBurn { .. }
        | FaultKind::CacheCold { .. }
        | FaultKind::CachePoison { .. }
        | FaultKind::DbSlow { .. }
        | FaultKind::DbLock { .. }
        | FaultKind::SchemaMigrate { .. }
        | FaultKind::QueueFormat { .. }
        | FaultKind::ConnPinned { .. }
        | FaultKind::SessionKey
        | FaultKind::ConfigDrift { .. }
        | FaultKind::ClockSkew { .. }
        | FaultKind::VendorSlow { .. }
        | FaultKind::VendorDown { .. }
        | FaultKind::LatentTrigger { .. }
        | FaultKind::RetryStorm { .. } => [true, true, true],
        FaultKind::TrafficProfile { .. } => [false, true, true],
        FaultKind::ClientAbuse { .. } => [false, true, false],
        _ => [false; 3],
    };
    let asked = [("worker", about.worker), ("route", about.route), ("cohort", about.cohort)];
    match asked.into_iter().zip(can).find(|((_, asked), can)| *asked && !can) {
        Some(((key, _), _)) => Err(format!("a fault of this kind has no `{key}`")),
        None => Ok(()),
    }
}
