//! The built program in a real terminal: what a person sees, and that the terminal is always
//! given back. The router of these stories is a file, so that nothing needs to be installed.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod support;

use nix::sys::signal::Signal;
use support::cockpit::Cockpit;
use support::haproxy::soon;
use support::place::{Place, Terms, stamps, timeline};

/// Held for so long at each step of the ramp that nothing moves by itself.
fn patient() -> Terms {
    Terms { hold: "60s", soak: "1s", ..Terms::default() }
}

fn is_taken(cockpit: &Cockpit) -> bool {
    cockpit.is_raw() && cockpit.is_given_back().is_err()
}

#[test]
fn it_leaves_the_terminal_as_it_was() {
    let place = Place::of_files(&patient());
    let mut cockpit = place.cockpit("deploy PLAN");
    cockpit.expect("press space to deploy");
    assert!(is_taken(&cockpit), "or this story shows nothing");
    let help = "all traffic to Blue, at once, in every state";
    cockpit.key("?").expect(help).key("?").expect_no(help);
    cockpit.key("l").expect_no("Gate 1").expect("1 Confirm the way back: begun").key("\u{1b}");
    // A key that comes in one breath with Esc would be Alt and that key.
    cockpit
        .expect("Gate 1")
        .key("n")
        .expect("Enter keep the note")
        .key("watching the export page\r");
    cockpit.expect("watching the export page").key("q");
    assert_eq!(cockpit.exit_code(), 0);
    cockpit.is_given_back().unwrap();
    assert!(cockpit.screen().contains("switchback resume"), "{}", cockpit.screen());
    let seen = timeline(&place.flown());
    assert!(seen.contains("Looked(Log)") && seen.contains("Looked(Help)"), "{seen}");
    assert!(seen.contains("watching the export page"), "{seen}");
}

#[test]
fn a_drill_is_the_same_program_and_says_that_it_is_one() {
    let place = Place::of_files(&patient());
    let mut cockpit = place.cockpit("drill plain-sailing");
    cockpit.expect("DRILL").expect("press space to deploy");
    cockpit.key("r").expect("ALL ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 5);
    cockpit.is_given_back().unwrap();
    place.flown();
}

#[test]
fn asked_to_end_it_gives_the_terminal_back() {
    let place = Place::of_files(&patient());
    let mut cockpit = place.cockpit("deploy PLAN");
    cockpit.expect("press space to deploy");
    cockpit.signal(Signal::SIGTERM);
    assert_eq!(cockpit.exit_code(), 0, "no user was moved");
    cockpit.is_given_back().unwrap();
    place.flown();
}

#[test]
fn the_shell_gets_the_terminal_for_a_while_and_gives_it_back() {
    let place = Place::of_files(&patient());
    let script = r#"set -m; "$0" "$@"; echo SUSPENDED; read x; fg; echo "ENDED $?""#;
    let mut cockpit = place.cockpit_under_a_shell(script, "deploy PLAN");
    cockpit.expect("press space to deploy").key("\u{1a}").expect("SUSPENDED");
    cockpit.is_given_back().unwrap();
    cockpit.key("\n").expect("press space to deploy");
    assert!(is_taken(&cockpit));
    cockpit.key("q").expect("ENDED 0");
    cockpit.is_given_back().unwrap();
    let seen = timeline(&place.flown());
    assert!(seen.contains("given back to the shell") && seen.contains("taken again"), "{seen}");
}

#[test]
fn while_green_has_users_the_shell_must_wait() {
    let place = Place::of_files(&patient());
    let mut cockpit = place.to_split(10);
    cockpit.key("\u{1a}").expect("somebody must watch");
    assert!(is_taken(&cockpit));
    cockpit.key("q").expect("NOBODY GUARDS").key("n").expect_no("y yes: ");
    // Under any overlay the way back is one key.
    cockpit.key("?").expect("all traffic to Blue, at once").key("r").expect("BACK ON BLUE");
    assert_eq!(place.weights(), [100, 0]);
    cockpit.key("q");
    assert_eq!(cockpit.exit_code(), 3);
    cockpit.is_given_back().unwrap();
    place.flown();
}

#[test]
fn the_key_for_text_fields_goes_back_from_within_one() {
    let place = Place::of_files(&patient());
    let mut cockpit = place.to_split(10);
    cockpit.key("n").expect("Enter keep the note").key("rrr").expect("rrr");
    assert_eq!(place.weights(), [90, 10], "text is text");
    // What is pasted outside a field is no key.
    cockpit.key("\u{1b}").expect_no("Enter keep the note").key("\u{1b}[200~r y q\u{1b}[201~");
    cockpit.key("n").expect("Enter keep the note").key("\u{12}").expect("BACK ON BLUE");
    assert_eq!(place.weights(), [100, 0]);
    cockpit.key("\u{1b}").expect_no("Enter keep the note").key("q");
    assert_eq!(cockpit.exit_code(), 3);
    cockpit.is_given_back().unwrap();
    let seen = timeline(&place.flown());
    assert_eq!(seen.matches("RollbackStarted").count(), 1, "{seen}");
}

#[test]
fn a_window_that_is_closed_is_noticed_and_traffic_stays() {
    let place = Place::of_files(&patient());
    let mut cockpit = place.to_split(10);
    cockpit.key("l");
    cockpit.hang_up();
    assert_eq!(cockpit.exit_code(), 4);
    assert_eq!(place.weights(), [90, 10]);
    assert!(timeline(&place.flown()).contains("the terminal went away"));
}

#[test]
fn a_router_of_two_commands_is_flown_to_the_end() {
    let place = Place::of_files(&Terms { ramp: "[25, 100]", hold: "1s", ..patient() });
    let mut cockpit = place.to_soak();
    cockpit.send(25).expect("router reads 75/25");
    assert_eq!(place.weights(), [75, 25]);
    cockpit.send(100).expect("WATCHING AT 100 %");
    // Nobody counts users here: that is said, and the operator decides.
    cockpit.yes("unproven").expect("KEPT · BLUE WARM").key("q");
    assert_eq!(cockpit.exit_code(), 0);
    assert_eq!(place.weights(), [0, 100]);
    assert!(place.flown().closed.is_some());
}

#[test]
fn a_router_of_two_commands_brings_users_back() {
    let place = Place::of_files(&patient());
    let mut cockpit = place.to_split(10);
    cockpit.key("r").expect("BACK ON BLUE").expect("reading once more").key("q");
    assert_eq!(cockpit.exit_code(), 3);
    assert_eq!(place.weights(), [100, 0]);
    assert!(stamps(&place.flown()) >= 1);
}

#[test]
fn a_terminal_that_takes_no_bytes_does_not_stop_the_way_back() {
    let place = Place::of_files(&patient());
    let mut cockpit = place.to_split(10);
    cockpit.freeze(true);
    // More than any terminal holds: the drawing blocks in the middle of a frame.
    let pid = cockpit.pid();
    soon("the drawing blocks", || {
        cockpit.key("lo");
        waits_to_write(pid)
    });
    cockpit.key("r");
    place.soon_at([100, 0]);
    cockpit.freeze(false);
    cockpit.expect("BACK ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 3);
    cockpit.is_given_back().unwrap();
    place.flown();
}

/// Whether the process's drawing thread, which is its first, waits for room in the terminal:
/// poll(2) or ppoll(2) on one file. With nothing to draw it waits for its bell, on a futex.
fn waits_to_write(pid: u32) -> bool {
    let call = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/syscall"));
    let call = call.unwrap_or_default();
    let words: Vec<&str> = call.split(' ').collect();
    matches!(words[..], ["7" | "73", _, "0x1", ..])
}
