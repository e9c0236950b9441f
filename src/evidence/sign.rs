//! Signing: `ssh-keygen -Y sign` with the operator's key, and nothing of our own.
//!
//! The key never enters this process: `ssh-keygen` reads it, or asks the agent or the token that
//! holds it, and may ask the person at the keyboard for a passphrase, a PIN or a touch. Where
//! nobody is there, nothing is asked and nothing hangs. A signature that was made is checked at
//! once with the arithmetic that will check it later, so that a run is never sealed under one that
//! does not verify. Who may sign what is not decided here: that is the evaluator's file.

use super::tool::{self, Said, Silent};
pub use super::tool::{Asking, Heeding, heed, stopped};
use super::{purpose, signers};
use crate::clean::Clean;
use crate::journal::Signer;
use crate::plain::complain;
use crate::plan::secrets::at_home;
use crate::runbook::{Fault, FaultKind};
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long the public half of a key may take to be told.
const PUBLIC: Duration = Duration::from_secs(5);
/// How long a signature is waited for where somebody can be asked: they have to look for a token.
pub const ASKED: Duration = Duration::from_secs(60);
/// How long a signature is waited for where nobody can be asked.
pub const UNASKED: Duration = Duration::from_secs(10);

/// How to make a key that every verifier takes, for hints.
pub const MAKE_ONE: &str = "make one: ssh-keygen -t ecdsa -b 256 -f";

/// How long a signature is waited for.
pub const fn patience(asking: Asking) -> Duration {
    match asking {
        Asking::Person => ASKED,
        Asking::Nobody => UNASKED,
    }
}

/// Who signs with a key: its public half, from `KEY.pub` or from the key itself. Without an
/// `identity` the key's comment is taken, if it is a name.
pub fn signer(key: &Path, identity: &str) -> Result<Signer, Fault> {
    let (signer, comment) = public_half(key)?;
    let identity = if identity.is_empty() { &comment } else { identity };
    Ok(Signer { identity: Clean::new(identity), ..signer })
}

/// Who says that they made a signature: the key that it carries. Nothing is checked, and the
/// identity is empty: a signature names keys and not people.
pub fn inspect(sig: &[u8]) -> Option<Signer> {
    signers::claimed(sig)
}

/// Whether a signature fits message and purpose, by whatever key; then that key.
pub fn by_anybody(sig: &[u8], message: &[u8], purpose: &str) -> Result<Signer, String> {
    signers::by_anybody(sig, message, purpose)
}

/// Signs a file for a purpose; gives the signature's path, `FILE.sig`, private to us. One that is
/// there already is replaced. Somebody may be asked if this process has a terminal.
pub fn sign(key: &Path, purpose: &str, file: &Path, patience: Duration) -> Result<PathBuf, Fault> {
    sign_as(key, purpose, file, patience, Asking::of_this_process())
}

/// The same, where it is known whether somebody may be asked.
pub fn sign_as(
    key: &Path,
    purpose: &str,
    file: &Path,
    patience: Duration,
    asking: Asking,
) -> Result<PathBuf, Fault> {
    let key = found(key);
    let sig = with_ending(file, ".sig");
    // Asked whether to overwrite, ssh-keygen would hear nothing, and leave the old one.
    match std::fs::remove_file(&sig) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(local(
                format!("the old signature {} cannot be replaced: {error}", sig.display()),
                "look at who owns it and its directory",
            ));
        }
        _ => {}
    }
    if asking == Asking::Person && is_locked(&key) {
        // The tool's own question names neither the key nor what it is for.
        complain(format_args!(
            "{} is to be signed with {}, which has a passphrase",
            what_for(purpose),
            key.display()
        ));
    }
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "sign", "-n", purpose, "-f"]).arg(&key).arg(file);
    let said = tool::run(&mut command, asking, patience)
        .map_err(|silent| of_silence(&silent, &key, patience))?;
    if !said.well || !sig.is_file() {
        return Err(of_words(&said, &key));
    }
    settle(file, &sig, purpose).inspect_err(|_| {
        // One that does not verify is worse than none.
        let _ = std::fs::remove_file(&sig);
    })?;
    Ok(sig)
}

/// Whether a key cannot be read without its passphrase. The file itself is not looked into here.
pub fn is_locked(key: &Path) -> bool {
    let mut command = Command::new("ssh-keygen");
    command.args(["-y", "-P", "", "-f"]).arg(found(key));
    tool::run(&mut command, Asking::Nobody, PUBLIC)
        .is_ok_and(|said| !said.well && said.err.contains("passphrase"))
}

/// What is signed for a purpose, in words.
fn what_for(purpose: &str) -> &str {
    match purpose {
        purpose::EVIDENCE => "the run's evidence",
        purpose::DECLARATION => "what is declared before the run",
        purpose::APPROVAL => "the approval",
        other => other,
    }
}

/// Checks a fresh signature, makes it private, and waits for the disk.
fn settle(file: &Path, sig: &Path, purpose: &str) -> Result<(), Fault> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| {
            local(format!("{} cannot be read: {error}", path.display()), "look at its directory")
        })
    };
    signers::by_anybody(&read(sig)?, &read(file)?, purpose).map_err(|why| {
        local(
            format!("the signature that ssh-keygen made does not verify: {why}"),
            format!("sign with another key; {MAKE_ONE} KEY"),
        )
    })?;
    std::fs::set_permissions(sig, Permissions::from_mode(0o600))
        .and_then(|()| File::open(sig)?.sync_all())
        .map_err(|error| local(format!("the signature was not kept: {error}"), "is the disk full?"))
}

/// The key as the plan means it. One whose private half is in an agent or a token has only its
/// `.pub` here, which is what ssh-keygen is then given.
fn found(key: &Path) -> PathBuf {
    let key = at_home(&key.to_string_lossy());
    let public = with_ending(&key, ".pub");
    if !key.is_file() && public.is_file() { public } else { key }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn public_half(key: &Path) -> Result<(Signer, String), Fault> {
    let key = found(key);
    let beside = with_ending(&key, ".pub");
    // The plan may name the public half itself.
    for path in [&beside, &key] {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if let Some(found) = signers::public_key(&text) {
            return Ok(found);
        }
    }
    if !key.is_file() {
        return Err(missing(&key));
    }
    let mut command = Command::new("ssh-keygen");
    // An empty passphrase, so that nothing is asked.
    command.args(["-y", "-P", "", "-f"]).arg(&key);
    let said = tool::run(&mut command, Asking::Nobody, PUBLIC)
        .map_err(|silent| of_silence(&silent, &key, PUBLIC))?;
    signers::public_key(&String::from_utf8_lossy(&said.out)).ok_or_else(|| {
        if said.err.contains("passphrase") {
            let shown = key.display();
            return local(
                format!("{} is not there, and the key has a passphrase", beside.display()),
                format!("write it once: ssh-keygen -y -f {shown} > {}", beside.display()),
            );
        }
        of_words(&said, &key)
    })
}

fn local(cause: impl AsRef<str>, hint: impl AsRef<str>) -> Fault {
    Fault::new(FaultKind::Local, cause, hint)
}

fn missing(key: &Path) -> Fault {
    let shown = key.display();
    local(format!("the key {shown} is not there"), format!("{MAKE_ONE} {shown}"))
}

fn of_silence(silent: &Silent, key: &Path, patience: Duration) -> Fault {
    let shown = key.display();
    match silent {
        Silent::Missing => local(
            "ssh-keygen is not installed, and it is what signs",
            "install OpenSSH's client, 8.2 or later",
        ),
        Silent::Broken(error) => {
            local(format!("ssh-keygen could not be run: {error}"), "try it: ssh-keygen -Y sign")
        }
        Silent::TooLong => Fault::new(
            FaultKind::TimedOut,
            format!("the key {shown} gave no signature within {} s", patience.as_secs()),
            "touch the token, type the passphrase, or load the key into an agent: ssh-add",
        ),
        Silent::Asks => passphrase(key),
        Silent::Stopped => Fault::new(
            FaultKind::Cancelled,
            format!("a signal stopped the signing with {shown}"),
            "let it be signed again",
        ),
    }
}

fn passphrase(key: &Path) -> Fault {
    let shown = key.display();
    Fault::new(
        FaultKind::Refused,
        format!("the key {shown} asks for its passphrase, and nobody gave it"),
        format!("load it into an agent first: ssh-add {shown}"),
    )
}

/// What went wrong, by ssh-keygen's own words.
fn of_words(said: &Said, key: &Path) -> Fault {
    let shown = key.display();
    let says = |words: &str| said.err.contains(words);
    if says("incorrect passphrase") || says("Enter passphrase") {
        return passphrase(key);
    }
    if says("UNPROTECTED PRIVATE KEY") || says("too open") {
        return local(
            format!("the key {shown} can be read by others, so that ssh-keygen does not use it"),
            format!("chmod 600 {shown}"),
        );
    }
    if says("agent refused") || says("agent failure") || says("communication with agent") {
        return Fault::new(
            FaultKind::Refused,
            format!("the agent that holds {shown} did not sign: {}", said.why()),
            "see what it holds with ssh-add -l, and whether it waits for a yes",
        );
    }
    if says("device not found") || says("sk-helper") || says("FIDO") {
        return Fault::new(
            FaultKind::Refused,
            format!("the token of {shown} did not sign: {}", said.why()),
            "plug it in, and touch it when it blinks",
        );
    }
    if says("No such file") && !key.is_file() {
        return missing(key);
    }
    if says("No private key found") {
        return local(
            format!("there is no private key for {shown}, nor does an agent hold it"),
            format!("load it with ssh-add, or {MAKE_ONE} KEY"),
        );
    }
    if says("unknown option") || says("illegal option") {
        return local("this ssh-keygen cannot sign files", "install OpenSSH 8.2 or later");
    }
    let why = said.why();
    local(
        format!("ssh-keygen did not sign with {shown}: {why}"),
        format!("try it: ssh-keygen -Y sign -n test -f {shown} FILE"),
    )
}
