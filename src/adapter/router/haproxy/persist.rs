//! Writing the server state file, so that a crash at any moment leaves the old or the new one.

use crate::runbook::readback::{Fault, FaultKind};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::time::{Instant, timeout_at};

/// Readable by all, as HAProxy reads it before it gives up its privileges or after.
const DEFAULT_MODE: u32 = 0o644;

/// Replaces the file at `path` with `state`: written beside it, forced to disk, renamed over it.
pub(super) async fn keep(
    path: PathBuf,
    state: String,
    deadline: Instant,
) -> Result<PathBuf, Fault> {
    let shown = path.display().to_string();
    let write = tokio::task::spawn_blocking(move || replace(&path, &state).map(|()| path));
    let failed = |what: String| {
        Fault::new(
            FaultKind::Local,
            format!("the state file {shown} was not written: {what}"),
            "the split stands, but a restart of HAProxy would lose it: see state_file under \
             [router], its directory must exist and be writable for you",
        )
    };
    match timeout_at(deadline, write).await {
        Ok(Ok(Ok(path))) => Ok(path),
        Ok(Ok(Err(error))) => Err(failed(error.to_string())),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed("the disk did not answer in time".to_owned())),
    }
}

fn replace(path: &Path, state: &str) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let beside = directory.join(format!(".{name}.{}", std::process::id()));
    let mode = fs::metadata(path).map_or(DEFAULT_MODE, |meta| meta.permissions().mode() & 0o777);
    let written = write_new(&beside, state, mode).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What matters is the first error; the leftover is only untidy.
        let _ = fs::remove_file(&beside);
    }
    written?;
    File::open(directory)?.sync_all()
}

fn write_new(path: &Path, state: &str, mode: u32) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    file.write_all(state.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("servers.state");
        fs::write(&path, "old and longer").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&path, "1\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_that_is_missing_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("nowhere/servers.state");
        assert!(replace(&path, "1\n").is_err());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let deadline = Instant::now() + std::time::Duration::from_secs(5);
        let fault = runtime.block_on(keep(path, "1\n".into(), deadline)).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Local);
        assert!(fault.cause.as_str().contains("nowhere/servers.state"), "{fault}");
    }
}
