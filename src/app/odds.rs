//! `switchback odds`: flies releases on the plan, and prints what it finds.

use super::flight::block_on;
use super::traffic::{self, Traffic};
use super::{Failure, load, print};
use crate::cli::{Global, OddsArgs};
use crate::odds::report::Shared;
use crate::odds::table::{WIDTHS, table};
use crate::odds::{Asked, Service, odds as fly};
use crate::plan::Overrides;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The line of progress is drawn no more often than this.
const DRAWN_EVERY: Duration = Duration::from_millis(100);
/// Cells of its bar.
const BAR: u64 = 30;
/// The exit code of what Ctrl-C ended, as shells have it.
const CUT_OFF: i32 = 130;

/// Flies the plan's releases.
pub fn odds(global: &Global, path: &Path, args: &OddsArgs) -> Result<u8, Failure> {
    let plan = load(path, Overrides::default())?.plan;
    let Traffic { rps, rps_from, p95_ms } = traffic::of(global, &plan, args.rps)?;
    let p95_from = match p95_ms {
        Some(_) => "of the last runs",
        None => "taken to be well under its limit",
    };
    let service = Service::of(&plan, rps, p95_ms);
    let flights = Shared::out(&plan, &service, args.releases).flights();
    let progress = Progress::new(flights, global.ascii);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let report = fly(
        &plan,
        &Asked {
            service,
            rps_from,
            p95_from: p95_from.to_owned(),
            seed: args.seed,
            releases: args.releases,
            threads: args.threads.map_or(cores, usize::from),
            landed: &|more| progress.landed(more),
        },
    );
    progress.end();
    if global.json {
        let json = serde_json::to_string(&report)
            .map_err(|e| Failure::world(e, "this is a bug: please report it"))?;
        return print(format!("{json}\n").as_bytes());
    }
    print(table(&report, columns(), global.ascii).as_bytes())
}

/// How wide the terminal is; what is no terminal is as wide as most pages.
fn columns() -> usize {
    let terminal = std::io::stdout().is_terminal();
    let size = terminal.then(|| crossterm::terminal::size().ok()).flatten();
    size.map_or(WIDTHS.0, |(columns, _)| usize::from(columns))
}

/// Waits for Ctrl-C, takes the line of progress away, and ends as one ends who was cut off.
/// Nothing is written here that could be left half done.
fn clear_when_cut_off() {
    let cut_off = block_on(tokio::signal::ctrl_c());
    if matches!(cut_off, Ok(Ok(()))) {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
        std::process::exit(CUT_OFF);
    }
}

/// A line on standard error that says how far it is, where that is a terminal.
struct Progress {
    of: u64,
    ascii: bool,
    drawn: Option<Mutex<(u64, Option<Instant>)>>,
}

impl Progress {
    fn new(of: u64, ascii: bool) -> Self {
        let drawn = std::io::stderr().is_terminal().then(Mutex::default);
        if drawn.is_some() {
            std::thread::spawn(clear_when_cut_off);
        }
        Self { of, ascii, drawn }
    }

    fn landed(&self, more: u64) {
        let Some(Ok(mut drawn)) = self.drawn.as_ref().map(Mutex::lock) else { return };
        drawn.0 += more;
        let now = Instant::now();
        if drawn.1.is_some_and(|last| now.duration_since(last) < DRAWN_EVERY) {
            return;
        }
        drawn.1 = Some(now);
        let (landed, of) = (drawn.0, self.of.max(1));
        let full = (landed * BAR / of).min(BAR) as usize;
        let (on, off) = if self.ascii { ("#", ".") } else { ("█", "░") };
        let bar = on.repeat(full) + &off.repeat(BAR as usize - full);
        // Whoever cannot see the progress need not.
        let _ = write!(std::io::stderr(), "\r{bar} {landed} of {of} releases");
    }

    fn end(&self) {
        if self.drawn.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
