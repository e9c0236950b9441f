//! Keys and signals, on threads of their own.
//!
//! The reader sleeps in poll(2) and wakes for nothing but bytes, a hangup and its own end. It asks
//! the terminal library for events only when there are bytes: where a terminal is gone, that
//! library would read its end for ever.

use super::Shared;
use super::keymap::Key;
use crate::feed::Link;
use crossterm::event::{self, Event};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::{SIGHUP, SIGWINCH};
use signal_hook::iterator::{Handle, Signals};
use std::fs::File;
use std::io::{self, IsTerminal, PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long the terminal library looks for more once there were bytes. It must not be zero: the
/// library then does not look at all. A key is taken before the last, empty look.
const LOOK: Duration = Duration::from_millis(1);

/// The thread that reads keys.
#[derive(Debug)]
pub struct Reader {
    thread: JoinHandle<()>,
    end: PipeWriter,
}

impl Reader {
    /// Starts reading.
    pub fn start(shared: Arc<Shared>, link: Link) -> io::Result<Self> {
        let (ended, end) = io::pipe()?;
        let terminal = if io::stdin().is_terminal() { None } else { Some(File::open("/dev/tty")?) };
        let thread = thread::Builder::new().name("keys".to_owned()).spawn(move || {
            let stdin = io::stdin();
            let fd = terminal.as_ref().map_or_else(|| stdin.as_fd(), AsFd::as_fd);
            if read(fd, &ended, &shared, &link).is_err() {
                shared.hang_up(&link);
            }
        })?;
        Ok(Self { thread, end })
    }

    /// Ends it, and waits until it has ended: nobody else's keys may be eaten.
    pub fn stop(self) {
        drop(self.end);
        let _ = self.thread.join();
    }
}

/// Reads until the pipe's other end is closed; an error says that the terminal is gone.
fn read(fd: BorrowedFd<'_>, end: &PipeReader, shared: &Shared, link: &Link) -> io::Result<()> {
    let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
    loop {
        let mut fds =
            [PollFd::new(fd, PollFlags::POLLIN), PollFd::new(end.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        let [keys, end] = fds.map(|fd| fd.revents().unwrap_or(PollFlags::empty()));
        if !end.is_empty() {
            return Ok(());
        }
        if keys.intersects(gone) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        while event::poll(LOOK)? {
            take(&event::read()?, shared, link);
        }
    }
}

/// What an event of the terminal does.
fn take(event: &Event, shared: &Shared, link: &Link) {
    match event {
        Event::Key(key) if key.is_press() => {
            let Some(key) = Key::of(*key) else { return };
            let mut front = shared.front();
            let snapshot = front.snapshot.clone();
            let pressed = front.ui.press(key, snapshot.as_deref(), Instant::now());
            for command in pressed.commands {
                link.send(command);
            }
            if let (Some(order), Some(deck)) = (pressed.order, &shared.deck) {
                deck.order(order);
            }
            if pressed.repaint {
                shared.resized.store(true, Ordering::Release);
            }
            if pressed.suspend {
                shared.suspend.store(true, Ordering::Release);
            }
        }
        Event::Paste(text) => {
            let mut front = shared.front();
            let snapshot = front.snapshot.clone();
            front.ui.paste(text, snapshot.as_deref());
        }
        Event::Resize(..) => shared.resized.store(true, Ordering::Release),
        _ => return,
    }
    shared.bell.ring();
}

/// Watches for the signals that concern the screen: the terminal has gone, or its size changed.
/// All others are the engine's.
pub fn watch_signals(shared: Arc<Shared>, link: Link) -> io::Result<Handle> {
    let mut signals = Signals::new([SIGHUP, SIGWINCH])?;
    let handle = signals.handle();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if signal == SIGHUP {
                shared.hang_up(&link);
            } else {
                shared.resized.store(true, Ordering::Release);
                shared.bell.ring();
            }
        }
    })?;
    Ok(handle)
}
