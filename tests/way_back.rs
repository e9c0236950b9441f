//! `switchback rollback` on bad days: what is missing or broken beside the router is no reason to
//! leave users where they are.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod support;

use nix::sys::signal::Signal;
use std::fs;
use std::process::Command;
use std::time::Instant;
use support::lines::Lines;
use support::place::{Place, Terms, timeline};
use switchback::journal;

/// Held for so long at each step of the ramp that nothing moves by itself.
fn patient() -> Terms {
    Terms { hold: "60s", ..Terms::default() }
}

/// What is said of each of the four stamps, and of Blue.
fn is_told_whole(printed: &str) {
    for words in [
        "router at ",
        "first answer from ",
        "last answer from ",
        "users back in band",
        "Blue left is ready",
    ] {
        assert!(printed.contains(words), "nothing of `{words}`:\n{printed}");
    }
}

/// Gives `[health]` a header that wants a secret, from a file of the place.
fn with_secret(place: &Place) -> std::path::PathBuf {
    let token = place.path("token");
    fs::write(&token, "long-enough-to-be-masked\n").unwrap();
    let text = fs::read_to_string(place.plan()).unwrap();
    let header = "[health]\nheaders = { Authorization = \"Bearer {token}\" }";
    let secret = format!("\n[secrets]\ntoken = {{ file = \"{}\" }}\n", token.display());
    fs::write(place.plan(), text.replace("[health]", header) + &secret).unwrap();
    token
}

#[test]
fn a_secret_that_is_gone_does_not_stop_the_way_back() {
    let place = Place::of_files(&patient());
    let token = with_secret(&place);
    place.to_split(10).kill();
    fs::remove_file(&token).unwrap();
    let (exit, printed) = place.run("rollback PLAN");
    assert_eq!((exit, place.weights()), (0, [100, 0]), "{printed}");
    assert!(printed.contains("warning: ") && printed.contains("token"), "{printed}");
    let (exit, printed) = place.run("rollback PLAN --to right");
    assert_eq!((exit, place.weights()), (0, [0, 100]), "{printed}");
    // What is not on its way back has time to be set right.
    let (exit, printed) = place.run("deploy PLAN --yes");
    assert_eq!(exit, 2, "{printed}");
}

#[test]
fn a_cockpit_that_is_stopped_does_not_keep_others_from_going_back() {
    let place = Place::of_files(&patient());
    let mut cockpit = place.to_split(10);
    cockpit.signal(Signal::SIGSTOP);
    let began = Instant::now();
    let (exit, printed) = place.run("rollback PLAN");
    assert_eq!((exit, place.weights()), (0, [100, 0]), "{printed}");
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    let pid = format!("process {}", cockpit.pid());
    assert!(printed.contains(&pid) && printed.contains("does not answer"), "{printed}");
    is_told_whole(&printed);
    let (exit, printed) = place.run("rollback PLAN --to right");
    assert_eq!((exit, place.weights()), (0, [0, 100]), "{printed}");
    let (exit, printed) = place.run("rollback PLAN --to left");
    assert_eq!((exit, place.weights()), (0, [100, 0]), "{printed}");
    cockpit.signal(Signal::SIGCONT);
    cockpit.expect("somebody else moved the split");
    assert_eq!(place.weights(), [100, 0]);
}

#[test]
fn what_was_done_without_a_run_is_not_taken_for_somebody_elses_doing() {
    let place = Place::of_files(&patient());
    let mut cockpit = place.to_split(10);
    cockpit.key("r").expect("BACK ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 3);
    let (exit, printed) = place.run("rollback PLAN --to right");
    assert_eq!((exit, place.weights()), (0, [0, 100]), "{printed}");
    let (_, listed) = place.run("runs");
    assert!(listed.contains("deploys 1: 1 rolled back"), "{listed}");
    assert!(!listed.contains("rehearsal") && !listed.contains("gone"), "{listed}");
    let next = |expected: bool| {
        let mut cockpit = place.cockpit("deploy PLAN");
        cockpit.expect("press space to deploy").key("q");
        assert_eq!(cockpit.exit_code(), 0);
        let run = journal::read(place.runs().last().unwrap()).unwrap();
        let said = timeline(&run).contains("changed outside Switchback: ");
        assert_eq!(said, expected, "{}", timeline(&run));
    };
    next(false);
    // Nor where the run that was left open is closed by the next one only then.
    let (exit, printed) = place.run("rollback PLAN --to left");
    assert_eq!((exit, place.weights()), (0, [100, 0]), "{printed}");
    next(false);
    // What somebody else does is told all the same.
    fs::write(place.path("split"), "left=0 right=100\n").unwrap();
    next(true);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_run_that_was_cut_off_is_taken_back_on_a_full_disk() {
    let place = Place::new(&patient()).with_users(20);
    place.to_split(10).kill();
    let full = |args: &str| {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#"trap '' XFSZ; ulimit -f 0; exec "$0" "$@""#]);
        command.args(place.argv(args)).env_clear().envs(place.env());
        Lines::start(command).end()
    };
    let (exit, printed) = full("rollback PLAN");
    assert_eq!((exit, place.weights()), (0, [100, 0]), "{printed}");
    assert!(printed.contains("cannot be written"), "{printed}");
    is_told_whole(&printed);
    // Also where the operator says the slot, and where not even the lock can be had.
    place.haproxy().ask("set weight app/app_a 60; set weight app/app_b 40").unwrap();
    fs::remove_dir_all(place.path("runtime")).unwrap();
    fs::write(place.path("runtime"), "").unwrap();
    let (exit, printed) = full("rollback PLAN --to left");
    assert_eq!((exit, place.weights()), (0, [100, 0]), "{printed}");
}

#[test]
fn a_journal_that_lost_its_samples_is_not_believed_to_have_moved_nobody() {
    let place = Place::of_files(&patient());
    place.to_split(10).kill();
    // As after a power cut: what nobody had waited for is not on the disk.
    fs::write(place.runs()[0].join("samples.jsonl"), "").unwrap();
    let (exit, printed) = place.run("deploy PLAN --yes --plain");
    assert_eq!((exit, place.weights()), (1, [90, 10]), "{printed}");
    assert!(printed.contains("step 5 and may have left users on Green"), "{printed}");
    let (exit, printed) = place.run("rollback PLAN");
    assert_eq!((exit, place.weights()), (0, [100, 0]), "{printed}");
    assert!(printed.contains("inputs of this run are missing"), "{printed}");
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_router_that_does_not_come_back_ends_it_with_4_and_in_time() {
    let place = Place::new(&patient());
    let cockpit = place.to_split(10);
    cockpit.signal(Signal::SIGSTOP);
    place.stop_router(true);
    let began = Instant::now();
    let (exit, printed) = place.run("rollback PLAN");
    assert_eq!(exit, 4, "{printed}");
    assert!(began.elapsed().as_secs() < 40, "{:?}", began.elapsed());
    assert!(printed.contains("error: ") && printed.contains("hint: "), "{printed}");
    place.stop_router(false);
    assert_eq!(place.weights(), [90, 10]);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn every_way_back_tells_the_four_stamps_and_how_blue_is() {
    let place = Place::new(&patient()).with_users(40);
    let mut cockpit = place.to_split(10);
    let (exit, printed) = place.run("rollback PLAN");
    assert_eq!((exit, place.weights()), (0, [100, 0]), "{printed}");
    is_told_whole(&printed);
    cockpit.expect("BACK ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 3);
    place.haproxy().ask("set weight app/app_a 60; set weight app/app_b 40").unwrap();
    let (exit, printed) = place.run("rollback PLAN --to left");
    assert_eq!((exit, place.weights()), (0, [100, 0]), "{printed}");
    is_told_whole(&printed.replace("left is ready", "Blue left is ready"));
    assert!(printed.contains("first answer from left after"), "{printed}");
    place.to_split(10).kill();
    let (exit, printed) = place.run("rollback PLAN");
    assert_eq!((exit, place.weights()), (0, [100, 0]), "{printed}");
    is_told_whole(&printed);
}
