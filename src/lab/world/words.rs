//! What the site's commands print: whether an artefact is there, what its configuration is like,
//! and what a deploy will ask of what both slots share. Who reads it before the deploy knows
//! more at step 1.

use super::World;
use crate::lab::anchor::Anchor;
use crate::lab::errand::RECHECK;
use crate::lab::fault::FaultKind;
use crate::lab::scenario::SLOT_NAMES;
use crate::units::{Millis, Slot};

impl World {
    /// What a check prints on whether a release can be deployed again, or why it cannot be.
    pub fn redeploy_check(&mut self, release: &str, at: Millis) -> Result<Vec<String>, String> {
        self.settle(at);
        let slot = self.slot_of(release)?;
        let seen_anew = self.anchors.seen(&Anchor::Event(RECHECK.to_owned())).is_some();
        if let Some(checked) = self.checked(slot, at).filter(|_| !seen_anew) {
            return Ok(vec![format!("the artefact of {release} is there, checked {checked} ago")]);
        }
        if !self.has_artefact(slot, at) {
            return Err(format!("the artefact of {release} is not in the store any more"));
        }
        let spec = &self.scenario.release(slot);
        let mut lines =
            vec![format!("the artefact of {release} is there, {} MB", spec.artefact_mb)];
        lines.push(format!(
            "the configuration of {} was changed {} ago",
            self.called(slot, at),
            spec.config_age
        ));
        let (open, max) = (self.db.open(), self.scenario.world.db.max_connections);
        let other = self.scenario.release(slot.other());
        lines.push(format!(
            "{open} of {max} database connections are open; {} may open {} more",
            other.version,
            other.workers * other.pool_per_worker
        ));
        let contract = self.faults.iter().any(|fault| {
            matches!(fault.spec.kind, FaultKind::SchemaMigrate { contract: true, .. })
        });
        if contract {
            lines.push(format!("{} takes away what {release} reads (contract)", other.version));
        }
        Ok(lines)
    }

    /// How long ago the check was made that is still read, though the artefact is gone since.
    fn checked(&self, slot: Slot, at: Millis) -> Option<&str> {
        self.faults.iter().find_map(|fault| match &fault.spec.kind {
            FaultKind::RollbackMissing { checked: Some(checked), .. }
                if self.hits(fault, slot) && fault.is_on(at) =>
            {
                Some(checked.as_str())
            }
            _ => None,
        })
    }

    /// How a slot's process ends again and again, where it does.
    pub fn ends_again(&self, slot: Slot, at: Millis) -> Option<String> {
        let service = &self.services[slot.index()];
        let listens = service.listens().filter(|_| service.dead)?;
        self.faults.iter().filter(|fault| self.hits(fault, slot)).find_map(|fault| {
            let FaultKind::BootFail { exit, .. } = fault.spec.kind else { return None };
            let starts = 1 + at.since(listens).0 / fault.spec.every.0.max(1);
            Some(format!("ended with status {exit} as it started, {starts} times so far"))
        })
    }

    /// What a deploy prints before it begins.
    pub fn deploy_says(&self, slot: Slot, at: Millis) -> Vec<String> {
        let (spec, other) = (self.scenario.release(slot), self.scenario.release(slot.other()));
        let version = self.version(slot);
        let fails = self.faults.iter().any(|fault| {
            matches!(fault.spec.kind, FaultKind::BootFail { .. })
                && self.hits(fault, slot)
                && fault.is_on(at)
        });
        // What has nothing to run in it is small.
        let size = if fails { (spec.artefact_mb / 25).max(1) } else { spec.artefact_mb };
        vec![
            format!(
                "artefact {version} found, {size} MB ({} has {} MB)",
                other.version, other.artefact_mb
            ),
            format!("starting {version} in {}", self.called(slot, at)),
        ]
    }

    /// The slot of a release that the store knows.
    pub fn slot_of(&self, release: &str) -> Result<Slot, String> {
        let known = [&self.scenario.world.blue.version, &self.scenario.world.green.version];
        if known[0] == release {
            return Ok(self.blue());
        }
        if known[1] == release {
            return Ok(self.blue().other());
        }
        Err(format!("there is no artefact of {release:?}; there are {} and {}", known[0], known[1]))
    }

    /// What a slot is called in the commands' words.
    fn called(&self, slot: Slot, at: Millis) -> &'static str {
        let swapped = self
            .faults
            .iter()
            .any(|f| matches!(f.spec.kind, FaultKind::LabelSwap { .. }) && f.is_on(at));
        SLOT_NAMES[if swapped { slot.other() } else { slot }.index()]
    }
}
