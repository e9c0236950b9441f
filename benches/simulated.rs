//! What a run on simulated time costs: with its journal, as the wind tunnel flies it, and what
//! each kind of event costs the core.
//!
//! `cargo bench --bench simulated`; a number behind `--` is how many seconds each part may take.

#![allow(clippy::expect_used, clippy::unwrap_used)]

#[path = "support/figures.rs"]
mod figures;

use figures::{figure, is_bench, numbers, remark};
use std::hint::black_box;
use std::time::{Duration, Instant};
use switchback::clean::Clean;
use switchback::journal::{Closed, Entry, Opened, Writer};
use switchback::lab::scenario;
use switchback::plan::{self, Plan};
use switchback::runbook::{Core, Effect, Event, Kind, RunFacts};
use switchback::sim::lab::{self, LabModel};
use switchback::sim::pilot::{Landing, fly};
use switchback::sim::{Flight, History, Model, Past, Watcher, World};
use switchback::units::Millis;

/// Every default but the release, and nobody at the keyboard.
const FULL: &str = r#"
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
[commands]
deploy = ["true"]
"#;

/// The same in less than a minute.
const SHORT: &str = r#"
[traffic]
ramp = [10, 50, 100]
hold = "5s"
[soak]
for = "8s"
[watch]
for = "25s"
"#;

const CAP: Millis = Millis::secs(7_200);

/// Enough users that no step has to wait for them.
fn world() -> World {
    let mut world = World::default();
    world.slots.users = Some(60);
    world
}

fn parsed(more: &str) -> Plan {
    let text = format!("{FULL}{more}");
    match plan::parse(&text, "the bench's plan") {
        Ok(loaded) => loaded.plan,
        Err(faults) => panic!("{faults}"),
    }
}

fn facts() -> RunFacts {
    RunFacts {
        run: "7f3a".to_owned(),
        kind: Kind::Rehearsal,
        host: Clean::new("vps-1"),
        began_unix_ms: 1_794_744_000_000,
        attended: false,
        last_rollback: None,
        record: switchback::signal::Record::default(),
    }
}

/// Writes what happens into a run's journal and samples, as the engine does.
struct Journal {
    writer: Writer,
    n: u64,
}

impl Watcher for Journal {
    fn stepped(&mut self, now: Millis, event: &Event, effects: &[Effect], _: &mut Core) {
        self.n += 1;
        let n = self.n;
        self.writer.append(Entry::Input { n, event: event.clone() }, now);
        for effect in effects {
            self.writer.append(Entry::Effect { n, effect: effect.clone() }, now);
        }
    }
}

/// A run of half an hour with its journal, from the first event to the last byte on disk.
fn with_journal<M: Model>(plan: &Plan, world: World<M>) -> (f64, f64, u64) {
    let dir = tempfile::tempdir().expect("a directory");
    let began = Instant::now();
    let opened = Opened::new(facts(), plan.clone(), "router");
    let (writer, _troubles) = Writer::create(dir.path(), opened, Millis::ZERO).expect("a journal");
    let journal = Journal { writer, n: 0 };
    let mut flight = Flight::watched(plan.clone(), facts(), world, journal);
    assert_eq!(fly(&mut flight, CAP), Landing::Kept);
    let (now, finish) = (flight.now, flight.finish().cloned().expect("it has ended"));
    let writer = flight.watcher.writer;
    writer.append(Entry::Closed(Closed::now(&finish)), Millis(now));
    writer.close(Duration::from_secs(30)).expect("it is on disk");
    let took = began.elapsed().as_secs_f64() * 1e3;
    let bytes: u64 = std::fs::read_dir(dir.path())
        .expect("it is there")
        .map(|entry| entry.expect("a file").metadata().expect("it has a size").len())
        .sum();
    (took, now as f64 / 60_000.0, bytes)
}

/// Flights a second on counts, two threads side by side.
fn on_counts(plan: &Plan, stride: Millis, secs: u64) -> (f64, f64) {
    let began = Instant::now();
    let flights: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut flights = 0;
                    while began.elapsed() < Duration::from_secs(secs) {
                        for _ in 0..8 {
                            let mut flight = Flight::<()>::new(plan.clone(), facts(), world());
                            flight.stride = stride;
                            assert_eq!(black_box(fly(&mut flight, CAP)), Landing::Kept);
                            flights += 1;
                        }
                    }
                    flights
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("it flies")).sum()
    });
    let took = began.elapsed().as_secs_f64();
    let mut one = Flight::<()>::new(plan.clone(), facts(), world());
    one.stride = stride;
    fly(&mut one, CAP);
    (flights as f64 / took, one.now as f64 / 1e3)
}

/// What each kind of event costs the core, by feeding a flight's history again and again.
fn by_kind(plan: &Plan, stride: Millis) {
    let mut flight: Flight<History> = Flight::new(plan.clone(), facts(), world());
    flight.stride = stride;
    assert_eq!(fly(&mut flight, CAP), Landing::Kept);
    let steps = &flight.watcher.steps;
    let names = ["sample", "read", "due", "the rest"];
    let kind = |step: &Past| match step.event {
        Event::Sample(_) => 0,
        Event::Read(_) => 1,
        Event::Due => 2,
        _ => 3,
    };
    let (mut spent, mut count) = ([Duration::ZERO; 4], [0_u32; 4]);
    for _ in 0..20 {
        let mut core = Core::new(plan.clone(), facts());
        // One clock reading for each run of the same kind: it costs as much as a step.
        for run in steps.chunk_by(|a, b| kind(a) == kind(b)) {
            let events: Vec<_> = run.iter().map(|step| (step.event.clone(), step.at)).collect();
            let (kind, n) = (kind(&run[0]), run.len() as u32);
            let began = Instant::now();
            for (event, at) in events {
                black_box(core.step(event, at));
            }
            spent[kind] += began.elapsed();
            count[kind] += n;
        }
    }
    let empty = Instant::now();
    for _ in 0..1_000 {
        black_box(Instant::now());
    }
    let clock = empty.elapsed().as_nanos() as f64 / 1_000.0;
    for (kind, name) in names.iter().enumerate() {
        let each = spent[kind].as_nanos() as f64 / f64::from(count[kind].max(1));
        let many = f64::from(count[kind]) / 20.0;
        remark(&format!("a step: {name} ({many:.0} of a run)"), each, "ns");
    }
    remark("of which the clock takes up to", clock, "ns");
    let began = Instant::now();
    for _ in 0..1_000 {
        black_box(Core::new(plan.clone(), facts()));
    }
    remark("a fresh core", began.elapsed().as_nanos() as f64 / 1e6, "us");
}

fn main() {
    if !is_bench() {
        return;
    }
    let [secs] = numbers([3]);
    let full = parsed("");
    let mut short = parsed(SHORT);
    short.health.hold = Millis::secs(3);
    let mut half_hour = full.clone();
    half_hour.watch = Millis::secs(18 * 60);

    let scenario = scenario::load("plain-sailing").expect("it is built in");
    let mut drill = lab::plan(&scenario).unwrap_or_else(|faults| panic!("{faults}"));
    drill.soak = half_hour.soak;
    drill.ramp_hold = half_hour.ramp_hold;
    drill.watch = half_hour.watch;
    drill.limits = half_hour.limits.clone();
    for (what, counts) in [("counts", true), ("the lab, 40 users a second", false)] {
        println!("a deploy of half an hour with its journal, on {what}");
        let mut runs: Vec<_> = (1..=10)
            .map(|seed| {
                if counts {
                    with_journal(&half_hour, world())
                } else {
                    with_journal(&drill, lab::world(&scenario, seed, &drill))
                }
            })
            .collect();
        runs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (took, minutes, bytes) = runs[runs.len() / 2];
        figure("first event to last byte on disk", took, "ms", 50.0);
        remark("simulated", minutes, "min");
        remark("journal and samples", bytes as f64 / 1024.0, "KiB");
    }
    let began = Instant::now();
    let lab = lab::world(&scenario, 1, &drill);
    let mut flight: Flight<(), LabModel> = Flight::new(drill.clone(), facts(), lab);
    assert_eq!(fly(&mut flight, CAP), Landing::Kept);
    remark("the lab without a journal", began.elapsed().as_secs_f64() * 1e3, "ms");

    println!("compressed plans on counts, two threads");
    let (rate, simulated) = on_counts(&short, Millis::secs(1), secs);
    figure("a deploy, two at once", 1e6 / rate, "us", 1e6 / 5_000.0);
    remark("deploys a second (at least 5000)", rate, "");
    remark("simulated", simulated, "s");

    println!("plans of full length on counts, two threads");
    let (rate, simulated) = on_counts(&full, Millis::secs(5), secs);
    figure("a deploy, two at once", 1e6 / rate, "us", 1e6 / 700.0);
    remark("deploys a second (at least 700)", rate, "");
    remark("simulated", simulated, "s");

    println!("the core, each second measured");
    by_kind(&full, Millis::secs(1));
    println!("the core, each five seconds measured");
    by_kind(&full, Millis::secs(5));
}
