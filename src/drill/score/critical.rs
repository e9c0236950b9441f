//! What was grave: an act of the operator's that the scenario names, while it was grave.

use super::{Flown, Grave};
use crate::drill::account::when;
use crate::drill::tape::{By, Deed, Tape};
use crate::lab::anchor::{Anchor, Moment};
use crate::units::Millis;

/// Everything grave that was done, in the scenario's order.
pub(super) fn graves(flown: &Flown<'_>) -> Vec<Grave> {
    let at = |moment: &Moment| when(moment, flown.tape, flown.truth);
    let graves = flown.answer.critical.iter().filter_map(|critical| {
        let is_grave = |done: &Millis| {
            let grave_then = critical.during.as_ref().is_none_or(|during| {
                let ends = |since| ends(flown, during, since);
                is_at_work(flown, during)
                    && at(during).is_some_and(|since| *done >= since && *done <= ends(since))
            });
            let unless = critical.unless.as_ref();
            grave_then && unless.is_none_or(|unless| at(unless).is_none_or(|at| at > *done))
        };
        let done = times(flown, &critical.when).into_iter().find(is_grave)?;
        Some(Grave { at: done, cap: critical.cap.min(100), says: critical.says.clone() })
    });
    graves.collect()
}

/// Whether there is anything to a fault: one that does nothing makes nothing grave.
fn is_at_work(flown: &Flown<'_>, during: &Moment) -> bool {
    !matches!(&during.anchor, Anchor::Fault(id) if flown.scenario.is_inert(id))
}

/// Every time that an act was done, in order. The lab notes the first time alone; what the
/// operator did again stands on the tape. What a limit did is no act of the operator's.
fn times(flown: &Flown<'_>, moment: &Moment) -> Vec<Millis> {
    let tape = flown.tape;
    let again: Vec<Millis> = match &moment.anchor {
        Anchor::Rollback => {
            let own = |deed: &Deed| matches!(deed, Deed::Rollback { by: By::Operator, .. });
            tape.did(own).map(|did| did.at).collect()
        }
        Anchor::Switch => rises(tape, 1),
        Anchor::Weight(percent) => rises(tape, *percent),
        Anchor::Full => rises(tape, 100),
        Anchor::Decommission => {
            tape.did(|deed| *deed == Deed::Decommission).map(|did| did.at).collect()
        }
        _ => Vec::new(),
    };
    let by_limit = moment.anchor == Anchor::Rollback
        && tape
            .rollback()
            .is_some_and(|did| matches!(did.deed, Deed::Rollback { by: By::Limit, .. }));
    let first = when(moment, tape, flown.truth).filter(|_| !by_limit);
    let ended = flown.truth.ended;
    let again = again.into_iter().map(|at| at + moment.after).filter(|at| *at <= ended);
    let mut all: Vec<Millis> = first.into_iter().chain(again).collect();
    all.sort_unstable();
    all
}

/// When Green was sent this percentage or more, having had less before.
fn rises(tape: &Tape, percent: u8) -> Vec<Millis> {
    let mut before = 0;
    let mut rises = Vec::new();
    for did in &tape.deeds {
        match did.deed {
            Deed::Rollback { .. } => before = 0,
            Deed::Advance(green) => {
                if green >= percent && before < percent {
                    rises.push(did.at);
                }
                before = green;
            }
            _ => {}
        }
    }
    rises
}

/// When what began at `since` was over: a fault ends by itself, a moment never does.
fn ends(flown: &Flown<'_>, during: &Moment, since: Millis) -> Millis {
    let Anchor::Fault(id) = &during.anchor else { return flown.truth.ended };
    let fault = flown.scenario.faults.iter().find(|fault| fault.id == *id);
    let lasts = fault.and_then(|fault| fault.lasts).map(|lasts| since.since(during.after) + lasts);
    let until = fault
        .and_then(|fault| fault.until.as_ref())
        .and_then(|until| when(until, flown.tape, flown.truth));
    [lasts, until].into_iter().flatten().min().unwrap_or(flown.truth.ended)
}
