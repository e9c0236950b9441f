//! What the limits of a plan can tell, and what they cannot.
//!
//! [`alone`] asks only the plan. The others are given what is known besides: what Blue was seen to
//! do ([`limits_against`], [`latency_against`]), and how many requests come ([`traffic`]).
//! [`false_alarms`] is no warning but a promise of the rule. All of it is arithmetic on declared
//! numbers; how often a limit finds what, only flying it can say.

use super::super::fault::PlanFault;
use super::super::loaded::Places;
use super::super::{Bound, Limit, Plan, Signal, SignalSource, Unproven};
use crate::signal::record::Past;
use crate::signal::share::requests_needed;
use crate::signal::{Record, SLOW_SHARE};
use crate::text;
use crate::units::{Millis, Percent};

/// A limit that is not this many times what Blue does anyway cannot tell it from a bad release.
const APART: f64 = 3.0;
/// The same of latency.
const SLOWER: f64 = 1.5;
/// Fewer failures than this are no habit of Blue's.
const HABIT: u64 = 3;
/// An outage that uses up a limit is at least so long, or it is a blip.
const BLIP: f64 = 2_000.0;
/// Nobody holds a step for longer than this only to have seen enough.
const LONGEST: Millis = Millis::secs(2 * 3600);

fn key(limit: &Limit) -> String {
    format!("limit[{}]", limit.signal.key())
}

/// The limit as a share, 0 to 1; a backlog is none.
fn share(limit: &Limit) -> Option<f64> {
    match limit.above {
        Bound::Percent(percent) => Some(percent / 100.0),
        Bound::Millis(_) => Some(SLOW_SHARE),
        Bound::Count(_) => None,
    }
}

fn has_source(plan: &Plan, signal: Signal) -> bool {
    !matches!(signal, Signal::DbErrors | Signal::QueueDepth)
        || matches!(plan.signals.get(&signal), Some(SignalSource::Readiness(_)))
}

/// What the plan alone gives reason to warn about.
pub(in super::super) fn alone(plan: &Plan, places: &Places) -> Vec<PlanFault> {
    let mut list = Vec::new();
    for limit in plan.limits.iter().filter(|limit| limit.declared) {
        let name = limit.signal.key();
        if !has_source(plan, limit.signal) {
            let cause =
                format!("the limit over {name} can never trip: [signals] names no source for it");
            let hint = format!("add [signals] {name} = {{ readiness = \"/pointer\" }}");
            list.push(places.warning(&key(limit), &cause, &hint));
        }
        if let Some(outage) = tolerated(limit).filter(|outage| *outage < BLIP) {
            let cause = format!(
                "{name} above {} for {} is used up by an outage of {:.1} s",
                limit.above,
                limit.hold,
                outage / 1000.0
            );
            let hint = "a blip would send everybody back; raise `above` or `for`";
            list.push(places.warning(&key(limit), &cause, hint));
        }
        if limit.literal {
            let cause = format!(
                "{name} is judged literally: the plain reading knows no luck and no shared \
                 incident, and never acts before {}",
                limit.hold
            );
            let hint = "take `judge` out, unless you must be able to say so";
            list.push(places.warning(&key(limit), &cause, hint));
        }
    }
    let longest = plan
        .limits
        .iter()
        .filter(|limit| !limit.literal && has_source(plan, limit.signal))
        .max_by_key(|limit| limit.hold);
    if let Some(limit) = longest.filter(|limit| limit.hold > plan.on_trip.shared_hold) {
        let cause = format!(
            "where both slots suffer you are asked after {}, before {} has seen its {}",
            plan.on_trip.shared_hold,
            limit.signal.key(),
            limit.hold
        );
        let hint = "make shared_hold at least as long as the limits' `for`; 10m is usual";
        list.push(places.warning("on_trip.shared_hold", &cause, hint));
    }
    list
}

/// The length of a total outage that uses up a limit over users' requests, in milliseconds.
fn tolerated(limit: &Limit) -> Option<f64> {
    match (limit.signal, limit.above) {
        (Signal::ErrorRate | Signal::ClientErrorRate, Bound::Percent(share)) => {
            Some(share / 100.0 * limit.hold.0 as f64)
        }
        _ => None,
    }
}

/// What Blue was seen to do gives reason to warn about: a limit that Blue is close to itself, and
/// a Blue of whom too little is known. Nothing where nothing is known at all.
pub fn limits_against(plan: &Plan, record: &Record, places: &Places) -> Vec<PlanFault> {
    let mut list = Vec::new();
    for limit in plan.limits.iter().filter(|limit| !limit.literal) {
        let Some(x) = share(limit) else { continue };
        let users = record.users.get(&limit.signal).map(|past| (past, "requests"));
        let probes = record.probes.get(&limit.signal).map(|past| (past, "probes"));
        let known = [users, probes].into_iter().flatten();
        let worst = known
            .filter(|(past, _)| past.sum().of > 0)
            .max_by(|(a, _), (b, _)| observed(a).total_cmp(&observed(b)));
        if let Some((past, what)) = worst.filter(|(past, _)| is_close(past, x)) {
            list.push(too_close(limit, past, what, places));
        } else if let Some((past, what)) = users.or(probes) {
            list.extend(too_little(limit, x, past, what, places));
        }
    }
    list
}

fn observed(past: &Past) -> f64 {
    past.sum().share().unwrap_or(0.0)
}

fn is_close(past: &Past, x: f64) -> bool {
    past.sum().bad >= HABIT && x < APART * observed(past)
}

fn too_close(limit: &Limit, past: &Past, what: &str, places: &Places) -> PlanFault {
    let own = text::percent(observed(past) * 100.0);
    let sum = past.sum();
    let counts = format!("{own} ({} of {} {what})", sum.bad, sum.of);
    let (cause, hint) = match limit.signal {
        Signal::LatencyP95 => (
            format!(
                "Blue itself is slower than {} in {counts} of the 5 % that a p95 allows: the limit \
                 cannot tell good from bad",
                limit.above
            ),
            "raise `above`, or find out first what makes Blue slow".to_owned(),
        ),
        _ => (
            format!(
                "Blue itself does {counts}; {} {} cannot tell good from bad",
                limit.signal.key(),
                limit.above
            ),
            format!(
                "raise `above` to {} or more, or find out first why Blue fails",
                text::percent((observed(past) * 100.0 * APART).min(50.0))
            ),
        ),
    };
    places.warning(&key(limit), &cause, &hint)
}

/// Luck is measured against what Blue is known to do; of few requests little is known.
fn too_little(
    limit: &Limit,
    x: f64,
    past: &Past,
    what: &str,
    places: &Places,
) -> Option<PlanFault> {
    let (needed, best) = (requests_needed(x, past.normal(x)), requests_needed(x, x / 10.0));
    if past.sum().of == 0 || needed <= 2 * best {
        return None;
    }
    let cause = format!(
        "only {} of Blue's {what} are known: {} takes {needed} of Green's to tell, not {best}",
        past.sum().of,
        limit.signal.key(),
    );
    let hint = "soak longer, so that more is seen of Blue before users are moved";
    Some(places.warning(&key(limit), &cause, hint))
}

/// Warns where the limit over latency is close to Blue's own 95th percentile, in milliseconds.
pub fn latency_against(plan: &Plan, blue_p95_ms: f64, places: &Places) -> Option<PlanFault> {
    let limit = plan.limit(Signal::LatencyP95)?;
    let Bound::Millis(above) = limit.above else { return None };
    if blue_p95_ms.is_nan() || above >= SLOWER * blue_p95_ms {
        return None;
    }
    let cause = format!(
        "Blue's own p95 is {}; latency_p95 above {} cannot tell good from bad",
        text::latency(blue_p95_ms),
        limit.above
    );
    let hint = format!("raise `above` to {} or more", text::latency(SLOWER * blue_p95_ms));
    Some(places.warning(&key(limit), &cause, &hint))
}

/// What so many requests a second give reason to warn about: steps of the ramp, or a watch, that
/// end before a bad release would have shown.
pub fn traffic(plan: &Plan, rps: f64, record: &Record, places: &Places) -> Vec<PlanFault> {
    let limit = plan.limit(Signal::ErrorRate);
    let Some((limit, x)) = limit.and_then(|limit| Some((limit, share(limit)?))) else {
        return Vec::new();
    };
    if !rps.is_finite() || rps < 0.0 {
        return Vec::new();
    }
    let unknown = Past::default();
    let past = record.users.get(&limit.signal).unwrap_or(&unknown);
    let needed = requests_needed(x, past.normal(x));
    let brings = |share: Percent, length: Millis| {
        rps * f64::from(share.get()) / 100.0 * length.0 as f64 / 1000.0
    };
    let is_thin = |brings: f64| brings < needed as f64;
    let requests = |brings: f64| text::count(brings.round() as u64, "request");
    let mut list = Vec::new();
    let steps = plan.ramp.iter().filter(|share| **share != Percent::ALL);
    let thin: Vec<Percent> =
        steps.copied().filter(|share| is_thin(brings(*share, plan.ramp_hold))).collect();
    if let Some(first) = thin.first() {
        let mut told = format!(
            "a ramp step of {first} % for {} brings {}",
            plan.ramp_hold,
            requests(brings(*first, plan.ramp_hold))
        );
        for share in thin.iter().skip(1) {
            let more = brings(*share, plan.ramp_hold).round();
            told.push_str(&format!(", one of {share} % brings {more}"));
        }
        let cause = format!("at {rps} rps {told}; {needed} are needed");
        let hint = match length_for(needed, rps * f64::from(first.get()) / 100.0) {
            Some(long) => format!("hold each for {long}, or add probes of what users touch"),
            None => "begin with a larger share, or add probes of what users touch".to_owned(),
        };
        list.push(places.warning("traffic.hold", &cause, &hint));
    }
    let seen = brings(Percent::ALL, plan.watch);
    if is_thin(seen) {
        let then = match plan.unproven {
            Unproven::Ask => "you are asked",
            Unproven::Extend => "it is watched once more",
            Unproven::Rollback => "everybody goes back",
        };
        let n = requests(seen);
        let cause = format!(
            "at {rps} rps a watch of {} brings {n}; {needed} are needed: it ends unproven, and \
             {then}",
            plan.watch
        );
        let hint = match length_for(needed, rps) {
            Some(long) => format!("watch for {long} or longer"),
            None => "deploy when there are users, or decide by what the probes say".to_owned(),
        };
        list.push(places.warning("watch.for", &cause, &hint));
    }
    list
}

/// How long it takes until so many requests have come, in whole minutes; nothing where nobody
/// would wait so long.
fn length_for(needed: u64, rps: f64) -> Option<Millis> {
    let minutes = (needed as f64 / rps / 60.0).ceil();
    let length = Millis::secs(60).0 as f64 * minutes;
    (length <= LONGEST.0 as f64).then_some(Millis(length as u64))
}

/// How often luck alone sends a release back that is no worse than Blue, in one sentence. The bets
/// against luck begin with half of their money and put the other half in over the declared ramp
/// and watch; a watch that is extended puts in more.
pub fn false_alarms(plan: &Plan) -> String {
    let (literal, judged): (Vec<&Limit>, Vec<&Limit>) = plan
        .limits
        .iter()
        .filter(|limit| has_source(plan, limit.signal) && share(limit).is_some())
        .partition(|limit| limit.literal);
    if judged.is_empty() {
        return "every limit is judged literally: nothing bounds what luck does".to_owned();
    }
    let rungs = plan.ramp.len().saturating_sub(1) as u64;
    let declared = Millis(plan.ramp_hold.0.saturating_mul(rungs)) + plan.watch;
    let again = if plan.unproven == Unproven::Extend { plan.watch } else { Millis::ZERO };
    let spent = 0.5 * (declared + again).0 as f64 / declared.0.max(1) as f64;
    // A bound is rounded up.
    let moved = ((spent + 0.5).max(1.0) * 100.0).ceil() / 100.0;
    let soak = if plan.soak > Millis::ZERO { ", and 1 % of soaks" } else { "" };
    let besides = match literal.len() {
        0 => String::new(),
        n => format!("; nothing bounds what it does to {}", text::count(n as u64, "literal limit")),
    };
    format!(
        "luck alone sends a release that is no worse than Blue back in at most {moved} % of \
         switches{soak}, for each of {}{besides}",
        text::count(judged.len() as u64, "limit")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture;

    /// Blue failed so many of so many in each half minute.
    fn seen(signal: Signal, halves: u64, bad: u64, of: u64) -> Record {
        let mut past = Past::default();
        (0..halves).for_each(|i| past.add(Millis::secs(30 * i + 1), bad, of));
        let mut record = Record::default();
        record.users.insert(signal, past);
        record
    }

    fn says(faults: &[PlanFault]) -> Vec<String> {
        faults.iter().map(|f| format!("{}: {}", f.path, f.cause)).collect()
    }

    fn against(record: &Record) -> Vec<String> {
        says(&limits_against(&fixture::plan(), record, &Places::default()))
    }

    #[test]
    fn a_limit_that_blue_is_close_to_cannot_tell_good_from_bad() {
        let known = against(&seen(Signal::ErrorRate, 100, 1, 110));
        assert_eq!(
            known,
            ["limit[error_rate]: Blue itself does 0.9 % (100 of 11000 requests); error_rate 2 % \
              cannot tell good from bad"]
        );
        assert!(against(&seen(Signal::ErrorRate, 100, 1, 1_000)).is_empty());
        assert!(against(&Record::default()).is_empty());
        let slow = against(&seen(Signal::LatencyP95, 100, 2, 100));
        assert!(slow[0].contains("slower than 500 ms in 2.0 %"), "{slow:?}");
    }

    #[test]
    fn a_few_failures_are_no_habit_and_few_requests_say_little() {
        let known = against(&seen(Signal::ErrorRate, 1, 0, 60));
        assert_eq!(known.len(), 1);
        assert!(known[0].contains("only 60 of Blue's requests are known"), "{known:?}");
        assert!(known[0].ends_with("of Green's to tell, not 24"), "{known:?}");
        assert!(against(&seen(Signal::ErrorRate, 100, 0, 100)).is_empty());
    }

    #[test]
    fn a_latency_limit_keeps_clear_of_blues_own() {
        let plan = fixture::plan();
        let warned = |p95| latency_against(&plan, p95, &Places::default());
        assert!(warned(333.0).is_none());
        let warning = warned(400.0).unwrap();
        assert!(warning.cause.as_str().starts_with("Blue's own p95 is 400 ms"));
        assert!(warning.hint.unwrap().as_str().contains("600 ms"));
        assert!(warned(f64::NAN).is_none());
    }

    #[test]
    fn thin_traffic_is_said_with_how_long_it_would_take() {
        let mut plan = fixture::plan();
        (plan.ramp_hold, plan.watch) = (Millis::secs(180), Millis::secs(720));
        let record = seen(Signal::ErrorRate, 100, 0, 1_000);
        let found = traffic(&plan, 0.1, &record, &Places::default());
        assert_eq!(
            says(&found),
            ["traffic.hold: at 0.1 rps a ramp step of 10 % for 3m brings 2 requests, one of 50 % \
              brings 9; 24 are needed"]
        );
        let hint = found[0].hint.as_ref().unwrap().as_str();
        assert_eq!(hint, "hold each for 40m, or add probes of what users touch");
        assert!(traffic(&plan, 5.0, &record, &Places::default()).is_empty());
        // Of a Blue that nobody has seen more is needed.
        let unseen = says(&traffic(&plan, 0.1, &Record::default(), &Places::default()));
        assert!(unseen[1].starts_with("watch.for: at 0.1 rps a watch of 12m brings 72 requests;"));
        assert!(unseen[1].ends_with("it ends unproven, and you are asked"), "{unseen:?}");
        let night = traffic(&plan, 0.0, &record, &Places::default());
        assert!(night[0].cause.as_str().contains("brings no requests"), "{night:?}");
        assert!(night[0].hint.as_ref().unwrap().as_str().starts_with("begin with a larger share"));
        assert!(traffic(&plan, f64::NAN, &record, &Places::default()).is_empty());
    }

    #[test]
    fn the_bound_of_false_alarms_is_that_of_the_bets() {
        let mut plan = fixture::plan();
        let says = false_alarms(&plan);
        assert!(says.contains("at most 1 % of switches, and 1 % of soaks, for each of 4 limits"));
        // Half a minute twice and a minute are declared; another minute puts half as much in again.
        plan.unproven = Unproven::Extend;
        assert!(false_alarms(&plan).contains("1.25 % of switches"), "{}", false_alarms(&plan));
        plan.limits[0].literal = true;
        plan.soak = Millis::ZERO;
        let says = false_alarms(&plan);
        assert!(
            says.ends_with(
                "of switches, for each of 3 limits; nothing bounds what it does to 1 literal limit"
            ),
            "{says}"
        );
        plan.limits.iter_mut().for_each(|limit| limit.literal = true);
        assert!(false_alarms(&plan).starts_with("every limit is judged literally"));
    }

    #[test]
    fn a_plain_reading_and_a_short_hold_for_shared_incidents_are_told() {
        let mut plan = fixture::plan();
        assert!(
            says(&alone(&plan, &Places::default())).iter().all(|w| w.contains("can never trip"))
        );
        plan.limits.truncate(4);
        plan.limits[0].literal = true;
        plan.on_trip.shared_hold = Millis::secs(60);
        let found = says(&alone(&plan, &Places::default()));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("knows no luck and no shared incident"), "{found:?}");
        assert!(found[1].contains("asked after 1m, before"), "{found:?}");
    }
}
