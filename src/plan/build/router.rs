//! The router, and whether it can say the share of both slots.

use super::{list, span, text};
use crate::plan::placeholder::placeholders;
use crate::plan::walk::Doc;
use crate::plan::words::nearest;
use crate::plan::{RouterKind, RouterPlan, SlotPlan};
use crate::units::Slot;

pub(super) fn router(doc: &mut Doc<'_>, slots: &[SlotPlan; 2]) -> RouterPlan {
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
