//! Stories of what surrounds a seal: what a bundle follows, what it is replaced by, what it says
//! where it is not signed, and how the second person's word is checked.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on shall fail")]

#[path = "support/bundle.rs"]
#[allow(dead_code, reason = "of the place's parts")]
mod bundle;
#[path = "support/sim/plan.rs"]
#[allow(dead_code, reason = "of the plan's parts")]
mod fixture;

use bundle::{Place, RUN, SECOND, WHO};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use switchback::clean::Mask;
use switchback::evidence::previous::{Before, Previous};
use switchback::evidence::verify::{Asked, State, Verified, verify};
use switchback::journal::chain::digest;
use switchback::runs::{IndexLine, index};

/// The run before.
const BEFORE: &str = "20261122T090000Z-ef8b";

fn flown() -> Place {
    let place = Place::new(fixture::plan());
    place.fly(&[], true);
    place
}

fn check(told: &Verified, check: &str) -> (State, String) {
    let found = told.checks.iter().find(|c| c.check == check);
    found.map(|c| (c.state, c.says.to_string())).unwrap_or((State::Bad, format!("no {check}")))
}

fn program(place: &Place, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchback"));
    command.args(words.split(' ')).arg("--runs").arg(place.home.path());
    command.env("HOME", place.home.path()).env_remove("SSH_AUTH_SOCK").stdin(Stdio::null());
    command
}

/// What the built program prints and ends with.
fn asked(place: &Place, words: &str) -> (i32, String) {
    let ran = program(place, words).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    (ran.status.code().unwrap(), said + &String::from_utf8_lossy(&ran.stderr))
}

/// A sealed run, and a bundle of the run before in the same runs' directory.
fn series() -> (Place, PathBuf, PathBuf) {
    let place = flown();
    let before = place.home.path().join(BEFORE).join("evidence");
    fs::create_dir_all(&before).unwrap();
    fs::write(before.join("SHA256SUMS"), format!("# DEPLOY on vps-1, run {BEFORE}\n")).unwrap();
    let sha256 = digest(&fs::read(before.join("SHA256SUMS")).unwrap());
    let follows = Before::Bundle { run: BEFORE.to_owned(), sha256 };
    let previous = Previous { before: follows, again: None };
    let sealed = place.seal_with(&Mask::new([]), |how| how.previous = previous).unwrap();
    (place, sealed.path, before)
}

#[test]
fn the_bundle_before_is_looked_for_and_not_taken_for_granted() {
    let (place, bundle, before) = series();
    assert_eq!(check(&place.verify(&bundle), "series").0, State::Ok);
    // Elsewhere it is not beside it: nothing was checked, unless the runs' directory is named.
    let away = Place::new(fixture::plan());
    let copy = away.home.path().join("copy");
    let words = ["cp", "-r", bundle.to_str().unwrap(), copy.to_str().unwrap()];
    assert!(bundle::run(&words, Path::new("/")).status.success());
    let (state, says) = check(&place.verify(&copy), "series");
    assert!(state == State::NotChecked && says.contains("is not here"), "{says}");
    let named = Asked { runs: Some(place.home.path()), ..Asked::default() };
    assert_eq!(check(&verify(&copy, &named), "series").0, State::Ok);
    // Taken out of the series, or changed in it.
    let first = fs::read(before.join("SHA256SUMS")).unwrap();
    let second = format!("# DEPLOY on vps-1, run {BEFORE}\n{}  x\n", "0a".repeat(32));
    fs::write(before.join("SHA256SUMS"), &second).unwrap();
    let told = place.verify(&bundle);
    let (state, says) = check(&told, "series");
    assert!(state == State::Bad && says.contains("not as it was"), "{says}");
    assert_eq!(told.exit(), 1);
    // Unless the index says that it was sealed again.
    let line = |bundle: &[u8]| IndexLine {
        id: BEFORE.to_owned(),
        bundle: Some(digest(bundle)),
        ..IndexLine::straight("router", "notes", None, 0)
    };
    index::append(place.home.path(), &line(&first)).unwrap();
    assert_eq!(check(&place.verify(&bundle), "series").0, State::Bad, "the other is not in it");
    index::append(place.home.path(), &line(second.as_bytes())).unwrap();
    let (state, says) = check(&place.verify(&bundle), "series");
    assert!(state == State::NotChecked && says.contains("sealed again since"), "{says}");
    fs::rename(&before, before.with_extension("1")).unwrap();
    fs::write(before.with_extension("1").join("SHA256SUMS"), &first).unwrap();
    assert_eq!(check(&place.verify(&bundle), "series").0, State::Ok, "it was kept beside it");
}

#[test]
fn the_first_of_a_series_is_believed_where_an_index_says_so() {
    let place = flown();
    let sealed = place.seal().unwrap();
    let (state, says) = check(&place.verify(&sealed.path), "series");
    assert!(state == State::NotChecked && says.contains("no index"), "{says}");
    let line = |id: &str, bundle: Option<String>| IndexLine {
        id: id.to_owned(),
        bundle,
        ..IndexLine::straight("router", "notes", None, 0)
    };
    index::append(place.home.path(), &line(RUN, None)).unwrap();
    assert_eq!(check(&place.verify(&sealed.path), "series").0, State::Ok);
    fs::remove_file(place.home.path().join(index::INDEX)).unwrap();
    index::append(place.home.path(), &line(BEFORE, Some("0a".repeat(32)))).unwrap();
    index::append(place.home.path(), &line(RUN, None)).unwrap();
    let (state, says) = check(&place.verify(&sealed.path), "series");
    assert!(state == State::NotChecked && says.contains(BEFORE), "{says}");
}

#[test]
fn a_signed_bundle_is_replaced_only_by_who_says_again() {
    let place = flown();
    assert_eq!(asked(&place, "report 7f3a").0, 0);
    let bundle = place.run_dir().join("evidence");
    let sums = fs::read(bundle.join("SHA256SUMS")).unwrap();
    for without in ["--without-recording", "--leave-out logs/deploy.log"] {
        let (exit, said) = asked(&place, &format!("report 7f3a {without}"));
        assert!(exit == 2 && said.contains("signed by") && said.contains("--again"), "{said}");
        assert_eq!(fs::read(bundle.join("SHA256SUMS")).unwrap(), sums);
    }
    let (exit, said) = asked(&place, "report 7f3a --again --leave-out logs/deploy.log");
    assert_eq!(exit, 0, "{said}");
    let previous = fs::read_to_string(bundle.join("PREVIOUS")).unwrap();
    assert_eq!(previous, format!("first\nseals again {}\n", digest(&sums)));
    let (exit, said) = asked(&place, "report 7f3a --again --leave-out samples.jsonl");
    assert!(exit == 1 && said.contains("samples.jsonl cannot be left out"), "{said}");
}

#[test]
fn what_is_no_bundle_is_called_so_and_not_tampered_with() {
    let place = flown();
    for (named, why) in [
        ("empty", "no SHA256SUMS in it"),
        ("signers", "it is no directory"),
        ("", "no SHA256SUMS in it"),
    ] {
        let path = place.home.path().join(named);
        if named == "empty" {
            fs::create_dir(&path).unwrap();
        }
        let (exit, said) = asked(&place, &format!("verify {}", path.display()));
        assert!(exit == 2 && said.contains(why) && !said.contains("TAMPERED"), "{said}");
    }
    let sealed = place.seal().unwrap();
    let public = place.home.path().join("ours.pub");
    let verify = format!("verify {}", sealed.path.display());
    let (exit, said) = asked(&place, &format!("{verify} --signers {}", public.display()));
    let key = fs::read_to_string(public).unwrap();
    let key: Vec<&str> = key.split(' ').take(2).collect();
    assert!(exit == 2 && said.contains(&format!("@switchback\" {}", key.join(" "))), "{said}");
    fs::remove_file(sealed.path.join("SHA256SUMS")).unwrap();
    assert_eq!(asked(&place, &verify).0, 1, "a bundle without its list is no innocent directory");
}

#[test]
fn the_script_says_what_it_was_not_given_and_what_was_taken_away() {
    let place = flown();
    let sealed = place.seal().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/evidence/verify.sh");
    let bundle = sealed.path.to_str().unwrap();
    let ran = bundle::run(&["dash", script, bundle, "/nowhere", WHO], Path::new("/"));
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.code() == Some(2) && said.contains("no file /nowhere"), "{said}");
    let (exit, said) = place.script(&sealed.path, true);
    assert!(exit == 0 && said.trim_end().ends_with("switchback verify does"), "{said}");
    fs::remove_file(sealed.path.join("SHA256SUMS.sig")).unwrap();
    let (exit, said) = place.script(&sealed.path, true);
    assert!(exit == 1 && said.contains("says signed, and there is no signature"), "{said}");
}

#[test]
fn an_approval_is_checked_by_both_and_hidden_by_none() {
    let place = Place::new(fixture::plan());
    let known = fs::read_to_string(place.signers()).unwrap();
    place.approve();
    place.fly(&[], true);
    let sealed = place.seal().unwrap();
    let told = place.verify(&sealed.path);
    assert_eq!(check(&told, "approval").0, State::Ok);
    assert_eq!(told.says(), format!("verified: signed by {WHO}; approved by {SECOND}"));
    let script = |words: &[&str]| {
        let signers = place.signers();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/evidence/verify.sh");
        let bundle = sealed.path.to_str().unwrap();
        let line = [&["dash", script, bundle, signers.to_str().unwrap(), WHO], words].concat();
        let ran = bundle::run(&line, Path::new("/"));
        (ran.status.code().unwrap(), String::from_utf8_lossy(&ran.stdout).into_owned())
    };
    let (exit, said) = script(&[SECOND]);
    assert!(exit == 0 && said.contains(&format!("; approved by {SECOND}\n")), "{said}");
    let (exit, said) = script(&[]);
    assert!(exit == 0 && said.contains("; approval not checked"), "{said}");
    assert_eq!(script(&[WHO]).0, 2);
    let readme = fs::read_to_string(sealed.path.join("README.txt")).unwrap();
    for said in ["switchback verify", "approval@switchback", SECOND, "runs' directory"] {
        assert!(readme.contains(said), "{said}:\n{readme}");
    }
    fs::write(place.signers(), known).unwrap();
    let told = place.verify(&sealed.path);
    assert_eq!(check(&told, "approval").0, State::NotChecked);
    assert!(told.exit() == 0 && told.says().ends_with("its approval was not checked"));
    assert_eq!(script(&[SECOND]).0, 2, "she is not in the signers file any more");
}

#[test]
fn an_approval_is_good_for_its_time_and_says_who_carried_it() {
    let place = Place::new(fixture::plan());
    place.approve();
    let earlier = place.home.path().join(BEFORE);
    fs::create_dir(&earlier).unwrap();
    fs::copy(place.home.path().join("plan.toml.approval.json"), earlier.join("approval.json"))
        .unwrap();
    place.fly(&[], true);
    let sealed = place.seal().unwrap();
    let (_, says) = check(&place.verify(&sealed.path), "approval");
    assert!(says.ends_with(&format!("; also carried by run {BEFORE}")), "{says}");
    let approval = fs::read_to_string(sealed.path.join("approval.json")).unwrap();
    assert!(approval.contains("\"valid_until\": \"2026-11-24T"), "{approval}");
    let approval: switchback::evidence::approve::Approval =
        serde_json::from_str(&approval).unwrap();
    assert!(approval.is_good_at("2026-11-24T00:00:00Z"));
    assert!(!approval.is_good_at("2026-11-25T00:00:00Z") && !approval.is_good_at("soon"));
}

#[test]
fn what_was_masked_before_a_crash_is_counted_in_the_files_and_not_called_nothing() {
    let place = Place::new(fixture::plan());
    place.fly(&[], false);
    let log = "from [redacted:client_address]\n[redacted:db] [redacted:db]\n";
    fs::write(place.run_dir().join("logs/deploy.log"), log).unwrap();
    let sealed = place.seal().unwrap();
    let told = fs::read_to_string(sealed.path.join("environment.json")).unwrap();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert!(told["redacted"].is_null(), "{told}");
    assert_eq!(told["redacted_before_the_cut"], "not known before the cut");
    assert_eq!(told["masks_in_files"], serde_json::json!({ "client_address": 1, "db": 2 }));
    assert_eq!(place.verify(&sealed.path).exit(), 0);
}

struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_signal_while_it_is_signed_leaves_no_bundle_and_no_lie() {
    let place = flown();
    // A tool that takes its time, as one does that waits for a touch.
    let tools = place.home.path().join("bin");
    fs::create_dir(&tools).unwrap();
    let tool = tools.join("ssh-keygen");
    let began = place.home.path().join("began");
    let script = format!(
        "#!/bin/sh\ncase \"$2\" in sign) echo $$ >{}.new; mv {0}.new {0}; exec sleep 60;; esac\n",
        began.display()
    );
    fs::write(&tool, script).unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    for to_us in [true, false] {
        let _ = fs::remove_file(&began);
        let said = place.home.path().join("said");
        let mut command = program(&place, "report 7f3a");
        command.env("PATH", &path).stdout(Stdio::null()).stderr(fs::File::create(&said).unwrap());
        let mut ran = Ends(command.spawn().unwrap());
        let asked_at = Instant::now();
        while !began.exists() {
            assert!(asked_at.elapsed() < Duration::from_secs(30), "nothing was signed");
            std::thread::sleep(Duration::from_millis(5));
        }
        let pid: i32 = match to_us {
            true => i32::try_from(ran.0.id()).unwrap(),
            false => fs::read_to_string(&began).unwrap().trim().parse().unwrap(),
        };
        let signal = nix::sys::signal::Signal::SIGINT;
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).unwrap();
        let exit = ran.0.wait().unwrap();
        let said = fs::read_to_string(said).unwrap();
        assert_eq!(exit.code(), Some(1), "{said}");
        assert!(
            said.contains("a signal stopped") && said.contains("switchback report 7f3a"),
            "{said}"
        );
        assert!(!place.run_dir().join("evidence").exists(), "no bundle that nobody signed");
        assert!(!place.run_dir().join("evidence.part").exists());
    }
    let (exit, said) = asked(&place, "report 7f3a");
    assert!(exit == 0 && said.contains(&format!("signed by {WHO}")), "{said}");
}

#[test]
fn a_bundle_that_is_not_signed_says_how_it_can_be() {
    let place = flown();
    let away = place.home.path().join("away");
    fs::rename(place.key(), &away).unwrap();
    for _ in 0..2 {
        let (exit, said) = asked(&place, "report 7f3a");
        assert!(exit == 0 && said.contains("switchback report 7f3a --again signs it"), "{said}");
    }
    fs::rename(away, place.key()).unwrap();
    let (_, said) = asked(&place, "report 7f3a --again");
    assert!(said.contains("signed by") && !said.contains("--again signs it"), "{said}");
}
