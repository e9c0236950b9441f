//! The good day: eight steps, the operator's keys, and what can be done to their pace.

use crate::story::{Place, given};
use std::collections::BTreeMap;
use switchback::plan::{CommandName, ProbePlan};
use switchback::runbook::{GateState, RunOutcome, Step};

#[test]
fn a_good_release_is_walked_through_the_eight_steps_and_kept() {
    given()
        .begins()
        .says("WHO IS BLUE?")
        .until_it_says("CONFIRMING")
        .tells("left serves all users: it is Blue in this run")
        .until("the gate opens", |snap| snap.gate == GateState::Open)
        .says("press space to deploy")
        .space()
        .asks("Deploy 1.9.0 to right (Green)?")
        .yes()
        .says("DEPLOYING")
        .green_has(0)
        .until_it_says("GREEN READY, HOLDING")
        .until_it_says("SOAKING")
        .until_it_says("READY TO SWITCH")
        .space()
        .asks("Send 10 % of users to Green?")
        .yes()
        .says("SWITCHING TO 10 %")
        .until_it_says("HOLDING AT 10 %")
        .green_has(10)
        .until("the hold is over", |snap| snap.next_open)
        .says("press space to send 50 %")
        .space()
        .yes()
        .until_it_says("HOLDING AT 50 %")
        .until("the hold is over", |snap| snap.next_open)
        .space()
        .yes()
        .until_it_says("WATCHING AT 100 %")
        .until("it is well", |snap| snap.headline.going == "WELL")
        .until_it_says("KEPT · BLUE WARM UNTIL")
        .green_has(100)
        .q()
        .exits(0, RunOutcome::Kept);
}

#[test]
fn an_operator_who_takes_their_time_at_the_first_step_finds_its_gate_open() {
    let probe = ProbePlan {
        path: "/orders".to_owned(),
        expect: 200,
        contains: None,
        headers: BTreeMap::default(),
    };
    given()
        .plan(|plan| plan.probes = vec![probe])
        .world(|world| world.slots.own_requests = true)
        .begins()
        .until("the gate opens", |snap| snap.gate == GateState::Open)
        .waits(120)
        .gate_says(GateState::Open, "no limit tripping on Blue")
        .reaches(Place::Kept)
        .q()
        .exits(0, RunOutcome::Kept);
}

#[test]
fn a_hard_switch_goes_to_a_hundred_in_one_step() {
    let story = given().hard_switch().reaches(Place::Watch).green_has(100);
    assert_eq!(story.flight.watcher.watching.moves(), 1);
    story.reaches(Place::Kept).q().exits(0, RunOutcome::Kept);
}

#[test]
fn the_whole_of_step_eight_ends_with_blue_gone_and_nothing_owed() {
    given()
        .command(CommandName::Stop)
        .command(CommandName::Contract)
        .reaches(Place::Idle)
        .space()
        .asks("Decommission Blue?")
        .types("nots")
        .tells("that is not `notes`; nothing was done")
        .asks("Decommission Blue?")
        .types("notes")
        .until_it_says("BLUE GONE")
        .asks("Contract the schema now?")
        .yes()
        .waits(3)
        .exits(0, RunOutcome::Kept)
        .tells("kept; Blue is decommissioned (exit 0)");
}

#[test]
fn a_contract_that_was_left_out_stays_listed_as_owed() {
    given()
        .command(CommandName::Stop)
        .command(CommandName::Contract)
        .reaches(Place::Gone)
        .no()
        .exits(0, RunOutcome::Kept)
        .tells("still owed: contract the schema");
}

#[test]
fn a_hold_stops_what_moves_forward_and_nothing_else() {
    let story = given().reaches(Place::Holding(10)).h().says("HELD AT 10 %").waits(120);
    assert!(!story.flight.core.clone().snapshot().next_open);
    story
        .space()
        .tells("not yet: you hold (h goes on)")
        .asks_nothing()
        .green_has(10)
        .h()
        .says("HOLDING AT 10 %")
        .space()
        .asks("Send 50 %");
}

#[test]
fn a_hold_takes_the_question_away_that_would_move_forward() {
    given()
        .reaches(Place::BeforeSwitch)
        .space()
        .asks("Send 10 %")
        .h()
        .asks_nothing()
        .says("HELD AT 0 %")
        .waits(600)
        .is_in(Step::Switch)
        .green_has(0);
}

#[test]
fn held_in_readiness_and_soak_the_run_stays_where_it_is_and_no_deadline_strikes() {
    given()
        .reaches(Place::Readiness)
        .h()
        .waits(600)
        .is_in(Step::Readiness)
        .h()
        .waits(2)
        .is_in(Step::Soak);
    given().reaches(Place::Soak).h().waits(600).is_in(Step::Soak).h().waits(2).is_in(Step::Switch);
}

#[test]
fn extending_gives_a_hold_more_time() {
    let story = given().reaches(Place::Holding(10)).waits(19).plus().waits(5);
    assert!(!story.flight.core.clone().snapshot().next_open);
    story.tells("step 5 extended by 20s").waits(16).space().asks("Send 50 %");
}

#[test]
fn extending_the_watch_lengthens_it_and_is_refused_where_nothing_is_timed() {
    given()
        .reaches(Place::Confirmed)
        .plus()
        .tells("nothing is being timed")
        .reaches(Place::Watch)
        .waits(59)
        .plus()
        .waits(50)
        .is_in(Step::Watch)
        .waits(12)
        .is_in(Step::Warm);
}

#[test]
fn a_note_is_kept_and_changes_nothing() {
    given()
        .reaches(Place::Watch)
        .notes("watching the export page")
        .tells("watching the export page")
        .is_in(Step::Watch);
}

#[test]
fn the_steps_tell_how_long_they_took() {
    let mut story = given().reaches(Place::Kept);
    let lines = story.snap().steps;
    let took = |step: Step| lines[step as usize].took.map(|took| took.as_secs());
    assert_eq!(took(Step::Soak), Some(20));
    assert_eq!(took(Step::Watch), Some(60));
    assert_eq!(took(Step::Readiness), Some(10));
}

#[test]
fn where_nobody_sits_the_autopilot_answers_open_gates_and_the_run_ends_by_itself() {
    given().nobody_at_the_keyboard().reaches(Place::Idle).waits(1).exits(0, RunOutcome::Kept);
}
