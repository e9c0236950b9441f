//! The recorder: what was written to the terminal becomes a recording, on a thread of its own.
//!
//! ```text
//!  drawing ─ a copy of the frame ─► queue ─► recorder ─► session.cast
//!  journal ─ marks ───────────────────────►    │
//!                                              └─► a terminal that is searched for secrets
//! ```
//!
//! Whoever draws copies a frame's bytes into a bounded queue and never waits for a disk. Each frame
//! is one event; frames that change nothing are left out. A mark is written after the frame that
//! showed what it speaks of, and the file is on disk then. The first frame is preceded by a slate
//! and the last one followed by one ([`slate`]).
//!
//! Whatever fails ends the recording and nothing else: the journal says `recording.lost`, once,
//! and the light goes out. What has been kept until then can be played.

use super::scan::Scan;
use super::slate::{CLOSING, Closing, OPENING, Opening};
use super::tape::{Gone, Tape};
use super::{cast, slate};
use crate::clean::{self, Clean};
use crate::journal::{Mark, Noted, Notes, RecordingClosed, RecordingLost, RecordingStarted};
use crate::units::Millis;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The name of the recorder's thread: whoever keeps the terminal does not mind its panics.
pub const THREAD: &str = "recorder";
/// The most bytes that wait for the disk.
const WAITING: usize = 8 << 20;
/// How long a frame may wait before the light says that nothing is written.
const STUCK: Duration = Duration::from_secs(5);
/// How long a recorder that was not closed is waited for.
const LET_GO: Duration = Duration::from_millis(500);

/// What the cockpit says of its recording. It is said of what has happened, never of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Light {
    /// Nothing is recorded.
    #[default]
    Off,
    /// The recording runs, for so long.
    On {
        /// Since its first frame.
        ran: Millis,
    },
    /// Frames wait for a disk that does not answer.
    Stuck,
    /// It has failed; why, in a few words.
    Lost(&'static str),
}

/// What a recording needs to begin.
#[derive(Debug)]
pub struct Spec {
    /// The run's directory. The file is `session.cast`; where that is there already, because the
    /// run was picked up, it is `session.2.cast`, and so on.
    pub dir: PathBuf,
    /// What the opening slate says; the recording's title says part of it.
    pub opening: Opening,
    /// Lines of the journal that the recording is marked with.
    pub marks: Option<Receiver<Mark>>,
    /// Where the journal hears what becomes of the recording.
    pub notes: Notes,
}

#[derive(Debug)]
enum Message {
    Size((u16, u16)),
    Frame(Instant, Vec<u8>),
    Drawn(Millis),
    /// Nothing more comes. Without a slate the recording ends in disorder.
    End(Option<Box<Closing>>, SyncSender<()>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Waiting,
    Running { since: Instant, last: Duration },
    Lost(&'static str),
    Closed,
}

#[derive(Debug)]
struct Kept {
    queue: VecDeque<Message>,
    bytes: usize,
    fate: Fate,
    file: String,
    ended: bool,
}

#[derive(Debug)]
struct Shared {
    kept: Mutex<Kept>,
    more: Condvar,
    notes: Notes,
}

impl Shared {
    /// Locks, also after a panic elsewhere: what is kept here is plain data, whole at any time.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The recording has failed. It is noted once.
    fn lose(&self, short: &'static str, why: &str) {
        self.lose_in(&mut self.kept(), short, why);
    }

    /// The same where nobody is there any more who takes messages.
    fn give_up(&self, short: &'static str, why: &str) {
        let mut kept = self.kept();
        self.lose_in(&mut kept, short, why);
        kept.queue.clear();
        kept.ended = true;
    }

    fn lose_in(&self, kept: &mut Kept, short: &'static str, why: &str) {
        let after = match kept.fate {
            Fate::Waiting => Duration::ZERO,
            Fate::Running { last, .. } => last,
            Fate::Lost(_) | Fate::Closed => return,
        };
        kept.fate = Fate::Lost(short);
        // Frames are of no use any more; who waits for the end still gets an answer.
        kept.queue.retain(|message| matches!(message, Message::End(..)));
        kept.bytes = 0;
        let lost = RecordingLost {
            file: kept.file.clone(),
            after_s: after.as_secs_f64(),
            why: Clean::new(why),
        };
        self.notes.note(Noted::RecordingLost(lost));
    }
}

/// Records what is written to a terminal.
#[derive(Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
}

impl Recorder {
    /// Begins to record. The file is made with the first frame.
    pub fn start(spec: Spec) -> Self {
        let Spec { dir, opening, marks, notes } = spec;
        let kept = Kept {
            queue: VecDeque::new(),
            bytes: 0,
            fate: Fate::Waiting,
            file: super::names::CAST.to_owned(),
            ended: false,
        };
        let shared = Arc::new(Shared { kept: Mutex::new(kept), more: Condvar::new(), notes });
        let worker = Worker {
            shared: Arc::clone(&shared),
            dir,
            opening,
            marks,
            size: (80, 24),
            tape: None,
            scan: None,
            text: cast::Text::default(),
            began: Instant::now(),
            pending: VecDeque::new(),
            drawn: None,
        };
        let of_thread = Arc::clone(&shared);
        let spawned = std::thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
            // A fault of ours in here ends the recording and not the run.
            if catch_unwind(AssertUnwindSafe(|| worker.run())).is_err() {
                of_thread.give_up("its thread failed", "the recorder's thread has panicked");
            }
        });
        if let Err(error) = spawned {
            shared.give_up("no thread for it", &format!("no thread for the recorder: {error}"));
        }
        Self { shared }
    }

    /// The terminal has so many columns and rows. What is drawn next paints all of it.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.put(Message::Size((columns, rows)));
    }

    /// Takes a frame that was written to the terminal. It copies the bytes and never waits.
    pub fn frame(&self, bytes: &[u8]) {
        if changes_nothing(bytes) {
            return;
        }
        self.put(Message::Frame(Instant::now(), bytes.to_vec()));
    }

    /// What the terminal shows now is how things stood at this instant of the run.
    pub fn drawn(&self, at: Millis) {
        self.put(Message::Drawn(at));
    }

    fn put(&self, message: Message) {
        let size = if let Message::Frame(_, bytes) = &message { bytes.len() } else { 0 };
        let mut kept = self.shared.kept();
        if matches!(kept.fate, Fate::Lost(_) | Fate::Closed) || kept.ended {
            return;
        }
        if kept.bytes + size > WAITING {
            let why = "the disk did not answer until too much waited for it";
            self.shared.lose_in(&mut kept, "the disk does not answer", why);
            return;
        }
        kept.bytes += size;
        kept.queue.push_back(message);
        drop(kept);
        self.shared.more.notify_one();
    }

    /// Whether it records.
    pub fn light(&self) -> Light {
        let kept = self.shared.kept();
        match kept.fate {
            Fate::Waiting | Fate::Closed => Light::Off,
            Fate::Lost(why) => Light::Lost(why),
            Fate::Running { since, .. } => {
                let oldest = kept.queue.iter().find_map(|message| match message {
                    Message::Frame(at, _) => Some(*at),
                    _ => None,
                });
                if oldest.is_some_and(|at| at.elapsed() > STUCK) {
                    return Light::Stuck;
                }
                Light::On { ran: Millis(since.elapsed().as_millis() as u64) }
            }
        }
    }

    /// Ends the recording with its slate, on disk, and has the journal told. It takes no longer
    /// than `patience`: a recording that is not closed by then is lost.
    pub fn close(&self, closing: Closing, patience: Duration) {
        if !self.end(Some(Box::new(closing)), patience) {
            let short = "the disk does not answer";
            self.shared.lose(short, "the disk did not answer when the recording was closed");
        }
    }

    /// Says whether the thread has ended in time.
    fn end(&self, closing: Option<Box<Closing>>, patience: Duration) -> bool {
        let (tell, told) = sync_channel(1);
        {
            let mut kept = self.shared.kept();
            if std::mem::replace(&mut kept.ended, true) {
                return true;
            }
            kept.queue.push_back(Message::End(closing, tell));
        }
        self.shared.more.notify_one();
        !matches!(told.recv_timeout(patience), Err(std::sync::mpsc::RecvTimeoutError::Timeout))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // What was not closed in order shall at least be whole.
        self.end(None, LET_GO);
    }
}

/// Whether a frame is nothing but the wrapping that every frame has.
fn changes_nothing(mut bytes: &[u8]) -> bool {
    const WRAPPING: [&[u8]; 7] = [
        b"\x1b[?2026h",
        b"\x1b[?2026l",
        b"\x1b[39m",
        b"\x1b[49m",
        b"\x1b[59m",
        b"\x1b[0m",
        b"\x1b[?25l",
    ];
    while let Some(rest) = WRAPPING.iter().find_map(|part| bytes.strip_prefix(*part)) {
        bytes = rest;
    }
    bytes.is_empty()
}

/// The recorder's thread.
struct Worker {
    shared: Arc<Shared>,
    dir: PathBuf,
    opening: Opening,
    marks: Option<Receiver<Mark>>,
    size: (u16, u16),
    tape: Option<Tape>,
    scan: Option<Scan<'static>>,
    text: cast::Text,
    /// When the first frame came: it stands where the opening slate ends.
    began: Instant,
    /// Marks whose line no frame has shown yet.
    pending: VecDeque<Mark>,
    /// The latest instant of the run that was shown.
    drawn: Option<Millis>,
}

impl Worker {
    fn run(mut self) {
        loop {
            let message = self.next();
            let done = match message {
                Message::End(closing, tell) => {
                    if let Err(gone) = self.end(closing.as_deref()) {
                        self.shared.lose(gone.short, &gone.why);
                    }
                    let _ = tell.send(());
                    return;
                }
                Message::Size(size) => self.resize(size),
                Message::Frame(at, bytes) => self.frame(at, &bytes),
                Message::Drawn(at) => {
                    self.drawn = self.drawn.max(Some(at));
                    self.mark(self.drawn)
                }
            };
            if let Err(gone) = done {
                self.shared.lose(gone.short, &gone.why);
                self.tape = None;
            }
        }
    }

    fn next(&self) -> Message {
        let mut kept = self.shared.kept();
        loop {
            match kept.queue.pop_front() {
                Some(message) => {
                    if let Message::Frame(_, bytes) = &message {
                        kept.bytes = kept.bytes.saturating_sub(bytes.len());
                    }
                    return message;
                }
                None => {
                    kept = self.shared.more.wait(kept).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.shared.kept().fate, Fate::Lost(_) | Fate::Closed)
    }

    /// Where an instant stands in the recording.
    fn place(&self, at: Instant) -> Duration {
        OPENING + at.saturating_duration_since(self.began)
    }

    fn resize(&mut self, size: (u16, u16)) -> Result<(), Gone> {
        let size = (size.0.clamp(1, cast::LARGEST.0), size.1.clamp(1, cast::LARGEST.1));
        if size == self.size {
            return Ok(());
        }
        self.size = size;
        let at = self.place(Instant::now());
        if let Some(tape) = &mut self.tape {
            tape.event(at, cast::RESIZE, &cast::size(size))?;
        }
        if let Some(scan) = &mut self.scan {
            scan.resize(size);
        }
        Ok(())
    }

    fn frame(&mut self, at: Instant, bytes: &[u8]) -> Result<(), Gone> {
        if self.is_over() {
            return Ok(());
        }
        if self.tape.is_none() {
            self.open(at)?;
        }
        let place = self.place(at);
        let data = self.text.take(bytes);
        let Some(tape) = &mut self.tape else { return Ok(()) };
        tape.event(place, cast::OUTPUT, &data)?;
        tape.frames += 1;
        self.kept_until(at);
        if let Some(scan) = &mut self.scan {
            scan.take(place.as_secs_f64(), &data);
        }
        Ok(())
    }

    /// Makes the file, with header and slate, as the first frame is there.
    fn open(&mut self, at: Instant) -> Result<(), Gone> {
        self.began = at;
        let header = self.header();
        let mut tape = Tape::create(&self.dir)?;
        self.shared.kept().file = tape.name().to_owned();
        tape.line(&header.line())?;
        let slate = self.opening.screen();
        tape.event(Duration::ZERO, cast::OUTPUT, &slate)?;
        let mut scan = Scan::new(clean::installed(), tape.name(), self.size);
        scan.take(0.0, &slate);
        // Frames need not begin with an empty screen, and lines never do.
        tape.event(OPENING, cast::OUTPUT, slate::END)?;
        scan.take(OPENING.as_secs_f64(), slate::END);
        let started = RecordingStarted {
            file: tape.name().to_owned(),
            width: self.size.0,
            height: self.size.1,
        };
        (self.tape, self.scan) = (Some(tape), Some(scan));
        self.kept_until(at);
        self.shared.notes.note(Noted::RecordingStarted(started));
        Ok(())
    }

    fn header(&self) -> cast::Header {
        let Opening { kind, service, host, run, marking, unix_ms, .. } = &self.opening;
        let marking = marking.as_ref().map(Clean::as_str);
        let term = std::env::var("TERM").map(|term| ("TERM".to_owned(), Clean::new(&term).ascii()));
        cast::Header {
            version: 2,
            width: self.size.0,
            height: self.size.1,
            timestamp: unix_ms.div_euclid(1_000),
            title: cast::title(*kind, service.as_str(), host.as_str(), run, marking),
            env: term.into_iter().collect(),
        }
    }

    /// The recording runs, and holds everything until this instant.
    fn kept_until(&self, at: Instant) {
        let (since, last) = (self.began, self.place(at));
        let mut kept = self.shared.kept();
        if matches!(kept.fate, Fate::Waiting | Fate::Running { .. }) {
            kept.fate = Fate::Running { since, last };
        }
    }

    /// Writes the marks of lines that were shown by now, or all that there are.
    fn mark(&mut self, shown: Option<Millis>) -> Result<(), Gone> {
        if let Some(marks) = &self.marks {
            self.pending.extend(marks.try_iter());
        }
        let place = self.place(Instant::now());
        let Some(tape) = &mut self.tape else { return Ok(()) };
        let mut marked = false;
        while let Some(mark) = self.pending.front() {
            if shown.is_some_and(|shown| mark.at > shown) {
                break;
            }
            tape.event(place, cast::MARKER, &mark.label)?;
            self.pending.pop_front();
            marked = true;
        }
        if marked { tape.sync() } else { Ok(()) }
    }

    fn end(&mut self, closing: Option<&Closing>) -> Result<(), Gone> {
        if self.is_over() {
            return Ok(());
        }
        self.mark(None)?;
        let Some(tape) = &mut self.tape else { return Ok(()) };
        let Some(closing) = closing else { return tape.sync() };
        let at = tape.last() + CLOSING;
        let slate = closing.screen();
        tape.event(at, cast::OUTPUT, &slate)?;
        tape.sync()?;
        let mut hits = Vec::new();
        if let Some(scan) = &mut self.scan {
            scan.take(at.as_secs_f64(), &slate);
            hits = scan.hits().to_vec();
        }
        let closed = RecordingClosed {
            file: tape.name().to_owned(),
            bytes: tape.bytes(),
            sha256: tape.sha256(),
            frames: tape.frames,
            seconds: at.as_secs_f64(),
            hits,
        };
        let mut kept = self.shared.kept();
        // Whoever waited may have given it up in the meantime, and said so.
        if matches!(kept.fate, Fate::Running { .. }) {
            kept.fate = Fate::Closed;
            self.shared.notes.note(Noted::RecordingClosed(closed));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_changes_nothing_is_known_by_its_bytes() {
        let idle = "\u{1b}[?2026h\u{1b}[39m\u{1b}[49m\u{1b}[59m\u{1b}[0m\u{1b}[?25l\u{1b}[?2026l";
        assert!(changes_nothing(idle.as_bytes()));
        assert!(!changes_nothing(format!("{idle}x").as_bytes()));
        assert!(!changes_nothing(b"\x1b[?2026h\x1b[1;1Hx\x1b[?2026l"));
        assert!(changes_nothing(b""));
    }
}
