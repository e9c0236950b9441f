//! How good the rule is: `cargo bench --bench decision`, or with `-- N` for N times as much, and
//! `-- --seed S` for other luck.
//!
//! Plays the catalogue of outcomes on counts, for the numbers that the rule was tuned on and for
//! two sets of ranges that it was not, before the cockpit's judge and its peers on the same
//! seeds. Prints the table, the seven goals, and what the model and the judge cost.

#[path = "support/declared.rs"]
mod declared;
#[path = "support/field.rs"]
mod field;
#[path = "support/figures.rs"]
mod figures;
#[path = "support/goals.rs"]
mod goals;
#[path = "support/peers.rs"]
mod peers;

use field::{Cell, Field, Size, Tally, mean_and_worst};
use figures::{is_bench, remark};
use peers::PEERS;
use std::time::Instant;
use switchback::odds::{Class, Cockpit, Course, Mode, Outcome, Policy, Profile, World};
use switchback::plan::Plan;
use switchback::units::Millis;

fn main() {
    if !is_bench() {
        return;
    }
    let (factor, seed) = arguments();
    let began = Instant::now();
    let plan = declared::plan();
    println!("the catalogue of outcomes, seed {seed}");
    costs(&plan, seed);
    for profile in Profile::ALL {
        let size = |n: f64| ((n * factor) as u64).max(1);
        let size = Size {
            watches: [size(500.0), size(200.0), size(100.0)],
            peers_in: 10,
            threads: 2,
            course: Course::of_mode,
        };
        let field = Field::play(&plan, profile, Cell::all(), size, seed);
        let [keep, shared, roll] = size.watches;
        println!(
            "\n{}: {keep} watches a cell to keep, {shared} shared, {roll} to roll back; peers play one in {}",
            profile.word(),
            size.peers_in
        );
        table(&field);
        goals::goals(&field).iter().for_each(|goal| println!("{goal}"));
    }
    println!("\nin all profiles");
    goals::same_verdicts(&plan, 36, seed).iter().for_each(|goal| println!("{goal}"));
    println!("  it took {:.0} s", began.elapsed().as_secs_f64());
}

/// How much is played, as a factor, and the seed.
fn arguments() -> (f64, u64) {
    let (mut factor, mut seed) = (1.0, 1);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--seed" {
            seed = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(seed);
        } else if let Ok(n) = argument.parse() {
            factor = n;
        }
    }
    (factor, seed)
}

fn table(field: &Field) {
    println!(
        "  {:<20} {:>6} {:>6} {:>6}  {:>13} {:>11}  {:>8} {:>6}  {:>14}  {:>6} {:>8}",
        "policy",
        "false",
        "worst",
        "found",
        "20%: median s",
        "users",
        "all: s",
        "users",
        "shared e/o/l %",
        "night",
        "night s"
    );
    let names = std::iter::once("switchback").chain(PEERS.iter().map(|(name, _)| *name));
    for (policy, name) in names.enumerate() {
        let of = |asked: &dyn Fn(&Cell) -> bool| field.of(policy, asked);
        let keep = of(&|c| c.moved() && c.outcome.class() == Class::Keep);
        let (mean, worst, _) = mean_and_worst(&keep, Tally::back_percent);
        let bad = of(&|c| c.counted() && c.outcome.class() == Class::Roll);
        let (found, ..) = mean_and_worst(&bad, Tally::found_percent);
        let hard = |outcome, rps| {
            let cell = Cell { outcome, mode: Mode::Hard, rps };
            of(&move |c| *c == cell).first().map(|(_, tally)| (*tally).clone()).unwrap_or_default()
        };
        let rates = [0.5, 2.0, 10.0].map(|rps| hard(Outcome::TwentyPercent, rps));
        let all = hard(Outcome::Everything, 10.0);
        let shared =
            [Outcome::SharedErrors, Outcome::SharedOutage, Outcome::SharedLatency].map(|kind| {
                mean_and_worst(&of(&|c| c.counted() && c.outcome == kind), Tally::back_percent).0
            });
        let (night, ..) = mean_and_worst(
            &of(&|c| c.night() && c.outcome == Outcome::Healthy),
            Tally::back_percent,
        );
        println!(
            "  {name:<20} {mean:>6.2} {worst:>6.1} {found:>6.1}  {:>13} {:>11}  {:>8} {:>6.0}  {:>14}  {night:>6.1} {:>8}",
            rates.each_ref().map(|tally| secs(tally, 0.5)).join("/"),
            rates.each_ref().map(|tally| format!("{:.0}", tally.failed_mean())).join("/"),
            secs(&all, 0.5),
            all.failed_mean(),
            shared.map(|percent| format!("{percent:.1}")).join("/"),
            secs(&hard(Outcome::Everything, 0.01), 0.5),
        );
    }
}

fn secs(tally: &Tally, share: f64) -> String {
    tally.delay(share).map_or_else(|| ">15m".to_owned(), |secs| secs.to_string())
}

/// What a simulated second costs.
fn costs(plan: &Plan, seed: u64) {
    for (rps, span) in [(0.5, 5), (10.0, 5), (50.0, 5), (10.0, 1)] {
        let course = Course { before: 0, span, ..Course::of_mode(Mode::Ramp) };
        let (mut model, mut judge, mut hour) = (0.0, 0.0, 0.0);
        let watches = 40;
        for n in 0..watches {
            let world = |course: &Course| {
                World::new(
                    course.clone(),
                    Outcome::Healthy.draw(Profile::Base, rps, n),
                    &[],
                    seed ^ n,
                )
            };
            let mut samples = Vec::new();
            let whole = Course { before: 3_300, soak: 0, watch: 0, ..course.clone() };
            let mut before = world(&whole);
            let began = Instant::now();
            while before.next(&mut samples).is_some() {}
            hour += began.elapsed().as_secs_f64() * 1e3;
            let mut seen = Vec::new();
            let mut world = world(&course);
            let began = Instant::now();
            while world.next(&mut samples).is_some() {}
            model += began.elapsed().as_secs_f64() * 1e6;
            let mut world =
                World::new(course.clone(), Outcome::Healthy.draw(Profile::Base, rps, n), &[], n);
            while let Some(at) = world.next(&mut samples) {
                seen.push((at, std::mem::take(&mut samples)));
            }
            let mut ours = Cockpit::new(plan);
            ours.soak(Millis::ZERO);
            let began = Instant::now();
            for (at, samples) in &seen {
                ours.second(samples);
                if at.0.is_multiple_of(5_000) {
                    let _ = ours.decide(*at);
                }
                if at.as_secs() == course.switch() {
                    ours.switch(*at);
                }
            }
            judge += began.elapsed().as_secs_f64() * 1e6;
        }
        let seconds = (watches * course.end()) as f64;
        let at = format!("at {rps} rps, samples of {span} s");
        remark(&format!("the model, {at}"), model / seconds, "us a second");
        remark(&format!("the judge, {at}"), judge / seconds, "us a second");
        remark(&format!("Blue's hour before, {at}"), hour / watches as f64, "ms");
    }
}
