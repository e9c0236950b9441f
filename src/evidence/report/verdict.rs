//! How a run ended, in the largest words of the page.

use super::super::Account;
use crate::runbook::{Kind, RunOutcome};

/// The verdict on a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// In large letters.
    pub word: &'static str,
    /// A sign that says it without colour.
    pub sign: &'static str,
    /// What that means for users, in a sentence.
    pub means: &'static str,
    /// Its class in the page: `good`, `back`, `warn`, `bad`.
    pub class: &'static str,
}

/// The verdict of an account.
pub fn of(account: &Account) -> Verdict {
    let (word, sign, means, class) = match account.outcome {
        Some(RunOutcome::Kept) => ("KEPT", "✔", "Green serves users, and stays.", "good"),
        Some(RunOutcome::RolledBack) => {
            ("BACK ON BLUE", "↩", "All traffic is back on Blue, as the router reported.", "back")
        }
        Some(RunOutcome::Abandoned) => {
            ("ABANDONED", "■", "No user was ever sent to Green by this run.", "warn")
        }
        Some(RunOutcome::Interrupted) => (
            "INTERRUPTED",
            "…",
            "The program ended before the run did. Traffic stayed where it was.",
            "warn",
        ),
        Some(RunOutcome::Failed) => (
            "FAILED",
            "✖",
            "Something failed that this run could not settle. Read how it ended.",
            "bad",
        ),
        None => (
            "CUT OFF",
            "✂",
            "The journal ends before the run did. What was true afterwards is not known.",
            "bad",
        ),
    };
    Verdict { word, sign, means, class }
}

/// What a kind is, in a sentence.
pub const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Deploy => "A deploy: users' traffic was at stake.",
        Kind::Drill => {
            "A drill in a simulated world: its services and users are not real, and nothing was \
             deployed."
        }
        Kind::Rehearsal => "A rehearsal of the way back on the real router: no new release.",
    }
}
