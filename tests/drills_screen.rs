//! A drill as its operator has it, in a real terminal: brief, flight, questions, debrief, and what
//! the hangar says of it afterwards.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod support;

use nix::sys::signal::Signal;
use support::cockpit::Cockpit;
use support::place::{HOME, Place, Terms};
use switchback::drill::history::{self, HistoryLine};
use switchback::drill::score::Grade;
use switchback::evidence::exercise::Exercise;
use switchback::lab::scenario;

fn place() -> Place {
    Place::of_files(&Terms::default())
}

fn record(place: &Place) -> Vec<HistoryLine> {
    let (lines, fault) = history::read(&place.path("state/switchback/runs"));
    assert!(fault.is_none(), "{fault:?}");
    lines
}

/// The program in a terminal of another size, in the place's own directory.
fn at_home(place: &Place, args: &str, size: (u16, u16)) -> Cockpit {
    let script = "cd \"$HOME\" && exec \"$0\" \"$@\"";
    let shell = ["/bin/sh", "-c", script].map(str::to_owned);
    let argv: Vec<String> = shell.into_iter().chain(place.argv(args)).collect();
    Cockpit::open(&argv, &place.env(), size)
}

#[test]
fn one_drill_from_its_brief_to_the_hangar() {
    let place = place();
    std::fs::copy(place.plan(), place.path("switchback.toml")).unwrap();
    let mut cockpit = at_home(&place, "drill", HOME);
    cockpit.expect("What to fly").expect("Never flown");
    // The first of level 2 is the ninth of the list.
    (0..8).for_each(|_| {
        cockpit.key("\u{1b}[B");
    });
    cockpit.expect("Twice the pool").key("\r");
    cockpit.expect("24 of 60 connections used").expect_no("63 of 60").key("1").expect("63 of 60");
    // In the whole log: what step 1 says pushes it out of the few lines below the plots.
    cockpit.begin_drill().key("l").expect("shown: db_headroom").key("l");
    cockpit.key(" ").yes("Deploy 1.9.0 to right");
    // A customer is heard without being asked.
    cockpit.expect("from customer: Checkout spins");
    cockpit.key("n").expect("Enter keep the note").key("mark blue\r").expect("mark blue");
    cockpit.key("r").expect("ALL ON BLUE").key("q");
    cockpit.expect("before anything is told").expect_no("Both slots hold a full pool");
    for line in ["the pool", "at the mark", "the sum", "90"] {
        cockpit.expect("_ ").key(line).expect(line).key("\r");
    }
    cockpit.expect("database connections").key("\u{1b}[C\u{1b}[C").key("\r");
    // What the scenario asks besides stands on a page of its own.
    cockpit.expect("before its answer is told").key("the pool\r").key("\u{1b}");
    cockpit.expect("DEBRIEF").expect("of 100").expect("One time axis").expect("nothing done");
    cockpit.key("y").expect("The check stands in ./switchback.toml now.");
    cockpit.key("\u{1b}[F").expect("What happened? the pool").expect("status.tremendous.com");
    cockpit.key("q").expect("What to fly").expect("1 flown").expect("1 hit").expect("shared fate");
    cockpit.key("d").expect("DEBRIEF").expect_no("y check into").key("q").expect("What to fly");
    cockpit.key("r").expect("past runs").expect("DRILL").key("q").expect("What to fly").key("q");
    assert_eq!(cockpit.exit_code(), 0);
    cockpit.is_given_back().unwrap();
    let lines = record(&place);
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    assert_eq!((line.scenario.as_str(), line.blind, line.right), ("twice-the-pool", false, true));
    assert_eq!(line.confidence, Some(0.9));
    let run = place.flown();
    assert!(run.opened.facts.run == line.run);
    let plan = std::fs::read_to_string(place.path("switchback.toml")).unwrap();
    assert!(plan.contains("[[check]]\ntext = \"Add the sum of two pools"), "{plan}");
    let bundle = place.runs()[0].join("evidence");
    let exercise = Exercise::beside(&bundle).unwrap().unwrap();
    exercise.fits(&run).unwrap();
    assert_eq!(exercise.passed, Some(true), "{:?}", exercise.result);
    let [action] = &exercise.corrective_actions[..] else { panic!("one lesson") };
    assert!(action.closed_on.is_some() && action.evidence.as_str().contains("own plan"));
    assert!(exercise.review.by_the_operator && exercise.history.is_some());
    let (_, says) = place.run(&format!("verify {}", bundle.display()));
    assert!(says.contains("by the program's word"), "{says}");
    let report = std::fs::read_to_string(bundle.join("report.html")).unwrap();
    assert!(report.contains("The lab is not your production") && report.contains("CP-3(1)"));
}

#[test]
fn a_drill_that_is_left_before_a_call_is_on_the_record_and_tells_nothing() {
    let place = place();
    let mut cockpit = place.cockpit("drill wall-of-red");
    cockpit.begin_drill().key("q");
    assert_eq!(cockpit.exit_code(), 0);
    cockpit.is_given_back().unwrap();
    let screen = cockpit.screen();
    assert!(screen.contains("drill: abandoned"), "{screen}");
    assert!(!screen.contains("cloudflare"), "{screen}");
    let lines = record(&place);
    assert_eq!((lines.len(), lines[0].grade, lines[0].score), (1, Grade::Abandoned, 0));
}

#[test]
fn whatever_ends_it_the_terminal_is_as_it_was() {
    let place = place();
    // Ctrl-C, being asked to end, and a brief that is declined.
    for (args, sight, key) in [
        ("drill", "What to fly", "\u{3}"),
        ("drill plain-sailing", "space begins the flight", "\u{3}"),
        ("drill plain-sailing", "space begins the flight", "q"),
    ] {
        let mut cockpit = place.cockpit(args);
        cockpit.expect(sight).key(key);
        assert_eq!(cockpit.exit_code(), 0, "{args} {key:?}");
        cockpit.is_given_back().unwrap();
    }
    let mut cockpit = place.cockpit("drill");
    cockpit.expect("What to fly").signal(Signal::SIGTERM);
    assert_eq!(cockpit.exit_code(), 0);
    cockpit.is_given_back().unwrap();
    assert!(place.runs().is_empty() && record(&place).is_empty(), "nothing was flown");
    // Among the questions: the flight counts, and its debrief is shown by the next key's page.
    let mut cockpit = place.cockpit("drill plain-sailing");
    cockpit.begin_drill().key("r").expect("ALL ON BLUE").key("q");
    cockpit.expect("before anything is told").key("\u{3}").expect("DEBRIEF").key("\u{3}");
    assert_eq!(cockpit.exit_code(), 5);
    cockpit.is_given_back().unwrap();
    assert_eq!(record(&place).len(), 1);
}

#[test]
fn a_terminal_that_is_closed_among_the_questions_loses_no_flight() {
    let place = place();
    let mut cockpit = place.cockpit("drill plain-sailing");
    cockpit.begin_drill().key("r").expect("ALL ON BLUE").key("q");
    cockpit.expect("before anything is told");
    cockpit.hang_up();
    support::haproxy::soon("the flight is on the record", || record(&place).len() == 1);
}

#[test]
fn a_blind_drill_is_a_codename_until_it_is_over() {
    let place = place();
    let mut cockpit = place.cockpit("drill wall-of-red --blind");
    let codename = scenario::load("wall-of-red").unwrap().drill.codename;
    cockpit.expect(&codename).expect("space begins").expect_no("Wall of red").expect_no("seed");
    cockpit.begin_drill().expect_no("Wall of red").key("r").expect("ALL ON BLUE").key("q");
    cockpit.expect("before anything is told").expect(&codename).expect_no("Wall of red");
    cockpit.key("\u{1b}").expect("DEBRIEF Wall of red".trim_start_matches("DEBRIEF ")).key("q");
    assert_eq!(cockpit.exit_code(), 5);
    assert!(record(&place)[0].blind);
}

#[test]
fn in_lines_it_is_the_same_story() {
    let place = place();
    let (exit, listed) = place.run("drill");
    assert_eq!(exit, 0);
    assert!(listed.contains("switchback drill wall-of-red") && listed.contains("new"), "{listed}");
    let mut drill = place.lines("drill wall-of-red --plain --yes");
    drill.expect("What step 1 shows");
    let (exit, said) = drill.end();
    assert_eq!(exit, 3, "{said}");
    assert!(said.contains("of 100") && said.contains("What went right"), "{said}");
    assert!(!said.contains('?') || !said.contains("y, n or l"), "nobody is asked: {said}");
    assert_eq!(record(&place).len(), 1);
    let (_, listed) = place.run("drill");
    assert!(listed.contains("By family"), "{listed}");
    // Nothing of a scenario that was not flown.
    for secret in ["BAD", "GOOD", "SHARED", "UNSAFE", "THIN"] {
        assert!(!listed.contains(secret), "{listed}");
    }
}

#[test]
fn hints_are_given_in_the_brief_and_in_flight_and_have_their_price() {
    let place = place();
    let mut cockpit = place.cockpit("drill twice-the-pool");
    cockpit.expect("the next of 2 hints, at 5 points each").expect_no("hint 1 of 2");
    cockpit.key("h").expect("hint 1 of 2: Which slot do the errors belong to?");
    cockpit.begin_drill().key("l").expect("hint 1 of 2").expect_no("hint 2 of 2");
    cockpit.key("n").expect("Enter keep the note").key("hint\r");
    cockpit.expect("hint 2 of 2: What do both slots share?").key("l");
    cockpit.key("r").expect("ALL ON BLUE").key("q");
    cockpit.expect("before anything is told").key("\u{1b}");
    cockpit.expect("2 hints taken, at 5 points each").key("q");
    assert_eq!(cockpit.exit_code(), 5);
    assert_eq!(record(&place)[0].hints, 2);
    let journal = place.flown();
    assert!(format!("{:?}", journal.turns).contains("hint 2 of 2"), "the journal has it");
}

#[test]
fn whoever_had_the_answer_printed_is_told_so_and_sets_no_record() {
    let place = place();
    let (exit, said) = place.run("drill plain-sailing --bot oracle --seeds 1");
    assert_eq!(exit, 0, "{said}");
    let (exit, said) = place.run("drill plain-sailing --bot orakel");
    assert_eq!(exit, 2, "{said}");
    let mut cockpit = place.cockpit("drill plain-sailing");
    cockpit.expect("You have seen its answer on").expect("by letting bots fly it");
    cockpit.begin_drill().key("r").expect("ALL ON BLUE").key("q");
    cockpit.expect("before anything is told").key("\u{1b}");
    cockpit.expect("DEBRIEF").expect("Kept as spoiled").key("q");
    assert_eq!(cockpit.exit_code(), 5);
    let lines = record(&place);
    assert!(lines.len() == 1 && lines[0].spoiled && !lines[0].counts(), "{lines:?}");
    let (_, listed) = place.run("drill");
    assert!(listed.contains("1 spoiled"), "{listed}");
    // Of another nothing was seen.
    let mut cockpit = place.cockpit("drill wall-of-red");
    cockpit.expect("space begins").expect_no("You have seen").key("q");
    assert_eq!(cockpit.exit_code(), 0);
}

#[test]
fn a_drill_that_is_drawn_is_one_of_the_catalogue_and_known_when_it_is_over() {
    let place = place();
    let mut cockpit = place.cockpit("drill --blind");
    cockpit.expect("blind: a codename, and no more").expect_no("seed").expect_no("level 1");
    cockpit.begin_drill().key("r").expect("ALL ON BLUE").key("q");
    cockpit.expect("before anything is told").key("\u{1b}").expect("DEBRIEF").key("q");
    cockpit.exit_code();
    let line = &record(&place)[0];
    let drawn = scenario::load(&line.scenario).unwrap();
    assert!(line.blind && drawn.drill.level == 1, "{line:?}");
}

#[test]
fn a_terminal_that_is_closed_in_flight_leaves_a_line_and_a_whole_run() {
    let place = place();
    let mut cockpit = place.cockpit("drill wall-of-red");
    cockpit.begin_drill().expect("press space").hang_up();
    support::haproxy::soon("the flight is on the record", || record(&place).len() == 1);
    let line = &record(&place)[0];
    assert_eq!((line.grade, line.score), (Grade::Abandoned, 0));
    assert_eq!(place.flown().opened.facts.run, line.run);
}

#[test]
fn a_flight_that_was_killed_is_on_the_record_as_left() {
    let place = place();
    let mut cockpit = place.cockpit("drill wall-of-red --seed 402");
    cockpit.begin_drill().expect("press space");
    support::haproxy::soon("that it was begun is written down", || {
        let begun = place.path("state/switchback/runs/drills-begun.jsonl");
        std::fs::read_to_string(begun).is_ok_and(|text| text.contains("wall-of-red"))
    });
    let (_, meanwhile) = place.run("drill");
    assert!(!meanwhile.contains("killed in flight"), "it is still flown: {meanwhile}");
    cockpit.kill();
    assert!(place.run("drill").1.contains("1 abandoned, or killed in flight"));
    let record = record(&place);
    assert_eq!((record[0].scenario.as_str(), record[0].seed), ("wall-of-red", 402));
    assert_eq!((record.len(), record[0].grade, record[0].score), (1, Grade::Abandoned, 0));
}

#[test]
fn a_check_that_is_put_off_stays_open_in_the_hangar_until_it_is_decided() {
    let place = place();
    std::fs::copy(place.plan(), place.path("switchback.toml")).unwrap();
    let mut cockpit = at_home(&place, "drill", HOME);
    cockpit.expect("What to fly").expect_no("check open").key("\r");
    cockpit.begin_drill().key("r").expect("ALL ON BLUE").key("q");
    cockpit.expect("before anything is told").key("\u{1b}");
    cockpit.expect("l later").key("l").expect("Later: it stays open in the hangar");
    cockpit.key("q").expect("1 check open").expect("put off today");
    cockpit.key("p").expect("PROGRESS").expect("Open checks").expect("The next level").key("q");
    cockpit.expect("What to fly").key("d").expect("y check into").key("y");
    cockpit.expect("The check stands in ./switchback.toml now.").key("q");
    cockpit.expect("What to fly").expect_no("check open").key("q");
    assert_eq!(cockpit.exit_code(), 0);
}

#[test]
fn in_lines_the_questions_are_typed_and_their_answers_are_kept() {
    let place = place();
    let mut cockpit = place.cockpit("drill plain-sailing --plain");
    cockpit.expect("type `next` to go on").key("back\r").expect("read once more").key("leave\r");
    let ask = scenario::load_answer("plain-sailing").unwrap().debrief.ask;
    for (asks, says) in [
        ("What happened?", "nothing"),
        ("When did you know?", "never"),
        ("What would you do again?", "look twice"),
        ("How sure were you", "70"),
        ("What told you?", "nothing did"),
        (ask[0].as_str(), "a red sample that stays"),
        (ask[1].as_str(), "the other slot"),
    ] {
        cockpit.expect(asks).key(&format!("{says}\r"));
    }
    cockpit.expect("y, n or l").key("n\r").expect("not carried over");
    cockpit.exit_code();
    let line = &record(&place)[0];
    assert_eq!(line.confidence, Some(0.7));
    let debrief = place.path("state/switchback/runs").join(&line.run).join("debrief.json");
    let debrief: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(debrief).unwrap()).unwrap();
    let said = &debrief["debrief"]["said"];
    assert_eq!((&said["again"], &said["own"][1]), (&"look twice".into(), &"the other slot".into()));
}

#[test]
fn ctrl_c_among_typed_questions_ends_it_and_the_flight_is_kept() {
    let place = place();
    let mut cockpit = place.cockpit("drill plain-sailing --plain");
    cockpit.expect("type `next` to go on").key("back\r").expect("read once more").key("leave\r");
    cockpit.expect("What happened?").key("it went well\r").expect("When did you know?");
    cockpit.key("\u{3}").expect("the questions were left");
    cockpit.exit_code();
    assert_eq!(record(&place).len(), 1);
    let mut cockpit = place.cockpit("drill");
    cockpit.expect("What to fly").key("d").expect("DEBRIEF").key("\u{1b}[F").expect("it went well");
    cockpit.key("q").expect("What to fly").key("q");
    assert_eq!(cockpit.exit_code(), 0);
}

#[test]
fn home_offers_a_rehearsal_of_the_plan_here_with_the_age_of_the_last() {
    let place = place();
    std::fs::copy(place.plan(), place.path("switchback.toml")).unwrap();
    let mut cockpit = at_home(&place, "", HOME);
    cockpit.expect("rehearse the way back").expect("never rehearsed");
    cockpit.key("\u{1b}[H").expect("Opens the cockpit").key("\u{1b}[B");
    cockpit.expect("A no-change rollback on the router").key("\r");
    // The slots of this place run two releases: it is refused before anything moves.
    cockpit.expect("left (Blue) runs 1.0.0, and right runs 0.9.0");
    assert_eq!(cockpit.exit_code(), 1);
}

#[test]
fn a_deploy_says_when_the_way_back_was_drilled_and_is_not_kept_waiting_by_it() {
    let place = place();
    let mut cockpit = place.cockpit("deploy PLAN");
    cockpit.expect("press space to deploy").expect_no("WAYBACK").key("q");
    cockpit.exit_code();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let ended = i64::try_from(now.as_millis()).unwrap() - 74 * 86_400_000;
    let line: HistoryLine = serde_json::from_value(serde_json::json!({
        "run": "7f3a", "scenario": "empty-hangar", "file": "", "seed": 1, "blind": false,
        "family": ["WAYBACK"], "back_was_right": true, "version": 1, "score": 90, "parts": {},
        "grade": "clean", "call": "rollback", "right": true, "confidence": 0.9,
        "detect_par": 0.5, "decide_par": 0.5, "standing": "cold", "spoiled": false,
        "ended_unix_ms": ended,
    }))
    .unwrap();
    history::append(&place.path("state/switchback/runs"), &line).unwrap();
    let mut cockpit = place.cockpit("deploy PLAN");
    cockpit.expect("WAYBACK: last drilled 74 d ago, due now").expect("press space to deploy");
    cockpit.key(" ").expect("Deploy 1.1.0 to right").key("n").key("q");
    cockpit.exit_code();
}
