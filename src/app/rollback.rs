//! `switchback rollback`: no screen; all traffic to Blue, verified, and out.
//!
//! Where a cockpit runs, its engine does it: it knows what is in flight. Where a run was cut off,
//! it is picked up to go back, so that its journal has it. Where no run is open nobody knows who
//! Blue is, and the operator says which slot.

use super::flight::{self, block_on};
use super::resume::pick_up;
use super::{Failure, Watcher, print};
use crate::adapter::router::Router;
use crate::cli::Global;
use crate::plan::{Loaded, Plan};
use crate::runbook::line::micros;
use crate::runbook::{Command, Readback};
use crate::runs::control::{Request, ask};
use crate::runs::{self, Lock};
use crate::units::{Slot, Split};
use std::time::{Duration, Instant};

/// The way back is tried for this long.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest pause between two attempts.
const PAUSE: Duration = Duration::from_millis(500);

/// Goes back without a screen.
pub fn rollback(global: &Global, loaded: Loaded, to: Option<&str>) -> Result<u8, Failure> {
    let plan = loaded.plan;
    let slot = match to {
        None => None,
        Some(name) => Some(plan.slot_named(name).ok_or_else(|| unknown_slot(&plan, name))?),
    };
    flight::mask(&plan)?;
    let home = flight::home(global)?;
    let (router, identity) = find_within(&plan)?;
    if let Some(holder) = Lock::holder(&home.locks, &identity) {
        let socket = Lock::socket_of(&home.locks, &identity);
        if let Some(slot) = slot {
            // While the split is nobody's, a cockpit only reads: it waits for this to be settled.
            let status = ask(&socket, Request::Status, PAUSE).ok().and_then(|reply| reply.snapshot);
            if status.is_some_and(|snapshot| snapshot.blue.is_none()) {
                return block_on(back(&plan, router, slot))?;
            }
            return Err(Failure::usage(
                format!(
                    "run {} is open in process {}: it knows who Blue is",
                    holder.run, holder.pid
                ),
                "leave --to out, and its engine goes back",
            ));
        }
        let reply = ask(&socket, Request::Rollback, PATIENCE)?;
        print(format!("{}\n", reply.says).as_bytes())?;
        return Ok(if reply.good { 0 } else { 4 });
    }
    let open = runs::list(&home.runs)
        .unwrap_or_default()
        .into_iter()
        .rev()
        .find(|run| run.open && run.router.as_ref().is_some_and(|r| r.as_str() == identity));
    match (open, slot) {
        (Some(run), None) => {
            let watcher = Watcher::Plain { attended: false };
            // Leaving after the rollback means: as soon as it is verified and read once more.
            let first = [Command::Rollback, Command::Leave];
            let exit = pick_up(global, watcher, &run, &first)?;
            Ok(if matches!(exit, 3 | 5) { 0 } else { 4 })
        }
        (_, Some(slot)) => {
            let _lock = flight::lock(&home, &identity, "rollback")?;
            block_on(back(&plan, router, slot))?
        }
        (None, None) => {
            let [one, two] = Slot::BOTH.map(|slot| plan.slot_name(slot));
            Err(Failure::usage(
                "no run is open on this router, so nobody knows which slot is Blue",
                format!("say which one: switchback rollback --to {one} (or --to {two})"),
            ))
        }
    }
}

fn unknown_slot(plan: &Plan, name: &str) -> Failure {
    let [one, two] = Slot::BOTH.map(|slot| plan.slot_name(slot));
    Failure::usage(
        format!("the plan has no slot `{name}`"),
        format!("its slots are {one} and {two}"),
    )
}

/// A router that cannot be reached at first is asked again: this is the command for bad days.
fn find_within(plan: &Plan) -> Result<(Router, String), Failure> {
    let until = Instant::now() + PATIENCE;
    loop {
        match flight::find(plan) {
            Ok(found) => return Ok(found),
            Err(failure) if failure.exit != 1 => return Err(failure),
            Err(failure) if Instant::now() + PAUSE >= until => {
                return Err(Failure { exit: 4, says: failure.says });
            }
            Err(failure) => {
                crate::plain::complain(format_args!("{}\nstill trying", failure.says));
                std::thread::sleep(PAUSE);
            }
        }
    }
}

/// Writes and reads back until the router reports everything at `slot`, then reads once more.
async fn back(plan: &Plan, mut router: Router, slot: Slot) -> Result<u8, Failure> {
    let name = plan.slot_name(slot);
    let split = Split::all_to(slot);
    let began = Instant::now();
    let mut said = String::new();
    while began.elapsed() < PATIENCE {
        let readback = router.set(split).await;
        if readback.split() == Some(split) {
            let time = micros(began.elapsed().as_micros() as u64);
            print(format!("router at {name} after {time}\n").as_bytes())?;
            // A write that was on its way when we came has run out of time by then.
            tokio::time::sleep(plan.router.timeout.into()).await;
            if router.read().await.split() == Some(split) {
                print(b"read once more: it stands\n")?;
                match router.persist().await {
                    Ok(kept) => print(format!("{kept}\n").as_bytes())?,
                    Err(fault) => print(format!("not kept for a restart: {fault}\n").as_bytes())?,
                };
                return Ok(0);
            }
            crate::plain::complain(format_args!("the split has moved again: writing once more"));
            continue;
        }
        let trouble = trouble(&readback);
        if trouble != said {
            crate::plain::complain(format_args!("{trouble}"));
            said = trouble;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Failure {
        exit: 4,
        says: format!(
            "error: the router could not be brought to {name} within {} s\nhint: {said}",
            PATIENCE.as_secs()
        ),
    })
}

fn trouble(readback: &Readback) -> String {
    readback.first_fault().map_or_else(
        || "the router accepted the split and reports another one".to_owned(),
        |(node, fault)| format!("{node}: {}\nhint: {}", fault.cause, fault.hint),
    )
}
