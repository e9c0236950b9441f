//! Both slots over a whole deploy, as the samples that a cockpit would have seen.
//!
//! The weather moves in blocks of five seconds whatever the span of a sample; inside of a block
//! seconds that are alike are drawn together, which a Poisson process does not notice. So a sample of five seconds is the sum of five of one second.

use super::course::Course;
use super::latency::Ladder;
use super::profile::Habits;
use super::release::{Release, State};
use super::slot::{Alike, Slot};
use super::weather::Weather;
use crate::signal::Sample;
use crate::units::Millis;

/// A deploy that goes on by itself.
#[derive(Debug, Clone)]
pub struct World {
    course: Course,
    habits: Habits,
    release: Release,
    ladder: Ladder,
    slots: [Slot; 2],
    weather: Weather,
    second: u64,
}

impl World {
    /// The deploy of this seed, before its first second. `limits` are milliseconds at which
    /// histograms shall be exact, beyond the course's own.
    pub fn new(
        course: Course,
        (habits, release): (Habits, Release),
        limits: &[f64],
        seed: u64,
    ) -> Self {
        let fine = [habits.p95_ms, habits.p95_ms * habits.probe_time];
        let exact: Vec<f64> = limits.iter().copied().chain([course.slow_ms]).collect();
        Self {
            ladder: Ladder::new(&fine, &exact),
            slots: [0, 1].map(|index| Slot::new(index, &habits, seed)),
            weather: Weather::new(&habits, seed),
            second: 0,
            course,
            habits,
            release,
        }
    }

    /// What is normal in this deploy.
    pub const fn habits(&self) -> &Habits {
        &self.habits
    }

    /// What goes wrong in it.
    pub const fn release(&self) -> &Release {
        &self.release
    }

    /// Goes on to the end of the next sample and puts its samples in the place of what was in
    /// `samples`; gives their end, or nothing where the watch is over.
    pub fn next(&mut self, samples: &mut Vec<Sample>) -> Option<Millis> {
        samples.clear();
        let (soak, switch, end) =
            (self.course.soak_from(), self.course.switch(), self.course.end());
        let from = self.second;
        if from >= end {
            return None;
        }
        let span = if from < soak { Course::COARSE } else { self.course.span.max(1) };
        let cut = [soak, switch, end].into_iter().find(|cut| *cut > from).unwrap_or(end);
        let until = (from / span * span + span).min(cut);
        while self.second < until {
            let green = self.course.share(self.second);
            let block = self.weather.block(self.second, until, green);
            self.alike(block);
        }
        let at = Millis::secs(until);
        let ladder = &self.ladder;
        let [blue, green] = &mut self.slots;
        samples.push(blue.users(at, ladder));
        samples.push(blue.probes(at, ladder));
        if from >= switch {
            samples.push(green.users(at, ladder));
        }
        if from >= soak {
            samples.push(green.probes(at, ladder));
        }
        let span = Millis::secs(until - from);
        for sample in samples.iter_mut().filter(|_| span != Millis::secs(1)) {
            sample.span = Some(span);
        }
        Some(at)
    }

    fn states(&self, second: u64) -> ([State; 2], f64) {
        let since = second.checked_sub(self.course.switch());
        let states = [false, true].map(|green| self.release.state(green, since));
        (states, self.course.share(second))
    }

    /// Lets the seconds pass that are like the present one, up to `until`.
    fn alike(&mut self, until: u64) {
        let from = self.second;
        let (states, green) = self.states(from);
        // Before the switch every second is like the next.
        let mut to = if until <= self.course.switch() { until } else { from + 1 };
        while to < until && self.states(to) == (states, green) {
            to += 1;
        }
        self.second = to;
        let (soak, course) = (from >= self.course.soak_from(), &self.course);
        let rate = if soak { course.probes } else { course.checks };
        let sent: u64 = (from..to).map(|second| Course::sent(rate, second)).sum();
        let requests = self.weather.requests(to - from);
        for (slot, share) in [1.0 - green, green].into_iter().enumerate() {
            let broken = self.weather.broken(slot, from..to);
            let alike = Alike {
                expected: requests * share,
                // Whose users have been moved breaks nothing here any more.
                broken: if share > 0.0 { broken } else { 0 },
                probes: if slot == 0 || soak { sent } else { 0 },
                drift: self.weather.drift(slot),
                state: states[slot],
            };
            self.slots[slot].go_on(&alike, &self.habits, &self.ladder);
        }
    }
}
