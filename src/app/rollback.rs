//! `switchback rollback`: no screen; all traffic to Blue, verified, and out.
//!
//! Where a cockpit runs, its engine does it: it knows what is in flight. Where a run was cut off,
//! it is picked up to go back, so that its journal has it. Where neither can be (the cockpit is
//! stopped or hangs, the journal cannot be written) Blue is read from the journal, and the router
//! is told [`straight_back`](super::straight_back). Where no run is open nobody knows who Blue is,
//! and the operator says which slot. However it is done, the four stamps and Blue's health are
//! said.

use super::flight;
use super::resume::{NotPickedUp, pick_up};
use super::straight_back::{Straight, straight_back};
use super::{Failure, Watcher, print};
use crate::adapter::router::Router;
use crate::cli::Global;
use crate::journal::{self, ResumeFault};
use crate::plain::complain;
use crate::plan::{Faults, Loaded, Plan};
use crate::runbook::line::micros;
use crate::runbook::snapshot::{Stamp, StampState};
use crate::runbook::{Command, Effect, Fault, Record, Snapshot};
use crate::runs::control::{Reply, Request, ask};
use crate::runs::{self, Holder, Home, Lock, LockFault, RunSummary};
use crate::units::Slot;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The way back is tried for this long, in whatever ways.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest pause between two attempts.
pub const PAUSE: Duration = Duration::from_millis(500);
/// A cockpit that lives says so within this time; and the last way that is tried has so long.
const ALIVE: Duration = Duration::from_secs(3);
/// The stamps that follow the first are waited for this long.
const STAMPS: Duration = Duration::from_secs(3);

/// Goes back without a screen.
pub fn rollback(global: &Global, loaded: Loaded, to: Option<&str>) -> Result<u8, Failure> {
    let plan = loaded.plan;
    let slot = match to {
        None => None,
        Some(name) => Some(plan.slot_named(name).ok_or_else(|| unknown_slot(&plan, name))?),
    };
    // Secrets are for probes: without them it is less sure how Blue is, and traffic goes back.
    let (_, missing) = flight::mask_what_there_is(&plan);
    if !missing.is_empty() {
        let missing = Faults::new(missing).to_string().replace("error: ", "warning: ");
        complain(format_args!("{}", missing.trim_end()));
    }
    let home = flight::home(global)?;
    let until = Instant::now() + PATIENCE;
    let (router, identity) = find_within(&plan, until)?;
    let known = (home.runs.clone(), identity.clone());
    match whose(&home, &identity, slot, until)? {
        Whose::Done(exit) => Ok(exit),
        Whose::Hung(holder) => {
            // At least one try of our own, also where the cockpit has used up the time.
            let until = until.max(Instant::now() + ALIVE);
            if let Some(slot) = slot {
                return straight_back(Straight { plan, router, slot, blue: false, until, known });
            }
            let run = open_run(&home, &identity, holder.as_deref()).ok_or_else(nobody_knows)?;
            past_the_journal(&run, until, known)
        }
        Whose::Ours(lock) => match (open_run(&home, &identity, None), slot) {
            (_, Some(slot)) => {
                straight_back(Straight { plan, router, slot, blue: false, until, known })
            }
            (Some(run), None) => cut_off(global, &home, &run, lock, until, known),
            (None, None) => {
                let [one, two] = Slot::BOTH.map(|slot| plan.slot_name(slot));
                Err(Failure::usage(
                    "no run is open on this router, so nobody knows which slot is Blue",
                    format!("say which one: switchback rollback --to {one} (or --to {two})"),
                ))
            }
        },
    }
}

fn unknown_slot(plan: &Plan, name: &str) -> Failure {
    let [one, two] = Slot::BOTH.map(|slot| plan.slot_name(slot));
    Failure::usage(
        format!("the plan has no slot `{name}`"),
        format!("its slots are {one} and {two}"),
    )
}

fn nobody_knows() -> Failure {
    let failure = Failure::world(
        "no journal of an open run says which slot is Blue",
        "say which one: switchback rollback --to SLOT",
    );
    Failure { exit: 4, ..failure }
}

/// A router that cannot be reached at first is asked again: this is the command for bad days.
fn find_within(plan: &Plan, until: Instant) -> Result<(Router, String), Failure> {
    loop {
        match flight::find(plan) {
            Ok(found) => return Ok(found),
            Err(failure) if failure.exit != 1 => return Err(failure),
            Err(failure) if Instant::now() + PAUSE >= until => {
                return Err(Failure { exit: 4, says: failure.says });
            }
            Err(failure) => {
                complain(format_args!("{}\nstill trying", failure.says));
                std::thread::sleep(PAUSE);
            }
        }
    }
}

/// The newest run that is open on this router; the holder's, where it says which that is.
fn open_run(home: &Home, identity: &str, holder: Option<&Holder>) -> Option<RunSummary> {
    let mut open = runs::list(&home.runs).unwrap_or_default();
    open.retain(|run| run.open && run.router.as_ref().is_some_and(|r| r.as_str() == identity));
    let held = holder.and_then(|holder| open.iter().position(|run| run.id == holder.run.as_str()));
    match held {
        Some(held) => Some(open.swap_remove(held)),
        None => open.pop(),
    }
}

/// Who has the router.
enum Whose {
    /// We have; without the lock's file where even that cannot be had.
    Ours(Option<Lock>),
    /// A cockpit that does not answer.
    Hung(Option<Box<Holder>>),
    /// A cockpit that has done what was asked.
    Done(u8),
}

/// Takes the router, or asks whoever has it to go back. One that is about to end, or has just
/// begun, is asked again.
fn whose(
    home: &Home,
    identity: &str,
    slot: Option<Slot>,
    until: Instant,
) -> Result<Whose, Failure> {
    let alive = Instant::now() + ALIVE;
    loop {
        let (holder, socket) = match Lock::take(&home.locks, identity, "rollback") {
            Ok(lock) => return Ok(Whose::Ours(Some(lock))),
            Err(LockFault::Held { holder, socket }) => (holder, socket),
            Err(fault @ LockFault::Unusable { .. }) => {
                complain(format_args!("warning: {fault}\ngoing back without it"));
                return Ok(Whose::Ours(None));
            }
        };
        let left = alive.saturating_duration_since(Instant::now()).max(PAUSE);
        match through_its_engine(&socket, slot, holder.as_deref(), left, until) {
            Ok(Asked::Done(exit)) => return Ok(Whose::Done(exit)),
            Ok(Asked::OnlyReads) => return Ok(Whose::Hung(holder)),
            Ok(Asked::Refused(failure)) => return Err(failure),
            Err(fault) if Instant::now() >= alive => {
                let who = holder.as_ref().map_or_else(
                    || "the cockpit that has this router".to_owned(),
                    |by| format!("run {} in process {} on {}", by.run, by.pid, by.host),
                );
                complain(format_args!(
                    "warning: {who} does not answer: {}\ngoing back without it; end it before it \
                     wakes up",
                    fault.cause
                ));
                return Ok(Whose::Hung(holder));
            }
            Err(_) => std::thread::sleep(PAUSE / 5),
        }
    }
}

/// What a cockpit that has the router said.
enum Asked {
    /// It went back, or said why not.
    Done(u8),
    /// While the split is nobody's it only reads: it waits for this to be settled.
    OnlyReads,
    /// It knows better than the operator's `--to`.
    Refused(Failure),
}

fn through_its_engine(
    socket: &Path,
    slot: Option<Slot>,
    holder: Option<&Holder>,
    alive: Duration,
    until: Instant,
) -> Result<Asked, Fault> {
    let status = ask(socket, Request::Status, alive)?;
    if slot.is_some() {
        if status.snapshot.is_some_and(|snapshot| snapshot.blue.is_none()) {
            return Ok(Asked::OnlyReads);
        }
        let who = holder.map_or_else(
            || "a run is open on this router".to_owned(),
            |by| format!("run {} is open in process {}", by.run, by.pid),
        );
        return Ok(Asked::Refused(Failure::usage(
            format!("{who}: it knows who Blue is"),
            "leave --to out, and its engine goes back",
        )));
    }
    let patience = until.saturating_duration_since(Instant::now()).saturating_sub(ALIVE);
    let reply = ask(socket, Request::Rollback, patience.max(ALIVE))?;
    let mut out = format!("{}\n", reply.says);
    if reply.good
        && let Some(snapshot) = stamps_of(socket, reply.clone())
    {
        out.push_str(&told(&snapshot));
    }
    // Whoever reads this has gone; what was asked for is done all the same.
    let _ = print(out.as_bytes());
    Ok(Asked::Done(if reply.good { 0 } else { 4 }))
}

/// How things stand once the stamps that come soon have come; at the latest after a while.
fn stamps_of(socket: &Path, reply: Reply) -> Option<Box<Snapshot>> {
    let until = Instant::now() + STAMPS;
    let mut last = reply.snapshot;
    loop {
        let soon = |snapshot: &Snapshot| {
            let back = snapshot.rollback.as_ref();
            back.is_some_and(|back| back.stamps[..3].contains(&StampState::Waiting))
        };
        if Instant::now() >= until || !last.as_deref().is_some_and(soon) {
            return last;
        }
        std::thread::sleep(PAUSE / 5);
        match ask(socket, Request::Status, PAUSE) {
            Ok(reply) if reply.snapshot.is_some() => last = reply.snapshot,
            _ => return last,
        }
    }
}

/// The four stamps and Blue's health, a line each.
fn told(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    if let Some(back) = &snapshot.rollback {
        for (stamp, state) in Stamp::ALL.iter().zip(&back.stamps) {
            let words = stamp.words();
            // Writing to a string cannot fail.
            let _ = match state {
                StampState::After(us) => writeln!(out, "{words} after {}", micros(*us)),
                StampState::Waiting => writeln!(out, "{words}: not seen yet"),
                StampState::Not(why) => writeln!(out, "{words}: cannot be had: {why}"),
            };
        }
    }
    let [blue, _] = &snapshot.health;
    let name = snapshot.blue.map_or("", |slot| snapshot.slots[slot.index()].as_str());
    let why = blue.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
    let _ = match blue.ready {
        Some(true) => writeln!(out, "Blue {name} is ready"),
        Some(false) => writeln!(out, "Blue {name} is NOT READY{why}"),
        None => writeln!(out, "Blue {name}: nobody knows whether it is ready{why}"),
    };
    out
}

/// A run that was cut off is picked up to go back, and where that cannot be, gone past.
fn cut_off(
    global: &Global,
    home: &Home,
    run: &RunSummary,
    lock: Option<Lock>,
    until: Instant,
    known: (PathBuf, String),
) -> Result<u8, Failure> {
    let watcher = Watcher::Plain { attended: false };
    // Leaving after the rollback means: as soon as it is verified and read once more.
    let first = [Command::Rollback, Command::Leave];
    match pick_up(global, watcher, run, lock, &first) {
        Ok(flown) => {
            // Whoever waits for the way back does not wait for a signature.
            if let Some(last) = &flown.last {
                let _ = print(told(last).as_bytes());
            }
            let exit = flown.seal(home);
            Ok(if matches!(exit, 3 | 5) { 0 } else { 4 })
        }
        Err(NotPickedUp::Journal(
            fault @ (ResumeFault::Unwritable(_) | ResumeFault::Journal(_)),
        )) => {
            complain(format_args!("warning: {fault}\ngoing back without writing it down"));
            past_the_journal(run, until, known)
        }
        Err(other) => Err(other.into()),
    }
}

/// Goes to the Blue of a run whose journal can be read, and not be written by us.
fn past_the_journal(
    run: &RunSummary,
    until: Instant,
    known: (PathBuf, String),
) -> Result<u8, Failure> {
    let read = journal::read(&run.path).map_err(|fault| {
        let failure = nobody_knows();
        Failure { says: format!("error: {fault}\n{}", failure.says), ..failure }
    })?;
    let blue = read.effects().rev().find_map(|(_, effect)| match effect {
        Effect::Record(Record::Blue { slot, .. }) => Some(*slot),
        _ => None,
    });
    let slot = blue.ok_or_else(nobody_knows)?;
    let plan = read.opened.plan;
    let router = Router::of_plan(&plan)?;
    straight_back(Straight { plan, router, slot, blue: true, until, known })
}
