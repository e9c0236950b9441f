//! Changes of one line of a plan: every limit and hold at half and at double, other ramps, and
//! the lengths of readiness, soak, watch and steps, and how often both slots are probed.

use crate::plan::{Bound, Plan, Signal};
use crate::units::{Millis, Percent};
use serde::Serialize;

/// The ramps that are tried besides the plan's own.
const RAMPS: [&[u8]; 3] = [&[100], &[10, 50, 100], &[5, 25, 50, 100]];
/// The probe rates that are tried.
const PROBES: [Millis; 2] = [Millis(250), Millis(1_000)];
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
        let new = format!("{} = {}  # now {}", self.key, self.value, self.was);
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
pub fn changes(plan: &Plan) -> Vec<Change> {
    let mut all = Vec::new();
    limits(plan, &mut all);
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
    all
}

fn limits(plan: &Plan, all: &mut Vec<Change>) {
    let flown = |signal| !matches!(signal, Signal::DbErrors | Signal::QueueDepth);
    for (place, limit) in plan.limits.iter().enumerate().filter(|(_, l)| flown(l.signal)) {
        let section = "[[limit]]";
        for factor in [0.5, 2.0] {
            let Some(to) = scaled(limit.above, factor) else { continue };
            let change = Change::new(plan, section, "above", |plan| plan.limits[place].above = to);
            all.push(change.of(limit.signal).says(bound(to), bound(limit.above)));
        }
        for to in halved_and_doubled(limit.hold) {
            let change = Change::new(plan, section, "for", |plan| plan.limits[place].hold = to);
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
        let all = changes(&parsed(text));
        assert!(all.len() > 15, "{}", all.len());
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
                (p.soak, p.watch, p.ramp.clone(), p.ramp_hold, p.probe_every, p.health.hold)
            };
            assert_eq!(rest(&written), rest(&change.plan), "{:?}", change.toml());
        }
    }
}
