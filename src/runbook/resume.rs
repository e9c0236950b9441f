//! Picking a run up: the router is read before anything else, what it reports is shown, and the
//! operator goes on or goes back. What was interrupted is unknown, and its timer begins anew.

use super::core::Core;
use super::effect::{Act, Barrier};
use super::phase::{Job, Phase, Rung, Warmth};
use super::question::About;
use super::step::Step;
use crate::clean::Clean;
use crate::units::{Percent, Role};

impl Core {
    pub(super) fn resumed(&mut self, attended: bool) {
        self.facts.attended = attended;
        self.resuming = true;
        self.warn("the run was cut off and is picked up: the router is read first");
        self.question = None;
        self.leaving = false;
        self.journal_trouble = None;
        self.regime = None;
        let writing = self.rollback.is_some();
        self.in_flight.clear();
        self.cut_off();
        if writing {
            // A way back that had begun goes on at once: nobody is asked for it twice.
            return self.rollback_resumed();
        }
        if self.world.blue.is_none() {
            self.phase = Phase::Reading;
            self.resuming = false;
        }
        self.act(Act::ReadRouter, Barrier::Nothing);
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
    pub(super) fn resumed_read(&mut self) {
        let read = self.world.split(self.at);
        if let Phase::Switch { rung, state: Rung::Writing { .. } } = self.phase {
            // The intent is on disk and the outcome is not: what the router reports decides.
            if read.is_some() && read == self.asked {
                let (since, until) = (self.at, self.at + self.plan.ramp_hold);
                self.phase = Phase::Switch { rung, state: Rung::Holding { since, until } };
            } else {
                self.phase = Phase::Switch { rung, state: Rung::Asking };
                self.asked = read;
            }
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
        let expected = match (read, self.asked) {
            (Some(read), Some(asked)) if read != asked => {
                "That is NOT what this run asked for: somebody else moved it.".to_owned()
            }
            (Some(_), _) => "That is what this run asked for.".to_owned(),
            (None, _) => "Nothing is sent to Green while it cannot be read.".to_owned(),
        };
        let title = format!("The run was cut off in step {}: {}", step.number(), step.title());
        let lines =
            vec![traffic, expected, "The step's timer begins anew. r goes back.".to_owned()];
        self.ask(About::GoOn, &title, lines, "go on", "hold");
    }

    /// Going on: what was being timed is timed anew, because nobody watched in between.
    pub(super) fn go_on(&mut self) {
        self.resuming = false;
        let at = self.at;
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
            Phase::Reading
            | Phase::Confirm { .. }
            | Phase::Switch { .. }
            | Phase::Decide
            | Phase::Warm { .. } => {}
        }
        if self.green_is_judged() {
            let source = self.world.judges[Role::Green.index()].source();
            self.world.judge_green(&self.plan, source, at);
        }
        if self.phase == Phase::Decide {
            self.phase = Phase::Watch { since: at, until: at + self.plan.watch };
        }
    }
}
