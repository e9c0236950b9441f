//! `switchback runs`: past runs, a line each.

use super::{Failure, flight, print};
use crate::cli::Global;
use crate::runbook::line::micros;
use crate::runs::{self, Home, Lock, RunSummary};
use std::fmt::Write;

/// Lists past runs, oldest first.
pub fn runs(global: &Global) -> Result<u8, Failure> {
    let home = flight::home(global)?;
    let all = listed(&home)?;
    let mut out = String::new();
    for run in &all {
        // Writing to a string cannot fail.
        let _ = if global.json {
            let json = serde_json::to_string(run)
                .map_err(|e| Failure::world(e, "this is a bug: please report it"))?;
            writeln!(out, "{json}")
        } else {
            writeln!(out, "{}", line(run))
        };
    }
    if all.is_empty() && !global.json {
        let _ = writeln!(out, "no runs in {}", home.runs.display());
    }
    print(out.as_bytes())
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
