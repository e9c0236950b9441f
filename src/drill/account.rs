//! What is measured of a flight: when it began to hurt, when that could be known, when it was
//! noticed, decided, done and over; and what was looked at on the way.
//!
//! Nothing of it is asked of the operator but how sure they were. Nothing is judged here: points
//! are the business of [`score`](super::score).

use super::evidence;
use super::harm;
use super::tape::{By, Deed, Did, Tape};
use super::truth::Truth;
use crate::lab::Scenario;
use crate::lab::anchor::{Anchor, Moment};
use crate::lab::scenario::answer::{Answer, Call, Declares};
use crate::runbook::{RunOutcome, View};
use crate::signal::Verdict;
use crate::units::{Millis, Role};
use serde::{Deserialize, Serialize};

/// For so long nobody more may be hurt until it is over.
const OVER: Millis = Millis::secs(30);
/// Who goes on in spite of a limit has seen users well for so long, or has overridden it.
const RECOVERED: Millis = Millis::secs(10);

/// What is measured of a flight. Instants are of the run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Account {
    /// When it began to hurt; nothing where nothing ever did.
    pub onset: Option<Millis>,
    /// When a reference detector that sees only the operator's own series was sure.
    pub evidence: Option<Millis>,
    /// The first mark, hold, way back or declared act since it began to hurt. A look is none: what
    /// it told stands in what was done next.
    pub detect: Option<Millis>,
    /// The call.
    pub decide: Option<Millis>,
    /// When the call had taken effect.
    pub effect: Option<Millis>,
    /// When users were well again.
    pub restore: Option<Millis>,
    /// What the call was; nothing where the flight ended without one.
    pub call: Option<Made>,
    /// Items of evidence and views that were looked at, each with its time and step.
    pub looks: Vec<Looked>,
    /// Marks for which there was nothing to be seen.
    pub idle_marks: u32,
    /// For how long the operator held, in all.
    pub held: Millis,
    /// Whether users were moved on in spite of a limit that had tripped on Green, while they were
    /// still being hurt or without a look at it; or Green was kept although the watch had ended
    /// unproven.
    pub overrode: bool,
    /// How the flight ended.
    pub outcome: Option<RunOutcome>,
    /// When it ended.
    pub ended: Millis,
}

/// The call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// What was called.
    pub call: Call,
    /// Who.
    pub by: By,
    /// Whether users were ever on Green before it.
    pub switched: bool,
    /// When.
    pub at: Millis,
    /// In which step, 1 to 8.
    pub step: u8,
}

/// A look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// When.
    pub at: Millis,
    /// In which step, 1 to 8.
    pub step: u8,
    /// At which item of evidence; nothing where it was a view of the cockpit.
    pub item: Option<String>,
}

/// Measures a flight.
pub fn of(tape: &Tape, truth: &Truth, scenario: &Scenario, answer: &Answer) -> Account {
    // What does nothing never began to hurt.
    let idle =
        |moment: &&Moment| matches!(&moment.anchor, Anchor::Fault(id) if scenario.is_inert(id));
    let onset = answer.truth.onset.as_ref().filter(|moment| !idle(moment));
    let onset = onset.and_then(|moment| truth.when(moment));
    let evidence = evidence::when(tape, &scenario.evidence, &answer.truth.telling_signal, onset);
    let call = made(tape, answer);
    let detect = detected(tape, answer, onset);
    let effect = call.and_then(|made| effect(tape, made));
    let from = call.map(|made| made.at).or(onset);
    let restore = from.zip(onset).and_then(|(from, onset)| {
        let from = from.max(onset);
        let well = harm::well_again(truth, &answer.harm, &scenario.traffic, from, OVER);
        // Nothing is over before the call has taken effect.
        well.map(|at| at.max(effect.unwrap_or(at)))
    });
    let found = |did: &Did| onset.is_some_and(|onset| did.at >= onset);
    let marks = tape.did(|deed| matches!(deed, Deed::Mark(_)));
    Account {
        onset,
        evidence,
        detect,
        decide: call.map(|made| made.at),
        effect,
        restore,
        call,
        looks: looks(tape),
        idle_marks: marks.filter(|did| !found(did)).count().try_into().unwrap_or(u32::MAX),
        held: held(tape),
        overrode: overrode(tape, truth, scenario, answer),
        outcome: tape.outcome,
        ended: tape.ended,
    }
}

/// The call of a flight: to go back or what was declared, whichever came first; or to go all the
/// way; and where none of these was done, to hold.
fn made(tape: &Tape, answer: &Answer) -> Option<Made> {
    let switched = |at| tape.did(|d| matches!(d, Deed::Advance(_))).any(|did| did.at <= at);
    let call = |did: &Did, call, by| {
        Some(Made { call, by, switched: switched(did.at), at: did.at, step: did.step })
    };
    let mut declared = tape.did(|deed| matches!(deed, Deed::Declare(act) if is_call(*act, answer)));
    let (declared, back) = (declared.next(), tape.rollback());
    if let Some(did) = declared
        && back.is_none_or(|back| did.at < back.at)
    {
        return call(did, Call::Declare, By::Operator);
    }
    if let Some(did) = back {
        let by = if let Deed::Rollback { by, .. } = did.deed { by } else { By::Operator };
        return call(did, Call::Rollback, by);
    }
    let full = tape.did(|deed| matches!(deed, Deed::Advance(100))).last();
    let hold = tape.did(|deed| *deed == Deed::Hold).last();
    match (full, hold) {
        (Some(did), _) if tape.outcome == Some(RunOutcome::Kept) => {
            call(did, Call::Advance, By::Operator)
        }
        (_, Some(did)) if tape.held() => call(did, Call::Hold, By::Operator),
        (Some(did), _) => call(did, Call::Advance, By::Operator),
        (None, Some(did)) => call(did, Call::Hold, By::Operator),
        (None, None) => None,
    }
}

/// Whether to declare this act is a call: it changes something, or the scenario knows it as an
/// answer. What only looks is none.
pub fn is_call(act: Declares, answer: &Answer) -> bool {
    let known = |act| answer.decisions.iter().any(|decision| decision.declares == Some(act));
    act.lever().is_some() || known(act)
}

fn detected(tape: &Tape, answer: &Answer, onset: Option<Millis>) -> Option<Millis> {
    let mut acts = tape.did(|deed| match deed {
        Deed::Hold | Deed::Mark(_) | Deed::Rollback { by: By::Operator, .. } => true,
        Deed::Declare(act) => is_call(*act, answer),
        _ => false,
    });
    acts.find(|did| onset.is_none_or(|onset| did.at >= onset)).map(|did| did.at)
}

fn effect(tape: &Tape, made: Made) -> Option<Millis> {
    match made.call {
        Call::Rollback => tape.stamps[0].or(tape.stamps[1]),
        Call::Advance => {
            tape.moved.iter().find(|(at, green)| *at >= made.at && *green == 100).map(|(at, _)| *at)
        }
        Call::Hold | Call::Declare => Some(made.at),
    }
}

fn looks(tape: &Tape) -> Vec<Looked> {
    let looks = tape.deeds.iter().filter_map(|did| {
        let item = match &did.deed {
            Deed::Look(View::Help) => return None,
            Deed::Look(_) => None,
            Deed::LookAt(item) => Some(item.clone()),
            _ => return None,
        };
        Some(Looked { at: did.at, step: did.step, item })
    });
    looks.collect()
}

fn held(tape: &Tape) -> Millis {
    let (mut sum, mut since) = (Millis::ZERO, None);
    for did in &tape.deeds {
        match did.deed {
            Deed::Hold => since = since.or(Some(did.at)),
            Deed::GoOn | Deed::Rollback { .. } => {
                sum += since.take().map_or(Millis::ZERO, |since| did.at.since(since));
            }
            _ => {}
        }
    }
    sum + since.map_or(Millis::ZERO, |since| tape.ended.since(since))
}

/// Whether a gate was passed that spoke against it. A limit that has tripped on Green stays so for
/// the cockpit; who holds until users are well again, and then goes on, has passed none.
fn overrode(tape: &Tape, truth: &Truth, scenario: &Scenario, answer: &Answer) -> bool {
    let mut trips = tape
        .told
        .iter()
        .filter(|told| told.role == Role::Green && told.verdict == Verdict::Tripped);
    let against = trips.next().is_some_and(|first| {
        let moved = tape.did(|deed| matches!(deed, Deed::Advance(_))).filter(|d| d.at >= first.at);
        let mut moved = moved.map(|did| did.at);
        moved.any(|at| {
            let from = at.since(RECOVERED);
            let fresh = tape.told.iter().any(|told| {
                let trip = told.role == Role::Green && told.verdict == Verdict::Tripped;
                trip && told.at <= at && told.at > from
            });
            fresh || harm::hurts(truth, &answer.harm, &scenario.traffic, [from, at])
        })
    });
    against || tape.kept_unproven
}

/// When something of a scenario was: a moment of the truth, or the declaration of an act that
/// nobody pulled a lever for.
pub fn when(moment: &Moment, tape: &Tape, truth: &Truth) -> Option<Millis> {
    let declared = || {
        let Anchor::Event(name) = &moment.anchor else { return None };
        let of_name = |deed: &Deed| matches!(deed, Deed::Declare(act) if act.lever().is_some_and(|l| l.name() == name));
        let at = tape.did(of_name).next()?.at + moment.after;
        (at <= tape.ended).then_some(at)
    };
    truth.when(moment).or_else(declared)
}
