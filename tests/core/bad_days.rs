//! Bad days on the way forward: commands, readiness, routers and journals that do not do.

use crate::sim::{Fate, Health, Manner};
use crate::story::{Place, given};
use switchback::plan::{CommandName, DeadlineThen};
use switchback::runbook::{GateState, RunOutcome, Step};

#[test]
fn a_deploy_that_fails_is_run_again_by_space_and_yes() {
    given()
        .world(|world| {
            world.commands.insert(CommandName::Deploy, Fate::Fails(1, 500));
        })
        .reaches(Place::Deploying)
        .waits(1)
        .says("DEPLOY FAILED")
        .gate_says(GateState::Shut, "deploy ended with status 1")
        .command_will(CommandName::Deploy, Fate::Good(500))
        .space()
        .asks("Run deploy again?")
        .yes()
        .waits(3)
        .is_in(Step::Readiness);
}

#[test]
fn a_migration_that_fails_keeps_the_deploy_from_running() {
    given()
        .command(CommandName::Migrate)
        .world(|world| {
            world.commands.insert(CommandName::Migrate, Fate::Fails(2, 500));
        })
        .reaches(Place::Migrating)
        .waits(1)
        .says("MIGRATE FAILED")
        .command_will(CommandName::Migrate, Fate::Good(500))
        .space()
        .asks("Run migrate again?")
        .yes()
        .reaches(Place::Deploying)
        .waits(5)
        .is_in(Step::Readiness);
}

#[test]
fn a_deploy_that_hangs_is_ended_when_its_time_is_up_even_if_nobody_says_so() {
    for fate in [Fate::Hangs, Fate::Lost] {
        given()
            .world(|world| {
                world.commands.insert(CommandName::Deploy, fate);
            })
            .reaches(Place::Deploying)
            .waits(29)
            .says("DEPLOYING")
            .waits(3)
            .says("DEPLOY FAILED");
    }
}

#[test]
fn unattended_a_deploy_that_fails_is_abandoned() {
    given()
        .nobody_at_the_keyboard()
        .world(|world| {
            world.commands.insert(CommandName::Deploy, Fate::Fails(1, 500));
        })
        .reaches(Place::Deploying)
        .waits(10)
        .exits(5, RunOutcome::Abandoned);
}

#[test]
fn without_a_command_the_operator_deploys_and_presses() {
    let story = given().plan(|plan| plan.commands.argv.clear()).reaches(Place::Confirmed).space();
    story
        .asks("you deploy, then press space")
        .yes()
        .says("DEPLOY BY HAND")
        .waits(600)
        .is_in(Step::Deploy)
        .world(|world| world.slots[1].starts("1.9.0"))
        .space()
        .tells("the operator says that Green is deployed")
        .waits(2)
        .is_in(Step::Readiness);
}

#[test]
fn a_green_that_never_answers_is_abandoned_at_the_deadline() {
    given()
        .world(|world| world.slots[1].after_deploy = Health::Gone)
        .reaches(Place::Deploying)
        .waits(30)
        .gate_says(GateState::Waiting, "Green has not answered yet")
        .waits(40)
        .says("ABANDONED · ALL ON BLUE")
        .q()
        .exits(5, RunOutcome::Abandoned);
}

#[test]
fn a_green_that_names_another_release_does_not_pass_step_two() {
    given()
        .plan(|plan| {
            plan.identity.release =
                Some(switchback::plan::ReleaseSource::Header("X-Version".to_owned()));
        })
        .world(|world| world.deploys = Some("1.8.2".to_owned()))
        .reaches(Place::Deploying)
        .waits(10)
        .is_in(Step::Deploy)
        .gate_says(GateState::Waiting, "Green names 1.8.2, not 1.9.0")
        .world(|world| world.slots[1].release = Some("1.9.0".into()))
        .waits(2)
        .is_in(Step::Readiness);
}

#[test]
fn readiness_that_does_not_come_is_abandoned_or_asked_about_as_declared() {
    given()
        .reaches(Place::Readiness)
        .green_is(Health::Unready)
        .waits(61)
        .tells("Green was not ready for 10s within 1m")
        .says("ABANDONED · ALL ON BLUE")
        .q()
        .waits(2)
        .exits(5, RunOutcome::Abandoned);
    given()
        .plan(|plan| plan.health.deadline_then = DeadlineThen::Ask)
        .reaches(Place::Readiness)
        .green_is(Health::Unready)
        .waits(61)
        .asks("Green was not ready")
        .yes()
        .green_is(Health::Well)
        .waits(15)
        .is_in(Step::Soak);
}

#[test]
fn the_question_about_a_deadline_answers_itself() {
    given()
        .plan(|plan| plan.health.deadline_then = DeadlineThen::Ask)
        .reaches(Place::Readiness)
        .green_is(Health::Unready)
        .waits(61)
        .asks("Without an answer Green is abandoned in 1m")
        .waits(61)
        .says("ABANDONED · ALL ON BLUE");
}

#[test]
fn a_green_that_becomes_ready_after_all_takes_the_question_back() {
    given()
        .plan(|plan| plan.health.deadline_then = DeadlineThen::Ask)
        .reaches(Place::Readiness)
        .green_is(Health::Unready)
        .waits(61)
        .asks("Green was not ready")
        .green_is(Health::Well)
        .waits(15)
        .is_in(Step::Soak)
        .asks_nothing()
        .waits(120)
        .is_not_going_back();
}

#[test]
fn a_green_that_flaps_uses_its_budget_up_and_the_operator_is_asked() {
    let mut story = given().reaches(Place::Readiness);
    for _ in 0..3 {
        story = story.waits(3).green_is(Health::Unready).waits(2).green_is(Health::Well);
    }
    story
        .waits(1)
        .asks("Green was ready and fell back 3 times")
        .waits(20)
        .is_in(Step::Readiness)
        .yes()
        .waits(12)
        .is_in(Step::Soak);
}

#[test]
fn the_wait_for_a_first_answer_begins_anew_and_does_not_pass_step_two() {
    given()
        .plan(|plan| plan.health.deadline_then = DeadlineThen::Ask)
        .world(|world| world.slots[1].after_deploy = Health::Gone)
        .reaches(Place::Deploying)
        .waits(63)
        .asks("did not answer as the new release in time")
        .yes()
        .is_in(Step::Deploy)
        .waits(30)
        .is_in(Step::Deploy);
}

#[test]
fn a_router_that_refuses_the_split_is_tried_three_times_and_then_the_operator_is_asked() {
    let story = given().reaches(Place::BeforeSwitch).router(Manner::Refuses).space().yes().waits(1);
    assert_eq!(story.flight.watcher.watching.moves(), 3);
    story
        .tells("the router did not take the split")
        .green_has(0)
        .is_in(Step::Switch)
        .waits(1)
        .router(Manner::Obeys)
        .waits(1)
        .space()
        .asks("Send 10 %")
        .yes()
        .waits(1)
        .says("HOLDING AT 10 %");
}

#[test]
fn a_router_that_acknowledges_and_does_nothing_moves_nothing_and_is_told() {
    given()
        .reaches(Place::BeforeSwitch)
        .router(Manner::Ignores)
        .space()
        .yes()
        .waits(1)
        .tells("the router accepted the split and reports another one")
        .green_has(0)
        .says("press space to send 10 %");
}

#[test]
fn a_write_of_ours_that_lands_late_is_told_for_what_it_is() {
    given()
        .world(|world| world.router.honours_cancel = false)
        .reaches(Place::BeforeSwitch)
        .router(Manner::Late(9_000))
        .space()
        .yes()
        .waits(5)
        .tells("the router did not take the split")
        .green_has(0)
        .router(Manner::Obeys)
        .waits(10)
        .green_has(10)
        .alarms("an earlier write of ours, given up, took effect after all")
        .says("HELD AT 10 %")
        .r()
        .waits(2)
        .green_has(0);
}

#[test]
fn a_write_test_that_fails_is_tried_again_and_then_shuts_the_first_gate() {
    given()
        .world(|world| world.router.behaves(Manner::Refuses, Some(2)))
        .reaches(Place::Confirmed)
        .gate_says(GateState::Open, "the split can be written");
    given()
        .world(|world| world.router.behaves(Manner::Refuses, None))
        .begins()
        .waits(10)
        .gate_says(GateState::Shut, "the split cannot be written")
        .router(Manner::Obeys)
        .waits(1)
        .space()
        .waits(1)
        .gate_says(GateState::Open, "the split can be written");
}

#[test]
fn while_the_journal_fails_nothing_moves_towards_green() {
    given()
        .reaches(Place::BeforeSwitch)
        .space()
        .journal(false)
        .yes()
        .waits(10)
        .green_has(0)
        .tells("nothing was moved")
        .alarms("the journal cannot be written")
        .journal(true)
        .waits(1)
        .space()
        .yes()
        .waits(1)
        .green_has(10);
}

#[test]
fn a_write_that_waits_for_a_failed_journal_does_not_happen_minutes_later() {
    given()
        .reaches(Place::BeforeSwitch)
        .space()
        .world(|world| world.journal_works = false)
        .yes()
        .journal(false)
        .waits(5)
        .journal(true)
        .waits(60)
        .green_has(0)
        .is_in(Step::Switch);
}

#[test]
fn a_journal_that_fails_in_step_one_is_proven_again_when_it_is_back() {
    given()
        .world(|world| world.journal_works = false)
        .begins()
        .waits_ms(10)
        .journal(false)
        .waits(5)
        .gate_says(GateState::Shut, "the split cannot be written")
        .journal(true)
        .waits(5)
        .gate_says(GateState::Open, "the split can be written");
}

#[test]
fn a_limit_that_trips_in_the_soak_abandons_green() {
    given()
        .reaches(Place::Soak)
        .green_is(Health::Failing(60))
        .waits(30)
        .says("ABANDONED · ALL ON BLUE")
        .q()
        .exits(5, RunOutcome::Abandoned);
}

#[test]
fn in_the_warm_window_a_trip_is_an_alarm_and_not_a_rollback() {
    given()
        .reaches(Place::Kept)
        .green_is(Health::Failing(60))
        .waits(60)
        .alarms("5xx tripped on Green")
        .is_not_going_back()
        .green_has(100)
        .r()
        .waits(1)
        .green_has(0);
}

#[test]
fn a_watch_never_ends_in_kept_while_a_limit_has_tripped() {
    given()
        .asks_on_trip()
        .reaches(Place::Watch)
        .waits(40)
        .green_is(Health::Failing(60))
        .until("it asks", |snap| snap.question.is_some())
        .waits(25)
        .is_in(Step::Watch);
}

#[test]
fn a_redeploy_check_that_fails_shuts_the_first_gate_until_it_is_run_again() {
    given()
        .command(CommandName::RedeployCheck)
        .world(|world| {
            world.commands.insert(CommandName::RedeployCheck, Fate::Fails(1, 100));
        })
        .begins()
        .waits(5)
        .gate_says(GateState::Shut, "redeploy_check ended with status 1")
        .command_will(CommandName::RedeployCheck, Fate::Good(100))
        .space()
        .waits(1)
        .gate_says(GateState::Open, "redeploy_check ended well");
}

#[test]
fn a_stop_that_fails_leaves_blue_to_be_stopped_again() {
    given()
        .command(CommandName::Stop)
        .world(|world| {
            world.commands.insert(CommandName::Stop, Fate::Fails(1, 500));
        })
        .reaches(Place::Stopping)
        .waits(1)
        .says("BLUE IDLE")
        .tells("Blue may still run")
        .q()
        .exits(0, RunOutcome::Kept);
}
