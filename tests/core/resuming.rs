//! A run that was cut off: the router is read before anything else, and the operator goes on or
//! goes back.

use crate::sim::{Fate, Manner};
use crate::story::{Place, Story, given};
use switchback::plan::CommandName;
use switchback::runbook::{Act, Effect, GateState, RunOutcome, Step};

/// What was asked of the world since the run was picked up.
fn acts_after(story: &Story, from: usize) -> Vec<Act> {
    let act = |(_, effect): &(u64, Effect)| match effect {
        Effect::Act { act, .. } => Some(act.clone()),
        _ => None,
    };
    story.flight.watcher.history.asked[from..].iter().filter_map(act).collect()
}

#[test]
fn in_every_place_the_router_is_read_first_and_nothing_moves_until_the_operator_goes_on() {
    for place in Place::ALONG {
        let story = given().command(CommandName::RedeployCheck).reaches(place);
        let from = story.flight.watcher.history.asked.len();
        let share = story.flight.world.router.split;
        let story = story.is_killed_and_resumed_after(4_000);
        if place == Place::Reading {
            story.reaches(Place::Kept).green_has(100);
            continue;
        }
        let step = story.flight.core.step_now();
        let mut story = story.waits(300).says("PICKED UP, STANDING AT");
        assert_eq!(acts_after(&story, from), [Act::ReadRouter], "{place:?}");
        assert_eq!(story.flight.world.router.split, share, "{place:?}");
        assert_eq!(story.snap().step, step, "{place:?}");
        story = story.asks("The run was cut off in step").yes();
        story = story.waits(2).is_not_going_back();
        if !matches!(place, Place::Kept | Place::Idle) {
            story = story.reaches(Place::Kept);
        }
        story.green_has(100).q().exits(0, RunOutcome::Kept);
    }
}

#[test]
fn r_goes_back_from_a_run_that_was_cut_off_in_any_place() {
    for place in Place::ALONG {
        if place == Place::Reading {
            continue;
        }
        for asked_first in [false, true] {
            let story = given().reaches(place).is_killed_and_resumed_after(60);
            let story = if asked_first { story.waits(1) } else { story };
            story.r().waits(5).green_has(0).says("ON BLUE");
        }
    }
}

#[test]
fn a_deploy_that_was_cut_off_is_unknown_and_is_run_again_only_by_the_operator() {
    given()
        .command_fate(Fate::Hangs)
        .reaches(Place::Deploying)
        .is_killed_and_resumed_after(10)
        .waits(1)
        .yes()
        .says("DEPLOY FAILED")
        .gate_says(GateState::Shut, "whether it took effect is unknown")
        .command_will(CommandName::Deploy, Fate::Good(100))
        .space()
        .yes()
        .waits(3)
        .is_in(Step::Readiness);
}

#[test]
fn a_switch_that_was_cut_off_is_decided_by_what_the_router_reports() {
    let cut = |lands: bool| {
        let story = given().reaches(Place::Holding(50)).waits(21).space().yes();
        let story = if lands { story.somebody_else_sets(100) } else { story };
        story.is_killed_and_resumed_after(1)
    };
    cut(true)
        .waits(1)
        .asks("The switch that was cut off took effect.")
        .yes()
        .says("WATCHING AT 100 %");
    let story = cut(false).waits(1).asks("The switch that was cut off is not in effect.").yes();
    story
        .says("STANDING AT 50 %")
        .waits(3)
        .space()
        .asks("Send 100 %")
        .yes()
        .waits(1)
        .green_has(100);
}

#[test]
fn a_split_that_was_moved_meanwhile_is_shown_adopted_and_held() {
    given()
        .reaches(Place::Holding(50))
        .somebody_else_sets(80)
        .is_killed_and_resumed_after(60)
        .waits(1)
        .asks("80 % of users on Green. That is NOT what this run asked for")
        .yes()
        .says("HELD AT 80 %")
        .waits(100)
        .green_has(80);
}

#[test]
fn a_router_that_cannot_be_read_after_a_resume_moves_nothing() {
    given()
        .reaches(Place::Holding(50))
        .router(Manner::Unreachable)
        .is_killed_and_resumed_after(60)
        .waits(1)
        .asks("Nothing is sent to Green while it cannot be read")
        .yes()
        .waits(60)
        .gate_says(GateState::Unknown, "connection refused")
        .router(Manner::Obeys)
        .waits(25)
        .space()
        .asks("Send 100 %");
}

#[test]
fn a_way_back_that_was_cut_off_goes_on_at_once() {
    given()
        .reaches(Place::Holding(50))
        .router(Manner::Refuses)
        .r()
        .waits(5)
        .router(Manner::Obeys)
        .is_killed_and_resumed_after(60)
        .is_going_back()
        .waits_ms(10)
        .green_has(0)
        .waits(20)
        .says("BACK ON BLUE")
        .q()
        .exits(3, RunOutcome::RolledBack);
}

#[test]
fn a_run_that_was_left_is_picked_up_again() {
    given()
        .reaches(Place::Holding(50))
        .q()
        .yes()
        .exits(4, RunOutcome::Interrupted)
        .is_killed_and_resumed_after(600)
        .waits(1)
        .asks("50 % of users on Green. That is what this run asked for.")
        .yes()
        .waits(1)
        .says("HOLDING AT 50 %")
        .reaches(Place::Kept)
        .q()
        .exits(0, RunOutcome::Kept);
}

#[test]
fn a_way_back_that_was_left_unverified_is_picked_up_and_has_its_time_again() {
    given()
        .reaches(Place::Holding(50))
        .router(Manner::Refuses)
        .r()
        .terminal_goes_away()
        .waits(31)
        .exits(4, RunOutcome::Interrupted)
        .is_killed_and_resumed_after(60)
        .waits(5)
        .goes_on()
        .router(Manner::Obeys)
        .waits(5)
        .green_has(0);
}

#[test]
fn a_kept_run_whose_blue_is_warm_can_still_go_back() {
    given()
        .reaches(Place::Kept)
        .q()
        .exits(0, RunOutcome::Kept)
        .is_killed_and_resumed_after(30)
        .waits(1)
        .r()
        .waits(2)
        .green_has(0)
        .says("BACK ON BLUE");
}

#[test]
fn a_run_that_went_back_is_over_and_is_not_picked_up() {
    let story =
        given().reaches(Place::Holding(50)).r().waits(20).q().exits(3, RunOutcome::RolledBack);
    let from = story.flight.watcher.history.asked.len();
    let story = story.is_killed_and_resumed_after(30).waits(5);
    assert_eq!(story.flight.watcher.history.asked.len(), from);
}
