//! The operator's commands: run in a process group of their own, bounded in every direction.
//!
//! A command may fail, hang, fork, print what is no text, or print a million lines. None of this
//! may stop the cockpit or grow in memory: output is read as it comes, only as many lines are
//! passed on as somebody could follow, and the rest is counted. When its time is up the whole
//! group is asked to end and then killed; when the future is dropped, because the operator goes
//! back, the whole group is killed at once.
//!
//! Standard output and standard error are one pipe, so that lines stay in the order in which
//! they were printed. A command that ends well and leaves processes behind keeps them: starting
//! something is what a deploy does. One that ends in any other way does not.

mod lines;

use crate::clean::{Clean, Line, LineSplitter};
use crate::plan::{fill, placeholders};
use crate::runbook::event::{End, Ran};
use crate::runbook::readback::{Fault, FaultKind};
use crate::units::Millis;
use lines::{Flow, Tail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until};

/// How long a group that was asked to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(2);
/// How long we go on reading after the command itself has ended: what is left in the pipe comes
/// at once, what a forked process prints later is not waited for.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// Last lines that are kept for the record.
const TAIL: usize = 20;

/// A command, ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandSpec {
    /// Program and arguments; no shell unless it names one.
    pub argv: Vec<String>,
    /// Variables that are added to our environment.
    pub env: Vec<(String, String)>,
    /// How long it may run.
    pub timeout: Duration,
    /// How long its group may take to end when asked to, before it is killed.
    pub grace: Duration,
}

impl CommandSpec {
    /// A command as it is.
    pub const fn new(argv: Vec<String>, timeout: Duration) -> Self {
        Self { argv, env: Vec::new(), timeout, grace: GRACE }
    }

    /// A command of the plan for a slot: braces in `argv` are filled, and the environment says
    /// the same as `SWITCHBACK_SLOT`, `SWITCHBACK_RELEASE` and `SWITCHBACK_CURRENT`.
    pub fn for_slot(
        argv: &[String],
        slot: &str,
        release: Option<&str>,
        current: Option<&str>,
        timeout: Duration,
    ) -> Result<Self, Fault> {
        let values = [
            ("SWITCHBACK_SLOT", Some(slot)),
            ("SWITCHBACK_RELEASE", release),
            ("SWITCHBACK_CURRENT", current),
        ];
        let env = values.into_iter().filter_map(|(name, v)| Some((name.to_owned(), v?.to_owned())));
        let argv = expand(argv, slot, release, current)?;
        Ok(Self { env: env.collect(), ..Self::new(argv, timeout) })
    }
}

/// Fills `{slot}`, `{release}` and `{current}`. A release that nobody knows is a fault: a command
/// that is given nothing instead of a version may deploy anything.
pub fn expand(
    argv: &[String],
    slot: &str,
    release: Option<&str>,
    current: Option<&str>,
) -> Result<Vec<String>, Fault> {
    let value = |name: &str| match name {
        "slot" => Some(slot),
        "release" => release,
        "current" => current,
        _ => None,
    };
    for found in argv.iter().flat_map(|word| placeholders(word)) {
        let (name, key) = match found.name {
            "release" => ("release", "next"),
            "current" => ("current", "current"),
            _ => continue,
        };
        if value(name).is_none() {
            return Err(Fault::new(
                FaultKind::Local,
                format!("the command needs {{{name}}}, and it is not known"),
                format!("give --{name}, or {key} under [release]"),
            ));
        }
    }
    Ok(argv.iter().map(|word| fill(word, value)).collect())
}

/// Runs a command to its end and passes its lines on as they come.
pub async fn run(spec: &CommandSpec, lines: impl FnMut(Clean)) -> Result<Ran, Fault> {
    Ok(Running::start(spec)?.wait(lines).await)
}

/// What a command that is read as a whole printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// In which way it ended.
    pub end: End,
    /// Standard output, up to the limit that was given.
    pub out: Vec<u8>,
    /// Whether there was more of it.
    pub cut: bool,
    /// The last lines of standard error.
    pub tail: Vec<Clean>,
}

/// Runs a command to its end and returns what it printed on standard output, up to `most` bytes.
pub async fn capture(spec: &CommandSpec, most: usize) -> Result<Printed, Fault> {
    let running = Running::spawn(spec, true)?;
    let (mut out, mut cut) = (Vec::new(), false);
    let mut lines = LineSplitter::new();
    let mut errors = Tail::new(TAIL);
    let (end, _) = running
        .drive(
            |bytes| {
                let room = most - out.len();
                cut |= bytes.len() > room;
                out.extend_from_slice(&bytes[..bytes.len().min(room)]);
            },
            |bytes| lines.push_raw(bytes).into_iter().for_each(|line| errors.keep(line)),
        )
        .await;
    lines.finish_raw().into_iter().for_each(|line| errors.keep(line));
    Ok(Printed { end, out, cut, tail: errors.lines() })
}

/// A command that runs. Dropping it kills its process group.
#[derive(Debug)]
pub struct Running {
    // First, so that the group is killed before its leader is reaped and its number free again.
    group: Group,
    child: Child,
    out: pipe::Receiver,
    errors: Option<pipe::Receiver>,
    began: Instant,
    timeout: Duration,
    grace: Duration,
}

/// A process group that is killed when this is dropped, unless it was let go.
#[derive(Debug)]
struct Group(Option<Pid>);

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It fails only where nobody is left in the group, which is what we want.
            let _ = killpg(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

impl Running {
    /// Starts a command; both of its outputs are one pipe.
    pub fn start(spec: &CommandSpec) -> Result<Self, Fault> {
        Self::spawn(spec, false)
    }

    fn spawn(spec: &CommandSpec, apart: bool) -> Result<Self, Fault> {
        let Some((program, arguments)) = spec.argv.split_first() else {
            return Err(Fault::new(FaultKind::Local, "the command is empty", "see [commands]"));
        };
        let failed = |error: io::Error| cannot_start(program, &error);
        let (out, out_end) = pipe_pair().map_err(failed)?;
        let (errors, errors_end) = if apart {
            let (errors, end) = pipe_pair().map_err(failed)?;
            (Some(errors), end)
        } else {
            (None, out_end.try_clone().map_err(failed)?)
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(spec.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::from(out_end))
            .stderr(Stdio::from(errors_end))
            .process_group(0)
            .kill_on_drop(true);
        let child = command.spawn().map_err(failed)?;
        // It holds our copies of the writing ends; while it lives the pipes have no end.
        drop(command);
        let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        Ok(Self {
            group: Group(group),
            child,
            out,
            errors,
            began: Instant::now(),
            timeout: spec.timeout,
            grace: spec.grace,
        })
    }

    /// Passes the command's lines on until it ends or its time is up.
    pub async fn wait(self, mut pass: impl FnMut(Clean)) -> Ran {
        let mut lines = LineSplitter::new();
        let mut tail = Tail::new(TAIL);
        let mut flow = Flow::new(std::time::Instant::now());
        let mut take = |line: Line<'static>, pass: &mut _| {
            flow.pass(std::time::Instant::now(), &line, pass);
            tail.keep(line);
        };
        let (end, took) = self
            .drive(
                |bytes| lines.push_raw(bytes).into_iter().for_each(|line| take(line, &mut pass)),
                |_| (),
            )
            .await;
        lines.finish_raw().into_iter().for_each(|line| take(line, &mut pass));
        // How it ended is what is wanted most: the last lines are never held back.
        let tail = tail.lines();
        flow.finish_with(&tail, &mut pass);
        let took = Millis(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        Ran { end, took, tail }
    }

    /// Reads until the command ends, asks its group to end when its time is up, and kills it
    /// when it does not.
    async fn drive(
        mut self,
        mut on_out: impl FnMut(&[u8]),
        mut on_errors: impl FnMut(&[u8]),
    ) -> (End, Duration) {
        let (mut out, mut errors) = (vec![0; 32 << 10], vec![0; 4 << 10]);
        let (mut out_open, mut errors_open) = (true, self.errors.is_some());
        let mut status: Option<io::Result<ExitStatus>> = None;
        let mut took = Duration::ZERO;
        let mut timed_out = false;
        let mut next = self.began + self.timeout;
        while status.is_none() || out_open || errors_open {
            tokio::select! {
                ended = self.child.wait(), if status.is_none() => {
                    status = Some(ended);
                    took = self.began.elapsed();
                    next = Instant::now() + LAST_WORDS;
                }
                read = self.out.read(&mut out), if out_open => match read {
                    Ok(n) if n > 0 => on_out(&out[..n]),
                    _ => out_open = false,
                },
                read = read_some(self.errors.as_mut(), &mut errors), if errors_open => match read {
                    Ok(n) if n > 0 => on_errors(&errors[..n]),
                    _ => errors_open = false,
                },
                () = sleep_until(next) => {
                    if status.is_some() {
                        break;
                    }
                    self.group.signal(if timed_out { Signal::SIGKILL } else { Signal::SIGTERM });
                    next = Instant::now() + self.grace.max(Duration::from_millis(1));
                    timed_out = true;
                }
            }
        }
        let end = match status {
            _ if timed_out => End::TimedOut,
            Some(Ok(status)) => match (status.code(), status.signal()) {
                (Some(code), _) => End::Exit(code),
                (None, signal) => End::Signal(signal.unwrap_or_default()),
            },
            // Somebody else has reaped it; how it ended is lost.
            Some(Err(_)) | None => End::Exit(-1),
        };
        if end.is_good() {
            self.group.0 = None;
            if out_open {
                leave(self.out);
            }
        }
        (end, took)
    }
}

/// A process that a good command left behind would be ended by its next line if nobody held the
/// pipe: we hold it, and throw away what comes.
fn leave(mut out: pipe::Receiver) {
    tokio::spawn(async move {
        let mut thrown = vec![0; 4 << 10];
        while matches!(out.read(&mut thrown).await, Ok(n) if n > 0) {}
    });
}

async fn read_some(from: Option<&mut pipe::Receiver>, into: &mut [u8]) -> io::Result<usize> {
    match from {
        Some(pipe) => pipe.read(into).await,
        None => Ok(0),
    }
}

fn pipe_pair() -> io::Result<(pipe::Receiver, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    Ok((pipe::Receiver::from_owned_fd(reader.into())?, writer.into()))
}

fn cannot_start(program: &str, error: &io::Error) -> Fault {
    let fault = |cause: String, hint: &str| Fault::new(FaultKind::Local, cause, hint);
    match error.kind() {
        io::ErrorKind::NotFound => fault(
            format!("{program} was not found"),
            "write the program's whole path, or see whether it is installed and on PATH; a \
             script's #! line must name a program too",
        ),
        io::ErrorKind::PermissionDenied => fault(
            format!("{program} may not be run"),
            "chmod +x it, or name the program that reads it, as in [\"sh\", \"script\"]",
        ),
        _ if error.raw_os_error() == Some(nix::errno::Errno::ENOEXEC as i32) => fault(
            format!("{program} is no program that this machine can run"),
            "give a script a #! line",
        ),
        _ => fault(format!("{program} was not started: {error}"), "see [commands]"),
    }
}

#[cfg(test)]
mod tests;
