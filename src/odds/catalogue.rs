//! The outcomes of a deploy that the rule is measured on.
//!
//! Six are to keep, three befall both slots and must not end in a rollback, nine are to roll back.
//! Two more are for the night, when nobody comes. Each draws its own onset, length and size: from
//! one number in the base, from ranges elsewhere.

use super::dice::{Dice, Purpose};
use super::profile::{Habits, Profile, Sessions};
use super::release::{Fault, Release, Shape};

/// What a rule should do about an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Keep it: going back would be a false alarm.
    Keep,
    /// Both slots suffer: going back would help nobody.
    Shared,
    /// Go back.
    Roll,
}

/// One outcome of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// 0.1 % errors, latency that drifts.
    Healthy,
    /// 1 % errors, before and after.
    OnePercent,
    /// Half a minute at twice the time, with 1 % errors.
    ColdStart,
    /// Four seconds of 30 % errors.
    Blip,
    /// 3 % of the probes fail, on both slots.
    ProbeNoise,
    /// Sessions that fail together, on both slots at the same rate.
    Sessions,
    /// 8 % errors on both slots for five minutes.
    SharedErrors,
    /// Everything fails on both slots for a minute.
    SharedOutage,
    /// Both slots take three times as long for five minutes.
    SharedLatency,
    /// 5 % errors.
    FivePercent,
    /// 20 % errors.
    TwentyPercent,
    /// Everything fails.
    Everything,
    /// Half as long again to an answer.
    Slower,
    /// Three times as long to an answer.
    MuchSlower,
    /// From three minutes on more and more fails, ever more slowly.
    LeakEarly,
    /// The same from eight minutes on.
    LeakLate,
    /// Six seconds of 60 % errors in every minute.
    Bursts,
    /// Ten of every thirty seconds away.
    Flapping,
}

impl Outcome {
    /// The eighteen.
    pub const ALL: [Self; 18] = [
        Self::Healthy,
        Self::OnePercent,
        Self::ColdStart,
        Self::Blip,
        Self::ProbeNoise,
        Self::Sessions,
        Self::SharedErrors,
        Self::SharedOutage,
        Self::SharedLatency,
        Self::FivePercent,
        Self::TwentyPercent,
        Self::Everything,
        Self::Slower,
        Self::MuchSlower,
        Self::LeakEarly,
        Self::LeakLate,
        Self::Bursts,
        Self::Flapping,
    ];
    /// Those that are also played at night, at hardly any or no requests.
    pub const NIGHT: [Self; 2] = [Self::Healthy, Self::Everything];

    /// What a rule should do about it.
    pub const fn class(self) -> Class {
        match self {
            Self::Healthy
            | Self::OnePercent
            | Self::ColdStart
            | Self::Blip
            | Self::ProbeNoise
            | Self::Sessions => Class::Keep,
            Self::SharedErrors | Self::SharedOutage | Self::SharedLatency => Class::Shared,
            _ => Class::Roll,
        }
    }

    /// The name in a table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::OnePercent => "healthy with 1 % errors",
            Self::ColdStart => "cold start",
            Self::Blip => "blip",
            Self::ProbeNoise => "probe noise",
            Self::Sessions => "sessions that fail together",
            Self::SharedErrors => "shared errors",
            Self::SharedOutage => "shared outage",
            Self::SharedLatency => "shared latency",
            Self::FivePercent => "5 % errors",
            Self::TwentyPercent => "20 % errors",
            Self::Everything => "everything fails",
            Self::Slower => "p95 1.5x",
            Self::MuchSlower => "p95 3x",
            Self::LeakEarly => "leak from 3 min",
            Self::LeakLate => "leak from 8 min",
            Self::Bursts => "bursts",
            Self::Flapping => "flapping",
        }
    }

    /// What is normal, and what goes wrong, in the watch of this seed.
    pub fn draw(self, profile: Profile, rps: f64, seed: u64) -> (Habits, Release) {
        let mut habits = Habits::draw(profile, rps, seed);
        let dice = &mut Dice::stream(seed, Purpose::Outcome);
        let faults = self.faults(profile, &mut habits, dice);
        let onset = match self.class() {
            Class::Keep => 0,
            _ => faults.first().map_or(0, |fault| fault.from),
        };
        (habits, Release { faults, onset })
    }

    /// The faults; the first one's beginning is the onset.
    fn faults(self, profile: Profile, habits: &mut Habits, dice: &mut Dice) -> Vec<Fault> {
        let mut is = |base, unseen, harsh| profile.draw(base, unseen, harsh, dice);
        let fault = match self {
            Self::Healthy => return vec![],
            Self::OnePercent => {
                habits.errors = is(0.01, (0.006, 0.012), (0.008, 0.012));
                return vec![];
            }
            Self::ProbeNoise => {
                habits.probe_noise = is(0.03, (0.01, 0.03), (0.02, 0.04));
                return vec![];
            }
            Self::Sessions => {
                let share = is(0.004, (0.002, 0.006), (0.004, 0.006));
                let within = is(4.0, (2.0, 10.0), (2.0, 15.0));
                let size = match profile {
                    Profile::Base => (4, 7),
                    Profile::Unseen => (dice.whole((2, 5)), dice.whole((5, 9))),
                    Profile::Harsh => (dice.whole((3, 6)), dice.whole((6, 10))),
                };
                habits.sessions = Some(Sessions { share, size, within });
                return vec![];
            }
            Self::ColdStart => Fault {
                slower: is(2.0, (1.4, 2.3), (1.6, 2.6)),
                errors: is(0.01, (0.005, 0.015), (0.005, 0.02)),
                secs: profile.whole(30, (10, 40), (20, 45), dice),
                ..Fault::NONE
            },
            Self::Blip => {
                let errors = is(0.3, (0.2, 0.4), (0.25, 0.5));
                // The declared tolerance is 2.4 s of everything; a blip stays well within it.
                let longest = (1.5 / errors) as u64;
                let secs = profile.whole(4, (2, 5), (3, 6), dice).min(longest);
                Fault { from: dice.whole((0, 600)), secs, errors, ..Fault::NONE }
            }
            Self::SharedErrors | Self::SharedOutage | Self::SharedLatency => {
                return vec![self.shared(profile, dice)];
            }
            Self::FivePercent => {
                Fault { errors: is(0.05, (0.045, 0.08), (0.05, 0.1)), ..Fault::NONE }
            }
            Self::TwentyPercent => {
                Fault { errors: is(0.2, (0.12, 0.3), (0.25, 0.45)), ..Fault::NONE }
            }
            Self::Everything => {
                Fault { errors: is(1.0, (0.95, 1.0), (0.9, 1.0)), down: true, ..Fault::NONE }
            }
            // Slow is what is over the limit: by so much, wherever the healthy p95 is.
            Self::Slower => {
                let over = is(375.0 / 325.0, (1.12, 1.4), (1.15, 1.5));
                Fault { slower: over * 325.0 / habits.p95_ms, ..Fault::NONE }
            }
            Self::MuchSlower => {
                let over = is(750.0 / 325.0, (1.7, 3.0), (2.0, 5.0));
                Fault { slower: over * 325.0 / habits.p95_ms, ..Fault::NONE }
            }
            Self::LeakEarly | Self::LeakLate => {
                let errors = is(0.2, (0.1, 0.3), (0.15, 0.4));
                let slower = is(2.0, (1.3, 3.0), (1.5, 4.0));
                let rise = profile.whole(120, (60, 180), (90, 240), dice);
                let from = if self == Self::LeakEarly {
                    profile.whole(180, (90, 300), (60, 360), dice)
                } else {
                    profile.whole(480, (400, 540), (420, 540), dice)
                };
                Fault { from, shape: Shape::Rising(rise), errors, slower, ..Fault::NONE }
            }
            Self::Bursts => {
                let errors = is(0.6, (0.5, 0.8), (0.5, 0.9));
                let on = profile.whole(6, (5, 10), (5, 12), dice);
                let every = profile.whole(60, (40, 65), (40, 75), dice);
                Fault { shape: Shape::Bursts { on, every }, errors, ..Fault::NONE }
            }
            Self::Flapping => {
                let on = profile.whole(10, (7, 15), (5, 15), dice);
                let every = profile.whole(30, (20, 40), (20, 45), dice);
                let shape = Shape::Bursts { on, every };
                Fault { shape, errors: 1.0, down: true, ..Fault::NONE }
            }
        };
        vec![fault]
    }

    fn shared(self, profile: Profile, dice: &mut Dice) -> Fault {
        let mut is = |base, unseen, harsh| profile.draw(base, unseen, harsh, dice);
        let fault = match self {
            Self::SharedOutage => Fault { errors: is(1.0, (0.9, 1.0), (0.8, 1.0)), ..Fault::NONE },
            Self::SharedLatency => Fault { slower: is(3.0, (2.0, 4.0), (2.0, 5.0)), ..Fault::NONE },
            _ => Fault { errors: is(0.08, (0.06, 0.15), (0.06, 0.25)), ..Fault::NONE },
        };
        let blue = is(1.0, (0.9, 1.1), (0.85, 1.15));
        let down = self == Self::SharedOutage;
        let secs = match self {
            Self::SharedOutage => profile.whole(60, (30, 90), (30, 120), dice),
            _ => profile.whole(300, (150, 360), (120, 400), dice),
        };
        Fault { from: dice.whole((30, 540)), secs, down, blue, ..fault }
    }
}
