//! The pages around a flight: a list to choose from, a page to read, questions to answer.
//!
//! They are shown before and after a run, never while one flies, and know nothing of what they
//! show: whoever opens them gives rows of words and gets keys. One thread draws and reads, for
//! there is nothing here that could be late. The terminal is taken with the first page and given
//! back with the last, by whatever way out.

pub mod board;
pub mod form;
pub mod frame;
pub mod reader;
pub mod rows;

use super::keymap::Key;
use super::terminal::{self, Screen};
use super::theme::{Theme, ThemeChoice};
use super::widget::ink::Ink;
use color_eyre::eyre::{Report, WrapErr, eyre};
use crossterm::event::{self, Event};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often signals are looked at while no key comes.
const LOOK: u16 = 200;

/// Something that fills the screen and takes keys.
pub trait Page {
    /// What it gives when it is over.
    type Out;
    /// Draws it.
    fn draw(&mut self, ink: &mut Ink<'_>, theme: &Theme);
    /// Takes a key; gives something when it is over.
    fn key(&mut self, key: Key) -> Option<Self::Out>;
    /// Takes pasted text.
    fn paste(&mut self, _text: &str) {}
    /// Whether what it shows changes by itself: then it is drawn anew as time passes.
    fn is_live(&self) -> bool {
        false
    }
    /// Time has passed; gives something when it is over by itself.
    fn passes(&mut self) -> Option<Self::Out> {
        None
    }
}

/// Signals that came, as flags.
#[derive(Debug)]
struct Heard {
    gone: Arc<AtomicBool>,
    end: Arc<AtomicBool>,
    resized: Arc<AtomicBool>,
    ids: Vec<signal_hook::SigId>,
}

impl Heard {
    fn listen() -> io::Result<Self> {
        let mut heard = Self {
            gone: Arc::default(),
            end: Arc::default(),
            resized: Arc::default(),
            ids: Vec::new(),
        };
        for (signal, flag) in [
            (SIGHUP, &heard.gone),
            (SIGTERM, &heard.end),
            (SIGINT, &heard.end),
            (SIGWINCH, &heard.resized),
        ] {
            heard.ids.push(signal_hook::flag::register(signal, Arc::clone(flag))?);
        }
        Ok(heard)
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.ids.drain(..).for_each(|id| {
            signal_hook::low_level::unregister(id);
        });
    }
}

/// The terminal while pages are shown.
#[derive(Debug)]
pub struct Pages {
    screen: Screen,
    theme: Theme,
    ascii: bool,
    heard: Heard,
    waiting: VecDeque<Event>,
}

impl Pages {
    /// Takes the terminal.
    ///
    /// # Errors
    /// There is none, or it cannot be taken.
    pub fn open(theme: &ThemeChoice, ascii: bool) -> Result<Self, Report> {
        let env = |name: &str| std::env::var(name).ok();
        let theme = theme.load(&env)?;
        let ascii = ascii || !super::speaks_utf8(&env);
        let heard = Heard::listen()?;
        let screen = Screen::enter(None).wrap_err("cannot take the terminal")?;
        Ok(Self { screen, theme, ascii, heard, waiting: VecDeque::new() })
    }

    /// Shows a page until it is over; nothing where the operator has left it by Ctrl-C, or was
    /// asked to end.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn show<P: Page>(&mut self, page: &mut P) -> Result<Option<P::Out>, Report> {
        let mut stale = true;
        loop {
            if self.heard.gone.load(Ordering::Acquire) || terminal::was_lost() {
                return Err(eyre!("the terminal went away"));
            }
            if self.heard.end.load(Ordering::Acquire) {
                return Ok(None);
            }
            if self.heard.resized.swap(false, Ordering::AcqRel) {
                self.screen.repaint().wrap_err("cannot ask the terminal for its size")?;
                stale = true;
            }
            if std::mem::take(&mut stale) {
                let (theme, ascii) = (&self.theme, self.ascii);
                let (gone, end) = (&self.heard.gone, &self.heard.end);
                let give_up = || gone.load(Ordering::Acquire) || end.load(Ordering::Acquire);
                self.screen
                    .draw(|buf| page.draw(&mut Ink::new(buf, theme.text, ascii), theme), give_up)
                    .wrap_err("the terminal cannot be written")?;
            }
            if self.waiting.is_empty() {
                self.waiting.extend(wait()?);
            }
            if let Some(out) = page.passes() {
                return Ok(Some(out));
            }
            stale |= page.is_live();
            // What follows a key that ends a page is the next page's.
            while let Some(event) = self.waiting.pop_front() {
                stale = true;
                match event {
                    Event::Key(key) if key.is_press() => match Key::of(key) {
                        Some(Key::Ctrl('c')) => return Ok(None),
                        Some(Key::Ctrl('z')) => {
                            self.screen.suspend().wrap_err("cannot take the terminal again")?;
                        }
                        Some(Key::Ctrl('l')) => self.screen.repaint()?,
                        Some(key) => {
                            if let Some(out) = page.key(key) {
                                return Ok(Some(out));
                            }
                        }
                        None => {}
                    },
                    Event::Paste(text) => page.paste(&text),
                    Event::Resize(..) => self.screen.repaint()?,
                    _ => {}
                }
            }
        }
    }

    /// Gives the terminal back.
    ///
    /// # Errors
    /// It takes no bytes any more.
    pub fn close(self) -> io::Result<()> {
        self.screen.leave()
    }
}

/// What came from the terminal, if anything did within a moment.
fn wait() -> Result<Vec<Event>, Report> {
    let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
    let stdin = io::stdin();
    let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    match poll(&mut fds, PollTimeout::from(LOOK)) {
        Err(Errno::EINTR) | Ok(0) => return Ok(Vec::new()),
        Err(error) => return Err(error).wrap_err("the terminal cannot be read"),
        Ok(_) => {}
    }
    if fds[0].revents().unwrap_or(PollFlags::empty()).intersects(gone) {
        return Err(eyre!("the terminal went away"));
    }
    let mut events = Vec::new();
    // The library asks for the terminal only when there are bytes: see `tui::input`.
    while event::poll(Duration::from_millis(1))? {
        events.push(event::read()?);
    }
    Ok(events)
}
