//! Changes of one line of a plan: every limit and hold at half and at double, other ramps, and
//! the lengths of readiness, soak, watch and steps, how often both slots are probed, and a first
//! probe where there is none. What `check` would warn about is not tried.

use super::flown::Service;
use crate::plan::{Bound, Limit, Places, Plan, ProbePlan, Signal, warnings};
use crate::units::{Millis, Percent};
use serde::Serialize;
use std::collections::BTreeMap;

/// The ramps that are tried besides the plan's own.
const RAMPS: [&[u8]; 3] = [&[100], &[10, 50, 100], &[5, 25, 50, 100]];
/// The probe rates that are tried.
const PROBES: [Millis; 2] = [Millis(250), Millis(1_000)];
/// The path of a first probe: which pages users open, only the operator knows.
const PAGE: &str = "/...";
/// A limit on a share has to be so many times what Blue does anyway, one on latency so many times
/// Blue's p95.
const APART: f64 = 3.0;
const SLOWER: f64 = 1.5;
/// What a slot does anyway that is well, as a share: failures, and answers of 4xx.
const NORMAL: (f64, f64) = (0.001, 0.01);
/// A total outage that uses up a limit is at least so long, in milliseconds.
const BLIP: f64 = 2_000.0;
/// A hold or a phase is never made shorter than this.
const SHORTEST: Millis = Millis::secs(10);

/// One line of a plan, changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The table that the line stands in: `[watch]`, or `[[limit]]`.
    pub section: &'static str,
    /// Which limit, where it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<Signal>,
    /// Its key.
    pub key: &'static str,
    /// What to write, as TOML.
    pub value: String,
    /// What the plan says now, as TOML.
    pub was: String,
    /// The plan with it.
    #[serde(skip)]
    pub plan: Plan,
}

impl Change {
    /// What to write, line by line. A limit is told whole, because one that is only a default
    /// stands nowhere yet.
    pub fn toml(&self) -> Vec<String> {
        let new = if self.is_probe() {
            format!("{} = {}  # a page that users open", self.key, self.value)
        } else {
            format!("{} = {}  # now {}", self.key, self.value, self.was)
        };
        let mut lines = vec![self.section.to_owned()];
        let limit = self.signal.and_then(|signal| self.plan.limit(signal));
        let Some(limit) = limit else {
            lines.push(new);
            return lines;
        };
        lines.push(format!("signal = \"{}\"", limit.signal.key()));
        let (above, hold) = (bound(limit.above), quoted(limit.hold));
        if self.key == "above" {
            lines.extend([new, format!("for = {hold}")]);
        } else {
            lines.extend([format!("above = {above}"), new]);
        }
        if limit.literal {
            lines.push("judge = \"literal\"".to_owned());
        }
        lines
    }

    /// Whether it adds a first probe.
    pub fn is_probe(&self) -> bool {
        self.section == "[[probe]]"
    }

    fn new(
        plan: &Plan,
        section: &'static str,
        key: &'static str,
        set: impl FnOnce(&mut Plan),
    ) -> Self {
        let mut plan = plan.clone();
        set(&mut plan);
        Self { section, signal: None, key, value: String::new(), was: String::new(), plan }
    }

    const fn of(mut self, signal: Signal) -> Self {
        self.signal = Some(signal);
        self
    }

    fn says(mut self, value: String, was: String) -> Self {
        (self.value, self.was) = (value, was);
        self
    }
}

/// Every change that is worth a flight.
pub fn changes(plan: &Plan, service: &Service) -> Vec<Change> {
    let mut all = Vec::new();
    if plan.probes.is_empty() {
        let probe = ProbePlan {
            path: PAGE.to_owned(),
            expect: 200,
            contains: None,
            headers: BTreeMap::new(),
        };
        let change = Change::new(plan, "[[probe]]", "path", |plan| plan.probes.push(probe));
        all.push(change.says(format!("\"{PAGE}\""), "nothing".to_owned()));
    }
    limits(plan, service, &mut all);
    let lengths = [
        (
            "[health]",
            "hold",
            plan.health.hold,
            (|plan, to| plan.health.hold = to) as fn(&mut Plan, Millis),
        ),
        ("[soak]", "for", plan.soak, |plan, to| plan.soak = to),
        ("[watch]", "for", plan.watch, |plan, to| plan.watch = to),
        ("[traffic]", "hold", plan.ramp_hold, |plan, to| plan.ramp_hold = to),
    ];
    for (section, key, was, set) in lengths {
        if section == "[traffic]" && plan.ramp.len() < 2 {
            continue;
        }
        for to in halved_and_doubled(was) {
            let change = Change::new(plan, section, key, |plan| set(plan, to));
            all.push(change.says(quoted(to), quoted(was)));
        }
    }
    for ramp in RAMPS {
        let to: Vec<Percent> = ramp.iter().filter_map(|percent| Percent::new(*percent)).collect();
        if to != plan.ramp {
            let (value, was) = (list(&to), list(&plan.ramp));
            let change = Change::new(plan, "[traffic]", "ramp", |plan| plan.ramp = to);
            all.push(change.says(value, was));
        }
    }
    for to in PROBES.into_iter().filter(|to| *to != plan.probe_every) {
        let change = Change::new(plan, "[probes]", "every", |plan| plan.probe_every = to);
        all.push(change.says(quoted(to), quoted(plan.probe_every)));
    }
    let warned = |plan: &Plan| warnings(plan, &Places::default()).len();
    let now = warned(plan);
    all.retain(|change| warned(&change.plan) <= now);
    all
}

/// Whether `check` has nothing against a limit, or as much as it had: it is not used up by a blip,
/// and Blue is not close to it.
fn holds(limit: &Limit, was: &Limit, service: &Service) -> bool {
    let (blip, normal) = match limit.signal {
        Signal::ErrorRate => (true, NORMAL.0),
        Signal::ClientErrorRate => (true, NORMAL.1),
        _ => (false, 0.0),
    };
    match (limit.above, was.above) {
        (Bound::Percent(x), Bound::Percent(before)) => {
            let x = x / 100.0;
            (!blip || x * limit.hold.0 as f64 >= BLIP)
                && (x * 100.0 >= before || x >= APART * normal)
        }
        (Bound::Millis(x), Bound::Millis(before)) => x >= before || x >= SLOWER * service.p95_ms,
        _ => true,
    }
}

fn limits(plan: &Plan, service: &Service, all: &mut Vec<Change>) {
    let flown = |signal| !matches!(signal, Signal::DbErrors | Signal::QueueDepth);
    for (place, limit) in plan.limits.iter().enumerate().filter(|(_, l)| flown(l.signal)) {
        let section = "[[limit]]";
        for factor in [0.5, 2.0] {
            let Some(to) = scaled(limit.above, factor) else { continue };
            let new = Limit { above: to, declared: true, ..*limit };
            if !holds(&new, limit, service) {
                continue;
            }
            let change = Change::new(plan, section, "above", |plan| plan.limits[place] = new);
            all.push(change.of(limit.signal).says(bound(to), bound(limit.above)));
        }
        for to in halved_and_doubled(limit.hold) {
            let new = Limit { hold: to, declared: true, ..*limit };
            if !holds(&new, limit, service) {
                continue;
            }
            let change = Change::new(plan, section, "for", |plan| plan.limits[place] = new);
            all.push(change.of(limit.signal).says(quoted(to), quoted(limit.hold)));
        }
    }
}

/// Half and double, in whole seconds; a length of nothing has neither.
fn halved_and_doubled(was: Millis) -> impl Iterator<Item = Millis> {
    let half = Millis::secs((was.as_secs() / 2).div_ceil(5) * 5);
    let double = Millis(was.0.saturating_mul(2));
    [half, double].into_iter().filter(move |to| *to != was && *to >= SHORTEST)
}

/// A share stays one that a plan may declare.
fn scaled(above: Bound, factor: f64) -> Option<Bound> {
    Some(match above {
        Bound::Percent(value) if value * factor <= 50.0 => Bound::Percent(value * factor),
        Bound::Percent(_) => return None,
        // Whole milliseconds: a plan has no others.
        Bound::Millis(value) => Bound::Millis(libm::round(value * factor).max(1.0)),
        Bound::Count(value) => Bound::Count(value * factor),
    })
}

fn bound(above: Bound) -> String {
    match above {
        Bound::Percent(value) => format!("\"{value}%\""),
        Bound::Millis(value) => format!("\"{}\"", Millis(value as u64)),
        Bound::Count(value) => value.to_string(),
    }
}

fn quoted(length: Millis) -> String {
    format!("\"{length}\"")
}

fn list(ramp: &[Percent]) -> String {
    let percents: Vec<String> = ramp.iter().map(|percent| percent.get().to_string()).collect();
    format!("[{}]", percents.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_write_is_a_plan_that_means_the_change() {
        let text = "schema = 1\nservice = \"notes\"\n[slots]\nleft = \"http://127.0.0.1:1\"\n\
                    right = \"http://127.0.0.1:2\"\n[router]\nkind = \"lab\"\n\
                    address = \"127.0.0.1:1\"\n[health]\nreadiness = \"/readyz\"\n";
        let parsed = |text: &str| crate::plan::parse(text, "plan").unwrap().plan;
        let plan = parsed(text);
        let all = changes(&plan, &Service::of(&plan, 2.0, None));
        assert!(all.len() > 15, "{}", all.len());
        assert!(all[0].is_probe(), "{:?}", all[0]);
        for change in all {
            let toml = change.toml().join("\n") + "\n";
            // A table that is there gets the line; another one is added.
            let there = format!("{}\n", change.section);
            let text = if text.contains(&there) {
                text.replace(&there, &toml)
            } else {
                format!("{text}{toml}")
            };
            let written = parsed(&text);
            let judged =
                |plan: &Plan| plan.limits.iter().map(|l| (l.above, l.hold)).collect::<Vec<_>>();
            assert_eq!(judged(&written), judged(&change.plan), "{:?}", change.toml());
            let rest = |p: &Plan| {
                (
                    p.probes.clone(),
                    p.soak,
                    p.watch,
                    p.ramp.clone(),
                    p.ramp_hold,
                    p.probe_every,
                    p.health.hold,
                )
            };
            assert_eq!(rest(&written), rest(&change.plan), "{:?}", change.toml());
        }
    }

    #[test]
    fn what_check_warns_about_is_not_tried() {
        let text = "schema = 1\nservice = \"notes\"\n[slots]\nleft = \"http://127.0.0.1:1\"\n\
                    right = \"http://127.0.0.1:2\"\n[router]\nkind = \"lab\"\n\
                    address = \"127.0.0.1:1\"\n[health]\nreadiness = \"/readyz\"\n\
                    [[probe]]\npath = \"/orders\"\n";
        let plan = crate::plan::parse(text, "plan").unwrap().plan;
        let service = Service::of(&plan, 2.0, None);
        let all = changes(&plan, &service);
        let now = warnings(&plan, &Places::default()).len();
        for change in &all {
            assert!(!change.is_probe(), "there is one");
            let warned = warnings(&change.plan, &Places::default());
            assert!(warned.len() <= now, "{:?}: {warned:?}", change.toml());
        }
        // 1 % for 2 minutes, or 2 % for one, is used up by 1.2 s; 250 ms is less than Blue's own p95.
        let tried = |signal, key: &str, value: &str| {
            all.iter().any(|c| c.signal == Some(signal) && c.key == key && c.value == value)
        };
        assert!(!tried(Signal::ErrorRate, "above", "\"1%\""));
        assert!(!tried(Signal::ErrorRate, "for", "\"1m\""));
        assert!(tried(Signal::ErrorRate, "above", "\"4%\""));
        assert!(!tried(Signal::LatencyP95, "above", "\"250ms\""));
    }
}
