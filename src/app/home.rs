//! `switchback` alone, where there is no screen: what can be done from here, as lines.

use super::{Failure, flight, print};
use crate::cli::Global;
use std::fmt::Write;
use std::path::Path;

/// Past runs that are shown.
const SHOWN: usize = 5;

/// Prints deploys, drills and past runs.
pub fn home(global: &Global) -> Result<u8, Failure> {
    let mut out = String::from("Switchback: controlled change, and one key back.\n\nDeploy\n");
    let plan = Path::new("switchback.toml");
    let next = if plan.exists() {
        "  switchback check     read ./switchback.toml and reach everything it names\n  \
         switchback deploy    open the cockpit on it\n  \
         switchback rehearse  a no-change rollback on its router, timed\n"
    } else {
        "  no ./switchback.toml here: write one (the README has the shortest), then\n  \
         switchback check\n"
    };
    out.push_str(next);
    if plan.exists() {
        let _ =
            writeln!(out, "  the way back was rehearsed: {}", super::hangar::rehearsed(global)?);
    }
    out.push_str("\nDrills\n");
    out.push_str(super::hangar::listed(global)?.trim_start_matches('\n'));
    out.push_str("\nPast runs\n");
    let home = flight::home(global)?;
    let all = super::runs::listed(&home)?;
    for run in all.iter().rev().take(SHOWN) {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {}", super::runs::line(run));
    }
    if all.is_empty() {
        out.push_str("  none yet\n");
    }
    if let Some(open) = all.iter().rev().find(|run| run.open) {
        let _ = writeln!(out, "\n{} was cut off: switchback resume {}", open.id, open.id);
    }
    out.push_str("\nswitchback --help lists everything.\n");
    print(out.as_bytes())
}
