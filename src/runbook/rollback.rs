//! The way back: ahead of everything, from every state, verified, and told in four stamps.
//!
//! It ends every write and command still in flight towards Green, writes, reads back, and tries
//! again until the router reports Blue. After the first good read-back it reads once more when
//! the longest timeout of any earlier write has passed, and writes again if the split moved. It
//! waits for no disk, drawing, probe or running command, and it never gives up by itself.

use super::core::Core;
use super::effect::{Act, Barrier, EffectId, RunOutcome};
use super::event::{Outcome, Seen};
use super::phase::{Phase, Warmth};
use super::question::About;
use super::readback::Readback;
use super::record::Record;
use super::snapshot::{RollbackView, Stamp, StampState};
use crate::clean::Clean;
use crate::plan::{Bound, CommandName, Limit, Signal};
use crate::signal::window::Share;
use crate::signal::{Origin, Sample, Whose};
use crate::units::{Millis, Percent, Role, Split};

/// Users are back in band when no limit was exceeded for this long.
const BAND: Millis = Millis::secs(10);
/// With fewer of Blue's users in that time nothing is said.
const BAND_USERS: u64 = 3;
/// After this long without a verdict the last stamps are given up.
const STAMPS_WAIT: Millis = Millis::secs(60);
/// Without a screen, and when the terminal is gone, the way back is tried for this long.
pub(super) const UNATTENDED_FOR: Millis = Millis::secs(30);
/// The longest pause between two attempts.
const PAUSE_MAX: Millis = Millis(1_000);

/// One rolling share for each limit that speaks of users, over the last ten seconds.
#[derive(Debug, Clone)]
struct Band {
    shares: Vec<(Limit, Share)>,
    users: Share,
    began: Millis,
}

impl Band {
    fn new(limits: &[Limit], began: Millis) -> Self {
        let of_users = |limit: &&Limit| {
            matches!(limit.signal, Signal::ErrorRate | Signal::ClientErrorRate | Signal::LatencyP95)
        };
        let shares =
            limits.iter().filter(of_users).map(|limit| (*limit, Share::new(BAND))).collect();
        Self { shares, users: Share::new(BAND), began }
    }

    fn add(&mut self, sample: &Sample) {
        if sample.role != Whose::Blue || sample.from != Origin::Users {
            return;
        }
        let Some(requests) = sample.requests else { return };
        self.users.add(sample.at, 0, requests);
        for (limit, share) in &mut self.shares {
            let bad = match (limit.signal, limit.above, &sample.latency_ms) {
                (Signal::ErrorRate, ..) => sample.failed.unwrap_or(0),
                (Signal::ClientErrorRate, ..) => sample.client_errors.unwrap_or(0),
                (_, Bound::Millis(ms), Some(times)) => times.over(ms),
                _ => continue,
            };
            share.add(sample.at, bad, requests);
        }
    }

    fn is_well(&mut self, now: Millis) -> bool {
        self.users.slide(now);
        if now.since(self.began) < BAND || self.users.counts().1 < BAND_USERS {
            return false;
        }
        self.shares.iter_mut().all(|(limit, share)| {
            share.slide(now);
            let most = match limit.above {
                Bound::Percent(percent) => percent,
                Bound::Millis(_) | Bound::Count(_) => 5.0,
            };
            share.percent().is_none_or(|percent| percent <= most)
        })
    }
}

/// A way back that has begun.
#[derive(Debug, Clone)]
pub(super) struct Rollback {
    pub began: Millis,
    pub why: Clean,
    /// The write that runs, or the last one.
    id: EffectId,
    /// When to try again, while no write runs.
    again_at: Option<Millis>,
    pub trouble: Option<Clean>,
    pub verified: bool,
    verified_at: Millis,
    stamps: [StampState; 4],
    /// When to read once more; nothing once that has been done.
    recheck_at: Option<Millis>,
    pub rechecking: bool,
    capturing: bool,
    band: Option<Band>,
    leaving_since: Option<Millis>,
    /// No weight had ever reached Green.
    pub abandoned: bool,
}

impl Rollback {
    /// Whether nothing more will be written: read at Blue, read again, logs kept.
    pub fn settled(&self) -> bool {
        self.verified && self.recheck_at.is_none() && !self.rechecking && !self.capturing
    }

    pub fn next_due(&self, now: Millis) -> Option<Millis> {
        [self.again_at, self.recheck_at].into_iter().flatten().min().map(|due| due.max(now))
    }

    fn stamped(&self) -> bool {
        self.stamps.iter().all(|stamp| *stamp != StampState::Waiting)
    }

    pub fn view(&self) -> RollbackView {
        RollbackView {
            began: self.began,
            why: self.why.clone(),
            verified: self.verified,
            attempt: self.id.attempt,
            trouble: self.trouble.clone(),
            stamps: self.stamps.clone(),
            abandoned: self.abandoned,
        }
    }
}

impl Core {
    /// The one key.
    pub(super) fn rollback_pressed(&mut self) {
        if let Some(rollback) = &mut self.rollback {
            let (verified, attempt) = (rollback.verified, rollback.id.attempt);
            if verified {
                return self.info("already back: the router was read at Blue");
            }
            // A press while a pause runs ends the pause.
            if rollback.again_at.is_some() {
                rollback.again_at = Some(self.at);
            }
            return self.info(&format!("already going back: attempt {attempt}"));
        }
        if matches!(self.phase, Phase::Warm { state: Warmth::Gone, .. }) {
            return self.warn("Blue is decommissioned: there is nothing to go back to");
        }
        let risky = self.is_irreversible() && self.irreversible_accepted && self.green_had_weight;
        if risky && !self.asks(About::Irreversible) {
            let lines = vec![
                "This release is declared irreversible: Blue may not work on the new data."
                    .to_owned(),
                "Going back may lose what users wrote since the switch.".to_owned(),
            ];
            self.ask(About::Irreversible, "Go back all the same?", lines, "go back", "stay");
            return;
        }
        self.go_back("the operator pressed r");
    }

    /// The automatic way back needs Blue ready now; otherwise it holds, loudly, and asks.
    pub(super) fn go_back_if_blue_is_well(&mut self, why: &str) {
        if self.world.ready(Role::Blue, self.at) == Some(true) {
            return self.go_back(why);
        }
        if !self.held {
            self.held = true;
            self.warn(&format!(
                "{why}, but Blue is not known to be ready: HOLDING. r goes back all the same"
            ));
        }
    }

    pub(super) fn go_back(&mut self, why: &str) {
        if self.rollback.is_some() || self.finish.is_some() {
            return;
        }
        let Some(blue) = self.world.blue else {
            // Nobody was Blue yet, so nothing was written: there is nothing to undo.
            let says = "abandoned before anything was touched".to_owned();
            return self.end(RunOutcome::Abandoned, 5, says);
        };
        self.cancel_where(|act| {
            matches!(act, Act::SetRouter { .. } | Act::Run { .. } | Act::PersistRouter)
        });
        let from = self.green_read().map(Percent::get);
        let abandoned = !self.green_had_weight;
        self.acts += 1;
        let id = EffectId { n: self.acts, attempt: 1 };
        let recheck_at = self.last_write_until.max(self.at + self.plan.router.timeout);
        self.rollback = Some(Rollback {
            began: self.at,
            why: Clean::new(why),
            id,
            again_at: None,
            trouble: None,
            verified: false,
            verified_at: self.at,
            stamps: [const { StampState::Waiting }; 4],
            recheck_at: Some(recheck_at),
            rechecking: false,
            capturing: false,
            band: None,
            leaving_since: None,
            abandoned,
        });
        self.write_back(id);
        if !abandoned {
            self.act(Act::Chase { blue, timeout: STAMPS_WAIT }, Barrier::Nothing);
        }
        self.held = false;
        self.record(Record::RollbackStarted { why: Clean::new(why), from });
        self.withdraw();
    }

    fn write_back(&mut self, id: EffectId) {
        let Some(blue) = self.world.blue else { return };
        let split = Split::all_to(blue);
        self.asked = Some(split);
        let timeout = self.plan.router.timeout;
        self.act_again(id, Act::SetRouter { split, timeout, rollback: true }, Barrier::Nothing);
    }

    /// The write back has been read back.
    pub(super) fn rollback_written(&mut self, id: EffectId, readback: &Readback, after_us: u64) {
        let Some(blue) = self.world.blue else { return };
        let at_blue = readback.split().and_then(Split::sole) == Some(blue);
        let Some(rollback) = self.rollback.as_mut().filter(|rollback| rollback.id == id) else {
            return;
        };
        if at_blue {
            rollback.trouble = None;
            return self.router_at_blue(after_us);
        }
        let trouble = match readback.first_fault() {
            Some((node, fault)) => format!("{node}: {} · {}", fault.cause, fault.hint),
            None => "the router accepted the split and reports another one".to_owned(),
        };
        let pause = match id.attempt {
            1 => Millis::ZERO,
            n => Millis(50 << n.min(6)).min(PAUSE_MAX),
        };
        rollback.trouble = Some(Clean::new(&trouble));
        rollback.again_at = Some(self.at + pause);
        self.warn(&format!("going back, attempt {} failed: {trouble}", id.attempt));
    }

    fn router_at_blue(&mut self, after_us: u64) {
        let (at, limits) = (self.at, self.plan.limits.clone());
        let Some(rollback) = &mut self.rollback else { return };
        let first = !rollback.verified;
        rollback.verified = true;
        if !first {
            return;
        }
        rollback.verified_at = at;
        rollback.band = Some(Band::new(&limits, at));
        let (began, abandoned) = (rollback.began, rollback.abandoned);
        // The first attempt's time is the engine's; later ones count from the key as well.
        let after_us = if rollback.id.attempt == 1 { after_us } else { at.since(began).0 * 1000 };
        self.stamp(Stamp::RouterAtBlue, Some(after_us), "");
        if abandoned {
            for stamp in [Stamp::FirstFromBlue, Stamp::LastFromGreen, Stamp::UsersInBand] {
                self.stamp(stamp, None, "no user was ever on Green");
            }
        }
        // Green's last words are kept before anything of it may be stopped.
        if let Some(slot) = self.slot(Role::Green) {
            if let Some(rollback) = &mut self.rollback {
                rollback.capturing = true;
            }
            self.act(Act::Capture { slot }, Barrier::Nothing);
        }
        self.act(Act::PersistRouter, Barrier::Nothing);
    }

    pub(super) fn stamp(&mut self, stamp: Stamp, after_us: Option<u64>, why_not: &str) {
        let Some(rollback) = &mut self.rollback else { return };
        let state = &mut rollback.stamps[stamp as usize];
        if *state != StampState::Waiting {
            return;
        }
        let says = match after_us {
            Some(us) => format!("{} after {}", stamp.words(), super::line::micros(us)),
            None => format!("{}: {why_not}", stamp.words()),
        };
        *state = match after_us {
            Some(us) => StampState::After(us),
            None => StampState::Not(why_not.to_owned()),
        };
        self.record(Record::Stamped { stamp, after_us, says: Clean::new(&says) });
    }

    pub(super) fn seen(&mut self, what: Seen, after_us: u64) {
        match what {
            Seen::FirstAnswer(Role::Blue) => self.stamp(Stamp::FirstFromBlue, Some(after_us), ""),
            Seen::LastAnswer(Role::Green) => self.stamp(Stamp::LastFromGreen, Some(after_us), ""),
            Seen::FirstAnswer(Role::Green) | Seen::LastAnswer(Role::Blue) => {}
        }
    }

    /// The second look, when every earlier write has run out of time.
    pub(super) fn rollback_read(&mut self, readback: &Readback) {
        let Some(blue) = self.world.blue else { return };
        let Some(rollback) = &mut self.rollback else { return };
        rollback.rechecking = false;
        if readback.split().and_then(Split::sole) == Some(blue) {
            let seconds = self.at.since(rollback.began);
            return self.info(&format!("read once more after {seconds}: still at Blue"));
        }
        // A late write has landed, or the router cannot be read: write again, and read again.
        self.warn("the router is not at Blue any more: writing again");
        let Some(rollback) = &mut self.rollback else { return };
        rollback.verified = false;
        rollback.again_at = Some(self.at);
        rollback.recheck_at = Some(self.at + self.plan.router.timeout);
    }

    pub(super) fn captured(&mut self, outcome: Outcome) {
        if let Some(rollback) = &mut self.rollback {
            rollback.capturing = false;
        }
        match outcome {
            Outcome::Kept(what) => self.info(what.as_str()),
            Outcome::Failed(fault) => {
                self.warn(&format!("Green's last logs were not kept: {}", fault.cause));
            }
            _ => {}
        }
    }

    pub(super) fn rollback_sampled(&mut self, sample: &Sample) {
        if let Some(band) = self.rollback.as_mut().and_then(|rollback| rollback.band.as_mut()) {
            band.add(sample);
        }
    }

    pub(super) fn rollback_tick(&mut self) {
        let at = self.at;
        let leaving = self.leaving;
        let attended = self.facts.attended;
        let Some(rollback) = &mut self.rollback else { return };
        if rollback.again_at.is_some_and(|due| at >= due) {
            rollback.again_at = None;
            rollback.id.attempt += 1;
            let id = rollback.id;
            return self.write_back(id);
        }
        if rollback.verified && rollback.recheck_at.is_some_and(|due| at >= due) {
            rollback.recheck_at = None;
            rollback.rechecking = true;
            self.act(Act::ReadRouter, Barrier::Nothing);
            return;
        }
        let waited = at.since(rollback.verified_at);
        let in_band = rollback.band.as_mut().is_some_and(|band| band.is_well(at));
        let after_us = at.since(rollback.began).0 * 1000;
        let verified = rollback.verified;
        if verified && in_band {
            self.stamp(Stamp::UsersInBand, Some(after_us), "");
        }
        if verified && waited >= STAMPS_WAIT {
            self.stamp(Stamp::FirstFromBlue, None, "no answer was seen");
            self.stamp(Stamp::LastFromGreen, None, "not seen");
            self.stamp(Stamp::UsersInBand, None, "too few users, or not in band yet");
        }
        let Some(rollback) = &mut self.rollback else { return };
        if leaving && rollback.leaving_since.is_none() {
            rollback.leaving_since = Some(at);
        }
        let since = rollback.leaving_since.map(|since| at.since(since));
        if rollback.settled() && (leaving || (!attended && rollback.stamped())) {
            return self.finish_rollback();
        }
        let out_of_time = since.is_some_and(|since| since >= UNATTENDED_FOR);
        if !verified && out_of_time {
            let says = "left while going back: the router has NOT been read at Blue".to_owned();
            self.end(RunOutcome::Interrupted, 4, says);
        }
    }

    pub(super) fn finish_rollback(&mut self) {
        let Some(rollback) = &self.rollback else { return };
        let why = &rollback.why;
        if rollback.abandoned {
            let says = format!("abandoned: {why}; no user was ever on Green");
            self.end(RunOutcome::Abandoned, 5, says);
        } else {
            let time = match &rollback.stamps[0] {
                StampState::After(us) => super::line::micros(*us),
                _ => "an unknown time".to_owned(),
            };
            let says = format!("rolled back: {why}; router at Blue after {time}, verified");
            self.end(RunOutcome::RolledBack, 3, says);
        }
    }

    /// A way back that was cut off is written again at once: writing Blue twice harms nobody.
    pub(super) fn rollback_resumed(&mut self) {
        let (at, timeout) = (self.at, self.plan.router.timeout);
        let Some(rollback) = &mut self.rollback else { return };
        rollback.verified = false;
        rollback.rechecking = false;
        rollback.capturing = false;
        rollback.again_at = Some(at);
        rollback.recheck_at = Some(at + timeout);
    }

    /// Whether Blue's slot may be gone, so that there is nothing to go back to.
    pub(super) fn has_stop(&self) -> bool {
        self.plan.commands.has(CommandName::Stop)
    }
}
