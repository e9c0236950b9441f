//! Scenarios and plans on simulated time: each story ends as it is told, a seed tells the same
//! story byte for byte, and whoever flies needs no snapshot to know what is routine.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

#[path = "support/sim/plan.rs"]
mod fixture;

use std::collections::BTreeSet;
use switchback::lab::{Lever, Scenario, scenario};
use switchback::plan::{Migration, Plan};
use switchback::runbook::{
    Answer, Command, Core, Effect, Event, GateState, Kind, RunFacts, Snapshot, Step,
};
use switchback::sim::lab::{LabModel, plan, world};
use switchback::sim::pilot::{Landing, fly};
use switchback::sim::{Fate, Flight, Health, History, Watcher, World};
use switchback::units::Millis;

const CAP: Millis = Millis::secs(3_600);

fn facts(attended: bool) -> RunFacts {
    RunFacts { kind: Kind::Drill, attended, ..fixture::facts() }
}

fn scenario(name: &str) -> (Scenario, Plan) {
    let scenario = scenario::load(name).unwrap();
    let plan = plan(&scenario).unwrap_or_else(|faults| panic!("{faults}"));
    (scenario, plan)
}

type Drill = Flight<History, LabModel>;

/// A drill with every limit read literally, flown by the pilot.
fn drill(name: &str, seed: u64) -> (Landing, Drill) {
    let (scenario, mut plan) = scenario(name);
    plan.limits.iter_mut().for_each(|limit| limit.literal = true);
    let world = world(&scenario, seed, &plan);
    let mut flight = Flight::new(plan, facts(false), world);
    (fly(&mut flight, CAP), flight)
}

fn replays<M: switchback::sim::Model>(flight: &Flight<History, M>) {
    let replayed = flight.watcher.replay(flight.plan(), flight.facts());
    replayed.unwrap_or_else(|differs| panic!("{differs}"));
}

/// Everything that was asked of the world, and everything that it told.
fn story(flight: &Drill) -> String {
    let told: Vec<_> =
        flight.watcher.steps.iter().map(|step| (step.at, &step.event, &step.effects)).collect();
    serde_json::to_string(&told).unwrap()
}

#[test]
fn each_scenario_ends_as_its_story_tells_whatever_the_seed() {
    for (name, lands) in [
        ("plain-sailing", Landing::Kept),
        ("wall-of-red", Landing::RolledBack),
        ("cold-shiver", Landing::Kept),
    ] {
        for seed in scenario::load(name).unwrap().clock.seeds {
            let (landing, flight) = drill(name, seed);
            let says = flight.finish().map(|finish| finish.says.clone());
            assert_eq!(landing, lands, "{name} {seed}: {says:?}");
            replays(&flight);
            let tally = flight.world.slots.tally();
            let failed = tally.users_failed() as f64 / tally.users() as f64;
            let hurt = lands == Landing::RolledBack;
            assert!(tally.users() > 1_500, "users came: {tally:?}");
            assert_eq!(failed > 0.008, hurt, "{name} {seed}: {tally:?}");
        }
    }
}

#[test]
fn a_seed_tells_one_story_and_another_seed_another_one() {
    let (_, one) = drill("wall-of-red", 401);
    let (_, again) = drill("wall-of-red", 401);
    let (_, other) = drill("wall-of-red", 402);
    assert_eq!(story(&one), story(&again));
    assert_ne!(story(&one), story(&other));
}

#[test]
fn the_lab_is_measured_as_a_person_s_drill_is() {
    let (_, flight) = drill("plain-sailing", 101);
    let (mut probes, mut users, mut gauges) = (0, 0, 0);
    for step in &flight.watcher.steps {
        let Event::Sample(sample) = &step.event else { continue };
        assert_eq!(sample.at.0 % 1000, 0, "a second ends on a second");
        probes += sample.checks.unwrap_or(0);
        users += if sample.in_flight.is_some() { sample.requests.unwrap_or(0) } else { 0 };
        gauges += u64::from(sample.queue_depth.is_some());
        let times = sample.latency_ms.as_ref().map_or(0, |times| times.count());
        assert!(times <= sample.requests.unwrap_or(0), "no more answers than requests");
    }
    let tally = flight.world.slots.tally();
    // The first reading of a counter says nothing, and some are still in flight at the end.
    let unseen = tally.users() - users;
    assert!((20..80).contains(&unseen), "{unseen} of {} users were not seen", tally.users());
    let secs = flight.now / 1000;
    assert!(probes > 2 * secs && probes < 4 * secs, "{probes} checks in {secs} s of two slots");
    assert!(gauges > secs, "both slots say how long the queue is: {gauges}");
}

#[test]
fn a_deploy_that_is_cut_off_leaves_nothing_in_the_slot() {
    let (scenario, plan) = scenario("plain-sailing");
    let world = world(&scenario, 101, &plan);
    let mut flight: Drill = Flight::new(plan, facts(true), world);
    flight.feed(Event::Begin);
    while flight.snapshot().running.is_none_or(|(name, _)| name.as_str() != "deploy") {
        match flight.core.routine() {
            Some(command) => flight.command(command),
            None => assert!(flight.advance_to_next(60_000), "it never deployed"),
        }
    }
    flight.advance(500);
    flight.command(Command::Rollback);
    flight.advance(30_000);
    let green = flight.core.blue().unwrap().other();
    assert!(!switchback::sim::Model::answers(&flight.world.slots, green));
    assert!(flight.snapshot().rollback.is_some_and(|back| back.verified));
}

/// A drill of this text, attended, with what is routine pressed until `until` ms.
fn attended(text: &str, until: u64) -> Drill {
    let head = "schema = 1\n[drill]\nid = \"t\"\ntitle = \"T\"\nlevel = 1\nminutes = 1\n";
    let scenario = scenario::parse("t", &format!("{head}{text}")).unwrap();
    let plan = plan(&scenario).unwrap_or_else(|faults| panic!("{faults}"));
    let world = world(&scenario, 7, &plan);
    let mut flight = Flight::new(plan, facts(true), world);
    flight.feed(Event::Begin);
    while flight.now < until {
        match flight.core.routine() {
            Some(command) => flight.command(command),
            None => {
                flight.advance_to_next(until);
                if flight.finish().is_some() {
                    return flight;
                }
                if !flight.advance_to_next(until) {
                    flight.advance(until - flight.now);
                }
            }
        }
    }
    flight
}

fn fault(rest: &str) -> String {
    format!("[[fault]]\nid = \"f\"\n{rest}\n")
}

#[test]
fn a_router_that_says_yes_and_stays_is_seen_and_the_second_path_brings_users_back() {
    let mut flight = attended(&fault("kind = \"proxy.stuck\"\nat = \"full\""), 70_000);
    let blue = flight.core.blue().unwrap();
    assert_eq!(flight.world.router.split.sole(), Some(blue.other()), "everybody is on Green");
    flight.command(Command::Rollback);
    flight.advance(8_000);
    assert_eq!(flight.world.router.split.sole(), Some(blue.other()), "and stays there");
    assert!(!flight.snapshot().rollback.is_some_and(|back| back.verified));
    let now = Millis(flight.now);
    switchback::sim::lab::pull(&mut flight.world, Lever::SecondPath, now).unwrap();
    assert_eq!(flight.world.router.split.sole(), Some(blue));
    let green_before = flight.world.slots.tally().slot(blue.other()).requests;
    flight.advance(10_000);
    assert_eq!(flight.world.slots.tally().slot(blue.other()).requests, green_before);
}

#[test]
fn a_way_back_in_steps_is_walked_by_the_site_and_read_by_the_router() {
    let mut flight = attended("", 70_000);
    let green = flight.core.blue().unwrap().other();
    let now = Millis(flight.now);
    switchback::sim::lab::pull(&mut flight.world, Lever::RampBack, now).unwrap();
    let mut shares = Vec::new();
    for _ in 0..3 {
        flight.advance(5_000);
        shares.push(flight.world.router.split.share(green).get());
        flight.advance(15_000);
    }
    assert_eq!(shares, [75, 50, 0]);
}

#[test]
fn a_router_that_goes_half_way_is_left_half_way() {
    let flight = attended(&fault("kind = \"proxy.partial\"\nat = \"switch\"\nshare = 0.5"), 60_000);
    let green = flight.core.blue().unwrap().other();
    let share = flight.world.router.split.share(green).get();
    assert!((11..100).contains(&share), "{share} %");
}

#[test]
fn an_artefact_that_is_gone_is_found_at_step_1() {
    let flight = attended(&fault("kind = \"rollback.missing\"\nat = \"start\""), 30_000);
    let failed = flight.watcher.steps.iter().any(|step| {
        let Event::Done { outcome: switchback::runbook::Outcome::Ran(ran), .. } = &step.event
        else {
            return false;
        };
        ran.end == switchback::runbook::End::Exit(1)
    });
    assert!(failed, "the redeploy check says so");
    assert_eq!(flight.world.slots.tally().slots[1].requests, 0);
}

#[test]
fn what_is_measured_freezes_and_what_happens_does_not() {
    let text = fault("kind = \"telemetry.freeze\"\nat = \"switch+5s\"\nfor = \"20s\"");
    let flight = attended(&text, 60_000);
    let green = flight.watcher.steps.iter().filter_map(|step| match &step.event {
        Event::Sample(sample) if sample.in_flight.is_some() => Some((sample.role, sample)),
        _ => None,
    });
    let counts: Vec<_> = green
        .filter(|(role, _)| *role == switchback::signal::Whose::Green)
        .map(|(_, sample)| (sample.requests, sample.failed))
        .collect();
    let longest = counts.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap();
    assert!((20..=24).contains(&longest), "{longest} seconds are the same");
}

#[test]
fn what_a_service_says_of_itself_is_read_off_its_body() {
    let text = fault("kind = \"mem.leak\"\nat = \"switch\"\nvalue = 3");
    let flight = attended(&text, 50_000);
    let words = flight.watcher.steps.iter().filter_map(|step| match &step.event {
        Event::Sample(sample) => sample.why.as_ref().map(ToString::to_string),
        _ => None,
    });
    let words: Vec<_> = words.collect();
    assert!(words.iter().any(|why| why.contains("memory") && why.contains("full in")), "{words:?}");
}

/// A run of half an hour: a long plan, a second at a time.
#[test]
fn half_an_hour_replays() {
    let (scenario, mut plan) = scenario("plain-sailing");
    plan.soak = Millis::secs(300);
    plan.ramp_hold = Millis::secs(180);
    plan.watch = Millis::secs(1_100);
    let world = world(&scenario, 101, &plan);
    let mut flight: Drill = Flight::new(plan, facts(false), world);
    assert_eq!(fly(&mut flight, CAP), Landing::Kept);
    assert!(flight.now > 1_700_000, "{} ms", flight.now);
    replays(&flight);
}

#[test]
fn the_pilot_says_how_it_ended() {
    let land = |attended, change: &dyn Fn(&mut Plan, &mut World)| {
        let (mut plan, mut world) = (fixture::plan(), World::default());
        change(&mut plan, &mut world);
        let mut flight: Flight = Flight::new(plan, facts(attended), world);
        let landing = fly(&mut flight, CAP);
        (landing, flight.finish().map(|finish| finish.exit))
    };
    for attended in [false, true] {
        assert_eq!(land(attended, &|_, _| {}), (Landing::Kept, Some(0)));
        let bad = land(attended, &|_, world| world.slots[1].after_deploy = Health::Failing(50));
        assert_eq!(bad, (Landing::Abandoned, Some(5)), "the soak found it");
        let late = land(attended, &|plan, world| {
            plan.soak = Millis::secs(1);
            world.slots[1].after_deploy = Health::Failing(50);
        });
        assert_eq!(late, (Landing::RolledBack, Some(3)));
    }
    let irreversible = |plan: &mut Plan, _: &mut World| {
        plan.release.migration = Migration::Irreversible;
    };
    assert_eq!(land(true, &irreversible), (Landing::Asks, None));
    let by_hand = |plan: &mut Plan, _: &mut World| plan.commands.argv.clear();
    assert_eq!(land(true, &by_hand), (Landing::TimeUp, None), "nobody deploys");
    let mute = |_: &mut Plan, world: &mut World| {
        world.commands.values_mut().for_each(|fate| *fate = Fate::Fails(1, 10));
    };
    assert_eq!(land(false, &mute), (Landing::Abandoned, Some(5)));
}

/// What was shown decides what `--yes` presses; what the core says of itself must be the same.
#[derive(Default)]
struct Routine {
    pressed: BTreeSet<&'static str>,
    in_flight: BTreeSet<switchback::runbook::EffectId>,
}

fn presses(snapshot: &Snapshot, idle: bool) -> Option<Command> {
    if snapshot.finish.is_some() {
        return None;
    }
    if let Some(question) = &snapshot.question {
        let (question, routine) = (question.number, question.routine);
        return routine.then_some(Command::Answer { question, answer: Answer::Yes });
    }
    if snapshot.rollback.is_some() {
        return None;
    }
    if snapshot.step == Step::Warm {
        return idle.then_some(Command::Leave);
    }
    (snapshot.next_open && snapshot.gate == GateState::Open).then_some(Command::Next)
}

impl Watcher for Routine {
    fn stepped(&mut self, now: Millis, event: &Event, effects: &[Effect], core: &mut Core) {
        if let Event::Done { effect, .. } = event {
            self.in_flight.remove(effect);
        }
        for effect in effects {
            match effect {
                Effect::Act { id, .. } => drop(self.in_flight.insert(*id)),
                Effect::Cancel(id) => drop(self.in_flight.remove(id)),
                _ => {}
            }
        }
        let snapshot = core.snapshot();
        let by_screen = presses(&snapshot, self.in_flight.is_empty());
        assert_eq!(core.routine(), by_screen, "at {} ms after {event:?}", now.0);
        let asks = snapshot.question.is_some_and(|question| !question.routine);
        assert_eq!(core.asks_somebody(), asks, "at {} ms after {event:?}", now.0);
        self.pressed.extend(by_screen.map(|press| match press {
            Command::Next => "next",
            Command::Leave => "leave",
            _ => "yes",
        }));
    }
}

#[test]
fn what_is_routine_is_what_the_screen_would_say() {
    let health = [Health::Well, Health::Unready, Health::Failing(30), Health::Gone];
    let mut pressed = BTreeSet::new();
    for attended in [false, true] {
        for after_deploy in health {
            for command in [Fate::Good(1_500), Fate::Fails(1, 200), Fate::Hangs, Fate::Lost] {
                let mut world = World::default();
                world.slots[1].after_deploy = after_deploy;
                world.commands.values_mut().for_each(|fate| *fate = command);
                let mut flight: Flight<Routine> =
                    Flight::new(fixture::plan(), facts(attended), world);
                fly(&mut flight, Millis::secs(400));
                pressed.append(&mut flight.watcher.pressed);
            }
        }
    }
    assert_eq!(pressed, BTreeSet::from(["leave", "next", "yes"]), "all of them were pressed");
}

#[test]
fn longer_strides_come_to_the_same_end_with_fewer_steps() {
    for (after_deploy, lands) in
        [(Health::Well, Landing::Kept), (Health::Failing(20), Landing::RolledBack)]
    {
        let fly_in = |secs| {
            let mut plan = fixture::plan();
            plan.soak = Millis::secs(1);
            plan.watch = Millis::secs(600);
            let mut world = World::default();
            world.slots[1].after_deploy = after_deploy;
            let mut flight: Flight<History> = Flight::new(plan, facts(false), world);
            flight.stride = Millis::secs(secs);
            assert_eq!(fly(&mut flight, CAP), lands, "{after_deploy:?} in strides of {secs} s");
            replays(&flight);
            flight
        };
        let (each, fifth) = (fly_in(1), fly_in(5));
        let late = fifth.now.abs_diff(each.now);
        assert!(late <= 45_000, "{late} ms apart");
        let (many, few) = (each.watcher.steps.len(), fifth.watcher.steps.len());
        assert!(few * 3 < many, "{few} steps instead of {many}");
        let requests = |flight: &Flight<History>| -> u64 {
            let steps = &flight.watcher.steps;
            let samples = steps.iter().filter_map(|step| match &step.event {
                Event::Sample(sample) => sample.requests,
                _ => None,
            });
            samples.sum::<u64>() * 1_000 / flight.now
        };
        let (one, other) = (requests(&each), requests(&fifth));
        assert!(one.abs_diff(other) <= 2, "{one} and {other} requests a second");
    }
}
