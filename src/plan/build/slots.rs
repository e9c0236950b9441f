//! Two slots, by names and addresses that cannot be confused.

use super::TAKEN;
use crate::plan::SlotPlan;
use crate::plan::address::host_and_port;
use crate::plan::value::Value;
use crate::plan::walk::Doc;

pub(super) fn slots(doc: &mut Doc<'_>) -> [SlotPlan; 2] {
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

pub(super) fn is_slot_name(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// Two slots, and the front door, are three places.
pub(super) fn addresses(doc: &mut Doc<'_>, slots: &[SlotPlan; 2], front: Option<&str>) {
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
