//! Many deploys at once, and what is said of them: how many, from which seed, where they have
//! been, and of one that broke something its story.

use crate::sim::hostile::fly::panics_are_told;
use crate::sim::hostile::seeded::{Failure, Teller};
use crate::sim::invariants::INVARIANTS;
use crate::sim::witness::{Place, Places};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Which stories are flown.
#[derive(Debug, Clone, Copy)]
pub struct Orders {
    /// The seed of the first; each next one has the next seed.
    pub seed: u64,
    /// How many.
    pub runs: u64,
    /// Whether every place must be reached: a few stories need not.
    pub everywhere: bool,
    /// Whether what breaks is named, and its story is not told.
    pub briefly: bool,
}

impl Orders {
    /// What the command line and the environment ask for, with `runs` and a fresh seed where they
    /// say nothing. Nothing where a name was asked for that is not this test's.
    pub fn from_arguments(runs: u64) -> Option<Self> {
        let (mut seed, mut wanted, mut names) = (None, None, Vec::new());
        let mut briefly = false;
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--seed" => seed = arguments.next(),
                "--runs" => wanted = arguments.next(),
                "--test-threads" | "--skip" | "--color" | "--format" | "--logfile" => {
                    arguments.next();
                }
                "--briefly" => briefly = true,
                "--list" => return None,
                option if option.starts_with('-') => {}
                number if number.parse::<u64>().is_ok() => wanted = Some(argument),
                _ => names.push(argument),
            }
        }
        if !names.is_empty() && !names.iter().any(|name| "hostile".contains(name.as_str())) {
            return None;
        }
        let seed = seed.or_else(|| std::env::var("SWITCHBACK_SEED").ok());
        let given = seed.and_then(|seed| seed.parse().ok());
        // A seed alone is one story: the one that failed.
        let otherwise = if given.is_some() { 1 } else { runs };
        let runs = wanted.and_then(|runs| runs.parse().ok()).unwrap_or(otherwise);
        let seed = given.unwrap_or_else(fresh);
        Some(Self { seed, runs, everywhere: runs >= 2_000, briefly })
    }
}

/// A seed that nobody knows beforehand, short enough to be typed.
fn fresh() -> u64 {
    getrandom::u32().map_or_else(|_| u64::from(std::process::id()), u64::from)
}

/// What came of them all.
#[derive(Debug, Default)]
struct Told {
    flown: u64,
    simulated: u64,
    places: [u64; Place::ALL.len()],
    failed: Option<u64>,
}

impl Told {
    fn add(&mut self, simulated: u64, places: Places) {
        self.flown += 1;
        self.simulated += simulated;
        for (count, place) in self.places.iter_mut().zip(Place::ALL) {
            *count += u64::from(places.has(place));
        }
    }
}

/// Flies them on two threads, prints what came of them, and says so to the shell.
pub fn fly(orders: &Orders) -> ExitCode {
    let Orders { seed, runs, everywhere, briefly } = *orders;
    println!("hostile: {runs} deploys from seed {seed}, {} invariants", INVARIANTS.len() + 5);
    // What breaks is brought back and told as a story.
    panics_are_told();
    let began = Instant::now();
    let told = all(seed, runs);
    let secs = began.elapsed().as_secs_f64();
    let rate = told.flown as f64 / secs;
    println!(
        "  {} flown in {secs:.1} s, {rate:.0} a second, {:.0} simulated seconds each",
        told.flown,
        told.simulated as f64 / 1e3 / told.flown.max(1) as f64
    );
    if let Some(seed) = told.failed {
        println!("  broken after {} deploys", told.flown);
        if briefly {
            println!("BROKEN: {}", Teller::default().breaks(seed).unwrap_or_default());
            return ExitCode::FAILURE;
        }
        return match Teller::default().shrinks(seed) {
            Some(failure) => tell(&failure),
            None => {
                println!("  seed {seed} broke something once, and does so no more");
                ExitCode::FAILURE
            }
        };
    }
    println!("  no invariant is broken");
    let mut missing = Vec::new();
    let places: Vec<String> = Place::ALL
        .into_iter()
        .zip(told.places)
        .map(|(place, count)| {
            if count == 0 {
                missing.push(place.words());
            }
            format!("{} {count}", place.words())
        })
        .collect();
    for line in places.chunks(6) {
        println!("  {}", line.join(" · "));
    }
    if everywhere && !missing.is_empty() {
        println!("  never reached: {}: then nothing is proven of it", missing.join(", "));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn all(seed: u64, runs: u64) -> Told {
    let next = AtomicU64::new(0);
    let told = Mutex::new(Told::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let teller = Teller::default();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= runs {
                        return;
                    }
                    let flown = teller.flies(seed.wrapping_add(n));
                    let mut told = told.lock().unwrap_or_else(|told| told.into_inner());
                    match flown {
                        Ok(flown) => told.add(flown.simulated, flown.places),
                        Err(seed) => {
                            told.flown += 1;
                            let first = told.failed.map_or(seed, |first| first.min(seed));
                            told.failed = Some(first);
                            // Nobody begins another one.
                            next.store(runs, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    told.into_inner().unwrap_or_else(|told| told.into_inner())
}

fn tell(failure: &Failure) -> ExitCode {
    let Failure { seed, story, broken, log } = failure;
    println!("\nBROKEN: {broken}\n\nthe smallest story that breaks it:\n{story}\n\nwhat happened:");
    for line in log {
        println!("  {line}");
    }
    println!("\nagain: cargo test --test hostile -- --seed {seed}");
    ExitCode::FAILURE
}
