//! A second person's signature under a plan and a release.
//!
//! It lies beside the plan as `PLAN.approval.json` and `PLAN.approval.json.sig`, so that it travels
//! as the plan does. A run takes it along where it says what is meant: the same bytes of the plan,
//! the same release, signed by the key that it names, which is not the operator's own. Whether that
//! key is a second person's only an evaluator can say, whose signers file knows both.

use super::declare::{Declaration, Release, keep};
use super::sign::{self, Asking};
use super::{json, names, purpose, put};
use crate::clean::Clean;
use crate::journal::Signer;
use crate::journal::line::utc;
use crate::plan::Plan;
use crate::runbook::{Fault, FaultKind};
use serde::{Deserialize, Serialize};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// An approval of more bytes than this is none.
const LARGEST: u64 = 64 << 10;

/// What a second person has approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// `approval`: what this file is.
    pub what: String,
    /// SHA-256 of the plan's bytes, in hex.
    pub plan_sha256: String,
    /// The service.
    pub service: Clean,
    /// The release as it is meant.
    pub release: Release,
    /// Who approves.
    pub approver: Signer,
    /// When, RFC 3339 in UTC by the clock of their host.
    pub at: String,
}

/// Where the approval of a plan lies; its signature ends in `.sig` besides.
pub fn beside(plan_file: &Path) -> PathBuf {
    with_ending(plan_file, ".approval.json")
}

/// What is to be approved of a plan: its bytes and its release, as they are meant.
pub fn of(plan: &Plan, approver: Signer, now_unix_ms: i64) -> Approval {
    let clean = |text: &String| Clean::new(text);
    Approval {
        what: "approval".to_owned(),
        plan_sha256: plan.digest.clone(),
        service: Clean::new(&plan.service),
        release: Release {
            current: plan.release.current.as_ref().map(clean),
            next: plan.release.next.as_ref().map(clean),
            migration: plan.release.migration,
            change: plan.release.change.iter().map(|(k, v)| (k.clone(), clean(v))).collect(),
        },
        approver,
        at: utc(now_unix_ms),
    }
}

/// Signs an approval and puts it beside its plan; gives where it lies. It is for everybody to read:
/// who deploys may be another user.
pub fn approve(plan_file: &Path, approval: &Approval, key: &Path) -> Result<PathBuf, Fault> {
    let not_written = |error: io::Error| {
        local(format!("the approval could not be written: {error}"), "is the disk full?")
    };
    // Others may write where the plan lies; ssh-keygen would follow their links.
    let private = Private::open().map_err(not_written)?;
    let (text, new) = (json::file(approval), private.0.join(names::APPROVAL));
    keep(&new, text.as_bytes())?;
    let asking = Asking::of_this_process();
    let sig = sign::sign_as(key, purpose::APPROVAL, &new, sign::patience(asking), asking)?;
    let file = beside(plan_file);
    // The signature first: with an earlier approval it does not fit, and says so.
    read(&sig)
        .and_then(|sig| put::put(&with_ending(&file, ".sig"), &sig, 0o644))
        .and_then(|()| put::put(&file, text.as_bytes(), 0o644))
        .map_err(not_written)?;
    Ok(file)
}

/// A directory of our own, which goes away.
struct Private(PathBuf);

impl Private {
    fn open() -> io::Result<Self> {
        let unguessed = getrandom::u64().map_err(io::Error::other)?;
        let path = std::env::temp_dir().join(format!("switchback-approval-{unguessed:016x}"));
        // One that is there already, also as a link, is not ours.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Takes the approval beside a plan into a run, if it says what is declared; nothing where there
/// is none.
pub(super) fn adopt(
    dir: &Path,
    plan_file: &Path,
    declared: &Declaration,
    operator: Option<&Signer>,
) -> Result<Option<Signer>, Fault> {
    let file = beside(plan_file);
    let text = match read(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(&file, &error)),
        Ok(text) => text,
    };
    let sig_file = with_ending(&file, ".sig");
    let sig = read(&sig_file).map_err(|error| cannot(&sig_file, &error))?;
    let approval = good(&text, &sig)?;
    fits(&approval, declared, operator)?;
    let (kept, kept_sig) = (dir.join(names::APPROVAL), dir.join(names::APPROVAL_SIG));
    keep(&kept, &text).and_then(|()| keep(&kept_sig, &sig)).inspect_err(|_| {
        // Half of it is none.
        let _ = std::fs::remove_file(&kept);
    })?;
    Ok(Some(approval.approver))
}

/// Reads an approval and holds its signature against it. The signature is looked at first.
pub fn good(text: &[u8], sig: &[u8]) -> Result<Approval, Fault> {
    let signer = sign::by_anybody(sig, text, purpose::APPROVAL).map_err(|why| {
        refused(format!("its signature is bad: {why}"), "let it be made again: switchback approve")
    })?;
    let approval: Approval = serde_json::from_slice(text).map_err(|error| {
        refused(format!("it cannot be read: {error}"), "let it be made again: switchback approve")
    })?;
    if approval.what != "approval" || approval.approver.fingerprint != signer.fingerprint {
        return Err(refused(
            format!("it names another key than the one that signed it, {}", signer.fingerprint),
            "let it be made again: switchback approve",
        ));
    }
    Ok(approval)
}

/// Whether an approval is one of what is declared, by somebody else.
pub fn fits(
    approval: &Approval,
    declared: &Declaration,
    operator: Option<&Signer>,
) -> Result<(), Fault> {
    let again = "let the plan be approved as it is now: switchback approve";
    if approval.plan_sha256 != declared.plan.sha256 {
        let digest: String = approval.plan_sha256.chars().take(8).collect();
        return Err(refused(format!("it is of another plan ({digest})"), again));
    }
    let said = |release: &Release| {
        let name = |name: &Option<Clean>| {
            name.as_ref().map_or_else(|| "not declared".to_owned(), Clean::to_string)
        };
        let (current, next) = (name(&release.current), name(&release.next));
        format!("{current} to {next}, migration {}", release.migration.key())
    };
    if approval.release != declared.release || approval.service != declared.service {
        let cause = format!(
            "it is of {}, and {} is meant",
            said(&approval.release),
            said(&declared.release)
        );
        return Err(refused(cause, again));
    }
    let same = |operator: &Signer| {
        operator.fingerprint == approval.approver.fingerprint
            || operator.identity == approval.approver.identity
    };
    if operator.is_some_and(same) {
        return Err(refused(
            "approver = deployer",
            "let somebody else approve it, with a key of their own",
        ));
    }
    Ok(())
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let meta = std::fs::metadata(path)?;
    if !meta.is_file() || meta.len() > LARGEST {
        return Err(io::Error::other("it is no approval"));
    }
    std::fs::read(path)
}

fn cannot(path: &Path, error: &io::Error) -> Fault {
    local(
        format!("{} cannot be read: {error}", path.display()),
        "an approval is two files: .approval.json and .approval.json.sig",
    )
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn local(cause: impl AsRef<str>, hint: impl AsRef<str>) -> Fault {
    Fault::new(FaultKind::Local, cause, hint)
}

fn refused(cause: impl AsRef<str>, hint: &str) -> Fault {
    Fault::new(FaultKind::Refused, cause, hint)
}
