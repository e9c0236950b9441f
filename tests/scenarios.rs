//! The catalogue as it stands in `scenarios/`: every file is whole, and each world does what its
//! story says, whatever the seed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

#[allow(dead_code, reason = "the scenarios bring their own plans")]
#[path = "support/sim/plan.rs"]
mod fixture;

use std::collections::BTreeSet;
use switchback::drill::harm;
use switchback::lab::scenario::answer::{Answer, Call};
use switchback::lab::scenario::{VerdictClass, builtin, load, load_answer, parse, parse_answer};
use switchback::lab::tally::Tally;
use switchback::lab::{Lever, Scenario, World};
use switchback::plan::Plan;
use switchback::runbook::{Kind, RunFacts};
use switchback::sim::Flight;
use switchback::sim::lab::{LabModel, plan, world};
use switchback::sim::pilot::{Landing, fly};
use switchback::units::{Millis, Split};

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

/// Every word of a text that is a version, such as 1.9.0.
fn versions(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
    let is_version = |word: &&str| {
        let parts: Vec<_> = word.split('.').collect();
        parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok())
    };
    words.map(|word| word.trim_matches('.')).filter(is_version).map(str::to_owned).collect()
}

#[test]
fn brief_world_and_evidence_speak_of_the_same_two_releases() {
    assert_eq!(versions("1.8.2 is in the store, 27.5 MB; 1.9.0."), versions("1.9.0: 1.8.2"));
    for (name, scenario, answer) in all() {
        let (blue, green) = (&scenario.world.blue.version, &scenario.world.green.version);
        assert_ne!(blue, green, "{name}");
        let story = &scenario.story;
        assert!(story.change_note.starts_with(&format!("{green}: ")), "{name}");
        assert!(versions(&story.brief).is_subset(&BTreeSet::from([green.clone()])), "{name}");
        let looks = scenario.evidence.iter().flat_map(|look| [&look.shows, &look.detail]);
        let said = scenario.injects.iter().map(|inject| &inject.text);
        let offered = scenario.offers.iter().map(|offer| &offer.says);
        for text in looks.chain(said).chain(offered).chain([&answer.truth.cause]) {
            let others = versions(text).into_iter().filter(|word| word != blue && word != green);
            // The odd one out of three is the story there.
            let strange: Vec<_> = others.filter(|word| word != "1.7.4").collect();
            assert_eq!(strange, [""; 0], "{name}: {text}");
        }
    }
}

#[test]
fn what_must_have_been_looked_at_could_have_been() {
    for (name, scenario, answer) in all() {
        for decision in &answer.decisions {
            let last = decision.steps.iter().max().copied().unwrap_or(8);
            for item in &decision.requires_viewed {
                let found = scenario.evidence.iter().find(|look| look.item == *item);
                assert!(found.is_some_and(|look| look.step <= last), "{name}: {item}");
            }
        }
    }
}

/// Bands that allow anything would prove nothing. One that is wide is of a scenario in which the
/// seed decides whether a habit happens to be right.
#[test]
fn bands_are_narrow() {
    let (mut wide, mut of) = (0, 0);
    for (name, _, answer) in all() {
        for (bot, band) in answer.bots.named() {
            let [low, high] = band.unwrap();
            assert!(high - low <= 85, "{name}: {bot} may have {low} to {high}");
            wide += usize::from(high - low > 40);
            of += 1;
        }
    }
    assert!(10 * wide <= of, "{wide} of {of} bands are wider than 40");
}

#[test]
fn the_guide_holds() {
    let guide = include_str!("../scenarios/README.md");
    let example = guide.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let scenario = parse("the guide", example).unwrap_or_else(|fault| panic!("{fault}"));
    let answer = parse_answer("the guide", example).unwrap();
    assert!(answer.decisions[0].call == Call::Rollback && scenario.faults.len() == 1);
    let (ill, mut well) = (never(&scenario, 9_901), scenario.clone());
    well.faults.clear();
    let slow = |flown: &Flown| flown.tally.slots[1].slow;
    assert!(slow(&ill) > slow(&never(&well, 9_901)) + 10, "the fault does what it says");
    for lever in Lever::ALL {
        assert!(guide.contains(lever.name()), "the guide does not know {lever}");
    }
    let kinds: BTreeSet<_> = all()
        .flat_map(|(name, ..)| {
            let text = switchback::lab::scenario::text(name).unwrap().into_owned();
            let kinds = text.lines().filter_map(|line| line.strip_prefix("kind = "));
            kinds.map(|kind| kind.replace('"', "`")).collect::<Vec<_>>()
        })
        .collect();
    for kind in kinds {
        assert!(guide.contains(&kind), "the guide does not know {kind}");
    }
}

#[test]
fn the_plan_of_a_drill_is_the_plan_of_a_drill_in_which_nothing_happens() {
    for (name, scenario, _) in all() {
        let mut empty = scenario.clone();
        empty.faults.clear();
        empty.injects.clear();
        empty.offers.clear();
        empty.evidence.clear();
        let [plan, other] = [&scenario, &empty].map(switchback::lab::plan_apart);
        assert_eq!(plan, other, "{name}");
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

/// A flight that nobody watches.
struct Flown {
    landing: Landing,
    says: String,
    /// What became of users, the time after the flight included that the scenario asks for.
    tally: Tally,
    at: Millis,
}

impl Flown {
    /// Users who were hurt, whatever way.
    fn harm(&self) -> u64 {
        let tally = &self.tally;
        let slots = tally.slots.iter();
        let each = slots
            .map(|slot| slot.failed - slot.abusive + slot.wrong + slot.sessions_lost + slot.slow);
        each.sum::<u64>() + tally.lost + tally.jobs_late + tally.duplicates + tally.cut
    }
}

fn fly_alone(scenario: &Scenario, seed: u64, change: impl Fn(&mut Plan)) -> Flown {
    let mut plan = plan(scenario).unwrap();
    change(&mut plan);
    let mut flight: Flight<(), LabModel> =
        Flight::new(plan.clone(), facts(), world(scenario, seed, &plan));
    let landing = fly(&mut flight, scenario.clock.hard_stop);
    let at = Millis(flight.now);
    let end = flight.world.slots.lab().foresee(at + scenario.clock.horizon, false);
    let says = flight.finish().map_or_else(String::new, |finish| finish.says.to_string());
    Flown { landing, says, tally: end.tally, at }
}

/// Who never goes back: no limit is there to trip.
fn never(scenario: &Scenario, seed: u64) -> Flown {
    fly_alone(scenario, seed, |plan| plan.limits.clear())
}

#[test]
fn what_goes_wrong_hurts_whatever_the_seed_and_nothing_hurts_without_it() {
    // Here a gate keeps users away from it by itself.
    let gated = ["missing-binary", "empty-hangar"];
    for (name, scenario, _) in all() {
        let good = scenario.drill.verdict == Some(VerdictClass::Good);
        for seed in &scenario.clock.seeds {
            let ill = never(&scenario, *seed);
            let mut well = scenario.clone();
            well.faults.clear();
            let well = never(&well, *seed);
            assert_eq!(well.landing, Landing::Kept, "{name} {seed}: {}", well.says);
            let noise = well.harm().max(2);
            if good {
                let share = 100.0 * ill.harm() as f64 / ill.tally.users() as f64;
                assert!(ill.landing == Landing::Kept && share < 1.0, "{name} {seed}: {share} %");
            } else if gated.contains(&name) {
                assert_eq!(ill.landing, Landing::Abandoned, "{name} {seed}: {}", ill.says);
            } else if scenario.drill.verdict != Some(VerdictClass::Thin) {
                assert!(ill.harm() > 3 * noise, "{name} {seed}: {} and {noise}", ill.harm());
            }
        }
    }
}

#[test]
fn the_limits_alone_do_not_pass_the_harder_levels() {
    let (mut fooled, mut of) = (0, 0);
    for (name, scenario, _) in all().filter(|(_, scenario, _)| scenario.drill.level >= 2) {
        let flown = fly_alone(&scenario, scenario.default_seed(), |_| {});
        let right = match scenario.drill.verdict.unwrap() {
            VerdictClass::Good => flown.landing == Landing::Kept,
            VerdictClass::Bad => {
                matches!(flown.landing, Landing::RolledBack | Landing::Abandoned)
            }
            VerdictClass::Shared | VerdictClass::Unsafe => flown.landing != Landing::RolledBack,
            VerdictClass::Thin => true,
        };
        println!("{name}: {:?}, {right}", flown.landing);
        of += 1;
        fooled += usize::from(!right);
    }
    assert!(10 * fooled >= 4 * of, "{fooled} of {of}");
}

/// A world with everybody on Green for a while, and then a minute without or with a rollback.
fn a_minute_later(scenario: &Scenario, seed: u64, back: bool) -> u64 {
    let mut world = World::new(scenario, seed);
    let (blue, green) = (world.blue(), world.blue().other());
    world.play_until(Millis::secs(5));
    world.deploy(green, None, Millis::secs(5));
    world.play_until(Millis::secs(25));
    world.set_split(Split::all_to(green), Millis::secs(25));
    world.play_until(Millis::secs(95));
    let before = harm::failed(&world.tally());
    if back {
        world.set_split(Split::all_to(blue), Millis::secs(95));
    }
    world.play_until(Millis::secs(155));
    harm::failed(&world.tally()) - before
}

#[test]
fn going_back_is_worse_than_staying_where_the_story_says_so() {
    for (name, worse) in [
        ("no-way-back", true),
        ("the-cure", true),
        ("cold-blue", true),
        ("poisoned-letters", true),
        ("logged-in-again", true),
        ("wall-of-red", false),
        ("creeping-ramp", false),
        ("which-one-is-live", false),
    ] {
        let scenario = load(name).unwrap();
        for seed in &scenario.clock.seeds {
            let (stay, back) =
                (a_minute_later(&scenario, *seed, false), a_minute_later(&scenario, *seed, true));
            if worse {
                assert!(2 * back > 3 * stay, "{name} {seed}: {back} going back, {stay} staying");
            } else {
                assert!(4 * back < stay, "{name} {seed}: {back} going back, {stay} staying");
            }
        }
    }
    let cold = load("cold-blue").unwrap();
    let hard = a_minute_later(&cold, 2701, true);
    let mut world = World::new(&cold, 2701);
    let green = world.blue().other();
    world.deploy(green, None, Millis::secs(5));
    world.play_until(Millis::secs(25));
    world.set_split(Split::all_to(green), Millis::secs(25));
    world.play_until(Millis::secs(95));
    let before = world.tally().users_failed();
    world.pull(Lever::RampBack, Millis::secs(95)).unwrap();
    world.play_until(Millis::secs(155));
    let in_steps = world.tally().users_failed() - before;
    assert!(4 * in_steps < hard, "{in_steps} in steps, {hard} at once");
    let both = load("both-beds").unwrap();
    let (stay, back) = (a_minute_later(&both, 2101, false), a_minute_later(&both, 2101, true));
    assert!(back > stay, "{back} going back, {stay} staying");
}

#[test]
fn a_lever_that_is_pulled_in_time_ends_it() {
    for (name, lever, before, after) in [
        ("both-beds", Lever::ShedBatch, 80, 90),
        ("no-way-back", Lever::Patch, 110, 125),
        ("old-mine", Lever::DisableTrigger, 100, 105),
    ] {
        let scenario = load(name).unwrap();
        let mut world = World::new(&scenario, scenario.default_seed());
        let green = world.blue().other();
        world.deploy(green, None, Millis::secs(1));
        world.play_until(Millis::secs(20));
        world.set_split(Split::all_to(green), Millis::secs(20));
        world.play_until(Millis::secs(before));
        let failed = world.tally().users_failed();
        assert!(failed > 40, "{name}: {failed}");
        let said = world.pull(lever, Millis::secs(before)).unwrap_or_else(|why| panic!("{why}"));
        assert!(!said.is_empty());
        world.play_until(Millis::secs(after));
        let failed = world.tally().users_failed();
        world.play_until(Millis::secs(after + 60));
        let then = world.tally().users_failed() - failed;
        assert!(then < 25, "{name}: {then} failed after it");
    }
}

#[test]
fn every_scenario_is_flown_the_same_way_twice() {
    for (name, scenario, _) in all() {
        let seed = scenario.default_seed();
        let flown = || {
            let flown = fly_alone(&scenario, seed, |_| {});
            (flown.landing, flown.says, flown.tally, flown.at)
        };
        assert_eq!(flown(), flown(), "{name}");
    }
}
