//! One seed and one operator's keys on both fronts: the drill that a person flies on sockets is the
//! drill that the bots prove on simulated time. And what is of sockets alone: a lab that is steady,
//! a flight that is stopped, a process that stood still.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod support;

use nix::sys::signal::Signal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use support::haproxy::soon;
use support::place::{PROGRAM, Place, Terms};
use switchback::drill::history::{self, HistoryLine};
use switchback::drill::score::Grade;

/// Who flies what: every level and every kind of release, right calls and wrong ones, early ones
/// and late ones.
const FLIGHTS: [(&str, &str); 20] = [
    ("plain-sailing", "oracle"),
    ("cold-shiver", "twitch"),
    ("wall-of-red", "twitch"),
    ("unset-variable", "threshold_only"),
    ("missing-binary", "oracle"),
    ("half-open-door", "oracle"),
    ("debug-left-on", "oracle"),
    ("twice-the-pool", "oracle"),
    ("only-the-tail", "oracle"),
    ("quiet-heap", "oracle"),
    ("straggling-clock", "oracle"),
    ("wrong-passport", "threshold_only"),
    ("three-in-the-morning", "always_abort"),
    ("both-beds", "twitch"),
    ("lock-at-the-altar", "oracle"),
    ("router-says-no", "oracle"),
    ("still-bleeding", "twitch"),
    ("logged-out", "oracle"),
    ("poisoned-letters", "twitch"),
    ("which-one-is-live", "threshold_only"),
];

/// The two lines of a flight: simulated, and on sockets.
fn both(scenario: &str, bot: &str) -> [Value; 2] {
    let argv = ["drill", scenario, "--bot", bot, "--real", "--json"];
    let out = Command::new(PROGRAM).args(argv).output().unwrap();
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    let complains = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{scenario} {bot}: {told}{complains}");
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.try_into().unwrap()
}

/// A row of the table: both calls, both scores, and each part of them.
fn row(table: &mut String, simulated: &Value, http: &Value) {
    let pair = |which: &dyn Fn(&Value) -> String| format!("{}/{}", which(simulated), which(http));
    let word =
        |name: &'static str| move |line: &Value| line[name].as_str().unwrap_or("-").to_owned();
    let parts = ["the call", "users spared", "procedure", "timing", "calibration"].map(|part| {
        pair(&|line| line["parts"][part].as_f64().map_or("-".to_owned(), |p| format!("{p:.1}")))
    });
    writeln!(
        table,
        "{:<21} {:<14} {:<19} {:<9} {:<17} {}  missed {}",
        word("scenario")(simulated),
        word("bot")(simulated),
        pair(&word("call")),
        pair(&|line| line["score"].to_string()),
        pair(&|line| line["harm"].to_string()),
        parts.map(|part| format!("{part:<10}")).join(" "),
        http["missed"].as_array().map_or(0, Vec::len),
    )
    .unwrap();
}

#[test]
#[ignore = "flies in real time"]
fn one_seed_and_one_operators_keys_are_one_drill_on_both_fronts() {
    // All at once: they mostly wait.
    let flown: Vec<[Value; 2]> = std::thread::scope(|scope| {
        let flights = FLIGHTS.map(|(scenario, bot)| scope.spawn(move || both(scenario, bot)));
        flights.into_iter().map(|flight| flight.join().unwrap()).collect()
    });
    let mut table = String::from("simulated/http: call, score, harm, parts of the score\n");
    let (mut apart, mut edges) = (Vec::new(), 0);
    for [simulated, http] in &flown {
        row(&mut table, simulated, http);
        assert_eq!(
            (simulated["front"].as_str(), http["front"].as_str()),
            (Some("simulated"), Some("http"))
        );
        assert_eq!(simulated["seed"], http["seed"]);
        let score = |line: &Value| line["score"].as_i64().unwrap();
        let far = (score(simulated) - score(http)).abs() > 3;
        if simulated["call"] != http["call"] || !http["void"].is_null() {
            apart.push(format!("{simulated}\n{http}\n"));
        }
        // A call in the very second of the evidence can come before it on one front, which is
        // lucky, and after it on the other, which is right.
        edges += usize::from(far);
    }
    println!("{table}");
    assert!(apart.is_empty(), "{table}\n{}", apart.concat());
    assert!(edges <= 3, "{edges} of {} scores are more than 3 points apart\n{table}", flown.len());
    let scenarios: BTreeSet<_> = flown.iter().map(|[line, _]| line["scenario"].as_str()).collect();
    assert!(scenarios.len() >= 10);
    let calls: BTreeSet<_> = flown.iter().map(|[line, _]| line["call"].as_str()).collect();
    assert!(calls.len() >= 3, "the flights are of more than one kind: {calls:?}");
}

fn place() -> Place {
    Place::of_files(&Terms::default())
}

/// A scenario that comes with the program, changed, as a file of one's own.
fn changed(place: &Place, name: &str, from: &str, to: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{name} says nothing of {from}");
    let file = place.path("mine.toml");
    std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
    file.display().to_string()
}

fn record(place: &Place) -> Vec<HistoryLine> {
    history::read(&place.path("state/switchback/runs")).0
}

#[test]
#[ignore = "flies in real time"]
fn a_drill_ends_at_its_hard_stop_whoever_has_forgotten_it() {
    let place = place();
    let file = changed(&place, "wall-of-red.toml", "[clock]", "[clock]\nhard_stop = \"4s\"");
    let mut drill = place.lines(&format!("drill {file} --plain --yes"));
    drill.expect("waiting for a steady lab").expect("the hard stop of this drill after 4s");
    let (exit, said) = drill.end();
    assert_eq!(exit, 0, "it is left, with nobody on Green: {said}");
    assert!(said.contains("with all users on Blue"), "{said}");
    assert!(said.contains("drill: abandoned at the hard stop of this drill after 4s"), "{said}");
    let lines = record(&place);
    assert_eq!((lines.len(), lines[0].grade, lines[0].score), (1, Grade::Abandoned, 0));
    // As leaving does: nothing of the run is cut off, and users are where they were.
    let run = place.flown();
    assert!(run.turns.len() > 2, "{said}");
}

#[test]
#[ignore = "flies in real time"]
fn a_drill_that_stood_still_does_not_count() {
    let place = place();
    let mut drill = place.lines("drill missing-binary --plain --yes");
    drill.expect("What step 1 shows").expect("Deploy to Green: begun");
    drill.signal(Signal::SIGSTOP);
    std::thread::sleep(Duration::from_secs(7));
    drill.signal(Signal::SIGCONT);
    drill.expect("the run was paused: nothing ran for");
    let (_, said) = drill.end();
    assert!(said.contains("It does not count: the run was paused"), "{said}");
    let lines = record(&place);
    assert_eq!((lines.len(), lines[0].grade), (1, Grade::Void));
}

#[test]
#[ignore = "flies in real time"]
fn a_drill_on_a_lab_that_is_not_steady_does_not_count_and_says_what_was_not() {
    let place = place();
    // No machine answers in a millisecond what takes the service fifty.
    let (from, to) = ("p95_ms = [60, 200]", "p95_ms = [0, 1]\nwithin = \"11s\"");
    let file = changed(&place, "missing-binary.toml", from, to);
    let mut cockpit = place.cockpit(&format!("drill {file}"));
    cockpit.expect("space begins the flight").key(" ").expect("waiting for a steady lab");
    cockpit.expect("void: lab not steady").expect("p95_ms was").expect("in band is 0 to 1");
    cockpit.key(" ").expect("press space to deploy").key("r").expect("ALL ON BLUE").key("q");
    cockpit.end_drill();
    soon("it is on the record", || record(&place).len() == 1);
    assert_eq!(record(&place)[0].grade, Grade::Void);
    assert!(place.flown().turns.len() > 2, "the run itself is whole");
}
