//! When an evaluation may be made.
//!
//! Evaluations fall on multiples of 5 s of sample time. One is made as soon as everybody who was
//! heard lately has been heard up to it; a second that comes later than 1 s after its end is not
//! waited for, and counts at the next one.

use super::rate::EVALUATE_EVERY;
use super::sample::{Origin, Sample, Whose};
use crate::units::Millis;

/// A second is waited for no longer than this.
const LATE: Millis = Millis::secs(1);
/// After a silence longer than this the evaluations in it are not made up for.
const SILENCE: Millis = Millis::secs(3600);
/// Users and probes of each slot, and gauges of each slot and of both.
const STREAMS: usize = 7;

/// The next evaluation, and who was heard up to when.
#[derive(Debug, Clone)]
pub struct Cadence {
    next: Millis,
    heard: [Option<Millis>; STREAMS],
    prompt: bool,
}

const fn stream(sample: &Sample) -> usize {
    match (sample.from, sample.role) {
        (Origin::Users, Whose::Blue) => 0,
        (Origin::Users, _) => 1,
        (Origin::Probes, Whose::Blue) => 2,
        (Origin::Probes, _) => 3,
        (Origin::Gauges, Whose::Blue) => 4,
        (Origin::Gauges, Whose::Green) => 5,
        (Origin::Gauges, Whose::Both) => 6,
    }
}

impl Cadence {
    /// Of a run, where whoever was heard a moment ago will be heard each second.
    pub const fn live() -> Self {
        Self { next: EVALUATE_EVERY, heard: [None; STREAMS], prompt: true }
    }

    /// Of lines that somebody else has written, who may leave seconds out: each evaluation waits
    /// until a line says that it is late enough.
    pub const fn of_lines() -> Self {
        Self { prompt: false, ..Self::live() }
    }

    /// A second has come.
    pub fn heard(&mut self, sample: &Sample) {
        let heard = &mut self.heard[stream(sample)];
        *heard = (*heard).max(Some(sample.at));
    }

    /// The evaluation that may be made at `now`; asked again, the one after it.
    pub fn due(&mut self, now: Millis) -> Option<Millis> {
        if now < self.next {
            return None;
        }
        if now <= self.next + LATE && !(self.prompt && self.all_were_heard()) {
            return None;
        }
        let due = if now.since(self.next) > SILENCE {
            Millis((now.0 - LATE.0) / EVALUATE_EVERY.0 * EVALUATE_EVERY.0)
        } else {
            self.next
        };
        self.next = due + EVALUATE_EVERY;
        Some(due)
    }

    /// The evaluation that comes next.
    pub const fn next(&self) -> Millis {
        self.next
    }

    fn all_were_heard(&self) -> bool {
        let lately = self.next.since(EVALUATE_EVERY);
        let mut waited_for =
            self.heard.iter().flatten().filter(|heard| **heard >= lately).peekable();
        waited_for.peek().is_some() && waited_for.all(|heard| *heard >= self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: u64, role: Whose, from: Origin) -> Sample {
        Sample::empty(Millis::secs(at), role, from)
    }

    #[test]
    fn an_evaluation_is_made_as_soon_as_everybody_was_heard() {
        let mut cadence = Cadence::live();
        for at in 1..=5 {
            cadence.heard(&second(at, Whose::Blue, Origin::Probes));
            assert_eq!(cadence.due(Millis::secs(at)), None);
            cadence.heard(&second(at, Whose::Green, Origin::Users));
        }
        assert_eq!(cadence.due(Millis(5_003)), Some(Millis::secs(5)));
        assert_eq!(cadence.due(Millis(5_003)), None);
    }

    #[test]
    fn nobody_is_waited_for_longer_than_a_second() {
        let mut cadence = Cadence::live();
        cadence.heard(&second(4, Whose::Blue, Origin::Probes));
        assert_eq!(cadence.due(Millis::secs(6)), None);
        assert_eq!(cadence.due(Millis(6_001)), Some(Millis::secs(5)));
    }

    #[test]
    fn after_a_long_silence_every_evaluation_is_made_up_for() {
        let mut cadence = Cadence::live();
        let due: Vec<_> = std::iter::from_fn(|| cadence.due(Millis::secs(22))).collect();
        assert_eq!(due, [5, 10, 15, 20].map(Millis::secs));
        // A clock that leaps by ages does not keep anybody busy.
        let last = cadence.due(Millis(u64::MAX));
        assert!(last.is_some_and(|last| u64::MAX - last.0 < 10_000), "{last:?}");
    }

    #[test]
    fn lines_are_evaluated_only_when_a_later_one_says_that_it_is_time() {
        let mut cadence = Cadence::of_lines();
        cadence.heard(&second(5, Whose::Green, Origin::Users));
        assert_eq!(cadence.due(Millis::secs(5)), None);
        assert_eq!(cadence.due(Millis::secs(6)), None);
        assert_eq!(cadence.due(Millis::secs(7)), Some(Millis::secs(5)));
    }
}
