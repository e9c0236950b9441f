//! The writer's thread: takes entries to their file, and keeps both files whole.
//!
//! It is never asked to wait by anybody, and nobody waits for it but through a barrier. See
//! [`Writer`](super::writer::Writer) for what it promises.

use super::append::AppendFile;
use super::chain::{GENESIS, digest, hex};
use super::entry::{Entry, Lost, SamplesDigest};
use super::fault::JournalFault;
use super::line::{self, Stamped};
use super::mark::{self, Mark};
use super::noted::Noted;
use super::queue::{Found, Queue};
use super::read::{Run, SAMPLES};
use super::samples::{self, Routine};
use super::writer::{Ended, Trouble};
use crate::clean::Clean;
use crate::runbook::snapshot::Stamp;
use crate::runbook::{Effect, Event, Fault, FaultKind, Record, RunFacts};
use crate::units::Millis;
use nix::fcntl::Flock;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, SyncSender};
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

/// What the engine's side sends.
pub(super) enum Message {
    Entry { entry: Box<Entry>, at: Millis, unix_ms: i64 },
    Barrier(u64),
    Note(Box<Noted>),
    Head(SyncSender<(u64, String)>),
    Close { patience: Duration },
}

/// The thread's side.
pub(super) struct Worker {
    pub(super) journal: AppendFile,
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
    restored_us: Option<u64>,
    /// Whether the router ever said that Green has weight.
    moved: bool,
    barrier: u64,
    /// Since when something waits to be confirmed, or samples to be written.
    unsynced: Option<Instant>,
    unwritten: Option<Instant>,
    trouble: Option<Instant>,
    lost: Lost,
    /// The run's directory, which nobody else writes meanwhile.
    pub(super) held: Option<Flock<File>>,
    /// Where lines are told that a recording is marked with.
    pub(super) marks: Option<Sender<Mark>>,
}

impl Worker {
    pub(super) fn over((journal, samples): (AppendFile, AppendFile), host: Clean) -> Self {
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
            restored_us: None,
            moved: false,
            barrier: 0,
            unsynced: None,
            unwritten: None,
            trouble: None,
            lost: Lost { records: 0, samples: 0 },
            held: None,
            marks: None,
        }
    }

    /// The samples say whose they are.
    pub(super) fn begin_samples(&mut self, facts: &RunFacts) {
        self.keep_sample(samples::title(facts));
    }

    pub(super) fn goes_on_from(&mut self, run: &Run, dir: &Path) -> Result<(), JournalFault> {
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

    pub(super) fn run(
        mut self,
        messages: &Queue,
        done: &watch::Sender<u64>,
        tell: &mpsc::UnboundedSender<Trouble>,
    ) -> Result<Ended, Fault> {
        let mut give_up = None;
        while give_up.is_none() {
            let wait = self.wait(Instant::now(), *done.borrow());
            let mut next = match messages.wait(wait) {
                Found::Message(message) => Some(message),
                Found::Nothing => None,
                Found::Closed => {
                    give_up = Some(Instant::now());
                    None
                }
            };
            while let Some(message) = next {
                match message {
                    Message::Entry { entry, at, unix_ms } => self.take(*entry, at, unix_ms),
                    Message::Note(noted) => self.chain(&Entry::Noted(*noted), now_ms()),
                    Message::Head(tell) => {
                        // Nobody listens where the disk took too long.
                        let _ = tell.send((self.seq, self.head.clone()));
                    }
                    Message::Barrier(barrier) => self.barrier = barrier,
                    Message::Close { patience } => give_up = Some(Instant::now() + patience),
                }
                // A digest that is due comes before what would be behind it.
                next = if self.digest_due() { None } else { messages.next() };
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
        if self.barrier > done && self.samples.has_unsynced() {
            // What led to an act is on disk with its intent: a run that lost power in it is lived
            // again to the same point.
            self.write_samples()?;
            self.samples.sync().map_err(|e| failed(&self.samples, e))?;
        }
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
            // The last read-back may be among them: the next one is not "the same as before".
            self.routine = Routine::default();
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
        Ok(Ended {
            head: self.head,
            lines: self.seq,
            rollback_us: self.rollback_us,
            restored_us: self.restored_us,
            moved: self.moved,
        })
    }

    /// Takes an entry to where it belongs.
    pub(super) fn take(&mut self, entry: Entry, at: Millis, unix_ms: i64) {
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
            Record::Stamped { stamp: Stamp::UsersInBand, after_us: Some(us), .. } => {
                self.restored_us = Some(*us);
            }
            Record::Split { read: Some(green), .. } => {
                self.moved |= *green > 0;
                let before = self.green.replace(*green);
                return (before != Some(*green)).then_some(*green);
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
                if let Some(marks) = &self.marks
                    && let Some(mark) = mark::of(self.seq, at, entry)
                {
                    // Nothing is recorded, or no more.
                    let _ = marks.send(mark);
                }
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

pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn fault(path: &Path, error: &io::Error) -> Fault {
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
