//! Straight to the router: all traffic to one slot, written, read back, and told in four stamps.
//!
//! For where no engine can do it: no run is open, its cockpit does not answer, or its journal
//! cannot be written. Nothing is decided and nothing is journalled here; how it was left goes into
//! the runs' index, so that the next run does not take it for somebody else's doing.

use super::flight::{self, block_on};
use super::rollback::PAUSE;
use super::{Failure, print};
use crate::adapter::router::{Router, SlotCounters};
use crate::adapter::source::http::Prober;
use crate::clean::Clean;
use crate::engine::clock::unix_ms;
use crate::plain::complain;
use crate::plan::Plan;
use crate::runbook::line::micros;
use crate::runbook::surroundings::End;
use crate::runbook::{Fault, Readback};
use crate::runs::{self, IndexLine};
use crate::units::{Slot, Split};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Pause between two looks at who answers.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The stamps that follow the first are looked for this long.
const STAMPS: Duration = Duration::from_secs(3);

/// What is to be done.
pub struct Straight {
    /// The plan.
    pub plan: Plan,
    /// The router.
    pub router: Router,
    /// Where traffic goes.
    pub slot: Slot,
    /// Whether that slot is the Blue of a run; otherwise it is only what the operator said.
    pub blue: bool,
    /// It is tried until then.
    pub until: Instant,
    /// Where runs are kept, and what the router is known by there.
    pub known: (PathBuf, String),
}

/// Goes back, and says how it went; gives the exit code.
pub fn straight_back(what: Straight) -> Result<u8, Failure> {
    let (root, identity) = what.known.clone();
    let slots = Slot::BOTH.map(|slot| Clean::new(what.plan.slot_name(slot)));
    let (service, slot) = (what.plan.service.clone(), what.slot);
    let done = block_on(what.go())?;
    let end = done.as_ref().ok().map(|release| {
        let mut releases = [None, None];
        releases[slot.index()].clone_from(release);
        let serves = Some(slots[slot.index()].clone());
        let first = Some(Split::all_to(slot).share(Slot::First));
        End { slots, serves, first, releases }
    });
    let line = IndexLine::straight(&identity, &service, end, unix_ms());
    if let Err(fault) = runs::index::append(&root, &line) {
        complain(format_args!("warning: {fault}"));
    }
    done.map(|_| 0)
}

impl Straight {
    fn name(&self, slot: Slot) -> &str {
        self.plan.slot_name(slot)
    }

    /// Writes and reads back until the router reports everything at the slot, then once more; gives
    /// the release that the slot names.
    async fn go(mut self) -> Result<Option<Clean>, Failure> {
        let name = self.name(self.slot).to_owned();
        let split = Split::all_to(self.slot);
        let began = Instant::now();
        let mut said = String::new();
        let mut told = false;
        let mut release = None;
        while Instant::now() < self.until {
            let readback = self.router.set(split).await;
            if readback.split() == Some(split) {
                say(format_args!("router at {name} after {}", after(began)));
                // A write that was on its way when we came has run out of time by then.
                let settled = sleep(self.plan.router.timeout.into());
                if told {
                    settled.await;
                } else {
                    ((), release) = tokio::join!(settled, self.stamps(began));
                    told = true;
                }
                if self.router.read().await.split() == Some(split) {
                    say(format_args!("read once more: it stands"));
                    match self.router.persist().await {
                        Ok(kept) => say(format_args!("{kept}")),
                        Err(fault) => say(format_args!("not kept for a restart: {fault}")),
                    }
                    return Ok(release);
                }
                complain(format_args!("the split has moved again: writing once more"));
                continue;
            }
            let trouble = trouble(&readback);
            if trouble != said {
                complain(format_args!("{trouble}"));
                said = trouble;
            }
            sleep(PAUSE).await;
        }
        Err(Failure {
            exit: 4,
            says: format!(
                "error: the router could not be brought to {name} within {} s\nhint: {said}",
                began.elapsed().as_secs()
            ),
        })
    }

    /// The three stamps after the first, and how the slot is.
    async fn stamps(&self, began: Instant) -> Option<Clean> {
        let secrets = flight::mask_what_there_is(&self.plan).0;
        let prober = |url: &str| Prober::new(&self.plan, url, secrets.by_name());
        let front = match (&self.plan.router.front, &self.plan.identity.slot_header) {
            (Some(front), Some(_)) => prober(front).ok(),
            _ => None,
        };
        let slot = prober(&self.plan.slots[self.slot.index()].url);
        let (first, last, (health, release)) =
            tokio::join!(self.first_answer(front, began), self.last_answer(began), health(slot),);
        let (name, other) = (self.name(self.slot), self.name(self.slot.other()));
        say(format_args!("first answer from {name}{first}"));
        say(format_args!("last answer from {other}{last}"));
        say(format_args!("users back in band: cannot be had: without a run no limit is judged"));
        let blue = if self.blue { "Blue " } else { "" };
        say(format_args!("{blue}{name} {health}"));
        release
    }

    /// When the slot was seen to answer at the front door.
    async fn first_answer(&self, front: Option<Prober>, began: Instant) -> String {
        let Some(front) = front else {
            return ": cannot be had: no answer names its slot ([router] front, [identity] slot)"
                .to_owned();
        };
        let mut router = self.router.clone();
        let seen = timeout(STAMPS, async {
            loop {
                let answer = front.probe(front.knock()).await;
                let time = after(began);
                if let Some(name) = answer.slot
                    && router.slot_named(&self.plan, name.as_str()).await == Some(self.slot)
                {
                    return time;
                }
                sleep(LOOK_EVERY).await;
            }
        });
        match seen.await {
            Ok(time) => format!(" after {time}"),
            Err(_) => format!(": not seen within {} s", STAMPS.as_secs()),
        }
    }

    /// When the other slot's count of answers grew last, once nothing of it is in flight.
    async fn last_answer(&self, began: Instant) -> String {
        let mut router = self.router.clone();
        let other = self.slot.other().index();
        let mut count = None;
        let mut last = began;
        let until = Instant::now() + STAMPS;
        loop {
            let counters = router.stats().await.slots;
            let Some(SlotCounters { ended, in_flight, .. }) =
                counters.map(|slots| slots[other].clone())
            else {
                return ": cannot be had: the router does not count".to_owned();
            };
            if count.replace(ended).is_some_and(|before| before != ended) {
                last = Instant::now();
            }
            if in_flight == 0 {
                let us = last.saturating_duration_since(began).as_micros() as u64;
                return match us {
                    0 => ": none after the router was written".to_owned(),
                    us => format!(" after {}", micros(us)),
                };
            }
            if Instant::now() >= until {
                return format!(": not yet, {in_flight} still in flight");
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

/// How a slot is, in words, and its release.
async fn health(prober: Result<Prober, Fault>) -> (String, Option<Clean>) {
    let prober = match prober {
        Ok(prober) => prober,
        Err(fault) => return (format!("cannot be asked: {}", fault.cause), None),
    };
    let check = prober.check().await;
    let named = check.release.clone();
    let release = named.as_ref().map_or_else(String::new, |named| format!(", release {named}"));
    let why = check.why.map_or_else(|| "no answer".to_owned(), |why| why.to_string());
    let says = if check.ready {
        format!("is ready{release}")
    } else {
        format!("is NOT READY: {why}{release}")
    };
    (says, named)
}

fn say(line: std::fmt::Arguments<'_>) {
    // Whoever read this has gone; the router is told all the same.
    let _ = print(format!("{line}\n").as_bytes());
}

fn after(began: Instant) -> String {
    micros(began.elapsed().as_micros() as u64)
}

fn trouble(readback: &Readback) -> String {
    readback.first_fault().map_or_else(
        || "the router accepted the split and reports another one".to_owned(),
        |(node, fault)| format!("{node}: {}\nhint: {}", fault.cause, fault.hint),
    )
}
