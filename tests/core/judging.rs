//! The rule in the runbook: what is really bad goes back soon, what both slots share is held, and
//! what is unknown, unlucky or too little moves nobody.

use crate::sim::Health;
use crate::story::{Given, Place, given};
use switchback::plan::{CommandName, Signal};
use switchback::runbook::{GateState, RunOutcome, Step};
use switchback::signal::Verdict;
use switchback::units::Millis;

/// The short plan with limits that are judged by the rule, as limits are unless told.
fn judged() -> Given {
    given().plan(|plan| {
        for limit in &mut plan.limits {
            limit.literal = false;
            limit.hold = Millis::secs(40);
        }
        plan.on_trip.shared_hold = Millis::secs(45);
    })
}

/// Half of the users are on Green, and all has been well.
fn at_fifty() -> crate::story::Story {
    judged().reaches(Place::Holding(50)).waits(5)
}

#[test]
fn a_green_that_fails_half_of_its_users_goes_back_before_its_hold_is_over() {
    at_fifty()
        .green_is(Health::Failing(50))
        .waits(25)
        .is_going_back()
        .green_has(0)
        .tells("5xx")
        .tells("limit 2 % for 40s");
}

#[test]
fn both_slots_suffer_and_nothing_moves_until_it_is_over() {
    at_fifty()
        .green_is(Health::Failing(30))
        .blue_is(Health::Failing(30))
        .waits(30)
        .is_not_going_back()
        .green_has(50)
        .says("BOTH SLOTS SUFFER")
        .alarms("both slots suffer: Green")
        .gate_says(GateState::Shut, "both slots suffer")
        .tells("HOLDING, not going back")
        .green_is(Health::Well)
        .blue_is(Health::Well)
        .waits(110)
        .tells("it is not both slots that suffer any more")
        .is_not_going_back()
        .goes_on();
}

#[test]
fn after_the_declared_hold_the_operator_is_asked_and_may_go_back_all_the_same() {
    let suffering = || {
        at_fifty()
            .green_is(Health::Failing(30))
            .blue_is(Health::Failing(30))
            .waits(25)
            .asks_nothing()
            .waits(45)
            .asks("Both slots suffer: go back all the same?")
    };
    suffering().yes().waits(1).green_has(0);
    suffering().no().asks_nothing().waits(30).green_has(50).waits(20).asks("Both slots suffer");
    // Going back was never locked.
    suffering().no().r().waits(1).green_has(0);
}

#[test]
fn with_nobody_at_the_keyboard_it_stays_held_and_says_so() {
    judged()
        .nobody_at_the_keyboard()
        .reaches(Place::Holding(50))
        .green_is(Health::Failing(30))
        .blue_is(Health::Failing(30))
        .waits(600)
        .green_has(50)
        .is_not_going_back()
        .tells("HELD with nobody at the keyboard");
}

#[test]
fn a_watch_does_not_end_well_while_both_slots_suffer() {
    judged()
        .reaches(Place::Watch)
        .waits(20)
        .green_is(Health::Failing(8))
        .blue_is(Health::Failing(8))
        .waits(120)
        .is_in(Step::Watch)
        .is_not_going_back()
        .alarms("both slots suffer");
}

#[test]
fn a_blue_that_is_well_does_not_hide_a_green_that_is_not() {
    at_fifty().green_is(Health::Failing(8)).blue_is(Health::Failing(1)).waits(60).is_going_back();
}

#[test]
fn one_bad_second_sends_nobody_back() {
    at_fifty()
        .green_is(Health::Failing(100))
        .waits(1)
        .green_is(Health::Well)
        .waits(14)
        .is_not_going_back()
        .green_has(50);
}

#[test]
fn slow_answers_go_back_once_the_hold_is_over_and_not_before() {
    judged()
        .plan(|plan| plan.ramp_hold = Millis::secs(120))
        .reaches(Place::Holding(10))
        .green_is(Health::Slow)
        .waits(35)
        .is_not_going_back()
        .alarms("p95")
        .waits(15)
        .is_going_back();
}

#[test]
fn a_night_without_users_is_neither_a_failure_nor_a_success() {
    judged()
        .world(|world| world.slots.users = Some(0))
        .reaches(Place::Unproven)
        .asks("The watch ended unproven: 0 of ")
        .is_not_going_back();
}

#[test]
fn everything_fails_at_night_and_probes_find_it() {
    judged()
        .world(|world| world.slots.users = Some(0))
        .reaches(Place::Watch)
        .green_is(Health::Gone)
        .waits(25)
        .is_going_back()
        .tells("health");
}

#[test]
fn the_soak_finds_a_release_that_fails_before_any_user_sees_it() {
    judged()
        .reaches(Place::Soak)
        .green_is(Health::Failing(60))
        .waits(18)
        .is_going_back()
        .q()
        .exits(5, RunOutcome::Abandoned);
}

#[test]
fn blue_is_judged_before_anything_is_deployed() {
    let mut story = judged()
        .command(CommandName::RedeployCheck)
        .world(|world| world.slots[0].health = Health::Failing(40))
        .begins()
        .waits(40)
        .gate_says(GateState::Shut, "5xx tripped on Blue");
    let tripped = story
        .snap()
        .limits
        .iter()
        .any(|limit| limit.signal() == Signal::ErrorRate && limit.verdict == Verdict::Tripped);
    assert!(tripped);
    // Blue only has to be well when it is needed.
    story.blue_is(Health::Well).waits(60).gate_says(GateState::Open, "no limit tripping on Blue");
}

#[test]
fn an_incident_that_both_share_is_held_without_a_break_however_few_users_there_are() {
    judged()
        .world(|world| world.slots.users = Some(2))
        .hard_switch()
        .plan(|plan| plan.watch = Millis::secs(300))
        .reaches(Place::Watch)
        .waits(20)
        .green_is(Health::Failing(9))
        .blue_is(Health::Failing(9))
        .waits(400)
        .is_in(Step::Watch)
        .is_not_going_back()
        .asks("Both slots suffer");
}

#[test]
fn users_whom_somebody_else_sends_to_green_are_judged() {
    judged()
        .reaches(Place::Soak)
        .somebody_else_sets(50)
        .waits(3)
        .tells("they are judged from now on")
        .world(|world| {
            // Only users see it: no probe touches what is broken.
            world.slots[1].health = Health::Failing(60);
        })
        .waits(20)
        .is_going_back()
        .green_has(0);
}

#[test]
fn a_green_that_died_is_not_kept_by_an_answer() {
    judged()
        .world(|world| world.slots.users = Some(0))
        .reaches(Place::Unproven)
        .green_is(Health::Gone)
        .waits(3)
        .yes()
        .tells("Green cannot be kept now")
        .waits(30)
        .is_going_back();
}
