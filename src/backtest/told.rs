//! What a backtest has found: the changes, and what they come to.

use super::said::Said;
use crate::plan::{Plan, Signal, SignalSource};
use crate::signal::{Change, Judge, Origin, Sample, Verdict, Whose};
use crate::text::clock;
use crate::units::Millis;

/// What a backtest has found.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// The changes of verdicts, in their order.
    pub said: Vec<Said>,
    /// When users were first moved to Green.
    pub switched: Option<Millis>,
    /// The first trip, and whether Green had users then: the plan would have gone back.
    pub tripped: Option<(Said, bool)>,
    /// The first time that both slots suffered, before any trip.
    pub shared: Option<Said>,
    /// Requests of Green's that were judged in the last phase, and how many it takes.
    pub seen: (u64, u64),
    /// Lines that came after the evaluation which they belong to, and counted at the next one.
    pub late: u64,
    has: [bool; Signal::ALL.len()],
}

impl Told {
    /// Takes what a judge has changed at `at`. `counts` says whether a trip would still have moved
    /// somebody.
    pub(super) fn changed(
        &mut self,
        judge: &Judge,
        changes: Vec<Change>,
        at: Millis,
        counts: bool,
    ) {
        for change in changes {
            let Some(judgement) = judge.told_of(change.signal) else { continue };
            let said = Said { at, was: change.was, judgement };
            match change.now {
                Verdict::Tripped if counts && self.tripped.is_none() => {
                    self.tripped = Some((said.clone(), self.switched.is_some()));
                }
                Verdict::Shared if self.tripped.is_none() => {
                    self.shared.get_or_insert_with(|| said.clone());
                }
                _ => {}
            }
            self.said.push(said);
        }
    }

    /// Remembers which limits this second says something of.
    pub(super) fn heard(&mut self, sample: &Sample) {
        if sample.role == Whose::Blue {
            return;
        }
        let asked = sample.from != Origin::Gauges;
        let counted = asked && sample.requests.is_some();
        let gauged = !asked;
        let speaks = |signal: Signal| match signal {
            Signal::ErrorRate => counted && sample.failed.is_some(),
            Signal::ClientErrorRate => counted && sample.client_errors.is_some(),
            Signal::LatencyP95 => counted && sample.latency_ms.is_some(),
            Signal::Health => sample.from == Origin::Probes && sample.readiness().is_some(),
            Signal::DbErrors => gauged && sample.db_errors.is_some(),
            Signal::QueueDepth => gauged && sample.queue_depth.is_some(),
        };
        for (has, signal) in self.has.iter_mut().zip(Signal::ALL) {
            *has = *has || speaks(signal);
        }
    }

    /// Whether the plan would have gone back.
    pub const fn goes_back(&self) -> bool {
        self.tripped.is_some()
    }

    /// What whoever asked should know of these samples beside the verdicts, a sentence each.
    pub fn warnings(&self, plan: &Plan) -> Vec<String> {
        let mut warnings = Vec::new();
        for (has, signal) in self.has.iter().zip(Signal::ALL) {
            let key = signal.key();
            let gauge = matches!(signal, Signal::DbErrors | Signal::QueueDepth);
            let source = matches!(plan.signals.get(&signal), Some(SignalSource::Readiness(_)));
            match (has, plan.limit(signal).is_some(), !gauge || source) {
                (false, true, true) => warnings.push(format!(
                    "nothing here was read of Green's {key}: its limit could not be judged"
                )),
                (true, _, false) => warnings.push(format!(
                    "{key} is here and was not judged: the plan declares no source for it in [signals]"
                )),
                _ => {}
            }
        }
        if self.late > 0 {
            let lines = crate::text::count(self.late, "line");
            warnings.push(format!(
                "{lines} came more than 1 s after later ones, and counted when they came: sort by `at`"
            ));
        }
        warnings
    }

    /// What the plan would have done, in a sentence.
    pub fn sum_up(&self) -> String {
        if let Some((said, on_users)) = &self.tripped {
            let (at, label) = (clock(said.at), said.judgement.signal().label());
            return match (on_users, self.switched) {
                (true, Some(switched)) => format!(
                    "would have gone back at {at}, {} s after the switch: {label} tripped",
                    said.at.since(switched).as_secs()
                ),
                _ => format!("would have abandoned Green at {at}, in the soak: {label} tripped"),
            };
        }
        let (seen, needed) = self.seen;
        let held = self.shared.as_ref().map_or_else(String::new, |said| {
            let (at, label) = (clock(said.at), said.judgement.signal().label());
            format!("would have held at {at}, where both slots suffered ({label}), and ")
        });
        match self.switched {
            None => {
                format!("{held}nothing tripped: Green had no users here, only its soak was judged")
            }
            Some(_) if seen < needed => {
                format!(
                    "{held}nothing tripped, but it ended unproven: {seen} of ~{needed} requests needed"
                )
            }
            Some(_) => {
                let held = if held.is_empty() { "would have ".to_owned() } else { held };
                format!("{held}kept Green: {seen} requests, ~{needed} needed")
            }
        }
    }
}
