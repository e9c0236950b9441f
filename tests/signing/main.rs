//! Signatures, time stamps, declarations and approvals, against the real tools.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

#[path = "../support/authority.rs"]
mod authority;
mod commands;
mod tools;

use authority::{Answers, Authority, maybe, tool};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use switchback::evidence::sign::{self, Asking};
use switchback::evidence::signers::{Checked, Signers};
use switchback::evidence::{purpose, stamp};
use switchback::runbook::FaultKind;
use tools::{P256, key, public, stock};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);
/// 2026-06-01, in seconds since 1970 and as ssh-keygen takes it.
const AT: (i64, &str) = (1_780_272_000, "20260601Z");

fn signed(dir: &Path, key: &Path, purpose: &str, message: &[u8]) -> Vec<u8> {
    let file = dir.join("message");
    fs::write(&file, message).unwrap();
    fs::read(sign::sign(key, purpose, &file, LONG).unwrap()).unwrap()
}

#[test]
fn what_ssh_keygen_believes_is_believed_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let kinds: [(&str, &[&str]); 6] = [
        ("p256", &P256),
        ("p384", &["-t", "ecdsa", "-b", "384"]),
        ("p521", &["-t", "ecdsa", "-b", "521"]),
        ("ed25519", &["-t", "ed25519"]),
        ("rsa2048", &["-t", "rsa", "-b", "2048"]),
        ("rsa4096", &["-t", "rsa", "-b", "4096"]),
    ];
    let other = public(&key(dir, "other", &P256, ""));
    let message = b"what was done\n";
    let mut made: Vec<(String, Vec<u8>)> = kinds
        .iter()
        .map(|(name, kind)| {
            let key = key(dir, name, kind, "");
            (public(&key), signed(dir, &key, purpose::EVIDENCE, message))
        })
        .collect();
    for kind in ["sk-ecdsa-sha2-nistp256@openssh.com", "sk-ssh-ed25519@openssh.com"] {
        made.push(tools::by_token(dir, kind, purpose::EVIDENCE, message));
    }
    let mut told = 0;
    for (key, sig) in &made {
        let files = [
            (format!("olga {key}\n"), true),
            (format!("# us\n\nolga {key} a comment\n"), true),
            (format!("otto {other}\nolga,anna {key}\n"), true),
            (format!("olga {other}\n"), false),
            (format!("otto {key}\n"), false),
            (format!("olga namespaces=\"evidence@switchback\" {key}\n"), true),
            (format!("olga namespaces=\"x,evidence@*\" {key}\n"), true),
            (format!("olga namespaces=\"approval@switchback\" {key}\n"), false),
            (format!("olga namespaces=\"*,!evidence@*\" {key}\n"), false),
            (format!("olga valid-after=\"20260101Z\",valid-before=\"20270101Z\" {key}\n"), true),
            (format!("olga valid-after=\"20260601000000Z\" {key}\n"), true),
            (format!("olga valid-before=\"202606010000Z\" {key}\n"), true),
            (format!("olga valid-before=\"20260531235959Z\" {key}\n"), false),
            (format!("olga valid-after=\"20260601000001Z\" {key}\n"), false),
            (format!("olga valid-before=20200101Z {key}\nolga {key}\n"), true),
            (format!("olga namespaces=\"x\",valid-before=20300101 {key}\n"), false),
        ];
        let mut bent = sig.clone();
        // Within the signature itself: the armour's last line but one.
        let end = bent.len() - 60;
        bent[end] = if bent[end] == b'A' { b'B' } else { b'A' };
        let cases: [(&str, &[u8], &[u8], bool); 5] = [
            (purpose::EVIDENCE, sig, message, true),
            (purpose::APPROVAL, sig, message, false),
            (purpose::EVIDENCE, sig, b"what was Done\n", false),
            (purpose::EVIDENCE, &bent, message, false),
            (purpose::EVIDENCE, b"no signature", message, false),
        ];
        for (file, knows) in &files {
            let signers = Signers::parse(file).unwrap();
            for (purpose, sig, message, holds) in cases {
                // The rest of the matrix would only say again that a bad signature is bad.
                if !holds && !knows {
                    continue;
                }
                let ours = signers.check(sig, message, purpose, AT.0);
                let known = matches!(&ours, Checked::Known { principal, signer }
                    if principal == "olga"
                        && signers.gives("olga", &signer.fingerprint, purpose, AT.0));
                let stock = stock(dir, file, "olga", purpose, sig, message, AT.1);
                assert_eq!(known, stock, "{file}{purpose}: {ours:?}");
                assert_eq!(known, holds && *knows, "{file}{purpose}: {ours:?}");
                assert_eq!(matches!(ours, Checked::Bad(_)), !holds, "{file}{purpose}: {ours:?}");
                told += 1;
            }
        }
    }
    assert_eq!(told, 8 * (9 * 5 + 7), "cases that were held against ssh-keygen");
}

#[test]
fn no_letter_of_a_signature_can_be_changed() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let key = key(dir, "key", &P256, "");
    let message = b"what was done\n";
    let sig = signed(dir, &key, purpose::EVIDENCE, message);
    let signers = Signers::parse(&format!("olga {}\n", public(&key))).unwrap();
    let is_bad = |sig: &[u8]| {
        matches!(signers.check(sig, message, purpose::EVIDENCE, AT.0), Checked::Bad(_))
    };
    assert!(!is_bad(&sig));
    for i in 0..sig.len() {
        for put in *b"A/\n -=\xff" {
            let mut bent = sig.clone();
            if bent[i] == put {
                continue;
            }
            bent[i] = put;
            assert!(is_bad(&bent), "byte {i} as {put}");
        }
        let mut cut = sig.clone();
        cut.remove(i);
        assert!(is_bad(&cut), "without byte {i}");
    }
    for more in ["\n", "x", "\n-----BEGIN SSH SIGNATURE-----\n"] {
        assert!(is_bad(&[&sig, more.as_bytes()].concat()), "with {more:?} behind");
        assert!(is_bad(&[more.as_bytes(), &sig].concat()), "with {more:?} in front");
    }
}

#[test]
fn a_signature_names_its_key_and_replaces_an_older_one() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let key = key(dir, "key", &P256, "");
    fs::write(dir.join("message.sig"), "an older one").unwrap();
    let sig = signed(dir, &key, purpose::DECLARATION, b"a");
    let mode = dir.join("message.sig").metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let listed = tool(dir, &["ssh-keygen", "-l", "-f", "key.pub"]).stdout;
    let print = String::from_utf8(listed).unwrap().split(' ').nth(1).unwrap().to_owned();
    let says = sign::inspect(&sig).unwrap();
    assert_eq!((says.fingerprint.as_str(), says.key.as_str()), (&*print, "ecdsa-sha2-nistp256"));
    assert!(says.identity.is_empty(), "a signature names keys, not people");
    let who = sign::signer(&key, "").unwrap();
    assert_eq!((who.identity.as_str(), &who.fingerprint), ("olga@example.org", &print));
    // Without KEY.pub the key itself is asked, by ssh-keygen.
    fs::remove_file(dir.join("key.pub")).unwrap();
    let who = sign::signer(&key, "otto").unwrap();
    assert_eq!((who.identity.as_str(), &who.fingerprint), ("otto", &print));
    assert!(sign::inspect(b"nothing").is_none());
}

#[test]
fn what_keeps_a_key_from_signing_is_told_with_the_next_move() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let file = dir.join("message");
    fs::write(&file, "a").unwrap();
    let try_it = |key: &Path| {
        let begun = Instant::now();
        let fault = sign::sign_as(key, "test", &file, LONG, Asking::Nobody).unwrap_err();
        assert!(begun.elapsed() < LONG / 2, "it waited");
        assert!(!dir.join("message.sig").exists());
        (fault.cause.to_string(), fault.hint.to_string())
    };
    let (cause, hint) = try_it(&dir.join("nowhere"));
    assert!(cause.contains("is not there") && hint.contains("ssh-keygen -t ecdsa"), "{cause}");
    let open = key(dir, "open", &P256, "");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let (cause, hint) = try_it(&open);
    assert!(cause.contains("read by others") && hint.starts_with("chmod 600"), "{cause}");
    let locked = key(dir, "locked", &P256, "a passphrase");
    let (cause, hint) = try_it(&locked);
    assert!(cause.contains("passphrase") && hint.contains("ssh-add"), "{cause}");
    let away = key(dir, "away", &P256, "");
    fs::rename(&away, dir.join("elsewhere")).unwrap();
    let (cause, hint) = try_it(&away);
    assert!(cause.contains("no private key") && hint.contains("ssh-add"), "{cause}");
    // The public half is told without the passphrase; where it is gone, how to have it again.
    assert!(sign::signer(&locked, "").is_ok());
    fs::remove_file(dir.join("locked.pub")).unwrap();
    let fault = sign::signer(&locked, "").unwrap_err();
    assert!(fault.hint.as_str().contains("ssh-keygen -y"), "{fault}: {}", fault.hint);
}

#[test]
fn a_time_authority_dates_the_bytes_and_a_stranger_believes_it() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let authority = Authority::open(dir);
    let (file, out) = (dir.join("file"), dir.join("file.tsr"));
    fs::write(&file, "bytes").unwrap();
    let before = chrono::Utc::now().timestamp() - 2;
    let token = stamp::token(&file, &out, &authority.url, LONG).unwrap();
    let time = chrono::DateTime::parse_from_rfc3339(&token.time).unwrap().timestamp();
    assert!((before..before + 120).contains(&time), "{}", token.time);
    assert!(token.time.ends_with('Z'));
    assert_eq!(stamp::time_of(&out).unwrap(), token.time);
    let digest = tool(dir, &["sha256sum", "file"]).stdout;
    assert!(String::from_utf8(digest).unwrap().starts_with(&stamp::imprint_of(&out).unwrap()));
    assert_eq!(out.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(authority.vouches(&out, &file));
    let other = dir.join("other");
    fs::write(&other, "Bytes").unwrap();
    assert!(!authority.vouches(&out, &other));
}

#[test]
fn an_authority_that_fails_leaves_no_token_and_a_next_move() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let authority = Authority::open(dir);
    let (file, other, out) = (dir.join("file"), dir.join("other"), dir.join("file.tsr"));
    fs::write(&file, "bytes").unwrap();
    fs::write(&other, "others").unwrap();
    stamp::token(&other, &out, &authority.url, LONG).unwrap();
    fs::remove_file(&out).unwrap();
    let refusal = {
        fs::write(
            authority.dir.join("odd.cnf"),
            "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\n\
            signer_digest=sha256\ndefault_policy=1.2.3\ndigests=sha512\n",
        )
        .unwrap();
        tool(
            &authority.dir,
            &[
                "openssl",
                "ts",
                "-reply",
                "-config",
                "odd.cnf",
                "-queryfile",
                "query",
                "-signer",
                "tsa.pem",
                "-inkey",
                "tsa.key",
                "-out",
                "refusal",
            ],
        );
        fs::read(authority.dir.join("refusal")).unwrap()
    };
    let try_it = |how: Answers, patience: Duration| {
        authority.answer(how);
        let fault = stamp::token(&file, &out, &authority.url, patience).unwrap_err();
        assert!(!out.exists(), "{fault}");
        assert!(!fault.hint.is_empty());
        (fault.kind, fault.cause.to_string())
    };
    let (kind, cause) = try_it(Answers::Recorded, LONG);
    assert!(kind == FaultKind::Garbage && cause.contains("other bytes"), "{cause}");
    let (kind, cause) = try_it(Answers::Bytes(b"<html>".to_vec()), LONG);
    assert!(kind == FaultKind::Garbage && cause.contains("no time stamp"), "{cause}");
    let (kind, cause) = try_it(Answers::Bytes(vec![b'x'; 1 << 20]), LONG);
    assert!(kind == FaultKind::Garbage && cause.contains("too large"), "{cause}");
    let (kind, cause) = try_it(Answers::Bytes(refusal), LONG);
    assert!(kind == FaultKind::Refused && cause.contains("gave no stamp"), "{cause}");
    let (kind, cause) = try_it(Answers::Status(503), LONG);
    assert!(kind == FaultKind::Refused && cause.contains("503"), "{cause}");
    let begun = Instant::now();
    let (kind, _) = try_it(Answers::Never, Duration::from_millis(300));
    assert!(kind == FaultKind::TimedOut && begun.elapsed() < Duration::from_secs(20));
    // The same bytes once more, with the answer to an earlier question about them.
    authority.answer(Answers::Well);
    stamp::token(&file, &out, &authority.url, LONG).unwrap();
    fs::remove_file(&out).unwrap();
    let (_, cause) = try_it(Answers::Recorded, LONG);
    assert!(cause.contains("another question"), "{cause}");
}

/// Signs with a key whose private half only an agent has. The agent is this test's own.
#[test]
fn an_agent_signs_where_only_the_public_half_is_here() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let key = key(dir, "key", &P256, "a passphrase");
    let socket = dir.join("agent");
    let mut agent = Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !socket.exists() {
        assert!(begun.elapsed() < LONG, "no agent");
        std::thread::sleep(Duration::from_millis(5));
    }
    let ask = dir.join("ask");
    fs::write(&ask, "#!/bin/sh\necho a passphrase\n").unwrap();
    fs::set_permissions(&ask, fs::Permissions::from_mode(0o700)).unwrap();
    let added = Command::new("ssh-add")
        .arg(&key)
        .env("SSH_AUTH_SOCK", &socket)
        .env("SSH_ASKPASS", &ask)
        .env("SSH_ASKPASS_REQUIRE", "force")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    fs::remove_file(&key).unwrap();
    // The approve command, so that the agent's address is not this whole process's.
    fs::write(dir.join("plan.toml"), commands::PLAN).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_switchback"))
        .args(["approve", "plan.toml", "--key"])
        .arg(&key)
        .current_dir(dir)
        .env("SSH_AUTH_SOCK", &socket)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let _ = agent.kill();
    let _ = agent.wait();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let line = [
        "ssh-keygen",
        "-Y",
        "check-novalidate",
        "-n",
        purpose::APPROVAL,
        "-s",
        "plan.toml.approval.json.sig",
    ];
    let text = fs::read(dir.join("plan.toml.approval.json")).unwrap();
    assert!(maybe(dir, &line, &text).status.success());
}
