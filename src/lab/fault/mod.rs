//! What goes wrong: faults act on causes, with a beginning, an end and a shape, and the graphs
//! follow. Each kind says what it acts on; the world asks every fault how strong it is now.

mod keys;
mod kind;
mod raw;

use crate::lab::anchor::{Anchor, Anchors, Moment};
use crate::lab::dice::{Dice, Purpose};
use crate::units::{Millis, Role};
use serde::Deserialize;

pub use kind::{FaultKind, Measure, Per, Reconnect};

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
    /// Only this worker, counted from 1.
    pub worker: Option<u32>,
    /// Only requests for this route.
    pub route: Option<String>,
    /// Only users of this cohort.
    pub cohort: Option<String>,
    /// When it begins.
    pub at: Moment,
    /// When it begins at the latest, whatever the operator does.
    pub or_by: Option<Moment>,
    /// How long it lasts; to the end unless told.
    pub lasts: Option<Millis>,
    /// When it ends at the latest.
    pub until: Option<Moment>,
    /// How long it takes to its full strength.
    pub ramp: Millis,
    /// How its strength runs.
    pub shape: Shape,
    /// The period of a shape, or of a kind, that comes again and again.
    pub every: Millis,
    /// How much of each period it is on.
    pub on: Millis,
    /// What its strength hangs on besides time.
    pub couple: Couple,
    /// How likely it is there at all, 0 to 1: the seed decides, and nothing else tells.
    pub odds: f64,
    /// Whether the service itself says that something is not well, where it can.
    pub visible: bool,
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
    /// The slot that has more of the weight now; Blue where they are equal.
    Live,
    /// The other one.
    Idle,
    /// The database that both share.
    Db,
    /// The queue that both share.
    Queue,
    /// The proxy.
    Proxy,
    /// The users.
    Client,
    /// What is measured.
    Telemetry,
}

impl Target {
    /// Whether it hits this role, while `live` has more of the weight.
    pub fn hits(self, role: Role, live: Role) -> bool {
        match self {
            Self::Blue => role == Role::Blue,
            Self::Green => role == Role::Green,
            Self::Live => role == live,
            Self::Idle => role != live,
            Self::Both | Self::Db | Self::Queue | Self::Proxy | Self::Client | Self::Telemetry => {
                true
            }
        }
    }
}

/// How a fault's strength runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// To full strength (in a straight line, where there is a ramp), and there it stays.
    #[default]
    Step,
    /// In a straight line to full strength at the end of `ramp`, or of `for`.
    Linear,
    /// In a straight line to full strength in each period, and down at once.
    Saw,
    /// Full strength for `on` in each period, from its beginning.
    Burst,
    /// From full strength down: fast at first, to a twentieth at the end of `for`.
    Decay,
    /// Up and down again in each period, softly, as a day does.
    Sine,
    /// On and off, each turn somewhat longer or shorter than `on` and the rest of the period.
    Flap,
}

/// What a fault's strength hangs on besides time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Couple {
    /// Nothing.
    #[default]
    None,
    /// Nothing but time.
    Time,
    /// The slot's share of the traffic.
    Weight,
    /// The traffic: full strength at the scenario's base rate.
    Rps,
    /// The database's connections: full strength where all are open.
    Conns,
}

/// A fault with its seed's onset and size.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub spec: FaultSpec,
    pub purpose: Purpose,
    seed: u64,
    onset: f64,
    size: f64,
    /// Whether the seed has left it out.
    absent: bool,
    /// From when to when it is at work, as far as the anchors that were seen say.
    began: Option<Millis>,
    ends: Option<Millis>,
}

impl Fault {
    pub fn new(spec: &FaultSpec, seed: u64, jitter: f64) -> Self {
        let purpose = Purpose::fault(&spec.id);
        let mut dice = Dice::stream(seed, purpose);
        let mut around_one = || 1.0 + jitter * (2.0 * dice.unit() - 1.0);
        let (onset, size) = (around_one(), around_one());
        let absent = !dice.hits(spec.odds);
        Self { spec: spec.clone(), purpose, seed, onset, size, absent, began: None, ends: None }
    }

    /// Looks at the anchors that were seen; says when it begins, where that is known.
    pub fn look(&mut self, anchors: &Anchors) -> Option<Millis> {
        if self.absent {
            return None;
        }
        let spec = &self.spec;
        let after = |moment: &Moment| {
            let after = Millis((moment.after.0 as f64 * self.onset) as u64);
            Some(anchors.seen(&moment.anchor)? + after)
        };
        let latest = spec.or_by.as_ref().and_then(|moment| anchors.when(moment));
        let began = after(&spec.at).into_iter().chain(latest).min();
        let told = spec.until.as_ref().and_then(|moment| anchors.when(moment));
        let lever = spec
            .kind
            .ends_with()
            .and_then(|lever| anchors.seen(&Anchor::Event(lever.name().to_owned())));
        let told = told.into_iter().chain(lever).min();
        let lasts = began.zip(spec.lasts).map(|(began, lasts)| began + lasts);
        (self.began, self.ends) = (began, told.into_iter().chain(lasts).min());
        began
    }

    /// When it began, if it has by now.
    pub fn began(&self, at: Millis) -> Option<Millis> {
        self.began.filter(|began| *began <= at)
    }

    /// Whether it is between its beginning and its end, and in a turn in which it is on.
    pub fn is_on(&self, at: Millis) -> bool {
        let Some(began) = self.began(at) else { return false };
        let turns = matches!(self.spec.shape, Shape::Burst | Shape::Flap);
        self.ends.is_none_or(|ends| at < ends) && (!turns || self.shape(at.since(began)) > 0.0)
    }

    /// How much bigger or smaller the seed makes it.
    pub const fn size(&self) -> f64 {
        self.size
    }

    /// How strong it is at a time, from 0; above 1 where the seed or the traffic says so.
    /// `coupled` is the strength of what it hangs on.
    pub fn level(&self, at: Millis, coupled: f64) -> f64 {
        if !self.is_on(at) {
            return 0.0;
        }
        let Some(onset) = self.began else { return 0.0 };
        self.shape(at.since(onset)) * self.size * coupled
    }

    /// How strong it is at an age, before size and coupling.
    fn shape(&self, age: Millis) -> f64 {
        let spec = &self.spec;
        let past = |whole: Millis| age.0 as f64 / whole.0.max(1) as f64;
        let turn = Millis(age.0 % spec.every.0.max(1));
        match (spec.shape, spec.lasts) {
            (Shape::Decay, Some(lasts)) => libm::exp(-3.0 * past(lasts)),
            (Shape::Saw, _) => turn.0 as f64 / spec.every.0.max(1) as f64,
            (Shape::Burst, _) => f64::from(turn < spec.on),
            (Shape::Flap, _) => {
                let n = age.0 / spec.every.0.max(1);
                let luck = Dice::keyed(self.seed, self.purpose, n).unit();
                f64::from((turn.0 as f64) < spec.on.0 as f64 * (0.75 + 0.5 * luck))
            }
            (Shape::Sine, _) => {
                let part = turn.0 as f64 / spec.every.0.max(1) as f64;
                0.5 - 0.5 * libm::cos(std::f64::consts::TAU * part)
            }
            (Shape::Linear, Some(lasts)) if spec.ramp == Millis::ZERO => past(lasts).min(1.0),
            _ if spec.ramp > Millis::ZERO => past(spec.ramp).min(1.0),
            _ => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(rest: &str, jitter: f64, seed: u64) -> Fault {
        let text = format!("id = \"f\"\nkind = \"http.error\"\nshare = 0.5\n{rest}");
        Fault::new(&toml::from_str(&text).unwrap(), seed, jitter)
    }

    fn seen(fault: &mut Fault, anchors: &Anchors) {
        fault.look(anchors);
    }

    #[test]
    fn a_fault_waits_for_its_anchor_and_ends_when_told() {
        let mut fault =
            fault("at = \"switch+6s\"\nramp = \"4s\"\nfor = \"20s\"\nuntil = \"rollback\"", 0.0, 1);
        let mut anchors = Anchors::default();
        let mut level = |anchors: &Anchors, secs| {
            seen(&mut fault, anchors);
            fault.level(Millis::secs(secs), 1.0)
        };
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
        let mut fault = fault("at = \"start\"\nfor = \"18s\"\nshape = \"decay\"", 0.0, 1);
        let mut anchors = Anchors::default();
        anchors.note(Anchor::Start, Millis::ZERO);
        seen(&mut fault, &anchors);
        let level = |secs| fault.level(Millis::secs(secs), 1.0);
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

    #[test]
    fn shapes_come_again_and_again() {
        let mut anchors = Anchors::default();
        anchors.note(Anchor::Start, Millis::ZERO);
        let strengths = |shape: &str| -> Vec<f64> {
            let text = format!("at = \"start\"\nshape = \"{shape}\"\nevery = \"10s\"\non = \"4s\"");
            let mut fault = fault(&text, 0.0, 1);
            seen(&mut fault, &anchors);
            (0..20).map(|secs| fault.level(Millis::secs(secs), 1.0)).collect()
        };
        let burst = strengths("burst");
        assert_eq!(burst[..10], [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(burst[..10], burst[10..]);
        let saw = strengths("saw");
        assert_eq!((saw[0], saw[5], saw[10]), (0.0, 0.5, 0.0));
        let flap = strengths("flap");
        assert!(flap[0] == 1.0 && flap[9] == 0.0 && flap[10] == 1.0 && flap[19] == 0.0);
    }

    #[test]
    fn who_waits_too_long_meets_it_all_the_same() {
        let mut fault = fault("at = \"switch\"\nor_by = \"start+90s\"", 0.0, 1);
        let mut anchors = Anchors::default();
        anchors.note(Anchor::Start, Millis::ZERO);
        seen(&mut fault, &anchors);
        assert_eq!((fault.began(Millis::secs(89)), fault.is_on(Millis::secs(90))), (None, true));
        anchors.note(Anchor::Switch, Millis::secs(30));
        seen(&mut fault, &anchors);
        assert!(fault.is_on(Millis::secs(30)));
    }
}
