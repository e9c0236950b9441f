//! The declaration: what is to be done, put down and signed before the first change.
//!
//! A plan that is signed afterwards proves nothing. So the run, its plan's digest, the release as it
//! is meant, the overrides and the limits are written before the journal is opened, signed with the
//! operator's key, and dated by a time authority if the plan names one. Nothing here stops a run:
//! what could not be had is said at once, stands in the journal, and is told in the report.

use super::sign::{self, Asking};
use super::{approve, clock, json, names, purpose, put, stamp};
use crate::clean::Clean;
use crate::journal::line::utc;
use crate::journal::{Declared, Opened, Signer, Token};
use crate::plain::complain;
use crate::plan::{EvidencePlan, Migration, Plan};
use crate::runbook::{Fault, FaultKind, Kind};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How long a deploy waits for a time authority.
pub const STAMPING: Duration = Duration::from_secs(5);

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// `declaration`: what this file is.
    pub what: String,
    /// The run's kind.
    pub kind: Kind,
    /// The host that it is flown from.
    pub host: Clean,
    /// The run's id.
    pub run: String,
    /// The service.
    pub service: Clean,
    /// Who is at the keyboard, as the system names them.
    pub operator: Option<Clean>,
    /// When this was put down, RFC 3339 in UTC by this host's clock. The run begins afterwards.
    pub declared: String,
    /// The program's version.
    pub program: String,
    /// SHA-256 of the program, in hex, where it could be read.
    pub program_sha256: Option<String>,
    /// The plan's file.
    pub plan: PlanFile,
    /// What the command line says instead of the plan.
    pub overrides: BTreeMap<String, Clean>,
    /// The release as it is meant, overrides included.
    pub release: Release,
    /// What the router is known by.
    pub router: Clean,
    /// The slots' names, in the order of the plan.
    pub slots: [Clean; 2],
    /// The limits that will decide.
    pub limits: Vec<LimitSaid>,
    /// Who declares, if anybody signs.
    pub signer: Option<Signer>,
}

/// The plan's file, as it lies beside the declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFile {
    /// Its name.
    pub file: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

/// A release, as it is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// What Blue runs, if declared.
    pub current: Option<Clean>,
    /// What Green shall run.
    pub next: Option<Clean>,
    /// What it does to the data.
    pub migration: Migration,
    /// Reason, reference, impact, commit and artefact, as far as declared.
    #[serde(default)]
    pub change: BTreeMap<String, Clean>,
}

/// A limit, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitSaid {
    /// The signal's name.
    pub signal: String,
    /// Above this: `2 %`, `500 ms`.
    pub above: String,
    /// For this long: `2m`.
    pub r#for: String,
}

impl Release {
    /// As a plan means it, overrides included.
    pub fn of(plan: &Plan) -> Self {
        let clean = |text: &String| Clean::new(text);
        Self {
            current: plan.release.current.as_ref().map(clean),
            next: plan.release.next.as_ref().map(clean),
            migration: plan.release.migration,
            change: plan.release.change.iter().map(|(k, v)| (k.clone(), clean(v))).collect(),
        }
    }
}

impl Declaration {
    /// What a run that is about to be opened is to do.
    pub fn of(opened: &Opened, now_unix_ms: i64) -> Self {
        let plan = &opened.plan;
        let clean = |text: &String| Clean::new(text);
        Self {
            what: "declaration".to_owned(),
            kind: opened.facts.kind,
            host: opened.facts.host.clone(),
            run: opened.facts.run.clone(),
            service: Clean::new(&plan.service),
            operator: opened.operator.clone(),
            declared: utc(now_unix_ms),
            program: opened.program.clone(),
            program_sha256: None,
            plan: PlanFile { file: names::PLAN.to_owned(), sha256: opened.plan_sha256.clone() },
            overrides: opened.overrides.clone(),
            release: Release::of(plan),
            router: opened.router.clone(),
            slots: [clean(&plan.slots[0].name), clean(&plan.slots[1].name)],
            limits: plan
                .limits
                .iter()
                .map(|limit| LimitSaid {
                    signal: limit.signal.key().to_owned(),
                    above: limit.above.to_string(),
                    r#for: limit.hold.to_string(),
                })
                .collect(),
            signer: None,
        }
    }
}

/// Puts a declaration down in the run's directory, signed and dated as far as the plan says and
/// the world lets, with the approval that lies beside the plan (`plan_file`), if one does.
pub fn declare(
    dir: &Path,
    what: &Declaration,
    evidence: &EvidencePlan,
    plan_file: Option<&Path>,
    asking: Asking,
) -> Declared {
    let mut what = what.clone();
    what.program_sha256 = program_sha256();
    let mut declared =
        Declared { program_sha256: what.program_sha256.clone(), ..Default::default() };
    let key = evidence.key.as_deref();
    let who = key.map(|key| who(Path::new(key), evidence, what.operator.as_ref()));
    if let Some(Ok(signer)) = &who {
        what.signer = Some(signer.clone());
    }
    let text = json::file(&what);
    declared.sha256 = hex(&Sha256::digest(&text));
    let file = dir.join(names::DECLARATION);
    let put = keep(&file, text.as_bytes());
    if let Err(fault) = &put {
        // Nothing can stand on what is not there.
        let _ = std::fs::remove_file(&file);
        let why = warn("nothing is declared", fault);
        declared.unsigned = Some(Clean::new(&format!("it was not put down: {why}")));
        declared.not_put_down = Some(why);
        declared.clock = clock::state();
        return declared;
    }
    let signed = match (who, key) {
        (Some(Ok(signer)), Some(key)) => {
            tell_of_token(&signer);
            let (key, patience) = (Path::new(key), sign::patience(asking));
            sign::sign_as(key, purpose::DECLARATION, &file, patience, asking).map(|_| Some(signer))
        }
        (Some(Err(fault)), _) => Err(fault),
        _ => Ok(None),
    };
    match signed {
        Ok(Some(signer)) => declared.signed = Some(signer),
        Ok(None) => declared.unsigned = Some(Clean::new("the plan names no key")),
        Err(fault) => declared.unsigned = Some(warn("the declaration is not signed", &fault)),
    }
    if let Some(authority) = &evidence.tsa {
        match date(dir, declared.signed.is_some(), authority) {
            Ok(token) => declared.token = Some(token),
            Err(fault) => {
                declared.no_token = Some(warn("nothing proves when this was declared", &fault));
            }
        }
    }
    if let Some(plan_file) = plan_file {
        match approve::adopt(dir, plan_file, &what, declared.signed.as_ref()) {
            Ok(None) => {}
            Ok(Some((approver, others))) => {
                if !others.is_empty() {
                    complain(format_args!(
                        "note: the approval is also carried by run {}",
                        others.join(", ")
                    ));
                }
                (declared.approved, declared.also_carried) = (Some(approver), others);
            }
            Err(fault) => {
                declared.not_approved = Some(warn("the approval does not count", &fault));
            }
        }
    }
    declared.clock = clock::state();
    declared
}

/// Who signs: by the plan, or else by the key's comment, or else by the system.
fn who(key: &Path, evidence: &EvidencePlan, operator: Option<&Clean>) -> Result<Signer, Fault> {
    let mut signer = sign::signer(key, evidence.identity.as_deref().unwrap_or_default())?;
    if let (true, Some(operator)) = (signer.identity.is_empty(), operator) {
        signer.identity = operator.clone();
    }
    Ok(signer)
}

/// A token waits for a touch, and ssh-keygen says so to terminals only.
fn tell_of_token(signer: &Signer) {
    if signer.key.starts_with("sk-") {
        complain("touch the token: it signs the declaration");
    }
}

/// Has the signature dated; where there is none, the declaration.
fn date(dir: &Path, signed: bool, authority: &str) -> Result<Token, Fault> {
    let of = if signed { names::DECLARATION_SIG } else { names::DECLARATION };
    stamp::token(&dir.join(of), &dir.join(names::DECLARATION_TOKEN), authority, STAMPING)
}

fn warn(what: &str, fault: &Fault) -> Clean {
    complain(format_args!("warning: {what}: {}\nhint: {}", fault.cause, fault.hint));
    fault.cause.clone()
}

/// Writes a file that nobody else can read, and waits for the disk.
pub(super) fn keep(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    put::put(path, bytes, 0o600).map_err(|error| {
        let cause = format!("{} could not be written: {error}", path.display());
        Fault::new(FaultKind::Local, cause, "is the disk full?")
    })
}

/// SHA-256 of the program that runs, in hex.
pub fn program_sha256() -> Option<String> {
    // The first is what runs even where the file has been replaced since.
    let file = File::open("/proc/self/exe").or_else(|_| File::open(std::env::current_exe()?));
    let mut file = file.ok()?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match io::Read::read(&mut file, &mut buffer) {
            Ok(0) => return Some(hex(&digest.finalize())),
            Ok(read) => digest.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

/// Bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
