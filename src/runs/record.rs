//! Blue's record from earlier runs: what is known of the release that is Blue now, before this run
//! has seen anything of it.
//!
//! Runs of the same kind, service and router are looked through, the newest first, until there is
//! an hour. A release was seen as Blue, before any user was moved, and as Green, from the watch on,
//! where it was kept. What a slot named counts, and what the plan declared where it named nothing.
//!
//! A run is believed as far as its chain holds and the index knows its end. One that is not is
//! passed over and told: it is a reason to know less, and none to stop.

use super::dir::is_id;
use super::index::{self, IndexLine};
use crate::clean::Clean;
use crate::journal::{self, JOURNAL, Run, SAMPLES};
use crate::plan::Plan;
use crate::runbook::{Act, Effect, Event, Kind, Record as Line, RunOutcome, Step};
use crate::signal::{Judge, Record, Sample, Whose};
use crate::units::{Millis, Role, Slot};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a flight waits for what earlier runs know.
pub const PATIENCE: Duration = Duration::from_millis(200);
/// A run that is larger than this is not read.
const LARGEST: u64 = 16 * 1024 * 1024;
/// A record is at most an hour, in stretches of half a minute.
const STRETCH: Millis = Millis::secs(30);
const HOUR: usize = 120;

/// Which record is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The kind of the run that wants it: a drill's users say nothing of a deploy's.
    pub kind: Kind,
    /// What its router is known by.
    pub router: &'a str,
    /// The release that is Blue now.
    pub release: &'a str,
    /// The plan, whose limits say what counts as slow.
    pub plan: &'a Plan,
    /// After this time no further run is read.
    pub patience: Duration,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Earlier {
    /// What is known of the release, as the next run's journal will give it back.
    pub record: Record,
    /// Of how many runs.
    pub runs: u64,
    /// Runs that were passed over, and why, a sentence each.
    pub warnings: Vec<String>,
}

/// Looks through the runs under `root`.
pub fn earlier(root: &Path, wanted: &Wanted<'_>) -> Earlier {
    let began = Instant::now();
    let mut found = Earlier::default();
    let (lines, fault) = index::read(root);
    if let Some(fault) = fault {
        found.warnings.push(format!("the runs' index is believed only in part: {fault}"));
    }
    let mut seen: Vec<Vec<Sample>> = Vec::new();
    let mut stretches = 0;
    for line in newest_first(&lines, wanted) {
        if stretches >= HOUR || began.elapsed() >= wanted.patience {
            break;
        }
        match read(root, line) {
            Ok(Some(run)) => {
                let seconds = seconds(&run, wanted.release);
                stretches += length(&seconds);
                seen.push(seconds);
            }
            Ok(None) => {}
            Err(why) => found
                .warnings
                .push(format!("run {} says nothing of Blue's record: {why}", Clean::new(&line.id))),
        }
    }
    seen.retain(|seconds| !seconds.is_empty());
    found.runs = seen.len() as u64;
    // The oldest are forgotten first.
    seen.reverse();
    found.record = recorded(wanted.plan, seen);
    found
}

/// Runs that may know the release. One that ended twice is known by its last end.
fn newest_first<'l>(lines: &'l [IndexLine], wanted: &Wanted<'_>) -> Vec<&'l IndexLine> {
    let (service, router) = (Clean::new(&wanted.plan.service), Clean::new(wanted.router));
    let mut ids: Vec<&str> = Vec::new();
    lines
        .iter()
        .rev()
        .filter(|line| line.kind == wanted.kind && line.service == service && line.router == router)
        .filter(|line| is_id(&line.id))
        .filter(|line| {
            let first = !ids.contains(&line.id.as_str());
            ids.push(&line.id);
            first
        })
        .collect()
}

/// Reads a run and verifies it; nothing where somebody has cleared it away.
fn read(root: &Path, line: &IndexLine) -> Result<Option<Run>, String> {
    let directory = root.join(&line.id);
    if !directory.exists() {
        return Ok(None);
    }
    let bytes: u64 = [JOURNAL, SAMPLES]
        .iter()
        .filter_map(|name| directory.join(name).metadata().ok())
        .map(|file| file.len())
        .sum();
    if bytes > LARGEST {
        return Err(format!("it is larger than {} MiB", LARGEST / 1024 / 1024));
    }
    let run = journal::read(&directory).map_err(|fault| fault.to_string())?;
    if run.head != line.head {
        return Err("its journal does not end as the runs' index says".to_owned());
    }
    Ok(Some(run))
}

/// The seconds in which a run saw the release, as seconds of Blue.
fn seconds(run: &Run, release: &str) -> Vec<Sample> {
    let declared = &run.opened.plan.release;
    let named = |name: &Option<String>| name.as_deref().map(Clean::new);
    let mut runs: [Option<Clean>; 2] = [named(&declared.current), named(&declared.next)];
    let kept = run.closed.as_ref().is_some_and(|closed| closed.outcome == RunOutcome::Kept);
    let wanted = Clean::new(release);
    let (mut blue, mut moved, mut watched, mut back) = (None, false, false, false);
    let mut seconds = Vec::new();
    for turn in &run.turns {
        if let Event::Sample(sample) = &turn.event {
            let role = match sample.role {
                Whose::Blue => Role::Blue,
                Whose::Green => Role::Green,
                Whose::Both => continue,
            };
            if sample.release.is_some() {
                runs[role.index()].clone_from(&sample.release);
            }
            let counts = match role {
                Role::Blue => !moved,
                Role::Green => kept && watched && !back,
            };
            if counts && runs[role.index()].as_ref() == Some(&wanted) {
                let mut sample = (**sample).clone();
                sample.role = Whose::Blue;
                sample.at = sample.at.min(turn.at);
                seconds.push(sample);
            }
        }
        for written in &turn.effects {
            match &written.effect {
                Effect::Record(Line::Blue { slot, .. }) => blue = Some(*slot),
                Effect::Record(Line::Split { read: Some(green), .. }) => moved |= *green > 0,
                Effect::Record(Line::StepEntered { step: Step::Watch }) => watched = true,
                Effect::Record(Line::RollbackStarted { .. }) => back = true,
                Effect::Act { act: Act::SetRouter { split, .. }, .. } => {
                    let only: Option<Slot> = split.sole();
                    moved |= only.is_none() || only != blue;
                }
                _ => {}
            }
        }
    }
    seconds
}

/// How many half minutes these are of.
fn length(seconds: &[Sample]) -> usize {
    let mut stretches: Vec<u64> = seconds.iter().map(|s| s.at.0 / STRETCH.0).collect();
    stretches.sort_unstable();
    stretches.dedup();
    stretches.len()
}

/// What a judge would know, had it seen all of this before it judged.
fn recorded(plan: &Plan, runs: Vec<Vec<Sample>>) -> Record {
    let mut judge = Judge::of_green(plan, &Record::default());
    let mut began = Millis::ZERO;
    for seconds in runs {
        let mut end = began;
        for mut second in seconds {
            second.at += began;
            end = end.max(second.at);
            judge.add(&second);
        }
        // Each run begins a half minute of its own.
        began = Millis((end.0 / STRETCH.0).saturating_add(1).saturating_mul(STRETCH.0));
    }
    judge.record().of_earlier_runs()
}
