//! The seven goals of the rule, each with its figure and the worst cell by name.

use crate::field::{Cell, Field, Tally, mean_and_worst};
use switchback::odds::{Class, Cockpit, Course, Mode, Outcome, Policy, Profile, World};
use switchback::plan::Plan;
use switchback::signal::Verdict;

/// A goal and what came of it.
#[derive(Debug, Clone)]
pub struct Goal {
    /// Which of the seven.
    pub number: u8,
    /// What was measured.
    pub what: String,
    /// The figure.
    pub value: f64,
    /// What it must not exceed.
    pub most: f64,
    /// The worst cell, or what else is to be known.
    pub remark: String,
}

impl Goal {
    fn new(number: u8, what: impl Into<String>, value: f64, most: f64, remark: String) -> Self {
        Self { number, what: what.into(), value, most, remark }
    }

    /// Whether it is reached.
    pub fn met(&self) -> bool {
        self.value <= self.most
    }
}

impl std::fmt::Display for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = if self.met() { "met" } else { "falls short" };
        let Self { number, what, value, most, remark } = self;
        write!(f, "  {number}  {what:<52} {value:>8.2}  at most {most:<6} {word:<12} {remark}")
    }
}

fn missing(value: Option<u32>) -> f64 {
    value.map_or(f64::INFINITY, f64::from)
}

/// The goals that one profile's field speaks of.
pub fn goals(field: &Field) -> Vec<Goal> {
    let mut goals = Vec::new();
    let base = field.profile == Profile::Base;
    false_alarms(field, base, &mut goals);
    let bad = field.of(0, |c| c.counted() && c.outcome.class() == Class::Roll);
    let (mean, worst, name) = mean_and_worst(&bad, |tally| 100.0 - tally.found_percent());
    let remark = format!("worst {worst:.1}: {name}");
    goals.push(Goal::new(2, "bad releases not found, %, 0.5 to 10 rps", mean, 2.0, remark));
    if base {
        twenty_percent(field, &mut goals);
    }
    everything(field, base, &mut goals);
    for kind in [Outcome::SharedErrors, Outcome::SharedOutage, Outcome::SharedLatency] {
        let shared = field.of(0, |c| c.counted() && c.outcome == kind);
        let (mean, worst, name) = mean_and_worst(&shared, Tally::back_percent);
        let what = format!("{}: rolled back, %", kind.name());
        goals.push(Goal::new(5, what, mean, 5.0, format!("worst {worst:.1}: {name}")));
    }
    let night = field.of(0, |c| c.night() && c.outcome == Outcome::Healthy);
    let sum = |value: fn(&Tally) -> u64| night.iter().map(|(_, t)| value(t)).sum::<u64>() as f64;
    let of = format!("of {}", sum(|tally| tally.watches));
    goals.push(Goal::new(6, "nights that were rolled back", sum(|t| t.back), 0.0, of.clone()));
    goals.push(Goal::new(6, "nights that were kept silently", sum(|t| t.kept_silently), 0.0, of));
    goals
}

fn false_alarms(field: &Field, base: bool, goals: &mut Vec<Goal>) {
    // The base's figures are of five kinds; sessions belong to what the rule was not tuned on.
    let kept =
        |c: &Cell| c.outcome.class() == Class::Keep && (!base || c.outcome != Outcome::Sessions);
    let (most, most_worst) = if base { (0.5, 2.0) } else { (1.0, 4.0) };
    let (mean, ..) = mean_and_worst(&field.of(0, |c| c.moved() && kept(c)), Tally::back_percent);
    let (_, worst, name) =
        mean_and_worst(&field.of(0, |c| !c.night() && kept(c)), Tally::back_percent);
    goals.push(Goal::new(1, "false rollbacks, mean %", mean, most, String::new()));
    goals.push(Goal::new(1, "false rollbacks, worst cell %", worst, most_worst, name));
    if base {
        let sessions = field.of(0, |c| c.moved() && c.outcome == Outcome::Sessions);
        let (mean, worst, name) = mean_and_worst(&sessions, Tally::back_percent);
        goals.push(Goal::new(1, "sessions that fail together, mean %", mean, 1.0, String::new()));
        goals.push(Goal::new(1, "sessions that fail together, worst cell %", worst, 4.0, name));
    }
}

fn hard(field: &Field, outcome: Outcome, rps: f64) -> Tally {
    let cell = Cell { outcome, mode: Mode::Hard, rps };
    field.of(0, |c| *c == cell).first().map_or_else(Tally::default, |(_, tally)| (*tally).clone())
}

fn twenty_percent(field: &Field, goals: &mut Vec<Goal>) {
    for (rps, secs, users) in [(0.5, 35.0, 5.0), (2.0, 25.0, 11.0), (10.0, 25.0, 50.0)] {
        let tally = hard(field, Outcome::TwentyPercent, rps);
        let what = format!("20 % errors, hard, {rps} rps: median s");
        let p95 = format!("p95 {}", tally.delay(0.95).map_or("> 15 m".into(), |s| s.to_string()));
        goals.push(Goal::new(3, what, missing(tally.delay(0.5)), secs, p95));
        let what = format!("20 % errors, hard, {rps} rps: users failed, mean");
        // Whole users: a mean of 100.2 is not more than 100.
        goals.push(Goal::new(3, what, tally.failed_mean().round(), users, String::new()));
    }
}

fn everything(field: &Field, base: bool, goals: &mut Vec<Goal>) {
    let tally = hard(field, Outcome::Everything, 10.0);
    if base {
        let median = missing(tally.delay(0.5));
        goals.push(Goal::new(4, "everything fails, 10 rps: median s", median, 10.0, String::new()));
        let failed = tally.failed_mean().round();
        let what = "everything fails, 10 rps: users failed, mean";
        goals.push(Goal::new(4, what, failed, 100.0, String::new()));
    }
    let cells = field.of(0, |c| c.mode == Mode::Hard && c.outcome == Outcome::Everything);
    let (_, worst, name) = mean_and_worst(&cells, |tally| missing(tally.delay(0.95)));
    goals.push(Goal::new(4, "everything fails, any traffic: p95 s", worst, 20.0, name));
}

/// What each verdict must show, as its record's keys.
const SHOWN: [&str; 6] = ["bad", "of", "limit", "tolerance", "luck", "normal"];

/// The seventh goal: the same counts, judged twice, give the same verdicts bit for bit; and each
/// verdict shows its numbers.
pub fn same_verdicts(plan: &Plan, watches: u64, seed: u64) -> Vec<Goal> {
    let story = |outcome: Outcome, seed: u64| {
        let course = Course::of_mode(Mode::Ramp);
        let drawn = outcome.draw(Profile::Harsh, 2.0, seed);
        let mut world = World::new(course.clone(), drawn, &[], seed);
        let (mut ours, mut samples, mut said) = (Cockpit::new(plan), Vec::new(), Vec::new());
        while let Some(at) = world.next(&mut samples) {
            ours.second(&samples);
            if at.as_secs() > course.soak_from() {
                let _ = ours.decide(at);
                said.extend(ours.judgements().map(|j| serde_json::to_value(j).unwrap_or_default()));
            }
            if at.as_secs() == course.soak_from() {
                ours.soak(at);
            }
            if at.as_secs() == course.switch() {
                ours.switch(at);
            }
        }
        said
    };
    let (mut differ, mut hidden) = (0, 0);
    let mut example = String::new();
    for n in 0..watches {
        let outcome = Outcome::ALL[n as usize % Outcome::ALL.len()];
        let (one, other) = (story(outcome, seed ^ n), story(outcome, seed ^ n));
        differ += u64::from(format!("{one:?}") != format!("{other:?}"));
        let tripped = serde_json::to_value(Verdict::Tripped).unwrap_or_default();
        for judgement in one.iter().filter(|j| j.get("verdict") == Some(&tripped)).take(1) {
            let absent: Vec<&str> =
                SHOWN.into_iter().filter(|key| judgement.get(key).is_none()).collect();
            if !absent.is_empty() {
                hidden += 1;
                example = format!("not shown: {}", absent.join(", "));
            }
        }
    }
    let of = format!("of {watches}");
    vec![
        Goal::new(7, "watches whose verdicts differ when played again", differ as f64, 0.0, of),
        Goal::new(7, "trips that do not show all their numbers", hidden as f64, 0.0, example),
    ]
}
