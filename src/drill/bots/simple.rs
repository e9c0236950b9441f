//! The six that see no more than a person does.

use super::{Pilot, Sight, answers, asks_to_go_back, leaves};
use crate::clean::Clean;
use crate::drill::declare;
use crate::plan::{Bound, Signal};
use crate::runbook::{Answer, Command, View};
use crate::signal::{Sample, Verdict, Whose};
use crate::units::{Millis, Role};

/// Presses what is routine, and says no to every question that asks to go back.
#[derive(Debug, Clone, Copy, Default)]
pub struct Never;

/// What whoever never goes back presses.
fn onward(sight: &Sight<'_>) -> Option<Command> {
    if sight.back {
        return leaves(sight);
    }
    if sight.routine.is_some() {
        return sight.routine.clone();
    }
    if sight.question.is_some() {
        let stay = if asks_to_go_back(sight) { Answer::No } else { Answer::Yes };
        return answers(sight, stay);
    }
    // Said no to going back, the cockpit holds: on.
    sight.held.then_some(Command::Hold)
}

impl Pilot for Never {
    fn press(&mut self, sight: &Sight<'_>) -> Option<Command> {
        onward(sight)
    }
}

/// Goes back at the first second in which Green is worse than a limit allows for longer. One bad
/// answer alone is what any day has, and no red second.
#[derive(Debug, Clone, Copy, Default)]
pub struct Twitch {
    looked: usize,
}

/// Whether one second is over one of the limits, however short, and were it by two bad answers.
fn is_red(sample: &Sample, sight: &Sight<'_>) -> bool {
    let over = |bad: Option<u64>, of: Option<u64>, percent: f64| match (bad, of) {
        (Some(bad), Some(of)) => bad > 1 && bad as f64 * 100.0 > of as f64 * percent,
        _ => false,
    };
    sight.plan.limits.iter().any(|limit| match (limit.signal, limit.above) {
        (Signal::ErrorRate, Bound::Percent(p)) => over(sample.failed, sample.requests, p),
        (Signal::ClientErrorRate, Bound::Percent(p)) => {
            over(sample.client_errors, sample.requests, p)
        }
        (Signal::Health, Bound::Percent(_)) => sample.unready.is_some_and(|unready| unready > 0),
        (Signal::LatencyP95, Bound::Millis(ms)) => {
            let times = sample.latency_ms.as_ref();
            times.is_some_and(|times| over(Some(times.over(ms)), Some(times.count()), 5.0))
        }
        (Signal::QueueDepth, Bound::Count(depth)) => {
            sample.queue_depth.is_some_and(|seen| seen as f64 > depth)
        }
        (Signal::DbErrors, Bound::Percent(_)) => sample.db_errors.is_some_and(|errors| errors > 0),
        _ => false,
    })
}

impl Pilot for Twitch {
    fn press(&mut self, sight: &Sight<'_>) -> Option<Command> {
        if sight.back {
            return leaves(sight);
        }
        let fresh = sight.samples.get(self.looked..).unwrap_or_default();
        self.looked = sight.samples.len();
        // Who boots is not ready, and that is no red second.
        let red = |sample: &Sample| sample.role == Whose::Green && is_red(sample, sight);
        if sight.step > 3 && fresh.iter().any(red) {
            return Some(Command::Rollback);
        }
        ThresholdOnly.press(sight)
    }
}

/// Goes back when a limit has tripped, and else presses what is routine.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThresholdOnly;

impl Pilot for ThresholdOnly {
    fn press(&mut self, sight: &Sight<'_>) -> Option<Command> {
        if sight.back {
            return leaves(sight);
        }
        let tripped = |told: &super::super::tape::Told| {
            told.role == Role::Green && told.verdict == Verdict::Tripped
        };
        if sight.told.iter().any(tripped) {
            return Some(Command::Rollback);
        }
        // Both slots suffer: no limit says to go back.
        onward(sight)
    }
}

/// Abandons Green as soon as it has been deployed.
#[derive(Debug, Clone, Copy, Default)]
pub struct AlwaysAbort;

impl Pilot for AlwaysAbort {
    fn press(&mut self, sight: &Sight<'_>) -> Option<Command> {
        if sight.back {
            return leaves(sight);
        }
        if sight.step >= 3 {
            return Some(Command::Rollback);
        }
        onward(sight)
    }
}

/// Presses on, says no to going back, and stops Blue as soon as anybody lets them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rusher {
    tried: Option<Millis>,
}

impl Pilot for Rusher {
    fn press(&mut self, sight: &Sight<'_>) -> Option<Command> {
        if sight.back {
            return leaves(sight);
        }
        if let Some(asked) = sight.question.filter(|asked| asked.words.contains("Decommission")) {
            let service = Answer::Typed(Clean::new(&sight.plan.service));
            return Some(Command::Answer { question: asked.number, answer: service });
        }
        if sight.step == 8 && sight.question.is_none() {
            // Once a second: Blue may not be let go before its time.
            let again = self.tried.is_none_or(|tried| sight.now.since(tried) >= Millis::secs(1));
            return again.then(|| {
                self.tried = Some(sight.now);
                Command::Next
            });
        }
        onward(sight)
    }
}

/// Opens everything that step 1 has, and then abandons Green, whatever it said. It looks once more
/// before it leaves: a habit can be a thorough one.
#[derive(Debug, Clone, Copy, Default)]
pub struct PreparedAbort {
    opened: usize,
    verified: bool,
}

impl Pilot for PreparedAbort {
    fn press(&mut self, sight: &Sight<'_>) -> Option<Command> {
        if sight.back {
            if sight.settled && !std::mem::replace(&mut self.verified, true) {
                return Some(Command::Look(View::Limits));
            }
            return leaves(sight);
        }
        let mut items = sight.items.iter().filter(|item| item.step == 1).skip(self.opened);
        if let Some(item) = items.next() {
            self.opened += 1;
            return Some(Command::Note(declare::look(&item.item)));
        }
        // So fast nobody reads; and the cockpit must have read where users are.
        (sight.now >= Millis::secs(3)).then_some(Command::Rollback)
    }
}
