//! The wind tunnel, as stories: what a plan finds, what it leaves alone, and what it is advised.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

use std::fs;
use std::process::{Command, Output};
use switchback::odds::flown::{Flown, Where, fly};
use switchback::odds::table::table;
use switchback::odds::{Asked, Flyable, Outcome, Report, Service, odds};
use switchback::plan::{self, Plan};

const PLAN: &str = r#"
schema = 1
service = "notes"
[slots]
left = "http://127.0.0.1:1"
right = "http://127.0.0.1:2"
[router]
kind = "lab"
address = "127.0.0.1:1"
[health]
readiness = "/readyz"
hold = "5s"
[[probe]]
path = "/orders"
"#;

/// Soak and watch in less than three minutes, limits that fit into them.
const SHORT: &str = r#"
[traffic]
ramp = [100]
[soak]
for = "30s"
[watch]
for = "2m"
"#;

fn parsed(more: &str) -> Plan {
    match plan::parse(&format!("{PLAN}{more}"), "the plan") {
        Ok(loaded) => loaded.plan,
        Err(faults) => panic!("{faults}"),
    }
}

fn flown(plan: &Plan, outcome: Outcome, rps: f64, flights: u64) -> Vec<Flown> {
    let service = Service::of(plan, rps, None);
    let flyable = Flyable::new(plan, &service);
    (0..flights).map(|seed| fly(&flyable, &service, outcome, rps, seed)).collect()
}

fn ended(flown: &[Flown], end: Where) -> usize {
    flown.iter().filter(|one| one.end == end).count()
}

fn report(plan: &Plan, rps: f64, releases: u64, threads: usize) -> Report {
    odds(
        plan,
        &Asked {
            service: Service::of(plan, rps, None),
            rps_from: "as the test says".to_owned(),
            p95_from: "as the test says".to_owned(),
            seed: 7,
            releases,
            threads,
            landed: &|_| (),
        },
    )
}

#[test]
fn sharp_limits_find_twenty_percent_errors_and_blunt_ones_do_not() {
    let sharp = flown(&parsed(SHORT), Outcome::TwentyPercent, 5.0, 20);
    assert_eq!(ended(&sharp, Where::Back), 20, "{sharp:?}");
    let delays: Vec<u64> = sharp.iter().map(|one| one.delay.unwrap().as_secs()).collect();
    assert!(delays.iter().all(|secs| (5..60).contains(secs)), "{delays:?}");
    assert!(sharp.iter().all(|one| one.hurt > 0.0 && one.hurt < 100.0), "{sharp:?}");

    let more = "[[limit]]\nsignal = \"error_rate\"\nabove = \"50%\"\nfor = \"2m\"\n\
                [[limit]]\nsignal = \"health\"\nabove = \"50%\"\nfor = \"1m\"\n";
    let blunt = flown(&parsed(&format!("{SHORT}{more}")), Outcome::TwentyPercent, 5.0, 10);
    assert_eq!(ended(&blunt, Where::Kept), 10, "{blunt:?}");
    let worst = sharp.iter().map(|one| one.hurt).fold(0.0, f64::max);
    assert!(blunt.iter().all(|one| one.hurt > worst), "who is kept hurts more: {blunt:?}");
    assert!(blunt.iter().all(|one| (one.hurts_s(5.0) - 720.0).abs() < 1.0), "{blunt:?}");
}

#[test]
fn who_is_never_found_hurts_as_many_whatever_the_length_of_the_watch() {
    let blunt = "[[limit]]\nsignal = \"error_rate\"\nabove = \"50%\"\nfor = \"2m\"\n\
                 [[limit]]\nsignal = \"latency_p95\"\nabove = \"60s\"\nfor = \"2m\"\n\
                 [[limit]]\nsignal = \"health\"\nabove = \"50%\"\nfor = \"1m\"\n";
    let plan = |watch: &str| {
        parsed(&format!(
            "[traffic]\nramp = [100]\n[soak]\nfor = \"30s\"\n[watch]\nfor = \"{watch}\"\n{blunt}"
        ))
    };
    let service = Service { rps: 5.0, p95_ms: 250.0, slow_ms: 325.0 };
    let hurt = |outcome, watch: &str| {
        let flyable = Flyable::new(&plan(watch), &service);
        let one = fly(&flyable, &service, outcome, 5.0, 3);
        assert_ne!(one.end, Where::Back, "{outcome:?} {watch}: {one:?}");
        one.hurts(5.0)
    };
    for outcome in [Outcome::MuchSlower, Outcome::FivePercent, Outcome::LeakLate, Outcome::Bursts] {
        let hours: Vec<f64> = ["2m", "12m", "90m"].map(|watch| hurt(outcome, watch)).to_vec();
        assert!(hours[0] > 100.0, "{outcome:?}: {hours:?}");
        assert!(hours.iter().all(|n| (n - hours[0]).abs() < 1e-6 * n), "{outcome:?}: {hours:?}");
    }
}

#[test]
fn good_releases_are_kept_and_hurt_nobody() {
    for outcome in [Outcome::Healthy, Outcome::OnePercent] {
        let good = flown(&parsed(SHORT), outcome, 5.0, 20);
        assert_eq!(ended(&good, Where::Kept), 20, "{outcome:?}: {good:?}");
        assert!(good.iter().all(|one| one.hurts(5.0) == 0.0), "{good:?}");
    }
}

#[test]
fn what_both_slots_suffer_from_is_held_and_not_sent_back() {
    let plan = parsed("[traffic]\nramp = [100]\n[soak]\nfor = \"2m\"\n[watch]\nfor = \"12m\"\n");
    let shared = flown(&plan, Outcome::SharedOutage, 10.0, 12);
    assert!(ended(&shared, Where::Back) <= 1, "{shared:?}");
    assert!(shared.iter().filter(|one| one.held).count() >= 10, "{shared:?}");
}

#[test]
fn without_users_a_watch_proves_nothing_and_a_person_is_asked() {
    let night = flown(&parsed(SHORT), Outcome::Healthy, 0.0, 5);
    assert_eq!(ended(&night, Where::Asks), 5, "{night:?}");
    let ill = flown(&parsed(SHORT), Outcome::Everything, 0.0, 5);
    assert_eq!(ended(&ill, Where::Back), 5, "probes carry the night: {ill:?}");
}

#[test]
fn a_router_that_counts_nobody_leaves_it_to_probes_and_hurts_as_many() {
    let mut plan = parsed(SHORT);
    let lab = flown(&plan, Outcome::Everything, 5.0, 5);
    plan.router.kind = plan::RouterKind::Command { set: vec![], get: vec![] };
    let command = flown(&plan, Outcome::Everything, 5.0, 5);
    assert_eq!(ended(&command, Where::Back), 5, "{command:?}");
    assert!(command.iter().chain(&lab).all(|one| one.hurt > 10.0), "{command:?} {lab:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_one_and_on_two_threads() {
    let plan = parsed(SHORT);
    let one = serde_json::to_string(&report(&plan, 5.0, 2_000, 1)).unwrap();
    let two = serde_json::to_string(&report(&plan, 5.0, 2_000, 2)).unwrap();
    assert_eq!(one, two);
}

#[test]
fn a_watch_that_is_too_short_is_advised_to_be_longer() {
    // What leaks from the eighth minute on is out before it leaks.
    let plan = parsed(
        "[traffic]\nramp = [100]\nhold = \"10s\"\n[soak]\nfor = \"30s\"\n[watch]\nfor = \"8m\"\n",
    );
    let report = report(&plan, 2.0, 2_000, 2);
    let advice = report.advice.as_ref().unwrap();
    let change = &advice.change;
    assert_eq!((change.section, change.key), ("[watch]", "for"), "{advice:?}");
    assert_eq!((&*change.value, &*change.was), ("\"16m\"", "\"8m\""), "{advice:?}");
    assert_eq!(advice.effect.kind, "leak from 8 min", "{advice:?}");
    assert!(advice.saves_s > advice.within_s && advice.minutes_longer > 1.0, "{advice:?}");
    for width in [80, 120] {
        for ascii in [false, true] {
            let page = table(&report, width, ascii);
            assert!(page.lines().all(|line| line.chars().count() <= width), "{width}: {page}");
            assert_eq!(ascii, page.is_ascii(), "{width}: {page}");
            assert!(page.contains("for = \"16m\"  # now \"8m\""), "{page}");
            assert!(page.contains("20 % errors"), "{page}");
        }
    }
}

#[test]
fn a_plan_without_a_probe_is_warned_first_and_may_be_advised_one() {
    let text = PLAN.replace("[[probe]]\npath = \"/orders\"\n", "");
    let output = run(&text, &["--rps", "2", "--releases", "2000"]);
    assert!(output.status.success(), "{output:?}");
    let page = String::from_utf8(output.stdout).unwrap();
    let at = |what: &str| page.find(what).unwrap_or_else(|| panic!("{what}: {page}"));
    assert!(at("warning: no [[probe]]") < at("to send back"), "{page}");
    assert!(at("  [[probe]]\n") < at("path = \"/...\"  # a page that users open"), "{page}");
    assert!(page.contains("Of good releases it sends"), "{page}");
}

#[test]
fn a_very_good_plan_is_left_as_it_is() {
    // Every default: three steps, limits that fit into them, a quarter of an hour of watch.
    let plan = parsed("");
    let report = report(&plan, 10.0, 2_000, 2);
    assert_eq!(report.advice, None);
    let page = table(&report, 80, false);
    assert!(page.contains("What would help most: none."), "{page}");
}

fn run(plan: &str, arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("notes.toml");
    fs::write(&path, plan).unwrap();
    Command::new(env!("CARGO_BIN_EXE_switchback"))
        .args(["odds", "notes.toml", "--runs", "runs"])
        .args(arguments)
        .current_dir(home.path())
        .output()
        .unwrap()
}

#[test]
fn json_is_one_object_and_a_pipe_sees_no_progress() {
    let output = run(&format!("{PLAN}{SHORT}"), &["--rps", "5", "--releases", "2000", "--json"]);
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["bad"].as_array().unwrap().len(), 9);
    assert_eq!(json["seed"], 7);
    assert!(json["found"]["percent"].as_f64().unwrap() > 30.0, "{}", json["found"]);
    assert!(json.get("advice").is_some());
}

#[test]
fn where_nobody_knows_the_traffic_it_asks_for_it() {
    let output = run(PLAN, &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("is not known") && said.contains("hint: ") && said.contains("--rps"),
        "{said}"
    );
}

#[test]
fn what_is_wrongly_said_is_answered_with_the_range_and_the_next_move() {
    for (arguments, hears) in [
        (["--releases", "400"], "from 2000 to 10000000"),
        (["--rps", "-1"], "requests a second, at least 0"),
        (["--rps", "many"], "say --rps 2"),
        (["--seed", "x"], "say --seed 7"),
    ] {
        let output = run(PLAN, &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(hears), "{arguments:?}: {said}");
    }
}
