//! One limit, everything it looks at, and what it says.
//!
//! Users and probes are kept apart, and so are the slots. Which source is judged is the phase's to
//! say; health is always judged on probes, and latency where no router measures users' on theirs.

use super::Histogram;
use super::blue;
use super::evidence::Stakes;
use super::literal::Literal;
use super::queue::Queue;
use super::rate::{Found, Ground, Persistence, Rate};
use super::record::Past;
use super::sample::{Origin, Sample, Whose};
use super::series::Series;
use super::share::requests_needed;
use super::shown::Shown;
use super::verdict::{Judgement, Verdict};
use crate::plan::{Bound, Limit, Plan, Signal, SignalSource};
use crate::units::{Millis, Role};

/// A p95 limit is a limit on this share of requests that may be slower.
pub const SLOW_SHARE: f64 = 0.05;
/// Blue's 95th percentile is told from so many answers or more.
const TIMES: u64 = 20;

/// The phase that a limit is judged in.
#[derive(Debug, Clone, Copy)]
pub struct Phase {
    /// Whose requests are judged.
    pub source: Origin,
    /// When it began.
    pub began: Millis,
    /// The share of the money that each evaluation puts in.
    pub w: f64,
    /// Whether Blue's record still grows: no user was moved yet.
    pub records: bool,
}

/// One source of one signal: both slots' seconds, and Blue's past.
#[derive(Debug, Clone)]
struct Source {
    slots: [Series; 2],
    past: Past,
}

/// What luck is measured against, and what follows from it.
#[derive(Debug, Clone, Copy)]
struct Against {
    origin: Origin,
    b: f64,
    needed: u64,
    stakes: Stakes,
}

/// One limit.
#[derive(Debug, Clone)]
pub struct Watched {
    pub limit: Limit,
    role: Role,
    declared_source: bool,
    x: f64,
    users: Source,
    probes: Source,
    /// Errors that both slots share, against both slots' requests.
    both: Option<Series>,
    /// Probes slower than Blue's 95th percentile was, of each slot.
    slower: [Series; 2],
    /// Blue's times by probes since the phase began, and their 95th percentile before it.
    times: Histogram,
    before_p95: Option<f64>,
    /// The judged slot's times over the hold, of users and of probes.
    shown: Option<[Shown; 2]>,
    has_user_times: bool,
    gauge: Option<Millis>,
    queue: Queue,
    rate: Rate,
    literal: Literal,
    against: Option<Against>,
    /// Failures of one broken session of users, once Blue's record is frozen.
    lump: Option<f64>,
    since: Option<Millis>,
    /// Whose requests were judged last.
    judged_by: Option<Origin>,
    over_since: Option<Millis>,
    ever: u64,
    pub judgement: Judgement,
}

/// What is heard of a slot, and what silence means.
#[derive(Debug, Clone, Copy)]
pub struct Hearing {
    /// How old a value may be.
    pub stale_after: Millis,
    /// Whether anybody counts users.
    pub counted: bool,
    /// From when on probes carry requests; nothing while they do not.
    pub sent_from: Option<Millis>,
}

impl Watched {
    pub fn new(limit: &Limit, plan: &Plan, role: Role) -> Self {
        let has = |signal| matches!(plan.signals.get(&signal), Some(SignalSource::Readiness(_)));
        let declared_source = match limit.signal {
            Signal::DbErrors | Signal::QueueDepth => has(limit.signal),
            _ => true,
        };
        let x = match limit.above {
            Bound::Percent(percent) => percent / 100.0,
            Bound::Millis(_) => SLOW_SHARE,
            Bound::Count(_) => 0.5,
        };
        // A second that is late, and the evaluation before, are still found.
        let series = || Series::new(limit.hold + Millis::secs(30));
        let source = || Source { slots: [series(), series()], past: Past::default() };
        let verdict = if declared_source { Verdict::TooFew } else { Verdict::NotDeclared };
        Self {
            limit: *limit,
            role,
            declared_source,
            x: x.clamp(0.000_1, 0.5),
            users: source(),
            probes: source(),
            both: None,
            slower: [series(), series()],
            times: Histogram::default(),
            before_p95: None,
            shown: (limit.signal == Signal::LatencyP95)
                .then(|| [Shown::new(limit.hold), Shown::new(limit.hold)]),
            has_user_times: false,
            gauge: None,
            queue: Queue::new(limit),
            rate: Rate::default(),
            literal: Literal::new(limit.hold),
            against: None,
            lump: None,
            since: None,
            judged_by: None,
            over_since: None,
            ever: 0,
            judgement: Judgement::new(*limit, verdict),
        }
    }

    /// What an earlier run has left of Blue.
    pub fn remember(&mut self, source: Origin, past: &Past) {
        match source {
            Origin::Users => self.users.past = past.clone(),
            _ => self.probes.past = past.clone(),
        }
    }

    /// What is known of Blue now, by users and by probes.
    pub const fn pasts(&self) -> (&Past, &Past) {
        (&self.users.past, &self.probes.past)
    }

    /// A phase begins: it is judged afresh, against what Blue was before.
    pub fn begin(&mut self, compares: bool) {
        if self.times.count() >= TIMES {
            self.before_p95 = self.times.quantile(0.95);
        }
        self.times = Histogram::default();
        self.queue.begin(compares);
        self.judged_by = None;
        self.against = None;
        self.lump = None;
        self.rate = Rate::default();
        self.literal = Literal::new(self.limit.hold);
        self.since = None;
        self.over_since = None;
        self.ever = 0;
        let verdict = if self.declared_source { Verdict::TooFew } else { Verdict::NotDeclared };
        self.judgement = Judgement::new(self.limit, verdict);
    }

    // ---- what was measured ----

    /// Takes a second into account. `at` is its end, or where it counts if it came too late.
    pub fn add(&mut self, sample: &Sample, at: Millis, phase: Option<&Phase>, records: bool) {
        match sample.from {
            Origin::Gauges => self.gauge(sample, at, records),
            Origin::Users | Origin::Probes => {
                let Some(role) = role_of(sample.role) else { return };
                if let Some((bad, of)) = self.counts(sample) {
                    self.count(sample, role, at, (bad, of), (phase, records));
                }
                if self.limit.signal == Signal::LatencyP95 {
                    self.time(sample, role, at, records);
                }
            }
        }
    }

    /// What a second says of this signal. What was not counted is not a zero: then it says
    /// nothing.
    fn counts(&self, sample: &Sample) -> Option<(u64, u64)> {
        match self.limit.signal {
            Signal::Health if sample.from == Origin::Probes => sample.readiness(),
            Signal::Health | Signal::QueueDepth => None,
            Signal::ErrorRate => Some((sample.failed?, sample.requests?)),
            Signal::ClientErrorRate => Some((sample.client_errors?, sample.requests?)),
            Signal::LatencyP95 => {
                let Bound::Millis(limit) = self.limit.above else { return None };
                let (times, requests) = (sample.latency_ms.as_ref()?, sample.requests?);
                Some((times.late(limit, requests), requests))
            }
            Signal::DbErrors => Some((0, sample.requests?)),
        }
    }

    fn count(
        &mut self,
        sample: &Sample,
        role: Role,
        at: Millis,
        (bad, of): (u64, u64),
        (phase, records): (Option<&Phase>, bool),
    ) {
        let users = sample.from == Origin::Users;
        let source = if users { &mut self.users } else { &mut self.probes };
        source.slots[role.index()].add(at, bad, of);
        if role == Role::Blue && records && self.role == Role::Green {
            source.past.add(at, bad, of);
        }
        let judged = |phase: &&Phase| at > phase.began && sample.from == self.origin(phase);
        if let Some(phase) = phase.filter(judged).filter(|_| role == self.role) {
            self.ever = self.ever.saturating_add(of);
            self.since.get_or_insert(sample.began().max(phase.began));
        }
        if let (true, Some(both)) = (users, &mut self.both) {
            both.add(at, 0, of);
        }
    }

    fn time(&mut self, sample: &Sample, role: Role, at: Millis, records: bool) {
        let (Some(times), Some(requests)) = (&sample.latency_ms, sample.requests) else { return };
        let users = sample.from == Origin::Users;
        self.has_user_times |= users;
        if role == self.role
            && let Some(shown) = &mut self.shown
        {
            shown[usize::from(!users)].add(at, times);
        }
        if users {
            return;
        }
        if role == Role::Blue && records {
            self.times.merge(times);
        }
        if let Some(p95) = self.before_p95 {
            self.slower[role.index()].add(at, times.late(p95, requests), requests);
        }
    }

    fn gauge(&mut self, sample: &Sample, at: Millis, records: bool) {
        let own = role_of(sample.role);
        match self.limit.signal {
            Signal::DbErrors => {
                let Some(errors) = sample.db_errors else { return };
                let Some(role) = own else {
                    let remembers = self.limit.hold + Millis::secs(30);
                    let both = self.both.get_or_insert_with(|| Series::new(remembers));
                    both.add(at, errors, 0);
                    self.gauge = Some(at);
                    return;
                };
                // Counted against the requests that the users' or probes' seconds bring.
                let records = records && role == Role::Blue;
                for source in [&mut self.users, &mut self.probes] {
                    source.slots[role.index()].add(at, errors, 0);
                    if records {
                        source.past.add(at, errors, 0);
                    }
                }
                if role == self.role {
                    self.gauge = Some(at);
                }
            }
            Signal::QueueDepth => {
                if let Some(depth) = sample.queue_depth
                    && own.is_none_or(|role| role == self.role)
                {
                    self.queue.add(at, depth);
                    self.gauge = Some(at);
                }
            }
            _ => {}
        }
    }

    // ---- what it says ----

    /// Whose requests count for this limit.
    fn origin(&self, phase: &Phase) -> Origin {
        match self.limit.signal {
            Signal::Health => Origin::Probes,
            // A router that knows no latencies leaves the probes' p95, which is said on screen.
            Signal::LatencyP95 if !self.has_user_times => Origin::Probes,
            _ => phase.source,
        }
    }

    const fn source(&self, origin: Origin) -> &Source {
        match origin {
            Origin::Users => &self.users,
            _ => &self.probes,
        }
    }

    /// The seconds that are judged.
    fn judged(&self, origin: Origin) -> &Series {
        match &self.both {
            Some(both) => both,
            None => &self.source(origin).slots[self.role.index()],
        }
    }

    /// Blue's normal share of a source. Blue itself is measured against the limit.
    fn normal(&self, origin: Origin) -> f64 {
        match self.role {
            Role::Blue => self.x,
            Role::Green => self.source(origin).past.normal(self.x),
        }
    }

    /// Requests of the judged source that would have shown a bad release.
    pub fn needed(&self, phase: &Phase) -> u64 {
        requests_needed(self.x, self.normal(self.origin(phase)))
    }

    /// Requests of the judged source since the phase began.
    pub const fn ever(&self) -> u64 {
        self.ever
    }

    /// Decides, at a multiple of 5 s. `last` is when that was done before.
    pub fn evaluate(&mut self, now: Millis, last: Millis, phase: &Phase, hearing: &Hearing) {
        let Hearing { stale_after, counted, sent_from } = *hearing;
        let latched = self.role == Role::Green && self.judgement.verdict == Verdict::Tripped;
        let origin = self.origin(phase);
        // What a trip was decided on stays beside it.
        if !self.declared_source || latched {
            return;
        }
        if self.judged_by.replace(origin).is_some_and(|before| before != origin) {
            // Users' times are known from now on: what the probes had proved is not of them.
            self.rate = Rate::default();
            self.since = None;
            self.ever = 0;
        }
        self.show(now, origin);
        // Users whom nobody counts are not unknown for a while: they never will be known.
        let uncounted = origin == Origin::Users && !counted;
        self.judgement.uncounted = uncounted;
        let gauged = matches!(self.limit.signal, Signal::QueueDepth | Signal::DbErrors);
        let heard = if gauged { self.gauge } else { self.judged(origin).newest() };
        let heard = heard.filter(|at| *at > phase.began);
        // Probes that carry no requests are silent because nobody wants them to speak.
        let carried = !gauged && self.limit.signal != Signal::Health && origin == Origin::Probes;
        let silent_from = if carried { sent_from } else { Some(Millis::ZERO) };
        let owed = silent_from.is_some_and(|from| now.since(phase.began.max(from)) > stale_after);
        if heard.is_none_or(|at| now.since(at) > stale_after) {
            self.rate.begin_anew();
            self.literal.begin_anew();
            self.over_since = None;
            self.judgement.verdict = match heard {
                Some(_) if owed => Verdict::Stale,
                None if owed && !uncounted => Verdict::Unknown,
                _ => Verdict::TooFew,
            };
            self.judgement.needed = Some(self.needed(phase)).filter(|n| !gauged && *n < u64::MAX);
            self.judgement.trips_in = None;
            self.judgement.over_for = Millis::ZERO;
            return;
        }
        let verdict = match self.limit.signal {
            Signal::QueueDepth => self.queue.verdict(now),
            _ => self.decide(now, last, phase, origin),
        };
        self.judgement.verdict = verdict;
        let is_over = matches!(verdict, Verdict::Tripping | Verdict::Tripped | Verdict::Shared);
        if is_over && self.limit.signal == Signal::LatencyP95 {
            self.judgement.value = self.p95(now, self.judgement.probes);
        }
        let since = is_over.then(|| *self.over_since.get_or_insert(now));
        self.over_since = since;
        self.judgement.over_for = since.map_or(Millis::ZERO, |since| now.since(since));
    }

    /// What it says, with the numbers that are only worked out when somebody looks.
    pub fn told(&self, now: Millis) -> Judgement {
        let mut judgement = self.judgement.clone();
        let latched = self.role == Role::Green && judgement.verdict == Verdict::Tripped;
        if !latched && self.limit.signal == Signal::LatencyP95 {
            judgement.value = self.p95(now, judgement.probes);
        }
        judgement
    }

    fn p95(&self, now: Millis, probes: bool) -> Option<f64> {
        self.shown.as_ref().and_then(|shown| shown[usize::from(probes)].p95(now))
    }

    /// Brings the counts up to now.
    fn show(&mut self, now: Millis, origin: Origin) {
        let from = self.since.map_or(now, |since| now.since(self.limit.hold).max(since));
        let seen = self.judged(origin).between(from, now).sane();
        let judgement = &mut self.judgement;
        (judgement.bad, judgement.of) = (seen.bad, seen.of);
        judgement.seen = self.ever;
        judgement.probes = origin == Origin::Probes && self.limit.signal != Signal::Health;
        judgement.both = self.both.is_some();
        judgement.value = match self.limit.signal {
            // Told when somebody asks.
            Signal::LatencyP95 => None,
            Signal::QueueDepth => self.queue.depth(),
            _ => seen.share().map(|share| share * 100.0),
        };
    }

    fn decide(&mut self, now: Millis, last: Millis, phase: &Phase, origin: Origin) -> Verdict {
        let x = self.x;
        let Some(since) = self.since else { return Verdict::TooFew };
        let new = self.judged(origin).between(last, now).sane();
        let Against { b, needed, stakes, .. } = self.against(origin, phase);
        let quiet = if self.ever >= needed { Verdict::Ok } else { Verdict::TooFew };
        self.judgement.normal = Some(b * 100.0);
        self.judgement.needed = Some(needed).filter(|needed| *needed < u64::MAX);
        let hold = self.limit.hold;
        let lump = self.lump(origin, phase);
        self.rate.learn(now, new, lump, phase.w, &stakes);
        let ground = Ground { seconds: self.judged(origin), now, since, hold, x };
        if self.limit.literal {
            let mut literal = self.literal.clone();
            let over_for = literal.over_for(&ground);
            self.literal = literal;
            return match over_for {
                None => quiet,
                Some(over) if over >= hold && self.both.is_some() => Verdict::Shared,
                Some(over) if over >= hold => Verdict::Tripped,
                Some(over) => {
                    self.judgement.trips_in = Some(hold.since(over));
                    Verdict::Tripping
                }
            };
        }
        let persistence = match self.limit.signal {
            Signal::LatencyP95 => Persistence::Parts,
            _ => Persistence::Evaluations,
        };
        // Looked at beside it all, and put back: it is small.
        let mut rate = self.rate.clone();
        let (found, shared) = rate.look(
            &ground,
            lump,
            persistence,
            || self.is_vouched(&ground),
            || self.is_shared(&ground),
        );
        self.rate = rate;
        self.tell(&found, shared, now, since);
        match found {
            _ if shared => Verdict::Shared,
            // What both slots share is no reason to go back to one of them.
            Found { trips: true, .. } if self.both.is_some() => Verdict::Shared,
            Found { trips: true, .. } => Verdict::Tripped,
            Found { suspect: true, .. } => Verdict::Tripping,
            _ => quiet,
        }
    }

    fn tell(&mut self, found: &Found, shared: bool, now: Millis, since: Millis) {
        let from = now.since(self.limit.hold).max(since);
        let blue = |source: &Source| source.slots[Role::Blue.index()].between(from, now).sane();
        let judgement = &mut self.judgement;
        judgement.used = Some(found.used);
        judgement.tolerance = Some(found.tolerance);
        judgement.luck = Some(found.luck);
        judgement.parts = found.parts;
        judgement.over = found.over;
        judgement.trips_in = (found.suspect && !shared).then_some(found.trips_in);
        judgement.blue = None;
        judgement.blue_probes = false;
        if shared {
            let (users, probes) = (blue(&self.users), blue(&self.probes));
            // The word is of both; what is shown is the one that says more of it.
            let of_probes = users.of == 0 || probes.share() > users.share();
            judgement.blue = Some(if of_probes { probes } else { users });
            judgement.blue_probes = of_probes && judgement.signal() != Signal::Health;
        }
    }

    /// What luck is measured against. It is only worked out anew while Blue's record grows.
    fn against(&mut self, origin: Origin, phase: &Phase) -> Against {
        let known = self.against.filter(|known| known.origin == origin);
        if let Some(known) = known.filter(|_| !phase.records || self.role == Role::Blue) {
            return known;
        }
        let x = self.x;
        let b = match self.role {
            Role::Green if phase.records => self.source(origin).past.usual(x),
            _ => self.normal(origin),
        };
        let same = known.filter(|known| known.b.to_bits() == b.to_bits());
        *self.against.insert(same.unwrap_or_else(|| Against {
            origin,
            b,
            needed: requests_needed(x, b),
            stakes: Stakes::new(x, b),
        }))
    }

    /// How many failures one broken session makes; 1 where failures are not sessions'.
    fn lump(&mut self, origin: Origin, phase: &Phase) -> f64 {
        let sessions = matches!(
            self.limit.signal,
            Signal::ErrorRate | Signal::ClientErrorRate | Signal::DbErrors
        );
        if !sessions || origin != Origin::Users {
            return 1.0;
        }
        let past = &self.users.past;
        match self.lump {
            Some(lump) if !phase.records => lump,
            _ => *self.lump.insert(past.lump()),
        }
    }

    /// Whether Green's own probes fail as its users do.
    fn is_vouched(&self, ground: &Ground<'_>) -> bool {
        let from = ground.from(ground.hold);
        let of = |source: &Source| source.slots[self.role.index()].between(from, ground.now).sane();
        let b = self.normal(Origin::Probes);
        blue::suffers(of(&self.users), of(&self.probes), b, self.x) > blue::TAKEN
    }

    /// Whether both slots suffer.
    fn is_shared(&self, ground: &Ground<'_>) -> bool {
        if self.role == Role::Blue || self.both.is_some() {
            return false;
        }
        let from = ground.from(ground.hold);
        let both = |slots: &[Series; 2]| {
            let of = |role: Role| slots[role.index()].between(from, ground.now).sane();
            (of(Role::Green), of(Role::Blue))
        };
        let word = |origin: Origin| {
            let (green, blue) = both(&self.source(origin).slots);
            blue::suffers(green, blue, self.normal(origin), self.x)
        };
        let probes = match self.limit.signal {
            Signal::LatencyP95 => {
                let (green, blue) = both(&self.slower);
                blue::slows(green, blue)
            }
            _ => word(Origin::Probes),
        };
        word(Origin::Users) + probes > blue::TAKEN
    }
}

fn role_of(whose: Whose) -> Option<Role> {
    match whose {
        Whose::Blue => Some(Role::Blue),
        Whose::Green => Some(Role::Green),
        Whose::Both => None,
    }
}
