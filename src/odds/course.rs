//! When users are moved: the hour before, the soak, the steps of the switch, and the watch.

use crate::plan::{Bound, Plan, Signal};
use crate::units::Millis;

/// How users are moved in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All at once.
    Hard,
    /// 10, 25, 50 and 100 %, three minutes each.
    Ramp,
    /// 10 %, for the whole watch.
    Held,
}

impl Mode {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Hard, Self::Ramp, Self::Held];

    /// The word in a table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hard => "hard switch",
            Self::Ramp => "ramp",
            Self::Held => "held at 10 %",
        }
    }
}

/// The times of a deploy in whole seconds, and what else of the plan shapes what is seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// How long Blue's users were counted before the soak began, in seconds.
    pub before: u64,
    /// How long both slots were probed before users were moved, in seconds.
    pub soak: u64,
    /// Green's share of the users (0 to 1), and from when on, in seconds since the switch.
    pub steps: Vec<(u64, f64)>,
    /// From the first users on Green to the end, in seconds.
    pub watch: u64,
    /// Probes of each slot a second, from the soak on.
    pub probes: f64,
    /// Probes of Blue a second, before the soak.
    pub checks: f64,
    /// Where answers count as slow, in milliseconds: histograms are exact there.
    pub slow_ms: f64,
    /// Seconds to a sample; a part or a multiple of 5. Before the soak it is [`Self::COARSE`].
    pub span: u64,
}

impl Course {
    /// Seconds to a sample before the soak, where nothing is decided: the stretches in which
    /// failures are looked at for lumps.
    pub const COARSE: u64 = 30;

    /// A course of the catalogue: an hour of Blue, the last five minutes of it the soak, and
    /// fifteen minutes from the switch on.
    pub fn of_mode(mode: Mode) -> Self {
        let steps = match mode {
            Mode::Hard => vec![(0, 1.0)],
            Mode::Ramp => vec![(0, 0.1), (180, 0.25), (360, 0.5), (540, 1.0)],
            Mode::Held => vec![(0, 0.1)],
        };
        Self {
            before: 3_300,
            soak: 300,
            steps,
            watch: 900,
            probes: 4.0,
            checks: 1.0,
            slow_ms: 325.0,
            span: 5,
        }
    }

    /// The course that a plan describes, after `before` of Blue's record: ramp, holds and watch as
    /// it declares them.
    pub fn of_plan(plan: &Plan, before: Millis) -> Self {
        let hold = plan.ramp_hold.as_secs();
        let steps: Vec<(u64, f64)> = plan
            .ramp
            .iter()
            .zip(0..)
            .map(|(percent, step)| (step * hold, f64::from(percent.get()) / 100.0))
            .collect();
        let last = steps.last().map_or(0, |(at, _)| *at);
        let slow = plan.limits.iter().find(|limit| limit.signal == Signal::LatencyP95);
        let each = |every: Millis| 1_000.0 / every.0.max(1) as f64;
        Self {
            before: before.as_secs(),
            soak: plan.soak.as_secs(),
            steps,
            watch: last + plan.watch.as_secs(),
            probes: each(plan.probe_every),
            checks: each(plan.health.every),
            slow_ms: slow.map_or(500.0, |limit| match limit.above {
                Bound::Percent(value) | Bound::Millis(value) | Bound::Count(value) => value,
            }),
            span: 5,
        }
    }

    /// The second at which the soak begins.
    pub const fn soak_from(&self) -> u64 {
        self.before
    }

    /// The second at which users come to Green.
    pub const fn switch(&self) -> u64 {
        self.before + self.soak
    }

    /// The second at which the watch ends.
    pub const fn end(&self) -> u64 {
        self.switch() + self.watch
    }

    /// Green's share of the users (0 to 1) in the second that begins at `second`.
    pub fn share(&self, second: u64) -> f64 {
        let Some(since) = second.checked_sub(self.switch()) else { return 0.0 };
        self.steps.iter().take_while(|(at, _)| *at <= since).last().map_or(0.0, |step| step.1)
    }

    /// How many probes of this rate are sent in the second that begins at `second`.
    pub(super) fn sent(rate: f64, second: u64) -> u64 {
        ((second + 1) as f64 * rate) as u64 - (second as f64 * rate) as u64
    }
}
