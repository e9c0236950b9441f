//! What a reply to a write means. An empty one is success; any text is a no, and this is where
//! the known texts get their next move.

use crate::runbook::readback::{Fault, FaultKind};

/// The fault for a command that was answered with `reply`.
pub(super) fn fault(command: &str, reply: &str, slots: &[String; 2]) -> Fault {
    let first_line = reply.lines().next().unwrap_or_default();
    let kind = if reply.starts_with("No such") {
        FaultKind::Mismatch
    } else if reply.starts_with("Proxy is disabled") {
        FaultKind::OldWorker
    } else {
        FaultKind::Refused
    };
    Fault::new(kind, format!("`{command}` was refused: {first_line}"), hint(reply, slots))
}

fn hint(reply: &str, [first, second]: &[String; 2]) -> String {
    let known = [
        ("Permission denied", "give the `stats socket` line `level admin` and reload HAProxy"),
        (
            "Backend is using a static LB algorithm",
            "only 0 and 100 % can be set so: use `balance roundrobin` in the backend, or \
             ramp = [100] in the plan and weights above 0 in the configuration",
        ),
        (
            "Proxy is disabled",
            "an old worker answered after a reload, or the backend is disabled: read again",
        ),
        ("Unknown command", "this HAProxy is too old, or it is no HAProxy"),
        ("Absolute weight", "weights go from 0 to 256: this is an error of ours"),
    ];
    if reply.starts_with("No such") {
        return format!(
            "see backend = \"...\" and servers = {{ {first} = \"...\", {second} = \"...\" }} \
             under [router]"
        );
    }
    let found = known.into_iter().find(|(text, _)| reply.starts_with(text));
    found.map_or("see HAProxy's management guide for `set weight`", |(_, hint)| hint).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_known_no_has_its_next_move() {
        let slots = ["left".to_owned(), "right".to_owned()];
        let of = |reply: &str| fault("set weight app/b 50", reply, &slots);
        for (reply, kind, hint) in [
            ("Permission denied", FaultKind::Refused, "level admin"),
            ("No such server.", FaultKind::Mismatch, "left = "),
            ("No such backend.", FaultKind::Mismatch, "backend = "),
            ("Proxy is disabled.", FaultKind::OldWorker, "old worker"),
            (
                "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.",
                FaultKind::Refused,
                "roundrobin",
            ),
            ("Something new\nand long", FaultKind::Refused, "management guide"),
        ] {
            let fault = of(reply);
            assert_eq!(fault.kind, kind, "{reply}");
            assert!(fault.hint.as_str().contains(hint), "{reply}: {}", fault.hint);
            assert!(fault.cause.as_str().contains(reply.lines().next().unwrap()));
        }
    }
}
