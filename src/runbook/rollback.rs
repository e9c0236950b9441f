//! The way back: ahead of everything, from every state, verified, and told in four stamps.
//!
//! It ends every write and command still in flight towards Green, writes, reads back, and tries
//! again until the router reports Blue. After the first good read-back it reads once more when
//! the longest timeout of any earlier write has passed, and writes again if the split moved. It
//! waits for no disk, drawing, probe or running command, and it never gives up by itself.

use super::band::{BAND, Band};
use super::command::UNVERIFIED;
use super::core::Core;
use super::effect::{Act, Barrier, EffectId, RunOutcome};
use super::event::{Outcome, Seen};
use super::phase::{Phase, Warmth};
use super::question::{About, By};
use super::readback::Readback;
use super::record::Record;
use super::resume::PickUp;
use super::snapshot::{RollbackView, Stamp, StampState};
use crate::clean::Clean;
use crate::plan::CommandName;
use crate::signal::Sample;
use crate::units::{Millis, Percent, Role, Split};

/// After this long without a verdict the last stamps are given up.
const STAMPS_WAIT: Millis = Millis::secs(60);
/// Without a screen, and when the terminal is gone, the way back is tried for this long.
pub(super) const UNATTENDED_FOR: Millis = Millis::secs(30);
/// Why going back from an irreversible release asks once more.
pub(super) const RISK: &str =
    "This release is declared irreversible: Blue may not work on the new data.";
/// What is said where the router would not send anybody to Blue, whatever its weight.
pub(super) const DOWN: &str = "the router holds Blue DOWN";
/// The longest pause between two attempts.
const PAUSE_MAX: Millis = Millis(1_000);

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
    /// The second look, while it runs.
    rechecking: Option<EffectId>,
    capturing: bool,
    captured: bool,
    /// Since when the router has not been read at Blue.
    trying_since: Millis,
    band: Option<Band>,
    leaving_since: Option<Millis>,
    /// Since when all is done but the router cannot be read, so that it cannot be said.
    unread_since: Option<Millis>,
    /// No weight had ever reached Green.
    pub abandoned: bool,
    /// It was what the run was flown for, and nothing was wrong when it began.
    rehearsed: bool,
}

impl Rollback {
    /// Whether nothing more will be written: read at Blue, read again, logs kept.
    pub fn settled(&self) -> bool {
        self.verified && self.reads_done() && !self.capturing
    }

    /// Whether the router needs no second look any more.
    const fn reads_done(&self) -> bool {
        self.recheck_at.is_none() && self.rechecking.is_none()
    }

    /// The router is not at Blue any more, or was never: write (again), and look again later.
    fn write_anew(&mut self, at: Millis, timeout: Millis) {
        if self.verified {
            self.trying_since = at;
        }
        self.verified = false;
        self.rechecking = None;
        self.again_at = Some(at);
        self.recheck_at = Some(self.recheck_at.unwrap_or_default().max(at + timeout));
    }

    /// Nobody watched for a while: what is tried for a time has its time again.
    pub fn time_anew(&mut self, at: Millis) {
        self.trying_since = at;
        self.leaving_since = self.leaving_since.map(|_| at);
        self.unread_since = None;
    }

    pub fn next_due(&self, now: Millis) -> Option<Millis> {
        // A look that is under way began too early to be the second one: that waits for its end.
        let recheck_at = self.recheck_at.filter(|_| self.rechecking.is_none());
        [self.again_at, recheck_at].into_iter().flatten().min().map(|due| due.max(now))
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
        let (read, timeout) = (self.green_read(), self.plan.router.timeout);
        if let Some(rollback) = &mut self.rollback {
            let (verified, attempt) = (rollback.verified, rollback.id.attempt);
            if verified && read == Some(Percent::ZERO) {
                // As of the last read: somebody may have moved it in the second since.
                self.look_once_more();
                return self.info("already back: the router is read once more");
            }
            if verified {
                // Back once, and moved or unread since: the key means what it says.
                rollback.write_anew(self.at, timeout);
                self.moved_by_others = None;
                return self.warn("the router is not read at Blue: going back once more");
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
        if self.world.blue.is_none()
            && let Some(split) = self.world.split(self.at).filter(|split| split.sole().is_none())
        {
            let says = self.start_split(split);
            return self.warn(&format!("there is nothing to go back to: {says}"));
        }
        // Typed as a command without a screen it is meant; and nobody is there to be asked.
        let ask = self.facts.attended && self.going_back_is_risky();
        if ask && !self.asks(About::Irreversible) {
            let lines = vec![
                RISK.to_owned(),
                "Going back may lose what users wrote since the switch.".to_owned(),
            ];
            self.ask(About::Irreversible, "Go back all the same?", lines, "go back", "stay");
            return;
        }
        self.go_back("the operator went back");
    }

    /// Whether going back asks once more: the release cannot be undone, and users were on it.
    pub(super) fn going_back_is_risky(&self) -> bool {
        self.is_irreversible() && self.irreversible_accepted && self.green_had_weight
    }

    /// Back, because a question about it was answered: by the operator it is the key itself, by
    /// the clock it is the automatic way back.
    pub(super) fn go_back_by(&mut self, by: By, why: &str) {
        match by {
            By::Operator | By::Autopilot => self.go_back(why),
            By::Time => self.go_back_if_blue_is_well(why),
        }
    }

    /// Whether everybody may go back without being asked: Blue would answer them, or serves them
    /// all already, so that nothing is to be lost.
    pub(super) fn may_go_back_unasked(&self) -> bool {
        let all_there = !self.green_had_weight || self.green_read() == Some(Percent::ZERO);
        all_there || self.blue_is_well()
    }

    /// The automatic way back needs Blue ready now; otherwise it holds, loudly, and asks.
    pub(super) fn go_back_if_blue_is_well(&mut self, why: &str) {
        if self.may_go_back_unasked() {
            return self.go_back(why);
        }
        if self.waits_for_blue.is_some() {
            return;
        }
        self.begin_hold();
        self.waits_for_blue = Some(Clean::new(why));
        self.warn(&format!(
            "Blue is not known to be ready: HOLDING; r goes back all the same · {why}"
        ));
        self.withdraw(About::is_forward);
        let lines = vec![
            why.to_owned(),
            "Blue is not known to be ready: it may answer users no better.".to_owned(),
            "As soon as Blue is ready all traffic goes back by itself, unless you hold.".to_owned(),
        ];
        self.ask(About::BlueUnwell, "Go back to Blue all the same?", lines, "go back", "hold");
    }

    /// Whether Blue would answer users who come back now: it says that it is ready, and the router
    /// does not hold it down.
    pub(super) fn blue_is_well(&self) -> bool {
        self.world.ready(Role::Blue, self.at) == Some(true) && !self.world.blue_is_down(self.at)
    }

    /// How Blue is, for the log of a way back: it works on any Blue, and says which one.
    fn say_blues_health(&mut self) {
        let health = &self.world.health[Role::Blue.index()];
        let says = match self.world.ready(Role::Blue, self.at) {
            Some(true) => format!("Blue is ready: {} of {} checks", health.good, health.checks),
            Some(false) => {
                let since = Millis::secs(self.at.since(health.since).as_secs());
                let why = health.why.as_ref().map_or("no answer", Clean::as_str);
                format!("Blue is NOT ready, for {since}: {why}")
            }
            None if health.last.is_some() => "Blue is not heard any more".to_owned(),
            None => "Blue was not heard yet".to_owned(),
        };
        let well = self.blue_is_well();
        if self.world.blue_is_down(self.at) {
            self.warn(&format!("{says}; {DOWN}: users will get errors"));
        } else if well {
            self.info(&says);
        } else {
            self.warn(&says);
        }
    }

    /// The way back that waited for Blue goes on as soon as Blue is ready.
    pub(super) fn blue_tick(&mut self) {
        if self.rollback.is_some() || !self.blue_is_well() {
            return;
        }
        // A Blue that is ready and suffers as Green does is no better place: that is waited for.
        if self.shared.is_some() && self.world.green().tripped().is_none() {
            return;
        }
        if let Some(why) = self.waits_for_blue.take() {
            self.go_back(&format!("{why}; Blue is ready again"));
        }
    }

    pub(super) fn go_back(&mut self, why: &str) {
        if self.rollback.is_some() || self.finish.is_some() {
            return;
        }
        if self.world.blue.is_none() {
            // Nobody was Blue yet, so nothing was written: there is nothing to undo. Whether users
            // are on Green is not known, so it is not called abandoned.
            return self.leave_unknown();
        }
        let rehearsed = self.turns_back_well();
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
            rechecking: None,
            capturing: false,
            captured: false,
            trying_since: self.at,
            band: None,
            leaving_since: None,
            unread_since: None,
            abandoned,
            rehearsed,
        });
        self.write_back(id);
        if !abandoned {
            self.chase();
        }
        self.held = false;
        self.trip_held = None;
        self.waits_for_blue = None;
        self.moved_by_others = None;
        self.given_up = None;
        self.picking_up = PickUp::No;
        self.record(Record::RollbackStarted { why: Clean::new(why), from });
        self.say_blues_health();
        self.withdraw(|_| true);
    }

    fn write_back(&mut self, id: EffectId) {
        let Some(blue) = self.world.blue else { return };
        let split = Split::all_to(blue);
        self.asked = Some(split);
        let timeout = self.plan.router.timeout;
        let act = Act::SetRouter { split, timeout, rollback: true, expect: None };
        self.act_again(id, act, Barrier::Nothing);
    }

    fn chasing(&self) -> bool {
        self.in_flight.values().any(|flight| matches!(flight.act, Act::Chase { .. }))
    }

    fn chase(&mut self) {
        if let Some(blue) = self.world.blue {
            self.act(Act::Chase { blue, timeout: STAMPS_WAIT }, Barrier::Nothing);
        }
    }

    /// Nobody asks the front door any more: what was not seen by now will not be seen.
    pub(super) fn chase_ended(&mut self) {
        // Before the router is there it may begin again.
        if self.rollback.as_ref().is_some_and(|rollback| rollback.verified) {
            self.stamp(Stamp::FirstFromBlue, None, "not seen at the front door");
            self.stamp(Stamp::LastFromGreen, None, "not seen at the front door");
        }
    }

    /// What the router reports now, to be added to a sentence.
    fn reads(&self) -> String {
        self.green_read().map_or_else(String::new, |green| format!(" ({green} % on Green)"))
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
            self.moved_by_others = None;
            return self.router_at_blue(after_us);
        }
        let trouble = match readback.first_fault() {
            Some((node, fault)) => format!("{node}: {} · {}", fault.cause, fault.hint),
            None => format!("the router took the split and reports another one{}", self.reads()),
        };
        let Some(rollback) = &mut self.rollback else { return };
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
        let captured = std::mem::replace(&mut rollback.captured, true);
        // The first attempt's time is the engine's; later ones count from the key as well.
        let since_key = at.since(began).0.saturating_mul(1000);
        let after_us = if rollback.id.attempt == 1 { after_us } else { since_key };
        // It was the answer to leaving before this, and would now say what is not so any more.
        self.withdraw(|about| about == About::Leave);
        let down = self.world.blue_is_down(self.at);
        let add = if down { format!(", but {DOWN}: users get errors") } else { String::new() };
        self.stamp(Stamp::RouterAtBlue, Some(after_us), &add);
        if down {
            self.warn(&format!("back on Blue, but {DOWN}: bring it up at the router"));
        }
        if abandoned {
            for stamp in [Stamp::FirstFromBlue, Stamp::LastFromGreen, Stamp::UsersInBand] {
                self.stamp(stamp, None, "no user was ever on Green");
            }
        } else if !self.chasing() {
            self.chase();
        }
        // Green's last words are kept before anything of it may be stopped.
        if let Some(slot) = self.slot(Role::Green).filter(|_| !captured) {
            if let Some(rollback) = &mut self.rollback {
                rollback.capturing = true;
            }
            self.act(Act::Capture { slot }, Barrier::Nothing);
        }
        self.act(Act::PersistRouter, Barrier::Nothing);
    }

    /// Sets a stamp, once. `add` is what to add to its time, or why it has none.
    pub(super) fn stamp(&mut self, stamp: Stamp, after_us: Option<u64>, add: &str) {
        let Some(rollback) = &mut self.rollback else { return };
        let state = &mut rollback.stamps[stamp as usize];
        if *state != StampState::Waiting {
            return;
        }
        let says = match after_us {
            Some(us) => format!("{} after {}{add}", stamp.words(), super::line::micros(us)),
            None => format!("{}: {add}", stamp.words()),
        };
        *state = match after_us {
            Some(us) => StampState::After(us),
            None => StampState::Not(add.to_owned()),
        };
        self.record(Record::Stamped { stamp, after_us, says: Clean::new(&says) });
    }

    pub(super) fn seen(&mut self, what: Seen, after_us: u64) {
        match what {
            Seen::FirstAnswer(Role::Blue) => self.stamp(Stamp::FirstFromBlue, Some(after_us), ""),
            // What came last came before: there is no time to tell.
            Seen::LastAnswer(Role::Green) if after_us == 0 && self.facts.tells_gates => {
                self.stamp(Stamp::LastFromGreen, None, Stamp::NONE_SINCE);
            }
            Seen::LastAnswer(Role::Green) => self.stamp(Stamp::LastFromGreen, Some(after_us), ""),
            Seen::FirstAnswer(Role::Green) | Seen::LastAnswer(Role::Blue) => {}
        }
    }

    /// The second look, when every earlier write has run out of time.
    pub(super) fn rollback_read(&mut self, id: EffectId, readback: &Readback) {
        let (at, timeout) = (self.at, self.plan.router.timeout);
        let Some(blue) = self.world.blue else { return };
        let Some(rollback) = self.rollback.as_mut().filter(|r| r.rechecking == Some(id)) else {
            // A read of before the way back began: it says nothing about it.
            return;
        };
        rollback.rechecking = None;
        if readback.split().and_then(Split::sole) == Some(blue) {
            let passed = at.since(rollback.began);
            return self.info(&format!("read once more after {passed}: at Blue"));
        }
        // A late write has landed, or the router cannot be read: write again, and read again.
        rollback.write_anew(at, timeout);
        match readback.first_fault() {
            Some((node, fault)) => self
                .warn(&format!("the second look failed ({node}: {}): writing again", fault.cause)),
            None => {
                let reads = self.reads();
                self.warn(&format!("the router is not at Blue any more{reads}: writing again"));
            }
        }
    }

    /// A routine read says something else than Blue before the second look was taken: it is taken
    /// now. The routine read itself may be older than the write, so it is not believed.
    pub(super) fn rollback_overheard(&mut self) {
        let away = self.green_read().is_some_and(|green| green > Percent::ZERO);
        let Some(rollback) = &self.rollback else { return };
        if away && rollback.verified && !rollback.settled() {
            self.look_once_more();
        }
    }

    /// The router is read, unless it is being read already.
    fn look_once_more(&mut self) {
        if self.rollback.as_ref().is_some_and(|rollback| rollback.rechecking.is_none()) {
            let id = self.act(Act::ReadRouter, Barrier::Nothing);
            if let Some(rollback) = &mut self.rollback {
                rollback.rechecking = Some(id);
            }
        }
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
        let may_look = rollback.verified && rollback.rechecking.is_none();
        if may_look && rollback.recheck_at.is_some_and(|due| at >= due) {
            rollback.recheck_at = None;
            self.look_once_more();
            return;
        }
        let waited = at.since(rollback.verified_at);
        let counted = rollback.band.as_ref().is_some_and(|band| band.counted);
        let in_band = rollback.band.as_mut().and_then(|band| band.is_well(at));
        let after_us = at.since(rollback.began).0.saturating_mul(1000);
        let verified = rollback.verified;
        if let (true, Some(add)) = (verified, in_band) {
            self.stamp(Stamp::UsersInBand, Some(after_us), add);
        }
        if verified && waited >= BAND && !counted {
            self.stamp(Stamp::UsersInBand, None, "nobody counts users here");
        }
        if verified && waited >= STAMPS_WAIT {
            self.stamp(Stamp::FirstFromBlue, None, "no answer was seen");
            self.stamp(Stamp::LastFromGreen, None, "not seen");
            self.stamp(Stamp::UsersInBand, None, "too few users, or not in band yet");
        }
        let unread = self.green_read().is_none();
        let Some(rollback) = &mut self.rollback else { return };
        if leaving && rollback.leaving_since.is_none() {
            rollback.leaving_since = Some(at);
        }
        let over = |since: Millis| at.since(since) >= UNATTENDED_FOR;
        let left = rollback.leaving_since.is_some_and(over);
        if rollback.settled() && (leaving || (!attended && rollback.stamped())) {
            // Where nobody is there to be told, a router that is unread for a moment is read again.
            if attended || !unread || over(*rollback.unread_since.get_or_insert(at)) {
                self.finish_rollback();
            }
            return;
        }
        // Nobody waits for logs that do not come.
        if left && rollback.verified && rollback.reads_done() {
            return self.finish_rollback();
        }
        // A router that takes the split and then loses it again and again is not fought for ever.
        let fought = !attended && at.since(rollback.began) >= STAMPS_WAIT + STAMPS_WAIT;
        if fought && !rollback.reads_done() {
            return self.end(RunOutcome::Interrupted, 4, UNVERIFIED.to_owned());
        }
        if !verified && (left || (!attended && over(rollback.trying_since))) {
            self.end(RunOutcome::Interrupted, 4, UNVERIFIED.to_owned());
        }
    }

    pub(super) fn finish_rollback(&mut self) {
        if let Some(read) = self.green_read().filter(|read| *read > Percent::ZERO) {
            let says = format!(
                "rolled back and verified, but somebody else moved it since: {read} % on Green"
            );
            return self.end(RunOutcome::Interrupted, 4, says);
        }
        if self.green_read().is_none() {
            let why = self.world.router_trouble(self.at).unwrap_or_default();
            let says = format!("went back and verified, but the router cannot be read now: {why}");
            return self.end(RunOutcome::Interrupted, 4, says);
        }
        let down = self.world.blue_is_down(self.at);
        let but = if down { format!(", but {DOWN}") } else { String::new() };
        let Some(rollback) = &self.rollback else { return };
        let why = &rollback.why;
        if rollback.abandoned {
            let says = format!("abandoned: no user was ever on Green{but}; {why}");
            self.end(RunOutcome::Abandoned, 5, says);
        } else {
            let time = match &rollback.stamps[0] {
                StampState::After(us) => super::line::micros(*us),
                _ => "an unknown time".to_owned(),
            };
            let (exit, how) = if rollback.rehearsed { (0, " as rehearsed") } else { (3, "") };
            let says =
                format!("rolled back{how}: router at Blue after {time}, verified{but}; {why}");
            self.end(RunOutcome::RolledBack, exit, says);
        }
    }

    /// A way back that was cut off is written again at once: writing Blue twice harms nobody.
    pub(super) fn rollback_resumed(&mut self) {
        let (at, timeout) = (self.at, self.plan.router.timeout);
        let Some(rollback) = &mut self.rollback else { return };
        rollback.write_anew(at, timeout);
        rollback.trying_since = at;
        // Nobody timed it whole.
        rollback.rehearsed = false;
        rollback.leaving_since = None;
        rollback.unread_since = None;
        rollback.capturing = false;
        rollback.captured = false;
    }

    /// Whether Blue's slot may be gone, so that there is nothing to go back to.
    pub(super) fn has_stop(&self) -> bool {
        self.plan.commands.has(CommandName::Stop)
    }
}
