//! What is said afterwards.

use crate::scenes::{PLAIN, RED, Story, course, note, story, sure};
use std::fs;
use switchback::drill::carry;
use switchback::drill::debrief::{self, Debrief, Flight, Loss, OwnAccount};
use switchback::runbook::Command;
use unicode_width::UnicodeWidthStr;

fn debrief(story: &Story) -> Debrief {
    let said = OwnAccount {
        what: "errors on Green after the switch".to_owned(),
        when: "when the p95 went up".to_owned(),
        again: "go back sooner".to_owned(),
        own: vec!["the right one".to_owned()],
    };
    let flight = Flight {
        tape: &story.flown.tape,
        truth: &story.flown.truth,
        account: &story.account,
        harm: story.harm,
        score: &story.score,
    };
    debrief::of(&story.course, &flight, &story.yardstick, &said)
}

fn late() -> Story {
    let keys = [(0, note("look: redeploy_time")), (60, Command::Rollback)];
    story(RED, &keys, &sure(0.6, "queue_depth"))
}

#[test]
fn it_says_what_was_true_against_what_was_done_and_what_it_came_to() {
    let told = debrief(&late());
    let marks =
        |marks: &[debrief::Mark]| marks.iter().map(|mark| mark.text.clone()).collect::<Vec<_>>();
    let (truth, seen) = (marks(&told.strip.truth), marks(&told.strip.seen));
    for mark in ["onset", "evidence", "effect", "restore"] {
        assert!(truth.contains(&mark.to_owned()), "{mark}: {truth:?}");
    }
    for mark in ["detect", "decide", "back", "10 % to Green"] {
        assert!(seen.contains(&mark.to_owned()), "{mark}: {seen:?}");
    }
    assert!(told.nothing.failed > told.yours.failed && told.yours.failed > told.oracle.failed);
    for ghost in [&told.yours, &told.oracle, &told.nothing] {
        assert!(ghost.line.is_sorted(), "users who failed only grow in number");
        // The number is of one horizon for all; the line is drawn as long as each flight was.
        assert!(ghost.line.last().is_some() && ghost.failed > 0);
    }
    assert_eq!(
        told.carry_over.as_deref(),
        Some("The first red sample at 10 % goes back without a question.")
    );
    assert_eq!(told.siblings, ["shiver"]);
}

#[test]
fn the_focus_is_the_largest_loss_and_of_its_kind() {
    let unseen = debrief(&late()).focus.unwrap();
    assert_eq!(unseen.loss, Loss::Perception, "{unseen:?}");
    assert!(unseen.says.starts_with("errors on Green told it at"), "{unseen:?}");
    // Seen at once, and another thing chosen.
    let chose = story(RED, &[(34, note("mark errors on Green"))], &sure(0.9, "error_rate"));
    assert_eq!(debrief(&chose).focus.unwrap().loss, Loss::Decision);
    // Step 1 had it, and a decision hung on it.
    let early = RED.replace(
        "[[critical]]",
        "[[decision]]\nid = \"refuse\"\ncall = \"rollback\"\nsteps = [1, 2]\n\
         requires_viewed = [\"redeploy_time\"]\n[[critical]]",
    );
    let unprepared = story(&early, &[], &sure(0.9, "error_rate"));
    let focus = debrief(&unprepared).focus.unwrap();
    assert_eq!(focus.loss, Loss::Preparation, "{focus:?}");
    assert!(focus.says.contains("redeploy_time was not opened"), "{focus:?}");
}

#[test]
fn something_went_right_also_where_it_failed_and_a_needless_way_back_has_its_price() {
    let failed = story(PLAIN, &[(30, Command::Rollback)], &sure(0.9, ""));
    let told = debrief(&failed);
    assert!(!told.well.is_empty());
    assert!(told.needless.is_some_and(|says| says.contains("not free")));
    let shipped = debrief(&story(PLAIN, &[], &sure(0.9, "")));
    assert_eq!(shipped.needless, None);
}

#[test]
fn as_text_it_fits_eighty_columns_and_any_other_width_and_blames_nobody() {
    for story in [
        late(),
        story(RED, &[], &sure(0.9, "")),
        story(PLAIN, &[(30, Command::Rollback)], &sure(0.9, "")),
        story(
            RED,
            &[(2, note("mark ünïcödé 漢字 and a very long remark indeed that goes on and on"))],
            &sure(0.9, ""),
        ),
    ] {
        let told = debrief(&story);
        for width in [80, 40, 120, 3] {
            for line in told.lines(width) {
                // An address is not broken: it is to be opened.
                let fits = line.width() <= width.max(40) || line.trim().starts_with("http");
                assert!(fits, "{width}: {line:?}");
            }
        }
        let text = told.lines(80).join("\n").to_lowercase();
        for blame in ["you failed", "your fault", "mistake", "should have", "forgot", "careless"] {
            assert!(!text.contains(blame), "{blame}: {text}");
        }
        let parts = ["you first", "what was true", "tape", "users who failed", "what went right"];
        let places: Vec<_> =
            parts.iter().map(|part| text.find(&format!("{part}\n")).unwrap()).collect();
        assert!(places.is_sorted(), "in the order of a debrief: {text}");
    }
}

#[test]
fn the_whole_text_at_eighty_columns() {
    insta::assert_snapshot!(debrief(&late()).lines(80).join("\n"));
}

#[test]
fn what_is_carried_over_is_a_check_of_the_plan_and_changes_nothing_else_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("switchback.toml");
    let text = switchback::lab::plan_apart(&course(RED).scenario);
    fs::write(&path, &text).unwrap();
    let check = "Do the sum of two pools.";
    assert!(carry::append(&path, check, "red, 2026-11-23").unwrap());
    assert!(!carry::append(&path, check, "red, 2026-11-24").unwrap(), "once is enough");
    let after = fs::read_to_string(&path).unwrap();
    let plan = |text: &str| {
        let plan = switchback::plan::parse(text, "plan").unwrap().plan;
        switchback::plan::Plan { digest: String::new(), ..plan }
    };
    let mut changed = plan(&after);
    let own = changed.checks.pop().unwrap();
    assert_eq!((own.text.as_str(), own.from.as_deref()), (check, Some("red, 2026-11-23")));
    assert_eq!(changed, plan(&text), "and nothing else");
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["switchback.toml"], "nothing is left beside it");
    let missing = carry::append(&dir.path().join("none.toml"), check, "").unwrap_err();
    assert!(missing.cause.as_str().contains("none.toml"));
}

#[test]
fn what_was_luck_is_not_told_as_what_went_right() {
    let keys = [(0, note("look: redeploy_time")), (27, Command::Rollback)];
    let told = debrief(&story(RED, &keys, &sure(0.6, "queue_depth")));
    assert!(!told.well.contains("before anything could have told it"), "{}", told.well);
    let focus = told.focus.unwrap();
    assert_ne!(told.well, focus.says);
}
