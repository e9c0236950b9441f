//! What a flight did to users: counted by the lab, weighed as the scenario says, less the noise
//! that any day has.
//!
//! The same seed gives each user the same luck whatever the operator does, so that two flights
//! can be compared user by user.

use super::truth::Truth;
use crate::lab::scenario::TrafficSpec;
use crate::lab::scenario::answer::HarmSpec;
use crate::lab::tally::Tally;
use crate::units::Millis;
use serde::{Deserialize, Serialize};

/// Differences smaller than this are nobody's merit, in users who failed.
pub const NIL: f64 = 8.0;

/// What a flight did to users.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Harm {
    /// Users who came.
    pub users: u64,
    /// Users who failed, of whatever kind of failing.
    pub failed: u64,
    /// Users who were served late.
    pub slow: u64,
    /// Jobs that were done late.
    pub late: u64,
    /// Things that were done twice.
    pub duplicated: u64,
    /// All of it, weighed in users who failed, above the noise of any day.
    pub weighed: f64,
}

/// Users of whatever kind of failing: no answer, a wrong one, a lost session, cut off.
pub fn failed(tally: &Tally) -> u64 {
    let slots = tally.slots.iter();
    let of_slots = slots.map(|s| s.failed.saturating_sub(s.abusive) + s.wrong + s.sessions_lost);
    of_slots.sum::<u64>() + tally.lost + tally.cut
}

/// What the lab counted, weighed.
pub fn of(tally: &Tally, spec: &HarmSpec, traffic: &TrafficSpec) -> Harm {
    let weights = &spec.weights;
    let sum = |which: fn(&crate::lab::tally::SlotTally) -> u64| {
        tally.slots.iter().map(which).sum::<u64>()
    };
    let (refused, wrong, lost) = (
        sum(|slot| slot.failed.saturating_sub(slot.abusive)) + tally.lost,
        sum(|slot| slot.wrong),
        sum(|slot| slot.sessions_lost),
    );
    let (slow, users) = (sum(|slot| slot.slow), tally.users());
    // A healthy service fails some as well: these are not held against anybody.
    let noise = users as f64 * traffic.error_pct / 100.0;
    let weighed = weights.failed * (refused as f64 - noise).max(0.0)
        + weights.wrong * wrong as f64
        + weights.session_lost * lost as f64
        + weights.slow * slow as f64
        + weights.late_job * tally.jobs_late as f64
        + weights.duplicate * tally.duplicates as f64
        + weights.cut * tally.cut as f64;
    Harm {
        users,
        failed: failed(tally),
        slow,
        late: tally.jobs_late,
        duplicated: tally.duplicates,
        weighed,
    }
}

/// The harm of three flights of one seed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Compared {
    /// Of this flight.
    pub yours: Harm,
    /// Of whoever knew the answer.
    pub oracle: Harm,
    /// Of whoever did nothing.
    pub nothing: Harm,
}

impl Compared {
    /// Users spared against doing nothing, weighed; less than none where it was made worse.
    pub fn spared(&self) -> f64 {
        self.nothing.weighed - self.yours.weighed
    }

    /// The share of what could be spared that was, 0 to 1; nothing where there was next to
    /// nothing to spare.
    pub fn share(&self) -> Option<f64> {
        let could = self.nothing.weighed - self.oracle.weighed;
        (could >= NIL).then(|| (self.spared() / could).clamp(0.0, 1.0))
    }
}

/// Users who had failed by each whole second, from the beginning to the end.
pub fn line(truth: &Truth) -> Vec<(Millis, u64)> {
    truth.ticks.iter().map(|(at, tally)| (*at, failed(tally))).collect()
}

/// When users were well again: the first moment from `from` on after which, for `hold`, no more of
/// them were hurt than on any day. A flight that ends earlier is judged by what there is of it, if
/// that is a third of `hold`.
pub fn well_again(
    truth: &Truth,
    spec: &HarmSpec,
    traffic: &TrafficSpec,
    from: Millis,
    hold: Millis,
) -> Option<Millis> {
    let hurt_between = |a: &Tally, b: &Tally| hurt_between(a, b, spec, traffic);
    let first = truth.ticks.partition_point(|(at, _)| *at < from);
    (first..truth.ticks.len()).find_map(|place| {
        let (at, before) = &truth.ticks[place];
        let until = truth.ticks[place..].iter().rfind(|(tick, _)| *tick <= *at + hold)?;
        let known = until.0.since(*at);
        (known.0 * 3 >= hold.0 && !hurt_between(before, &until.1)).then_some(*at)
    })
}

/// Whether between two instants more users were hurt than on any day.
pub fn hurts(truth: &Truth, spec: &HarmSpec, traffic: &TrafficSpec, of: [Millis; 2]) -> bool {
    let [from, until] = of.map(|at| truth.tally_at(at));
    hurt_between(&from, &until, spec, traffic)
}

fn hurt_between(a: &Tally, b: &Tally, spec: &HarmSpec, traffic: &TrafficSpec) -> bool {
    let (a, b) = (of(a, spec, traffic), of(b, spec, traffic));
    let users = b.users.saturating_sub(a.users) as f64;
    let bad = (b.failed.saturating_sub(a.failed) + b.late.saturating_sub(a.late)) as f64
        + b.duplicated.saturating_sub(a.duplicated) as f64
        + 0.25 * b.slow.saturating_sub(a.slow) as f64;
    bad > 1.0 + users * (0.01 + traffic.error_pct / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::tally::SlotTally;

    fn tally(requests: u64, failed: u64) -> Tally {
        let slot = SlotTally { requests, failed, ..SlotTally::default() };
        Tally { slots: [slot, SlotTally::default()], ..Tally::default() }
    }

    fn weigh(tally: &Tally) -> f64 {
        of(tally, &HarmSpec::default(), &TrafficSpec::default()).weighed
    }

    #[test]
    fn the_noise_of_any_day_is_not_held_against_anybody() {
        assert_eq!(weigh(&tally(10_000, 20)), 0.0);
        assert!((weigh(&tally(10_000, 120)) - 100.0).abs() < 1e-9);
        let twice = Tally { duplicates: 4, ..tally(10_000, 0) };
        assert!((weigh(&twice) - 12.0).abs() < 1e-9, "something done twice weighs three");
    }

    #[test]
    fn where_next_to_nothing_could_be_spared_no_share_is_told() {
        let harm = |weighed| Harm { weighed, ..Harm::default() };
        let compared = |yours, oracle, nothing| Compared {
            yours: harm(yours),
            oracle: harm(oracle),
            nothing: harm(nothing),
        };
        assert_eq!(compared(3.0, 0.0, 5.0).share(), None);
        assert_eq!(compared(180.0, 60.0, 1_260.0).share(), Some(0.9));
        assert_eq!(compared(9_000.0, 60.0, 1_260.0).share(), Some(0.0));
        assert_eq!(compared(0.0, 60.0, 1_260.0).share(), Some(1.0));
    }

    #[test]
    fn users_are_well_again_when_nobody_more_is_hurt_for_a_while() {
        let ticks = (0..40)
            .map(|s| (Millis::secs(s), tally(s * 40, s.clamp(5, 12).saturating_sub(5) * 30)))
            .collect();
        let truth = Truth::new(crate::lab::anchor::Anchors::default(), ticks, Millis::secs(39));
        let (spec, traffic) = (HarmSpec::default(), TrafficSpec::default());
        let well = |from| well_again(&truth, &spec, &traffic, Millis::secs(from), Millis::secs(10));
        assert_eq!(well(6), Some(Millis::secs(12)));
        assert_eq!(well(20), Some(Millis::secs(20)));
        assert_eq!(well(38), None, "one second says nothing");
    }
}
