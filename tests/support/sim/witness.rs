//! What somebody who stands beside a run knows by themselves: from what happened and what was
//! asked of the world, never from the core's own state. The invariants compare the two.
//!
//! It judges nothing, and it keeps little: what it knows must cost less than the run.

use std::collections::{BTreeMap, VecDeque};
use switchback::plan::{CommandName, Plan, Signal};
use switchback::runbook::{
    Act, Command, Effect, EffectId, Event, GateState, OTHERS_USERS, Outcome, Readback, Record,
    Regime, RunFacts, RunOutcome, Snapshot, Step,
};
use switchback::signal::{Origin, Sample, Verdict, Whose};
use switchback::units::{Millis, Role, Slot, Split};

/// A router that was not read for longer than this is not known any more, in milliseconds.
pub const STALE: u64 = 5_000;
/// After a longer silence than this nobody watched meanwhile, in milliseconds.
const SILENCE: u64 = 10_000;
/// An answer that comes so many milliseconds after an act's own time is not waited for.
const GRACE: u64 = 1_000;
/// Seconds that are remembered of each source: more than any limit of a short plan holds.
const REMEMBERED: usize = 40;

/// What a router said last.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// The split, where it could be told.
    pub split: Option<Split>,
    /// Whether it holds each slot up, where any node says so.
    pub down: [bool; 2],
    /// When, in milliseconds.
    pub at: u64,
}

/// An act in flight.
#[derive(Debug, Clone)]
pub struct Asked {
    pub act: Act,
    pub at: u64,
}

/// One second of one source: bad ones, and all.
#[derive(Debug, Clone, Copy)]
pub struct Second {
    at: u64,
    failed: (u64, u64),
    unready: (u64, u64),
}

/// What was heard of a slot's readiness.
#[derive(Debug, Clone, Copy, Default)]
struct Heard {
    ready: Option<(bool, u64)>,
    live: Option<bool>,
}

/// A way back, as it is seen from outside.
#[derive(Debug, Clone, Default)]
pub struct Back {
    /// When it was last read at Blue, in milliseconds; nothing while it is not there.
    pub there: Option<u64>,
    /// Since when no write of it is in flight, while it is not there.
    pub idle_since: Option<u64>,
    /// When the router was last asked once more after the last write had been read at Blue.
    pub second_look: Option<u64>,
    /// Whether it was there once, whatever came then.
    was_there: bool,
    /// Whether Green's last logs were asked for.
    pub captured: bool,
}

/// Where a run has been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Moved,
    AllOnGreen,
    Kept,
    KeptUnproven,
    Decommissioned,
    RolledBack,
    Abandoned,
    Interrupted,
    Failed,
    Held,
    Resumed,
    Slept,
    Tripped,
    TrippedLiteral,
    Shared,
    BlueUnwell,
    Unproven,
    Adopted,
    WriteRetried,
    BackRetried,
    BackTwice,
    LateAnswer,
    JournalFailed,
    GaveUp,
}

impl Place {
    pub const ALL: [Self; 24] = [
        Self::Moved,
        Self::AllOnGreen,
        Self::Kept,
        Self::KeptUnproven,
        Self::Decommissioned,
        Self::RolledBack,
        Self::Abandoned,
        Self::Interrupted,
        Self::Failed,
        Self::Held,
        Self::Resumed,
        Self::Slept,
        Self::Tripped,
        Self::TrippedLiteral,
        Self::Shared,
        Self::BlueUnwell,
        Self::Unproven,
        Self::Adopted,
        Self::WriteRetried,
        Self::BackRetried,
        Self::BackTwice,
        Self::LateAnswer,
        Self::JournalFailed,
        Self::GaveUp,
    ];

    /// What it is called in a report.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Moved => "users moved",
            Self::AllOnGreen => "all on Green",
            Self::Kept => "kept",
            Self::KeptUnproven => "kept unproven",
            Self::Decommissioned => "Blue stopped",
            Self::RolledBack => "rolled back",
            Self::Abandoned => "abandoned",
            Self::Interrupted => "exit 4",
            Self::Failed => "exit 1",
            Self::Held => "held",
            Self::Resumed => "resumed",
            Self::Slept => "slept",
            Self::Tripped => "tripped",
            Self::TrippedLiteral => "tripped literally",
            Self::Shared => "both slots suffer",
            Self::BlueUnwell => "Blue unwell",
            Self::Unproven => "unproven",
            Self::Adopted => "moved by others",
            Self::WriteRetried => "write tried again",
            Self::BackRetried => "way back tried again",
            Self::BackTwice => "back, and once more",
            Self::LateAnswer => "late answer",
            Self::JournalFailed => "journal failed",
            Self::GaveUp => "act given up",
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Everywhere that a run has been.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Places(u32);

impl Places {
    pub const fn reach(&mut self, place: Place) {
        self.0 |= place.bit();
    }

    pub const fn has(self, place: Place) -> bool {
        self.0 & place.bit() != 0
    }
}

/// What is known of a run from outside.
#[derive(Debug)]
pub struct Witness {
    pub plan: Plan,
    pub attended: bool,
    /// The instant of the last step, in milliseconds.
    pub now: u64,
    /// Steps since time last went on.
    pub steps_at_once: u32,
    pub blue: Option<Slot>,
    pub word: Option<Word>,
    pub in_flight: BTreeMap<EffectId, Asked>,
    /// What the event of this step answers, where it is believed.
    pub answered: Option<Asked>,
    /// Writes towards Green that were asked for.
    pub moves: Vec<(EffectId, Split)>,
    /// When the last write that was no way back can still take effect.
    pub writes_until: u64,
    /// A write towards Green that the death of the process has cut off.
    cut_off: Option<Split>,
    /// Whether any weight on Green was asked for, or read.
    pub green_had_weight: bool,
    pub step: Option<Step>,
    pub entered: [Option<u64>; 8],
    /// Since when it was watched without a break.
    pub watched_since: u64,
    suspended: bool,
    /// The soak that counts began then.
    pub soaked_since: u64,
    /// Green's share that stands, and since when.
    pub stands: Option<(u8, u64)>,
    /// A share that has stood for its whole hold, so that a yes was asked for.
    pub earned: Option<u8>,
    pub journal_down: bool,
    /// Whether it failed in this step.
    journal_fails: bool,
    /// Every question, its words, and whether it is still open.
    pub questions: BTreeMap<u32, (String, bool)>,
    /// Since when the gate has not been open.
    pub not_open_since: Option<u64>,
    /// What was measured before this does not count in the limits any more.
    pub judged_from: u64,
    /// When the first user was moved.
    pub users_from: Option<u64>,
    /// Green's users' requests since then.
    pub green_users: u64,
    heard: [Heard; 2],
    pub seconds: [[VecDeque<Second>; 2]; 2],
    pub regime: Option<Regime>,
    pub back: Option<Back>,
    /// Whether Blue was stopped.
    pub stopped: bool,
    pub finished: bool,
    /// What Blue normally does, by each limit, as it was first told after users were moved.
    pub normals: BTreeMap<Signal, f64>,
    /// Whether somebody else's split is adopted.
    pub adopted: bool,
    /// When both slots were last said to suffer.
    pub shared_at: Option<u64>,
    pub places: Places,
}

impl Witness {
    pub fn new(plan: &Plan, facts: &RunFacts) -> Self {
        Self {
            plan: plan.clone(),
            attended: facts.attended,
            now: 0,
            steps_at_once: 0,
            blue: None,
            word: None,
            in_flight: BTreeMap::new(),
            answered: None,
            moves: Vec::new(),
            writes_until: 0,
            cut_off: None,
            green_had_weight: false,
            step: None,
            entered: [None; 8],
            watched_since: 0,
            suspended: false,
            soaked_since: 0,
            stands: None,
            earned: None,
            journal_down: false,
            journal_fails: false,
            questions: BTreeMap::new(),
            not_open_since: None,
            judged_from: 0,
            users_from: None,
            green_users: 0,
            heard: [Heard::default(); 2],
            seconds: Default::default(),
            regime: None,
            back: None,
            stopped: false,
            finished: false,
            normals: BTreeMap::new(),
            adopted: false,
            shared_at: None,
            places: Places::default(),
        }
    }

    // ---- what it knows ----

    /// Green's share of a split, in percent.
    pub fn green(&self, split: Split) -> Option<u8> {
        self.blue.map(|blue| split.share(blue.other()).get())
    }

    /// The split that the router reported last, if that is not too long ago.
    pub fn split(&self) -> Option<Split> {
        let word = self.word.filter(|word| self.now - word.at <= STALE)?;
        word.split
    }

    /// Whether the router was last read at Blue, not too long ago.
    pub fn reads_blue(&self) -> bool {
        self.blue.is_some() && self.split().and_then(Split::sole) == self.blue
    }

    /// Whether a slot said lately that it is ready.
    pub fn ready(&self, role: Role) -> Option<bool> {
        let health = &self.plan.health;
        let stale = ((health.every.0 + health.timeout.0) * 2).max(STALE);
        let Heard { ready, live } = self.heard[role.index()];
        let (ready, at) = ready?;
        (self.now - at <= stale).then_some(ready && live != Some(false))
    }

    /// Whether Blue would answer users who come back.
    pub fn blue_is_well(&self) -> bool {
        let down = match (self.blue, self.word) {
            (Some(blue), Some(word)) => self.now - word.at <= STALE && word.down[blue.index()],
            _ => false,
        };
        self.ready(Role::Blue) == Some(true) && !down
    }

    /// A question with these words that still waits.
    pub fn asks(&self, words: &str) -> bool {
        self.questions.values().any(|(said, open)| *open && said.starts_with(words))
    }

    /// What was measured of a limit in `(at - hold, at]`: bad ones, and all. Nothing where a second
    /// is missing in it or right before it.
    pub fn measured(
        &self,
        signal: Signal,
        role: Role,
        from: Origin,
        hold: u64,
        at: u64,
    ) -> Option<(u64, u64)> {
        let seconds = &self.seconds[role.index()][usize::from(from == Origin::Probes)];
        let within = seconds.iter().filter(|s| s.at > at.saturating_sub(hold) && s.at <= at);
        let sum = |of: fn(&Second) -> (u64, u64)| {
            within.clone().map(of).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
        };
        let from = at.saturating_sub(hold + 1_000);
        let around = seconds.iter().filter(|s| s.at >= from && s.at <= at);
        let whole = around.filter(|s| s.at.is_multiple_of(1_000)).count() as u64;
        if whole < hold / 1_000 + 2 {
            return None;
        }
        match signal {
            Signal::ErrorRate => Some(sum(|second| second.failed)),
            Signal::Health => Some(sum(|second| second.unready)),
            _ => None,
        }
    }

    // ---- what it hears ----

    /// Something happened; the core has taken it.
    pub fn hears(&mut self, now: u64, event: &Event) {
        let begun = self.entered[Step::Confirm as usize].is_some();
        let silent = now.saturating_sub(self.now);
        self.steps_at_once = if now > self.now { 0 } else { self.steps_at_once + 1 };
        self.now = now.max(self.now);
        self.answered = None;
        self.journal_fails = matches!(event, Event::JournalFailed(_));
        if self.finished && !matches!(event, Event::Resumed { .. }) {
            return;
        }
        if begun && silent > SILENCE && !matches!(event, Event::Resumed { .. }) {
            self.suspended = false;
            self.places.reach(Place::Slept);
            self.watched_anew();
        }
        match event {
            Event::Read(readback) => self.reads(readback),
            Event::Sample(sample) => self.measures(sample),
            Event::JournalFailed(_) => {
                self.journal_down = true;
                self.places.reach(Place::JournalFailed);
            }
            Event::JournalRecovered { .. } => self.journal_down = false,
            Event::Resumed { attended } => self.resumed(*attended),
            Event::Done { effect, outcome, .. } => self.hears_answer(*effect, outcome),
            Event::Command(Command::Suspend) => self.suspended = true,
            Event::Command(Command::Continue) if std::mem::take(&mut self.suspended) => {
                self.watched_anew();
            }
            _ => {}
        }
    }

    fn resumed(&mut self, attended: bool) {
        self.attended = attended;
        self.journal_down = false;
        self.suspended = false;
        self.finished = false;
        self.heard = [Heard::default(); 2];
        self.questions.values_mut().for_each(|(_, open)| *open = false);
        self.places.reach(Place::Resumed);
        self.watched_anew();
    }

    /// Nobody watched for a while: what is timed begins anew.
    fn watched_anew(&mut self) {
        self.watched_since = self.now;
        self.judged_from = self.now;
        self.not_open_since = self.not_open_since.map(|_| self.now);
        if self.step == Some(Step::Soak) {
            self.soaked_since = self.now;
        }
        if let Some((_, since)) = &mut self.stands {
            *since = self.now;
        }
    }

    fn reads(&mut self, readback: &Readback) {
        let down = |slot: usize| readback.states().any(|state| state.up[slot] == Some(false));
        self.word = Some(Word { split: readback.split(), down: [down(0), down(1)], at: self.now });
        let green = self.blue.and_then(|blue| readback.most(blue.other()));
        self.green_had_weight |= green.is_some_and(|green| green.get() > 0);
    }

    fn hears_answer(&mut self, id: EffectId, outcome: &Outcome) {
        let Some(asked) = self.in_flight.remove(&id) else { return };
        if matches!(asked.act, Act::SetRouter { .. } | Act::ReadRouter) {
            match outcome {
                Outcome::Router(readback) => self.reads(readback),
                _ => self.word = Some(Word { split: None, down: [false; 2], at: self.now }),
            }
        }
        let read = self.word.and_then(|word| word.split);
        match &asked.act {
            Act::SetRouter { split, rollback: false, .. } if read == Some(*split) => {
                self.stands = self.green(*split).map(|green| (green, self.now));
            }
            Act::SetRouter { rollback: true, .. } if self.reads_blue() => {
                if let Some(back) = &mut self.back {
                    if std::mem::replace(&mut back.was_there, true) {
                        self.places.reach(Place::BackTwice);
                    }
                    (back.there, back.idle_since) = (Some(self.now), None);
                }
            }
            Act::SetRouter { rollback: true, .. } => {
                if let Some(back) = &mut self.back {
                    (back.there, back.idle_since) = (None, Some(self.now));
                }
            }
            Act::ReadRouter => {
                // What was cut off took effect, or did not: the first read says which.
                if let Some(split) = self.cut_off.take().filter(|split| read == Some(*split)) {
                    self.stands = self.green(split).map(|green| (green, self.now));
                }
                // A look of before the way back says nothing about it.
                let second = |back: &&mut Back| back.second_look == Some(asked.at);
                if !self.reads_blue()
                    && let Some(back) = self.back.as_mut().filter(second)
                {
                    (back.there, back.idle_since) = (None, Some(self.now));
                }
            }
            Act::Run { command: CommandName::Stop, .. } => {
                if matches!(outcome, Outcome::Ran(ran) if ran.end.is_good()) {
                    self.stopped = true;
                    self.places.reach(Place::Decommissioned);
                }
            }
            _ => {}
        }
        self.answered = Some(asked);
    }

    fn measures(&mut self, sample: &Sample) {
        let role = match sample.role {
            Whose::Blue => Role::Blue,
            Whose::Green => Role::Green,
            Whose::Both => return,
        };
        let at = sample.at.0.min(self.now);
        let requests = sample.requests.unwrap_or(0);
        let (failed, unready) = (sample.failed.unwrap_or(0), sample.readiness().unwrap_or((0, 0)));
        if requests > 1_000_000 || unready.1 > 1_000_000 {
            // Nonsense of somebody else's: nobody counts on it.
            self.judged_from = self.now + 1_000;
            return self.hears_health(role, sample, at);
        }
        let seconds = &mut self.seconds[role.index()][usize::from(sample.from == Origin::Probes)];
        seconds.push_back(Second { at, failed: (failed, requests), unready });
        if seconds.len() > REMEMBERED {
            seconds.pop_front();
        }
        if sample.from == Origin::Users {
            if role == Role::Green && self.users_from.is_some_and(|from| at > from) {
                self.green_users = self.green_users.saturating_add(requests);
            }
            return;
        }
        self.hears_health(role, sample, at);
    }

    fn hears_health(&mut self, role: Role, sample: &Sample, at: u64) {
        if sample.from == Origin::Users {
            self.green_users = self.green_users.saturating_add(sample.requests.unwrap_or(0));
            return;
        }
        let heard = &mut self.heard[role.index()];
        heard.live = sample.live.or(heard.live);
        heard.ready = sample.ready.map(|ready| (ready, at)).or(heard.ready);
    }

    // ---- what it sees asked ----

    /// The core has said these.
    pub fn sees(&mut self, effects: &[Effect]) {
        // The way back, the end, and a journal that fails cancel whatever is in flight, however
        // long it was.
        let cancels = self.journal_fails
            || effects.iter().any(|effect| {
                matches!(effect, Effect::Record(Record::RollbackStarted { .. }) | Effect::Finish(_))
            });
        for effect in effects {
            match effect {
                Effect::Act { id, act, .. } => self.sees_act(*id, act),
                Effect::Cancel(id) => self.sees_end(*id, cancels),
                Effect::Record(record) => self.sees_record(record),
                Effect::Observe(regime) => self.regime = Some(*regime),
                Effect::Finish(_) => self.finished = true,
            }
        }
    }

    fn sees_act(&mut self, id: EffectId, act: &Act) {
        match act {
            Act::SetRouter { split, timeout, rollback: false, .. } => {
                self.writes_until = self.writes_until.max(self.now + timeout.0);
                if self.green(*split).is_some_and(|green| green > 0) {
                    self.green_had_weight = true;
                    self.moves.push((id, *split));
                    self.places.reach(Place::Moved);
                    self.earned = Some(self.stands.map_or(0, |(share, _)| share));
                    if id.attempt > 1 {
                        self.places.reach(Place::WriteRetried);
                    } else if self.users_from.is_none() || self.stands.is_none_or(|s| s.0 == 0) {
                        (self.users_from, self.judged_from) = (Some(self.now), self.now);
                        self.normals.clear();
                    }
                }
            }
            Act::SetRouter { rollback: true, .. } => {
                let back = self.back.get_or_insert_default();
                (back.there, back.idle_since, back.second_look) = (None, None, None);
                if id.attempt > 1 {
                    self.places.reach(Place::BackRetried);
                }
            }
            Act::ReadRouter => {
                if let Some(back) = self.back.as_mut().filter(|back| back.there.is_some()) {
                    back.second_look = Some(self.now);
                }
            }
            Act::Capture { .. } => {
                if let Some(back) = &mut self.back {
                    back.captured = true;
                }
            }
            _ => {}
        }
        self.in_flight.insert(id, Asked { act: act.clone(), at: self.now });
    }

    /// An act was cancelled, or given up.
    fn sees_end(&mut self, id: EffectId, cancelled: bool) {
        let Some(asked) = self.in_flight.remove(&id) else { return };
        self.places.reach(Place::GaveUp);
        // A router that gave no answer in all that time cannot be read.
        let timeout = match &asked.act {
            Act::SetRouter { timeout, .. } => Some(*timeout),
            Act::ReadRouter => Some(self.plan.router.timeout),
            _ => None,
        };
        let given_up = timeout.is_some_and(|own| self.now >= asked.at + own.0 + GRACE);
        if given_up && !cancelled {
            self.word = Some(Word { split: None, down: [false; 2], at: self.now });
        }
        let back = matches!(asked.act, Act::SetRouter { rollback: true, .. });
        if let (true, Some(back)) = (back, &mut self.back) {
            back.idle_since = Some(self.now);
        }
    }

    fn sees_record(&mut self, record: &Record) {
        match record {
            Record::Blue { slot, .. } => self.blue = Some(*slot),
            Record::Info(says) if says.as_str().starts_with(OTHERS_USERS) => {
                self.judged_from = self.now;
            }
            Record::StepEntered { step } => {
                self.step = Some(*step);
                self.entered[*step as usize] = Some(self.now);
                match step {
                    Step::Soak => (self.soaked_since, self.judged_from) = (self.now, self.now),
                    Step::Watch => self.places.reach(Place::AllOnGreen),
                    Step::Warm => {
                        self.places.reach(Place::Kept);
                        let asked = |(words, _): &(String, bool)| words.contains("ended unproven");
                        if self.questions.values().any(asked) {
                            self.places.reach(Place::KeptUnproven);
                        }
                    }
                    _ => {}
                }
            }
            Record::Gate { state, .. } => {
                let since = self.not_open_since.unwrap_or(self.now);
                self.not_open_since = (*state != GateState::Open).then_some(since);
            }
            Record::Asked { question, words } => {
                match words.as_str() {
                    "Go back to Blue all the same?" => self.places.reach(Place::BlueUnwell),
                    words if words.contains("unproven") => self.places.reach(Place::Unproven),
                    _ => {}
                }
                self.questions.insert(*question, (words.to_string(), true));
            }
            Record::Answered { question, .. } => {
                if let Some((words, open)) = self.questions.get_mut(question) {
                    *open = false;
                    if words.starts_with("The run was cut off") {
                        self.watched_anew();
                    }
                }
            }
            Record::RollbackStarted { .. } => {
                self.back.get_or_insert_default();
            }
            _ => {}
        }
    }

    /// How it looks now.
    pub fn looks(&mut self, screen: &Snapshot) {
        let verdict = |verdict| screen.limits.iter().any(|limit| limit.verdict == verdict);
        let judged = screen.limits_on == Role::Green;
        if judged && self.users_from.is_some() {
            for limit in &screen.limits {
                if let Some(normal) = limit.normal {
                    self.normals.entry(limit.signal()).or_insert(normal);
                }
            }
        }
        if screen.held {
            self.places.reach(Place::Held);
        }
        if judged && verdict(Verdict::Shared) {
            self.shared_at = Some(self.now);
            self.places.reach(Place::Shared);
        }
        let tripped = screen.limits.iter().filter(|limit| limit.verdict == Verdict::Tripped);
        for limit in tripped.filter(|_| judged) {
            let literal = limit.limit.literal;
            self.places.reach(if literal { Place::TrippedLiteral } else { Place::Tripped });
        }
        self.adopted = screen.traffic.moved_by_others;
        if self.adopted {
            self.places.reach(Place::Adopted);
        }
        let Some(finish) = &screen.finish else { return };
        self.places.reach(match finish.outcome {
            RunOutcome::Kept => Place::Kept,
            RunOutcome::RolledBack => Place::RolledBack,
            RunOutcome::Abandoned => Place::Abandoned,
            RunOutcome::Failed => Place::Failed,
            RunOutcome::Interrupted if finish.exit == 0 => return,
            RunOutcome::Interrupted => Place::Interrupted,
        });
    }

    /// The process died. What was in flight is gone, and the run is picked up.
    pub fn process_died(&mut self) {
        let writing = self.in_flight.values().find_map(|asked| match &asked.act {
            Act::SetRouter { split, rollback: false, .. } => Some(*split),
            _ => None,
        });
        self.cut_off = writing;
        self.in_flight.clear();
        if let Some(back) = &mut self.back {
            (back.there, back.idle_since, back.captured) = (None, Some(self.now), false);
        }
    }
}

/// An instant as it is told.
pub fn told(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}

/// A length of time in milliseconds.
pub const fn ms(length: Millis) -> u64 {
    length.0
}
