//! What the wind tunnel says of a plan: flies it, sums it up, and looks for the change that helps.

use super::advice::{Advice, Rounds, advise};
use super::catalogue::{Class, Outcome};
use super::change::changes;
use super::flown::{Flyable, Service};
use super::tally::{Share, Tally};
use super::tunnel::{NIGHTS, Tunnel, by_night, of_kind};
use crate::plan::{Migration, Plan, RouterKind, Signal, SignalSource};
use crate::units::Millis;
use serde::Serialize;

/// The form of what `--json` prints; it changes when a field changes its meaning.
const SCHEMA: u32 = 2;
/// Of all flights so many in a hundred are for the table, the rest for changes.
const TABLE: u64 = 45;
/// Of the table's flights one in so many is by night.
const BY_NIGHT: u64 = 20;
/// The fewest releases that say anything: each kind some fifty times, each change once.
pub const FEWEST: u64 = 2_000;
/// Kinds by day.
const KINDS: u64 = Outcome::ALL.len() as u64;

/// What is to be flown, but for the plan.
pub struct Asked<'a> {
    /// The service.
    pub service: Service,
    /// Where the traffic is known from, in words.
    pub rps_from: String,
    /// Where the p95 is known from, in words.
    pub p95_from: String,
    /// What everything is drawn from.
    pub seed: u64,
    /// How many releases, at least [`FEWEST`].
    pub releases: u64,
    /// Threads; the numbers do not depend on them.
    pub threads: usize,
    /// Is told of each few flights that have landed.
    pub landed: &'a (dyn Fn(u64) + Sync),
}

/// How the flights are shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shared {
    /// The plan's own, by day.
    pub days: u64,
    /// The plan's own, by night.
    pub nights: u64,
    /// Those of changes.
    pub rounds: Rounds,
    changes: usize,
}

impl Shared {
    /// How `releases` flights of a plan are shared out.
    pub fn out(plan: &Plan, service: &Service, releases: u64) -> Self {
        let releases = releases.max(FEWEST);
        let table = releases * TABLE / 100;
        let nights = (table / BY_NIGHT).div_ceil(4) * 4;
        let days = (table - nights) / KINDS * KINDS;
        let changes = changes(plan, service).len();
        let rounds = Rounds::new(releases - days - nights, changes, days / KINDS);
        Self { days, nights, rounds, changes }
    }

    /// All of them.
    pub fn flights(&self) -> u64 {
        self.days + self.nights + self.rounds.flights(self.changes)
    }
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The version of this form.
    pub schema: u32,
    /// The service's name.
    pub service: String,
    /// Requests a second of all users.
    pub rps: f64,
    /// Where that is known from.
    pub rps_from: String,
    /// The users' p95, in milliseconds.
    pub p95_ms: f64,
    /// Where that is known from.
    pub p95_from: String,
    /// What everything was drawn from.
    pub seed: u64,
    /// Releases that were flown, those of changes included.
    pub releases: u64,
    /// From the soak to the end of the watch, in seconds.
    pub deploy_s: u64,
    /// Bad releases, each kind: what should be sent back.
    pub bad: Vec<Tally>,
    /// Bad releases of all kinds that were sent back.
    pub found: Share,
    /// Good releases, each kind: what should be kept.
    pub good: Vec<Tally>,
    /// Good releases of all kinds that were sent back.
    pub sent_back: Share,
    /// What befalls both slots, each kind: what should be held.
    pub shared: Vec<Tally>,
    /// With hardly any users, and with none.
    pub night: Vec<Tally>,
    /// How many changes of the plan were tried.
    pub changes: usize,
    /// What a deploy costs as the plan is, in seconds of all users.
    pub cost_s: f64,
    /// The one that helps most; nothing where none helps for certain.
    pub advice: Option<Advice>,
    /// The one that came nearest, where none helps.
    pub nearest: Option<Advice>,
    /// What makes every number here worse, and should be put right first.
    pub warnings: Vec<String>,
    /// What the numbers do not say.
    pub notes: Vec<String>,
}

/// Flies a plan.
pub fn odds(plan: &Plan, asked: &Asked<'_>) -> Report {
    let service = asked.service;
    let shared = Shared::out(plan, &service, asked.releases);
    let flyable = Flyable::new(plan, &service);
    let tunnel =
        Tunnel { service, seed: asked.seed, threads: asked.threads.max(1), landed: asked.landed };
    let days = tunnel.days(&flyable, 0..shared.days);
    let nights = tunnel.nights(&flyable, 0..shared.nights);
    let looked = advise(&tunnel, plan, &days, shared.rounds);
    let (advice, nearest) = if looked.helps { (looked.best, None) } else { (None, looked.best) };
    let tallies = |class: Class| -> Vec<Tally> {
        Outcome::ALL
            .into_iter()
            .filter(|outcome| outcome.class() == class)
            .map(|outcome| Tally::new(outcome, service.rps, of_kind(outcome, &days)))
            .collect()
    };
    let (good, bad) = (tallies(Class::Keep), tallies(Class::Roll));
    let night = Outcome::NIGHT
        .into_iter()
        .flat_map(|outcome| NIGHTS.map(|rps| (outcome, rps)))
        .map(|kind| {
            let those = (0..).zip(&nights).filter(|(n, _)| by_night(*n) == kind);
            Tally::new(kind.0, kind.1, those.map(|(_, flown)| flown))
        })
        .collect();
    Report {
        schema: SCHEMA,
        service: plan.service.clone(),
        rps: service.rps,
        rps_from: asked.rps_from.clone(),
        p95_ms: service.p95_ms,
        p95_from: asked.p95_from.clone(),
        seed: asked.seed,
        releases: shared.flights(),
        deploy_s: flyable.length().as_secs(),
        found: all_back(&bad),
        sent_back: all_back(&good),
        bad,
        good,
        shared: tallies(Class::Shared),
        night,
        changes: shared.changes,
        cost_s: looked.cost_s,
        advice,
        nearest,
        warnings: warnings(plan),
        notes: notes(plan),
    }
}

fn all_back(tallies: &[Tally]) -> Share {
    let sum = |of: fn(&Share) -> u64| tallies.iter().map(|tally| of(&tally.back)).sum();
    Share::new(sum(|share| share.count), sum(|share| share.of))
}

/// What keeps the plan from seeing what users see.
fn warnings(plan: &Plan) -> Vec<String> {
    let mut list = Vec::new();
    if plan.probes.is_empty() {
        list.push(
            "no [[probe]]: health checks touch nothing of what users touch. One probe of a page \
             that users open is taken to touch half of it"
                .to_owned(),
        );
    }
    list
}

/// What of the plan was not flown, or flown otherwise.
fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    match plan.router.kind {
        RouterKind::Haproxy { .. } => {
            notes.push("haproxy keeps no times of users: p95 is judged on probes".to_owned());
        }
        RouterKind::Command { .. } => {
            notes.push("a command counts no users: all is judged on probes".to_owned());
        }
        RouterKind::Lab { .. } => {}
    }
    for (signal, source) in &plan.signals {
        if matches!(source, SignalSource::Readiness(_))
            && matches!(signal, Signal::DbErrors | Signal::QueueDepth)
        {
            notes.push(format!("{} was not flown: no release of these moves it", signal.key()));
        }
    }
    if plan.release.migration == Migration::Irreversible {
        notes.push("the migration was flown as if it could be undone".to_owned());
    }
    notes
}

/// A length in seconds as a clock shows it.
pub(super) fn clock(secs: f64) -> String {
    crate::text::clock(Millis::secs(libm::ceil(secs) as u64))
}
