//! We write, others write: splits that nobody asked for, and routers that cannot be read.

use crate::sim::Manner;
use crate::story::{Place, Story, given, gives};
use switchback::plan::CommandName;
use switchback::runbook::{GateState, RunOutcome, Step};

#[test]
fn a_start_split_is_explained_and_settled_by_others_the_run_goes_on() {
    given()
        .world(|world| world.router.split = gives(50))
        .begins()
        .waits(5)
        .gate_says(GateState::Shut, "nobody is Blue at left 50 / right 50")
        .says("WHO IS BLUE?")
        .space()
        .r()
        .tells("there is nothing to go back to")
        .goes_on()
        .somebody_else_sets(100)
        .waits(5)
        .says("CONFIRMING")
        .tells("right serves all users: it is Blue in this run");
}

#[test]
fn a_router_that_cannot_be_read_at_the_start_is_asked_until_it_answers() {
    for manner in [Manner::Unreachable, Manner::Mute] {
        given()
            .world(|world| world.router.behaves(manner, None))
            .begins()
            .waits(10)
            .says("WHO IS BLUE?")
            .router(Manner::Obeys)
            .waits(10)
            .gate_says(GateState::Open, "router reads 100/0");
    }
}

#[test]
fn unattended_a_start_that_is_never_settled_fails_with_words() {
    given()
        .nobody_at_the_keyboard()
        .world(|world| world.router.split = gives(50))
        .begins()
        .waits(70)
        .exits(1, RunOutcome::Failed)
        .tells("switchback rollback --to left");
}

fn moved(story: Story, to: u8) -> Story {
    story
        .somebody_else_sets(to)
        .waits(3)
        .alarms(&format!("somebody else moved the split: Green has {to} %"))
        .says(&format!("HELD AT {to} %"))
        .waits(100)
        .green_has(to)
        .space()
        .h()
        .waits(200)
        .space()
        .green_has(to)
        .is_not_going_back()
}

#[test]
fn a_split_that_somebody_else_moved_is_adopted_held_and_never_pushed() {
    for (place, to, writes) in [
        (Place::Confirmed, 30, 0),
        (Place::Soak, 30, 0),
        (Place::Holding(10), 0, 1),
        (Place::Holding(10), 40, 1),
        (Place::Watch, 20, 3),
        (Place::Kept, 20, 3),
    ] {
        let story = moved(given().reaches(place), to);
        assert_eq!(story.flight.watcher.watching.moves(), writes, "{place:?}");
        story.r().waits(2).green_has(0);
    }
}

#[test]
fn a_router_that_restarts_to_other_weights_is_told_apart_from_a_colleague() {
    given()
        .reaches(Place::Holding(10))
        .world(|world| world.router.restarts(gives(50)))
        .waits(2)
        .alarms("the router was restarted and fell back to its own configuration");
}

#[test]
fn when_the_split_is_ours_again_the_operator_goes_on() {
    given()
        .reaches(Place::Holding(10))
        .somebody_else_sets(0)
        .waits(3)
        .somebody_else_sets(10)
        .waits(3)
        .tells("the router reports our split again; h goes on")
        .h()
        .waits(20)
        .space()
        .asks("Send 50 %");
}

#[test]
fn a_router_that_cannot_be_read_opens_no_gate() {
    let story = given().reaches(Place::Holding(10)).router(Manner::Unreachable).waits(60);
    story
        .says("HOLDING AT AN UNKNOWN SPLIT · UNKNOWN")
        .gate_says(GateState::Unknown, "router: router: connection refused")
        .space()
        .asks_nothing()
        .router(Manner::Obeys)
        .waits(2)
        .space()
        .asks("Send 50 %");
}

#[test]
fn a_router_that_says_nothing_any_more_is_stale_and_then_unknown() {
    given()
        .reaches(Place::Holding(10))
        .router(Manner::Mute)
        .waits(7)
        .gate_says(GateState::Unknown, "last read");
}

#[test]
fn a_yes_that_comes_when_the_gate_has_shut_moves_nobody() {
    given()
        .reaches(Place::BeforeSwitch)
        .space()
        .router(Manner::Unreachable)
        .waits(2)
        .yes()
        .waits(1)
        .tells("nothing was moved: the gate is unknown")
        .router(Manner::Obeys)
        .waits(2)
        .green_has(0);
}

#[test]
fn a_watch_does_not_end_while_the_router_cannot_be_read() {
    given()
        .reaches(Place::Watch)
        .router(Manner::Unreachable)
        .waits(120)
        .is_in(Step::Watch)
        .router(Manner::Obeys)
        .waits(3)
        .is_in(Step::Warm);
}

#[test]
fn blue_is_not_stopped_when_somebody_gave_it_users_again() {
    given()
        .command(CommandName::Stop)
        .reaches(Place::Idle)
        .space()
        .asks("Decommission Blue?")
        .somebody_else_sets(50)
        .waits(2)
        .asks_nothing()
        .h()
        .space()
        .asks_nothing();
}
