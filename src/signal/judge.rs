//! The seam between what was measured and what is decided: samples go in, verdicts come out.
//!
//! A [`Judge`] holds the limits of one role. Users and probes are never summed: each phase says
//! whose requests are judged. The rule applied here is the literal one, "above X for all of Y":
//! every rolling share over `min(Y/2, 60 s)`, at each evaluation within Y, is above X, and a
//! window without requests breaks it. Evaluations fall on multiples of 5 s of sample time.

use super::sample::{Origin, Sample, Whose};
use super::verdict::{Judgement, Verdict};
use super::window::{Share, Times};
use crate::plan::{Bound, Limit, Plan, Signal, SignalSource};
use crate::units::Millis;
use serde::{Deserialize, Serialize};

/// Time between evaluations.
pub const EVALUATE_EVERY: Millis = Millis::secs(5);
/// A p95 limit is a limit on this share of requests that may be slower.
const SLOW_SHARE: f64 = 5.0;
/// The rolling share of the literal rule is never longer than this.
const LITERAL_WINDOW: Millis = Millis::secs(60);

/// The shares of one origin for one limit: the rolling one that is judged, the one over the
/// whole hold that is shown, and all since the phase began.
#[derive(Debug, Clone)]
struct Track {
    rolling: Share,
    shown: Share,
    ever: (u64, u64),
    times: Option<Times>,
    last: Option<Millis>,
}

impl Track {
    fn new(limit: &Limit) -> Self {
        let rolling = Millis((limit.hold.0 / 2).clamp(1000, LITERAL_WINDOW.0));
        Self {
            rolling: Share::new(rolling),
            shown: Share::new(limit.hold),
            ever: (0, 0),
            times: (limit.signal == Signal::LatencyP95).then(|| Times::new(rolling)),
            last: None,
        }
    }

    fn add(&mut self, at: Millis, bad: u64, of: u64) {
        self.rolling.add(at, bad, of);
        self.shown.add(at, bad, of);
        self.ever = (self.ever.0.saturating_add(bad), self.ever.1.saturating_add(of));
        self.last = Some(at);
    }
}

#[derive(Debug, Clone)]
struct Watched {
    limit: Limit,
    declared_source: bool,
    users: Track,
    probes: Track,
    gauge: Option<(Millis, f64)>,
    over_since: Option<Millis>,
    judgement: Judgement,
}

/// What a judge found to have changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The limit's signal.
    pub signal: Signal,
    /// What it said before.
    pub was: Verdict,
    /// What it says now.
    pub now: Verdict,
}

/// Judges the limits of a plan on one role.
#[derive(Debug, Clone)]
pub struct Judge {
    role: Whose,
    source: Origin,
    began: Millis,
    stale_after: Millis,
    evaluated: Option<Millis>,
    limits: Vec<Watched>,
}

/// The share of a limit in percent: for latency, of requests that may be slower.
fn share_of(limit: &Limit) -> f64 {
    match limit.above {
        Bound::Percent(percent) => percent,
        Bound::Millis(_) => SLOW_SHARE,
        Bound::Count(_) => 100.0,
    }
}

impl Judge {
    /// A judge of `role` who has seen nothing, and judges `source`.
    pub fn new(plan: &Plan, role: Whose, source: Origin, at: Millis) -> Self {
        let limits = plan
            .limits
            .iter()
            .map(|limit| {
                let has =
                    |signal| matches!(plan.signals.get(&signal), Some(SignalSource::Readiness(_)));
                let declared_source = match limit.signal {
                    Signal::DbErrors | Signal::QueueDepth => has(limit.signal),
                    _ => true,
                };
                Watched {
                    limit: *limit,
                    declared_source,
                    users: Track::new(limit),
                    probes: Track::new(limit),
                    gauge: None,
                    over_since: None,
                    judgement: Judgement {
                        limit: *limit,
                        verdict: if declared_source {
                            Verdict::TooFew
                        } else {
                            Verdict::NotDeclared
                        },
                        value: None,
                        bad: 0,
                        of: 0,
                        probes: false,
                        over_for: Millis::ZERO,
                    },
                }
            })
            .collect();
        let slowest = plan.health.every + plan.health.timeout;
        let stale_after = Millis(slowest.0.saturating_mul(2).max(5_000));
        Self { role, source, began: at, stale_after, evaluated: None, limits }
    }

    /// Whose requests are judged.
    pub const fn source(&self) -> Origin {
        self.source
    }

    /// When it decided last; what a judgement says of times it says of this instant.
    pub const fn evaluated(&self) -> Option<Millis> {
        self.evaluated
    }

    /// When this judge began.
    pub const fn began(&self) -> Millis {
        self.began
    }

    /// Takes a second into account, if it is of this judge's role.
    pub fn add(&mut self, sample: &Sample) {
        if sample.role != self.role && sample.role != Whose::Both {
            return;
        }
        let at = sample.at;
        let source = self.source;
        for watched in &mut self.limits {
            let track = match sample.from {
                Origin::Users => &mut watched.users,
                Origin::Probes => &mut watched.probes,
                Origin::Gauges => {
                    watched.gauge(sample);
                    continue;
                }
            };
            if watched.limit.signal == Signal::Health {
                if let (Some(checks), Some(unready)) = (sample.checks, sample.unready) {
                    track.add(at, unready, checks);
                }
                continue;
            }
            // What was not counted is not a zero: the second says nothing about the signal.
            let Some(requests) = sample.requests else { continue };
            match watched.limit.signal {
                Signal::ErrorRate => {
                    if let Some(failed) = sample.failed {
                        track.add(at, failed, requests);
                    }
                }
                Signal::ClientErrorRate => {
                    if let Some(client_errors) = sample.client_errors {
                        track.add(at, client_errors, requests);
                    }
                }
                Signal::LatencyP95 => {
                    let (Bound::Millis(limit), Some(times)) =
                        (watched.limit.above, &sample.latency_ms)
                    else {
                        continue;
                    };
                    let unanswered = requests.saturating_sub(times.count());
                    track.add(at, times.over(limit).saturating_add(unanswered), requests);
                    if let Some(window) = &mut track.times {
                        window.add(at, times);
                    }
                }
                // The requests of the judged source are what connection errors are a share of.
                Signal::DbErrors if sample.from == source => track.add(at, 0, requests),
                Signal::DbErrors | Signal::QueueDepth | Signal::Health => {}
            }
        }
    }

    /// Brings the numbers up to `now`, and on a multiple of 5 s decides. Says what changed.
    pub fn evaluate(&mut self, now: Millis) -> Vec<Change> {
        let due = Millis(now.0 / EVALUATE_EVERY.0 * EVALUATE_EVERY.0);
        let decide = self.evaluated.is_none_or(|last| due > last) && due > self.began;
        // Where nobody looked for longer than a value may be old, nobody can say that it was over
        // all the time: "for all of Y" begins anew.
        let slept =
            self.evaluated.is_some_and(|last| due.since(last) > self.stale_after + EVALUATE_EVERY);
        if decide {
            self.evaluated = Some(due);
        }
        let (source, began, stale_after) = (self.source, self.began, self.stale_after);
        // What Green did is not forgiven. Blue only has to be well when it is needed.
        let latches = self.role == Whose::Green;
        let mut changes = Vec::new();
        for watched in &mut self.limits {
            let was = watched.judgement.verdict;
            watched.look(now, source);
            if decide && slept {
                watched.over_since = None;
            }
            if decide {
                watched.decide(now, began, stale_after, latches);
            }
            let verdict = watched.judgement.verdict;
            if verdict != was {
                changes.push(Change { signal: watched.limit.signal, was, now: verdict });
            }
        }
        changes
    }

    /// What each limit says.
    pub fn judgements(&self) -> impl Iterator<Item = &Judgement> {
        self.limits.iter().map(|watched| &watched.judgement)
    }

    /// What the limit over `signal` says.
    pub fn of(&self, signal: Signal) -> Option<&Judgement> {
        self.judgements().find(|judgement| judgement.signal() == signal)
    }

    /// The first limit that has tripped.
    pub fn tripped(&self) -> Option<&Judgement> {
        self.judgements().find(|judgement| judgement.verdict == Verdict::Tripped)
    }

    /// The limit that is tripping and will trip first.
    pub fn tripping(&self) -> Option<&Judgement> {
        self.judgements()
            .filter(|judgement| judgement.verdict == Verdict::Tripping)
            .min_by_key(|judgement| judgement.trips_in())
    }

    /// Requests of the judged source since this judge began.
    pub fn requests(&self) -> u64 {
        self.limits.iter().find(|watched| watched.limit.signal == Signal::ErrorRate).map_or(
            0,
            |watched| match self.source {
                Origin::Users => watched.users.ever.1,
                _ => watched.probes.ever.1,
            },
        )
    }

    /// Bad ones and all of a signal since this judge began: what this role's normal rate is.
    pub fn record(&self, signal: Signal) -> (u64, u64) {
        self.limits.iter().find(|watched| watched.limit.signal == signal).map_or(
            (0, 0),
            |watched| match self.source {
                Origin::Users if signal != Signal::Health => watched.users.ever,
                _ => watched.probes.ever,
            },
        )
    }
}

impl Watched {
    fn gauge(&mut self, sample: &Sample) {
        match self.limit.signal {
            Signal::DbErrors => {
                if let Some(errors) = sample.db_errors {
                    // Counted against requests that the users' or probes' seconds bring.
                    for track in [&mut self.users, &mut self.probes] {
                        track.add(sample.at, errors, 0);
                    }
                    self.gauge = Some((sample.at, errors as f64));
                }
            }
            Signal::QueueDepth => {
                if let Some(depth) = sample.queue_depth {
                    self.gauge = Some((sample.at, depth as f64));
                }
            }
            _ => {}
        }
    }

    /// Which origin's numbers count for this limit now.
    fn origin(&self, source: Origin) -> Origin {
        match self.limit.signal {
            Signal::Health => Origin::Probes,
            // A router that knows no latencies leaves the probes' p95, which is said on screen.
            Signal::LatencyP95 if self.users.last.is_none() => Origin::Probes,
            _ => source,
        }
    }

    fn look(&mut self, now: Millis, source: Origin) {
        let origin = self.origin(source);
        for track in [&mut self.users, &mut self.probes] {
            track.rolling.slide(now);
            track.shown.slide(now);
            if let Some(times) = &mut track.times {
                times.slide(now);
            }
        }
        let track = if origin == Origin::Users { &self.users } else { &self.probes };
        let (bad, of) = track.shown.counts();
        let judgement = &mut self.judgement;
        // One request cannot have failed more than once, whatever a gauge says.
        (judgement.bad, judgement.of) = (bad.min(of), of);
        judgement.probes = origin == Origin::Probes && self.limit.signal != Signal::Health;
        judgement.value = match self.limit.signal {
            Signal::LatencyP95 => track.times.as_ref().and_then(Times::p95),
            Signal::QueueDepth => self.gauge.map(|(_, depth)| depth),
            _ => (of > 0).then(|| judgement.bad as f64 * 100.0 / of as f64),
        };
    }

    fn decide(&mut self, now: Millis, began: Millis, stale_after: Millis, latches: bool) {
        let latched = latches && self.judgement.verdict == Verdict::Tripped;
        if !self.declared_source || latched {
            return;
        }
        let track = if self.judgement.probes || self.limit.signal == Signal::Health {
            &self.probes
        } else {
            &self.users
        };
        let gauged = matches!(self.limit.signal, Signal::QueueDepth | Signal::DbErrors);
        let last = if gauged { self.gauge.map(|(at, _)| at) } else { track.last };
        let fresh = last.is_some_and(|at| now.since(at) <= stale_after);
        let over = fresh
            && match (self.limit.signal, self.limit.above) {
                (Signal::QueueDepth, Bound::Count(limit)) => {
                    self.gauge.is_some_and(|(_, depth)| depth > limit)
                }
                _ => track.rolling.percent().is_some_and(|p| p > share_of(&self.limit)),
            };
        if !over {
            self.over_since = None;
            self.judgement.over_for = Millis::ZERO;
            self.judgement.verdict = if !fresh {
                match last {
                    Some(_) => Verdict::Stale,
                    None if now.since(began) > stale_after && gauged => Verdict::Unknown,
                    None => Verdict::TooFew,
                }
            } else if self.limit.signal == Signal::QueueDepth
                || track.ever.1 >= needed(&self.limit, (0, 0))
            {
                Verdict::Ok
            } else {
                Verdict::TooFew
            };
            return;
        }
        let since = *self.over_since.get_or_insert(now);
        self.judgement.over_for = now.since(since) + EVALUATE_EVERY;
        self.judgement.verdict = if self.judgement.over_for >= self.limit.hold {
            Verdict::Tripped
        } else {
            Verdict::Tripping
        };
    }
}

/// How many requests it takes until a release at five times the limit would have shown:
/// `ln(1200) / KL(min(5X, 0.5) || b)`, where `b` is Blue's normal rate between X/10 and X.
///
/// `blue` is Blue's record, bad ones of all; with none, b is X/10, the best case.
pub fn needed(limit: &Limit, blue: (u64, u64)) -> u64 {
    let x = (share_of(limit) / 100.0).clamp(0.000_1, 0.5);
    let bad = (5.0 * x).min(0.5);
    let b = match blue {
        (_, 0) => x / 10.0,
        (k, n) => wilson_upper(k, n).clamp(x / 10.0, x),
    };
    let kl = bad * libm::log(bad / b) + (1.0 - bad) * libm::log((1.0 - bad) / (1.0 - b));
    if kl <= 0.0 { u64::MAX } else { libm::ceil(libm::log(1200.0) / kl) as u64 }
}

/// Wilson's upper bound of a share, one-sided, z = 1.645.
fn wilson_upper(k: u64, n: u64) -> f64 {
    let (k, n, z) = (k.min(n) as f64, n as f64, 1.645);
    let p = k / n;
    let spread = z * libm::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
    (p + z * z / (2.0 * n) + spread) / (1.0 + z * z / n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture;

    fn users(at: u64, requests: u64, failed: u64) -> Sample {
        Sample {
            requests: Some(requests),
            failed: Some(failed),
            client_errors: Some(0),
            ..Sample::empty(Millis::secs(at), Whose::Green, Origin::Users)
        }
    }

    fn judge() -> Judge {
        Judge::new(&fixture::plan(), Whose::Green, Origin::Users, Millis::ZERO)
    }

    /// Feeds seconds and returns when the 5xx limit (2 % for 2m) first said `verdict`.
    fn first(verdict: Verdict, seconds: impl Iterator<Item = (u64, u64)>) -> Option<u64> {
        let mut judge = judge();
        for (s, (requests, failed)) in seconds.enumerate() {
            let at = s as u64 + 1;
            judge.add(&users(at, requests, failed));
            judge.evaluate(Millis::secs(at));
            if judge.of(Signal::ErrorRate).unwrap().verdict == verdict {
                return Some(at);
            }
        }
        None
    }

    #[test]
    fn a_release_that_is_always_bad_trips_when_the_hold_is_over_and_not_before() {
        assert_eq!(first(Verdict::Tripping, (0..300).map(|_| (10, 5))), Some(5));
        assert_eq!(first(Verdict::Tripped, (0..300).map(|_| (10, 5))), Some(120));
    }

    #[test]
    fn a_blip_does_not_trip_and_leaves_no_trace() {
        let blip = |s: u64| (10, if (100..110).contains(&s) { 10 } else { 0 });
        assert!(first(Verdict::Tripping, (0..400).map(blip)).is_some());
        assert_eq!(first(Verdict::Tripped, (0..400).map(blip)), None);
    }

    #[test]
    fn a_laptop_that_slept_does_not_wake_up_to_a_trip() {
        let mut judge = judge();
        for at in 1..=30 {
            judge.add(&users(at, 10, 5));
            judge.evaluate(Millis::secs(at));
        }
        assert_eq!(judge.of(Signal::ErrorRate).unwrap().verdict, Verdict::Tripping);
        judge.add(&users(1000, 10, 5));
        judge.evaluate(Millis::secs(1000));
        assert_eq!(judge.of(Signal::ErrorRate).unwrap().verdict, Verdict::Tripping);
        assert_eq!(judge.of(Signal::ErrorRate).unwrap().over_for, EVALUATE_EVERY);
    }

    #[test]
    fn what_was_not_counted_is_not_a_zero() {
        let mut judge = judge();
        for at in 1..=60 {
            let checks_only = Sample {
                checks: Some(4),
                unready: Some(0),
                ..Sample::empty(Millis::secs(at), Whose::Green, Origin::Users)
            };
            judge.add(&checks_only);
            judge.add(&Sample { failed: None, ..users(at, 10, 0) });
            judge.evaluate(Millis::secs(at));
        }
        assert_eq!(judge.of(Signal::ErrorRate).unwrap().verdict, Verdict::TooFew);
        assert_eq!(judge.requests(), 0);
    }

    #[test]
    fn a_window_without_requests_breaks_the_streak() {
        let night = |s: u64| if s % 90 < 20 { (1, 1) } else { (0, 0) };
        assert_eq!(first(Verdict::Tripped, (0..600).map(night)), None);
    }

    #[test]
    fn few_requests_are_not_ok_and_no_requests_are_neither_good_nor_bad() {
        assert_eq!(first(Verdict::Ok, (0..20).map(|_| (1, 0))), None);
        assert_eq!(first(Verdict::Ok, (0..60).map(|_| (1, 0))), Some(25));
        assert_eq!(first(Verdict::Ok, (0..300).map(|_| (0, 0))), None);
        assert_eq!(first(Verdict::Tripped, (0..300).map(|_| (0, 0))), None);
    }

    #[test]
    fn what_stops_coming_is_stale_and_not_fine() {
        let mut judge = judge();
        for at in 1..=60 {
            judge.add(&users(at, 10, 0));
            judge.evaluate(Millis::secs(at));
        }
        assert_eq!(judge.of(Signal::ErrorRate).unwrap().verdict, Verdict::Ok);
        judge.evaluate(Millis::secs(80));
        assert_eq!(judge.of(Signal::ErrorRate).unwrap().verdict, Verdict::Stale);
    }

    #[test]
    fn gauges_without_a_source_are_not_declared() {
        let mut judge = judge();
        judge.evaluate(Millis::secs(60));
        assert_eq!(judge.of(Signal::QueueDepth).unwrap().verdict, Verdict::NotDeclared);
    }

    #[test]
    fn twenty_four_requests_would_have_shown_a_bad_release_at_two_percent() {
        let limit = *fixture::plan().limit(Signal::ErrorRate).unwrap();
        assert_eq!(needed(&limit, (0, 0)), 24);
        assert_eq!(needed(&limit, (0, 100_000)), 24);
        assert!(needed(&limit, (10, 100)) > 80, "a sick Blue makes it harder to tell");
    }

    #[test]
    fn where_the_router_knows_no_latency_the_probes_p95_is_judged_and_said_to_be_theirs() {
        let mut judge = judge();
        let mut times = crate::signal::Histogram::default();
        times.record(900.0);
        for at in 1..=130 {
            judge.add(&users(at, 10, 0));
            judge.add(&Sample {
                requests: Some(1),
                failed: Some(0),
                latency_ms: Some(times.clone()),
                ..Sample::empty(Millis::secs(at), Whose::Green, Origin::Probes)
            });
            judge.evaluate(Millis::secs(at));
        }
        let p95 = judge.of(Signal::LatencyP95).unwrap();
        assert_eq!((p95.verdict, p95.probes), (Verdict::Tripped, true));
    }
}
