//! The real program in a terminal of ours, which says when what was on the screen.
//!
//! A thread reads what the program writes and takes the time at which each piece came, before it
//! is understood: the time that our terminal takes to draw is not the program's.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What begins a frame: the program asks the terminal to show it whole.
const FRAME: &[u8] = b"\x1b[?2026h";

type Waited = Box<dyn Fn(&str) -> bool + Send>;

struct Heard {
    screen: vt100::Parser,
    bytes: u64,
    frames: u64,
    /// The end of the last piece, where a mark may have begun.
    tail: Vec<u8>,
    waited: Option<Waited>,
    came: Option<Instant>,
    over: bool,
}

/// The program in its terminal. Dropping it kills the program.
pub struct Pty {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    _master: Box<dyn MasterPty + Send>,
    heard: Arc<(Mutex<Heard>, Condvar)>,
    /// The program's process.
    pub pid: u32,
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pty {
    /// Starts the program in a directory, on a screen of this many columns and rows.
    pub fn start(args: &[&str], directory: &Path, (columns, rows): (u16, u16)) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_switchback"));
        command.args(args);
        command.cwd(directory);
        for (name, value) in
            [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8")]
        {
            command.env(name, value);
        }
        command.env("XDG_STATE_HOME", directory);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let pid = child.process_id().unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let heard = Heard {
            screen: vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0),
            bytes: 0,
            frames: 0,
            tail: Vec::new(),
            waited: None,
            came: None,
            over: false,
        };
        let heard = Arc::new((Mutex::new(heard), Condvar::new()));
        let of_thread = Arc::clone(&heard);
        std::thread::spawn(move || {
            let mut piece = vec![0; 1 << 16];
            loop {
                let read = reader.read(&mut piece).unwrap_or(0);
                let came = Instant::now();
                let mut heard = lock(&of_thread.0);
                heard.take(&piece[..read], came);
                of_thread.1.notify_all();
                if read == 0 {
                    return;
                }
            }
        });
        Self { child, writer, _master: pair.master, heard, pid }
    }

    /// Presses keys; gives the instant before they were written.
    pub fn press(&mut self, keys: &str) -> Instant {
        let at = Instant::now();
        self.writer.write_all(keys.as_bytes()).unwrap();
        at
    }

    /// Says what to wait for; ask before what brings it is done.
    pub fn expect(&self, shown: impl Fn(&str) -> bool + Send + 'static) {
        let mut heard = lock(&self.heard.0);
        heard.came = heard.shows(&shown).then(Instant::now);
        heard.waited = Some(Box::new(shown));
    }

    /// Waits for what is expected; gives the instant at which its last byte came.
    pub fn came(&self, patience: Duration) -> Option<Instant> {
        let heard = lock(&self.heard.0);
        let (heard, _) = self
            .heard
            .1
            .wait_timeout_while(heard, patience, |heard| heard.came.is_none() && !heard.over)
            .unwrap_or_else(PoisonError::into_inner);
        heard.came
    }

    /// Waits until a text is on the screen.
    ///
    /// # Panics
    /// Where it does not come; with what is there instead.
    pub fn until(&self, text: &'static str) -> Instant {
        self.expect(move |screen| screen.contains(text));
        let came = self.came(Duration::from_secs(30));
        came.unwrap_or_else(|| panic!("{text:?} never came:\n{}", self.screen()))
    }

    /// What is on the screen.
    pub fn screen(&self) -> String {
        lock(&self.heard.0).screen.screen().contents()
    }

    /// Bytes and frames that came so far.
    pub fn written(&self) -> (u64, u64) {
        let heard = lock(&self.heard.0);
        (heard.bytes, heard.frames)
    }
}

impl Heard {
    fn take(&mut self, piece: &[u8], came: Instant) {
        self.over = piece.is_empty();
        self.bytes += piece.len() as u64;
        self.tail.extend_from_slice(piece);
        self.frames +=
            self.tail.windows(FRAME.len()).filter(|bytes| *bytes == FRAME).count() as u64;
        let keep = self.tail.len().min(FRAME.len() - 1);
        self.tail.drain(..self.tail.len() - keep);
        self.screen.process(piece);
        if self.came.is_none()
            && self.waited.as_ref().is_some_and(|shown| shown(&self.screen.screen().contents()))
        {
            self.came = Some(came);
        }
    }

    fn shows(&self, shown: &dyn Fn(&str) -> bool) -> bool {
        shown(&self.screen.screen().contents())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
