//! `switchback resume`: a run that was cut off is picked up where its journal ends.

use super::flight::{self, Assembled, Flown, attended, fly};
use super::{Failure, Watcher, watcher};
use crate::cli::Global;
use crate::evidence::environment;
use crate::journal::{self, ResumeFault, Writer};
use crate::plain::complain;
use crate::plan::Faults;
use crate::runbook::{Command, Effect, Record, Step};
use crate::runs::{self, Lock, RunSummary};

/// Picks a run up.
pub fn resume(global: &Global, name: Option<&str>) -> Result<u8, Failure> {
    let watcher = watcher(global)?;
    let home = flight::home(global)?;
    let found = runs::find(&home.runs, name)
        .map_err(|fault| Failure::usage(&fault, "switchback runs lists them"))?;
    let router = found.router.as_ref().map_or("", |router| router.as_str());
    // The lock comes before the journal is touched: whoever has it may be writing there.
    let lock = flight::lock(&home, router, &found.id)?;
    if global.yes {
        needs_nobody(global, &found)?;
    }
    let flown = pick_up(global, watcher, &found, Some(lock), &[]).map_err(Failure::from)?;
    Ok(flown.seal(&home))
}

/// A run that is still to be deployed by hand is not picked up where nobody is.
fn needs_nobody(global: &Global, found: &RunSummary) -> Result<(), Failure> {
    // A journal that cannot be read is told below.
    let Ok(run) = journal::read(&found.path) else { return Ok(()) };
    let deployed = run.effects().any(|(_, effect)| {
        matches!(effect, Effect::Record(Record::StepPassed { step: Step::Deploy, .. }))
    });
    if deployed { Ok(()) } else { flight::can_deploy(global, &run.opened.plan) }
}

/// Why a run was not picked up.
#[derive(Debug)]
pub enum NotPickedUp {
    /// Its journal cannot be read, or not be written.
    Journal(ResumeFault),
    /// Anything else.
    Other(Failure),
}

impl From<Failure> for NotPickedUp {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<NotPickedUp> for Failure {
    fn from(not: NotPickedUp) -> Self {
        match not {
            NotPickedUp::Journal(fault @ ResumeFault::Over { .. }) => {
                Self::usage(&fault, fault.hint())
            }
            NotPickedUp::Journal(fault) => Self::world(&fault, fault.hint()),
            NotPickedUp::Other(failure) => failure,
        }
    }
}

/// Picks a run up and sends `first` before anything that the operator does; it is still to be
/// sealed. Without a lock nobody else can ask this engine. Where `first`
/// goes back, a secret that is gone is no obstacle: only probes want it.
pub fn pick_up(
    global: &Global,
    watcher: Watcher,
    found: &RunSummary,
    lock: Option<Lock>,
    first: &[Command],
) -> Result<Flown, NotPickedUp> {
    let home = flight::home(global)?;
    let (journal, troubles, run) = Writer::resume(&found.path).map_err(NotPickedUp::Journal)?;
    let missing: u64 = run.gaps.iter().map(|(first, last)| last - first + 1).sum();
    if missing > 0 {
        complain(format_args!(
            "warning: {missing} inputs of this run are missing, as after a power cut; what the \
             router reports decides"
        ));
    }
    let plan = run.opened.plan.clone();
    let (secrets, missing) = flight::mask_what_there_is(&plan);
    if !missing.is_empty() && !first.contains(&Command::Rollback) {
        return Err(Failure::from(Faults::new(missing)).into());
    }
    let router = crate::adapter::router::Router::of_plan(&plan).map_err(Failure::from)?;
    let mut facts = run.opened.facts.clone();
    // Who watches may be another than before; the journal's first record says who began.
    facts.attended = attended(watcher);
    let run = Assembled {
        opened: run.opened.clone(),
        declared: environment::declared(&run).cloned().unwrap_or_default(),
        plan,
        facts,
        directory: found.path.clone(),
        journal,
        troubles,
        secrets,
        router,
        resume: Some(run),
        lock,
    };
    Ok(fly(global, watcher, &home, run, first)?)
}
