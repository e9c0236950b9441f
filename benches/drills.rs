//! What the catalogue's own proof costs: every scenario, all six bots, twenty seeds each, on
//! simulated time and two threads; and whether a second run says the same.
//!
//! `cargo bench --bench drills`; a number behind `--` is how many seeds of each scenario. The
//! goal is for twenty.

#[path = "support/figures.rs"]
mod figures;

use figures::{figure, is_bench, numbers, remark};
use std::time::Instant;
use switchback::drill::bots::Bot;
use switchback::drill::fly::Course;
use switchback::drill::regress;
use switchback::lab::scenario;

/// What comes with the program.
fn deck() -> Vec<Course> {
    let course = |name| {
        let read = scenario::load(name).and_then(|known| Ok((known, scenario::load_answer(name)?)));
        let (scenario, answer) = read.unwrap_or_else(|fault| panic!("{fault}"));
        Course::new(scenario, answer).unwrap_or_else(|faults| panic!("{faults}"))
    };
    scenario::builtin().map(course).collect()
}

/// All lines as `drill --json` prints them, and the seconds that they took.
fn flown(courses: &[Course], seeds: usize) -> (Vec<String>, f64) {
    let began = Instant::now();
    let lines = regress::lines(courses, seeds, &Bot::ALL, 2);
    let took = began.elapsed().as_secs_f64();
    let text = |line| serde_json::to_string(line).unwrap_or_else(|error| panic!("{error}"));
    (lines.iter().map(text).collect(), took)
}

fn main() {
    if !is_bench() {
        return;
    }
    let [seeds] = numbers([20]);
    let courses = deck();
    println!("{} scenarios, six bots, {seeds} seeds each, two threads", courses.len());
    let (first, took) = flown(&courses, seeds as usize);
    figure("every flight, scored", took, "s", 60.0 * seeds as f64 / 20.0);
    remark("a flight", took * 1e3 / first.len().max(1) as f64, "ms");
    let (second, _) = flown(&courses, seeds as usize);
    let differ = first.iter().zip(&second).filter(|(a, b)| a != b).count();
    let differ = differ + first.len().abs_diff(second.len());
    figure("lines that a second run says otherwise", differ as f64, "lines", 0.0);
}
