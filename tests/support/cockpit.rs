//! The built program in a real terminal: keys go in, and what a person would see comes out.

use super::lines::DEADLINE;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A terminal with the program in it. Dropping it ends the program.
pub struct Cockpit {
    child: Box<dyn Child + Send + Sync>,
    terminal: Option<Terminal>,
    seen: Arc<Mutex<vt100::Parser>>,
    /// Every byte that reached the terminal.
    raw: Arc<Mutex<Vec<u8>>>,
    let_go: Arc<AtomicBool>,
    asleep: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
}

impl Cockpit {
    /// Opens a terminal of so many columns and rows and runs a command line in it.
    pub fn open(argv: &[String], env: &[(String, String)], (cols, rows): (u16, u16)) -> Self {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(&argv[0]);
        command.args(&argv[1..]);
        command.env_clear();
        for (name, value) in env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut from = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let seen = Arc::new(Mutex::new(vt100::Parser::new(
            rows.try_into().unwrap(),
            cols.try_into().unwrap(),
            0,
        )));
        let let_go = Arc::new(AtomicBool::new(false));
        let asleep = Arc::new(AtomicBool::new(false));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let keeps = Arc::clone(&raw);
        let (of_reader, gone) = (Arc::clone(&seen), Arc::clone(&let_go));
        let sleeps = Arc::clone(&asleep);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 16384];
            while let Ok(n) = from.read(&mut bytes) {
                while sleeps.load(Ordering::SeqCst) && !gone.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                if n == 0 || gone.load(Ordering::SeqCst) {
                    return;
                }
                let mut kept = keeps.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&bytes[..n]);
                drop(kept);
                of_reader.lock().unwrap_or_else(PoisonError::into_inner).process(&bytes[..n]);
            }
        });
        let terminal = Some(Terminal { master: pair.master, keys });
        Self { child, terminal, seen, raw, let_go, asleep, reader: Some(reader) }
    }

    fn seen(&self) -> MutexGuard<'_, vt100::Parser> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every byte that has reached the terminal so far.
    pub fn raw(&self) -> Vec<u8> {
        self.raw.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What stands on the screen.
    pub fn screen(&self) -> String {
        self.seen().screen().contents()
    }

    /// Waits until the screen is as wanted; says what never came.
    pub fn until(&mut self, what: &str, is_so: impl Fn(&str) -> bool) -> &mut Self {
        let began = Instant::now();
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return self;
            }
            let ended = self.child.try_wait().unwrap();
            if let (Some(_), Some(reader)) = (&ended, self.reader.take_if(|_| ended.is_some())) {
                let _ = reader.join();
                continue;
            }
            assert!(
                began.elapsed() < DEADLINE && ended.is_none(),
                "never seen: {what}; ended: {ended:?}; on the screen:\n{screen}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until this stands on the screen.
    pub fn expect(&mut self, text: &str) -> &mut Self {
        self.until(text, |screen| screen.contains(text))
    }

    /// Waits until this does not stand on the screen.
    pub fn expect_no(&mut self, text: &str) -> &mut Self {
        self.until(&format!("no {text}"), |screen| !screen.contains(text))
    }

    /// Presses keys.
    pub fn key(&mut self, keys: &str) -> &mut Self {
        let terminal = self.terminal.as_mut().unwrap();
        terminal.keys.write_all(keys.as_bytes()).unwrap();
        terminal.keys.flush().unwrap();
        self
    }

    /// Answers the question that stands on the screen with yes.
    pub fn yes(&mut self, question: &str) -> &mut Self {
        self.until(question, |screen| screen.contains(question) && screen.contains("y yes: "));
        loop {
            self.key("y");
            // A question that comes just as somebody types is not answered by what they typed.
            self.until("the question answered", |screen| {
                !screen.contains("y yes: ") || screen.contains("press again")
            });
            if !self.screen().contains("y yes: ") {
                return self;
            }
        }
    }

    /// Answers the question that stands on the screen with no, once it counts as read.
    pub fn no(&mut self, question: &str) -> &mut Self {
        self.until(question, |screen| screen.contains(question) && screen.contains("y yes: "));
        while self.screen().contains("y yes: ") {
            self.key("\u{1b}");
            // Each on its own: two at once would be another key.
            let pressed = Instant::now();
            while pressed.elapsed() < Duration::from_millis(400)
                && self.screen().contains("y yes: ")
            {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        self
    }

    /// Begins the drill whose brief is on the screen.
    pub fn begin_drill(&mut self) -> &mut Self {
        self.expect("space begins the flight").key(" ").expect("press space to deploy")
    }

    /// Answers nothing after a drill, and leaves its debrief.
    pub fn end_drill(&mut self) -> &mut Self {
        self.expect("before anything is told").key("\u{1b}").expect("DEBRIEF").key("q")
    }

    /// Sends so much to Green, as soon as the gate opens.
    pub fn send(&mut self, percent: u32) -> &mut Self {
        let (ready, question) =
            (format!("press space to send {percent} %"), format!("Send {percent} % of users"));
        self.until(&ready, |screen| {
            screen.contains(&ready) && !screen.contains(&format!("then {ready}"))
        });
        self.key(" ").yes(&question)
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid().try_into().unwrap()), signal).unwrap();
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        self.child.wait().unwrap();
    }

    /// Gives the window another size.
    pub fn resize(&mut self, (cols, rows): (u16, u16)) -> &mut Self {
        self.seen().screen_mut().set_size(rows.try_into().unwrap(), cols.try_into().unwrap());
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        self.terminal.as_ref().unwrap().master.resize(size).unwrap();
        self
    }

    /// Takes no more bytes from the program, as a line that hangs does; or takes them again.
    pub fn freeze(&self, freeze: bool) {
        self.asleep.store(freeze, Ordering::SeqCst);
    }

    /// Closes the terminal's window: whatever runs in it is hung up.
    pub fn hang_up(&mut self) {
        self.let_go.store(true, Ordering::SeqCst);
        // The reader lets go at the next bytes: a screen that is drawn anew sends some.
        self.key("\u{c}");
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.terminal = None;
    }

    /// Waits for the program's end.
    pub fn exit_code(&mut self) -> u32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                if let Some(reader) = self.reader.take() {
                    let _ = reader.join();
                }
                assert!(status.signal().is_none(), "{status:?}; on the screen:\n{}", self.screen());
                return status.exit_code();
            }
            let screen = self.screen();
            assert!(began.elapsed() < DEADLINE, "it does not end; on the screen:\n{screen}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether the terminal is as a shell left it: no alternate screen, a cursor, no bracketed
    /// paste, and lines that are edited and echoed.
    pub fn is_given_back(&self) -> Result<(), String> {
        let seen = self.seen();
        let screen = seen.screen();
        let modes = [
            ("the alternate screen is on", screen.alternate_screen()),
            ("the cursor is hidden", screen.hide_cursor()),
            ("bracketed paste is on", screen.bracketed_paste()),
            ("raw mode is on", self.is_raw()),
        ];
        match modes.iter().find(|(_, wrong)| *wrong) {
            Some((what, _)) => Err(format!("{what}; on the screen:\n{}", screen.contents())),
            None => Ok(()),
        }
    }

    /// Whether the terminal is in raw mode.
    pub fn is_raw(&self) -> bool {
        let Some(terminal) = &self.terminal else { return false };
        let modes = terminal.master.get_termios().unwrap();
        let local = format!("{:?}", modes.local_flags);
        !(local.contains("ICANON") && local.contains("ECHO"))
    }
}

impl Drop for Cockpit {
    fn drop(&mut self) {
        // The terminal library's own `kill` only hangs up, which the program outlives a while.
        if let (Ok(None), Some(pid)) = (self.child.try_wait(), self.child.process_id()) {
            let _ = kill(Pid::from_raw(pid as i32), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}
