//! Everything that the lab measures, as its own page says it: JSON for programs and lines for
//! people. Rates and times are those of the last ten seconds; a worker's are its own users'.

use crate::lab::scenario::SLOT_NAMES;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;

/// All series at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// The moment, on the lab's own time.
    pub at_ms: u64,
    /// All users.
    pub total: UserSeries,
    /// The slots, in the plan's order.
    pub slots: [SlotSeries; 2],
    /// The database that both share.
    pub db: Db,
    /// The queue that both share.
    pub queue: Queue,
    /// The scheduler's jobs.
    pub jobs: Job,
    /// The disk that both share.
    pub disk: Disk,
    /// What users finished that is worth something: good answers of pages that write.
    pub acts_per_min: f64,
    /// Users who log in.
    pub logins_per_s: f64,
    /// How old what the cockpit gets of each series is, in milliseconds, as far as it is told.
    pub ages_ms: BTreeMap<String, u64>,
}

/// What users got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserSeries {
    /// Requests that ended in the last ten seconds.
    pub requests: u64,
    /// The same, a second.
    pub rps: f64,
    /// Percent that failed: 5xx, too late, or no answer.
    pub failed_pct: f64,
    /// Percent that were answered with each 4xx.
    pub client_errors_pct: BTreeMap<String, f64>,
    /// Median time to an answer, where there was one.
    pub p50_ms: Option<f64>,
    /// 95th percentile of it.
    pub p95_ms: Option<f64>,
    /// 99th percentile of it.
    pub p99_ms: Option<f64>,
    /// Requests that wait, long uploads among them.
    pub in_flight: u64,
    /// Those, and sockets that stay open.
    pub open_connections: u64,
}

/// One slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlotSeries {
    /// Its name.
    pub name: String,
    /// Whether something runs there.
    pub runs: Works,
    /// Its weight.
    pub weight: u32,
    /// Its users.
    pub users: UserSeries,
    /// The users of each worker, the first one first.
    pub workers: Vec<UserSeries>,
    /// What its readiness checks say.
    pub ready: Ready,
    /// Its memory.
    pub memory: Memory,
    /// Its cache.
    pub cache: Cache,
}

/// Whether something runs in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Works {
    /// Nothing.
    No,
    /// It starts.
    Starts,
    /// It serves.
    Yes,
}

/// What the readiness checks of a slot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The shallow one.
    pub shallow: bool,
    /// The deep one.
    pub deep: bool,
}

/// A slot's memory.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Megabytes that it uses.
    pub rss_mb: f64,
    /// Megabytes at which a worker is killed.
    pub limit_mb: f64,
    /// Seconds until then, where it grows.
    pub full_in_s: Option<u64>,
    /// Workers that were started anew.
    pub restarts: u64,
}

/// A slot's cache.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cache {
    /// Percent of lookups that it answers.
    pub hit_pct: f64,
}

/// The database.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Db {
    /// Connections that are open.
    pub used: u64,
    /// Connections that it admits.
    pub max: u32,
    /// Requests that wait for a connection or a lock.
    pub waiting: u64,
    /// Connections that it refused to users' requests, a second.
    pub refused_per_s: f64,
    /// Mean time of a request's reads.
    pub latency_ms: f64,
    /// Mean time for which a request waited for a lock.
    pub lock_wait_ms: f64,
}

/// The queue.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    /// Jobs that wait or run.
    pub depth: u64,
    /// Jobs that come, a second.
    pub in_per_s: f64,
    /// Jobs that are done, a second.
    pub out_per_s: f64,
    /// Seconds for which the oldest has waited.
    pub oldest_s: u64,
}

/// The scheduler's jobs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Starts of the job a minute.
    pub runs_per_min: f64,
    /// Things done twice that cannot be undone, a minute.
    pub side_effects_twice_per_min: f64,
}

/// The disk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Disk {
    /// Percent of it that is used.
    pub used_pct: f64,
    /// Percent a second by which it fills.
    pub pct_per_s: f64,
    /// Seconds until it is full, where it fills.
    pub full_in_s: Option<u64>,
}

fn ms(time: Option<f64>) -> String {
    time.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.0}"))
}

impl UserSeries {
    fn words(&self) -> String {
        let mut said = format!(
            "{} rps, {} % failed, p50/p95/p99 {}/{}/{} ms, {} in flight, {} open",
            self.rps,
            self.failed_pct,
            ms(self.p50_ms),
            ms(self.p95_ms),
            ms(self.p99_ms),
            self.in_flight,
            self.open_connections,
        );
        for (status, pct) in &self.client_errors_pct {
            // Writing into a string does not fail.
            let _ = write!(said, ", {status}: {pct} %");
        }
        said
    }
}

impl Series {
    /// All of it in lines for people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("all: {}", self.total.words())];
        for slot in &self.slots {
            let name = &slot.name;
            let word = |ready: bool| if ready { "ready" } else { "not ready" };
            let (shallow, deep) = (word(slot.ready.shallow), word(slot.ready.deep));
            lines.push(format!("{name}: {}", slot.users.words()));
            for (n, worker) in slot.workers.iter().enumerate() {
                lines.push(format!("{name} worker {}: {}", n + 1, worker.words()));
            }
            let memory = slot.memory;
            let full = memory.full_in_s.map_or_else(String::new, |s| format!(", full in {s} s"));
            lines.push(format!(
                "{name}: weight {}, {shallow}, deep check {deep}, {:.0} of {:.0} MB{full}, \
                 {} restarts, cache hit {} %",
                slot.weight, memory.rss_mb, memory.limit_mb, memory.restarts, slot.cache.hit_pct,
            ));
        }
        let (db, queue, disk) = (self.db, self.queue, self.disk);
        lines.push(format!(
            "database: {} of {} connections, {} waiting, {}/s refused, {} ms, lock wait {} ms",
            db.used, db.max, db.waiting, db.refused_per_s, db.latency_ms, db.lock_wait_ms,
        ));
        lines.push(format!(
            "queue: {} deep, {}/s in, {}/s out, oldest {} s",
            queue.depth, queue.in_per_s, queue.out_per_s, queue.oldest_s,
        ));
        let full = disk.full_in_s.map_or_else(String::new, |s| format!(", full in {s} s"));
        lines.push(format!(
            "disk {} %{full}; jobs {}/min, done twice {}/min; finished {}/min; logins {}/s",
            disk.used_pct,
            self.jobs.runs_per_min,
            self.jobs.side_effects_twice_per_min,
            self.acts_per_min,
            self.logins_per_s,
        ));
        let ages = self.ages_ms.iter().map(|(name, ms)| format!("{name} {} s", ms / 1000));
        lines.push(format!("age of what is read: {}", ages.collect::<Vec<_>>().join(", ")));
        lines
    }

    /// The most of it in one line: each slot, and what both share.
    pub fn words(&self) -> String {
        let mut lines = self.lines();
        lines.retain(|line| SLOT_NAMES.iter().all(|name| !line.starts_with(&format!("{name} w"))));
        lines.join(". ")
    }
}
