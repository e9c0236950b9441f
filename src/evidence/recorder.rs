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
//! and the last one followed by one ([`slate`](super::slate)).
//!
//! Whatever fails ends the recording and nothing else: the journal says `recording.lost`, once,
//! and the light goes out. What has been kept until then can be played.

mod worker;

use super::slate::{Closing, Opening};
use crate::clean::Clean;
use crate::journal::{Mark, Noted, Notes, RecordingLost};
use crate::units::Millis;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use worker::Worker;

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
        let worker = Worker::new(Arc::clone(&shared), dir, opening, marks);
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
