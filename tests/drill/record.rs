//! The history, what is due, and blind mode.

use crate::scenes::{RED, story, sure};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use switchback::drill::blind::Session;
use switchback::drill::due::{self, AFTER_FAILURE, Entry, LADDER};
use switchback::drill::history::{
    self, About, Calls, HISTORY, HistoryLine, Standing, level, median,
};
use switchback::drill::score::Grade;
use switchback::journal::JournalFault;
use switchback::lab::scenario::Family;
use switchback::lab::scenario::answer::Call;
use switchback::runbook::Command;

const DAY: i64 = 86_400_000;

fn line(scenario: &str, day: i64, grade: Grade) -> HistoryLine {
    HistoryLine {
        run: format!("{scenario}-{day}"),
        scenario: scenario.to_owned(),
        file: "0".repeat(64),
        seed: day as u64,
        blind: false,
        family: vec![Family::Loud],
        back_was_right: true,
        back: None,
        version: 1,
        score: match grade {
            Grade::Clean => 91,
            Grade::Pass => 75,
            Grade::Critical => 30,
            Grade::Fail | Grade::Void => 50,
            Grade::Abandoned => 0,
        },
        parts: BTreeMap::new(),
        grade,
        call: Some(Call::Rollback),
        right: grade.passed(),
        confidence: Some(0.9),
        detect_par: Some(0.5),
        decide_par: Some(1.0),
        standing: Standing::Cold,
        spoiled: false,
        hints: 0,
        ended_unix_ms: day * DAY + 1_000,
    }
}

fn entry(id: &str, siblings: &[&str], back_is_right: bool) -> Entry {
    Entry {
        id: id.to_owned(),
        codename: id.to_uppercase(),
        level: 1,
        family: vec![Family::Loud],
        siblings: siblings.iter().map(|s| (*s).to_owned()).collect(),
        back_is_right,
        good: !back_is_right,
        seeds: vec![1, 2, 3],
    }
}

fn next(lines: &[HistoryLine]) -> (String, i64) {
    let catalogue = [entry("red", &["bed"], true), entry("bed", &[], false)];
    let due = due::of(lines, &catalogue[0], &catalogue).unwrap();
    (due.scenario, due.day)
}

#[test]
fn passes_come_again_after_3_7_21_60_and_90_days_and_clean_ones_skip_one() {
    let mut lines = Vec::new();
    let mut day = 100;
    for interval in [3, 7, 21, 60, 90, 90] {
        lines.push(line("red", day, Grade::Pass));
        assert_eq!(next(&lines), ("red".to_owned(), day + interval));
        day += interval;
    }
    let mut lines = vec![line("red", 0, Grade::Clean)];
    assert_eq!(next(&lines), ("red".to_owned(), 7));
    lines.push(line("red", 7, Grade::Clean));
    assert_eq!(next(&lines), ("red".to_owned(), 67));
}

#[test]
fn after_a_failure_a_sibling_is_due_the_next_day_and_the_ladder_begins_anew() {
    let mut lines = vec![line("red", 0, Grade::Pass), line("red", 3, Grade::Pass)];
    lines.push(line("red", 10, Grade::Critical));
    assert_eq!(next(&lines), ("bed".to_owned(), 11));
    lines.push(line("bed", 11, Grade::Pass));
    assert_eq!(next(&lines), ("red".to_owned(), 14), "the sibling passed: the file itself again");
    lines.push(line("red", 14, Grade::Pass));
    assert_eq!(next(&lines), ("red".to_owned(), 17));
}

#[test]
fn a_flight_before_its_time_gains_no_step_and_one_that_was_left_is_due_the_next_day() {
    let lines = vec![line("red", 0, Grade::Pass), line("red", 1, Grade::Pass)];
    assert_eq!(next(&lines), ("red".to_owned(), 4));
    let left = vec![line("red", 0, Grade::Pass), line("red", 2, Grade::Abandoned)];
    assert_eq!(next(&left), ("red".to_owned(), 3), "itself: nothing was told of it");
    let mut spoiled = line("red", 3, Grade::Clean);
    spoiled.spoiled = true;
    assert_eq!(next(&[line("red", 0, Grade::Pass), spoiled]), ("red".to_owned(), 3));
    let catalogue = [entry("red", &[], true)];
    assert_eq!(due::all(&[], &catalogue), [], "what was never flown is not due");
    let alone = due::all(&[line("red", 5, Grade::Fail)], &catalogue);
    assert_eq!((alone[0].scenario.as_str(), alone[0].days_left(8)), ("red", -2));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever was flown and however lines are shuffled: what is due lies after the flight that
    /// asks for it, by a step of the ladder or by one day.
    #[test]
    fn due_dates_lie_on_the_ladder(
        flights in proptest::collection::vec((0_i64..400, 0_usize..6), 1..40),
    ) {
        let grades = [Grade::Clean, Grade::Pass, Grade::Fail, Grade::Critical, Grade::Abandoned, Grade::Void];
        let mut lines: Vec<_> =
            flights.iter().enumerate().map(|(n, (day, grade))| {
                let mut line = line("red", *day, grades[*grade]);
                line.ended_unix_ms += n as i64;
                line
            }).collect();
        let catalogue = [entry("red", &[], true)];
        let due = due::of(&lines, &catalogue[0], &catalogue);
        let last = lines.iter().filter(|l| l.is_asked()).max_by_key(|l| l.ended_unix_ms).cloned();
        prop_assert_eq!(due.is_some(), last.is_some());
        if let (Some(due), Some(last)) = (due.clone(), last) {
            prop_assert_eq!(due.day, last.day() + due.interval);
            prop_assert_eq!(due.failed, !last.grade.passed());
            let steps = if due.failed { vec![AFTER_FAILURE] } else { LADDER.to_vec() };
            prop_assert!(steps.contains(&due.interval));
        }
        lines.reverse();
        prop_assert_eq!(due::of(&lines, &catalogue[0], &catalogue), due);
    }
}

#[test]
fn first_cold_flights_are_the_record_and_the_others_stay_visible() {
    let at = |day: i64| day * DAY;
    let mut lines = vec![line("red", 0, Grade::Fail)];
    assert_eq!(history::standing(&lines, "red", 0, at(90)), Standing::Replay, "the same seed");
    assert_eq!(history::standing(&lines, "red", 7, at(29)), Standing::Rehearsal);
    assert_eq!(history::standing(&lines, "red", 7, at(30)), Standing::Cold);
    assert_eq!(history::standing(&lines, "bed", 0, at(1)), Standing::Cold);
    lines.push(HistoryLine {
        standing: Standing::Rehearsal,
        score: 99,
        ..line("red", 2, Grade::Clean)
    });
    lines.push(HistoryLine { spoiled: true, ..line("red", 40, Grade::Clean) });
    lines.push(line("red", 50, Grade::Abandoned));
    lines.push(line("red", 80, Grade::Pass));
    let card = history::card(&lines, "red");
    assert_eq!((card.first_cold, card.best), (Some(50), Some(75)));
    assert_eq!(history::next_seed(&lines, "red", &[0, 9]), 9);
    assert_eq!(history::next_seed(&lines, "red", &[0]), 1, "and behind the pool");
    assert_eq!((card.flights, card.abandoned, card.spoiled, card.last_day), (5, 1, 1, Some(80)));
    let marks = history::marks(&lines, Family::Loud);
    assert_eq!(marks.len(), 4, "one that was left tells nothing, not even its family");
    assert_eq!((marks[1].standing, marks[1].grade), (Standing::Rehearsal, Grade::Clean));
    assert!(history::marks(&lines, Family::Data).is_empty());
}

#[test]
fn a_flight_becomes_a_line_on_top_of_what_was_flown_before() {
    let flown = story(RED, &[(36, Command::Rollback)], &sure(0.9, "green.error_rate"));
    let about = |seed, day: i64| About {
        run: "7f3a".to_owned(),
        file: "0".repeat(64),
        seed,
        blind: true,
        spoiled: false,
        reread: false,
        ended_unix_ms: day * DAY,
    };
    let line = |about, before: &[HistoryLine]| {
        let sure = sure(0.9, "green.error_rate");
        HistoryLine::of(&flown.course, &flown.account, &flown.score, &sure, about, before)
    };
    let first = line(about(401, 0), &[]);
    assert_eq!((first.standing, first.score), (Standing::Cold, flown.score.total));
    assert!(first.right && first.back_was_right && first.blind && first.counts());
    assert_eq!(first.parts["call"], 40.0);
    assert!(first.decide_par.is_some_and(|ratio| ratio > 0.0 && ratio < 1.0), "{first:?}");
    let again = line(about(402, 9), std::slice::from_ref(&first));
    assert_eq!(again.standing, Standing::Rehearsal);
    assert_eq!(line(about(401, 90), &[first]).standing, Standing::Replay);
}

#[test]
fn calls_are_counts_and_times_are_medians_with_their_points() {
    let with = |right: bool, call, day| HistoryLine {
        back_was_right: right,
        call: Some(call),
        ..line("red", day, Grade::Pass)
    };
    let lines = [
        with(true, Call::Rollback, 0),
        with(true, Call::Hold, 40),
        with(false, Call::Rollback, 80),
        with(false, Call::Declare, 120),
        HistoryLine { standing: Standing::Replay, ..with(false, Call::Rollback, 121) },
    ];
    let calls = history::calls(&lines);
    assert_eq!(calls, Calls { hits: 1, misses: 1, false_alarms: 1, passes: 1 });
    assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[1.0, 2.0, 4.0, 90.0]), Some(3.0));
    assert_eq!(median(&[]), None);
    let lines: Vec<_> = (0..25_i64)
        .map(|n| HistoryLine { decide_par: Some(n as f64), ..line("red", n * 31, Grade::Pass) })
        .collect();
    let trend = history::trend(&lines, |line| line.decide_par);
    assert_eq!((trend.before, trend.now, trend.points.len()), (Some(9.5), Some(19.5), 20));
    let said = history::calibration(&lines);
    assert_eq!(said, [(90, 25, 25)], "you said 90 %, and were right 25 of 25");
}

/// Four families at level 1, the last with a good release, and one at level 2.
fn ladder() -> Vec<Entry> {
    let of = |id: &str, family, level| Entry {
        family: vec![family],
        level,
        ..entry(id, &[], id != "plain")
    };
    vec![
        of("red", Family::Loud, 1),
        of("half", Family::Gate, 1),
        of("door", Family::Gate, 1),
        of("log", Family::SlowBurn, 1),
        of("plain", Family::Restraint, 1),
        of("pool", Family::SharedFate, 2),
    ]
}

#[test]
fn three_passes_in_four_families_with_a_good_release_and_nothing_grave_lead_on() {
    let level = |flights: &[(&str, Grade)]| {
        let lines: Vec<_> =
            (0..).zip(flights).map(|(day, (id, grade))| line(id, day, *grade)).collect();
        level::of(&lines, &ladder())
    };
    use Grade::{Abandoned, Clean, Critical, Fail, Pass};
    let three = [("red", Pass), ("half", Clean), ("plain", Pass)];
    assert_eq!(level(&three).level, 1, "four are looked at");
    assert!(level(&three).wants().unwrap().contains("So far 3 of 3."));
    let with = |more: &[(&'static str, Grade)]| level(&[&three[..], more].concat());
    assert_eq!(with(&[("log", Fail)]).level, 2);
    assert_eq!(with(&[("log", Critical)]).level, 1, "something grave");
    assert_eq!(with(&[("door", Pass)]).level, 1, "two of one family are one");
    assert_eq!(with(&[("log", Abandoned)]).level, 1, "one that was left is none");
    let bad = [("red", Pass), ("half", Pass), ("log", Pass)];
    let bad = level(&bad);
    assert!(bad.wants().unwrap().ends_with("the good release is missing."), "{:?}", bad.wants());
    let reached = with(&[("log", Pass), ("red", Critical), ("half", Critical), ("pool", Pass)]);
    assert_eq!((reached.level, reached.flown, reached.passed), (2, 1, 1), "it stays reached");
    let mut spoiled: Vec<_> = (0..).zip(three).map(|(day, (id, g))| line(id, day, g)).collect();
    spoiled.push(HistoryLine { spoiled: true, ..line("log", 9, Pass) });
    assert_eq!(level::of(&spoiled, &ladder()).level, 1);
}

#[test]
fn what_keeps_a_flight_from_being_a_record_is_said_with_it() {
    assert_eq!(line("red", 0, Grade::Pass).remark(), None);
    let spoiled = HistoryLine { spoiled: true, ..line("red", 0, Grade::Clean) };
    assert!(spoiled.remark().unwrap().contains("spoiled: its answer was looked at"));
    let flown = story(RED, &[(36, Command::Rollback)], &sure(0.9, "green.error_rate"));
    let about = About {
        run: "7f3a".to_owned(),
        file: "0".repeat(64),
        seed: 401,
        blind: false,
        spoiled: false,
        reread: true,
        ended_unix_ms: 0,
    };
    let sure = sure(0.9, "green.error_rate");
    let (account, score) = (&flown.account, &flown.score);
    let line = HistoryLine::of(&flown.course, account, score, &sure, about, &[]);
    assert_eq!(line.standing, Standing::Rehearsal, "its debrief was read again of late");
    assert!(line.remark().unwrap().contains("or its debrief read"));
}

#[test]
fn the_history_is_chained_and_a_line_that_is_taken_out_shows() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("runs");
    assert_eq!(history::read(&dir).0, []);
    let lines: Vec<_> = (0..3).map(|day| line("red", day, Grade::Pass)).collect();
    for line in &lines {
        history::append(&dir, line).unwrap();
    }
    let (read, fault) = history::read(&dir);
    assert_eq!(read, lines);
    assert!(fault.is_none());
    let path = dir.join(HISTORY);
    let text = fs::read_to_string(&path).unwrap();
    // A killed process leaves half a line, and the next one goes on.
    fs::write(&path, format!("{text}{{\"run\":")).unwrap();
    history::append(&dir, &line("red", 9, Grade::Pass)).unwrap();
    assert_eq!(history::read(&dir).0.len(), 4);
    let without: Vec<&str> = text.lines().filter(|l| !l.contains("red-1")).collect();
    fs::write(&path, without.join("\n") + "\n").unwrap();
    let (read, fault) = history::read(&dir);
    assert_eq!(read.len(), 1);
    assert!(matches!(fault, Some(JournalFault::Broken { line: 2 })));
}

fn deck() -> Vec<Entry> {
    let bad = (0..10).map(|n| entry(&format!("bad-{n}"), &[], true));
    bad.chain((0..8).map(|n| entry(&format!("good-{n}"), &[], false))).collect()
}

#[test]
fn in_four_of_ten_blind_drills_going_back_is_not_right_and_no_two_sessions_are_alike() {
    let deck = deck();
    let mut shares = BTreeSet::new();
    let (mut stays, mut all) = (0, 0);
    for seed in 0..40 {
        let mut session = Session::new(seed);
        let drawn: Vec<_> = (0..50).map(|_| session.draw(&deck, 4, &[]).unwrap()).collect();
        let here = drawn.iter().filter(|drawn| drawn.reveal().starts_with("good")).count();
        shares.insert(here);
        (stays, all) = (stays + here, all + drawn.len());
        let early: BTreeSet<_> = drawn.iter().take(10).map(|d| d.reveal().to_owned()).collect();
        assert!(early.len() >= 8, "hardly one comes twice in ten: {early:?}");
    }
    let share = stays as f64 / f64::from(u32::try_from(all).unwrap());
    assert!((0.37..=0.43).contains(&share), "{share}");
    assert!(shares.len() > 5, "{shares:?}");
}

#[test]
fn a_blind_drill_tells_its_codename_and_nothing_else() {
    let deck = deck();
    let drawn = Session::new(7).draw(&deck, 1, &[]).unwrap();
    let names: Vec<&str> = deck.iter().map(|entry| entry.codename.as_str()).collect();
    assert!(names.contains(&drawn.codename()), "one of the catalogue's, and not always the same");
    for told in [format!("{drawn}"), format!("{drawn:?}"), format!("{:?}", Session::new(7))] {
        assert!(
            !told.contains("bad-") && !told.contains("good-") && !told.contains("0.4"),
            "{told}"
        );
    }
    let again = Session::new(7).draw(&deck, 1, &[]).unwrap();
    assert_eq!((again.reveal(), again.seed()), (drawn.reveal(), drawn.seed()));
    assert!(Session::new(7).draw(&deck, 0, &[]).is_none());
    // A seed that was flown is not flown again.
    let flown: Vec<_> = deck
        .iter()
        .flat_map(|e| [1, 2].map(|seed| HistoryLine { seed, ..line(&e.id, 0, Grade::Pass) }))
        .collect();
    assert_eq!(Session::new(7).draw(&deck, 1, &flown).unwrap().seed(), 3);
}

#[test]
fn a_history_that_was_edited_is_set_aside_and_what_was_flown_before_stays() {
    let dir = tempfile::tempdir().unwrap();
    for (day, grade) in [(0, Grade::Pass), (3, Grade::Fail), (5, Grade::Pass)] {
        history::append(dir.path(), &line("red", day, grade)).unwrap();
    }
    let path = dir.path().join(history::HISTORY);
    let edited = std::fs::read_to_string(&path).unwrap().replacen("\"fail\"", "\"pass\"", 1);
    std::fs::write(&path, &edited).unwrap();
    let (before, fault) = history::read(dir.path());
    assert!(fault.is_some() && before.len() < 3);
    history::append(dir.path(), &line("red", 9, Grade::Pass)).unwrap();
    let (lines, fault) = history::read(dir.path());
    assert!(fault.is_none(), "{fault:?}");
    assert_eq!(lines.len(), before.len() + 1, "what was flown before is still there");
    let aside = history::broken(dir.path());
    assert_eq!(aside, ["drills.jsonl.broken-1"]);
    assert_eq!(std::fs::read_to_string(dir.path().join(&aside[0])).unwrap(), edited);
}
