//! The fourth stamp: whether Blue's users are well again, by the limits that speak of users. What
//! was not counted is not known to be well; a p95 that no router measures is left out, and said.

use crate::plan::{Bound, Limit, Signal};
use crate::signal::window::Share;
use crate::signal::{Origin, Sample, Whose};
use crate::units::Millis;

/// Users are back in band when no limit was exceeded for this long.
pub(super) const BAND: Millis = Millis::secs(10);
/// With fewer of Blue's users in that time nothing is said.
const BAND_USERS: u64 = 3;

/// One rolling share for each limit that speaks of users, over the last ten seconds.
#[derive(Debug, Clone)]
pub(super) struct Band {
    shares: Vec<(Limit, Share)>,
    users: Share,
    /// Whether anybody counts Blue's users.
    pub counted: bool,
    began: Millis,
}

impl Band {
    pub fn new(limits: &[Limit], began: Millis) -> Self {
        let of_users = |limit: &&Limit| {
            matches!(limit.signal, Signal::ErrorRate | Signal::ClientErrorRate | Signal::LatencyP95)
        };
        let shares =
            limits.iter().filter(of_users).map(|limit| (*limit, Share::new(BAND))).collect();
        Self { shares, users: Share::new(BAND), counted: false, began }
    }

    pub fn add(&mut self, sample: &Sample) {
        if sample.role != Whose::Blue || sample.from != Origin::Users {
            return;
        }
        let Some(requests) = sample.requests else { return };
        self.counted = true;
        self.users.add(sample.at, 0, requests);
        for (limit, share) in &mut self.shares {
            let bad = match (limit.signal, limit.above) {
                (Signal::ErrorRate, _) => sample.failed,
                (Signal::ClientErrorRate, _) => sample.client_errors,
                (_, Bound::Millis(ms)) => sample.latency_ms.as_ref().map(|times| {
                    // What got no answer is late as well.
                    times.over(ms).saturating_add(requests.saturating_sub(times.count()))
                }),
                _ => None,
            };
            // What was not counted is not a zero.
            if let Some(bad) = bad {
                share.add(sample.at, bad, requests);
            }
        }
    }

    /// Whether users are in band, and then what to add to it: what nobody measured.
    pub fn is_well(&mut self, now: Millis) -> Option<&'static str> {
        self.users.slide(now);
        if now.since(self.began) < BAND || self.users.counts().1 < BAND_USERS {
            return None;
        }
        let mut add = "";
        for (limit, share) in &mut self.shares {
            share.slide(now);
            let most = match limit.above {
                Bound::Percent(percent) => percent,
                Bound::Millis(_) | Bound::Count(_) => 5.0,
            };
            match share.percent() {
                Some(percent) if percent <= most => {}
                // Routers that count answers need not know how long they took. That is said; what
                // else was not counted is not known to be in band.
                None if limit.signal == Signal::LatencyP95 => add = " (p95 not measured)",
                Some(_) | None => return None,
            }
        }
        Some(add)
    }
}
