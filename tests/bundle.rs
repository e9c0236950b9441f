//! Bundles: a run is sealed, and a stranger checks it, with this program and without.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on shall fail")]

#[path = "support/bundle.rs"]
#[allow(dead_code, reason = "of the place's parts")]
mod bundle;
#[path = "support/sim/plan.rs"]
#[allow(dead_code, reason = "of the plan's parts")]
mod fixture;

use bundle::{Place, RUN, WHO};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use switchback::clean::Mask;
use switchback::evidence::seal::NotSealed;
use switchback::evidence::verify::{State, Verified};
use switchback::journal;

fn flown() -> Place {
    let place = Place::new(fixture::plan());
    place.fly(&["\u{1b}[2J\u{1b}[1;1Hswitchback", "\u{1b}[2;1Hstep 1"], true);
    place
}

fn all(told: &Verified) -> String {
    let line = |c: &switchback::evidence::verify::Check| {
        format!("{:<11}  {}: {}\n", c.state.word(), c.check, c.says)
    };
    told.checks.iter().map(line).collect::<String>() + &told.says()
}

#[test]
fn what_the_readme_says_to_type_checks_a_bundle() {
    let place = flown();
    let sealed = place.seal().unwrap();
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let typed = readme.split("```bash\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(typed.contains("ssh-keygen -Y verify") && typed.contains("sh verify.sh ."), "{typed}");
    let signers = place.signers();
    let typed = typed
        .replace("operator@example.org", WHO)
        .replace("allowed_signers", signers.to_str().unwrap());
    let ran = bundle::run(&["sh", "-e", "-c", &typed], &sealed.path);
    assert!(ran.status.success(), "{ran:?}");
    fs::write(sealed.path.join("report.md"), "all is well\n").unwrap();
    let ran = bundle::run(&["sh", "-e", "-c", &typed], &sealed.path);
    assert!(!ran.status.success(), "{ran:?}");
}

#[test]
fn a_sealed_run_verifies_with_this_program_and_with_stock_tools() {
    let place = flown();
    let sealed = place.seal().unwrap();
    assert_eq!(sealed.signed.as_ref().unwrap().identity.as_str(), WHO);
    let told = place.verify(&sealed.path);
    assert_eq!(told.exit(), 0, "{}", all(&told));
    for check in [
        "signature",
        "files",
        "digests",
        "journal",
        "replay",
        "recording",
        "derived files",
        "declaration",
        "declaration's signature",
    ] {
        let found = told.checks.iter().find(|c| c.check == check);
        assert!(found.is_some_and(|c| c.state == State::Ok), "{check}:\n{}", all(&told));
    }
    let (exit, said) = place.script(&sealed.path, true);
    assert_eq!(exit, 0, "{said}");
    let sum = bundle::run(&["sha256sum", "--strict", "-c", "SHA256SUMS"], &sealed.path);
    assert!(sum.status.success(), "{sum:?}");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&sealed.path), 0o700);
    for file in fs::read_dir(&sealed.path).unwrap().map(|entry| entry.unwrap().path()) {
        assert_eq!(mode(&file), if file.is_dir() { 0o700 } else { 0o600 }, "{}", file.display());
    }
}

#[test]
fn without_a_known_signer_it_is_intact_and_its_author_unknown() {
    let place = flown();
    let sealed = place.seal().unwrap();
    let told = place.verify_by(&sealed.path, None);
    assert_eq!(
        (told.exit(), told.says().as_str()),
        (2, "intact, author unknown"),
        "{}",
        all(&told)
    );
    let (exit, said) = place.script(&sealed.path, false);
    assert!(exit == 2 && said.contains("author unknown"), "{said}");
}

#[test]
fn without_a_key_it_is_sealed_unsigned_and_says_so() {
    let mut plan = fixture::plan();
    plan.evidence.key = None;
    let mut place = Place::new(plan);
    place.plan.evidence.key = None;
    place.fly(&[], true);
    let sealed = place.seal().unwrap();
    assert!(sealed.signed.is_none() && sealed.unsigned.is_some());
    let told = place.verify(&sealed.path);
    assert_eq!(told.exit(), 2, "{}", all(&told));
    assert_eq!(place.script(&sealed.path, true).0, 2);
    let readme = fs::read_to_string(sealed.path.join("README.txt")).unwrap();
    assert!(readme.contains("NOT SIGNED"), "{readme}");
}

#[test]
fn a_key_that_does_not_sign_after_all_is_told_within_the_bundle() {
    let place = flown();
    // Its public half is still there, so that it could have signed.
    fs::remove_file(place.key()).unwrap();
    let sealed = place.seal().unwrap();
    assert!(sealed.signed.is_none(), "{sealed:?}");
    let told = place.verify(&sealed.path);
    assert_eq!(told.exit(), 2, "{}", all(&told));
    let readme = fs::read_to_string(sealed.path.join("README.txt")).unwrap();
    assert!(readme.contains("NOT SIGNED"), "{readme}");
}

#[test]
fn a_secret_in_a_log_blocks_the_seal_and_is_not_told() {
    let place = flown();
    let secret = "hunter2-aaaa-yyyy";
    fs::write(place.run_dir().join("logs/deploy.log"), format!("ok\ntoken={secret}\n")).unwrap();
    let mask = Mask::new([("db".to_owned(), secret.to_owned())]);
    let not = place.seal_with(&mask, |_| {}).unwrap_err();
    let NotSealed::Blocked { hits, recording_alone } = &not else { panic!("{not}") };
    assert_eq!((hits[0].rule.as_str(), hits[0].place.as_str()), ("db", "logs/deploy.log, line 2"));
    assert!(!recording_alone && !not.to_string().contains(secret));
    assert!(!place.run_dir().join("evidence").exists(), "nothing half made");
    assert!(!place.run_dir().join("evidence.part").exists());
    let sealed =
        place.seal_with(&mask, |how| how.leave_out.push("logs/deploy.log".to_owned())).unwrap();
    assert!(!sealed.path.join("logs/deploy.log").exists());
    let told = place.verify(&sealed.path);
    assert_eq!(told.exit(), 0, "{}", all(&told));
    let readme = fs::read_to_string(sealed.path.join("README.txt")).unwrap();
    assert!(readme.contains("logs/deploy.log was LEFT OUT"), "{readme}");
}

#[test]
fn a_secret_on_the_screen_blocks_the_seal_until_the_recording_is_left_out() {
    let secret = "hunter2-aaaa-yyyy";
    let place = Place::new(fixture::plan());
    place.fly(&["\u{1b}[2J\u{1b}[1;1Htoken=hunter2-", "\u{1b}[1;15Haaaa-yyyy"], true);
    let mask = Mask::new([("db".to_owned(), secret.to_owned())]);
    let not = place.seal_with(&mask, |_| {}).unwrap_err();
    let NotSealed::Blocked { recording_alone: true, .. } = not else { panic!("{not}") };
    let sealed = place.seal_with(&mask, |how| how.without_recording = true).unwrap();
    assert!(place.run_dir().join("session.cast").exists(), "it stays with the run");
    assert!(!sealed.path.join("session.cast").exists());
    let told = place.verify(&sealed.path);
    assert_eq!(told.exit(), 0, "{}", all(&told));
    let page = fs::read_to_string(sealed.path.join("report.html")).unwrap();
    assert!(page.contains("without the recording"), "page one says so");
}

#[test]
fn what_the_signatures_stand_on_cannot_be_left_out() {
    let place = flown();
    let files = ["journal.jsonl", "samples.jsonl", "declaration.json", "declaration.json.sig"];
    for file in files.into_iter().chain(["declaration.tsr", "approval.json", "nothing"]) {
        let not = place.seal_with(&Mask::new([]), |how| how.leave_out.push(file.to_owned()));
        assert!(matches!(not, Err(NotSealed::Fault(_))), "{file}");
    }
}

#[test]
fn the_plan_can_be_left_out_and_says_so() {
    let place = flown();
    let sealed =
        place.seal_with(&Mask::new([]), |how| how.leave_out.push("plan.toml".to_owned())).unwrap();
    let told = place.verify(&sealed.path);
    assert_eq!(told.exit(), 0, "{}", all(&told));
    assert!(all(&told).contains("not checked  plan: it was left out"), "{}", all(&told));
}

#[test]
fn a_declaration_that_could_not_be_written_is_told_and_the_bundle_is_honest() {
    let place = Place::new(fixture::plan());
    // Nothing can be renamed to where a folder is.
    let in_the_way = place.run_dir().join("declaration.json");
    fs::create_dir(&in_the_way).unwrap();
    place.fly(&[], true);
    if in_the_way.is_dir() {
        fs::remove_dir(&in_the_way).unwrap();
    }
    let sealed = place.seal().unwrap();
    let left = sealed.left_out.iter().find(|left| left.file.as_str() == "declaration.json");
    assert!(left.is_some_and(|left| left.why.as_str().starts_with("it was not put down")));
    let told = place.verify(&sealed.path);
    assert_eq!(told.exit(), 0, "{}", all(&told));
    assert!(all(&told).contains("not checked  declaration: it was not put down"), "{}", all(&told));
    assert_eq!(place.script(&sealed.path, true).0, 0);
}

#[test]
fn an_older_runs_bundle_in_another_runs_directory_is_not_of_it() {
    let place = flown();
    place.seal().unwrap();
    let other = place.home.path().join("20261124T000000Z-0001");
    let copied = |from: &Path| {
        let words = ["cp", "-r", from.to_str().unwrap(), other.to_str().unwrap()];
        assert!(bundle::run(&words, Path::new("/")).status.success());
    };
    copied(&place.run_dir());
    let signers = place.signers();
    let verify = |dir: &Path| {
        asked(&place, &format!("verify {} --signers {}", dir.display(), signers.display()))
    };
    assert_eq!(verify(&place.run_dir()).0, 0);
    for dir in [other.clone(), other.join("evidence")] {
        let (exit, said) = verify(&dir);
        assert!(exit == 1 && said.contains("it is not of run 20261124T000000Z-0001"), "{said}");
    }
}

#[test]
fn who_must_have_signed_can_be_said_and_who_may_sign_anything_is_told() {
    let place = flown();
    place.seal().unwrap();
    let signers = place.signers();
    let verify = format!("verify 7f3a --signers {}", signers.display());
    assert_eq!(asked(&place, &format!("{verify} --signer {WHO}")).0, 0);
    let (exit, said) = asked(&place, &format!("{verify} --signer chief@example.org"));
    assert!(exit == 2 && said.contains("and not by chief@example.org"), "{said}");
    assert!(!said.contains("warning"), "{said}");
    let public = fs::read_to_string(place.home.path().join("ours.pub")).unwrap();
    // The same key under another name, for everything.
    fs::write(&signers, format!("mallory@example.org {public}")).unwrap();
    let (exit, said) = asked(&place, &verify);
    assert!(exit == 1 && said.contains("--signers mallory@example.org"), "{said}");
    assert!(said.contains("warning: the signers file lets mallory@example.org sign any"), "{said}");
}

#[test]
fn what_cannot_be_read_here_is_not_called_tampered() {
    let place = flown();
    let sealed = place.seal().unwrap();
    let full = sealed.path.join("samples.jsonl");
    let file = if full.exists() { full } else { sealed.path.join("report.md") };
    fs::File::options().write(true).open(&file).unwrap().set_len(1 << 40).unwrap();
    let told = place.verify(&sealed.path);
    assert_eq!(told.exit(), 2, "{}", all(&told));
    assert!(told.says().starts_with("cannot be checked: "), "{}", told.says());
}

#[test]
fn the_script_looks_at_the_bundle_that_is_named_and_at_plain_files() {
    let place = flown();
    let sealed = place.seal().unwrap();
    let decoy = place.home.path().join("decoy");
    fs::create_dir_all(decoy.join("b")).unwrap();
    let name = Path::new("b");
    fs::rename(&sealed.path, place.home.path().join(name)).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/evidence/verify.sh");
    let ran = |dir: &str| {
        let ran = std::process::Command::new("dash")
            .args([script, dir, place.signers().to_str().unwrap(), WHO])
            .current_dir(place.home.path())
            .env("CDPATH", &decoy)
            .output()
            .unwrap();
        (ran.status.code().unwrap(), String::from_utf8_lossy(&ran.stdout).into_owned())
    };
    assert_eq!(ran("b").0, 0, "{}", ran("b").1);
    fs::create_dir(place.home.path().join("b/SHA256SUMS.tsr")).unwrap();
    let (exit, said) = ran("b");
    assert!(exit == 1 && said.contains("SHA256SUMS.tsr is no plain file"), "{said}");
}

#[test]
fn a_run_that_was_cut_off_is_sealed_and_says_so() {
    let place = Place::new(fixture::plan());
    place.fly(&[], false);
    let sealed = place.seal().unwrap();
    let told = place.verify(&sealed.path);
    assert_eq!(told.exit(), 0, "{}", all(&told));
    assert!(all(&told).contains("cut off"), "{}", all(&told));
    let readme = fs::read_to_string(sealed.path.join("README.txt")).unwrap();
    assert!(readme.contains("CUT OFF"), "{readme}");
    assert!(place.script(&sealed.path, true).1.contains("cut off"));
}

#[test]
fn a_run_that_is_sealed_again_keeps_its_first_bundle() {
    let place = flown();
    let first = place.seal().unwrap();
    assert!(first.older.is_none());
    let second = place.seal().unwrap();
    assert_eq!(second.path, first.path);
    let older = second.older.unwrap();
    assert!(older.ends_with(format!("{RUN}/evidence.1")), "{}", older.display());
    assert_eq!(place.verify(&older).exit(), 0);
}

#[test]
fn the_same_files_give_the_same_bundle() {
    let place = flown();
    let first = place.seal().unwrap();
    let second = place.seal().unwrap();
    assert_eq!(first.digest, second.digest);
    assert!(journal::read(&second.path).is_ok(), "a bundle reads like a run");
}

#[test]
fn a_hostile_bundle_gets_an_answer() {
    let place = flown();
    let sealed = place.seal().unwrap();
    let hostile = |spoil: &dyn Fn(&Path)| {
        let copy = place.home.path().join("copy");
        let _ = fs::remove_dir_all(&copy);
        let from = sealed.path.to_str().unwrap();
        bundle::run(&["cp", "-r", from, copy.to_str().unwrap()], Path::new("/"));
        spoil(&copy);
        place.verify(&copy).exit()
    };
    let mkfifo = |path: &Path| {
        nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    };
    assert_eq!(hostile(&|_| {}), 0);
    for name in ["SHA256SUMS", "SHA256SUMS.sig", "journal.jsonl", "report.html"] {
        let fifo = hostile(&|dir| {
            fs::remove_file(dir.join(name)).unwrap();
            mkfifo(&dir.join(name));
        });
        assert_eq!(fifo, 1, "a pipe instead of {name}");
        let huge = hostile(&|dir| {
            fs::File::options().write(true).open(dir.join(name)).unwrap().set_len(1 << 40).unwrap();
        });
        // What is small by its nature is none of its kind; of the rest nobody can say.
        let exit = if name.starts_with("SHA256SUMS") { 1 } else { 2 };
        assert_eq!(huge, exit, "a terabyte of {name}");
        let garbage = hostile(&|dir| fs::write(dir.join(name), [0xff; 1000]).unwrap());
        assert_eq!(garbage, 1, "{name} is no text");
    }
    let deep = hostile(&|dir| {
        let path: std::path::PathBuf = std::iter::repeat_n("d", 500).collect();
        fs::create_dir_all(dir.join(path)).unwrap();
    });
    assert_eq!(deep, 1, "five hundred folders deep");
    // A stranger's own bundle, whole and signed by nobody, that says nonsense.
    let nonsense = |journal: &str| {
        hostile(&|dir| {
            fs::write(dir.join("journal.jsonl"), journal).unwrap();
            fs::remove_file(dir.join("SHA256SUMS.sig")).unwrap();
            fs::remove_file(dir.join("SHA256SUMS")).unwrap();
            let manifest = switchback::evidence::manifest::of(dir, "DEPLOY on x, run y").unwrap();
            fs::write(dir.join("SHA256SUMS"), manifest.text()).unwrap();
        })
    };
    let zero = "0".repeat(64);
    let number = format!("{{\"seq\":1e999999999,\"prev\":\"{zero}\"}}\n");
    let nested = format!("{}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    for journal in ["", "{}\n", &number, &nested] {
        assert_eq!(nonsense(journal), 1);
    }
}

/// What the built program prints and ends with, asked about the runs of a place.
fn asked(place: &Place, words: &str) -> (i32, String) {
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_switchback"))
        .args(words.split(' '))
        .arg("--runs")
        .arg(place.home.path())
        .env("HOME", place.home.path())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    (ran.status.code().unwrap(), said + &String::from_utf8_lossy(&ran.stderr))
}

#[test]
fn a_run_that_was_cut_off_is_sealed_where_its_report_is_asked_for() {
    let place = Place::new(fixture::plan());
    place.fly(&[], false);
    assert_eq!(asked(&place, "verify 7f3a").0, 2, "it is not sealed yet");
    let (exit, said) = asked(&place, "report 7f3a");
    assert!(exit == 0 && said.contains(&format!("signed by {WHO}")), "{said}");
    assert!(said.trim_end().ends_with("evidence/report.html"), "{said}");
    let (exit, said) = asked(&place, "report");
    assert!(exit == 0 && said.lines().count() == 1, "it is sealed once: {said}");
    let signers = place.signers();
    let verify = format!("verify 7f3a --signers {}", signers.display());
    let (exit, said) = asked(&place, &verify);
    assert!(exit == 0 && said.contains("DEPLOY on vps-1, run 20261123T142207Z-7f3a"), "{said}");
    let (exit, said) = asked(&place, &format!("{verify} --json"));
    assert_eq!(exit, 0, "{said}");
    for line in said.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["run"], &line["host"]), (&RUN.into(), &"vps-1".into()));
    }
    let (exit, said) = asked(&place, "verify 7f3a");
    assert!(exit == 2 && said.contains("intact, author unknown"), "{said}");
    let out = place.home.path().join("for-the-auditor");
    let (exit, said) = asked(&place, &format!("report 7f3a --out {}", out.display()));
    assert_eq!(exit, 0, "{said}");
    let verify = format!("verify {} --signers {}", out.display(), signers.display());
    assert_eq!(asked(&place, &verify).0, 0);
    fs::write(out.join("report.md"), "all went well\n").unwrap();
    let (exit, said) = asked(&place, &verify);
    assert!(exit == 1 && said.contains("report.md is not what was signed"), "{said}");
}
