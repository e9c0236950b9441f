//! A verdict in one line that a tired person understands, as counts.
//!
//! ```text
//! 5xx 13 of 312 (4.2 %) · limit 2 % for 2m · tolerance 13 of 6 used · luck 1:4000 (Blue 0.1 %) · tripping
//! 5xx 1 of 3 (33 %) · limit 2 % for 2m · luck 1:2, not yet evidence
//! p95 410 ms (28 of 310 over) · limit 325 ms for 2m · 3 of 4 parts over · luck 1:900
//! 5xx 13 of 220 (5.9 %) · both slots suffer: Blue 21 of 410 (normally 0.1 %)
//! no traffic · 0 of ~24 needed
//! ```

use super::evidence::PROOF;
use super::verdict::{Judgement, Verdict};
use crate::plan::Signal;

/// Two digits are enough to tell luck from none.
fn luck(one_in: f64) -> String {
    let digits = libm::pow(10.0, (libm::log10(one_in.max(1.0)) - 1.0).floor().max(0.0));
    let rounded = (one_in.max(1.0) / digits).round() * digits;
    if rounded >= 1e6 { "1 in a million or less".to_owned() } else { format!("1:{rounded:.0}") }
}

fn percent(share: f64) -> String {
    match share {
        p if p >= 9.95 => format!("{p:.0} %"),
        p if p >= 0.095 => format!("{p:.1} %"),
        p => format!("{p:.2} %"),
    }
}

/// What was counted.
fn counted(judgement: &Judgement) -> String {
    let label = judgement.signal().label();
    let of_probes = if judgement.probes { " of probes" } else { "" };
    match (judgement.signal(), judgement.value) {
        (Signal::QueueDepth, _) => format!("{label} {}", judgement.counts()),
        (Signal::LatencyP95, Some(ms)) => {
            format!("{label}{of_probes} {ms:.0} ms ({} of {} over)", judgement.bad, judgement.of)
        }
        (_, Some(share)) if judgement.signal() != Signal::LatencyP95 => {
            let counts = format!("{} of {}", judgement.bad, judgement.of);
            format!("{label}{of_probes} {counts} ({})", percent(share))
        }
        _ => format!("{label}{of_probes} {} of {}", judgement.bad, judgement.of),
    }
}

/// The line.
pub(super) fn of(judgement: &Judgement) -> String {
    let mut parts = Vec::new();
    let has_nothing = judgement.of == 0 && judgement.signal() != Signal::QueueDepth;
    match judgement.verdict {
        Verdict::NotDeclared | Verdict::Stale | Verdict::Unknown => {
            return format!("{} {}", judgement.signal().label(), judgement.verdict.word());
        }
        Verdict::Ok | Verdict::TooFew if has_nothing => {
            let needed = judgement.needed.map_or(String::new(), |n| format!(" · 0 of ~{n} needed"));
            return format!("{} no traffic{needed}", judgement.signal().label());
        }
        Verdict::Shared => {
            parts.push(counted(judgement));
            parts.push(match judgement.blue {
                Some(blue) => format!("both slots suffer: Blue {} of {}", blue.bad, blue.of),
                None => "both slots suffer".to_owned(),
            });
            if let (Some(normal), Some(_)) = (judgement.normal, judgement.blue) {
                parts.push(format!("Blue normally {}", percent(normal)));
            }
            return format!("{}.", parts.join(" · "));
        }
        _ => parts.push(counted(judgement)),
    }
    parts.push(format!("limit {} for {}", judgement.limit.above, judgement.limit.hold));
    if let (Some(used), Some(tolerance), true) =
        (judgement.used, judgement.tolerance, judgement.over)
    {
        parts.push(format!("tolerance {used:.0} of {tolerance:.0} used"));
    }
    if let (Some((over, of)), true) = (judgement.parts, judgement.over) {
        parts.push(format!("{over} of {of} parts over"));
    }
    if let (Some(one_in), true) = (judgement.luck, judgement.over || judgement.bad > 0) {
        let normal = judgement.normal.map_or(String::new(), |n| format!(" (Blue {})", percent(n)));
        let not_yet = if judgement.over && one_in < PROOF { ", not yet evidence" } else { "" };
        parts.push(format!("luck {}{normal}{not_yet}", luck(one_in)));
    }
    match (judgement.verdict, judgement.needed) {
        (Verdict::TooFew, Some(needed)) => {
            parts.push(format!("too few: ~{needed} needed"));
        }
        (Verdict::Ok, _) => parts.push("ok".to_owned()),
        (Verdict::Tripping, _) => parts.push("tripping".to_owned()),
        (Verdict::Tripped, _) => {
            parts.push(format!("tripped after {}", judgement.over_for));
        }
        _ => {}
    }
    parts.join(" · ")
}
