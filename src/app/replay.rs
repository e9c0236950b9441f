//! `switchback replay`: a run is found, read and verified, and played to the screen that showed it.
//!
//! There is no engine here, no lock and no router: a replay moves nothing. Without a terminal, or
//! with `--plain` or `--json`, the timeline is printed at once.

use super::{Failure, flight, theme};
use crate::clean::Clean;
use crate::cli::Global;
use crate::journal::{self, JOURNAL, Run};
use crate::plain::{Form, Printer, complain};
use crate::replay::{self, Deck, Kept, Order, Player, Speed, Tape};
use crate::runbook::snapshot::Update;
use crate::runs::{self, Lock};
use crate::tui;
use crate::units::Millis;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};

/// Of what one command printed, at most so much is read.
const OUTPUT: u64 = 1 << 20;
/// What else a run that is chosen without a name may be called.
const HINT: &str = "give a run's id (see `switchback runs`), its directory, or a bundle's";

/// Plays a run.
pub fn replay(
    global: &Global,
    name: Option<&str>,
    from: Millis,
    speed: Speed,
) -> Result<u8, Failure> {
    let screen =
        !global.plain && !global.json && io::stdout().is_terminal() && io::stdin().is_terminal();
    let (path, going_on) = find(global, name)?;
    let run = journal::read(&path).map_err(|fault| Failure::world(&fault, fault.hint()))?;
    let tape = tape(run, &path, going_on)?;
    if from > tape.end_at() {
        complain(format_args!(
            "warning: the run is over before --at: it ends at {}",
            crate::text::clock(tape.end_at())
        ));
    }
    if screen { show(global, tape, from, speed) } else { print(global, tape, from) }
}

/// The directory of a run, and whether somebody flies it now.
fn find(global: &Global, name: Option<&str>) -> Result<(PathBuf, bool), Failure> {
    if let Some(word) = name {
        let path = Path::new(word);
        if path.join(JOURNAL).exists() {
            return Ok((path.to_owned(), false));
        }
        if path.exists() || word.contains('/') {
            return Err(Failure::world(
                format!("{} is no run: there is no {JOURNAL} in it", Clean::new(word)),
                HINT,
            ));
        }
    }
    let home = flight::home(global)?;
    let found = match name {
        Some(_) => runs::find(&home.runs, name).map_err(|fault| Failure::usage(&fault, HINT))?,
        None => super::runs::listed(&home)?.into_iter().next_back().ok_or_else(|| {
            let none = format!("there is no run in {}", home.runs.display());
            Failure::usage(none, "fly one: switchback drill plain-sailing")
        })?,
    };
    let router = found.router.as_ref().map_or("", |router| router.as_str());
    let holder = Lock::holder(&home.locks, router);
    let going_on = found.exit.is_none() && holder.is_some_and(|h| h.run.as_str() == found.id);
    Ok((found.path, going_on))
}

fn tape(run: Run, path: &Path, going_on: bool) -> Result<Tape, Failure> {
    let tape = Tape::new(run, &kept(path), going_on);
    if tape.is_empty() {
        return Err(Failure::world(
            "the journal holds no input: there is nothing to play",
            "the run ended before it began, or its first input is missing",
        ));
    }
    Ok(tape)
}

/// What commands printed, where the run's directory has it: `logs/07-deploy.log` is of act 7.
fn kept(path: &Path) -> Kept {
    let mut kept = Kept::new();
    let Ok(entries) = std::fs::read_dir(path.join("logs")) else { return kept };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some((number, rest)) = name.to_str().and_then(|name| name.split_once('-')) else {
            continue;
        };
        let (Ok(number), true) = (number.parse::<u32>(), rest.ends_with(".log")) else { continue };
        // Somebody else may have put anything there: only a file is opened.
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let Ok(file) = std::fs::File::open(entry.path()) else { continue };
        let lines = BufReader::new(file.take(OUTPUT)).split(b'\n').map_while(Result::ok);
        kept.insert(number, lines.map(|l| Clean::new(&String::from_utf8_lossy(&l))).collect());
    }
    kept
}

/// The cockpit on a tape.
fn show(global: &Global, tape: Tape, from: Millis, speed: Speed) -> Result<u8, Failure> {
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        Failure::world(format!("{what}: {error}"), "--plain prints lines instead")
    };
    let theme = theme(global);
    let env = |name: &str| std::env::var(name).ok();
    theme
        .load(&env)
        .map_err(|e| Failure::usage(format!("theme {}: {}", e.theme, e.cause), e.hint))?;
    let played = replay::play(tape, from, speed).map_err(|e| failed("the replay", &e))?;
    let signals = leave_when_asked(played.deck.clone()).map_err(|e| failed("signals", &e))?;
    let options = tui::Options {
        theme,
        ascii: global.ascii,
        replay: Some(played.deck.clone()),
        ..Default::default()
    };
    let shown = tui::run(played.link.clone(), options);
    signals.close();
    played.end();
    shown.map_err(|report| failed("the screen failed", &format!("{report:#}")))?;
    Ok(0)
}

/// There is no engine that hears these.
fn leave_when_asked(deck: Deck) -> io::Result<Handle> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let handle = signals.handle();
    std::thread::Builder::new().name("leave".to_owned()).spawn(move || {
        signals.forever().for_each(|_| deck.order(Order::Leave));
    })?;
    Ok(handle)
}

/// The timeline as lines, at once.
fn print(global: &Global, tape: Tape, from: Millis) -> Result<u8, Failure> {
    let form = if global.json { Form::Json } else { Form::Lines };
    let mut printer = Printer::new(form, false, true);
    let length = tape.len();
    let begin = tape.index_at(from.min(tape.end_at()));
    let skipped = if from == Millis::ZERO { 0 } else { begin.saturating_sub(1) };
    let mut player = Player::new(tape);
    // What was told before is not printed.
    let _ = player.go(skipped);
    let mut seq = 0;
    while player.index() < length {
        let moved = player.go(player.index() + 1);
        seq += 1;
        let news = moved.news;
        if news.records.is_empty() && news.output.is_empty() && news.log.is_empty() {
            continue;
        }
        let update = Update {
            seq,
            reset: false,
            snapshot: moved.snapshot,
            samples: Vec::new(),
            switches: news.switches,
            log: news.log,
            records: news.records,
            output: news.output,
        };
        match printer.print(&update) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(0),
            other => {
                other?;
            }
        }
    }
    let tape = player.tape();
    if form == Form::Json {
        // There every line is a record.
        tape.says().iter().for_each(|says| complain(format_args!("warning: {says}")));
    }
    match tape.compared() {
        Ok(seen) => {
            if form == Form::Lines {
                let words = format!(
                    "replay: {} inputs stepped, {} effects, each as journalled, byte for byte\n",
                    seen.inputs, seen.effects
                );
                super::print(words.as_bytes())?;
            }
            Ok(0)
        }
        Err(difference) => Err(Failure::world(
            format!("the replay differs from the journal: {}", short(&difference.to_string())),
            "another version wrote it, or it was not written by this program; `switchback \
             --version` says which this is",
        )),
    }
}

/// An effect is long; its beginning tells enough.
fn short(words: &str) -> String {
    let clean = Clean::new(words).to_string();
    if clean.chars().count() <= 400 {
        clean
    } else {
        clean.chars().take(400).collect::<String>() + "…"
    }
}
