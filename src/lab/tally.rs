//! What really happened to users, counted exactly by the world, which knows. Scores are made
//! from this and never from what a screen showed.

use crate::units::Slot;
use serde::{Deserialize, Serialize};

/// What users got from one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SlotTally {
    /// Requests of users that were sent to the slot.
    pub requests: u64,
    /// Of these, answered with 5xx, too late, or not at all.
    pub failed: u64,
    /// Of these, answered with 4xx.
    pub client_errors: u64,
    /// Of these, answered well but later than users call slow: a second, unless the scenario says so.
    pub slow: u64,
    /// Of these, refused a connection by the database.
    pub db_refused: u64,
    /// Of these, answered with a good status and a wrong answer.
    #[serde(default)]
    pub wrong: u64,
    /// Of these, by users who were logged out by it.
    #[serde(default)]
    pub sessions_lost: u64,
    /// Of the failed ones, by a client that abuses the service: harm to nobody.
    #[serde(default)]
    pub abusive: u64,
}

/// What happened to users, in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Slot by slot.
    pub slots: [SlotTally; 2],
    /// Users whom the proxy sent nowhere, because no slot had weight, or who found no room.
    pub lost: u64,
    /// Jobs that were done.
    pub jobs_done: u64,
    /// Jobs that were done late, or wait longer than they should.
    #[serde(default)]
    pub jobs_late: u64,
    /// Jobs that consumers could not read and left out.
    #[serde(default, skip_serializing_if = "is_none")]
    pub jobs_skipped: u64,
    /// Things that were done twice and cannot be undone.
    #[serde(default)]
    pub duplicates: u64,
    /// Long uploads that were cut off.
    #[serde(default)]
    pub cut: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Tally {
    /// What users got from `slot`.
    pub const fn slot(&self, slot: Slot) -> &SlotTally {
        &self.slots[slot.index()]
    }

    /// Users who came.
    pub fn users(&self) -> u64 {
        self.slots.iter().map(|slot| slot.requests).sum::<u64>() + self.lost
    }

    /// Users who failed.
    pub fn users_failed(&self) -> u64 {
        self.slots.iter().map(|slot| slot.failed).sum::<u64>() + self.lost
    }
}
