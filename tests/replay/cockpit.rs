//! The built program in a terminal: a run is flown, and played again.

use crate::support::cockpit::Cockpit;
use crate::support::place::{Place, Terms};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use switchback::journal::{self, Entry, JOURNAL, Run, SAMPLES};
use switchback::runbook::Effect;

fn terms() -> Terms {
    Terms { hold: "60s", soak: "1s", ..Terms::default() }
}

/// The rows of the panel that tells of the way back, down to its last stamp.
fn way_back(screen: &str) -> Vec<String> {
    let panel = screen.lines().skip_while(|row| !row.contains("╭ Rollback"));
    let mut rows = Vec::new();
    for row in panel {
        rows.push(row.to_owned());
        if row.contains("users back in band") {
            return rows;
        }
    }
    panic!("no way back on the screen:\n{screen}");
}

/// Flies ten percent out and back; gives what the screen said of the way back.
fn flown(place: &Place) -> Vec<String> {
    let mut cockpit = place.to_split(10);
    cockpit.key("r").until("all four stamps", |screen| {
        screen.contains("✔ router at Blue") && !screen.contains("waiting")
    });
    let rows = way_back(&cockpit.screen());
    cockpit.key("q");
    assert_eq!(cockpit.exit_code(), 3);
    rows
}

fn foot(cockpit: &Cockpit) -> String {
    cockpit.screen().lines().last().unwrap_or_default().to_owned()
}

/// The first mark of each input, but for the very first.
fn marks(run: &Run) -> Vec<String> {
    let of = |turn: &journal::Turn| {
        turn.effects.iter().find_map(|w| {
            let entry = Entry::Effect { n: turn.n, effect: w.effect.clone() };
            journal::mark::of(w.seq, turn.at, &entry).map(|mark| mark.label)
        })
    };
    run.turns.iter().skip(1).filter_map(of).collect()
}

#[test]
fn a_flown_run_is_played_again_and_nothing_in_it_can_be_moved() {
    let place = Place::of_files(&terms());
    let live = flown(&place);
    let directory = place.runs().remove(0);
    let bytes = fs::read(directory.join(JOURNAL)).unwrap();
    let mut replay = place.cockpit("replay");
    replay.expect("REPLAY DEPLOY").expect("REPLAY 0:0");
    // Stopped, time stands: also where it is waited for.
    replay.key(" ").expect("paused");
    let (stands, began) = (foot(&replay), Instant::now());
    replay.until("a second and a half", |_| began.elapsed() > Duration::from_millis(1_500));
    assert_eq!(foot(&replay), stands);
    // One event is one event, on and back.
    let inputs = journal::read(&directory).unwrap().last_n;
    replay.key("0").expect("REPLAY 0:00").key(".").expect(&format!("input 2 of {inputs}: "));
    replay.key(".").expect(&format!("input 3 of {inputs}: "));
    replay.key(",").expect(&format!("input 2 of {inputs}: "));
    // The marks are the journal's, one after the other.
    replay.key("0").expect("REPLAY 0:00");
    for label in marks(&journal::read(&directory).unwrap()) {
        replay.key("]").expect(&label);
        if let Some((_, step)) = label.split_once(" step.entered ") {
            replay.expect(&format!("STEP {}", step.split(' ').next().unwrap()));
        }
    }
    replay.key("[[[[").expect_no("(exit 3)");
    // What moves users in a cockpit moves nobody here.
    for key in ["r", "\u{12}", "h", "y", "n"] {
        replay
            .key(",")
            .expect_no("nothing moves")
            .key(key)
            .expect("this is a replay: nothing moves");
    }
    assert_eq!(place.weights(), [100, 0]);
    replay
        .key("?")
        .expect("to the next mark: step, switch, trip")
        .key("?")
        .expect_no("to the next mark:");
    // The end is the live one.
    replay.key("\u{1b}[F").expect("the end").expect("(exit 3)");
    assert_eq!(way_back(&replay.screen()), live);
    replay.resize((80, 24)).expect("REPLAY DEPLOY").until("the position", |screen| {
        screen.lines().last().is_some_and(|row| row.contains(" · the end"))
    });
    replay.key("q");
    assert_eq!(replay.exit_code(), 0);
    replay.is_given_back().unwrap();
    assert_eq!(fs::read(directory.join(JOURNAL)).unwrap(), bytes, "nothing is written");
    assert_eq!(place.runs().len(), 1, "a replay is no run");
}

#[test]
fn asked_to_end_a_replay_gives_the_terminal_back() {
    let place = Place::of_files(&terms());
    flown(&place);
    for signal in [nix::sys::signal::Signal::SIGTERM, nix::sys::signal::Signal::SIGINT] {
        let mut replay = place.cockpit("replay --at 0:02 --speed 0.25");
        replay.expect("REPLAY 0:02").expect("0.25x").signal(signal);
        assert_eq!(replay.exit_code(), 0);
        replay.is_given_back().unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in [JOURNAL, SAMPLES] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[test]
fn a_bundle_is_played_as_its_run_and_one_that_was_changed_is_refused_with_its_line() {
    let place = Place::of_files(&terms());
    flown(&place);
    let run = place.runs().remove(0);
    let bundle = place.path("somewhere/evidence");
    copy(&run, &bundle);
    let (exit, of_run) = place.run("replay --plain");
    let (other, of_bundle) = place.run(&format!("replay {} --plain", bundle.display()));
    assert_eq!((exit, other), (0, 0), "{of_bundle}");
    assert!(of_run.contains("each as journalled, byte for byte"), "{of_run}");
    let but_output = |text: &str| {
        text.lines().filter(|line| !line.contains(" |  ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(but_output(&of_run), but_output(&of_bundle));
    assert!(of_run.contains("|          the new version is there"), "{of_run}");

    let path = bundle.join(JOURNAL);
    let text = fs::read_to_string(&path).unwrap();
    let changed = text.replacen("1.1.0", "1.1.9", 1);
    assert_ne!(changed, text);
    fs::write(&path, changed).unwrap();
    for form in ["", "--plain", "--json"] {
        let (exit, says) = place.run(&format!("replay {} {form}", bundle.display()));
        assert_eq!(exit, 1, "{says}");
        assert!(says.contains("line 2") && says.contains("\nhint: "), "{says}");
        assert!(!says.contains("REPLAY"), "nothing of it is shown: {says}");
    }
}

#[test]
fn the_records_of_a_replay_are_those_of_the_journal_and_say_what_they_are() {
    let place = Place::of_files(&terms());
    flown(&place);
    let run = place.flown();
    let records = run.effects().filter(|(_, e)| matches!(e, Effect::Record(_))).count();
    let id = run.opened.facts.run.clone();
    let (exit, json) = place.run(&format!("replay {} --json", &id[id.len() - 4..]));
    assert_eq!(exit, 0, "{json}");
    assert_eq!(json.lines().count(), records);
    for line in json.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["replay"], true);
        assert_eq!(line["kind"], "deploy");
    }
    let (_, all) = place.run("replay");
    let (_, later) = place.run("replay --at 0:03");
    assert!(later.lines().count() < all.lines().count() && later.starts_with("REPLAY DEPLOY"));
    let (exit, says) = place.run("replay 9999");
    assert!(exit == 2 && says.contains("hint: "), "{says}");
    let (exit, says) = place.run("replay ./nowhere");
    assert!(exit == 1 && says.contains(JOURNAL), "{says}");
    let (exit, says) = place.run("replay --speed 3");
    assert!(exit == 2 && says.contains("--speed 4"), "{says}");
}

#[test]
fn a_run_that_is_still_flown_is_played_as_far_as_it_is_written() {
    let place = Place::of_files(&terms());
    let mut cockpit = place.cockpit("deploy PLAN");
    cockpit.expect("press space to deploy").key("l").expect("1 Confirm the way back: begun");
    let (exit, says) = place.run("replay --plain");
    assert_eq!(exit, 0, "{says}");
    assert!(says.contains("the run goes on: this is what was written"), "{says}");
    cockpit.key("q");
    assert_eq!(cockpit.exit_code(), 0);
}

#[test]
fn past_runs_are_summed_up_below_their_list() {
    let place = Place::of_files(&terms());
    flown(&place);
    let (exit, says) = place.run("runs");
    assert_eq!(exit, 0, "{says}");
    let paragraph = says.split("\n\n").nth(1).unwrap();
    let begins = "deploys 1: 1 rolled back · change failure rate 1 of 1 that users saw · back in ";
    assert!(paragraph.starts_with(begins), "{says}");
    let (_, json) = place.run("runs --json");
    let row: serde_json::Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!((&row["moved"], &row["indexed"]), (&true.into(), &true.into()), "{row}");
    // An index that was written over is believed to its break, and a run that is gone is named.
    let run = place.runs().remove(0);
    fs::remove_dir_all(&run).unwrap();
    let name = run.file_name().unwrap().to_str().unwrap().to_owned();
    let (_, says) = place.run("runs");
    assert!(says.contains(&format!("its directory is gone: {name}")), "{says}");
    let index = run.parent().unwrap().join("index.jsonl");
    let text = fs::read_to_string(&index).unwrap();
    fs::write(&index, format!("{text}{}", text.replace("\"rolled_back\"", "\"kept\""))).unwrap();
    let (_, says) = place.run("runs");
    // Its end and its bundle have a line each.
    assert!(says.contains("believed up to line 2 only: "), "{says}");
    assert!(says.contains("deploys 1: 1 rolled back"), "{says}");
}
