//! The whole catalogue played: every outcome, mode and rate of a profile, many times, on as many
//! threads as there are, with the same numbers for the same seed.

use crate::peers::{DOC_SLOW_MS, PEERS, Peer};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use switchback::odds::dice::seed_of;
use switchback::odds::{
    Class, Cockpit, Course, Mode, Outcome, Played, Policy, Profile, watch, watch_all,
};
use switchback::plan::Plan;

/// Requests a second by day.
pub const RATES: [f64; 5] = [0.1, 0.5, 2.0, 10.0, 50.0];
/// Requests a second at night.
pub const NIGHT: [f64; 2] = [0.01, 0.0];

/// One kind of deploy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// What happens.
    pub outcome: Outcome,
    /// How users are moved.
    pub mode: Mode,
    /// Requests a second.
    pub rps: f64,
}

impl Cell {
    /// By day, every outcome in every mode at every rate; at night two outcomes.
    pub fn all() -> Vec<Self> {
        let mut cells = Vec::new();
        for outcome in Outcome::ALL {
            for mode in Mode::ALL {
                cells.extend(RATES.map(|rps| Self { outcome, mode, rps }));
            }
        }
        for outcome in Outcome::NIGHT {
            cells.extend(NIGHT.map(|rps| Self { outcome, mode: Mode::Hard, rps }));
        }
        cells
    }

    /// The cell's name.
    pub fn name(&self) -> String {
        format!("{}, {}, {} rps", self.outcome.name(), self.mode.word(), self.rps)
    }

    /// Whether this is one of the night's.
    pub fn night(&self) -> bool {
        self.rps < 0.1
    }

    /// A hard switch or a ramp, by day: what goals speak of.
    pub fn moved(&self) -> bool {
        !self.night() && self.mode != Mode::Held
    }

    /// The same between 0.5 and 10 requests a second.
    pub fn counted(&self) -> bool {
        self.moved() && (0.5..=10.0).contains(&self.rps)
    }
}

/// What became of a cell's watches under one policy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// How many were played.
    pub watches: u64,
    /// How many went back.
    pub back: u64,
    /// How many did so before any user came to Green.
    pub abandoned: u64,
    /// How many were kept without a word that too little was seen.
    pub kept_silently: u64,
    /// Seconds from the onset, of those that went back after it; the others are missing.
    pub delays: Vec<u32>,
    /// Users' requests that failed until then, in all watches.
    pub failed: u64,
    /// Users' requests that were slow until then, in all watches.
    pub slow: u64,
}

impl Tally {
    fn add(&mut self, played: &Played) {
        self.watches += 1;
        self.back += u64::from(played.went_back());
        self.abandoned += u64::from(played.abandoned);
        self.kept_silently += u64::from(!played.went_back() && played.proven != Some(false));
        self.delays.extend(played.delay().map(|delay| delay.as_secs() as u32));
        self.failed += played.users_failed;
        self.slow += played.users_slow;
    }

    /// Share that went back, in percent.
    pub fn back_percent(&self) -> f64 {
        100.0 * self.back as f64 / self.watches.max(1) as f64
    }

    /// Share that went back after the onset, in percent.
    pub fn found_percent(&self) -> f64 {
        100.0 * self.delays.len() as f64 / self.watches.max(1) as f64
    }

    /// The delay that this share of the watches (0 to 1) does not exceed, in seconds; nothing
    /// where as many were not found.
    pub fn delay(&self, share: f64) -> Option<u32> {
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        delays.get((self.watches.saturating_sub(1) as f64 * share) as usize).copied()
    }

    /// Failed requests of users in the mean watch.
    pub fn failed_mean(&self) -> f64 {
        self.failed as f64 / self.watches.max(1) as f64
    }
}

/// How much is played.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Watches of a cell that is to keep, that is shared, and that is to roll back.
    pub watches: [u64; 3],
    /// One in so many watches is also played by the peers; 0 is none.
    pub peers_in: u64,
    /// Threads.
    pub threads: usize,
    /// The course of a mode.
    pub course: fn(Mode) -> Course,
}

/// Everything that was played of a profile: for each cell the tally of every policy, the cockpit's first,
/// then the peers' in their order.
#[derive(Debug)]
pub struct Field {
    /// The profile.
    pub profile: Profile,
    /// Cells and tallies.
    pub cells: Vec<(Cell, Vec<Tally>)>,
}

impl Field {
    /// Plays these cells of a profile.
    ///
    /// # Panics
    /// Where a thread that plays has panicked.
    pub fn play(plan: &Plan, profile: Profile, cells: Vec<Cell>, size: Size, seed: u64) -> Self {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(vec![Vec::new(); cells.len()]);
        std::thread::scope(|scope| {
            for _ in 0..size.threads {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(cell) = cells.get(index) else { return };
                        let tallies = play(plan, profile, cell, size, seed_of(seed, index as u64));
                        if let Ok(mut done) = done.lock() {
                            done[index] = tallies;
                        }
                    }
                });
            }
        });
        let done = done.into_inner().unwrap_or_default();
        Self { profile, cells: cells.into_iter().zip(done).collect() }
    }

    /// The tallies of one policy in the cells that are asked for.
    pub fn of(&self, policy: usize, asked: impl Fn(&Cell) -> bool) -> Vec<(Cell, &Tally)> {
        let asked = self.cells.iter().filter(|(cell, _)| asked(cell));
        asked.filter_map(|(cell, tallies)| Some((*cell, tallies.get(policy)?))).collect()
    }
}

/// The mean over cells and the worst of them, where more is worse.
pub fn mean_and_worst(
    cells: &[(Cell, &Tally)],
    value: impl Fn(&Tally) -> f64,
) -> (f64, f64, String) {
    let values = cells.iter().map(|(cell, tally)| (value(tally), cell));
    let mean = values.clone().map(|(value, _)| value).sum::<f64>() / cells.len().max(1) as f64;
    let worst = values.max_by(|a, b| a.0.total_cmp(&b.0));
    worst.map_or((mean, 0.0, String::new()), |(worst, cell)| (mean, worst, cell.name()))
}

fn play(plan: &Plan, profile: Profile, cell: &Cell, size: Size, seed: u64) -> Vec<Tally> {
    let course = (size.course)(cell.mode);
    let watches = match cell.outcome.class() {
        Class::Keep => size.watches[0],
        Class::Shared => size.watches[1],
        // Soon over, and its goal is a mean that luck alone moves by a user or two.
        Class::Roll if cell.outcome == Outcome::Everything => 10 * size.watches[2],
        Class::Roll => size.watches[2],
    };
    let mut tallies = vec![Tally::default(); 1 + if size.peers_in > 0 { PEERS.len() } else { 0 }];
    for n in 0..watches {
        let seed = seed_of(seed, n);
        let mut ours = Cockpit::new(plan);
        if size.peers_in == 0 || !n.is_multiple_of(size.peers_in) {
            let played = watch(&mut ours, cell.outcome, &course, profile, cell.rps, seed);
            tallies[0].add(&played);
            continue;
        }
        let mut peers = PEERS.map(|(_, rule)| Peer::new(rule, seed));
        let mut all: Vec<&mut dyn Policy> = vec![&mut ours];
        all.extend(peers.iter_mut().map(|peer| peer as &mut dyn Policy));
        let exact = [DOC_SLOW_MS];
        let played = watch_all(&mut all, cell.outcome, &course, profile, cell.rps, &exact, seed);
        for (tally, played) in tallies.iter_mut().zip(&played) {
            tally.add(played);
        }
    }
    tallies
}
