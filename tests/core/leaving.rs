//! Leaving, and being left: exit codes as the table has them.

use crate::sim::Manner;
use crate::story::{Place, given, gives};
use switchback::plan::CommandName;
use switchback::runbook::{Command, Effect, Interrupt, RunOutcome};

#[test]
fn leaving_before_any_weight_moved_is_zero_and_with_weight_on_green_is_four() {
    for (place, code) in [
        (Place::Confirmed, 0),
        (Place::Deploying, 0),
        (Place::Readiness, 0),
        (Place::Soak, 0),
        (Place::BeforeSwitch, 0),
        (Place::Holding(10), 4),
        (Place::Holding(50), 4),
        (Place::Watch, 4),
    ] {
        let mut story = given().reaches(place).q();
        if let Some(question) = story.snap().question {
            assert_eq!(question.title, "Leave?", "{place:?}");
            story = story.asks("NOBODY GUARDS").yes();
        }
        story.exits(code, RunOutcome::Interrupted);
    }
}

#[test]
fn the_terminal_goes_and_traffic_stays() {
    for (place, code, how, share) in [
        (Place::Confirmed, 0, RunOutcome::Interrupted, 0),
        (Place::Deploying, 0, RunOutcome::Interrupted, 0),
        (Place::Soak, 0, RunOutcome::Interrupted, 0),
        (Place::Holding(50), 4, RunOutcome::Interrupted, 50),
        (Place::Watch, 4, RunOutcome::Interrupted, 100),
        (Place::Kept, 0, RunOutcome::Kept, 100),
    ] {
        given()
            .reaches(place)
            .terminal_goes_away()
            .tells("the terminal went away; traffic stays where it is")
            .exits(code, how)
            .waits(60)
            .green_has(share);
    }
}

#[test]
fn leaving_with_the_split_unread_is_four() {
    given()
        .reaches(Place::Soak)
        .router(Manner::Unreachable)
        .waits(3)
        .q()
        .asks("The split cannot be read")
        .yes()
        .exits(4, RunOutcome::Interrupted);
}

#[test]
fn leaving_before_anybody_is_blue_says_what_is_there() {
    given().begins().q().exits(0, RunOutcome::Interrupted);
    given()
        .world(|world| world.router.split = gives(50))
        .begins()
        .waits(2)
        .q()
        .exits(4, RunOutcome::Interrupted)
        .tells("nobody is Blue");
}

#[test]
fn a_command_that_runs_is_ended_when_the_operator_leaves() {
    let story =
        given().reaches(Place::Deploying).q().asks("`deploy` is running and will be ended").yes();
    let ended = story
        .flight
        .watcher
        .history
        .asked
        .iter()
        .any(|(_, effect)| matches!(effect, Effect::Cancel(_)));
    assert!(ended);
    story.exits(0, RunOutcome::Interrupted);
}

#[test]
fn a_write_in_flight_is_ended_when_the_terminal_goes() {
    given()
        .reaches(Place::BeforeSwitch)
        .world(|world| world.router.delay = 500)
        .space()
        .yes()
        .terminal_goes_away()
        .waits(5)
        .green_has(0)
        .exits(0, RunOutcome::Interrupted);
}

#[test]
fn stopping_blue_that_is_left_is_told() {
    given()
        .command(CommandName::Stop)
        .reaches(Place::Stopping)
        .q()
        .asks("A command is running")
        .yes()
        .exits(0, RunOutcome::Kept)
        .tells("look whether it still runs");
}

#[test]
fn a_way_back_that_has_begun_is_finished_without_a_terminal() {
    given()
        .reaches(Place::Holding(50))
        .router_for(4, Manner::Refuses)
        .r()
        .terminal_goes_away()
        .goes_on()
        .waits(10)
        .green_has(0)
        .exits(3, RunOutcome::RolledBack);
}

#[test]
fn a_way_back_that_cannot_be_finished_without_a_terminal_ends_in_four() {
    given()
        .reaches(Place::Holding(50))
        .router(Manner::Refuses)
        .r()
        .waits(60)
        .presses(Command::Interrupt(Interrupt::Terminate))
        .waits(29)
        .goes_on()
        .waits(2)
        .exits(4, RunOutcome::Interrupted);
}

#[test]
fn q_under_a_way_back_that_is_not_verified_asks_and_ends_in_four() {
    given()
        .reaches(Place::Holding(50))
        .router(Manner::Ignores)
        .r()
        .waits(5)
        .q()
        .asks("The router has NOT been read at Blue yet")
        .yes()
        .exits(4, RunOutcome::Interrupted);
}

#[test]
fn a_split_that_was_moved_after_the_way_back_is_not_a_verified_rollback() {
    given()
        .reaches(Place::Holding(50))
        .r()
        .waits(20)
        .somebody_else_sets(30)
        .waits(2)
        .q()
        .exits(4, RunOutcome::Interrupted)
        .tells("somebody else moved it since: 30 % on Green");
}

#[test]
fn nothing_happens_after_the_end() {
    let mut story = given().reaches(Place::Kept).q();
    let before = story.flight.watcher.history.asked.len();
    story = story.r().space().waits(100);
    assert_eq!(story.flight.watcher.history.asked.len(), before);
}
