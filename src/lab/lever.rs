//! What an operator can do to the lab besides the cockpit's own keys: the levers of a real site,
//! such as the button that pauses a queue. They are pulled as commands on the control endpoint,
//! or by a declaration; when one was pulled, `event:` and its name is an anchor.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A lever of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lever {
    /// The consumers stop.
    PauseQueue,
    /// The consumers go on.
    ResumeQueue,
    /// Jobs that the consumers cannot read are put aside.
    Quarantine,
    /// The shared cache forgets everything.
    PurgeCache,
    /// Green's scheduler stops.
    StopScheduler,
    /// The migration that runs is cancelled.
    CancelMigration,
    /// Batch work leaves the database.
    ShedBatch,
    /// What sets a latent fault off is switched off.
    DisableTrigger,
    /// A repaired release goes to Green.
    Patch,
    /// A slice of what hangs on the old slot is asked to connect anew.
    DrainSlice,
    /// All traffic goes to Blue, past the router's own interface.
    SecondPath,
    /// Traffic goes to Blue in steps, a quarter, a half and all of it within forty seconds.
    RampBack,
    /// A slot's configuration goes back to what has run.
    RevertDrift,
    /// An old artefact comes back from its backup.
    RestoreArtefact,
}

impl Lever {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::PauseQueue,
        Self::ResumeQueue,
        Self::Quarantine,
        Self::PurgeCache,
        Self::StopScheduler,
        Self::CancelMigration,
        Self::ShedBatch,
        Self::DisableTrigger,
        Self::Patch,
        Self::DrainSlice,
        Self::SecondPath,
        Self::RampBack,
        Self::RevertDrift,
        Self::RestoreArtefact,
    ];

    /// Its name, as a command and after `event:`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PauseQueue => "pause-queue",
            Self::ResumeQueue => "resume-queue",
            Self::Quarantine => "quarantine",
            Self::PurgeCache => "purge-cache",
            Self::StopScheduler => "stop-scheduler",
            Self::CancelMigration => "cancel-migration",
            Self::ShedBatch => "shed-batch",
            Self::DisableTrigger => "disable-trigger",
            Self::Patch => "patch",
            Self::DrainSlice => "drain-slice",
            Self::SecondPath => "second-path",
            Self::RampBack => "ramp-back",
            Self::RevertDrift => "revert-drift",
            Self::RestoreArtefact => "restore-artefact",
        }
    }

    /// The lever of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lever| lever.name() == name)
    }
}

impl fmt::Display for Lever {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
