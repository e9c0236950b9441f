//! What each command does: plans are loaded, runs are assembled and flown, answers are printed.
//!
//! `main` parses and calls [`run`]; everything that can go wrong on the way to a run ends in a
//! [`Failure`], which knows its exit code and its next move.

mod approve;
mod backtest;
mod check;
mod close;
mod drill;
mod flight;
mod hangar;
mod home;
mod leftover;
mod odds;
mod record;
mod recording;
mod rehearse;
mod replay;
mod report;
mod resume;
mod rollback;
mod runs;
mod straight_back;
mod traffic;
mod trials;
mod verify;

use crate::cli::{self, Cli, Command, Global};
use crate::plan::{self, Faults, Loaded, Overrides};
use crate::runbook::Fault;
use crate::tui::theme::ThemeChoice;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: u8,
    /// Cause and hint, ready to print.
    pub says: String,
}

impl Failure {
    /// Wrong use: 2.
    pub fn usage(cause: impl fmt::Display, hint: impl fmt::Display) -> Self {
        Self { exit: 2, says: format!("error: {cause}\nhint: {hint}") }
    }

    /// An error of the program or of the world: 1.
    pub fn world(cause: impl fmt::Display, hint: impl fmt::Display) -> Self {
        Self { exit: 1, says: format!("error: {cause}\nhint: {hint}") }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::world(fault.cause, fault.hint)
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        Self { exit: 2, says: faults.to_string().trim_end().to_owned() }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::world(format!("writing to standard output: {error}"), "see where it goes")
    }
}

/// Does what was typed; gives the exit code.
pub fn run(cli: Cli) -> Result<u8, Failure> {
    let global = cli.global;
    match cli.command {
        None => hangar::home(&global),
        Some(Command::Deploy { plan, release }) => {
            flight::deploy(&global, &plan.path, release.into())
        }
        Some(Command::Rehearse(args)) => rehearse::rehearse(&global, &args),
        Some(Command::Drill { scenario, seed, bots, .. }) if trials::wanted(&bots) => {
            trials::trials(&global, scenario.as_deref(), seed, &bots)
        }
        Some(Command::Drill { scenario: Some(name), seed, blind, .. }) => {
            let runs = flight::home(&global)?.runs;
            drill::drill(&global, &drill::Sortie::load(&runs, &name, seed, blind)?)
        }
        Some(Command::Drill { blind: true, seed, .. }) => hangar::blind(&global, seed),
        Some(Command::Drill { .. }) => hangar::drills(&global),
        Some(Command::LabAct { address, act }) => drill::act(&address, &act),
        Some(Command::Check { plan, release, effective, runbook }) => {
            let overrides = Overrides::from(release);
            check::check(&global, &plan.path, overrides, effective, runbook)
        }
        Some(Command::Approve { plan, release, key, identity, valid }) => {
            approve::approve(&global, &plan.path, release.into(), &key, identity.as_deref(), valid)
        }
        Some(Command::Odds { plan, odds: args }) => odds::odds(&global, &plan.path, &args),
        Some(Command::Rollback { plan, to }) => {
            rollback::rollback(&global, load(&plan.path, Overrides::default())?, to.as_deref())
        }
        Some(Command::Resume { run }) => resume::resume(&global, run.as_deref()),
        Some(Command::Backtest { plan, samples }) => backtest::backtest(&global, &plan, &samples),
        Some(Command::Replay { run, at, speed }) => {
            replay::replay(&global, run.as_deref(), at.unwrap_or_default(), speed)
        }
        Some(Command::Runs) => runs::runs(&global),
        Some(Command::Report(args)) => report::report(&global, &args),
        Some(Command::Verify(args)) => verify::verify(&global, &args),
        Some(Command::Schema) => print(format!("{:#}\n", plan::schema()).as_bytes()),
        Some(Command::Completions { shell }) => print(&cli::completions(shell)),
        Some(Command::Man) => print(&cli::man()?),
    }
}

/// Reads a plan, with what the command line says instead of it.
fn load(path: &Path, overrides: Overrides) -> Result<Loaded, Failure> {
    Ok(plan::load(path)?.with(overrides)?)
}

/// Prints to standard output. A reader that has seen enough is no error.
fn print(bytes: &[u8]) -> Result<u8, Failure> {
    match io::stdout().lock().write_all(bytes) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(0),
    }
}

/// How a run is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watcher {
    /// The cockpit.
    Screen,
    /// Lines; with somebody at the keyboard or without.
    Plain { attended: bool },
    /// JSON lines.
    Json { attended: bool },
}

/// Not a terminal means plain lines, and then open gates need `--yes`.
fn watcher(global: &Global) -> Result<Watcher, Failure> {
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    if !terminal && !global.yes {
        return Err(Failure::usage(
            "this is not a terminal, so nobody can open the gates",
            "give --yes to answer every gate that is open, or run it in a terminal",
        ));
    }
    let attended = !global.yes;
    Ok(match (global.json, global.plain || !terminal) {
        (true, _) => Watcher::Json { attended },
        (false, true) => Watcher::Plain { attended },
        (false, false) => {
            // A theme that does not hold is told before a run begins.
            theme(global).load(&|name| std::env::var(name).ok()).map_err(|error| Failure {
                exit: 2,
                says: format!(
                    "error: theme {}: {}\nhint: {}",
                    error.theme, error.cause, error.hint
                ),
            })?;
            Watcher::Screen
        }
    })
}

/// The theme that was asked for.
fn theme(global: &Global) -> ThemeChoice {
    global.theme.as_deref().map(ThemeChoice::from_word).unwrap_or_default()
}
