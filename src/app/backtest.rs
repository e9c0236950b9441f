//! `switchback backtest`: samples are found and read, judged, and what changed is printed.
//!
//! Where standard output is no terminal, or with `--json`, only JSON lines are printed there; what
//! else is to be known goes to standard error. What was judged before a line that cannot be read
//! is printed before it is told.

use super::{Failure, flight, load};
use crate::backtest::{Lines, Odd, Squeezed, Told, Unread, flown, read_whole};
use crate::cli::Global;
use crate::journal::{self, JOURNAL, Run, SAMPLES};
use crate::plain::complain;
use crate::plan::{Overrides, Plan};
use crate::runs::{self, FindFault};
use crate::text::utc;
use crate::units::Millis;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

/// The plan would have gone back.
const WENT_BACK: u8 = 3;

/// What was found, and what else is to be said of it.
struct Found {
    told: Told,
    /// What cannot be read, or cannot be meant.
    broken: Option<Failure>,
    warnings: Vec<String>,
    /// What it is called where nothing of it was judged.
    name: String,
}

/// Judges samples by the limits of a plan.
pub fn backtest(global: &Global, plan: &Path, samples: &str) -> Result<u8, Failure> {
    let plan = load(plan, Overrides::default())?.plan;
    let found = match Source::find(global, samples)? {
        Source::Run(run) => of_run(&plan, &run),
        Source::Lines { name, bytes } => of_lines(&plan, name, &bytes),
    };
    let told = &found.told;
    let broken = found.broken.or_else(|| unjudged(&found.name, told));
    tell(global, told, broken.is_none())?;
    for warning in &found.warnings {
        complain(format_args!("warning: {warning}"));
    }
    if let Some(broken) = broken {
        return Err(broken);
    }
    for warning in told.warnings(&plan) {
        complain(format_args!("warning: {warning}"));
    }
    Ok(if told.goes_back() { WENT_BACK } else { 0 })
}

/// Why nothing was judged, if that is so: then nothing is said of the release either.
fn unjudged(name: &str, told: &Told) -> Option<Failure> {
    if told.judged() {
        return None;
    }
    let (why, hint) = match told.seconds {
        [0, 0] => ("holds no sample", Unread::HINT),
        [_, 0] => ("holds no second of Green's", "give Green's seconds too: \"role\":\"green\""),
        _ => (
            "has no evaluation of Green: they are made every 5 s of `at`, of its probes, or of \
             users with `requests`",
            "give more seconds of Green's, with `requests`; a run is judged from its soak on",
        ),
    };
    Some(Failure::world(format_args!("nothing was judged: {name} {why}"), hint))
}

/// Where samples come from.
enum Source {
    /// Lines, and what faults call them.
    Lines { name: String, bytes: Vec<u8> },
    /// A run with its journal.
    Run(Box<Run>),
}

impl Source {
    fn find(global: &Global, word: &str) -> Result<Self, Failure> {
        if word == "-" {
            let mut bytes = Vec::new();
            let read = io::stdin().lock().read_to_end(&mut bytes);
            let name = "standard input".to_owned();
            return match read {
                Ok(_) => Ok(Self::Lines { name, bytes }),
                Err(error) => Err(unreadable(&name, &error)),
            };
        }
        let path = Path::new(word);
        if path.is_dir() {
            return Self::directory(path);
        }
        if path.exists() || word.contains('/') {
            return Self::file(path);
        }
        let home = flight::home(global)?;
        match runs::find(&home.runs, Some(word)) {
            Ok(run) => Self::directory(&run.path),
            Err(fault @ FindFault::Several { .. }) => Err(Failure::usage(fault, "say more of it")),
            Err(fault) => Err(Failure::world(
                format!("there is no file {}, and {fault}", path.display()),
                "give a file of samples, - for standard input, a run's directory, or its id",
            )),
        }
    }

    fn directory(path: &Path) -> Result<Self, Failure> {
        if !path.join(JOURNAL).exists() && path.join(SAMPLES).exists() {
            return Self::lines(&path.join(SAMPLES));
        }
        if !path.join(JOURNAL).exists() {
            return Err(Failure::world(
                format!("{} is no run: there is no {JOURNAL} in it", path.display()),
                "give a run's directory or id (see `switchback runs`), or a file of samples",
            ));
        }
        let run = journal::read(path).map_err(|fault| {
            let lines = path.join(SAMPLES);
            if lines.exists() {
                let hint = format!("{}; its lines alone: {}", fault.hint(), lines.display());
                Failure::world(&fault, hint)
            } else {
                Failure::world(&fault, fault.hint())
            }
        })?;
        Ok(Self::Run(Box::new(run)))
    }

    /// A run's own samples are judged with the journal beside them, which knows more.
    fn file(path: &Path) -> Result<Self, Failure> {
        let beside = path.file_name().filter(|name| *name == SAMPLES).and(path.parent());
        let Some(directory) = beside.filter(|directory| directory.join(JOURNAL).exists()) else {
            return Self::lines(path);
        };
        match journal::read(directory) {
            Ok(run) => Ok(Self::Run(Box::new(run))),
            Err(fault) => {
                complain(format_args!(
                    "warning: the journal beside it is not used: {fault}; where a step began is \
                     taken from the samples"
                ));
                Self::lines(path)
            }
        }
    }

    fn lines(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        match std::fs::read(path) {
            Ok(bytes) => Ok(Self::Lines { name, bytes }),
            Err(error) => Err(unreadable(&name, &error)),
        }
    }
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::world(
        format!("{name} cannot be read: {error}"),
        "give a file of samples, - for standard input, a run's directory, or its id",
    )
}

fn of_run(plan: &Plan, run: &Run) -> Found {
    let missing: u64 = run.gaps.iter().map(|(first, last)| last - first + 1).sum();
    if missing > 0 {
        complain(format_args!(
            "warning: {} of this run missing, as after a power cut: what follows may differ from it",
            if missing == 1 { "1 input is".to_owned() } else { format!("{missing} inputs are") }
        ));
    }
    if run.torn.iter().any(|bytes| *bytes > 0) {
        complain("warning: the run was cut off in its last line, which is left out");
    }
    let name = "the run".to_owned();
    Found { told: flown(plan, run), broken: None, warnings: Vec::new(), name }
}

fn of_lines(plan: &Plan, name: String, bytes: &[u8]) -> Found {
    // Up to the first line that is no text.
    let (text, garbled) = match std::str::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => {
            let good = &bytes[..error.valid_up_to()];
            let whole = good.iter().rposition(|b| *b == b'\n').map_or(0, |feed| feed + 1);
            (std::str::from_utf8(&bytes[..whole]).unwrap_or_default(), true)
        }
    };
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut judged = Lines::new(plan);
    let mut odd = Odd::default();
    let mut number = 0;
    let broken = loop {
        if rest.is_empty() {
            break None;
        }
        number += 1;
        let (line, after) = rest.split_at(rest.find('\n').map_or(rest.len(), |feed| feed + 1));
        rest = after;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match read_whole(line) {
            Ok((line, strange)) => {
                odd.look(number, &line, strange);
                judged.take(plan, line, rest);
            }
            Err(unread) if unread.ends_too_soon && !line.ends_with('\n') => {
                complain(format_args!(
                    "warning: {name}, line {number}: it was cut off, and is left out"
                ));
                break None;
            }
            Err(unread) => break Some(unread.why.to_string()),
        }
    };
    let broken = broken.or_else(|| {
        number += u64::from(garbled);
        garbled.then(|| "it is not text (UTF-8)".to_owned())
    });
    let squeezed = odd.squeezed();
    let told = match (&broken, &squeezed) {
        (None, None) => judged.end(),
        (Some(_), None) => judged.told(),
        // Whatever was found, was found at other times.
        (_, Some(_)) => Told::default(),
    };
    let broken = match (broken, squeezed) {
        (Some(why), _) => {
            Some(Failure::world(format_args!("{name}, line {number}: {why}"), Unread::HINT))
        }
        (None, Some(squeezed)) => Some(Failure::usage(squeezed, Squeezed::HINT)),
        (None, None) => None,
    };
    Found { told, broken, warnings: odd.warnings(), name }
}

/// Prints what changed, and what it comes to where all of it was read and judged.
fn tell(global: &Global, told: &Told, whole: bool) -> Result<(), Failure> {
    let json = global.json || (!global.plain && !io::stdout().is_terminal());
    let mut out = String::new();
    if !json && told.origin > Millis::ZERO && !told.changes().is_empty() {
        let unix = i64::try_from(told.origin.0).unwrap_or(i64::MAX);
        out.push_str(&format!("times are since the first second: {}\n", utc(unix)));
    }
    for said in told.changes() {
        let line = if json {
            said.json().map_err(|e| Failure::world(e, "this is a bug: please report it"))?
        } else {
            said.line(told.origin)
        };
        out.push_str(&line);
        out.push('\n');
    }
    if !json && whole {
        if told.changes().is_empty() {
            out.push_str("no verdict changed\n");
        }
        out.push_str(&told.sum_up());
        out.push('\n');
    }
    super::print(out.as_bytes()).map(|_| ())
}
