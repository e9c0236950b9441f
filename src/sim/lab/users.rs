//! The lab's users, counted as its proxy counts them: a request when it has ended, together with
//! its answer, for the slot that it was sent to.

use crate::lab::World;
use crate::lab::world::{Fate, PATIENCE, Served};
use crate::signal::{Histogram, Origin, Sample, Whose};
use crate::units::{Millis, Slot};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A request that will end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    ends_us: u64,
    /// Counts the requests, so that those that end together keep their order.
    n: u64,
    slot: Slot,
    /// Its status as the proxy passes it on.
    status: u16,
    /// How long the answer took, where the slot gave one.
    took_us: Option<u64>,
}

/// What has ended for one slot since it was last taken.
#[derive(Debug, Clone, Default)]
struct Ended {
    requests: u64,
    failed: u64,
    client_errors: u64,
    latency_ms: Histogram,
}

/// Users whose requests wait, and those that have ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Users {
    waiting: BinaryHeap<Reverse<Waiting>>,
    in_flight: [u64; 2],
    ended: [Ended; 2],
    n: u64,
}

/// What the proxy says to a user and after how long, and whether it was the slot's own answer.
fn passed_on(served: &Served) -> (u16, u64, bool) {
    let patience_us = PATIENCE.0 * 1000;
    match served.fate {
        Fate::Hang => (504, patience_us, false),
        _ if served.latency_us > patience_us => (504, patience_us, false),
        Fate::Answer(status) => (status, served.latency_us, true),
        Fate::Reset | Fate::Cut => (502, served.latency_us, false),
        Fate::Refused => (502, 0, false),
    }
}

impl Users {
    /// Users who arrive up to `at` are routed and served.
    pub fn play(&mut self, world: &mut World, at: Millis) {
        while world.next_arrival() <= at {
            let Some(arrival) = world.arrivals_until(at).next() else { return };
            let Some(slot) = world.route_of(arrival.n) else {
                world.lose();
                continue;
            };
            let served = world.serve(slot, &arrival.into(), arrival.at);
            let (status, took_us, own) = passed_on(&served);
            self.n += 1;
            self.in_flight[slot.index()] += 1;
            self.waiting.push(Reverse(Waiting {
                ends_us: arrival.at.0 * 1000 + took_us,
                n: self.n,
                slot,
                status,
                took_us: own.then_some(took_us),
            }));
        }
    }

    /// Counts what has ended by `at`.
    pub fn end_until(&mut self, at: Millis) {
        while let Some(Reverse(next)) = self.waiting.peek().copied() {
            if next.ends_us > at.0 * 1000 {
                return;
            }
            self.waiting.pop();
            let slot = next.slot.index();
            self.in_flight[slot] -= 1;
            let ended = &mut self.ended[slot];
            ended.requests += 1;
            ended.failed += u64::from(next.status >= 500);
            ended.client_errors += u64::from((400..500).contains(&next.status));
            if let Some(us) = next.took_us {
                ended.latency_ms.record(us as f64 / 1000.0);
            }
        }
    }

    /// Ends the second of a slot at `at`.
    /// `besides` are in flight too, and are no pages.
    pub fn take(&mut self, slot: Slot, at: Millis, whose: Whose, besides: u64) -> Sample {
        let ended = std::mem::take(&mut self.ended[slot.index()]);
        Sample {
            requests: Some(ended.requests),
            failed: Some(ended.failed),
            client_errors: Some(ended.client_errors),
            latency_ms: Some(ended.latency_ms),
            in_flight: Some(self.in_flight[slot.index()] + besides),
            ..Sample::empty(at, whose, Origin::Users)
        }
    }
}
