//! What looks like skill and is none: the score cannot be had for nothing.

use crate::scenes::{PLAIN, RED, SHIVER, Story, blind_limits, judged, note, story, sure};
use switchback::drill::account;
use switchback::drill::bots::Bot;
use switchback::drill::check;
use switchback::drill::fly::{self, Course};
use switchback::drill::harm::Compared;
use switchback::drill::regress;
use switchback::drill::score::{Grade, PartName, Standing};
use switchback::drill::tape::{Deed, Did, Tape, Told};
use switchback::drill::truth::Truth;
use switchback::lab::anchor::Anchors;
use switchback::lab::scenario;
use switchback::lab::scenario::answer::Declares;
use switchback::lab::tally::{SlotTally, Tally};
use switchback::plan::Signal;
use switchback::runbook::{Command, Interrupt, View};
use switchback::signal::Verdict;
use switchback::units::{Millis, Role};

const SIGNAL: &str = "green.error_rate";
const LEFT: Command = Command::Interrupt(Interrupt::Hangup);

fn points(story: &Story, name: PartName) -> f64 {
    story.score.part(name).unwrap().points
}

fn of_the_deck(name: &str) -> Course {
    let answer = scenario::load_answer(name).unwrap_or_else(|fault| panic!("{fault}"));
    Course::new(scenario::load(name).unwrap(), answer).unwrap()
}

/// Flies a scenario of the deck by script.
fn flown(name: &str, keys: &[(u64, Command)]) -> Story {
    let course = of_the_deck(name);
    let flown =
        fly::with(&course, course.scenario.clock.seeds[0], &mut crate::scenes::script(keys));
    judged(course, flown, &sure(0.9, ""))
}

fn declared(act: Declares) -> Command {
    note(&format!("declare: {}", act.words()))
}

#[test]
fn who_declares_everything_has_called_what_they_declared_first() {
    let all = Declares::ALL.into_iter().map(|act| (2, declared(act)));
    let keys: Vec<_> =
        std::iter::once((1, note("look: configuration"))).chain(all).chain([(4, LEFT)]).collect();
    let everything = flown("the-cure", &keys);
    assert!(points(&everything, PartName::Call) <= 16.0, "{:?}", everything.score);
    assert!(!everything.score.grade.passed());
    let unseen = flown("the-cure", &[(2, declared(Declares::RevertDrift))]);
    assert!(points(&unseen, PartName::Call) <= 28.0, "{:?}", unseen.score.ruling);
    let keys = [
        (1, note("look: configuration")),
        (2, declared(Declares::RevertDrift)),
        (90, Command::Rollback),
    ];
    let right = flown("the-cure", &keys);
    assert_eq!(points(&right, PartName::Call), 40.0, "{:?}", right.score.ruling);
}

#[test]
fn an_act_that_only_looks_is_no_call() {
    let answer = &crate::scenes::course(RED).answer;
    assert!(!account::is_call(Declares::ProbeBlue, answer));
    assert!(account::is_call(Declares::Purge, answer));
    assert!(account::is_call(Declares::ProbeBlue, &of_the_deck("old-mine").answer));
    let keys = [(33, declared(Declares::ProbeBlue)), (35, Command::Rollback)];
    let looked = story(RED, &keys, &sure(0.9, SIGNAL));
    assert_eq!(points(&looked, PartName::Call), 40.0, "{:?}", looked.score.ruling);
    let keys = [(33, declared(Declares::Purge)), (35, Command::Rollback)];
    let other = story(RED, &keys, &sure(0.9, SIGNAL));
    assert_eq!(other.score.ruling.standing, Standing::Corrected, "{:?}", other.score.ruling);
}

#[test]
fn a_look_at_anything_and_a_quick_abort_pass_nothing() {
    let some = flown("twice-the-pool", &[(1, note("look: artefact")), (3, Command::Rollback)]);
    assert_eq!(some.score.ruling.standing, Standing::Lucky, "{:?}", some.score.ruling);
    assert!(some.score.total <= 69 && points(&some, PartName::Users) <= 10.0, "{:?}", some.score);
    let it = flown("twice-the-pool", &[(1, note("look: db_headroom")), (3, Command::Rollback)]);
    assert!(it.score.grade.passed(), "who has read the reason may refuse: {:?}", it.score);
    let unseen = flown("empty-hangar", &[(3, Command::Rollback)]);
    assert!(!unseen.score.grade.passed(), "{:?}", unseen.score);
    // Every part but the call can be perfect: luck does not pass.
    let keys = [
        (0, note("look: redeploy_time")),
        (25, Command::Look(View::Limits)),
        (27, Command::Rollback),
        (32, Command::Look(View::Limits)),
    ];
    let lucky = story(RED, &keys, &sure(1.0, SIGNAL));
    assert_eq!(lucky.score.ruling.standing, Standing::Lucky);
    assert!(lucky.score.total <= 69 && points(&lucky, PartName::Users) <= 10.0);
}

#[test]
fn a_good_release_is_not_told_by_its_items() {
    for entry in scenario::builtin() {
        let course = of_the_deck(entry);
        let good = course.scenario.drill.verdict == Some(scenario::VerdictClass::Good);
        let first = course.scenario.evidence.iter().any(|item| item.step == 1);
        assert!(!good || first, "{entry} has nothing to be looked at in step 1");
    }
}

#[test]
fn procedure_is_paid_for_what_tells_and_for_what_was_due() {
    let seen = |looks: &[(u64, Command)]| {
        let mut keys = looks.to_vec();
        keys.push((35, Command::Rollback));
        keys.sort_by_key(|(at, _)| *at);
        points(&story(RED, &keys, &sure(0.9, SIGNAL)), PartName::Procedure)
    };
    let bare = seen(&[]);
    let pretended = [
        (0, note("look: foo")),
        (0, Command::Look(View::Cockpit)),
        (26, note("look: foo")),
        (27, Command::Look(View::Cockpit)),
        (28, Command::Look(View::Help)),
    ];
    assert_eq!(seen(&pretended), bare, "what is not there cannot be looked at");
    let real = [(0, note("look: redeploy_time")), (26, Command::Look(View::Limits))];
    assert!((seen(&real) - bare - 10.0 * 20.0 / 18.0).abs() < 1e-9);
    // No soak was due yet, and nothing was stopped: neither is paid.
    let early = story(RED, &[(3, Command::Rollback)], &sure(0.9, SIGNAL));
    assert_eq!(points(&early, PartName::Procedure), 0.0, "{:?}", early.score);
}

#[test]
fn leaving_does_not_stop_the_count() {
    let held = [(33, Command::Hold), (40, LEFT)];
    let left = story(&blind_limits(), &held, &sure(0.9, SIGNAL));
    assert!(left.flown.truth.tally().users() < left.harm.yours.users, "it goes on as it stands");
    let share = points(&left, PartName::Users);
    assert!(share < 18.0, "{share}: {:?}", left.harm);
    let Compared { yours, oracle, nothing } = left.harm;
    let near = |a: u64, b: u64| a.abs_diff(b) * 20 <= b;
    assert!(near(yours.users, nothing.users) && near(oracle.users, nothing.users), "one horizon");
    // What was sent on and not kept is half a call.
    let shipped = story(PLAIN, &[(70, LEFT)], &sure(0.9, ""));
    assert_eq!(shipped.score.ruling.standing, Standing::Half, "{:?}", shipped.score.ruling);
    assert!(!shipped.score.ruling.is_right() && points(&shipped, PartName::Users) <= 10.0);
}

#[test]
fn what_was_grave_is_told_first_and_a_wrong_call_is_no_way_out() {
    let keys = [(5, Command::Suspend), (6, Command::Continue), (41, Command::Rollback)];
    let grave = story(&blind_limits(), &keys, &sure(0.9, SIGNAL));
    assert_eq!(grave.score.grade, Grade::Critical, "{:?}", grave.score);
    assert!(grave.score.void.is_some());
    let wrong = story(RED, &[(33, Command::Hold), (40, LEFT)], &sure(0.9, SIGNAL));
    assert_eq!(wrong.score.grade, Grade::Fail, "{:?}", wrong.score);
    let keys = [(35, Command::Rollback), (37, Command::Suspend), (38, Command::Continue)];
    let paused = story(RED, &keys, &sure(0.9, SIGNAL));
    assert_eq!(paused.score.void, None, "a pause after the call is nobody's advantage");
}

#[test]
fn going_back_is_right_by_what_follows_and_by_every_way_back() {
    for name in ["cold-blue", "router-says-no", "still-bleeding", "wall-of-red"] {
        assert!(check::goes_back(&of_the_deck(name)), "{name}");
    }
    for name in ["no-way-back", "both-beds", "plain-sailing", "old-mine"] {
        assert!(!check::goes_back(&of_the_deck(name)), "{name}");
    }
    let of = |name: &str, seed: u64| {
        let course = of_the_deck(name);
        let [trial] = &regress::trials(&course, seed, &[Bot::PreparedAbort])[..] else {
            panic!("one")
        };
        (trial.score.back.was_right, trial.score.back.was_done)
    };
    assert_eq!(of("no-way-back", 2301), (Some(true), true), "a refusal in time is no false alarm");
    assert_eq!(of("plain-sailing", 101), (Some(false), true));
    assert_eq!(of("three-in-the-morning", 1601), (None, true), "too thin to be counted");
    // What a limit did is no hit of the operator's.
    let guarded = RED.replace("on_trip = \"ask\"", "on_trip = \"rollback\"");
    let limit = story(&guarded, &[], &sure(0.5, ""));
    assert_eq!((limit.score.back.was_right, limit.score.back.was_done), (Some(true), false));
    assert!(!limit.score.ruling.is_right());
}

#[test]
fn what_was_wrong_spares_nobody_where_nobody_was_hurt() {
    let unsafe_ = RED
        .replace("verdict = \"BAD\"", "verdict = \"UNSAFE\"")
        .replace("share = 0.6", "share = 0.0")
        .replace("value = 20", "value = 1")
        .replace("call = \"rollback\"", "call = \"hold\"");
    let wrong = story(&unsafe_, &[(35, Command::Rollback)], &sure(0.9, SIGNAL));
    assert_eq!(wrong.harm.share(), None);
    assert_eq!(points(&wrong, PartName::Users), 0.0, "{:?}", wrong.score);
}

#[test]
fn patience_with_a_good_release_loses_nothing() {
    let text = SHIVER.replace(
        "cause = \"The cache was empty, and filled.\"\n",
        "cause = \"The cache was empty, and filled.\"\nonset = \"fault:empty-cache\"\n\
         telling_signal = [\"green.latency_p95\"]\n",
    );
    let patient = story(&text, &[(26, Command::Hold), (100, Command::Hold)], &sure(0.9, ""));
    assert!(patient.account.evidence.is_some());
    assert_eq!(points(&patient, PartName::Timing), 10.0, "{:?}", patient.score);
}

/// A hold until users are well, and then on, passes no gate; to go on while they are hurt does.
#[test]
fn a_limit_is_overridden_by_who_goes_on_while_users_are_hurt() {
    let course = crate::scenes::course(RED);
    let trip = |role| Told {
        at: Millis::secs(30),
        role,
        signal: Signal::ErrorRate,
        verdict: Verdict::Tripped,
    };
    let hurt_until = |second: u64| {
        let ticks = (0..120)
            .map(|s: u64| {
                let failed = s.min(second).saturating_sub(20) * 5;
                let slot = SlotTally { requests: s * 40, failed, ..SlotTally::default() };
                (Millis::secs(s), Tally { slots: [slot, SlotTally::default()], ..Tally::default() })
            })
            .collect();
        Truth::new(Anchors::default(), ticks, Millis::secs(119))
    };
    let overrode = |role, on: u64, truth: &Truth| {
        let mut tape = Tape::default();
        tape.told.push(trip(role));
        tape.deeds.push(Did { at: Millis::secs(on), step: 5, deed: Deed::Advance(50) });
        account::of(&tape, truth, &course.scenario, &course.answer).overrode
    };
    assert!(overrode(Role::Green, 80, &hurt_until(119)), "they are hurt still");
    assert!(overrode(Role::Green, 35, &hurt_until(20)), "nobody looked");
    assert!(!overrode(Role::Green, 80, &hurt_until(45)), "they are well again");
    assert!(!overrode(Role::Blue, 35, &hurt_until(119)), "the limit is not on Green");
}

#[test]
fn a_limits_own_way_back_is_no_grave_act_of_the_operators() {
    let grave = RED
        .replace("when = \"weight:50\"", "when = \"rollback\"")
        .replace("on_trip = \"ask\"", "on_trip = \"rollback\"");
    let limit = story(&grave, &[], &sure(0.5, ""));
    assert_eq!(limit.score.critical, [], "{:?}", limit.account.call);
    let own = story(&grave, &[(32, Command::Rollback)], &sure(0.5, ""));
    assert_eq!(own.score.critical.len(), 1, "{:?}", own.account.call);
}

#[test]
fn a_fault_that_does_nothing_keeps_its_name_and_its_moment() {
    let course = crate::scenes::course(RED);
    let bare = course.without("out-of-time");
    assert_eq!(bare.scenario.faults.len(), course.scenario.faults.len());
    let [whole] = &regress::trials(&course, 401, &[Bot::Never])[..] else { panic!("one") };
    let none = course.without_faults();
    let [bare] = &regress::trials(&none, 401, &[Bot::Never])[..] else { panic!("one") };
    assert!(whole.account.onset.is_some() && bare.account.onset.is_none(), "it never hurt");
    assert!(bare.harm.yours.failed * 10 < whole.harm.yours.failed, "{:?}", bare.harm);
    // A single one that nothing notices is a finding, unless it says that it is for the story.
    let more = "[[fault]]\nid = \"idle\"\nkind = \"http.latency\"\ntarget = \"green\"\n\
                at = \"switch\"\nvalue = 1\n[[evidence]]";
    let findings = |text: &str| check::scenario(&crate::scenes::course(text), 2, 2).findings;
    let told = findings(&RED.replacen("[[evidence]]", more, 1));
    assert!(told.iter().any(|f| f.cause.contains("\"idle\" alone does nothing")), "{told:#?}");
    let cosmetic = more.replace("value = 1\n", "value = 1\ncosmetic = true\n");
    let told = findings(&RED.replacen("[[evidence]]", &cosmetic, 1));
    assert!(!told.iter().any(|f| f.cause.contains("idle")), "{told:#?}");
}

#[test]
fn an_oracle_that_hurts_more_than_doing_nothing_is_a_finding() {
    let worse =
        RED.replace("share = 0.6", "share = 0.0").replace("value = 20", "value = 1").replacen(
            "[[evidence]]",
            "[[fault]]\nid = \"blue-falls\"\nkind = \"http.error\"\ntarget = \"blue\"\n\
             at = \"rollback\"\nshare = 0.8\n[[evidence]]",
            1,
        );
    let found = check::quick(&crate::scenes::course(&worse), 2, 2).findings;
    assert!(found.iter().any(|f| f.cause.contains("the oracle hurts")), "{found:#?}");
}
