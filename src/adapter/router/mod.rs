//! Routers: where the split is set and read.
//!
//! Every router is driven through [`Router`]. A write is always followed by a read in the same
//! call: what counts is what the router reports, not what we asked. Dropping the future of a call
//! closes its connection (or kills its process group): that is how a write in flight is ended.

pub mod command;
pub mod haproxy;
pub mod lab;

pub use command::CommandRouter;
pub use haproxy::HaproxyRouter;
pub use lab::LabRouter;

use crate::clean::Clean;
use crate::plan::{Plan, RouterKind};
use crate::runbook::readback::{Fault, Readback};
use crate::signal::Histogram;
use crate::signal::counter::Counts;
use crate::units::{Slot, Split};

/// What a router has counted for one slot since it began counting. A number that falls means
/// that it began anew.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SlotCounters {
    /// Requests to the slot, failed ones included. Some routers count a request when they send
    /// it, others when it has ended.
    pub requests: u64,
    /// Requests to the slot that have ended, in whatever way.
    pub ended: u64,
    /// Of these, answered with 5xx or not answered.
    pub failed: u64,
    /// Of these, answered with 4xx.
    pub client_errors: u64,
    /// Requests that wait for an answer now.
    pub in_flight: u64,
    /// Times to an answer, where the router keeps them.
    pub latency_ms: Option<Histogram>,
}

impl From<SlotCounters> for Counts {
    /// What grows; the requests in flight are a gauge and stay behind.
    fn from(counters: SlotCounters) -> Self {
        Self {
            requests: counters.requests,
            failed: counters.failed,
            client_errors: counters.client_errors,
            latency_ms: counters.latency_ms,
        }
    }
}

/// The split and the counters, read together.
#[derive(Debug, Clone, PartialEq)]
pub struct RouterStats {
    /// What the nodes report.
    pub readback: Readback,
    /// What they have counted, in the plan's order, where they count.
    pub slots: Option<[SlotCounters; 2]>,
}

/// A router of any kind. A clone drives the same router over connections of its own: the way back
/// keeps one for itself. What one of them finds out about the router all of them know.
#[derive(Debug, Clone)]
pub enum Router {
    /// HAProxy, over its runtime API.
    Haproxy(Box<HaproxyRouter>),
    /// Two commands of the operator's.
    Command(CommandRouter),
    /// The lab's own proxy.
    Lab(LabRouter),
}

impl Router {
    /// The router that the plan names. Nothing is asked of it yet.
    pub fn of_plan(plan: &Plan) -> Result<Self, Fault> {
        match &plan.router.kind {
            RouterKind::Haproxy { .. } => {
                Ok(Self::Haproxy(Box::new(HaproxyRouter::of_plan(plan)?)))
            }
            RouterKind::Command { .. } => CommandRouter::of_plan(plan).map(Self::Command),
            RouterKind::Lab { address } => {
                Ok(Self::Lab(LabRouter::new(address.clone(), plan.router.timeout)))
            }
        }
    }

    /// Reads the split.
    pub async fn read(&mut self) -> Readback {
        match self {
            Self::Haproxy(router) => router.read().await,
            Self::Command(router) => router.read().await,
            Self::Lab(router) => router.read().await,
        }
    }

    /// Writes the split, then reads it back.
    pub async fn set(&mut self, split: Split) -> Readback {
        match self {
            Self::Haproxy(router) => router.set(split).await,
            Self::Command(router) => router.set(split).await,
            Self::Lab(router) => router.set(split).await,
        }
    }

    /// Reads the split and the counters.
    pub async fn stats(&mut self) -> RouterStats {
        match self {
            Self::Haproxy(router) => router.stats().await,
            Self::Command(router) => RouterStats { readback: router.read().await, slots: None },
            Self::Lab(router) => router.stats().await,
        }
    }

    /// Lets the router keep the split that it reports, so that it survives a restart; says what
    /// was kept and where. To be called only after a write has been verified.
    pub async fn persist(&mut self) -> Result<Clean, Fault> {
        match self {
            Self::Haproxy(router) => router.persist().await,
            Self::Command(_) => Ok(CommandRouter::persist()),
            Self::Lab(_) => Ok(LabRouter::persist()),
        }
    }

    /// A name that is the same for every plan that drives the same router, for the lock.
    pub async fn identity(&mut self) -> Result<String, Fault> {
        match self {
            Self::Haproxy(router) => router.identity().await,
            Self::Command(router) => Ok(router.identity()),
            Self::Lab(router) => Ok(router.identity()),
        }
    }

    /// The slot that an answer names: by the plan's name for it, or by the router's own.
    pub async fn slot_named(&mut self, plan: &Plan, name: &str) -> Option<Slot> {
        match (plan.slot_named(name), self) {
            (Some(slot), _) => Some(slot),
            (None, Self::Haproxy(router)) => router.slot_served_by(name).await,
            (None, _) => None,
        }
    }

    /// What may keep users where they are, whatever is written, as sentences; empty before the
    /// first read.
    pub fn cautions(&self) -> Vec<Clean> {
        match self {
            Self::Haproxy(router) => router.cautions(),
            Self::Command(_) | Self::Lab(_) => Vec::new(),
        }
    }

    /// What the operator should know about this router before the first write, as sentences.
    pub fn notes(&self) -> Vec<Clean> {
        match self {
            Self::Haproxy(router) => router.notes(),
            Self::Command(_) | Self::Lab(_) => Vec::new(),
        }
    }
}
