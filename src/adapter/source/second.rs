//! What was asked of one slot in one second, added up into a sample.
//!
//! Pure: it is told what was answered and when the second is over. It knows a slot and not its
//! role, which the caller says when the second is taken. A second in which nothing was asked
//! gives nothing; what could not be read stays absent.

use super::http::{HealthCheck, ProbeAnswer};
use crate::clean::Clean;
use crate::signal::counter::Growth;
use crate::signal::{Histogram, Origin, Sample, Whose};
use crate::units::Millis;

#[derive(Debug, Clone, Default)]
struct Requests {
    all: u64,
    failed: u64,
    client_errors: u64,
    latency_ms: Histogram,
}

impl Requests {
    fn count(&mut self, ok: bool, status: Option<u16>, latency_ms: Option<f64>) {
        self.all += 1;
        self.failed += u64::from(!ok);
        let is_4xx = status.is_some_and(|status| (400..500).contains(&status));
        self.client_errors += u64::from(!ok && is_4xx);
        if let Some(ms) = latency_ms {
            self.latency_ms.record(ms);
        }
    }
}

/// One slot's second. The counters of its gauges live on from second to second.
#[derive(Debug, Clone, Default)]
pub struct Second {
    /// Whether the plan has synthetic requests; without them the readiness requests are counted.
    synthetic: bool,
    requests: Requests,
    checks: u64,
    unready: u64,
    live: Option<bool>,
    why: Option<Clean>,
    degraded: Option<Clean>,
    release: Option<Clean>,
    artefact: Option<Clean>,
    db_counter: Growth,
    db_errors: Option<u64>,
    queue_depth: Option<u64>,
}

impl Second {
    /// A slot that is probed with the plan's synthetic requests, or with readiness alone.
    pub fn new(synthetic: bool) -> Self {
        Self { synthetic, ..Self::default() }
    }

    /// Counts a check.
    pub fn check(&mut self, check: &HealthCheck) {
        self.checks += 1;
        if !self.synthetic {
            self.requests.count(check.ready, check.status, check.latency_ms);
        }
        self.live = check.live.or(self.live);
        if !check.ready {
            self.unready += 1;
        }
        if check.why.is_some() {
            self.why.clone_from(&check.why);
        }
        self.degraded = check.degraded.first().cloned().or(self.degraded.take());
        self.release = check.release.clone().or(self.release.take());
        self.artefact = check.artefact.clone().or(self.artefact.take());
        if let Some(errors) = check.db_errors.and_then(|total| self.db_counter.since_last(total)) {
            self.db_errors = Some(self.db_errors.unwrap_or(0) + errors);
        }
        self.queue_depth = check.queue_depth.or(self.queue_depth);
    }

    /// Counts a synthetic request.
    pub fn probe(&mut self, answer: &ProbeAnswer) {
        self.requests.count(answer.ok, answer.status, answer.latency_ms);
        self.release = answer.release.clone().or(self.release.take());
        self.artefact = answer.artefact.clone().or(self.artefact.take());
        if !answer.ok && self.why.is_none() {
            self.why.clone_from(&answer.why);
        }
    }

    /// Ends the second at `at`: what probes saw, and what the slot's gauges said. A gauge that
    /// is a total gives nothing in the first second in which it is read.
    pub fn take(&mut self, at: Millis, whose: Whose) -> Vec<Sample> {
        let fresh = Self {
            synthetic: self.synthetic,
            db_counter: self.db_counter.clone(),
            ..Self::default()
        };
        let done = std::mem::replace(self, fresh);
        let (requests, checks, unready) = (done.requests, done.checks, done.unready);
        let mut samples = Vec::with_capacity(2);
        if checks > 0 || requests.all > 0 {
            let asked = requests.all > 0;
            samples.push(Sample {
                requests: asked.then_some(requests.all),
                failed: asked.then_some(requests.failed),
                client_errors: asked.then_some(requests.client_errors),
                latency_ms: asked.then_some(requests.latency_ms),
                checks: (checks > 0).then_some(checks),
                unready: (checks > 0).then_some(unready),
                live: done.live,
                ready: (checks > 0).then_some(unready == 0),
                why: done.why.or(done.degraded),
                release: done.release,
                artefact: done.artefact,
                ..Sample::empty(at, whose, Origin::Probes)
            });
        }
        if done.db_errors.is_some() || done.queue_depth.is_some() {
            samples.push(Sample {
                db_errors: done.db_errors,
                queue_depth: done.queue_depth,
                ..Sample::empty(at, whose, Origin::Gauges)
            });
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> HealthCheck {
        HealthCheck {
            live: Some(true),
            ready: true,
            latency_ms: Some(3.0),
            status: Some(200),
            ..HealthCheck::default()
        }
    }

    fn hung() -> HealthCheck {
        HealthCheck { why: Some(Clean::new("no answer within 2000 ms")), ..HealthCheck::default() }
    }

    fn answer(status: u16, ok: bool) -> ProbeAnswer {
        ProbeAnswer { ok, status: Some(status), latency_ms: Some(20.0), ..ProbeAnswer::default() }
    }

    fn take(second: &mut Second) -> Vec<Sample> {
        second.take(Millis::secs(9), Whose::Green)
    }

    #[test]
    fn nothing_asked_is_no_sample_and_never_a_zero() {
        let mut second = Second::new(true);
        assert_eq!(take(&mut second), []);
        second.check(&ready());
        let [sample] = &take(&mut second)[..] else { panic!() };
        assert_eq!((sample.requests, sample.failed, &sample.latency_ms), (None, None, &None));
        assert_eq!((sample.checks, sample.ready), (Some(1), Some(true)));
        assert_eq!((sample.db_errors, sample.in_flight), (None, None));
        assert_eq!(take(&mut second), [], "the second was taken");
    }

    #[test]
    fn one_bad_check_makes_the_second_unready_and_says_why() {
        let mut second = Second::new(true);
        [ready(), hung(), ready()].iter().for_each(|check| second.check(check));
        let [sample] = &take(&mut second)[..] else { panic!() };
        assert_eq!((sample.checks, sample.unready, sample.ready), (Some(3), Some(1), Some(false)));
        assert_eq!(sample.why.as_ref().unwrap().as_str(), "no answer within 2000 ms");
        assert_eq!(sample.live, Some(true), "the last liveness check was good");
    }

    #[test]
    fn probes_count_what_failed_and_time_only_what_answered() {
        let mut second = Second::new(true);
        second.check(&ready());
        let silent = ProbeAnswer::default();
        for answer in [answer(200, true), answer(500, false), answer(404, false), silent] {
            second.probe(&answer);
        }
        let [sample] = &take(&mut second)[..] else { panic!() };
        assert_eq!(
            (sample.requests, sample.failed, sample.client_errors),
            (Some(4), Some(3), Some(1))
        );
        assert_eq!(sample.latency_ms.as_ref().unwrap().count(), 3);
        assert_eq!(
            (sample.role, sample.from, sample.at),
            (Whose::Green, Origin::Probes, Millis::secs(9))
        );
    }

    #[test]
    fn without_synthetic_requests_readiness_is_what_is_counted() {
        let mut second = Second::new(false);
        [ready(), hung()].iter().for_each(|check| second.check(check));
        let [sample] = &take(&mut second)[..] else { panic!() };
        assert_eq!((sample.requests, sample.failed), (Some(2), Some(1)));
        assert_eq!(sample.latency_ms.as_ref().unwrap().count(), 1);
    }

    #[test]
    fn totals_become_what_happened_in_the_second_and_gauges_are_a_sample_of_their_own() {
        let mut second = Second::new(true);
        let read = |errors, depth| HealthCheck {
            db_errors: Some(errors),
            queue_depth: Some(depth),
            ..ready()
        };
        second.check(&read(1_000, 4));
        let gauges = take(&mut second).pop().unwrap();
        assert_eq!((gauges.from, gauges.db_errors), (Origin::Gauges, None));
        assert_eq!(gauges.queue_depth, Some(4));
        second.check(&read(1_002, 5));
        second.check(&read(1_003, 9));
        let gauges = take(&mut second).pop().unwrap();
        assert_eq!((gauges.db_errors, gauges.queue_depth), (Some(3), Some(9)));
    }
}
