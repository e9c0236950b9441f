//! A rehearsal of the way back: a ramp that turns back at a small share. No key moves more users
//! than was said, and it ends where it began.

use crate::sim::{Health, Manner};
use crate::story::{Given, Place, Story, given};
use switchback::clean::Clean;
use switchback::plan::{Rehearsal, ReleaseSource};
use switchback::runbook::{Act, Effect, GateState, RunOutcome, Step};
use switchback::units::{Millis, Percent, Slot};

/// Both slots run 1.8.2 and say so; 10 % at most, for 10 s.
fn rehearsal() -> Given {
    let both = given().plan(|plan| {
        plan.identity.release = Some(ReleaseSource::Header("X-Version".to_owned()));
        let percent = Percent::new(10).unwrap();
        *plan = plan.clone().rehearsing(Rehearsal { percent, hold: Millis::secs(10) });
    });
    both.world(|world| {
        world.slots[1] = world.slots[0].clone();
        for slot in [0, 1] {
            world.slots[slot].release = Some(Clean::new("1.8.2"));
        }
    })
}

/// The largest share that Green was ever asked to have.
fn most_asked(story: &Story) -> u8 {
    let asked = story.flight.watcher.history.asked.iter();
    let green = asked.filter_map(|(_, effect)| match effect {
        Effect::Act { act: Act::SetRouter { split, .. }, .. } => Some(split.share(Slot::Second)),
        _ => None,
    });
    green.map(Percent::get).max().unwrap_or_default()
}

#[test]
fn it_is_flown_by_hand_and_one_key_takes_everybody_back() {
    let story = rehearsal()
        .begins()
        .until("the gate opens", |snap| snap.gate == GateState::Open)
        .gate_says(GateState::Open, "a rehearsal: 10 % at most, and back")
        .gate_says(GateState::Open, "Blue names 1.8.2: no new release")
        .says("press space to rehearse")
        .space()
        .asks("Rehearse the way back from right (Green)?")
        .asks("right must name 1.8.2, as Blue does")
        .yes()
        .tells("nothing is deployed: Green runs what Blue runs")
        .until_it_says("READY TO SWITCH")
        .space()
        .asks("Send 10 % of users to Green?")
        .asks("They come back by your r, or by themselves after 10s.")
        .yes()
        .until_it_says("HOLDING AT 10 %")
        .says("r goes back · else by itself in {}")
        .waits(5)
        .green_has(10)
        .r()
        .waits(20)
        .green_has(0)
        .says("BACK ON BLUE")
        .has_four_stamps()
        .q()
        .waits(1)
        .exits(0, RunOutcome::RolledBack)
        .tells("rolled back as rehearsed: router at Blue after");
    assert_eq!(most_asked(&story), 10);
}

#[test]
fn it_goes_back_by_itself_when_its_hold_is_over() {
    let story = rehearsal().reaches(Place::Holding(10)).waits(9).is_not_going_back().waits(2);
    let story = story.is_going_back().waits(20).q().waits(1).exits(0, RunOutcome::RolledBack);
    assert_eq!(most_asked(&story), 10);
}

#[test]
fn with_nobody_there_it_is_flown_to_its_end() {
    let story = rehearsal().nobody_at_the_keyboard().reaches(Place::Holding(10));
    let story = story.waits(120).green_has(0).exits(0, RunOutcome::RolledBack);
    assert_eq!(most_asked(&story), 10);
}

#[test]
fn no_key_moves_more_users_than_was_said() {
    let mut story = rehearsal().reaches(Place::Holding(10)).h();
    for _ in 0..20 {
        story = story.space().plus().waits(30).green_has(10).asks_nothing();
        assert!(!story.snap().next_open);
    }
    let story = story.tells("nothing more is sent to Green: r goes back").is_in(Step::Switch);
    // Held, it stays; let go, its hold is over.
    let story = story.is_not_going_back().h().until("it is back", |snap| snap.rollback.is_some());
    assert_eq!(most_asked(&story), 10);
}

#[test]
fn a_limit_that_trips_takes_it_back_and_that_is_no_good_rehearsal() {
    rehearsal()
        .plan(|plan| plan.ramp_hold = Millis::secs(120))
        .reaches(Place::Holding(10))
        .green_is(Health::Failing(60))
        .until("it goes back", |snap| snap.rollback.is_some())
        .tells("5xx tripped")
        .waits(40)
        .green_has(0)
        .q()
        .waits(1)
        .exits(3, RunOutcome::RolledBack);
}

#[test]
fn before_any_user_was_moved_it_is_abandoned() {
    rehearsal()
        .reaches(Place::BeforeSwitch)
        .r()
        .waits(5)
        .q()
        .waits(1)
        .exits(5, RunOutcome::Abandoned);
}

#[test]
fn another_release_in_blue_shuts_the_first_gate_and_in_green_it_ends_at_the_second_step() {
    let other = |slot: usize| {
        rehearsal().world(move |world| world.slots[slot].release = Some(Clean::new("1.9.0")))
    };
    let story = other(0).begins().waits(5);
    story.gate_says(GateState::Shut, "Blue names 1.9.0, and not 1.8.2");
    let story = other(1).begins().until("the gate opens", |snap| snap.next_open).space().yes();
    let story = story.is_in(Step::Deploy).until("it gives up", |snap| snap.rollback.is_some());
    assert_eq!(most_asked(&story.tells("it names 1.9.0, not 1.8.2")), 0);
}

#[test]
fn where_nothing_names_its_release_it_is_said_in_words_by_somebody() {
    let silent = || rehearsal().plan(|plan| plan.identity.release = None);
    let story = silent().begins().until("the gate opens", |snap| snap.next_open).space();
    let story = story.asks("Type `same` to say so").yes().is_in(Step::Confirm);
    story.types("same").is_in(Step::Deploy);
    let story = silent().nobody_at_the_keyboard().begins().waits(5);
    story.gate_says(GateState::Shut, "release: no answer names it, yours to know");
}

#[test]
fn when_its_hold_is_over_and_blue_is_not_well_it_asks_and_goes_back_later() {
    rehearsal()
        .reaches(Place::Holding(10))
        .blue_is(Health::Unready)
        .waits(12)
        .green_has(10)
        .asks("Go back to Blue all the same?")
        .blue_is(Health::Well)
        .until("it goes back", |snap| snap.rollback.is_some())
        .waits(5)
        .green_has(0);
}

#[test]
fn a_router_that_does_not_take_the_small_split_rehearses_nothing() {
    let story = rehearsal().nobody_at_the_keyboard().reaches(Place::BeforeSwitch);
    let story = story.router(Manner::Ignores).space().yes().waits(5);
    let story = story.tells("the router did not take the split");
    story.router(Manner::Obeys).waits(120).green_has(0).exits(3, RunOutcome::RolledBack);
}

#[test]
fn a_way_back_that_was_cut_off_was_not_rehearsed() {
    let story = rehearsal().reaches(Place::Holding(10)).is_killed_and_resumed_after(30);
    let story = story.until("it asks", |snap| snap.question.is_some()).r().waits(20);
    story.green_has(0).q().waits(1).exits(3, RunOutcome::RolledBack);
    let story =
        rehearsal().reaches(Place::Holding(10)).router(Manner::Unreachable).r().waits_ms(50);
    let story = story.is_killed_and_resumed_after(30).router(Manner::Obeys).waits(20);
    story.green_has(0).q().waits(1).exits(3, RunOutcome::RolledBack);
}

#[test]
fn cut_off_at_its_share_it_is_picked_up_there_and_goes_back() {
    let story = rehearsal().reaches(Place::Holding(10)).is_killed_and_resumed_after(30);
    let story = story.until("it asks", |snap| snap.question.is_some());
    let story = story.asks("The router reads 10 % of users on Green").yes().waits(3);
    let story = story.is_not_going_back().until("it is back", |snap| snap.rollback.is_some());
    assert_eq!(most_asked(&story), 10);
    story.waits(20).green_has(0).q().waits(1).exits(0, RunOutcome::RolledBack);
}
