//! What the journal says about the evidence itself: what was declared and signed before the first
//! change, and what became of the recording.
//!
//! The core never sees these: they decide nothing, and a replay passes over them. They are chained
//! like everything else, so that the signature under a bundle speaks for them too.

use crate::clean::Clean;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something about the evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Noted {
    /// Plan and release were put down, and signed if they could be, before the first change.
    Declared(Box<Declared>),
    /// A recording has begun.
    RecordingStarted(RecordingStarted),
    /// A recording has failed; what came after is not in it.
    RecordingLost(RecordingLost),
    /// A recording is complete.
    RecordingClosed(RecordingClosed),
    /// How often each rule has masked something while the run was flown; never what.
    Redacted(BTreeMap<String, u64>),
}

impl Noted {
    /// The name of its type in the journal.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Declared(_) => "evidence.declared",
            Self::RecordingStarted(_) => "recording.started",
            Self::RecordingLost(_) => "recording.lost",
            Self::RecordingClosed(_) => "recording.closed",
            Self::Redacted(_) => "evidence.redacted",
        }
    }
}

/// What was put down before the first change, by whom, and what proves when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Declared {
    /// SHA-256 of `declaration.json`, in hex.
    pub sha256: String,
    /// Why there is no such file, where it could not be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_put_down: Option<Clean>,
    /// Who signed it.
    pub signed: Option<Signer>,
    /// Why nobody did, where nobody did.
    pub unsigned: Option<Clean>,
    /// The time authority's token over the signature (over the declaration where there is none).
    pub token: Option<Token>,
    /// Why there is no token, where one was wanted.
    pub no_token: Option<Clean>,
    /// A second person's signature under the same plan and release.
    pub approved: Option<Signer>,
    /// Why an approval that is there does not count.
    pub not_approved: Option<Clean>,
    /// Earlier runs that carried the same approval, by their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_carried: Vec<String>,
    /// What this host's clock goes by.
    pub clock: ClockState,
    /// SHA-256 of the program that flies the run, in hex, where it could be read.
    pub program_sha256: Option<String>,
}

/// Who signed, as far as the signature itself can say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// Who they say they are: the principal that an evaluator's signers file must know.
    pub identity: Clean,
    /// The key's fingerprint, `SHA256:...`.
    pub fingerprint: String,
    /// The key's kind: `ecdsa-sha2-nistp256`, `sk-ssh-ed25519@openssh.com`.
    pub key: String,
}

/// An RFC 3161 token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The authority's time, RFC 3339 in UTC.
    pub time: String,
    /// Where it was asked.
    pub authority: Clean,
}

/// What a clock goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// The system says that it is synchronised.
    Synchronised,
    /// The system says that it is not.
    Free,
    /// Nobody could be asked.
    #[default]
    Unknown,
}

impl ClockState {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Synchronised => "synchronised",
            Self::Free => "NOT synchronised",
            Self::Unknown => "unknown whether synchronised",
        }
    }
}

/// A recording has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingStarted {
    /// Its file in the run's directory.
    pub file: String,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// A recording has failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordingLost {
    /// Its file in the run's directory.
    pub file: String,
    /// Seconds into the recording: the last that was kept.
    pub after_s: f64,
    /// Why.
    pub why: Clean,
}

/// A recording is complete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordingClosed {
    /// Its file in the run's directory.
    pub file: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256 in hex.
    pub sha256: String,
    /// Frames that it holds.
    pub frames: u64,
    /// Seconds that it plays.
    pub seconds: f64,
    /// What was found on its screens that should have been masked: which rule, and where.
    #[serde(default)]
    pub hits: Vec<Hit>,
}

/// A secret that was found where none may be. Which one is never told, only which rule found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// The rule's name: a secret's name in the plan, or a pattern's.
    pub rule: String,
    /// Where: `12.4 s into session.cast, row 7`.
    pub place: Clean,
}
