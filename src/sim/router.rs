//! A router that obeys, refuses, acknowledges and does nothing, falls silent, or is late.

use crate::clean::Clean;
use crate::runbook::{Fault, FaultKind, NodeOutcome, NodeRead, NodeState, Readback};
use crate::units::{Percent, Slot, Split};

/// What a router does with a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Does it, and says so.
    Obeys,
    /// Goes so many percent of the way, and says how far it has come.
    Partly(u8),
    /// Says no.
    Refuses,
    /// Says yes and does nothing.
    Ignores,
    /// Says nothing, ever; not to a read either.
    Mute,
    /// Cannot be reached, for reads either.
    Unreachable,
    /// Answers nothing in time, and does it after so many milliseconds.
    Late(u64),
}

/// A router of one node.
#[derive(Debug, Clone)]
pub struct Router {
    /// What it does, whoever asked for it.
    pub split: Split,
    /// What it does with a write.
    pub manner: Manner,
    /// How many more writes it treats so before it obeys; nothing for ever.
    pub for_writes: Option<u32>,
    /// Milliseconds from a write or a read to its answer.
    pub delay: u64,
    /// Which process answers.
    pub worker: u64,
    /// Whether it would send anybody to each slot, where it says so.
    pub up: [Option<bool>; 2],
    /// Whether a write that is cancelled does not take effect.
    pub honours_cancel: bool,
    /// Whether it reports that neither slot has any weight.
    pub reports_nobody: bool,
    /// What its node is called.
    pub name: Clean,
}

impl Router {
    /// An obedient router that gives so much to each slot.
    pub fn new(split: Split) -> Self {
        Self {
            split,
            manner: Manner::Obeys,
            for_writes: None,
            delay: 2,
            worker: 1,
            up: [Some(true); 2],
            honours_cancel: true,
            reports_nobody: false,
            name: Clean::new("router"),
        }
    }

    /// Behaves like this, for so many writes or for ever.
    pub fn behaves(&mut self, manner: Manner, for_writes: Option<u32>) {
        (self.manner, self.for_writes) = (manner, for_writes);
    }

    /// Somebody restarts it, and it falls back to its configuration.
    pub fn restarts(&mut self, split: Split) {
        self.split = split;
        self.worker += 1;
    }

    /// How it treats the write that comes now.
    pub(super) fn take_write(&mut self) -> Manner {
        let manner = self.manner;
        if let Some(left) = &mut self.for_writes {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.behaves(Manner::Obeys, None);
            }
        }
        manner
    }

    /// What a read brings; nothing where no answer comes.
    pub(super) fn read(&self) -> Option<Readback> {
        match self.manner {
            Manner::Mute => None,
            Manner::Unreachable => Some(Readback::fault("router", unreachable(), 2_000)),
            _ if self.reports_nobody => Some(self.node([0, 0])),
            _ => Some(self.reports(self.split)),
        }
    }

    /// The report of a router that gives so much to each slot.
    pub fn reports(&self, split: Split) -> Readback {
        let weight = |slot| u32::from(split.share(slot).get());
        self.node([weight(Slot::First), weight(Slot::Second)])
    }

    fn node(&self, weights: [u32; 2]) -> Readback {
        let state = NodeState { weights, up: self.up, worker: Some(self.worker) };
        let node = NodeRead { node: self.name.clone(), outcome: NodeOutcome::State(state) };
        Readback { nodes: vec![node], took_us: 400 }
    }
}

/// Where a write stands that goes so many percent of the way.
pub(super) fn part_of_the_way(from: Split, to: Split, percent: u8) -> Split {
    let second = |split: Split| i32::from(split.share(Slot::Second).get());
    let gone = second(from) + (second(to) - second(from)) * i32::from(percent) / 100;
    let gone = u8::try_from(gone).ok().and_then(Percent::new);
    gone.map_or(from, |gone| Split::giving(Slot::Second, gone))
}

pub(super) fn refused() -> Fault {
    Fault::new(FaultKind::Refused, "set weight: permission denied", "raise the socket's level")
}

pub(super) fn unreachable() -> Fault {
    Fault::new(FaultKind::Unreachable, "connection refused", "is the router running?")
}

pub(super) fn timed_out() -> Fault {
    Fault::new(FaultKind::TimedOut, "no answer within 1s", "is the router overloaded?")
}
