//! A queue of jobs that good answers leave behind, and its consumer. It is brought up to a time
//! whenever somebody looks or adds, so that its rate may change in between.

use super::dice::{Dice, Purpose};
use crate::units::Millis;
use std::collections::VecDeque;

#[derive(Debug, Clone)]
pub(super) struct Queue {
    sizes: Dice,
    /// Work left in each job, in units of a mean job.
    jobs: VecDeque<f64>,
    out_per_s: f64,
    at: Millis,
    done: u64,
}

impl Queue {
    pub fn new(seed: u64, out_per_s: f64) -> Self {
        let sizes = Dice::stream(seed, Purpose::JobSize);
        Self { sizes, jobs: VecDeque::new(), out_per_s, at: Millis::ZERO, done: 0 }
    }

    pub fn add(&mut self, at: Millis) {
        self.run_until(at);
        let work = self.sizes.wait();
        self.jobs.push_back(work);
    }

    /// Jobs that wait or run.
    pub fn depth(&mut self, at: Millis) -> u64 {
        self.run_until(at);
        self.jobs.len() as u64
    }

    pub const fn done(&self) -> u64 {
        self.done
    }

    fn run_until(&mut self, at: Millis) {
        let mut work = self.out_per_s * at.since(self.at).0 as f64 / 1000.0;
        self.at = self.at.max(at);
        while let Some(job) = self.jobs.front_mut() {
            if *job > work {
                *job -= work;
                return;
            }
            work -= *job;
            self.jobs.pop_front();
            self.done += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_load_stays_short_and_a_double_load_grows_by_the_difference() {
        let depth_after = |in_per_s: u64| {
            let mut queue = Queue::new(1, 12.0);
            for n in 0..in_per_s * 60 {
                queue.add(Millis(n * 1000 / in_per_s));
            }
            queue.depth(Millis::secs(60))
        };
        assert!(depth_after(6) <= 5);
        assert!((600..840).contains(&depth_after(24)), "{}", depth_after(24));
    }
}
