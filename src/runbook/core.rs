//! The one place that decides.
//!
//! [`Core::step`] takes an event and an instant and gives effects. It reads no clock and does no
//! IO, so a journal's events give the same effects again, and a simulated world can fly it. The
//! files beside this one hold its parts: what the operator may do ([`super::command`]), each
//! phase of the runbook ([`super::phase`]), the way back ([`super::rollback`]), what is known of
//! the world ([`super::world`]) and how it all looks ([`super::view`]).

use super::effect::{Act, Barrier, Effect, EffectId, Finish, Regime, RunOutcome};
use super::event::{Event, Outcome};
use super::gate::GateState;
use super::phase::Phase;
use super::question::{By, Open};
use super::readback::{Fault, FaultKind, Readback};
use super::record::Record;
use super::resume::PickUp;
use super::rollback::Rollback;
use super::shared::Shared;
use super::snapshot::RunFacts;
use super::step::Step;
use super::world::World;
use crate::clean::Clean;
use crate::plan::{CommandName, Plan, Signal};
use crate::units::{Millis, Percent, Role, Slot, Split};
use std::collections::BTreeMap;

/// What an act may take beyond its own timeout before it is given up: the engine ends it on time,
/// and this is for the day on which the engine's answer gets lost.
const GRACE: Millis = Millis::secs(1);
/// Events come at least once a second. After a longer silence than this the machine slept, or the
/// program was stopped, and nobody watched meanwhile.
const LEAP: Millis = Millis::secs(10);

/// An act that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct InFlight {
    pub act: Act,
    pub began: Millis,
}

/// When each step began and ended.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Times {
    pub entered: Option<Millis>,
    pub passed: Option<Millis>,
}

/// The state of a run, and the only thing that changes it.
#[derive(Debug, Clone)]
pub struct Core {
    pub(super) plan: Plan,
    pub(super) facts: RunFacts,
    pub(super) at: Millis,
    pub(super) phase: Phase,
    pub(super) times: [Times; 8],
    pub(super) world: World,
    /// The split that we last asked for, once we asked.
    pub(super) asked: Option<Split>,
    /// Whether we ever asked for, or read, any weight on Green.
    pub(super) green_had_weight: bool,
    /// Whether somebody else moved the split, and it still stands so.
    pub(super) moved_by_others: Option<Clean>,
    /// The split that somebody else set, and that was adopted.
    pub(super) adopted: Option<Split>,
    /// The last write towards Green that was given up. It may land yet.
    pub(super) given_up: Option<Split>,
    /// Nothing moves forward: the operator's wish, or because of what happened. The way back and
    /// the limits go on working.
    pub(super) held: bool,
    /// The operator holds in spite of what asks for the way back; these limits had tripped then.
    pub(super) trip_held: Option<Vec<Signal>>,
    /// Since when both slots suffer: nothing moves, and going back would help nobody.
    pub(super) shared: Option<Shared>,
    /// The terminal was given back to the shell, and nobody watches.
    pub(super) suspended: bool,
    /// The way back is due and waits for Blue to be ready, or for the operator.
    pub(super) waits_for_blue: Option<Clean>,
    /// Open questions; the last one is the one that is shown.
    pub(super) open: Vec<Open>,
    /// Counts the questions of a run from 1.
    pub(super) questions: u32,
    /// Whether a run that was cut off is being picked up; nothing moves meanwhile.
    pub(super) picking_up: PickUp,
    /// Whether the watch was lengthened once because it saw too little.
    pub(super) watched_again: bool,
    pub(super) rollback: Option<Rollback>,
    pub(super) in_flight: BTreeMap<EffectId, InFlight>,
    pub(super) acts: u32,
    /// When the last write towards Green can still take effect at the latest.
    pub(super) last_write_until: Millis,
    /// The operator has been told that the release cannot be undone, and typed the word.
    pub(super) irreversible_accepted: bool,
    pub(super) journal_trouble: Option<Clean>,
    pub(super) leaving: bool,
    pub(super) owed: Vec<Clean>,
    /// What is not as the last run left it.
    pub(super) changed_outside: Vec<Clean>,
    /// Whether Blue's release was compared with the last run's.
    pub(super) release_compared: bool,
    /// What Green has named as its artefact, each once.
    pub(super) artefacts_said: Vec<Clean>,
    pub(super) regime: Option<Regime>,
    pub(super) gate_said: Option<(Step, GateState)>,
    /// Since when the run has been stuck: its gate shut or unknown, or nobody there to end a wait.
    pub(super) stalled_since: Option<Millis>,
    /// How many of Green's users had been seen when the run was last found stuck.
    pub(super) stalled_users: u64,
    pub(super) finish: Option<Finish>,
    pub(super) effects: Vec<Effect>,
}

impl Core {
    /// A run that has not begun.
    pub fn new(plan: Plan, facts: RunFacts) -> Self {
        let world = World::new(&plan, &facts.record);
        Self {
            plan,
            facts,
            at: Millis::ZERO,
            phase: Phase::Reading,
            times: [Times::default(); 8],
            world,
            asked: None,
            green_had_weight: false,
            moved_by_others: None,
            adopted: None,
            given_up: None,
            held: false,
            trip_held: None,
            shared: None,
            suspended: false,
            waits_for_blue: None,
            open: Vec::new(),
            questions: 0,
            picking_up: PickUp::No,
            watched_again: false,
            rollback: None,
            in_flight: BTreeMap::new(),
            acts: 0,
            last_write_until: Millis::ZERO,
            irreversible_accepted: false,
            journal_trouble: None,
            leaving: false,
            owed: Vec::new(),
            changed_outside: Vec::new(),
            release_compared: false,
            artefacts_said: Vec::new(),
            regime: None,
            gate_said: None,
            stalled_since: None,
            stalled_users: 0,
            finish: None,
            effects: Vec::new(),
        }
    }

    /// Decides what follows from `event` at `at`, whole milliseconds since the run began.
    pub fn step(&mut self, event: Event, at: Millis) -> Vec<Effect> {
        // Time never goes back in a run, whatever the machine's clock does.
        let silent = at.since(self.at);
        self.at = self.at.max(at);
        let resumed = matches!(event, Event::Resumed { .. });
        if resumed {
            self.reopen();
        }
        if self.finish.is_none() {
            let begun = self.times[Step::Confirm as usize].entered.is_some();
            if begun && !resumed && silent > LEAP {
                self.slept(silent);
            }
            self.take(event);
            self.tick();
        }
        let mut effects = std::mem::take(&mut self.effects);
        // The end is the end: whatever the rest of the step still wanted is not wanted any more.
        if let Some(end) = effects.iter().position(|effect| matches!(effect, Effect::Finish(_))) {
            effects.truncate(end + 1);
        }
        effects
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Begin => self.begin(),
            Event::Resumed { attended } => self.resumed(attended),
            Event::Command(command) => self.command(command, By::Operator),
            Event::Autopilot(command) => self.command(command, By::Autopilot),
            Event::Sample(sample) => self.sampled(*sample),
            Event::Read(readback) => self.read(readback),
            Event::Caution(text) => self.warn(text.as_str()),
            Event::Done { effect, outcome, after_us } => self.done(effect, outcome, after_us),
            Event::Seen { what, after_us } => self.seen(what, after_us),
            Event::JournalFailed(fault) => self.journal_failed(&fault.cause),
            Event::JournalRecovered { records, samples } => {
                self.journal_recovered(records, samples);
            }
            Event::Due => {}
        }
    }

    fn begin(&mut self) {
        self.enter(Step::Confirm);
        self.act(Act::ReadRouter, Barrier::Nothing);
        let began = self.facts.began_unix_ms;
        if let Some(says) = self.facts.drilled.map(|drilled| drilled.says(began)) {
            self.info(&says);
        }
    }

    fn done(&mut self, effect: EffectId, outcome: Outcome, after_us: u64) {
        // A late answer to an act that was cancelled or given up: it is not believed.
        let Some(in_flight) = self.in_flight.remove(&effect) else { return };
        match (in_flight.act, outcome) {
            (Act::SetRouter { rollback: true, .. }, outcome) => {
                let readback = self.router_said(outcome, after_us);
                self.rollback_written(effect, &readback, after_us);
            }
            (Act::SetRouter { split, expect, .. }, outcome) => {
                let worker = self.world.worker;
                let readback = self.router_said(outcome, after_us);
                let reloaded = worker.is_some() && self.world.worker != worker;
                self.written(effect, split, expect, &readback, reloaded);
            }
            (Act::ReadRouter, outcome) => {
                let readback = self.router_said(outcome, after_us);
                self.router_was_read(effect, &readback);
            }
            (Act::Run { command, .. }, Outcome::Ran(ran)) => {
                self.command_record(format!("{} {}", command.key(), ran.end), &ran);
                self.ran(command, ran.end.is_good(), &ran.end.to_string());
            }
            (Act::Run { command, .. }, outcome) => {
                let fault = outcome.into_fault();
                self.record(Record::Command {
                    says: Clean::new(&format!("{} did not run: {}", command.key(), fault.cause)),
                    tail: vec![fault.hint.clone()],
                    good: Some(false),
                });
                self.ran(command, false, fault.cause.as_str());
            }
            (Act::Capture { .. }, outcome) => self.captured(outcome),
            (Act::PersistRouter, Outcome::Kept(what)) => self.info(what.as_str()),
            (Act::PersistRouter, Outcome::Failed(fault)) => {
                self.warn(&format!("the split is not kept for a restart: {}", fault.cause));
            }
            (Act::Chase { .. }, _) => self.chase_ended(),
            (Act::PersistRouter, _) => {}
        }
    }

    /// What the routers said to a read or a write. An outcome that no router gives is a fault.
    fn router_said(&mut self, outcome: Outcome, after_us: u64) -> Readback {
        let readback = match outcome {
            Outcome::Router(readback) => readback,
            outcome => Readback::fault("router", outcome.into_fault(), after_us),
        };
        self.world.router_read(&readback, self.at);
        self.notice_weight();
        readback
    }

    fn command_record(&mut self, says: String, ran: &super::event::Ran) {
        self.record(Record::Command {
            says: Clean::new(&format!("{says} after {}", ran.took)),
            tail: ran.tail.clone(),
            good: Some(ran.end.is_good()),
        });
    }

    fn journal_failed(&mut self, cause: &Clean) {
        self.journal_trouble = Some(cause.clone());
        self.warn(&format!("the journal cannot be written: {cause}; nothing moves towards Green"));
        // What waits for the journal must not happen minutes later, on a stale gate.
        self.cancel_where(|act| matches!(act, Act::SetRouter { rollback: false, .. }));
        self.write_was_cancelled();
        self.end_commands("was ended when the journal failed");
    }

    fn journal_recovered(&mut self, records: u64, samples: u64) {
        self.journal_trouble = None;
        if records + samples == 0 {
            self.info("the journal is written again, and nothing is missing from it");
        } else {
            self.warn(&format!(
                "the journal is written again; {records} records and {samples} seconds of samples \
                 are missing from it"
            ));
        }
        // On the way back nothing of step 1 is wanted any more.
        if self.rollback.is_none() {
            self.prove_write_again();
            self.check_redeploy_again();
        }
    }

    /// Ends the operator's commands that run, or wait to be run.
    pub(super) fn end_commands(&mut self, why: &str) {
        let running: Vec<CommandName> = self
            .in_flight
            .values()
            .filter_map(|flight| match flight.act {
                Act::Run { command, .. } => Some(command),
                _ => None,
            })
            .collect();
        self.cancel_where(|act| matches!(act, Act::Run { .. }));
        for command in running {
            self.record(Record::Command {
                says: Clean::new(&format!("{} {why}", command.key())),
                tail: Vec::new(),
                good: Some(false),
            });
            self.ran(command, false, why);
        }
    }

    /// Gives up every act whose answer should have come long ago, as if it had failed.
    fn give_up_overdue(&mut self) {
        let overdue: Vec<EffectId> = self
            .in_flight
            .iter()
            .filter(|(_, flight)| self.at.since(flight.began) >= self.patience(&flight.act))
            .map(|(id, _)| *id)
            .collect();
        for effect in overdue {
            // An earlier one of these may have begun the way back, which ended the rest.
            if self.in_flight.contains_key(&effect) && self.finish.is_none() {
                self.effects.push(Effect::Cancel(effect));
                let fault =
                    Fault::new(FaultKind::TimedOut, "no answer came in time", "it was ended");
                let after_us = self
                    .in_flight
                    .get(&effect)
                    .map_or(0, |flight| self.at.since(flight.began).0.saturating_mul(1000));
                self.done(effect, Outcome::Failed(fault), after_us);
            }
        }
    }

    fn patience(&self, act: &Act) -> Millis {
        let own = match act {
            Act::ReadRouter | Act::PersistRouter => self.plan.router.timeout,
            Act::SetRouter { timeout, .. }
            | Act::Run { timeout, .. }
            | Act::Chase { timeout, .. } => *timeout,
            Act::Capture { .. } => self.plan.commands.timeout,
        };
        own + GRACE
    }

    /// What time brings about.
    fn tick(&mut self) {
        let parts: [fn(&mut Self); 7] = [
            Self::give_up_overdue,
            Self::judge,
            Self::questions_due,
            Self::blue_tick,
            Self::run_tick,
            Self::observe,
            Self::note_gate,
        ];
        for part in parts {
            if self.finish.is_some() {
                return;
            }
            part(self);
        }
    }

    fn run_tick(&mut self) {
        if self.rollback.is_some() {
            self.rollback_tick();
        } else if self.picking_up == PickUp::No {
            self.phase_tick();
        } else if self.picking_up == PickUp::Asking && !self.facts.attended {
            // What was asked first may lie beneath a question that nobody is there to answer.
            self.stalled_tick();
        }
    }

    /// What is known of the run from its beginning; whether somebody attends is as of now.
    pub const fn facts(&self) -> &RunFacts {
        &self.facts
    }

    /// When the core next wants to be woken, if nothing else happens: once a second at least.
    pub fn next_due(&self) -> Option<Millis> {
        if self.finish.is_some() {
            return None;
        }
        let second = Millis((self.at.0 / 1000).saturating_add(1).saturating_mul(1000));
        Some(self.deadline().map_or(second, |deadline| deadline.min(second)))
    }

    /// When something that is timed runs out: a question, an attempt, a step. Nothing is due
    /// before it but the looks at the world that each second brings.
    pub fn deadline(&self) -> Option<Millis> {
        if self.finish.is_some() {
            return None;
        }
        let question =
            self.open.iter().filter_map(|open| open.due.as_ref().map(|(at, _)| *at)).min();
        let phase = match &self.rollback {
            Some(rollback) => rollback.next_due(self.at),
            None => self.phase_due(),
        };
        // Never now: a due that is not settled by this step is asked for again soon.
        [question, phase].into_iter().flatten().min().map(|due| due.max(self.at + Millis(1)))
    }

    // ---- what the parts share ----

    pub(super) fn record(&mut self, record: Record) {
        self.effects.push(Effect::Record(record));
    }

    pub(super) fn info(&mut self, text: &str) {
        self.record(Record::Info(Clean::new(text)));
    }

    pub(super) fn warn(&mut self, text: &str) {
        self.record(Record::Warning(Clean::new(text)));
    }

    /// Asks the world for an act and remembers it until it has ended.
    pub(super) fn act(&mut self, act: Act, after: Barrier) -> EffectId {
        self.acts += 1;
        self.act_again(EffectId { n: self.acts, attempt: 1 }, act, after)
    }

    pub(super) fn act_again(&mut self, id: EffectId, act: Act, after: Barrier) -> EffectId {
        if let Act::SetRouter { split, timeout, rollback: false, .. } = &act {
            self.last_write_until = self.last_write_until.max(self.at + *timeout);
            let green = self.world.blue.map(Slot::other);
            if green.is_some_and(|slot| split.share(slot) > Percent::ZERO) {
                self.green_had_weight = true;
            }
            self.given_up = None;
        }
        self.in_flight.insert(id, InFlight { act: act.clone(), began: self.at });
        self.effects.push(Effect::Act { id, after, act });
        id
    }

    /// Ends every act in flight that `which` names.
    pub(super) fn cancel_where(&mut self, which: impl Fn(&Act) -> bool) {
        let ids: Vec<EffectId> = self
            .in_flight
            .iter()
            .filter(|(_, in_flight)| which(&in_flight.act))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.in_flight.remove(&id);
            self.effects.push(Effect::Cancel(id));
        }
    }

    pub(super) fn running(&self) -> Option<(CommandName, Millis)> {
        self.in_flight.values().find_map(|in_flight| match in_flight.act {
            Act::Run { command, .. } => Some((command, in_flight.began)),
            _ => None,
        })
    }

    pub(super) fn run(&mut self, command: CommandName, slot: Slot) {
        self.record(Record::Command {
            says: Clean::new(&format!("{} runs for {}", command.key(), self.plan.slot_name(slot))),
            tail: Vec::new(),
            good: None,
        });
        let timeout = self.plan.commands.timeout;
        self.act(Act::Run { command, slot, timeout }, Barrier::Journal);
    }

    pub(super) fn enter(&mut self, step: Step) {
        let times = &mut self.times[step as usize];
        if times.entered.is_none() {
            times.entered = Some(self.at);
            self.record(Record::StepEntered { step });
        }
    }

    pub(super) fn pass(&mut self, step: Step) {
        let times = &mut self.times[step as usize];
        let took = self.at.since(times.entered.unwrap_or(self.at));
        if times.passed.is_none() {
            times.passed = Some(self.at);
            if self.facts.tells_gates && self.step_now() == step {
                // A gate that opens and is gone through in one instant has said so all the same.
                self.note_gate();
            }
            self.record(Record::StepPassed { step, took });
        }
    }

    /// The slot of a role, once Blue is fixed.
    pub(super) fn slot(&self, role: Role) -> Option<Slot> {
        self.world.blue.map(|blue| match role {
            Role::Blue => blue,
            Role::Green => blue.other(),
        })
    }

    /// A split that gives Green so much.
    pub(super) fn green_gets(&self, percent: Percent) -> Option<Split> {
        self.slot(Role::Green).map(|green| Split::giving(green, percent))
    }

    /// Green's share of a split.
    pub(super) fn green_of(&self, split: Split) -> Option<Percent> {
        self.slot(Role::Green).map(|green| split.share(green))
    }

    /// Green's share as the router reports it; nothing if that is unknown or too old.
    pub(super) fn green_read(&self) -> Option<Percent> {
        self.world.split(self.at).and_then(|split| self.green_of(split))
    }

    /// Remembers that Green had users, as soon as any node says so.
    pub(super) fn notice_weight(&mut self) {
        let green = self.slot(Role::Green).and_then(|slot| self.world.most(slot));
        if green.is_some_and(|percent| percent > Percent::ZERO) {
            self.green_had_weight = true;
            if let Some(rollback) = &mut self.rollback {
                rollback.abandoned = false;
            }
        }
    }

    fn observe(&mut self) {
        let Some(blue) = self.world.blue else { return };
        let regime = self.regime_now(blue);
        if self.regime != Some(regime) {
            self.regime = Some(regime);
            if !self.plan.probes.is_empty() {
                // Before the soak nobody sends them: their silence says nothing of Blue.
                let from = regime.synthetic.then_some(self.at);
                self.world.judges[Role::Blue.index()].requests_sent(from);
            }
            self.effects.push(Effect::Observe(regime));
        }
    }

    pub(super) fn note_gate(&mut self) {
        if self.rollback.is_some() {
            // The way back has no gates.
            return;
        }
        let (step, state) = (self.step_now(), self.gate_state());
        if self.gate_said != Some((step, state)) {
            self.gate_said = Some((step, state));
            let (_, checks) = self.gate();
            self.record(Record::Gate { step, state, checks });
        }
    }

    pub(super) fn end(&mut self, outcome: RunOutcome, exit: u8, says: String) {
        if self.finish.is_some() {
            return;
        }
        // Nothing that we began towards Green goes on when nobody is there to see it.
        self.cancel_where(|act| {
            matches!(act, Act::SetRouter { rollback: false, .. } | Act::Run { .. })
        });
        self.record(Record::Ended { outcome, exit, says: Clean::new(&says) });
        let finish = Finish { outcome, exit, says };
        self.finish = Some(finish.clone());
        self.effects.push(Effect::Finish(finish));
    }

    /// How the run ended, once it has.
    pub const fn finish(&self) -> Option<&Finish> {
        self.finish.as_ref()
    }

    /// The slot that is Blue in this run, once it is known.
    pub const fn blue(&self) -> Option<Slot> {
        self.world.blue
    }

    /// Whether any weight was ever asked for, or read, on Green.
    pub const fn green_had_weight(&self) -> bool {
        self.green_had_weight
    }

    /// The step that the run is in.
    pub const fn step_now(&self) -> Step {
        self.phase.step()
    }
}
