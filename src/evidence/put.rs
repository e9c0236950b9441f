//! Files that are put in their place whole: under a name of their own first, then renamed.
//!
//! Whoever else may write to the directory can lay a link where we are about to write. So a file is
//! made anew under a name that nobody knows beforehand, never through a link; its mode is set on
//! what was opened and not on a name; and a link that lies at its place is replaced, not followed.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Puts a file in its place, on disk, with these permissions.
pub(super) fn put(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
    name.push(format!(".{:016x}", getrandom::u64().map_err(io::Error::other)?));
    let new = path.with_file_name(name);
    let written = begin(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()?;
        std::fs::rename(&new, path)
    });
    written.inspect_err(|_| {
        let _ = std::fs::remove_file(&new);
    })
}

fn begin(path: &Path) -> io::Result<File> {
    // Nothing that exists is opened, links included.
    let flags = nix::fcntl::OFlag::O_NOFOLLOW.bits();
    OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(flags).open(path)
}
