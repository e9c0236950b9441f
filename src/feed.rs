//! The seam between the engine and whoever watches it.
//!
//! The engine publishes into a [`Feed`]; a screen, plain lines or another process ask it for what
//! is new since a number they know. Neither side ever waits for the other: a watcher that is
//! stuck (Ctrl-S, a dead SSH line) loses the oldest series and nothing else.

use crate::clean::Clean;
use crate::runbook::event::Command;
use crate::runbook::record::{LogLine, Record};
use crate::runbook::snapshot::{Snapshot, Update};
use crate::signal::Sample;
use crate::units::Millis;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Fifteen minutes of users and probes of both slots, and gauges, at one sample a second each.
const SAMPLES_KEPT: usize = 15 * 60 * 6;
const LINES_KEPT: usize = 2_000;

/// Locks, also after a panic elsewhere: what is kept here is plain data, whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes one sleeper, whoever rings.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<Rung>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Rung {
    loud: bool,
    soft: bool,
    /// The sleeper wakes for nothing soft.
    resting: bool,
}

impl Bell {
    /// Wakes the sleeper, or keeps it from falling asleep next time.
    pub fn ring(&self) {
        // It is told once: whoever has not come yet does not come sooner for more ringing.
        if !std::mem::replace(&mut lock(&self.rung).loud, true) {
            self.changed.notify_one();
        }
    }

    /// Wakes the sleeper unless it rests; then it finds out when it has rested.
    pub fn tap(&self) {
        let mut rung = lock(&self.rung);
        if !std::mem::replace(&mut rung.soft, true) && !rung.resting {
            drop(rung);
            self.changed.notify_one();
        }
    }

    /// Sleeps until anything rings or `timeout` has passed; says whether it rang.
    pub fn wait(&self, timeout: Duration) -> bool {
        self.sleep(timeout, false)
    }

    /// Sleeps until it rings aloud or `timeout` has passed; says whether anything rang.
    pub fn rest(&self, timeout: Duration) -> bool {
        self.sleep(timeout, true)
    }

    fn sleep(&self, timeout: Duration, resting: bool) -> bool {
        let mut rung = lock(&self.rung);
        rung.resting = resting;
        let (mut rung, _) = self
            .changed
            .wait_timeout_while(rung, timeout, |rung| !rung.loud && (resting || !rung.soft))
            .unwrap_or_else(PoisonError::into_inner);
        let rung = std::mem::take(&mut *rung);
        rung.loud || rung.soft
    }
}

/// What is new at one step of the engine.
#[derive(Debug, Default)]
pub struct News {
    /// Seconds that were measured.
    pub samples: Vec<Sample>,
    /// Switches: when, and Green's percent.
    pub switches: Vec<(Millis, u8)>,
    /// Lines of the log.
    pub log: Vec<LogLine>,
    /// The records that the log's lines were made from.
    pub records: Vec<(Millis, Record)>,
    /// Lines that commands printed.
    pub output: Vec<Clean>,
}

#[derive(Debug, Default)]
struct Kept {
    seq: u64,
    /// The change with which everything was told anew.
    reset_at: u64,
    snapshot: Option<Snapshot>,
    samples: VecDeque<(u64, Sample)>,
    switches: VecDeque<(u64, (Millis, u8))>,
    log: VecDeque<(u64, LogLine)>,
    records: VecDeque<(u64, (Millis, Record))>,
    output: VecDeque<(u64, Clean)>,
    over: bool,
}

/// What the engine publishes, for anybody who asks.
#[derive(Debug)]
pub struct Feed {
    kept: Mutex<Kept>,
    bells: Mutex<Vec<Arc<Bell>>>,
    samples_kept: usize,
}

impl Default for Feed {
    fn default() -> Self {
        Self::keeping(SAMPLES_KEPT)
    }
}

fn keep<T>(queue: &mut VecDeque<(u64, T)>, seq: u64, items: Vec<T>, limit: usize) {
    queue.extend(items.into_iter().map(|item| (seq, item)));
    while queue.len() > limit {
        queue.pop_front();
    }
}

fn after<T: Clone>(queue: &VecDeque<(u64, T)>, seq: u64) -> Vec<T> {
    let from = queue.partition_point(|(at, _)| *at <= seq);
    queue.iter().skip(from).map(|(_, item)| item.clone()).collect()
}

impl Feed {
    /// A feed that keeps so many samples for whoever comes late.
    pub fn keeping(samples: usize) -> Self {
        Self { kept: Mutex::default(), bells: Mutex::default(), samples_kept: samples }
    }

    /// What is published next is told from the beginning: whoever watches forgets what was.
    pub fn restart(&self) {
        let mut kept = lock(&self.kept);
        let (seq, over) = (kept.seq, kept.over);
        let snapshot = kept.snapshot.take();
        *kept = Kept { seq, reset_at: seq + 1, snapshot, over, ..Kept::default() };
    }

    /// Taps `bell` with each change from now on, and rings it at the end.
    pub fn ring(&self, bell: Arc<Bell>) {
        lock(&self.bells).push(bell);
    }

    /// Publishes how things stand, and what is new.
    pub fn publish(&self, snapshot: Snapshot, news: News) {
        let mut kept = lock(&self.kept);
        kept.seq += 1;
        let seq = kept.seq;
        kept.snapshot = Some(snapshot);
        keep(&mut kept.samples, seq, news.samples, self.samples_kept);
        keep(&mut kept.switches, seq, news.switches, LINES_KEPT);
        keep(&mut kept.log, seq, news.log, LINES_KEPT);
        keep(&mut kept.records, seq, news.records, LINES_KEPT);
        keep(&mut kept.output, seq, news.output, LINES_KEPT);
        // Whoever wakes shall not wait for us at once.
        drop(kept);
        lock(&self.bells).iter().for_each(|bell| bell.tap());
    }

    /// How many changes were published.
    pub fn seq(&self) -> u64 {
        lock(&self.kept).seq
    }

    /// The engine has ended: nothing new will come.
    pub fn close(&self) {
        lock(&self.kept).over = true;
        lock(&self.bells).iter().for_each(|bell| bell.ring());
    }

    /// Whether the engine has ended.
    pub fn is_over(&self) -> bool {
        lock(&self.kept).over
    }

    /// How things stand, and what is new since `seq` (0 for all that is kept); nothing if
    /// nothing is new.
    pub fn since(&self, seq: u64) -> Option<Update> {
        let kept = lock(&self.kept);
        if kept.seq <= seq {
            return None;
        }
        Some(Update {
            seq: kept.seq,
            reset: kept.reset_at > seq,
            snapshot: kept.snapshot.clone()?,
            samples: after(&kept.samples, seq),
            switches: after(&kept.switches, seq),
            log: after(&kept.log, seq),
            records: after(&kept.records, seq),
            output: after(&kept.output, seq),
        })
    }
}

/// A command on its way to the engine, with the instant its key was read.
#[derive(Debug, Clone)]
pub struct Sent {
    /// What the operator did.
    pub command: Command,
    /// When the key was read.
    pub read_at: Instant,
}

/// Where commands go. It never blocks.
pub type Commands = tokio::sync::mpsc::UnboundedSender<Sent>;

/// What a screen holds of the engine: a way to see and a way to ask.
#[derive(Debug, Clone)]
pub struct Link {
    /// What the engine publishes.
    pub feed: Arc<Feed>,
    /// Where commands go.
    pub commands: Commands,
}

impl Link {
    /// Sends a command, read now.
    pub fn send(&self, command: Command) {
        // The engine is gone only when the run is over; there is nothing left to command then.
        let _ = self.commands.send(Sent { command, read_at: Instant::now() });
    }
}
