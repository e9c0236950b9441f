//! `switchback` alone: what can be done from here. And the list of drills.

use super::{Failure, flight, print};
use crate::cli::Global;
use crate::lab::scenario;
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
         switchback deploy    open the cockpit on it\n"
    } else {
        "  no ./switchback.toml here: write one (the README has the shortest), then\n  \
         switchback check\n"
    };
    out.push_str(next);
    out.push_str("\nDrills\n");
    list_drills(&mut out);
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

/// Prints the drills.
pub fn drills(global: &Global) -> Result<u8, Failure> {
    let mut out = String::new();
    if global.json {
        for name in scenario::builtin() {
            let _ = writeln!(out, "{}", serde_json::json!({ "scenario": name }));
        }
    } else {
        out.push_str("Drills\n");
        list_drills(&mut out);
    }
    print(out.as_bytes())
}

fn list_drills(out: &mut String) {
    for name in scenario::builtin() {
        let brief = scenario::load(name).map_or_else(|_| String::new(), |s| s.story.brief.clone());
        let _ = writeln!(out, "  switchback drill {name:<16} {brief}");
    }
}
