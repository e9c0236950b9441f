//! Effects become deeds. Each act is a task of its own; ending an act drops its task, which
//! closes its connection or kills its process group.

use super::capture::capture;
use super::chase::Chase;
use super::clock::Clock;
use super::logfile::Logs;
use super::measure::{self, Measured, Probers, Shared};
use crate::adapter::command::{CommandSpec, run};
use crate::adapter::router::Router;
use crate::clean::Clean;
use crate::plan::secrets::Secrets;
use crate::plan::{CommandName, Plan};
use crate::runbook::{Act, EffectId, Event, Fault, FaultKind, Outcome, Readback, Regime};
use crate::units::{Millis, Slot, Split};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Instant;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::timeout;

/// Lines of a command that wait to be shown; the oldest give way.
const LINES_WAITING: usize = 1_000;

type Wait = Pin<Box<dyn Future<Output = bool>>>;

/// Lines that commands have printed and nobody has shown yet.
#[derive(Debug, Default)]
struct Printed {
    lines: RefCell<VecDeque<Clean>>,
    /// The loop has been told, and has not come yet.
    told: Cell<bool>,
}

impl Printed {
    /// Keeps a line for whoever shows it, and tells the loop where it does not know yet.
    fn add(&self, line: Clean, found: &UnboundedSender<Measured>) {
        let mut lines = self.lines.borrow_mut();
        lines.push_back(line);
        if lines.len() > LINES_WAITING {
            lines.pop_front();
        }
        if !self.told.replace(true) {
            // Nobody listens only when the run is over.
            let _ = found.send(Measured::Printed);
        }
    }
}

/// Does what the core asks.
pub struct Hands {
    plan: Rc<Plan>,
    logs: Logs,
    probers: Probers,
    /// For reading and for writes towards Green.
    forward: Router,
    /// For the way back alone: nothing else ever waits in its connection.
    back: Router,
    tasks: BTreeMap<EffectId, AbortHandle>,
    measuring: Vec<AbortHandle>,
    shared: Rc<Shared>,
    at_blue: watch::Sender<Option<Instant>>,
    printed: Rc<Printed>,
    done: UnboundedSender<Event>,
    found: UnboundedSender<Measured>,
}

/// Marks the beginning and the end of a write, also when it is ended from outside.
struct Writing(Rc<Shared>);

impl Writing {
    fn begin(shared: &Rc<Shared>) -> Self {
        shared.writes.set(shared.writes.get() + 1);
        Self(Rc::clone(shared))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.writes.set(self.0.writes.get() + 1);
    }
}

impl Hands {
    /// Hands with nothing to do, and the measuring tasks.
    pub fn new(
        plan: &Plan,
        logs: Logs,
        secrets: &Secrets,
        router: Router,
        clock: Clock,
        done: UnboundedSender<Event>,
        found: UnboundedSender<Measured>,
    ) -> Result<Self, Fault> {
        let plan = Rc::new(plan.clone());
        // Made once and early: the way back shall not wait for an HTTP client to be built.
        let probers = Probers::new(&plan, secrets.by_name())?;
        let shared = Shared::new(&plan);
        // A run that is picked up has them in its journal already, and has not found its router.
        for caution in router.cautions() {
            let _ = done.send(Event::Caution(caution));
        }
        let measuring = measure::start(&plan, &probers, &router, clock, &shared, &found);
        Ok(Self {
            plan,
            logs,
            probers,
            back: router.clone(),
            forward: router,
            tasks: BTreeMap::new(),
            measuring,
            shared,
            at_blue: watch::Sender::new(None),
            printed: Rc::default(),
            done,
            found,
        })
    }

    /// Whether nothing is in flight.
    pub fn is_idle(&mut self) -> bool {
        self.tasks.retain(|_, task| !task.is_finished());
        self.tasks.is_empty()
    }

    /// Whether a reading of the router that began at `writes` was not overtaken by a write.
    pub fn is_current(&self, writes: u64) -> bool {
        self.shared.writes.get() == writes && writes.is_multiple_of(2)
    }

    /// Measures like this from now on.
    pub fn observe(&self, regime: Regime) {
        self.shared.regime.send_replace(Some(regime));
    }

    /// Lines that commands have printed since the last time.
    pub fn printed(&self) -> Vec<Clean> {
        self.printed.told.set(false);
        self.printed.lines.borrow_mut().drain(..).collect()
    }

    /// Ends an act.
    pub fn cancel(&mut self, id: EffectId) {
        if let Some(task) = self.tasks.remove(&id) {
            task.abort();
        }
    }

    /// Ends everything.
    pub fn stop(self) {
        for task in self.tasks.values().chain(&self.measuring) {
            task.abort();
        }
    }

    /// Begins an act. `cause` is when what led to it happened; `durable` is the barrier before
    /// it.
    pub fn act(&mut self, id: EffectId, act: Act, cause: Instant, durable: Option<Wait>) {
        let deed = self.deed(id, act, cause);
        let done = self.done.clone();
        let task = spawn_local(async move {
            if let Some(durable) = durable
                && !durable.await
            {
                return;
            }
            if let Some(outcome) = deed.await {
                let after_us = cause.elapsed().as_micros() as u64;
                // Nobody listens only when the run is over.
                let _ = done.send(Event::Done { effect: id, outcome, after_us });
            }
        });
        self.tasks.retain(|_, task| !task.is_finished());
        self.tasks.insert(id, task.abort_handle());
    }

    fn deed(
        &mut self,
        id: EffectId,
        act: Act,
        cause: Instant,
    ) -> Pin<Box<dyn Future<Output = Option<Outcome>>>> {
        match act {
            Act::ReadRouter => {
                let mut router = self.forward.clone();
                Box::pin(async move { Some(Outcome::Router(router.read().await)) })
            }
            Act::SetRouter { split, timeout, rollback, expect } => {
                // Whatever it was read at, it is about to be somewhere else. A chase may begin
                // before the router is at Blue or long after: both hear of it.
                self.at_blue.send_replace(None);
                let router = if rollback { &self.back } else { &self.forward };
                let at_blue = rollback.then(|| self.at_blue.clone());
                let shared = Rc::clone(&self.shared);
                Box::pin(set(router.clone(), split, expect, timeout, at_blue, shared))
            }
            Act::PersistRouter => {
                let mut router = self.forward.clone();
                Box::pin(async move {
                    Some(match router.persist().await {
                        Ok(kept) => Outcome::Kept(kept),
                        Err(fault) => Outcome::Failed(fault),
                    })
                })
            }
            Act::Run { command, slot, timeout } => Box::pin(self.run(id, command, slot, timeout)),
            Act::Capture { slot } => {
                let plan = Rc::clone(&self.plan);
                let logs = self.logs.clone();
                let prober = self.probers.slots[slot.index()].clone();
                Box::pin(async move { Some(capture(&plan, &prober, slot, &logs).await) })
            }
            Act::Chase { blue, timeout } => self.chase(id, blue, timeout, cause),
        }
    }

    fn chase(
        &self,
        id: EffectId,
        blue: Slot,
        patience: Millis,
        began: Instant,
    ) -> Pin<Box<dyn Future<Output = Option<Outcome>>>> {
        let chase = Chase {
            plan: Rc::clone(&self.plan),
            front: self.probers.front.clone(),
            router: self.forward.clone(),
            at_blue: self.at_blue.subscribe(),
            shared: Rc::clone(&self.shared),
            began,
            found: self.found.clone(),
        };
        let found = self.found.clone();
        Box::pin(async move {
            // What was not seen by then is said by the core.
            let _ = timeout(patience.into(), chase.run(blue)).await;
            // Its end goes the way of what it saw, so that it cannot come before it.
            let after_us = began.elapsed().as_micros() as u64;
            let _ = found.send(Measured::Over { effect: id, after_us });
            None
        })
    }

    fn run(
        &self,
        id: EffectId,
        command: CommandName,
        slot: Slot,
        timeout: Millis,
    ) -> impl Future<Output = Option<Outcome>> + use<> {
        let plan = Rc::clone(&self.plan);
        let printed = Rc::clone(&self.printed);
        let found = self.found.clone();
        let log = format!("{:02}-{}.log", id.n, command.key());
        let logs = self.logs.clone();
        async move {
            let argv = plan.commands.argv.get(&command)?;
            let release = plan.release.next.as_deref();
            let current = plan.release.current.as_deref();
            let slot = plan.slot_name(slot);
            let spec = match CommandSpec::for_slot(argv, slot, release, current, timeout.into()) {
                Ok(spec) => spec,
                Err(fault) => return Some(Outcome::Failed(fault)),
            };
            let mut file = logs.open(&log);
            let ran = run(&spec, |line| {
                file.line(line.clone());
                printed.add(line, &found);
            })
            .await;
            // A log that cannot be kept does not fail a command: the screen has its lines.
            if let Err(error) = file.finish().await {
                let says =
                    format!("(this output is not kept in {}: {error})", logs.path(&log).display());
                printed.add(Clean::new(&says), &found);
            }
            Some(match ran {
                Ok(ran) => Outcome::Ran(ran),
                Err(fault) => Outcome::Failed(fault),
            })
        }
    }
}

async fn set(
    mut router: Router,
    split: Split,
    expect: Option<Split>,
    patience: Millis,
    at_blue: Option<watch::Sender<Option<Instant>>>,
    shared: Rc<Shared>,
) -> Option<Outcome> {
    let began = Instant::now();
    let writing = Writing::begin(&shared);
    let write = async {
        // Somebody else may have moved it since the yes: then it is theirs, and nothing is written.
        if let Some(expect) = expect {
            let stands = router.read().await;
            if stands.split().is_some_and(|stands| stands != expect) {
                return stands;
            }
        }
        router.set(split).await
    };
    let readback = timeout(patience.into(), write).await.unwrap_or_else(|_| {
        let fault = Fault::new(
            FaultKind::TimedOut,
            format!("the router did not answer within {patience}"),
            "see whether it runs, and whether its machine is overloaded",
        );
        Readback::fault("router", fault, began.elapsed().as_micros() as u64)
    });
    drop(writing);
    if let Some(at_blue) = at_blue
        && readback.split() == Some(split)
    {
        at_blue.send_replace(Some(Instant::now()));
    }
    Some(Outcome::Router(readback))
}

#[cfg(test)]
mod tests;
