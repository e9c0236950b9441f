//! What keys reach of a replay: orders go in, how it stands comes out. Neither ever waits.

use super::order::{Order, Playing, Speed};
use crate::units::Millis;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The run's time, as it is played.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// The run's instant at `since`.
    pub base: Millis,
    pub since: Instant,
    pub end: Millis,
    pub speed: Speed,
    pub paused: bool,
    pub looked: Option<String>,
    pub of: u64,
}

impl Head {
    /// The run's instant now.
    pub fn at(&self, now: Instant) -> Millis {
        if self.paused {
            return self.base;
        }
        let ours = now.saturating_duration_since(self.since);
        let ours = u64::try_from(ours.as_micros()).unwrap_or(u64::MAX);
        Millis(self.base.0.saturating_add(self.speed.run_ms(ours).0)).min(self.end)
    }
}

#[derive(Debug)]
struct State {
    orders: VecDeque<Order>,
    head: Head,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    ordered: Condvar,
}

/// A handle on a replay.
#[derive(Debug, Clone)]
pub struct Deck(Arc<Shared>);

impl Deck {
    pub(super) fn new(head: Head) -> Self {
        let state = Mutex::new(State { orders: VecDeque::new(), head });
        Self(Arc::new(Shared { state, ordered: Condvar::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is kept here is plain data, whole at any time.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for something.
    pub fn order(&self, order: Order) {
        self.state().orders.push_back(order);
        self.0.ordered.notify_one();
    }

    /// How it stands now.
    pub fn playing(&self) -> Playing {
        let head = self.state().head.clone();
        let at = head.at(Instant::now());
        let Head { end, speed, paused, looked, of, .. } = head;
        Playing { at, end, speed, paused, looked, of }
    }

    pub(super) fn set(&self, head: Head) {
        self.state().head = head;
    }

    /// Waits for orders, at most so long.
    pub(super) fn orders(&self, wait: Option<Duration>) -> VecDeque<Order> {
        let mut state = self.state();
        let idle = |state: &mut State| state.orders.is_empty();
        state = match wait {
            None => self.0.ordered.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner),
            Some(wait) => {
                let waited = self.0.ordered.wait_timeout_while(state, wait, idle);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        std::mem::take(&mut state.orders)
    }
}
