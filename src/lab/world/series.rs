//! Everything that the lab measures at one moment: of the users, slot by slot and worker by
//! worker, and of what the services use. Rates and times are those of the last ten seconds.
//!
//! It is the site's own page, made from the services' logs: what is wrong with the counters that
//! the cockpit reads does not touch it, but it says how old those are.

use super::lately::{SPAN, Visit};
use super::request::Fate;
use super::{Life, Vision, World};
use crate::lab::series::{
    Cache, Db, Disk, Job, Memory, Queue, Ready, Series, SlotSeries, UserSeries, Works,
};
use crate::units::{Millis, Slot};
use std::collections::BTreeMap;

/// The value at a share of a sorted list.
fn at_share(sorted: &[u64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    Some(sorted[(last as f64 * share) as usize] as f64 / 1000.0)
}

/// A number with one digit after the point.
fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl World {
    /// Everything that is measured at `at`.
    pub fn series(&self, at: Millis) -> Series {
        // A look must leave no trace, and some gauges are brought up to the time as they are read.
        let mut world = self.clone();
        world.settle(at);
        world.measure(at)
    }

    fn measure(&mut self, at: Millis) -> Series {
        let slots = Slot::BOTH.map(|slot| self.slot_series(slot, at));
        let db = self.db_series(at);
        let (now, then) = (self.counted(at), self.lately.then(at, SPAN));
        let secs = (at.since(then.at).0 as f64 / 1000.0).max(1.0);
        let rate = |now: u64, then: u64| tenth(now.saturating_sub(then) as f64 / secs);
        let minute = self.lately.then(at, Millis::secs(60));
        let minutes = (at.since(minute.at).0 as f64 / 60_000.0).max(1.0 / 60.0);
        let twice = if self.slow.twice { 2 } else { 1 };
        let queue = Queue {
            depth: self.queue.depth(at),
            in_per_s: rate(now.jobs_in, then.jobs_in),
            out_per_s: rate(now.jobs_out, then.jobs_out),
            oldest_s: self.queue.oldest(at).0 / 1000,
        };
        let ticks = (now.ticks - minute.ticks) as f64 / minutes;
        let twice_done = now.duplicates.saturating_sub(minute.duplicates) as f64 / minutes;
        let jobs = Job {
            runs_per_min: tenth(ticks * f64::from(twice)),
            side_effects_twice_per_min: tenth(twice_done),
        };
        let (good, logins) = self.finished(at);
        let span = SPAN.0.min(at.0.max(1)) as f64 / 60_000.0;
        let sessions = f64::from(self.scenario.world.sessions) * 1000.0;
        let usual = sessions / self.scenario.world.session.0.max(1) as f64;
        Series {
            at_ms: at.0,
            total: self.users_of(self.ended(at), at, None),
            slots,
            db,
            queue,
            jobs,
            disk: Disk {
                used_pct: tenth(self.slow.disk_pct),
                pct_per_s: self.slow.disk_fills,
                full_in_s: (self.slow.disk_fills > 0.0)
                    .then(|| ((100.0 - self.slow.disk_pct) / self.slow.disk_fills) as u64),
            },
            acts_per_min: tenth(good / span),
            logins_per_s: tenth(usual + logins / (span * 60.0)),
            ages_ms: self.ages(at),
        }
    }

    /// What users finished in the last seconds that is worth something (answers that were good and
    /// right, to pages that write where there are such), and how many had to log in anew.
    fn finished(&self, at: Millis) -> (f64, f64) {
        let routes = &self.scenario.traffic.routes;
        let any = routes.iter().any(|route| route.writes());
        let counts = |visit: &&Visit| {
            let route = visit.request.route.and_then(|n| routes.get(n));
            let served = &visit.served;
            let good = matches!(served.fate, Fate::Answer(200..400));
            good && !served.wrong && !served.failed() && route.is_some_and(|r| !any || r.writes())
        };
        let good = self.ended(at).filter(counts).count() as f64;
        let logins = self.ended(at).filter(|visit| visit.served.session_lost).count() as f64;
        (good, logins)
    }

    /// What is measured of some of the users; `workers` of a slot share what it holds open.
    pub(super) fn users_of<'a>(
        &self,
        visits: impl Iterator<Item = &'a Visit>,
        at: Millis,
        of: Option<(Slot, Option<u32>)>,
    ) -> UserSeries {
        let secs = (SPAN.0.min(at.0.max(1)) as f64 / 1000.0).max(0.001);
        let (mut all, mut failed) = (0_u64, 0_u64);
        let mut client_errors: BTreeMap<String, u64> = BTreeMap::new();
        let mut times = Vec::new();
        for visit in visits {
            all += 1;
            failed += u64::from(visit.served.failed());
            if let Fate::Answer(status @ 400..500) = visit.served.fate {
                *client_errors.entry(status.to_string()).or_default() += 1;
            }
            if let Fate::Answer(_) = visit.served.fate {
                times.push(visit.served.latency_us);
            }
        }
        times.sort_unstable();
        let waits = self.lately.visits().filter(|visit| {
            let here = of.is_none_or(|(slot, worker)| {
                visit.slot == slot
                    && worker.is_none_or(|worker| self.worker(slot, &visit.request) == worker)
            });
            here && visit.waits(at)
        });
        let in_flight = waits.count() as u64;
        let besides = match of {
            Some((_, Some(_))) => [0, 0],
            Some((slot, None)) => [self.uploads(slot), self.sockets(slot)],
            None => Slot::BOTH
                .map(|slot| [self.uploads(slot), self.sockets(slot)])
                .into_iter()
                .fold([0, 0], |sum, more| [sum[0] + more[0], sum[1] + more[1]]),
        };
        let pct = |count: u64| tenth(100.0 * count as f64 / all.max(1) as f64);
        UserSeries {
            requests: all,
            rps: tenth(all as f64 / secs),
            failed_pct: pct(failed),
            client_errors_pct: client_errors.into_iter().map(|(k, n)| (k, pct(n))).collect(),
            p50_ms: at_share(&times, 0.5).map(tenth),
            p95_ms: at_share(&times, 0.95).map(tenth),
            p99_ms: at_share(&times, 0.99).map(tenth),
            in_flight: in_flight + besides[0],
            open_connections: in_flight + besides[0] + besides[1],
        }
    }

    fn slot_series(&mut self, slot: Slot, at: Millis) -> SlotSeries {
        let i = slot.index();
        let life = self.life(slot, at);
        let users =
            self.users_of(self.ended(at).filter(|v| v.slot == slot), at, Some((slot, None)));
        let workers = 1..=self.services[i].spec.workers;
        let workers = workers
            .map(|worker| {
                let its = self
                    .ended(at)
                    .filter(|v| v.slot == slot && self.worker(slot, &v.request) == worker);
                self.users_of(its, at, Some((slot, Some(worker))))
            })
            .collect();
        let (mb, limit) = (self.slow.memory_mb[i], self.scenario.world.memory.limit_mb);
        let leak = self.slow.leak[i];
        let hit = self.effects(slot, None, at).hit;
        SlotSeries {
            name: crate::lab::scenario::SLOT_NAMES[i].to_owned(),
            runs: match life {
                Life::Absent => Works::No,
                Life::Booting => Works::Starts,
                Life::Up => Works::Yes,
            },
            weight: self.weights()[i],
            users,
            workers,
            ready: Ready {
                shallow: self.readiness(slot, at).is_some_and(|ready| ready.ready()),
                deep: self.deep_readiness(slot, at).is_some_and(|ready| ready.ready()),
            },
            memory: Memory {
                rss_mb: tenth(mb),
                limit_mb: limit,
                full_in_s: (leak > 0.0).then(|| ((limit - mb) / leak).max(0.0) as u64),
                restarts: self.slow.restarts[i],
            },
            cache: Cache { hit_pct: tenth(100.0 * hit) },
        }
    }

    fn db_series(&self, at: Millis) -> Db {
        let (mut n, mut read_us, mut lock_us, mut refused) = (0_u64, 0, 0, 0);
        for visit in self.ended(at) {
            n += 1;
            read_us += visit.served.db.read_us;
            lock_us += visit.served.db.lock_us;
            refused += u64::from(visit.served.db_refused);
        }
        let mean = |us: u64| tenth(us as f64 / 1000.0 / n.max(1) as f64);
        let waiting = self.lately.visits().filter(|visit| {
            let waits = Millis((visit.served.db.wait_us + visit.served.db.lock_us) / 1000);
            visit.at <= at && visit.at + waits > at
        });
        Db {
            used: self.db.open() as u64,
            max: self.scenario.world.db.max_connections,
            waiting: waiting.count() as u64,
            refused_per_s: tenth(refused as f64 / (SPAN.0.min(at.0.max(1)) as f64 / 1000.0)),
            latency_ms: mean(read_us),
            lock_wait_ms: mean(lock_us),
        }
    }

    /// How old what the cockpit gets of each series is, as far as it is told.
    pub fn ages(&self, at: Millis) -> BTreeMap<String, u64> {
        let blind = self.faults.iter().rfind(|fault| {
            fault.is_on(at) && fault.spec.visible && fault.spec.kind.is_of_the_counters()
        });
        let since = blind.and_then(|fault| fault.began(at)).map_or(0, |began| at.since(began).0);
        let users = match self.vision(at) {
            _ if blind.is_none() => 0,
            Vision::Clear | Vision::Wrong(_) => 0,
            Vision::Frozen | Vision::Gap => since,
            Vision::Late(by) => by.0,
        };
        let own = ["readiness", "memory", "db", "queue", "cache", "disk", "jobs"];
        let mut ages: BTreeMap<_, _> = own.map(|name| (name.to_owned(), 0)).into();
        ages.insert("users".to_owned(), users);
        ages
    }
}
