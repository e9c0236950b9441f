//! The history on disk.
//!
//! Where its chain is broken the file is set aside as it is, under a number, and the lines before the
//! break go on in a new one: what was flown stays on the record, and that something happened to it
//! stays visible.

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
    let failed = |error: std::io::Error| {
        let cause = format!("the drills' history in {} cannot be written: {error}", root.display());
        Fault::new(FaultKind::Local, cause, "the run itself is whole; make the file writable")
    };
    set_aside(root).map_err(failed)?;
    list::append(&root.join(HISTORY), line).map_err(failed)
}

/// Sets a broken history aside and begins a new one with the lines before the break.
fn set_aside(root: &Path) -> std::io::Result<()> {
    let (lines, fault) = read(root);
    match fault {
        None => return Ok(()),
        Some(JournalFault::Unreadable { source, .. }) => return Err(source),
        Some(_) => {}
    }
    let number = broken(root).len() + 1;
    std::fs::rename(root.join(HISTORY), root.join(format!("{HISTORY}.broken-{number}")))?;
    lines.iter().try_for_each(|line| list::append(&root.join(HISTORY), line).map(|_| ()))
}

/// Histories that were set aside, by their files' names.
pub fn broken(root: &Path) -> Vec<String> {
    let name = |number: &usize| format!("{HISTORY}.broken-{number}");
    (1..).take_while(|number| root.join(name(number)).exists()).map(|n| name(&n)).collect()
}

/// Reads the history as far as its chain holds, and says where it breaks if it does.
pub fn read(root: &Path) -> (Vec<HistoryLine>, Option<JournalFault>) {
    list::read(&root.join(HISTORY))
}
