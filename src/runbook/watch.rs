//! What is measured comes in here: seconds, read-backs, trips, and others who move the split.

use super::core::Core;
use super::event::Answer;
use super::phase::{Phase, Rung};
use super::question::About;
use super::readback::Readback;
use super::record::Record;
use crate::clean::Clean;
use crate::signal::{Judgement, Sample};
use crate::units::{Percent, Role, Split};

impl Core {
    pub(super) fn sampled(&mut self, sample: &Sample) {
        self.world.add(sample);
        self.rollback_sampled(sample);
    }

    /// A routine read-back.
    pub(super) fn read(&mut self, readback: Readback) {
        let worker_before = self.world.worker;
        self.world.router_read(&readback, self.at);
        if self.world.blue.is_none() {
            return self.fix_blue();
        }
        let green = self.green_read();
        if green.is_some_and(|percent| percent > Percent::ZERO) {
            self.green_had_weight = true;
        }
        let reloaded = worker_before.is_some() && self.world.worker != worker_before;
        self.compare(readback.split(), reloaded);
    }

    /// Whoever else writes: their split is adopted, explained, and held. We never push again
    /// towards Green.
    fn compare(&mut self, read: Option<Split>, reloaded: bool) {
        let writing = matches!(self.phase, Phase::Switch { state: Rung::Writing { .. }, .. })
            || self.rollback.as_ref().is_some_and(|rollback| !rollback.settled());
        let (Some(read), Some(asked), false) = (read, self.asked, writing) else { return };
        if read == asked {
            if self.moved_by_others.take().is_some() {
                self.info("the router reports our split again; h goes on");
            }
            return;
        }
        let (Some(now), Some(ours)) = (self.green_of(read), self.green_of(asked)) else { return };
        let who = if reloaded {
            "the router was restarted and fell back to its own configuration"
        } else {
            "somebody else moved the split"
        };
        let says = format!("{who}: Green has {now} %, we asked for {ours} %");
        if self.moved_by_others.as_ref().is_none_or(|said| said.as_str() != says) {
            self.moved_by_others = Some(Clean::new(&says));
            self.held = self.rollback.is_none();
            self.record(Record::Split {
                asked: Some(ours.get()),
                read: Some(now.get()),
                took_us: 0,
                says: Clean::new(&says),
            });
            self.warn(&format!("{says}; HOLDING, and nothing is sent to Green; r goes back"));
        }
    }

    /// Brings the verdicts up to now, writes down what changed, and acts on a trip.
    pub(super) fn judge(&mut self) {
        for role in Role::BOTH {
            let judge = &mut self.world.judges[role.index()];
            let changed: Vec<Judgement> = judge
                .evaluate(self.at)
                .into_iter()
                .filter_map(|change| judge.of(change.signal).cloned())
                .collect();
            if role == Role::Green && !self.green_is_judged() {
                continue;
            }
            for judgement in changed {
                self.record(Record::Verdict { role, judgement });
            }
        }
        self.act_on_trip();
    }

    /// Green is judged from the soak on.
    pub(super) fn green_is_judged(&self) -> bool {
        matches!(
            self.phase,
            Phase::Soak { .. }
                | Phase::Switch { .. }
                | Phase::Watch { .. }
                | Phase::Decide
                | Phase::Warm { .. }
        )
    }

    fn act_on_trip(&mut self) {
        let decided = self.rollback.is_some() || self.asks(About::Tripped) || self.held;
        let deciding = self.green_is_judged() && !matches!(self.phase, Phase::Warm { .. });
        if decided || !deciding {
            return;
        }
        let Some(judgement) = self.world.judges[Role::Green.index()].tripped() else { return };
        let why = format!(
            "{} tripped: {} on Green, limit {} for {}",
            judgement.signal().label(),
            judgement.counts(),
            judgement.limit.above,
            judgement.limit.hold,
        );
        if !self.plan.on_trip.ask || !self.facts.attended {
            return self.go_back_if_blue_is_well(&why);
        }
        let countdown = self.plan.on_trip.countdown;
        let due = (self.at + countdown, Answer::Yes);
        let lines =
            vec![why, format!("All traffic goes back to Blue in {countdown}, unless you hold.")];
        self.withdraw();
        let open = self.ask(About::Tripped, "A limit has tripped", lines, "go back", "hold");
        open.due = Some(due);
    }
}
