//! What the command line says about one run only: `--release`, `--current`, `--migration`.

use super::fault::{Faults, PlanFault};
use super::{Migration, Plan, value};
use crate::clean::Clean;
use std::collections::BTreeMap;

/// Answers of the command line that go before the plan's; sealed with the run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// What Green shall run.
    pub release: Option<String>,
    /// What Blue runs.
    pub current: Option<String>,
    /// What the release does to the data.
    pub migration: Option<Migration>,
}

impl Overrides {
    /// What was said, by the option's name, as it is sealed with the run.
    pub fn sealed(&self) -> BTreeMap<String, Clean> {
        let said = |name: &str, value: Option<&str>| Some((name.to_owned(), Clean::new(value?)));
        [
            said("release", self.release.as_deref()),
            said("current", self.current.as_deref()),
            said("migration", self.migration.map(Migration::key)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Plan {
    /// The plan for this one run. The digest stays that of the file: what was overridden stands
    /// in the plan itself, which the journal carries.
    pub fn with(mut self, overrides: Overrides) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let mut checked = |option: &str, name: &str| match value::release(name) {
            Ok(_) => Some(name.to_owned()),
            Err(complaint) => {
                let cause = format!("the value {}", complaint.says);
                faults.push(PlanFault::file(option, &cause, &complaint.hint));
                None
            }
        };
        if let Some(next) = overrides.release {
            self.release.next = checked("--release", &next);
        }
        if let Some(current) = overrides.current {
            self.release.current = checked("--current", &current);
        }
        if let Some(migration) = overrides.migration {
            self.release.migration = migration;
        }
        if faults.is_empty() { Ok(self) } else { Err(Faults::new(faults)) }
    }
}
