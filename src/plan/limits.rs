//! Which limits hold: those of the plan, and the defaults of the signals that it leaves out.

use super::types::{Bound, Limit, Signal};
use crate::units::Millis;

/// The limits that hold where the plan declares none, one a signal, in the order of the screen.
pub fn default_limits() -> [Limit; 6] {
    Signal::ALL.map(|signal| {
        let (above, minutes) = match signal {
            Signal::ErrorRate => (Bound::Percent(2.0), 2),
            Signal::ClientErrorRate => (Bound::Percent(10.0), 2),
            Signal::LatencyP95 => (Bound::Millis(500.0), 2),
            Signal::Health => (Bound::Percent(10.0), 1),
            Signal::DbErrors => (Bound::Percent(1.0), 1),
            Signal::QueueDepth => (Bound::Count(500.0), 2),
        };
        Limit { signal, above, hold: Millis::secs(60 * minutes), literal: false, declared: false }
    })
}

/// Why a value is not one for this signal, with how to write it; none where it fits.
pub(super) const fn misfit(signal: Signal, above: Bound) -> Option<(&'static str, &'static str)> {
    match (signal, above) {
        (Signal::LatencyP95, Bound::Millis(_))
        | (Signal::QueueDepth, Bound::Count(_))
        | (
            Signal::ErrorRate | Signal::ClientErrorRate | Signal::Health | Signal::DbErrors,
            Bound::Percent(_),
        ) => None,
        (Signal::LatencyP95, _) => Some(("a length of time", "write above = \"500ms\"")),
        (Signal::QueueDepth, _) => Some(("a number of jobs", "write above = 500, without quotes")),
        _ => Some(("a share of requests", "write above = \"2%\"")),
    }
}

/// A limit's value as the plan writes it.
pub(super) fn written(above: Bound) -> String {
    match above {
        Bound::Percent(share) => format!("\"{share}%\""),
        Bound::Millis(ms) => format!("\"{}\"", Millis(ms as u64)),
        Bound::Count(count) => format!("{count}"),
    }
}
