//! Picking a run up: the router is read before anything else, what it reports is shown, and the
//! operator goes on or goes back. What was interrupted is unknown, and its timer begins anew.

use super::core::Core;
use super::effect::{Act, Barrier, EffectId, RunOutcome};
use super::event::Answer;
use super::phase::{Job, Phase, Rung, Warmth};
use super::question::About;
use super::readback::Readback;
use super::step::Step;
use crate::clean::Clean;
use crate::plan::CommandName;
use crate::units::{Millis, Percent, Role};

/// How far the picking up of a run has come. Until it is over nothing moves but the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PickUp {
    /// The run goes on, or was never cut off.
    No,
    /// The router is being read, before anything else.
    Reading(EffectId),
    /// What it reported is shown, and the operator decides.
    Asking,
}

impl Core {
    /// A run that was left, or kept with Blue still warm, is open again. One that went back, or
    /// whose Blue is gone, is over.
    pub(super) fn reopen(&mut self) {
        let gone = matches!(self.phase, Phase::Warm { state: Warmth::Gone, .. });
        let open = self.finish.as_ref().is_some_and(|finish| match finish.outcome {
            RunOutcome::Interrupted => true,
            RunOutcome::Kept => !gone,
            RunOutcome::RolledBack | RunOutcome::Abandoned | RunOutcome::Failed => false,
        });
        if open {
            self.finish = None;
        }
    }

    pub(super) fn resumed(&mut self, attended: bool) {
        self.facts.attended = attended;
        self.warn("the run was cut off and is picked up: the router is read first");
        self.open.clear();
        self.leaving = false;
        self.waits_for_blue = None;
        self.trip_held = None;
        self.suspended = false;
        self.journal_trouble = None;
        self.regime = None;
        self.stalled_since = None;
        self.in_flight.clear();
        self.world.forget(Role::Blue);
        self.world.forget(Role::Green);
        self.cut_off();
        if self.rollback.is_some() {
            // A way back that had begun goes on at once: nobody is asked for it twice.
            return self.rollback_resumed();
        }
        if self.world.blue.is_none() {
            self.phase = Phase::Reading;
        }
        let id = self.act(Act::ReadRouter, Barrier::Nothing);
        if self.world.blue.is_some() {
            self.picking_up = PickUp::Reading(id);
        }
    }

    /// Whatever ran when the run was cut off did, or did not, take effect: nobody knows.
    fn cut_off(&mut self) {
        let unknown = || Job::Bad(Clean::new("was cut off; whether it took effect is unknown"));
        match &mut self.phase {
            Phase::Confirm { redeploy, write } => {
                if *redeploy == Job::Running {
                    *redeploy = unknown();
                }
                if write.is_none() {
                    *write = Some(Err(Clean::new("was cut off; space tries again")));
                }
            }
            Phase::Deploy { migrate, deploy, .. } => {
                for job in [migrate, deploy] {
                    if *job == Job::Running {
                        *job = unknown();
                    }
                }
            }
            Phase::Warm { state: state @ Warmth::Stopping, .. } => *state = Warmth::Drained,
            _ => {}
        }
    }

    /// The first read-back after a resume.
    pub(super) fn resumed_read(&mut self, readback: &Readback) {
        let read = readback.split();
        let mut expected = String::new();
        if let Phase::Switch { rung, state: Rung::Writing { .. } } = self.phase {
            // The intent is on disk and the outcome is not: what the router reports decides.
            if read.is_some() && read == self.asked {
                self.rung_stands(rung);
                expected = "The switch that was cut off took effect.".to_owned();
            } else {
                self.given_up = self.asked;
                self.asked = self.standing(rung);
                self.phase = Phase::Switch { rung, state: Rung::Asking };
                expected = "The switch that was cut off is not in effect.".to_owned();
            }
        }
        self.picking_up = PickUp::Asking;
        self.compare(read, false);
        let as_asked = read.is_some() && read == self.asked;
        if !as_asked {
            expected = match read {
                Some(_) => "That is NOT what this run asked for: somebody else moved it.",
                None => "Nothing is sent to Green while it cannot be read.",
            }
            .to_owned();
        } else if expected.is_empty() {
            expected = "That is what this run asked for.".to_owned();
        }
        let step: Step = self.step_now();
        let traffic = match self.green_read() {
            Some(Percent::ZERO) => "The router reads all users on Blue.".to_owned(),
            Some(percent) => format!("The router reads {percent} % of users on Green."),
            None => match self.world.router_trouble(self.at) {
                Some(why) => format!("The router cannot be read: {why}"),
                None => "The router cannot be read.".to_owned(),
            },
        };
        let title = format!("The run was cut off in step {}: {}", step.number(), step.title());
        let lines =
            vec![traffic, expected, "The step's timer begins anew. r goes back.".to_owned()];
        let due = self.at + self.plan.health.deadline;
        let attended = self.facts.attended;
        let open = self.ask(About::GoOn, &title, lines, "go on", "hold");
        open.routine = as_asked;
        if !attended && !as_asked {
            open.due = Some((due, Answer::No));
        }
    }

    /// Going on: what was being timed is timed anew, because nobody watched in between.
    pub(super) fn go_on(&mut self) {
        self.picking_up = PickUp::No;
        match &self.phase {
            Phase::Confirm { .. } => {
                self.prove_write_again();
                self.check_redeploy_again();
            }
            Phase::Warm { state: Warmth::Gone, .. } => return self.offer_contract(),
            _ => {}
        }
        self.time_anew();
    }

    /// Nobody watched for so long: the machine slept, or the program was stopped. What was read
    /// before is old by itself; what is timed is timed anew.
    pub(super) fn slept(&mut self, gap: Millis) {
        self.suspended = false;
        let gap = Millis::secs(gap.as_secs());
        self.warn(&format!("nobody watched for {gap}: what is timed begins anew"));
        self.time_anew();
    }

    /// The terminal is back.
    pub(super) fn continued(&mut self) {
        if !std::mem::take(&mut self.suspended) {
            return self.info("the terminal was taken again");
        }
        self.warn("the terminal was taken again; nobody watched: what is timed begins anew");
        self.time_anew();
    }

    /// What is being timed is timed anew.
    fn time_anew(&mut self) {
        let at = self.at;
        self.stalled_since = None;
        if let Some(rollback) = &mut self.rollback {
            return rollback.time_anew(at);
        }
        match &mut self.phase {
            Phase::Deploy { answer_by, .. } => {
                if answer_by.is_some() {
                    *answer_by = Some(at + self.plan.health.deadline);
                }
            }
            Phase::Readiness { since, deadline, .. } => {
                *since = None;
                *deadline = at + self.plan.health.deadline;
            }
            Phase::Soak { until } => {
                *until = at + self.plan.soak;
                self.times[Step::Soak as usize].entered = Some(at);
            }
            Phase::Switch { state: Rung::Holding { since, until }, .. } => {
                *since = at;
                *until = at + self.plan.ramp_hold;
            }
            Phase::Watch { since, until } => {
                *since = at;
                *until = at + self.plan.watch;
            }
            // Nobody watched in between, so the watch decides, and not the question of before.
            Phase::Decide => {
                self.withdraw(|about| about == About::Unproven);
                self.watch_again();
            }
            Phase::Reading | Phase::Confirm { .. } | Phase::Switch { .. } | Phase::Warm { .. } => {}
        }
        let tripped = self.world.green().tripped().is_some();
        if self.green_is_judged() && !tripped {
            self.world.green_mut().again_from(at);
        }
    }

    /// The check that Blue can be redeployed changes nothing: it may run as often as one likes.
    pub(super) fn check_redeploy_again(&mut self) {
        let blue = self.world.blue;
        if let (Some(blue), Phase::Confirm { redeploy: redeploy @ Job::Bad(_), .. }) =
            (blue, &mut self.phase)
        {
            *redeploy = Job::Running;
            self.run(CommandName::RedeployCheck, blue);
        }
    }
}
