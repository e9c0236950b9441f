//! The phases of the runbook: what each waits for, and what time brings about in it. Steps 1 to 4
//! are here, step 5 is in [`super::ramp`], and what follows in [`super::keep`].

use super::artefact::{same_artefact, short};
use super::core::Core;
use super::effect::{Act, Barrier, EffectId, Regime};
use super::event::Answer;
use super::gate::GateState;
use super::question::About;
use super::readback::Readback;
use super::record::Record;
use super::resume::PickUp;
use super::step::Step;
use crate::clean::Clean;
use crate::plan::{CommandName, DeadlineThen, Migration};
use crate::units::{Millis, Role, Slot, Split};

/// Time between two reads while the router does not say who Blue is.
const READ_AGAIN: Millis = Millis::secs(1);

/// How one of the operator's commands stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Job {
    /// The plan has none; the operator does it, or nobody.
    NotDeclared,
    /// Still to be run.
    Waiting,
    /// Running.
    Running,
    /// It did what it was asked.
    Good,
    /// It did not, or nobody knows.
    Bad(Clean),
}

/// How a step of the ramp stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rung {
    /// The operator's yes is awaited.
    Asking,
    /// The router is being told.
    Writing { tries: u32 },
    /// The split stands since then, and is held until then.
    Holding { since: Millis, until: Millis },
}

/// How step 8 stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Warmth {
    /// Blue is kept warm until then.
    Keeping { until: Millis },
    /// The window has passed; Blue's last requests are awaited, until then at most.
    Draining { until: Millis },
    /// Blue has nothing to do; the operator may decommission it.
    Drained,
    /// The stop command runs.
    Stopping,
    /// Blue is gone. There is no way back any more.
    Gone,
}

/// Where a run is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    /// Step 1, before the router has said who Blue is.
    Reading,
    /// Step 1.
    Confirm {
        redeploy: Job,
        /// Microseconds that writing the standing split took; the fault, if it failed.
        write: Option<Result<u64, Clean>>,
    },
    /// Step 2.
    Deploy {
        migrate: Job,
        deploy: Job,
        /// When Green must have answered, once the command has ended.
        answer_by: Option<Millis>,
    },
    /// Step 3.
    Readiness {
        /// Ready without a break since then.
        since: Option<Millis>,
        breaks: u32,
        deadline: Millis,
    },
    /// Step 4.
    Soak { until: Millis },
    /// Step 5; `rung` counts the steps of the ramp from 0.
    Switch { rung: usize, state: Rung },
    /// Step 6.
    Watch { since: Millis, until: Millis },
    /// Step 7, where the operator decides because the watch saw too little.
    Decide,
    /// Step 8.
    Warm { since: Millis, state: Warmth },
}

impl Phase {
    pub const fn step(&self) -> Step {
        match self {
            Self::Reading | Self::Confirm { .. } => Step::Confirm,
            Self::Deploy { .. } => Step::Deploy,
            Self::Readiness { .. } => Step::Readiness,
            Self::Soak { .. } => Step::Soak,
            Self::Switch { .. } => Step::Switch,
            Self::Watch { .. } => Step::Watch,
            Self::Decide => Step::Decide,
            Self::Warm { .. } => Step::Warm,
        }
    }
}

fn job(core: &Core, command: CommandName) -> Job {
    if core.plan.commands.has(command) { Job::Waiting } else { Job::NotDeclared }
}

impl Core {
    // ---- step 1 ----

    /// The split was read because we asked (not by routine).
    pub(super) fn router_was_read(&mut self, id: EffectId, readback: &Readback) {
        if self.rollback.is_some() {
            self.rollback_read(id, readback);
        } else if self.world.blue.is_none() {
            self.fix_blue();
        } else if self.picking_up == PickUp::Reading(id) {
            self.resumed_read(readback);
        }
    }

    /// Until the router says who serves users, it is asked again and again.
    fn tick_reading(&mut self) {
        let last = self.world.readback.as_ref().map(|(_, at)| *at);
        let reading = self.in_flight.values().any(|flight| flight.act == Act::ReadRouter);
        if !reading && last.is_none_or(|at| self.at.since(at) >= READ_AGAIN) {
            self.act(Act::ReadRouter, Barrier::Nothing);
        }
    }

    /// Blue is the slot that the router says serves users, when the run begins.
    pub(super) fn fix_blue(&mut self) {
        if self.phase != Phase::Reading {
            return;
        }
        let Some(blue) = self.world.split(self.at).and_then(Split::sole) else { return };
        self.world.blue = Some(blue);
        self.stalled_since = None;
        self.record(Record::Blue { slot: blue, name: Clean::new(self.plan.slot_name(blue)) });
        self.compare_split_with_last_end(blue);
        self.phase =
            Phase::Confirm { redeploy: job(self, CommandName::RedeployCheck), write: None };
        // Write access is proven by writing the split that stands: it moves nobody.
        let split = Split::all_to(blue);
        self.asked = Some(split);
        let timeout = self.plan.router.timeout;
        let act = Act::SetRouter { split, timeout, rollback: false, expect: Some(split) };
        self.act(act, Barrier::Journal);
        if self.plan.commands.has(CommandName::RedeployCheck) {
            self.set_job(CommandName::RedeployCheck, Job::Running);
            self.run(CommandName::RedeployCheck, blue);
        }
    }

    fn set_job(&mut self, command: CommandName, to: Job) {
        match (&mut self.phase, command) {
            (Phase::Confirm { redeploy, .. }, CommandName::RedeployCheck) => *redeploy = to,
            (Phase::Deploy { migrate, .. }, CommandName::Migrate) => *migrate = to,
            (Phase::Deploy { deploy, .. }, CommandName::Deploy) => *deploy = to,
            _ => {}
        }
    }

    /// A command has ended.
    pub(super) fn ran(&mut self, command: CommandName, good: bool, how: &str) {
        match (command, &self.phase) {
            (CommandName::Stop, Phase::Warm { since, .. }) => {
                let since = *since;
                if good {
                    self.phase = Phase::Warm { since, state: Warmth::Gone };
                    self.pass(Step::Warm);
                    self.offer_contract();
                } else {
                    self.phase = Phase::Warm { since, state: Warmth::Drained };
                    self.warn(&format!("stop {how}; Blue may still run: press space to try again"));
                }
                return;
            }
            (CommandName::Contract, _) => {
                if good {
                    self.owed.clear();
                }
                self.finish_kept();
                return;
            }
            _ => {}
        }
        let to = if good { Job::Good } else { Job::Bad(Clean::new(how)) };
        self.set_job(command, to);
        match (command, good, &self.phase) {
            (CommandName::Migrate, true, Phase::Deploy { .. }) => self.run_deploy(),
            (CommandName::Deploy, true, Phase::Deploy { .. }) => self.await_green(),
            // Nobody is there to decide whether it may be run again.
            (CommandName::Migrate | CommandName::Deploy, false, Phase::Deploy { .. })
                if !self.facts.attended =>
            {
                self.go_back_if_blue_is_well(&format!("{} {how}", command.key()));
            }
            _ => {}
        }
    }

    // ---- step 2 ----

    pub(super) fn begin_deploy(&mut self) {
        self.pass(Step::Confirm);
        self.enter(Step::Deploy);
        self.phase = Phase::Deploy {
            migrate: job(self, CommandName::Migrate),
            deploy: job(self, CommandName::Deploy),
            answer_by: None,
        };
        self.world.forget(Role::Green);
        if self.plan.turns_back() {
            self.info("nothing is deployed: Green runs what Blue runs");
            return self.await_green();
        }
        self.run_migrate();
    }

    pub(super) fn run_migrate(&mut self) {
        let Some(green) = self.slot(Role::Green) else { return };
        match &self.phase {
            Phase::Deploy { migrate: Job::Waiting | Job::Bad(_), .. } => {
                self.set_job(CommandName::Migrate, Job::Running);
                self.run(CommandName::Migrate, green);
            }
            Phase::Deploy { .. } => self.run_deploy(),
            _ => {}
        }
    }

    fn run_deploy(&mut self) {
        let Some(green) = self.slot(Role::Green) else { return };
        if let Phase::Deploy { deploy: Job::Waiting | Job::Bad(_), .. } = &self.phase {
            self.set_job(CommandName::Deploy, Job::Running);
            self.run(CommandName::Deploy, green);
        }
    }

    /// The deploy is done: Green must answer, and name the release.
    pub(super) fn await_green(&mut self) {
        let by = self.at + self.plan.health.deadline;
        self.world.forget(Role::Green);
        self.withdraw(|about| about == About::Again);
        if let Phase::Deploy { deploy, answer_by, .. } = &mut self.phase {
            *deploy = Job::Good;
            *answer_by = Some(by);
        }
    }

    /// Green must answer as the new release: then it is waited for to be ready.
    fn tick_deploy(&mut self, by: Millis) {
        if self.held {
            return;
        }
        let right = self.green_is_next() != Some(false) && self.artefact_is_right() != Some(false);
        if self.green_answered() && right {
            if self.gate_state() == GateState::Open {
                self.begin_readiness();
            }
        } else if self.at >= by && !self.asks(About::HoldAgain) {
            let then = self.plan.health.deadline_then;
            let health = &self.world.health[Role::Green.index()];
            let next = self.plan.release.next.as_deref().unwrap_or_default();
            let why = match (&health.release, &health.why) {
                (Some(named), _) if self.green_is_next() == Some(false) => {
                    format!("it names {named}, not {next}")
                }
                (_, Some(why)) => why.to_string(),
                (Some(_), None) if self.green_is_next() != Some(false) => self.artefact_trouble(),
                (None, None) if health.last.is_some() => format!("it does not name {next}"),
                (_, None) => "no answer at all".to_owned(),
            };
            let title = format!("Green did not answer as the new release in time: {why}");
            self.give_up_or_ask(&title, then);
        }
    }

    /// Whether Green names the release that was to be deployed; nothing where the plan does not
    /// say how, or which.
    pub(super) fn green_is_next(&self) -> Option<bool> {
        let next = self.plan.release.next.as_ref()?;
        self.plan.identity.release.as_ref()?;
        let named = self.world.health[Role::Green.index()].release.as_ref();
        Some(named.is_some_and(|release| release.as_str() == next))
    }

    /// Whether Green names the artefact that was declared; nothing where none was, or where the
    /// plan does not say how it is named.
    pub(super) fn artefact_is_right(&self) -> Option<bool> {
        let planned = self.plan.release.artefact()?;
        self.plan.identity.artefact.as_ref()?;
        let named = self.world.health[Role::Green.index()].artefact.as_ref();
        Some(named.is_some_and(|named| same_artefact(named.as_str(), planned)))
    }

    fn artefact_trouble(&self) -> String {
        let named = self.world.health[Role::Green.index()].artefact.as_ref();
        let planned = self.plan.release.artefact().unwrap_or_default();
        match named {
            Some(named) => format!("it runs {}, not {}", short(named.as_str()), short(planned)),
            None => "it does not name its artefact".to_owned(),
        }
    }

    // ---- steps 3 and 4 ----

    fn begin_readiness(&mut self) {
        self.withdraw(|about| about == About::HoldAgain);
        self.pass(Step::Deploy);
        self.enter(Step::Readiness);
        self.phase = Phase::Readiness {
            since: None,
            breaks: 0,
            deadline: self.at + self.plan.health.deadline,
        };
    }

    /// The wait for Green begins anew: for its first answer, or for its readiness.
    pub(super) fn hold_again(&mut self) {
        match &mut self.phase {
            Phase::Deploy { answer_by, .. } => {
                *answer_by = Some(self.at + self.plan.health.deadline);
            }
            Phase::Readiness { .. } => self.begin_readiness(),
            _ => {}
        }
    }

    fn begin_soak(&mut self) {
        self.withdraw(|about| about == About::HoldAgain);
        self.pass(Step::Readiness);
        self.enter(Step::Soak);
        self.phase = Phase::Soak { until: self.at + self.plan.soak };
        self.world.green_mut().soak_from(self.at);
    }

    /// Readiness is green for long enough, and not once by luck.
    fn tick_readiness(&mut self) {
        let ready = self.world.ready(Role::Green, self.at);
        let Phase::Readiness { since, breaks, deadline } = &mut self.phase else { return };
        match (ready, *since) {
            (Some(true), None) => *since = Some(self.at),
            (Some(true), Some(_)) | (_, None) => {}
            // Not ready, or unknown: the hold begins anew, and only a real answer is a flap.
            (answer, Some(_)) => {
                *since = None;
                if answer == Some(false) {
                    *breaks += 1;
                }
            }
        }
        let (breaks, late) = (*breaks, self.at >= *deadline);
        let steady = since.is_some_and(|from| self.at.since(from) >= self.plan.health.hold);
        let flapped = breaks > self.plan.health.flaps;
        if self.held {
            return;
        }
        if steady && !flapped {
            // No deadline strikes a Green that has proven itself, whatever else shuts the gate.
            if self.gate_state() == GateState::Open {
                self.begin_soak();
            }
        } else if self.asks(About::HoldAgain) {
        } else if flapped {
            let title = format!("Green was ready and fell back {breaks} times");
            self.give_up_or_ask(&title, DeadlineThen::Ask);
        } else if late {
            let title = format!(
                "Green was not ready for {} within {}",
                self.plan.health.hold, self.plan.health.deadline
            );
            self.give_up_or_ask(&title, self.plan.health.deadline_then);
        }
    }

    /// A deadline has passed: the plan has declared what happens then.
    fn give_up_or_ask(&mut self, title: &str, then: DeadlineThen) {
        if then == DeadlineThen::Abandon || !self.facts.attended {
            // Somebody else may have sent users to Green: these go back only to a Blue that is well.
            self.go_back_if_blue_is_well(title);
            return;
        }
        let due = self.at + self.plan.health.deadline;
        let lines = vec![
            "No user is on Green. Abandoning it moves nobody.".to_owned(),
            format!("Without an answer Green is abandoned in {}.", self.plan.health.deadline),
        ];
        let open = self.ask(About::HoldAgain, title, lines, "wait for it again", "abandon Green");
        open.due = Some((due, Answer::No));
    }

    // ---- time ----

    pub(super) fn phase_tick(&mut self) {
        self.stalled_tick();
        let at = self.at;
        match self.phase {
            Phase::Reading => self.tick_reading(),
            Phase::Deploy { deploy: Job::Good, answer_by: Some(by), .. } => self.tick_deploy(by),
            Phase::Readiness { .. } => self.tick_readiness(),
            Phase::Soak { until }
                if at >= until && !self.held && self.gate_state() == GateState::Open =>
            {
                self.begin_switch();
            }
            Phase::Switch { rung, state: Rung::Holding { until, .. } }
                if at >= until && !self.held && self.turns_back_at(rung) =>
            {
                self.go_back_if_blue_is_well("the hold is over, and this is a rehearsal");
            }
            Phase::Watch { until, .. } => self.tick_watch(until),
            // Whatever was asked here is over and decided nothing: it is asked again.
            Phase::Decide
                if self.open.is_empty()
                    && !self.held
                    && self.waits_for_blue.is_none()
                    && self.shared.is_none() =>
            {
                self.decide();
            }
            Phase::Warm { since, state: Warmth::Keeping { until } } if at >= until => {
                let until = at + self.plan.drain;
                self.phase = Phase::Warm { since, state: Warmth::Draining { until } };
                self.info("the warm window has passed; Blue's last requests are awaited");
            }
            Phase::Warm { since, state: Warmth::Draining { until } } => {
                let left = self.world.health[Role::Blue.index()].in_flight;
                if left == Some(0) || at >= until {
                    self.phase = Phase::Warm { since, state: Warmth::Drained };
                    self.info("Blue has nothing in flight and may be decommissioned");
                }
            }
            Phase::Warm { state: Warmth::Drained, .. } if !self.facts.attended => {
                self.finish_kept();
            }
            _ => {}
        }
    }

    /// Whether Green gave any answer since it was deployed (ready or not).
    pub(super) fn green_answered(&self) -> bool {
        let green = &self.world.health[Role::Green.index()];
        green.live != Some(false)
            && (green.release.is_some() || green.good > 0 || green.live == Some(true))
    }

    pub(super) fn phase_due(&self) -> Option<Millis> {
        match self.phase {
            Phase::Deploy { answer_by, .. } => answer_by,
            Phase::Readiness { since, deadline, .. } => {
                Some(since.map_or(deadline, |since| deadline.min(since + self.plan.health.hold)))
            }
            Phase::Soak { until } | Phase::Watch { until, .. } => Some(until),
            Phase::Switch { state: Rung::Holding { until, .. }, .. } => Some(until),
            Phase::Warm {
                state: Warmth::Keeping { until } | Warmth::Draining { until }, ..
            } => Some(until),
            _ => None,
        }
        .filter(|due| *due > self.at)
    }

    /// How to measure in this phase.
    pub(super) fn regime_now(&self, blue: Slot) -> Regime {
        let deployed = match &self.phase {
            Phase::Reading | Phase::Confirm { .. } => false,
            Phase::Deploy { deploy, .. } => *deploy == Job::Good,
            _ => true,
        };
        let close = matches!(
            self.phase,
            Phase::Soak { .. } | Phase::Switch { .. } | Phase::Watch { .. } | Phase::Decide
        );
        let going_back = self.rollback.as_ref().is_some_and(|rollback| !rollback.settled());
        let every =
            if close || going_back { self.plan.probe_every } else { self.plan.health.every };
        Regime {
            blue,
            green: deployed,
            every: every.min(self.plan.health.every),
            synthetic: close,
            front: close && self.plan.identity.slot_header.is_some(),
        }
    }

    /// Whether the release cannot be undone.
    pub(super) fn is_irreversible(&self) -> bool {
        self.plan.release.migration == Migration::Irreversible
    }
}
