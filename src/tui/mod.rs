//! The screen: a window onto a run, and the keys.
//!
//! The screen sees [`Snapshot`]s and [`Update`]s and sends [`Command`]s; it never knows an effect,
//! a router or a plan file, and the engine never knows the screen. It keeps its own [`History`]
//! of what the updates brought.
//!
//! Three threads, so that nothing waits for the terminal that must not:
//!
//! ```text
//!  input    sleeps in poll(2); a key becomes a Command here and is sent at once
//!  signals  sleeps; a hangup or a resize is passed on
//!  drawing  (the caller's) sleeps on the Bell; draws what has changed, as fast as the terminal takes it
//! ```
//!
//! Between them is one small mutex around the view state and the last snapshot. The drawing thread
//! never holds it while it draws: a terminal that takes no bytes (a dead SSH line) cannot delay
//! the rollback key.
//!
//! Everything visible is a function of a [`screen::Scene`], clock included; reading clocks,
//! pacing frames and giving the terminal back is the affair of this module and [`terminal`].
//!
//! [`Snapshot`]: crate::runbook::snapshot::Snapshot
//! [`Update`]: crate::runbook::snapshot::Update
//! [`Command`]: crate::runbook::event::Command
//! [`History`]: history::History

mod input;
mod pace;
mod terminal;

pub mod hangar;
pub mod history;
pub mod keymap;
pub mod screen;
pub mod state;
pub mod theme;
pub mod view;
pub mod widget;

use crate::evidence::recorder::{Light, Recorder};
use crate::feed::{Bell, Link};
use crate::replay::{Deck, Playing};
use crate::runbook::event::{Command, Interrupt};
use crate::runbook::snapshot::Snapshot;
use color_eyre::eyre::{Report, WrapErr, eyre};
use history::History;
use pace::{Pace, RunClock};
use state::UiState;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use terminal::Screen;
use theme::{Theme, ThemeChoice};

/// How the screen shall look, and which clock it shows.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which theme.
    pub theme: ThemeChoice,
    /// Draw in ASCII even where the locale says that more can be shown.
    pub ascii: bool,
    /// Milliseconds since 1970, for the clock in the title.
    pub clock: fn() -> i64,
    /// What records the screen, if anything does.
    pub recorder: Option<Arc<Recorder>>,
    /// The replay that is shown, if this is one.
    pub replay: Option<Deck>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::Auto,
            ascii: false,
            clock: || chrono::Utc::now().timestamp_millis(),
            recorder: None,
            replay: None,
        }
    }
}

/// What a replay needs at most to say how things stand where it was sent, and a little.
const NEARLY: Duration = Duration::from_millis(5);

/// What the threads share.
#[derive(Debug, Default)]
struct Shared {
    front: Mutex<Front>,
    bell: Arc<Bell>,
    /// The terminal is gone.
    gone: AtomicBool,
    /// The operator asked for the shell.
    suspend: AtomicBool,
    /// The window has another size.
    resized: AtomicBool,
    /// The replay that is shown, if this is one.
    deck: Option<Deck>,
}

/// What keys mean depends on: the view state, and how things stand as last drawn.
#[derive(Debug, Default)]
struct Front {
    ui: UiState,
    snapshot: Option<Arc<Snapshot>>,
}

impl Shared {
    /// Locks, also after a panic elsewhere: what is kept here is plain data, whole at any time.
    fn front(&self) -> MutexGuard<'_, Front> {
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hang_up(&self, link: &Link) {
        if !self.gone.swap(true, Ordering::AcqRel) {
            link.send(Command::Interrupt(Interrupt::Hangup));
        }
        self.bell.ring();
    }
}

/// Shows the run and takes keys until the engine has ended, or the terminal fails.
///
/// The engine ends after the operator has left; how the run ended is in the last snapshot. Where
/// the terminal is gone, the engine has been told so ([`Interrupt::Hangup`]) when this returns its
/// error, and goes on to its own end.
pub fn run(link: Link, options: Options) -> Result<(), Report> {
    if !io::stdout().is_terminal() {
        return Err(eyre!("standard output is no terminal; use --plain to print lines"));
    }
    let env = |name: &str| std::env::var(name).ok();
    let theme = options.theme.load(&env)?;
    let ascii = options.ascii || !speaks_utf8(&env);
    let shared = Arc::new(Shared { deck: options.replay, ..Shared::default() });
    // From the first key on it is known what keys mean.
    shared.front().ui.replay = shared.deck.as_ref().map(Deck::playing);
    link.feed.ring(Arc::clone(&shared.bell));
    let recorder = options.recorder;
    let mut screen = Screen::enter(recorder.clone()).wrap_err("cannot take the terminal")?;
    let signals = input::watch_signals(Arc::clone(&shared), link.clone())?;
    let reader = input::Reader::start(Arc::clone(&shared), link.clone())?;
    let drawn = Drawing {
        link: &link,
        shared: &shared,
        theme,
        ascii,
        unix_ms: options.clock,
        recorder,
        history: History::default(),
        clock: RunClock::default(),
        pace: Pace::default(),
        seq: 0,
    }
    .until_over(&mut screen);
    signals.close();
    reader.stop();
    let left = screen.leave();
    drawn?;
    left.wrap_err("cannot give the terminal back")
}

/// Whether the locale says that the terminal shows more than ASCII.
fn speaks_utf8(env: &dyn Fn(&str) -> Option<String>) -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| env(name).filter(|value| !value.is_empty()))
        .is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        })
}

/// The drawing thread's own.
struct Drawing<'a> {
    link: &'a Link,
    shared: &'a Shared,
    theme: Theme,
    ascii: bool,
    unix_ms: fn() -> i64,
    recorder: Option<Arc<Recorder>>,
    history: History,
    clock: RunClock,
    pace: Pace,
    seq: u64,
}

impl Drawing<'_> {
    fn until_over(&mut self, screen: &mut Screen) -> Result<(), Report> {
        loop {
            self.take_news();
            if self.shared.gone.load(Ordering::Acquire) {
                return Err(eyre!("the terminal went away; traffic stays where it is"));
            }
            if terminal::was_lost() {
                self.link.send(Command::Interrupt(Interrupt::Screen));
                return Err(eyre!("a thread panicked; the screen was given up"));
            }
            if self.shared.suspend.swap(false, Ordering::AcqRel) {
                screen.suspend().wrap_err("cannot take the terminal again")?;
                self.link.send(Command::Continue);
                self.clock.awoke(Instant::now());
                self.pace.now();
            }
            if self.shared.resized.swap(false, Ordering::AcqRel) {
                screen.repaint().wrap_err("cannot ask the terminal for its size")?;
                self.pace.now();
            }
            let (snapshot, mut ui) = {
                let front = self.shared.front();
                (front.snapshot.clone(), front.ui.clone())
            };
            let wait = self.pace.wait(Instant::now(), (self.unix_ms)(), ui.revision);
            if !wait.is_zero() && !self.link.feed.is_over() {
                match self.pace.gather(Instant::now()).min(wait) {
                    Duration::ZERO => self.shared.bell.wait(wait),
                    gather => self.shared.bell.rest(gather),
                };
                continue;
            }
            let mut unix_ms = (self.unix_ms)();
            let clock_ms = unix_ms;
            let instant = Instant::now();
            let mut now = self.clock.now(instant);
            let mut silent = self.clock.silent(instant).filter(|_| !self.link.feed.is_over());
            if let Some(playing) = self.playing() {
                if playing.of > self.seq && !self.link.feed.is_over() {
                    // It is on its way to another place, and nearly there.
                    self.shared.bell.wait(NEARLY);
                    continue;
                }
                (now, silent) = (playing.at, None);
                if let Some(snapshot) = &snapshot {
                    unix_ms = snapshot.facts.began_unix_ms.saturating_add_unsigned(now.0);
                }
                ui.remark = ui.remark.or_else(|| playing.looked.clone());
                ui.replay = Some(playing);
            }
            let scene = screen::Scene {
                snapshot: snapshot.as_deref(),
                history: &self.history,
                ui: &ui,
                theme: &self.theme,
                ascii: self.ascii,
                now,
                unix_ms,
                silent,
                rec: self.recorder.as_ref().map_or(Light::Off, |recorder| recorder.light()),
            };
            let mut scrolled = screen::Scrolled::default();
            let give_up = || {
                self.link.feed.is_over()
                    || self.shared.gone.load(Ordering::Acquire)
                    || terminal::was_lost()
            };
            let drawn = screen.draw(|buf| scrolled = screen::draw(&scene, buf), give_up);
            if let Err(error) = drawn {
                if error.kind() == io::ErrorKind::TimedOut && self.link.feed.is_over() {
                    return Ok(());
                }
                self.shared.hang_up(self.link);
                return Err(eyre!(error).wrap_err("the terminal cannot be written"));
            }
            self.pace.drawn(Instant::now(), clock_ms, ui.revision);
            if let (Some(recorder), Some(snapshot)) = (&self.recorder, &snapshot) {
                recorder.drawn(snapshot.at);
            }
            let mut front = self.shared.front();
            let question = snapshot.as_ref().and_then(|snapshot| snapshot.question.as_ref());
            front.ui.drawn(question.map(|question| question.number), Instant::now());
            if scrolled.page > 0 {
                front.ui.settle(scrolled.lines, scrolled.page);
            }
            drop(front);
            if self.link.feed.is_over() {
                return Ok(());
            }
        }
    }

    /// How the replay stands, if this is one; keys go by what was drawn last.
    fn playing(&self) -> Option<Playing> {
        let playing = self.shared.deck.as_ref()?.playing();
        self.shared.front().ui.replay = Some(playing.clone());
        Some(playing)
    }

    /// Takes what is new from the engine, and says how soon it wants to be seen.
    fn take_news(&mut self) {
        let Some(update) = self.link.feed.since(self.seq) else { return };
        self.seq = update.seq;
        self.history.take(&update);
        let update_reset = update.reset;
        let read_at = Instant::now();
        self.clock.heard(update.snapshot.at, read_at);
        let snapshot = Arc::new(update.snapshot);
        let mut front = self.shared.front();
        self.pace.news(front.snapshot.as_deref(), &snapshot, read_at);
        // An order was obeyed: that is seen as soon as a key is.
        let stands = self.shared.deck.as_ref().map(Deck::playing);
        if stands.as_ref().is_some_and(|replay| replay.paused) {
            self.pace.stands();
        }
        let known = |replay: &Option<Playing>| replay.as_ref().map(|r| (r.paused, r.speed));
        if update_reset || known(&stands) != known(&front.ui.replay) {
            self.pace.now();
        }
        front.ui.see(&snapshot);
        front.snapshot = Some(snapshot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_decides_what_can_be_shown() {
        let with = |vars: &[(&str, &str)]| {
            let vars: Vec<_> = vars.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
            speaks_utf8(&move |name| {
                vars.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
            })
        };
        assert!(with(&[("LANG", "en_GB.UTF-8")]));
        assert!(with(&[("LC_ALL", ""), ("LANG", "C.utf8")]));
        assert!(!with(&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")]));
        assert!(!with(&[]));
    }
}
