//! What the wind tunnel costs: ten thousand releases, one flight of each kind of release, and what
//! of a flight is the model's.
//!
//! `cargo bench --bench odds`; a number behind `--` is how many releases.

#[path = "support/figures.rs"]
mod figures;

use figures::{figure, is_bench, numbers, remark};
use std::hint::black_box;
use std::time::Instant;
use switchback::odds::flown::fly;
use switchback::odds::model::{Air, Counts, Knows};
use switchback::odds::{Asked, Flyable, Outcome, Profile, Service, odds};
use switchback::plan::{self, Plan};
use switchback::runbook::Regime;
use switchback::sim::Model;
use switchback::units::{Millis, Slot, Split};

/// Every default but a page that is probed.
const PLAN: &str = r#"
schema = 1
service = "notes"
[slots]
left = "http://127.0.0.1:8001"
right = "http://127.0.0.1:8002"
[router]
kind = "lab"
address = "127.0.0.1:1"
[health]
readiness = "/readyz"
[[probe]]
path = "/orders"
"#;

fn parsed(more: &str) -> Plan {
    match plan::parse(&format!("{PLAN}{more}"), "the bench's plan") {
        Ok(loaded) => loaded.plan,
        Err(faults) => panic!("{faults}"),
    }
}

fn whole(what: &str, plan: &Plan, rps: f64, releases: u64) {
    let began = Instant::now();
    let report = odds(
        plan,
        &Asked {
            service: Service::of(plan, rps, None),
            rps_from: String::new(),
            p95_from: String::new(),
            seed: 7,
            releases,
            threads: 2,
            landed: &|_| (),
        },
    );
    let took = began.elapsed().as_secs_f64();
    figure(what, took, "s", 15.0 * releases as f64 / 10_000.0);
    remark("releases a second", report.releases as f64 / took, "");
}

/// One flight of a kind, in microseconds, on one thread.
fn one(plan: &Flyable, service: &Service, outcome: Outcome) -> f64 {
    let began = Instant::now();
    for seed in 0..40 {
        black_box(fly(plan, service, outcome, service.rps, seed));
    }
    began.elapsed().as_secs_f64() * 1e6 / 40.0
}

/// The model alone over a healthy deploy of twenty minutes at full traffic, in microseconds.
fn model(rps: f64) -> f64 {
    let regime = Regime {
        blue: Slot::First,
        green: true,
        every: Millis(250),
        synthetic: true,
        front: false,
    };
    let began = Instant::now();
    for seed in 0..40 {
        let air = Air { knows: Knows::All, slow_ms: 500.0, exact_ms: 500.0 };
        let drawn = Outcome::Healthy.draw(Profile::Base, rps, seed);
        let mut counts = Counts::new(air, drawn, seed);
        let (mut samples, split) = (Vec::new(), Split::all_to(Slot::Second));
        counts.routed(Millis::ZERO, split);
        for at in (5..=1_200).step_by(5) {
            counts.seconds(Millis::secs(at), Millis::secs(5), &regime, split, &mut samples);
            black_box(&samples);
            samples.clear();
        }
    }
    began.elapsed().as_secs_f64() * 1e6 / 40.0
}

fn main() {
    if !is_bench() {
        return;
    }
    let [releases] = numbers([10_000]);
    let plan = parsed("");
    println!("switchback odds, two threads, every default");
    whole("10 requests a second", &plan, 10.0, releases);
    whole("0.5 requests a second", &plan, 0.5, releases);
    let hard = parsed("[traffic]\nramp = [100]\n");
    println!("switchback odds, two threads, a hard switch");
    whole("10 requests a second", &hard, 10.0, releases);

    println!("one flight at 10 requests a second, one thread");
    let service = Service::of(&plan, 10.0, None);
    let flyable = Flyable::new(&plan, &service);
    for outcome in Outcome::ALL {
        remark(outcome.name(), one(&flyable, &service, outcome), "us");
    }
    println!("the model alone, twenty minutes");
    for rps in [0.0, 10.0, 50.0, 1_000.0] {
        remark(&format!("{rps} requests a second"), model(rps), "us");
    }
}
