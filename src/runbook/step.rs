//! The eight steps, as a table.

use serde::{Deserialize, Serialize};

/// One of the eight steps of the runbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// 1: Blue can be redeployed, and can be returned to.
    Confirm,
    /// 2: the new version runs.
    Deploy,
    /// 3: Green is safe to receive traffic.
    Readiness,
    /// 4: Green stays well, unused.
    Soak,
    /// 5: users are moved on purpose.
    Switch,
    /// 6: users are well.
    Watch,
    /// 7: the thresholds decide.
    Decide,
    /// 8: the way back stays open.
    Warm,
}

impl Step {
    /// All eight, in order.
    pub const ALL: [Self; 8] = [
        Self::Confirm,
        Self::Deploy,
        Self::Readiness,
        Self::Soak,
        Self::Switch,
        Self::Watch,
        Self::Decide,
        Self::Warm,
    ];

    /// 1 to 8.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    /// The name on the screen.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Confirm => "Confirm the way back",
            Self::Deploy => "Deploy to Green",
            Self::Readiness => "Readiness",
            Self::Soak => "Soak",
            Self::Switch => "Switch",
            Self::Watch => "Watch",
            Self::Decide => "Decide",
            Self::Warm => "Keep Blue warm",
        }
    }

    /// What the step proves, in one line.
    pub const fn proves(self) -> &'static str {
        match self {
            Self::Confirm => "Blue can be redeployed, and can be returned to",
            Self::Deploy => "the new version runs",
            Self::Readiness => "Green is safe to receive traffic",
            Self::Soak => "Green stays well, unused",
            Self::Switch => "users are moved on purpose",
            Self::Watch => "users are well",
            Self::Decide => "the thresholds decide: keep, or back",
            Self::Warm => "the way back stays open",
        }
    }
}
