//! The catalogue as it stands in `scenarios/`: every file is whole, and each world does what its
//! story says, whatever the seed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

#[path = "support/sim/plan.rs"]
mod fixture;

use std::collections::BTreeSet;
use switchback::lab::Scenario;
use switchback::lab::scenario::answer::{Answer, Call};
use switchback::lab::scenario::{VerdictClass, builtin, load, load_answer};
use switchback::lab::tally::Tally;
use switchback::plan::Plan;
use switchback::runbook::{Kind, RunFacts};
use switchback::sim::Flight;
use switchback::sim::lab::{LabModel, plan, world};
use switchback::sim::pilot::{Landing, fly};
use switchback::units::Millis;

fn all() -> impl Iterator<Item = (&'static str, Scenario, Answer)> {
    builtin().map(|name| (name, load(name).unwrap(), load_answer(name).unwrap()))
}

#[test]
fn every_scenario_is_whole() {
    let (mut numbers, mut codenames) = (BTreeSet::new(), BTreeSet::new());
    for (name, scenario, answer) in all() {
        let drill = &scenario.drill;
        assert_eq!(drill.id, name);
        assert!(numbers.insert(drill.number) && drill.number > 0, "{name}: {}", drill.number);
        assert!(codenames.insert(drill.codename.clone()), "{name}: {}", drill.codename);
        assert!(drill.verdict.is_some() && !drill.family.is_empty(), "{name}");
        assert!(!drill.runbook_steps.is_empty() && !drill.twins.is_empty(), "{name}");
        assert_eq!(scenario.clock.seeds.len(), 4, "{name}");
        let story = &scenario.story;
        assert!(!story.change_note.is_empty() && story.hints.len() >= 2, "{name}");
        assert!(!story.sources.is_empty() && !scenario.evidence.is_empty(), "{name}");
        assert!(!answer.truth.cause.is_empty() && !answer.truth.telling_signal.is_empty());
        assert!(!answer.decisions.is_empty() && answer.decisions[0].credit == 1.0, "{name}");
        for (bot, band) in answer.bots.named() {
            assert!(band.is_some(), "{name} says nothing of {bot}");
        }
        assert!(answer.bots.oracle.unwrap()[0] >= 88, "{name}");
        let debrief = &answer.debrief;
        assert!(debrief.ask.len() >= 2 && !debrief.lesson.is_empty(), "{name}");
        assert!(!debrief.carry_over.is_empty() && !debrief.went_well.is_empty(), "{name}");
        plan(&scenario).unwrap_or_else(|faults| panic!("{name}: {faults}"));
    }
}

#[test]
fn what_a_scenario_points_to_is_there() {
    let known: BTreeSet<_> = builtin().collect();
    for (name, scenario, answer) in all() {
        for other in scenario.drill.twins.iter().chain(&answer.debrief.redrill_siblings) {
            assert!(known.contains(other.as_str()), "{name} points to {other}");
            assert_ne!(other, name);
        }
    }
}

#[test]
fn no_word_that_an_operator_sees_gives_the_answer_away() {
    for (name, scenario, _) in all() {
        let text = switchback::lab::plan_apart(&scenario);
        for fault in &scenario.faults {
            assert!(!text.contains(&fault.id), "the plan of {name} names {}", fault.id);
        }
        assert!(
            !scenario.story.brief.to_lowercase().contains(&scenario.drill.title.to_lowercase())
        );
    }
}

#[test]
fn rolling_back_is_right_often_and_not_always() {
    let verdicts: Vec<_> = all().map(|(_, scenario, _)| scenario.drill.verdict.unwrap()).collect();
    let bad = verdicts.iter().filter(|verdict| **verdict == VerdictClass::Bad).count();
    let other = 100 * (verdicts.len() - bad) / verdicts.len();
    assert!((35..=45).contains(&other), "{other} % of {} call for something else", verdicts.len());
    for (name, scenario, answer) in all() {
        let best = answer.decisions[0].call;
        match scenario.drill.verdict.unwrap() {
            VerdictClass::Good => assert_eq!(best, Call::Advance, "{name}"),
            VerdictClass::Shared | VerdictClass::Unsafe => {
                assert_ne!(best, Call::Rollback, "{name}")
            }
            VerdictClass::Bad | VerdictClass::Thin => {}
        }
    }
}

fn facts() -> RunFacts {
    RunFacts { kind: Kind::Drill, attended: false, ..fixture::facts() }
}

/// A flight that nobody watches: what the limits alone make of it, read literally or by the odds.
fn unwatched(name: &str, seed: u64, change: impl Fn(&mut Plan)) -> (Landing, Tally, Millis) {
    let scenario = load(name).unwrap();
    let mut plan = plan(&scenario).unwrap();
    change(&mut plan);
    let mut flight: Flight<(), LabModel> =
        Flight::new(plan.clone(), facts(), world(&scenario, seed, &plan));
    let landing = fly(&mut flight, Millis::secs(1_800));
    (landing, flight.world.slots.tally(), Millis(flight.now))
}

/// Who never goes back: no limit is there to trip.
fn never(name: &str, seed: u64) -> (Landing, Tally, Millis) {
    unwatched(name, seed, |plan| plan.limits.clear())
}

#[test]
#[ignore = "prints a table to tune by"]
fn table() {
    for (name, scenario, _) in all() {
        for seed in &scenario.clock.seeds[..2] {
            let began = std::time::Instant::now();
            let by_limits = unwatched(name, *seed, |_| {});
            let took = began.elapsed();
            let never = never(name, *seed);
            for (who, (landing, tally, at)) in [("limits", by_limits), ("never", never)] {
                let [blue, green] = tally.slots;
                println!(
                    "{name:22} {seed:5} {took:>6.0?} {who:6} {landing:?} {at} blue {}/{} green {}/{} \
                     4xx {}/{} slow {} late {} dup {} lost {} wrong {} cut {}",
                    blue.failed,
                    blue.requests,
                    green.failed,
                    green.requests,
                    blue.client_errors,
                    green.client_errors,
                    blue.slow + green.slow,
                    tally.jobs_late,
                    tally.duplicates,
                    blue.sessions_lost + green.sessions_lost,
                    green.wrong,
                    tally.cut,
                );
            }
        }
    }
}
