//! The second and third stamp: who answers, once the router is at Blue.
//!
//! Where answers name their slot, the front door is asked until Blue answers. The router's
//! counters say when Green's last answer came: when nothing of Green is in flight any more, it is
//! the last time that Green's count of answers grew. Without either there is nothing to see, and
//! the stamp says so.

use super::measure::{Measured, Shared};
use crate::adapter::router::{Router, SlotCounters};
use crate::adapter::source::http::Prober;
use crate::plan::Plan;
use crate::runbook::Seen;
use crate::units::{Role, Slot};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::sleep;

/// Pause between two requests at the front door.
const KNOCK_EVERY: Duration = Duration::from_millis(2);
/// Pause between two readings of the counters.
const COUNT_EVERY: Duration = Duration::from_millis(10);

/// What the chase needs.
pub struct Chase {
    /// The plan, for the slots' names.
    pub plan: Rc<Plan>,
    /// Asks the front door, where answers name their slot.
    pub front: Option<Prober>,
    /// Reads the counters.
    pub router: Router,
    /// When the router was first read at Blue.
    pub at_blue: watch::Receiver<Option<Instant>>,
    /// Where our own requests are counted, to be taken off the users.
    pub shared: Rc<Shared>,
    /// When the rollback began.
    pub began: Instant,
    /// Where to tell.
    pub found: UnboundedSender<Measured>,
}

impl Chase {
    fn tell(&self, what: Seen, at: Instant) {
        let after_us = at.saturating_duration_since(self.began).as_micros() as u64;
        // Nobody listens only when the run is over.
        let _ = self.found.send(Measured::Seen { what, after_us });
    }

    /// Runs until both answers were seen. Neither waits for the other.
    pub async fn run(self, blue: Slot) {
        let mut counting = self.router.clone();
        let last = async {
            let before = answered(&mut counting, blue.other()).await;
            if self.is_at_blue().await {
                self.last_from_green(&mut counting, blue, before).await;
            }
        };
        let first = async {
            if self.is_at_blue().await {
                self.first_from_blue(blue).await;
            }
        };
        tokio::join!(first, last);
    }

    /// Waits for the router; false if nobody brings it back any more.
    async fn is_at_blue(&self) -> bool {
        self.at_blue.clone().wait_for(Option::is_some).await.is_ok()
    }

    async fn first_from_blue(&self, blue: Slot) {
        let mut router = self.router.clone();
        if let Some(front) = &self.front {
            loop {
                let answer = front.probe(front.knock()).await;
                let at = Instant::now();
                let slot = match &answer.slot {
                    Some(name) => router.slot_named(&self.plan, name.as_str()).await,
                    None => None,
                };
                if let Some(slot) = slot {
                    self.shared.count_own(slot, &answer);
                }
                if slot == Some(blue) {
                    return self.tell(Seen::FirstAnswer(Role::Blue), at);
                }
                sleep(KNOCK_EVERY).await;
            }
        }
        let before = answered(&mut router, blue).await;
        loop {
            match (answered(&mut router, blue).await, before) {
                (Some((now, _)), Some((before, _))) if now > before => {
                    return self.tell(Seen::FirstAnswer(Role::Blue), Instant::now());
                }
                // A router that does not count has nothing to tell.
                (None, None) => return,
                _ => sleep(COUNT_EVERY).await,
            }
        }
    }

    async fn last_from_green(&self, router: &mut Router, blue: Slot, before: Option<(u64, u64)>) {
        let Some((mut count, _)) = before else { return };
        // Where nothing came after the beginning, the last answer was not later than that.
        let mut last = self.began;
        loop {
            if let Some((now, in_flight)) = answered(router, blue.other()).await {
                if now != count {
                    (count, last) = (now, Instant::now());
                }
                if in_flight == 0 {
                    return self.tell(Seen::LastAnswer(Role::Green), last);
                }
            }
            sleep(COUNT_EVERY).await;
        }
    }
}

/// How many requests a slot has answered so far, and how many are in flight.
async fn answered(router: &mut Router, slot: Slot) -> Option<(u64, u64)> {
    let SlotCounters { ended, in_flight, .. } =
        router.stats().await.slots?.get(slot.index())?.clone();
    Some((ended, in_flight))
}
