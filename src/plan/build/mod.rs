//! From keys to the plan: defaults filled in, and everything that must fit between keys.
//!
//! Each rule is one small function that adds its faults; none stops at the first. A plan is built
//! even where there are faults, with stand-ins that nobody sees: the caller drops it then.

mod limits;
mod router;
mod secrets;
mod slots;

use super::placeholder::placeholders;
use super::types::*;
use super::value::Value;
use super::walk::Doc;
use super::words::nearest;
use crate::units::{Millis, Percent};
use limits::limits;
use router::router;
use secrets::{header_secrets, headers, secrets};
use slots::{addresses, slots};
use std::collections::BTreeMap;

/// Names that a slot cannot have, because commands use them in braces.
const TAKEN: [&str; 3] = ["slot", "release", "current"];

/// Builds the plan; what is wrong is added to the document's faults.
pub(super) fn build(doc: &mut Doc<'_>, digest: String) -> Plan {
    let slots = slots(doc);
    let router = router(doc, &slots);
    let health = health(doc);
    addresses(doc, &slots, router.front.as_deref());
    let plan = Plan {
        service: text(doc, "service").unwrap_or_default(),
        slots,
        release: release(doc),
        identity: identity(doc),
        router,
        health,
        probe_every: span(doc, "probes.every"),
        probes: probes(doc),
        ramp: ramp(doc),
        ramp_hold: span(doc, "traffic.hold"),
        soak: span(doc, "soak.for"),
        watch: span(doc, "watch.for"),
        unproven: match text(doc, "watch.unproven").as_deref() {
            Some("extend") => Unproven::Extend,
            Some("rollback") => Unproven::Rollback,
            _ => Unproven::Ask,
        },
        warm: span(doc, "warm.for"),
        drain: span(doc, "warm.drain"),
        limits: limits(doc),
        on_trip: OnTrip {
            ask: text(doc, "on_trip.do").as_deref() == Some("ask"),
            countdown: span(doc, "on_trip.countdown"),
            shared_hold: span(doc, "on_trip.shared_hold"),
        },
        signals: signals(doc),
        commands: commands(doc),
        checks: checks(doc),
        evidence: EvidencePlan {
            key: text(doc, "evidence.key"),
            identity: text(doc, "evidence.identity"),
            marking: text(doc, "evidence.marking"),
            tsa: text(doc, "evidence.tsa"),
            require: doc.get("evidence.require") == Some(Value::Flag(true)),
        },
        secrets: secrets(doc),
        digest,
    };
    header_secrets(doc, &plan);
    plan
}

fn text(doc: &Doc<'_>, path: &str) -> Option<String> {
    match doc.get(path)? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn span(doc: &Doc<'_>, path: &str) -> Millis {
    match doc.get(path) {
        Some(Value::Span(ms)) => ms,
        _ => Millis::ZERO,
    }
}

fn count(doc: &Doc<'_>, path: &str) -> u32 {
    match doc.get(path) {
        Some(Value::Number(n)) => n,
        _ => 0,
    }
}

fn list(doc: &Doc<'_>, path: &str) -> Option<Vec<String>> {
    match doc.get(path)? {
        Value::List(list) => Some(list),
        _ => None,
    }
}

fn release(doc: &Doc<'_>) -> ReleasePlan {
    let said = |name: &&str| doc.says(&format!("release.change.{name}"));
    let change = ["reason", "reference", "impact", "commit", "artefact"]
        .into_iter()
        .filter(|name| said(name))
        .filter_map(|name| Some((name.to_owned(), text(doc, &format!("release.change.{name}"))?)))
        .collect();
    ReleasePlan {
        current: text(doc, "release.current"),
        next: text(doc, "release.next"),
        migration: text(doc, "release.migration")
            .and_then(|word| Migration::from_key(&word))
            .unwrap_or_default(),
        change,
    }
}

fn identity(doc: &mut Doc<'_>) -> IdentityPlan {
    let release = source(doc, "identity.release", "{ header = \"X-Version\" }", "/version");
    let artefact = source(doc, "identity.artefact", "{ header = \"X-Artefact\" }", "/artefact");
    if doc.has_table("identity.slot") && !doc.says("identity.slot.header") {
        doc.fault("identity.slot", "`identity.slot` says nothing", "write { header = \"X-Slot\" }");
    }
    IdentityPlan { slot_header: text(doc, "identity.slot.header"), release, artefact }
}

/// A header or a place in the body, and not both.
fn source(doc: &mut Doc<'_>, table: &str, header: &str, json: &str) -> Option<ReleaseSource> {
    let (in_header, in_json) = (format!("{table}.header"), format!("{table}.json"));
    let in_a_header = text(doc, &in_header).map(ReleaseSource::Header);
    let in_the_body = text(doc, &in_json).map(ReleaseSource::Json);
    if in_a_header.is_some() && in_the_body.is_some() {
        let cause = format!("`{table}` names a header and a place in the body");
        doc.fault(table, &cause, "keep one of them");
    } else if doc.has_table(table) && !doc.says(&in_header) && !doc.says(&in_json) {
        let hint = format!("write {header} or {{ json = \"{json}\" }}");
        doc.fault(table, &format!("`{table}` says nothing"), &hint);
    }
    in_a_header.or(in_the_body)
}

fn health(doc: &mut Doc<'_>) -> HealthPlan {
    let health = HealthPlan {
        liveness: text(doc, "health.liveness"),
        readiness: text(doc, "health.readiness").unwrap_or_default(),
        every: span(doc, "health.every"),
        timeout: span(doc, "health.timeout"),
        hold: span(doc, "health.hold"),
        flaps: count(doc, "health.flaps"),
        deadline: span(doc, "health.deadline.after"),
        deadline_then: match text(doc, "health.deadline.then").as_deref() {
            Some("ask") => DeadlineThen::Ask,
            _ => DeadlineThen::Abandon,
        },
        require: list(doc, "health.require").unwrap_or_default(),
        optional: list(doc, "health.optional").unwrap_or_default(),
        headers: headers(doc, "health.headers"),
    };
    if health.hold >= health.deadline {
        let path = if doc.says("health.hold") { "health.hold" } else { "health.deadline.after" };
        let cause = format!(
            "readiness must hold for {}, and the deadline is after {}: the step can never pass",
            health.hold, health.deadline
        );
        doc.fault(path, &cause, "make the hold shorter, or the deadline later");
    }
    for name in health.optional.iter().filter(|name| health.require.contains(name)) {
        let cause = format!("component `{name}` is required and optional");
        doc.fault("health.optional", &cause, "keep it in one of the two lists");
    }
    health
}

fn probes(doc: &mut Doc<'_>) -> Vec<ProbePlan> {
    (0..doc.len("probe"))
        .map(|n| ProbePlan {
            path: text(doc, &format!("probe[{n}].path")).unwrap_or_default(),
            expect: u16::try_from(count(doc, &format!("probe[{n}].expect"))).unwrap_or(200),
            contains: text(doc, &format!("probe[{n}].contains")),
            headers: headers(doc, &format!("probe[{n}].headers")),
        })
        .collect()
}

fn checks(doc: &Doc<'_>) -> Vec<OwnCheck> {
    (0..doc.len("check"))
        .map(|n| OwnCheck {
            text: text(doc, &format!("check[{n}].text")).unwrap_or_default(),
            from: text(doc, &format!("check[{n}].from")),
        })
        .collect()
}

fn ramp(doc: &Doc<'_>) -> Vec<Percent> {
    match doc.get("traffic.ramp") {
        Some(Value::Ramp(ramp)) => ramp,
        _ => vec![Percent::ALL],
    }
}

fn signals(doc: &mut Doc<'_>) -> BTreeMap<Signal, SignalSource> {
    let mut signals = BTreeMap::new();
    for signal in [Signal::DbErrors, Signal::QueueDepth] {
        let path = format!("signals.{}", signal.key());
        let inner = format!("{path}.readiness");
        if let Some(pointer) = text(doc, &inner) {
            signals.insert(signal, SignalSource::Readiness(pointer));
        } else if text(doc, &path).is_some() {
            signals.insert(signal, SignalSource::None);
        } else if doc.has_table(&path) && !doc.says(&inner) {
            let cause = format!("`{path}` says nothing");
            doc.fault(&path, &cause, "write { readiness = \"/pointer\" }, or \"none\"");
        }
    }
    signals
}

fn commands(doc: &mut Doc<'_>) -> CommandsPlan {
    let mut argv = BTreeMap::new();
    for name in CommandName::ALL {
        let path = format!("commands.{}", name.key());
        let Some(words) = list(doc, &path) else { continue };
        for found in words.iter().flat_map(|word| placeholders(word)) {
            if TAKEN.contains(&found.name) {
                continue;
            }
            let hint = match nearest(found.name, &TAKEN) {
                Some(near) => format!("did you mean {{{near}}}?"),
                None => "known are {slot}, {release} and {current}; write { x } with blanks for braces of your own".to_owned(),
            };
            let cause = format!("`{path}` names {{{}}}, which nothing fills in", found.name);
            doc.fault(&path, &cause, &hint);
        }
        argv.insert(name, words);
    }
    CommandsPlan { argv, timeout: span(doc, "commands.timeout") }
}
