//! What formulas alone say of a plan at its traffic, in no time: what `check` warns from.
//!
//! The rule's own arithmetic, with the expected counts in place of drawn ones: how many requests
//! it needs, how many each phase brings, and how long errors of some size need to use up the
//! tolerance, to be no luck, and to last.

use crate::plan::{Bound, Plan, Signal};
use crate::signal::share::{requests_needed, times_ln};
use crate::units::Millis;

/// What a bet has to win: proof, from one of six bets that share half of the money.
const LN_PROOF: f64 = 7.090_076_835_776_092;
/// From the first evaluation at which all is so to the one that acts, in seconds.
const IN_A_ROW: f64 = 10.0;
/// Blue's usual share of errors, where it is well.
const NORMAL: f64 = 0.002;

/// What a phase with users brings, and what it finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// The phase, as the plan's key: `traffic.hold` or `watch.for`.
    pub key: &'static str,
    /// Green's share of the users in percent.
    pub percent: u8,
    /// How long it is.
    pub length: Millis,
    /// Requests of users that Green is to expect.
    pub expected: f64,
    /// Requests that would have shown a bad release.
    pub needed: u64,
    /// How long errors of each size need until they are found, at Green's share of this phase:
    /// share in percent, and time. Nothing where they never are.
    pub found: Vec<(f64, Option<Millis>)>,
}

impl Outlook {
    /// Whether it brings too few requests to judge.
    pub fn is_too_short(&self) -> bool {
        self.expected < self.needed as f64
    }
}

/// What the limit over errors will see in each phase, at `rps` requests a second of all users.
pub fn outlook(plan: &Plan, rps: f64) -> Vec<Outlook> {
    let Some(limit) = plan.limit(Signal::ErrorRate) else { return Vec::new() };
    let Bound::Percent(above) = limit.above else { return Vec::new() };
    let x = (above / 100.0).clamp(0.000_1, 0.5);
    let b = NORMAL.clamp(x / 10.0, x);
    let hold = limit.hold.0 as f64 / 1_000.0;
    let last = plan.ramp.len().saturating_sub(1);
    plan.ramp
        .iter()
        .enumerate()
        .map(|(place, percent)| {
            let (key, length) = if place == last {
                ("watch.for", plan.watch)
            } else {
                ("traffic.hold", plan.ramp_hold)
            };
            let rate = rps * f64::from(percent.get()) / 100.0;
            let found = [5.0, 20.0, 100.0].map(|errors| {
                let secs = evidence_secs(x, b, hold, rate, errors / 100.0);
                (errors, secs.map(|secs| Millis::secs(libm::ceil(secs) as u64)))
            });
            Outlook {
                key,
                percent: percent.get(),
                length,
                expected: rate * length.0 as f64 / 1_000.0,
                needed: requests_needed(x, b),
                found: found.to_vec(),
            }
        })
        .collect()
}

/// Seconds until errors of the share `q` are expected to be found.
fn evidence_secs(x: f64, b: f64, hold: f64, rate: f64, q: f64) -> Option<f64> {
    let q = q.min(0.999);
    if q <= x || rate <= 0.0 {
        return None;
    }
    // What one request wins on average, for whoever bets on just this share.
    let wins = times_ln(q, q / b) + times_ln(1.0 - q, (1.0 - q) / (1.0 - b));
    let evidence = LN_PROOF / wins / rate;
    // The tolerance is X of all requests of the hold; one failure uses up less than one.
    let tolerance = (x * hold / q).max(1.0 / (q * rate));
    Some(evidence.max(tolerance) + IN_A_ROW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let text = "schema = 1\nservice = \"notes\"\n[slots]\nleft = \"http://127.0.0.1:1\"\n\
                    right = \"http://127.0.0.1:2\"\n[router]\nkind = \"lab\"\n\
                    address = \"127.0.0.1:1\"\n[health]\nreadiness = \"/readyz\"\n\
                    [traffic]\nramp = [10, 100]\nhold = \"3m\"\n[watch]\nfor = \"12m\"\n";
        crate::plan::parse(text, "plan").unwrap_or_else(|faults| panic!("{faults}")).plan
    }

    #[test]
    fn a_step_of_the_ramp_at_half_a_request_a_second_sees_too_few() {
        let found = outlook(&plan(), 0.5);
        let [step, watch] = &found[..] else { panic!("{found:?}") };
        assert!(step.is_too_short() && (step.expected - 9.0).abs() < 1e-9, "{step:?}");
        assert!(!watch.is_too_short() && watch.needed == 24, "{watch:?}");
    }

    #[test]
    fn more_errors_are_found_sooner_and_none_without_users() {
        let found = &outlook(&plan(), 10.0)[1].found;
        let secs: Vec<u64> = found.iter().map(|(_, at)| at.unwrap_or_default().as_secs()).collect();
        assert!(secs[0] > secs[1] && secs[1] > secs[2] && secs[2] <= 15, "{secs:?}");
        assert!(outlook(&plan(), 0.0)[1].found.iter().all(|(_, at)| at.is_none()));
    }
}
