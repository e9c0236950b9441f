//! The history on disk.

use super::HistoryLine;
use crate::journal::JournalFault;
use crate::journal::list::{self, Link};
use crate::runbook::{Fault, FaultKind};
use std::path::Path;

/// The history's file in the runs' root.
pub const HISTORY: &str = "drills.jsonl";

/// Adds a line. Two that end at once wait for each other. A half-written last line, of a process
/// that was killed here, is taken away first. Says where the line stands in the chain.
///
/// # Errors
/// The file cannot be written.
pub fn append(root: &Path, line: &HistoryLine) -> Result<Link, Fault> {
    list::append(&root.join(HISTORY), line).map_err(|error| {
        let cause = format!("the drills' history in {} cannot be written: {error}", root.display());
        Fault::new(FaultKind::Local, cause, "the run itself is whole; make the file writable")
    })
}

/// Reads the history as far as its chain holds, and says where it breaks if it does.
pub fn read(root: &Path) -> (Vec<HistoryLine>, Option<JournalFault>) {
    list::read(&root.join(HISTORY))
}
