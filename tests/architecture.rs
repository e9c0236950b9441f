//! The absences that `src/lib.rs` promises, read off the sources.
#![allow(clippy::unwrap_used, reason = "a source that cannot be read is a failure")]

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file under a part of `src`, with its text up to its own tests.
fn sources(part: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut waiting = vec![root.join(part), root.join(format!("{part}.rs"))];
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.is_file() && path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
            found.push((path, code));
        }
    }
    assert!(!found.is_empty(), "src/{part} has no sources: the test looks in the wrong place");
    found
}

/// The code without its comments, so that prose may speak of what code may not name.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn names_none_of(part: &str, forbidden: &[&str]) {
    for (path, text) in sources(part) {
        let code = code(&text);
        for word in forbidden {
            assert!(!code.contains(word), "{} names `{word}`", path.display());
        }
    }
}

const WORLD: [&str; 14] = [
    "tokio",
    "ratatui",
    "crossterm",
    "reqwest",
    "hyper",
    "std::fs",
    "std::net",
    "std::io",
    "std::thread",
    "Instant",
    "SystemTime",
    "chrono",
    "rand::",
    "rand_pcg",
];

#[test]
fn the_runbook_and_the_signals_are_pure() {
    names_none_of("runbook", &WORLD);
    names_none_of("signal", &WORLD);
    names_none_of("units", &WORLD);
    names_none_of("sim", &WORLD);
}

#[test]
fn pure_parts_name_no_part_that_is_not() {
    let parts = [
        "crate::engine",
        "crate::adapter",
        "crate::tui",
        "crate::journal",
        "crate::lab",
        "crate::app",
        "crate::sim",
    ];
    names_none_of("runbook", &parts);
    names_none_of("signal", &parts);
    // A simulated world may be the lab's, and adds its seconds up as those of sockets are; the
    // rest of what does things is not for it.
    let doers = ["crate::engine", "adapter::router", "adapter::command", "crate::tui"];
    names_none_of("sim", &doers);
    names_none_of("sim", &["crate::app", "crate::runs", "crate::journal", "Prober", "lab::http"]);
}

#[test]
fn the_engine_does_not_know_the_screen_and_the_screen_asks_for_no_effects() {
    names_none_of("engine", &["crate::tui", "crate::plain", "ratatui", "crossterm"]);
    names_none_of(
        "tui",
        &["crate::engine", "crate::adapter", "Effect::", "runbook::Act", "Core::"],
    );
}

#[test]
fn views_and_widgets_are_functions_of_what_they_are_given() {
    let clocks = ["Instant", "SystemTime", "Utc::now", "std::fs", "std::env", "tokio"];
    names_none_of("tui/view", &clocks);
    names_none_of("tui/widget", &clocks);
}

#[test]
fn only_the_lab_and_its_commands_know_that_a_drill_is_a_lab() {
    for part in ["runbook", "signal", "engine", "journal", "runs", "tui", "plain", "feed", "clean"]
    {
        names_none_of(part, &["crate::lab"]);
    }
    // The word of a kind has a colour; nothing else goes by it.
    for part in ["engine", "journal", "runs", "tui/view", "tui/widget", "plain", "feed", "clean"] {
        names_none_of(part, &["Kind::Drill"]);
    }
}

#[test]
fn drills_are_judged_without_a_screen_an_engine_a_socket_or_a_clock() {
    let doers =
        ["crate::tui", "crate::engine", "crate::app", "crate::runs", "adapter::", "lab::http"];
    names_none_of("drill", &doers);
    let world = [
        "tokio",
        "ratatui",
        "crossterm",
        "reqwest",
        "hyper",
        "std::net",
        "Instant",
        "SystemTime",
        "chrono",
        "use rand",
        " rand::",
    ];
    names_none_of("drill", &world);
    for part in
        ["lab", "sim", "runbook", "signal", "engine", "journal", "runs", "tui", "plain", "feed"]
    {
        names_none_of(part, &["crate::drill"]);
    }
}

#[test]
fn no_file_is_so_large_that_it_has_more_than_one_idea() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(root).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        for (path, text) in sources(name.trim_end_matches(".rs")) {
            let lines = text.lines().count();
            assert!(lines <= 700, "{} has {lines} lines", path.display());
        }
    }
}
