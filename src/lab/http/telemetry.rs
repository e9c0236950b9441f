//! What comes between the proxy's counters and whoever reads them: counters that go on as they
//! last went, are missing, are old, or leave failures out. The proxy counts on behind it.

use crate::lab::fault::Measure;
use crate::lab::wire::SlotState;
use crate::lab::world::Vision;
use crate::units::Millis;
use std::collections::VecDeque;

/// How far back counters are remembered.
const KEPT: Millis = Millis::secs(120);
/// A freeze repeats what was counted in about this time before it.
const REPEATS: Millis = Millis(900);

/// What was counted lately, by when.
#[derive(Debug, Default)]
pub(super) struct Telemetry {
    lately: VecDeque<(Millis, [SlotState; 2])>,
    /// What is repeated: the counters at its beginning, and what they grow by in each second.
    frozen: Option<(Millis, [SlotState; 2], [SlotState; 2])>,
}

/// What was counted between two readings.
fn grown(from: &SlotState, to: &SlotState) -> SlotState {
    let mut latency_ms = to.latency_ms.clone();
    latency_ms.remove(&from.latency_ms);
    SlotState {
        requests: to.requests.saturating_sub(from.requests),
        failed: to.failed.saturating_sub(from.failed),
        client_errors: to.client_errors.saturating_sub(from.client_errors),
        latency_ms,
        ..to.clone()
    }
}

fn add(to: &mut SlotState, more: &SlotState) {
    to.requests += more.requests;
    to.failed += more.failed;
    to.client_errors += more.client_errors;
    to.latency_ms.merge(&more.latency_ms);
}

impl Telemetry {
    /// Makes of the counters what is seen of them; says whether they are there at all.
    /// Where some series are named, the others come as they are.
    pub fn see_some(
        &mut self,
        slots: &mut [SlotState; 2],
        vision: Vision,
        named: &[Measure],
        now: Millis,
    ) -> bool {
        if named.is_empty() {
            return self.see(slots, vision, now);
        }
        let clear = slots.clone();
        let there = self.see(slots, vision, now);
        for (slot, clear) in slots.iter_mut().zip(clear) {
            let blurred = std::mem::replace(slot, clear);
            for measure in named {
                match measure {
                    Measure::Requests => slot.requests = blurred.requests,
                    Measure::Failed => slot.failed = blurred.failed,
                    Measure::ClientErrors => slot.client_errors = blurred.client_errors,
                    Measure::Latency => slot.latency_ms = blurred.latency_ms.clone(),
                    Measure::InFlight => slot.in_flight = blurred.in_flight,
                }
            }
        }
        there
    }

    /// Makes of the counters what is seen of them; says whether they are there at all.
    fn see(&mut self, slots: &mut [SlotState; 2], vision: Vision, now: Millis) -> bool {
        if vision != Vision::Frozen {
            self.frozen = None;
            self.lately.push_back((now, slots.clone()));
            while self.lately.front().is_some_and(|(at, _)| now.since(*at) > KEPT) {
                self.lately.pop_front();
            }
        }
        match vision {
            Vision::Clear => {}
            Vision::Gap => return false,
            Vision::Wrong(factor) => {
                for slot in slots {
                    let failed = (slot.failed as f64 * factor).round() as u64;
                    slot.failed = failed.min(slot.requests);
                }
            }
            Vision::Late(by) => {
                let old = self.lately.iter().rev().find(|(at, _)| now.since(*at) >= by);
                match old.or(self.lately.front()) {
                    Some((_, old)) => *slots = old.clone(),
                    None => return false,
                }
            }
            Vision::Frozen => self.go_on(slots, now),
        }
        true
    }

    /// The counters go on as they last went.
    fn go_on(&mut self, slots: &mut [SlotState; 2], now: Millis) {
        if self.frozen.is_none() {
            let Some((at, last)) = self.lately.back() else { return };
            let before = self.lately.iter().rev().find(|(then, _)| at.since(*then) >= REPEATS);
            let before = before.map_or(last, |(_, before)| before);
            let grows = [grown(&before[0], &last[0]), grown(&before[1], &last[1])];
            self.frozen = Some((now, last.clone(), grows));
        }
        let Some((since, shown, grows)) = &mut self.frozen else { return };
        while *since + REPEATS <= now {
            *since += Millis::secs(1);
            for (shown, grows) in shown.iter_mut().zip(grows.iter()) {
                add(shown, grows);
            }
        }
        *slots = shown.clone();
    }
}
