//! What is known of the world, and how old it is.
//!
//! Unknown, stale and bad are three things. Everything here forgets: what was read too long ago
//! is not known any more, and what is not known opens no gate.

use super::readback::Readback;
use crate::clean::Clean;
use crate::plan::Plan;
use crate::signal::{Cadence, Judge, Origin, Record, Sample, Whose};
use crate::units::{Millis, Percent, Role, Slot, Split};

/// A router that was not read for longer than this is not known any more.
pub(super) const ROUTER_STALE: Millis = Millis::secs(5);
/// Users are told over the last minute.
const SEEN_OVER: Millis = Millis::secs(60);

/// How one slot is.
#[derive(Debug, Clone, Default)]
pub(super) struct SlotHealth {
    pub live: Option<bool>,
    pub ready: Option<bool>,
    /// Since when `ready` is what it is.
    pub since: Millis,
    pub last: Option<Millis>,
    pub good: u64,
    pub checks: u64,
    pub why: Option<Clean>,
    pub release: Option<Clean>,
    pub artefact: Option<Clean>,
    pub in_flight: Option<u64>,
}

/// What is known of the world.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub blue: Option<Slot>,
    pub readback: Option<(Readback, Millis)>,
    /// The last read-back in which any router said anything.
    last_said: Option<(Readback, Millis)>,
    /// The last read-back from which a split could be told.
    pub good: Option<(Split, Millis)>,
    pub worker: Option<u64>,
    pub health: [SlotHealth; 2],
    /// Of Blue and of Green.
    pub judges: [Judge; 2],
    /// When the limits are judged.
    pub cadence: Cadence,
    seen: [crate::signal::window::Share; 2],
    stale_after: Millis,
    /// Whether the router counts users: it has, for some slot, at some time.
    pub counts_users: bool,
}

impl World {
    pub fn new(plan: &Plan, record: &Record) -> Self {
        let seen = || crate::signal::window::Share::new(SEEN_OVER);
        Self {
            blue: None,
            readback: None,
            last_said: None,
            good: None,
            worker: None,
            health: [SlotHealth::default(), SlotHealth::default()],
            judges: [Judge::of_blue(plan), Judge::of_green(plan, record)],
            cadence: Cadence::live(),
            seen: [seen(), seen()],
            // Two checks in a row may be late before a slot is not known any more.
            counts_users: false,
            stale_after: Millis((plan.health.every.0 + plan.health.timeout.0) * 2)
                .max(Millis::secs(5)),
        }
    }

    pub fn router_read(&mut self, readback: &Readback, at: Millis) {
        if readback.states().next().is_some() {
            match &mut self.last_said {
                Some((last, when)) if last == readback => *when = at,
                last => *last = Some((readback.clone(), at)),
            }
        }
        if let Some(split) = readback.split() {
            self.good = Some((split, at));
        }
        if let Some(worker) = readback.states().find_map(|state| state.worker) {
            self.worker = Some(worker);
        }
        match &mut self.readback {
            // Read once a second, it mostly says what it said before.
            Some((last, when)) if last.nodes == readback.nodes => {
                (last.took_us, *when) = (readback.took_us, at);
            }
            last => *last = Some((readback.clone(), at)),
        }
    }

    /// The split that the routers report; nothing if they cannot be read, differ, or were read
    /// too long ago.
    pub fn split(&self, now: Millis) -> Option<Split> {
        let (readback, at) = self.readback.as_ref()?;
        (now.since(*at) <= ROUTER_STALE).then(|| readback.split()).flatten()
    }

    /// The most that any node gives to `slot`, by the last read-back.
    pub fn most(&self, slot: Slot) -> Option<Percent> {
        self.readback.as_ref().and_then(|(readback, _)| readback.most(slot))
    }

    /// Whether any router says that it would not send anybody to Blue, whatever its weight. One
    /// that says nothing about it is not down.
    pub fn blue_is_down(&self, now: Millis) -> bool {
        // A router that did not answer since has not said that Blue is up again.
        let (Some(blue), Some((readback, at))) = (self.blue, &self.last_said) else { return false };
        now.since(*at) <= ROUTER_STALE
            && readback.states().any(|state| state.up[blue.index()] == Some(false))
    }

    /// Why the split is not known, if it is not.
    pub fn router_trouble(&self, now: Millis) -> Option<Clean> {
        let Some((readback, at)) = &self.readback else {
            return Some(Clean::new("not read yet"));
        };
        if let Some((node, fault)) = readback.first_fault() {
            return Some(Clean::new(&format!("{node}: {}", fault.cause)));
        }
        if now.since(*at) > ROUTER_STALE {
            return Some(Clean::new(&format!(
                "last read {} ago",
                Millis::secs(now.since(*at).as_secs())
            )));
        }
        readback.split().is_none().then(|| {
            if readback.nodes.len() > 1 {
                Clean::new("the routers report different splits")
            } else {
                Clean::new("neither slot has any weight: users get errors")
            }
        })
    }

    pub fn add(&mut self, sample: &Sample) {
        self.cadence.heard(sample);
        for judge in &mut self.judges {
            judge.add(sample);
        }
        let role = match sample.role {
            Whose::Blue => Role::Blue,
            Whose::Green => Role::Green,
            Whose::Both => return,
        };
        if sample.from == Origin::Users {
            self.counts_users = true;
            if let Some(requests) = sample.requests {
                self.seen[role.index()].add(sample.at, 0, requests);
            }
            self.health[role.index()].in_flight = sample.in_flight;
            return;
        }
        let health = &mut self.health[role.index()];
        if let Some(live) = sample.live {
            health.live = Some(live);
        }
        if sample.release.is_some() {
            health.release.clone_from(&sample.release);
        }
        if sample.artefact.is_some() {
            health.artefact.clone_from(&sample.artefact);
        }
        if let Some(ready) = sample.ready {
            if health.ready != Some(ready) {
                health.since = sample.at;
            }
            health.ready = Some(ready);
            health.why.clone_from(&sample.why);
            health.last = Some(sample.at);
        }
        let checks = sample.checks.unwrap_or(0);
        health.checks = health.checks.saturating_add(checks);
        let good = checks.saturating_sub(sample.unready.unwrap_or(0));
        health.good = health.good.saturating_add(good);
    }

    /// Whether a slot is live and ready now; nothing while that is unknown or too old.
    pub fn ready(&self, role: Role, now: Millis) -> Option<bool> {
        let health = &self.health[role.index()];
        let fresh = health.last.is_some_and(|last| now.since(last) <= self.stale_after);
        if !fresh { None } else { health.ready.map(|ready| ready && health.live != Some(false)) }
    }

    /// Green's answered users and all, over the last minute; nothing where nobody counts them.
    pub fn seen(&mut self, now: Millis) -> Option<(u64, u64)> {
        for window in &mut self.seen {
            window.slide(now);
        }
        let [blue, green] = [self.seen[0].counts().1, self.seen[1].counts().1];
        (blue + green > 0).then_some((green, blue + green))
    }

    /// Forgets what was seen of a slot, because another version runs in it now.
    pub fn forget(&mut self, role: Role) {
        self.health[role.index()] = SlotHealth::default();
    }

    /// Who judges Green.
    pub const fn green(&self) -> &Judge {
        &self.judges[Role::Green.index()]
    }

    /// Who judges Green, to be told of a new phase.
    pub const fn green_mut(&mut self) -> &mut Judge {
        &mut self.judges[Role::Green.index()]
    }
}
