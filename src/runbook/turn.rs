//! A ramp that turns back: the run of a rehearsal, whose plan has no step at which Green serves
//! everybody.
//!
//! Both slots run the same release, nothing is deployed, a small share of the users goes to Green,
//! and the way back is flown from there: by the key, or by itself when the hold is over. Nothing
//! else differs, and no larger share can be asked for, because the plan has none.

use super::core::Core;
use super::gate::{CheckState, Checks, GateState};
use super::phase::{Phase, Rung};
use super::question::About;
use super::resume::PickUp;
use crate::clean::Clean;
use crate::units::{Percent, Role};

/// What is typed where no answer says which release gave it.
const WORD: &str = "same";

impl Core {
    /// Whether the run goes back from this step of the ramp.
    pub(super) fn turns_back_at(&self, rung: usize) -> bool {
        self.plan.turns_back() && rung + 1 == self.plan.ramp.len()
    }

    /// Whether what was to be rehearsed stands, and only the way back is left.
    pub(super) fn stands_to_turn(&self) -> bool {
        matches!(self.phase, Phase::Switch { rung, state: Rung::Holding { .. } }
            if self.turns_back_at(rung))
    }

    /// Whether a way back that begins now is the one that was to be rehearsed: nothing is wrong, and
    /// the run was not just cut off.
    pub(super) fn turns_back_well(&self) -> bool {
        let watched = self.picking_up == PickUp::No;
        watched && self.stands_to_turn() && self.gate_state() != GateState::Shut
    }

    /// Whether an answer names the release that gave it, and which one it must be is known.
    fn releases_are_told(&self) -> bool {
        self.plan.identity.release.is_some() && self.plan.release.next.is_some()
    }

    /// Step 1 asks before a rehearsal as it does before a deploy.
    pub(super) fn ask_rehearsal(&mut self) {
        let name = |slot| self.plan.slot_name(slot).to_owned();
        let green = self.slot(Role::Green).map(name).unwrap_or_default();
        let percent = self.plan.ramp.last().map_or(0, |percent| percent.get());
        let told = self.releases_are_told();
        let release = self.plan.release.next.clone().unwrap_or_else(|| "the same".to_owned());
        let mut lines = vec![
            "Nothing is deployed, and this moves nobody yet.".to_owned(),
            format!("At step 5 at most {percent} % of users go to {green}, and back."),
        ];
        if told {
            lines.push(format!("{green} must name {release}, as Blue does."));
        } else {
            lines.push("No answer names its release: it is yours to know that both".to_owned());
            lines.push(format!("slots run the same. Type `{WORD}` to say so."));
        }
        let title = format!("Rehearse the way back from {green} (Green)?");
        let open = self.ask(About::Deploy, &title, lines, "begin", "wait");
        if !told {
            open.type_word = Some(Clean::new(WORD));
        }
    }

    /// What the question that moves users says of how they come back.
    pub(super) fn comes_back_words(&self) -> Option<String> {
        let hold = self.plan.ramp_hold;
        let words = || format!("They come back by your r, or by themselves after {hold}.");
        self.plan.turns_back().then(words)
    }

    /// That both slots run the same, before anything moves: Green is asked at step 2.
    pub(super) fn check_rehearsal(&self, to: &mut impl Checks) {
        let percent = self.plan.ramp.last().copied().unwrap_or(Percent::ZERO);
        to.check(CheckState::Good, || format!("a rehearsal: {percent} % at most, and back"));
        if !self.releases_are_told() {
            let state = if self.facts.attended { CheckState::NotDeclared } else { CheckState::Bad };
            return to.plain(state, "release: no answer names it, yours to know");
        }
        let named = self.world.health[Role::Blue.index()].release.as_ref();
        let next = self.plan.release.next.as_deref().unwrap_or_default();
        match named {
            Some(named) if named.as_str() == next => {
                to.check(CheckState::Good, || format!("Blue names {named}: no new release"));
            }
            Some(named) => {
                to.check(CheckState::Bad, || format!("Blue names {named}, and not {next}"));
            }
            None => to.plain(CheckState::Waiting, "Blue names no release yet"),
        }
    }
}
