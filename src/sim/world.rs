//! Everything outside the core, and what is wrong with it.

use super::router::Router;
use super::slots::Slots;
use crate::plan::CommandName;
use crate::units::{Slot, Split};
use std::collections::BTreeMap;

/// How one of the operator's commands ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Well, after so many milliseconds.
    Good(u64),
    /// With this status, after so many milliseconds.
    Fails(i32, u64),
    /// Not by itself: it is killed when its time is up.
    Hangs,
    /// Nobody ever hears of it again.
    Lost,
}

/// Everything outside the core, and what is wrong with it.
#[derive(Debug, Clone)]
pub struct World<M = Slots> {
    /// The router, with its manner.
    pub router: Router,
    /// What runs in the slots.
    pub slots: M,
    /// How each command ends; one that is not named ends well, at once.
    pub commands: BTreeMap<CommandName, Fate>,
    /// Whether the journal can be written.
    pub journal_works: bool,
    /// Whether an answer to an act that was cancelled still comes, much later.
    pub late_answers: bool,
    /// The release that the deploy command brings; the plan's unless told.
    pub deploys: Option<String>,
    /// Whether the router is read by routine, as often as the slots are measured.
    pub routine_reads: bool,
}

impl<M> World<M> {
    /// A world where nothing is wrong outside of the slots, and all users are on the first one.
    pub fn of(slots: M) -> Self {
        Self {
            router: Router::new(Split::all_to(Slot::First)),
            slots,
            commands: CommandName::ALL.into_iter().map(|name| (name, Fate::Good(2_000))).collect(),
            journal_works: true,
            late_answers: true,
            deploys: None,
            routine_reads: true,
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Self::of(Slots::default())
    }
}
