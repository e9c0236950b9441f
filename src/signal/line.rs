//! A verdict in one line that a tired person understands, as counts.
//!
//! ```text
//! 5xx tripping on Green: 13 of 312 (4.2 %) · limit 2 % for 2m · tolerance 13 of 6.2 used · luck 1:4000 (Blue <0.1 %)
//! 5xx over on Green: 1 of 3 (33 %) · limit 2 % for 2m · tolerance 1 of 0.1 used · luck 1:2 (Blue <0.2 %), not yet evidence
//! p95 tripping on Green: 410 ms (28 of 310 over) · limit 325 ms for 2m · over in 3 of 4 parts · luck 1:900 (Blue <0.5 %)
//! 5xx, both slots suffer: Green 13 of 220 (5.9 %) · Blue 21 of 410 (5.1 %) · normally <0.1 % · limit 2 % for 2m
//! 5xx on Green: no traffic · 0 of ~24 needed
//! ```
//!
//! What, where and how much come first, for the end is what a narrow window cuts. Nothing is
//! decided here, and where a judgement has no number there is none in the line.

use super::verdict::{Judgement, Verdict};
use crate::plan::{Bound, Signal};
use crate::text;
use crate::units::{Millis, Role};

/// From here on nobody reads the digits.
const HOPELESS: f64 = 1e6;

/// One in how many it would be luck. Two digits are enough to tell luck from none.
pub(super) fn luck(one_in: f64) -> String {
    let one_in = one_in.max(1.0);
    let digits = libm::pow(10.0, (libm::log10(one_in) - 1.0).floor().max(0.0));
    let rounded = (one_in / digits).round() * digits;
    if rounded < HOPELESS { format!("luck 1:{rounded:.0}") } else { "luck under 1:1M".to_owned() }
}

/// Blue's normal share, of which only a bound is known; nothing where that is no better than the
/// limit.
pub(super) fn normally(judgement: &Judgement) -> Option<String> {
    let normal = judgement.normal?;
    let limit = match judgement.limit.above {
        Bound::Percent(percent) => percent,
        Bound::Millis(_) => super::watched::SLOW_SHARE * 100.0,
        Bound::Count(_) => return None,
    };
    (normal < limit * 0.999).then(|| {
        let share = text::percent(normal);
        if share.starts_with('<') { share } else { format!("<{share}") }
    })
}

/// Failures that count against the tolerance, of those that it allows: `13 of 6.2`.
pub(super) fn used(judgement: &Judgement) -> Option<String> {
    let few = |failures: f64| match failures.max(0.0) {
        whole if whole >= 9.95 || whole.fract() < 0.05 => format!("{whole:.0}"),
        part => format!("{part:.1}"),
    };
    Some(format!("{} of {}", few(judgement.used?), few(judgement.tolerance?)))
}

/// Requests that were seen since the phase began, of those that are needed: `9 of ~24`.
pub(super) fn seen(judgement: &Judgement) -> Option<String> {
    let needed = judgement.needed?;
    Some(format!("{} of ~{needed}", judgement.seen))
}

/// `13 of 312 (4.2 %)`; a share of nothing needs no percent.
fn share(bad: u64, of: u64, what: &str) -> String {
    if bad == 0 || of == 0 {
        return format!("{bad} of {of}{what}");
    }
    format!("{bad} of {of}{what} ({})", text::percent(bad as f64 * 100.0 / of as f64))
}

/// What was counted.
fn counted(judgement: &Judgement) -> String {
    let Judgement { bad, of, .. } = *judgement;
    let probes = if judgement.probes { " probes" } else { "" };
    match (judgement.signal(), judgement.value) {
        (Signal::QueueDepth, Some(depth)) => format!("{depth:.0} waiting"),
        (Signal::QueueDepth, None) => "not read".to_owned(),
        (Signal::LatencyP95, Some(ms)) if judgement.is_above() || !judgement.is_loud() => {
            let by = if judgement.probes { " by probes" } else { "" };
            format!("{}{by} ({bad} of {of} over)", text::latency(ms))
        }
        (Signal::LatencyP95, _) => format!("{bad} of {of}{probes} late or unanswered"),
        _ => share(bad, of, probes),
    }
}

/// The limit and, where it is read literally, since when it is exceeded: no luck is told there.
fn limit(judgement: &Judgement) -> String {
    let limit = &judgement.limit;
    if !limit.literal {
        return format!("limit {} for {}", limit.above, limit.hold);
    }
    let over = match judgement.verdict {
        Verdict::Tripped => Some(limit.hold),
        Verdict::Tripping => judgement.trips_in.map(|left| limit.hold.since(left)),
        _ => None,
    };
    match over.map(|over| Millis::secs(over.as_secs())) {
        Some(over) => format!("limit {} · for {over} of {}, literally", limit.above, limit.hold),
        None => format!("limit {} for {}, literally", limit.above, limit.hold),
    }
}

fn shared(judgement: &Judgement) -> Vec<String> {
    let label = judgement.signal().label();
    let mut parts = Vec::new();
    let whose = if judgement.both || judgement.signal() == Signal::QueueDepth {
        String::new()
    } else {
        format!("{} ", Role::Green)
    };
    parts.push(format!("{label}, both slots suffer: {whose}{}", counted(judgement)));
    let normally = normally(judgement).map_or_else(String::new, |n| format!(" · normally {n}"));
    if judgement.signal() == Signal::QueueDepth {
        parts.push("over before users were moved".to_owned());
    } else if judgement.both {
        parts.push("counted for both at once".to_owned());
    } else if let Some(blue) = judgement.blue {
        let rate = blue.bad as f64 * 100.0 / blue.of.max(1) as f64;
        let worse = rate > judgement.normal.unwrap_or(0.0);
        let probes = if judgement.blue_probes { " probes" } else { "" };
        parts.push(match (judgement.signal(), worse) {
            // A Blue that is slower than it was may still be within the limit.
            (Signal::LatencyP95, false) => format!("{} slower than it was", Role::Blue),
            (Signal::LatencyP95, true) => {
                let probes = if judgement.blue_probes { " by probes" } else { "" };
                format!("{} {} of {} over{probes}{normally}", Role::Blue, blue.bad, blue.of)
            }
            _ => format!("{} {}{normally}", Role::Blue, share(blue.bad, blue.of, probes)),
        });
    }
    parts
}

/// The line of a judgement on a role, if one is told.
pub(super) fn of(judgement: &Judgement, on: Option<Role>) -> String {
    let label = judgement.signal().label();
    let place = match on {
        _ if judgement.both => " on both slots".to_owned(),
        Some(role) => format!(" on {role}"),
        None => String::new(),
    };
    let is_quiet = matches!(judgement.verdict, Verdict::Ok | Verdict::TooFew);
    let word = match judgement.verdict {
        Verdict::NotDeclared => return format!("{label} not declared"),
        Verdict::Stale | Verdict::Unknown => {
            return format!("{label} {}{place}", judgement.verdict.word());
        }
        _ if is_quiet && judgement.has_nothing() => {
            let seen = seen(judgement).map_or_else(String::new, |seen| format!(" · {seen} needed"));
            return format!("{label}{place}: {}{seen}", judgement.nothing());
        }
        _ if judgement.is_unread() => return format!("{label}{place}: not read yet"),
        Verdict::Shared => "",
        Verdict::Tripping => "tripping",
        Verdict::Tripped => "tripped",
        Verdict::Ok | Verdict::TooFew => judgement.word(),
    };
    let mut parts = match judgement.verdict {
        Verdict::Shared => shared(judgement),
        _ => vec![format!("{label} {word}{place}: {}", counted(judgement))],
    };
    if let (Verdict::TooFew, Some(seen)) = (judgement.verdict, seen(judgement)) {
        parts.push(format!("{seen} needed"));
    }
    parts.push(limit(judgement));
    let told = judgement.bad > 0 || judgement.over || judgement.is_loud();
    match judgement.parts.filter(|_| told) {
        Some((over, of)) if of > 1 => parts.push(format!("over in {over} of {of} parts")),
        _ => {
            let used = used(judgement).filter(|_| told);
            parts.extend(used.map(|used| format!("tolerance {used} used")));
        }
    }
    if judgement.is_quiet_now() {
        parts.push("not above it in the last 10 s".to_owned());
    }
    if let Some(one_in) = judgement.luck.filter(|_| told) {
        let against = match normally(judgement) {
            _ if on == Some(Role::Blue) || judgement.verdict == Verdict::Shared => String::new(),
            Some(normally) => format!(" ({} {normally})", Role::Blue),
            None => " (against the limit)".to_owned(),
        };
        let yet = if is_quiet && judgement.over { ", not yet evidence" } else { "" };
        parts.push(format!("{}{against}{yet}", luck(one_in)));
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Limit;
    use crate::signal::series::Tally;

    fn limit(signal: Signal) -> Limit {
        let above = match signal {
            Signal::LatencyP95 => Bound::Millis(325.0),
            Signal::QueueDepth => Bound::Count(500.0),
            Signal::DbErrors => Bound::Percent(1.0),
            _ => Bound::Percent(2.0),
        };
        let hold = Millis::secs(if signal == Signal::DbErrors { 60 } else { 120 });
        Limit { signal, above, hold, literal: false, declared: true }
    }

    fn judged(signal: Signal, verdict: Verdict, bad: u64, of: u64) -> Judgement {
        let value = (of > 0).then(|| bad as f64 * 100.0 / of as f64);
        let seen = of;
        Judgement { bad, of, seen, value, ..Judgement::new(limit(signal), verdict) }
    }

    /// Green fails 13 of 312.
    fn bad(verdict: Verdict) -> Judgement {
        Judgement {
            over: true,
            used: Some(13.0),
            tolerance: Some(6.24),
            luck: Some(4_043.0),
            normal: Some(0.2),
            needed: Some(24),
            ..judged(Signal::ErrorRate, verdict, 13, 312)
        }
    }

    fn on_green(judgement: &Judgement) -> String {
        judgement.line_on(Role::Green)
    }

    #[test]
    fn what_trips_says_what_how_much_and_against_what() {
        let says = "5xx tripping on Green: 13 of 312 (4.2 %) · limit 2 % for 2m · \
                    tolerance 13 of 6.2 used · luck 1:4000 (Blue <0.2 %)";
        assert_eq!(on_green(&bad(Verdict::Tripping)), says);
        assert_eq!(on_green(&bad(Verdict::Tripped)), says.replace("tripping", "tripped"));
        assert_eq!(bad(Verdict::Tripped).line(), says.replace("tripping on Green", "tripped"));
        let probes = Judgement { probes: true, ..bad(Verdict::Tripping) };
        assert!(on_green(&probes).contains("Green: 13 of 312 probes (4.2 %) ·"));
    }

    #[test]
    fn what_was_proved_stays_so_though_luck_is_told_smaller_by_now() {
        let later = Judgement { luck: Some(60.0), ..bad(Verdict::Tripping) };
        assert!(on_green(&later).ends_with("luck 1:60 (Blue <0.2 %)"), "{}", on_green(&later));
    }

    #[test]
    fn over_without_evidence_says_that_it_may_be_luck() {
        let judgement = Judgement {
            over: true,
            used: Some(1.0),
            tolerance: Some(0.06),
            luck: Some(2.2),
            normal: Some(0.2),
            ..judged(Signal::ErrorRate, Verdict::TooFew, 1, 3)
        };
        assert_eq!(
            on_green(&judgement),
            "5xx over on Green: 1 of 3 (33 %) · limit 2 % for 2m · tolerance 1 of 0.1 used · \
             luck 1:2 (Blue <0.2 %), not yet evidence"
        );
    }

    #[test]
    fn what_is_well_is_short_and_what_failed_once_is_told() {
        let well = judged(Signal::ErrorRate, Verdict::Ok, 0, 312);
        assert_eq!(on_green(&well), "5xx ok on Green: 0 of 312 · limit 2 % for 2m");
        let once = Judgement { over: false, tolerance: Some(13.0), ..bad(Verdict::Ok) };
        assert!(
            on_green(&once).starts_with("5xx in tolerance on Green: 13 of 312 (4.2 %) · limit")
        );
        assert!(!on_green(&once).contains("in the last"), "{}", on_green(&once));
        let health = judged(Signal::Health, Verdict::Ok, 0, 240);
        assert_eq!(on_green(&health), "health ok on Green: 0 of 240 · limit 2 % for 2m");
    }

    #[test]
    fn a_tolerance_that_is_used_up_says_why_nothing_comes_of_it() {
        let quiet = Judgement { over: false, ..bad(Verdict::Ok) };
        assert_eq!(
            on_green(&quiet),
            "5xx quiet now on Green: 13 of 312 (4.2 %) · limit 2 % for 2m · \
             tolerance 13 of 6.2 used · not above it in the last 10 s · luck 1:4000 (Blue <0.2 %)"
        );
        let slow = Judgement {
            value: Some(180.0),
            used: Some(28.0),
            tolerance: Some(15.5),
            ..judged(Signal::LatencyP95, Verdict::Ok, 28, 310)
        };
        assert!(on_green(&slow).starts_with("p95 quiet now on Green: 180 ms (28 of 310 over)"));
        assert!(on_green(&slow).ends_with("used · not above it in the last 10 s"));
        assert_eq!(Judgement { over: true, ..quiet }.word(), "over");
    }

    #[test]
    fn too_few_say_how_many_are_needed_and_nobody_is_no_traffic() {
        let few = Judgement {
            seen: 9,
            needed: Some(24),
            ..judged(Signal::ErrorRate, Verdict::TooFew, 0, 4)
        };
        assert_eq!(
            on_green(&few),
            "5xx too few on Green: 0 of 4 · 9 of ~24 needed · limit 2 % for 2m"
        );
        let nobody =
            Judgement { needed: Some(24), ..judged(Signal::ErrorRate, Verdict::TooFew, 0, 0) };
        assert_eq!(on_green(&nobody), "5xx on Green: no traffic · 0 of ~24 needed");
        let unasked = Judgement { probes: true, ..nobody };
        assert_eq!(on_green(&unasked), "5xx on Green: no probes · 0 of ~24 needed");
    }

    #[test]
    fn latency_says_its_parts_and_whose_clock_it_was() {
        let slow = Judgement {
            value: Some(410.0),
            parts: Some((3, 4)),
            used: Some(28.0),
            tolerance: Some(15.5),
            luck: Some(912.0),
            normal: Some(0.5),
            over: true,
            ..judged(Signal::LatencyP95, Verdict::Tripping, 28, 310)
        };
        assert_eq!(
            on_green(&slow),
            "p95 tripping on Green: 410 ms (28 of 310 over) · limit 325 ms for 2m · \
             over in 3 of 4 parts · luck 1:910 (Blue <0.5 %)"
        );
        let probes = Judgement { probes: true, ..slow.clone() };
        assert!(on_green(&probes).contains("Green: 410 ms by probes (28 of 310 over) ·"));
        // Requests that got no answer are late as well, and are in no p95.
        let silent = Judgement { value: Some(1.0), ..slow };
        assert!(on_green(&silent).contains("Green: 28 of 310 late or unanswered ·"));
    }

    #[test]
    fn an_incident_of_both_slots_says_blues_numbers_and_what_is_normal() {
        let shared = Judgement { blue: Some(Tally { bad: 21, of: 410 }), ..bad(Verdict::Shared) };
        assert_eq!(
            on_green(&shared),
            "5xx, both slots suffer: Green 13 of 312 (4.2 %) · Blue 21 of 410 (5.1 %) · \
             normally <0.2 % · limit 2 % for 2m · tolerance 13 of 6.2 used · luck 1:4000"
        );
        let by_probes = Judgement { blue_probes: true, ..shared };
        assert!(on_green(&by_probes).contains("· Blue 21 of 410 probes (5.1 %) · normally"));
        let slow = Judgement {
            value: Some(410.0),
            normal: Some(0.5),
            blue: Some(Tally { bad: 0, of: 480 }),
            ..judged(Signal::LatencyP95, Verdict::Shared, 28, 310)
        };
        let says = "p95, both slots suffer: Green 410 ms (28 of 310 over) · \
                    Blue slower than it was · limit 325 ms for 2m";
        assert_eq!(on_green(&slow), says, "Blue is within the limit, and slower all the same");
    }

    #[test]
    fn database_errors_that_nobody_can_tell_apart_are_of_both_slots() {
        let tripping = Judgement {
            both: true,
            over: true,
            used: Some(41.0),
            tolerance: Some(6.23),
            luck: Some(1e12),
            normal: Some(1.0),
            ..judged(Signal::DbErrors, Verdict::Tripping, 41, 623)
        };
        assert_eq!(
            on_green(&tripping),
            "DB err tripping on both slots: 41 of 623 (6.6 %) · limit 1 % for 1m · \
             tolerance 41 of 6.2 used · luck under 1:1M (against the limit)"
        );
        let shared = Judgement { verdict: Verdict::Shared, ..tripping };
        assert!(on_green(&shared).starts_with(
            "DB err, both slots suffer: 41 of 623 (6.6 %) · counted for both at once · limit"
        ));
    }

    #[test]
    fn a_backlog_has_no_luck() {
        let queue =
            |verdict| Judgement { value: Some(612.0), ..judged(Signal::QueueDepth, verdict, 0, 0) };
        let says = |verdict| on_green(&queue(verdict));
        assert_eq!(says(Verdict::Ok), "queue not lasting on Green: 612 waiting · limit 500 for 2m");
        assert_eq!(
            says(Verdict::Tripped),
            "queue tripped on Green: 612 waiting · limit 500 for 2m"
        );
        assert_eq!(
            says(Verdict::Shared),
            "queue, both slots suffer: 612 waiting · over before users were moved · \
             limit 500 for 2m"
        );
        assert_eq!(says(Verdict::NotDeclared), "queue not declared");
        assert_eq!(says(Verdict::Unknown), "queue unknown on Green");
        assert_eq!(says(Verdict::Stale), "queue stale on Green");
        let unread = judged(Signal::QueueDepth, Verdict::TooFew, 0, 0);
        assert_eq!(on_green(&unread), "queue on Green: not read yet");
    }

    #[test]
    fn read_literally_there_is_a_time_and_no_luck() {
        let mut literal = Judgement {
            trips_in: Some(Millis::secs(55)),
            needed: Some(24),
            normal: Some(0.2),
            ..judged(Signal::ErrorRate, Verdict::Tripping, 13, 312)
        };
        literal.limit.literal = true;
        assert_eq!(
            on_green(&literal),
            "5xx tripping on Green: 13 of 312 (4.2 %) · limit 2 % · for 1m5s of 2m, literally"
        );
        (literal.verdict, literal.trips_in) = (Verdict::Tripped, None);
        assert!(on_green(&literal).ends_with("limit 2 % · for 2m of 2m, literally"));
        literal.verdict = Verdict::Ok;
        assert!(on_green(&literal).ends_with("limit 2 % for 2m, literally"));
    }

    #[test]
    fn blue_is_measured_against_its_limit_and_not_against_itself() {
        let line = Judgement { normal: Some(2.0), ..bad(Verdict::Tripped) }.line_on(Role::Blue);
        assert!(line.starts_with("5xx tripped on Blue: 13 of 312"), "{line}");
        assert!(line.ends_with("luck 1:4000"), "{line}");
    }

    #[test]
    fn what_and_how_much_stand_in_the_first_half_of_a_row() {
        let all = [
            bad(Verdict::Tripping),
            bad(Verdict::Tripped),
            Judgement { blue: Some(Tally { bad: 21_000, of: 41_000 }), ..bad(Verdict::Shared) },
        ];
        for mut judgement in all {
            (judgement.bad, judgement.of) = (22_345, 45_678);
            let line = on_green(&judgement);
            assert!(line.find(" %)").is_some_and(|at| at < 60), "{line}");
        }
    }
}
