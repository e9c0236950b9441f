//! Step 5: users are moved on purpose. Each step of the ramp is asked, written, read, and held; a
//! write that is not taken is tried again only while what opened the gate still stands.

use super::core::Core;
use super::effect::{Act, Barrier, EffectId};
use super::gate::GateState;
use super::phase::{Phase, Rung};
use super::readback::Readback;
use super::record::Record;
use super::step::Step;
use crate::clean::Clean;
use crate::units::{Percent, Split};

/// How many times a write towards Green, or of the standing split, is tried before the operator is
/// asked.
const WRITE_ATTEMPTS: u32 = 3;

impl Core {
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
            self.world.green_mut().users_from(self.at);
        }
        self.phase = Phase::Switch { rung, state: Rung::Writing { tries: 1 } };
        // The gate was open, so what we asked for before is what the router reported last; it is
        // read once more right before the write, because somebody may have moved it since.
        let expect = self.asked.replace(split);
        let timeout = self.plan.router.timeout;
        let act = Act::SetRouter { split, timeout, rollback: false, expect };
        self.act(act, Barrier::Journal);
    }

    /// Writes once more what was answered with yes, if it may be: a write that is repeated
    /// moves users as much as the first one did.
    fn write_again(&mut self, id: EffectId, split: Split, expect: Option<Split>) -> bool {
        let again = EffectId { n: id.n, attempt: id.attempt + 1 };
        if again.attempt > WRITE_ATTEMPTS || self.held || !self.may_write() {
            return false;
        }
        let timeout = self.plan.router.timeout;
        let act = Act::SetRouter { split, timeout, rollback: false, expect };
        self.act_again(again, act, Barrier::Journal);
        true
    }

    /// A write towards Green, or of the standing split, has been read back.
    pub(super) fn written(
        &mut self,
        id: EffectId,
        split: Split,
        expect: Option<Split>,
        readback: &Readback,
        reloaded: bool,
    ) {
        let took_us = readback.took_us;
        let read = readback.split();
        let good = read == Some(split);
        // Neither what stood nor what we asked for.
        if !good && read.is_some() && expect.is_some() && read != expect {
            return self.somebody_was_here(split, read, reloaded);
        }
        let says = match (good, readback.first_fault()) {
            (true, _) => Clean::new(&self.split_words(split, took_us)),
            (false, Some((node, fault))) => {
                Clean::new(&format!("{node}: {}; {}", fault.cause, fault.hint))
            }
            (false, None) => Clean::new("the router accepted the split and reports another one"),
        };
        self.record(Record::Split {
            asked: self.green_of(split).map(Percent::get),
            read: read.and_then(|split| self.green_of(split)).map(Percent::get),
            took_us,
            says: says.clone(),
        });
        match &mut self.phase {
            Phase::Confirm { write, .. } if good => *write = Some(Ok(took_us)),
            Phase::Confirm { .. } => {
                if !self.write_again(id, split, expect)
                    && let Phase::Confirm { write, .. } = &mut self.phase
                {
                    *write = Some(Err(says));
                }
            }
            Phase::Switch { rung, state: Rung::Writing { .. } } => {
                let rung = *rung;
                if good {
                    self.rung_stands(rung);
                    // Kept for a restart of the router; nothing waits for it.
                    self.act(Act::PersistRouter, Barrier::Nothing);
                } else if self.write_again(id, split, expect) {
                    let tries = id.attempt + 1;
                    self.phase = Phase::Switch { rung, state: Rung::Writing { tries } };
                } else {
                    self.write_failed(rung);
                    // What the limits have to say of this instant is heard first.
                    self.judge();
                    if !self.facts.attended && self.shared.is_none() && self.rollback.is_none() {
                        // The next yes would come at once, and again and again.
                        self.go_back_if_blue_is_well("the router did not take the split");
                    }
                }
            }
            _ => {}
        }
    }

    /// Another split was found where ours should be written, or read back: it is left alone.
    fn somebody_was_here(&mut self, split: Split, read: Option<Split>, reloaded: bool) {
        match &mut self.phase {
            Phase::Confirm { write, .. } => {
                *write = Some(Err(Clean::new("another split was found where it stood")));
            }
            Phase::Switch { rung, state: state @ Rung::Writing { .. } } => {
                let rung = *rung;
                *state = Rung::Asking;
                self.given_up = Some(split);
                self.asked = self.standing(rung);
            }
            _ => return,
        }
        self.compare(read, reloaded);
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
        self.given_up = self.asked;
        // What stood before is what we ask for now; a write that lands late is found and told.
        self.asked = self.standing(rung);
        self.warn("the router did not take the split: nothing more is tried until you say so");
    }

    /// The split that stands before this step of the ramp is written.
    pub(super) fn standing(&self, rung: usize) -> Option<Split> {
        let before = rung.checked_sub(1).and_then(|rung| self.plan.ramp.get(rung));
        self.green_gets(before.copied().unwrap_or(Percent::ZERO))
    }

    pub(super) fn write_was_cancelled(&mut self) {
        if let Phase::Confirm { write: write @ None, .. } = &mut self.phase {
            *write = Some(Err(Clean::new("it was ended when the journal failed")));
        }
        if let Phase::Switch { rung, state: Rung::Writing { .. } } = self.phase {
            self.write_failed(rung);
        }
    }

    pub(super) fn rung_stands(&mut self, rung: usize) {
        if self.plan.ramp.get(rung).is_some_and(|percent| *percent == Percent::ALL) {
            self.pass(Step::Switch);
            self.enter(Step::Watch);
            self.phase = Phase::Watch { since: self.at, until: self.at + self.plan.watch };
        } else {
            let until = self.at + self.plan.ramp_hold;
            self.phase = Phase::Switch { rung, state: Rung::Holding { since: self.at, until } };
        }
    }
}
