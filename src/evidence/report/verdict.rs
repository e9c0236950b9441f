//! How a run ended, in the largest words of the page.

use super::super::Account;
use crate::runbook::{Kind, RunOutcome};
use crate::units::Role;

/// The verdict on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// In large letters.
    pub word: &'static str,
    /// A sign that says it without colour.
    pub sign: &'static str,
    /// What that means for users, in a sentence.
    pub means: String,
    /// Its class in the page: `good`, `back`, `warn`, `bad`.
    pub class: &'static str,
}

/// The verdict of an account.
pub fn of(account: &Account) -> Verdict {
    let read = || last_read(account);
    let (word, sign, means, class) = match account.outcome {
        Some(RunOutcome::Kept) => ("KEPT", "✔", on(account, Role::Green), "good"),
        Some(RunOutcome::RolledBack) => ("BACK ON BLUE", "↩", on(account, Role::Blue), "back"),
        Some(RunOutcome::Abandoned) => {
            ("ABANDONED", "■", "No user was ever sent to Green by this run.".to_owned(), "warn")
        }
        Some(RunOutcome::Interrupted) => (
            "INTERRUPTED",
            "…",
            format!(
                "{} The program ended before the run did; traffic stayed where it was.",
                read()
            ),
            "warn",
        ),
        Some(RunOutcome::Failed) => (
            "FAILED",
            "✖",
            format!("{} Something failed that this run could not settle.", read()),
            "bad",
        ),
        None => {
            ("CUT OFF", "✂", format!("{} What was true afterwards is not known.", read()), "bad")
        }
    };
    Verdict { word, sign, means, class }
}

/// Where users are, for somebody who does not know Blue from Green.
fn on(account: &Account, role: Role) -> String {
    let who = if account.kind == Kind::Drill { "Simulated users" } else { "Users" };
    let release = match role {
        Role::Blue => &account.current,
        Role::Green => &account.next,
    };
    let (again, means) = match (role, account.kind) {
        (Role::Blue, Kind::Rehearsal) => (" again", "where they were before"),
        (Role::Blue, _) => (" again", "the version before"),
        (Role::Green, Kind::Rehearsal) => ("", "the other slot"),
        (Role::Green, _) => ("", "the new version"),
    };
    let where_ = release.as_ref().map_or_else(
        || format!("{role}{again}, {means}"),
        |release| format!("{release}{again} ({role}, {means})"),
    );
    let reported = if role == Role::Blue { ", as the router reported" } else { "" };
    format!("{who} are on {where_}{reported}.")
}

/// What the router was last read to give, and when.
fn last_read(account: &Account) -> String {
    account.last_read.map_or_else(
        || "What the router gave last was not read.".to_owned(),
        |(at, green)| {
            let at = crate::text::utc(account.unix_ms(at));
            format!("The router last read {green} % on Green, at {at}.")
        },
    )
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
