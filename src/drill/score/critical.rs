//! What was grave: an act of the operator's that the scenario names, while it was grave.

use super::{Flown, Grave};
use crate::drill::account::when;
use crate::lab::anchor::{Anchor, Moment};
use crate::units::Millis;

/// Everything grave that was done, in the scenario's order.
pub(super) fn graves(flown: &Flown<'_>) -> Vec<Grave> {
    let at = |moment: &Moment| when(moment, flown.tape, flown.truth);
    let graves = flown.answer.critical.iter().filter_map(|critical| {
        let done = at(&critical.when)?;
        let grave_then = critical.during.as_ref().is_none_or(|during| {
            at(during).is_some_and(|since| done >= since && done <= ends(flown, during, since))
        });
        let excused =
            critical.unless.as_ref().is_some_and(|unless| at(unless).is_some_and(|at| at <= done));
        (grave_then && !excused).then(|| Grave {
            at: done,
            cap: critical.cap.min(100),
            says: critical.says.clone(),
        })
    });
    graves.collect()
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
