//! What a request gets, from its causes: the work it is, the cache, the threads, the database's
//! connections, and the faults that are at work on its slot.

use super::request::{Body, DbTimes, Fate, PATIENCE, Request, Served};
use super::{Life, World};
use crate::lab::dice::{Dice, Purpose};
use crate::lab::fault::{Fault, FaultKind};
use crate::units::{Millis, Role, Slot};

/// How long a request waits for a thread before the service turns it away.
const BACKLOG: Millis = Millis::secs(2);
/// Share of those who look for a good place after a bad one, and do not find it.
const NOT_FOUND: f64 = 0.55;

/// How a request ends that had all it needed.
struct End {
    fate: Fate,
    wrong: bool,
    session_lost: bool,
    /// When it ends, where that does not hang on the work.
    after: Option<Millis>,
}

impl End {
    const fn of(fate: Fate) -> Self {
        Self { fate, wrong: false, session_lost: false, after: None }
    }
}

impl World {
    pub(super) fn decide(&mut self, slot: Slot, request: &Request, at: Millis) -> Served {
        match self.life(slot, at) {
            Life::Absent => return Served::end(Fate::Refused, 0),
            Life::Booting => return Served::end(Fate::Answer(503), 1_000),
            Life::Up => {}
        }
        let Some(route) = request.route.and_then(|n| self.scenario.traffic.routes.get(n)) else {
            return Served::end(Fate::Answer(404), 1_000);
        };
        if request.user && self.shakes_hands_badly(slot, at) {
            return Served::end(Fate::Reset, 3_000);
        }
        let (path, db, writes) = (route.path.as_str(), route.db, route.writes());
        let effects = self.effects(slot, Some((request, path, writes)), at);
        let reads = self.reads_at(db, effects.hit, effects.cost);

        // The work itself, split between processor and database.
        let (median, spread) = self.work;
        let luck = Dice::keyed(self.seed, Purpose::Latency, request.n).normal();
        let work_us = 1000.0 * libm::exp(median + spread * luck);
        let share = self.scenario.world.db.share;
        let cpu_us = work_us * (1.0 - share) / effects.cpu_left;
        let db_us = work_us * share * effects.db_slow * reads / self.reads.max(f64::MIN_POSITIVE);
        let took_us = ((cpu_us + db_us) * effects.latency + effects.more_us) as u64;
        let took_us = took_us + effects.lock_us;

        // Waiting for a thread, then for a connection.
        let now_us = at.0 * 1000;
        let pool_max = self.services[slot.index()].pool_max();
        let end = self.ends(slot, request, path, writes, at);
        let Some(thread) = self.services[slot.index()].next_thread() else {
            return Served::end(Fate::Refused, 0);
        };
        let begins = now_us.max(*thread);
        if begins - now_us > BACKLOG.0 * 1000 {
            return Served::end(Fate::Answer(503), BACKLOG.0 * 1000);
        }
        let old = self.db.is_short()
            && Dice::keyed(self.seed, Purpose::Churn, request.n).hits(self.scenario.world.db.churn);
        let taken = if old {
            self.db.refuse()
        } else {
            self.db.take(slot, pool_max, begins, db_us as u64 + effects.lock_us)
        };
        let (fate, inside_us) = match end.fate {
            _ if !taken.got => (Fate::Answer(500), taken.wait_us + 1_000),
            fate if let Some(after) = end.after => (fate, taken.wait_us + after.0 * 1000),
            // Who hangs holds a thread until the caller gives up.
            Fate::Hang => (Fate::Hang, PATIENCE.0 * 1000),
            fate => (fate, taken.wait_us + took_us),
        };
        *thread = begins + inside_us;
        if end.session_lost {
            self.logs_in_again(slot);
        }
        Served {
            fate,
            latency_us: begins - now_us + inside_us,
            db: DbTimes { wait_us: taken.wait_us, read_us: db_us as u64, lock_us: effects.lock_us },
            body: Body::default(),
            db_refused: taken.refused,
            db_reads: reads,
            wrong: end.wrong && fate == end.fate,
            session_lost: end.session_lost,
        }
    }

    /// Whether users cannot agree on a connection with the slot.
    pub fn shakes_hands_badly(&self, slot: Slot, at: Millis) -> bool {
        self.faults.iter().any(|fault| {
            matches!(fault.spec.kind, FaultKind::TlsBad { .. })
                && self.hits(fault, slot)
                && fault.is_on(at)
        })
    }

    /// How a request ends that had all it needed.
    fn ends(&self, slot: Slot, request: &Request, path: &str, writes: bool, at: Millis) -> End {
        for fault in self.faults.iter().filter(|fault| self.hits(fault, slot)) {
            if let Some(end) = self.ends_by(fault, slot, request, path, at) {
                return end;
            }
        }
        if let Some(fate) = self.ends_slowly(slot, request, path, writes, at) {
            return End::of(fate);
        }
        let traffic = &self.scenario.traffic;
        let luck = Dice::keyed(self.seed, Purpose::Mishap, request.n).unit();
        if request.is_lost() && luck < NOT_FOUND {
            return End::of(Fate::Answer(404));
        }
        let luck = luck * 100.0;
        End::of(if luck < traffic.error_pct {
            Fate::Answer(500)
        } else if request.user && luck < traffic.error_pct + traffic.client_error_pct {
            Fate::Answer(404)
        } else {
            Fate::Answer(200)
        })
    }

    /// How a fault ends a request, if it does.
    fn ends_by(
        &self,
        fault: &Fault,
        slot: Slot,
        request: &Request,
        path: &str,
        at: Millis,
    ) -> Option<End> {
        let mut after = None;
        let (share, fate) = match &fault.spec.kind {
            FaultKind::HttpError { share, status, any: true } => {
                (*share, Fate::Answer(self.any_of(*status, fault, request)))
            }
            FaultKind::HttpError { share, status, .. } => (*share, Fate::Answer(*status)),
            FaultKind::HttpHang { share, after: Some(end) } => {
                after = Some(*end);
                (*share, Fate::Reset)
            }
            FaultKind::HttpHang { share, .. } => (*share, Fate::Hang),
            FaultKind::HttpReset { share, after: end } => {
                after = *end;
                (*share, Fate::Reset)
            }
            FaultKind::RejectAuth { younger, older, .. }
                if !self.is_of_age(*younger, *older, request) =>
            {
                return None;
            }
            FaultKind::RejectAuth { share, .. } => (*share, Fate::Answer(401)),
            FaultKind::WorkerVariant { share, .. }
            | FaultKind::VendorDown { share }
            | FaultKind::LatentTrigger { share } => (*share, Fate::Answer(500)),
            FaultKind::HttpWrongOk { share, status, probed }
                if (request.user || *probed) && !request.is_lost() =>
            {
                (*share, Fate::Answer(*status))
            }
            FaultKind::ConfigDrift { share, .. } => (share * self.load(slot), Fate::Answer(500)),
            FaultKind::ClockSkew { by } if request.user => {
                let session = self.scenario.world.session.0.max(1) as f64;
                (by.0 as f64 / session, Fate::Answer(401))
            }
            FaultKind::ClientAbuse { share, .. } if request.abuses() => (*share, Fate::Answer(500)),
            FaultKind::SessionKey
                if request.user && fault.is_on(at) && self.is_about(fault, slot, request, path) =>
            {
                let share = self.slow.unsigned[slot.index()];
                let moved = Dice::keyed(self.seed, Purpose::Session, request.n).hits(share);
                return moved.then_some(End { session_lost: true, ..End::of(Fate::Answer(401)) });
            }
            _ => return None,
        };
        let share = share * self.level(fault, slot, at);
        if share <= 0.0 || !self.is_about(fault, slot, request, path) {
            return None;
        }
        let purpose = match &fault.spec.kind {
            // Whose token is signed with a key is the same in each slot.
            FaultKind::RejectAuth { key: Some(key), .. } => Purpose::fault(key),
            _ => fault.purpose,
        };
        Dice::keyed(self.seed, purpose, request.n).hits(share).then(|| {
            let wrong = matches!(fault.spec.kind, FaultKind::HttpWrongOk { .. });
            // Whose token is refused has to log in anew.
            let session_lost = fate == Fate::Answer(401);
            End { wrong, session_lost, after, ..End::of(fate) }
        })
    }

    /// One of the statuses of a class.
    fn any_of(&self, class: u16, fault: &Fault, request: &Request) -> u16 {
        const SERVERS: [u16; 4] = [500, 502, 503, 504];
        const CLIENTS: [u16; 6] = [400, 403, 404, 409, 422, 429];
        let all: &[u16] = if class >= 500 { &SERVERS } else { &CLIENTS };
        let drawn = self.second(fault, request) * all.len() as f64;
        all.get(drawn as usize).copied().unwrap_or(class)
    }

    /// Whether the age of a user's token is one that is refused.
    fn is_of_age(&self, younger: Option<Millis>, older: Option<Millis>, request: &Request) -> bool {
        if younger.is_none() && older.is_none() {
            return true;
        }
        let luck = Dice::keyed(self.seed, Purpose::Token, request.n).unit();
        let age = Millis((luck * self.scenario.world.session.0 as f64) as u64);
        request.user
            && (younger.is_some_and(|limit| age < limit) || older.is_some_and(|limit| age > limit))
    }

    /// Whether the release in a slot cannot work with a schema.
    pub(super) fn is_left_behind(&self, versions: &[String], slot: Slot) -> bool {
        if versions.is_empty() {
            return self.role(slot) == Role::Blue;
        }
        let version = self.version(slot);
        !versions.iter().any(|known| known == version)
    }

    /// How a request ends because of what has grown: a full disk, bad cache entries, memory, a
    /// schema that the release does not know, consumers that crash, a herd.
    fn ends_slowly(
        &self,
        slot: Slot,
        request: &Request,
        path: &str,
        writes: bool,
        at: Millis,
    ) -> Option<Fate> {
        if writes && self.slow.disk_pct >= 100.0 {
            return Some(Fate::Answer(500));
        }
        let mut luck = None;
        for fault in &self.faults {
            let share = match &fault.spec.kind {
                FaultKind::CachePoison { share, .. } => share * self.slow.poisoned,
                FaultKind::MemLeak { share, .. } if self.is_short_of_a_worker(slot, at) => {
                    if self.hits(fault, slot) { *share } else { 0.0 }
                }
                FaultKind::SchemaMigrate { contract: true, share, versions }
                    if self.is_left_behind(versions, slot) && fault.began(at).is_some() =>
                {
                    *share
                }
                FaultKind::QueueFormat { share, .. } if self.slow.crashing == Some(slot) => *share,
                FaultKind::ConnPinned { share, .. } if self.slow.herd_until > at => {
                    share * self.slow.herd
                }
                _ => continue,
            };
            if !self.is_about(fault, slot, request, path) {
                continue;
            }
            let luck =
                luck.get_or_insert_with(|| Dice::keyed(self.seed, fault.purpose, request.n).unit());
            if *luck < share {
                return Some(Fate::Answer(500));
            }
        }
        None
    }
}
