//! The whole plan as TOML, every default filled in and marked: `check --effective`.
//!
//! Written from the same rows that the file is read by, so no key can be forgotten. What it
//! prints reads back as the same plan, but for the digest. What nobody declared stands there as a
//! comment with its meaning, ready to be filled in; the default limits too, because a limit that
//! is written down is a declared one.

use super::keys::{KEYS, Key, Need};
use super::limits::written;
use super::types::*;
use super::value::{Value, quoted};
use super::walk::default;
use crate::units::Millis;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The plan in full.
pub fn effective(plan: &Plan) -> String {
    let mut out = String::new();
    let mut table = "";
    for key in KEYS {
        let (top, rest) = key.path.split_once('.').unwrap_or(("", key.path));
        if top != table {
            table = top;
            match top {
                "probe[]" => plan.probes.iter().for_each(|probe| self::probe(&mut out, probe)),
                "check[]" => plan.checks.iter().for_each(|check| own_check(&mut out, check)),
                "limit[]" => plan.limits.iter().for_each(|limit| self::limit(&mut out, limit)),
                _ if top == "secrets" && plan.secrets.is_empty() => {}
                _ => out.push_str(&format!("\n[{top}]\n")),
            }
            if top == "probe[]" && plan.probes.is_empty() {
                out.push_str("\n# No [[probe]] is declared.\n");
            }
            if top == "check[]" && plan.checks.is_empty() {
                out.push_str("\n# No [[check]] is declared.\n");
            }
        }
        if top.ends_with("[]") || (!key.only.is_empty() && !key.only.contains(&kind(plan))) {
            continue;
        }
        if let Some(rest) = rest.strip_suffix(".*") {
            for (name, value) in named(plan, key.path) {
                line(&mut out, &format!("{rest}.{}", bare(&name)), &value, "");
            }
        } else if rest.contains('*') {
            for (name, value) in named(plan, key.path) {
                line(&mut out, &rest.replace('*', &bare(&name)), &value, "");
            }
        } else {
            match said(plan, key.path) {
                Some(value) if is_default(key, &value) => line(&mut out, rest, &value, "default"),
                Some(value) => line(&mut out, rest, &value, ""),
                None if has_other_form(plan, key.path) => {}
                None => {
                    line(&mut out, &format!("# {rest}"), "", &format!("not declared: {}", key.doc))
                }
            }
        }
    }
    out
}

/// One line, its comment in a column of its own.
fn line(out: &mut String, key: &str, value: &str, comment: &str) {
    let mut line = format!("{key} = {value}");
    if !comment.is_empty() {
        line = format!("{:<39} # {comment}", line.trim_end());
    }
    out.push_str(&line);
    out.push('\n');
}

fn probe(out: &mut String, probe: &ProbePlan) {
    out.push_str("\n[[probe]]\n");
    line(out, "path", &quoted(&probe.path), "");
    line(
        out,
        "expect",
        &probe.expect.to_string(),
        if probe.expect == 200 { "default" } else { "" },
    );
    if let Some(needle) = &probe.contains {
        line(out, "contains", &quoted(needle), "");
    }
    for (name, value) in &probe.headers {
        line(out, &format!("headers.{}", bare(name)), &quoted(value), "");
    }
}

fn own_check(out: &mut String, check: &OwnCheck) {
    out.push_str("\n[[check]]\n");
    line(out, "text", &quoted(&check.text), "");
    if let Some(from) = &check.from {
        line(out, "from", &quoted(from), "");
    }
}

fn limit(out: &mut String, limit: &Limit) {
    let lead = if limit.declared { "" } else { "# " };
    out.push('\n');
    if !limit.declared {
        out.push_str("# Not declared, so the default holds:\n");
    }
    let _ = writeln!(out, "{lead}[[limit]]");
    let _ = writeln!(out, "{lead}signal = {}", quoted(limit.signal.key()));
    let _ = writeln!(out, "{lead}above = {}", written(limit.above));
    let _ = writeln!(out, "{lead}for = {}", quoted(&limit.hold.to_string()));
    if limit.literal {
        let _ = writeln!(out, "{lead}judge = \"literal\"");
    }
}

/// Whether the plan says the same thing in the other of two forms.
fn has_other_form(plan: &Plan, path: &str) -> bool {
    match path.split('.').collect::<Vec<_>>()[..] {
        ["identity", "release", _] => plan.identity.release.is_some(),
        ["identity", "artefact", _] => plan.identity.artefact.is_some(),
        ["signals", name, ..] => {
            Signal::from_key(name).is_some_and(|signal| plan.signals.contains_key(&signal))
        }
        _ => false,
    }
}

const fn kind(plan: &Plan) -> &'static str {
    match plan.router.kind {
        RouterKind::Haproxy { .. } => "haproxy",
        RouterKind::Lab { .. } => "lab",
        RouterKind::Command { .. } => "command",
    }
}

/// A name as TOML writes keys.
fn bare(name: &str) -> String {
    let bare = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if bare { name.to_owned() } else { quoted(name) }
}

fn list(words: &[String]) -> String {
    format!("[{}]", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", "))
}

fn is_default(key: &Key, value: &str) -> bool {
    if !matches!(key.need, Need::Or(_)) {
        return false;
    }
    let as_written = match default(key) {
        Some(Value::Text(text)) => quoted(&text),
        Some(Value::Number(n)) => n.to_string(),
        Some(Value::Span(ms)) => quoted(&ms.to_string()),
        Some(Value::List(words)) => list(&words),
        Some(Value::Ramp(ramp)) => percents(&ramp),
        Some(Value::Flag(yes)) => yes.to_string(),
        Some(Value::Bound(above)) => written(above),
        None => return false,
    };
    as_written == value
}

fn percents(ramp: &[crate::units::Percent]) -> String {
    format!("[{}]", ramp.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

/// What stands under names of the operator's own.
fn named(plan: &Plan, path: &str) -> Vec<(String, String)> {
    let all = |map: &BTreeMap<String, String>| {
        map.iter().map(|(name, value)| (name.clone(), quoted(value))).collect()
    };
    match (path, &plan.router.kind) {
        ("slots.*", _) => {
            plan.slots.iter().map(|slot| (slot.name.clone(), quoted(&slot.url))).collect()
        }
        ("router.servers.*", RouterKind::Haproxy { servers: Some(servers), .. }) => plan
            .slots
            .iter()
            .zip(servers)
            .map(|(slot, server)| (slot.name.clone(), quoted(server)))
            .collect(),
        ("health.headers.*", _) => all(&plan.health.headers),
        ("secrets.*.env" | "secrets.*.file", _) => plan
            .secrets
            .iter()
            .filter_map(|(name, source)| match (path, source) {
                ("secrets.*.env", SecretSource::Env(from)) => Some((name.clone(), quoted(from))),
                ("secrets.*.file", SecretSource::File(from)) => Some((name.clone(), quoted(from))),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// What the plan says at a path, as the file would write it.
fn said(plan: &Plan, path: &str) -> Option<String> {
    let text = |text: &str| Some(quoted(text));
    let maybe = |text: &Option<String>| text.as_deref().map(quoted);
    let span = |ms: Millis| Some(quoted(&ms.to_string()));
    let health = &plan.health;
    if let Some(name) = path.strip_prefix("release.change.") {
        return plan.release.change.get(name).map(|value| quoted(value));
    }
    if let Some(name) = path.strip_prefix("commands.").filter(|&name| name != "timeout") {
        let name = CommandName::ALL.into_iter().find(|command| command.key() == name)?;
        return plan.commands.argv.get(&name).map(|argv| list(argv));
    }
    if let Some(name) = path.strip_prefix("signals.") {
        let (name, inner) = name.split_once('.').map_or((name, false), |(name, _)| (name, true));
        return match plan.signals.get(&Signal::from_key(name)?)? {
            SignalSource::Readiness(pointer) if inner => text(pointer),
            SignalSource::None if !inner => text("none"),
            _ => None,
        };
    }
    match path {
        "schema" => Some(super::keys::SCHEMA.to_string()),
        "service" => text(&plan.service),
        "release.current" => maybe(&plan.release.current),
        "release.next" => maybe(&plan.release.next),
        "release.migration" => match plan.release.migration {
            Migration::Undeclared => None,
            declared => text(declared.key()),
        },
        "identity.slot.header" => maybe(&plan.identity.slot_header),
        "identity.release.header" => match &plan.identity.release {
            Some(ReleaseSource::Header(name)) => text(name),
            _ => None,
        },
        "identity.release.json" => match &plan.identity.release {
            Some(ReleaseSource::Json(pointer)) => text(pointer),
            _ => None,
        },
        "identity.artefact.header" => match &plan.identity.artefact {
            Some(ReleaseSource::Header(name)) => text(name),
            _ => None,
        },
        "identity.artefact.json" => match &plan.identity.artefact {
            Some(ReleaseSource::Json(pointer)) => text(pointer),
            _ => None,
        },
        "router.kind" => text(kind(plan)),
        "router.front" => maybe(&plan.router.front),
        "router.timeout" => span(plan.router.timeout),
        "router.address" => match &plan.router.kind {
            RouterKind::Haproxy { address, .. } | RouterKind::Lab { address } => text(address),
            RouterKind::Command { .. } => None,
        },
        "router.backend" | "router.state_file" => match &plan.router.kind {
            RouterKind::Haproxy { backend, state_file, .. } => {
                maybe(if path == "router.backend" { backend } else { state_file })
            }
            _ => None,
        },
        "router.set" | "router.get" => match &plan.router.kind {
            RouterKind::Command { set, get } => {
                Some(list(if path == "router.set" { set } else { get }))
            }
            _ => None,
        },
        "health.liveness" => maybe(&health.liveness),
        "health.readiness" => text(&health.readiness),
        "health.every" => span(health.every),
        "health.timeout" => span(health.timeout),
        "health.hold" => span(health.hold),
        "health.flaps" => Some(health.flaps.to_string()),
        "health.deadline.after" => span(health.deadline),
        "health.deadline.then" => text(match health.deadline_then {
            DeadlineThen::Abandon => "abandon",
            DeadlineThen::Ask => "ask",
        }),
        "health.require" => Some(list(&health.require)),
        "health.optional" => Some(list(&health.optional)),
        "probes.every" => span(plan.probe_every),
        "traffic.ramp" => Some(percents(&plan.ramp)),
        "traffic.hold" => span(plan.ramp_hold),
        "soak.for" => span(plan.soak),
        "watch.for" => span(plan.watch),
        "watch.unproven" => text(match plan.unproven {
            Unproven::Ask => "ask",
            Unproven::Extend => "extend",
            Unproven::Rollback => "rollback",
        }),
        "warm.for" => span(plan.warm),
        "warm.drain" => span(plan.drain),
        "on_trip.do" => text(if plan.on_trip.ask { "ask" } else { "rollback" }),
        "on_trip.countdown" => span(plan.on_trip.countdown),
        "on_trip.shared_hold" => span(plan.on_trip.shared_hold),
        "commands.timeout" => span(plan.commands.timeout),
        "evidence.key" => maybe(&plan.evidence.key),
        "evidence.identity" => maybe(&plan.evidence.identity),
        "evidence.marking" => maybe(&plan.evidence.marking),
        "evidence.tsa" => maybe(&plan.evidence.tsa),
        "evidence.require" => Some(plan.evidence.require.to_string()),
        _ => None,
    }
}
