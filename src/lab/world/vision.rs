//! What is seen of the users' requests. Counters may freeze, be missing, come late or be wrong;
//! what happened to users does not change with it.

use super::World;
use crate::lab::fault::{FaultKind, Measure};
use crate::units::Millis;

/// How the proxy's counters come to whoever reads them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Vision {
    /// As they are.
    Clear,
    /// Each second looks like the last one that was seen.
    Frozen,
    /// There are none.
    Gap,
    /// They are so old.
    Late(Millis),
    /// Only this share of failures is counted.
    Wrong(f64),
}

impl World {
    /// How the counters come at `at`.
    pub fn vision(&self, at: Millis) -> Vision {
        let on = self.faults.iter().filter(|fault| fault.is_on(at));
        let mut seen = on.filter_map(|fault| match fault.spec.kind {
            FaultKind::TelemetryFreeze { .. } => Some(Vision::Frozen),
            FaultKind::TelemetryGap => Some(Vision::Gap),
            FaultKind::TelemetryDelay { by, .. } => Some(Vision::Late(by)),
            FaultKind::TelemetryWrong { factor } => Some(Vision::Wrong(factor)),
            _ => None,
        });
        seen.next_back().unwrap_or(Vision::Clear)
    }

    /// The series that come so; all of them where none is named.
    pub fn blurred(&self, at: Millis) -> &[Measure] {
        let mut on = self.faults.iter().filter(|fault| fault.is_on(at)).rev();
        let named = on.find_map(|fault| match &fault.spec.kind {
            FaultKind::TelemetryFreeze { series } | FaultKind::TelemetryDelay { series, .. } => {
                Some(series.as_slice())
            }
            kind => kind.is_of_the_counters().then_some(&[] as &[Measure]),
        });
        named.unwrap_or_default()
    }

    /// Whether anything in this world can ever come between the counters and who reads them.
    pub fn may_be_blind(&self) -> bool {
        self.faults.iter().any(|fault| fault.spec.kind.is_of_the_counters())
    }
}
