//! The way back: one key, in every state, and what the world can do against it.

use crate::sim::{Fate, Health, Manner};
use crate::story::{Place, Story, given};
use switchback::plan::CommandName;
use switchback::runbook::{Act, Effect, RunOutcome, Step};

fn back_on_blue(story: Story, code: u8, outcome: RunOutcome) {
    story.is_going_back().waits(5).green_has(0).says("ON BLUE").q().waits(1).exits(code, outcome);
}

#[test]
fn r_works_in_every_place_of_the_run() {
    for place in Place::ALONG {
        let story = given().command(CommandName::RedeployCheck).reaches(place);
        if place == Place::Reading {
            // As q does: who is Blue is not known, so nothing is called abandoned.
            story.r().exits(0, RunOutcome::Interrupted);
            continue;
        }
        let had_users = !matches!(
            place,
            Place::Confirmed
                | Place::Deploying
                | Place::Readiness
                | Place::Soak
                | Place::BeforeSwitch
        );
        let (code, how) =
            if had_users { (3, RunOutcome::RolledBack) } else { (5, RunOutcome::Abandoned) };
        back_on_blue(story.r(), code, how);
    }
}

#[test]
fn r_ends_the_migration_the_deploy_and_the_stop_command_that_run() {
    for (place, command) in [
        (Place::Migrating, CommandName::Migrate),
        (Place::Deploying, CommandName::Deploy),
        (Place::Stopping, CommandName::Stop),
    ] {
        let story = given()
            .command(CommandName::Migrate)
            .command(CommandName::Stop)
            .reaches(place)
            .command_will(command, Fate::Hangs)
            .r()
            .waits(5);
        let cancelled = |effect: &Effect| matches!(effect, Effect::Cancel(_));
        assert!(
            story.flight.watcher.history.asked.iter().any(|(_, effect)| cancelled(effect)),
            "{place:?}"
        );
        story.green_has(0).waits(60).says("ON BLUE");
    }
}

#[test]
fn a_write_in_flight_towards_green_is_ended_before_the_write_back() {
    let mut story = given().reaches(Place::BeforeSwitch).router(Manner::Late(700)).space().yes();
    let before = story.flight.watcher.history.asked.len();
    story.flight.world.router.behaves(Manner::Obeys, None);
    let story = story.waits_ms(100).r();
    let after = &story.flight.watcher.history.asked[before..];
    let place = |which: fn(&Effect) -> bool| after.iter().position(|(_, effect)| which(effect));
    let cancel = place(|effect| matches!(effect, Effect::Cancel(_))).expect("a cancel");
    let back = place(|effect| {
        matches!(effect, Effect::Act { act: Act::SetRouter { rollback: true, .. }, .. })
    });
    assert!(cancel < back.expect("a write back"));
    back_on_blue(story, 3, RunOutcome::RolledBack);
}

#[test]
fn a_write_that_lands_after_the_way_back_is_found_by_the_second_look_and_undone() {
    let story = given()
        .world(|world| {
            world.router.honours_cancel = false;
            world.routine_reads = true;
        })
        .reaches(Place::BeforeSwitch)
        .router_for(1, Manner::Late(900))
        .space()
        .yes()
        .waits_ms(300)
        .r()
        .waits_ms(100)
        .says("BACK ON BLUE")
        .waits_ms(550)
        .green_has(10);
    let story = story.waits(3).green_has(0).tells("writing again").says("BACK ON BLUE");
    assert_eq!(story.writes().1, 2);
    story.q().waits(1).exits(3, RunOutcome::RolledBack);
}

#[test]
fn the_second_look_comes_even_where_nothing_reads_by_routine() {
    given()
        .reaches(Place::BeforeSwitch)
        .world(|world| {
            world.router.honours_cancel = false;
            world.routine_reads = false;
            world.router.behaves(Manner::Late(990), Some(1));
        })
        .space()
        .yes()
        .waits_ms(300)
        .r()
        .waits(3)
        .green_has(0)
        .tells("writing again");
}

#[test]
fn r_works_under_every_question() {
    let asking: Vec<Story> = vec![
        given().reaches(Place::Confirmed).space(),
        given().reaches(Place::BeforeSwitch).space(),
        given().reaches(Place::Holding(50)).q(),
        given().command(CommandName::Stop).reaches(Place::Idle).space(),
        given()
            .asks_on_trip()
            .reaches(Place::Watch)
            .green_is(Health::Failing(50))
            .until("the trip is asked about", |snap| snap.question.is_some()),
        given().world(|world| world.slots.users = Some(0)).reaches(Place::Watch).waits(61),
        given().reaches(Place::Holding(50)).is_killed_and_resumed_after(30).waits(1),
    ];
    for mut story in asking {
        let title = story.question().title;
        let mut story = story.r().waits(5).green_has(0);
        assert!(story.snap().question.is_none(), "{title} is still open");
        assert!(story.snap().headline.state.contains("ON BLUE"), "{title}");
    }
}

#[test]
fn after_blue_is_gone_r_is_refused_with_words() {
    given()
        .command(CommandName::Stop)
        .command(CommandName::Contract)
        .reaches(Place::Gone)
        .r()
        .is_not_going_back()
        .tells("Blue is decommissioned: there is nothing to go back to");
}

#[test]
fn a_router_that_refuses_five_times_is_asked_a_sixth_time_and_loudly() {
    let story = given()
        .reaches(Place::Holding(50))
        .router_for(5, Manner::Refuses)
        .r()
        .waits_ms(20)
        .alarms("permission denied")
        .says("ROLLING BACK");
    let story = story.waits(15).green_has(0).says("BACK ON BLUE").has_four_stamps();
    assert_eq!(story.writes().1, 6);
    story.q().exits(3, RunOutcome::RolledBack);
}

#[test]
fn a_router_that_says_yes_and_does_nothing_is_not_believed() {
    given()
        .reaches(Place::Holding(50))
        .router(Manner::Ignores)
        .r()
        .waits(30)
        .says("ROLLING BACK")
        .alarms("took the split and reports another one")
        .green_has(50)
        .router(Manner::Obeys)
        .waits(3)
        .says("BACK ON BLUE")
        .green_has(0);
}

#[test]
fn a_router_that_falls_silent_is_asked_again_when_its_time_is_up() {
    given()
        .reaches(Place::Holding(50))
        .router(Manner::Mute)
        .r()
        .waits(10)
        .says("ROLLING BACK")
        .alarms("no answer came in time")
        .router(Manner::Obeys)
        .waits(4)
        .green_has(0)
        .says("BACK ON BLUE");
}

#[test]
fn a_press_while_it_waits_tries_at_once() {
    let story = given()
        .reaches(Place::Holding(50))
        .router(Manner::Refuses)
        .r()
        .waits(20)
        .router(Manner::Obeys)
        .r()
        .waits_ms(5);
    story.green_has(0).says("BACK ON BLUE");
}

#[test]
fn a_trip_goes_back_by_itself_and_tells_the_four_stamps() {
    given()
        .reaches(Place::Watch)
        .waits(10)
        .green_is(Health::Failing(50))
        .until("it trips", |snap| snap.rollback.is_some())
        .tells("5xx tripped")
        .waits(20)
        .green_has(0)
        .says("BACK ON BLUE")
        .has_four_stamps()
        .q()
        .exits(3, RunOutcome::RolledBack);
}

#[test]
fn unattended_a_trip_ends_the_run_by_itself() {
    given()
        .nobody_at_the_keyboard()
        .reaches(Place::Watch)
        .green_is(Health::Gone)
        .waits(90)
        .exits(3, RunOutcome::RolledBack);
}

#[test]
fn a_trip_also_goes_back_while_the_operator_holds() {
    given()
        .reaches(Place::Holding(50))
        .h()
        .green_is(Health::Failing(50))
        .waits(40)
        .green_has(0)
        .says("BACK ON BLUE");
}

#[test]
fn on_trip_ask_counts_down_to_the_way_back() {
    let story = given()
        .asks_on_trip()
        .reaches(Place::Watch)
        .green_is(Health::Failing(50))
        .until("it asks", |snap| snap.question.is_some());
    story
        .asks("A limit has tripped")
        .is_not_going_back()
        .waits(29)
        .is_not_going_back()
        .waits(2)
        .is_going_back()
        .waits(1)
        .green_has(0);
}

#[test]
fn on_trip_ask_can_be_held_and_asks_again_when_the_hold_ends() {
    for hold_by_key in [false, true] {
        let story = given()
            .asks_on_trip()
            .reaches(Place::Watch)
            .green_is(Health::Failing(50))
            .until("it asks", |snap| snap.question.is_some());
        let story = if hold_by_key { story.h() } else { story.no() };
        story
            .says("HELD AT 100 %")
            .waits(300)
            .is_not_going_back()
            .is_in(Step::Watch)
            .h()
            .asks("A limit has tripped")
            .yes()
            .waits(1)
            .green_has(0);
    }
}

#[test]
fn the_automatic_way_back_holds_and_asks_where_blue_is_not_ready() {
    let story = given()
        .reaches(Place::Watch)
        .blue_is(Health::Unready)
        .waits(3)
        .green_is(Health::Failing(50))
        .until("it asks", |snap| snap.question.is_some());
    story
        .asks("Go back to Blue all the same?")
        .alarms("Blue is NOT known to be ready")
        .says("HELD AT 100 %")
        .waits(120)
        .is_not_going_back()
        .green_has(100)
        .r()
        .waits(1)
        .green_has(0);
}

#[test]
fn it_goes_back_by_itself_as_soon_as_blue_is_ready_again() {
    given()
        .reaches(Place::Watch)
        .blue_is(Health::Gone)
        .green_is(Health::Failing(50))
        .until("it asks", |snap| snap.question.is_some())
        .blue_is(Health::Well)
        .waits(3)
        .green_has(0)
        .tells("Blue is ready again");
}

#[test]
fn r_goes_back_to_a_blue_that_is_not_ready() {
    given().reaches(Place::Holding(50)).blue_is(Health::Gone).waits(5).r().waits(1).green_has(0);
}

#[test]
fn an_irreversible_release_is_typed_once_and_asks_once_more() {
    given()
        .irreversible()
        .reaches(Place::Confirmed)
        .space()
        .yes()
        .tells("that is not `irreversible`")
        .types("irreversible")
        .says("DEPLOYING")
        .reaches(Place::Holding(50))
        .r()
        .asks("Blue may not work on the new data")
        .is_not_going_back()
        .no()
        .is_not_going_back()
        .r()
        .yes()
        .waits(1)
        .green_has(0);
}

#[test]
fn an_irreversible_release_goes_back_at_the_second_press() {
    given().irreversible().reaches(Place::Holding(50)).r().r().waits(1).green_has(0);
}

#[test]
fn an_irreversible_release_is_not_taken_back_without_a_chance_to_say_no() {
    given()
        .irreversible()
        .reaches(Place::Watch)
        .green_is(Health::Failing(50))
        .until("it asks", |snap| snap.question.is_some())
        .asks("Blue may not work on the new data")
        .h()
        .waits(100)
        .is_not_going_back();
}

#[test]
fn before_any_user_was_on_green_irreversible_does_not_ask() {
    given()
        .irreversible()
        .reaches(Place::Soak)
        .r()
        .is_going_back()
        .waits(3)
        .q()
        .exits(5, RunOutcome::Abandoned);
}

#[test]
fn a_split_that_somebody_moves_after_the_way_back_is_told_and_r_goes_back_once_more() {
    given()
        .reaches(Place::Holding(50))
        .r()
        .waits(30)
        .says("BACK ON BLUE")
        .somebody_else_sets(30)
        .waits(2)
        .says("WAS BACK, NOW 30 % ON GREEN")
        .alarms("somebody else moved the split")
        .r()
        .waits(3)
        .green_has(0)
        .says("BACK ON BLUE")
        .q()
        .exits(3, RunOutcome::RolledBack);
}

#[test]
fn unattended_the_way_back_is_given_up_after_thirty_seconds_and_a_person_must_look() {
    given()
        .nobody_at_the_keyboard()
        .reaches(Place::Watch)
        .router(Manner::Ignores)
        .r()
        .waits(29)
        .goes_on()
        .waits(3)
        .exits(4, RunOutcome::Interrupted);
}

#[test]
fn a_rollback_needs_no_journal() {
    given()
        .reaches(Place::Holding(50))
        .journal(false)
        .waits(1)
        .r()
        .waits(1)
        .green_has(0)
        .says("BACK ON BLUE");
}

#[test]
fn where_both_slots_suffer_nothing_moves_and_the_key_works_all_the_same() {
    given()
        .plan(|plan| {
            plan.on_trip.shared_hold = switchback::units::Millis::secs(60);
            plan.limits.iter_mut().for_each(|limit| limit.literal = false);
        })
        .reaches(Place::Holding(50))
        .blue_is(Health::Failing(60))
        .green_is(Health::Failing(60))
        .until("it is said", |snap| snap.headline.going == "BOTH SLOTS SUFFER")
        .says("BOTH SLOTS SUFFER · r goes back all the same · nothing moves")
        .alarms("5xx, both slots suffer: Green ")
        .alarms(" · Blue ")
        .tells("HOLDING, not going back")
        .is_not_going_back()
        .waits(65)
        .asks("Both slots suffer: go back all the same?")
        .is_not_going_back()
        .r()
        .waits(1)
        .green_has(0);
}

#[test]
fn what_tripped_is_told_with_its_numbers_and_what_comes_next_while_it_trips() {
    given()
        .plan(|plan| plan.limits.iter_mut().for_each(|limit| limit.literal = false))
        .reaches(Place::Watch)
        .waits(20)
        .green_is(Health::Failing(60))
        .until("it trips", |snap| snap.headline.going.ends_with("TRIPPING"))
        .says("r goes back now · else by itself in {}")
        .until("it goes back", |snap| snap.rollback.is_some())
        .tells("GOING BACK from 100 % on Green: 5xx tripped on Green: ")
        .tells(" · tolerance ")
        .tells(" used · luck ");
}
