//! Bad days, on the built program: services and commands that misbehave, a full disk, wrong plans.
//! Each is told with its cause, nothing moves towards Green, and the way back stays open.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod support;

use std::fs;
use std::process::Command;
use support::haproxy::soon;
use support::place::{Place, Terms, timeline};
use support::site::Ill;

fn terms() -> Terms {
    Terms { deadline: "3s", soak: "1s", hold: "60s", ..Terms::default() }
}

/// Green never gets well: the run is abandoned, says why, and nobody was moved.
fn is_abandoned(ill: Ill, why: &str) {
    let place = Place::of_files(&terms());
    place.right.set(Some(ill));
    let mut flight = place.lines("deploy PLAN --yes --plain");
    flight.expect("abandoned: ");
    if let Some(peak) = flight.peak_mib() {
        assert!(peak < 100, "{ill:?}: {peak} MiB");
    }
    let (exit, printed) = flight.end();
    assert_eq!(exit, 5, "{ill:?}: {printed}");
    assert!(!printed.contains('\u{1b}') && !printed.contains('\u{202e}'), "{printed:?}");
    assert_eq!(place.weights(), [100, 0]);
    let seen = timeline(&place.flown());
    assert!(seen.contains(why), "{ill:?}: nobody said `{why}`:\n{seen}");
    assert!(!seen.contains('\u{1b}') && !seen.contains("\\u{1b}"), "{seen}");
}

#[test]
fn green_that_is_not_ready_is_abandoned() {
    is_abandoned(Ill::NotReady, "503");
}

#[test]
fn green_that_hangs_is_abandoned() {
    is_abandoned(Ill::Hangs, "no answer within");
}

#[test]
fn green_that_resets_is_abandoned() {
    is_abandoned(Ill::Resets, "connection closed");
}

#[test]
fn green_that_sends_a_hundred_megabytes_is_abandoned() {
    is_abandoned(Ill::Huge, "the body is longer than 64 KiB");
}

#[test]
fn green_that_paints_the_terminal_is_abandoned() {
    is_abandoned(Ill::Escapes, "503");
}

#[test]
fn green_that_paints_the_terminal_paints_nothing_on_the_screen() {
    let place = Place::of_files(&Terms { deadline: "60s", ..terms() });
    place.right.set(Some(Ill::Escapes));
    let mut cockpit = place.to_deploy();
    cockpit.yes("Deploy 1.1.0").expect("Green not ready: status 503").key("g").expect("status 503");
    assert!(cockpit.is_raw() && cockpit.screen().contains("DEPLOY  notes"), "{}", cockpit.screen());
    cockpit.key("r").expect("ALL ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 5);
    place.flown();
}

#[test]
fn a_command_that_prints_a_million_lines_is_followed_to_its_end() {
    let deploy = "yes 'a line of a very talkative deploy' | head -n 1000000; $TELL; echo at last";
    let place = Place::of_files(&Terms { deploy, ..terms() });
    let mut flight = place.lines("deploy PLAN --yes --plain");
    flight.expect("Soak: begun");
    assert!(flight.peak_mib().unwrap() < 100, "{:?} MiB", flight.peak_mib());
    let printed = flight.printed();
    assert!(printed.contains("at last"), "{}", &printed[printed.len() - 2000..]);
    assert!(printed.lines().count() < 10_000, "as many as somebody can follow");
}

#[test]
fn a_command_that_fails_in_no_language_is_told_cleanly() {
    let deploy = r"printf '\377\376 \033[2J\033]0;x\007 broken\n'; exit 7";
    let place = Place::of_files(&Terms { deploy, ..terms() });
    let (exit, printed) = place.run("deploy PLAN --yes --plain");
    assert_eq!(exit, 5, "{printed}");
    assert!(printed.contains("deploy ended with status 7"), "{printed}");
    assert!(printed.contains("broken") && !printed.contains('\u{1b}'), "{printed:?}");
    place.flown();
}

/// Whether a process with these arguments runs.
fn runs(arguments: &str) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    processes.filter_map(Result::ok).any(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        words.join(" ").trim() == arguments
    })
}

#[test]
fn a_command_that_forks_and_hangs_is_killed_with_all_that_it_started() {
    let deploy = "sleep 77771 & sleep 77771; echo never";
    let place = Place::of_files(&Terms { deploy, ..terms() });
    let plan = fs::read_to_string(place.plan()).unwrap();
    fs::write(place.plan(), plan.replace("[commands]\n", "[commands]\ntimeout = \"1s\"\n")).unwrap();
    let (exit, printed) = place.run("deploy PLAN --yes --plain");
    assert_eq!(exit, 5, "{printed}");
    assert!(printed.contains("took too long and was killed"), "{printed}");
    assert!(!runs("sleep 77771"), "what it forked still runs");
    place.flown();
}

#[test]
fn going_back_kills_the_command_that_hangs() {
    let deploy = "sleep 77772 & sleep 77772";
    let place = Place::of_files(&Terms { deploy, ..terms() });
    let mut cockpit = place.to_deploy();
    cockpit.yes("Deploy 1.1.0").expect("DEPLOYING");
    soon("the command runs", || runs("sleep 77772"));
    cockpit.key("r").expect("ALL ON BLUE");
    soon("everything that it started has ended", || !runs("sleep 77772"));
    cockpit.key("q");
    assert_eq!(cockpit.exit_code(), 5);
    place.flown();
}

#[test]
fn without_users_to_judge_by_an_unattended_run_goes_back() {
    let place = Place::of_files(&Terms { hold: "1s", ramp: "[100]", ..terms() });
    let (exit, printed) = place.run("deploy PLAN --yes --json");
    assert_eq!(exit, 3, "{printed}");
    assert_eq!(place.weights(), [100, 0]);
    for line in printed.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "no JSON: {line}");
    }
    assert!(printed.contains("unproven"), "{printed}");
    place.flown();
}

/// Lets no file of that process grow beyond `bytes`: the system then refuses to write.
fn disk_of(pid: u32, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    let done = Command::new("prlimit").args(["--pid", &pid.to_string(), &limit]).status().unwrap();
    assert!(done.success());
}

#[test]
fn on_a_full_disk_nothing_moves_towards_green_and_the_key_works() {
    let place = Place::of_files(&Terms { hold: "2s", ..terms() });
    // Without this the system would end the program instead of refusing the write.
    let script = r#"trap '' XFSZ; exec "$0" "$@""#;
    let mut cockpit = place.cockpit_under_a_shell(script, "deploy PLAN");
    cockpit.expect("press space to deploy").key(" ").yes("Deploy 1.1.0 to right");
    cockpit.send(10).expect("HOLDING AT 10 %");
    let journal = place.runs()[0].join("journal.jsonl");
    disk_of(cockpit.pid(), &journal.metadata().unwrap().len().to_string());
    cockpit.expect("the journal cannot be written");
    cockpit.until("the hold is over", |screen| !screen.contains("hold 0s") && !screen.contains("hold 1s of 2s"));
    cockpit.key(" ").expect("not yet");
    assert_eq!(place.weights(), [90, 10]);
    disk_of(cockpit.pid(), "unlimited");
    cockpit.expect("the journal is written again").send(50).expect("HOLDING AT 50 %");
    disk_of(cockpit.pid(), &journal.metadata().unwrap().len().to_string());
    cockpit.expect("the journal cannot be written").key("r").expect("BACK ON BLUE");
    assert_eq!(place.weights(), [100, 0]);
    disk_of(cockpit.pid(), "unlimited");
    cockpit.expect("the journal is written again").key("q");
    assert_eq!(cockpit.exit_code(), 3);
    place.flown();
}

#[test]
fn a_run_that_cannot_be_written_does_not_begin() {
    let place = Place::of_files(&terms());
    fs::write(place.path("file"), "").unwrap();
    let runs = place.path("file/runs").display().to_string();
    let (exit, printed) = place.run(&format!("deploy PLAN --yes --plain --runs {runs}"));
    assert_eq!(exit, 1, "{printed}");
    assert!(printed.contains("error: ") && printed.contains("hint: "), "{printed}");
    assert_eq!(place.right.answered(), 0);
}

#[test]
fn a_plan_that_does_not_hold_is_named_by_line_with_its_next_move() {
    let place = Place::of_files(&terms());
    let good = fs::read_to_string(place.plan()).unwrap();
    let line_of = |text: &str, what: &str| {
        text.lines().position(|line| line.contains(what)).map_or(0, |n| n + 1)
    };
    let (left, right) = (place.left.url(), place.right.url());
    for (from, to, at, says) in [
        ("[soak]\nfor", "[soak]\nfro", "fro =", "fro"),
        ("hold = \"60s\"", "hold = 60", "hold = 60", "hold"),
        ("ramp = [10, 50, 100]", "ramp = [50, 10]", "ramp = [50", "ramp"),
        (right.as_str(), left.as_str(), "right = ", "right"),
        ("schema = 1", "schema = 1 1", "schema = 1 1", "schema"),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from}");
        fs::write(place.plan(), &text).unwrap();
        for command in ["deploy PLAN --yes", "check PLAN"] {
            let (exit, printed) = place.run(command);
            assert_eq!(exit, 2, "{command}: {printed}");
            let place_of = format!("plan.toml:{}: ", line_of(&text, at));
            let told = printed.contains(&place_of) && printed.contains(says);
            assert!(told && printed.contains("hint: "), "{command}, {place_of}: {printed}");
        }
    }
    assert!(place.runs().is_empty());
    let (exit, printed) = place.run("deploy nowhere.toml --yes");
    assert_eq!(exit, 2, "{printed}");
    assert!(printed.contains("nowhere.toml"), "{printed}");
}
