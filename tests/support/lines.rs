//! The built program without a terminal: what it prints, how it ends, and signals.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Nothing that a story waits for takes longer.
pub const DEADLINE: Duration = Duration::from_secs(45);

/// The program, running. Dropping it ends it.
#[derive(Debug)]
pub struct Lines {
    child: Child,
    printed: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Lines {
    /// Starts it; both outputs are kept as one text.
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let printed = Arc::new(Mutex::new(String::new()));
        let out = child.stdout.take().map(|out| keep(out, &printed));
        let err = child.stderr.take().map(|err| keep(err, &printed));
        Self { child, printed, readers: out.into_iter().chain(err).collect() }
    }

    /// What it has printed so far.
    pub fn printed(&self) -> String {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it has printed this.
    pub fn expect(&mut self, text: &str) -> &mut Self {
        let began = Instant::now();
        while !self.printed().contains(text) {
            let ended = self.child.try_wait().unwrap().is_some();
            assert!(
                began.elapsed() < DEADLINE && (!ended || self.settled().contains(text)),
                "never printed `{text}`, ended: {ended}; printed:\n{}",
                self.printed()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        self
    }

    fn settled(&mut self) -> String {
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        self.printed()
    }

    /// The most memory that it has had so far, in MiB; nothing once it has ended.
    pub fn peak_mib(&self) -> Option<u64> {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Waits for its end: exit code, and everything that it printed.
    pub fn end(mut self) -> (i32, String) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code().unwrap_or(-1), self.settled());
            }
            assert!(began.elapsed() < 2 * DEADLINE, "it does not end:\n{}", self.printed());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keep(mut from: impl Read + Send + 'static, into: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        let mut bytes = [0; 8192];
        while let Ok(n) = from.read(&mut bytes) {
            if n == 0 {
                return;
            }
            let text = String::from_utf8_lossy(&bytes[..n]);
            into.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
        }
    })
}
