//! `environment.json`: under what circumstances a run was flown and sealed.
//!
//! Some of it only the sealing program knows: its own digest, who was to sign, what was left out.
//! That is [`Stated`], and stands in the file as it was stated. Everything else follows from the
//! journal, so that whoever verifies reads what was stated, derives the file again, and compares.

use crate::clean::Clean;
use crate::journal::{ClockState, Declared, Noted, Run, Signer};
use crate::runbook::{Kind, RunOutcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What only the sealing program knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// The program that sealed.
    pub program: Program,
    /// When, in milliseconds since 1970, by this host's clock.
    pub sealed_unix_ms: i64,
    /// What this host's clock goes by.
    pub clock: ClockState,
    /// With which key the digests are signed. Only the signature itself proves it.
    pub signer: Option<Signer>,
    /// Why they are not signed, where they are not.
    pub unsigned: Option<Clean>,
    /// The time authority that is asked for a token over the signature, which stands beside it
    /// unless `undated` says why not.
    pub time_authority: Option<Clean>,
    /// Why there is no token, where the authority gave none.
    pub undated: Option<Clean>,
    /// What was left out of the bundle, and why.
    pub left_out: Vec<LeftOut>,
}

impl Stated {
    /// Whether a token stands beside the bundle's signature.
    pub const fn is_dated(&self) -> bool {
        self.time_authority.is_some() && self.undated.is_none()
    }
}

/// A program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its version.
    pub version: String,
    /// Its SHA-256 in hex, where it could be read.
    pub sha256: Option<String>,
    /// The operating system that it was built for.
    pub os: String,
    /// The processor that it was built for.
    pub arch: String,
}

impl Program {
    /// This one. `sha256` is what is known of its digest already.
    pub fn this(sha256: Option<String>) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sha256,
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
        }
    }
}

/// A file that the bundle does not hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its name.
    pub file: Clean,
    /// Why.
    pub why: Clean,
}

/// The file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Environment {
    run: String,
    kind: Kind,
    host: Clean,
    marking: Option<Clean>,
    outcome: Option<RunOutcome>,
    cut_off: bool,
    attended: bool,
    operator: Option<Clean>,
    flown_by: FlownBy,
    declared: Option<Declared>,
    recordings: Vec<Noted>,
    missing_inputs: u64,
    journal_torn_bytes: [u64; 2],
    picked_up: usize,
    redacted: BTreeMap<String, u64>,
    sealed: Stated,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct FlownBy {
    version: String,
    sha256: Option<String>,
    clock: ClockState,
}

/// How often each rule has masked something. The counts of a run that was picked up are those of
/// each of its parts, and add up.
pub fn redacted(run: &Run) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for (_, _, noted) in &run.noted {
        if let Noted::Redacted(counts) = noted {
            for (rule, count) in counts {
                let sum: &mut u64 = all.entry(rule.clone()).or_default();
                *sum = sum.saturating_add(*count);
            }
        }
    }
    all
}

/// What was put down before the first change, if anything was.
pub fn declared(run: &Run) -> Option<&Declared> {
    run.noted.iter().find_map(|(_, _, noted)| match noted {
        Noted::Declared(declared) => Some(&**declared),
        _ => None,
    })
}

/// The file for a run.
pub fn json(run: &Run, stated: &Stated) -> String {
    let declared = declared(run).cloned();
    let facts = &run.opened.facts;
    let environment = Environment {
        run: facts.run.clone(),
        kind: facts.kind,
        host: facts.host.clone(),
        marking: run.opened.plan.evidence.marking.as_deref().map(Clean::new),
        outcome: run.closed.as_ref().map(|closed| closed.outcome),
        cut_off: run.closed.is_none(),
        attended: facts.attended,
        operator: run.opened.operator.clone(),
        flown_by: FlownBy {
            version: run.opened.program.clone(),
            sha256: declared.as_ref().and_then(|declared| declared.program_sha256.clone()),
            clock: declared.as_ref().map_or(ClockState::Unknown, |declared| declared.clock),
        },
        declared,
        recordings: run
            .noted
            .iter()
            .map(|(_, _, noted)| noted)
            .filter(|noted| !matches!(noted, Noted::Declared(_) | Noted::Redacted(_)))
            .cloned()
            .collect(),
        missing_inputs: missing(run),
        journal_torn_bytes: run.torn,
        picked_up: run.cuts.len(),
        redacted: redacted(run),
        sealed: stated.clone(),
    };
    pretty(&environment)
}

/// Inputs that a power cut has taken.
pub fn missing(run: &Run) -> u64 {
    run.gaps.iter().map(|(first, last)| last.saturating_sub(*first).saturating_add(1)).sum()
}

/// What the file states and nothing else knows.
pub fn stated(json: &[u8]) -> Result<Stated, String> {
    serde_json::from_slice::<Environment>(json).map(|read| read.sealed).map_err(|e| e.to_string())
}

/// JSON for people to read, a line feed at its end.
pub(super) fn pretty<T: Serialize>(value: &T) -> String {
    // Writing plain data to a string cannot fail; a file that is empty would not verify.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
