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
use super::mark::Mark;
use super::noted::Noted;
use super::queue::Queue;
use super::read::{self, JOURNAL, Run, SAMPLES};
use super::worker::{Message, Worker, fault, now_ms};
use crate::clean::Clean;
use crate::runbook::{Event, Fault, FaultKind, Finish};
use crate::units::Millis;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel, sync_channel};
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
    /// How long it took from the way back's start until users were back in band, in microseconds,
    /// if that was seen.
    pub restored_us: Option<u64>,
    /// Whether Green ever had weight.
    pub moved: bool,
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

/// Puts down what is to be said about the evidence.
#[derive(Debug, Clone)]
pub struct Notes {
    queue: Arc<Queue>,
}

impl Notes {
    /// Takes it to be written, as of now. It never waits; once the journal is closed it is too
    /// late, and nothing happens.
    pub fn note(&self, noted: Noted) {
        self.queue.put(false, |_| Message::Note(Box::new(noted)));
    }
}

/// Writes a journal.
#[derive(Debug)]
pub struct Writer {
    queue: Arc<Queue>,
    durable: watch::Receiver<u64>,
    /// Lines that a recording is marked with, until somebody records.
    marks: Option<Receiver<Mark>>,
    /// How the thread ended; taken once it was asked for.
    ended: Option<Receiver<Result<Ended, Fault>>>,
}

/// Takes a run's directory for as long as its journal is written: two writers would break the
/// chain of each other. The system lets go of it however a process ends.
fn hold(dir: &Path) -> Result<Flock<File>, Fault> {
    let local = |cause: String, hint: &str| Fault::new(FaultKind::Local, cause, hint);
    let opened = File::open(dir).map_err(|e| fault(dir, &e))?;
    Flock::lock(opened, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| match error {
        Errno::EWOULDBLOCK => local(
            format!("another process still writes the journal in {}", dir.display()),
            "wait until it has ended, or end it; it lets go of it by itself",
        ),
        error => local(format!("{} cannot be locked: {error}", dir.display()), "look at its disk"),
    })
}

/// A thread that has given up still takes a moment to say so.
const A_MOMENT: Duration = Duration::from_millis(500);
/// What was not closed in order is waited for no longer than this.
const IN_DISORDER: Duration = Duration::from_secs(3);

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
        worker.held = Some(hold(dir)?);
        worker.begin_samples(&opened.facts);
        worker.take(Entry::Opened(Box::new(opened)), at, now_ms());
        worker.journal.sync().map_err(|e| fault(worker.journal.path(), &e))?;
        Self::start(worker)
    }

    /// Goes on with the journal of a run that was cut off. Half-written lines are taken away, and
    /// a record says how much that was.
    pub fn resume(dir: &Path) -> Result<(Self, Troubles, Run), ResumeFault> {
        // Before it is read: what is read is what is gone on with.
        let held = hold(dir).map_err(ResumeFault::Unwritable)?;
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
        worker.held = Some(held);
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

    fn start(mut worker: Worker) -> Result<(Self, Troubles), Fault> {
        let queue = Arc::new(Queue::default());
        let of_thread = Arc::clone(&queue);
        let (done, durable) = watch::channel(0);
        let (tell, troubles) = mpsc::unbounded_channel();
        let (end, ended) = sync_channel(1);
        let (tell_marks, marks) = channel();
        worker.marks = Some(tell_marks);
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                // Nobody waits where the disk took too long.
                let _ = end.send(worker.run(&of_thread, &done, &tell));
            })
            .map_err(|e| {
                Fault::new(
                    FaultKind::Local,
                    format!("no thread for the journal: {e}"),
                    "end other processes of this user, or raise their limit (ulimit -u)",
                )
            })?;
        Ok((Self { queue, durable, marks: Some(marks), ended: Some(ended) }, troubles))
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

    /// The lines that a recording is marked with, as they are written. They can be had once.
    pub const fn marks(&mut self) -> Option<Receiver<Mark>> {
        self.marks.take()
    }

    /// A way to put down what is to be said about the evidence, for whoever makes it.
    pub fn notes(&self) -> Notes {
        Notes { queue: Arc::clone(&self.queue) }
    }

    /// How many lines there are and the digest of the last, as soon as everything that was taken
    /// is chained; nothing if that takes longer than `patience`.
    pub fn head(&self, patience: Duration) -> Option<(u64, String)> {
        let (tell, told) = sync_channel(1);
        self.queue.put(false, |_| Message::Head(tell));
        told.recv_timeout(patience).ok()
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

    /// Writes what is left and ends, or gives up after `patience`, also where the disk does not
    /// even say no: then the thread is left behind. It waits: not for the engine's own thread.
    pub fn close(mut self, patience: Duration) -> Result<Ended, Fault> {
        self.queue.put(false, |_| Message::Close { patience });
        self.wait(patience + A_MOMENT)
    }

    fn wait(&mut self, patience: Duration) -> Result<Ended, Fault> {
        self.queue.close();
        let ended = self.ended.take().map(|ended| ended.recv_timeout(patience));
        match ended {
            Some(Ok(ended)) => ended,
            Some(Err(RecvTimeoutError::Timeout)) => Err(Fault::new(
                FaultKind::TimedOut,
                format!("the disk did not take the end of the journal within {patience:?}"),
                "look at the disk (dmesg); what it had confirmed before stands",
            )),
            None | Some(Err(RecvTimeoutError::Disconnected)) => Err(Fault::new(
                FaultKind::Local,
                "the journal's thread has failed",
                "look at the run with `switchback runs`, and report this",
            )),
        }
    }
}

/// Without `close`, what was taken is still written, as far as one attempt can.
impl Drop for Writer {
    fn drop(&mut self) {
        if self.ended.is_some() {
            let _ = self.wait(IN_DISORDER);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture;
    use crate::runbook::{
        Command, Kind, NodeOutcome, NodeRead, NodeState, Readback, RunFacts, RunOutcome,
    };
    use std::time::Instant;

    /// A writer whose thread is stuck in the disk.
    fn stuck() -> (Writer, std::sync::mpsc::SyncSender<Result<Ended, Fault>>) {
        let (end, ended) = sync_channel(1);
        let (_, durable) = watch::channel(0);
        (Writer { queue: Arc::default(), durable, marks: None, ended: Some(ended) }, end)
    }

    #[test]
    fn a_disk_that_never_answers_does_not_keep_a_run_from_ending() {
        let (writer, _end) = stuck();
        let began = Instant::now();
        let fault = writer.close(Duration::from_millis(20)).unwrap_err();
        assert_eq!(fault.kind, FaultKind::TimedOut);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        let (writer, end) = stuck();
        drop(end);
        let fault = writer.close(Duration::from_secs(60)).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Local, "a thread that has failed is not waited for");
    }

    fn opened() -> Opened {
        let facts = RunFacts {
            run: "20261123T142207Z-7f3a".to_owned(),
            kind: Kind::Deploy,
            host: "vm".into(),
            began_unix_ms: 0,
            attended: true,
            last_rollback: None,
            last_end: None,
            tells_gates: true,
            drilled: None,
            record: Default::default(),
        };
        Opened::new(facts, fixture::plan(), "router")
    }

    fn read_back(green: u32) -> Event {
        let state = NodeState { weights: [100 - green, green], up: [None; 2], worker: None };
        let outcome = NodeOutcome::State(state);
        Event::Read(Readback { nodes: vec![NodeRead { node: "n".into(), outcome }], took_us: 400 })
    }

    #[tokio::test]
    async fn what_is_too_much_to_be_kept_is_counted_and_the_rest_is_still_true() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(JOURNAL);
        let room = 4_096;
        let small = |name: &str| AppendFile::create(&dir.path().join(name)).unwrap();
        let files = (small(JOURNAL).with_room(8 * room), small(SAMPLES).with_room(room));
        let mut worker = Worker::over(files, "vm".into());
        worker.take(Entry::Opened(Box::new(opened())), Millis::ZERO, now_ms());
        worker.journal.sync().unwrap();
        let (writer, mut troubles) = Writer::start(worker).unwrap();
        let mut n = 0;
        let mut feed = |event: Event| {
            n += 1;
            writer.append(Entry::Input { n, event }, Millis(n * 100));
            n
        };
        feed(Event::Begin);
        feed(read_back(0));
        assert!(writer.durable(writer.barrier()).await);
        // Something else stands in the journal's place: nothing can be written.
        let aside = dir.path().join("aside");
        std::fs::rename(&path, &aside).unwrap();
        std::fs::write(&path, "").unwrap();
        feed(Event::Command(Command::Note("kept".into())));
        let barrier = writer.barrier();
        assert!(matches!(troubles.recv().await, Some(Trouble::Failed(_))));
        for _ in 0..200 {
            feed(Event::Due);
            feed(Event::Command(Command::Note("far too much ".repeat(20).as_str().into())));
        }
        let last = feed(read_back(50));
        std::fs::rename(&aside, &path).unwrap();
        let Some(Trouble::Recovered { lost }) = troubles.recv().await else { panic!("no") };
        assert!(lost.records > 100 && lost.samples > 100, "{lost:?}");
        assert!(writer.durable(barrier).await);
        // The read-back that was lost is written whole when it comes again.
        feed(read_back(50));
        let finish = Finish { outcome: RunOutcome::Interrupted, exit: 4, says: String::new() };
        writer.append(Entry::Closed(Closed::now(&finish)), Millis(last * 100 + 500));
        writer.close(Duration::from_secs(30)).unwrap();
        let run = read::read(dir.path()).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(run.gaps.len(), 1, "{:?}", run.gaps);
        let (first, end) = run.gaps[0];
        assert_eq!(lost.records + lost.samples, end - first + 1, "each is counted");
        assert_eq!(
            run.last_read()
                .and_then(Readback::split)
                .map(|s| s.share(crate::units::Slot::Second).get()),
            Some(50)
        );
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("\"kept\"") && text.contains("lost"), "the journal says so too");
    }
}
