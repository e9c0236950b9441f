//! The seven bots: the catalogue's regression test.

use crate::scenes::{PLAIN, RED, SHIVER, course};
use std::collections::BTreeSet;
use switchback::drill::bots::Bot;
use switchback::drill::check;
use switchback::drill::fly::Course;
use switchback::drill::regress::{self, Line};
use switchback::lab::scenario;

fn proof(text: &str) -> check::Proof {
    check::scenario(&course(text), 4, 2)
}

#[test]
fn each_way_to_fly_is_worth_what_the_scenarios_say() {
    for text in [RED, SHIVER, PLAIN] {
        let proof = proof(text);
        assert_eq!(proof.findings, [], "{:#?}", proof.lines);
        assert_eq!(proof.lines.len(), 28);
    }
}

#[test]
fn two_runs_give_the_same_lines_bit_for_bit_however_many_threads_there_are() {
    let courses = [course(RED), course(SHIVER)];
    let text = |threads| {
        let lines = regress::lines(&courses, 3, &Bot::ALL, threads);
        lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect::<Vec<_>>()
    };
    let one = text(1);
    assert_eq!(one, text(2));
    assert_eq!(one.len(), 42);
    assert!(one[0].starts_with(r#"{"scenario":"red","seed":401,"bot":"oracle","call":"rollback""#));
    let seeds: BTreeSet<u64> =
        regress::lines(&courses[..1], 6, &[Bot::AlwaysAbort], 2).iter().map(|l| l.seed).collect();
    assert_eq!(seeds, BTreeSet::from([401, 402, 403, 404, 405, 406]), "the pool, and then on");
}

#[test]
fn without_its_faults_a_scenario_breaks_its_bands() {
    let bare = course(RED).without_faults();
    let outside = |line: &Line| {
        let band = bare.answer.bots.named().into_iter().find(|(name, _)| *name == line.bot.name());
        band.and_then(|(_, band)| band)
            .is_some_and(|[low, high]| line.score < low || line.score > high)
    };
    let lines = regress::lines(std::slice::from_ref(&bare), 2, &Bot::ALL, 2);
    assert!(lines.iter().any(outside), "{lines:#?}");
}

#[test]
fn bands_so_wide_that_no_fault_is_noticed_are_no_bands() {
    let start = RED.find("oracle = ").unwrap();
    let end = RED.find("[debrief]").unwrap();
    let wide = format!("{}oracle = [0, 100]\n{}", &RED[..start], &RED[end..]);
    let findings = proof(&wide).findings;
    let told = findings.iter().any(|finding| finding.cause.contains("without its faults"));
    assert!(told, "{findings:#?}");
}

#[test]
fn a_band_that_does_not_hold_is_named_with_its_seed_and_what_to_do() {
    let narrow = RED.replace("threshold_only = [40, 90]", "threshold_only = [0, 5]");
    let findings = proof(&narrow).findings;
    let [finding] = &findings[..] else { panic!("{findings:#?}") };
    assert_eq!(finding.scenario.as_deref(), Some("red"));
    assert!(finding.cause.starts_with("threshold_only has "), "{finding:?}");
    assert!(
        finding.cause.contains("on seed 40") && finding.cause.contains("0 to 5"),
        "{finding:?}"
    );
    assert!(!finding.hint.is_empty());
    // Where a limit decides alone, that is what there is to change.
    let guarded = RED.replace("on_trip = \"ask\"", "on_trip = \"rollback\"");
    let findings = proof(&guarded).findings;
    let never = findings.iter().find(|finding| finding.cause.starts_with("never has"));
    assert!(never.unwrap().hint.contains("on_trip"), "{findings:#?}");
}

#[test]
fn habits_that_pass_are_told() {
    let mild = RED.replace("share = 0.6", "share = 0.0").replace("value = 20", "value = 1");
    let findings = proof(&mild).findings;
    assert!(findings.iter().any(|f| f.cause.contains("doing nothing hurts")), "{findings:#?}");
    let lines = regress::lines(&[course(PLAIN)], 2, &Bot::ALL, 2);
    let deck = check::deck(&[course(PLAIN)], &lines);
    let never = deck.iter().find(|finding| finding.cause.starts_with("never passes"));
    assert!(never.is_some_and(|f| f.scenario.is_none()), "{deck:#?}");
}

/// A pilot is given a `Sight`, and no answer or truth is in reach of it: only the oracle's file
/// names them.
#[test]
fn only_the_oracle_reads_the_answer() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/drill/bots");
    let mut seen = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let reads =
            ["scenario::answer", "Anchors", "Truth", "lab::"].iter().any(|w| text.contains(w));
        assert_eq!(reads, path.ends_with("oracle.rs"), "{}", path.display());
        seen += 1;
    }
    assert_eq!(seen, 3);
    let fly = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/drill/fly.rs"),
    )
    .unwrap();
    let sight = fly.split("pub struct Sight").nth(1).unwrap().split("\n}").next().unwrap();
    for word in ["Scenario", "Answer", "Anchors", "Tally", "World"] {
        assert!(!sight.contains(word), "a sight holds {word}");
    }
}

fn deck() -> Vec<Course> {
    let course = |name| {
        let answer = scenario::load_answer(name).unwrap_or_else(|fault| panic!("{fault}"));
        Course::new(scenario::load(name).unwrap(), answer).unwrap()
    };
    scenario::builtin().map(course).collect()
}

/// What comes with the program, as a whole: each scenario's bands hold, and break without its
/// faults; the oracle is clean; and nobody passes the deck by habit. On the official seeds of
/// each; twenty are `drill --all --check --seeds 20`.
#[test]
fn the_whole_deck_proves_itself() {
    let courses = deck();
    let proofs = regress::each(&courses, 2, |course| check::quick(course, 4, 1));
    let mut findings: Vec<_> = proofs.iter().flat_map(|proof| &proof.findings).cloned().collect();
    let lines: Vec<Line> = proofs.into_iter().flat_map(|proof| proof.lines).collect();
    findings.extend(check::deck(&courses, &lines));
    assert_eq!(findings, []);
    assert_eq!(lines.len(), courses.len() * 4 * Bot::ALL.len());
    for line in lines.iter().filter(|line| line.bot == Bot::Oracle) {
        assert!(line.score >= 85 && line.critical.is_empty(), "{line:?}");
    }
}

fn said(words: &[&str]) -> (Option<i32>, String, String) {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_switchback"))
        .arg("drill")
        // What was looked at is kept: not in the home of whoever runs the tests.
        .env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .args(words)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (out.status.code(), text(&out.stdout), text(&out.stderr))
}

#[test]
fn bots_fly_from_the_command_line_a_json_line_a_flight() {
    let words = ["wall-of-red", "--bot", "all", "--seeds", "2", "--json"];
    let (exit, out, _) = said(&words);
    assert_eq!((exit, out.lines().count()), (Some(0), 14), "{out}");
    for line in out.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        for key in ["scenario", "seed", "bot", "call", "score", "critical", "users_spared"] {
            assert!(line.get(key).is_some(), "{key}: {line}");
        }
    }
    assert_eq!(said(&words).1, out, "bit for bit");
    let (exit, out, _) = said(&["plain-sailing", "--bot", "threshold-only", "--seed", "77"]);
    assert_eq!(exit, Some(0));
    assert!(out.starts_with("plain-sailing") && out.contains(" 77 "), "{out}");
    let (exit, _, err) = said(&["wall-of-red", "--bot", "twich"]);
    assert_eq!(exit, Some(2));
    assert!(err.contains("twich") && err.contains("known are oracle, never"), "{err}");
    assert_eq!(said(&["--bot", "all"]).0, Some(2), "somebody must say what is flown");
    assert_eq!(said(&["wall-of-red", "--all", "--bot", "all"]).0, Some(2));
}

#[test]
fn a_new_scenario_is_proved_from_its_file_and_what_does_not_hold_ends_with_2() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("red.toml");
    let file = path.to_str().unwrap();
    std::fs::write(&path, RED).unwrap();
    let (exit, out, err) = said(&["--check", file, "--seeds", "2"]);
    assert_eq!((exit, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("holds on 2 seeds") && out.contains("oracle"), "{out}");
    std::fs::write(&path, RED.replace("oracle = [88, 100]", "oracle = [0, 9]")).unwrap();
    let (exit, out, _) = said(&["--check", file, "--seeds", "2"]);
    assert_eq!(exit, Some(2), "{out}");
    assert!(out.contains("error: red: oracle has") && out.contains("hint: "), "{out}");
    std::fs::write(&path, RED.replace("share = 0.6", "shar = 0.6")).unwrap();
    let (exit, _, err) = said(&["--check", file]);
    assert_eq!(exit, Some(2));
    assert!(err.contains("line ") && err.contains("`share`"), "{err}");
}

/// Where going back is only half of it, the oracle stays for the other half.
#[test]
fn the_oracle_does_what_follows_on_a_way_back() {
    let halves =
        RED.replace("deadline = \"45s\"\n", "deadline = \"45s\"\nthen = \"purge\"\n").replace(
            "[[critical]]",
            "[[decision]]\nid = \"purge\"\ncall = \"declare\"\ndeclares = \"purge\"\n\
             opens = \"rollback+5s\"\n[[critical]]",
        );
    let course = course(&halves);
    let [trial] = &regress::trials(&course, 401, &[Bot::Oracle])[..] else { panic!("one") };
    assert_eq!(trial.score.ruling.points, 40.0, "{:?}", trial.score);
    let line = trial.line("red");
    assert_eq!(line.call, Some(switchback::lab::scenario::answer::Call::Rollback));
    let [never_purges] = &regress::trials(&course, 401, &[Bot::Twitch])[..] else { panic!("one") };
    assert!(never_purges.score.ruling.points <= 20.0, "{:?}", never_purges.score);
}
