//! When the evidence was there: the first second at which somebody who sees only the operator's
//! own series, and knows which of them tells it, would be sure.
//!
//! It is a reference and no rule of the cockpit: windows of five seconds against what the same
//! series did before anything went wrong, and the limits' own verdicts. It looks backwards only,
//! so that a flight and its beginning give the same instant.
//!
//! Some signals are on none of the cockpit's series. They count from when a look would find them:
//! what the lab's own page shows (memory, connections, the disk) a little after it begins to hurt,
//! and what only an item of evidence shows, not before the step in which that can be opened. What
//! stands nowhere is no evidence.

use super::tape::Tape;
use crate::lab::scenario::EvidenceSpec;
use crate::signal::{Origin, Sample, Verdict, Whose};
use crate::units::{Millis, Role};

/// What a window holds.
const WINDOW: Millis = Millis::secs(5);
/// Deviations from before that are no luck.
const SURE: f64 = 4.0;
/// Where the telling signal is on no series, a look finds it so long after it stands there.
const A_LOOK: Millis = Millis::secs(5);
/// Parts of the names of signals that the lab's own page shows at any time.
const ON_THE_PAGE: [&str; 17] = [
    "memory",
    "disk",
    "db_conn",
    "connections",
    "queue",
    "oldest",
    "jobs",
    "duplicates",
    "cache",
    "sockets",
    "workers",
    "age",
    "logins",
    "finished",
    "slots",
    "readback",
    "readiness",
];

/// What can be seen in a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Errors,
    ClientErrors,
    Latency,
    Health,
    DbErrors,
    Queue,
    Traffic,
    InFlight,
}

const ALL: [Signal; 8] = [
    Signal::Errors,
    Signal::ClientErrors,
    Signal::Latency,
    Signal::Health,
    Signal::DbErrors,
    Signal::Queue,
    Signal::Traffic,
    Signal::InFlight,
];

/// A signal of a scenario: `green.error_rate`, `queue_depth`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Telling {
    whose: Option<Whose>,
    signal: Signal,
}

fn telling(name: &str) -> Option<Telling> {
    let (whose, name) = match name.split_once('.') {
        Some(("blue", rest)) => (Some(Whose::Blue), rest),
        Some(("green", rest)) => (Some(Whose::Green), rest),
        Some((_, rest)) => (None, rest),
        None => (None, name),
    };
    let signal = match name {
        "error_rate" | "error_pct" | "errors" | "5xx" => Signal::Errors,
        "client_error_rate" | "client_errors" | "4xx" => Signal::ClientErrors,
        "latency_p95" | "latency_p50" | "latency" | "p50" | "p95" | "p99" => Signal::Latency,
        "health" | "ready" | "readiness" | "flaps" => Signal::Health,
        "db_errors" | "db_conn_errors" | "db_refused" => Signal::DbErrors,
        "queue_depth" | "queue" => Signal::Queue,
        "rps" | "requests" => Signal::Traffic,
        "in_flight" => Signal::InFlight,
        _ => return None,
    };
    Some(Telling { whose, signal })
}

/// When the evidence was there, if it ever was. `onset` is when it began to hurt; where nothing
/// ever did, there is no evidence of it.
pub fn when(
    tape: &Tape,
    items: &[EvidenceSpec],
    telling_signals: &[String],
    onset: Option<Millis>,
) -> Option<Millis> {
    let onset = onset?;
    let known: Vec<Telling> = telling_signals.iter().filter_map(|name| telling(name)).collect();
    let unseen = telling_signals.iter().filter(|name| telling(name).is_none());
    let looked = unseen.filter_map(|name| a_look_at(name, tape, items, onset)).min();
    let series: Vec<Telling> = if known.is_empty() {
        ALL.into_iter().map(|signal| Telling { whose: None, signal }).collect()
    } else {
        known
    };
    let seen = series.iter().filter_map(|telling| first_sure(&tape.samples, *telling, onset)).min();
    let suspect = tape.told.iter().find(|told| {
        told.at >= onset
            && matches!(told.verdict, Verdict::Tripping | Verdict::Tripped | Verdict::Shared)
    });
    [seen, suspect.map(|told| told.at), looked].into_iter().flatten().min()
}

/// When a look would find a signal that is on no series, if there is anywhere to look.
fn a_look_at(name: &str, tape: &Tape, items: &[EvidenceSpec], onset: Millis) -> Option<Millis> {
    let bare = name.split_once('.').map_or(name, |(_, bare)| bare);
    let is_about = |item: &&EvidenceSpec| {
        let (item, bare) = (item.item.as_str(), bare.trim_end_matches('s'));
        item.contains(bare) || bare.contains(item.trim_end_matches('s'))
    };
    let of_items = items.iter().filter(is_about).filter_map(|item| {
        let entered = tape.steps[usize::from(item.step.clamp(1, 8)) - 1]?;
        Some(entered.max(onset))
    });
    let on_page = ON_THE_PAGE.iter().any(|part| bare.contains(part)).then_some(onset);
    let at = of_items.chain(on_page).min()? + A_LOOK;
    (at <= tape.ended).then_some(at)
}

/// One second as a share: so many bad of so many; and as a value, for gauges.
#[derive(Debug, Clone, Copy, Default)]
struct Second {
    bad: f64,
    of: f64,
    value: Option<f64>,
}

/// What a second says of a signal. `late_ms` is the time above which an answer was late before.
fn second(sample: &Sample, signal: Signal, late_ms: f64) -> Option<Second> {
    let share = |bad: Option<u64>, of: Option<u64>| {
        Some(Second { bad: bad? as f64, of: of? as f64, value: None })
    };
    let gauge =
        |value: Option<u64>| Some(Second { value: Some(value? as f64), ..Second::default() });
    match signal {
        Signal::Errors => share(sample.failed, sample.requests),
        Signal::ClientErrors => share(sample.client_errors, sample.requests),
        Signal::Latency => {
            let times = sample.latency_ms.as_ref()?;
            share(Some(times.over(late_ms)), Some(times.count()))
        }
        Signal::Health => {
            let (unready, checks) = sample.readiness().filter(|_| sample.ready.is_some())?;
            share(Some(unready), Some(checks))
        }
        Signal::DbErrors => gauge(sample.db_errors),
        Signal::Queue => gauge(sample.queue_depth),
        Signal::Traffic => gauge(sample.requests.filter(|_| sample.from == Origin::Users)),
        Signal::InFlight => gauge(sample.in_flight),
    }
}

/// Whether a second belongs to the series of a role and an origin.
fn is_of(sample: &Sample, role: Role, from: Origin) -> bool {
    sample.role == Whose::from(role) && sample.from == from
}

fn first_sure(samples: &[Sample], telling: Telling, onset: Millis) -> Option<Millis> {
    // A gauge that both share comes with whoever says it.
    let shared = telling.whose.is_none() && samples.iter().any(|s| s.role == Whose::Both);
    let roles = Role::BOTH
        .into_iter()
        .filter(|role| telling.whose.is_none_or(|whose| whose == Whose::from(*role)));
    let of_roles = roles
        .flat_map(|role| [Origin::Users, Origin::Probes].map(|from| (role, from)))
        .filter_map(|(role, from)| {
            sure_of(
                samples,
                telling.signal,
                onset,
                |sample| is_of(sample, role, from),
                || {
                    // What a candidate without a past is compared with is the live slot's past.
                    samples.iter().filter(|s| is_of(s, Role::Blue, from)).collect()
                },
            )
        });
    let of_both = shared
        .then(|| {
            let both = |sample: &Sample| sample.role == Whose::Both;
            sure_of(samples, telling.signal, onset, both, Vec::new)
        })
        .flatten();
    of_roles.chain(of_both).min()
}

fn sure_of<'a>(
    samples: &'a [Sample],
    signal: Signal,
    onset: Millis,
    which: impl Fn(&Sample) -> bool,
    stand_in: impl Fn() -> Vec<&'a Sample>,
) -> Option<Millis> {
    let all: Vec<&Sample> = samples.iter().filter(|sample| which(sample)).collect();
    let is_past = |sample: &&&Sample| sample.at <= onset;
    let mut past: Vec<&Sample> = all.iter().filter(is_past).copied().collect();
    let asked: u64 = past.iter().filter_map(|s| s.requests).sum();
    if past.len() < 10 || asked < 20 {
        past = stand_in().iter().filter(is_past).copied().collect();
    }
    let late_ms = late_before(&past);
    let of_past: Vec<Second> = past.iter().filter_map(|s| second(s, signal, late_ms)).collect();
    let normal = Normal::of(&of_past);
    let mut window: Vec<(Millis, Second)> = Vec::new();
    for sample in all.iter().filter(|sample| sample.at > onset) {
        let Some(second) = second(sample, signal, late_ms) else { continue };
        window.push((sample.at, second));
        window.retain(|(at, _)| *at + WINDOW > sample.at);
        if normal.is_left_by(&window, signal) {
            return Some(sample.at);
        }
    }
    None
}

/// Above this an answer was late before: half as much again as the slowest twentieth.
fn late_before(past: &[&Sample]) -> f64 {
    let mut times = crate::signal::Histogram::default();
    past.iter().filter_map(|sample| sample.latency_ms.as_ref()).for_each(|t| times.merge(t));
    times.quantile(0.95).map_or(500.0, |p95| p95 * 1.5)
}

/// What a series did before.
struct Normal {
    share: f64,
    mean: f64,
    most: f64,
    known: bool,
}

impl Normal {
    fn of(past: &[Second]) -> Self {
        let (bad, of) = past.iter().fold((0.0, 0.0), |(bad, of), s| (bad + s.bad, of + s.of));
        let values: Vec<f64> = past.iter().filter_map(|s| s.value).collect();
        Self {
            share: ((bad + 0.5) / (of + 1.0)).clamp(0.01, 0.5),
            mean: values.iter().sum::<f64>() / values.len().max(1) as f64,
            most: values.iter().copied().fold(0.0, f64::max),
            known: values.len() >= 5,
        }
    }

    fn is_left_by(&self, window: &[(Millis, Second)], signal: Signal) -> bool {
        if matches!(signal, Signal::DbErrors) {
            let sum: f64 = window.iter().filter_map(|(_, s)| s.value).sum();
            return sum >= 3.0_f64.max(self.most * 10.0);
        }
        let values: Vec<f64> = window.iter().filter_map(|(_, s)| s.value).collect();
        if !values.is_empty() {
            let far = |value: &f64| match signal {
                Signal::Traffic => {
                    self.known && self.mean >= 5.0 && (value - self.mean).abs() > 0.35 * self.mean
                }
                _ => *value > (self.most * 2.0).max(self.most + 10.0),
            };
            return values.len() >= 3 && values.iter().rev().take(3).all(far);
        }
        let (bad, of) =
            window.iter().fold((0.0, 0.0), |(bad, of), (_, s)| (bad + s.bad, of + s.of));
        let luck = libm::sqrt(of * self.share * (1.0 - self.share));
        bad >= 3.0 && bad > of * self.share + SURE * luck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(at: u64, role: Whose, requests: u64, failed: u64) -> Sample {
        Sample {
            requests: Some(requests),
            failed: Some(failed),
            client_errors: Some(0),
            ..Sample::empty(Millis::secs(at), role, Origin::Users)
        }
    }

    fn flown(failed_from: u64, failed: u64) -> Tape {
        let samples = (1..=60)
            .flat_map(|at| {
                let bad = if at > failed_from { failed } else { u64::from(at % 20 == 0) };
                [
                    users(at, Whose::Blue, 36, u64::from(at % 15 == 0)),
                    users(at, Whose::Green, 8, bad),
                ]
            })
            .collect();
        Tape { samples, ended: Millis::secs(60), ..Tape::default() }
    }

    fn named(name: &str) -> Vec<String> {
        vec![name.to_owned()]
    }

    #[test]
    fn half_of_greens_users_failing_is_sure_within_seconds_and_not_before_it_begins() {
        let sure = when(&flown(30, 4), &[], &named("green.error_rate"), Some(Millis::secs(30)));
        let sure = sure.unwrap();
        assert!(sure > Millis::secs(30) && sure <= Millis::secs(33), "{sure}");
        assert_eq!(
            when(&flown(30, 4), &[], &named("blue.error_rate"), Some(Millis::secs(30))),
            None
        );
        assert_eq!(when(&flown(30, 4), &[], &named("green.error_rate"), None), None);
    }

    #[test]
    fn ordinary_noise_is_no_evidence() {
        for name in ["green.error_rate", "error_rate", "rps", "queue_depth"] {
            assert_eq!(
                when(&flown(90, 0), &[], &named(name), Some(Millis::secs(30))),
                None,
                "{name}"
            );
        }
    }

    #[test]
    fn what_stands_on_no_series_was_there_for_a_look() {
        let looked = when(&flown(90, 0), &[], &named("db_connections"), Some(Millis::secs(30)));
        assert_eq!(looked, Some(Millis::secs(35)));
    }

    #[test]
    fn what_only_an_item_shows_is_no_evidence_before_it_can_be_opened() {
        let item = EvidenceSpec {
            step: 6,
            item: "deep_check".to_owned(),
            shows: "ready".to_owned(),
            detail: "401".to_owned(),
        };
        let at = |tape: &Tape, items: &[EvidenceSpec]| {
            when(tape, items, &named("green.deep"), Some(Millis::secs(30)))
        };
        let mut tape = flown(90, 0);
        assert_eq!(at(&tape, std::slice::from_ref(&item)), None, "step 6 was never reached");
        assert_eq!(at(&tape, &[]), None, "it stands nowhere");
        tape.steps[5] = Some(Millis::secs(50));
        assert_eq!(at(&tape, &[item]), Some(Millis::secs(55)));
    }

    #[test]
    fn a_queue_that_only_grows_is_sure_when_it_has_left_what_it_ever_was() {
        let samples = (1..=60_u64)
            .map(|at| Sample {
                queue_depth: Some(if at <= 30 { at % 5 } else { (at - 30) * 6 }),
                ..Sample::empty(Millis::secs(at), Whose::Blue, Origin::Probes)
            })
            .collect();
        let tape = Tape { samples, ended: Millis::secs(60), ..Tape::default() };
        let sure = when(&tape, &[], &named("queue_depth"), Some(Millis::secs(30))).unwrap();
        assert!((33..=37).contains(&sure.as_secs()), "{sure}");
    }
}
