//! Taking the terminal, and always giving it back.
//!
//! Raw mode, the alternate screen, bracketed paste and the hidden cursor are taken together and
//! given back together: when the run is over, on an error, in a panic of any thread (before its
//! message is printed), and while the process is stopped by Ctrl-Z. A frame leaves in one write,
//! inside a synchronized update, so that it is seen whole or not at all. A terminal that takes no
//! bytes (a dead SSH line, a paused multiplexer) holds up the drawing and nothing else: writing does
//! not block, and is given up when the run is over.

use crate::evidence::recorder::{self, Recorder};
use crossterm::{cursor, event, execute, queue, terminal};
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{Signal, raise};
use nix::unistd::ttyname;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;
use std::time::Duration;

/// Whether the terminal is ours now.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether a panic gave it back.
static LOST: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();
/// Held while a frame is written: what gives the terminal back comes before a frame or after it.
static WRITING: Mutex<()> = Mutex::new(());

/// Whether a panic, in whatever thread, has given the terminal back under our feet.
pub fn was_lost() -> bool {
    LOST.load(Ordering::Acquire)
}

/// How long a terminal may take no bytes before it is taken to be stuck.
const STUCK: u16 = 250;

fn stuck() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the terminal takes no bytes any more")
}

/// Whether the terminal takes bytes, or does so in a moment.
fn is_writable(fd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::POLLOUT)];
    poll(&mut fds, STUCK).is_ok_and(|ready| ready > 0)
}

/// The terminal behind standard output, opened anew for writing that does not block. The flag
/// belongs to this opening alone: the shell's own is left as it is.
fn open_unblocked() -> Option<File> {
    let path = ttyname(io::stdout().as_fd()).ok()?;
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    OpenOptions::new().write(true).custom_flags(flags.bits()).open(path).ok()
}

fn take() -> io::Result<()> {
    TAKEN.store(true, Ordering::Release);
    terminal::enable_raw_mode()?;
    execute!(
        io::stdout(),
        terminal::EnterAlternateScreen,
        event::EnableBracketedPaste,
        cursor::Hide
    )
}

/// Gives the terminal back, once. Every part is tried even where another fails.
fn give_back() -> io::Result<()> {
    if !TAKEN.swap(false, Ordering::AcqRel) {
        return Ok(());
    }
    // A terminal that is stuck shows nothing any more; waiting for it would keep the process.
    let shown = if is_writable(io::stdout().as_fd()) {
        execute!(
            io::stdout(),
            terminal::EndSynchronizedUpdate,
            event::DisableBracketedPaste,
            terminal::LeaveAlternateScreen,
            cursor::Show
        )
    } else {
        Err(stuck())
    };
    terminal::disable_raw_mode().and(shown)
}

/// Waits until no frame is being written, and not for ever: it may be this thread that writes, and
/// a frame that is stuck is given up when the terminal is lost.
fn wait_for_frame() {
    for _ in 0..40 {
        if !matches!(WRITING.try_lock(), Err(std::sync::TryLockError::WouldBlock)) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// A frame in the making. Flushing does nothing, so that a frame is one write.
#[derive(Debug, Clone)]
struct Frame {
    bytes: Rc<RefCell<Vec<u8>>>,
}

impl Write for Frame {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The terminal while it is ours.
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Frame>>,
    frame: Frame,
    unblocked: Option<File>,
    recorder: Option<Arc<Recorder>>,
    /// Columns and rows of the last frame that was recorded.
    recorded: Option<(u16, u16)>,
}

impl Screen {
    /// Takes the terminal. What is written to it from now on is recorded, if there is a recorder.
    pub fn enter(recorder: Option<Arc<Recorder>>) -> io::Result<Self> {
        HOOK.call_once(|| {
            let previous = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                if thread::current().name() == Some(recorder::THREAD) {
                    // It tells the journal, and the screen stays.
                    return;
                }
                if TAKEN.load(Ordering::Acquire) {
                    LOST.store(true, Ordering::Release);
                    wait_for_frame();
                    let _ = give_back();
                }
                previous(panic);
            }));
        });
        LOST.store(false, Ordering::Release);
        if let Err(error) = take() {
            let _ = give_back();
            return Err(error);
        }
        let frame = Frame { bytes: Rc::new(RefCell::new(Vec::with_capacity(128 * 1024))) };
        match Terminal::new(CrosstermBackend::new(frame.clone())) {
            Ok(terminal) => {
                let unblocked = open_unblocked();
                let mut screen = Self { terminal, frame, unblocked, recorder, recorded: None };
                // Not every terminal has another screen, and not every other screen is empty.
                screen.repaint().inspect_err(|_| {
                    let _ = give_back();
                })?;
                Ok(screen)
            }
            Err(error) => {
                let _ = give_back();
                Err(error)
            }
        }
    }

    /// Draws a frame and writes what changed. While the terminal takes no bytes, `give_up` is
    /// asked a few times a second whether to go on waiting for it.
    pub fn draw(
        &mut self,
        draw: impl FnOnce(&mut Buffer),
        give_up: impl Fn() -> bool,
    ) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), terminal::BeginSynchronizedUpdate)?;
        let area = self.terminal.draw(|frame| draw(frame.buffer_mut()))?.area;
        queue!(self.terminal.backend_mut(), terminal::EndSynchronizedUpdate)?;
        let mut bytes = self.frame.bytes.borrow_mut();
        let writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        if was_lost() {
            // The shell has the terminal: a frame now would hide its cursor.
            bytes.clear();
            return Ok(());
        }
        let written = match &mut self.unblocked {
            Some(file) => write_patiently(file, &bytes, give_up),
            None => {
                let mut out = io::stdout().lock();
                out.write_all(&bytes).and_then(|()| out.flush())
            }
        };
        drop(writing);
        // What was not written was not seen.
        if let (Some(recorder), Ok(())) = (&self.recorder, &written) {
            let size = (area.width, area.height);
            if self.recorded.replace(size) != Some(size) {
                recorder.resize(size.0, size.1);
            }
            recorder.frame(&bytes);
        }
        bytes.clear();
        written
    }

    /// Draws all of it anew with the next frame: after a change of the window's size nobody knows
    /// what the terminal shows, not even where the size is again what it was.
    pub fn repaint(&mut self) -> io::Result<()> {
        // Clearing it the library's way asks where the cursor is, and the answer would be eaten by
        // the thread that reads keys.
        queue!(self.frame, terminal::Clear(terminal::ClearType::All))?;
        self.terminal = Terminal::new(CrosstermBackend::new(self.frame.clone()))?;
        Ok(())
    }

    /// Gives the terminal to the shell until it is given back, and takes it again.
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back()?;
        raise(Signal::SIGTSTP)?;
        take()?;
        self.repaint()
    }

    /// Gives the terminal back.
    pub fn leave(self) -> io::Result<()> {
        give_back()
    }
}

/// Writes all of it, as fast as the terminal takes it, unless it is given up.
fn write_patiently(
    file: &mut File,
    mut bytes: &[u8],
    give_up: impl Fn() -> bool,
) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => bytes = &bytes[n..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if !is_writable(file.as_fd()) && give_up() {
                    return Err(stuck());
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{FcntlArg, fcntl};
    use std::io::Read;
    use std::os::fd::OwnedFd;

    fn unblocked_pipe() -> (io::PipeReader, File) {
        let (reader, writer) = io::pipe().unwrap();
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        (reader, File::from(OwnedFd::from(writer)))
    }

    #[test]
    fn a_terminal_that_takes_nothing_is_given_up_when_that_is_asked_for() {
        let (_reader, mut writer) = unblocked_pipe();
        let frame = vec![b'x'; 1 << 20];
        let error = write_patiently(&mut writer, &frame, || true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_slow_terminal_gets_all_of_it() {
        let (mut reader, mut writer) = unblocked_pipe();
        let frame: Vec<u8> = (0..1_u32 << 18).map(|i| i as u8).collect();
        let sent = frame.clone();
        let thread = std::thread::spawn(move || {
            write_patiently(&mut writer, &sent, || false).unwrap();
        });
        let mut seen = Vec::new();
        reader.read_to_end(&mut seen).unwrap();
        thread.join().unwrap();
        assert!(seen == frame);
    }
}
