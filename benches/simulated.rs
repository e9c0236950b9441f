//! What a run on simulated time costs: with its journal, as the wind tunnel flies it, and what
//! each kind of event costs the core.
//!
//! `cargo bench --bench simulated`; numbers behind `--` are how many seconds each part may
//! take, and the sum of the parts: 1 with a journal, 2 compressed, 4 of full length, 8 the core.

#![allow(clippy::expect_used, clippy::unwrap_used)]

#[path = "support/figures.rs"]
mod figures;

use figures::{figure, is_bench, numbers, remark};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
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
        last_end: None,
        tells_gates: true,
        drilled: None,
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

/// What this thread, or the whole process, has had of its processors, in seconds.
fn processor(whose: UsageWho) -> f64 {
    let used = getrusage(whose).expect("the kernel counts");
    let secs = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    secs(used.user_time()) + secs(used.system_time())
}

/// Flights a second on counts, two threads side by side: by the clock, and by what the threads
/// had of their processors, which differs where somebody else wants them too.
struct OnCounts {
    by_clock: f64,
    by_processor: f64,
    simulated: f64,
}

fn on_counts(plan: &Plan, stride: Millis, secs: u64) -> OnCounts {
    let began = Instant::now();
    let flown = || {
        let mut flight = Flight::<()>::new(plan.clone(), facts(), world());
        flight.stride = stride;
        assert_eq!(black_box(fly(&mut flight, CAP)), Landing::Kept);
        flight.now
    };
    let (flights, spent) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (mut flights, before) = (0.0, processor(UsageWho::RUSAGE_THREAD));
                    while began.elapsed() < Duration::from_secs(secs) {
                        for _ in 0..8 {
                            flown();
                        }
                        flights += 8.0;
                    }
                    (flights, processor(UsageWho::RUSAGE_THREAD) - before)
                })
            })
            .collect();
        let each = threads.into_iter().map(|thread| thread.join().expect("it flies"));
        each.fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1))
    });
    OnCounts {
        by_clock: flights / began.elapsed().as_secs_f64(),
        by_processor: 2.0 * flights / spent,
        simulated: flown() as f64 / 1e3,
    }
}

/// Prints it, with the goal in deploys a second.
fn tell_counts(found: &OnCounts, goal: f64) {
    figure("a deploy, two at once", 1e6 / found.by_clock, "us", 1e6 / goal);
    remark(&format!("deploys a second (at least {goal})"), found.by_clock, "");
    remark("the same on processors of its own", found.by_processor, "");
    remark("simulated", found.simulated, "s");
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
    // One reading of the clock for each stretch of the same kind: it costs as much as a step. Of
    // some flights the quickest counts, stretch by stretch: others want the processor too.
    let stretches: Vec<&[Past]> = steps.chunk_by(|a, b| kind(a) == kind(b)).collect();
    let mut quickest = vec![Duration::MAX; stretches.len()];
    for _ in 0..20 {
        let mut core = Core::new(plan.clone(), facts());
        for (stretch, quickest) in stretches.iter().zip(&mut quickest) {
            let events: Vec<_> = stretch.iter().map(|step| (step.event.clone(), step.at)).collect();
            let began = Instant::now();
            for (event, at) in events {
                black_box(core.step(event, at));
            }
            *quickest = (*quickest).min(began.elapsed());
        }
    }
    let (mut spent, mut count) = ([Duration::ZERO; 4], [0_u32; 4]);
    for (stretch, quickest) in stretches.iter().zip(quickest) {
        let kind = kind(&stretch[0]);
        spent[kind] += quickest;
        count[kind] += stretch.len() as u32;
    }
    let empty = Instant::now();
    for _ in 0..1_000 {
        black_box(Instant::now());
    }
    let clock = empty.elapsed().as_nanos() as f64 / 1_000.0;
    for (kind, name) in names.iter().enumerate() {
        let each = spent[kind].as_nanos() as f64 / f64::from(count[kind].max(1));
        let many = count[kind];
        remark(&format!("a step: {name} ({many} of a run)"), each, "ns");
    }
    remark("of which the clock takes up to", clock, "ns");
    let began = Instant::now();
    for _ in 0..1_000 {
        black_box(Core::new(plan.clone(), facts()));
    }
    remark("a fresh core", began.elapsed().as_nanos() as f64 / 1e6, "us");
}

/// A run of half an hour on counts and on the lab, with and without its journal.
fn half_an_hour(full: &Plan) {
    let mut plan = full.clone();
    plan.watch = Millis::secs(18 * 60);
    let scenario = scenario::load("plain-sailing").expect("it is built in");
    let mut drill = lab::plan(&scenario).unwrap_or_else(|faults| panic!("{faults}"));
    (drill.soak, drill.ramp_hold, drill.watch) = (plan.soak, plan.ramp_hold, plan.watch);
    drill.limits = plan.limits.clone();
    for (what, counts) in [("counts", true), ("the lab, 40 users a second", false)] {
        println!("a deploy of half an hour with its journal, on {what}");
        let before = processor(UsageWho::RUSAGE_SELF);
        let mut runs: Vec<_> = (1..=10)
            .map(|seed| {
                if counts {
                    with_journal(&plan, world())
                } else {
                    with_journal(&drill, lab::world(&scenario, seed, &drill))
                }
            })
            .collect();
        let spent = (processor(UsageWho::RUSAGE_SELF) - before) * 1e2;
        runs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (took, minutes, bytes) = runs[runs.len() / 2];
        figure("first event to last byte on disk", took, "ms", 50.0);
        remark("the quickest of ten", runs[0].0, "ms");
        remark("on processors, the two threads together", spent, "ms");
        remark("simulated", minutes, "min");
        remark("journal and samples", bytes as f64 / 1024.0, "KiB");
    }
    let began = processor(UsageWho::RUSAGE_THREAD);
    let lab = lab::world(&scenario, 1, &drill);
    let mut flight: Flight<(), LabModel> = Flight::new(drill.clone(), facts(), lab);
    assert_eq!(fly(&mut flight, CAP), Landing::Kept);
    let spent = (processor(UsageWho::RUSAGE_THREAD) - began) * 1e3;
    remark("the lab without a journal, on its processor", spent, "ms");
}

fn main() {
    if !is_bench() {
        return;
    }
    let [secs, parts] = numbers([3, 15]);
    let full = parsed("");
    let mut short = parsed(SHORT);
    short.health.hold = Millis::secs(3);
    if parts & 1 > 0 {
        half_an_hour(&full);
    }
    if parts & 2 > 0 {
        println!("compressed plans on counts, two threads");
        tell_counts(&on_counts(&short, Millis::secs(1), secs), 5_000.0);
        println!("the same, in strides of five seconds");
        tell_counts(&on_counts(&short, Millis::secs(5), secs), 5_000.0);
    }
    if parts & 4 > 0 {
        println!("plans of full length on counts, two threads, in strides of five seconds");
        tell_counts(&on_counts(&full, Millis::secs(5), secs), 700.0);
    }
    if parts & 8 > 0 {
        println!("the core, each second measured");
        by_kind(&full, Millis::secs(1));
        println!("the core, each five seconds measured");
        by_kind(&full, Millis::secs(5));
    }
}
