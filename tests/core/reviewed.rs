//! What a review of the whole found: waits that never ended, evidence that was too old, and
//! words that were not true.

use crate::sim::{Fate, Health, Manner};
use crate::story::{Given, Place, Story, given};
use switchback::plan::{CommandName, Migration, OwnCheck, Plan};
use switchback::runbook::{Act, Answer, Command, Effect, Event, GateState, RunOutcome, Step};
use switchback::signal::{Origin, Sample};
use switchback::units::{Millis, Role};

fn persisted(story: &Story) -> usize {
    let persists = |(_, effect): &&(u64, Effect)| {
        matches!(effect, Effect::Act { act: Act::PersistRouter, .. })
    };
    story.flight.watcher.history.asked.iter().filter(persists).count()
}

// ---- commands that wait for the journal ----

#[test]
fn a_stop_that_waits_for_a_failed_journal_is_not_run_minutes_later() {
    let story = given()
        .command(CommandName::Stop)
        .reaches(Place::Idle)
        .space()
        .world(|world| world.journal_works = false)
        .types("notes")
        .journal(false)
        .waits(5)
        .somebody_else_sets(0)
        .waits(15)
        .journal(true)
        .waits(40);
    assert_eq!(story.flight.world.slots[0].health, Health::Well, "Blue was killed");
    story.tells("Blue may still run").goes_on();
}

#[test]
fn a_deploy_that_waits_for_a_failed_journal_is_not_run_when_it_is_back() {
    let story = given()
        .reaches(Place::Confirmed)
        .space()
        .world(|world| world.journal_works = false)
        .yes()
        .journal(false)
        .waits(5)
        .says("DEPLOY FAILED")
        .journal(true)
        .waits(60);
    assert_eq!(story.flight.world.slots[1].health, Health::Gone, "it was deployed");
    story.space().asks("Run deploy again?").yes().waits(5).is_in(Step::Readiness);
}

#[test]
fn a_check_that_the_journal_ended_is_made_again_when_it_is_back() {
    given()
        .command(CommandName::RedeployCheck)
        .world(|world| world.journal_works = false)
        .begins()
        .waits_ms(10)
        .journal(false)
        .waits(5)
        .gate_says(GateState::Shut, "redeploy_check")
        .journal(true)
        .waits(5)
        .gate_says(GateState::Open, "redeploy_check ended well");
}

#[test]
fn blue_is_not_stopped_any_more_when_somebody_gives_it_users() {
    let story = given()
        .command(CommandName::Stop)
        .world(|world| {
            world.commands.insert(CommandName::Stop, Fate::Good(10_000));
        })
        .reaches(Place::Stopping)
        .waits(2)
        .somebody_else_sets(0)
        .waits(3);
    let ended = story
        .flight
        .watcher
        .history
        .asked
        .iter()
        .any(|(_, effect)| matches!(effect, Effect::Cancel(_)));
    assert!(ended, "the stop command goes on");
    story.tells("Blue may still run").says("HELD AT 0 %");
}

// ---- nobody at the keyboard ----

#[test]
fn unattended_a_split_that_somebody_moved_is_held_for_a_while_and_then_taken_back() {
    for (place, to) in [(Place::Holding(10), 40), (Place::Holding(50), 10), (Place::Watch, 30)] {
        given()
            .nobody_at_the_keyboard()
            .reaches(place)
            .somebody_else_sets(to)
            .waits(50)
            .green_has(to)
            .is_not_going_back()
            .waits(120)
            .green_has(0)
            .exits(3, RunOutcome::RolledBack)
            .tells("held for 1m with nobody at the keyboard");
    }
}

#[test]
fn unattended_a_way_back_that_blue_is_not_ready_for_ends_in_four() {
    given()
        .nobody_at_the_keyboard()
        .reaches(Place::Holding(50))
        .blue_is(Health::Unready)
        .waits(2)
        .green_is(Health::Failing(60))
        .waits(60)
        .goes_on()
        .waits(60)
        .exits(4, RunOutcome::Interrupted)
        .tells("Blue not ready")
        .green_has(50);
}

#[test]
fn unattended_a_router_that_refuses_the_split_ends_the_run() {
    given()
        .nobody_at_the_keyboard()
        .reaches(Place::Holding(10))
        .router_for(3, Manner::Refuses)
        .until("the gate is open", |snap| snap.next_open)
        .space()
        .yes()
        .waits(100)
        .green_has(0)
        .exits(3, RunOutcome::RolledBack);
}

#[test]
fn unattended_a_deploy_by_hand_is_not_awaited_for_ever() {
    given()
        .nobody_at_the_keyboard()
        .plan(|plan| plan.commands.argv.clear())
        .reaches(Place::Confirmed)
        .space()
        .yes()
        .waits(200)
        .exits(5, RunOutcome::Abandoned);
}

#[test]
fn unattended_nobody_types_irreversible_or_says_what_the_plan_does_not() {
    for (migration, words) in [
        (Migration::Irreversible, "nobody is there to type the word"),
        (Migration::Undeclared, "migration: not declared, and nobody is there to say"),
    ] {
        given()
            .plan(|plan| plan.release.migration = migration)
            .nobody_at_the_keyboard()
            .begins()
            .waits(5)
            .gate_says(GateState::Shut, words)
            .space()
            .asks_nothing()
            .waits(120)
            .exits(5, RunOutcome::Abandoned);
    }
}

#[test]
fn attended_an_undeclared_migration_is_part_of_the_question() {
    given()
        .plan(|plan| plan.release.migration = Migration::Undeclared)
        .reaches(Place::Confirmed)
        .space()
        .asks("The plan declares no migration: yes says that the data stay as they are.");
}

fn own_check(plan: &mut Plan) {
    let (text, from) = ("the sum of two pools".to_owned(), Some("a drill".to_owned()));
    plan.checks = vec![OwnCheck { text, from }];
}

#[test]
fn a_check_of_the_operators_own_stands_at_step_1_and_is_part_of_the_question() {
    given()
        .plan(own_check)
        .reaches(Place::Confirmed)
        .gate_says(GateState::Open, "yours to look at: the sum of two pools")
        .space()
        .asks("Yes says that you looked at: the sum of two pools");
}

#[test]
fn unattended_a_check_of_the_operators_own_is_not_passed_over() {
    given()
        .plan(own_check)
        .nobody_at_the_keyboard()
        .begins()
        .waits(5)
        .gate_says(GateState::Shut, "yours to look at (nobody is there to look): the sum")
        .space()
        .asks_nothing()
        .waits(120)
        .exits(5, RunOutcome::Abandoned);
}

fn no_users() -> Given {
    given().world(|world| world.slots.users = Some(0))
}

#[test]
fn unattended_too_few_users_open_no_gate_and_are_not_awaited_for_ever() {
    no_users()
        .nobody_at_the_keyboard()
        .reaches(Place::Holding(10))
        .waits(25)
        .gate_says(GateState::Waiting, "too few: 0 of ")
        .space()
        .asks_nothing()
        .waits(120)
        .green_has(0)
        .exits(3, RunOutcome::RolledBack)
        .tells("too few: 0 of ");
}

#[test]
fn unattended_users_that_come_slowly_are_waited_for() {
    given()
        .nobody_at_the_keyboard()
        .plan(|plan| {
            plan.health.hold = Millis::secs(3);
            plan.health.deadline = Millis::secs(8);
            plan.ramp_hold = Millis::secs(2);
        })
        .world(|world| world.slots.users = Some(10))
        .reaches(Place::Holding(10))
        .waits(20)
        .gate_says(GateState::Waiting, "too few: ")
        .reaches(Place::Kept);
}

#[test]
fn attended_too_few_users_are_said_and_the_yes_is_the_operators() {
    no_users()
        .reaches(Place::Holding(10))
        .waits(25)
        .gate_says(GateState::Open, "too few: 0 of ")
        .space()
        .asks("too few: 0 of ");
}

// ---- between the yes and the write ----

#[test]
fn a_split_that_somebody_moved_right_before_the_yes_is_not_overwritten() {
    for (place, theirs, ours) in
        [(Place::Holding(10), 0, 50), (Place::Holding(50), 20, 100), (Place::BeforeSwitch, 30, 10)]
    {
        given()
            .world(|world| world.routine_reads = true)
            .reaches(place)
            .until("the gate is open", |snap| snap.next_open)
            .waits_ms(100)
            .space()
            .asks(&format!("Send {ours} %"))
            .somebody_else_sets(theirs)
            .yes()
            .waits_ms(100)
            .green_has(theirs)
            .alarms(&format!("somebody else moved the split: Green has {theirs} %"))
            .says(&format!("HELD AT {theirs} %"))
            .waits(60)
            .green_has(theirs);
    }
}

#[test]
fn a_split_that_somebody_moved_is_not_overwritten_by_the_second_attempt_either() {
    given()
        .reaches(Place::Holding(10))
        .until("the gate is open", |snap| snap.next_open)
        .world(|world| world.routine_reads = false)
        .router_for(1, Manner::Late(100_000))
        .space()
        .yes()
        .waits_ms(500)
        .somebody_else_sets(0)
        .waits(3)
        .green_has(0)
        .says("HELD AT 0 %");
}

#[test]
fn the_standing_split_is_not_written_over_somebody_elses() {
    given()
        .world(|world| world.journal_works = false)
        .begins()
        .waits_ms(10)
        .somebody_else_sets(60)
        .journal_comes_back_quietly()
        .waits(2)
        .green_has(60)
        .says("HELD AT 60 %");
}

#[test]
fn a_write_of_ours_that_landed_after_all_is_not_taken_for_somebody_elses() {
    given()
        .reaches(Place::Holding(10))
        .until("the gate is open", |snap| snap.next_open)
        .world(|world| world.router.behaves(Manner::Late(900), Some(1)))
        .space()
        .yes()
        .waits(2)
        .says("HOLDING AT 50 %");
}

// ---- a second trip under a hold ----

fn green_slow_and_held() -> Story {
    given()
        .asks_on_trip()
        .plan(|plan| plan.watch = Millis::secs(600))
        .reaches(Place::Watch)
        .green_is(Health::Slow)
        .until("it asks", |snap| snap.question.is_some())
        .asks("p95 tripped")
        .no()
        .waits(100)
        .asks_nothing()
}

#[test]
fn another_limit_that_trips_under_a_hold_asks_again_and_counts_down() {
    green_slow_and_held()
        .green_is(Health::Failing(60))
        .until("it asks again", |snap| snap.question.is_some())
        .asks("5xx tripped")
        .waits(31)
        .green_has(0);
    green_slow_and_held()
        .green_is(Health::Failing(60))
        .until("it asks again", |snap| snap.question.is_some())
        .no()
        .waits(100)
        .asks_nothing()
        .is_not_going_back();
}

// ---- time that nobody watched ----

#[test]
fn time_in_which_the_program_was_stopped_is_no_soak_and_no_watch() {
    for (place, step) in [
        (Place::Readiness, Step::Readiness),
        (Place::Soak, Step::Soak),
        (Place::Holding(10), Step::Switch),
        (Place::Watch, Step::Watch),
    ] {
        let mut story = given().reaches(place).waits(5).presses(Command::Suspend);
        story.flight.sleeps_for(600_000);
        let story = story.presses(Command::Continue).waits(4).is_in(step).goes_on();
        assert!(!story.flight.core.clone().snapshot().next_open, "{place:?}");
        story.tells("what is timed begins anew").reaches(Place::Kept);

        let mut story = given().reaches(place).waits(5);
        story.flight.sleeps_for(3_600_000);
        let story = story.waits(4).is_in(step).goes_on();
        story.tells("nobody watched for 1h").reaches(Place::Kept);
    }
}

#[test]
fn a_short_stop_begins_the_soak_anew_as_well() {
    let mut story = given().reaches(Place::Soak).waits(15).presses(Command::Suspend);
    story.flight.sleeps_for(4_000);
    story.presses(Command::Continue).waits(10).is_in(Step::Soak).reaches(Place::Kept);
}

#[test]
fn a_question_about_a_watch_that_nobody_saw_is_not_answered_by_the_clock() {
    let mut story = no_users().reaches(Place::Unproven);
    story.flight.sleeps_for(600_000);
    story.waits(5).is_in(Step::Watch).is_not_going_back().green_has(100);
}

// ---- leaving, and what a code means ----

#[test]
fn leave_is_not_asked_any_more_once_the_router_is_at_blue() {
    let mut story =
        given().reaches(Place::Holding(50)).router(Manner::Ignores).r().waits(5).q().asks("Leave?");
    let question = story.question().number;
    story
        .router(Manner::Obeys)
        .waits(5)
        .says("BACK ON BLUE")
        .asks_nothing()
        .presses(Command::Answer { question, answer: Answer::Yes })
        .goes_on()
        .q()
        .waits(1)
        .exits(3, RunOutcome::RolledBack);
}

#[test]
fn r_before_the_router_could_be_read_is_four_as_q_is() {
    for key in [Command::Rollback, Command::Leave] {
        given()
            .world(|world| world.router.behaves(Manner::Unreachable, None))
            .begins()
            .waits(5)
            .presses(key)
            .exits(4, RunOutcome::Interrupted)
            .tells("left with the split unknown");
    }
}

#[test]
fn a_router_that_cannot_be_read_after_the_way_back_is_four() {
    given()
        .reaches(Place::Holding(50))
        .r()
        .waits(30)
        .router(Manner::Unreachable)
        .waits(3)
        .says("WAS BACK, NOW UNREAD")
        .q()
        .exits(4, RunOutcome::Interrupted)
        .tells("the router cannot be read now");
}

#[test]
fn unattended_a_router_that_is_unread_for_a_moment_at_the_end_is_read_again() {
    let unread = |secs: u64| {
        given()
            .nobody_at_the_keyboard()
            .reaches(Place::Holding(50))
            .r()
            .waits(5)
            .router(Manner::Unreachable)
            .waits(secs)
    };
    unread(20).goes_on().router(Manner::Obeys).waits(3).exits(3, RunOutcome::RolledBack);
    unread(120).exits(4, RunOutcome::Interrupted);
}

// ---- Blue ----

#[test]
fn one_bad_minute_of_blue_in_step_one_does_not_shut_the_first_gate_for_ever() {
    given()
        .begins()
        .waits(10)
        .blue_is(Health::Failing(50))
        .waits(60)
        .gate_says(GateState::Shut, "5xx tripped on Blue")
        .blue_is(Health::Well)
        .waits(60)
        .gate_says(GateState::Open, "no limit tripping on Blue");
}

#[test]
fn a_blue_that_the_router_holds_down_shuts_the_gates_and_is_an_alarm() {
    let down = |story: Story| story.world(|world| world.router.up[0] = Some(false)).waits(2);
    for place in [Place::Confirmed, Place::BeforeSwitch, Place::Holding(10)] {
        down(given().reaches(place))
            .gate_says(GateState::Shut, "the router holds Blue DOWN")
            .alarms("the router holds Blue DOWN")
            .space()
            .asks_nothing()
            .world(|world| world.router.up[0] = None)
            .waits(25)
            .space()
            .asks("?");
    }
}

#[test]
fn back_on_a_blue_that_the_router_holds_down_says_so() {
    given()
        .reaches(Place::Holding(50))
        .world(|world| world.router.up[0] = Some(false))
        .waits(2)
        .r()
        .waits(3)
        .green_has(0)
        .says("BACK ON BLUE · THE ROUTER HOLDS BLUE DOWN")
        .alarms("the router holds Blue DOWN")
        .tells("but the router holds Blue DOWN: users get errors")
        .q()
        .waits(1)
        .exits(3, RunOutcome::RolledBack)
        .tells("verified, but the router holds Blue DOWN");
}

#[test]
fn the_automatic_way_back_does_not_go_to_a_blue_that_the_router_holds_down() {
    given()
        .reaches(Place::Watch)
        .world(|world| world.router.up[0] = Some(false))
        .waits(2)
        .green_is(Health::Failing(60))
        .until("it asks", |snap| snap.question.is_some())
        .asks("Go back to Blue all the same?")
        .green_has(100)
        .world(|world| world.router.up[0] = Some(true))
        .waits(3)
        .green_has(0);
}

#[test]
fn the_way_back_says_how_blue_is() {
    given().reaches(Place::Holding(50)).r().tells("Blue is ready: ");
    given()
        .reaches(Place::Holding(50))
        .blue_is(Health::Unready)
        .waits(12)
        .r()
        .tells("Blue is NOT ready, for 11s: readyz says 503");
    given()
        .reaches(Place::Holding(50))
        .blue_is(Health::Silent)
        .waits(30)
        .r()
        .tells("Blue is not heard any more");
}

// ---- what is written down ----

#[test]
fn a_journal_that_lost_records_does_not_say_that_nothing_is_missing() {
    let recovered = |records, samples| {
        let mut story = given().reaches(Place::Soak).journal(false).waits(5);
        story.flight.feed(Event::JournalRecovered { records, samples });
        story
    };
    recovered(0, 0).tells("nothing is missing from it");
    let story = recovered(3, 40).tells("3 records and 40 seconds of samples are missing from it");
    assert!(!story.log().contains("nothing is missing"));
}

#[test]
fn each_step_of_the_ramp_is_kept_for_a_restart_of_the_router() {
    let story = given().reaches(Place::Holding(10));
    assert_eq!(persisted(&story), 1);
    let story = story.reaches(Place::Holding(50));
    assert_eq!(persisted(&story), 2);
    assert_eq!(persisted(&story.reaches(Place::Watch)), 3);
    // A write that was not taken is nothing to be kept.
    let story = given().reaches(Place::BeforeSwitch).router(Manner::Ignores).space().yes().waits(1);
    assert_eq!(persisted(&story), 0);
}

// ---- back in band ----

/// Back on Blue in a world that counts users like this, and twenty seconds later.
fn back_with(counts: impl Fn(u64) -> Sample) -> Story {
    let mut story = given().world(|world| world.slots.users = None).reaches(Place::Holding(50)).r();
    for _ in 0..20 {
        story = story.waits(1);
        let sample = counts(story.flight.now);
        story.flight.feed(Event::Sample(Box::new(sample)));
    }
    story.waits(1)
}

fn blue_users(at: u64, failed: Option<u64>) -> Sample {
    let requests = Some(10);
    let blank = Sample::empty(Millis(at), Role::Blue.into(), Origin::Users);
    Sample { requests, failed, client_errors: failed, ..blank }
}

#[test]
fn users_of_whom_only_the_number_is_known_are_not_back_in_band() {
    let log = back_with(|at| blue_users(at, None)).waits(60).log();
    assert!(!log.contains("users back in band after"), "{log}");
    assert!(log.contains("users back in band: "), "{log}");
}

#[test]
fn back_in_band_says_what_nobody_measured() {
    let log = back_with(|at| blue_users(at, Some(0))).log();
    let line = log.lines().find(|line| line.contains("users back in band after"));
    assert!(line.is_some_and(|line| line.ends_with("(p95 not measured)")), "{log}");
    let log = back_with(|at| blue_users(at, Some(5))).log();
    assert!(!log.contains("users back in band after"), "half of them fail: {log}");
}
