//! The users on their way: who comes, where the proxy sends them, what is counted of what they
//! got, and who tries again.

use super::lately::Visit;
use super::request::{ABUSE, ATTEMPT, LOST, PROBES_FROM};
use super::{Arrival, Fate, Life, Request, Served, World};
use crate::lab::anchor::Anchor;
use crate::lab::dice::{Dice, Purpose};
use crate::lab::fault::FaultKind;
use crate::units::{Millis, Role, Slot};

/// Share of those who were sent to a bad place who look for a good one.
const FOLLOW: f64 = 0.56;
/// As many places as any split could need.
const PLACES: f64 = 65_536.0;

impl World {
    /// When the next user arrives.
    pub fn next_arrival(&self) -> Millis {
        self.traffic.next_at()
    }

    /// The users who arrive up to `at`, in order.
    pub fn arrivals_until(&mut self, at: Millis) -> impl Iterator<Item = Arrival> + '_ {
        std::iter::from_fn(move || self.traffic.next_until(at))
    }

    /// Where the proxy sends the user of this number; nowhere if no slot has weight.
    pub fn route_of(&self, user: u64) -> Option<Slot> {
        let user = user % PROBES_FROM;
        // Whoever tries again would have their first try's place, and so its slot, for ever.
        let place = match user >> ATTEMPT {
            0 => user,
            _ => (Dice::keyed(self.seed, Purpose::Again, user).unit() * PLACES) as u64,
        };
        self.sticky(user).or_else(|| self.balance.of(place))
    }

    /// Where the proxy sends the next request that no user made; nowhere if no slot has weight.
    pub fn route(&mut self) -> Option<Slot> {
        self.sent += 1;
        self.sticky(PROBES_FROM + self.sent).or_else(|| self.balance.choose())
    }

    /// The slot to which whoever has this number comes by an old address.
    fn sticky(&self, n: u64) -> Option<Slot> {
        for fault in &self.faults {
            let FaultKind::StickyDns { share, ttl } = fault.spec.kind else { continue };
            let Some(began) = fault.began(self.now).filter(|_| fault.is_on(self.now)) else {
                continue;
            };
            let age = self.now.since(began).0 as f64 / ttl.0.max(1) as f64;
            let share = share * fault.size() * libm::exp(-age);
            if Dice::keyed(self.seed, Purpose::Sticky, n).hits(share) {
                return Slot::BOTH.into_iter().find(|slot| self.hits(fault, *slot));
            }
        }
        None
    }

    /// The route at this path.
    pub fn route_at(&self, path: &str) -> Option<usize> {
        self.scenario.traffic.routes.iter().position(|route| route.path == path)
    }

    /// The path of the route of this number.
    pub(super) fn path(&self, route: usize) -> &str {
        self.scenario.traffic.routes.get(route).map_or("", |route| route.path.as_str())
    }

    /// The request of a user whom the caller knows by number and route.
    pub fn user(&self, n: u64, route: Option<usize>) -> Request {
        Request { n: n % PROBES_FROM, route, user: true }
    }

    /// A request that no user made, such as a probe.
    pub fn probe(&mut self, route: Option<usize>) -> Request {
        self.probes += 1;
        Request { n: self.probes, route, user: false }
    }

    /// A user got nowhere: no slot had weight, or there was no room.
    pub fn lose(&mut self) {
        self.tally.lost += 1;
    }

    /// Plays the users who arrive up to `at`: each is routed and served on arrival. This is the
    /// whole front, where no sockets are wanted.
    pub fn play_until(&mut self, at: Millis) -> Vec<(Arrival, Slot, Served)> {
        let mut played = Vec::new();
        while let Some(arrival) = self.traffic.next_until(at) {
            match self.route_of(arrival.n) {
                Some(slot) => {
                    let served = self.serve(slot, &arrival.into(), arrival.at);
                    played.push((arrival, slot, served));
                }
                None => self.lose(),
            }
        }
        self.settle(at);
        played
    }

    /// What a request gets from a slot at its arrival.
    pub fn serve(&mut self, slot: Slot, request: &Request, at: Millis) -> Served {
        self.settle(at);
        let green = self.role(slot) == Role::Green;
        if !request.user
            && green
            && self.anchors.seen(&Anchor::Soak).is_none()
            && self.life(slot, at) == Life::Up
        {
            self.note(Anchor::Soak, at);
        }
        let mut served = self.decide(slot, request, at);
        self.carry(slot, request, &mut served, at);
        if served.db_refused {
            self.services[slot.index()].db_errors += 1;
        }
        if !request.user {
            return served;
        }
        self.lately.visit(Visit { request: *request, slot, at, served });
        let slow_us = self.scenario.traffic.slow_over.0 * 1000;
        let answered = matches!(served.fate, Fate::Answer(200..400)) && !served.failed();
        let counts = &mut self.tally.slots[slot.index()];
        counts.requests += 1;
        counts.failed += u64::from(served.failed());
        counts.client_errors += u64::from(matches!(served.fate, Fate::Answer(400..500)));
        counts.slow += u64::from(answered && served.latency_us > slow_us);
        counts.db_refused += u64::from(served.db_refused);
        counts.wrong += u64::from(served.wrong);
        counts.sessions_lost += u64::from(served.session_lost);
        counts.abusive += u64::from(request.abuses() && served.failed());
        if served.failed() || served.wrong {
            self.comes_again(slot, request, &served, at);
        } else if answered {
            self.leave_job(slot, request, at);
        }
        served
    }

    fn leave_job(&mut self, slot: Slot, request: &Request, at: Millis) {
        let jobs = self.scenario.world.queue.in_per_s / self.scenario.traffic.base_rps;
        if Dice::keyed(self.seed, Purpose::Job, request.n).hits(jobs) {
            let mut on = self.faults.iter().filter(|f| self.hits(f, slot) && f.is_on(at));
            let only = on.find_map(|fault| match &fault.spec.kind {
                FaultKind::QueueFormat { versions, .. } => Some(self.only_reader(versions, slot)),
                _ => None,
            });
            self.queue.add(at, only.flatten());
            self.lately.jobs_in += 1;
        }
    }

    /// The one slot that can read what a slot writes, where not both can.
    fn only_reader(&self, versions: &[String], slot: Slot) -> Option<Slot> {
        if versions.is_empty() {
            return Some(slot);
        }
        let reads = |slot: Slot| versions.iter().any(|known| known == self.version(slot));
        match Slot::BOTH.map(reads) {
            [true, true] => None,
            [true, false] => Some(Slot::First),
            [false, true] => Some(Slot::Second),
            [false, false] => Some(slot),
        }
    }

    /// Users whose request failed try again, where they are of the kind that does.
    fn comes_again(&mut self, slot: Slot, request: &Request, served: &Served, at: Millis) {
        let (Some(route), false) = (request.route, request.abuses()) else { return };
        let mut luck = Dice::keyed(self.seed, Purpose::Retry, request.n);
        let when = |luck: &mut Dice| {
            at + Millis(served.latency_us / 1000 + 300 + (1_000.0 * luck.unit()) as u64)
        };
        if served.wrong {
            if !request.is_lost() && luck.hits(FOLLOW) {
                let at = when(&mut luck);
                self.traffic.again(request.n | LOST, route, at);
            }
            return;
        }
        let storm = self.faults.iter().find_map(|fault| match fault.spec.kind {
            FaultKind::RetryStorm { times }
                if fault.is_on(at)
                    && self.hits(fault, slot)
                    && self.is_about(fault, slot, request, self.path(route)) =>
            {
                Some(times)
            }
            _ => None,
        });
        let own = self.cohort(request).map_or(0, |cohort| cohort.retry);
        let attempt = request.attempts() + 1;
        if attempt <= (own + storm.unwrap_or(0)).min(15) {
            let base = request.n & ((1 << ATTEMPT) - 1);
            let at = when(&mut luck);
            self.traffic.again(base | u64::from(attempt) << ATTEMPT, route, at);
        }
    }

    /// A client that abuses the service asks in the quarter of a second after `from`.
    pub(super) fn abuse(&mut self, rps: f64, route: Option<usize>, from: Millis, step: Millis) {
        let mut luck = Dice::keyed(self.seed, Purpose::Abuse, from.0);
        let mut ms = 0.0;
        for n in 0.. {
            ms += 1000.0 * luck.wait() / rps;
            if ms >= step.0 as f64 {
                return;
            }
            let at = from + Millis(ms as u64);
            self.traffic.besides(ABUSE | from.0 << 8 | n & 0xff, route, at);
        }
    }
}
