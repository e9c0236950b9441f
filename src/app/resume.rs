//! `switchback resume`: a run that was cut off is picked up where its journal ends.

use super::flight::{self, Assembled, attended, fly};
use super::{Failure, Watcher, watcher};
use crate::cli::Global;
use crate::journal::{ResumeFault, Writer};
use crate::runbook::Command;
use crate::runs::{self, RunSummary};

/// Picks a run up.
pub fn resume(global: &Global, name: Option<&str>) -> Result<u8, Failure> {
    let watcher = watcher(global)?;
    let home = flight::home(global)?;
    let found = runs::find(&home.runs, name)
        .map_err(|fault| Failure::usage(&fault, "switchback runs lists them"))?;
    pick_up(global, watcher, &found, &[])
}

/// Picks a run up and sends `first` before anything that the operator does.
pub fn pick_up(
    global: &Global,
    watcher: Watcher,
    found: &RunSummary,
    first: &[Command],
) -> Result<u8, Failure> {
    let home = flight::home(global)?;
    let router = found.router.as_ref().map_or("", |router| router.as_str()).to_owned();
    // The lock comes before the journal is touched: whoever has it may be writing there.
    let lock = flight::lock(&home, &router, &found.id)?;
    let (journal, troubles, run) = Writer::resume(&found.path).map_err(|fault| match &fault {
        ResumeFault::Over { .. } => Failure::usage(&fault, fault.hint()),
        _ => Failure::world(&fault, fault.hint()),
    })?;
    let plan = run.opened.plan.clone();
    let secrets = flight::mask(&plan)?;
    let router = crate::adapter::router::Router::of_plan(&plan)?;
    let mut facts = run.opened.facts.clone();
    // Who watches may be another than before; the journal's first record says who began.
    facts.attended = attended(watcher);
    let run = Assembled {
        opened: run.opened.clone(),
        plan,
        facts,
        directory: found.path.clone(),
        journal,
        troubles,
        secrets,
        router,
        resume: Some(run),
        lock,
    };
    fly(global, watcher, &home, run, first)
}
