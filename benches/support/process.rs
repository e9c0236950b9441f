//! What a process has used, as the kernel counts it.

use std::fs;
use std::time::Duration;

/// What all threads of a process have used so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Time on a processor.
    pub cpu: Duration,
    /// Times that a thread left the processor, by itself or pushed: each is a wakeup later.
    pub switches: u64,
    /// The most memory that was resident at any time, in KiB.
    pub peak_kib: u64,
    /// Threads that there are now.
    pub threads: u64,
}

fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// What a process has used; nothing of it where it is gone. Threads that have ended do not count.
pub fn usage(pid: u32) -> Usage {
    let mut used = Usage::default();
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    for task in tasks {
        let read = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let (status, schedule) = (read("status"), read("schedstat"));
        let nanos = schedule.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
        used.cpu += Duration::from_nanos(nanos);
        used.switches += field(&status, "voluntary_ctxt_switches:").unwrap_or(0);
        used.switches += field(&status, "nonvoluntary_ctxt_switches:").unwrap_or(0);
        used.threads += 1;
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    used.peak_kib = field(&status, "VmHWM:").unwrap_or(0);
    used
}

/// The wakeups of each thread since the process began, by the threads' names.
pub fn by_thread(pid: u32) -> Vec<(String, u64)> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut threads: Vec<_> = tasks
        .map(|task| {
            let read = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let status = read("status");
            let switches = field(&status, "voluntary_ctxt_switches:").unwrap_or(0)
                + field(&status, "nonvoluntary_ctxt_switches:").unwrap_or(0);
            (read("comm").trim().to_owned(), switches)
        })
        .collect();
    threads.sort();
    threads
}
