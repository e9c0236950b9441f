//! Plays one deploy before one or more policies, and says when each went back and at whose cost.

use super::catalogue::Outcome;
use super::course::Course;
use super::profile::{Habits, Profile};
use super::release::Release;
use super::world::World;
use crate::signal::{Origin, Sample, Whose};
use crate::units::Millis;

/// What a policy says when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Go on.
    Nothing,
    /// All users back to Blue. It is asked no more.
    GoBack,
}

/// Whoever decides when to go back.
pub trait Policy {
    /// The soak begins at `at`: from now on both slots are probed. Before it there was Blue alone.
    fn soak(&mut self, at: Millis) {
        let _ = at;
    }

    /// Users come to Green from `at` on.
    fn switch(&mut self, at: Millis) {
        let _ = at;
    }

    /// What was seen in the last second or span of seconds.
    fn second(&mut self, samples: &[Sample]);

    /// What is to be done at `now`, a multiple of 5 s. Asked from the soak on.
    fn decide(&mut self, now: Millis) -> Said;

    /// At the end: whether enough was seen to keep the release. Nothing where the policy makes
    /// no such difference.
    fn proven(&self) -> Option<bool> {
        None
    }
}

/// How a deploy went under a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Played {
    /// When it went back, since the switch.
    pub tripped_at: Option<Millis>,
    /// It went back before any user came to Green: the release was abandoned in the soak.
    pub abandoned: bool,
    /// From when a delay counts, since the switch.
    pub onset: Millis,
    /// Users' requests that Green failed, from the onset until it went back.
    pub users_failed: u64,
    /// Those that Green answered more slowly than the limit allows, in the same time.
    pub users_slow: u64,
    /// All users' requests to Green in the same time.
    pub users: u64,
    /// Whether enough was seen to keep the release, where it was not sent back.
    pub proven: Option<bool>,
}

impl Played {
    /// Whether it went back at all.
    pub const fn went_back(&self) -> bool {
        self.abandoned || self.tripped_at.is_some()
    }

    /// How long after the onset it went back; nothing where it did so before, or never.
    pub fn delay(&self) -> Option<Millis> {
        self.tripped_at.filter(|at| *at > self.onset).map(|at| at.since(self.onset))
    }
}

/// Plays one deploy of the catalogue before one policy.
pub fn watch<P: Policy>(
    policy: &mut P,
    outcome: Outcome,
    course: &Course,
    profile: Profile,
    rps: f64,
    seed: u64,
) -> Played {
    watch_release(policy, outcome.draw(profile, rps, seed), course, seed)
}

/// Plays one deploy before one policy: of a release, and a service, that need not be of the catalogue.
pub fn watch_release<P: Policy>(
    policy: &mut P,
    drawn: (Habits, Release),
    course: &Course,
    seed: u64,
) -> Played {
    let world = World::new(course.clone(), drawn, &[], seed);
    let mut played = [Played::default()];
    play(&mut [policy], course, world, &mut played);
    played[0]
}

/// Plays one deploy of the catalogue before several policies that see the same samples. `limits`
/// are milliseconds at which the histograms shall be exact, beyond the course's own.
pub fn watch_all(
    policies: &mut [&mut dyn Policy],
    outcome: Outcome,
    course: &Course,
    profile: Profile,
    rps: f64,
    limits: &[f64],
    seed: u64,
) -> Vec<Played> {
    let world = World::new(course.clone(), outcome.draw(profile, rps, seed), limits, seed);
    let mut played = vec![Played::default(); policies.len()];
    play(policies, course, world, &mut played);
    played
}

fn play<P: Policy + ?Sized>(
    policies: &mut [&mut P],
    course: &Course,
    mut world: World,
    played: &mut [Played],
) {
    let onset = Millis::secs(world.release().onset);
    let (soak, switch) = (Millis::secs(course.soak_from()), Millis::secs(course.switch()));
    let mut samples = Vec::with_capacity(4);
    let mut last = Millis::ZERO;
    played.iter_mut().for_each(|played| played.onset = onset);
    tell(policies, last, soak, switch);
    while let Some(at) = world.next(&mut samples) {
        last = at;
        let hurt = hurt(&samples, course.slow_ms).filter(|_| at > switch + onset);
        let mut waiting = false;
        for (policy, played) in policies.iter_mut().zip(played.iter_mut()) {
            if played.went_back() {
                continue;
            }
            policy.second(&samples);
            if let Some((users, failed, slow)) = hurt {
                played.users += users;
                played.users_failed += failed;
                played.users_slow += slow;
            }
            let asked = at > soak && at.0.is_multiple_of(5_000);
            if asked && policy.decide(at) == Said::GoBack {
                played.abandoned = at <= switch;
                played.tripped_at = (at > switch).then(|| at.since(switch));
            }
            waiting |= !played.went_back();
        }
        if !waiting {
            return;
        }
        tell(policies, last, soak, switch);
    }
    for (policy, played) in policies.iter().zip(played) {
        if !played.went_back() {
            played.proven = policy.proven();
        }
    }
}

fn tell<P: Policy + ?Sized>(policies: &mut [&mut P], at: Millis, soak: Millis, switch: Millis) {
    for policy in policies {
        if at == soak {
            policy.soak(at);
        }
        if at == switch {
            policy.switch(at);
        }
    }
}

/// Users of Green: all, failed, slow.
fn hurt(samples: &[Sample], slow_ms: f64) -> Option<(u64, u64, u64)> {
    let users = samples.iter().find(|s| s.role == Whose::Green && s.from == Origin::Users)?;
    let slow = users.latency_ms.as_ref().map_or(0, |times| times.over(slow_ms));
    Some((users.requests.unwrap_or(0), users.failed.unwrap_or(0), slow))
}
