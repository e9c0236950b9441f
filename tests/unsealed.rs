//! A recording that shows a secret in spite of all: whoever is at the terminal is asked once, and
//! whatever they answer is done and told.
//!
//! The secret of these stories is a sentence of the help page, which no plan can keep off it.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod support;

use std::fs;
use support::cockpit::Cockpit;
use support::place::{Place, Terms};

const SECRET: &str = "all traffic to Blue, at once, in every state";
const QUESTION: &str = "seal the run without its recording? [y/N]";

fn with_secret() -> Place {
    let place = Place::of_files(&Terms { hold: "60s", soak: "1s", ..Terms::default() });
    let token = place.path("token");
    fs::write(&token, format!("{SECRET}\n")).unwrap();
    let text = fs::read_to_string(place.plan()).unwrap();
    let secret = format!("\n[secrets]\ntoken = {{ file = \"{}\" }}\n", token.display());
    fs::write(place.plan(), text + &secret).unwrap();
    place
}

/// Flies a run whose help page was looked at, to its end and the question.
fn to_the_question(place: &Place) -> Cockpit {
    let mut cockpit = place.cockpit("deploy PLAN");
    cockpit.expect("press space to deploy").key("?").expect(SECRET).key("?").expect_no(SECRET);
    cockpit.key("r").expect("ALL ON BLUE").key("q").expect(QUESTION);
    cockpit.is_given_back().unwrap();
    let screen = cockpit.screen();
    assert!(screen.contains("s into session.cast, row "), "the place is named: {screen}");
    assert!(!screen.contains(SECRET), "what was found is not: {screen}");
    cockpit
}

fn unsealed(place: &Place) {
    let run = &place.runs()[0];
    assert!(!run.join("evidence").exists() && !run.join("evidence.part").exists());
}

fn id(place: &Place) -> String {
    let name = place.runs()[0].file_name().unwrap().to_string_lossy().into_owned();
    name.rsplit('-').next().unwrap().to_owned()
}

#[test]
fn no_leaves_it_unsealed_with_the_command_that_seals_it() {
    let place = with_secret();
    let mut cockpit = to_the_question(&place);
    cockpit.key("n\n");
    assert_eq!(cockpit.exit_code(), 5, "the run ended as it ended");
    let screen = cockpit.screen().replace('\n', " ");
    assert!(screen.contains("is not sealed"), "{screen}");
    let command = format!("switchback report {} --without-recording", id(&place));
    assert!(screen.contains(&command), "{screen}");
    assert_eq!(screen.matches(QUESTION).count(), 1, "{screen}");
    unsealed(&place);
    // It is a command that works.
    let (exit, printed) = place.run(&command["switchback ".len()..]);
    assert_eq!(exit, 0, "{printed}");
    assert!(!place.runs()[0].join("evidence/session.cast").exists());
}

#[test]
fn yes_seals_it_without_the_recording_and_page_one_says_so() {
    let place = with_secret();
    let mut cockpit = to_the_question(&place);
    cockpit.key("y\n");
    assert_eq!(cockpit.exit_code(), 5);
    let screen = cockpit.screen();
    assert!(screen.contains("left out: session.cast"), "{screen}");
    let run = &place.runs()[0];
    assert!(run.join("session.cast").is_file(), "it stays with the run");
    assert!(!run.join("evidence/session.cast").exists());
    let page = fs::read_to_string(run.join("evidence/report.html")).unwrap();
    let said = page.find("without the recording").expect("it says so");
    assert!(said < page.find("</header>").unwrap(), "on page one");
}

#[test]
fn ctrl_c_at_the_question_leaves_it_unsealed_and_that_is_told() {
    let place = with_secret();
    let mut cockpit = to_the_question(&place);
    cockpit.key("\u{3}");
    assert_eq!(cockpit.exit_code(), 5, "the run ended as it ended");
    let screen = cockpit.screen().replace('\n', " ");
    assert!(screen.contains("is not sealed"), "{screen}");
    assert!(screen.contains("--without-recording"), "{screen}");
    unsealed(&place);
}

#[test]
fn the_same_is_asked_where_the_report_is_asked_for() {
    let place = with_secret();
    let mut cockpit = to_the_question(&place);
    cockpit.key("\n");
    assert_eq!(cockpit.exit_code(), 5);
    let mut report = place.cockpit("report");
    report.expect(QUESTION).key("\u{3}");
    assert_eq!(report.exit_code(), 1);
    assert!(report.screen().contains("--without-recording"), "{}", report.screen());
    unsealed(&place);
    let mut report = place.cockpit("report");
    report.expect(QUESTION).key("y\n");
    assert_eq!(report.exit_code(), 0);
    assert!(place.runs()[0].join("evidence/report.html").is_file());
}
