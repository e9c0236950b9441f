//! `switchback runs`: past runs, a line each, and figures from their index.

use super::{Failure, flight, print};
use crate::cli::Global;
use crate::runbook::line::micros;
use crate::runs::{self, Figures, Home, IndexLine, Lock, RunSummary};
use serde::Serialize;
use std::fmt::Write;

/// A run as JSON: what its journal says, and what only the index knows.
#[derive(Serialize)]
struct Row<'r> {
    #[serde(flatten)]
    run: &'r RunSummary,
    /// Until users were back in band, in microseconds.
    restored_us: Option<u64>,
    /// Whether Green ever had weight.
    moved: Option<bool>,
    /// Whether the index has it, as far as its chain holds.
    indexed: bool,
}

/// Lists past runs, oldest first.
pub fn runs(global: &Global) -> Result<u8, Failure> {
    let home = flight::home(global)?;
    let all = listed(&home)?;
    let (lines, fault) = runs::index::read(&home.runs);
    let mut out = String::new();
    for run in &all {
        // Writing to a string cannot fail.
        let _ = if global.json {
            let row = row(run, &lines);
            let json = serde_json::to_string(&row)
                .map_err(|e| Failure::world(e, "this is a bug: please report it"))?;
            writeln!(out, "{json}")
        } else {
            writeln!(out, "{}", line(run))
        };
    }
    if global.json {
        if let Some(fault) = &fault {
            crate::plain::complain(format_args!(
                "warning: the runs' index is believed only in part: {fault}"
            ));
        }
        return print(out.as_bytes());
    }
    if all.is_empty() {
        let _ = writeln!(out, "no runs in {}", home.runs.display());
    }
    let figures = Figures::of(&lines, fault.as_ref(), &all).paragraph();
    if !figures.is_empty() {
        let _ = write!(out, "\n{figures}");
    }
    print(out.as_bytes())
}

fn row<'r>(run: &'r RunSummary, lines: &[IndexLine]) -> Row<'r> {
    // One that ended twice is known by its last end.
    let line = lines.iter().rev().find(|line| line.id == run.id);
    Row {
        run,
        restored_us: line.and_then(|line| line.restored_us),
        moved: line.and_then(|line| line.moved),
        indexed: line.is_some(),
    }
}

/// The runs, oldest first; one that a cockpit flies now is `running`, and not to be picked up.
pub fn listed(home: &Home) -> Result<Vec<RunSummary>, Failure> {
    let mut all = runs::list(&home.runs)
        .map_err(|e| Failure::world(format!("{}: {e}", home.runs.display()), "see --runs"))?;
    for run in all.iter_mut().filter(|run| run.exit.is_none()) {
        let router = run.router.as_ref().map_or("", |router| router.as_str());
        let holder = Lock::holder(&home.locks, router);
        if holder.is_some_and(|holder| holder.run.as_str() == run.id) {
            (run.outcome, run.open) = ("running", false);
        }
    }
    Ok(all)
}

/// A run in a line.
pub fn line(run: &RunSummary) -> String {
    let kind = run.kind.map_or("?", |kind| kind.word());
    let service = run.service.as_ref().map_or("", |service| service.as_str());
    let back = run.rollback_us.map_or_else(String::new, |us| format!("  back in {}", micros(us)));
    // The same word stands for a run that was left on Blue and for one that somebody must look at.
    let look = if run.exit == Some(4) { "  LEFT UNGUARDED: look" } else { "" };
    format!("{}  {kind:<9}  {:<11}  {service}{back}{look}", run.id, run.outcome)
}
