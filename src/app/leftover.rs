//! Runs of the same router that were left open, before a new one begins.
//!
//! One that was left at step 8, or before any weight moved, is closed, and that is said. One that
//! may have left users on Green is not passed over: it is picked up, or taken back.

use super::Failure;
use crate::engine::clock::unix_ms;
use crate::evidence::sign::Asking;
use crate::journal::{Closed, Run, Writer};
use crate::runbook::surroundings::End;
use crate::runbook::{Core, Effect, Record, RunOutcome, Step};
use crate::runs::{self, Home, RunSummary};

/// Settles what was left of earlier runs on this router. The caller has its lock.
pub fn settle(home: &Home, identity: &str) -> Result<(), Failure> {
    let mine = |run: &RunSummary| {
        run.open && run.router.as_ref().is_some_and(|router| router.as_str() == identity)
    };
    // A list that cannot be read hides nothing that could be settled.
    let left = runs::list(&home.runs).unwrap_or_default();
    left.iter().filter(|run| mine(run)).try_for_each(|run| settle_one(home, run))
}

fn settle_one(home: &Home, found: &RunSummary) -> Result<(), Failure> {
    let id = &found.id;
    // A run whose journal cannot be read cannot be picked up either; `runs` shows it.
    let Ok((journal, _, run)) = Writer::resume(&found.path) else { return Ok(()) };
    let mut core = Core::new(run.opened.plan.clone(), run.opened.facts.clone());
    for turn in &run.turns {
        let _ = core.step(turn.event.clone(), turn.at);
    }
    // Where a power cut took inputs, living the run again stops short of what the journal says.
    let (entered, went_back) = told(&run);
    let going_back = went_back || core.snapshot().rollback.is_some();
    let may_have_moved = core.green_had_weight() || run.may_have_moved_users();
    let step = entered.unwrap_or_else(|| core.step_now()).max(core.step_now());
    let (outcome, exit, says) = if step == Step::Warm && !going_back {
        (RunOutcome::Kept, 0, "kept; left at step 8, closed by the next deploy")
    } else if !may_have_moved {
        (RunOutcome::Abandoned, 5, "left before any weight moved, closed by the next deploy")
    } else {
        return Err(Failure::world(
            format!(
                "run {id} was cut off in step {} and may have left users on Green",
                step.number()
            ),
            format!("switchback resume {id} picks it up, switchback rollback takes it back"),
        ));
    };
    let closed =
        Closed { outcome, exit, says: says.into(), rollback_us: None, ended_unix_ms: unix_ms() };
    // Since then somebody may have gone straight to the router; and what was lost was not lived.
    let facts = &run.opened.facts;
    let since = facts.began_unix_ms.saturating_add_unsigned(run.last_at.0);
    let end = runs::index::straight_since(&home.runs, run.opened.router.as_str(), since)
        .or_else(|| run.gaps.is_empty().then(|| End::of(&core.snapshot())));
    let written = super::close::finish(home, &run.opened, journal, closed, run.last_at, end);
    crate::plain::complain(format_args!("run {id}: {says}"));
    if written {
        // Whoever is at the keyboard wants to deploy, and not to sign what was left.
        super::close::seal(home, &found.path, Asking::Nobody, false);
    }
    Ok(())
}

/// The last step that the journal says was entered, and whether a way back was begun.
fn told(run: &Run) -> (Option<Step>, bool) {
    run.effects().fold((None, false), |(step, back), (_, effect)| match effect {
        Effect::Record(Record::StepEntered { step }) => (Some(*step), back),
        Effect::Record(Record::RollbackStarted { .. }) => (step, true),
        _ => (step, back),
    })
}
