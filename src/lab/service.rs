//! One service: its processes, from the deploy through the boot to its end, and the requests
//! they can serve at once.

use super::scenario::ReleaseSpec;
use crate::units::Millis;

/// Where a process is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Nothing runs, nothing listens.
    Absent,
    /// It listens, and is not ready.
    Booting,
    /// It serves.
    Up,
}

#[derive(Debug, Clone)]
pub(super) struct Service {
    pub spec: ReleaseSpec,
    pub version: String,
    /// From when it listens, and from when it is ready.
    runs: Option<(Millis, Millis)>,
    /// When each thread is free again, in microseconds.
    threads: Vec<u64>,
    /// Whether it has opened its first connections.
    pub connected: bool,
    /// Whether its process ends as it starts, each time.
    pub dead: bool,
    /// Connection errors of this process, as it counts them itself.
    pub db_errors: u64,
}

impl Service {
    pub fn new(spec: &ReleaseSpec) -> Self {
        Self {
            spec: spec.clone(),
            version: spec.version.clone(),
            runs: None,
            threads: Vec::new(),
            connected: false,
            dead: false,
            db_errors: 0,
        }
    }

    /// A process that listens at `listens`, and is ready at `ready`.
    pub fn start(&mut self, listens: Millis, ready: Millis) {
        self.runs = Some((listens, ready));
        self.threads = vec![0; (self.spec.workers * self.spec.threads) as usize];
        self.connected = false;
        self.db_errors = 0;
    }

    pub fn stop(&mut self) {
        self.runs = None;
        self.dead = false;
    }

    /// Whether a process was started that nobody has ended.
    pub const fn was_started(&self) -> bool {
        self.runs.is_some()
    }

    /// From when it listens.
    pub fn listens(&self) -> Option<Millis> {
        self.runs.map(|(listens, _)| listens)
    }

    pub fn life(&self, at: Millis) -> Life {
        match self.runs {
            Some((_, ready)) if at >= ready => Life::Up,
            Some((listens, _)) if at >= listens => Life::Booting,
            _ => Life::Absent,
        }
    }

    /// When the next thread is free.
    pub fn next_thread(&mut self) -> Option<&mut u64> {
        self.threads.iter_mut().min()
    }

    /// Connections that it may open.
    pub const fn pool_max(&self) -> u32 {
        self.spec.workers * self.spec.pool_per_worker
    }

    /// Connections that it opens as it starts.
    pub fn pool_idle(&self) -> u32 {
        let idle = self.spec.pool_idle.unwrap_or(self.spec.pool_per_worker);
        self.spec.workers * idle.min(self.spec.pool_per_worker)
    }
}
