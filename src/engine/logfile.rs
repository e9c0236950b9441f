//! Files for what commands print, written by a thread of their own.
//!
//! A disk that is full, slow or gone must not hold the engine's thread, on which the way back is
//! done: even opening a file may take for ever. Lines go into a queue of bounded length and
//! nobody waits for room in it; what does not fit is counted and said in the file. Only whoever
//! wants to know that everything is on disk waits, and not for long.

use crate::clean::Clean;
use crate::runbook::RunFacts;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Lines that wait to be written.
const WAITING: usize = 4_096;
/// The end of a file is waited for at most this long.
const LONGEST: Duration = Duration::from_secs(2);

/// The files of one run: where they are, and what each of them begins with.
#[derive(Debug, Clone)]
pub struct Logs {
    directory: PathBuf,
    title: Clean,
}

impl Logs {
    /// Those of a run in its directory.
    pub fn new(run: &Path, facts: &RunFacts) -> Self {
        let title = format!("# {} on {}, run {}", facts.kind.word(), facts.host, facts.run);
        Self { directory: run.join("logs"), title: Clean::new(&title) }
    }

    /// Where a file of this name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Opens the file of this name; nobody who finds it takes a drill for a deploy.
    pub fn open(&self, name: &str) -> LogFile {
        let path = self.path(name);
        let mut file = LogFile::open(&path);
        file.line(self.title.clone());
        file
    }
}

/// A file that only we can read, to which lines are added.
#[derive(Debug)]
pub struct LogFile {
    lines: SyncSender<Clean>,
    written: oneshot::Receiver<io::Result<()>>,
    dropped: u64,
}

impl LogFile {
    /// Opens the file, or creates it; how that went is told at the end.
    pub fn open(path: &Path) -> Self {
        let (lines, queue) = sync_channel(WAITING);
        let (tell, written) = oneshot::channel();
        let path = PathBuf::from(path);
        // A thread that cannot be had drops its queue: the end then says that nothing was kept.
        let _ = std::thread::Builder::new().name("log".to_owned()).spawn(move || {
            // Nobody listens where nobody waits any more.
            let _ = tell.send(write(&path, &queue));
        });
        Self { lines, written, dropped: 0 }
    }

    /// Adds a line, if there is room for it.
    pub fn line(&mut self, line: Clean) {
        if self.dropped > 0 {
            let says = Clean::new(&format!("({} lines were not kept)", self.dropped));
            if self.lines.try_send(says).is_ok() {
                self.dropped = 0;
            }
        }
        if let Err(TrySendError::Full(_)) = self.lines.try_send(line) {
            self.dropped += 1;
        }
    }

    /// Waits until everything is written, or says why it is not.
    pub async fn finish(self) -> io::Result<()> {
        let Self { lines, written, dropped } = self;
        drop(lines);
        match timeout(LONGEST, written).await {
            Ok(Ok(Ok(()))) if dropped > 0 => {
                Err(io::Error::other(format!("it was too slow for the last {dropped} lines")))
            }
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(io::Error::other("no thread could be started for it")),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "it takes too long")),
        }
    }
}

fn write(path: &Path, queue: &Receiver<Clean>) -> io::Result<()> {
    let mut file = BufWriter::new(private_file(path)?);
    loop {
        let line = match queue.try_recv() {
            Ok(line) => line,
            Err(TryRecvError::Disconnected) => return file.flush(),
            Err(TryRecvError::Empty) => {
                // Whoever reads along sees what there is while nothing more comes.
                file.flush()?;
                match queue.recv() {
                    Ok(line) => line,
                    Err(_) => return Ok(()),
                }
            }
        };
        writeln!(file, "{line}")?;
    }
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn lines_are_on_disk_when_the_end_was_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        for n in 0..2 {
            let mut log = LogFile::open(&path);
            log.line(Clean::new(&format!("run {n}")));
            block_on(log.finish()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "run 0\nrun 1\n");
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
        assert_eq!(mode & 0o777, 0o600, "only we can read it");
    }

    #[test]
    fn a_file_that_hangs_holds_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fifo");
        // Opening it waits for a reader, and none comes.
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let began = Instant::now();
        let mut log = LogFile::open(&path);
        for n in 0..10_000 {
            log.line(Clean::new(&n.to_string()));
        }
        assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
        assert!(log.dropped > 0, "the queue is bounded");
        let error = block_on(log.finish()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // A reader comes after all, so that the thread does not stay.
        drop(File::open(&path));
    }

    #[test]
    fn a_file_that_cannot_be_written_says_so_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = LogFile::open(&directory.path().join("no/such/directory"));
        log.line(Clean::new("lost"));
        assert_eq!(block_on(log.finish()).unwrap_err().kind(), io::ErrorKind::NotFound);
        // A full disk is found out when the file is written, not when it is opened.
        let mut log = LogFile::open(Path::new("/dev/full"));
        log.line(Clean::new("lost"));
        assert_eq!(block_on(log.finish()).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
