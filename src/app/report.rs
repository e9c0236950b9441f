//! `switchback report`: the bundle of a run is made, or found, and said where it is.

use super::{Failure, flight, print, runs as listing};
use crate::clean;
use crate::cli::{Global, ReportArgs};
use crate::engine::clock::unix_ms;
use crate::evidence::manifest::{MOST_BYTES, files_of, read_plain};
use crate::evidence::previous::Previous;
use crate::evidence::seal::{self, NotSealed, Sealed, Sealing};
use crate::evidence::sign::Asking;
use crate::evidence::{declare, names};
use crate::journal::{self, Hit, JOURNAL};
use crate::plain::complain;
use crate::runs::{self, Home, RunSummary};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::fmt::Write as _;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::mpsc::channel;

/// What is to be left out of a bundle.
#[derive(Debug, Clone, Default)]
pub struct Without {
    /// Every recording.
    pub recording: bool,
    /// These files.
    pub files: Vec<String>,
}

/// Seals what is not sealed yet, and prints where the report is.
pub fn report(global: &Global, args: &ReportArgs) -> Result<u8, Failure> {
    let home = flight::home(global)?;
    let found = find(&home, args.run.as_deref())?;
    if found.outcome == "running" {
        return Err(Failure::usage(
            format!("run {} is being flown right now", found.id),
            "it is sealed when it ends",
        ));
    }
    let without = Without { recording: args.without_recording, files: args.leave_out.clone() };
    let asked = args.again || without.recording || !without.files.is_empty();
    let path = found.path.join(names::BUNDLE);
    let mut out = String::new();
    if asked || !is_current(&found.path) {
        let asking = if global.yes { Asking::Nobody } else { Asking::of_this_process() };
        let sealed = bundle(&home, &found.path, &without, asking)?;
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}", says(&sealed));
    }
    let path = match &args.out {
        None => path,
        Some(to) => {
            copy(&path, to).map_err(|e| {
                Failure::world(
                    format!("the bundle was not copied to {}: {e}", to.display()),
                    "name a directory that is not there yet, in one that is",
                )
            })?;
            to.clone()
        }
    };
    let _ = writeln!(out, "{}", path.join(names::REPORT).display());
    print(out.as_bytes())
}

/// The run of this name, or the last one.
fn find(home: &Home, name: Option<&str>) -> Result<RunSummary, Failure> {
    let listed = listing::listed(home)?;
    let found = match name {
        Some(_) => runs::find(&home.runs, name)
            .map_err(|fault| Failure::usage(&fault, "switchback runs lists them"))?,
        None => {
            let last = listed.last().cloned();
            return last.ok_or_else(|| {
                Failure::usage(format!("no runs in {}", home.runs.display()), "fly one first")
            });
        }
    };
    Ok(listed.into_iter().find(|run| run.id == found.id).unwrap_or(found))
}

/// Whether the bundle that is there is of the run as it is now.
fn is_current(directory: &Path) -> bool {
    let bundle = directory.join(names::BUNDLE);
    let read = |path: &Path| read_plain(path, MOST_BYTES).ok();
    bundle.join(names::MANIFEST).is_file()
        && read(&bundle.join(JOURNAL))
            .is_some_and(|own| Some(own) == read(&directory.join(JOURNAL)))
}

/// Seals a run. Where only its recording stands in the way and somebody is at the terminal, they
/// are asked at once.
pub fn bundle(
    home: &Home,
    directory: &Path,
    without: &Without,
    asking: Asking,
) -> Result<Sealed, Failure> {
    let run = journal::read(directory).map_err(|fault| {
        Failure::world(format!("the journal does not hold: {fault}"), "see `switchback runs`")
    })?;
    // What must not be in it is known by value only while the secrets can be had.
    let (_, missing) = flight::mask_what_there_is(&run.opened.plan);
    if !missing.is_empty() {
        complain(format_args!(
            "warning: {} of the plan cannot be had now, so that the bundle was not searched for \
             their values",
            crate::text::count(missing.len() as u64, "secret")
        ));
    }
    let (index, fault) = runs::index::read(&home.runs);
    if let Some(fault) = fault {
        complain(format_args!("warning: the runs' index is believed only in part: {fault}"));
    }
    let mut how = Sealing {
        previous: Previous::of(&run.opened.facts.run, &index),
        leave_out: without.files.clone(),
        without_recording: without.recording,
        mask: clean::installed(),
        asking,
        now_unix_ms: unix_ms(),
        program_sha256: declare::program_sha256(),
    };
    let mut sealed = seal::seal(directory, &how);
    if let Err(NotSealed::Blocked { hits, recording_alone: true }) = &sealed
        && asking == Asking::Person
        && wants_without(hits)
    {
        how.without_recording = true;
        sealed = seal::seal(directory, &how);
    }
    let sealed = sealed.map_err(|not| refused(&run.opened.facts.run, &not))?;
    if let Err(fault) = runs::index::sealed(&home.runs, &run.opened.facts.run, &sealed.digest) {
        complain(format_args!("warning: the runs' index was not written: {fault}"));
    }
    Ok(sealed)
}

fn refused(id: &str, not: &NotSealed) -> Failure {
    let run = runs::short(id);
    match not {
        NotSealed::Blocked { hits, recording_alone } => {
            let hint = match (recording_alone, hits.first()) {
                (true, _) => format!("switchback report {run} --without-recording"),
                (false, Some(hit)) => {
                    let place = hit.place.as_str();
                    let file = place.split_once(" into ").map_or(place, |(_, file)| file);
                    let file = file.split(',').next().unwrap_or("FILE");
                    format!("look at it; switchback report {run} --leave-out {file}")
                }
                (false, None) => format!("switchback report {run}"),
            };
            Failure::world(format!("{not}{}", places(hits)), hint)
        }
        NotSealed::Fault(fault) => Failure::world(&fault.cause, &fault.hint),
    }
}

fn places(hits: &[Hit]) -> String {
    hits.iter().take(10).map(|hit| format!("\n  {}: {}", hit.rule, hit.place)).collect()
}

/// Asks at the terminal whether to seal without the recording.
fn wants_without(hits: &[Hit]) -> bool {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return false;
    }
    let mut screen = io::stderr().lock();
    let asked = write!(
        screen,
        "the recording shows something that should have been masked:{}\n\
         seal the run without its recording? [y/N] ",
        places(hits)
    );
    asked.and_then(|()| screen.flush()).is_ok()
        && matches!(answer().as_deref().map(str::trim), Some("y" | "Y" | "yes"))
}

/// The line that is typed; nothing where Ctrl-C, or being asked to end, is the answer. The run is
/// over, so that neither may end this process before it has told where things are.
fn answer() -> Option<String> {
    let (typed, answered) = channel();
    let interrupted = typed.clone();
    let mut signals = Signals::new([SIGINT, SIGTERM]).ok()?;
    let handle = signals.handle();
    let waits = std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            let _ = interrupted.send(None);
        }
    });
    // It is left waiting where nothing is typed: nobody else reads here any more.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        let _ = typed.send(read.is_ok().then_some(line));
    });
    let answer = answered.recv().ok().flatten();
    handle.close();
    let _ = waits.join();
    if answer.is_none() {
        complain(format_args!(""));
    }
    answer
}

/// Where the bundle is, who signed it, and how to check it.
pub fn says(sealed: &Sealed) -> String {
    let path = sealed.path.display();
    let signed = match (&sealed.signed, &sealed.unsigned) {
        (Some(signer), _) => format!("signed by {}", signer.identity),
        (None, Some(why)) => format!("unsigned: {why}"),
        (None, None) => "unsigned".to_owned(),
    };
    let mut out = format!("evidence: {path} ({signed})");
    // Writing to a string cannot fail.
    if let Some(token) = &sealed.token {
        let _ = write!(out, "\ndated: {} by {}", token.time, token.authority);
    }
    if let Some(why) = &sealed.no_token {
        let _ = write!(out, "\nnot dated: {why}");
    }
    for left in &sealed.left_out {
        let _ = write!(out, "\nleft out: {}: {}", left.file, left.why);
    }
    let _ = write!(out, "\ncheck: switchback verify {path} --signers FILE");
    out
}

/// Copies a bundle to where nothing is yet, for us alone to read.
fn copy(bundle: &Path, to: &Path) -> io::Result<()> {
    let names = files_of(bundle).map_err(|odd| {
        io::Error::other(odd.first().map(ToString::to_string).unwrap_or_default())
    })?;
    DirBuilder::new().mode(0o700).create(to)?;
    for name in names {
        let path = to.join(&name);
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let bytes = read_plain(&bundle.join(&name), MOST_BYTES)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
    }
    Ok(())
}
