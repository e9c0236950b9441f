//! A file that only grows, and whose end is kept in memory until it is on disk.
//!
//! A write can fail halfway (disk full), `fsync` can fail and forget what it could not write (EIO),
//! and a file can be deleted under our feet. All three are healed in the same way: what the disk
//! has confirmed stands, everything after it is cut off and written again from memory. A deleted
//! file is put back from the descriptor that we still hold. Where another file has taken its place
//! we touch neither and say so.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The most bytes that wait in memory for a disk that does not take them.
pub const WAITING: usize = 64 << 20;

/// A file that only grows.
#[derive(Debug)]
pub struct AppendFile {
    path: PathBuf,
    file: File,
    /// Bytes that the disk has confirmed.
    synced: u64,
    /// Bytes that follow them.
    tail: Vec<u8>,
    /// How much of `tail` the system has taken.
    written: usize,
    most: usize,
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).mode(0o600);
    options
}

impl AppendFile {
    /// Makes a new, private file. It must not exist.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = options().create_new(true).open(path)?;
        sync_dir(path)?;
        Ok(Self::over(path, file, 0))
    }

    /// Opens a file of which the first `length` bytes are good, and cuts off what follows.
    pub fn open(path: &Path, length: u64) -> io::Result<Self> {
        let file = options().create(true).open(path)?;
        file.set_len(length)?;
        file.sync_data()?;
        Ok(Self::over(path, file, length))
    }

    fn over(path: &Path, file: File, synced: u64) -> Self {
        let path = path.to_owned();
        Self { path, file, synced, tail: Vec::new(), written: 0, most: WAITING }
    }

    /// The same with room for so many bytes.
    #[cfg(test)]
    pub fn with_room(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes bytes to be written, unless too much waits already; says whether it took them.
    #[must_use]
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        let room = self.tail.len() + bytes.len() <= self.most;
        if room {
            self.tail.extend_from_slice(bytes);
        }
        room
    }

    /// Whether the system was not yet given everything.
    pub const fn has_unwritten(&self) -> bool {
        self.written < self.tail.len()
    }

    /// Whether the disk has not yet confirmed everything.
    pub const fn has_unsynced(&self) -> bool {
        !self.tail.is_empty()
    }

    /// Gives the system everything. A process that is killed afterwards loses nothing.
    pub fn write(&mut self) -> io::Result<()> {
        while self.has_unwritten() {
            match self.file.write(&self.tail[self.written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => self.written += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Has the disk confirm everything. A machine that loses power afterwards loses nothing.
    pub fn sync(&mut self) -> io::Result<()> {
        self.write()?;
        self.still_there()?;
        self.file.sync_data()?;
        self.synced += self.tail.len() as u64;
        self.tail.clear();
        self.tail.shrink_to(1 << 16);
        self.written = 0;
        Ok(())
    }

    /// A file without a name takes what it is given, and keeps nothing.
    pub fn still_there(&self) -> io::Result<()> {
        let ours = self.file.metadata()?;
        match self.path.metadata() {
            Ok(named) if (named.dev(), named.ino()) == (ours.dev(), ours.ino()) => Ok(()),
            Ok(_) => Err(io::Error::other("another file has taken its place")),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                Err(io::Error::new(io::ErrorKind::NotFound, "the file was deleted or moved away"))
            }
            Err(e) => Err(e),
        }
    }

    /// After a failure: cuts off what the disk has not confirmed and writes it again.
    pub fn heal(&mut self) -> io::Result<()> {
        match self.still_there() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => self.put_back()?,
            Err(e) => return Err(e),
            // Opened anew: on some systems a descriptor keeps its error.
            Ok(()) => self.file = options().open(&self.path)?,
        }
        self.file.set_len(self.synced)?;
        self.written = 0;
        self.sync()
    }

    /// The file has lost its name: what the disk has confirmed is copied to a new one.
    fn put_back(&mut self) -> io::Result<()> {
        if let Some(dir) = self.path.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let beside = self.path.with_extension("putting-back");
        let mut copy = options().create(true).open(&beside)?;
        copy.set_len(0)?;
        let mut buffer = vec![0; 1 << 16];
        let mut at = 0;
        while at < self.synced {
            let most = buffer.len().min(usize::try_from(self.synced - at).unwrap_or(usize::MAX));
            let n = self.file.read_at(&mut buffer[..most], at)?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            copy.write_all(&buffer[..n])?;
            at += n as u64;
        }
        copy.sync_all()?;
        // Linking fails where a file stands; renaming would replace it.
        std::fs::hard_link(&beside, &self.path)?;
        std::fs::remove_file(&beside)?;
        sync_dir(&self.path)?;
        self.file = copy;
        Ok(())
    }
}

/// Has the disk confirm the name of a file.
fn sync_dir(path: &Path) -> io::Result<()> {
    match path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn file() -> (tempfile::TempDir, AppendFile) {
        let dir = tempfile::tempdir().unwrap();
        let file = AppendFile::create(&dir.path().join("j")).unwrap();
        (dir, file)
    }

    #[test]
    fn a_deleted_file_is_put_back_whole() {
        let (_dir, mut file) = file();
        assert!(file.push(b"one\n"));
        file.sync().unwrap();
        fs::remove_file(file.path()).unwrap();
        assert!(file.push(b"two\n"));
        assert_eq!(file.sync().unwrap_err().kind(), io::ErrorKind::NotFound);
        file.heal().unwrap();
        assert_eq!(fs::read(file.path()).unwrap(), b"one\ntwo\n");
        assert_eq!(fs::metadata(file.path()).unwrap().mode() & 0o777, 0o600);
        assert!(file.push(b"three\n"));
        file.sync().unwrap();
        assert_eq!(fs::read(file.path()).unwrap(), b"one\ntwo\nthree\n");
    }

    #[test]
    fn a_deleted_directory_is_put_back_too() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        fs::create_dir(&run).unwrap();
        let mut file = AppendFile::create(&run.join("j")).unwrap();
        assert!(file.push(b"one\n"));
        fs::remove_dir_all(&run).unwrap();
        assert!(file.sync().is_err());
        file.heal().unwrap();
        assert_eq!(fs::read(file.path()).unwrap(), b"one\n");
    }

    #[test]
    fn another_file_in_its_place_is_left_alone() {
        let (_dir, mut file) = file();
        assert!(file.push(b"one\n"));
        file.sync().unwrap();
        let aside = file.path().with_extension("aside");
        fs::rename(file.path(), &aside).unwrap();
        fs::write(file.path(), b"theirs").unwrap();
        assert!(file.push(b"two\n"));
        assert!(file.sync().is_err() && file.heal().is_err());
        assert_eq!(fs::read(file.path()).unwrap(), b"theirs");
        fs::remove_file(file.path()).unwrap();
        file.heal().unwrap();
        assert_eq!(fs::read(file.path()).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn a_device_that_is_full_takes_nothing_and_loses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let mut file = AppendFile::over(&path, options().open(&path).unwrap(), 0);
        assert!(file.push(b"one\n"));
        assert_eq!(file.sync().unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(file.heal().is_err());
        fs::remove_file(&path).unwrap();
        file.heal().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one\n");
    }

    #[test]
    fn what_waits_is_bounded() {
        let (_dir, mut file) = file();
        file.most = 6;
        assert!(file.push(b"one\n"));
        assert!(!file.push(b"two\n"));
        file.sync().unwrap();
        assert!(file.push(b"two\n"), "there is room again once the disk has taken the first");
    }
}
