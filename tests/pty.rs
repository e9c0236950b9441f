//! The built program in a real terminal: what a person sees, and that the terminal is always
//! given back. The router of these stories is a file, so that nothing needs to be installed.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod stories;
mod support;

use nix::sys::signal::Signal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use support::cockpit::Cockpit;
use support::haproxy::soon;
use support::place::{HOME, Place, Terms, stamps, timeline};
use switchback::feed::{Feed, Link, News};
use switchback::tui;

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
    cockpit.begin_drill().expect("DRILL");
    cockpit.key("r").expect("ALL ON BLUE").key("q").end_drill();
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
    cockpit.key("q").expect("NOBODY GUARDS").no("Leave?");
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
fn a_key_pressed_right_after_changes_of_the_window_is_read_at_once() {
    let place = Place::of_files(&patient());
    let mut cockpit = place.to_split(10);
    for round in 0..8 {
        // The signal of the change and the key come together, again and again.
        cockpit.resize((50, 12)).resize((100, 30)).resize((50, 12)).resize((100, 30)).key("h");
        let (pressed, held) = (Instant::now(), round % 2 == 0);
        cockpit.until("the key is read", |screen| screen.contains("HELD AT 10 %") == held);
        let took = pressed.elapsed();
        assert!(took < Duration::from_secs(1), "round {round}: read after {took:?}");
    }
    cockpit.key("r").expect("BACK ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 3);
    cockpit.is_given_back().unwrap();
    place.flown();
}

/// Says to this test program, run again in a terminal, which of the screens below to show.
const SHOWS: &str = "SHOWS";

/// This test program in a terminal, with a screen of its own and an engine that only speaks once.
fn screen_that(shows: &str) -> Cockpit {
    screen_under(r#"exec "$0" "$@""#, shows)
}

/// The same, as a shell runs it.
fn screen_under(script: &str, shows: &str) -> Cockpit {
    let program = std::env::current_exe().unwrap().display().to_string();
    let test = "a_screen_in_a_process_of_its_own";
    let argv = ["/bin/sh", "-c", script, &program, "--exact", test, "--nocapture"];
    let argv = argv.map(str::to_owned);
    let path = std::env::var("PATH").unwrap();
    let env = [("PATH", &*path), ("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), (SHOWS, shows)];
    Cockpit::open(&argv, &env.map(|(name, value)| (name.to_owned(), value.to_owned())), HOME)
}

/// The other side of [`screen_that`]: without the word in its environment it shows nothing.
#[test]
fn a_screen_in_a_process_of_its_own() {
    static DRAWN: AtomicU32 = AtomicU32::new(0);
    let Ok(shows) = std::env::var(SHOWS) else { return };
    let (commands, mut sent) = tokio::sync::mpsc::unbounded_channel();
    let feed = Arc::new(Feed::default());
    feed.publish(stories::holding().snapshot, News::default());
    let link = Link { feed: Arc::clone(&feed), commands };
    let mut options = tui::Options::default();
    if shows == "a drawing that panics" {
        options.clock = || {
            assert!(DRAWN.fetch_add(1, Ordering::SeqCst) < 20, "no frame can be drawn");
            0
        };
    }
    let (panics, closes) = (shows == "a thread that panics", shows == "a silent engine");
    let other = std::thread::spawn(move || {
        let mut all = Vec::new();
        while let Some(sent) = sent.blocking_recv() {
            assert!(!panics, "a thread has panicked");
            all.push(sent.command);
            if closes {
                feed.close();
            }
        }
        all
    });
    let ended = std::panic::catch_unwind(|| tui::run(link, options));
    match ended {
        Ok(Ok(())) => println!("ENDED WELL, SENT {:?}", other.join().unwrap()),
        Ok(Err(error)) => println!("ENDED: {error:#}"),
        Err(_) => println!("ENDED BY A PANIC"),
    }
}

#[test]
fn where_no_terminal_can_be_taken_it_stays_as_it_was() {
    // A session of its own has no terminal to open, and standard input is none.
    let mut cockpit = screen_under(r#"exec setsid -w "$0" "$@" < /dev/null"#, "no keys");
    cockpit.expect("ENDED: cannot take the terminal");
    assert_eq!(cockpit.exit_code(), 0);
    cockpit.is_given_back().unwrap();
}

#[test]
fn a_panic_in_any_thread_gives_the_terminal_back_before_it_is_told() {
    let mut cockpit = screen_that("a thread that panics");
    cockpit.expect("HOLDING AT 50 %");
    assert!(is_taken(&cockpit));
    cockpit.key("h").expect("ENDED: ").expect("the screen was given up");
    // What was told before the terminal was given back would be gone with the other screen.
    cockpit.expect("a thread has panicked");
    assert_eq!(cockpit.exit_code(), 0);
    cockpit.is_given_back().unwrap();
}

#[test]
fn a_drawing_that_panics_gives_the_terminal_back_too() {
    let mut cockpit = screen_that("a drawing that panics");
    cockpit.expect("HOLDING AT 50 %");
    assert!(is_taken(&cockpit));
    while !cockpit.screen().contains("ENDED") {
        // Each key is a frame.
        cockpit.key("\u{1b}[A");
        std::thread::sleep(Duration::from_millis(20));
    }
    cockpit.expect("no frame can be drawn").expect("ENDED BY A PANIC");
    cockpit.is_given_back().unwrap();
}

#[test]
fn an_engine_that_says_nothing_more_is_said_and_keys_still_reach_it() {
    let mut cockpit = screen_that("a silent engine");
    cockpit.expect("HOLDING AT 50 %").expect("ENGINE SILENT 0:04");
    assert!(!cockpit.screen().contains("space next step"), "{}", cockpit.screen());
    cockpit.key("r").expect("ENDED WELL, SENT [Rollback]");
    assert_eq!(cockpit.exit_code(), 0);
    cockpit.is_given_back().unwrap();
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
