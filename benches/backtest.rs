//! What a backtest of a recorded hour costs, from outside: the built program is started, reads,
//! judges and ends, as it will be some thousands of times.
//!
//! The hour is of seconds of both slots, users and probes, each with a histogram of its times; the
//! heavy one has about 45 buckets a line, at 50 requests a second and more. Once it is a file, once
//! the same hour as a run with its journal. `cat` and `wc -l` of the same bytes are the floor.
//!
//! `cargo bench --bench backtest`; a number behind `--` is how often each is started.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot go on shall fail")]

#[path = "support/figures.rs"]
mod figures;

use figures::{figure, is_bench, numbers, quantile, remark};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use switchback::journal::{Closed, Entry, Opened, Writer};
use switchback::plan::{self, Plan};
use switchback::runbook::{Core, Effect, Event, Kind, RunFacts};
use switchback::signal::{Histogram, Origin, Sample, Whose};
use switchback::sim::pilot::{Landing, fly};
use switchback::sim::{Flight, Watcher, World};
use switchback::units::Millis;

const PROGRAM: &str = env!("CARGO_BIN_EXE_switchback");

const PLAN: &str = r#"
schema = 1
service = "notes"
[slots]
left = "http://127.0.0.1:8001"
right = "http://127.0.0.1:8002"
[release]
current = "1.8.2"
next = "1.9.0"
migration = "none"
[router]
kind = "lab"
address = "127.0.0.1:1"
front = "http://127.0.0.1:8080"
[health]
readiness = "/readyz"
[watch]
for = "42m"
[commands]
deploy = ["true"]
"#;

/// Dice that give the same hour each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// So many answers, spread over about as many bounds as are asked for.
    fn times(&mut self, requests: u64, spread: u64) -> Histogram {
        let mut times = Histogram::default();
        for _ in 0..requests {
            let far = self.below(spread).min(self.below(spread));
            times.record(20.0 * 1.03_f64.powi(far as i32));
        }
        times
    }

    fn second(&mut self, at: u64, role: Whose, from: Origin, requests: u64, spread: u64) -> Sample {
        let mut second = Sample::empty(Millis::secs(at), role, from);
        second.requests = Some(requests);
        second.failed = Some(u64::from(self.below(1000) == 0));
        second.client_errors = Some(u64::from(self.below(20) == 0));
        second.latency_ms = Some(self.times(requests, spread));
        if from == Origin::Probes {
            (second.live, second.ready) = (Some(true), Some(true));
        }
        second
    }
}

/// An hour of both slots; the switch is at ten minutes.
fn hour(requests: u64, spread: u64) -> String {
    let (mut dice, mut text) = (Dice(7), String::new());
    for at in 1..=3600 {
        for role in [Whose::Blue, Whose::Green] {
            for from in [Origin::Users, Origin::Probes] {
                let second = dice.second(at, role, from, requests, spread);
                writeln!(text, "{}", serde_json::to_string(&second).unwrap()).unwrap();
            }
        }
        if at == 600 {
            text.push_str("{\"at\":600000,\"mark\":\"split\",\"green\":50}\n");
        }
    }
    text
}

/// How long a command takes, in milliseconds: the median of so many.
fn started(times: u64, command: &mut Command) -> f64 {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut all: Vec<f64> = (0..times)
        .map(|_| {
            let began = Instant::now();
            let code = command.status().unwrap().code();
            assert!(matches!(code, Some(0 | 3)), "{command:?}: {code:?}");
            began.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    quantile(&mut all, 0.5)
}

fn measured(times: u64, what: &str, plan: &Path, judged: &Path, file: &Path, goal: f64) {
    let bytes = file.metadata().unwrap().len();
    let lines = std::fs::read(file).unwrap().iter().filter(|b| **b == b'\n').count();
    println!("{what}: {lines} lines, {:.1} MiB", bytes as f64 / 1024.0 / 1024.0);
    let took = started(times, Command::new(PROGRAM).arg("backtest").arg(plan).arg(judged));
    figure("the whole process, median", took, "ms", goal);
    remark("of the same bytes: cat", started(times, Command::new("cat").arg(file)), "ms");
    remark(
        "of the same bytes: wc -l",
        started(times, Command::new("wc").arg("-l").arg(file)),
        "ms",
    );
}

/// Writes what happens into a run's journal and samples, as the engine does; each second with as
/// many times as were asked for.
struct Journal {
    writer: Writer,
    n: u64,
    dice: Dice,
    times: u64,
}

impl Watcher for Journal {
    fn stepped(&mut self, now: Millis, event: &Event, effects: &[Effect], _: &mut Core) {
        self.n += 1;
        let n = self.n;
        let mut event = event.clone();
        if let Event::Sample(sample) = &mut event {
            sample.latency_ms = Some(self.dice.times(self.times, 90));
        }
        self.writer.append(Entry::Input { n, event }, now);
        for effect in effects {
            self.writer.append(Entry::Effect { n, effect: effect.clone() }, now);
        }
    }
}

/// A run of an hour with its journal.
fn run(plan: &Plan, directory: &Path, times: u64) {
    let facts = RunFacts {
        run: "7f3a".to_owned(),
        kind: Kind::Rehearsal,
        host: "vps-1".into(),
        began_unix_ms: 1_794_744_000_000,
        attended: false,
        last_rollback: None,
        last_end: None,
        tells_gates: true,
        drilled: None,
        record: switchback::signal::Record::default(),
    };
    let opened = Opened::new(facts.clone(), plan.clone(), "router");
    let (writer, _troubles) = Writer::create(directory, opened, Millis::ZERO).unwrap();
    let mut world = World::default();
    world.slots.users = Some(60);
    let journal = Journal { writer, n: 0, dice: Dice(7), times };
    let mut flight = Flight::watched(plan.clone(), facts, world, journal);
    assert_eq!(fly(&mut flight, Millis::secs(7_200)), Landing::Kept);
    let (now, finish) = (flight.now, flight.finish().cloned().unwrap());
    let writer = flight.watcher.writer;
    writer.append(Entry::Closed(Closed::now(&finish)), Millis(now));
    writer.close(std::time::Duration::from_secs(30)).unwrap();
}

fn main() {
    if !is_bench() {
        return;
    }
    let [times] = numbers([20]);
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    std::fs::write(path("plan.toml"), PLAN).unwrap();
    let plan =
        plan::parse(PLAN, "the bench's plan").unwrap_or_else(|faults| panic!("{faults}")).plan;

    // The first twenty seconds: what the process costs by itself.
    let few = path("few.jsonl");
    let lines: String = hour(1, 20).split_inclusive('\n').take(80).collect();
    std::fs::write(&few, lines).unwrap();
    measured(times, "twenty seconds", &path("plan.toml"), &few, &few, 20.0);

    for (name, requests, spread) in [("a quiet hour", 2, 60), ("a recorded hour", 60, 90)] {
        let file = path("hour.jsonl");
        std::fs::write(&file, hour(requests, spread)).unwrap();
        measured(times, name, &path("plan.toml"), &file, &file, 200.0);
    }
    let file = path("hour.jsonl");
    let unmarked = std::fs::read_to_string(&file).unwrap();
    let unmarked: String =
        unmarked.split_inclusive('\n').filter(|line| !line.contains("split")).collect();
    std::fs::write(&file, unmarked).unwrap();
    measured(times, "the same without a mark", &path("plan.toml"), &file, &file, 200.0);

    for (name, times_each) in [("a quiet run", 3), ("a run of an hour", 60)] {
        let directory = path(name);
        std::fs::create_dir(&directory).unwrap();
        run(&plan, &directory, times_each);
        let samples = directory.join("samples.jsonl");
        measured(times, name, &path("plan.toml"), &directory, &samples, 200.0);
    }
}
