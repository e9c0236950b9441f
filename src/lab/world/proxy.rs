//! The proxy's weights, and what becomes of a write to them: it obeys, or one of its faults is at
//! work. Both fronts ask here before they answer whoever wrote.

use super::World;
use crate::lab::anchor::Anchor;
use crate::lab::balance::Balance;
use crate::lab::fault::FaultKind;
use crate::units::{Millis, Slot, Split};

/// What the proxy does with a write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wrote {
    /// It does it.
    Done,
    /// It goes this share of the way, and says so.
    Partly(f64),
    /// It says yes and does nothing.
    Ignored,
    /// It says no.
    Refused,
    /// It does not answer, to a read either.
    Mute,
}

impl World {
    /// What the proxy does with a write, or a read, at `at`. Nothing is written by asking.
    pub fn writes(&mut self, at: Millis) -> Wrote {
        self.settle(at);
        let on = |kind: &dyn Fn(&FaultKind) -> Option<Wrote>| {
            self.faults.iter().filter(|fault| fault.is_on(at)).find_map(|f| kind(&f.spec.kind))
        };
        // The worst of them counts.
        let mute = on(&|kind| matches!(kind, FaultKind::ProxyMute).then_some(Wrote::Mute));
        let refused =
            on(&|kind| matches!(kind, FaultKind::ProxyRefuse { .. }).then_some(Wrote::Refused));
        let stuck = on(&|kind| matches!(kind, FaultKind::ProxyStuck).then_some(Wrote::Ignored));
        let partly = on(&|kind| match kind {
            FaultKind::ProxyPartial { share } => Some(Wrote::Partly(*share)),
            _ => None,
        });
        mute.or(refused).or(stuck).or(partly).unwrap_or(Wrote::Done)
    }

    /// Whether anything in this world can ever come between a write and the weights.
    pub fn proxy_may_fail(&self) -> bool {
        self.faults.iter().any(|fault| {
            matches!(
                fault.spec.kind,
                FaultKind::ProxyMute
                    | FaultKind::ProxyRefuse { .. }
                    | FaultKind::ProxyStuck
                    | FaultKind::ProxyPartial { .. }
            )
        })
    }

    /// The status with which a write is refused at `at`.
    pub fn refusal(&self, at: Millis) -> u16 {
        let mut on = self.faults.iter().filter(|fault| fault.is_on(at));
        let status = on.find_map(|fault| match fault.spec.kind {
            FaultKind::ProxyRefuse { status } => Some(status),
            _ => None,
        });
        status.unwrap_or(403)
    }

    /// The weights that come of a write which goes a share of the way.
    pub fn part_of_the_way(&self, weights: [u32; 2], share: f64) -> [u32; 2] {
        let sum = |weights: [u32; 2]| f64::from(weights[0] + weights[1]).max(1.0);
        let (now, then) = (self.weights(), weights);
        let second = |weights: [u32; 2]| 100.0 * f64::from(weights[1]) / sum(weights);
        let second = second(now) + (second(then) - second(now)) * share;
        [(100.0 - second).round() as u32, second.round() as u32]
    }

    /// Sets the proxy's weights to a split.
    pub fn set_split(&mut self, split: Split, at: Millis) {
        self.set_weights(weights(split), at);
    }

    /// Sets the proxy's weights, in the plan's order. Both may be 0: then nobody is served.
    pub fn set_weights(&mut self, weights: [u32; 2], at: Millis) {
        self.settle(at);
        let green = self.blue().other().index();
        // In whole percent, rounded down: 29 of 100 must not become 28.
        let percent = |weights: [u32; 2]| {
            let total = u64::from(weights[0]) + u64::from(weights[1]);
            (u64::from(weights[green]) * 100).checked_div(total).unwrap_or(0) as u8
        };
        let (before, had) = (percent(self.weights()), self.weights()[green] > 0);
        let shares = Slot::BOTH.map(|slot| self.share(slot));
        self.balance = Balance::new(weights);
        self.sessions_move(shares);
        self.uploads_move(at);
        let share = percent(weights);
        if weights[green] == 0 {
            if had {
                self.note(Anchor::Rollback, at);
            }
            return;
        }
        self.note(Anchor::Switch, at);
        for percent in before..share {
            self.note(Anchor::Weight(percent + 1), at);
        }
        if share == 100 {
            self.note(Anchor::Full, at);
        }
    }

    /// The proxy's weights, in the plan's order.
    pub const fn weights(&self) -> [u32; 2] {
        self.balance.weights()
    }

    /// A slot's share of the traffic, 0 to 1.
    pub(super) fn share(&self, slot: Slot) -> f64 {
        let weights = self.weights().map(f64::from);
        let total = weights[0] + weights[1];
        if total > 0.0 { weights[slot.index()] / total } else { 0.0 }
    }
}

pub(super) fn weights(split: Split) -> [u32; 2] {
    Slot::BOTH.map(|slot| u32::from(split.share(slot).get()))
}
