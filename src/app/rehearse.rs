//! `switchback rehearse`: a no-change rollback on the operator's own router.
//!
//! Everything that could make it more than a rehearsal is refused before it begins: another release
//! in Green, a slot that is not ready, a router that cannot be read, a run that is still open. What
//! is flown is a plan whose ramp turns back at a small share; from there on nothing knows that it is
//! one, but for the word in each frame.

use super::flight::{begin, block_on, find, home, lock, mask};
use super::{Failure, leftover, load, watcher};
use crate::adapter::router::Router;
use crate::adapter::source::http::{HealthCheck, Prober};
use crate::clean::Clean;
use crate::cli::{Global, RehearseArgs};
use crate::plan::{self, Faults, Overrides, Plan, Rehearsal};
use crate::runbook::Kind;
use crate::units::{Millis, Percent, Slot, Split};
use std::collections::BTreeMap;

/// How long Green has its share where somebody is there to go back.
const HOLD: Millis = Millis::secs(60);
/// The same where nobody is.
const HOLD_ALONE: Millis = Millis::secs(10);

/// Flies a rehearsal.
pub fn rehearse(global: &Global, args: &RehearseArgs) -> Result<u8, Failure> {
    let path = &args.plan.path;
    let loaded = load(path, Overrides::default())?;
    let watcher = watcher(global)?;
    if global.yes && loaded.plan.identity.release.is_none() {
        return Err(Failure::usage(
            "with --yes nobody is there to say that both slots run the same release",
            "add [identity] release, so that they say it themselves, or leave --yes out",
        ));
    }
    let secrets = mask(&loaded.plan)?;
    for warning in plan::surroundings(&loaded.plan, &loaded.places) {
        crate::plain::complain(format_args!("{}", Faults::from(warning).to_string().trim_end()));
    }
    let (mut router, identity) = find(&loaded.plan)?;
    {
        // Whoever has the router, or has left a run open on it, is told of before all else.
        let home = home(global)?;
        let _ours = lock(&home, &identity, "rehearse")?;
        leftover::settle(&home, &identity, Kind::Rehearsal)?;
    }
    let release = block_on(look(&loaded.plan, &mut router, secrets.by_name()))??;
    let percent = args.percent.and_then(Percent::new);
    let percent = percent.unwrap_or_else(|| loaded.plan.small_split());
    let hold = args.hold.unwrap_or(if global.yes { HOLD_ALONE } else { HOLD });
    // What a slot says that it runs is held to what a plan may say: it is handed to commands.
    let overrides = Overrides { current: release, ..Overrides::default() };
    let mut sealed = overrides.sealed();
    for (name, value) in [("rehearsal", format!("{percent} %")), ("hold", hold.to_string())] {
        sealed.insert(name.to_owned(), Clean::new(&value));
    }
    let text = loaded.text;
    let flown = loaded.plan.with(overrides)?.rehearsing(Rehearsal { percent, hold });
    begin(global, watcher, Kind::Rehearsal, &flown, text.as_bytes(), Some(path), sealed)
}

/// Looks at the router and both slots, once; gives the release that both name, where the plan says
/// how they name it.
async fn look(
    plan: &Plan,
    router: &mut Router,
    secrets: &BTreeMap<String, String>,
) -> Result<Option<String>, Failure> {
    let readback = router.read().await;
    if let Some((node, fault)) = readback.first_fault() {
        let cause = format!("{node}: {}: what is not read back is not rehearsed", fault.cause);
        return Err(Failure::world(cause, &fault.hint));
    }
    let Some(blue) = readback.split().and_then(Split::sole) else {
        return Err(Failure::world(
            "no slot serves all users, so that none is Blue",
            "settle it: switchback check shows the split, switchback rollback --to a slot sets it",
        ));
    };
    let ours = ready(plan, blue, "Blue", secrets).await?;
    let theirs = ready(plan, blue.other(), "Green", secrets).await?;
    if plan.identity.release.is_none() {
        return Ok(None);
    }
    let (left, right) = (plan.slot_name(blue), plan.slot_name(blue.other()));
    let hint = format!("deploy what {left} runs to {right}, too: a rehearsal changes no release");
    let (Some(ours_is), Some(theirs_is)) = (&ours.release, &theirs.release) else {
        let silent = if ours.release.is_none() { left } else { right };
        let cause = format!("slot {silent} names no release where [identity] looks for it");
        return Err(Failure::world(cause, "see what it answers: switchback check"));
    };
    if ours_is != theirs_is {
        let cause = format!("{left} (Blue) runs {ours_is}, and {right} runs {theirs_is}");
        return Err(Failure::world(cause, hint));
    }
    if let (Some(one), Some(other)) = (&ours.artefact, &theirs.artefact)
        && one != other
    {
        let cause = format!("both slots name {ours_is}, but {left} runs {one}, {right} {other}");
        return Err(Failure::world(cause, hint));
    }
    Ok(Some(ours_is.as_str().to_owned()))
}

/// A slot's answer, if it is ready.
async fn ready(
    plan: &Plan,
    slot: Slot,
    role: &str,
    secrets: &BTreeMap<String, String>,
) -> Result<HealthCheck, Failure> {
    let slot = &plan.slots[slot.index()];
    let check = Prober::new(plan, &slot.url, secrets)?.check().await;
    if check.ready {
        return Ok(check);
    }
    let why = check.why.map_or_else(|| "no answer".to_owned(), |why| why.to_string());
    let cause = format!("slot {} ({role}) is not ready: {why}", slot.name);
    Err(Failure::world(cause, "users would be sent there: bring it up, then rehearse"))
}
