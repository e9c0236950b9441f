//! What goes wrong: faults act on causes, with a beginning, an end and a shape, and the graphs
//! follow. Each kind says what it acts on; the world asks every fault how strong it is now.

mod raw;

use crate::lab::anchor::{Anchors, Moment};
use crate::lab::dice::{Dice, Purpose};
use crate::units::{Millis, Role};
use serde::Deserialize;

/// A fault as the scenario declares it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "raw::RawFault")]
pub struct FaultSpec {
    /// Its name in this scenario; its luck hangs on it.
    pub id: String,
    /// What it acts on, and how much at full strength.
    pub kind: FaultKind,
    /// Whom it hits.
    pub target: Target,
    /// When it begins.
    pub at: Moment,
    /// How long it lasts; to the end unless told.
    pub lasts: Option<Millis>,
    /// When it ends at the latest.
    pub until: Option<Moment>,
    /// How long it takes to its full strength.
    pub ramp: Millis,
    /// How its strength runs.
    pub shape: Shape,
    /// What its strength hangs on besides time.
    pub couple: Couple,
}

/// What a fault acts on, and how much at full strength.
#[derive(Debug, Clone, PartialEq)]
pub enum FaultKind {
    /// A share of requests is answered with an error.
    HttpError {
        /// Share of requests, 0 to 1.
        share: f64,
        /// The status, 400 to 599.
        status: u16,
        /// Only this route, if given.
        route: Option<String>,
    },
    /// Requests take this many times as long.
    HttpLatency {
        /// Times as long.
        factor: f64,
        /// Only this route, if given.
        route: Option<String>,
    },
    /// A share of requests is never answered.
    HttpHang {
        /// Share of requests, 0 to 1.
        share: f64,
        /// Only this route, if given.
        route: Option<String>,
    },
    /// The connection of a share of requests is reset.
    HttpReset {
        /// Share of requests, 0 to 1.
        share: f64,
        /// Only this route, if given.
        route: Option<String>,
    },
    /// Something else eats a share of the processor.
    CpuBurn {
        /// Share of the capacity, 0 to 0.98.
        share: f64,
    },
    /// The cache answers fewer lookups, and the database more.
    CacheCold {
        /// Share of lookups that the cache still answers.
        hit: f64,
    },
    /// Each database read takes this many times as long.
    DbSlow {
        /// Times as long.
        factor: f64,
    },
}

impl FaultKind {
    /// The one route that it hits, if it hits only one.
    pub fn route(&self) -> Option<&str> {
        match self {
            Self::HttpError { route, .. }
            | Self::HttpLatency { route, .. }
            | Self::HttpHang { route, .. }
            | Self::HttpReset { route, .. } => route.as_deref(),
            Self::CpuBurn { .. } | Self::CacheCold { .. } | Self::DbSlow { .. } => None,
        }
    }
}

/// Whom a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The slot that served users when the lab began.
    Blue,
    /// The candidate.
    #[default]
    Green,
    /// Both, as what they share does.
    Both,
}

impl Target {
    /// Whether it hits this role.
    pub const fn hits(self, role: Role) -> bool {
        matches!(
            (self, role),
            (Self::Both, _) | (Self::Blue, Role::Blue) | (Self::Green, Role::Green)
        )
    }
}

/// How a fault's strength runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// To full strength (in a straight line, where there is a ramp), and there it stays.
    #[default]
    Step,
    /// From full strength down: fast at first, to a twentieth at the end of `for`.
    Decay,
}

/// What a fault's strength hangs on besides time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Couple {
    /// Nothing.
    #[default]
    None,
    /// The slot's share of the traffic.
    Weight,
    /// The traffic: full strength at the scenario's base rate.
    Rps,
}

/// A fault with its seed's onset and size.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub spec: FaultSpec,
    pub purpose: Purpose,
    onset: f64,
    size: f64,
}

impl Fault {
    pub fn new(spec: &FaultSpec, seed: u64, jitter: f64) -> Self {
        let purpose = Purpose::fault(&spec.id);
        let mut dice = Dice::stream(seed, purpose);
        let mut around_one = || 1.0 + jitter * (2.0 * dice.unit() - 1.0);
        let (onset, size) = (around_one(), around_one());
        Self { spec: spec.clone(), purpose, onset, size }
    }

    /// How strong it is at a time, from 0; above 1 where the seed or the traffic says so.
    /// `coupled` is the strength of what it hangs on.
    pub fn level(&self, anchors: &Anchors, at: Millis, coupled: f64) -> f64 {
        let spec = &self.spec;
        let Some(anchor) = anchors.seen(spec.at.anchor) else { return 0.0 };
        let onset = anchor + Millis((spec.at.after.0 as f64 * self.onset) as u64);
        let over = spec.lasts.is_some_and(|lasts| at >= onset + lasts)
            || spec.until.is_some_and(|until| {
                anchors.seen(until.anchor).is_some_and(|seen| at >= seen + until.after)
            });
        if at < onset || over {
            return 0.0;
        }
        let age = at.since(onset).0 as f64;
        let shape = match (spec.shape, spec.lasts) {
            (Shape::Decay, Some(lasts)) => libm::exp(-3.0 * age / lasts.0.max(1) as f64),
            _ if spec.ramp > Millis::ZERO => (age / spec.ramp.0 as f64).min(1.0),
            _ => 1.0,
        };
        shape * self.size * coupled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::anchor::Anchor;

    fn fault(rest: &str, jitter: f64, seed: u64) -> Fault {
        let text = format!("id = \"f\"\nkind = \"http.error\"\nshare = 0.5\n{rest}");
        Fault::new(&toml::from_str(&text).unwrap(), seed, jitter)
    }

    #[test]
    fn a_fault_waits_for_its_anchor_and_ends_when_told() {
        let fault =
            fault("at = \"switch+6s\"\nramp = \"4s\"\nfor = \"20s\"\nuntil = \"rollback\"", 0.0, 1);
        let mut anchors = Anchors::default();
        let level = |anchors: &Anchors, secs| fault.level(anchors, Millis::secs(secs), 1.0);
        assert_eq!(level(&anchors, 500), 0.0);
        anchors.note(Anchor::Switch, Millis::secs(100));
        assert_eq!(level(&anchors, 105), 0.0);
        assert_eq!(level(&anchors, 108), 0.5);
        assert_eq!(level(&anchors, 125), 1.0);
        assert_eq!(level(&anchors, 126), 0.0);
        anchors.note(Anchor::Rollback, Millis::secs(112));
        assert_eq!((level(&anchors, 111), level(&anchors, 112)), (1.0, 0.0));
    }

    #[test]
    fn a_decay_falls_fast_and_then_slowly() {
        let fault = fault("at = \"start\"\nfor = \"18s\"\nshape = \"decay\"", 0.0, 1);
        let mut anchors = Anchors::default();
        anchors.note(Anchor::Start, Millis::ZERO);
        let level = |secs| fault.level(&anchors, Millis::secs(secs), 1.0);
        assert_eq!(level(0), 1.0);
        assert!((0.35..0.38).contains(&level(6)) && level(17) < 0.07 && level(18) == 0.0);
    }

    #[test]
    fn a_seed_moves_onset_and_size_within_the_jitter() {
        let mut onsets = std::collections::BTreeSet::new();
        for seed in 0..50 {
            let fault = fault("at = \"start+10s\"", 0.15, seed);
            assert!((0.85..=1.15).contains(&fault.onset) && (0.85..=1.15).contains(&fault.size));
            onsets.insert((fault.onset * 1000.0) as u32);
        }
        assert!(onsets.len() > 30);
    }
}
