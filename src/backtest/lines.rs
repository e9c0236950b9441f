//! A file of samples, line by line.
//!
//! The order of the lines is the order of things: an evaluation is made when a line comes that is
//! more than 1 s later, or when users are moved, or when nothing more comes. A line that comes
//! after the evaluation it belongs to counts at the next one.

use super::line::{Line, Place, moves_users};
use super::told::Told;
use crate::plan::Plan;
use crate::signal::{Cadence, Judge, Origin, Record, Sample, Whose};
use crate::units::Millis;

/// A second.
const SECOND: Millis = Millis::secs(1);
/// An evaluation is waited for no longer than this.
const LATE: Millis = Millis::secs(1);
/// No run lasts so long: later than that, times are those of the day, since 1970.
const DECADE: Millis = Millis::secs(10 * 365 * 86_400);
/// The step that is the soak.
const SOAK: u8 = 4;
/// In a run of ours nobody watched in a longer silence than this: it was judged afresh.
const LEAP: Millis = Millis::secs(10);

/// What Green is, so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Green {
    /// Not seen yet.
    Unseen,
    /// Judged on probes.
    Soaks,
    /// Judged on users.
    Serves,
    /// Its users were taken back.
    Gone,
}

/// Whether a mark will say when users are moved; found out when the first of them is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    Unknown,
    Some,
    None,
}

/// Judges a file of samples. See the module's text.
#[derive(Debug)]
pub struct Lines {
    judge: Judge,
    cadence: Cadence,
    green: Green,
    marks: Marks,
    /// Whether a run of ours wrote the file; its first second says so.
    ours: Option<bool>,
    /// The latest instant that any line spoke of, and the latest second.
    now: Millis,
    second: Millis,
    told: Told,
}

impl Lines {
    /// Begins with the limits of `plan`.
    pub fn new(plan: &Plan) -> Self {
        Self {
            judge: Judge::of_green(plan, &Record::default()),
            cadence: Cadence::of_lines(),
            green: Green::Unseen,
            marks: Marks::Unknown,
            ours: None,
            now: Millis::ZERO,
            second: Millis::ZERO,
            told: Told::new(plan),
        }
    }

    /// Takes a line; `rest` is the text that comes after it.
    pub fn take(&mut self, plan: &Plan, line: Line, rest: &str) {
        match line {
            Line::Sample(sample, place) => {
                if self.ours.is_none() {
                    if sample.at > DECADE {
                        self.told.origin = sample.at.since(SECOND);
                    }
                    self.begin(plan, place.is_some());
                }
                match self.ours {
                    Some(true) => self.ours(sample, place),
                    _ => self.sample(&sample, rest),
                }
            }
            Line::Split { at, green } => self.split(at, green > 0.0),
            Line::Due(at) if self.ours == Some(true) => {
                self.wake(at);
                self.evaluate();
            }
            Line::Due(_) | Line::Other => {}
        }
    }

    /// Whoever wrote it is known now: a run leaves no second out, and others may.
    fn begin(&mut self, plan: &Plan, ours: bool) {
        self.ours = Some(ours);
        if ours {
            self.cadence = Cadence::live();
        } else {
            let longest = plan.limits.iter().map(|limit| limit.hold).max().unwrap_or_default();
            self.judge = self.judge.clone().with_silence(longest);
        }
    }

    /// What was found, once nothing more comes.
    pub fn end(mut self) -> Told {
        if self.ours != Some(true) {
            self.evaluate_to(self.second);
        }
        self.told.seen = (self.judge.requests(), self.judge.needed());
        self.told
    }

    /// What was found so far, where what comes then cannot be read.
    pub fn told(self) -> Told {
        self.told
    }

    // ---- lines of anybody ----

    fn sample(&mut self, sample: &Sample, rest: &str) {
        self.now = self.now.max(sample.at);
        // Whatever comes from here on is later than what is due now.
        self.evaluate();
        let begins = sample.at.since(SECOND);
        if self.green != Green::Serves && self.green != Green::Gone && sample.role == Whose::Green {
            if sample.from == Origin::Users {
                if sample.requests.is_some_and(|n| n > 0) && self.nobody_says_when(rest) {
                    self.evaluate_to(begins.min(self.second));
                    self.serve(begins);
                }
            } else if self.green == Green::Unseen {
                self.judge.soak_from(begins);
                self.green = Green::Soaks;
            }
        }
        if self.judge.evaluated().is_some_and(|last| sample.at <= last) {
            self.told.late += 1;
        }
        self.second = self.second.max(sample.at);
        self.hear(sample);
    }

    /// Whether no mark says when users are moved. Asked only once, and in most files never: there
    /// the mark comes first.
    fn nobody_says_when(&mut self, rest: &str) -> bool {
        if self.marks == Marks::Unknown {
            self.marks = if moves_users(rest) { Marks::Some } else { Marks::None };
        }
        self.marks == Marks::None
    }

    fn split(&mut self, at: Millis, to_green: bool) {
        if self.ours == Some(true) {
            self.wake(at);
            self.evaluate();
        } else {
            self.now = self.now.max(at);
            self.evaluate();
            // What was seen before is judged before.
            self.evaluate_to(at.min(self.second));
        }
        match (self.green, to_green) {
            (Green::Serves, true) | (Green::Unseen | Green::Soaks | Green::Gone, false) => {}
            (Green::Unseen | Green::Soaks | Green::Gone, true) => {
                self.marks = Marks::Some;
                self.serve(at);
            }
            (Green::Serves, false) => self.green = Green::Gone,
        }
    }

    fn serve(&mut self, at: Millis) {
        self.judge.users_from(at);
        self.green = Green::Serves;
        self.told.switched.get_or_insert(at);
    }

    fn hear(&mut self, sample: &Sample) {
        self.told.heard(sample);
        self.cadence.heard(sample);
        self.judge.add(sample);
    }

    /// Makes the evaluations that are due.
    fn evaluate(&mut self) {
        while let Some(at) = self.cadence.due(self.now) {
            self.evaluate_at(at);
        }
    }

    /// Makes every evaluation up to `at`, because nothing that belongs to them is still to come.
    fn evaluate_to(&mut self, at: Millis) {
        while self.cadence.next() <= at {
            match self.cadence.due(self.cadence.next() + LATE + Millis(1)) {
                Some(at) => self.evaluate_at(at),
                None => return,
            }
        }
    }

    fn evaluate_at(&mut self, at: Millis) {
        if matches!(self.green, Green::Soaks | Green::Serves) {
            let changes = self.judge.evaluate(at);
            self.told.evaluated(&self.judge, &changes, at);
        }
    }

    // ---- lines of a run of ours, without its journal ----

    fn ours(&mut self, mut sample: Sample, place: Option<Place>) {
        let before = self.now;
        if let Some(place) = place {
            if place.step >= SOAK && self.green == Green::Unseen {
                // The soak began with whatever came last.
                self.judge.soak_from(before);
                self.green = Green::Soaks;
            }
            self.wake(place.stepped);
        }
        sample.at = sample.at.min(self.now);
        self.second = self.second.max(sample.at);
        self.hear(&sample);
        self.evaluate();
    }

    fn wake(&mut self, at: Millis) {
        let silent = at.since(self.now);
        self.now = self.now.max(at);
        if silent > LEAP && self.judge.tripped().is_none() {
            self.judge.again_from(self.now);
        }
    }
}
