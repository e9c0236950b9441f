//! The history on disk.

use super::HistoryLine;
use crate::journal::JournalFault;
use crate::journal::ascii::to_json;
use crate::journal::chain::{self, Follow};
use crate::runbook::{Fault, FaultKind};
use nix::fcntl::{Flock, FlockArg};
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The history's file in the runs' root.
pub const HISTORY: &str = "drills.jsonl";

/// Adds a line. Two that end at once wait for each other. A half-written last line, of a process
/// that was killed here, is taken away first.
///
/// # Errors
/// The file cannot be written.
pub fn append(root: &Path, line: &HistoryLine) -> Result<(), Fault> {
    add(root, line).map_err(|error| {
        let cause = format!("the drills' history in {} cannot be written: {error}", root.display());
        Fault::new(FaultKind::Local, cause, "the run itself is whole; make the file writable")
    })
}

fn add(root: &Path, line: &HistoryLine) -> io::Result<()> {
    std::fs::create_dir_all(root)?;
    let mut options = OpenOptions::new();
    let options = options.read(true).append(true).create(true).mode(0o600);
    let mut file = Flock::lock(options.open(root.join(HISTORY))?, FlockArg::LockExclusive)
        .map_err(|(_, error)| io::Error::from(error))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let (lines, torn) = chain::whole_lines(&bytes);
    if !torn.is_empty() {
        file.set_len((bytes.len() - torn.len()) as u64)?;
    }
    let prev = lines.last().map_or_else(|| chain::GENESIS.to_owned(), |line| chain::digest(line));
    file.write_all(chain::seal(&to_json(line)?, &prev).as_bytes())?;
    file.sync_data()
}

/// Reads the history as far as its chain holds, and says where it breaks if it does.
pub fn read(root: &Path) -> (Vec<HistoryLine>, Option<JournalFault>) {
    let path = root.join(HISTORY);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return (Vec::new(), None),
        Err(source) => return (Vec::new(), Some(JournalFault::Unreadable { path, source })),
    };
    let mut chain = Follow::default();
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(chain::whole_lines(&bytes).0) {
        let Some(text) = std::str::from_utf8(line).ok().filter(|text| chain.takes(text)) else {
            return (lines, Some(JournalFault::Broken { line: number }));
        };
        match serde_json::from_str(text) {
            Ok(line) => lines.push(line),
            Err(error) => {
                let fault = JournalFault::Garbage { line: number, why: error.to_string() };
                return (lines, Some(fault));
            }
        }
    }
    (lines, None)
}
