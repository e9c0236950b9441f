//! Evidence: the bundle that a run leaves, and how a stranger checks it.
//!
//! A bundle is a directory of plain files that speaks for itself: what was to be done
//! (`declaration.json`, signed before the first change), what happened (`journal.jsonl`, hash
//! chained), what the operator saw (`session.cast`), what an evaluator reads (`report.html`), and
//! a list of digests under one signature. Nothing in it needs this program to be checked.
//!
//! ```text
//!  before the first change   declaration · signature · token          declare, sign, stamp
//!  while the run flies       frames ─► recorder ─► session.cast       record, cast, scan
//!  when it is over           journal ─► Account ─► report, tables     account, report, ...
//!                            everything ─► SHA256SUMS ─► signature    seal
//!  anywhere, any time        signature, then digests, then contents   verify
//! ```
//!
//! Everything that is told in a bundle is derived from its own files: the same journal gives the
//! same report byte for byte, so that whoever verifies derives it again. Nothing here decides
//! anything about a run, and nothing that fails here stops one.

pub mod account;
pub mod allow;
pub mod approve;
pub mod cast;
pub mod clock;
pub mod controls;
pub mod declare;
pub mod environment;
pub mod exercise;
mod json;
pub mod manifest;
pub mod oscal;
pub mod previous;
mod put;
pub mod readme;
pub mod ready;
pub mod recorder;
pub mod report;
pub mod scan;
pub mod seal;
pub mod sign;
pub mod signers;
pub mod slate;
pub mod stamp;
pub mod state;
pub mod statement;
mod tape;
mod tool;
pub mod transcript;
pub mod verify;

pub use account::Account;

/// What a bundle's files are called.
pub mod names {
    /// What was to be done: the run, the plan's digest, the overrides, the release as it is meant.
    pub const DECLARATION: &str = "declaration.json";
    /// The operator's signature under the declaration.
    pub const DECLARATION_SIG: &str = "declaration.json.sig";
    /// The time authority's token over that signature (over the declaration where there is none).
    pub const DECLARATION_TOKEN: &str = "declaration.tsr";
    /// What a second person has approved.
    pub const APPROVAL: &str = "approval.json";
    /// Their signature.
    pub const APPROVAL_SIG: &str = "approval.json.sig";
    /// Of a drill: by which criteria it was an exercise, and what came of it.
    pub const EXERCISE: &str = "exercise.json";
    /// The plan's bytes as they were read.
    pub const PLAN: &str = "plan.toml";
    /// What the screen showed. A run that was picked up has `session.2.cast` as well, and so on.
    pub const CAST: &str = "session.cast";
    /// The screen's text at each mark.
    pub const TRANSCRIPT: &str = "transcript.txt";
    /// The report for people.
    pub const REPORT: &str = "report.html";
    /// The report for a pull request.
    pub const REPORT_MD: &str = "report.md";
    /// What to do with all this.
    pub const README: &str = "README.txt";
    /// What ran before the run, and after it.
    pub const STATE_BEFORE: &str = "state.before.json";
    /// What ran after it.
    pub const STATE_AFTER: &str = "state.after.json";
    /// Program, host, clock, key, gaps, redactions.
    pub const ENVIRONMENT: &str = "environment.json";
    /// Controls that the bundle is relevant to, and what it does not show.
    pub const CONTROLS: &str = "controls.json";
    /// Observations for assessors' tools.
    pub const OSCAL: &str = "oscal-assessment-results.json";
    /// An in-toto statement of the gates.
    pub const STATEMENT: &str = "statement.json";
    /// The bundle before this one.
    pub const PREVIOUS: &str = "PREVIOUS";
    /// The check with stock tools.
    pub const VERIFY_SH: &str = "verify.sh";
    /// The digests of all files but itself and what speaks of it.
    pub const MANIFEST: &str = "SHA256SUMS";
    /// The signature under the digests.
    pub const MANIFEST_SIG: &str = "SHA256SUMS.sig";
    /// The time authority's token over that signature (over the digests where there is none).
    pub const MANIFEST_TOKEN: &str = "SHA256SUMS.tsr";
    /// The bundle's directory in its run's.
    pub const BUNDLE: &str = "evidence";
}

/// What a signature is for: one that was made for one purpose says nothing for another.
pub mod purpose {
    /// The operator, under a declaration.
    pub const DECLARATION: &str = "declaration@switchback";
    /// A second person, under a plan and a release.
    pub const APPROVAL: &str = "approval@switchback";
    /// The operator, under a bundle's digests.
    pub const EVIDENCE: &str = "evidence@switchback";
}
