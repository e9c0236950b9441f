//! What is measured of a flight.

use crate::scenes::{RED, course, note, script, story, sure};
use std::time::Duration;
use switchback::drill::account;
use switchback::drill::bots::Bot;
use switchback::drill::fly::{self, Course};
use switchback::drill::keys::{Cue, Key, Keys, PATIENCE, Player};
use switchback::drill::regress::{self, Yardstick};
use switchback::drill::score::Grade;
use switchback::drill::tape::{By, Deed, Tape};
use switchback::journal::{Entry, Opened, Writer};
use switchback::lab::scenario;
use switchback::lab::scenario::answer::{Call, Declares};
use switchback::runbook::{Command, Effect, Event, Kind, RunFacts, RunOutcome, View};
use switchback::sim::lab::world;
use switchback::sim::{Flight, History, pilot};
use switchback::units::Millis;

#[test]
fn who_goes_back_soon_leaves_six_moments_in_their_order() {
    let flown = story(RED, &[(36, Command::Rollback)], &sure(0.9, "green.error_rate"));
    let account = &flown.account;
    let moments =
        [account.onset, account.evidence, account.detect, account.effect, account.restore]
            .map(Option::unwrap);
    assert!(moments.is_sorted(), "{moments:?}");
    let made = account.call.unwrap();
    assert_eq!((made.call, made.by, made.switched), (Call::Rollback, By::Operator, true));
    assert_eq!(account.decide, Some(made.at));
    let seen = account.evidence.unwrap().since(account.onset.unwrap());
    assert!(seen <= Millis::secs(4), "six in ten fail: sure after {seen}");
    assert!(account.restore.unwrap().since(made.at) < Millis::secs(5), "{account:?}");
}

#[test]
fn a_mark_is_a_detection_and_a_look_alone_is_none() {
    let keys = [(33, note("mark errors on Green")), (40, Command::Rollback)];
    let flown = story(RED, &keys, &sure(0.9, "error_rate"));
    assert_eq!(flown.account.detect.map(Millis::as_secs), Some(33));
    assert_eq!(flown.account.decide.map(Millis::as_secs), Some(40));
    let keys = [(20, Command::Look(View::Limits)), (34, Command::Look(View::Limits))];
    let flown = story(RED, &keys, &sure(0.9, "error_rate"));
    assert_eq!(flown.account.detect, None, "what a look told stands in what was done next");
}

#[test]
fn holds_marks_and_looks_are_kept_with_their_steps() {
    let keys = [
        (0, note("look: redeploy_time")),
        (0, Command::Look(View::Output)),
        (26, Command::Hold),
        (36, Command::Hold),
        (37, note("declare: pause the queue")),
        (38, note("a remark to nobody")),
        (39, Command::Rollback),
    ];
    let flown = story(RED, &keys, &sure(0.9, "error_rate"));
    let looks: Vec<_> =
        flown.account.looks.iter().map(|look| (look.step, look.item.as_deref())).collect();
    assert_eq!(looks, [(1, Some("redeploy_time")), (1, None)]);
    assert!((9_000..=11_000).contains(&flown.account.held.0), "{}", flown.account.held);
    let tape = &flown.flown.tape;
    assert_eq!(tape.did(|deed| *deed == Deed::Hold).count(), 1);
    assert_eq!(tape.did(|deed| *deed == Deed::GoOn).count(), 1);
    assert_eq!(tape.did(|deed| *deed == Deed::Declare(Declares::PauseQueue)).count(), 1);
    assert_eq!(flown.account.call.map(|made| made.call), Some(Call::Declare));
}

#[test]
fn a_way_back_that_nobody_called_is_the_limits_own() {
    let guarded = RED.replace("on_trip = \"ask\"", "on_trip = \"rollback\"");
    let flown = story(&guarded, &[], &sure(0.5, ""));
    let made = flown.account.call.unwrap();
    assert_eq!((made.call, made.by), (Call::Rollback, By::Limit));
}

#[test]
fn marks_where_nothing_was_to_be_seen_are_counted() {
    let keys =
        [(2, note("mark")), (5, note("mark: hm")), (9, note("mark")), (36, Command::Rollback)];
    assert_eq!(story(RED, &keys, &sure(0.9, "error_rate")).account.idle_marks, 3);
}

/// A journal's run and a simulated history give the same tape as the flight itself: the deeds, the
/// verdicts, the steps and the seconds.
#[test]
fn a_tape_is_the_same_whoever_kept_it() {
    let course = course(RED);
    let seed = course.scenario.clock.seeds[0];
    let world = world(&course.scenario, seed, course.plan());
    let facts = RunFacts {
        run: "7f3a".to_owned(),
        kind: Kind::Drill,
        host: "lab".into(),
        began_unix_ms: 0,
        attended: false,
        last_rollback: None,
        last_end: None,
        tells_gates: true,
        drilled: None,
        record: switchback::signal::Record::default(),
    };
    let mut flight: Flight<(History, Tape), _> = Flight::new(course.plan().clone(), facts, world);
    flight.feed(Event::Begin);
    pilot::go_on(&mut flight, Millis::secs(33));
    flight.command(Command::Rollback);
    pilot::go_on(&mut flight, Millis::secs(60));
    let (history, live) = &flight.watcher;
    let dir = tempfile::tempdir().unwrap();
    let opened = Opened::new(flight.facts().clone(), flight.plan().clone(), "lab");
    let (writer, _troubles) = Writer::create(dir.path(), opened, Millis::ZERO).unwrap();
    for (n, past) in (1..).zip(&history.steps) {
        writer.append(Entry::Input { n, event: past.event.clone() }, past.at);
        for effect in past.effects.iter().filter(|effect| !matches!(effect, Effect::Finish(_))) {
            writer.append(Entry::Effect { n, effect: effect.clone() }, past.at);
        }
    }
    writer.close(Duration::from_secs(10)).unwrap();
    let run = switchback::journal::read(dir.path()).unwrap();
    for again in [Tape::of_history(history), Tape::of_run(&run)] {
        assert_eq!(again.deeds, live.deeds);
        assert_eq!(again.told, live.told);
        assert_eq!(again.samples, live.samples);
        assert_eq!((again.steps, again.stamps), (live.steps, live.stamps));
        assert_eq!((again.moved.clone(), again.outcome), (live.moved.clone(), live.outcome));
    }
    assert!(live.rollback().is_some() && live.stamps[0].is_some());
    assert!(live.samples.len() > 60);
}

/// The evidence of a flight that was cut short is that of its longer twin: the detector looks
/// backwards only, and the oracle may rely on it.
#[test]
fn the_evidence_does_not_hang_on_what_came_later() {
    let course = course(RED);
    for seed in course.scenario.clock.seeds.clone() {
        let evidence = |keys: &[(u64, Command)]| {
            let flown = fly::with(&course, seed, &mut script(keys));
            account::of(&flown.tape, &flown.truth, &course.scenario, &course.answer).evidence
        };
        let long = evidence(&[(90, Command::Rollback)]);
        assert!(long.is_some());
        assert_eq!(evidence(&[(40, Command::Rollback)]), long, "seed {seed}");
    }
}

/// What is pressed by what is seen gives the same flight again.
#[test]
fn the_keys_of_a_flight_fly_it_again() {
    for (name, bot) in [
        ("wall-of-red", Bot::Twitch),
        ("twice-the-pool", Bot::Oracle),
        ("router-says-no", Bot::Oracle),
        ("cold-blue", Bot::Oracle),
        ("plain-sailing", Bot::Rusher),
    ] {
        let scenario = scenario::load(name).unwrap();
        let course = Course::new(scenario, scenario::load_answer(name).unwrap()).unwrap();
        let seed = course.scenario.default_seed();
        let yardstick = Yardstick::of(&course, seed);
        let (flown, keys) = regress::keys(&course, seed, bot, &yardstick);
        let mut player = Player::new(&keys);
        let again = fly::with(&course, seed, &mut player);
        assert!(player.missed.is_empty(), "{name}: {:?}", player.missed);
        assert_eq!(again.tape.deeds, flown.tape.deeds, "{name}");
        assert_eq!(again.harm, flown.harm, "{name}");
    }
}

#[test]
fn a_key_whose_cue_never_comes_is_given_up_and_told() {
    let course = course(RED);
    let seed = course.scenario.default_seed();
    let key = |cue, at: u64, command| Key {
        cue,
        nth: 1,
        after: Millis::ZERO,
        routine: false,
        command,
        at: Millis::secs(at),
    };
    let never = key(Cue::InBand, 1, Command::Look(View::Log));
    let then = key(Cue::Begins, 2, Command::Look(View::Limits));
    let keys = Keys { keys: vec![never.clone(), then], ended: Millis::secs(3), over: false };
    let mut player = Player::new(&keys);
    let flown = fly::with(&course, seed, &mut player);
    assert_eq!(player.missed, [never]);
    let looks: Vec<_> = flown.tape.did(|deed| *deed == Deed::Look(View::Limits)).collect();
    assert_eq!(looks.len(), 1);
    assert!(looks[0].at >= Millis::secs(1) + PATIENCE, "{looks:?}");
}

#[test]
fn a_flight_is_ended_at_its_hard_stop() {
    let text = RED.replace("[clock]", "[clock]\nhard_stop = \"40s\"");
    assert_ne!(text, RED);
    let flown = story(&text, &[(1_000, Command::Rollback)], &sure(0.9, "error_rate"));
    assert_eq!(flown.flown.tape.outcome, Some(RunOutcome::Interrupted));
    assert_eq!(flown.account.ended.as_secs(), 40);
    assert!(flown.flown.truth.stopped.as_deref().is_some_and(|why| why.contains("40s")));
    assert_eq!(flown.score.grade, Grade::Abandoned);
    let late = story(&text, &[(39, Command::Rollback)], &sure(0.9, "error_rate"));
    assert_ne!(late.score.grade, Grade::Abandoned, "a way back that has begun is finished first");
}
