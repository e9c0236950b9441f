//! From keys to the plan: defaults filled in, and everything that must fit between keys.
//!
//! Each rule is one small function that adds its faults; none stops at the first. A plan is built
//! even where there are faults, with stand-ins that nobody sees: the caller drops it then.

use super::limits::{default_limits, misfit};
use super::placeholder::placeholders;
use super::types::*;
use super::value::{Value, host_and_port, is_header_name};
use super::walk::{Doc, nearest};
use crate::units::{Millis, Percent, Slot};
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
        evidence: EvidencePlan {
            key: text(doc, "evidence.key"),
            identity: text(doc, "evidence.identity"),
            marking: text(doc, "evidence.marking"),
            tsa: text(doc, "evidence.tsa"),
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

fn slots(doc: &mut Doc<'_>) -> [SlotPlan; 2] {
    let found: Vec<(String, Option<String>)> = doc
        .entries("slots")
        .into_iter()
        .map(|found| match &found.value {
            Some(Value::Text(url)) => (found.name.clone(), Some(url.clone())),
            _ => (found.name.clone(), None),
        })
        .collect();
    const EXAMPLE: &str = "left = \"http://127.0.0.1:8001\" and right = \"http://127.0.0.1:8002\", by names of your own";
    let known = doc.has_table("slots");
    match found.len() {
        0 if !known => doc.fault(
            "slots",
            "the table [slots] is missing",
            &format!("add [slots] with {EXAMPLE}"),
        ),
        0 => doc.fault("slots", "[slots] names no slot", &format!("add {EXAMPLE}")),
        1 => doc.fault(
            "slots",
            "[slots] names one slot, and there must be two",
            &format!("such as {EXAMPLE}"),
        ),
        2 => {}
        n => doc.fault(
            "slots",
            &format!("[slots] names {n} slots, and there must be two"),
            "blue/green needs two; take the others out",
        ),
    }
    for (name, _) in &found {
        let path = format!("slots.{name}");
        if TAKEN.contains(&name.to_ascii_lowercase().as_str()) {
            let cause = format!("a slot cannot be called `{name}`");
            doc.key_fault(
                &path,
                &cause,
                &format!(
                    "commands use {{{}}} for something else; name it left, a or 8001",
                    name.to_ascii_lowercase()
                ),
            );
        } else if !is_slot_name(name) {
            let cause = format!("`{name}` cannot be the name of a slot");
            doc.key_fault(
                &path,
                &cause,
                "letters, digits, `-` and `_`, at most 32, beginning with a letter or digit",
            );
        }
    }
    let mut found = found.into_iter();
    let mut next = || match found.next() {
        Some((name, url)) => SlotPlan { name, url: url.unwrap_or_default() },
        None => SlotPlan { name: String::new(), url: String::new() },
    };
    [next(), next()]
}

fn is_slot_name(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// Two slots, and the front door, are three places.
fn addresses(doc: &mut Doc<'_>, slots: &[SlotPlan; 2], front: Option<&str>) {
    let [first, second] = slots.each_ref().map(|slot| host_and_port(&slot.url));
    if let (Some(a), Some(b)) = (&first, &second)
        && a == b
    {
        let cause = format!(
            "slots `{}` and `{}` have one address, {}:{}",
            slots[0].name, slots[1].name, a.0, a.1
        );
        let path = format!("slots.{}", slots[1].name);
        doc.fault(
            &path,
            &cause,
            "give each slot a port of its own: Blue and Green run side by side",
        );
        return;
    }
    let Some(front) = front.and_then(host_and_port) else { return };
    for (slot, address) in slots.iter().zip([first, second]) {
        if address.as_ref() == Some(&front) {
            let cause = format!("`router.front` is the address of slot `{}`", slot.name);
            doc.fault("router.front", &cause, "name the router's own address, where users come in");
        }
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
    let header = text(doc, "identity.release.header").map(ReleaseSource::Header);
    let json = text(doc, "identity.release.json").map(ReleaseSource::Json);
    if header.is_some() && json.is_some() {
        doc.fault(
            "identity.release",
            "`identity.release` names a header and a place in the body",
            "keep one of them",
        );
    } else if doc.has_table("identity.release")
        && !doc.says("identity.release.header")
        && !doc.says("identity.release.json")
    {
        doc.fault(
            "identity.release",
            "`identity.release` says nothing",
            "write { header = \"X-Version\" } or { json = \"/version\" }",
        );
    }
    if doc.has_table("identity.slot") && !doc.says("identity.slot.header") {
        doc.fault("identity.slot", "`identity.slot` says nothing", "write { header = \"X-Slot\" }");
    }
    IdentityPlan { slot_header: text(doc, "identity.slot.header"), release: header.or(json) }
}

fn router(doc: &mut Doc<'_>, slots: &[SlotPlan; 2]) -> RouterPlan {
    let address = text(doc, "router.address").unwrap_or_default();
    let kind = match text(doc, "router.kind").as_deref() {
        Some("lab") => {
            if address.contains('/') {
                doc.fault(
                    "router.address",
                    "`router.address` of the lab is host:port, not a path",
                    "the lab prints it when it starts",
                );
            }
            RouterKind::Lab { address }
        }
        Some("command") => {
            let set = list(doc, "router.set").unwrap_or_default();
            let get = list(doc, "router.get").unwrap_or_default();
            split_commands(doc, slots, &set, &get);
            RouterKind::Command { set, get }
        }
        _ => RouterKind::Haproxy {
            address,
            backend: text(doc, "router.backend"),
            servers: servers(doc, slots),
            state_file: text(doc, "router.state_file"),
        },
    };
    RouterPlan { kind, front: text(doc, "router.front"), timeout: span(doc, "router.timeout") }
}

fn servers(doc: &mut Doc<'_>, slots: &[SlotPlan; 2]) -> Option<[String; 2]> {
    if !doc.has_table("router.servers") {
        return None;
    }
    let names: Vec<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
    let strangers: Vec<String> = doc
        .entries("router.servers")
        .iter()
        .map(|found| found.name.clone())
        .filter(|name| !names.contains(&name.as_str()))
        .collect();
    for name in &strangers {
        let hint = match nearest(name, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the slots are {}", names.join(" and ")),
        };
        let path = format!("router.servers.{name}");
        doc.key_fault(&path, &format!("`{path}` names no slot"), &hint);
    }
    let server = |slot: Slot| text(doc, &format!("router.servers.{}", names[slot.index()]));
    match (server(Slot::First), server(Slot::Second)) {
        (Some(first), Some(second)) if first == second => {
            let cause = format!("both slots have the server `{first}`");
            doc.fault("router.servers", &cause, "each slot has a server of its own");
            None
        }
        (Some(first), Some(second)) => Some([first, second]),
        _ => {
            if strangers.is_empty() && slots.iter().all(|slot| !slot.name.is_empty()) {
                let hint = format!(
                    "write {{ {} = \"...\", {} = \"...\" }}, or leave it out",
                    names[0], names[1]
                );
                doc.fault(
                    "router.servers",
                    "`router.servers` has to name the server of both slots",
                    &hint,
                );
            }
            None
        }
    }
}

/// The `set` of a command router has to say both shares, or one of them would be a guess.
fn split_commands(doc: &mut Doc<'_>, slots: &[SlotPlan; 2], set: &[String], get: &[String]) {
    let names: Vec<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
    let used: Vec<&str> =
        set.iter().flat_map(|word| placeholders(word)).map(|found| found.name).collect();
    if set.is_empty() || names.contains(&"") {
        return;
    }
    for name in &names {
        if !used.contains(name) {
            let cause = format!("`router.set` does not say the share of slot `{name}`");
            doc.fault(
                "router.set",
                &cause,
                &format!("put {{{name}}} where the command takes its percent"),
            );
        }
    }
    let known = names.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(" and ");
    for name in used.iter().filter(|name| !names.contains(name)) {
        let cause = format!("`router.set` names {{{name}}}, and there is no such slot");
        doc.fault("router.set", &cause, &format!("known here: {known}"));
    }
    for found in get.iter().flat_map(|word| placeholders(word)) {
        let cause =
            format!("`router.get` names {{{}}}, and nothing is filled in there", found.name);
        doc.fault(
            "router.get",
            &cause,
            "it prints the split of both slots; write { x } with blanks for braces of your own",
        );
    }
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

fn headers(doc: &mut Doc<'_>, table: &str) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    let mut bad = Vec::new();
    for found in doc.entries(table) {
        if !is_header_name(&found.name) {
            bad.push(found.name.clone());
        } else if let Some(Value::Text(value)) = &found.value {
            headers.insert(found.name.clone(), value.clone());
        }
    }
    for name in bad {
        doc.key_fault(
            &format!("{table}.{name}"),
            "a header's name holds what no header's name can",
            "write it as Authorization or \"X-Probe\"",
        );
    }
    headers
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

fn ramp(doc: &Doc<'_>) -> Vec<Percent> {
    match doc.get("traffic.ramp") {
        Some(Value::Ramp(ramp)) => ramp,
        _ => vec![Percent::ALL],
    }
}

fn limits(doc: &mut Doc<'_>) -> Vec<Limit> {
    let mut limits = default_limits();
    let mut declared_at: BTreeMap<Signal, usize> = BTreeMap::new();
    for n in 0..doc.len("limit") {
        let path = |name: &str| format!("limit[{n}].{name}");
        let Some(signal) = text(doc, &path("signal")).as_deref().and_then(Signal::from_key) else {
            continue;
        };
        if let Some(&first) = declared_at.get(&signal) {
            let line = doc
                .place(&format!("limit[{first}].signal"))
                .map_or(0, |at| doc.source.place(at.start).0);
            let cause =
                format!("a second limit over {}; the first is in line {line}", signal.key());
            doc.fault(&path("signal"), &cause, "one limit a signal: keep the one that you mean");
            continue;
        }
        declared_at.insert(signal, n);
        let limit = &mut limits[signal as usize];
        limit.declared = true;
        limit.literal = text(doc, &path("judge")).as_deref() == Some("literal");
        limit.hold = span(doc, &path("for"));
        if let Some(Value::Bound(above)) = doc.get(&path("above")) {
            match misfit(signal, above) {
                Some((unit, hint)) => {
                    let cause =
                        format!("`above` of {} has to be {unit}, not {above}", signal.key());
                    doc.fault(&path("above"), &cause, hint);
                }
                None => limit.above = above,
            }
        }
    }
    limits.to_vec()
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

fn secrets(doc: &mut Doc<'_>) -> BTreeMap<String, SecretSource> {
    let mut secrets = BTreeMap::new();
    for name in doc.subtables("secrets") {
        let path = format!("secrets.{name}");
        let env = format!("{path}.env");
        let file = format!("{path}.file");
        if !is_slot_name(&name) {
            doc.fault(
                &path,
                &format!("`{name}` cannot be the name of a secret"),
                "letters, digits, `-` and `_`, at most 32",
            );
        } else if let (Some(_), Some(_)) = (text(doc, &env), text(doc, &file)) {
            let cause = format!("secret `{name}` comes from a variable and from a file");
            doc.fault(&path, &cause, "keep one of them");
        } else if let Some(env) = text(doc, &env) {
            secrets.insert(name, SecretSource::Env(env));
        } else if let Some(file) = text(doc, &file) {
            secrets.insert(name, SecretSource::File(file));
        } else if !doc.says(&env) && !doc.says(&file) {
            doc.fault(
                &path,
                &format!("secret `{name}` says nothing"),
                "write { env = \"NAME\" } or { file = \"/path\" }",
            );
        }
    }
    secrets
}

/// Headers name only secrets that there are.
fn header_secrets(doc: &mut Doc<'_>, plan: &Plan) {
    // Those that are declared badly have their own fault; they are known all the same.
    let declared = doc.subtables("secrets");
    let known: Vec<&str> = declared.iter().map(String::as_str).collect();
    let tables = std::iter::once(("health".to_owned(), &plan.health.headers))
        .chain(plan.probes.iter().enumerate().map(|(n, p)| (format!("probe[{n}]"), &p.headers)));
    for (table, headers) in tables {
        for (header, value) in headers {
            for found in placeholders(value) {
                if known.contains(&found.name) {
                    continue;
                }
                let path = format!("{table}.headers.{header}");
                let cause = format!(
                    "header `{header}` names {{{}}}, and there is no such secret",
                    found.name
                );
                let hint = match nearest(found.name, &known) {
                    Some(near) => format!("did you mean {{{near}}}?"),
                    None => format!("declare it: [secrets] {} = {{ env = \"NAME\" }}", found.name),
                };
                doc.fault(&path, &cause, &hint);
            }
        }
    }
}
