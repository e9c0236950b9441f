//! The wire between a slot and whoever asks it: how large an answer is, how long it takes to come
//! over, in how many pieces, and whether the connection is closed before its end.
//!
//! The service has done its work by then: its threads and connections are free, for the system
//! sends what they have written. Only answers to pages go over this wire; health checks are small.

use super::World;
use super::request::{Body, Fate, Request, Served};
use crate::lab::dice::Dice;
use crate::lab::fault::FaultKind;
use crate::units::{Millis, Slot};

/// Where the wire is narrow, a piece goes in about this time.
const BEAT_US: u64 = 20_000;
/// More pieces than this are not told apart.
const MOST: u32 = 10_000;

impl World {
    /// The size of an answer's body, in bytes.
    fn size(&self, request: &Request, served: &Served) -> u32 {
        let own = served.page().len() as u32;
        let good = matches!(served.fate, Fate::Answer(200..300)) && !served.wrong;
        let route = request.route.and_then(|n| self.scenario.traffic.routes.get(n));
        route.and_then(|route| route.bytes).filter(|_| good).map_or(own, |bytes| bytes.max(own))
    }

    /// Carries an answer over the wire.
    pub(super) fn carry(&self, slot: Slot, request: &Request, served: &mut Served, at: Millis) {
        if !matches!(served.fate, Fate::Answer(_)) {
            return;
        }
        let bytes = self.size(request, served);
        let mut body = Body { bytes, sent: bytes, pieces: 1, takes_us: 0 };
        let path = request.route.and_then(|n| self.scenario.traffic.routes.get(n));
        let path = path.map_or("", |route| route.path.as_str());
        for fault in self.faults.iter().filter(|fault| fault.spec.kind.is_of_the_wire()) {
            let level = if self.hits(fault, slot) { self.level(fault, slot, at) } else { 0.0 };
            if level <= 0.0 || !self.is_about(fault, slot, request, path) {
                continue;
            }
            let mut luck = Dice::keyed(self.seed, fault.purpose, request.n);
            match fault.spec.kind {
                FaultKind::NetBandwidth { kb_per_s, share } if luck.hits(share) => {
                    let takes_us = 1000.0 * f64::from(bytes) / kb_per_s * level;
                    body.takes_us += takes_us as u64;
                    let pieces = (body.takes_us / BEAT_US).clamp(1, u64::from(MOST)) as u32;
                    body.pieces = body.pieces.max(pieces);
                }
                FaultKind::NetSlicer { bytes: mean, variation, pause, share }
                    if luck.hits(share) =>
                {
                    let (mut left, mut slices) = (f64::from(bytes), 0);
                    while left > 0.0 && slices < MOST {
                        left -= (mean + variation * (2.0 * luck.unit() - 1.0)).max(1.0);
                        slices += 1;
                    }
                    let pauses = f64::from(slices.saturating_sub(1));
                    body.takes_us += (pauses * pause.0 as f64 * 1000.0 * level) as u64;
                    body.pieces = body.pieces.max(slices);
                }
                FaultKind::NetLimit { bytes: limit, share } if luck.hits(share) => {
                    // The strength says how much of the limit there still is: half as strong,
                    // twice as many bytes.
                    body.sent = body.sent.min((limit / level) as u32);
                }
                _ => {}
            }
        }
        body.pieces = body.pieces.min(bytes.max(1));
        if body.sent < body.bytes {
            served.fate = Fate::Cut;
            served.wrong = false;
            // As far as it came, it came at the same pace.
            let part = f64::from(body.sent) / f64::from(body.bytes.max(1));
            body.takes_us = (body.takes_us as f64 * part) as u64;
            body.pieces = ((f64::from(body.pieces) * part) as u32).max(1);
        }
        served.latency_us += body.takes_us;
        served.body = body;
    }
}
