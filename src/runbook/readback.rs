//! What the routers report, node by node.
//!
//! A read-back is a list from the first day: one router is a list of one. Each node has its own
//! outcome, and the split is known only where every node reports the same one.

use crate::clean::Clean;
use crate::units::{Percent, Slot, Split};
use serde::{Deserialize, Serialize};

/// One answer of all nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readback {
    /// Every node that was asked, in a fixed order.
    pub nodes: Vec<NodeRead>,
    /// How long it took to ask, in microseconds.
    pub took_us: u64,
}

/// One node's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRead {
    /// The node's address.
    pub node: Clean,
    /// What it said.
    pub outcome: NodeOutcome,
}

/// What a node said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeOutcome {
    /// It reported its state.
    State(NodeState),
    /// It could not be asked, refused, or made no sense.
    Fault(Fault),
}

/// A node's own report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeState {
    /// The weight of each slot in the node's own unit, in the plan's order.
    pub weights: [u32; 2],
    /// Whether the node itself would send traffic to each slot, where it says so.
    pub up: [Option<bool>; 2],
    /// Which process answered, where it says so; another one means a reload in between.
    pub worker: Option<u64>,
}

impl NodeState {
    /// The split in whole percent. A slot with any weight has at least 1, a slot without weight
    /// has 0; both without weight is no split.
    pub fn split(&self) -> Option<Split> {
        let [first, second] = self.weights.map(u64::from);
        let total = first + second;
        if total == 0 {
            return None;
        }
        let percent = match (first, second) {
            (_, 0) => 0,
            (0, _) => 100,
            _ => ((second * 200 + total) / (total * 2)).clamp(1, 99),
        };
        Some(Split::giving(Slot::Second, Percent::new(percent as u8)?))
    }
}

/// Why something outside could not be done, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Which kind of trouble.
    pub kind: FaultKind,
    /// What was tried, on what, and what came back: a lowercase fragment.
    pub cause: Clean,
    /// The next move.
    pub hint: Clean,
}

impl Fault {
    /// A fault from its parts.
    pub fn new(kind: FaultKind, cause: impl AsRef<str>, hint: impl AsRef<str>) -> Self {
        Self { kind, cause: Clean::new(cause.as_ref()), hint: Clean::new(hint.as_ref()) }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.cause)
    }
}

/// Kinds of trouble outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// It could not be reached.
    Unreachable,
    /// It did not answer in time.
    TimedOut,
    /// It answered, and said no.
    Refused,
    /// It answered, and it made no sense.
    Garbage,
    /// It is not what the plan says: a backend or server is missing, or ambiguous.
    Mismatch,
    /// A process that is on its way out answered.
    OldWorker,
    /// We ended it ourselves.
    Cancelled,
    /// Our own side failed: a file, a process.
    Local,
}

impl Readback {
    /// A read-back of one node that could not be had.
    pub fn fault(node: impl AsRef<str>, fault: Fault, took_us: u64) -> Self {
        let node = Clean::new(node.as_ref());
        Self { nodes: vec![NodeRead { node, outcome: NodeOutcome::Fault(fault) }], took_us }
    }

    /// The split that every node reports; `None` if one cannot be read or they differ.
    pub fn split(&self) -> Option<Split> {
        let mut splits = self.nodes.iter().map(|node| match &node.outcome {
            NodeOutcome::State(state) => state.split(),
            NodeOutcome::Fault(_) => None,
        });
        let first = splits.next()??;
        splits.all(|split| split == Some(first)).then_some(first)
    }

    /// The most that any node that answered gives to `slot`.
    pub fn most(&self, slot: Slot) -> Option<Percent> {
        self.states().filter_map(|s| s.split()).map(|split| split.share(slot)).max()
    }

    /// The states of the nodes that answered.
    pub fn states(&self) -> impl Iterator<Item = &NodeState> {
        self.nodes.iter().filter_map(|node| match &node.outcome {
            NodeOutcome::State(state) => Some(state),
            NodeOutcome::Fault(_) => None,
        })
    }

    /// The first fault, with the node it stands for.
    pub fn first_fault(&self) -> Option<(&Clean, &Fault)> {
        self.nodes.iter().find_map(|node| match &node.outcome {
            NodeOutcome::Fault(fault) => Some((&node.node, fault)),
            NodeOutcome::State(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(first: u32, second: u32) -> Option<u8> {
        let state = NodeState { weights: [first, second], up: [None; 2], worker: None };
        state.split().map(|s| s.share(Slot::Second).get())
    }

    #[test]
    fn any_weight_is_at_least_one_percent_and_none_is_none() {
        assert_eq!(split(0, 0), None);
        assert_eq!(split(256, 0), Some(0));
        assert_eq!(split(0, 1), Some(100));
        assert_eq!(split(256, 1), Some(1));
        assert_eq!(split(1, 256), Some(99));
        assert_eq!(split(90, 10), Some(10));
        assert_eq!(split(1, 1), Some(50));
    }

    #[test]
    fn nodes_that_differ_are_no_split() {
        let node = |weights| NodeRead {
            node: Clean::new("n"),
            outcome: NodeOutcome::State(NodeState { weights, up: [None; 2], worker: None }),
        };
        let read = |nodes| Readback { nodes, took_us: 1 };
        assert!(read(vec![node([1, 0]), node([9, 0])]).split().is_some());
        assert!(read(vec![node([1, 0]), node([0, 1])]).split().is_none());
        assert!(read(vec![]).split().is_none());
    }
}
