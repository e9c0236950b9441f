//! What is measured comes in here: seconds, read-backs, trips, and others who move the split.

use super::core::Core;
use super::effect::Effect;
use super::event::Answer;
use super::phase::{Phase, Rung, Warmth};
use super::question::About;
use super::readback::Readback;
use super::record::Record;
use super::resume::PickUp;
use crate::clean::Clean;
use crate::signal::{Judgement, Sample, Verdict};
use crate::units::{Percent, Role, Split};

/// How the line begins that says that users came to Green whom this run has not sent.
pub const OTHERS_USERS: &str = "Green has users whom nobody asked for";

impl Core {
    pub(super) fn sampled(&mut self, mut sample: Sample) {
        // A second ends in the past, whatever the clock of whoever measured it says.
        sample.at = sample.at.min(self.at);
        self.world.add(&sample);
        self.compare_release_with_last_end();
        self.note_artefact();
        self.rollback_sampled(&sample);
    }

    /// A routine read-back.
    pub(super) fn read(&mut self, readback: Readback) {
        let worker_before = self.world.worker;
        self.world.router_read(&readback, self.at);
        if self.world.blue.is_none() {
            return self.fix_blue();
        }
        self.notice_weight();
        self.rollback_overheard();
        let reloaded = worker_before.is_some() && self.world.worker != worker_before;
        self.compare(readback.split(), reloaded);
    }

    /// Whoever else writes: their split is adopted, explained, and held. We never push again
    /// towards Green.
    pub(super) fn compare(&mut self, read: Option<Split>, reloaded: bool) {
        let writing = matches!(self.phase, Phase::Switch { state: Rung::Writing { .. }, .. })
            || self.rollback.as_ref().is_some_and(|rollback| !rollback.settled());
        let (Some(read), Some(asked), false) = (read, self.asked, writing) else { return };
        if read == asked {
            self.adopted = None;
            if self.moved_by_others.take().is_some() {
                self.info("the router reports our split again; h goes on");
            }
            return;
        }
        if self.moved_by_others.is_some() && self.adopted == Some(read) {
            return;
        }
        self.adopted = Some(read);
        let (Some(now), Some(ours)) = (self.green_of(read), self.green_of(asked)) else { return };
        let who = if self.given_up == Some(read) {
            "an earlier write of ours, given up, took effect after all"
        } else if reloaded {
            "the router was restarted and fell back to its own configuration"
        } else {
            "somebody else moved the split"
        };
        let says = format!("{who}: Green has {now} %, we asked for {ours} %");
        self.moved_by_others = Some(Clean::new(&says));
        self.withdraw(About::is_forward);
        if matches!(self.phase, Phase::Warm { state: Warmth::Stopping, .. }) {
            self.end_commands("was ended because the split was moved");
        }
        self.record(Record::Split {
            asked: Some(ours.get()),
            read: Some(now.get()),
            took_us: 0,
            says: Clean::new(&says),
        });
        if self.rollback.is_some() {
            return self.warn(&format!("{says}; r goes back once more"));
        }
        self.begin_hold();
        self.warn(&format!("{says}; HOLDING, and nothing is sent to Green; r goes back"));
        if now > Percent::ZERO {
            self.others_sent_users();
        }
    }

    /// Users are on Green whom nobody asked for: they are judged, and Blue's record is closed.
    fn others_sent_users(&mut self) {
        if self.world.green().judges_users() {
            return;
        }
        // What has tripped already is not forgiven by beginning anew.
        let judged = self.green_is_judged() && self.world.green().tripped().is_none();
        let judge = self.world.green_mut();
        if judged {
            judge.users_from(self.at);
        } else {
            judge.freeze();
        }
        let then = if judged { "they are judged from now on" } else { "Blue's record ends here" };
        self.info(&format!("{OTHERS_USERS}: {then}"));
    }

    /// Brings the verdicts up to now, writes down what changed, and acts on a trip.
    pub(super) fn judge(&mut self) {
        while let Some(at) = self.world.cadence.due(self.at) {
            // Before Green is judged it is Blue who must be well; afterwards Blue's word is part of
            // what is said of Green.
            let role = if self.green_is_judged() { Role::Green } else { Role::Blue };
            let judge = &mut self.world.judges[role.index()];
            for change in judge.evaluate(at) {
                if let Some(judgement) = judge.told_of(change.signal) {
                    self.effects.push(Effect::Record(Record::Verdict { role, judgement }));
                }
            }
        }
        self.act_on_shared();
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
        let decided = self.rollback.is_some()
            || self.asks(About::Tripped)
            || self.waits_for_blue.is_some()
            || matches!(self.picking_up, PickUp::Reading(_));
        let deciding = self.green_is_judged() && !matches!(self.phase, Phase::Warm { .. });
        if decided || !deciding || self.new_trip().is_none() {
            return;
        }
        let why = self.trip_words();
        // A release that cannot be undone is never taken back without a chance to say no, and who
        // holds in spite of one limit is asked about the next one.
        let ask = self.plan.on_trip.ask || self.going_back_is_risky() || self.trip_held.is_some();
        if !ask || !self.facts.attended {
            return self.go_back_if_blue_is_well(&why);
        }
        let countdown = self.plan.on_trip.countdown;
        let due = (self.at + countdown, Answer::Yes);
        let mut lines = vec![why];
        if self.going_back_is_risky() {
            lines.push(super::rollback::RISK.to_owned());
        }
        lines.push(format!("All traffic goes back to Blue in {countdown}, unless you hold."));
        self.withdraw(|about| about.is_forward() || about == About::Unproven);
        let open = self.ask(About::Tripped, "A limit has tripped", lines, "go back", "hold");
        open.due = Some(due);
    }

    /// A limit that has tripped on Green, and that the operator has not held in spite of.
    fn new_trip(&self) -> Option<&Judgement> {
        let held = |judgement: &Judgement| {
            self.trip_held.as_ref().is_some_and(|held| held.contains(&judgement.signal()))
        };
        self.world
            .green()
            .judgements()
            .find(|judgement| judgement.verdict == Verdict::Tripped && !held(judgement))
    }

    /// Nothing moves forward any more. Where nobody is there this has its own deadline.
    pub(super) fn begin_hold(&mut self) {
        self.held = true;
        self.stalled_since = None;
    }

    /// The operator holds in spite of what asks for the way back: of what has tripped by now.
    pub(super) fn hold_in_spite(&mut self) {
        self.begin_hold();
        let judge = self.world.green();
        let tripped = judge.judgements().filter(|j| j.verdict == Verdict::Tripped);
        self.trip_held = Some(tripped.map(Judgement::signal).collect());
    }

    /// What has tripped on Green, with its numbers.
    pub(super) fn trip_words(&self) -> String {
        let tripped = self.world.green().tripped();
        let Some(judgement) = self.new_trip().or(tripped) else {
            return "a limit tripped".to_owned();
        };
        judgement.line_on(Role::Green)
    }
}
