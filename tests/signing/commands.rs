//! Stories of the built program: a plan is approved, a deploy declares itself.

use crate::authority::{Authority, tool};
use crate::tools::{P256, key, public};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use switchback::evidence::purpose;
use switchback::evidence::signers::{Checked, Signers};
use switchback::journal::{Declared, Noted};

/// A plan whose router says that all users are on the left, and whose slots nobody answers for.
pub const PLAN: &str = "\
schema = 1
service = \"notes\"
[slots]
left = \"http://127.0.0.1:9\"
right = \"http://127.0.0.1:10\"
[router]
kind = \"command\"
set = [\"true\", \"{left}\", \"{right}\"]
get = [\"echo\", \"left=100 right=0\"]
[health]
readiness = \"/readyz\"
[release]
current = \"1.8.2\"
next = \"1.9.0\"
migration = \"none\"
change = { reason = \"export page\" }
[commands]
deploy = [\"true\"]
";

fn switchback(dir: &Path, line: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_switchback"))
        .args(line)
        .current_dir(dir)
        .env_remove("SSH_AUTH_SOCK")
        // Others fly on a router of the same words at the same time.
        .env("XDG_STATE_HOME", dir.join("state"))
        .env("XDG_RUNTIME_DIR", dir.join("run"))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

struct Deploy(Child);

impl Drop for Deploy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Begins a deploy, waits until its journal says what was declared, and ends it.
fn declared(dir: &Path, more: &[&str]) -> (PathBuf, Declared) {
    let state = tempfile::tempdir_in(dir).unwrap().keep();
    let errors = fs::File::create(dir.join("errors")).unwrap();
    let _deploy = Deploy(
        Command::new(env!("CARGO_BIN_EXE_switchback"))
            .args(["deploy", "plan.toml", "--plain", "--yes", "--runs"])
            .arg(&state)
            .args(more)
            .current_dir(dir)
            .env_remove("SSH_AUTH_SOCK")
            .env("XDG_STATE_HOME", &state)
            .env("XDG_RUNTIME_DIR", &state)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .unwrap(),
    );
    let begun = Instant::now();
    loop {
        assert!(
            begun.elapsed() < Duration::from_secs(40),
            "nothing was declared: {}",
            fs::read_to_string(dir.join("errors")).unwrap()
        );
        let runs = fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().path());
        for run in runs.filter(|path| path.join("journal.jsonl").is_file()) {
            let text = fs::read_to_string(run.join("journal.jsonl")).unwrap();
            if let Some(line) = text.lines().find(|line| line.contains("\"evidence.declared\"")) {
                let line: Value = serde_json::from_str(line).unwrap();
                assert_eq!(line["seq"], 2, "it is the first thing that the journal says");
                let Noted::Declared(declared) =
                    serde_json::from_value(line["data"].clone()).unwrap()
                else {
                    panic!("{line}");
                };
                return (run, *declared);
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_ascii() && text.ends_with('\n'), "{text}");
    serde_json::from_str(&text).unwrap()
}

fn plan_with(dir: &Path, evidence: &str) {
    fs::write(dir.join("plan.toml"), format!("{PLAN}[evidence]\n{evidence}")).unwrap();
}

#[test]
fn a_deploy_is_declared_signed_dated_and_approved_before_it_begins() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let authority = Authority::open(dir);
    let (own, hers) = (key(dir, "own", &P256, ""), key(dir, "hers", &["-t", "ed25519"], ""));
    let url = &authority.url;
    plan_with(dir, &format!("key = \"own\"\nidentity = \"otto@example.org\"\ntsa = \"{url}\"\n"));
    let line = ["approve", "plan.toml", "--key", "hers", "--release", "1.9.1"];
    let said = switchback(dir, &line);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said = String::from_utf8(said.stdout).unwrap();
    for words in [
        "notes, 1.8.2 to 1.9.1, migration none",
        "olga@example.org",
        "SHA256:",
        "switchback deploy plan.toml --release 1.9.1",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }

    let (run, declared) = declared(dir, &["--release", "1.9.1"]);
    let text = fs::read(run.join("declaration.json")).unwrap();
    let sig = fs::read(run.join("declaration.json.sig")).unwrap();
    let signers =
        format!("otto@example.org {}\nolga@example.org {}\n", public(&own), public(&hers));
    let signers = Signers::parse(&signers).unwrap();
    let now = chrono::Utc::now().timestamp();
    let by = |checked| match checked {
        Checked::Known { principal, .. } => principal,
        other => panic!("{other:?}"),
    };
    assert_eq!(by(signers.check(&sig, &text, purpose::DECLARATION, now)), "otto@example.org");
    let approval = fs::read(run.join("approval.json")).unwrap();
    let its = fs::read(run.join("approval.json.sig")).unwrap();
    assert_eq!(by(signers.check(&its, &approval, purpose::APPROVAL, now)), "olga@example.org");
    let (token, of) = (run.join("declaration.tsr"), run.join("declaration.json.sig"));
    assert!(authority.vouches(&token, &of), "the token is over the signature");

    let digest = |path: &Path| {
        let out = tool(dir, &["sha256sum", path.to_str().unwrap()]).stdout;
        String::from_utf8(out).unwrap()[..64].to_owned()
    };
    let said = json(&run.join("declaration.json"));
    assert_eq!(said["what"], "declaration");
    assert_eq!(said["kind"], "deploy");
    assert_eq!(said["run"], run.file_name().unwrap().to_str().unwrap());
    assert_eq!(said["plan"]["sha256"], digest(&run.join("plan.toml")));
    assert_eq!(said["release"]["next"], "1.9.1");
    assert_eq!(said["release"]["change"]["reason"], "export page");
    assert_eq!(said["overrides"]["release"], "1.9.1");
    assert_eq!(said["slots"], serde_json::json!(["left", "right"]));
    assert_eq!(said["limits"][0]["signal"], "error_rate");
    assert_eq!(said["signer"]["identity"], "otto@example.org");
    let program = digest(Path::new(env!("CARGO_BIN_EXE_switchback")));
    assert_eq!(said["program_sha256"], program);

    assert_eq!(declared.sha256, digest(&run.join("declaration.json")));
    assert_eq!(declared.program_sha256, Some(program));
    assert_eq!(declared.signed.unwrap().key, "ecdsa-sha2-nistp256");
    assert_eq!(declared.approved.unwrap().identity.as_str(), "olga@example.org");
    assert_eq!(declared.token.unwrap().authority.as_str(), url);
    assert_eq!((declared.unsigned, declared.no_token, declared.not_approved), (None, None, None));
    assert_eq!(authority.asked.load(Ordering::SeqCst), 1);
    let errors = fs::read_to_string(dir.join("errors")).unwrap();
    for word in ["not signed", "nothing proves", "does not count"] {
        assert!(!errors.contains(word), "{errors}");
    }
}

#[test]
fn an_approval_of_something_else_does_not_count_and_says_why() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let _keys = (key(dir, "own", &P256, ""), key(dir, "hers", &P256, ""));
    let (json, sig) =
        (dir.join("plan.toml.approval.json"), dir.join("plan.toml.approval.json.sig"));
    let approve = |more: &[&str]| {
        let line =
            [&["approve", "plan.toml", "--key", "hers", "--identity", "olga"], more].concat();
        let said = switchback(dir, &line);
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    };
    let why = |more: &[&str]| {
        let (run, declared) = declared(dir, more);
        assert_eq!(declared.approved, None);
        assert!(!run.join("approval.json").exists());
        let why = declared.not_approved.unwrap().to_string();
        assert!(fs::read_to_string(dir.join("errors")).unwrap().contains(&why), "{why}");
        why
    };
    plan_with(dir, "key = \"own\"\nidentity = \"otto\"\n");
    approve(&[]);
    let of_another = why(&["--migration", "expand"]);
    assert!(of_another.contains("migration none") && of_another.contains("migration expand"));
    let text = fs::read(&json).unwrap();
    fs::write(&json, [&text, &b" "[..]].concat()).unwrap();
    assert!(why(&[]).contains("signature is bad"));
    fs::write(&json, &text).unwrap();
    fs::remove_file(&sig).unwrap();
    assert!(why(&[]).contains("cannot be read"));
    approve(&[]);
    plan_with(dir, "key = \"own\"\nidentity = \"otto\"\nmarking = \"CUI\"\n");
    assert!(why(&[]).contains("another plan"));
    // The same person under both, by the key and by the name.
    plan_with(dir, "key = \"own\"\nidentity = \"otto\"\n");
    for line in [
        ["approve", "plan.toml", "--key", "own", "--identity", "olga"],
        ["approve", "plan.toml", "--key", "hers", "--identity", "otto"],
    ] {
        let said = switchback(dir, &line);
        assert_eq!(said.status.code(), Some(2));
        let said = String::from_utf8(said.stderr).unwrap();
        assert!(said.contains("approver = deployer"), "{said}");
    }
    plan_with(dir, "key = \"./own\"\n");
    fs::rename(dir.join("own"), dir.join("aside")).unwrap();
    fs::rename(dir.join("own.pub"), dir.join("aside.pub")).unwrap();
    let line = ["approve", "plan.toml", "--key", "aside", "--identity", "olga"];
    assert!(switchback(dir, &line).status.success(), "nobody knows yet whose key it is");
    fs::rename(dir.join("aside"), dir.join("own")).unwrap();
    fs::rename(dir.join("aside.pub"), dir.join("own.pub")).unwrap();
    assert!(why(&[]).contains("approver = deployer"));
}

#[test]
fn what_fails_before_a_deploy_is_said_and_does_not_stop_it() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    fs::write(dir.join("plan.toml"), PLAN).unwrap();
    let (run, declared_to_be) = declared(dir, &[]);
    assert_eq!(declared_to_be.unsigned.unwrap().as_str(), "the plan names no key");
    assert!(run.join("declaration.json").is_file());
    assert!(!run.join("declaration.json.sig").exists());
    assert_eq!(json(&run.join("declaration.json"))["signer"], Value::Null);

    key(dir, "locked", &P256, "a passphrase");
    plan_with(dir, "key = \"locked\"\ntsa = \"http://127.0.0.1:9/\"\n");
    let (run, declared_to_be) = declared(dir, &[]);
    assert!(declared_to_be.unsigned.unwrap().as_str().contains("passphrase"));
    assert!(declared_to_be.no_token.unwrap().as_str().contains("cannot be reached"));
    assert!(!run.join("declaration.json.sig").exists() && !run.join("declaration.tsr").exists());
    let errors = fs::read_to_string(dir.join("errors")).unwrap();
    assert!(errors.contains("warning: the declaration is not signed"), "{errors}");
    assert!(errors.contains("hint: load it into an agent first: ssh-add locked"), "{errors}");
    let run = switchback::journal::read(&run).unwrap();
    let first = run.noted.first().map(|(_, _, noted)| noted.clone());
    assert!(matches!(first, Some(Noted::Declared(_))));
}

#[test]
fn check_says_what_will_be_said_against_the_signatures() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let warned = || {
        let said = switchback(dir, &["check", "plan.toml"]);
        String::from_utf8([said.stdout, said.stderr].concat()).unwrap()
    };
    let (good, kind) = ("key = \"good\"\nidentity = \"otto\"\n", "key = \"kind\"\n");
    key(dir, "good", &P256, "");
    key(dir, "kind", &["-t", "ed25519"], "");
    plan_with(dir, good);
    let said = warned();
    for words in ["Ed25519", "no `identity`", "is not there"] {
        assert!(!said.contains(words), "{words}: {said}");
    }
    // An agent or a token has the private half.
    fs::remove_file(dir.join("good")).unwrap();
    assert!(!warned().contains("is not there"));
    fs::remove_file(dir.join("good.pub")).unwrap();
    let said = warned();
    assert!(said.contains("sealed unsigned") && said.contains("-t ecdsa -b 256"), "{said}");
    plan_with(dir, kind);
    let said = warned();
    assert!(said.contains("FIPS mode") && said.contains("no `identity`"), "{said}");
    fs::remove_file(dir.join("kind.pub")).unwrap();
    assert!(warned().contains("kind.pub is not there"));
}

/// A program in a terminal of its own.
struct Terminal {
    pair: portable_pty::PtyPair,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    shown: std::sync::Arc<std::sync::Mutex<String>>,
}

impl Terminal {
    fn open(dir: &Path, line: &[&str]) -> Self {
        let size = portable_pty::PtySize { rows: 24, cols: 200, pixel_width: 0, pixel_height: 0 };
        let pair = portable_pty::native_pty_system().openpty(size).unwrap();
        let mut command = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_switchback"));
        command.args(line);
        command.cwd(dir);
        command.env_remove("SSH_AUTH_SOCK");
        command.env_remove("DISPLAY");
        command.env("XDG_STATE_HOME", dir.join("state"));
        command.env("XDG_RUNTIME_DIR", dir.join("run"));
        let child = pair.slave.spawn_command(command).unwrap();
        let shown = std::sync::Arc::<std::sync::Mutex<String>>::default();
        let (mut reader, to) = (pair.master.try_clone_reader().unwrap(), shown.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = std::io::Read::read(&mut reader, &mut bytes) {
                to.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
        });
        Self { pair, child, shown }
    }

    fn expect(&self, words: &str) {
        let begun = Instant::now();
        while !self.shown.lock().unwrap().contains(words) {
            let shown = self.shown.lock().unwrap().clone();
            assert!(begun.elapsed() < Duration::from_secs(40), "no {words:?} in {shown}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_passphrase_is_asked_of_a_person_and_of_nobody_else() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    key(dir, "locked", &P256, "a passphrase");
    plan_with(dir, "");
    let mut person = Terminal::open(dir, &["approve", "plan.toml", "--key", "locked"]);
    // What is to be signed is shown before anybody signs it.
    person.expect("sign this? [y/N]");
    for words in
        ["to approve: notes, 1.8.2 to 1.9.0, migration none", "sha256 ", "ramp: ", "deploy: true"]
    {
        person.expect(words);
    }
    let mut keys = person.pair.master.take_writer().unwrap();
    std::io::Write::write_all(&mut keys, b"y\n").unwrap();
    person.expect("Enter passphrase");
    std::io::Write::write_all(&mut keys, b"a passphrase\n").unwrap();
    person.expect("approved: notes");
    assert!(person.child.wait().unwrap().success());

    // In a terminal, but with --yes: whoever is there has said that nobody will answer.
    plan_with(dir, "key = \"locked\"\nidentity = \"otto\"\n");
    let runs = dir.join("runs");
    let runs = runs.to_str().unwrap();
    let line = ["deploy", "plan.toml", "--plain", "--yes", "--runs", runs];
    let nobody = Terminal::open(dir, &line);
    // Not `gave no signature within`: it was not waited for.
    nobody.expect("asks for its passphrase, and nobody gave it");
}

#[test]
fn whoever_does_not_agree_signs_nothing() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    key(dir, "hers", &P256, "");
    plan_with(dir, "");
    let mut person = Terminal::open(dir, &["approve", "plan.toml", "--key", "hers"]);
    person.expect("sign this? [y/N]");
    let mut keys = person.pair.master.take_writer().unwrap();
    std::io::Write::write_all(&mut keys, b"\n").unwrap();
    person.expect("nothing is approved");
    assert!(!person.child.wait().unwrap().success());
    assert!(!dir.join("plan.toml.approval.json").exists());
    let person = Terminal::open(dir, &["approve", "plan.toml", "--key", "hers", "--yes"]);
    person.expect("approved: notes");
}

#[test]
fn an_approval_is_never_written_through_somebodys_link() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    key(dir, "hers", &P256, "");
    plan_with(dir, "");
    let victim = dir.join("victim");
    let ends = ["", ".sig", ".new", ".new.sig"];
    for end in ends {
        fs::write(&victim, "precious").unwrap();
        let link = dir.join(format!("plan.toml.approval.json{end}"));
        std::os::unix::fs::symlink(&victim, link).unwrap();
    }
    let said = switchback(dir, &["approve", "plan.toml", "--key", "hers"]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    for end in ["", ".sig"] {
        let kept = dir.join(format!("plan.toml.approval.json{end}"));
        assert!(kept.symlink_metadata().unwrap().is_file());
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&kept.metadata().unwrap().permissions())
                & 0o777,
            0o644
        );
    }
}

#[test]
fn a_plan_that_requires_a_signature_begins_nothing_without_one_and_check_says_so_before() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    key(dir, "own", &P256, "a passphrase");
    key(dir, "hers", &P256, "");
    let check = |line: &[&str]| {
        let ran = switchback(dir, &[&["check", "plan.toml", "--runs", "runs"], line].concat());
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        said + &String::from_utf8_lossy(&ran.stderr)
    };
    let signed = "key = \"own\"\nidentity = \"otto@example.org\"\n";
    plan_with(dir, signed);
    let said = check(&[]);
    assert!(said.contains("sealed unsigned: the key own asks for its passphrase"), "{said}");
    assert!(!said.contains("approval"), "{said}");
    plan_with(dir, &format!("{signed}require = true\n"));
    let said = check(&["--effective"]);
    assert!(said.contains("require = true"), "{said}");
    let said = check(&[]);
    assert!(said.contains("error") && said.contains("asks for its passphrase"), "{said}");
    let deploy = ["deploy", "plan.toml", "--plain", "--yes", "--runs", "runs"];
    let ran = switchback(dir, &deploy);
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(2), "{said}");
    assert!(said.contains("the plan requires it") && said.contains("hint: "), "{said}");
    let left = fs::read_dir(dir.join("runs")).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("20")).collect();
    assert!(left.is_empty(), "nothing was begun: {left:?}");
    // An approval of another release than the plan's.
    let line =
        ["approve", "plan.toml", "--key", "hers", "--identity", "olga", "--release", "2.0.0"];
    let ran = switchback(dir, &[&line[..], &["--valid", "7d"]].concat());
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(String::from_utf8_lossy(&ran.stdout).contains("good until: "));
    let said = check(&[]);
    assert!(said.contains("the approval beside the plan does not count"), "{said}");
    let said = check(&["--release", "2.0.0"]);
    assert!(said.contains("approved by olga") && !said.contains("the approval beside"), "{said}");
    plan_with(dir, "key = \"own\"\nrequire = \"yes\"\n");
    assert!(check(&[]).contains("must be true or false"));
}
