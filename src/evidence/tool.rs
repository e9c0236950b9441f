//! Running the stock tools that the evidence is made with: `ssh-keygen`, `openssl`, `timedatectl`.
//!
//! A tool gets no input, a time by which it must be done, and a limit to what is read of it. It is
//! run in C's language, since its words are looked at. Where nobody is at the keyboard it is given
//! no way to ask: a tool that wants to speak to the terminal all the same is stopped by the system,
//! which is seen at once, and ended. This module knows nothing of what the tools do.

use crate::clean::Clean;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// No more than this is kept of what a tool says, in bytes.
const KEPT: u64 = 64 << 10;
/// How long a tool that was asked to end may put the terminal in order.
const GRACE: Duration = Duration::from_millis(500);
/// How long the rest of what a tool has said is waited for when it has ended.
const REST: Duration = Duration::from_millis(500);

/// Whether a tool may ask the person at the keyboard for a passphrase, a PIN or a touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// It may.
    Person,
    /// Nobody is there.
    Nobody,
}

impl Asking {
    /// By whether this process has a terminal to be typed at.
    pub fn of_this_process() -> Self {
        if io::IsTerminal::is_terminal(&io::stdin()) { Self::Person } else { Self::Nobody }
    }
}

/// What a tool said.
#[derive(Debug)]
pub(super) struct Said {
    /// Whether it ended with 0.
    pub well: bool,
    /// On its standard output.
    pub out: Vec<u8>,
    /// On its standard error, as text.
    pub err: String,
}

impl Said {
    /// The last line of its complaints, which is the cause more often than not.
    pub fn why(&self) -> Clean {
        let last = self.err.lines().rev().find(|line| !line.trim().is_empty());
        Clean::new(last.unwrap_or("it does not say why").trim())
    }
}

/// Why nothing can be had of a tool.
#[derive(Debug)]
pub(super) enum Silent {
    /// It is not installed.
    Missing,
    /// It could not be run.
    Broken(io::Error),
    /// It was not done in time, and was ended.
    TooLong,
    /// It wanted to ask, and nobody is there.
    Asks,
    /// A signal ended it, or told this process to end while it ran.
    Stopped,
}

/// While this lives, being told to end (Ctrl-C, a lost terminal) ends no process of ours, but the
/// tool that runs, and is told to whoever asks.
#[derive(Debug)]
pub struct Heeding(Vec<SigId>);

static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Begins to heed signals. One at a time.
pub fn heed() -> Heeding {
    STOP.store(false, Ordering::SeqCst);
    let on = |signal| signal_hook::flag::register(signal, Arc::clone(&STOP)).ok();
    Heeding([SIGINT, SIGTERM, SIGHUP].into_iter().filter_map(on).collect())
}

/// Whether this process was told to end while signals were heeded.
pub fn stopped() -> bool {
    STOP.load(Ordering::SeqCst)
}

impl Drop for Heeding {
    fn drop(&mut self) {
        STOP.store(false, Ordering::SeqCst);
        for id in self.0.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}

/// Runs a tool to its end, or ends it.
pub(super) fn run(
    command: &mut Command,
    asking: Asking,
    patience: Duration,
) -> Result<Said, Silent> {
    command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if asking == Asking::Nobody {
        // In a group of its own it is in the background of whatever terminal there is. Older
        // tools know nothing of the last variable, and ask only where there is a display.
        command.process_group(0);
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("SSH_ASKPASS");
        command.env("SSH_ASKPASS_REQUIRE", "never");
    }
    let begun = Instant::now();
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Silent::Missing,
        _ => Silent::Broken(error),
    })?;
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or_default());
    let out = child.stdout.take().map(listen);
    let err = child.stderr.take().map(listen);
    let well = wait(pid, asking, begun, patience)?;
    let rest = |from: Option<Receiver<Vec<u8>>>| {
        // What the tool has started may live on with its ends of the pipes.
        from.and_then(|from| from.recv_timeout(REST).ok()).unwrap_or_default()
    };
    let (out, err) = (rest(out), rest(err));
    Ok(Said { well, out, err: String::from_utf8_lossy(&err).into_owned() })
}

/// Waits for the end; says whether it was a good one.
fn wait(pid: Pid, asking: Asking, begun: Instant, patience: Duration) -> Result<bool, Silent> {
    let mut pause = Duration::from_millis(1);
    loop {
        match waitpid(pid, Some(WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED)) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(code == 0),
            Ok(WaitStatus::Signaled(..)) => return Err(Silent::Stopped),
            Ok(WaitStatus::Stopped(_, Signal::SIGTTIN | Signal::SIGTTOU))
                if asking == Asking::Nobody =>
            {
                end(pid, asking);
                return Err(Silent::Asks);
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Silent::Broken(errno.into())),
        }
        if stopped() {
            end(pid, asking);
            return Err(Silent::Stopped);
        }
        if begun.elapsed() >= patience {
            end(pid, asking);
            return Err(Silent::TooLong);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Ends a tool and, where it has a group of its own, what it has started.
fn end(pid: Pid, asking: Asking) {
    let send = |signal| match asking {
        Asking::Nobody => killpg(pid, signal),
        Asking::Person => kill(pid, signal),
    };
    if asking == Asking::Person {
        // Somebody may be asked for a passphrase: the terminal's echo is put in order first.
        let _ = send(Signal::SIGTERM);
        let asked = Instant::now();
        while asked.elapsed() < GRACE {
            match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(5)),
                _ => return,
            }
        }
    }
    let _ = send(Signal::SIGKILL);
    let _ = waitpid(pid, None);
}

/// Reads on a thread of its own, to the end or to what is kept.
fn listen(from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let mut from = from.take(KEPT);
        let _ = from.read_to_end(&mut kept);
        // The rest is passed over, so that the tool is not stuck with it.
        let _ = io::copy(&mut from.into_inner(), &mut io::sink());
        let _ = tell.send(kept);
    });
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, patience: Duration) -> Result<Said, Silent> {
        run(Command::new("sh").args(["-c", script]), Asking::Nobody, patience)
    }

    #[test]
    fn a_tool_is_heard_and_its_end_is_known() {
        let said = shell("echo out; echo first >&2; echo last >&2", Duration::from_secs(20));
        let said = said.unwrap();
        assert!(said.well);
        assert_eq!(said.out, b"out\n");
        assert_eq!(said.why().as_str(), "last");
        assert!(!shell("exit 3", Duration::from_secs(20)).unwrap().well);
        let missing = run(&mut Command::new("/nowhere/tool"), Asking::Nobody, GRACE);
        assert!(matches!(missing, Err(Silent::Missing)), "{missing:?}");
    }

    #[test]
    fn a_tool_that_goes_on_is_ended_with_what_it_has_started() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("pid");
        let script = format!("sleep 600 & echo $! > {}; wait", file.display());
        let begun = Instant::now();
        let ended = shell(&script, Duration::from_millis(300));
        assert!(matches!(ended, Err(Silent::TooLong)), "{ended:?}");
        assert!(begun.elapsed() < Duration::from_secs(30));
        let pid: i32 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
        let gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        };
        let asked = Instant::now();
        while !gone() {
            assert!(asked.elapsed() < Duration::from_secs(10), "{pid} lives on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_tool_that_says_too_much_is_not_stuck_and_not_kept() {
        let said = shell("yes | head -c 1000000", Duration::from_secs(20)).unwrap();
        assert!(said.well);
        assert_eq!(said.out.len() as u64, KEPT);
    }
}
