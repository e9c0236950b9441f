//! Users as an open model: they arrive when they arrive, whether or not earlier ones have their
//! answers. A closed model would slow down with the service and hide the damage.

use super::dice::{Dice, Purpose};
use super::scenario::TrafficSpec;
use crate::units::Millis;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A user's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Counts the users from 0; the request's luck hangs on it.
    pub n: u64,
    /// When it arrives.
    pub at: Millis,
    /// Which of the scenario's routes it asks for.
    pub route: usize,
}

/// How busy a second is: normal with mean 0 and deviation 1.
fn weather(seed: u64, second: u64) -> f64 {
    Dice::keyed(seed, Purpose::Weather, second).normal()
}

#[derive(Debug, Clone)]
pub(super) struct Traffic {
    spec: TrafficSpec,
    seed: u64,
    gaps: Dice,
    next: Arrival,
    next_ms: f64,
    /// The weather of the second that was asked for last.
    weather: (u64, f64),
    /// So many times as many come as was declared.
    pub factor: f64,
    /// Shares of the routes, where they are not as declared.
    pub shares: Vec<f64>,
    /// Who comes besides: users who try again, and clients that abuse the service.
    besides: BinaryHeap<Reverse<(Millis, u64, usize)>>,
}

impl Traffic {
    pub fn new(spec: &TrafficSpec, seed: u64) -> Self {
        let first = Arrival { n: 0, at: Millis::ZERO, route: 0 };
        let gaps = Dice::stream(seed, Purpose::Gap);
        let weather = (0, weather(seed, 0));
        let mut traffic = Self {
            spec: spec.clone(),
            seed,
            gaps,
            next: first,
            next_ms: 0.0,
            weather,
            factor: 1.0,
            shares: Vec::new(),
            besides: BinaryHeap::new(),
        };
        traffic.draw();
        traffic
    }

    /// The declared rate at a time, in requests a second, without the weather.
    pub fn declared(&self, at_ms: f64) -> f64 {
        let (mut from, mut begins) = (self.spec.base_rps, 0.0);
        for stage in &self.spec.stages {
            let over = stage.over.0 as f64;
            if at_ms < begins + over {
                return from + (stage.to - from) * (at_ms - begins) / over;
            }
            (from, begins) = (stage.to, begins + over);
        }
        from
    }

    fn rate(&mut self) -> f64 {
        let second = (self.next_ms / 1000.0) as u64;
        if self.weather.0 != second {
            self.weather = (second, weather(self.seed, second));
        }
        self.factor
            * self.declared(self.next_ms)
            * (1.0 + self.spec.noise * self.weather.1).max(0.2)
    }

    /// Draws when and what for the request that is `next.n`.
    fn draw(&mut self) {
        self.next_ms += 1000.0 * self.gaps.wait() / self.rate().max(0.001);
        self.next.at = Millis(self.next_ms as u64);
        self.next.route = self.drawn(self.next.n);
    }

    /// What the request of this number asks for.
    fn drawn(&self, n: u64) -> usize {
        let mut luck = Dice::keyed(self.seed, Purpose::Route, n).unit();
        let mut routes = self.spec.routes.iter();
        let mut shares = self.shares.iter();
        let drawn = routes.position(|route| {
            luck -= shares.next().unwrap_or(&route.share);
            luck < 0.0
        });
        drawn.unwrap_or(0)
    }

    /// A user tries again.
    pub fn again(&mut self, n: u64, route: usize, at: Millis) {
        self.besides.push(Reverse((at, n, route)));
    }

    /// One more comes, who is no user: to this route, or to one like everybody's.
    pub fn besides(&mut self, n: u64, route: Option<usize>, at: Millis) {
        let route = route.unwrap_or_else(|| self.drawn(n));
        self.besides.push(Reverse((at, n, route)));
    }

    /// When the next user arrives.
    pub fn next_at(&self) -> Millis {
        let besides = self.besides.peek().map(|Reverse((at, ..))| *at);
        besides.map_or(self.next.at, |at| at.min(self.next.at))
    }

    /// The next user, if they have arrived by `at`.
    pub fn next_until(&mut self, at: Millis) -> Option<Arrival> {
        if let Some(Reverse((came, n, route))) = self.besides.peek().copied()
            && came <= at.min(self.next.at)
        {
            self.besides.pop();
            return Some(Arrival { n, at: came, route });
        }
        if self.next.at > at {
            return None;
        }
        let arrival = self.next;
        self.next.n += 1;
        self.draw();
        Some(arrival)
    }
}
