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

mod contents;
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
}

impl State {
    /// The word before a check.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Bad => "BAD",
            Self::NotChecked => "not checked",
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

    /// 0 verified, 1 tampered, 2 cannot be checked: intact, author unknown.
    pub fn exit(&self) -> u8 {
        match (self.is_bad(), &self.author) {
            (true, _) => 1,
            (false, Some(_)) => 0,
            (false, None) => 2,
        }
    }

    /// In a sentence.
    pub fn says(&self) -> String {
        match (self.is_bad(), &self.author) {
            (true, _) => "TAMPERED: do not believe it".to_owned(),
            (false, Some(author)) => {
                let approval = self.approval.as_ref();
                let approval = approval.map_or_else(String::new, |says| format!("; {says}"));
                format!("verified: signed by {}{approval}", Clean::new(author))
            }
            (false, None) => "intact, author unknown".to_owned(),
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

fn manifest(bytes: Option<&[u8]>, told: &mut Verified) -> Option<Manifest> {
    match Manifest::parse(bytes?) {
        Ok(manifest) => Some(manifest),
        Err(odd) => {
            told.bad("manifest", odd.to_string());
            None
        }
    }
}
