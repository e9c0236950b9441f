//! Steps 6 to 8: users are watched, the thresholds decide, and Blue is kept warm until it may go.

use super::core::Core;
use super::effect::{Act, Barrier, RunOutcome};
use super::event::Answer;
use super::gate::{GateState, said};
use super::phase::{Phase, Warmth};
use super::question::About;
use super::step::Step;
use crate::clean::Clean;
use crate::plan::{CommandName, Signal, Unproven};
use crate::signal::{Judgement, Verdict};
use crate::units::{Millis, Percent, Role};

impl Core {
    /// Requests of Green's users that a verdict needs, given Blue's normal rate.
    pub(super) fn users_needed(&self) -> u64 {
        self.world.green().needed()
    }

    /// The watch is over when its time has passed and the router is read where it should be. What
    /// could not be judged, and a Blue that is not ready, do not lengthen it: they are told.
    pub(super) fn tick_watch(&mut self, until: Millis) {
        let judge = self.world.green();
        let over = self.at >= until
            && !self.held
            && judge.tripped().or(judge.tripping()).or(judge.shared()).is_none()
            && self.shared.is_none()
            && self.may_keep()
            && self.world.ready(Role::Green, self.at) != Some(false);
        if over {
            self.end_watch();
        }
    }

    /// Whether the split is known and ours, and what is decided can be written down.
    fn may_keep(&self) -> bool {
        self.green_read() == Some(Percent::ALL)
            && self.moved_by_others.is_none()
            && self.journal_trouble.is_none()
    }

    /// The watch begins anew, because it saw too little or nobody watched.
    pub(super) fn watch_again(&mut self) {
        self.times[Step::Watch as usize].passed = None;
        self.times[Step::Decide as usize] = super::core::Times::default();
        self.phase = Phase::Watch { since: self.at, until: self.at + self.plan.watch };
    }

    fn end_watch(&mut self) {
        self.pass(Step::Watch);
        self.enter(Step::Decide);
        self.phase = Phase::Decide;
        self.decide();
    }

    pub(super) fn decide(&mut self) {
        let seen = self.world.green().requests();
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
        match self.plan.unproven {
            Unproven::Extend if !self.watched_again => {
                self.watched_again = true;
                self.info(&format!("{title}; watching once more, as the plan says"));
                self.watch_again();
            }
            Unproven::Ask | Unproven::Extend if self.facts.attended => {
                let wait = self.plan.watch;
                let lines = vec![
                    "No limit tripped, but a bad release might not have shown.".to_owned(),
                    format!("Without an answer all traffic goes back to Blue in {wait}."),
                ];
                let due = (self.at + wait, Answer::No);
                let open = self.ask(About::Unproven, &title, lines, "keep Green", "go back");
                open.due = Some(due);
            }
            _ => self.go_back_if_blue_is_well(&title),
        }
    }

    /// The operator keeps what the watch could not prove.
    pub(super) fn keep_unproven(&mut self) {
        // The limits speak first, and Green must be alive: what is kept is not gone back from.
        self.judge();
        if self.rollback.is_some() || !matches!(self.phase, Phase::Decide) {
            return;
        }
        let judge = self.world.green();
        let bad = judge.tripped().or(judge.tripping()).or(judge.shared());
        if let Some(judgement) = bad {
            let says = judgement.line_on(Role::Green);
            return self.warn(&format!("nothing was decided: Green cannot be kept now ({says})"));
        }
        if self.world.ready(Role::Green, self.at) == Some(false) {
            return self.warn("nothing was decided: Green cannot be kept now (it is not ready)");
        }
        if self.may_keep() {
            return self.keep();
        }
        let why = said(|to| self.check_router(to)).map_or_else(String::new, |check| check.says);
        self.warn(&format!("nothing was decided: Green cannot be kept now ({why})"));
    }

    /// A declared signal on Green that could not be judged when it counts.
    fn unread(&self) -> Option<Signal> {
        self.world
            .green()
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
        let (Phase::Warm { since, state: Warmth::Drained }, Some(blue)) =
            (&self.phase, self.world.blue)
        else {
            return;
        };
        if self.gate_state() != GateState::Open {
            return self.warn("Blue was not stopped: the gate has shut since it was asked");
        }
        self.phase = Phase::Warm { since: *since, state: Warmth::Stopping };
        self.run(CommandName::Stop, blue);
    }

    pub(super) fn offer_contract(&mut self) {
        if !self.plan.commands.has(CommandName::Contract) || !self.facts.attended {
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
            Phase::Warm { state: Warmth::Stopping, .. } => {
                "kept; stopping Blue was cut off: look whether it still runs".to_owned()
            }
            _ => "kept; Blue is still there".to_owned(),
        };
        let elsewhere = match self.green_read() {
            Some(Percent::ALL) | None => String::new(),
            Some(read) => {
                format!("; the router reads {read} % on Green, which this run did not ask")
            }
        };
        self.end(RunOutcome::Kept, 0, format!("{says}{owed}{elsewhere}"));
    }

    /// Wall-clock time of an instant, as hours and minutes.
    pub(super) fn clock(&self, at: Millis) -> String {
        let day = (self.facts.began_unix_ms.max(0) as u64).saturating_add(at.0) / 1000 % 86_400;
        format!("{:02}:{:02}", day / 3600, day / 60 % 60)
    }
}
