//! `show info`: which process answered, and whether it still serves.

use super::wire::Address;
use crate::runbook::readback::{Fault, FaultKind};

/// What we want to know of the process that answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Info {
    /// Its process id; another one means a reload in between.
    pub pid: u64,
    /// Whether it is on its way out: it then answers plausibly, and serves nobody new.
    pub stopping: bool,
}

impl Info {
    /// This, unless it is an old worker's.
    pub(super) fn serving(self, address: &Address) -> Result<Self, Fault> {
        if !self.stopping {
            return Ok(self);
        }
        Err(Fault::new(
            FaultKind::OldWorker,
            format!("{address}: process {} answered, which is stopping after a reload", self.pid),
            "ask again: a new connection reaches the new process; if it does not, the socket \
             belongs to the old one only",
        ))
    }
}

/// Reads the reply to `show info`.
pub(super) fn parse(reply: &str) -> Result<Info, Fault> {
    let value = |key: &str| {
        reply.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':').map(str::trim))
    };
    let pid = value("Pid").and_then(|pid| pid.parse().ok());
    let stopping = match value("Stopping") {
        Some("0") => Some(false),
        // Before 2.0 there was no such line, and no worker to be mistaken for another.
        None => Some(false),
        Some("1") => Some(true),
        Some(_) => None,
    };
    match (pid, stopping) {
        (Some(pid), Some(stopping)) => Ok(Info { pid, stopping }),
        _ => Err(Fault::new(
            FaultKind::Garbage,
            "`show info` was answered without a process id",
            "is this HAProxy's `stats socket`? see address under [router]",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_worker_is_recognised_and_garbage_is_no_worker() {
        let old = parse("Name: HAProxy\nPid: 12\nStopping: 1\n").unwrap();
        let fault = old.serving(&Address::new("/s")).unwrap_err();
        assert_eq!(fault.kind, FaultKind::OldWorker);
        assert_eq!(parse("Pid: 12\nStopping: 0\n").unwrap(), Info { pid: 12, stopping: false });
        for garbage in ["", "Pid: many\n", "Permission denied\n", "Pid: 1\nStopping: soon\n"] {
            assert_eq!(parse(garbage).unwrap_err().kind, FaultKind::Garbage, "{garbage}");
        }
    }
}
