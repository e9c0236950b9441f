//! How the surroundings stood when a run ended, and what a later run finds changed.
//!
//! Between two runs nobody watches. The first thing that a run reads is therefore compared with
//! the last thing that the run before it knew: who served users, and which release ran in the slot
//! that is Blue now. What differs was changed outside Switchback's runs; it is said once, and
//! stops nothing. What either run did not know is not compared, and slots go by their names.

use super::core::Core;
use super::record::Record;
use super::snapshot::Snapshot;
use crate::clean::Clean;
use crate::units::{Percent, Role, Slot, Split};
use serde::{Deserialize, Serialize};

/// How a run left its surroundings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The slots' names, in the plan's order.
    pub slots: [Clean; 2],
    /// The slot that served all users; nothing where both did, or nobody knows.
    pub serves: Option<Clean>,
    /// Percent of the first slot; nothing where nobody knows.
    pub first: Option<Percent>,
    /// What each slot named as its release, in the same order.
    pub releases: [Option<Clean>; 2],
}

impl End {
    /// How things stood by a run's last snapshot.
    pub fn of(last: &Snapshot) -> Self {
        let first = match (last.blue, last.traffic.read) {
            (Some(Slot::First), Some(green)) => Some(green.rest()),
            (Some(Slot::Second), Some(green)) => Some(green),
            (None, _) => last.traffic.first,
            (Some(_), None) => None,
        };
        let serves = first.and_then(|first| Split::giving(Slot::First, first).sole());
        let release = |slot: Slot| {
            let role = if slot == last.blue? { Role::Blue } else { Role::Green };
            last.health[role.index()].release.clone()
        };
        Self {
            slots: last.slots.clone(),
            serves: serves.map(|slot| last.slots[slot.index()].clone()),
            first,
            releases: Slot::BOTH.map(release),
        }
    }

    /// Which of the slots had this name.
    fn slot(&self, name: &str) -> Option<usize> {
        self.slots.iter().position(|slot| slot.as_str() == name)
    }

    /// The split, in words.
    fn split(&self) -> Option<String> {
        let first = self.first?;
        let [one, two] = &self.slots;
        Some(match &self.serves {
            Some(name) => format!("{name} served all users"),
            None => format!("users were split {one} {first} / {two} {}", first.rest()),
        })
    }
}

/// How the last run on the same router left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastEnd {
    /// The run's id.
    pub run: String,
    /// When it ended, in milliseconds since 1970.
    pub ended_unix_ms: i64,
    /// How things stood.
    pub end: End,
    /// Whether that was no run, but a way back straight to the router.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub straight: bool,
}

impl LastEnd {
    fn when(&self) -> String {
        if self.straight {
            "when `switchback rollback` had gone back without a run".to_owned()
        } else {
            format!("when run {} ended", self.run)
        }
    }
}

impl Core {
    /// Blue is fixed: does the slot serve users that did when the last run ended?
    pub(super) fn compare_split_with_last_end(&mut self, blue: Slot) {
        let Some(last) = &self.facts.last_end else { return };
        let name = Clean::new(self.plan.slot_name(blue));
        // Slots that have other names by now cannot be compared.
        let known = Slot::BOTH.iter().all(|&s| last.end.slot(self.plan.slot_name(s)).is_some());
        let Some(was) = last.end.split().filter(|_| known) else { return };
        if last.end.serves.as_ref() == Some(&name) {
            return;
        }
        let says =
            format!("changed outside Switchback: {name} serves all users; {}, {was}", last.when());
        self.outside(&was, &format!("{name} serves all users"), &says);
    }

    /// Blue names a release: is it the one that ran there when the last run ended?
    pub(super) fn compare_release_with_last_end(&mut self) {
        if self.release_compared {
            return;
        }
        let (Some(last), Some(blue)) = (&self.facts.last_end, self.world.blue) else { return };
        let Some(is) = self.world.health[Role::Blue.index()].release.clone() else { return };
        self.release_compared = true;
        let name = self.plan.slot_name(blue);
        let was = last.end.slot(name).and_then(|slot| last.end.releases[slot].clone());
        let Some(was) = was.filter(|was| *was != is) else { return };
        let says =
            format!("changed outside Switchback: {name} runs {is}; {}, it ran {was}", last.when());
        self.outside(was.as_str(), is.as_str(), &says);
    }

    fn outside(&mut self, was: &str, is: &str, says: &str) {
        let [was, is, says] = [was, is, says].map(Clean::new);
        self.changed_outside.push(says.clone());
        self.record(Record::Outside { was, is, says });
    }
}
