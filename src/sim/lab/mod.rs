//! The lab in simulated time: the very [`World`](crate::lab::World) that a person's drill puts on
//! sockets, from the same scenario files, without one. Users arrive, are routed and served;
//! slots are checked and asked as the regime says; what came of it is added up into seconds.
//!
//! Requests are begun in the order of time, because each changes what the next one finds, and
//! counted when they end, as a proxy counts them. A seed gives one story, byte for byte.

mod asks;
mod seen;
mod users;

use super::model::Model;
use super::router::Manner;
use super::world::{Fate, World};
use crate::adapter::source::{HealthCheck, ProbeAnswer, Second};
use crate::lab::tally::Tally;
use crate::lab::world::{Life, Standing, Wrote};
use crate::lab::{Errand, Lever, Scenario};
use crate::plan::{self, CommandName, Faults, Plan};
use crate::runbook::Regime;
use crate::signal::{Sample, Whose};
use crate::units::{Millis, Percent, Slot, Split};
use asks::Asker;
use seen::Seen;
use std::collections::BTreeMap;
use users::Users;

/// The plan of a scenario's drill, as a person gets it, with ports that nobody listens on.
///
/// # Errors
/// What is wrong with the scenario's part of the plan.
pub fn plan(scenario: &Scenario) -> Result<Plan, Faults> {
    let text = crate::lab::plan_apart(scenario);
    plan::parse(&text, "the lab's plan").map(|loaded| loaded.plan)
}

/// The world of a scenario and a seed, in which nothing is wrong but what the scenario says.
pub fn world(scenario: &Scenario, seed: u64, plan: &Plan) -> World<LabModel> {
    let mut world = World::of(LabModel::new(scenario, seed, plan));
    world.router.split = Split::all_to(scenario.blue());
    // The lab's proxy sends users by weight alone, and says nothing of what it thinks of slots.
    world.router.up = [None; 2];
    world.commands.insert(CommandName::RedeployCheck, Fate::Good(20));
    world.commands.insert(CommandName::Stop, Fate::Good(20));
    world
}

/// Somebody pulls a lever of the site at `at`; the answer says what it did, or why it cannot be
/// pulled.
///
/// # Errors
/// Why the lever cannot be pulled now.
pub fn pull(world: &mut World<LabModel>, lever: Lever, at: Millis) -> Result<String, String> {
    world.slots.play_until(at);
    let said = world.slots.world.pull(lever, at)?;
    world.slots.levers = true;
    if let Some(split) = world.slots.moved(at) {
        world.router.split = split;
    }
    Ok(said)
}

/// Somebody runs an errand for the operator at `at`; the answer says what came of it, or why it
/// cannot be run.
///
/// # Errors
/// Why it cannot be run now.
pub fn run(world: &mut World<LabModel>, errand: Errand, at: Millis) -> Result<String, String> {
    world.slots.play_until(at);
    let said = world.slots.world.run(errand, at)?;
    if !errand.only_looks() {
        world.slots.levers = true;
        if let Some(split) = world.slots.moved(at) {
            world.router.split = split;
        }
    }
    Ok(said)
}

/// What happens to one of those who ask.
#[derive(Debug, Clone)]
enum Turn {
    /// A round begins.
    Begins,
    /// A slot's health is known.
    Checked(Slot, Box<HealthCheck>),
    /// The plan's request of this number has ended, with an answer of this slot where one had
    /// weight.
    Answered(usize, Option<(Slot, Box<ProbeAnswer>)>),
}

/// One of those who ask, each after their own request has ended and their pause is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chain {
    Checks(Slot),
    Asks(Slot),
    Knocks,
}

impl Chain {
    const ALL: [Self; 5] = [
        Self::Checks(Slot::First),
        Self::Checks(Slot::Second),
        Self::Asks(Slot::First),
        Self::Asks(Slot::Second),
        Self::Knocks,
    ];

    const fn place(self) -> usize {
        match self {
            Self::Checks(slot) => slot.index(),
            Self::Asks(slot) => 2 + slot.index(),
            Self::Knocks => 4,
        }
    }
}

/// How a chain stands.
#[derive(Debug, Clone, Copy, Default)]
enum Round {
    /// Nothing is asked under this regime.
    #[default]
    Rests,
    /// A request is under way; the round began at this microsecond.
    Asks(u64),
    /// The next round begins at this place in the queue.
    Pauses((u64, u64)),
}

/// The lab as what runs in a flight's slots.
#[derive(Debug, Clone)]
pub struct LabModel {
    world: crate::lab::World,
    asker: Asker,
    seconds: [Second; 2],
    users: Users,
    /// What comes between the counters and who reads them.
    seen: [Seen; 2],
    regime: Option<Regime>,
    /// How the router last said that it sends users.
    told: Option<Split>,
    /// Whether somebody has pulled a lever: then the site may move the weights itself.
    levers: bool,
    /// What comes next of our own requests: by microseconds, and then in the order of asking.
    turns: BTreeMap<(u64, u64), (Chain, Turn)>,
    counter: u64,
    rounds: [Round; 5],
    /// The world has been played up to here.
    now: Millis,
    /// Whether the proxy's counters were read before: the first reading says nothing.
    counted: bool,
}

impl LabModel {
    /// The lab of a scenario and a seed, asked as `plan` says. Blue serves from the beginning.
    pub fn new(scenario: &Scenario, seed: u64, plan: &Plan) -> Self {
        let second = || Second::new(!plan.probes.is_empty());
        Self {
            world: crate::lab::World::new(scenario, seed),
            asker: Asker::new(plan),
            seconds: [second(), second()],
            users: Users::default(),
            seen: Default::default(),
            regime: None,
            told: None,
            levers: false,
            turns: BTreeMap::new(),
            counter: 0,
            rounds: [Round::Rests; 5],
            now: Millis::ZERO,
            counted: false,
        }
    }

    /// What really happened to users so far.
    pub fn tally(&self) -> Tally {
        self.world.tally()
    }

    /// How things really stand at `at`, once the world was played up to there.
    pub fn standing(&self, at: Millis) -> Standing {
        self.world.standing(at)
    }

    /// The world as it stands.
    pub const fn lab(&self) -> &crate::lab::World {
        &self.world
    }

    /// Plays users and our own requests up to `at`, each in its turn.
    fn play_until(&mut self, at: Millis) {
        let end_us = at.0 * 1000 + 999;
        loop {
            let turn = self.turns.keys().next().copied().filter(|(us, _)| *us <= end_us);
            let until = turn.map_or(at, |(us, _)| Millis(us / 1000));
            self.users.play(&mut self.world, until);
            let Some(key) = turn else { break };
            if let Some((chain, turn)) = self.turns.remove(&key) {
                self.take_turn(chain, turn, key.0);
            }
        }
        self.now = self.now.max(at);
    }

    fn put(&mut self, us: u64, chain: Chain, turn: Turn) -> (u64, u64) {
        self.counter += 1;
        self.turns.insert((us, self.counter), (chain, turn));
        (us, self.counter)
    }

    fn take_turn(&mut self, chain: Chain, turn: Turn, us: u64) {
        match turn {
            Turn::Begins => {
                self.rounds[chain.place()] = Round::Asks(us);
                self.request(chain, 0, us);
            }
            Turn::Checked(slot, check) => {
                self.seconds[slot.index()].check(&check);
                self.pauses(chain, us);
            }
            Turn::Answered(n, answered) => {
                if let Some((slot, answer)) = answered {
                    self.seconds[slot.index()].probe(&answer);
                }
                if n + 1 < self.asker.questions() {
                    self.request(chain, n + 1, us);
                } else {
                    self.pauses(chain, us);
                }
            }
        }
    }

    /// A request of ours begins. How it ends is known at once, and told when it does.
    fn request(&mut self, chain: Chain, n: usize, us: u64) {
        let at = Millis(us / 1000);
        let slot = match chain {
            Chain::Checks(slot) => {
                let (check, took_us) = self.asker.check(&mut self.world, slot, at);
                self.put(us + took_us, chain, Turn::Checked(slot, Box::new(check)));
                return;
            }
            Chain::Asks(slot) => Some(slot),
            Chain::Knocks => self.world.route(),
        };
        let answered = slot.and_then(|slot| {
            let (answer, took_us) = self.asker.probe(&mut self.world, slot, n, at)?;
            Some((slot, Box::new(answer), took_us))
        });
        let took_us = answered.as_ref().map_or(0, |(.., took_us)| *took_us);
        let answered = answered.map(|(slot, answer, _)| (slot, answer));
        self.put(us + took_us, chain, Turn::Answered(n, answered));
    }

    /// A round has ended: the next one begins when the regime says, and at once where this one
    /// took longer.
    fn pauses(&mut self, chain: Chain, us: u64) {
        let began_us = match self.rounds[chain.place()] {
            Round::Asks(began_us) => began_us,
            Round::Rests | Round::Pauses(_) => us,
        };
        let regime = self.regime.filter(|regime| self.runs(chain, regime));
        self.rounds[chain.place()] = regime.map_or(Round::Rests, |regime| {
            let every_us = regime.every.0.max(1) * 1000;
            Round::Pauses(self.put(us.max(began_us + every_us), chain, Turn::Begins))
        });
    }

    /// Whether a chain asks anything under this regime.
    fn runs(&self, chain: Chain, regime: &Regime) -> bool {
        let asked = |slot| regime.blue == slot || regime.green;
        let questions = self.asker.questions() > 0;
        match chain {
            Chain::Checks(slot) => asked(slot),
            Chain::Asks(slot) => questions && regime.synthetic && asked(slot),
            Chain::Knocks => questions && regime.front,
        }
    }

    fn whose(&self, slot: Slot, regime: &Regime) -> Whose {
        if slot == regime.blue { Whose::Blue } else { Whose::Green }
    }
}

impl Model for LabModel {
    fn seconds(
        &mut self,
        at: Millis,
        _: Millis,
        regime: &Regime,
        _: Split,
        samples: &mut Vec<Sample>,
    ) {
        self.play_until(at);
        for slot in Slot::BOTH {
            let whose = self.whose(slot, regime);
            samples.extend(self.seconds[slot.index()].take(at, whose));
        }
        self.users.end_until(at);
        let counted = std::mem::replace(&mut self.counted, true);
        for slot in Slot::BOTH {
            let whose = self.whose(slot, regime);
            let sample = self.users.take(slot, at, whose, self.world.uploads(slot));
            let sample = if self.world.may_be_blind() {
                self.seen[slot.index()].see_some(
                    sample,
                    self.world.vision(at),
                    self.world.blurred(at),
                )
            } else {
                Some(sample)
            };
            let Some(sample) = sample else { continue };
            // Green has no users before it is deployed, and nobody asks it.
            let nobody = slot != regime.blue && !regime.green && sample.requests == Some(0);
            if counted && !nobody {
                samples.push(sample);
            }
        }
    }

    fn routed(&mut self, at: Millis, split: Split) {
        self.play_until(at);
        self.told = Some(split);
        self.world.set_split(split, at);
    }

    fn observed(&mut self, at: Millis, regime: &Regime) {
        self.play_until(at);
        self.regime = Some(*regime);
        // Whoever pauses looks up at once; who waits for an answer does so afterwards.
        for chain in Chain::ALL {
            if let Round::Pauses(pause) = self.rounds[chain.place()] {
                self.turns.remove(&pause);
            }
            if !matches!(self.rounds[chain.place()], Round::Asks(_)) {
                self.rounds[chain.place()] = if self.runs(chain, regime) {
                    Round::Pauses(self.put(at.0 * 1000, chain, Turn::Begins))
                } else {
                    Round::Rests
                };
            }
        }
    }

    fn deploying(&mut self, at: Millis, slot: Slot, release: &str) -> Option<Millis> {
        self.play_until(at);
        Some(self.world.deploy(slot, Some(release), at).since(at))
    }

    /// It listens by itself when its time has come.
    fn deployed(&mut self, _: Millis, _: Slot, _: &str) {}

    fn cut_off(&mut self, at: Millis, slot: Slot) {
        self.stopped(at, slot);
    }

    fn stopped(&mut self, at: Millis, slot: Slot) {
        self.play_until(at);
        self.world.stop(slot, at);
    }

    fn moved(&mut self, at: Millis) -> Option<Split> {
        if !self.levers {
            return None;
        }
        self.play_until(at);
        let second = u8::try_from(self.world.weights()[1]).ok().and_then(Percent::new)?;
        let split = Split::giving(Slot::Second, second);
        (self.told != Some(split)).then(|| *self.told.insert(split))
    }

    fn manner(&mut self, at: Millis) -> Option<Manner> {
        if !self.world.proxy_may_fail() {
            return None;
        }
        self.play_until(at);
        Some(match self.world.writes(at) {
            Wrote::Done => Manner::Obeys,
            Wrote::Partly(share) => Manner::Partly((100.0 * share).round() as u8),
            Wrote::Ignored => Manner::Ignores,
            Wrote::Refused => Manner::Refuses,
            Wrote::Mute => Manner::Mute,
        })
    }

    fn fate(&mut self, at: Millis, command: CommandName, _: Slot) -> Option<Fate> {
        if command != CommandName::RedeployCheck {
            return None;
        }
        self.play_until(at);
        let release = self.world.scenario().world.blue.version.clone();
        let checked = self.world.redeploy_check(&release, at);
        Some(if checked.is_ok() { Fate::Good(20) } else { Fate::Fails(1, 20) })
    }

    fn answers(&self, slot: Slot) -> bool {
        self.world.life(slot, self.now) == Life::Up
    }
}
