//! The line of what waits for the writer's thread.
//!
//! Whoever puts something in never waits for the thread. What is routine does not wake it either,
//! where it will come by itself within a second: an idle cockpit shall let the machine sleep.

use super::worker::Message;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Thread {
    /// It is at work, and looks here before it sleeps.
    #[default]
    Works,
    /// It sleeps, and comes by itself.
    Naps,
    /// It sleeps until it is woken.
    Sleeps,
}

#[derive(Default)]
struct Line {
    messages: VecDeque<Message>,
    /// The number of the last barrier: its number and its place are given together.
    barrier: u64,
    closed: bool,
    thread: Thread,
}

/// The line.
#[derive(Default)]
pub(super) struct Queue {
    line: Mutex<Line>,
    changed: Condvar,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

/// What the thread found.
pub(super) enum Found {
    Message(Message),
    /// Nothing came in time.
    Nothing,
    /// Nothing more will come.
    Closed,
}

impl Queue {
    /// Locks, also after a panic elsewhere: what is kept here is plain data, whole at any time.
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message in and gives the number of the last barrier. What is `routine` waits up to
    /// a second. Nothing is taken once the line is closed.
    pub fn put(&self, routine: bool, message: impl FnOnce(&mut u64) -> Message) -> u64 {
        let mut line = self.line();
        let message = message(&mut line.barrier);
        if !line.closed {
            line.messages.push_back(message);
        }
        let wake = match line.thread {
            Thread::Works => false,
            Thread::Naps => !routine,
            Thread::Sleeps => true,
        };
        let barrier = line.barrier;
        drop(line);
        if wake {
            self.changed.notify_one();
        }
        barrier
    }

    /// Nothing more will come.
    pub fn close(&self) {
        self.line().closed = true;
        self.changed.notify_one();
    }

    /// Takes the next message, if there is one.
    pub fn next(&self) -> Option<Message> {
        self.line().messages.pop_front()
    }

    /// Waits for a message, for ever where there is no time. What is routine may be found only
    /// when the time is up.
    pub fn wait(&self, time: Option<Duration>) -> Found {
        let until = time.map(|time| Instant::now() + time);
        let mut line = self.line();
        // What is there when we come is taken at once; what is routine and comes later is not.
        let mut left = time;
        loop {
            if let Some(message) = line.messages.pop_front() {
                line.thread = Thread::Works;
                return Found::Message(message);
            }
            if line.closed || left.is_some_and(|left| left.is_zero()) {
                line.thread = Thread::Works;
                return if line.closed { Found::Closed } else { Found::Nothing };
            }
            line = match left {
                None => {
                    line.thread = Thread::Sleeps;
                    self.changed.wait(line).unwrap_or_else(PoisonError::into_inner)
                }
                Some(left) => {
                    line.thread = Thread::Naps;
                    let woken = self.changed.wait_timeout(line, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            left = until.map(|until| until.saturating_duration_since(Instant::now()));
        }
    }
}
