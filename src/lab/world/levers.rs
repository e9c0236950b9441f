//! What the levers of the site do to the world. A lever that a scenario offers later is not there
//! before; one that does nothing here says so.

use super::World;
use crate::lab::anchor::Anchor;
use crate::lab::fault::FaultKind;
use crate::lab::lever::Lever;
use crate::units::{Millis, Percent, Slot, Split};

/// How long a repaired release takes to reach every worker.
const PATCH: Millis = Millis::secs(8);
/// How many sockets a slice holds.
const SLICE: f64 = 30.0;

impl World {
    /// Pulls a lever at `at`, and says what it did; or why it cannot be pulled.
    pub fn pull(&mut self, lever: Lever, at: Millis) -> Result<String, String> {
        self.settle(at);
        self.is_there(lever, at)?;
        let said = match lever {
            Lever::PauseQueue => {
                self.slow.paused = true;
                self.consume(at);
                let depth = self.queue.depth(at);
                format!("the queue is paused, {depth} jobs wait")
            }
            Lever::ResumeQueue => {
                self.slow.paused = false;
                self.consume(at);
                "the consumers work again".to_owned()
            }
            Lever::Quarantine => {
                let aside = self.queue.quarantine();
                self.consume(at);
                format!("{aside} jobs are put aside")
            }
            Lever::PurgeCache => {
                self.slow.poisoned = 0.0;
                "the shared cache is empty".to_owned()
            }
            Lever::StopScheduler => {
                self.slow.scheduler_stopped = true;
                self.slow.twice = false;
                "Green's scheduler is stopped".to_owned()
            }
            Lever::DrainSlice => self.drain_slice(),
            Lever::SecondPath => {
                self.set_split(Split::all_to(self.blue()), at);
                "the proxy's file says Blue alone, and it was loaded anew".to_owned()
            }
            Lever::RampBack => {
                self.slow.ramps_back = Some(at);
                self.ramp_back(at);
                "a quarter goes to Blue now, a half in 15 s, and all of it in 40 s".to_owned()
            }
            Lever::Patch => format!("a repaired release reaches Green's workers in {PATCH}"),
            Lever::CancelMigration => "the migration is cancelled".to_owned(),
            Lever::ShedBatch => "batch work is off the database".to_owned(),
            Lever::DisableTrigger => "the setting that set it off is off".to_owned(),
            Lever::RevertDrift => "the configuration is back to what has run".to_owned(),
            Lever::RestoreArtefact => "the artefact is back from its backup".to_owned(),
        };
        let after = if lever == Lever::Patch { PATCH } else { Millis::ZERO };
        self.note(Anchor::Event(lever.name().to_owned()), at + after);
        Ok(said)
    }

    /// Whether a lever can be pulled now.
    fn is_there(&self, lever: Lever, at: Millis) -> Result<(), String> {
        let offers: Vec<_> =
            self.scenario.offers.iter().filter(|offer| offer.lever == lever).collect();
        let offered = |moment| self.anchors.when(moment).is_some_and(|when| when <= at);
        if offers.iter().any(|offer| offered(&offer.at)) {
            return Ok(());
        }
        let has = |kind: fn(&FaultKind) -> bool| self.faults.iter().any(|f| kind(&f.spec.kind));
        let there = offers.is_empty()
            && match lever {
                Lever::Patch | Lever::ShedBatch => false,
                Lever::DisableTrigger => {
                    has(|kind| matches!(kind, FaultKind::LatentTrigger { .. }))
                }
                Lever::CancelMigration => has(|kind| matches!(kind, FaultKind::DbLock { .. })),
                Lever::RevertDrift => has(|kind| matches!(kind, FaultKind::ConfigDrift { .. })),
                Lever::RestoreArtefact => {
                    has(|kind| matches!(kind, FaultKind::RollbackMissing { .. }))
                }
                _ => true,
            };
        if there { Ok(()) } else { Err(format!("nobody here can do {lever} now")) }
    }

    /// The next step of a way back in steps, where one is due.
    pub(super) fn ramp_back(&mut self, at: Millis) {
        let Some(since) = self.slow.ramps_back else { return };
        let left = match at.since(since).0 {
            0..15_000 => 75,
            15_000..40_000 => 50,
            _ => 0,
        };
        let green = self.blue().other();
        if self.share(green) * 100.0 > f64::from(left) {
            let split = Percent::new(left).map(|left| Split::giving(green, left));
            self.set_split(split.unwrap_or(Split::all_to(self.blue())), at);
        }
        if left == 0 {
            self.slow.ramps_back = None;
        }
    }

    /// A slice of the sockets connects anew, to where the weights say, and nobody notices.
    fn drain_slice(&mut self) -> String {
        let Some(slot) = Slot::BOTH.into_iter().find(|slot| self.slow.sockets[slot.index()] > 0.0)
        else {
            return "no socket is open that would stay".to_owned();
        };
        let open = &mut self.slow.sockets[slot.index()];
        *open = (*open - SLICE).max(0.0);
        format!("{SLICE} sockets were asked to connect anew, {:.0} stay", *open)
    }
}
