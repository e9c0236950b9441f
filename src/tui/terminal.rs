//! Taking the terminal, and always giving it back.
//!
//! Raw mode, the alternate screen, bracketed paste and the hidden cursor are taken together and
//! given back together: when the run is over, on an error, in a panic of any thread (before its
//! message is printed), and while the process is stopped by Ctrl-Z. A frame leaves in one write,
//! inside a synchronized update, so that it is seen whole or not at all.

use crossterm::{cursor, event, execute, queue, terminal};
use nix::sys::signal::{Signal, raise};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the terminal is ours now.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether a panic gave it back.
static LOST: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// Whether a panic, in whatever thread, has given the terminal back under our feet.
pub fn was_lost() -> bool {
    LOST.load(Ordering::Acquire)
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
    let shown = execute!(
        io::stdout(),
        terminal::EndSynchronizedUpdate,
        event::DisableBracketedPaste,
        terminal::LeaveAlternateScreen,
        cursor::Show
    );
    terminal::disable_raw_mode().and(shown)
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
}

impl Screen {
    /// Takes the terminal.
    pub fn enter() -> io::Result<Self> {
        HOOK.call_once(|| {
            let previous = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                if TAKEN.load(Ordering::Acquire) {
                    LOST.store(true, Ordering::Release);
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
            Ok(terminal) => Ok(Self { terminal, frame }),
            Err(error) => {
                let _ = give_back();
                Err(error)
            }
        }
    }

    /// Draws a frame and writes what changed.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), terminal::BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| draw(frame.buffer_mut()))?;
        queue!(self.terminal.backend_mut(), terminal::EndSynchronizedUpdate)?;
        let mut bytes = self.frame.bytes.borrow_mut();
        let mut out = io::stdout().lock();
        let written = out.write_all(&bytes).and_then(|()| out.flush());
        bytes.clear();
        written
    }

    /// Gives the terminal to the shell until it is given back, and takes it again.
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back()?;
        raise(Signal::SIGTSTP)?;
        take()?;
        // What the terminal shows now is not what we last drew.
        self.terminal.clear()
    }

    /// Gives the terminal back.
    pub fn leave(self) -> io::Result<()> {
        give_back()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = give_back();
    }
}
