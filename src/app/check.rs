//! `switchback check`: reads the plan, reaches everything it names once, changes nothing.

use super::flight::{block_on, mask};
use super::traffic::{self, Traffic};
use super::{Failure, load, print};
use crate::adapter::router::Router;
use crate::adapter::source::http::Prober;
use crate::cli::Global;
use crate::engine::clock::unix_ms;
use crate::evidence::ready;
use crate::odds::outlook;
use crate::plan::{self, Faults, Overrides, PlanFault, Severity, Signal, SignalSource};
use crate::runbook::{Fault, Kind, NodeOutcome, Readback};
use crate::runs::{Earlier, PATIENCE, Wanted, earlier, last_rollback};
use crate::signal::Record;
use crate::signal::record::Past;
use crate::text;
use crate::units::{Millis, Slot, Split};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// Checks a plan, or prints what it means.
pub fn check(
    global: &Global,
    path: &Path,
    overrides: Overrides,
    effective: bool,
    runbook: bool,
) -> Result<u8, Failure> {
    let loaded = match load(path, overrides) {
        Ok(loaded) => loaded,
        Err(failure) if global.json => {
            // The same faults, a JSON line each.
            if let Err(faults) = plan::load(path) {
                json(faults.iter())?;
            }
            return Err(failure);
        }
        Err(failure) => return Err(failure),
    };
    if effective {
        return print(plan::effective(&loaded.plan).as_bytes());
    }
    if runbook {
        return print(plan::runbook_md(&loaded.plan).as_bytes());
    }
    let mut found = Found {
        faults: loaded.warnings.clone(),
        good: Vec::new(),
        notes: Vec::new(),
        record: None,
        hold: true,
    };
    found.faults.extend(plan::commands_on_path(&loaded.plan, &loaded.places));
    evidence(&loaded, path, &mut found);
    let users = traffic::of_runs(global, &loaded.plan);
    let mut record = Record::default();
    let secrets = mask(&loaded.plan).map(|secrets| secrets.by_name().clone());
    if let Ok(secrets) = &secrets {
        let (identity, release) = block_on(reach(&loaded, secrets, &mut found))?;
        let (identity, release) = (identity.as_deref(), release.as_deref());
        let earlier =
            note_record(global, &loaded.plan, identity, release, users.as_ref(), &mut found);
        record = earlier.map(|earlier| earlier.record).unwrap_or_default();
        found.notes.extend(way_back(global, identity));
    }
    found.faults.extend(known(&loaded, &record, users.as_ref()));
    found.notes.push(plan::false_alarms(&loaded.plan));
    found.print(global, path)
}

/// Tries the key, and the approval that lies beside the plan.
fn evidence(loaded: &plan::Loaded, path: &Path, found: &mut Found) {
    let (plan, places) = (&loaded.plan, &loaded.places);
    // A key that is not there is warned about already.
    let told = loaded
        .warnings
        .iter()
        .any(|fault| fault.cause.as_str().contains("would be sealed unsigned"));
    match ready::signing(plan) {
        Err(fault) if plan.evidence.require => {
            found.bad(places.error("evidence.require", fault.cause.as_str(), fault.hint.as_str()));
        }
        Err(fault) if !told => {
            let cause = format!("with nobody there the run is sealed unsigned: {}", fault.cause);
            found.bad(places.warning("evidence.key", &cause, fault.hint.as_str()));
        }
        Ok(true) => found.good.push("the evidence's key signs".into()),
        _ => {}
    }
    match ready::approval(path, plan, unix_ms()) {
        Ok(None) => {}
        Ok(Some(who)) => found.good.push(format!("approved by {who}")),
        Err(fault) => {
            let cause = format!("the approval beside the plan does not count: {}", fault.cause);
            found.bad(places.warning("evidence", &cause, fault.hint.as_str()));
        }
    }
}

/// What Blue was seen to do, and the traffic that the last runs saw, give reason to warn about.
fn known(loaded: &plan::Loaded, record: &Record, users: Option<&Traffic>) -> Vec<PlanFault> {
    let (plan, places) = (&loaded.plan, &loaded.places);
    let mut warned = plan::limits_against(plan, record, places);
    if let Some(users) = users {
        let p95 = users.p95_ms.and_then(|p95| plan::latency_against(plan, p95, places));
        warned.extend(p95);
        // Digits that nobody measured are not shown.
        let rps = (users.rps * 100.0).round() / 100.0;
        warned.extend(plan::traffic(plan, rps, record, places));
        warned.extend(found_late(loaded, users));
    }
    warned
}

/// A watch that is over before errors of some size are found.
fn found_late(loaded: &plan::Loaded, users: &Traffic) -> Vec<PlanFault> {
    let at = format!("at {:.2} requests a second ({})", users.rps, users.rps_from);
    let mut warned = Vec::new();
    let phases = outlook(&loaded.plan, users.rps);
    let late = phases.last().filter(|watch| !watch.is_too_short()).and_then(|watch| {
        let (share, found) = *watch.found.first()?;
        let found = found.filter(|found| *found > watch.length)?;
        Some((watch, share, found))
    });
    if let Some((watch, share, found)) = late {
        let cause = format!(
            "{at} errors of {share} % take about {found} to be told from luck, and the watch \
             lasts {}",
            watch.length
        );
        let hint = "make it longer, or see what it would find: switchback odds";
        warned.push(loaded.places.warning(watch.key, &cause, hint));
    }
    warned
}

#[derive(Debug)]
struct Found {
    faults: Vec<PlanFault>,
    good: Vec<String>,
    /// What is neither good nor bad.
    notes: Vec<String>,
    /// What is known of Blue, for programs.
    record: Option<serde_json::Value>,
    /// Whether the world is as the plan says.
    hold: bool,
}

impl Found {
    fn bad(&mut self, fault: PlanFault) {
        self.hold &= fault.severity != Severity::Error;
        self.faults.push(fault);
    }

    fn print(self, global: &Global, path: &Path) -> Result<u8, Failure> {
        let errors = self.faults.iter().filter(|fault| fault.severity == Severity::Error).count();
        let exit = match (errors, self.hold) {
            (0, _) => 0,
            (_, false) => 1,
            _ => 2,
        };
        if global.json {
            json(self.faults.iter())?;
            if let Some(record) = self.record {
                print(format!("{}\n", serde_json::json!({ "record": record })).as_bytes())?;
            }
            return Ok(exit);
        }
        let mut out = String::new();
        for line in &self.good {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "ok: {line}");
        }
        for note in &self.notes {
            let _ = writeln!(out, "note: {note}");
        }
        let warnings = self.faults.len() - errors;
        if !self.faults.is_empty() {
            let _ = writeln!(out, "{}", Faults::new(self.faults).to_string().trim_end());
        }
        let plural = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let verdict = if exit == 0 { "holds" } else { "does NOT hold" };
        let _ = writeln!(
            out,
            "{} {verdict}: {}, {}; nothing was changed",
            path.display(),
            plural(errors, "error"),
            plural(warnings, "warning"),
        );
        print(out.as_bytes())?;
        Ok(exit)
    }
}

fn json<'f>(faults: impl Iterator<Item = &'f PlanFault>) -> Result<(), Failure> {
    let mut out = String::new();
    for fault in faults {
        let line = serde_json::to_string(fault)
            .map_err(|e| Failure::world(e, "this is a bug: please report it"))?;
        let _ = writeln!(out, "{line}");
    }
    print(out.as_bytes()).map(|_| ())
}

/// How long the way back took on this router when it was last flown, and how long ago that is.
fn way_back(global: &Global, identity: Option<&str>) -> Option<String> {
    let home = super::flight::home(global).ok()?;
    Some(match last_rollback(&home.runs, identity?) {
        Some((us, when)) => {
            let ago = u64::try_from(unix_ms() - when).unwrap_or(0);
            format!("the way back last took {} ({})", text::micros(us), text::age(Millis(ago)))
        }
        None => "the way back was never timed on this router: switchback rehearse".to_owned(),
    })
}

/// Says what earlier runs know of Blue: without that, a bad release is found later.
fn note_record(
    global: &Global,
    plan: &plan::Plan,
    identity: Option<&str>,
    release: Option<&str>,
    users: Option<&Traffic>,
    found: &mut Found,
) -> Option<Earlier> {
    let earlier = match (super::flight::home(global), identity, release) {
        (Ok(home), Some(router), Some(release)) => {
            let patience = PATIENCE;
            let wanted = Wanted { kind: Kind::Deploy, router, release, plan, patience };
            Some(earlier(&home.runs, &wanted))
        }
        _ => None,
    };
    for warning in earlier.iter().flat_map(|earlier| &earlier.warnings) {
        found.notes.push(warning.clone());
    }
    let says = super::record::says(plan, release, earlier.as_ref());
    let past = earlier.as_ref().and_then(|earlier| {
        let of = |past: &BTreeMap<_, Past>| past.get(&Signal::ErrorRate).cloned();
        let asked = |past: &Past| past.sum().of > 0;
        let users = of(&earlier.record.users).filter(asked).map(|past| ("users", past));
        let probes = of(&earlier.record.probes).filter(asked).map(|past| ("probes", past));
        users.or(probes)
    });
    let hint = match (&past, release) {
        (Some(_), _) => None,
        (None, Some(_)) => Some("fly one more deploy of this version"),
        (None, None) => Some("declare [release] current, or let [identity] say how it is read"),
    };
    let rate = users.map(|users| {
        format!("users make about {:.2} requests a second ({})", users.rps, users.rps_from)
    });
    found.record = Some(serde_json::json!({
        "says": says,
        "release": release,
        "of": past.as_ref().map(|(of, _)| of),
        "seconds": past.as_ref().map(|(_, past)| past.length().as_secs()),
        "bad": past.as_ref().map(|(_, past)| past.sum().bad),
        "requests": past.as_ref().map(|(_, past)| past.sum().of),
        "users_rps": users.map(|users| users.rps),
        "hint": hint,
    }));
    found.notes.push(hint.map_or_else(|| says.clone(), |hint| format!("{says}; {hint}")));
    found.notes.extend(rate);
    earlier
}

/// Reaches the router, both slots and the front door, once. Gives what the router is known by, and
/// the release that is Blue.
async fn reach(
    loaded: &plan::Loaded,
    secrets: &BTreeMap<String, String>,
    found: &mut Found,
) -> (Option<String>, Option<String>) {
    let plan = &loaded.plan;
    let (mut identity, mut release) = (None, plan.release.current.clone());
    let error = |path: &str, cause: &str, hint: &str| loaded.places.error(path, cause, hint);
    let mut blue = None;
    let mut router = Router::of_plan(plan);
    match &mut router {
        Err(fault) => found.bad(error("router", fault.cause.as_str(), fault.hint.as_str())),
        Ok(router) => {
            let readback = router.read().await;
            if let Some((node, fault)) = readback.first_fault() {
                let cause = format!("{node}: {}", fault.cause);
                found.bad(error("router", &cause, fault.hint.as_str()));
            } else {
                blue = readback.split().and_then(Split::sole);
                say_split(loaded, &readback, blue, found);
                identity = router.identity().await.ok();
            }
            for note in router.notes() {
                found.bad(loaded.places.warning(
                    "router",
                    note.as_str(),
                    "see the router's manual",
                ));
            }
        }
    }
    for slot in Slot::BOTH {
        let named = reach_slot(loaded, secrets, slot, blue, found).await;
        if blue == Some(slot) {
            release = release.or(named);
        }
    }
    reach_front(loaded, secrets, &mut router, found).await;
    (identity, release)
}

async fn reach_front(
    loaded: &plan::Loaded,
    secrets: &BTreeMap<String, String>,
    router: &mut Result<Router, Fault>,
    found: &mut Found,
) {
    let plan = &loaded.plan;
    let error = |path: &str, cause: &str, hint: &str| loaded.places.error(path, cause, hint);
    let Some(front) = &plan.router.front else { return };
    match Prober::new(plan, front, secrets) {
        Err(fault) => {
            found.bad(error("router.front", fault.cause.as_str(), fault.hint.as_str()));
        }
        Ok(prober) => {
            let answer = prober.probe(prober.knock()).await;
            let named = answer.slot.as_ref().map_or_else(String::new, |s| format!(", by {s}"));
            let slot = match (&answer.slot, router) {
                (Some(name), Ok(router)) => router.slot_named(plan, name.as_str()).await,
                _ => None,
            };
            match (answer.status, &plan.identity.slot_header) {
                (None, _) => {
                    let why = answer.why.map_or_else(String::new, |why| format!(": {why}"));
                    let cause = format!("the front door at {front} does not answer{why}");
                    found.bad(error(
                        "router.front",
                        &cause,
                        "see whether the router listens there",
                    ));
                }
                (Some(_), Some(header)) if answer.slot.is_none() => {
                    let cause = format!("answers of the front door have no header {header}");
                    let hint = "let the router add it, or leave [identity] slot out";
                    found.bad(loaded.places.warning("identity.slot", &cause, hint));
                }
                (Some(_), Some(header)) if slot.is_none() => {
                    let cause = format!("header {header} of the front door names no slot{named}");
                    let hint = "let it say the slot's name, or the name of its server";
                    found.bad(loaded.places.warning("identity.slot", &cause, hint));
                }
                (Some(status), _) => {
                    found.good.push(format!("front door {front} answers {status}{named}"));
                }
            }
            let questions = plan.probes.iter().zip(prober.questions()).enumerate();
            for (n, (probe, question)) in questions.filter(|_| answer.status.is_some()) {
                match prober.probe(question).await.why {
                    None => found.good.push(format!(
                        "probe {} of the front door answers as expected",
                        probe.path
                    )),
                    Some(why) => found.bad(error(
                        &format!("probe[{n}]"),
                        &format!("probe {} of the front door: {why}", probe.path),
                        "see what the router answers there, or change the probe",
                    )),
                }
            }
        }
    }
}

fn say_split(loaded: &plan::Loaded, readback: &Readback, blue: Option<Slot>, found: &mut Found) {
    let plan = &loaded.plan;
    let [one, two] = Slot::BOTH.map(|slot| plan.slot_name(slot));
    let states: Vec<String> = readback
        .nodes
        .iter()
        .filter_map(|node| match &node.outcome {
            NodeOutcome::State(state) => {
                let [a, b] = state.weights;
                Some(format!("{} reports weights {one} {a}, {two} {b}", node.node))
            }
            NodeOutcome::Fault(_) => None,
        })
        .collect();
    let states = states.join("; ");
    match blue {
        Some(slot) => {
            found.good.push(format!("{states}: {} is Blue now", plan.slot_name(slot)));
        }
        None => found.bad(loaded.places.warning(
            "router",
            &format!("{states}: nobody is Blue, step 1 would not begin"),
            &format!("settle it: switchback rollback --to {one} (or --to {two})"),
        )),
    }
}

async fn reach_slot(
    loaded: &plan::Loaded,
    secrets: &BTreeMap<String, String>,
    slot: Slot,
    blue: Option<Slot>,
    found: &mut Found,
) -> Option<String> {
    let plan = &loaded.plan;
    let name = plan.slot_name(slot);
    let path = format!("slots.{name}");
    let prober = match Prober::new(plan, &plan.slots[slot.index()].url, secrets) {
        Ok(prober) => prober,
        Err(fault) => {
            found.bad(loaded.places.error(&path, fault.cause.as_str(), fault.hint.as_str()));
            return None;
        }
    };
    let check = prober.check().await;
    let names = check.release.as_ref().map(|release| release.as_str().to_owned());
    // What is wrong with Blue stands in the way; a slot that waits to be deployed to may lack it.
    let lacks = |path: &str, cause: &str, hint: &str| {
        if blue == Some(slot) {
            loaded.places.error(path, cause, hint)
        } else {
            loaded.places.warning(path, cause, hint)
        }
    };
    if check.status.is_some() {
        for (n, (probe, question)) in plan.probes.iter().zip(prober.questions()).enumerate() {
            let answer = prober.probe(question).await;
            let what = format!("probe {} of slot {name}", probe.path);
            match answer.why {
                None => found.good.push(format!("{what} answers as expected")),
                Some(why) => found.bad(lacks(
                    &format!("probe[{n}]"),
                    &format!("{what}: {why}"),
                    "see what the service answers there, or change the probe",
                )),
            }
        }
        for (signal, counted) in
            [(Signal::DbErrors, check.db_errors), (Signal::QueueDepth, check.queue_depth)]
        {
            if let (Some(SignalSource::Readiness(pointer)), None) =
                (plan.signals.get(&signal), counted)
            {
                let key = signal.key();
                found.bad(lacks(
                    &format!("signals.{key}"),
                    &format!("the readiness body of slot {name} has no count at {pointer}"),
                    &format!("point {key} at a whole number there, or declare it \"none\""),
                ));
            }
        }
    }
    let release = check.release.as_ref().map_or_else(String::new, |r| format!(", release {r}"));
    if check.ready {
        found.good.push(format!("slot {name} is ready{release}"));
        return names;
    }
    let why = check.why.map_or_else(|| "no answer".to_owned(), |why| why.to_string());
    let cause = format!("slot {name} is not ready: {why}");
    if blue == Some(slot) {
        let hint = "Blue must be ready before a deploy begins: see its logs";
        found.bad(loaded.places.error(&path, &cause, hint));
    } else {
        let hint = "that is in order for a slot that waits to be deployed to";
        found.bad(loaded.places.warning(&path, &cause, hint));
    }
    names
}
