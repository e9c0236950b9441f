//! The cockpit's own judge as a policy: the one place here that knows how it is asked.

use super::watch::{Policy, Said};
use crate::plan::{Plan, Signal};
use crate::signal::{Judge, Judgement, Record, Sample, Verdict};
use crate::units::Millis;

/// Judges Green by a plan's limits, as the runbook does from the soak on.
#[derive(Debug, Clone)]
pub struct Cockpit {
    judge: Judge,
}

impl Cockpit {
    /// A cockpit that has seen nothing.
    pub fn new(plan: &Plan) -> Self {
        Self { judge: Judge::of_green(plan, &Record::default()) }
    }

    /// What each limit says.
    pub fn judgements(&self) -> impl Iterator<Item = &Judgement> {
        self.judge.judgements()
    }

    /// What has tripped.
    pub fn tripped(&self) -> Option<&Judgement> {
        self.judge.tripped()
    }
}

impl Policy for Cockpit {
    fn soak(&mut self, at: Millis) {
        self.judge.soak_from(at);
    }

    fn switch(&mut self, at: Millis) {
        self.judge.users_from(at);
    }

    fn second(&mut self, samples: &[Sample]) {
        for sample in samples {
            self.judge.add(sample);
        }
    }

    fn decide(&mut self, now: Millis) -> Said {
        self.judge.evaluate(now);
        if self.judge.tripped().is_some() { Said::GoBack } else { Said::Nothing }
    }

    fn proven(&self) -> Option<bool> {
        let rate = self.judge.of(Signal::ErrorRate)?;
        Some(matches!(rate.verdict, Verdict::Ok))
    }
}
