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
use crate::runs::is_id;
use crate::units::Millis;
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// How long an approval is good for where nobody says otherwise.
pub const VALID: Millis = Millis::secs(24 * 3_600);
/// No more runs than this are asked whether they carried an approval.
const MOST_RUNS: usize = 4_096;
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
    /// Until when it is good, in the same form; older programs made some that are good for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
}

impl Approval {
    /// Whether it was good at a time, RFC 3339.
    pub fn is_good_at(&self, time: &str) -> bool {
        let read = |time: &str| DateTime::parse_from_rfc3339(time).ok();
        match &self.valid_until {
            None => true,
            Some(until) => {
                matches!((read(time), read(until)), (Some(time), Some(until)) if time <= until)
            }
        }
    }
}

/// Where the approval of a plan lies; its signature ends in `.sig` besides.
pub fn beside(plan_file: &Path) -> PathBuf {
    with_ending(plan_file, ".approval.json")
}

/// What is to be approved of a plan: its bytes and its release, as they are meant, for so long.
pub fn of(plan: &Plan, approver: Signer, now_unix_ms: i64, valid: Millis) -> Approval {
    let until = now_unix_ms.saturating_add(i64::try_from(valid.0).unwrap_or(i64::MAX));
    Approval {
        what: "approval".to_owned(),
        plan_sha256: plan.digest.clone(),
        service: Clean::new(&plan.service),
        release: Release::of(plan),
        approver,
        at: utc(now_unix_ms),
        valid_until: Some(utc(until)),
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

/// Takes the approval beside a plan into a run, if it says what is declared; gives who approves and
/// the runs beside this one that carried it before; nothing where there is none.
pub(super) fn adopt(
    dir: &Path,
    plan_file: &Path,
    declared: &Declaration,
    operator: Option<&Signer>,
) -> Result<Option<(Signer, Vec<String>)>, Fault> {
    let meant = Meant::of(declared);
    let Some(Counting { approval, text, sig }) = counts(plan_file, &meant, operator)? else {
        return Ok(None);
    };
    let (kept, kept_sig) = (dir.join(names::APPROVAL), dir.join(names::APPROVAL_SIG));
    keep(&kept, &text).and_then(|()| keep(&kept_sig, &sig)).inspect_err(|_| {
        // Half of it is none.
        let _ = std::fs::remove_file(&kept);
    })?;
    Ok(Some((approval.approver, carried(dir, &text))))
}

/// What an approval has to be of.
#[derive(Debug, Clone, Copy)]
pub struct Meant<'a> {
    /// SHA-256 of the plan's bytes, in hex.
    pub plan_sha256: &'a str,
    /// The release as it is meant.
    pub release: &'a Release,
    /// The service.
    pub service: &'a Clean,
    /// When, RFC 3339.
    pub at: &'a str,
}

impl<'a> Meant<'a> {
    /// What a declaration says.
    pub fn of(declared: &'a Declaration) -> Self {
        let Declaration { plan, release, service, .. } = declared;
        Self { plan_sha256: &plan.sha256, release, service, at: &declared.declared }
    }
}

/// An approval that counts.
#[derive(Debug, Clone)]
pub struct Counting {
    /// What it says.
    pub approval: Approval,
    /// Its bytes.
    pub text: Vec<u8>,
    /// The signature over them.
    pub sig: Vec<u8>,
}

/// The approval beside a plan, its bytes and its signature, if it counts; nothing where there is
/// none.
pub fn counts(
    plan_file: &Path,
    meant: &Meant<'_>,
    operator: Option<&Signer>,
) -> Result<Option<Counting>, Fault> {
    let file = beside(plan_file);
    let text = match read(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(&file, &error)),
        Ok(text) => text,
    };
    let sig_file = with_ending(&file, ".sig");
    let sig = read(&sig_file).map_err(|error| cannot(&sig_file, &error))?;
    let approval = good(&text, &sig)?;
    fits(&approval, meant, operator)?;
    Ok(Some(Counting { approval, text, sig }))
}

/// The other runs in the same directory that carried the same approval, by their ids.
fn carried(dir: &Path, text: &[u8]) -> Vec<String> {
    let Some(runs) = dir.parent() else { return Vec::new() };
    let others = std::fs::read_dir(runs).into_iter().flatten().flatten().take(MOST_RUNS);
    let mut found: Vec<String> = others
        .map(|other| other.path())
        .filter(|path| path != dir)
        .filter(|path| read(&path.join(names::APPROVAL)).is_ok_and(|other| other == text))
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .filter(|id| is_id(id))
        .collect();
    found.sort();
    found
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
    meant: &Meant<'_>,
    operator: Option<&Signer>,
) -> Result<(), Fault> {
    let again = "let the plan be approved as it is now: switchback approve";
    if approval.plan_sha256 != meant.plan_sha256 {
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
    if approval.release != *meant.release || approval.service != *meant.service {
        let cause =
            format!("it is of {}, and {} is meant", said(&approval.release), said(meant.release));
        return Err(refused(cause, again));
    }
    if !approval.is_good_at(meant.at) {
        let until = approval.valid_until.as_deref().unwrap_or_default();
        return Err(refused(
            format!("it was good until {}", Clean::new(until)),
            "let it be made again: switchback approve, with --valid for longer",
        ));
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
