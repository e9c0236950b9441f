//! `state.before.json` and `state.after.json`: what ran where when a run began, and when it ended.
//!
//! Both tell the same things, so that they can be compared line by line: the split as the router
//! reported it, and for each slot its role, the release that it named itself, the release that was
//! declared for it, and its health. What nobody reported is null. Nothing is concluded here.

use super::environment::pretty;
use crate::clean::Clean;
use crate::journal::Run;
use crate::journal::line::utc;
use crate::runbook::{Effect, Event, Kind, Outcome, Record};
use crate::signal::{Sample, Whose};
use crate::units::{Millis, Role, Slot};
use serde::Serialize;

/// Which end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The beginning: the first that was said of everything.
    Before,
    /// The end: the last that was said.
    After,
}

#[derive(Serialize)]
struct State {
    run: String,
    kind: Kind,
    host: Clean,
    when: End,
    service: Clean,
    split: Option<SplitSeen>,
    slots: Vec<SlotSeen>,
}

#[derive(Serialize)]
struct SplitSeen {
    at_ms: u64,
    time: String,
    percent: [u8; 2],
}

#[derive(Serialize)]
struct SlotSeen {
    name: Clean,
    role: Option<Role>,
    release_seen: Option<Clean>,
    release_declared: Option<Clean>,
    live: Option<bool>,
    ready: Option<bool>,
    why: Option<Clean>,
    health_at_ms: Option<u64>,
}

/// The file for one end of a run.
pub fn json(run: &Run, when: End) -> String {
    let facts = &run.opened.facts;
    let plan = &run.opened.plan;
    let blue = run.effects().find_map(|(_, effect)| match effect {
        Effect::Record(Record::Blue { slot, .. }) => Some(*slot),
        _ => None,
    });
    let split = split(run, when).map(|(at, percent)| SplitSeen {
        at_ms: at.0,
        time: utc(facts.began_unix_ms.saturating_add(i64::try_from(at.0).unwrap_or(i64::MAX))),
        percent,
    });
    let slots = Slot::BOTH.map(|slot| {
        let role = blue.map(|blue| if blue == slot { Role::Blue } else { Role::Green });
        let whose = role.map(Whose::from);
        let release = |sample: &Sample| sample.release.is_some();
        let health = |sample: &Sample| sample.live.is_some() || sample.ready.is_some();
        let health = whose.and_then(|whose| second(run, whose, when, health));
        SlotSeen {
            name: Clean::new(plan.slot_name(slot)),
            role,
            release_seen: whose
                .and_then(|whose| second(run, whose, when, release)?.release.clone()),
            release_declared: match role {
                Some(Role::Blue) => plan.release.current.as_deref().map(Clean::new),
                Some(Role::Green) => plan.release.next.as_deref().map(Clean::new),
                None => None,
            },
            live: health.and_then(|sample| sample.live),
            ready: health.and_then(|sample| sample.ready),
            why: health.and_then(|sample| sample.why.clone()),
            health_at_ms: health.map(|sample| sample.at.0),
        }
    });
    pretty(&State {
        run: facts.run.clone(),
        kind: facts.kind,
        host: facts.host.clone(),
        when,
        service: Clean::new(&plan.service),
        split,
        slots: slots.into(),
    })
}

/// The first or the last split that the router reported, in percent by slot.
fn split(run: &Run, when: End) -> Option<(Millis, [u8; 2])> {
    let mut reported = run.turns.iter().filter_map(|turn| {
        let read = match &turn.event {
            Event::Read(read) | Event::Done { outcome: Outcome::Router(read), .. } => read,
            _ => return None,
        };
        let split = read.split()?;
        Some((turn.at, Slot::BOTH.map(|slot| split.share(slot).get())))
    });
    match when {
        End::Before => reported.next(),
        End::After => reported.next_back(),
    }
}

/// The first or the last second of a slot that says what is asked.
fn second(run: &Run, whose: Whose, when: End, says: impl Fn(&Sample) -> bool) -> Option<&Sample> {
    let mut seconds = run.turns.iter().filter_map(|turn| match &turn.event {
        Event::Sample(sample) if sample.role == whose && says(sample) => Some(&**sample),
        _ => None,
    });
    match when {
        End::Before => seconds.next(),
        End::After => seconds.next_back(),
    }
}
