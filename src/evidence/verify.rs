//! Verifying a bundle: who signed it, whether it is whole, and whether it holds together.
//!
//! The order is that of trust. First the signature, held against the evaluator's own list of
//! signers and no other; then the digests, of exactly the files that are there; and only then is
//! anything read for what it says. What a bundle says of itself, keys included, is believed nowhere.
//! A hostile one gets an answer like any other: what is read is bounded, and what would panic or
//! not end is a finding.
//!
//! An unsigned bundle, or one by a signer whom nobody knows, can be intact and no more: its author
//! is unknown.

mod approval;
mod contents;
mod declared;
mod derived;
mod files;
mod recordings;
mod series;
mod tokens;
mod who;

use super::manifest::Manifest;
use super::signers::Signers;
use crate::clean::Clean;
use crate::runbook::Kind;
use serde::Serialize;
use std::io;
use std::path::Path;

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it must be.
    Ok,
    /// Not as it must be: somebody has changed it.
    Bad,
    /// Not looked at, and why.
    NotChecked,
    /// It could not be looked at here, and nothing can be said without it.
    CannotCheck,
}

impl State {
    /// The word before a check.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Bad => "BAD",
            Self::NotChecked => "not checked",
            Self::CannotCheck => "cannot check",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked.
    pub check: &'static str,
    /// How it ended.
    pub state: State,
    /// What is to be said of it.
    pub says: Clean,
}

/// What verifying needs besides the bundle.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// Who may sign, from the evaluator.
    pub signers: Option<&'a Signers>,
    /// The time authority's certificates, from the evaluator.
    pub tsa_chain: Option<&'a Path>,
    /// Which run it must be of.
    pub run: Option<&'a str>,
    /// Who must have signed it, by the evaluator's own name for the key.
    pub signer: Option<&'a str>,
    /// A runs' directory in which the bundle before may lie, besides where this one lies.
    pub runs: Option<&'a Path>,
    /// Now, in seconds since 1970: signers can be bound in time.
    pub now_unix_s: i64,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Every check, in its order.
    pub checks: Vec<Check>,
    /// Who signed it, by the evaluator's own name for the key.
    pub author: Option<String>,
    /// Of which run it is, as far as that could be read.
    pub of: Option<(String, Kind, Clean)>,
    /// What came of the approval that the bundle holds, if it holds one.
    pub approval: Option<Clean>,
}

impl Verified {
    /// Whether somebody has changed it.
    pub fn is_bad(&self) -> bool {
        self.checks.iter().any(|check| check.state == State::Bad)
    }

    /// What could not be looked at, if anything was needed that could not.
    fn unseen(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.state == State::CannotCheck)
    }

    /// 0 verified, 1 tampered, 2 cannot be checked, or intact and its author unknown.
    pub fn exit(&self) -> u8 {
        match (self.is_bad(), self.unseen(), &self.author) {
            (true, ..) => 1,
            (false, None, Some(_)) => 0,
            _ => 2,
        }
    }

    /// In a sentence.
    pub fn says(&self) -> String {
        match (self.is_bad(), self.unseen(), &self.author) {
            (true, ..) => "TAMPERED: do not believe it".to_owned(),
            (false, Some(check), _) => format!("cannot be checked: {}", check.says),
            (false, None, Some(author)) => {
                let approval = self.approval.as_ref();
                let approval = approval.map_or_else(String::new, |says| format!("; {says}"));
                format!("verified: signed by {}{approval}", Clean::new(author))
            }
            (false, None, None) => "intact, author unknown".to_owned(),
        }
    }

    fn add(&mut self, check: &'static str, state: State, says: impl AsRef<str>) {
        self.checks.push(Check { check, state, says: Clean::new(says.as_ref()) });
    }

    fn ok(&mut self, check: &'static str, says: impl AsRef<str>) {
        self.add(check, State::Ok, says);
    }

    fn bad(&mut self, check: &'static str, says: impl AsRef<str>) {
        self.add(check, State::Bad, says);
    }

    fn passed_over(&mut self, check: &'static str, says: impl AsRef<str>) {
        self.add(check, State::NotChecked, says);
    }

    fn unable(&mut self, check: &'static str, says: impl AsRef<str>) {
        self.add(check, State::CannotCheck, says);
    }

    /// What could not be read: this machine's own trouble, or somebody's doing.
    fn unread(&mut self, check: &'static str, name: &str, error: &io::Error) {
        let state = if is_ours(error) { State::CannotCheck } else { State::Bad };
        self.add(check, state, format!("{name} cannot be read: {error}"));
    }

    /// `Err` is a finding, `Ok` a sentence.
    fn found(&mut self, check: &'static str, found: Result<String, String>) {
        match found {
            Ok(says) => self.ok(check, says),
            Err(why) => self.bad(check, why),
        }
    }
}

/// Verifies the bundle in a directory.
pub fn verify(bundle: &Path, asked: &Asked<'_>) -> Verified {
    let mut told = Verified::default();
    let signed = who::signature(bundle, asked, &mut told);
    let Some(manifest) = manifest(signed.manifest.as_deref(), &mut told) else {
        return told;
    };
    if !files::files(bundle, &manifest, &mut told) {
        return told;
    }
    contents::contents(bundle, &manifest, &signed, asked, &mut told);
    told
}

/// Whether a file could not be read for a reason that says nothing of the bundle. One that is not
/// there, a link, a pipe or a folder is none of ours.
pub fn is_ours(error: &io::Error) -> bool {
    use nix::errno::Errno;
    let odd = [Errno::ELOOP, Errno::ENXIO].map(|errno| errno as i32);
    error.kind() == io::ErrorKind::FileTooLarge
        || error
            .raw_os_error()
            .is_some_and(|code| error.kind() != io::ErrorKind::NotFound && !odd.contains(&code))
}

fn manifest(bytes: Option<&[u8]>, told: &mut Verified) -> Option<Manifest> {
    match Manifest::parse(bytes?) {
        Ok(manifest) => Some(manifest),
        Err(odd) => {
            told.bad("manifest", odd.to_string());
            None
        }
    }
}
