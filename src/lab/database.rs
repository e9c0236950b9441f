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
    /// Connections that are open and that no request can use, for each slot.
    held: [usize; 2],
    /// Connections that a slot wants and that there is no room for.
    unmet: [usize; 2],
    admits: usize,
    patience_us: u64,
}

impl Database {
    pub fn new(max: u32, reserved: u32, acquire_timeout: Millis) -> Self {
        Self {
            pools: [Vec::new(), Vec::new()],
            held: [0; 2],
            unmet: [0; 2],
            admits: max.saturating_sub(reserved) as usize,
            patience_us: acquire_timeout.0 * 1000,
        }
    }

    /// Connections that are open, of both slots.
    pub fn open(&self) -> usize {
        self.pools.iter().map(Vec::len).sum::<usize>() + self.held.iter().sum::<usize>()
    }

    fn room(&self) -> usize {
        self.admits.saturating_sub(self.open())
    }

    /// Whether a slot holds, or wants, more than its pool.
    pub const fn holds(&self, slot: Slot) -> bool {
        self.held[slot.index()] > 0 || self.unmet[slot.index()] > 0
    }

    /// Whether somebody waits for a place that there is not.
    pub fn is_short(&self) -> bool {
        self.open() >= self.admits && self.unmet != [0; 2]
    }

    /// The slot's pool grows to so many connections, and `held` more stay busy with nothing of
    /// the users'; says how many of them were refused.
    pub fn want(&mut self, slot: Slot, pool: usize, held: usize) -> usize {
        let slot = slot.index();
        self.held[slot] = self.held[slot].min(held);
        self.held[slot] += (held - self.held[slot]).min(self.room());
        let missing = pool.saturating_sub(self.pools[slot].len());
        let opens = missing.min(self.room());
        let grown = self.pools[slot].len() + opens;
        self.pools[slot].resize(grown, 0);
        self.unmet[slot] = missing - opens + held - self.held[slot];
        self.unmet[slot]
    }

    /// A slot has let go of what it had opened beyond `pool`, as far as it is free.
    pub fn shrink(&mut self, slot: Slot, pool: usize, at_us: u64) {
        let keep = pool;
        let pool = &mut self.pools[slot.index()];
        let mut extra = pool.len().saturating_sub(keep);
        pool.retain(|busy_until| {
            let goes = extra > 0 && *busy_until <= at_us;
            extra -= usize::from(goes);
            !goes
        });
    }

    /// Opens up to `count` connections ahead of need; says how many were refused.
    pub fn warm_up(&mut self, slot: Slot, count: u32) -> u64 {
        let opened = (count as usize).min(self.room());
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
        self.held[slot.index()] = 0;
        self.unmet[slot.index()] = 0;
    }

    /// A connection that has grown old is not opened again: there is no room.
    pub const fn refuse(&self) -> Taken {
        Taken { wait_us: 0, refused: true, got: false }
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
