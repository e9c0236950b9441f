//! Every wait has a deadline with a declared outcome, and an unproven watch has a policy.

use crate::sim::Health;
use crate::story::{Given, Place, given};
use switchback::plan::{CommandName, Unproven};
use switchback::runbook::{RunOutcome, Step};

fn at_night(unproven: Unproven) -> Given {
    given().world(|world| world.slots.users = Some(0)).plan(|plan| plan.unproven = unproven)
}

#[test]
fn an_unproven_watch_asks_and_yes_keeps_green() {
    at_night(Unproven::Ask)
        .reaches(Place::Unproven)
        .asks("The watch ended unproven: 0 of ")
        .yes()
        .says("KEPT")
        .q()
        .exits(0, RunOutcome::Kept);
}

#[test]
fn an_unproven_watch_goes_back_when_it_is_told_to_or_when_nobody_answers() {
    at_night(Unproven::Ask).reaches(Place::Unproven).no().waits(1).green_has(0);
    at_night(Unproven::Ask)
        .reaches(Place::Unproven)
        .waits(59)
        .is_not_going_back()
        .waits(2)
        .green_has(0);
}

#[test]
fn an_unproven_watch_is_extended_once_and_then_asks() {
    at_night(Unproven::Extend)
        .reaches(Place::Watch)
        .waits(62)
        .tells("watching once more, as the plan says")
        .is_in(Step::Watch)
        .waits(50)
        .is_in(Step::Watch)
        .waits(10)
        .asks("unproven");
}

#[test]
fn an_unproven_watch_goes_back_by_itself_where_the_plan_says_so_or_nobody_sits() {
    at_night(Unproven::Rollback)
        .reaches(Place::Watch)
        .waits(62)
        .is_going_back()
        .waits(1)
        .green_has(0);
    at_night(Unproven::Ask)
        .nobody_at_the_keyboard()
        .hard_switch()
        .reaches(Place::Watch)
        .waits(150)
        .green_has(0)
        .exits(3, RunOutcome::RolledBack);
}

#[test]
fn leaving_and_staying_brings_the_question_back_that_lay_beneath() {
    at_night(Unproven::Ask)
        .reaches(Place::Unproven)
        .q()
        .asks("Leave?")
        .no()
        .asks("unproven")
        .q()
        .waits(60)
        .is_going_back();
}

#[test]
fn a_trip_comes_on_top_of_leave_and_a_press_meant_for_leave_does_not_answer_it() {
    let mut story = given().asks_on_trip().reaches(Place::Watch).q().asks("Leave?");
    let leave = story.question().number;
    let story = story
        .green_is(Health::Failing(60))
        .until("the trip is asked about", |snap| {
            snap.question.as_ref().is_some_and(|q| q.title.contains("tripped"))
        })
        .presses(switchback::runbook::Command::Answer {
            question: leave,
            answer: switchback::runbook::Answer::Yes,
        });
    story.goes_on().asks("A limit has tripped").no().asks("Leave?");
}

#[test]
fn unattended_a_gate_that_stays_shut_ends_in_abandon() {
    given()
        .nobody_at_the_keyboard()
        .world(|world| world.slots[0].health = Health::Unready)
        .begins()
        .waits(80)
        .exits(5, RunOutcome::Abandoned);
}

#[test]
fn unattended_a_check_that_fails_is_not_tried_for_ever() {
    let story = given()
        .nobody_at_the_keyboard()
        .command(CommandName::RedeployCheck)
        .world(|world| {
            world.commands.insert(CommandName::RedeployCheck, crate::sim::Fate::Fails(1, 10));
        })
        .begins()
        .waits(5);
    assert!(!story.flight.core.clone().snapshot().next_open, "the autopilot would press for ever");
    story.waits(70).exits(5, RunOutcome::Abandoned);
}

#[test]
fn attended_a_gate_that_stays_shut_is_told_once_in_a_while_and_nothing_moves() {
    given()
        .world(|world| world.slots[0].health = Health::Unready)
        .begins()
        .waits(80)
        .tells("the gate of step 1 was shut for 1m: Blue not ready: readyz says 503")
        .goes_on();
}

#[test]
fn a_blue_that_is_never_heard_is_unknown_and_not_waited_for_quietly() {
    given()
        .world(|world| world.slots[0].health = Health::Silent)
        .begins()
        .waits(10)
        .gate_says(switchback::runbook::GateState::Unknown, "Blue was never heard");
}

#[test]
fn blue_is_drained_when_nothing_is_in_flight_or_the_drain_time_has_passed() {
    given()
        .world(|world| world.slots.blue_in_flight = Some(0))
        .reaches(Place::Kept)
        .waits(122)
        .says("BLUE IDLE");
    given()
        .world(|world| world.slots.blue_in_flight = Some(3))
        .reaches(Place::Kept)
        .waits(125)
        .says("BLUE DRAINING")
        .waits(10)
        .says("BLUE IDLE");
}
