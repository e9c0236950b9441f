//! Blind mode: a drill is drawn, and only its codename is shown.
//!
//! In each session going back is wrong in some share of the drills, between 35 and 45 %; which
//! share, the operator does not know, so that no habit pays. What was drawn can be flown; what it
//! is called is told when it is [revealed](Drawn::reveal), after the flight.

use super::due::Entry;
use super::history::HistoryLine;
use std::fmt;

/// The least and the greatest share of drills in which going back is not the right call.
pub const RATES: [f64; 2] = [0.35, 0.45];

/// A session of blind drills.
#[derive(Clone)]
pub struct Session {
    dice: Dice,
    rate: f64,
    drawn: Vec<String>,
}

/// What does not tell its rate.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("drawn", &self.drawn.len()).finish_non_exhaustive()
    }
}

/// A drill that was drawn.
#[derive(Clone, PartialEq, Eq)]
pub struct Drawn {
    scenario: String,
    codename: String,
    seed: u64,
}

impl Drawn {
    /// All that is shown before the end.
    pub fn codename(&self) -> &str {
        &self.codename
    }

    /// The seed to fly.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The scenario's id: for whoever loads it, and for the debrief. No screen shows it before.
    pub fn reveal(&self) -> &str {
        &self.scenario
    }
}

/// What does not tell what it is.
impl fmt::Debug for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Drawn").field(&self.codename).finish()
    }
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.codename)
    }
}

/// Draws that hang on a seed alone.
#[derive(Debug, Clone)]
struct Dice(u64);

impl Dice {
    /// Even numbers in every place: the mixing of a counter that a widely used generator has.
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let place = (self.unit() * all.len() as f64) as usize;
        all.get(place.min(all.len().saturating_sub(1)))
    }
}

impl Session {
    /// A session that hangs on a number which nobody chose.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let rate = RATES[0] + (RATES[1] - RATES[0]) * dice.unit();
        Self { dice, rate, drawn: Vec::new() }
    }

    /// Draws the next drill up to a level; nothing where the catalogue has none. What was drawn in
    /// this session, and what was flown most lately, comes last; a seed that was flown is not
    /// flown again while there is another.
    pub fn draw(&mut self, catalogue: &[Entry], level: u8, lines: &[HistoryLine]) -> Option<Drawn> {
        let stays = self.dice.unit() < self.rate;
        let known = || catalogue.iter().filter(|entry| entry.level <= level);
        let mut wanted: Vec<&Entry> =
            known().filter(|entry| entry.back_is_right != stays).collect();
        if wanted.is_empty() {
            wanted = known().collect();
        }
        let times = |entry: &&Entry| self.drawn.iter().filter(|id| **id == entry.id).count();
        let least = wanted.iter().map(times).min()?;
        wanted.retain(|entry| times(entry) == least);
        let last = |entry: &&Entry| {
            let of_it = lines.iter().filter(|line| line.scenario == entry.id);
            of_it.map(|line| line.ended_unix_ms).max()
        };
        // The half that was flown longest ago, never before all.
        wanted.sort_by_key(last);
        wanted.truncate(wanted.len().div_ceil(2).max(1));
        let entry = (*self.dice.of(&wanted)?).clone();
        let was_flown =
            |seed: &u64| lines.iter().any(|line| line.scenario == entry.id && line.seed == *seed);
        let fresh: Vec<u64> = entry.seeds.iter().copied().filter(|s| !was_flown(s)).collect();
        let seed = self.dice.of(&fresh).copied().unwrap_or_else(|| self.dice.next() >> 32);
        self.drawn.push(entry.id.clone());
        // A name of its own would be known after the first time.
        let names: Vec<&str> = catalogue.iter().map(|entry| entry.codename.as_str()).collect();
        let codename = self.dice.of(&names).map_or("BLIND", |name| name).to_owned();
        Some(Drawn { scenario: entry.id, codename, seed })
    }
}
