//! What runs in a slot, and the seconds that are measured of it.

use switchback::clean::Clean;
use switchback::signal::{Histogram, Origin, Sample};
use switchback::units::{Millis, Role};

/// How a slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Ready, and answers well.
    Well,
    /// Runs, and says that it is not ready.
    Unready,
    /// Ready, and fails this share of all requests, in percent.
    Failing(u64),
    /// Ready, and answers slowly.
    Slow,
    /// Nothing runs there.
    Gone,
    /// Nobody hears anything of it, not even that it is gone.
    Silent,
}

/// A slot of the world.
#[derive(Debug, Clone)]
pub struct SlotWorld {
    pub health: Health,
    pub release: Option<String>,
    /// How it is once it has been deployed to.
    pub after_deploy: Health,
    /// What is left of a share of requests that was no whole number.
    carry: [u64; 2],
}

impl SlotWorld {
    pub fn running(release: &str) -> Self {
        Self {
            health: Health::Well,
            release: Some(release.to_owned()),
            after_deploy: Health::Well,
            carry: [0; 2],
        }
    }

    pub fn empty() -> Self {
        Self { health: Health::Gone, release: None, ..Self::running("") }
    }

    /// A release was deployed.
    pub fn starts(&mut self, release: &str) {
        self.health = self.after_deploy;
        self.release = Some(release.to_owned());
    }

    pub fn answers(&self) -> bool {
        !matches!(self.health, Health::Gone | Health::Silent)
    }

    fn fails_percent(&self) -> u64 {
        match self.health {
            Health::Well | Health::Slow => 0,
            Health::Failing(percent) => percent,
            Health::Unready | Health::Gone | Health::Silent => 100,
        }
    }

    /// So many percent of so many, in whole numbers that add up over time.
    fn share(&mut self, which: usize, of: u64, percent: u64) -> u64 {
        self.carry[which] += of * percent;
        let whole = self.carry[which] / 100;
        self.carry[which] %= 100;
        whole
    }

    fn times(&self, answered: u64) -> Histogram {
        let mut times = Histogram::default();
        if answered > 0 {
            times.add(if self.health == Health::Slow { 900.0 } else { 30.0 }, answered);
        }
        times
    }

    /// The second that our own requests saw.
    pub fn probes(&mut self, at: Millis, role: Role, every: Millis) -> Option<Sample> {
        if self.health == Health::Silent {
            return None;
        }
        let checks = (1000 / every.0.max(1)).max(1);
        let percent = self.fails_percent();
        let ready = !matches!(self.health, Health::Unready | Health::Gone);
        let answered = if self.answers() { checks } else { 0 };
        Some(Sample {
            requests: Some(checks),
            failed: Some(self.share(0, checks, percent)),
            client_errors: Some(0),
            latency_ms: Some(self.times(answered)),
            checks: Some(checks),
            unready: Some(if ready { 0 } else { checks }),
            ready: Some(ready),
            why: (!ready).then(|| Clean::new("readyz says 503")),
            release: self.release.as_deref().filter(|_| self.answers()).map(Clean::new),
            ..Sample::empty(at, role.into(), Origin::Probes)
        })
    }

    /// The second that users saw: `hundredths` are requests times their share in percent.
    pub fn users(
        &mut self,
        at: Millis,
        role: Role,
        hundredths: u64,
        in_flight: Option<u64>,
    ) -> Sample {
        let requests = hundredths / 100;
        let percent = self.fails_percent();
        let answered = if self.answers() { requests } else { 0 };
        Sample {
            requests: Some(requests),
            failed: Some(self.share(1, requests, percent)),
            client_errors: Some(0),
            latency_ms: Some(self.times(answered)),
            in_flight,
            ..Sample::empty(at, role.into(), Origin::Users)
        }
    }
}
