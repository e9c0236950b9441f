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
use super::chain::{GENESIS, digest, hex};
use super::entry::{Closed, Entry, Lost, Opened, Resumed, SamplesDigest};
use super::fault::JournalFault;
use super::line::{self, Stamped};
use super::read::{self, JOURNAL, Run, SAMPLES};
use super::samples::{self, Routine};
use crate::clean::Clean;
use crate::runbook::snapshot::Stamp;
use crate::runbook::{Effect, Event, Fault, FaultKind, Finish, Record};
use crate::units::Millis;
use sha2::{Digest, Sha256};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, watch};

/// The disk confirms the journal at least this often while something is new.
const SYNC_EVERY: Duration = Duration::from_millis(250);
/// Samples are given to the system this often.
const SAMPLES_EVERY: Duration = Duration::from_secs(1);
/// How long to wait after a failure.
const RETRY: Duration = Duration::from_secs(1);
/// The digest of the samples is journalled this often, in the run's time.
const DIGEST_EVERY: Millis = Millis::secs(60);

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

enum Message {
    Entry { entry: Box<Entry>, at: Millis, unix_ms: i64 },
    Barrier(u64),
    Close { patience: Duration },
}

/// Writes a journal.
#[derive(Debug)]
pub struct Writer {
    /// The sender, and the number of the last barrier: a barrier's number and its place among the
    /// entries are given together.
    line: Mutex<(Option<Sender<Message>>, u64)>,
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
        let (sender, receiver) = channel();
        let (done, durable) = watch::channel(0);
        let (tell, troubles) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || worker.run(&receiver, &done, &tell))
            .map_err(|e| {
                Fault::new(
                    FaultKind::Local,
                    format!("no thread for the journal: {e}"),
                    "end other processes of this user, or raise their limit (ulimit -u)",
                )
            })?;
        let line = Mutex::new((Some(sender), 0));
        Ok((Self { line, durable, thread: Some(thread) }, troubles))
    }

    fn send(&self, message: impl FnOnce(&mut u64) -> Message) -> u64 {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let (sender, barrier) = &mut *line;
        let message = message(barrier);
        if let Some(sender) = sender {
            // The thread ends only after `Close`; then there is nobody left to tell.
            let _ = sender.send(message);
        }
        *barrier
    }

    /// Takes an entry to be written. `at` is the run's time. It never waits.
    pub fn append(&self, entry: Entry, at: Millis) {
        let entry = Box::new(entry);
        self.send(|_| Message::Entry { entry, at, unix_ms: now_ms() });
    }

    /// Asks the disk to confirm everything that was taken so far; gives the number to wait for.
    pub fn barrier(&self) -> u64 {
        self.send(|barrier| {
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
        self.send(|_| Message::Close { patience });
        self.join()
    }

    fn join(&mut self) -> Result<Ended, Fault> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner).0 = None;
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

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn fault(path: &Path, error: &io::Error) -> Fault {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space there; what waits is written as soon as it fits"
        }
        io::ErrorKind::FileTooLarge => {
            "raise the limit on file sizes (ulimit -f); what waits is written as soon as it fits"
        }
        io::ErrorKind::NotFound => "it is put back from memory as soon as its directory can be",
        io::ErrorKind::AlreadyExists => "a run has this directory already; begin a new one",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "make its directory writable again, or give another one with --runs"
        }
        _ => "look at the disk (dmesg); what waits is tried again each second",
    };
    Fault::new(FaultKind::Local, format!("{} cannot be written: {error}", path.display()), hint)
}

/// The thread's side.
struct Worker {
    journal: AppendFile,
    samples: AppendFile,
    host: Clean,
    seq: u64,
    head: String,
    routine: Routine,
    sample_lines: u64,
    sample_hash: Sha256,
    /// Lines of samples that the journal has a digest of, and when it was written.
    digest: (u64, Millis),
    at: Millis,
    step: Option<u8>,
    green: Option<u8>,
    rollback_us: Option<u64>,
    barrier: u64,
    /// Since when something waits to be confirmed, or samples to be written.
    unsynced: Option<Instant>,
    unwritten: Option<Instant>,
    trouble: Option<Instant>,
    lost: Lost,
}

impl Worker {
    fn over((journal, samples): (AppendFile, AppendFile), host: Clean) -> Self {
        Self {
            journal,
            samples,
            host,
            seq: 0,
            head: GENESIS.to_owned(),
            routine: Routine::default(),
            sample_lines: 0,
            sample_hash: Sha256::new(),
            digest: (0, Millis::ZERO),
            at: Millis::ZERO,
            step: None,
            green: None,
            rollback_us: None,
            barrier: 0,
            unsynced: None,
            unwritten: None,
            trouble: None,
            lost: Lost { records: 0, samples: 0 },
        }
    }

    fn goes_on_from(&mut self, run: &Run, dir: &Path) -> Result<(), JournalFault> {
        self.seq = run.lines;
        self.head.clone_from(&run.head);
        self.at = run.last_at;
        self.sample_lines = run.sample_lines;
        // The files were cut to what is good before.
        let path: PathBuf = dir.join(SAMPLES);
        let bytes =
            std::fs::read(&path).map_err(|source| JournalFault::Unreadable { path, source })?;
        self.sample_hash.update(&bytes);
        if let Some(read) = run.last_read() {
            self.routine.saw_read(read);
        }
        for (_, effect) in run.effects() {
            self.learn(effect);
        }
        Ok(())
    }

    fn run(
        mut self,
        messages: &Receiver<Message>,
        done: &watch::Sender<u64>,
        tell: &mpsc::UnboundedSender<Trouble>,
    ) -> Result<Ended, Fault> {
        let mut give_up = None;
        while give_up.is_none() {
            let first = match self.wait(Instant::now(), *done.borrow()) {
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => messages.recv_timeout(wait),
            };
            let mut next = match first {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => {
                    give_up = Some(Instant::now());
                    None
                }
            };
            while let Some(message) = next {
                match message {
                    Message::Entry { entry, at, unix_ms } => self.take(*entry, at, unix_ms),
                    Message::Barrier(barrier) => self.barrier = barrier,
                    Message::Close { patience } => give_up = Some(Instant::now() + patience),
                }
                // A digest that is due comes before what would be behind it.
                next = if self.digest_due() { None } else { messages.try_recv().ok() };
            }
            self.settle(done, tell);
        }
        self.end(give_up, done, tell)
    }

    /// How long nothing needs to be done, if no message comes.
    fn wait(&self, now: Instant, done: u64) -> Option<Duration> {
        if let Some(failed) = self.trouble {
            return Some((failed + RETRY).saturating_duration_since(now));
        }
        if self.barrier > done {
            return Some(Duration::ZERO);
        }
        let sync = self.unsynced.map(|since| since + SYNC_EVERY);
        let write = self.unwritten.map(|since| since + SAMPLES_EVERY);
        let due = sync.into_iter().chain(write).min()?;
        Some(due.saturating_duration_since(now))
    }

    fn settle(&mut self, done: &watch::Sender<u64>, tell: &mpsc::UnboundedSender<Trouble>) {
        let now = Instant::now();
        let result = match self.trouble {
            Some(failed) if now < failed + RETRY => return,
            Some(_) => self.heal(tell),
            None => self.flush(now, *done.borrow()),
        };
        match result {
            Ok(()) => {
                if self.unsynced.is_none() && self.barrier > *done.borrow() {
                    done.send_replace(self.barrier);
                }
            }
            Err(found) => {
                if self.trouble.replace(Instant::now()).is_none() {
                    // Nobody listens once the engine is gone; the journal goes on trying.
                    let _ = tell.send(Trouble::Failed(found));
                }
            }
        }
    }

    /// Does what is due.
    fn flush(&mut self, now: Instant, done: u64) -> Result<(), Fault> {
        let due = |since: Option<Instant>, every| since.is_some_and(|since| now >= since + every);
        if self.journal.has_unwritten() || due(self.unwritten, SAMPLES_EVERY) {
            self.write_samples()?;
        }
        let failed = |file: &AppendFile, e: io::Error| fault(file.path(), &e);
        self.journal.write().map_err(|e| failed(&self.journal, e))?;
        if self.barrier > done || due(self.unsynced, SYNC_EVERY) {
            self.journal.sync().map_err(|e| failed(&self.journal, e))?;
            self.unsynced = None;
        }
        if self.digest_due() {
            self.digest_samples()?;
        }
        Ok(())
    }

    fn digest_due(&self) -> bool {
        self.trouble.is_none()
            && self.at.since(self.digest.1) >= DIGEST_EVERY
            && self.sample_lines > self.digest.0
    }

    fn write_samples(&mut self) -> Result<(), Fault> {
        if self.samples.has_unwritten() {
            let written = self.samples.still_there().and_then(|()| self.samples.write());
            written.map_err(|e| fault(self.samples.path(), &e))?;
        }
        self.unwritten = None;
        Ok(())
    }

    /// Confirms the samples so far and puts their digest into the chain.
    fn digest_samples(&mut self) -> Result<(), Fault> {
        self.samples.sync().map_err(|e| fault(self.samples.path(), &e))?;
        self.unwritten = None;
        let sha256 = hex(&self.sample_hash.clone().finalize());
        self.digest = (self.sample_lines, self.at);
        let entry = Entry::Samples(SamplesDigest { lines: self.sample_lines, sha256 });
        self.chain(&entry, now_ms());
        Ok(())
    }

    /// After a failure: everything that waits, again, and in order.
    fn heal(&mut self, tell: &mpsc::UnboundedSender<Trouble>) -> Result<(), Fault> {
        self.samples.heal().map_err(|e| fault(self.samples.path(), &e))?;
        self.journal.heal().map_err(|e| fault(self.journal.path(), &e))?;
        let lost = std::mem::replace(&mut self.lost, Lost { records: 0, samples: 0 });
        if lost.records + lost.samples > 0 {
            self.chain(&Entry::Lost(lost.clone()), now_ms());
            self.journal.sync().map_err(|e| fault(self.journal.path(), &e))?;
        }
        (self.trouble, self.unsynced, self.unwritten) = (None, None, None);
        let _ = tell.send(Trouble::Recovered { lost });
        Ok(())
    }

    fn end(
        mut self,
        give_up: Option<Instant>,
        done: &watch::Sender<u64>,
        tell: &mpsc::UnboundedSender<Trouble>,
    ) -> Result<Ended, Fault> {
        loop {
            let result = if self.trouble.is_some() {
                self.heal(tell)
            } else {
                let written = self.write_samples();
                written
                    .and_then(|()| self.journal.sync().map_err(|e| fault(self.journal.path(), &e)))
            };
            match result {
                Ok(()) => break,
                Err(found) => {
                    let left = give_up.map(|at| at.saturating_duration_since(Instant::now()));
                    match left {
                        Some(left) if !left.is_zero() => {
                            self.trouble = Some(Instant::now());
                            std::thread::sleep(left.min(RETRY));
                        }
                        _ => return Err(found),
                    }
                }
            }
        }
        done.send_replace(self.barrier);
        Ok(Ended { head: self.head, lines: self.seq, rollback_us: self.rollback_us })
    }

    /// Takes an entry to where it belongs.
    fn take(&mut self, entry: Entry, at: Millis, unix_ms: i64) {
        self.at = self.at.max(at);
        match entry {
            Entry::Input { n, event } => self.take_input(n, at, event, unix_ms),
            Entry::Effect { n, effect } => {
                let green = self.learn(&effect);
                self.chain_at(&Entry::Effect { n, effect }, at, unix_ms);
                if let Some(green) = green {
                    self.keep_sample(samples::split_mark(n, at, green));
                }
            }
            Entry::Closed(mut closed) => {
                closed.rollback_us = closed.rollback_us.or(self.rollback_us);
                if self.sample_lines > self.digest.0 && self.trouble.is_none() {
                    // A failure here is found again, and told, when the end is written.
                    let _ = self.digest_samples();
                }
                self.chain_at(&Entry::Closed(closed), at, unix_ms);
            }
            other => self.chain_at(&other, at, unix_ms),
        }
    }

    fn take_input(&mut self, n: u64, at: Millis, event: Event, unix_ms: i64) {
        match self.routine.line(n, at, self.step, &event) {
            Ok(None) => self.chain_at(&Entry::Input { n, event }, at, unix_ms),
            Ok(Some(line)) => self.keep_sample(Ok(line)),
            Err(e) => self.keep_sample(Err(e)),
        }
    }

    /// What samples are marked with follows from what was recorded; gives Green's percent where
    /// it is another one than before.
    fn learn(&mut self, effect: &Effect) -> Option<u8> {
        let Effect::Record(record) = effect else { return None };
        match record {
            Record::StepEntered { step } => self.step = Some(step.number()),
            Record::Stamped { stamp: Stamp::RouterAtBlue, after_us: Some(us), .. } => {
                self.rollback_us = Some(*us);
            }
            Record::Split { read: Some(green), .. } => {
                if self.green.replace(*green) != Some(*green) {
                    return Some(*green);
                }
            }
            _ => {}
        }
        None
    }

    fn chain(&mut self, entry: &Entry, unix_ms: i64) {
        self.chain_at(entry, self.at, unix_ms);
    }

    fn chain_at(&mut self, entry: &Entry, at: Millis, unix_ms: i64) {
        let stamped = Stamped { seq: self.seq + 1, at, unix_ms };
        let line = line::encode(entry, &stamped, &self.host, &self.head).ok();
        // Once something is lost, nothing is kept until the journal can say so.
        let kept = self.lost.records + self.lost.samples == 0;
        match line.filter(|line| kept && self.journal.push(line.as_bytes())) {
            Some(line) => {
                self.seq += 1;
                self.head = digest(line.as_bytes());
                self.unsynced.get_or_insert_with(Instant::now);
            }
            None => self.lost.records += 1,
        }
    }

    fn keep_sample(&mut self, line: serde_json::Result<String>) {
        let line = line.ok().map(|line| line + "\n");
        let kept = self.lost.records + self.lost.samples == 0;
        match line.filter(|line| kept && self.samples.push(line.as_bytes())) {
            Some(line) => {
                self.sample_lines += 1;
                self.sample_hash.update(line.as_bytes());
                self.unwritten.get_or_insert_with(Instant::now);
            }
            None => self.lost.samples += 1,
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
