//! The database that both slots share, seen from its connections: each slot holds a pool, the
//! database admits only so many in all, and what it refuses is an error of the slot that asked.

use crate::units::{Millis, Slot};

/// What came of asking for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// How long the request waited for it, in microseconds.
    pub wait_us: u64,
    /// Whether the database refused to open another one.
    pub refused: bool,
    /// Whether there was one in time at all.
    pub got: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Database {
    /// When each open connection is free again, in microseconds, a pool for each slot.
    pools: [Vec<u64>; 2],
    admits: usize,
    patience_us: u64,
}

impl Database {
    pub fn new(max: u32, reserved: u32, acquire_timeout: Millis) -> Self {
        Self {
            pools: [Vec::new(), Vec::new()],
            admits: max.saturating_sub(reserved) as usize,
            patience_us: acquire_timeout.0 * 1000,
        }
    }

    /// Connections that are open, of both slots.
    pub fn open(&self) -> usize {
        self.pools.iter().map(Vec::len).sum()
    }

    /// Opens up to `count` connections ahead of need; says how many were refused.
    pub fn warm_up(&mut self, slot: Slot, count: u32) -> u64 {
        let room = self.admits.saturating_sub(self.open());
        let opened = (count as usize).min(room);
        self.pools[slot.index()].resize(opened, 0);
        count as u64 - opened as u64
    }

    /// Whether the slot has a connection at all.
    pub fn has(&self, slot: Slot) -> bool {
        !self.pools[slot.index()].is_empty()
    }

    /// The slot's process has ended, and its connections with it.
    pub fn close(&mut self, slot: Slot) {
        self.pools[slot.index()].clear();
    }

    /// Takes a connection for `hold_us` from `at_us` on. A pool may grow to `pool_max`.
    pub fn take(&mut self, slot: Slot, pool_max: u32, at_us: u64, hold_us: u64) -> Taken {
        let may_open = self.open() < self.admits;
        let pool = &mut self.pools[slot.index()];
        if let Some(free) = pool.iter_mut().find(|busy_until| **busy_until <= at_us) {
            *free = at_us + hold_us;
            return Taken { wait_us: 0, refused: false, got: true };
        }
        let wants_more = pool.len() < pool_max as usize;
        if wants_more && may_open {
            pool.push(at_us + hold_us);
            return Taken { wait_us: 0, refused: false, got: true };
        }
        match pool.iter_mut().min() {
            Some(next) if *next - at_us <= self.patience_us => {
                let wait_us = *next - at_us;
                *next += hold_us;
                Taken { wait_us, refused: wants_more, got: true }
            }
            _ => Taken { wait_us: self.patience_us, refused: true, got: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pools_fill_the_database_and_the_next_one_is_refused() {
        let mut db = Database::new(60, 3, Millis(800));
        assert_eq!(db.warm_up(Slot::First, 24), 0);
        assert_eq!(db.warm_up(Slot::Second, 36), 3, "24 + 36 and 3 reserved exceed 60");
        assert_eq!(db.open(), 57);
        for _ in 0..24 {
            assert!(db.take(Slot::First, 30, 0, 500_000).got);
        }
        let late = db.take(Slot::First, 30, 0, 500_000);
        assert_eq!(late, Taken { wait_us: 500_000, refused: true, got: true });
        db.close(Slot::Second);
        let room = db.take(Slot::First, 30, 0, 500_000);
        assert_eq!(room, Taken { wait_us: 0, refused: false, got: true });
    }

    #[test]
    fn a_full_pool_is_waited_for_only_so_long() {
        let mut db = Database::new(10, 0, Millis(800));
        assert!(db.take(Slot::First, 1, 0, 900_000).got);
        let taken = db.take(Slot::First, 1, 0, 1);
        assert_eq!((taken.got, taken.wait_us), (false, 800_000));
    }
}
