//! The phases of the runbook: what each waits for, and what time brings about in it.

use super::core::Core;
use super::effect::{Act, Barrier, Regime, RunOutcome};
use super::gate::{CheckState, GateState};
use super::question::About;
use super::readback::Readback;
use super::step::Step;
use crate::clean::Clean;
use crate::plan::{CommandName, DeadlineThen, Migration, Signal, Unproven};
use crate::signal::judge::needed;
use crate::signal::{Judgement, Origin, Verdict};
use crate::units::{Millis, Percent, Role, Slot, Split};

/// How many times a write towards Green is tried before the operator is asked.
const WRITE_ATTEMPTS: u32 = 3;

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
    pub(super) fn router_was_read(&mut self, readback: &Readback) {
        if let Some(rollback) = &self.rollback {
            // Only the second look is believed: an older one may show what was before the write.
            if rollback.rechecking {
                self.rollback_read(readback);
            }
        } else if self.asks(About::GoOn) || self.world.blue.is_none() {
            self.fix_blue();
        } else {
            self.resumed_read();
        }
    }

    /// Blue is the slot that the router says serves users, when the run begins.
    pub(super) fn fix_blue(&mut self) {
        if self.phase != Phase::Reading {
            return;
        }
        let Some(blue) = self.world.split(self.at).and_then(Split::sole) else { return };
        self.world.blue = Some(blue);
        self.record(super::record::Record::Blue {
            slot: blue,
            name: Clean::new(self.plan.slot_name(blue)),
        });
        self.phase =
            Phase::Confirm { redeploy: job(self, CommandName::RedeployCheck), write: None };
        // Write access is proven by writing the split that stands: it moves nobody.
        let split = Split::all_to(blue);
        self.asked = Some(split);
        let timeout = self.plan.router.timeout;
        self.act(Act::SetRouter { split, timeout, rollback: false }, Barrier::Journal);
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
                self.go_back(&format!("{} {how}", command.key()));
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
        if let Phase::Deploy { deploy, answer_by, .. } = &mut self.phase {
            *deploy = Job::Good;
            *answer_by = Some(by);
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

    // ---- steps 3 and 4 ----

    fn begin_readiness(&mut self) {
        self.pass(Step::Deploy);
        self.enter(Step::Readiness);
        self.phase = Phase::Readiness {
            since: None,
            breaks: 0,
            deadline: self.at + self.plan.health.deadline,
        };
    }

    pub(super) fn hold_again(&mut self) {
        self.begin_readiness();
    }

    fn begin_soak(&mut self) {
        self.pass(Step::Readiness);
        self.enter(Step::Soak);
        self.phase = Phase::Soak { until: self.at + self.plan.soak };
        self.world.judge_green(&self.plan, Origin::Probes, self.at);
    }

    /// Readiness is green for long enough, and not once by luck.
    fn tick_readiness(&mut self) {
        let ready = self.world.ready(Role::Green, self.at);
        let Phase::Readiness { since, breaks, deadline } = &mut self.phase else { return };
        match (ready, *since) {
            (Some(true), None) => *since = Some(self.at),
            (Some(true), Some(from)) if self.at.since(from) >= self.plan.health.hold => {
                if !self.held {
                    return self.begin_soak();
                }
            }
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
        if breaks > self.plan.health.flaps && !self.asks(About::HoldAgain) {
            let title = format!("Green was ready and fell back {breaks} times");
            self.give_up_or_ask(&title, DeadlineThen::Ask);
        } else if late && !self.asks(About::HoldAgain) {
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
            self.go_back(title);
            return;
        }
        let due = self.at + self.plan.health.deadline;
        let lines = vec![
            "No user is on Green. Abandoning it moves nobody.".to_owned(),
            format!("Without an answer Green is abandoned in {}.", self.plan.health.deadline),
        ];
        let open = self.ask(About::HoldAgain, title, lines, "wait for it again", "abandon Green");
        open.due = Some((due, super::event::Answer::No));
    }

    // ---- step 5 ----

    pub(super) fn begin_switch(&mut self) {
        self.pass(Step::Soak);
        self.enter(Step::Switch);
        self.phase = Phase::Switch { rung: 0, state: Rung::Asking };
    }

    /// The share that the next yes would give to Green, and its place in the ramp.
    pub(super) fn next_rung(&self) -> Option<(usize, Percent)> {
        let rung = match self.phase {
            Phase::Switch { rung, state: Rung::Asking } => rung,
            Phase::Switch { rung, state: Rung::Holding { .. } } => rung + 1,
            _ => return None,
        };
        self.plan.ramp.get(rung).map(|percent| (rung, *percent))
    }

    /// Moves users towards Green. The gate is asked once more, now: a yes that was given to an
    /// open gate is worth nothing if it has shut since.
    pub(super) fn climb(&mut self, to: Percent) {
        let (gate, checks) = self.gate();
        let next = self.next_rung();
        let (Some((rung, percent)), GateState::Open) = (next, gate) else {
            let why = checks
                .iter()
                .find(|check| check.state != super::gate::CheckState::Good)
                .map_or_else(
                    || "it is not this step's turn".to_owned(),
                    |check| check.says.clone(),
                );
            self.warn(&format!("nothing was moved: the gate is {} ({why})", gate.word()));
            return;
        };
        let Some(split) = self.green_gets(percent).filter(|_| percent == to) else { return };
        if rung == 0 {
            // From here on users are judged; ramp and watch share one judge.
            self.world.judge_green(&self.plan, Origin::Users, self.at);
        }
        self.phase = Phase::Switch { rung, state: Rung::Writing { tries: 1 } };
        self.asked = Some(split);
        self.write(split);
    }

    fn write(&mut self, split: Split) {
        let timeout = self.plan.router.timeout;
        self.act(Act::SetRouter { split, timeout, rollback: false }, Barrier::Journal);
    }

    /// A write towards Green, or of the standing split, has been read back.
    pub(super) fn written(&mut self, split: Split, readback: &Readback) {
        let took_us = readback.took_us;
        let read = readback.split();
        let good = read == Some(split);
        let says = match (good, readback.first_fault()) {
            (true, _) => Clean::new(&self.split_words(split, took_us)),
            (false, Some((node, fault))) => {
                Clean::new(&format!("{node}: {}; {}", fault.cause, fault.hint))
            }
            (false, None) => Clean::new("the router accepted the split and reports another one"),
        };
        self.record(super::record::Record::Split {
            asked: self.green_of(split).map(Percent::get),
            read: read.and_then(|split| self.green_of(split)).map(Percent::get),
            took_us,
            says: says.clone(),
        });
        match &mut self.phase {
            Phase::Confirm { write, .. } => {
                *write = Some(if good { Ok(took_us) } else { Err(says) })
            }
            Phase::Switch { rung, state: Rung::Writing { tries } } => {
                let (rung, tries) = (*rung, *tries);
                if good {
                    self.rung_stands(rung);
                } else if tries < WRITE_ATTEMPTS {
                    self.phase = Phase::Switch { rung, state: Rung::Writing { tries: tries + 1 } };
                    self.write(split);
                } else {
                    self.write_failed(rung);
                }
            }
            _ => {}
        }
    }

    fn split_words(&self, split: Split, took_us: u64) -> String {
        let green = self.green_of(split).map_or(0, Percent::get);
        let blue = 100 - green;
        format!(
            "asked {blue}/{green} · reads {blue}/{green} after {}",
            super::line::micros(took_us)
        )
    }

    fn write_failed(&mut self, rung: usize) {
        self.phase = Phase::Switch { rung, state: Rung::Asking };
        // What the router reports is what stands; what we asked for is over.
        self.asked = self.world.good.map(|(split, _)| split);
        self.warn("the router did not take the split: nothing more is tried until you say so");
    }

    pub(super) fn write_was_cancelled(&mut self) {
        if let Phase::Switch { rung, state: Rung::Writing { .. } } = self.phase {
            self.write_failed(rung);
        }
    }

    fn rung_stands(&mut self, rung: usize) {
        if self.plan.ramp.get(rung).is_some_and(|percent| *percent == Percent::ALL) {
            self.pass(Step::Switch);
            self.enter(Step::Watch);
            self.phase = Phase::Watch { since: self.at, until: self.at + self.plan.watch };
        } else {
            let until = self.at + self.plan.ramp_hold;
            self.phase = Phase::Switch { rung, state: Rung::Holding { since: self.at, until } };
        }
    }

    // ---- steps 6 and 7 ----

    /// Requests of Green's users that a verdict needs, given Blue's normal rate.
    pub(super) fn users_needed(&self) -> u64 {
        self.plan.limit(Signal::ErrorRate).map_or(0, |limit| {
            needed(limit, self.world.judges[Role::Blue.index()].record(Signal::ErrorRate))
        })
    }

    fn end_watch(&mut self) {
        self.pass(Step::Watch);
        self.enter(Step::Decide);
        let seen = self.world.judges[Role::Green.index()].requests();
        let needed = self.users_needed();
        let unread = self.unread();
        if seen >= needed && unread.is_none() {
            self.keep();
            return;
        }
        let title = match unread {
            Some(signal) => format!("The watch ended unproven: {} was not read", signal.label()),
            None => format!("The watch ended unproven: {seen} of {needed} requests"),
        };
        self.phase = Phase::Decide;
        match self.plan.unproven {
            Unproven::Extend => {
                self.info(&format!("{title}; watching once more, as the plan says"));
                self.phase = Phase::Watch { since: self.at, until: self.at + self.plan.watch };
            }
            Unproven::Ask if self.facts.attended => {
                let wait = self.plan.watch;
                let lines = vec![
                    "No limit tripped, but a bad release might not have shown.".to_owned(),
                    format!("Without an answer all traffic goes back to Blue in {wait}."),
                ];
                let due = (self.at + wait, super::event::Answer::No);
                let open = self.ask(About::Unproven, &title, lines, "keep Green", "go back");
                open.due = Some(due);
            }
            Unproven::Ask | Unproven::Rollback => self.go_back_if_blue_is_well(&title),
        }
    }

    /// A declared signal on Green that could not be judged when it counts.
    fn unread(&self) -> Option<Signal> {
        self.world.judges[Role::Green.index()]
            .judgements()
            .find(|judgement| matches!(judgement.verdict, Verdict::Stale | Verdict::Unknown))
            .map(Judgement::signal)
    }

    pub(super) fn keep(&mut self) {
        self.pass(Step::Decide);
        self.enter(Step::Warm);
        self.phase = Phase::Warm {
            since: self.at,
            state: Warmth::Keeping { until: self.at + self.plan.warm },
        };
        if self.plan.commands.has(CommandName::Contract) {
            self.owed.push(Clean::new("contract the schema (after Blue is decommissioned)"));
        }
        self.info("kept: Green serves all users, Blue stays warm as the way back");
        self.act(Act::PersistRouter, Barrier::Nothing);
    }

    // ---- step 8 ----

    pub(super) fn stop_blue(&mut self) {
        let (Phase::Warm { since, .. }, Some(blue)) = (&self.phase, self.world.blue) else {
            return;
        };
        self.phase = Phase::Warm { since: *since, state: Warmth::Stopping };
        self.run(CommandName::Stop, blue);
    }

    fn offer_contract(&mut self) {
        if !self.plan.commands.has(CommandName::Contract) {
            return self.finish_kept();
        }
        let lines = vec![
            "Blue is decommissioned: the old version does not need the old schema any more."
                .to_owned(),
            "Left out, it stays listed as owed.".to_owned(),
        ];
        self.ask(About::Contract, "Contract the schema now?", lines, "contract", "leave it owed");
    }

    pub(super) fn finish_kept(&mut self) {
        let owed = if self.owed.is_empty() {
            String::new()
        } else {
            let owed: Vec<&str> = self.owed.iter().map(Clean::as_str).collect();
            format!("; still owed: {}", owed.join(", "))
        };
        let says = match self.phase {
            Phase::Warm { state: Warmth::Gone, .. } => "kept; Blue is decommissioned".to_owned(),
            Phase::Warm { state: Warmth::Keeping { until }, .. } => {
                format!("kept; Blue is warm until {} UTC", self.clock(until))
            }
            _ => "kept; Blue is still there".to_owned(),
        };
        self.end(RunOutcome::Kept, 0, format!("{says}{owed}"));
    }

    /// Wall-clock time of an instant, as hours and minutes.
    pub(super) fn clock(&self, at: Millis) -> String {
        let day = (self.facts.began_unix_ms.max(0) as u64 + at.0) / 1000 % 86_400;
        format!("{:02}:{:02}", day / 3600, day / 60 % 60)
    }

    // ---- time ----

    pub(super) fn phase_tick(&mut self) {
        self.stalled_tick();
        let at = self.at;
        match self.phase {
            Phase::Deploy { deploy: Job::Good, answer_by: Some(by), .. } => {
                let answers = self.world.health[Role::Green.index()].last.is_some()
                    && self.world.health[Role::Green.index()].live != Some(false);
                if answers && self.green_is_next() != Some(false) && self.green_answered() {
                    self.begin_readiness();
                } else if at >= by && !self.asks(About::HoldAgain) {
                    let then = self.plan.health.deadline_then;
                    self.give_up_or_ask("Green did not answer as the new release in time", then);
                }
            }
            Phase::Readiness { .. } => self.tick_readiness(),
            Phase::Soak { until } if at >= until && self.gate().0 == GateState::Open => {
                self.begin_switch();
            }
            Phase::Watch { until, .. } if at >= until && !self.held => {
                let judge = &self.world.judges[Role::Green.index()];
                if judge.tripping().is_none() && self.moved_by_others.is_none() {
                    self.end_watch();
                }
            }
            Phase::Warm { since, state: Warmth::Keeping { until } } if at >= until => {
                let until = at + self.plan.drain;
                self.phase = Phase::Warm { since, state: Warmth::Draining { until } };
                self.info("the warm window has passed; Blue's last requests are awaited");
            }
            Phase::Warm { since, state: Warmth::Draining { until } } => {
                let left = self.world.health[Role::Blue.index()].in_flight;
                if left == Some(0) || (left.is_none() && at >= until) {
                    self.phase = Phase::Warm { since, state: Warmth::Drained };
                    self.info("Blue has nothing in flight and may be decommissioned");
                }
            }
            _ => {}
        }
    }

    /// A gate that stays shut is waited for as long as readiness is: then the operator is told,
    /// and where there is none, the run goes back.
    fn stalled_tick(&mut self) {
        let stuck = matches!(self.gate().0, GateState::Shut | GateState::Unknown) && !self.held;
        if !stuck {
            self.stalled_since = None;
            return;
        }
        let since = *self.stalled_since.get_or_insert(self.at);
        let wait = self.plan.health.deadline;
        if self.at.since(since) < wait {
            return;
        }
        // Said once for each time it stalls, not once a second.
        self.stalled_since = Some(self.at + wait);
        let (gate, checks) = self.gate();
        let why = checks
            .iter()
            .find(|check| matches!(check.state, CheckState::Bad | CheckState::Unknown))
            .map_or_else(String::new, |check| check.says.clone());
        let step = self.step_now().number();
        let says = format!("the gate of step {step} was {} for {wait}: {why}", gate.word());
        if self.facts.attended {
            self.warn(&says);
        } else if self.world.blue.is_none() {
            self.end(RunOutcome::Failed, 1, says);
        } else if !matches!(self.phase, Phase::Warm { .. }) {
            self.go_back_if_blue_is_well(&says);
        }
    }

    /// Whether Green gave any answer since it was deployed (ready or not).
    fn green_answered(&self) -> bool {
        self.world.health[Role::Green.index()].release.is_some()
            || self.world.health[Role::Green.index()].good > 0
            || self.world.health[Role::Green.index()].live == Some(true)
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
