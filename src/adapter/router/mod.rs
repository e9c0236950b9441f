//! Routers: where the split is set and read.
//!
//! Every router is driven through [`Router`]. A write is always followed by a read in the same
//! call: what counts is what the router reports, not what we asked. Dropping the future of a call
//! closes its connection (or kills its process group): that is how a write in flight is ended.

pub mod lab;

use crate::clean::Clean;
use crate::runbook::readback::{Fault, Readback};
use crate::signal::Histogram;
use crate::units::Split;

/// What a router has counted for one slot since it began counting. A number that falls means
/// that it began anew.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SlotCounters {
    /// Requests that were sent to the slot, failed ones included.
    pub requests: u64,
    /// Of these, answered with 5xx or not answered.
    pub failed: u64,
    /// Of these, answered with 4xx.
    pub client_errors: u64,
    /// Requests that wait for an answer now.
    pub in_flight: u64,
    /// Times to an answer, where the router keeps them.
    pub latency_ms: Option<Histogram>,
}

/// The split and the counters, read together.
#[derive(Debug, Clone, PartialEq)]
pub struct RouterStats {
    /// What the nodes report.
    pub readback: Readback,
    /// What they have counted, in the plan's order, where they count.
    pub slots: Option<[SlotCounters; 2]>,
}

/// A router of any kind.
#[derive(Debug)]
pub enum Router {}

impl Router {
    /// Reads the split.
    pub async fn read(&mut self) -> Readback {
        match *self {}
    }

    /// Writes the split, then reads it back.
    pub async fn set(&mut self, _split: Split) -> Readback {
        match *self {}
    }

    /// Reads the split and the counters.
    pub async fn stats(&mut self) -> RouterStats {
        match *self {}
    }

    /// Lets the router keep the split that it reports, so that it survives a restart; says what
    /// was kept and where.
    pub async fn persist(&mut self) -> Result<Clean, Fault> {
        match *self {}
    }
}
