//! How an account is made: one walk over the journal's lines, in their order.
//!
//! Only what is written is told. The core is not asked again what it would have done: an account
//! of a journal of today must be the same in ten years, whatever the rules of the program are then.

use super::told::{self, Told};
use super::{Account, Back, Cut, GateEnd, GateTold, Moment, StepTold, Users};
use super::{beside, compared, gates};
use crate::clean::Clean;
use crate::evidence::exercise::Exercise;
use crate::journal::{Run, Written};
use crate::plan::CommandName;
use crate::runbook::line::line;
use crate::runbook::snapshot::{Stamp, StepState};
use crate::runbook::{Act, Effect, Event, Record, RunOutcome, Step};
use crate::signal::{Judgement, Origin, Sample, Verdict, Whose};
use crate::units::{Millis, Role, Slot};
use std::collections::BTreeMap;
use std::path::Path;

/// Under which topic the log says what was not as the last run left it.
const OUTSIDE: &str = "outside";

/// What the walk has gathered.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub blue: Option<Slot>,
    pub entered: [Option<Millis>; 8],
    pub took: [Option<Millis>; 8],
    pub gates: BTreeMap<Step, GateTold>,
    pub users: Users,
    pub back: Option<Back>,
    pub switches: Vec<(Millis, u8)>,
    pub trips: Vec<(Millis, Role, Judgement)>,
    pub later_trips: Vec<(Millis, Role, Judgement)>,
    pub unproven: Option<Clean>,
    pub cuts: Vec<Cut>,
    pub last_read: Option<(Millis, u8)>,
    pub outside: Vec<Clean>,
    pub timeline: Vec<Moment>,
    pub samples: Vec<Sample>,
    pub first_change: Option<Millis>,
    /// How each command ended at last, and whether well.
    pub ran: BTreeMap<CommandName, (Clean, bool)>,
    /// What each role named last, and first.
    pub named: [Option<Clean>; 2],
    pub first_named: [Option<Clean>; 2],
    /// The artefact that Green named last, and whether it is the declared one.
    pub artefact: Option<(Clean, bool)>,
    pub attended_again: bool,
    pub kept: bool,
    ended: Option<(RunOutcome, Clean)>,
    /// The last instant that is written down so far.
    pub until: Millis,
}

pub(super) fn account(dir: &Path, run: &Run) -> Account {
    let mut walk = Walk::default();
    let followed = followed(run);
    let mut effects = followed.iter().peekable();
    for turn in &run.turns {
        // What followed from inputs that are missing comes where they were.
        while let Some((_, at, written)) = effects.next_if(|(n, ..)| *n < turn.n) {
            walk.followed(*at, written);
        }
        walk.happened(turn.at, &turn.event);
        while let Some((_, at, written)) = effects.next_if(|(n, ..)| *n == turn.n) {
            walk.followed(*at, written);
        }
    }
    for (_, at, written) in effects {
        walk.followed(*at, written);
    }
    let told = Told::of(run);
    walk.timeline.extend(told.moments.iter().cloned());
    walk.timeline.sort_by_key(|moment| moment.seq);
    let recordings = told::found(dir, &told, &mut walk.timeline);
    assemble(dir, run, walk, Told { recordings, ..told })
}

/// Every effect with its input's number and time, in order; also those whose input is missing.
fn followed(run: &Run) -> Vec<(u64, Millis, &Written)> {
    let of_turns = run.turns.iter().map(|turn| (turn.n, turn.at, &turn.effects));
    let loose = run.loose.iter().map(|loose| (loose.n, loose.at, &loose.effects));
    let mut all: Vec<_> = of_turns
        .chain(loose)
        .flat_map(|(n, at, effects)| effects.iter().map(move |written| (n, at, written)))
        .collect();
    all.sort_by_key(|(n, _, written)| (*n, written.seq));
    all
}

impl Walk {
    fn happened(&mut self, at: Millis, event: &Event) {
        match event {
            Event::Sample(sample) => self.measured(sample),
            Event::Resumed { attended } => {
                self.attended_again |= *attended;
                let green = self.last_read.map(|(_, green)| green);
                let left = matches!(self.ended.take(), Some((RunOutcome::Interrupted, _)));
                self.cuts.push(Cut { from: self.until, to: at, green, left });
            }
            Event::Read(read) => {
                let split = read.split().zip(self.blue);
                if let Some((split, blue)) = split {
                    self.last_read = Some((at, split.share(blue.other()).get()));
                }
            }
            _ => {}
        }
        self.until = self.until.max(at);
    }

    fn measured(&mut self, sample: &Sample) {
        let role = match sample.role {
            Whose::Blue => Some(Role::Blue),
            Whose::Green => Some(Role::Green),
            Whose::Both => None,
        };
        if let (Some(role), Some(release)) = (role, &sample.release) {
            self.named[role.index()] = Some(release.clone());
            self.first_named[role.index()].get_or_insert_with(|| release.clone());
        }
        // Before Blue is known nobody knows whose users these were.
        if let (Origin::Users, Some(role), Some(requests), Some(_)) =
            (sample.from, role, sample.requests, self.blue)
        {
            let (failed, all) = match role {
                Role::Blue => &mut self.users.blue,
                Role::Green => &mut self.users.green,
            };
            *failed = failed.saturating_add(sample.failed.unwrap_or(0));
            *all = all.saturating_add(requests);
            self.users.counted = true;
        }
        self.samples.push(sample.clone());
    }

    fn followed(&mut self, at: Millis, written: &Written) {
        self.until = self.until.max(at);
        match &written.effect {
            Effect::Record(record) => {
                self.recorded(at, written.seq, record);
                if let Some(line) = line(record, at) {
                    let (topic, tone) = (line.topic, line.tone);
                    let text = none_since(record).map_or(line.text, str::to_owned);
                    if topic == OUTSIDE {
                        self.outside.push(Clean::new(&text));
                    }
                    let cast = None;
                    self.timeline.push(Moment { seq: written.seq, at, topic, text, tone, cast });
                }
            }
            Effect::Act { act, .. } => self.asked(at, act),
            Effect::Cancel(_) | Effect::Observe(_) | Effect::Finish(_) => {}
        }
    }

    fn asked(&mut self, at: Millis, act: &Act) {
        let changes = match act {
            Act::SetRouter { split, .. } => split.sole().is_none() || split.sole() != self.blue,
            Act::Run { command, .. } => {
                matches!(command, CommandName::Migrate | CommandName::Deploy)
            }
            _ => false,
        };
        if changes {
            self.first_change.get_or_insert(at);
        }
    }

    fn switched(&mut self, at: Millis, green: u8) {
        if self.switches.last().is_none_or(|(_, last)| *last != green) {
            self.switches.push((at, green));
        }
    }

    fn recorded(&mut self, at: Millis, seq: u64, record: &Record) {
        match record {
            Record::Blue { slot, .. } => self.blue = Some(*slot),
            Record::StepEntered { step } => {
                self.entered[*step as usize].get_or_insert(at);
            }
            Record::StepPassed { step, took } => {
                self.took[*step as usize] = Some(*took);
                if *step == Step::Watch {
                    self.unproven = None;
                }
                if let Some(gate) = self.gates.get_mut(step) {
                    gate.end = GateEnd::Passed;
                }
            }
            Record::Gate { step, state, checks } => {
                let (checks, end) = (checks.clone(), GateEnd::Here);
                let told = GateTold { step: *step, state: *state, checks, at, seq, end };
                self.gates.insert(*step, told);
                // A gate of a step that had passed: the run has gone to it again.
                if self.took[*step as usize].take().is_some() {
                    for later in Step::ALL.into_iter().filter(|later| later > step) {
                        self.entered[later as usize] = None;
                        self.took[later as usize] = None;
                        self.gates.remove(&later);
                    }
                }
            }
            Record::Split { asked, read, says, .. } => {
                if let Some(green) = read {
                    self.last_read = Some((at, *green));
                    self.switched(at, *green);
                }
                // What was neither asked for nor refused was done by somebody else.
                let said = says.as_str();
                if asked != read
                    && (said.starts_with("somebody else") || said.starts_with("the router was"))
                {
                    self.outside.push(says.clone());
                }
            }
            Record::Verdict { role, judgement } if judgement.verdict == Verdict::Tripped => {
                let trip = (at, *role, judgement.clone());
                match self.back {
                    None => self.trips.push(trip),
                    Some(_) => self.later_trips.push(trip),
                }
            }
            Record::RollbackStarted { why, from } => {
                // Where the way back is taken again, the stamps count from then.
                let stamps = Vec::new();
                self.back = Some(Back { at, why: why.clone(), from: *from, stamps });
                if gates::is_unproven(why.as_str()) {
                    self.unproven.get_or_insert_with(|| why.clone());
                }
                for gate in self.gates.values_mut().filter(|gate| gate.end == GateEnd::Here) {
                    gate.end = GateEnd::WayBack;
                }
            }
            Record::Stamped { stamp, after_us, says } => {
                if (*stamp, after_us.is_some()) == (Stamp::RouterAtBlue, true) {
                    self.last_read = Some((at, 0));
                    self.switched(at, 0);
                }
                if let Some(back) = &mut self.back {
                    let says = none_since(record).map_or_else(|| says.clone(), Clean::new);
                    back.stamps.retain(|(known, ..)| known != stamp);
                    back.stamps.push((*stamp, *after_us, says));
                }
            }
            Record::Command { says, good: Some(good), .. } => {
                let first = says.as_str().split(' ').next();
                let named = CommandName::ALL.into_iter().find(|name| Some(name.key()) == first);
                if let Some(name) = named {
                    self.ran.insert(name, (says.clone(), *good));
                }
            }
            Record::Asked { words, .. } if gates::is_unproven(words.as_str()) => {
                self.unproven = Some(words.clone());
            }
            Record::Warning(says) | Record::Info(says) => {
                if gates::is_unproven(says.as_str()) {
                    self.unproven = Some(says.clone());
                }
                self.kept |= says.as_str().starts_with("kept: ");
                if let Some(named) = says.as_str().strip_prefix("Green names the artefact ") {
                    let (name, found) = named.split_once("; ").unwrap_or((named, ""));
                    self.artefact = Some((Clean::new(name), found == "as planned"));
                }
            }
            Record::Ended { outcome, says, .. } => self.ended = Some((*outcome, says.clone())),
            _ => {}
        }
    }

    /// A watch that passed and proved too little is told as that.
    fn settle(&mut self) {
        let unproven = self.unproven.is_some() && self.took[Step::Watch as usize].is_some();
        if let Some(gate) = self.gates.get_mut(&Step::Watch).filter(|_| unproven) {
            gate.end = GateEnd::Unproven;
        }
    }

    fn steps(&self) -> Vec<StepTold> {
        let now = Step::ALL.into_iter().rfind(|step| self.entered[*step as usize].is_some());
        let state = |step: Step| {
            let is_now = Some(step) == now;
            match (self.took[step as usize], is_now, &self.back) {
                (Some(_), ..) => StepState::Passed,
                (None, true, Some(_)) => StepState::Failed,
                (None, true, None) => StepState::Now,
                (None, false, Some(_)) => StepState::Skipped,
                (None, false, None) => StepState::Ahead,
            }
        };
        let told = |step| StepTold {
            step,
            state: state(step),
            entered: self.entered[step as usize],
            took: self.took[step as usize],
        };
        Step::ALL.into_iter().map(told).collect()
    }

    /// What is still owed: where the plan contracts a schema, until that is done.
    fn owed(&self, run: &Run) -> Vec<Clean> {
        let contracted = self.ran.get(&CommandName::Contract).is_some_and(|(_, good)| *good);
        let owes = self.kept && run.opened.plan.commands.has(CommandName::Contract) && !contracted;
        let owed = "contract the schema (after Blue is decommissioned)";
        owes.then(|| Clean::new(owed)).into_iter().collect()
    }
}

/// What is said of Green's last answer where it gave none since the way back began: no time was
/// measured then.
fn none_since(record: &Record) -> Option<&'static str> {
    let none =
        matches!(record, Record::Stamped { stamp: Stamp::LastFromGreen, after_us: Some(0), .. });
    none.then_some("last answer from Green: none since the way back began")
}

fn assemble(dir: &Path, run: &Run, mut walk: Walk, told: Told) -> Account {
    walk.settle();
    let is_cut = run.closed.is_none() || walk.cuts.iter().any(|cut| !cut.left);
    let approved = told.declared.as_ref().is_some_and(|declared| declared.approved.is_some());
    let opened = &run.opened;
    let (facts, plan) = (&opened.facts, &opened.plan);
    let clean = |text: &Option<String>| text.as_deref().map(Clean::new);
    let names = Slot::BOTH.map(|slot| Clean::new(plan.slot_name(slot)));
    let slots = match walk.blue {
        Some(Slot::Second) => [names[1].clone(), names[0].clone()],
        _ => names,
    };
    let said = walk.ended.as_ref().map(|(_, says)| says.clone());
    let says = run.closed.as_ref().map(|closed| closed.says.clone()).or(said);
    let cut = || Clean::new("the journal ends before the run did: it was cut off");
    let missing = run.gaps.iter().map(|(first, last)| (last + 1).saturating_sub(*first));
    Account {
        run: facts.run.clone(),
        kind: facts.kind,
        host: facts.host.clone(),
        service: Clean::new(&plan.service),
        operator: opened.operator.clone(),
        attended: facts.attended || walk.attended_again,
        marking: clean(&plan.evidence.marking).filter(|marking| !marking.is_empty()),
        program: opened.program.clone(),
        began_unix_ms: facts.began_unix_ms,
        ended_unix_ms: run.closed.as_ref().map(|closed| closed.ended_unix_ms),
        outcome: run.closed.as_ref().map(|closed| closed.outcome),
        exit: run.closed.as_ref().map(|closed| closed.exit),
        says: says.unwrap_or_else(cut),
        plan_sha256: opened.plan_sha256.clone(),
        overrides: opened.overrides.clone(),
        router: opened.router.clone(),
        slots,
        blue_known: walk.blue.is_some(),
        current: clean(&plan.release.current).or_else(|| walk.first_named[0].clone()),
        next: clean(&plan.release.next),
        migration: plan.release.migration,
        change: plan.release.change.iter().map(|(k, v)| (k.clone(), Clean::new(v))).collect(),
        declared: told.declared,
        first_change: walk.first_change,
        steps: walk.steps(),
        compared: compared::compared(run, &walk),
        owed: walk.owed(run),
        gates: walk.gates.into_values().collect(),
        users: walk.users,
        back: walk.back,
        cuts: walk.cuts,
        last_read: walk.last_read,
        switches: walk.switches,
        limits: plan.limits.clone(),
        trips: walk.trips,
        later_trips: walk.later_trips,
        unproven: walk.unproven,
        outside: walk.outside,
        timeline: walk.timeline,
        redacted: told.redacted,
        marks: is_cut.then(|| beside::marks(dir)).flatten(),
        approved_at: approved.then(|| beside::approved_at(dir)).flatten(),
        exercise: Exercise::beside(dir).ok().flatten().filter(|told| told.fits(run).is_ok()),
        recordings: told.recordings,
        samples: walk.samples,
        journal: (run.lines, run.head.clone()),
        missing_inputs: missing.sum(),
        last_at: run.last_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::GateState;

    fn info(says: &str) -> Written {
        let effect = Effect::Record(Record::Info(Clean::new(says)));
        Written { effect, json: String::new(), seq: 7 }
    }

    /// A walk over records, one a second.
    fn walked(records: Vec<Record>) -> Walk {
        let mut walk = Walk::default();
        for (seq, record) in (1_u64..).zip(records) {
            walk.recorded(Millis::secs(seq), seq, &record);
        }
        walk.settle();
        walk
    }

    fn gate(step: Step, state: GateState) -> Record {
        Record::Gate { step, state, checks: Vec::new() }
    }

    fn back(why: &str) -> Record {
        Record::RollbackStarted { why: Clean::new(why), from: Some(100) }
    }

    #[test]
    fn a_watch_that_proved_too_little_and_a_gate_that_was_left_are_told_as_they_were() {
        let watch = |why: &str| {
            vec![
                gate(Step::Watch, GateState::Open),
                Record::StepPassed { step: Step::Watch, took: Millis::secs(20) },
                gate(Step::Decide, GateState::Waiting),
                back(why),
            ]
        };
        let walk = walked(watch("the watch ended unproven"));
        assert_eq!(walk.gates[&Step::Watch].end, GateEnd::Unproven);
        assert_eq!(walk.gates[&Step::Decide].end, GateEnd::WayBack);
        assert!(walk.gates[&Step::Decide].is_stale());
        let walk = walked(watch("the operator went back"));
        assert_eq!(walk.gates[&Step::Watch].end, GateEnd::Passed);
        // Watched once more: what it said the first time is not its last word.
        let mut again = watch("the operator went back");
        again.insert(3, gate(Step::Watch, GateState::Waiting));
        let walk = walked(again);
        assert_eq!(walk.gates[&Step::Watch].end, GateEnd::WayBack);
        assert_eq!(walk.took[Step::Watch as usize], None);
        assert!(!walk.gates.contains_key(&Step::Decide));
    }

    #[test]
    fn what_green_names_is_compared_as_the_run_compared_it() {
        let mut walk = Walk::default();
        walk.followed(
            Millis(1),
            &info("Green names the artefact sha256:ab; planned was sha256:cd"),
        );
        assert_eq!(walk.artefact, Some((Clean::new("sha256:ab"), false)));
        walk.followed(Millis(2), &info("Green names the artefact sha256:cd; as planned"));
        assert_eq!(walk.artefact, Some((Clean::new("sha256:cd"), true)));
        assert_eq!(walk.timeline.len(), 2);
    }

    #[test]
    fn the_first_change_is_towards_green_and_not_what_blue_has_already() {
        let mut walk = Walk { blue: Some(Slot::First), ..Walk::default() };
        let write = |split| Act::SetRouter {
            split,
            timeout: Millis::secs(1),
            rollback: false,
            expect: None,
        };
        walk.asked(Millis(1), &write(crate::units::Split::all_to(Slot::First)));
        assert_eq!(walk.first_change, None, "what stands is written once more at step 1");
        let run = |command| Act::Run { command, slot: Slot::First, timeout: Millis::secs(1) };
        walk.asked(Millis(2), &run(CommandName::RedeployCheck));
        assert_eq!(walk.first_change, None, "a check changes nothing");
        walk.asked(Millis(3), &write(crate::units::Split::all_to(Slot::Second)));
        walk.asked(Millis(4), &run(CommandName::Deploy));
        assert_eq!(walk.first_change, Some(Millis(3)));
    }
}
