//! What a backtest has found: the changes, and what they come to.

use super::said::Said;
use crate::plan::{Plan, Signal, SignalSource};
use crate::signal::{Change, Judge, Origin, Sample, Verdict, Whose};
use crate::text::clock;
use crate::units::Millis;

/// What a backtest has found.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// The changes of verdicts, in their order.
    pub said: Vec<Said>,
    /// When users were first moved to Green.
    pub switched: Option<Millis>,
    /// The first trip, and whether Green had users then: the plan would have gone back.
    pub tripped: Option<(Said, bool)>,
    /// Where both slots suffered first, or first for so long that the operator is asked.
    pub held: Option<Held>,
    /// When the run itself went back. What it would have come to otherwise is not known.
    pub went_back: Option<Millis>,
    /// Whether the run has kept Green: in step 8 a cockpit tells, and does not go back by itself.
    pub kept: bool,
    /// Requests of Green's that were judged in the last phase, and how many it takes.
    pub seen: (u64, u64),
    /// Lines that came after the evaluation which they belong to, and counted at the next one.
    pub late: u64,
    /// How many evaluations were made of Green.
    pub evaluations: u64,
    /// Seconds of Blue's and of Green's, or of both.
    pub seconds: [u64; 2],
    /// Times are told since then: the file's first second, where its times are those of the day.
    pub origin: Millis,
    /// How many changes came before the run's own way back.
    before: Option<usize>,
    /// What each limit was last told to say.
    last: [Option<Verdict>; Signal::ALL.len()],
    /// How long both slots may suffer before the operator is asked, and when that is.
    shared_hold: Millis,
    suffering: Option<Held>,
    has: [bool; Signal::ALL.len()],
}

/// Both slots suffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Since when.
    pub since: Millis,
    /// By which limit.
    pub signal: Signal,
    /// When the operator is asked, if it lasted for so long.
    pub asked: Option<Millis>,
}

impl Told {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { shared_hold: plan.on_trip.shared_hold, ..Self::default() }
    }

    /// The changes that came before the run's own way back; all, where it had none.
    pub fn changes(&self) -> &[Said] {
        let before = self.before.unwrap_or(self.said.len());
        self.said.get(..before).unwrap_or(&self.said)
    }

    /// The run itself goes back: from here on nothing that is found counts.
    pub(super) fn goes_back_itself(&mut self, at: Millis) {
        self.went_back.get_or_insert(at);
        self.before.get_or_insert(self.said.len());
    }

    /// Takes what a judge says at `at`, an evaluation of lines: every limit that says something
    /// else than it was told to say before has changed, also because it was begun anew.
    pub(super) fn evaluated(&mut self, judge: &Judge, changes: &[Change], at: Millis) {
        let changes: Vec<Change> = judge
            .judgements()
            .filter_map(|judgement| {
                let (signal, now) = (judgement.signal(), judgement.verdict);
                let first = || changes.iter().find(|c| c.signal == signal).map_or(now, |c| c.was);
                let was = self.last_of(signal).unwrap_or_else(first);
                (was != now).then_some(Change { signal, was, now })
            })
            .collect();
        self.changed(judge, changes, at);
        for judgement in judge.judgements() {
            self.remember(judgement.signal(), judgement.verdict);
        }
    }

    /// Takes what a judge has changed at `at`.
    pub(super) fn changed(&mut self, judge: &Judge, changes: Vec<Change>, at: Millis) {
        if judge.evaluated() == Some(at) {
            self.evaluations += 1;
        }
        let counts = self.went_back.is_none() && self.tripped.is_none() && !self.kept;
        if counts {
            self.suffer(judge, at);
        }
        for change in changes {
            let Some(judgement) = judge.told_of(change.signal) else { continue };
            let was = self.last_of(change.signal).unwrap_or(change.was);
            self.remember(change.signal, change.now);
            let said = Said { at, was, judgement };
            if change.now == Verdict::Tripped && counts && self.tripped.is_none() {
                self.tripped = Some((said.clone(), self.switched.is_some()));
            }
            self.said.push(said);
        }
    }

    fn last_of(&self, signal: Signal) -> Option<Verdict> {
        let known = Signal::ALL.iter().zip(self.last).find(|(of, _)| **of == signal);
        known.and_then(|(_, last)| last)
    }

    fn remember(&mut self, signal: Signal, now: Verdict) {
        let known = Signal::ALL.iter().zip(&mut self.last).find(|(of, _)| **of == signal);
        if let Some((_, last)) = known {
            *last = Some(now);
        }
    }

    /// Follows both slots as a core does: it holds, and asks once that has lasted too long.
    fn suffer(&mut self, judge: &Judge, at: Millis) {
        let Some(judgement) = judge.shared() else {
            self.suffering = None;
            return;
        };
        let fresh = Held { since: at, signal: judgement.signal(), asked: None };
        let held = self.suffering.get_or_insert(fresh);
        // What was measured once for both is asked about at once.
        let wait = if judgement.both { Millis::ZERO } else { self.shared_hold };
        if held.asked.is_none() && at >= held.since + wait {
            held.asked = Some(at);
        }
        if self.held.is_none_or(|known| known.asked.is_none() && held.asked.is_some()) {
            self.held = Some(*held);
        }
    }

    /// Remembers which limits this second says something of.
    pub(super) fn heard(&mut self, sample: &Sample) {
        self.seconds[usize::from(sample.role != Whose::Blue)] += 1;
        if sample.role == Whose::Blue {
            return;
        }
        let asked = sample.from != Origin::Gauges;
        let counted = asked && sample.requests.is_some();
        let gauged = !asked;
        let speaks = |signal: Signal| match signal {
            Signal::ErrorRate => counted && sample.failed.is_some(),
            Signal::ClientErrorRate => counted && sample.client_errors.is_some(),
            Signal::LatencyP95 => counted && sample.latency_ms.is_some(),
            Signal::Health => sample.from == Origin::Probes && sample.readiness().is_some(),
            Signal::DbErrors => gauged && sample.db_errors.is_some(),
            Signal::QueueDepth => gauged && sample.queue_depth.is_some(),
        };
        for (has, signal) in self.has.iter_mut().zip(Signal::ALL) {
            *has = *has || speaks(signal);
        }
    }

    /// Whether the plan would have gone back.
    pub const fn goes_back(&self) -> bool {
        self.tripped.is_some()
    }

    /// What whoever asked should know of these samples beside the verdicts, a sentence each.
    pub fn warnings(&self, plan: &Plan) -> Vec<String> {
        let mut warnings = Vec::new();
        for (has, signal) in self.has.iter().zip(Signal::ALL) {
            let key = signal.key();
            let gauge = matches!(signal, Signal::DbErrors | Signal::QueueDepth);
            let source = matches!(plan.signals.get(&signal), Some(SignalSource::Readiness(_)));
            match (has, plan.limit(signal).is_some(), !gauge || source) {
                (false, true, true) => warnings.push(format!(
                    "nothing here was read of Green's {key}: its limit could not be judged"
                )),
                (true, _, false) => warnings.push(format!(
                    "{key} is here and was not judged: the plan declares no source for it in [signals]"
                )),
                _ => {}
            }
        }
        if self.late > 0 {
            let lines = crate::text::count(self.late, "line");
            warnings.push(format!(
                "{lines} came more than 1 s after later ones, and counted when they came: sort by `at`"
            ));
        }
        warnings
    }

    /// A time as it is told.
    pub fn clock(&self, at: Millis) -> String {
        clock(at.since(self.origin))
    }

    /// Whether anything of Green was judged.
    pub const fn judged(&self) -> bool {
        self.evaluations > 0 && self.seconds[1] > 0
    }

    /// What the plan would have done, in a sentence.
    pub fn sum_up(&self) -> String {
        if let Some((said, on_users)) = &self.tripped {
            let (at, label) = (self.clock(said.at), said.judgement.signal().label());
            return match (on_users, self.switched) {
                (true, Some(switched)) => format!(
                    "would have gone back at {at}, {} after the switch: {label} tripped",
                    clock(said.at.since(switched))
                ),
                _ => format!("would have abandoned Green at {at}, in the soak: {label} tripped"),
            };
        }
        let held = self.held.as_ref().map(|held| {
            let (at, label) = (self.clock(held.since), held.signal.label());
            format!("would have held at {at}, where both slots suffered ({label})")
        });
        let asked = self.held.as_ref().and_then(|held| held.asked);
        let held = match (held, asked) {
            (Some(held), Some(asked)) => Some(format!(
                "{held}, asked at {} (shared_hold {})",
                self.clock(asked),
                self.shared_hold
            )),
            (held, _) => held,
        };
        let (seen, needed) = self.seen;
        let ended = match (self.went_back, self.switched) {
            (Some(at), _) => {
                format!(
                    "the run itself went back at {}; until then nothing had tripped",
                    self.clock(at)
                )
            }
            // What the operator would have answered is not known, nor what came of it.
            (None, _) if asked.is_some() => "nothing tripped; the answer decides".to_owned(),
            (None, None) => {
                "nothing tripped: Green had no users here, only its soak was judged".to_owned()
            }
            (None, Some(_)) if seen < needed.max(1) => {
                format!(
                    "nothing tripped, but it ended unproven: {seen} of ~{needed} requests needed"
                )
            }
            (None, Some(_)) => {
                let kept = format!("kept Green: {seen} requests, ~{needed} needed");
                return match held {
                    Some(held) => format!("{held}, and {kept}"),
                    None => format!("would have {kept}"),
                };
            }
        };
        match held {
            Some(held) => format!("{held}; {ended}"),
            None => ended,
        }
    }
}
