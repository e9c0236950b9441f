//! The one line of a plan whose change would help most, or none.
//!
//! What a deploy costs is told in seconds of all users: so long would everybody have to be failed
//! to hurt as many. A bad release costs what it hurts until it is sent back, or until an hour after
//! its onset, whatever the length of the watch; a question is no find, so that one that a person is
//! asked about goes on too. A good one that is sent back costs a minute, a question to a person ten
//! seconds, and each minute by which a change makes the deploy longer a fiftieth of a second; one
//! by which it is shorter earns nothing. Of a hundred deploys ten are bad,
//! two meet something that both slots share, and the rest are good; kinds are alike within.
//!
//! Changes fly the same releases with the same dice as the plan itself, so that differences are
//! told pair by pair. In two rounds most of the changes are given up; the last round alone, on
//! releases that chose nothing, decides, with intervals wide enough for all who came so far.

use super::catalogue::{Class, Outcome};
use super::change::{Change, changes};
use super::flown::{Flown, Flyable, Service, Where};
use super::tally::Z;
use super::tunnel::{Tunnel, by_day};
use crate::plan::Plan;
use crate::units::Millis;
use serde::Serialize;

/// Of a hundred deploys so many are bad, and so many meet what both slots share.
const BAD: f64 = 0.10;
const SHARED: f64 = 0.02;
/// What a good release costs that is sent back, in seconds of all users.
const FALSE: f64 = 60.0;
/// What a question costs.
const ASKED: f64 = 10.0;
/// What a minute costs by which a change makes the deploy longer.
const MINUTE: f64 = 0.02;
/// A change has to save this share of the cost, and so many seconds of all users.
const WORTH: f64 = 0.05;
const LEAST: f64 = 0.25;
/// Kinds of releases: flights come in rounds of them.
const KINDS: u64 = Outcome::ALL.len() as u64;
/// How many changes reach the second round, and the last.
const SECOND: usize = 8;
const LAST: usize = 2;
/// z for the changes of the last round: 95 % for both together.
const Z_LAST: f64 = 2.24;

/// Which flights each round of the changes takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounds {
    /// Whole turns of the catalogue that every change flies first, the best next, the last then.
    pub turns: [u64; 3],
}

impl Rounds {
    /// What `flights` are enough for, where a plan has `changes` and `most` turns were flown of
    /// the plan itself.
    pub fn new(flights: u64, changes: usize, most: u64) -> Self {
        let turns = |share: f64, each: usize| {
            let each = each.max(1) as u64 * KINDS;
            (flights as f64 * share) as u64 / each
        };
        let first = turns(0.35, changes).max(1);
        let second = turns(0.2, SECOND.min(changes)).max(1);
        let each = KINDS * LAST.min(changes).max(1) as u64;
        let spent = Self { turns: [first, second, 0] }.flights(changes);
        // Whatever the others leave, to the last turn.
        let last = (flights.saturating_sub(spent) / each).max(1);
        let left = most.saturating_sub(first + second);
        Self { turns: [first, second, last.min(left)] }
    }

    /// All flights of the changes.
    pub fn flights(&self, changes: usize) -> u64 {
        let [first, second, last] = self.turns;
        let each = [(first, changes), (second, SECOND.min(changes)), (last, LAST.min(changes))];
        each.iter().map(|(turns, each)| turns * KINDS * *each as u64).sum()
    }
}

/// What a change makes of one figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effect {
    /// Which kind of release it is seen on most.
    pub kind: &'static str,
    /// What is told: `sent_back_percent`, `asks_percent` or `users_hurt`, whichever changes first.
    pub figure: &'static str,
    /// With the plan as it is.
    pub now: f64,
    /// With the change.
    pub then: f64,
    /// Half of the interval of the difference.
    pub within: f64,
}

/// What a change does to good releases of all kinds, in percent of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Good {
    /// With the plan as it is.
    pub now: f64,
    /// With the change.
    pub then: f64,
    /// Half of the interval of the difference.
    pub within: f64,
}

/// What looking for a change has found.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// What a deploy costs as the plan is, in seconds of all users.
    pub cost_s: f64,
    /// The change that came out best.
    pub best: Option<Advice>,
    /// Whether it helps for certain, and enough.
    pub helps: bool,
}

/// The change that helps most.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Advice {
    /// The line.
    #[serde(flatten)]
    pub change: Change,
    /// What it saves per deploy, in seconds of all users.
    pub saves_s: f64,
    /// Half of the interval of that.
    pub within_s: f64,
    /// What a deploy costs as the plan is, in the same.
    pub cost_s: f64,
    /// Users hurt per deploy less, at the mix.
    pub users_saved: f64,
    /// Where it is seen most.
    pub effect: Effect,
    /// Good releases that are sent back.
    pub good_sent_back: Good,
    /// Good releases about which a person is asked.
    pub good_asks: Good,
    /// How many minutes longer a deploy takes; less than nothing where it is shorter.
    pub minutes_longer: f64,
    /// Flights that this rests on.
    pub flights: u64,
}

/// What one flight cost, in seconds of all users.
fn cost(outcome: Outcome, flown: &Flown, rps: f64) -> f64 {
    let asked = if flown.end == Where::Asks { ASKED } else { 0.0 };
    asked
        + match outcome.class() {
            Class::Roll => flown.hurts_s(rps),
            // What both slots share hurts wherever users are.
            Class::Keep | Class::Shared if flown.end == Where::Back => FALSE,
            Class::Keep | Class::Shared => 0.0,
        }
}

/// What a kind weighs in the mix.
fn weight(outcome: Outcome) -> f64 {
    let class = outcome.class();
    let alike = Outcome::ALL.iter().filter(|kind| kind.class() == class).count() as f64;
    let share = match class {
        Class::Roll => BAD,
        Class::Shared => SHARED,
        Class::Keep => 1.0 - BAD - SHARED,
    };
    share / alike
}

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n.max(1.0);
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, squares / (n - 1.0).max(1.0) / n.max(1.0))
}

/// The mean over the mix of something of pairs of flights, and its error squared. Both begin with
/// the first kind.
fn over_mix(
    now: &[Flown],
    then: &[Flown],
    of: impl Fn(Outcome, &Flown, &Flown) -> f64,
) -> (f64, f64) {
    Outcome::ALL.iter().fold((0.0, 0.0), |(mean, error), outcome| {
        let (m, e) = mean_and_error(&of_kind(now, then, *outcome, &of));
        let weight = weight(*outcome);
        (mean + weight * m, error + weight * weight * e)
    })
}

fn of_kind(
    now: &[Flown],
    then: &[Flown],
    outcome: Outcome,
    of: &impl Fn(Outcome, &Flown, &Flown) -> f64,
) -> Vec<f64> {
    let pairs = (0..).zip(now.iter().zip(then));
    pairs
        .filter(|(n, _)| by_day(*n) == outcome)
        .map(|(_, (now, then))| of(outcome, now, then))
        .collect()
}

/// A change on its way through the rounds.
struct Tried {
    change: Change,
    plan: Flyable,
    flown: Vec<Flown>,
    saves: f64,
}

/// Finds the advice. `base` are the plan's own flights by day, from the first on.
pub fn advise(tunnel: &Tunnel<'_>, plan: &Plan, base: &[Flown], rounds: Rounds) -> Looked {
    let service = &tunnel.service;
    let own = Flyable::new(plan, service);
    let mut tried: Vec<Tried> = changes(plan, service)
        .into_iter()
        .map(|change| {
            let plan = Flyable::new(&change.plan, service);
            Tried { change, plan, flown: Vec::new(), saves: 0.0 }
        })
        .collect();
    let mut from = 0;
    for (turns, kept) in rounds.turns.into_iter().zip([SECOND, LAST, 1]) {
        let to = from + turns * KINDS;
        let last = kept == 1;
        for one in &mut tried {
            let new = tunnel.days(&one.plan, from..to);
            if last {
                // Those who chose it do not speak for it.
                one.flown.clear();
            }
            one.flown.extend(new);
            let began = if last { from } else { 0 };
            let base = &base[began as usize..to as usize];
            one.saves = saved(service, &own, one, base).0;
        }
        tried.sort_by(|a, b| b.saves.total_cmp(&a.saves));
        tried.truncate(kept);
        if !last {
            from = to;
        }
    }
    let Some(best) = tried.into_iter().next() else {
        let cost_s = over_mix(base, base, |outcome, now, _| cost(outcome, now, service.rps)).0;
        return Looked { cost_s, best: None, helps: false };
    };
    let base = &base[from as usize..][..best.flown.len()];
    let (saves, error) = saved(service, &own, &best, base);
    let within = Z_LAST * libm::sqrt(error);
    let cost_now = over_mix(base, base, |outcome, now, _| cost(outcome, now, service.rps)).0;
    let helps = !base.is_empty() && saves - within > 0.0 && saves > (WORTH * cost_now).max(LEAST);
    let advice = {
        let users = |one: &Flown| one.hurts(service.rps);
        let users_saved = over_mix(base, &best.flown, |outcome, now, then| match outcome.class() {
            Class::Roll => users(now) - users(then),
            _ => 0.0,
        });
        Advice {
            saves_s: saves,
            within_s: within,
            cost_s: cost_now,
            users_saved: users_saved.0,
            effect: effect(service, base, &best.flown),
            good_sent_back: good(base, &best.flown, Where::Back),
            good_asks: good(base, &best.flown, Where::Asks),
            minutes_longer: minutes(best.plan.length()) - minutes(own.length()),
            flights: best.flown.len() as u64,
            change: best.change,
        }
    };
    Looked { cost_s: cost_now, best: Some(advice), helps }
}

/// How many good releases end so, before and after.
fn good(now: &[Flown], then: &[Flown], end: Where) -> Good {
    let kinds = Outcome::ALL.into_iter().filter(|kind| kind.class() == Class::Keep);
    let n = kinds.clone().count() as f64;
    let percent = |one: &Flown| if one.end == end { 100.0 } else { 0.0 };
    let over = |of: &dyn Fn(&Flown, &Flown) -> f64| {
        kinds.clone().fold((0.0, 0.0), |(mean, error), kind| {
            let (m, e) = mean_and_error(&of_kind(now, then, kind, &|_, a, b| of(a, b)));
            (mean + m / n, error + e / (n * n))
        })
    };
    let (before, _) = over(&|now, _| percent(now));
    let (after, error) = over(&|now, then| percent(then) - percent(now));
    // Where no pair differs the rule of three bounds what was not seen.
    let pairs = now.len().min(then.len()) as f64 * n / Outcome::ALL.len() as f64;
    let within = (Z * libm::sqrt(error)).max(300.0 / pairs.max(3.0));
    Good { now: before, then: before + after, within }
}

fn minutes(length: Millis) -> f64 {
    length.0 as f64 / 60_000.0
}

/// What a change saves per deploy, and its error squared.
fn saved(service: &Service, own: &Flyable, one: &Tried, base: &[Flown]) -> (f64, f64) {
    let (saves, error) = over_mix(base, &one.flown, |outcome, now, then| {
        cost(outcome, now, service.rps) - cost(outcome, then, service.rps)
    });
    // What is shorter earns nothing by that: the catalogue knows of no release that fails later still.
    (saves - MINUTE * (minutes(one.plan.length()) - minutes(own.length())).max(0.0), error)
}

/// The kind on which the change saves most, and what it does there.
fn effect(service: &Service, base: &[Flown], then: &[Flown]) -> Effect {
    let on = |outcome: &Outcome| {
        let saves = of_kind(base, then, *outcome, &|outcome, now, then| {
            cost(outcome, now, service.rps) - cost(outcome, then, service.rps)
        });
        weight(*outcome) * mean_and_error(&saves).0
    };
    let most = Outcome::ALL.into_iter().max_by(|a, b| on(a).total_cmp(&on(b)));
    let outcome = most.unwrap_or(Outcome::TwentyPercent);
    let percent = |end: Where| move |one: &Flown| f64::from(u8::from(one.end == end)) * 100.0;
    let told = |of: &dyn Fn(&Flown) -> f64| {
        let mean = |values: Vec<f64>| mean_and_error(&values).0;
        let now = mean(of_kind(base, then, outcome, &|_, now, _| of(now)));
        let after = mean(of_kind(base, then, outcome, &|_, _, then| of(then)));
        let (_, error) =
            mean_and_error(&of_kind(base, then, outcome, &|_, now, then| of(then) - of(now)));
        (now, after, Z * libm::sqrt(error))
    };
    let kind = outcome.name();
    for (figure, end) in [("sent_back_percent", Where::Back), ("asks_percent", Where::Asks)] {
        let (now, after, within) = told(&percent(end));
        // More questions are no help, and are told of good releases.
        let better = if end == Where::Back && outcome.class() == Class::Roll {
            after - now
        } else {
            now - after
        };
        if better > within.max(1.0) {
            return Effect { kind, figure, now, then: after, within };
        }
    }
    let (now, after, within) = told(&|one: &Flown| one.hurts(service.rps));
    Effect { kind, figure: "users_hurt", now, then: after, within }
}
