//! How the two slots behave over time: what goes wrong, with whom, when, and how much of it.

use super::latency::steps;

/// How a fault comes and goes, once it has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// There, whole, until it ends.
    Steady,
    /// Grows evenly for so many seconds, then stays.
    Rising(u64),
    /// There for the first `on` seconds of every `every`.
    Bursts {
        /// Length of a burst in seconds.
        on: u64,
        /// From one burst to the next, in seconds.
        every: u64,
    },
}

/// Something that goes wrong. Seconds count from the switch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// When it begins.
    pub from: u64,
    /// How long it lasts.
    pub secs: u64,
    /// How it comes and goes.
    pub shape: Shape,
    /// Share of the requests that fail by it (0 to 1).
    pub errors: f64,
    /// How many times as long an answer takes.
    pub slower: f64,
    /// The process itself is away: every probe meets it, whatever it asks for, and is not ready.
    pub down: bool,
    /// How much of it Blue has: nothing of a fault of the release, all of a fault of what both
    /// slots use.
    pub blue: f64,
}

impl Fault {
    /// Nothing yet, on Green alone, from the switch to the end.
    pub const NONE: Self = Self {
        from: 0,
        secs: u64::MAX,
        shape: Shape::Steady,
        errors: 0.0,
        slower: 1.0,
        down: false,
        blue: 0.0,
    };

    /// How much of it there is (0 to 1) in the second that begins so long after the switch.
    fn size(&self, since: u64) -> f64 {
        let Some(age) = since.checked_sub(self.from).filter(|age| *age < self.secs) else {
            return 0.0;
        };
        match self.shape {
            Shape::Steady => 1.0,
            // In stairs of five seconds, so that spans of five see few kinds of seconds.
            Shape::Rising(secs) => (((age / 5 + 1) * 5) as f64 / secs.max(1) as f64).min(1.0),
            Shape::Bursts { on, every } => f64::from(u8::from(age % every.max(1) < on)),
        }
    }
}

/// How a slot behaves in one second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct State {
    /// Share of the users' requests that fail, beyond what always fails.
    pub errors: f64,
    /// Share of failures that every probe meets.
    pub down: f64,
    /// How much longer answers take, in steps of the histogram's grid.
    pub slower: f64,
}

impl State {
    pub const WELL: Self = Self { errors: 0.0, down: 0.0, slower: 0.0 };
}

/// What goes wrong in one story, and from when a delay counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Release {
    /// The faults; together they are worse than each.
    pub faults: Vec<Fault>,
    /// Seconds from the switch to the moment from which a delay counts.
    pub onset: u64,
}

impl Release {
    /// How Blue (`false`) or Green (`true`) behaves in the second so long after the switch; before
    /// it, everything is well.
    pub(super) fn state(&self, green: bool, since: Option<u64>) -> State {
        let mut state = State::WELL;
        let Some(since) = since else { return state };
        for fault in &self.faults {
            let size = fault.size(since) * if green { 1.0 } else { fault.blue };
            if size <= 0.0 {
                continue;
            }
            let errors = (fault.errors * size).min(1.0);
            if fault.down {
                state.down = 1.0 - (1.0 - state.down) * (1.0 - errors);
            } else {
                state.errors = 1.0 - (1.0 - state.errors) * (1.0 - errors);
            }
            if fault.slower != 1.0 {
                state.slower += steps(1.0 + (fault.slower - 1.0) * size);
            }
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_count_from_the_switch_and_end() {
        let blip = Fault { from: 60, secs: 4, errors: 0.3, ..Fault::NONE };
        let release = Release { faults: vec![blip], onset: 60 };
        let errors = |since| release.state(true, since).errors;
        assert_eq!(errors(None), 0.0);
        let seen = [59, 60, 63, 64].map(|s| libm::round(errors(Some(s)) * 1e6) as u64);
        assert_eq!(seen, [0, 300_000, 300_000, 0]);
        assert_eq!(release.state(false, Some(60)), State::WELL, "Blue has nothing of it");
    }

    #[test]
    fn a_leak_grows_and_stays_and_a_burst_comes_back() {
        let leak =
            Fault { from: 180, shape: Shape::Rising(120), errors: 0.2, slower: 2.0, ..Fault::NONE };
        let release = Release { faults: vec![leak], onset: 180 };
        let at = |s| release.state(true, Some(s));
        assert_eq!(at(179), State::WELL);
        assert!(at(180).errors < 0.02 && (at(239).errors - 0.1).abs() < 1e-9);
        assert!((at(299).errors - 0.2).abs() < 1e-9 && at(299) == at(800));
        assert!((at(800).slower - steps(2.0)).abs() < 1e-9);
        let bursts =
            Fault { shape: Shape::Bursts { on: 6, every: 60 }, errors: 0.6, ..Fault::NONE };
        let release = Release { faults: vec![bursts], onset: 0 };
        let hit: Vec<u64> =
            (0..130).filter(|s| release.state(true, Some(*s)).errors > 0.0).collect();
        assert_eq!(hit, (0..6).chain(60..66).chain(120..126).collect::<Vec<_>>());
    }
}
