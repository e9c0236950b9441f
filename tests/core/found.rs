//! What the hostile world has found, each as a short story of its own.

use crate::sim::{Health, Manner};
use crate::story::{Place, Story, given};
use switchback::journal::{Actor, Entry};
use switchback::plan::DeadlineThen;
use switchback::runbook::snapshot::{Stamp, StampState};
use switchback::runbook::{Act, Answer, Command, Effect, Event, Record, RunOutcome, Seen};
use switchback::sim::Fate;
use switchback::units::Role;

/// When the router was asked to be read since `from`, in milliseconds.
fn reads(story: &Story, from: u64) -> Vec<u64> {
    let is_read = |effect: &Effect| matches!(effect, Effect::Act { act: Act::ReadRouter, .. });
    let asked = story.flight.watcher.history.asked.iter();
    asked.filter(|(at, effect)| *at >= from && is_read(effect)).map(|(at, _)| *at).collect()
}

#[test]
fn r_on_a_run_that_is_back_finds_what_somebody_moved_a_moment_ago() {
    given()
        .reaches(Place::Holding(50))
        .r()
        .waits(5)
        .says("BACK ON BLUE")
        .somebody_else_sets(30)
        // Nobody has read that yet: the screen still says that all is well.
        .says("BACK ON BLUE")
        .r()
        .waits_ms(50)
        .green_has(0)
        .waits(5)
        .says("BACK ON BLUE");
}

#[test]
fn a_look_that_began_too_early_is_not_the_second_one() {
    let story = given().reaches(Place::Holding(50)).r().waits_ms(900);
    let pressed = story.flight.now - 900;
    // This one is still under way when every earlier write has run out of time.
    let story = story.world(|world| world.router.delay = 700).r().waits(5);
    let reads = reads(&story, pressed);
    assert!(reads.iter().any(|at| *at >= pressed + 1_000), "{reads:?} after {pressed}");
}

#[test]
fn unattended_a_run_whose_users_are_all_on_blue_goes_back_though_blue_is_unwell() {
    given()
        .nobody_at_the_keyboard()
        .reaches(Place::Writing(10))
        .router(Manner::Ignores)
        .journal(false)
        .blue_is(Health::Silent)
        .router(Manner::Obeys)
        .waits(200)
        .green_has(0)
        .exits(3, RunOutcome::RolledBack);
}

#[test]
fn a_failed_deploy_is_not_run_again_where_somebody_else_has_sent_users() {
    given()
        .command_fate(Fate::Fails(1, 500))
        .reaches(Place::Deploying)
        .until_it_says("DEPLOY FAILED")
        .somebody_else_sets(20)
        .until_it_says("HELD")
        .h()
        .space()
        .asks_nothing()
        .tells("somebody else moved the split");
}

#[test]
fn a_deadline_does_not_send_somebody_elses_users_back_to_an_unwell_blue() {
    given()
        .plan(|plan| plan.health.deadline_then = DeadlineThen::Abandon)
        .world(|world| world.slots[1].after_deploy = Health::Unready)
        .reaches(Place::Readiness)
        .somebody_else_sets(20)
        .blue_is(Health::Unready)
        .until_it_says("HELD")
        .h()
        .waits(120)
        .is_not_going_back()
        .asks("Go back to Blue all the same?")
        .blue_is(Health::Well)
        .waits(5)
        .is_going_back()
        .green_has(0);
}

#[test]
fn unattended_a_trip_over_a_run_that_is_picked_up_is_not_waited_for_without_end() {
    given()
        .nobody_at_the_keyboard()
        .reaches(Place::Holding(50))
        .green_is(Health::Failing(40))
        .waits(14)
        .world(|world| world.router.up[0] = Some(false))
        .is_killed_and_resumed_after(3)
        .waits(600)
        .exits(4, RunOutcome::Interrupted);
}

#[test]
fn the_countdown_of_an_unproven_watch_stops_while_both_slots_suffer() {
    given()
        .plan(|plan| plan.limits.iter_mut().for_each(|limit| limit.literal = false))
        .world(|world| world.slots.users = Some(1))
        .reaches(Place::Unproven)
        .world(|world| {
            world.slots[0].health = Health::Failing(40);
            world.slots[1].health = Health::Failing(40);
        })
        .until("both slots suffer", |snap| snap.headline.going == "BOTH SLOTS SUFFER")
        .waits(90)
        .is_not_going_back();
}

#[test]
fn unattended_a_write_that_fails_while_both_slots_suffer_does_not_go_back() {
    given()
        .nobody_at_the_keyboard()
        .plan(|plan| plan.limits.iter_mut().for_each(|limit| limit.literal = false))
        .reaches(Place::Holding(10))
        .waits(16)
        .blue_is(Health::Failing(30))
        .green_is(Health::Failing(30))
        .router(Manner::Late(9_000))
        .reaches(Place::Writing(50))
        .until("both slots suffer", |snap| snap.headline.going == "BOTH SLOTS SUFFER")
        .waits(3)
        .tells("the router did not take the split")
        .is_not_going_back();
}

#[test]
fn an_answer_of_yes_is_nobodys_and_is_told_from_a_persons() {
    let mut story = given().nobody_at_the_keyboard().reaches(Place::Confirmed).space();
    let question = story.question().number;
    let event = Event::Autopilot(Command::Answer { question, answer: Answer::Yes });
    assert_eq!(Entry::Input { n: 1, event: event.clone() }.actor(), Actor::Cockpit);
    let by_hand = Event::Command(Command::Rollback);
    assert_eq!(Entry::Input { n: 1, event: by_hand }.actor(), Actor::Operator);
    story.flight.feed(event);
    assert!(story.log().contains("answered by --yes: deploy"), "{}", story.log());
    // A person's own is as it always was.
    let story = given().reaches(Place::Confirmed).space().yes();
    assert!(story.log().contains("answered: deploy"), "{}", story.log());
}

#[test]
fn where_no_answer_of_green_came_there_is_no_time_of_it() {
    let back = |tells: bool| {
        let given = if tells { given() } else { given().of_an_older_program() };
        let mut story = given.reaches(Place::Holding(50)).r();
        let what = Seen::LastAnswer(Role::Green);
        story.flight.feed(Event::Seen { what, after_us: 0 });
        let state = story.snap().rollback.unwrap().stamps[Stamp::LastFromGreen as usize].clone();
        let effects = &story.flight.watcher.history.asked;
        let after = effects.iter().find_map(|(_, effect)| match effect {
            Effect::Record(Record::Stamped { stamp: Stamp::LastFromGreen, after_us, .. }) => {
                Some(*after_us)
            }
            _ => None,
        });
        (state, after.unwrap(), story.log())
    };
    let (state, after, log) = back(true);
    assert_eq!((state, after), (StampState::Not(Stamp::NONE_SINCE.to_owned()), None));
    assert!(log.contains("last answer from Green: none since the rollback began"), "{log}");
    // Journals of older programs are lived again as they were.
    assert_eq!(back(false).1, Some(0));
}
