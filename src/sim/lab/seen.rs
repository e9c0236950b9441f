//! What comes between a slot's counters and whoever reads them: seconds that repeat, are missing,
//! come late or count wrongly. The world behind it goes on as it is.

use crate::lab::fault::Measure;
use crate::lab::world::Vision;
use crate::signal::Sample;

use std::collections::VecDeque;

/// The seconds of one slot that were seen, and those that are still to be.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    last: Option<Sample>,
    late: VecDeque<Sample>,
}

impl Seen {
    /// What is seen of a second where only the named series come so; all where none is named.
    pub fn see_some(
        &mut self,
        sample: Sample,
        vision: Vision,
        named: &[Measure],
    ) -> Option<Sample> {
        if named.is_empty() {
            return self.see(sample, vision);
        }
        let clear = sample.clone();
        let blurred = self.see(sample, vision);
        let mut sample = clear;
        for measure in named {
            // A series of which nothing has come yet is missing.
            let of = blurred.as_ref();
            match measure {
                Measure::Requests => sample.requests = of.and_then(|s| s.requests),
                Measure::Failed => sample.failed = of.and_then(|s| s.failed),
                Measure::ClientErrors => sample.client_errors = of.and_then(|s| s.client_errors),
                Measure::Latency => sample.latency_ms = of.and_then(|s| s.latency_ms.clone()),
                Measure::InFlight => sample.in_flight = of.and_then(|s| s.in_flight),
            }
        }
        Some(sample)
    }

    /// What is seen of a second; nothing where nothing is.
    pub fn see(&mut self, sample: Sample, vision: Vision) -> Option<Sample> {
        match vision {
            Vision::Clear if self.late.is_empty() => {}
            // What was held back comes at once, as counters that are read again do.
            Vision::Clear => self.late.clear(),
            Vision::Gap => return None,
            Vision::Frozen => {
                let last = self.last.clone().unwrap_or_else(|| sample.clone());
                return Some(Sample { at: sample.at, ..self.last.insert(last).clone() });
            }
            Vision::Late(by) => {
                let at = sample.at;
                self.late.push_back(sample);
                let old = self.late.front().is_some_and(|first| at.since(first.at) >= by);
                let due = old.then(|| self.late.pop_front()).flatten()?;
                return Some(Sample { at, ..due });
            }
            Vision::Wrong(factor) => {
                let mut sample = sample;
                let counted = sample.failed.map(|failed| (failed as f64 * factor).round() as u64);
                sample.failed = counted.map(|failed| failed.min(sample.requests.unwrap_or(failed)));
                return Some(sample);
            }
        }
        // The second that a freeze would repeat.
        self.last = Some(sample.clone());
        Some(sample)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::{Origin, Whose};
    use crate::units::Millis;

    fn second(n: u64, failed: u64) -> Sample {
        let mut sample = Sample::empty(Millis::secs(n), Whose::Green, Origin::Users);
        (sample.requests, sample.failed) = (Some(40), Some(failed));
        sample
    }

    #[test]
    fn a_frozen_second_repeats_at_its_own_time_and_ends_with_the_freeze() {
        let mut seen = Seen::default();
        seen.see(second(1, 0), Vision::Clear);
        let frozen = seen.see(second(2, 30), Vision::Frozen).unwrap();
        assert_eq!((frozen.at, frozen.failed), (Millis::secs(2), Some(0)));
        assert_eq!(seen.see(second(3, 30), Vision::Clear).unwrap().failed, Some(30));
    }

    #[test]
    fn a_freeze_may_be_of_one_series_alone() {
        let mut seen = Seen::default();
        seen.see_some(second(1, 0), Vision::Clear, &[]);
        let mut busy = second(2, 30);
        busy.requests = Some(70);
        let some = seen.see_some(busy, Vision::Frozen, &[Measure::Failed]).unwrap();
        assert_eq!((some.requests, some.failed), (Some(70), Some(0)));
    }

    #[test]
    fn a_late_second_comes_when_it_is_old_enough_and_a_wrong_one_counts_less() {
        let mut seen = Seen::default();
        let late = Vision::Late(Millis::secs(2));
        assert!(seen.see(second(1, 7), late).is_none() && seen.see(second(2, 8), late).is_none());
        let come = seen.see(second(3, 9), late).unwrap();
        assert_eq!((come.at, come.failed), (Millis::secs(3), Some(7)));
        assert!(seen.see(second(4, 1), Vision::Gap).is_none());
        let wrong = Seen::default().see(second(1, 20), Vision::Wrong(0.1)).unwrap();
        assert_eq!(wrong.failed, Some(2));
    }
}
