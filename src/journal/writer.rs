//! Writing a journal on a thread of its own.
//!
//! The engine hands entries over and goes on; it never waits for a disk. Who needs to know that
//! something is on disk asks for a [`barrier`](Writer::barrier) and awaits
//! [`durable`](Writer::durable). Whatever has come in by then is written together and confirmed
//! once. Without a barrier the disk confirms the journal within 250 ms, and samples are given to
//! the system once a second and confirmed once a minute.
//!
//! Samples are written before the journal lines that follow them, so that a process that is killed
//! never leaves a journal that speaks of samples which are not there.
//!
//! When writing fails it is told once; everything is kept in memory and tried again each second,
//! in order. At most [`WAITING`](super::append::WAITING) bytes of each file wait; what comes after
//! that is not kept, so that a cockpit with a dead disk can still go back, and when the disk takes
//! writes again the journal says first how much is missing.

use super::append::AppendFile;
use super::entry::{Closed, Entry, Lost, Opened, Resumed};
use super::fault::JournalFault;
use super::queue::Queue;
use super::read::{self, JOURNAL, Run, SAMPLES};
use super::worker::{Message, Worker, fault, now_ms};
use crate::clean::Clean;
use crate::runbook::{Event, Fault, FaultKind, Finish};
use crate::units::Millis;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// What became of writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing can be written; everything is kept and tried again.
    Failed(Fault),
    /// Everything that waited is on disk.
    Recovered {
        /// How much was too much to be kept; the journal says the same.
        lost: Lost,
    },
}

/// Where trouble is told.
pub type Troubles = mpsc::UnboundedReceiver<Trouble>;

/// How writing ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Digest of the journal's last line.
    pub head: String,
    /// Lines of the journal.
    pub lines: u64,
    /// How long the way back took in microseconds, if the run took it and it was verified.
    pub rollback_us: Option<u64>,
}

/// Why a run cannot be picked up.
#[derive(Debug, thiserror::Error)]
pub enum ResumeFault {
    /// Its journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalFault),
    /// It is over.
    #[error("run {run} is over: {outcome}")]
    Over {
        /// Which run.
        run: String,
        /// How it ended.
        outcome: &'static str,
    },
    /// Its journal cannot be written.
    #[error("{0}")]
    Unwritable(Fault),
}

impl ResumeFault {
    /// The next move.
    pub fn hint(&self) -> String {
        match self {
            Self::Journal(fault) => fault.hint().to_owned(),
            Self::Over { .. } => "begin a new one with `switchback deploy`".to_owned(),
            Self::Unwritable(fault) => fault.hint.to_string(),
        }
    }
}

/// Tells when a barrier is reached.
#[derive(Debug, Clone)]
pub struct Durable(watch::Receiver<u64>);

impl Durable {
    /// Waits until everything before this barrier is on disk. False if the writer has ended
    /// before.
    pub async fn reached(&mut self, barrier: u64) -> bool {
        self.0.wait_for(|done| *done >= barrier).await.is_ok()
    }
}

/// Writes a journal.
#[derive(Debug)]
pub struct Writer {
    queue: Arc<Queue>,
    durable: watch::Receiver<u64>,
    thread: Option<JoinHandle<Result<Ended, Fault>>>,
}

impl Writer {
    /// Begins the journal of a run in its directory. The first record is on disk when this
    /// returns.
    pub fn create(dir: &Path, opened: Opened, at: Millis) -> Result<(Self, Troubles), Fault> {
        let new = |name: &str| {
            let path = dir.join(name);
            AppendFile::create(&path).map_err(|e| fault(&path, &e))
        };
        let files = (new(JOURNAL)?, new(SAMPLES)?);
        let mut worker = Worker::over(files, opened.facts.host.clone());
        worker.take(Entry::Opened(Box::new(opened)), at, now_ms());
        worker.journal.sync().map_err(|e| fault(worker.journal.path(), &e))?;
        Self::start(worker)
    }

    /// Goes on with the journal of a run that was cut off. Half-written lines are taken away, and
    /// a record says how much that was.
    pub fn resume(dir: &Path) -> Result<(Self, Troubles, Run), ResumeFault> {
        let run = read::read(dir)?;
        if !run.is_open() {
            return Err(ResumeFault::Over {
                run: run.opened.facts.run.clone(),
                outcome: run.closed.as_ref().map_or("", |closed| closed.outcome.word()),
            });
        }
        let open = |name: &str, length| {
            let path = dir.join(name);
            AppendFile::open(&path, length).map_err(|e| ResumeFault::Unwritable(fault(&path, &e)))
        };
        let files = (open(JOURNAL, run.journal_bytes)?, open(SAMPLES, run.sample_bytes)?);
        let mut worker = Worker::over(files, run.opened.facts.host.clone());
        worker.goes_on_from(&run, dir)?;
        let resumed = Resumed {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            n: run.last_n,
            torn_bytes: run.torn[0],
            torn_sample_bytes: run.torn[1],
        };
        worker.take(Entry::Resumed(resumed), run.last_at, now_ms());
        let unwritable = |e: io::Error| ResumeFault::Unwritable(fault(&dir.join(JOURNAL), &e));
        worker.journal.sync().map_err(unwritable)?;
        let (writer, troubles) = Self::start(worker).map_err(ResumeFault::Unwritable)?;
        Ok((writer, troubles, run))
    }

    fn start(worker: Worker) -> Result<(Self, Troubles), Fault> {
        let queue = Arc::new(Queue::default());
        let of_thread = Arc::clone(&queue);
        let (done, durable) = watch::channel(0);
        let (tell, troubles) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || worker.run(&of_thread, &done, &tell))
            .map_err(|e| {
                Fault::new(
                    FaultKind::Local,
                    format!("no thread for the journal: {e}"),
                    "end other processes of this user, or raise their limit (ulimit -u)",
                )
            })?;
        Ok((Self { queue, durable, thread: Some(thread) }, troubles))
    }

    /// Takes an entry to be written. `at` is the run's time. It never waits.
    pub fn append(&self, entry: Entry, at: Millis) {
        let routine = matches!(
            entry,
            Entry::Input { event: Event::Sample(_) | Event::Due | Event::Read(_), .. }
        );
        let entry = Box::new(entry);
        self.queue.put(routine, |_| Message::Entry { entry, at, unix_ms: now_ms() });
    }

    /// Asks the disk to confirm everything that was taken so far; gives the number to wait for.
    pub fn barrier(&self) -> u64 {
        self.queue.put(false, |barrier| {
            *barrier += 1;
            Message::Barrier(*barrier)
        })
    }

    /// Waits until everything before a barrier is on disk. False if the writer has ended before.
    pub fn durable(&self, barrier: u64) -> impl Future<Output = bool> + Send + use<> {
        let mut watch = self.watch();
        async move { watch.reached(barrier).await }
    }

    /// For whoever waits elsewhere.
    pub fn watch(&self) -> Durable {
        Durable(self.durable.clone())
    }

    /// Writes what is left and ends, or gives up after `patience`. It waits: not for the
    /// engine's own thread.
    pub fn close(mut self, patience: Duration) -> Result<Ended, Fault> {
        self.queue.put(false, |_| Message::Close { patience });
        self.join()
    }

    fn join(&mut self) -> Result<Ended, Fault> {
        self.queue.close();
        let ended = self.thread.take().and_then(|thread| thread.join().ok());
        ended.unwrap_or_else(|| {
            Err(Fault::new(
                FaultKind::Local,
                "the journal's thread has failed",
                "read the run with `switchback replay`, and report this",
            ))
        })
    }
}

/// Without `close`, what was taken is still written, as far as one attempt can.
impl Drop for Writer {
    fn drop(&mut self) {
        if self.thread.is_some() {
            let _ = self.join();
        }
    }
}

impl Closed {
    /// How a run ended, now.
    pub fn now(finish: &Finish) -> Self {
        Self {
            outcome: finish.outcome,
            exit: finish.exit,
            says: Clean::new(&finish.says),
            rollback_us: None,
            ended_unix_ms: now_ms(),
        }
    }
}
