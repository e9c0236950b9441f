//! Where tokio lives: sources become events, the core decides, the journal keeps, effects happen.
//!
//! The engine decides nothing. It runs on a thread of its own with a single-threaded runtime, so
//! that a blocked terminal cannot stop a rollback and a probe that hangs is one task among
//! others. Everything that happens becomes an [`Event`](crate::runbook::Event) in one order; one
//! call of [`Core::step`](crate::runbook::Core::step) says what follows; and [`hands`] does it.
//! The screen is not known here: the engine publishes to a [`Feed`] and takes commands.

pub mod autopilot;
mod capture;
mod chase;
pub mod clock;
mod hands;
mod logfile;
mod measure;
mod others;
mod run;

use crate::adapter::router::Router;
use crate::feed::{Feed, Link, Sent};
use crate::journal::{Closed, Run, Troubles, Writer};
use crate::plan::Plan;
use crate::plan::secrets::Secrets;
use crate::runbook::{Fault, FaultKind, Finish, RunFacts};
use crate::units::Millis;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::mpsc;

/// What a run needs.
#[derive(Debug)]
pub struct Setup {
    /// The plan, with the run's overrides.
    pub plan: Plan,
    /// What stays the same through the run.
    pub facts: RunFacts,
    /// The run's directory.
    pub directory: PathBuf,
    /// Its journal, already opened.
    pub journal: Writer,
    /// Where the journal tells its troubles.
    pub troubles: Troubles,
    /// The secrets that the plan names.
    pub secrets: Secrets,
    /// The router, which has already been found.
    pub router: Router,
    /// The run that is picked up, if one is.
    pub resume: Option<Run>,
    /// Where other terminals ask this engine.
    pub socket: Option<PathBuf>,
    /// Whether open gates are answered with yes (`--yes`).
    pub yes: bool,
}

/// How the engine ended.
#[derive(Debug)]
pub struct Ended {
    /// How the run ended.
    pub finish: Finish,
    /// The journal, still open: what is to be said of the recording comes before its last line.
    pub journal: Writer,
    /// Its last line.
    pub closed: Closed,
    /// The instant of that line, in the run's time.
    pub at: Millis,
}

/// A running engine.
#[derive(Debug)]
pub struct Engine {
    /// Where to watch it and what to ask of it.
    pub link: Link,
    thread: JoinHandle<Result<Ended, Fault>>,
}

impl Engine {
    /// Starts the engine on its own thread.
    pub fn start(setup: Setup) -> Result<Self, Fault> {
        let feed = Arc::new(Feed::default());
        let (commands, received) = mpsc::unbounded_channel::<Sent>();
        let link = Link { feed: Arc::clone(&feed), commands };
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || {
                // Whatever happens in here, whoever watches must not wait for more.
                let over = Over(Arc::clone(&feed));
                let ended = run::run(setup, &feed, received);
                drop(over);
                ended
            })
            .map_err(|error| {
                Fault::new(
                    FaultKind::Local,
                    format!("the engine's thread cannot be started: {error}"),
                    "free some memory or processes and try again",
                )
            })?;
        Ok(Self { link, thread })
    }

    /// Waits for the end of the run.
    pub fn join(self) -> Result<Ended, Fault> {
        self.thread.join().unwrap_or_else(|_| {
            Err(Fault::new(
                FaultKind::Local,
                "the engine failed; traffic stays where it is",
                "see the message above; `switchback resume` picks the run up",
            ))
        })
    }
}

/// Closes the feed when the engine's thread ends, in whatever way.
struct Over(Arc<Feed>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.close();
    }
}
