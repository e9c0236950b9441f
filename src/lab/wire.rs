//! What the lab's proxy says over its control endpoint, as JSON.

use crate::signal::Histogram;
use serde::{Deserialize, Serialize};

/// The proxy's state and what it has counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Which process answers; another one means that the proxy was restarted.
    pub worker: u64,
    /// The slots, in the plan's order.
    pub slots: [SlotState; 2],
    /// Whether the counters of the slots are there to be read.
    #[serde(default = "yes")]
    pub counted: bool,
}

const fn yes() -> bool {
    true
}

/// One slot, as the proxy sees it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SlotState {
    /// The slot's name.
    pub name: String,
    /// Its weight.
    pub weight: u32,
    /// Requests that were sent to it since the proxy began, failed ones included.
    pub requests: u64,
    /// Of these, answered with 5xx or not answered.
    pub failed: u64,
    /// Of these, answered with 4xx.
    pub client_errors: u64,
    /// Requests that wait for an answer now.
    pub in_flight: u64,
    /// Times to an answer, in milliseconds.
    pub latency_ms: Histogram,
}

/// What is asked of the proxy: the weight of each slot, in the plan's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetWeights {
    /// The weights, 0 to 256.
    pub weights: [u32; 2],
}
