//! The file of a recording while it grows: whole lines, their digest, and whether it is still there.
//!
//! A line that could not be written whole is taken away again, so that what is left can be played.

use super::{cast, names};
use crate::journal::chain;
use nix::errno::Errno;
use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why nothing more can be recorded: in a few words, and in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gone {
    pub short: &'static str,
    pub why: String,
}

impl Gone {
    fn of(doing: &str, error: &io::Error) -> Self {
        let short = match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ENOSPC) => "disk full",
            Some(Errno::EDQUOT) => "quota used up",
            Some(Errno::EFBIG) => "the file may not grow",
            Some(Errno::EROFS) => "the disk is read-only",
            Some(Errno::EACCES | Errno::EPERM) => "not permitted",
            Some(Errno::EIO) => "disk error",
            _ => "it cannot be written",
        };
        Self { short, why: format!("{doing}: {error}") }
    }

    fn changed(why: &str) -> Self {
        Self { short: "its file is gone", why: why.to_owned() }
    }
}

/// The file.
#[derive(Debug)]
pub(super) struct Tape {
    file: File,
    path: PathBuf,
    name: String,
    /// Which file that is, for the system.
    identity: (u64, u64),
    digest: Sha256,
    bytes: u64,
    last: Duration,
    /// Frames that it holds.
    pub frames: u64,
}

impl Tape {
    /// A new file in a run's directory, for its owner alone: `session.cast`, or the next number
    /// where the run was recorded before.
    pub fn create(dir: &Path) -> Result<Self, Gone> {
        let mut error = io::Error::from(io::ErrorKind::AlreadyExists);
        for n in 1..1_000_u32 {
            let name = if n == 1 { names::CAST.to_owned() } else { format!("session.{n}.cast") };
            let path = dir.join(&name);
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => {
                    let meta = file.metadata().map_err(|e| Gone::of("it cannot be read", &e))?;
                    return Ok(Self {
                        file,
                        path,
                        name,
                        identity: (meta.dev(), meta.ino()),
                        digest: Sha256::new(),
                        bytes: 0,
                        last: Duration::ZERO,
                        frames: 0,
                    });
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => error = e,
                Err(e) => {
                    error = e;
                    break;
                }
            }
        }
        Err(Gone::of("the file cannot be made", &error))
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its length.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The time of the last event.
    pub const fn last(&self) -> Duration {
        self.last
    }

    /// SHA-256 of all of it, in hex.
    pub fn sha256(&self) -> String {
        chain::hex(&self.digest.clone().finalize())
    }

    /// Adds an event. Time never goes back.
    pub fn event(&mut self, at: Duration, code: &str, data: &str) -> Result<(), Gone> {
        let at = at.max(self.last);
        self.line(&cast::line(at, code, data))?;
        self.last = at;
        Ok(())
    }

    /// Adds a line, with its line feed.
    pub fn line(&mut self, line: &str) -> Result<(), Gone> {
        self.is_there()?;
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            let _ = self.file.set_len(self.bytes);
            return Err(Gone::of("it cannot be written", &error));
        }
        self.digest.update(line.as_bytes());
        self.bytes += line.len() as u64;
        Ok(())
    }

    /// Has the disk confirm it.
    pub fn sync(&self) -> Result<(), Gone> {
        self.is_there()?;
        self.file.sync_data().map_err(|e| Gone::of("the disk does not confirm it", &e))
    }

    /// A file that was removed takes bytes for ever; so it is looked at by its name.
    fn is_there(&self) -> Result<(), Gone> {
        let meta = self.path.symlink_metadata();
        let meta = meta.map_err(|_| Gone::changed("somebody has taken its file away"))?;
        if (meta.dev(), meta.ino()) != self.identity || meta.len() != self.bytes {
            return Err(Gone::changed("somebody else has changed its file"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_digested_and_for_their_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let mut tape = Tape::create(dir.path()).unwrap();
        tape.line("{}\n").unwrap();
        tape.event(Duration::from_secs(2), "o", "a").unwrap();
        tape.event(Duration::from_secs(1), "o", "b").unwrap();
        tape.sync().unwrap();
        let path = dir.path().join("session.cast");
        let text = std::fs::read(&path).unwrap();
        assert_eq!(text, b"{}\n[2.000,\"o\",\"a\"]\n[2.000,\"o\",\"b\"]\n");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!((tape.bytes(), tape.sha256()), (text.len() as u64, chain::digest(&text)));
        assert_eq!(Tape::create(dir.path()).unwrap().name(), "session.2.cast");
    }

    #[test]
    fn a_file_that_is_gone_or_is_another_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("session.cast");
        let mut tape = Tape::create(dir.path()).unwrap();
        std::fs::write(&path, "somebody's own").unwrap();
        assert_eq!(tape.line("{}\n").unwrap_err().short, "its file is gone");
        std::fs::remove_file(&path).unwrap();
        assert!(tape.sync().unwrap_err().why.contains("taken its file away"));
        let nowhere = Tape::create(&dir.path().join("nowhere")).unwrap_err();
        assert!(nowhere.why.contains("cannot be made"), "{nowhere:?}");
    }
}
