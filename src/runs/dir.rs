//! A run's own directory, which nobody else can read.

use crate::runbook::{Fault, FaultKind, Kind};
use chrono::{DateTime, Utc};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A run's own directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    id: String,
    path: PathBuf,
}

impl RunDir {
    /// Makes the directory of a new run, with the plan's bytes as they were read.
    pub fn create(root: &Path, kind: Kind, plan: &[u8]) -> Result<Self, Fault> {
        let failed = |e: io::Error| {
            Fault::new(
                FaultKind::Local,
                format!(
                    "no directory for this {} under {}: {e}",
                    kind.word().to_lowercase(),
                    root.display()
                ),
                "make it writable, or give another one with --runs DIR",
            )
        };
        private_dir(root).map_err(failed)?;
        loop {
            let id = new_id(Utc::now()).map_err(failed)?;
            let path = root.join(&id);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let dir = Self { id, path };
                    DirBuilder::new().mode(0o700).create(dir.logs()).map_err(failed)?;
                    dir.file("plan.toml")
                        .and_then(|mut file| {
                            file.write_all(plan)?;
                            file.sync_all()
                        })
                        .and_then(|()| File::open(root)?.sync_all())
                        .map_err(failed)?;
                    return Ok(dir);
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(failed(e)),
            }
        }
    }

    /// The directory of a run that exists.
    pub fn at(path: &Path) -> Option<Self> {
        let id = path.file_name()?.to_str().filter(|id| is_id(id))?.to_owned();
        Some(Self { id, path: path.to_owned() })
    }

    /// The run's id: `20261123T142207Z-7f3a`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The plan's bytes as they were read.
    pub fn plan(&self) -> PathBuf {
        self.path.join("plan.toml")
    }

    /// Outputs of commands, and what was kept of Green.
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// A new, private file in the directory.
    pub fn file(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.path.join(name))
    }
}

/// Makes a directory, and those above it, for us alone. One that exists stays as it is.
pub(super) fn private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn new_id(now: DateTime<Utc>) -> io::Result<String> {
    let mut random = [0; 2];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let random = u16::from_le_bytes(random);
    Ok(format!("{}-{random:04x}", now.format("%Y%m%dT%H%M%SZ")))
}

/// Whether this is a run's id.
pub fn is_id(id: &str) -> bool {
    id.len() == 21
        && id.bytes().enumerate().all(|(i, b)| match i {
            8 => b == b'T',
            15 => b == b'Z',
            16 => b == b'-',
            17.. => b.is_ascii_digit() || (b'a'..=b'f').contains(&b),
            _ => b.is_ascii_digit(),
        })
}

/// The short form of an id: what comes after the last `-`.
pub fn short(id: &str) -> &str {
    id.rsplit_once('-').map_or(id, |(_, short)| short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_runs_directory_is_private_to_the_last_file() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("state/runs");
        let run = RunDir::create(&root, Kind::Drill, b"schema = 1\n").unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        for dir in [&root, run.path(), &run.logs()] {
            assert_eq!(mode(dir), 0o700, "{}", dir.display());
        }
        assert_eq!(mode(&run.plan()), 0o600);
        assert_eq!(std::fs::read(run.plan()).unwrap(), b"schema = 1\n");
    }

    #[test]
    fn ids_tell_when_and_are_told_from_other_names() {
        let id = new_id(DateTime::<Utc>::from_timestamp(1_795_443_727, 0).unwrap()).unwrap();
        assert!(id.starts_with("20261123T142207Z-"), "{id}");
        assert!(is_id(&id));
        assert_eq!(short("20261123T142207Z-7f3a"), "7f3a");
        for no in
            ["", "locks", "20261123T142207Z-7F3A", "20261123T142207Z-7f3", "x0261123T142207Z-7f3a"]
        {
            assert!(!is_id(no), "{no}");
        }
    }

    #[test]
    fn a_root_that_cannot_be_made_is_told_with_a_way_out() {
        let fault = RunDir::create(Path::new("/proc/nowhere"), Kind::Deploy, b"").unwrap_err();
        assert!(fault.cause.as_str().contains("/proc/nowhere"), "{fault}");
        assert!(fault.hint.as_str().contains("--runs"));
    }
}
