//! Every wait ends. A gate that stays shut is waited for as long as readiness is: then the
//! operator is told. Where there is none, the run goes back; and where going back would help
//! nobody, it ends in a code that calls a person. A hold is a wait like any other.

use super::core::Core;
use super::effect::RunOutcome;
use super::gate::{CheckState, GateState, said};
use super::phase::Phase;
use crate::units::{Millis, Percent, Role};

impl Core {
    pub(super) fn stalled_tick(&mut self) {
        // While both slots suffer there is no better place to go to: it is said again and again. A
        // hold that has another reason is as old as it is.
        if self.shared.is_some() {
            self.stalled_since = self.stalled_since.filter(|_| self.held);
            return;
        }
        if !self.is_stuck() || self.more_users_came() {
            self.stalled_since = None;
            return;
        }
        let since = *self.stalled_since.get_or_insert(self.at);
        let mut wait = self.plan.health.deadline;
        // What is tripping decides by itself, once its hold has passed.
        if let Some(judgement) = self.world.green().tripping().filter(|_| self.green_is_judged()) {
            wait = wait.max(judgement.limit.hold + judgement.limit.hold);
        }
        if self.at.since(since) < wait {
            return;
        }
        // Said once for each time it stalls, not once a second.
        self.stalled_since = Some(self.at + wait);
        if self.held {
            return self.end_hold(wait);
        }
        let (gate, checks) = self.gate();
        let worst = [CheckState::Bad, CheckState::Unknown, CheckState::Waiting]
            .into_iter()
            .find_map(|state| checks.iter().find(|check| check.state == state));
        let Some(why) = worst.map(|check| &check.says) else { return };
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

    /// Whether the run stands, and nothing that is being timed will move it.
    fn is_stuck(&self) -> bool {
        let attended = self.facts.attended;
        if self.held {
            return !attended;
        }
        // What the gate said at the end of the last step is fresh enough for a wait of minutes.
        let said = self.gate_said.filter(|(step, _)| *step == self.step_now()).map(|(_, s)| s);
        match said {
            Some(GateState::Shut | GateState::Unknown) => true,
            // Where nothing is timed and nothing runs, only a person could end the wait.
            Some(GateState::Waiting) => {
                !attended && self.phase_due().is_none() && self.running().is_none()
            }
            Some(GateState::Open) | None => false,
        }
    }

    /// Whether what is waited for comes, however slowly: a gate that wants more of Green's users
    /// is not stuck while there are some.
    fn more_users_came(&mut self) -> bool {
        let users = self.world.green().requests();
        let before = std::mem::replace(&mut self.stalled_users, users);
        let waits = self.gate_said.is_some_and(|(_, state)| state == GateState::Waiting);
        waits && !self.held && users > before
    }

    /// A hold that nobody is there to end.
    fn end_hold(&mut self, wait: Millis) {
        if matches!(self.phase, Phase::Warm { .. }) {
            return;
        }
        let why = match (&self.moved_by_others, &self.waits_for_blue) {
            (Some(why), _) | (None, Some(why)) => why.as_str(),
            (None, None) => "nothing was decided",
        };
        let says = format!("held for {wait} with nobody at the keyboard: {why}");
        if self.may_go_back_unasked() {
            return self.go_back(&says);
        }
        let down = said(|to| self.check_blue_up(to));
        let blue = down.or_else(|| said(|to| self.check_ready(to, Role::Blue)));
        let blue = blue.map_or_else(String::new, |check| check.says);
        let green = self.green_read().map(Percent::get);
        let green = green.map_or("an unknown share".to_owned(), |green| format!("{green} %"));
        let says = format!("{says}; {blue}; {green} of users on Green, and nobody guards");
        self.end(RunOutcome::Interrupted, 4, says);
    }
}
