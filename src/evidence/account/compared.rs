//! What was planned against what was, row by row, differences first.
//!
//! A row says what the plan said and what the journal saw, and whether that is the same. Where
//! either is not known nothing is compared: *cannot be said* is not *as planned*.

use super::build::Walk;
use super::{Compared, cuts};
use crate::clean::Clean;
use crate::journal::Run;
use crate::plan::{CommandName, Migration, Plan};
use crate::runbook::snapshot::Stamp;
use crate::runbook::{RunOutcome, Step};
use crate::signal::Judgement;
use crate::text::micros;
use crate::units::{Millis, Role};

/// All rows, those that differ first, then those of which it cannot be said.
pub(super) fn compared(run: &Run, walk: &Walk) -> Vec<Compared> {
    let plan = &run.opened.plan;
    let mut rows = vec![outcome(run)];
    rows.extend(watched(run, walk));
    rows.extend(releases(plan, walk));
    rows.push(artefact(plan, walk));
    rows.extend(commands(plan, walk));
    rows.push(migration(plan, walk));
    rows.extend(slots(plan, walk));
    rows.extend(ramp(run, walk));
    rows.extend([Step::Soak, Step::Watch].map(|step| length(run, walk, step)));
    rows.push(limits(walk));
    rows.extend(later(walk));
    rows.extend(back(run, walk));
    rows.push(outside(walk));
    rows.sort_by_key(|row| match row.same {
        Some(false) => 0,
        None => 1,
        Some(true) => 2,
    });
    rows
}

fn row(
    what: &str,
    planned: Option<impl AsRef<str>>,
    actual: Option<impl AsRef<str>>,
    same: Option<bool>,
) -> Compared {
    let clean = |text: &str| Clean::new(text);
    Compared {
        what: what.to_owned(),
        planned: planned.map(|text| clean(text.as_ref())),
        actual: actual.map(|text| clean(text.as_ref())),
        same,
    }
}

const NOTHING: Option<&str> = None;

fn outcome(run: &Run) -> Compared {
    let actual = run.closed.as_ref().map_or("cut off", |closed| closed.outcome.word());
    let same = run.closed.as_ref().is_some_and(|closed| closed.outcome == RunOutcome::Kept);
    row("outcome", Some(RunOutcome::Kept.word()), Some(actual), Some(same))
}

fn releases(plan: &Plan, walk: &Walk) -> [Compared; 2] {
    let compare = |what: &str, planned: &Option<String>, actual: &Option<Clean>| {
        let planned = planned.as_deref().map(Clean::new);
        let same = planned.as_ref().zip(actual.as_ref()).map(|(one, other)| one == other);
        row(what, planned, actual.clone(), same)
    };
    let [blue, green] = [Role::Blue, Role::Green].map(Role::index);
    [
        compare("release that Green named", &plan.release.next, &walk.named[green]),
        compare("release that Blue named", &plan.release.current, &walk.first_named[blue]),
    ]
}

/// Whether somebody was there all the time: what nobody watched is told first.
fn watched(run: &Run, walk: &Walk) -> Option<Compared> {
    let cuts = cuts::all(run.opened.facts.began_unix_ms, &walk.cuts);
    (!walk.cuts.is_empty()).then(|| row("watched", Some("all the time"), Some(cuts), Some(false)))
}

/// How much of a stretch nobody watched.
fn unwatched(walk: &Walk, from: Millis, to: Millis) -> Millis {
    Millis(walk.cuts.iter().map(|cut| cut.of(from, to).0).sum())
}

/// A length as it is told: `15s`, or `15s, of which nobody watched 4s`.
fn lasted(length: Millis, unwatched: Millis) -> String {
    match unwatched {
        Millis::ZERO => seconds(length).to_string(),
        unwatched => format!("{}, of which nobody watched {unwatched}", seconds(length)),
    }
}

/// The digest of what is deployed: the plan may declare it, and Green may name it.
fn artefact(plan: &Plan, walk: &Walk) -> Compared {
    let planned = plan.release.change.get("artefact");
    let named = walk.artefact.as_ref();
    let same = planned.and(named).map(|(_, same)| *same);
    row("artefact that Green named", planned, named.map(|(name, _)| name), same)
}

fn commands(plan: &Plan, walk: &Walk) -> Vec<Compared> {
    let mut rows = Vec::new();
    for name in [CommandName::RedeployCheck, CommandName::Deploy] {
        let planned = match (plan.commands.has(name), name) {
            (true, _) => "by its command",
            (false, CommandName::Deploy) => "by hand",
            (false, _) => continue,
        };
        let (actual, same) = match walk.ran.get(&name) {
            Some((says, good)) => (Some(says.clone()), Some(*good)),
            None if plan.commands.has(name) => (Some(Clean::new("not run")), Some(false)),
            None => (None, None),
        };
        rows.push(row(name.key(), Some(planned), actual, same));
    }
    rows
}

fn migration(plan: &Plan, walk: &Walk) -> Compared {
    let declared = plan.release.migration;
    let planned = (declared != Migration::Undeclared).then(|| declared.key());
    let has = plan.commands.has(CommandName::Migrate);
    let (actual, same) = match walk.ran.get(&CommandName::Migrate) {
        Some((says, good)) => (says.as_str().to_owned(), *good && declared != Migration::None),
        None if has => ("the migrate command did not run".to_owned(), false),
        None => ("no migrate command is declared".to_owned(), declared == Migration::None),
    };
    let known = has || declared == Migration::None;
    row("migration", planned, Some(actual), planned.filter(|_| known).map(|_| same))
}

fn slots(plan: &Plan, walk: &Walk) -> Option<Compared> {
    let blue = walk.blue?;
    let (blue, green) = (plan.slot_name(blue), plan.slot_name(blue.other()));
    let actual = format!("{blue} was Blue, {green} was Green");
    Some(row("slots", NOTHING, Some(actual), None))
}

fn listed(percents: impl Iterator<Item = u8>) -> String {
    let percents: Vec<String> = percents.map(|p| p.to_string()).collect();
    if percents.is_empty() { "none".to_owned() } else { format!("{} %", percents.join(", ")) }
}

/// The steps of the ramp, and how long each but the last was held.
fn ramp(run: &Run, walk: &Walk) -> Vec<Compared> {
    let plan = &run.opened.plan;
    let went_back = walk.back.as_ref().map_or(Millis(u64::MAX), |back| back.at);
    let flown: Vec<(Millis, u8)> =
        walk.switches.iter().copied().filter(|(at, p)| *p > 0 && *at < went_back).collect();
    let planned: Vec<u8> = plan.ramp.iter().map(|percent| percent.get()).collect();
    let actual: Vec<u8> = flown.iter().map(|(_, percent)| *percent).collect();
    let same = planned == actual;
    let (planned, actual) = (listed(planned.into_iter()), listed(actual.into_iter()));
    let mut rows = vec![row("ramp on Green", Some(planned), Some(actual), Some(same))];
    if plan.ramp.len() > 1 && !flown.is_empty() {
        let ends = flown.iter().skip(1).map(|(at, _)| *at);
        let end = if went_back.0 == u64::MAX { None } else { Some(went_back) };
        let held: Vec<(Millis, Millis)> = flown
            .iter()
            .filter(|(_, percent)| *percent < 100)
            .zip(ends.chain(end))
            .map(|((from, _), to)| (to.since(*from), unwatched(walk, *from, to)))
            .collect();
        let said: Vec<String> = held.iter().map(|(held, missed)| lasted(*held, *missed)).collect();
        // A hold is as planned where somebody has watched all of it.
        let same = held
            .iter()
            .all(|(held, missed)| held.since(*missed) + Millis::secs(1) >= plan.ramp_hold);
        let planned = format!("at least {} each", plan.ramp_hold);
        if !said.is_empty() {
            rows.push(row("ramp held", Some(planned), Some(said.join(", ")), Some(same)));
        }
    }
    rows
}

/// A length as it is compared by people.
fn seconds(length: Millis) -> Millis {
    if length < Millis::secs(1) { length } else { Millis::secs(length.as_secs()) }
}

fn length(run: &Run, walk: &Walk, step: Step) -> Compared {
    let plan = &run.opened.plan;
    let (what, planned) = match step {
        Step::Soak => ("soak", plan.soak),
        _ => ("watch", plan.watch),
    };
    let entered = walk.entered[step as usize];
    let went_back = walk.back.as_ref().map(|back| back.at);
    let (actual, same) = match (walk.took[step as usize], entered, went_back) {
        (Some(took), ..) => {
            let from = entered.unwrap_or_default();
            let missed = unwatched(walk, from, from + took);
            (lasted(took, missed), took.since(missed) + Millis::secs(1) > planned)
        }
        (None, Some(from), Some(to)) => {
            (format!("went back after {}", seconds(to.since(from))), false)
        }
        (None, Some(from), None) if run.closed.is_none() => {
            (format!("cut off after {}", seconds(walk.until.since(from))), false)
        }
        (None, Some(_), None) => ("not finished".to_owned(), false),
        (None, None, _) => ("not reached".to_owned(), false),
    };
    row(what, Some(format!("at least {planned}")), Some(actual), Some(same))
}

/// What tripped when the way back had begun: no cause of it, and told apart.
fn later(walk: &Walk) -> Option<Compared> {
    let tripped = names(&walk.later_trips).join(", ");
    let what = "limits tripped later, on the way back";
    (!tripped.is_empty()).then(|| row(what, NOTHING, Some(tripped), None))
}

fn names(trips: &[(Millis, Role, Judgement)]) -> Vec<String> {
    let mut tripped: Vec<String> = Vec::new();
    for (_, role, judgement) in trips {
        let name = format!("{} on {role}", judgement.signal().label());
        if !tripped.contains(&name) {
            tripped.push(name);
        }
    }
    tripped
}

fn limits(walk: &Walk) -> Compared {
    let tripped = names(&walk.trips);
    let same = tripped.is_empty();
    let actual = if same { "none".to_owned() } else { tripped.join(", ") };
    row("limits tripped", Some("none"), Some(actual), Some(same))
}

fn back(run: &Run, walk: &Walk) -> Vec<Compared> {
    let measured = run.opened.facts.last_rollback;
    let before = measured.map(|(us, _)| format!("{} the last time", micros(us)));
    let Some(back) = &walk.back else {
        return vec![row("way back", Some("open, not needed"), Some("not taken"), Some(true))];
    };
    let said = |wanted: Stamp| {
        back.stamps.iter().find(|(stamp, ..)| *stamp == wanted).and_then(|(_, us, _)| *us)
    };
    let taken = format!("taken: {}", back.why);
    let time = said(Stamp::RouterAtBlue).map(micros);
    vec![
        row("way back", Some("open, not needed"), Some(taken), Some(false)),
        row("time to Blue", before, time, None),
    ]
}

fn outside(walk: &Walk) -> Compared {
    let said = match walk.outside.len() {
        0 => "nothing seen".to_owned(),
        n => crate::text::count(n as u64, "change"),
    };
    let same = walk.outside.is_empty();
    row("changed outside Switchback", Some("nothing"), Some(said), Some(same))
}
