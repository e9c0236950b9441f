//! The report: what an evaluator reads first, in one file that needs nothing else.
//!
//! Two renderings of one [`Account`]: a page ([`html()`]) that opens from a disk without a network,
//! prints, and can be read without script but for the recording, and a short text for a pull
//! request ([`markdown()`]). Both are pure: the same input gives the same bytes, so that whoever
//! has a bundle can make them again and compare.
//!
//! Nothing is judged here and nothing is claimed. What the account does not know the page says is
//! not known; what a table for controls does not show stands beside what it shows.

mod caveats;
mod escape;
mod exercise;
mod first;
mod html;
mod markdown;
mod plots;
mod recording;
mod series;
mod svg;
mod tables;
mod verdict;
mod words;

pub use recording::{PLAYER, PlayerFile};

use super::Account;
use crate::journal::Signer;

/// Everything that a report is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// What happened.
    pub account: Account,
    /// Files of the bundle with their SHA-256 in hex, in the order in which they are told.
    pub digests: Vec<(String, String)>,
    /// The recordings that the bundle holds: file name and bytes.
    pub casts: Vec<(String, Vec<u8>)>,
    /// The bytes of `journal.jsonl`.
    pub journal: Vec<u8>,
    /// What the bundle is relevant to.
    pub controls: Vec<ControlRow>,
    /// Whose key the bundle's digests are to be signed with; nothing where nobody signs.
    pub signed: Option<Signer>,
    /// What was left out of the bundle and why, a sentence each.
    pub left_out: Vec<String>,
}

/// A control that the bundle is relevant to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlRow {
    /// Of which catalogue: `NIST SP 800-53 rev 5`.
    pub framework: String,
    /// Its id there: `CM-3`.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// What in the bundle is relevant to it.
    pub relevant: String,
    /// What the bundle does not show.
    pub not_shown: String,
}

/// The report as one page of HTML.
pub fn html(page: &Page) -> String {
    html::page(page)
}

/// The report for a pull request: verdict, stamps, planned against actual, gates and limits.
pub fn markdown(page: &Page) -> String {
    markdown::text(page)
}
