//! A list in a file of its own, chained like a journal: the runs' index, the drills' history.
//!
//! It only grows. Two processes that add at once wait for each other; a half-written last line, of
//! one that was killed, is taken away by the next that adds. Reading goes as far as the chain holds.

use super::ascii::to_json;
use super::chain::{self, Follow};
use super::fault::JournalFault;
use nix::fcntl::{Flock, FlockArg};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Where a line stands in its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// SHA-256 of the line, in hex.
    pub sha256: String,
    /// That of the line before it, in hex.
    pub previous: String,
}

/// Adds a line, and says where it stands; the file and the directories above it are made for us
/// alone where they are missing.
pub fn append<T: Serialize>(path: &Path, line: &T) -> io::Result<Link> {
    if let Some(root) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(root)?;
    }
    let mut options = OpenOptions::new();
    let file = options.read(true).append(true).create(true).mode(0o600).open(path)?;
    let mut file =
        Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, e)| io::Error::from(e))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let (lines, torn) = chain::whole_lines(&bytes);
    if !torn.is_empty() {
        file.set_len((bytes.len() - torn.len()) as u64)?;
    }
    let previous =
        lines.last().map_or_else(|| chain::GENESIS.to_owned(), |line| chain::digest(line));
    let sealed = chain::seal(&to_json(line)?, &previous);
    file.write_all(sealed.as_bytes())?;
    file.sync_data()?;
    Ok(Link { sha256: chain::digest(sealed.as_bytes()), previous })
}

/// Reads the list as far as its chain holds, and says where it breaks if it does. One that is not
/// there is empty.
pub fn read<T: DeserializeOwned>(path: &Path) -> (Vec<T>, Option<JournalFault>) {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return (Vec::new(), None),
        Err(source) => {
            return (Vec::new(), Some(JournalFault::Unreadable { path: path.to_owned(), source }));
        }
    };
    let mut chain = Follow::default();
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(chain::whole_lines(&bytes).0) {
        let Some(text) = std::str::from_utf8(line).ok().filter(|text| chain.takes(text)) else {
            return (lines, Some(JournalFault::Broken { line: number }));
        };
        match serde_json::from_str(text) {
            Ok(line) => lines.push(line),
            Err(e) => {
                let fault = JournalFault::Garbage { line: number, why: e.to_string() };
                return (lines, Some(fault));
            }
        }
    }
    (lines, None)
}
