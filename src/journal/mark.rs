//! Marks: which journal lines a recording is marked with.
//!
//! A mark binds the picture to the record: it carries the number of the journal's line, and its
//! label follows from that line alone, so that whoever checks a recording derives it again and
//! compares. Marked are steps, changes of the split, trips, the way back with its stamps, and the
//! end.

use super::entry::Entry;
use crate::runbook::{Effect, Record};
use crate::signal::Verdict;
use crate::units::Millis;

/// A line of the journal that a recording is marked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The line's number.
    pub seq: u64,
    /// When, in the run's time.
    pub at: Millis,
    /// What stands in the recording: `#17 step.entered 5 Switch`.
    pub label: String,
}

/// The mark of a line, if it has one. It is ASCII throughout.
pub fn of(seq: u64, at: Millis, entry: &Entry) -> Option<Mark> {
    let Entry::Effect { effect: Effect::Record(record), .. } = entry else { return None };
    let says = match record {
        Record::StepEntered { step } => format!("{} {}", step.number(), step.title()),
        Record::Split { read: Some(green), .. } => format!("Green at {green} %"),
        Record::Verdict { judgement, .. } if judgement.verdict == Verdict::Tripped => {
            format!("{} tripped", judgement.signal().key())
        }
        Record::RollbackStarted { .. } => "going back".to_owned(),
        Record::Stamped { stamp, after_us: Some(us), .. } => {
            format!("{} after {us} us", stamp.words())
        }
        Record::Ended { outcome, exit, .. } => format!("{} (exit {exit})", outcome.word()),
        _ => return None,
    };
    Some(Mark { seq, at, label: format!("#{seq} {} {says}", entry.name()) })
}

/// The number of the line that a label names.
pub fn seq_of(label: &str) -> Option<u64> {
    let digits = label.strip_prefix('#')?;
    digits.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::Step;

    #[test]
    fn a_label_names_its_line_and_what_it_says() {
        let record = Record::StepEntered { step: Step::Switch };
        let entry = Entry::Effect { n: 3, effect: Effect::Record(record) };
        let mark = of(17, Millis(5_000), &entry).unwrap();
        assert_eq!(mark.label, "#17 step.entered 5 Switch");
        assert_eq!(seq_of(&mark.label), Some(17));
        assert_eq!(seq_of("#x"), None);
        let looked = Record::Note("a note".into());
        assert!(
            of(1, Millis(0), &Entry::Effect { n: 1, effect: Effect::Record(looked) }).is_none()
        );
    }
}
