//! What earlier runs of the same release say of Blue.

use crate::hour;
use crate::of_runs::{fly, write_with};
use crate::sim::{Flight, Health, World, facts};
use crate::support::place::{Place, Terms, flown as lived_again};
use std::fs;
use std::path::Path;
use std::time::Duration;
use switchback::backtest::flown;
use switchback::journal::{self, Closed, Opened, Run};
use switchback::plan::{self, Plan, Signal};
use switchback::runbook::{Core, Event, Kind, RunFacts};
use switchback::runs::{Earlier, IndexLine, Wanted, earlier, index};
use switchback::signal::Record;
use switchback::units::Millis;

/// Long enough for a test on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A plan from one release to the next, with more at its end.
fn plan(current: &str, next: &str, more: &str) -> Plan {
    let text = format!(
        "{}[release]\ncurrent = \"{current}\"\nnext = \"{next}\"\nmigration = \"none\"\n\
         [traffic]\nramp = [50, 100]\nhold = \"20s\"\n[soak]\nfor = \"60s\"\n\
         [watch]\nfor = \"120s\"\n[warm]\nfor = \"60s\"\n{more}",
        hour::PLAN
    );
    plan::parse(&text, "plan.toml").unwrap_or_else(|faults| panic!("{faults}")).plan
}

/// A run's id; the later ones are greater.
fn id(n: u64) -> String {
    format!("20261123T1422{n:02}Z-00{n:02x}")
}

/// Flies a run under `root` and puts it into the index, as the program does.
fn flies(root: &Path, n: u64, kind: Kind, plan: &Plan, record: Record, green: Health) -> Flight {
    let facts = RunFacts { run: id(n), kind, attended: false, record, ..facts() };
    let mut world = World::default();
    let release = plan.release.current.as_deref().unwrap_or_default();
    world.slots[0] = crate::sim::SlotWorld::running(release);
    world.slots[1].after_deploy = green;
    let mut flight = crate::sim::flight(plan.clone(), facts.clone(), world);
    flight.feed(Event::Begin);
    fly(&mut flight, 1_200);
    let finish = flight.finish().expect("it has ended").clone();
    let directory = root.join(id(n));
    fs::create_dir_all(&directory).unwrap();
    let opened = Opened::new(facts, plan.clone(), "router");
    let ended = write_with(&directory, opened.clone(), &flight);
    let line = IndexLine::new(&opened, &Closed::now(&finish), &ended);
    index::append(root, &line).unwrap();
    flight
}

fn of(root: &Path, kind: Kind, release: &str, plan: &Plan) -> Earlier {
    earlier(root, &Wanted { kind, router: "router", release, plan, patience: PATIENCE })
}

/// Requests of users that are known of.
fn users(found: &Earlier) -> u64 {
    found.record.users.get(&Signal::ErrorRate).map_or(0, |past| past.sum().of)
}

fn probes(found: &Earlier) -> u64 {
    found.record.probes.get(&Signal::Health).map_or(0, |past| past.sum().of)
}

#[test]
fn the_next_deploy_knows_what_the_last_one_saw_of_its_blue() {
    let root = tempfile::tempdir().unwrap();
    let first = plan("1.8.2", "1.9.0", "");
    let none = of(root.path(), Kind::Deploy, "1.8.2", &first);
    assert_eq!((users(&none), none.runs, none.warnings.len()), (0, 0, 0));
    flies(root.path(), 1, Kind::Deploy, &first, Record::default(), Health::Well);

    let next = plan("1.9.0", "2.0.0", "");
    let found = of(root.path(), Kind::Deploy, "1.9.0", &next);
    assert_eq!(found.runs, 1);
    // Two minutes of watch, at 20 users a second.
    assert!((2_350..=2_450).contains(&users(&found)), "{}", users(&found));
    assert!(probes(&found) > 400, "{}", probes(&found));
    // The release before it was seen as Blue, before any user was moved.
    let before = of(root.path(), Kind::Deploy, "1.8.2", &next);
    assert!((1_500..=2_600).contains(&users(&before)), "{}", users(&before));
    assert_eq!(users(&of(root.path(), Kind::Deploy, "2.0.0", &next)), 0, "nobody has seen it");

    // What it knows is in its journal, and so it is lived again, and judged again, the same.
    let known = found.record.clone();
    flies(root.path(), 2, Kind::Deploy, &next, known.clone(), Health::Failing(5));
    let run: Run = journal::read(&root.path().join(id(2))).unwrap();
    assert_eq!(run.opened.facts.record, known);
    let mut core = Core::new(run.opened.plan.clone(), run.opened.facts.clone());
    journal::replay(&run, |event, at| core.step(event, at)).unwrap();
    let told = flown(&next, &run);
    crate::of_runs::same(&told, &run);
    // From the first evaluation on luck is measured against a good Blue.
    let first = told.said.iter().find(|said| said.judgement.signal() == Signal::ErrorRate).unwrap();
    assert!(first.judgement.normal.unwrap() < 0.5, "{first:?}");
}

#[test]
fn a_drill_knows_nothing_of_deploys_nor_they_of_it_nor_one_service_of_another() {
    let root = tempfile::tempdir().unwrap();
    let plan = plan("1.8.2", "1.9.0", "");
    flies(root.path(), 1, Kind::Drill, &plan, Record::default(), Health::Well);
    assert_eq!(users(&of(root.path(), Kind::Deploy, "1.9.0", &plan)), 0);
    let other = Plan { service: "other".to_owned(), ..plan.clone() };
    flies(root.path(), 2, Kind::Deploy, &other, Record::default(), Health::Well);
    assert_eq!(users(&of(root.path(), Kind::Deploy, "1.9.0", &plan)), 0);
    let elsewhere = Wanted {
        kind: Kind::Deploy,
        router: "elsewhere",
        release: "1.9.0",
        plan: &other,
        patience: PATIENCE,
    };
    assert_eq!(users(&earlier(root.path(), &elsewhere)), 0);
    assert!(users(&of(root.path(), Kind::Deploy, "1.9.0", &other)) > 0);
}

#[test]
fn what_went_back_was_never_blue_and_blue_was_seen_all_the_same() {
    let root = tempfile::tempdir().unwrap();
    let plan = plan("1.8.2", "1.9.0", "");
    flies(root.path(), 1, Kind::Deploy, &plan, Record::default(), Health::Failing(30));
    assert_eq!(users(&of(root.path(), Kind::Deploy, "1.9.0", &plan)), 0);
    assert!(probes(&of(root.path(), Kind::Deploy, "1.8.2", &plan)) > 0);
}

#[test]
fn what_is_slow_is_said_by_the_limits_of_the_plan_that_asks() {
    let root = tempfile::tempdir().unwrap();
    flies(root.path(), 1, Kind::Deploy, &plan("1", "2", ""), Record::default(), Health::Well);
    let slow = |more: &str| {
        let found = of(root.path(), Kind::Deploy, "2", &plan("2", "3", more));
        let sum = found.record.users[&Signal::LatencyP95].sum();
        (sum.bad, sum.of)
    };
    let (bad, of) = slow("");
    assert!(bad == 0 && of > 1_000);
    let limit = "[[limit]]\nsignal = \"latency_p95\"\nabove = \"20ms\"\nfor = \"2m\"\n";
    assert_eq!(slow(limit), (of, of), "every answer took 30 ms");
}

#[test]
fn several_runs_are_added_up_and_none_runs_into_another() {
    let root = tempfile::tempdir().unwrap();
    let plan = plan("1", "2", "[probes]\nevery = \"1s\"\n");
    for n in 1..=3 {
        flies(root.path(), n, Kind::Deploy, &plan, Record::default(), Health::Well);
    }
    let found = of(root.path(), Kind::Deploy, "2", &plan);
    assert_eq!(found.runs, 3);
    let past = &found.record.users[&Signal::ErrorRate];
    // Two minutes of each, and no two runs in one half minute.
    assert!((Millis::secs(360)..=Millis::secs(450)).contains(&past.length()), "{}", past.length());
}

#[test]
fn a_run_that_was_tampered_with_is_passed_over_and_told() {
    let root = tempfile::tempdir().unwrap();
    let plan = plan("1", "2", "");
    for n in 1..=3 {
        flies(root.path(), n, Kind::Deploy, &plan, Record::default(), Health::Well);
    }
    let all = users(&of(root.path(), Kind::Deploy, "2", &plan));
    let samples = root.path().join(id(2)).join("samples.jsonl");
    let text = fs::read_to_string(&samples).unwrap();
    fs::write(&samples, text.replacen("\"failed\":0", "\"failed\":9", 1)).unwrap();
    let found = of(root.path(), Kind::Deploy, "2", &plan);
    assert_eq!((found.runs, found.warnings.len()), (2, 1), "{:?}", found.warnings);
    assert!(found.warnings[0].contains(&id(2)) && found.warnings[0].contains("changed"));
    assert_eq!(users(&found), all / 3 * 2);
    // The end of another was cut away: its chain holds, and the index knows better.
    let journal = root.path().join(id(3)).join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let cut = text.trim_end().rfind('\n').unwrap();
    fs::write(&journal, &text[..=cut]).unwrap();
    let found = of(root.path(), Kind::Deploy, "2", &plan);
    assert_eq!((found.runs, found.warnings.len()), (1, 2), "{:?}", found.warnings);
    // One that somebody has cleared away is no news, and neither is a garbled one an end.
    fs::remove_dir_all(root.path().join(id(3))).unwrap();
    fs::write(root.path().join(id(2)).join("journal.jsonl"), b"\xff\n").unwrap();
    let found = of(root.path(), Kind::Deploy, "2", &plan);
    assert_eq!((found.runs, found.warnings.len()), (1, 1), "{:?}", found.warnings);
}

#[test]
fn the_program_hands_blues_record_on_and_check_says_how_much_there_is() {
    // The split is a file, so no user is counted: the first run ends unproven, and goes back.
    let place = Place::of_files(&Terms { hold: "0s", ..Terms::default() });
    let (_, said) = place.run("check PLAN");
    assert!(said.contains("note: no record of Blue 1.0.0 in earlier runs: 5 % errors"), "{said}");
    let (exit, printed) = place.run("deploy PLAN --yes --plain");
    assert_eq!(exit, 3, "{printed}");
    let (_, said) = place.run("check PLAN");
    assert!(said.contains("note: Blue's record: 1 min of probes on 1.0.0, 0 of "), "{said}");
    let (exit, printed) = place.run("deploy PLAN --yes --plain");
    assert_eq!(exit, 3, "{printed}");
    let runs = place.runs();
    let [first, second] = [lived_again(&runs[0]), lived_again(&runs[1])];
    assert!(first.opened.facts.record.probes.is_empty());
    let known = &second.opened.facts.record.probes[&Signal::Health];
    assert!(known.sum().of > 5, "{known:?}");
    // The same service, and another release on Blue.
    let text = fs::read_to_string(place.plan()).unwrap();
    fs::write(place.plan(), text.replace("current = \"1.0.0\"", "current = \"0.7.0\"")).unwrap();
    let (_, said) = place.run("check PLAN");
    assert!(said.contains("no record of Blue 0.7.0 in earlier runs"), "{said}");
    // Nobody says what Blue is, and it says so itself.
    fs::write(place.plan(), text.replace("current = \"1.0.0\"\n", "")).unwrap();
    let (_, said) = place.run("check PLAN");
    assert!(said.contains("of probes on 1.0.0"), "{said}");
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_live_flight_is_judged_again_as_it_was_and_the_next_knows_its_users() {
    let place = Place::new(&Terms::default()).with_users(60);
    let (exit, printed) = place.run("deploy PLAN --yes --plain");
    assert_eq!(exit, 0, "{printed}");
    let first = lived_again(&place.runs()[0]);
    crate::of_runs::same(&flown(&first.opened.plan, &first), &first);
    let (exit, said) = place.run(&format!("backtest PLAN {} --plain", first.opened.facts.run));
    assert!(exit == 0 && said.contains("would have kept Green"), "{said}");
    // The way on: what was Green is Blue now, and something is wrong with what comes next.
    let text = fs::read_to_string(place.plan()).unwrap();
    let text = text.replace("current = \"1.0.0\"", "current = \"1.1.0\"");
    fs::write(place.plan(), text.replace("next = \"1.1.0\"", "next = \"1.2.0\"")).unwrap();
    let flight = place.lines("deploy PLAN --yes --plain");
    place.soon_at([10, 90]);
    place.left.set(Some(crate::support::site::Ill::Resets));
    let (exit, printed) = flight.end();
    assert_eq!(exit, 3, "{printed}");
    let second = lived_again(&place.runs()[1]);
    let known = &second.opened.facts.record.users[&Signal::ErrorRate];
    assert!(known.sum().of > 60, "{known:?}");
    crate::of_runs::same(&flown(&second.opened.plan, &second), &second);
    let (exit, said) = place.run(&format!("backtest PLAN {}", second.opened.facts.run));
    let tripped = said.contains("\"verdict\":\"tripped\"");
    assert_eq!(exit, if tripped { 3 } else { 0 }, "{said}");
}
