//! What the operator may do, and what each key means in each phase.

use super::core::Core;
use super::effect::{Act, Barrier, RunOutcome};
use super::event::{Answer, Command, Interrupt};
use super::gate::{CheckState, GateState, said};
use super::phase::{Job, Phase, Rung, Warmth};
use super::question::{About, By};
use super::record::Record;
use super::resume::PickUp;
use super::step::Step;
use crate::clean::Clean;
use crate::plan::{CommandName, Migration};
use crate::units::{Millis, Percent, Role};

/// A step is extended by this much, or by its own length if that is shorter.
const EXTENSION: Millis = Millis::secs(60);
/// What is said of a way back that was left before it was verified.
pub(super) const UNVERIFIED: &str =
    "left while going back: the router has NOT been read at Blue; switchback rollback goes on";

impl Core {
    pub(super) fn command(&mut self, command: Command, by: By) {
        match command {
            Command::Rollback => self.rollback_pressed(),
            Command::Next => self.next(),
            Command::Answer { question, answer } => self.answer(question, &answer, by),
            Command::Hold => self.hold(),
            Command::Extend => self.extend(),
            Command::Note(text) => self.record(Record::Note(text)),
            Command::Look(view) => self.record(Record::Looked(view)),
            Command::Leave => self.leave(),
            Command::Interrupt(interrupt) => self.interrupt(interrupt),
            Command::Suspend => {
                self.suspended = true;
                self.info("the terminal was given back to the shell");
            }
            Command::Continue => self.continued(),
        }
    }

    /// Whether *next* would do something now.
    pub(super) fn next_open(&self) -> bool {
        if !self.open.is_empty() || self.finish.is_some() {
            return false;
        }
        if let Some(rollback) = &self.rollback {
            return rollback.settled();
        }
        if self.held || self.picking_up != PickUp::No {
            return false;
        }
        let attended = self.facts.attended;
        match &self.phase {
            // Trying again what failed is a decision, and needs somebody who takes it.
            Phase::Deploy { migrate, deploy, .. } => {
                let failed = matches!(migrate, Job::Bad(_)) || matches!(deploy, Job::Bad(_));
                self.running().is_none()
                    && self.journal_trouble.is_none()
                    // Nothing is deployed to a slot that somebody else has sent users to.
                    && self.moved_by_others.is_none()
                    && ((failed && attended) || (!failed && *deploy == Job::NotDeclared))
            }
            Phase::Confirm { redeploy: Job::Bad(_), .. } => attended && self.running().is_none(),
            Phase::Confirm { write: Some(Err(_)), .. } => attended,
            Phase::Confirm { .. } | Phase::Switch { .. } => {
                self.next_is_a_step() && self.gate_state() == GateState::Open
            }
            Phase::Warm { state: Warmth::Drained, .. } => self.gate_state() == GateState::Open,
            _ => false,
        }
    }

    /// Whether there is a step, or a step of the ramp, that a yes could begin.
    fn next_is_a_step(&self) -> bool {
        matches!(self.phase, Phase::Confirm { .. }) || self.next_rung().is_some()
    }

    fn next(&mut self) {
        if !self.next_open() {
            let (gate, checks) = self.gate();
            let why = checks
                .iter()
                .find(|check| {
                    !matches!(
                        check.state,
                        super::gate::CheckState::Good | super::gate::CheckState::NotDeclared
                    )
                })
                .map_or("there is nothing to do but wait", |check| check.says.as_str());
            if self.open.is_empty() && self.stands_to_turn() {
                self.info("nothing more is sent to Green: r goes back");
            } else if self.open.is_empty() {
                let held = if self.held { "you hold (h goes on); " } else { "" };
                self.info(&format!("not yet: {held}gate {} · {why}", gate.word()));
            }
            return;
        }
        if self.rollback.is_some() {
            return self.leave();
        }
        match self.phase.clone() {
            Phase::Confirm { redeploy: Job::Bad(_), .. } => {
                if let (Some(blue), Phase::Confirm { redeploy, .. }) =
                    (self.world.blue, &mut self.phase)
                {
                    *redeploy = Job::Running;
                    self.run(CommandName::RedeployCheck, blue);
                }
            }
            Phase::Confirm { write: Some(Err(_)), .. } => self.prove_write_again(),
            Phase::Confirm { .. } => self.ask_deploy(),
            Phase::Deploy { deploy: Job::NotDeclared, migrate, .. }
                if !matches!(migrate, Job::Bad(_)) =>
            {
                self.info("the operator says that Green is deployed");
                self.await_green();
            }
            Phase::Deploy { migrate, .. } => {
                let what = if matches!(migrate, Job::Bad(_)) { "migrate" } else { "deploy" };
                let lines = vec![
                    "The last attempt failed, or was cut off. No user is on Green.".to_owned(),
                    format!("Running `{what}` again must be safe: that is yours to know."),
                ];
                self.ask(About::Again, &format!("Run {what} again?"), lines, "run it", "wait");
            }
            Phase::Switch { .. } => self.ask_rung(),
            Phase::Warm { .. } => self.ask_decommission(),
            _ => {}
        }
    }

    /// Tries once more to write the split that stands, if that has failed. Where somebody else
    /// has moved it meanwhile, it would not be the split that stands: then nothing is written.
    pub(super) fn prove_write_again(&mut self) {
        let stands = self.green_read() == Some(Percent::ZERO);
        let Phase::Confirm { write: write @ Some(Err(_)), .. } = &mut self.phase else { return };
        if !stands {
            return self.info("write access is not proven again: the router is not read at Blue");
        }
        *write = None;
        if let Some(split) = self.green_gets(Percent::ZERO) {
            let timeout = self.plan.router.timeout;
            let expect = Some(split);
            let act = Act::SetRouter { split, timeout, rollback: false, expect };
            self.act(act, Barrier::Journal);
        }
    }

    fn ask_deploy(&mut self) {
        if self.plan.turns_back() {
            return self.ask_rehearsal();
        }
        let green = self.slot(Role::Green).map_or("", |slot| self.plan.slot_name(slot)).to_owned();
        let next = self.plan.release.next.clone().unwrap_or_else(|| "the new version".to_owned());
        let mut lines = vec![format!("No user is on {green}; this moves nobody.")];
        match self.plan.release.migration {
            Migration::Undeclared => lines.push(
                "The plan declares no migration: yes says that the data stay as they are."
                    .to_owned(),
            ),
            Migration::None => lines.push("Migration: none.".to_owned()),
            Migration::Expand => lines.push("Migration: expand, Blue goes on working.".to_owned()),
            Migration::Irreversible => lines.push(
                "Migration: IRREVERSIBLE. Blue may not work on the new data; going back will ask."
                    .to_owned(),
            ),
        }
        for own in &self.plan.checks {
            lines.push(format!("Yes says that you looked at: {}", own.text));
        }
        let verb = if self.plan.commands.has(CommandName::Deploy) {
            "deploy"
        } else {
            lines.push("The plan has no deploy command: you deploy, then press space.".to_owned());
            "begin"
        };
        let irreversible = self.is_irreversible();
        let title = format!("Deploy {next} to {green} (Green)?");
        let open = self.ask(About::Deploy, &title, lines, verb, "wait");
        if irreversible {
            open.type_word = Some(Clean::new("irreversible"));
        }
    }

    fn ask_rung(&mut self) {
        let Some((_, percent)) = self.next_rung() else { return };
        let now = self.green_read().map_or(0, Percent::get);
        let seen = self.world.green().requests();
        let well = match self.world.green().tripping() {
            None => match self.too_few_on_green() {
                Some(few) => {
                    let label = few.signal().label();
                    let what = if few.probes { "probes" } else { "requests" };
                    let (soak, words) = if now == 0 { ("Soak: t", "") } else { ("T", " yet") };
                    few.seen_words().map_or_else(
                        || format!("{soak}oo few {what} to judge {label}{words}."),
                        |seen| format!("{soak}oo few {what} to judge {label}{words}: {seen}."),
                    )
                }
                None if now == 0 => "Soak: no limit tripped on Green.".to_owned(),
                None => format!("No limit is tripping on Green ({seen} requests judged)."),
            },
            Some(judgement) => format!("{} is tripping on Green.", judgement.signal().label()),
        };
        let blue = if self.blue_is_well() {
            "Blue is ready: the way back is open."
        } else {
            "Blue is NOT known to be ready."
        };
        let mut lines =
            vec![format!("Green has {now} % now and gets {percent} %."), well, blue.to_owned()];
        if now > 0 {
            let users = said(|to| self.check_users(to));
            if let Some(users) = users.filter(|users| users.state != CheckState::Good) {
                lines.push(format!("{}: a bad release might not have shown.", users.says));
            }
        }
        lines.extend(self.comes_back_words());
        let title = format!("Send {percent} % of users to Green?");
        self.ask(About::Rung(percent), &title, lines, &format!("send {percent} %"), "wait");
    }

    fn ask_decommission(&mut self) {
        let blue = self.world.blue.map_or("", |slot| self.plan.slot_name(slot)).to_owned();
        if !self.plan.commands.has(CommandName::Stop) {
            self.info("the plan has no stop command: stop Blue by hand when you are sure");
            return self.finish_kept();
        }
        let lines = vec![
            format!("This stops {blue} (Blue). There is no way back afterwards."),
            "Type the service's name to do it.".to_owned(),
        ];
        let word = Clean::new(&self.plan.service);
        let open =
            self.ask(About::Decommission, "Decommission Blue?", lines, "stop Blue", "keep it");
        open.type_word = Some(word);
    }

    /// What an answer does.
    pub(super) fn answered(&mut self, about: About, yes: bool, by: By) {
        if about.is_forward() && yes {
            // The limits speak first: a yes must not overtake a trip that is due at this instant.
            self.judge();
            if self.rollback.is_some() || self.held {
                return self.warn("nothing was done: the run does not go forward now");
            }
        }
        match (about, yes) {
            (About::Deploy, true) => {
                if self.gate_state() == GateState::Open {
                    self.irreversible_accepted = self.is_irreversible();
                    self.begin_deploy();
                } else {
                    self.warn("nothing was done: the gate has shut since it was asked");
                }
            }
            (About::Again, true) => match &self.journal_trouble {
                Some(trouble) => {
                    let says =
                        format!("nothing was done: the journal cannot be written: {trouble}");
                    self.warn(&says);
                }
                None => self.run_migrate(),
            },
            (About::HoldAgain, true) => self.hold_again(),
            (About::HoldAgain, false) => self.go_back_by(by, "Green was not ready in time"),
            (About::Rung(percent), true) => self.climb(percent),
            (About::Tripped, true) => self.go_back_by(by, &self.trip_words()),
            (About::Tripped, false) => {
                self.hold_in_spite();
                self.warn("a limit has tripped and the operator holds; r goes back");
            }
            (About::Shared, true) => {
                self.go_back("the operator went back though both slots suffer")
            }
            (About::Shared, false) => self.info("the operator holds while both slots suffer"),
            (About::BlueUnwell, true) => self.go_back("the operator went back to an unwell Blue"),
            (About::BlueUnwell, false) => {
                self.waits_for_blue = None;
                self.hold_in_spite();
                self.warn("the way back was due and the operator holds; r goes back");
            }
            (About::Unproven, true) => self.keep_unproven(),
            (About::Unproven, false) => self.go_back_by(by, "the watch ended unproven"),
            (About::Irreversible, true) => self.go_back("the operator went back, knowingly"),
            (About::Leave, true) => self.leave_now(),
            (About::Decommission, true) => self.stop_blue(),
            (About::Contract, true) => {
                if let Some(green) = self.slot(Role::Green) {
                    self.run(CommandName::Contract, green);
                }
            }
            (About::Contract, false) => self.finish_kept(),
            (About::GoOn, true) => {
                self.held = self.moved_by_others.is_some();
                self.go_on();
            }
            (About::GoOn, false) => {
                self.held = true;
                self.go_on();
            }
            (
                About::Deploy
                | About::Again
                | About::Rung(_)
                | About::Irreversible
                | About::Leave
                | About::Decommission,
                false,
            ) => {}
        }
    }

    fn hold(&mut self) {
        if self.rollback.is_some() {
            return self.info("there is nothing to hold: traffic goes back");
        }
        // Where the way back is due, to hold is the answer to the question that is open.
        for about in [About::Tripped, About::BlueUnwell, About::GoOn] {
            if self.asks(about) {
                return self.answer_about(about, &Answer::No);
            }
        }
        self.held = !self.held;
        if self.held {
            self.withdraw(About::is_forward);
            return self
                .info("held: nothing moves forward until h is pressed again; r still goes back");
        }
        self.trip_held = None;
        self.deadlines_after_hold();
        if self.moved_by_others.is_some() {
            self.info("going on, but somebody else's split stands: nothing is sent to Green");
        } else {
            self.info("going on");
        }
    }

    /// While the operator holds no deadline strikes; afterwards there is time to meet it.
    fn deadlines_after_hold(&mut self) {
        self.stalled_since = None;
        let at = self.at + self.plan.health.hold + Millis::secs(1);
        match &mut self.phase {
            Phase::Readiness { deadline, .. } => *deadline = (*deadline).max(at),
            Phase::Deploy { answer_by: Some(by), .. } => *by = (*by).max(at),
            _ => {}
        }
    }

    /// Whether a step is being timed, and can be given more time.
    pub(super) fn can_extend(&self) -> bool {
        self.rollback.is_none()
            && self.picking_up == PickUp::No
            && self.finish.is_none()
            && matches!(
                self.phase,
                Phase::Soak { .. }
                    | Phase::Switch { state: Rung::Holding { .. }, .. }
                    | Phase::Watch { .. }
                    | Phase::Readiness { .. }
                    | Phase::Warm { state: Warmth::Keeping { .. }, .. }
            )
    }

    fn extend(&mut self) {
        if !self.can_extend() {
            return self.info("nothing is being timed that could be extended");
        }
        let by = match &mut self.phase {
            Phase::Soak { until } => {
                let by = EXTENSION.min(self.plan.soak.max(Millis::secs(1)));
                *until = (*until).max(self.at) + by;
                by
            }
            Phase::Switch { state: Rung::Holding { until, .. }, .. } => {
                let by = EXTENSION.min(self.plan.ramp_hold.max(Millis::secs(1)));
                *until = (*until).max(self.at) + by;
                by
            }
            Phase::Watch { until, .. } => {
                let by = EXTENSION.min(self.plan.watch.max(Millis::secs(1)));
                *until = (*until).max(self.at) + by;
                by
            }
            Phase::Readiness { deadline, .. } => {
                *deadline = (*deadline).max(self.at) + EXTENSION;
                EXTENSION
            }
            Phase::Warm { state: Warmth::Keeping { until }, .. } => {
                let by = Millis::secs(600).min(self.plan.warm.max(Millis::secs(1)));
                *until += by;
                by
            }
            _ => return,
        };
        let step = self.step_now();
        self.info(&format!("step {} extended by {by}", step.number()));
        // More time is the answer to a deadline's question; a used up flap budget needs its own.
        if matches!(self.phase, Phase::Readiness { breaks, .. } if breaks <= self.plan.health.flaps)
        {
            self.withdraw(|about| about == About::HoldAgain);
        }
    }

    // ---- leaving ----

    fn leave(&mut self) {
        if self.asks(About::Leave) {
            return;
        }
        if let Some(rollback) = &self.rollback {
            // Where nobody is there to answer, it is tried for a while and then said.
            if rollback.verified || !self.facts.attended {
                self.leaving = true;
                self.info("leaving as soon as the router has been read at Blue once more");
                return;
            }
            return self.ask_leave("The router has NOT been read at Blue yet.");
        }
        match &self.phase {
            Phase::Warm { .. } if self.running().is_none() => self.finish_kept(),
            Phase::Reading => self.leave_now(),
            Phase::Confirm { .. } if self.running().is_none() => self.leave_now(),
            _ => {
                let green = self.green_read();
                let line = match green {
                    Some(percent) if percent > Percent::ZERO => {
                        format!("Traffic stays as it is: {percent} % of users on Green.")
                    }
                    Some(_) => "No user is on Green.".to_owned(),
                    None => "The split cannot be read: Green may have users.".to_owned(),
                };
                self.ask_leave(&line);
            }
        }
    }

    fn ask_leave(&mut self, traffic: &str) {
        if matches!(self.phase, Phase::Warm { .. }) && self.rollback.is_none() {
            let lines = vec![
                "Green is kept and serves the users.".to_owned(),
                "A command is running and will be ended.".to_owned(),
            ];
            self.ask(About::Leave, "Leave?", lines, "leave", "stay");
            return;
        }
        let mut lines = vec![
            traffic.to_owned(),
            "NOBODY GUARDS when this window closes: no limit is watched, nothing rolls back."
                .to_owned(),
            if self.facts.kind.outlives_process() {
                "`switchback resume` picks the run up; `switchback rollback` goes back.".to_owned()
            } else {
                "The lab ends with this window: the run cannot be picked up.".to_owned()
            },
        ];
        if let Some((command, _)) = self.running() {
            lines.push(format!("`{}` is running and will be ended.", command.key()));
        }
        self.ask(About::Leave, "Leave?", lines, "leave", "stay");
    }

    /// Whether Green may have users, now that nobody will be watching.
    pub(super) fn green_may_have_users(&self) -> bool {
        self.green_read() != Some(Percent::ZERO)
    }

    /// Left before the router said who Blue is: nothing was touched, and what is there stays.
    pub(super) fn leave_unknown(&mut self) {
        let Some(split) = self.world.split(self.at) else {
            if self.world.readback.is_none() {
                let says = "left before the router was read; nothing was touched".to_owned();
                return self.end(RunOutcome::Interrupted, 0, says);
            }
            let why = self.world.router_trouble(self.at).unwrap_or_default();
            let says = format!("left with the split unknown ({why}); nothing was touched");
            return self.end(RunOutcome::Interrupted, 4, says);
        };
        let says = format!("left before anything was touched: {}", self.start_split(split));
        self.end(RunOutcome::Interrupted, 4, says);
    }

    pub(super) fn leave_now(&mut self) {
        if matches!(self.phase, Phase::Warm { .. }) && self.rollback.is_none() {
            return self.finish_kept();
        }
        if self.world.blue.is_none() {
            return self.leave_unknown();
        }
        if self.rollback.as_ref().is_some_and(|rollback| rollback.verified) {
            self.leaving = true;
            return;
        }
        if self.rollback.is_some() && self.green_had_weight {
            return self.end(RunOutcome::Interrupted, 4, UNVERIFIED.to_owned());
        }
        if self.green_may_have_users() {
            let split =
                self.green_read().map_or("an unknown share".to_owned(), |p| format!("{p} %"));
            let says = format!("left with {split} of users on Green, and nobody guards");
            return self.end(RunOutcome::Interrupted, 4, says);
        }
        let step: Step = self.step_now();
        let says = format!("left in step {} with all users on Blue", step.number());
        self.end(RunOutcome::Interrupted, 0, says);
    }

    fn interrupt(&mut self, interrupt: Interrupt) {
        let why = match interrupt {
            Interrupt::Hangup => "the terminal went away",
            Interrupt::Terminate => "the process was asked to end",
            Interrupt::Screen => "the screen failed",
        };
        self.warn(&format!("{why}; traffic stays where it is"));
        match &self.rollback {
            // A way back that has begun is finished first; it does not need a terminal.
            Some(rollback) if !rollback.settled() => self.leaving = true,
            Some(_) => self.finish_rollback(),
            None => self.leave_now(),
        }
    }
}
