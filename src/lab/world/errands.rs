//! What is answered to an errand, in words: the users of the last seconds part by part, a request
//! straight to a slot, a fresh check. All but a weight leave no trace in the world.

use super::lately::{SPAN, Visit};
use super::{Fate, World};
use crate::lab::anchor::Anchor;
use crate::lab::errand::{Errand, Part, RECHECK};
use crate::lab::fault::FaultKind;
use crate::lab::series::UserSeries;
use crate::units::{Millis, Percent, Role, Slot, Split};
use std::collections::BTreeMap;

fn name(role: Role) -> &'static str {
    if role == Role::Blue { "Blue" } else { "Green" }
}

/// What is said of some of the users.
fn told(users: &UserSeries) -> String {
    let p95 = users.p95_ms.map_or_else(String::new, |ms| format!(", p95 {ms:.0} ms"));
    let errors: String = users
        .client_errors_pct
        .iter()
        .map(|(status, pct)| format!(", {status}: {pct} %"))
        .collect();
    format!("{} % failed of {}{errors}{p95}", users.failed_pct, users.requests)
}

impl World {
    /// Runs an errand at `at`, and says what came of it; or why it cannot be run.
    pub fn run(&mut self, errand: Errand, at: Millis) -> Result<String, String> {
        Ok(match errand {
            Errand::By(part) => self.look_by(part, at),
            Errand::Series => self.series(at).words(),
            Errand::Probe(role) => self.probed(role, at),
            Errand::Recheck(role) => {
                self.note(Anchor::Event(RECHECK.to_owned()), at);
                self.rechecked(role, at)
            }
            Errand::Weight(percent) => return self.weigh(percent, at),
        })
    }

    fn slot_of_role(&self, role: Role) -> Slot {
        if role == Role::Blue { self.blue() } else { self.blue().other() }
    }

    /// The users of the last seconds, part by part, slot by slot.
    fn look_by(&self, part: Part, at: Millis) -> String {
        let secs = SPAN.as_secs();
        let mut said = Vec::new();
        for role in [Role::Blue, Role::Green] {
            let slot = self.slot_of_role(role);
            let mut parts: BTreeMap<String, Vec<&Visit>> = BTreeMap::new();
            for visit in self.ended(at).filter(|visit| visit.slot == slot) {
                parts.entry(self.part(part, visit)).or_default().push(visit);
            }
            if parts.is_empty() {
                said.push(format!("{}: no users", name(role)));
                continue;
            }
            let each = parts.into_iter().map(|(part, visits)| {
                let users = self.users_of(visits.into_iter(), at, None);
                if part.is_empty() { told(&users) } else { format!("{part}: {}", told(&users)) }
            });
            said.push(format!("{}: {}", name(role), each.collect::<Vec<_>>().join("; ")));
        }
        let by = match part {
            Part::Slot => "slot",
            Part::Worker => "worker",
            Part::Route => "page",
            Part::Cohort => "cohort",
            Part::Client => "client",
        };
        format!("by {by}, the last {secs} s. {}", said.join(". "))
    }

    /// To which part a request belongs.
    fn part(&self, part: Part, visit: &Visit) -> String {
        let request = &visit.request;
        match part {
            Part::Slot => String::new(),
            Part::Worker => format!("worker {}", self.worker(visit.slot, request)),
            Part::Route => request.route.map_or("no page", |n| self.path(n)).to_owned(),
            Part::Cohort if request.abuses() => "of no cohort".to_owned(),
            Part::Cohort => {
                self.cohort(request).map_or_else(|| "everybody".to_owned(), |c| c.name.clone())
            }
            Part::Client if request.abuses() => {
                let mut names = self.faults.iter().filter_map(|fault| match &fault.spec.kind {
                    FaultKind::ClientAbuse { client, .. } => Some(client.clone()),
                    _ => None,
                });
                names.next().unwrap_or_else(|| "one client".to_owned())
            }
            Part::Client => "all other users".to_owned(),
        }
    }

    /// One request straight to a slot for each page, on nobody's account.
    fn probed(&self, role: Role, at: Millis) -> String {
        let slot = self.slot_of_role(role);
        let mut world = self.clone();
        let mut said = Vec::new();
        for n in 0..world.scenario.traffic.routes.len() {
            let request = world.probe(Some(n));
            let served = world.serve(slot, &request, at);
            let came = match served.fate {
                Fate::Answer(status) => format!("{status}"),
                Fate::Hang => "no answer".to_owned(),
                Fate::Reset => "connection reset".to_owned(),
                Fate::Cut => "body cut off".to_owned(),
                Fate::Refused => "connection refused".to_owned(),
            };
            let wrong = if served.wrong { ", a wrong one" } else { "" };
            let ms = served.latency_us as f64 / 1000.0;
            said.push(format!("{} {came}{wrong} in {ms:.0} ms", self.path(n)));
        }
        format!("{} asked directly: {}", name(role), said.join(", "))
    }

    /// A fresh check of a slot: shallow and deep, what is not well, and what a way back needs.
    fn rechecked(&self, role: Role, at: Millis) -> String {
        let slot = self.slot_of_role(role);
        let mut world = self.clone();
        world.settle(at);
        let word = |ready: bool| if ready { "ready" } else { "not ready" };
        let (Some(shallow), Some(deep)) =
            (world.readiness(slot, at), world.deep_readiness(slot, at))
        else {
            return format!("{} rechecked: nothing runs there", name(role));
        };
        let mut said = format!(
            "{} rechecked: {}, deep check {}",
            name(role),
            word(shallow.ready()),
            word(deep.ready()),
        );
        for (component, word) in deep.components.iter().filter(|(_, word)| *word != "ok") {
            said += &format!(", {component}: {word}");
        }
        if role == Role::Blue {
            let there = world.has_artefact(slot, at);
            said += if there { ", its artefact is there" } else { ", its artefact is missing" };
        }
        said
    }

    /// A weight, as the proxy obeys.
    fn weigh(&mut self, percent: Percent, at: Millis) -> Result<String, String> {
        use super::Wrote;
        let green = self.blue().other();
        let wanted = Split::giving(green, percent);
        match self.writes(at) {
            Wrote::Done => self.set_split(wanted, at),
            Wrote::Partly(share) => {
                let weights = self.part_of_the_way(super::proxy::weights(wanted), share);
                self.set_weights(weights, at);
            }
            Wrote::Ignored => {}
            Wrote::Refused => {
                return Err(format!("the proxy refused the weight with {}", self.refusal(at)));
            }
            Wrote::Mute => return Err("the proxy does not answer".to_owned()),
        }
        Ok(format!(
            "{percent} % to Green was written; Green has {:.0} % now",
            100.0 * self.share(green)
        ))
    }
}
