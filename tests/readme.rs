//! The README is read by the tests: its plans hold, its keys are the cockpit's, its commands exist.
#![allow(clippy::unwrap_used, reason = "a page that cannot be read is a failure")]

use std::fs;
use std::path::Path;
use std::process::Command;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The fenced blocks of one language.
fn blocks(language: &str) -> Vec<String> {
    let text = readme();
    let opening = format!("```{language}\n");
    text.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn every_plan_in_the_readme_holds() {
    let plans = blocks("toml");
    assert!(plans.len() >= 3);
    for text in plans {
        if let Err(faults) = switchback::plan::parse(&text, "README.md") {
            panic!("{faults}\n{text}");
        }
    }
}

#[test]
fn the_keys_of_the_readme_are_the_keys_of_the_cockpit() {
    let table = switchback::tui::keymap::markdown();
    assert!(readme().contains(table.trim()), "README.md should hold:\n{table}");
    use switchback::tui::keymap::{markdown_of, replay};
    let table = markdown_of(replay::BINDINGS);
    assert!(readme().contains(table.trim()), "README.md should hold:\n{table}");
}

#[test]
fn every_command_of_the_readme_exists() {
    let mut seen = 0;
    for block in blocks("console") {
        for line in block.lines() {
            let words = line.split('#').next().unwrap();
            let typed = words
                .strip_prefix("switchback ")
                .or_else(|| words.strip_prefix("cargo run --release -- "));
            let Some(typed) = typed else {
                assert!(line.starts_with("tests/all"), "nobody tests `{line}`");
                continue;
            };
            // The command's own help: it parses the command and its options and does nothing.
            let output = Command::new(env!("CARGO_BIN_EXE_switchback"))
                .args(typed.split_whitespace())
                .arg("--help")
                .output()
                .unwrap();
            assert!(output.status.success(), "`{line}`: {output:?}");
            seen += 1;
        }
    }
    assert!(seen >= 6);
}

#[test]
fn the_shell_check_of_the_readme_takes_a_whole_chain_and_not_an_edited_one() {
    let home = tempfile::tempdir().unwrap();
    let script = blocks("sh").remove(0);
    let first = format!("{{\"seq\":1,\"prev\":\"{}\"}}\n", "0".repeat(64));
    let digest = switchback::journal::chain::digest(first.as_bytes());
    let second = format!("{{\"seq\":2,\"prev\":\"{digest}\"}}\n");
    let check = |text: &str| {
        fs::write(home.path().join("journal.jsonl"), text).unwrap();
        let out = Command::new("sh").arg("-c").arg(&script).current_dir(home.path()).output();
        out.unwrap().status.success()
    };
    assert!(check(&format!("{first}{second}")));
    assert!(!check(&format!("{}{second}", first.replace("seq", "sEq"))));
}
