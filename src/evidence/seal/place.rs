//! Where a bundle is made: `evidence.part` in the run's directory, private, and one at a time.

use super::local;
use crate::evidence::names;
use crate::runbook::Fault;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A bundle in the making. What is not settled goes away.
#[derive(Debug)]
pub struct Place {
    run: PathBuf,
    part: PathBuf,
    _alone: Flock<File>,
}

impl Place {
    /// Takes the run's directory for this seal alone.
    pub fn take(run: &Path) -> Result<Self, Fault> {
        let file = File::open(run).map_err(|e| failed(run, &e))?;
        let alone = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, e)| {
            local(
                format!("{} cannot be taken to be sealed: {e}", run.display()),
                "somebody else seals this run right now: try again",
            )
        })?;
        let part = run.join(format!("{}.part", names::BUNDLE));
        Ok(Self { run: run.to_owned(), part, _alone: alone })
    }

    /// The directory.
    pub fn part(&self) -> &Path {
        &self.part
    }

    /// Begins with nothing.
    pub fn empty(&self) -> Result<(), Fault> {
        clear(&self.part)
            .and_then(|()| DirBuilder::new().mode(0o700).create(&self.part))
            .map_err(|e| failed(&self.part, &e))
    }

    /// Writes a file, in a folder if its name says so, and waits for the disk.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let path = self.part.join(name);
        let write = || {
            if let Some(folder) = path.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            }
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|e| failed(&path, &e))
    }

    /// Gives the bundle its name; says where it is, and where an older one went.
    pub fn settle(self) -> Result<(PathBuf, Option<PathBuf>), Fault> {
        let path = self.run.join(names::BUNDLE);
        let settle = || {
            let logs = self.part.join("logs");
            if logs.is_dir() {
                File::open(logs)?.sync_all()?;
            }
            File::open(&self.part)?.sync_all()?;
            let mut older = None;
            if path.symlink_metadata().is_ok() {
                let free = (1..)
                    .map(|n| self.run.join(format!("{}.{n}", names::BUNDLE)))
                    .find(|path: &PathBuf| path.symlink_metadata().is_err());
                if let Some(free) = free {
                    std::fs::rename(&path, &free)?;
                    older = Some(free);
                }
            }
            std::fs::rename(&self.part, &path)?;
            File::open(&self.run)?.sync_all()?;
            Ok(older)
        };
        let older = settle().map_err(|e: io::Error| failed(&path, &e))?;
        Ok((path.clone(), older))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // After it was settled it is not there any more.
        let _ = clear(&self.part);
    }
}

fn clear(part: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(part) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn failed(path: &Path, error: &io::Error) -> Fault {
    local(format!("{} cannot be written: {error}", path.display()), "free some space, or chmod it")
}
