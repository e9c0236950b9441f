//! The seam between what was measured and what is decided: samples go in, verdicts come out.
//!
//! A [`Judge`] holds the limits of one role through a whole run. Green is judged on probes in the
//! soak and on users from the first moment that it has any; the two are never summed. What Blue
//! did before that is what luck is measured against, and what Blue does meanwhile says whether
//! both slots suffer. The rule itself is in [`super::rate`], [`super::evidence`] and
//! [`super::blue`]; each limit with what it looks at is in `watched.rs`. Evaluations fall on
//! multiples of 5 s of sample time, as [`super::Cadence`] says.

use super::rate::EVALUATE_EVERY;
use super::record::Record;
use super::sample::{Origin, Sample, Whose};
use super::verdict::{Judgement, Verdict};
use super::watched::{Hearing, Phase, Watched};
use crate::plan::{Plan, Signal};
use crate::units::{Millis, Role};
use serde::{Deserialize, Serialize};

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

/// Judges the limits of a plan on one role. See the module's text.
#[derive(Debug, Clone)]
pub struct Judge {
    role: Role,
    phase: Option<Phase>,
    /// Evaluations that soak, and ramp and watch together, are declared to have.
    declared: [u64; 2],
    stale_after: Millis,
    /// From when on probes carry requests; nothing while they do not.
    sent_from: Option<Millis>,
    evaluated: Option<Millis>,
    /// Whether Blue's record is closed: somebody's users are, or were, on Green.
    frozen: bool,
    /// Whether anybody counts users, of either slot.
    counted: bool,
    limits: Vec<Watched>,
}

/// Money that is put in over the evaluations of a phase; the other half is staked at its start.
const HALF: f64 = 0.5;

impl Judge {
    /// A judge of Green, who only keeps Blue's record until Green is judged.
    pub fn of_green(plan: &Plan, record: &Record) -> Self {
        let mut judge = Self::new(plan, Role::Green);
        for watched in &mut judge.limits {
            for (source, pasts) in
                [(Origin::Users, &record.users), (Origin::Probes, &record.probes)]
            {
                if let Some(past) = pasts.get(&watched.limit.signal) {
                    watched.remember(source, past);
                }
            }
        }
        judge
    }

    /// A judge of Blue, by its probes, from the beginning of the run on.
    pub fn of_blue(plan: &Plan) -> Self {
        let mut judge = Self::new(plan, Role::Blue);
        judge.soak_from(Millis::ZERO);
        judge
    }

    fn new(plan: &Plan, role: Role) -> Self {
        let evaluations = |length: Millis| (length.0 / EVALUATE_EVERY.0).max(1);
        let rungs = plan.ramp.len().saturating_sub(1) as u64;
        let moved = Millis(plan.ramp_hold.0.saturating_mul(rungs)) + plan.watch;
        let slowest = plan.health.every + plan.health.timeout;
        Self {
            role,
            phase: None,
            declared: [evaluations(plan.soak), evaluations(moved)],
            stale_after: Millis(slowest.0.saturating_mul(2).max(5_000)),
            sent_from: Some(Millis::ZERO),
            evaluated: None,
            frozen: false,
            counted: false,
            limits: plan.limits.iter().map(|limit| Watched::new(limit, plan, role)).collect(),
        }
    }

    /// Says from when on probes carry the plan's requests, or that they do not: what nobody asked
    /// for is missing and is not unknown.
    pub const fn requests_sent(&mut self, from: Option<Millis>) {
        self.sent_from = from;
    }

    /// Where seconds in which nothing happened may be missing, as in files that others wrote: a
    /// source is not known any more only when it was silent for so long.
    pub fn with_silence(mut self, stale_after: Millis) -> Self {
        self.stale_after = stale_after;
        self
    }

    /// From now on it is judged by probes.
    pub fn soak_from(&mut self, at: Millis) {
        self.begin(Origin::Probes, at);
    }

    /// Blue's record is closed, because users are on Green before anybody judges it.
    pub const fn freeze(&mut self) {
        self.frozen = true;
    }

    /// From now on it is judged by users; Blue's record is frozen.
    pub fn users_from(&mut self, at: Millis) {
        self.frozen = true;
        self.begin(Origin::Users, at);
    }

    /// Whether it is judged by users.
    pub fn judges_users(&self) -> bool {
        self.phase.is_some_and(|phase| phase.source == Origin::Users)
    }

    /// It is judged afresh, by the same source: nobody watched in between.
    pub fn again_from(&mut self, at: Millis) {
        if let Some(Phase { source, .. }) = self.phase {
            self.begin(source, at);
        }
    }

    fn begin(&mut self, source: Origin, began: Millis) {
        let users = source == Origin::Users;
        let w = HALF / self.declared[usize::from(users)] as f64;
        // What was before is what it is compared with, as long as no user was on Green then.
        let compares = !self.judges_users();
        self.phase = Some(Phase { source, began, w, records: !self.frozen });
        self.evaluated = None;
        self.limits.iter_mut().for_each(|watched| watched.begin(compares));
    }

    /// Takes a second into account.
    pub fn add(&mut self, sample: &Sample) {
        if self.role == Role::Blue && sample.role == Whose::Green {
            return;
        }
        // What comes after its evaluation counts at the next one.
        let at = match self.evaluated {
            Some(last) if sample.at <= last => last + Millis(1),
            _ => sample.at,
        };
        self.counted |= sample.from == Origin::Users;
        for watched in &mut self.limits {
            watched.add(sample, at, self.phase.as_ref(), !self.frozen);
        }
    }

    /// Decides at `at`, a multiple of 5 s that was not decided yet. Says what changed.
    pub fn evaluate(&mut self, at: Millis) -> Vec<Change> {
        let Some(phase) = &self.phase else { return Vec::new() };
        if at <= phase.began || self.evaluated.is_some_and(|last| at <= last) {
            return Vec::new();
        }
        let last = self.evaluated.replace(at).unwrap_or(phase.began);
        let heard = Hearing {
            stale_after: self.stale_after,
            counted: self.counted,
            sent_from: self.sent_from,
        };
        let mut changes = Vec::new();
        for watched in &mut self.limits {
            let was = watched.judgement.verdict;
            watched.evaluate(at, last, phase, &heard);
            let now = watched.judgement.verdict;
            if now != was {
                changes.push(Change { signal: watched.limit.signal, was, now });
            }
        }
        changes
    }

    /// When it decided last; what a judgement says of times it says of this instant.
    pub const fn evaluated(&self) -> Option<Millis> {
        self.evaluated
    }

    /// What each limit says.
    pub fn judgements(&self) -> impl Iterator<Item = &Judgement> {
        self.limits.iter().map(|watched| &watched.judgement)
    }

    /// What each limit says, with the numbers that are only worked out when somebody looks.
    pub fn told(&self) -> impl Iterator<Item = Judgement> + '_ {
        let now = self.evaluated.unwrap_or(Millis::ZERO);
        self.limits.iter().map(move |watched| watched.told(now))
    }

    /// What the limit over `signal` says, with the numbers that are only worked out when somebody
    /// looks.
    pub fn told_of(&self, signal: Signal) -> Option<Judgement> {
        let now = self.evaluated.unwrap_or(Millis::ZERO);
        self.limit(signal).map(|watched| watched.told(now))
    }

    /// What the limit over `signal` says.
    pub fn of(&self, signal: Signal) -> Option<&Judgement> {
        self.judgements().find(|judgement| judgement.signal() == signal)
    }

    fn first(&self, verdict: Verdict) -> Option<&Judgement> {
        self.judgements().find(|judgement| judgement.verdict == verdict)
    }

    /// The first limit that has tripped.
    pub fn tripped(&self) -> Option<&Judgement> {
        self.first(Verdict::Tripped)
    }

    /// The first limit that both slots are over.
    pub fn shared(&self) -> Option<&Judgement> {
        self.first(Verdict::Shared)
    }

    /// The limit that is tripping and will trip first.
    pub fn tripping(&self) -> Option<&Judgement> {
        self.judgements()
            .filter(|judgement| judgement.verdict == Verdict::Tripping)
            .min_by_key(|judgement| judgement.trips_in.map_or(u64::MAX, |left| left.0))
    }

    fn limit(&self, signal: Signal) -> Option<&Watched> {
        self.limits.iter().find(|watched| watched.limit.signal == signal)
    }

    /// Requests of the judged source since the phase began.
    pub fn requests(&self) -> u64 {
        self.limit(Signal::ErrorRate).map_or(0, Watched::ever)
    }

    /// Requests of the judged source that would have shown a bad release.
    pub fn needed(&self) -> u64 {
        match (self.limit(Signal::ErrorRate), &self.phase) {
            (Some(watched), Some(phase)) => watched.needed(phase),
            _ => 0,
        }
    }

    /// What is known of Blue by now.
    pub fn record(&self) -> Record {
        let mut record = Record::default();
        for watched in &self.limits {
            let (users, probes) = watched.pasts();
            for (past, pasts) in [(users, &mut record.users), (probes, &mut record.probes)] {
                if past.sum().of > 0 {
                    pasts.insert(watched.limit.signal, past.clone());
                }
            }
        }
        record
    }
}
