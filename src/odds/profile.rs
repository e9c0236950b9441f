//! The service that an outcome happens to: its normal rates, its drift, its users and its probes.
//!
//! [`Profile::Base`] has the numbers that the rule was tuned on. The other two draw every number anew for
//! every watch, from ranges that nothing may be tuned on: they say whether a rule has learnt its
//! examples by heart.

use super::dice::{Dice, Purpose};

/// Where the parameters of a watch come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// The numbers that the rule was tuned on.
    Base,
    /// Ranges about them.
    Unseen,
    /// Wider ranges, in which more drifts and more fails: a service on a bad host.
    Harsh,
}

impl Profile {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Base, Self::Unseen, Self::Harsh];

    /// The word in a table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Unseen => "unseen",
            Self::Harsh => "harsh",
        }
    }

    /// What this profile draws where the base has one number.
    pub(super) fn draw(
        self,
        base: f64,
        unseen: (f64, f64),
        harsh: (f64, f64),
        dice: &mut Dice,
    ) -> f64 {
        match self {
            Self::Base => base,
            Self::Unseen => dice.between(unseen),
            Self::Harsh => dice.between(harsh),
        }
    }

    /// The same in whole numbers, of seconds or sizes.
    pub(super) fn whole(
        self,
        base: u64,
        unseen: (u64, u64),
        harsh: (u64, u64),
        dice: &mut Dice,
    ) -> u64 {
        match self {
            Self::Base => base,
            Self::Unseen => dice.whole(unseen),
            Self::Harsh => dice.whole(harsh),
        }
    }
}

/// Sessions that fail together: one broken session is a few failures within seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sessions {
    /// Share of all requests that are failures of broken sessions (0 to 1).
    pub share: f64,
    /// Fewest and most failures of one session.
    pub size: (u64, u64),
    /// Seconds within which they fall, at most 30.
    pub within: f64,
}

/// What is normal for both slots.
#[derive(Debug, Clone, PartialEq)]
pub struct Habits {
    /// Requests a second of all users together.
    pub rps: f64,
    /// Share of requests that always fail (0 to 1).
    pub errors: f64,
    /// Share of requests that are answered with 4xx (0 to 1).
    pub client_errors: f64,
    /// Sessions that fail together, where there are such.
    pub sessions: Option<Sessions>,
    /// p95 of the time to an answer, in milliseconds.
    pub p95_ms: f64,
    /// p95 over p50.
    pub spread: f64,
    /// The probes' time to an answer, as a part of the users'.
    pub probe_time: f64,
    /// Deviation of the drift, in the logarithm of latency.
    pub drift: f64,
    /// Seconds over which the drift forgets itself.
    pub drift_secs: f64,
    /// Part of the drift's variance that both slots share (0 to 1).
    pub drift_shared: f64,
    /// Deviation of the rate of requests from one five seconds to the next, in the logarithm.
    pub weather: f64,
    /// Share of probes that fail by themselves, on either slot (0 to 1).
    pub probe_noise: f64,
    /// The chance of a probe to touch what users touch (0 to 1).
    pub coverage: f64,
    /// The chance of a failed probe to be a readiness check that says not ready (0 to 1).
    pub readiness: f64,
    /// Of the requests that a process fails that is away: how many get no answer at all (0 to 1).
    pub unanswered: f64,
}

impl Habits {
    /// What is normal in the watch of this seed, at about `rps` requests a second.
    pub fn draw(profile: Profile, rps: f64, seed: u64) -> Self {
        let dice = &mut Dice::stream(seed, Purpose::Habits);
        let factor = match profile {
            Profile::Base => 1.0,
            Profile::Unseen => dice.scaled((0.7, 1.4)),
            Profile::Harsh => dice.scaled((0.6, 1.6)),
        };
        let errors = match profile {
            Profile::Base => 0.001,
            Profile::Unseen => dice.scaled((0.000_5, 0.005)),
            Profile::Harsh => dice.scaled((0.001, 0.005)),
        };
        // Most lines are good ones: the square keeps half of the watches under a quarter of it.
        let quiet = dice.unit();
        let noise = profile.draw(0.0, (0.0, 0.03), (0.0, 0.03), dice) * quiet;
        Self {
            rps: rps * factor,
            errors,
            client_errors: profile.draw(0.01, (0.0, 0.03), (0.005, 0.05), dice),
            sessions: None,
            p95_ms: profile.draw(250.0, (200.0, 250.0), (200.0, 250.0), dice),
            spread: profile.draw(250.0 / 110.0, (1.8, 2.8), (1.7, 3.2), dice),
            probe_time: profile.draw(1.0, (0.4, 1.0), (0.3, 1.0), dice),
            drift: profile.draw(0.1, (0.04, 0.13), (0.08, 0.15), dice),
            drift_secs: profile.draw(30.0, (10.0, 45.0), (20.0, 60.0), dice),
            drift_shared: profile.draw(0.5, (0.0, 1.0), (0.0, 1.0), dice),
            weather: profile.draw(0.0, (0.0, 0.2), (0.1, 0.5), dice),
            probe_noise: noise,
            coverage: profile.draw(0.5, (0.5, 1.0), (0.5, 1.0), dice),
            readiness: profile.draw(1.0, (0.0, 1.0), (0.0, 1.0), dice),
            unanswered: profile.draw(0.0, (0.0, 1.0), (0.0, 1.0), dice),
        }
    }
}
