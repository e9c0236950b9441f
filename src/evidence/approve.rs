//! A second person's signature under a plan and a release.
//!
//! It lies beside the plan as `PLAN.approval.json` and `PLAN.approval.json.sig`, so that it travels
//! as the plan does. A run takes it along where it says what is meant: the same bytes of the plan,
//! the same release, signed by the key that it names, which is not the operator's own. Whether that
//! key is a second person's only an evaluator can say, whose signers file knows both.

use super::declare::{Declaration, Release, keep};
use super::sign::{self, Asking};
use super::{json, names, purpose};
use crate::clean::Clean;
use crate::journal::Signer;
use crate::journal::line::utc;
use crate::plan::Plan;
use crate::runbook::{Fault, FaultKind};
use serde::{Deserialize, Serialize};
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
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

/// Signs a plan and its release as they are meant; gives the approval and where it lies.
pub fn approve(
    plan_file: &Path,
    plan: &Plan,
    key: &Path,
    approver: Signer,
    now_unix_ms: i64,
) -> Result<(Approval, PathBuf), Fault> {
    let clean = |text: &String| Clean::new(text);
    let approval = Approval {
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
    };
    let file = beside(plan_file);
    // Signed under another name, so that an earlier approval stays whole until this one is.
    let new = with_ending(&file, ".new");
    keep(&new, json::file(&approval).as_bytes())?;
    let asking = Asking::of_this_process();
    let done = sign::sign_as(key, purpose::APPROVAL, &new, sign::patience(asking), asking)
        .and_then(|sig| {
            publish(&sig, &with_ending(&file, ".sig")).and_then(|()| publish(&new, &file)).map_err(
                |error| {
                    local(
                        format!("the approval could not be written: {error}"),
                        "is the disk full?",
                    )
                },
            )
        });
    done.inspect_err(|_| {
        let _ = std::fs::remove_file(&new);
    })?;
    Ok((approval, file))
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
    keep(&dir.join(names::APPROVAL), &text)?;
    keep(&dir.join(names::APPROVAL_SIG), &sig)?;
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

/// Puts a file in its place, for everybody to read: who deploys may be another user.
fn publish(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::set_permissions(from, Permissions::from_mode(0o644))?;
    std::fs::rename(from, to)
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
