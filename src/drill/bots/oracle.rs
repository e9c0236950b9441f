//! The one who knows: follows the scenario's first decision as a practised operator would who
//! had read the answer, and looks where it is worth looking.
//!
//! It decides when the evidence is there and not before, for whoever is right before anything
//! could be seen was only lucky. When that will be it has from a flight of the same seed in which
//! nothing was done.

use super::{Sight, answers, asks_to_go_back, leaves};
use crate::drill::declare;
use crate::drill::truth::Truth;
use crate::lab::anchor::Anchors;
use crate::lab::scenario::answer::{Answer as Answers, Call, Decision, Declares, Opens};
use crate::runbook::{Answer, Command, View};
use crate::signal::{Verdict, Whose};
use crate::units::Millis;

/// From the evidence to the key.
const REACTS: Millis = Millis::secs(3);
/// After a hold or a declared act it goes on when it has been calm for so long.
const CALM: Millis = Millis::secs(12);

/// What follows on a way back comes so soon, or not at all.
const FOLLOWS: Millis = Millis::secs(60);
/// Between two attempts to go on.
const PAUSE: Millis = Millis::secs(20);

/// Reads the answer. See the module's text.
#[derive(Debug, Clone)]
pub struct Oracle<'a> {
    answer: &'a Answers,
    evidence: Option<Millis>,
    decision: Option<&'a Decision>,
    /// When the last decision was taken.
    acted: Option<Millis>,
    /// Items that are still to be looked at.
    looked: [bool; 2],
    items: usize,
    telling_seen: bool,
    comes_home: Option<Millis>,
    /// Whether going back on the evidence is right as well, where what comes first is done.
    way_back: bool,
    /// When it last said to go on.
    went_on: Option<Millis>,
}

impl<'a> Oracle<'a> {
    /// An oracle that knows this answer, when the evidence will be there, and what was true in the
    /// flight in which nothing was done.
    pub fn new(answer: &'a Answers, evidence: Option<Millis>, nothing: &Truth) -> Self {
        let offered = || answer.decisions.iter().filter(|decision| nothing.offers(decision));
        Self {
            answer,
            evidence,
            decision: offered().next(),
            way_back: offered().any(|decision| {
                decision.call == Call::Rollback && decision.opens == Opens::Evidence
            }),
            went_on: None,
            acted: None,
            looked: [false; 2],
            items: 0,
            telling_seen: false,
            comes_home: None,
        }
    }

    /// What it presses. Nobody else is given the truth.
    pub fn press(&mut self, sight: &Sight<'_>, truth: &Anchors) -> Option<Command> {
        if let Some(look) = self.look(sight) {
            return Some(look);
        }
        if sight.back {
            return self.after_the_way_back(sight, truth);
        }
        // What is declared to bring traffic home is followed by the key that verifies it.
        if self.comes_home.is_some_and(|at| sight.now >= at) {
            return Some(Command::Rollback);
        }
        if self.acted.is_some() && self.way_back && asks_to_go_back(sight) {
            return Some(Command::Rollback);
        }
        let stays = self.acted.is_some() || self.decision.is_some_and(|d| d.call != Call::Rollback);
        if stays && asks_to_go_back(sight) {
            return answers(sight, Answer::No);
        }
        let opens = self.opens(sight, truth);
        // Who goes on all the same has looked at what there was to be seen.
        let goes_on = self.decision.is_some_and(|d| d.call == Call::Advance);
        let there = self.evidence.is_some_and(|at| sight.now >= at + REACTS);
        if goes_on && there && !std::mem::replace(&mut self.telling_seen, true) {
            return Some(Command::Look(View::Limits));
        }
        if let (Some(decision), Some(opens)) = (self.decision, opens)
            && decision.call != Call::Advance
        {
            if !self.telling_seen && sight.now >= opens {
                self.telling_seen = true;
                return Some(Command::Look(View::Limits));
            }
            if sight.now >= opens + REACTS && self.is_time(decision, sight) {
                return Some(self.act(decision, sight.now));
            }
        }
        if self.waits(sight, opens) {
            return None;
        }
        self.onward(sight)
    }

    /// Some ways back are only half of what is right: what follows is declared before it leaves.
    fn after_the_way_back(&mut self, sight: &Sight<'_>, truth: &Anchors) -> Option<Command> {
        let next = self.decision.filter(|next| next.call == Call::Declare);
        if let (Some(next), Some(acted)) = (next, self.acted) {
            if self.opens(sight, truth).is_some_and(|opens| sight.now >= opens + REACTS) {
                return Some(self.act(next, sight.now));
            }
            if sight.now < acted + FOLLOWS {
                return None;
            }
        }
        leaves(sight)
    }

    /// At the beginning the way back is looked at, and once Green runs both slots are.
    fn look(&mut self, sight: &Sight<'_>) -> Option<Command> {
        if let Some(item) = sight.items.get(self.items)
            && item.step <= sight.step
        {
            self.items += 1;
            return Some(Command::Note(declare::look(&item.item)));
        }
        let place = match sight.step {
            1 => 0,
            3.. if !sight.back => 1,
            _ => return None,
        };
        // Somebody must have been seen on Green before there is anything to compare.
        let seen = place == 0 || sight.samples.iter().rev().take(8).any(|s| s.role == Whose::Green);
        (seen && !std::mem::replace(&mut self.looked[place], true))
            .then_some(Command::Look(View::Limits))
    }

    fn opens(&self, sight: &Sight<'_>, truth: &Anchors) -> Option<Millis> {
        match &self.decision?.opens {
            Opens::Evidence => self.evidence.or_else(|| {
                let onset = truth.when(self.answer.truth.onset.as_ref()?)?;
                (onset <= sight.now).then_some(onset + CALM)
            }),
            Opens::At(moment) => truth.when(moment).filter(|at| *at <= sight.now),
        }
    }

    /// Whether the run is in a step in which the decision counts. One that has passed it already
    /// decides all the same.
    fn is_time(&self, decision: &Decision, sight: &Sight<'_>) -> bool {
        decision.steps.iter().min().is_none_or(|first| sight.step >= *first)
    }

    fn act(&mut self, decision: &'a Decision, now: Millis) -> Command {
        self.acted = Some(now);
        let next = decision.then.as_ref();
        self.decision =
            next.and_then(|id| self.answer.decisions.iter().find(|other| other.id == *id));
        match (decision.call, decision.declares) {
            (Call::Hold, _) => Command::Hold,
            (Call::Declare, Some(act)) => {
                self.comes_home = home_after(act).map(|after| now + after);
                Command::Note(declare::declare(act))
            }
            (Call::Advance | Call::Rollback | Call::Declare, _) => Command::Rollback,
        }
    }

    /// Whether nothing moves forward now: the next move is not to be made before its time, or
    /// what was done has still to take effect.
    fn waits(&self, sight: &Sight<'_>, opens: Option<Millis>) -> bool {
        let past = |at: Option<Millis>| at.is_some_and(|at| sight.now >= at);
        if let Some(acted) = self.acted {
            let calm = self.is_calm(sight) && sight.now >= acted + CALM;
            let stays = self.decision.is_some_and(|next| next.call != Call::Advance);
            return stays || !calm || self.decision.is_some_and(|_| opens.is_none());
        }
        match self.decision {
            Some(decision) if decision.call == Call::Advance => {
                // What opens later than it is first possible waits with the last move.
                let last = self.last_move(sight);
                last && !past(opens)
            }
            Some(decision) => {
                // Between the evidence and the key nothing is sent on; and a decision that must
                // be taken in an early step is waited for there.
                let due = past(opens) && self.is_time(decision, sight);
                let last = decision.steps.iter().max().copied().unwrap_or(8);
                let would_leave = sight.step >= last && opens.is_some_and(|at| at > sight.now);
                due || (would_leave && sight.routine.is_some())
            }
            None => false,
        }
    }

    /// Whether the move that comes next is the last one to Green.
    fn last_move(&self, sight: &Sight<'_>) -> bool {
        let rungs = &sight.plan.ramp;
        let before_last = rungs.len().checked_sub(2).and_then(|place| rungs.get(place));
        sight.step == 5 && sight.green >= before_last.map_or(0, |percent| percent.get())
    }

    fn is_calm(&self, sight: &Sight<'_>) -> bool {
        let loud =
            |verdict| matches!(verdict, Verdict::Tripping | Verdict::Tripped | Verdict::Shared);
        // The last word of each limit counts.
        let mut seen = Vec::new();
        sight.told.iter().rev().all(|told| {
            let key = (told.role, told.signal);
            let first = !seen.contains(&key);
            seen.push(key);
            !(first && loud(told.verdict) && sight.now.since(told.at) < Millis::secs(90))
        })
    }

    fn onward(&mut self, sight: &Sight<'_>) -> Option<Command> {
        if sight.held {
            let again = self.went_on.is_none_or(|at| sight.now.since(at) >= PAUSE);
            return again.then(|| {
                self.went_on = Some(sight.now);
                Command::Hold
            });
        }
        if sight.routine.is_some() {
            return sight.routine.clone();
        }
        sight.question?;
        answers(sight, if asks_to_go_back(sight) { Answer::No } else { Answer::Yes })
    }
}

/// When traffic is at Blue after an act that takes it there besides the cockpit's own key.
const fn home_after(act: Declares) -> Option<Millis> {
    match act {
        Declares::RampBack => Some(Millis::secs(45)),
        Declares::SecondPath => Some(REACTS),
        _ => None,
    }
}
