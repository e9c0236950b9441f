//! The call: what the operator decided, held against each decision that the scenario calls right,
//! and the best of these counts.

use super::parts::tenths;
use super::{Back, Flown, Part, PartName};
use crate::drill::account;
use crate::drill::tape::{By, Deed, Did};
use crate::lab::anchor::Anchor;
use crate::lab::scenario::VerdictClass;
use crate::lab::scenario::answer::{Answer, Call, Decision, Declares, Opens};
use crate::runbook::RunOutcome;
use crate::units::Millis;
use serde::{Deserialize, Serialize};

/// Points of a call that is right in every respect.
pub const FULL: f64 = 40.0;
/// Of one that was right before anything could have told it.
const LUCKY: f64 = 28.0;
/// Of one that was right at the deadline, or that a limit made.
const LATE: f64 = 20.0;
/// Of a wrong one that was put right in time.
const CORRECTED: f64 = 16.0;
/// Nobody is held to have acted on what came so shortly before.
const REACTION: Millis = Millis::secs(2);

/// How a call stands against a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// In its step, in its time.
    Right,
    /// Right, before anything could have told it.
    Lucky,
    /// Right, after par.
    Late,
    /// Right, and a limit made it.
    Limit,
    /// Right, in another step than it should be.
    OtherStep,
    /// Wrong first, and put right in time.
    Corrected,
    /// Only the first half of it.
    Half,
    /// Right, after the deadline.
    TooLate,
    /// Something else was done.
    Wrong,
    /// Nothing was called.
    None,
}

/// How the call of a flight stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ruling {
    /// The decision that it stands best against, by its name; nothing where the scenario calls
    /// nothing right.
    pub decision: Option<String>,
    /// How it stands.
    pub standing: Standing,
    /// Points, of 40.
    pub points: f64,
    /// When what counts was called.
    pub at: Option<Millis>,
    /// When its window opened, if it did.
    pub opens: Option<Millis>,
    /// How long after that full points are given.
    pub par: Option<Millis>,
    /// How long after that any are given.
    pub deadline: Option<Millis>,
    /// Why, in a sentence.
    pub says: String,
}

impl Ruling {
    /// Whether the operator's call was right, whole and in time. What a limit did for them, what
    /// was only begun and what came in another step is none.
    pub const fn is_right(&self) -> bool {
        matches!(self.standing, Standing::Right | Standing::Lucky | Standing::Late)
    }

    /// Whether there was something right in it, though not all.
    pub const fn is_partly_right(&self) -> bool {
        matches!(
            self.standing,
            Standing::Corrected | Standing::Half | Standing::Limit | Standing::OtherStep
        )
    }

    /// The decision that it stands best against.
    pub fn decided<'a>(&self, answer: &'a Answer) -> Option<&'a Decision> {
        let id = self.decision.as_ref()?;
        answer.decisions.iter().find(|decision| decision.id == *id)
    }

    pub(super) fn part(&self) -> Part {
        Part { name: PartName::Call, points: self.points, of: FULL, says: self.says.clone() }
    }
}

/// Holds a flight against the scenario's decisions.
pub(super) fn ruling(flown: &Flown<'_>) -> Ruling {
    let decisions = &flown.answer.decisions;
    if let Some(fault) = missing(flown) {
        let says = format!("the answer speaks of the fault {fault:?}, which is not in this world");
        return none(says);
    }
    let offered = decisions.iter().filter(|decision| flown.truth.offers(decision));
    let rulings = offered.map(|decision| against(flown, decision, Millis::ZERO, 0));
    // The first of equals: a scenario names its best decision first.
    rulings
        .reduce(|best, next| if next.points > best.points { next } else { best })
        .unwrap_or_else(|| none("the scenario calls no decision right".to_owned()))
}

/// Whether going back was right in this flight, and whether the operator did.
pub(super) fn back(flown: &Flown<'_>, ruling: &Ruling) -> Back {
    let answer = flown.answer;
    let taken = ruling.decided(answer).filter(|_| ruling.is_right());
    let best = || answer.decisions.iter().find(|decision| flown.truth.offers(decision));
    let thin = flown.scenario.drill.verdict == Some(VerdictClass::Thin);
    let right = taken.or_else(best).map(|decision| answer.leads_back(decision));
    let went = |deed: &Deed| match deed {
        Deed::Rollback { by, .. } => *by == By::Operator,
        Deed::Declare(act) => act.takes_back(),
        _ => false,
    };
    Back { was_right: right.filter(|_| !thin), was_done: flown.tape.did(went).next().is_some() }
}

/// A ruling without a decision.
const fn none(says: String) -> Ruling {
    Ruling {
        decision: None,
        standing: Standing::None,
        points: 0.0,
        at: None,
        opens: None,
        par: None,
        deadline: None,
        says,
    }
}

/// A fault that the answer speaks of and that the world does not have: then nothing that it calls
/// right can be believed.
fn missing(flown: &Flown<'_>) -> Option<String> {
    let answer = flown.answer;
    let opens = answer.decisions.iter().filter_map(|decision| match &decision.opens {
        Opens::At(moment) => Some(moment),
        Opens::Evidence => None,
    });
    let grave = answer.critical.iter().flat_map(|grave| [Some(&grave.when), grave.during.as_ref()]);
    let markers = answer.debrief.markers.iter().map(|marker| &marker.at);
    let all = answer.truth.onset.iter().chain(opens).chain(grave.flatten()).chain(markers);
    let faults = all.filter_map(|moment| match &moment.anchor {
        Anchor::Fault(id) => Some(id),
        _ => None,
    });
    let is_there = |id: &&String| flown.scenario.faults.iter().any(|fault| fault.id == **id);
    faults.into_iter().find(|id| !is_there(id)).cloned()
}

/// When a decision's window opens in this flight, if it ever does: not before its first step.
fn opens(flown: &Flown<'_>, decision: &Decision) -> Option<Millis> {
    let opens = match &decision.opens {
        Opens::Evidence => flown.account.evidence,
        Opens::At(moment) => account::when(moment, flown.tape, flown.truth),
    };
    // Who goes on has decided so before the steps that then pass by themselves.
    let entered = entered(flown, decision).filter(|_| decision.call != Call::Advance);
    opens.map(|opens| opens.max(entered.unwrap_or(opens)))
}

/// When the first of a decision's steps was entered, if it was.
fn entered(flown: &Flown<'_>, decision: &Decision) -> Option<Millis> {
    let first = decision.steps.iter().min()?;
    *flown.tape.steps.get(usize::from(first.checked_sub(1)?))?
}

/// The deeds that are this decision, or the last part of it.
fn deeds<'a>(flown: &'a Flown<'_>, decision: &'a Decision, from: Millis) -> Vec<&'a Did> {
    let tape = flown.tape;
    match decision.call {
        Call::Rollback => tape.rollback().into_iter().collect(),
        Call::Hold => tape.did(|deed| *deed == Deed::Hold).collect(),
        Call::Declare => {
            let is_it =
                |deed: &Deed| matches!(deed, Deed::Declare(act) if Some(*act) == decision.declares);
            // To say it again and again does not make it a call of a later time.
            tape.did(is_it).find(|did| did.at >= from).into_iter().collect()
        }
        Call::Advance => {
            if tape.is_back() {
                return Vec::new();
            }
            // To go all the way is the call; each part of the way was one before it.
            let moves: Vec<_> = tape
                .did(|deed| matches!(deed, Deed::Deploy | Deed::Advance(_)))
                .filter(|did| decision.steps.is_empty() || decision.steps.contains(&did.step))
                .collect();
            let moves = if moves.is_empty() {
                tape.did(|deed| matches!(deed, Deed::Advance(_))).collect()
            } else {
                moves
            };
            let arrived = tape.outcome == Some(RunOutcome::Kept)
                || tape.did(|deed| *deed == Deed::Advance(100)).next().is_some();
            if arrived { moves.into_iter().last().into_iter().collect() } else { Vec::new() }
        }
    }
}

fn against(flown: &Flown<'_>, decision: &Decision, from: Millis, depth: u8) -> Ruling {
    let opens = opens(flown, decision);
    let ruled = |standing, points: f64, at, says| Ruling {
        decision: Some(decision.id.clone()),
        standing,
        points: points * decision.credit,
        at,
        opens,
        par: decision.par,
        deadline: decision.deadline,
        says,
    };
    let what = words(decision);
    let all = deeds(flown, decision, from);
    let best = all
        .into_iter()
        .filter(|did| did.at >= from)
        .map(|did| {
            let (standing, points, says) = one(flown, decision, did, opens, &what);
            ruled(standing, points, Some(did.at), says)
        })
        .reduce(|best, next| if next.points > best.points { next } else { best });
    let Some(mut ruling) = best else {
        let (standing, says) = otherwise(flown, &what);
        return ruled(standing, 0.0, None, says);
    };
    if undone(flown, decision) {
        let says = format!("it was right to {what}, and then traffic was sent back all the same");
        return ruled(Standing::Wrong, 0.0, ruling.at, says);
    }
    if cut_short(flown, decision) {
        ruling.points /= 2.0;
        ruling.standing = Standing::Half;
        ruling.says = format!("{}; it was left before it was over", ruling.says);
    }
    let next = decision.then.as_ref();
    let next = next.and_then(|id| flown.answer.decisions.iter().find(|other| other.id == *id));
    // Decisions that name each other in a ring are not followed for ever.
    if let (Some(next), Some(at), true) = (next, ruling.at, depth < 4) {
        let after = against(flown, next, at, depth + 1);
        if after.points <= 0.0 && ruling.standing != Standing::Half {
            ruling.points /= 2.0;
            ruling.standing = Standing::Half;
            ruling.says = format!("{}; to {} was to follow", ruling.says, words(next));
        }
    }
    ruling
}

/// One deed that is the decision: how it stands, its points before credit, and why.
fn one(
    flown: &Flown<'_>,
    decision: &Decision,
    did: &Did,
    opens: Option<Millis>,
    what: &str,
) -> (Standing, f64, String) {
    let at = did.at;
    let right_step = decision.steps.is_empty() || decision.steps.contains(&did.step) || {
        // To go on is decided on the way; the steps behind the last move pass by themselves.
        decision.call == Call::Advance && decision.steps.iter().any(|step| *step > did.step)
    };
    let unviewed: Vec<&str> = decision
        .requires_viewed
        .iter()
        .map(String::as_str)
        .filter(|item| {
            let seen = |look: &account::Looked| look.item.as_deref() == Some(item) && look.at <= at;
            !flown.account.looks.iter().any(seen)
        })
        .collect();
    // What was right only early, or only for who had looked, is another act in a later step.
    let past = decision.steps.iter().max().is_some_and(|last| did.step > *last);
    let early_only = matches!(decision.opens, Opens::At(_)) && decision.call == Call::Rollback;
    if past && (early_only || !unviewed.is_empty()) {
        let says = format!("to {what} was right earlier; in step {} it was not", did.step);
        return (Standing::Wrong, 0.0, says);
    }
    let in_time_for =
        |opens: &Millis| in_time(at.since(*opens), decision.par, decision.deadline).is_some();
    if let Deed::Rollback { by: By::Limit, .. } = did.deed
        && opens.is_none_or(|opens| in_time_for(&opens))
    {
        let says = format!("a limit decided to {what}; it was right, and nobody had called it");
        return (Standing::Limit, LATE, says);
    }
    let Some(opens) = opens.filter(|opens| at >= *opens) else {
        if declared_before(flown, at).is_some() {
            let says = format!("something else was declared before it was right to {what}");
            return (Standing::Corrected, CORRECTED, says);
        }
        let says = format!("it was right to {what}, before anything could have told it");
        return (Standing::Lucky, LUCKY, says);
    };
    if !unviewed.is_empty() {
        let says = format!("it was right to {what}; {} was not opened before", unviewed.join(", "));
        return (Standing::Lucky, LUCKY, says);
    }
    let after = at.since(opens);
    let Some(points) = in_time(after, decision.par, decision.deadline) else {
        let says =
            format!("to {what} was right, and came {} after it could be called", tenths(after));
        return (Standing::TooLate, 0.0, says);
    };
    if let Some(other) = declared_before(flown, at) {
        let says = format!("to {} was declared first; to {what} put it right", other.words());
        return (Standing::Corrected, CORRECTED.min(points), says);
    }
    if contrary(flown, decision, opens, at) && points > CORRECTED {
        let says = format!("more users were sent to Green first; to {what} put it right in time");
        return (Standing::Corrected, CORRECTED, says);
    }
    if !right_step {
        let says = format!("it was right to {what}, in step {}", did.step);
        let steps: Vec<_> = decision.steps.iter().map(u8::to_string).collect();
        let says = format!("{says}, where step {} was the one for it", steps.join(" or "));
        return (Standing::OtherStep, points.min(LATE), says);
    }
    let says = format!("it was right to {what}, {} after it could be called", tenths(after));
    if points >= FULL {
        return (Standing::Right, points, says);
    }
    let par = decision.par.unwrap_or_default();
    (Standing::Late, points, format!("{says}; par is {par}"))
}

/// Points by time: full up to par, then in a straight line to half at the deadline, and then none.
fn in_time(after: Millis, par: Option<Millis>, deadline: Option<Millis>) -> Option<f64> {
    if deadline.is_some_and(|deadline| after > deadline) {
        return None;
    }
    let Some(par) = par.filter(|par| after > *par) else { return Some(FULL) };
    let Some(deadline) = deadline else { return Some(LATE) };
    let over = after.since(par).0 as f64 / deadline.since(par).0.max(1) as f64;
    Some(FULL - (FULL - LATE) * over.clamp(0.0, 1.0))
}

/// Whether more users were sent to Green between the opening of the window and the call, where
/// the call was not to send them.
fn contrary(flown: &Flown<'_>, decision: &Decision, opens: Millis, at: Millis) -> bool {
    let asks_to_stop = matches!(decision.opens, Opens::Evidence);
    decision.call != Call::Advance
        && asks_to_stop
        && decision.steps.iter().min().is_none_or(|first| *first <= 5)
        && flown
            .tape
            .did(|deed| matches!(deed, Deed::Advance(_)))
            .any(|did| did.at >= opens + REACTION && did.at < at)
}

/// What was declared before `at` and is no answer in this drill. The first declaration is the call:
/// what is right only after it was put right.
fn declared_before(flown: &Flown<'_>, at: Millis) -> Option<Declares> {
    let answers = |act| {
        let of_act = |decision: &&Decision| decision.declares == Some(act);
        flown.answer.decisions.iter().any(|decision| of_act(&decision))
    };
    flown.tape.deeds.iter().filter(|did| did.at < at).find_map(|did| match did.deed {
        Deed::Declare(act) if account::is_call(act, flown.answer) && !answers(act) => Some(act),
        _ => None,
    })
}

/// Whether users were sent on to Green, as was right, and then nobody stayed to see them there.
fn cut_short(flown: &Flown<'_>, decision: &Decision) -> bool {
    decision.call == Call::Advance && flown.tape.outcome != Some(RunOutcome::Kept)
}

/// Whether traffic went back although the decision was to stay.
fn undone(flown: &Flown<'_>, decision: &Decision) -> bool {
    let stays = match decision.call {
        Call::Hold => decision.then.is_none(),
        Call::Declare => {
            let back = [Declares::RampBack, Declares::SecondPath, Declares::ProbeBlue];
            decision.then.is_none() && !decision.declares.is_some_and(|act| back.contains(&act))
        }
        Call::Rollback | Call::Advance => false,
    };
    let also_right = || flown.answer.decisions.iter().any(|other| other.call == Call::Rollback);
    stays && flown.tape.is_back() && !also_right()
}

fn words(decision: &Decision) -> String {
    match (decision.call, decision.declares) {
        (Call::Advance, _) => "go on".to_owned(),
        (Call::Hold, _) => "hold".to_owned(),
        (Call::Rollback, _) => "go back".to_owned(),
        (Call::Declare, Some(act)) => act.words().to_owned(),
        (Call::Declare, None) => "declare".to_owned(),
    }
}

/// What was done where the decision was not taken.
fn otherwise(flown: &Flown<'_>, what: &str) -> (Standing, String) {
    let Some(made) = flown.account.call else {
        return (Standing::None, format!("nothing was called; to {what} was right"));
    };
    let did = match made.call {
        Call::Advance => "users were sent on to Green",
        Call::Hold => "the run was held",
        Call::Rollback if !made.switched => "Green was abandoned",
        Call::Rollback => "traffic was sent back",
        Call::Declare => "something else was declared",
    };
    (Standing::Wrong, format!("{did}; to {what} was right"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_fall_from_par_to_half_at_the_deadline_and_none_are_given_for_being_faster() {
        let (par, deadline) = (Some(Millis::secs(20)), Some(Millis::secs(60)));
        let points = |secs| in_time(Millis::secs(secs), par, deadline);
        assert_eq!(points(0), Some(40.0));
        assert_eq!(points(20), Some(40.0));
        assert_eq!(points(40), Some(30.0));
        assert_eq!(points(60), Some(20.0));
        assert_eq!(points(61), None);
        assert_eq!(in_time(Millis::secs(900), None, None), Some(40.0));
    }
}
