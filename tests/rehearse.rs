//! Rehearsals of the way back, flown by the built program: on a real HAProxy with users, and on a
//! router of two commands where nobody needs to be moved.
//!
//! The flights on HAProxy are ignored by plain `cargo test`; where it is missing they fail and name
//! the command that installs it.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod support;

use std::fs;
use std::time::{Duration, Instant};
use support::place::{Place, Terms, flown, stamps, timeline};
use support::site::Ill;
use switchback::journal::Run;
use switchback::runbook::{Act, Effect, Event, Kind, Outcome, Readback};
use switchback::runs::index;
use switchback::units::Slot;

/// Both slots run what Blue runs.
fn same(place: Place) -> Place {
    place.right.deploy("1.0.0");
    place
}

/// The largest share of Green that this run ever asked for, or read.
fn most_on_green(run: &Run) -> u8 {
    let green = |split: switchback::units::Split| split.share(Slot::Second).get();
    let asked = run.effects().filter_map(|(_, effect)| match effect {
        Effect::Act { act: Act::SetRouter { split, .. }, .. } => Some(green(*split)),
        _ => None,
    });
    let of = |readback: &Readback| readback.split().map(green);
    let read = run.turns.iter().filter_map(|turn| match &turn.event {
        Event::Read(readback) => of(readback),
        Event::Done { outcome: Outcome::Router(readback), .. } => of(readback),
        _ => None,
    });
    asked.chain(read).max().unwrap_or_default()
}

/// The index's line of the last run.
fn last_line(place: &Place) -> index::IndexLine {
    let (lines, fault) = index::read(&place.path("state/switchback/runs"));
    assert!(fault.is_none(), "{fault:?}");
    lines.into_iter().next_back().unwrap()
}

/// One file of the last run's bundle.
fn of_bundle(place: &Place, name: &str) -> String {
    fs::read_to_string(place.runs().last().unwrap().join("evidence").join(name)).unwrap()
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn one_key_takes_the_small_split_back_and_the_next_deploy_knows_how_long_it_took() {
    let place = same(Place::new(&Terms::default())).with_users(40);
    let (exit, checked) = place.run("check PLAN");
    assert_eq!(exit, 0, "{checked}");
    assert!(checked.contains("the way back was never timed on this router"), "{checked}");

    let mut cockpit = place.cockpit("rehearse PLAN");
    cockpit.expect("REHEARSAL").expect("press space to rehearse").key(" ");
    cockpit.expect("right must name 1.0.0").yes("Rehearse the way back from right");
    cockpit.expect("SOAKING").send(10).expect("HOLDING AT 10 %").expect("r goes back");
    place.soon_at([90, 10]);
    cockpit.expect_no("next step");
    cockpit.key(" ").key("r").expect("BACK ON BLUE");
    assert_eq!(place.weights(), [100, 0]);
    cockpit.expect("✔ first answer from Blue").expect("✔ last answer from Green").key("q");
    assert_eq!(cockpit.exit_code(), 0);
    cockpit.is_given_back().unwrap();
    let run = place.flown();
    assert_eq!(run.opened.facts.kind, Kind::Rehearsal);
    assert!(stamps(&run) >= 3, "{}", timeline(&run));
    assert_eq!(most_on_green(&run), 10);
    assert_eq!(run.opened.overrides["rehearsal"].as_str(), "10 %");
    assert_eq!(place.right.release(), "1.0.0", "nothing was deployed");
    assert_eq!(place.users().failed().0, 0);

    let line = last_line(&place);
    assert_eq!((line.kind, line.exit), (Kind::Rehearsal, 0));
    assert!(line.rollback_us.is_some_and(|us| us > 0 && us < 1_000_000), "{line:?}");
    for name in ["README.txt", "report.html", "report.md"] {
        assert!(of_bundle(&place, name).contains("REHEARSAL"), "{name}");
    }
    let readme = of_bundle(&place, "README.txt");
    assert!(readme.contains("the way back works on this router on that day"), "{readme}");

    let id = place.runs()[0].file_name().unwrap().to_string_lossy().into_owned();
    let (exit, verified) = place.run(&format!("verify {id}"));
    // Intact, by an author whom nobody knows.
    assert_eq!(exit, 2, "{verified}");
    assert!(verified.contains("intact, author unknown"), "{verified}");
    let (exit, listed) = place.run("runs");
    assert_eq!(exit, 0, "{listed}");
    assert!(listed.contains("rehearsals 1: 1 rolled back"), "{listed}");
    let (_, checked) = place.run("check PLAN");
    assert!(checked.contains("the way back last took "), "{checked}");
    let mut cockpit = place.cockpit("deploy PLAN");
    cockpit.expect("last back in ").expect("press space to deploy").key("q");
    assert_eq!(cockpit.exit_code(), 0);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn with_yes_it_goes_back_by_itself() {
    let place = same(Place::new(&Terms::default())).with_users(40);
    let flight = place.lines("rehearse PLAN --yes --plain --percent 5 --hold 3s");
    place.soon_at([95, 5]);
    let (exit, printed) = flight.end();
    assert_eq!(exit, 0, "{printed}");
    assert!(printed.contains("rolled back as rehearsed: router at Blue after"), "{printed}");
    assert_eq!(place.weights(), [100, 0]);
    let run = place.flown();
    assert_eq!(most_on_green(&run), 5);
    assert_eq!(stamps(&run), 4, "{}", timeline(&run));
    assert_eq!(place.users().failed().0, 0);
    assert!(last_line(&place).rollback_us.is_some());
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_limit_that_trips_takes_it_back_and_the_code_says_so() {
    let place = same(Place::new(&Terms::default())).with_users(60);
    let flight = place.lines("rehearse PLAN --yes --plain --hold 60s");
    place.soon_at([90, 10]);
    place.right.set(Some(Ill::Failing));
    let (exit, printed) = flight.end();
    assert_eq!(exit, 3, "{printed}");
    assert_eq!(place.weights(), [100, 0]);
    assert_eq!(most_on_green(&place.flown()), 10);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn killed_at_its_share_another_terminal_takes_it_back() {
    let place = same(Place::new(&Terms::default())).with_users(40);
    let mut cockpit = place.cockpit("rehearse PLAN");
    cockpit.expect("press space to rehearse").key(" ").yes("Rehearse the way back");
    cockpit.expect("SOAKING").send(10);
    place.soon_at([90, 10]);
    cockpit.kill();
    let (exit, printed) = place.run("rehearse PLAN --yes --plain");
    assert_eq!(exit, 1, "{printed}");
    assert!(printed.contains("may have left users on Green"), "{printed}");
    assert_eq!(place.weights(), [90, 10]);
    let (exit, printed) = place.run("rollback PLAN");
    assert_eq!(exit, 0, "{printed}");
    assert_eq!(place.weights(), [100, 0]);
}

// ---- what is no rehearsal is refused, and touches nothing ----

/// Refused with this code and these words; the split is as it was, and no run is left.
fn refused(place: &Place, args: &str, code: i32, words: &str) {
    let (runs, split) = (place.runs().len(), place.weights());
    let (exit, printed) = place.run(args);
    assert_eq!(exit, code, "{args}: {printed}");
    assert!(printed.contains(words), "`{words}` is not in:\n{printed}");
    assert_eq!(place.weights(), split);
    assert_eq!(place.runs().len(), runs, "{printed}");
}

const FLY: &str = "rehearse PLAN --yes --plain";

#[test]
fn another_release_in_green_is_no_rehearsal() {
    let place = Place::of_files(&Terms::default());
    refused(&place, FLY, 1, "left (Blue) runs 1.0.0, and right runs 0.9.0");
    place.right.deploy("1.0.0");
    place.left.deploy("--config=/tmp/mine");
    place.right.deploy("--config=/tmp/mine");
    refused(&place, FLY, 2, "--current");
}

#[test]
fn a_slot_that_is_not_ready_is_not_rehearsed_with() {
    let place = same(Place::of_files(&Terms::default()));
    place.right.set(Some(Ill::NotReady));
    refused(&place, FLY, 1, "slot right (Green) is not ready");
    place.right.set(None);
    place.left.set(Some(Ill::NotReady));
    refused(&place, FLY, 1, "slot left (Blue) is not ready");
}

#[test]
fn a_router_that_cannot_be_read_or_has_no_blue_is_not_rehearsed_on() {
    let place = same(Place::of_files(&Terms::default()));
    fs::write(place.path("split"), "left=90 right=10\n").unwrap();
    refused(&place, FLY, 1, "no slot serves all users");
    fs::remove_file(place.path("split")).unwrap();
    let (exit, printed) = place.run(FLY);
    assert_eq!((exit, place.runs().len()), (1, 0), "{printed}");
    assert!(printed.contains("what is not read back is not rehearsed"), "{printed}");
}

#[test]
fn what_nobody_can_say_is_not_rehearsed_alone() {
    let place = same(Place::of_files(&Terms::default()));
    let text = fs::read_to_string(place.plan()).unwrap();
    let silent = text.replace("release = { header = \"X-Version\" }\n", "");
    assert_ne!(silent, text);
    fs::write(place.plan(), silent).unwrap();
    refused(&place, FLY, 2, "both slots run the same release");
    refused(&place, "rehearse PLAN --yes --percent 51", 2, "--percent");
    refused(&place, "rehearse PLAN --yes --hold 0s", 2, "from 1s to 10m");
    refused(&place, "rehearse PLAN --plain", 2, "not a terminal");
    // By hand it is said in words.
    let mut cockpit = place.cockpit("rehearse PLAN");
    cockpit.expect("press space to rehearse").key(" ").expect("Type `same` to say so");
    cockpit.key("same").expect("to begin: same");
    // A question that has only just come is not answered yet.
    while cockpit.screen().contains("to begin: same") {
        cockpit.key("\r");
        let pressed = Instant::now();
        while pressed.elapsed().as_millis() < 500 && cockpit.screen().contains("to begin: same") {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    cockpit.expect("SOAKING").key("r").expect("ALL ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 5);
}

#[test]
fn beside_a_run_that_is_open_nothing_is_rehearsed() {
    let place = Place::of_files(&Terms { hold: "60s", ..Terms::default() });
    let cockpit = place.to_split(10);
    refused(&place, FLY, 1, &format!("process {}", cockpit.pid()));
    cockpit.kill();
    refused(&place, FLY, 1, "may have left users on Green");
    assert_eq!(place.weights(), [90, 10]);
    // One that was left before anything moved is closed, as by a deploy.
    let (exit, printed) = place.run("rollback PLAN");
    assert_eq!(exit, 0, "{printed}");
    place.right.deploy("1.0.0");
    let mut cockpit = place.cockpit("deploy PLAN");
    cockpit.expect("press space to deploy").key("q");
    assert_eq!(cockpit.exit_code(), 0);
    let (exit, printed) = place.run("rehearse PLAN --yes --plain --hold 1s");
    assert_eq!(exit, 0, "{printed}");
    assert!(printed.contains("left before any weight moved"), "{printed}");
    assert_eq!(most_on_green(&flown(place.runs().last().unwrap())), 10);
    assert_eq!(place.weights(), [100, 0]);
}
