//! `switchback runs`: past runs, a line each.

use super::{Failure, flight, print};
use crate::cli::Global;
use crate::runbook::line::micros;
use crate::runs::{self, RunSummary};
use std::fmt::Write;

/// Lists past runs, oldest first.
pub fn runs(global: &Global) -> Result<u8, Failure> {
    let home = flight::home(global)?;
    let all = runs::list(&home.runs)
        .map_err(|e| Failure::world(format!("{}: {e}", home.runs.display()), "see --runs"))?;
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

/// A run in a line.
pub fn line(run: &RunSummary) -> String {
    let kind = run.kind.map_or("?", |kind| kind.word());
    let service = run.service.as_ref().map_or("", |service| service.as_str());
    let back = run.rollback_us.map_or_else(String::new, |us| format!("  back in {}", micros(us)));
    format!("{}  {kind:<9}  {:<11}  {service}{back}", run.id, run.outcome)
}
