//! A run, lived again once: what is told at each input, and places to begin from.
//!
//! Every effect is compared byte for byte with the journal's while the tape is made; the first
//! that differs is told in the log where it happened. What is told is what the journal holds: the
//! core says only how the screen stood. Where inputs are missing the core cannot go on, and the
//! tape ends there; what the journal tells of the time after is shown at its end, and called so.

use crate::clean::Clean;
use crate::feed::News;
use crate::journal::{self, Difference, Entry, Mark, Replayed, Run, Turn, Written, mark};
use crate::runbook::record::{LogLine, Record, Tone};
use crate::runbook::snapshot::Stamp;
use crate::runbook::{Core, Effect, Event, line};
use crate::units::Millis;
use std::collections::BTreeMap;

/// The least inputs between two copies of the core.
const APART: usize = 512;
/// The most copies that are kept.
const COPIES: usize = 96;
/// A series older than this is on no plot.
const PLOTTED: Millis = Millis::secs(32 * 60);
/// Who says it.
const TOPIC: &str = "replay";

/// What commands printed, as the run's directory keeps it: by the number of the act.
pub type Kept = BTreeMap<u32, Vec<Clean>>;

/// A mark, and after which input it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// How many inputs are stepped there.
    pub index: usize,
    /// The journal's line, and its words.
    pub mark: Mark,
}

/// Something that is told, and after how many inputs.
type At<T> = (usize, T);

/// A run that can be played.
#[derive(Debug)]
pub struct Tape {
    turns: Vec<Turn>,
    /// When each input was stepped; never less than the one before.
    times: Vec<Millis>,
    log: Vec<At<LogLine>>,
    switches: Vec<At<(Millis, u8)>>,
    records: Vec<At<(Millis, Record)>>,
    output: Vec<At<Clean>>,
    flags: Vec<Flag>,
    /// The core after so many inputs, the first after none.
    copies: Vec<At<Core>>,
    compared: Result<Replayed, Difference>,
    says: Vec<String>,
}

impl Tape {
    /// Lives a run again. `going_on` is whether somebody flies it still.
    pub fn new(mut run: Run, kept: &Kept, going_on: bool) -> Self {
        let mut core = Core::new(run.opened.plan.clone(), run.opened.facts.clone());
        let gap = run.gaps.first().copied();
        let whole = run.turns.iter().take_while(|turn| gap.is_none_or(|(n, _)| turn.n < n)).count();
        let apart = APART.max(whole.div_ceil(COPIES));
        let mut copies = vec![(0, core.clone())];
        let mut got: Vec<Vec<Effect>> = Vec::with_capacity(whole);
        let mut step = |event: Event, at: Millis| {
            let effects = core.step(event, at);
            got.push(effects.clone());
            if got.len().is_multiple_of(apart) {
                copies.push((got.len(), core.clone()));
            }
            effects
        };
        let compared = journal::replay(&run, &mut step);
        if let Err(difference) = &compared {
            // It is told; what comes after is shown all the same.
            let rest = run.turns[..whole].iter().filter(|turn| turn.n > difference.n);
            rest.for_each(|turn| drop(step(turn.event.clone(), turn.at)));
        }
        let after = run.turns.split_off(whole);
        let mut latest = Millis::ZERO;
        let times = run.turns.iter().map(|turn| {
            latest = latest.max(turn.at);
            latest
        });
        let mut tape = Self {
            times: times.collect(),
            turns: Vec::new(),
            log: Vec::new(),
            switches: Vec::new(),
            records: Vec::new(),
            output: Vec::new(),
            flags: Vec::new(),
            copies,
            compared,
            says: sentences(&run, gap, going_on),
        };
        for (index, (turn, got)) in (1..).zip(run.turns.iter().zip(got)) {
            tape.take(index, turn.at, &turn.effects);
            // What followed last before a cut may not have been written any more.
            let unwritten = got.into_iter().skip(turn.effects.len()).map(|effect| Written {
                effect,
                json: String::new(),
                seq: 0,
            });
            tape.take(index, turn.at, &unwritten.collect::<Vec<_>>());
            if let Event::Done { effect, .. } = &turn.event {
                let lines = kept.get(&effect.n).into_iter().flatten().cloned();
                tape.output.extend(lines.map(|line| (index, line)));
            }
            tape.tell_a_difference(index, turn);
        }
        tape.turns = run.turns;
        tape.end(after, run.loose);
        tape
    }

    /// What an input's effects tell.
    fn take(&mut self, index: usize, at: Millis, effects: &[Written]) {
        for Written { effect, seq, .. } in effects {
            let Effect::Record(record) = effect else { continue };
            match record {
                Record::Split { read: Some(green), .. } => {
                    self.switches.push((index, (at, *green)))
                }
                Record::Stamped { stamp: Stamp::RouterAtBlue, .. } => {
                    self.switches.push((index, (at, 0)));
                }
                _ => {}
            }
            self.log.extend(line::line(record, at).map(|line| (index, line)));
            self.records.push((index, (at, record.clone())));
            let entry = Entry::Effect { n: 0, effect: effect.clone() };
            let mark = mark::of(*seq, at, &entry).filter(|_| *seq > 0);
            self.flags.extend(mark.map(|mark| Flag { index, mark }));
        }
    }

    fn tell_a_difference(&mut self, index: usize, turn: &Turn) {
        let Err(Difference { n, index: effect, .. }) = &self.compared else { return };
        if *n == turn.n {
            let text = format!(
                "replay differs from the journal at input {n}, effect {}: from here on the screen \
                 may be another than it was",
                effect + 1
            );
            self.log.push((index, said(turn.at, text, Tone::Bad)));
        }
    }

    /// What is told at the end: what is missing, and what the journal holds of the time after.
    fn end(&mut self, after: Vec<Turn>, loose: Vec<crate::journal::Turnless>) {
        let (index, at) = (self.turns.len(), self.end_at());
        for text in self.says.clone() {
            self.log.push((index, said(at, text, Tone::Warn)));
        }
        let after = after.into_iter().map(|turn| (turn.n, turn.at, turn.effects));
        let loose = loose.into_iter().map(|turn| (turn.n, turn.at, turn.effects));
        let mut rest: Vec<_> = after.chain(loose).collect();
        rest.sort_by_key(|(n, ..)| *n);
        let flags = self.flags.len();
        for (_, at, effects) in rest {
            self.take(index, at, &effects);
        }
        // There is nothing to see behind the end.
        self.flags.truncate(flags);
    }

    /// How many inputs there are.
    pub const fn len(&self) -> usize {
        self.turns.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// The last instant.
    pub fn end_at(&self) -> Millis {
        self.times.last().copied().unwrap_or(Millis::ZERO)
    }

    /// When so many inputs had been stepped.
    pub fn at(&self, index: usize) -> Millis {
        let of = index.saturating_sub(1).min(self.times.len().saturating_sub(1));
        self.times.get(of).copied().unwrap_or(Millis::ZERO)
    }

    /// How many inputs had been stepped at an instant; the first one always had.
    pub fn index_at(&self, at: Millis) -> usize {
        self.times.partition_point(|time| *time <= at).max(1).min(self.len())
    }

    /// What came in with the `index`-th input: its number, and in a word what it was.
    pub fn input(&self, index: usize) -> Option<String> {
        let turn = self.turns.get(index.checked_sub(1)?)?;
        Some(format!("input {} of {}: {}", turn.n, self.turns.last()?.n, word(&turn.event)))
    }

    /// The steps, switches, trips, ways back and the end, in their order.
    pub fn flags(&self) -> &[Flag] {
        &self.flags
    }

    /// Whether every effect was the journal's, byte for byte; else the first that was not.
    pub const fn compared(&self) -> &Result<Replayed, Difference> {
        &self.compared
    }

    /// What is missing of the run, a sentence each.
    pub fn says(&self) -> &[String] {
        &self.says
    }

    /// The core after at most so many inputs, and after how many.
    pub(super) fn copy(&self, index: usize) -> (usize, &Core) {
        let after = self.copies.partition_point(|(of, _)| *of <= index).max(1);
        let (of, core) = &self.copies[after - 1];
        (*of, core)
    }

    /// The inputs from one to another.
    pub(super) fn turns(&self, from: usize, to: usize) -> &[Turn] {
        self.turns.get(from..to).unwrap_or_default()
    }

    /// What is new from one input to another; of the series only what is still plotted then.
    pub(super) fn news(&self, from: usize, to: usize) -> News {
        let (seen, now) = (from.min(self.len()), to.min(self.len()));
        let oldest = self.at(to).0.saturating_sub(PLOTTED.0);
        let samples = self.turns(seen, now).iter().filter(|turn| turn.at.0 >= oldest);
        News {
            samples: samples
                .filter_map(|turn| match &turn.event {
                    Event::Sample(sample) => Some((**sample).clone()),
                    _ => None,
                })
                .collect(),
            switches: between(&self.switches, from, to),
            log: between(&self.log, from, to),
            records: between(&self.records, from, to),
            output: between(&self.output, from, to),
        }
    }
}

fn between<T: Clone>(all: &[At<T>], from: usize, to: usize) -> Vec<T> {
    let begin = all.partition_point(|(index, _)| *index <= from);
    let end = all.partition_point(|(index, _)| *index <= to);
    all.get(begin..end).unwrap_or_default().iter().map(|(_, what)| what.clone()).collect()
}

fn said(at: Millis, text: String, tone: Tone) -> LogLine {
    LogLine { at, topic: TOPIC.to_owned(), text, tone }
}

/// What is missing of a run.
fn sentences(run: &Run, gap: Option<(u64, u64)>, going_on: bool) -> Vec<String> {
    let mut says = Vec::new();
    if let Some((first, last)) = gap {
        let missing: u64 = run.gaps.iter().map(|(first, last)| last - first + 1).sum();
        says.push(format!(
            "the replay ends here: inputs {first} to {last} are missing ({missing} in all); what \
             follows in this log is the journal's word alone"
        ));
    }
    if run.torn.iter().any(|bytes| *bytes > 0) && !going_on {
        says.push(format!(
            "the end is torn: half-written lines of {} bytes were passed over",
            run.torn[0] + run.torn[1]
        ));
    }
    if run.unanchored > 0 && !going_on {
        says.push(format!(
            "{} lines of samples at the end were passed over: their inputs are not in the journal",
            run.unanchored
        ));
    }
    if going_on {
        says.push("the run goes on: this is what was written when the replay began".to_owned());
    } else if run.closed.is_none() {
        says.push("the journal has no end: the run was cut off here".to_owned());
    }
    says
}

/// What an input was.
fn word(event: &Event) -> String {
    match event {
        Event::Begin => "the run begins".to_owned(),
        Event::Resumed { .. } => "the run is picked up".to_owned(),
        Event::Command(command) | Event::Autopilot(command) => {
            let word = format!("{command:?}");
            let word = word.split(|ch: char| !ch.is_alphanumeric()).next().unwrap_or_default();
            let who = match event {
                Event::Autopilot(_) => "--yes",
                _ => "the operator",
            };
            format!("{who}: {}", word.to_lowercase())
        }
        Event::Sample(sample) => {
            let word = format!("{:?} of {:?}", sample.from, sample.role);
            format!("a second was measured: {}", word.to_lowercase())
        }
        Event::Read(_) => "the router was read".to_owned(),
        Event::Caution(_) => "the router warns".to_owned(),
        Event::Done { effect, .. } => format!("act {} has ended", effect.n),
        Event::Seen { .. } => "an answer that a stamp waits for".to_owned(),
        Event::JournalFailed(_) => "the journal cannot be written".to_owned(),
        Event::JournalRecovered { .. } => "the journal can be written again".to_owned(),
        Event::Due => "time that was waited for".to_owned(),
    }
}
