//! The loop: whatever comes first becomes an event, and the core says what follows.

use super::autopilot;
use super::clock::{Clock, unix_ms};
use super::hands::Hands;
use super::logfile::Logs;
use super::measure::Measured;
use super::others::Others;
use super::{Ended, Setup};
use crate::clean::Clean;
use crate::feed::{Feed, News, Sent};
use crate::journal::{Closed, Entry, Trouble};
use crate::runbook::{
    Barrier, Command, Core, Effect, Event, Fault, FaultKind, Finish, Interrupt, Outcome, Record,
    RunOutcome, line,
};
use crate::runs::control;
use crate::units::Millis;
use std::time::Instant;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::LocalSet;
use tokio::time::sleep_until;

fn local(what: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::new(FaultKind::Local, format!("{what}: {error}"), "see `ulimit -a` and free memory")
}

/// Runs a run to its end, on this thread.
pub fn run(setup: Setup, feed: &Feed, commands: UnboundedReceiver<Sent>) -> Result<Ended, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| local("the engine's runtime cannot be started", &error))?;
    let set = LocalSet::new();
    let (finish, setup_rest) = runtime.block_on(set.run_until(fly(setup, feed, commands)))?;
    drop(set);
    let (journal, mut closed, at) = setup_rest;
    closed.ended_unix_ms = unix_ms();
    // Whoever watched has still to say what became of the recording: the last line is theirs.
    Ok(Ended { finish, journal, closed, at })
}

type Rest = (crate::journal::Writer, Closed, Millis);

async fn fly(
    setup: Setup,
    feed: &Feed,
    mut commands: UnboundedReceiver<Sent>,
) -> Result<(Finish, Rest), Fault> {
    let Setup {
        plan,
        facts,
        directory,
        journal,
        mut troubles,
        secrets,
        router,
        resume,
        socket,
        yes,
    } = setup;
    // Without a socket a second terminal goes to the router by itself: it is no reason to stop.
    let (asked, _served) = match socket.and_then(|path| control::serve(&path).ok()) {
        Some((asked, served)) => (Some(asked), Some(served)),
        None => (None, None),
    };
    let mut others = Others::new(asked);
    let (mut core, clock, inputs, first) = match resume {
        None => (Core::new(plan.clone(), facts.clone()), Clock::begin(), 0, Event::Begin),
        Some(run) => {
            // As it began: whoever lives the run again knows nothing else.
            let mut core = Core::new(run.opened.plan.clone(), run.opened.facts.clone());
            for turn in &run.turns {
                // What followed then has been done, or was cut off; it is not done again.
                let _ = core.step(turn.event.clone(), turn.at);
            }
            let clock = Clock::resume(facts.began_unix_ms, run.last_at);
            (core, clock, run.last_n, Event::Resumed { attended: facts.attended })
        }
    };
    let (done, mut outcomes) = mpsc::unbounded_channel();
    let (measured, mut seconds) = mpsc::unbounded_channel();
    let logs = Logs::new(&directory, &facts);
    let hands = Hands::new(&plan, logs, &secrets, router, clock, done, measured)?;
    let mut engine = Loop { clock, journal, feed, hands, inputs, pressed: None };
    let mut terminate = signal(SignalKind::terminate()).map_err(|e| local("signals", &e))?;
    let mut hangup = signal(SignalKind::hangup()).map_err(|e| local("signals", &e))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|e| local("signals", &e))?;
    let mut troubled = true;

    engine.take(&mut core, first, Instant::now()).await;
    while core.finish().is_none() {
        let due = core.next_due().map(|at| clock.instant(at).into());
        let mut read_at = None;
        // Keys come first: nothing that is measured may stand before the way back.
        let event = tokio::select! {
            biased;
            Some(sent) = commands.recv() => {
                read_at = Some(sent.read_at);
                Event::Command(sent.command)
            }
            Some(done) = outcomes.recv() => done,
            asked = others.next() => match others.heard(asked, &mut core) {
                Some(command) => Event::Command(command),
                None => continue,
            },
            _ = terminate.recv() => Event::Command(Command::Interrupt(Interrupt::Terminate)),
            _ = interrupt.recv() => Event::Command(Command::Interrupt(Interrupt::Terminate)),
            _ = hangup.recv() => Event::Command(Command::Interrupt(Interrupt::Hangup)),
            trouble = troubles.recv(), if troubled => match trouble {
                Some(Trouble::Failed(fault)) => Event::JournalFailed(fault),
                Some(Trouble::Recovered { lost }) => Event::JournalRecovered {
                    records: lost.records,
                    samples: lost.samples,
                },
                None => { troubled = false; continue }
            },
            Some(seen) = seconds.recv() => match engine.measured(seen, &mut core) {
                Some(event) => event,
                None => continue,
            },
            () = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            } => Event::Due,
        };
        // A key counts from when it was read, anything else from when it came.
        engine.take(&mut core, event, read_at.unwrap_or_else(Instant::now)).await;
        others.answer(&mut core);
        if yes {
            let snapshot = core.snapshot();
            let idle = engine.hands.is_idle();
            let press = autopilot::press(&snapshot, idle);
            if press.is_some() && press != engine.pressed {
                engine.pressed.clone_from(&press);
                if let Some(press) = press {
                    engine.take(&mut core, Event::Command(press), Instant::now()).await;
                }
            } else if press.is_none() {
                engine.pressed = None;
            }
        }
    }
    others.answer(&mut core);
    let finish = core.finish().cloned().unwrap_or(Finish {
        outcome: RunOutcome::Failed,
        exit: 1,
        says: "the engine ended without an outcome".to_owned(),
    });
    let at = clock.now();
    let closed = Closed::now(&finish);
    let Loop { journal, hands, .. } = engine;
    hands.stop();
    Ok((finish, (journal, closed, at)))
}

struct Loop<'a> {
    clock: Clock,
    journal: crate::journal::Writer,
    feed: &'a Feed,
    hands: Hands,
    inputs: u64,
    /// What the autopilot pressed last, so that it does not press it again and again.
    pressed: Option<Command>,
}

impl Loop<'_> {
    /// One event, from the outside in and back: decided, done, written down, shown.
    async fn take(&mut self, core: &mut Core, event: Event, cause: Instant) {
        let at = self.clock.now();
        self.inputs += 1;
        let n = self.inputs;
        let mut news = News::default();
        if let Event::Sample(sample) = &event {
            news.samples.push((**sample).clone());
        }
        let effects = core.step(event.clone(), at);
        // The way back waits for no disk: it is on its way before anything is written down.
        let mut urgent = false;
        for effect in &effects {
            match effect {
                Effect::Cancel(id) => self.hands.cancel(*id),
                Effect::Act { id, after: Barrier::Nothing, act } => {
                    self.hands.act(*id, act.clone(), cause, None);
                    urgent = true;
                }
                _ => {}
            }
        }
        if urgent {
            // One turn to connect and one to send: what follows here is done while the router works.
            for _ in 0..2 {
                tokio::task::yield_now().await;
            }
        }
        self.journal.append(Entry::Input { n, event }, at);
        for effect in effects {
            self.journal.append(Entry::Effect { n, effect: effect.clone() }, at);
            match effect {
                Effect::Act { id, after: Barrier::Journal, act } => {
                    let barrier = self.journal.barrier();
                    let durable = self.journal.durable(barrier);
                    self.hands.act(id, act, cause, Some(Box::pin(durable)));
                }
                Effect::Observe(regime) => self.hands.observe(regime),
                Effect::Record(record) => tell(&mut news, record, at),
                Effect::Act { .. } | Effect::Cancel(_) | Effect::Finish(_) => {}
            }
        }
        news.output.extend(self.hands.printed());
        self.feed.publish(core.snapshot(), news);
    }

    /// What a source has measured, as an event; nothing where it is not to be believed.
    fn measured(&mut self, seen: Measured, core: &mut Core) -> Option<Event> {
        match seen {
            Measured::Router { readback, writes } => {
                // A reading that was begun before a write has ended may show what was before it.
                self.hands.is_current(writes).then_some(Event::Read(readback))
            }
            Measured::Second(sample) => {
                core.blue()?;
                Some(Event::Sample(sample))
            }
            Measured::Seen { what, after_us } => Some(Event::Seen { what, after_us }),
            Measured::Over { effect, after_us } => {
                let outcome = Outcome::Kept(Clean::new("no more answers are looked for"));
                Some(Event::Done { effect, outcome, after_us })
            }
            Measured::Printed => {
                // Nothing was decided: there is only more to see.
                let news = News { output: self.hands.printed(), ..News::default() };
                self.feed.publish(core.snapshot(), news);
                None
            }
        }
    }
}

/// Records are the timeline: the log's line, and a mark in the plots where users were moved.
fn tell(news: &mut News, record: Record, at: Millis) {
    if let Record::Split { read: Some(green), .. } = &record {
        news.switches.push((at, *green));
    }
    if let Record::Stamped { stamp: crate::runbook::snapshot::Stamp::RouterAtBlue, .. } = &record {
        news.switches.push((at, 0));
    }
    news.log.extend(line::line(&record, at));
    news.records.push((at, record));
}
