//! A queue of jobs that good answers leave behind, and its consumers. It is brought up to a time
//! whenever somebody looks or adds, so that its rate may change in between.

use super::dice::{Dice, Purpose};
use crate::units::{Millis, Slot};
use std::collections::VecDeque;

#[derive(Debug, Clone, Copy)]
struct Job {
    /// Work that is left, in units of a mean job.
    work: f64,
    came: Millis,
    /// The one slot whose consumers can read it, if not all can.
    only: Option<Slot>,
}

#[derive(Debug, Clone)]
pub(super) struct Queue {
    sizes: Dice,
    jobs: VecDeque<Job>,
    out_per_s: f64,
    late_after: Millis,
    at: Millis,
    done: u64,
    late: u64,
}

impl Queue {
    pub fn new(seed: u64, out_per_s: f64, late_after: Millis) -> Self {
        let sizes = Dice::stream(seed, Purpose::JobSize);
        let jobs = VecDeque::new();
        Self { sizes, jobs, out_per_s, late_after, at: Millis::ZERO, done: 0, late: 0 }
    }

    /// A job comes; `only` is the slot whose consumers alone can read it.
    pub fn add(&mut self, at: Millis, only: Option<Slot>) {
        self.run_until(at);
        let work = self.sizes.wait();
        self.jobs.push_back(Job { work, came: at, only });
    }

    /// The consumers do so many jobs a second from now on.
    pub fn runs_at(&mut self, out_per_s: f64, at: Millis) {
        self.run_until(at);
        self.out_per_s = out_per_s;
    }

    /// Jobs that wait or run.
    pub fn depth(&mut self, at: Millis) -> u64 {
        self.run_until(at);
        self.jobs.len() as u64
    }

    /// How long the oldest job has been waiting.
    pub fn oldest(&mut self, at: Millis) -> Millis {
        self.run_until(at);
        self.jobs.front().map_or(Millis::ZERO, |job| at.since(job.came))
    }

    /// Whether consumers of this slot cannot read the next job.
    pub fn is_foreign(&self, slot: Slot) -> bool {
        self.jobs.front().is_some_and(|job| job.only.is_some_and(|only| only != slot))
    }

    /// Consumers of this slot leave out what they cannot read, up to the next job that they can;
    /// says how many.
    pub fn skip(&mut self, slot: Slot) -> u64 {
        let mut skipped = 0;
        while self.is_foreign(slot) {
            self.jobs.pop_front();
            skipped += 1;
        }
        skipped
    }

    /// Jobs that not everybody can read are put aside; says how many.
    pub fn quarantine(&mut self) -> usize {
        let before = self.jobs.len();
        self.jobs.retain(|job| job.only.is_none());
        before - self.jobs.len()
    }

    pub const fn done(&self) -> u64 {
        self.done
    }

    /// Jobs that were done late, and those that have been waiting too long.
    pub fn late(&self) -> u64 {
        // They came in the order in which they stand.
        let waiting = self.jobs.partition_point(|job| self.at.since(job.came) > self.late_after);
        self.late + waiting as u64
    }

    fn run_until(&mut self, at: Millis) {
        let from = self.at;
        let mut work = self.out_per_s * at.since(from).0 as f64 / 1000.0;
        self.at = from.max(at);
        while let Some(job) = self.jobs.front_mut() {
            if job.work > work {
                job.work -= work;
                return;
            }
            work -= job.work;
            self.done += 1;
            self.late += u64::from(at.since(job.came) > self.late_after);
            self.jobs.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(out_per_s: f64) -> Queue {
        Queue::new(1, out_per_s, Millis::secs(30))
    }

    #[test]
    fn half_a_load_stays_short_and_a_double_load_grows_by_the_difference() {
        let depth_after = |in_per_s: u64| {
            let mut queue = queue(12.0);
            for n in 0..in_per_s * 60 {
                queue.add(Millis(n * 1000 / in_per_s), None);
            }
            queue.depth(Millis::secs(60))
        };
        assert!(depth_after(6) <= 5);
        assert!((600..840).contains(&depth_after(24)), "{}", depth_after(24));
    }

    #[test]
    fn a_queue_that_nobody_works_on_ages_a_second_each_second_and_its_jobs_are_late() {
        let mut queue = queue(0.0);
        for n in 0..60 {
            queue.add(Millis::secs(n), None);
        }
        assert_eq!(queue.oldest(Millis::secs(60)), Millis::secs(60));
        assert_eq!(queue.late(), 30, "those of the first half minute");
        queue.runs_at(100.0, Millis::secs(60));
        assert_eq!(queue.depth(Millis::secs(70)), 0);
        assert!(queue.done() == 60 && queue.late() >= 30, "done late is late for ever");
    }

    #[test]
    fn what_one_slot_alone_can_read_is_foreign_to_the_other_until_it_is_put_aside() {
        let mut queue = queue(0.0);
        queue.add(Millis(1), Some(Slot::Second));
        queue.add(Millis(2), None);
        assert!(queue.is_foreign(Slot::First) && !queue.is_foreign(Slot::Second));
        assert_eq!(queue.quarantine(), 1);
        assert!(!queue.is_foreign(Slot::First));
    }
}
