//! What happened to real deploys, and what changed around them since: it makes drills due. Read from
//! the runs' index, and from the plan of this directory beside those of past deploys.

use crate::drill::due::now::{Happened, NO_DEPLOY_DAYS, Why};
use crate::drill::due::{self, Entry};
use crate::drill::history::{self, HistoryLine};
use crate::lab::scenario::Family;
use crate::plan::{self, Migration, Plan, ReleasePlan};
use crate::runbook::snapshot::Drilled;
use crate::runbook::{Kind, RunOutcome};
use crate::runs::{IndexLine, index};
use std::path::Path;
use std::time::UNIX_EPOCH;

const DAY_MS: i64 = 86_400_000;
/// Past deploys whose plans are compared with the one here.
const COMPARED: usize = 20;

/// What happened so far. `plan` is the file of a deploy from here, if there is one.
pub fn of(root: &Path, plan: &Path, now_unix_ms: i64) -> Vec<Happened> {
    let lines = index::last_of_each(index::read(root).0);
    let deploys: Vec<IndexLine> =
        lines.into_iter().filter(|line| line.kind == Kind::Deploy && !line.straight).collect();
    let mut out = Vec::new();
    for line in &deploys {
        let why = match line.outcome {
            RunOutcome::RolledBack => Why::WentBack,
            _ if line.exit == 4 => Why::Incident,
            _ => continue,
        };
        out.push(Happened { why, at_unix_ms: line.ended_unix_ms });
    }
    let Some(last) = deploys.iter().map(|line| line.ended_unix_ms).max() else { return out };
    let forgotten = last + NO_DEPLOY_DAYS * DAY_MS;
    if now_unix_ms > forgotten {
        out.push(Happened { why: Why::NoDeploy, at_unix_ms: forgotten });
    }
    out.extend(changed(root, plan, &deploys));
    out
}

/// The last rehearsal for the service of this plan, in milliseconds since 1970.
pub fn rehearsed(root: &Path, plan: &Path) -> Option<i64> {
    let service = read(plan)?.service;
    let lines = index::read(root).0.into_iter();
    let of_it = lines.filter(|line| {
        line.kind == Kind::Rehearsal && !line.straight && line.service.as_str() == service
    });
    of_it.map(|line| line.ended_unix_ms).max()
}

/// What is new in the plan, as of when its file was last written.
fn changed(root: &Path, file: &Path, deploys: &[IndexLine]) -> Vec<Happened> {
    let written = std::fs::metadata(file).and_then(|meta| meta.modified());
    let since = written.ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let at = since.and_then(|since| i64::try_from(since.as_millis()).ok());
    let (Some(at_unix_ms), Some(here)) = (at, read(file)) else { return Vec::new() };
    let mut past: Vec<&IndexLine> =
        deploys.iter().filter(|line| line.service.as_str() == here.service).collect();
    past.sort_by_key(|line| line.ended_unix_ms);
    let past: Vec<Plan> = past
        .iter()
        .rev()
        .take(COMPARED)
        .filter_map(|line| read(&root.join(&line.id).join("plan.toml")))
        .collect();
    // A plan that nothing was deployed by is compared with nothing.
    let Some(last) = past.first() else { return Vec::new() };
    let migrates = matches!(here.release.migration, Migration::Expand | Migration::Irreversible);
    let news = [
        (Why::PlanEdited, lasting(&here) != lasting(last)),
        (Why::NewRouter, past.iter().all(|plan| plan.router != here.router)),
        (
            Why::NewMigration,
            migrates && past.iter().all(|plan| plan.release.migration != here.release.migration),
        ),
    ];
    news.into_iter()
        .filter(|(_, is_so)| *is_so)
        .map(|(why, _)| Happened { why, at_unix_ms })
        .collect()
}

fn read(file: &Path) -> Option<Plan> {
    plan::load(file).ok().map(|loaded| loaded.plan)
}

/// A plan without what changes with each release, and without its comments.
fn lasting(plan: &Plan) -> Plan {
    Plan { digest: String::new(), release: ReleasePlan::default(), ..plan.clone() }
}

/// When the way back was last drilled, and when it is to be drilled again; nothing where nobody
/// drills here.
pub fn drilled(
    root: &Path,
    plan: &Path,
    catalogue: impl FnOnce() -> Vec<Entry>,
    now_unix_ms: i64,
) -> Option<Drilled> {
    let (lines, _) = history::read(root);
    if lines.is_empty() {
        return None;
    }
    let catalogue = catalogue();
    let of_it = |line: &&HistoryLine| line.is_practice() && line.family.contains(&Family::WayBack);
    let last_unix_ms = lines.iter().filter(of_it).map(|line| line.ended_unix_ms).max();
    let now = due::now::of(&lines, &of(root, plan, now_unix_ms));
    let now = now.into_iter().find(|due| due.family == Family::WayBack);
    let on_ladder = due::all(&lines, &catalogue).into_iter().filter(|due| {
        let after = catalogue.iter().find(|entry| entry.id == due.after);
        after.is_some_and(|entry| entry.family.contains(&Family::WayBack))
    });
    let due_unix_ms = match now {
        Some(now) => Some(now.happened.at_unix_ms),
        None => on_ladder.map(|due| due.day * DAY_MS).min(),
    };
    Some(Drilled { last_unix_ms, due_unix_ms })
}
