//! What a flight is worth, and why.

use crate::scenes::{
    PLAIN, RED, SHIVER, Story, blind_limits, course, judged, note, nothing, script, story, sure,
};
use proptest::prelude::*;
use switchback::drill::fly;
use switchback::drill::score::{Grade, PartName, Standing, Sureness};
use switchback::runbook::{Command, View};

const SIGNAL: &str = "green.error_rate";

fn points(story: &Story, name: PartName) -> f64 {
    story.score.part(name).unwrap().points
}

fn back_at(second: u64) -> Story {
    story(RED, &[(second, Command::Rollback)], &sure(0.9, SIGNAL))
}

#[test]
fn the_call_is_worth_full_points_up_to_par_less_until_the_deadline_and_none_after_it() {
    let soon = back_at(34);
    assert_eq!(points(&soon, PartName::Call), 40.0, "{:?}", soon.score);
    let opens = soon.account.evidence.unwrap().as_secs();
    assert_eq!(points(&back_at(opens + 9), PartName::Call), 40.0, "faster than par is not better");
    let late = back_at(opens + 30);
    assert_eq!(late.score.ruling.standing, Standing::Late, "{:?}", late.score);
    let call = points(&late, PartName::Call);
    assert!(call > 20.0 && call < 40.0, "{call}");
    let held = [(41, Command::Hold), (46, Command::Hold), (opens + 60, Command::Rollback)];
    let too_late = story(RED, &held, &sure(0.9, SIGNAL));
    assert_eq!(too_late.score.ruling.standing, Standing::TooLate, "{:?}", too_late.score);
    assert_eq!(points(&too_late, PartName::Call), 0.0);
}

#[test]
fn more_users_sent_on_first_was_wrong_and_going_back_then_puts_it_right() {
    let keys = [(43, Command::Rollback)];
    let corrected = story(&blind_limits(), &keys, &sure(0.9, SIGNAL));
    assert_eq!(corrected.score.ruling.standing, Standing::Corrected, "{:?}", corrected.score);
    assert_eq!(points(&corrected, PartName::Call), 16.0);
}

#[test]
fn right_before_anything_could_tell_it_was_luck() {
    let lucky = back_at(25);
    assert_eq!(lucky.score.ruling.standing, Standing::Lucky);
    assert_eq!(points(&lucky, PartName::Call), 28.0);
    assert!(!lucky.score.grade.passed(), "{:?}", lucky.score);
}

#[test]
fn to_go_on_where_going_back_was_right_is_worth_nothing_and_what_was_grave_caps_the_rest() {
    let keys = [
        (0, Command::Look(View::Output)),
        (26, Command::Look(View::Limits)),
        (41, Command::Rollback),
    ];
    let grave = story(&blind_limits(), &keys, &sure(0.9, SIGNAL));
    assert_eq!(grave.score.grade, Grade::Critical, "{:?}", grave.score);
    assert!(grave.score.total <= 30 && grave.score.critical.len() == 1);
    let wrong = nothing(RED, &sure(0.9, SIGNAL));
    assert_eq!(points(&wrong, PartName::Call), 0.0, "{:?}", wrong.score);
}

#[test]
fn a_good_release_that_is_sent_back_was_needless_and_one_that_is_abandoned_less_so() {
    let shipped = story(PLAIN, &[], &sure(0.9, ""));
    assert_eq!(points(&shipped, PartName::Call), 40.0);
    assert_eq!(points(&shipped, PartName::Users), 20.0);
    let sent_back = story(PLAIN, &[(30, Command::Rollback)], &sure(0.9, ""));
    assert_eq!(points(&sent_back, PartName::Users), 0.0);
    let abandoned = story(PLAIN, &[(10, Command::Rollback)], &sure(0.9, ""));
    assert_eq!(points(&abandoned, PartName::Users), 8.0);
    for story in [sent_back, abandoned] {
        assert_eq!(points(&story, PartName::Call), 0.0);
        assert_eq!(story.score.grade, Grade::Fail);
    }
}

#[test]
fn to_hold_and_see_the_slope_fall_is_right_where_the_cache_is_cold() {
    let keys = [(26, Command::Hold), (45, Command::Hold)];
    let held = story(SHIVER, &keys, &sure(0.9, ""));
    assert_eq!(points(&held, PartName::Call), 40.0, "{:?}", held.score);
    assert_eq!(points(&held, PartName::Users), 20.0);
    let long = [(26, Command::Hold), (150, Command::Hold)];
    let long = story(SHIVER, &long, &sure(0.9, ""));
    let lost = 20.0 - points(&long, PartName::Users);
    assert!((1.0..=8.0).contains(&lost), "needless holding costs a little: {:?}", long.score);
}

#[test]
fn who_looked_before_has_the_points_for_it_and_each_missing_one_is_named() {
    let seen = [
        (0, note("look: redeploy_time")),
        (25, Command::Look(View::Limits)),
        (35, Command::Rollback),
        (40, Command::Look(View::Limits)),
    ];
    let seen = story(RED, &seen, &sure(0.9, SIGNAL));
    assert_eq!(points(&seen, PartName::Procedure), 20.0, "{:?}", seen.score);
    let unseen = back_at(35);
    // Soak and gates are 4 of the 18 that were due.
    let kept = points(&unseen, PartName::Procedure);
    assert!((kept - 20.0 * 4.0 / 18.0).abs() < 1e-9, "{:?}", unseen.score);
    let says = &unseen.score.part(PartName::Procedure).unwrap().says;
    assert!(says.contains("step 1") && says.contains("compared"), "{says}");
}

#[test]
fn honesty_pays_best_about_how_sure_one_was() {
    let of = |sure: &Sureness| {
        points(&story(RED, &[(35, Command::Rollback)], sure), PartName::Calibration)
    };
    assert!((of(&sure(0.95, SIGNAL)) - 9.975).abs() < 1e-9);
    assert!((of(&sure(0.5, SIGNAL)) - 7.5).abs() < 1e-9);
    assert!((of(&sure(0.95, "queue_depth")) - 4.9875).abs() < 1e-9);
    assert_eq!(of(&Sureness::default()), 0.0);
    assert!((of(&sure(f64::NAN, "error_rate")) - 7.5).abs() < 1e-9, "what is no number is no more");
    let wrong = nothing(RED, &sure(1.0, SIGNAL));
    assert_eq!(points(&wrong, PartName::Calibration), 0.0);
}

#[test]
fn who_leaves_before_a_call_has_abandoned_the_drill() {
    let left = story(
        RED,
        &[(3, Command::Interrupt(switchback::runbook::Interrupt::Hangup))],
        &sure(0.9, SIGNAL),
    );
    assert_eq!((left.score.grade, left.score.total), (Grade::Abandoned, 0), "{:?}", left.score);
}

#[test]
fn a_paused_run_is_void_and_stays_scored() {
    let keys = [(5, Command::Suspend), (6, Command::Continue), (35, Command::Rollback)];
    let paused = story(RED, &keys, &sure(0.9, SIGNAL));
    assert_eq!(paused.score.grade, Grade::Void);
    assert!(paused.score.void.as_deref().is_some_and(|why| why.contains("paused")));
}

#[test]
fn marks_for_nothing_cost_from_the_third_on() {
    let marks = |n: u64| {
        let mut keys: Vec<_> = (0..n).map(|second| (second, note("mark"))).collect();
        keys.push((35, Command::Rollback));
        story(RED, &keys, &sure(0.9, SIGNAL)).score
    };
    let (two, three, nine) = (marks(2), marks(3), marks(9));
    assert_eq!((two.marks_off, three.marks_off, nine.marks_off), (0, 2, 6));
    assert_eq!(two.total - three.total, 2);
}

#[test]
fn hints_are_free_at_level_1_and_cost_above_it_and_those_that_are_not_there_cost_nothing() {
    let told = RED.replacen("brief = ", "hints = [\"which slot?\", \"which page?\"]\nbrief = ", 1);
    let asking = |text: &str, n: u64| {
        let mut keys: Vec<_> = (0..n).map(|second| (second, note("hint"))).collect();
        keys.push((35, Command::Rollback));
        story(text, &keys, &sure(0.9, SIGNAL)).score
    };
    let (none, free) = (asking(&told, 0), asking(&told, 2));
    assert_eq!((free.hints.taken, free.hints.off, free.total), (2, 0, none.total));
    assert_eq!(free.hints.says().as_deref(), Some("2 hints taken, free at level 1"));
    assert_eq!(none.hints.says(), None);
    let told = told.replacen("level = 1", "level = 2", 1);
    let (none, two, five) = (asking(&told, 0), asking(&told, 2), asking(&told, 5));
    assert_eq!((two.hints.off, none.total - two.total), (10, 10), "{two:?}");
    assert_eq!(five.hints, two.hints, "there are two");
    assert_eq!(two.hints.says().as_deref(), Some("2 hints taken, at 5 points each"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is pressed, a score lies between 0 and 100, each part within its own bounds, and
    /// every part says why.
    #[test]
    fn no_key_brings_a_score_out_of_its_bounds(
        keys in proptest::collection::vec((0_u64..120, 0_usize..10), 0..14),
        sureness in proptest::option::of(0.0_f64..2.0),
        which in 0_usize..3,
    ) {
        let mut keys: Vec<(u64, Command)> = keys
            .into_iter()
            .map(|(at, key)| (at, [
                Command::Rollback,
                Command::Hold,
                Command::Next,
                Command::Extend,
                note("mark"),
                note("declare: fix forward"),
                Command::Look(View::Limits),
                Command::Leave,
                note("look: redeploy_time"),
                note("hint"),
            ][key].clone()))
            .collect();
        keys.sort_by_key(|(at, _)| *at);
        let course = course([RED, SHIVER, PLAIN][which]);
        let seed = course.scenario.clock.seeds[0];
        let flown = fly::with(&course, seed, &mut script(&keys));
        let sure = Sureness { confidence: sureness, telling: Some(SIGNAL.to_owned()) };
        let score = judged(course, flown, &sure).score;
        prop_assert!(score.total <= 100);
        let sum: f64 = score.parts.iter().map(|part| part.points).sum();
        prop_assert!(f64::from(score.total) <= sum + 0.5, "{score:?}");
        prop_assert_eq!(score.parts.iter().map(|part| part.of).sum::<f64>(), 100.0);
        for part in &score.parts {
            prop_assert!((0.0..=part.of).contains(&part.points), "{part:?}");
            prop_assert!(!part.says.is_empty());
        }
        prop_assert!(score.critical.is_empty() || score.total <= 30);
    }
}
