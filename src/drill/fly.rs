//! Flies a scenario on simulated time with somebody, or something, at the keys.
//!
//! What a [`Pilot`] gets to see is a [`Sight`]: what the cockpit shows, and nothing of the world.
//! Only [`with_answer`] shows a pilot what is true, and only the oracle is one that it takes.

use super::bots::Oracle;
use super::harm::{self, Harm};
use super::keys::Recorder;
use super::tape::{Asked, Deed, Tape, Told};
use super::truth::Truth;
use crate::clean::Clean;
use crate::journal;
use crate::lab::Scenario;
use crate::lab::anchor::{Anchor, Anchors};
use crate::lab::scenario::EvidenceSpec;
use crate::lab::scenario::answer::Answer;
use crate::plan::{Faults, Plan};
use crate::runbook::{Command, Event, Interrupt, Kind, RunFacts};
use crate::signal::Sample;
use crate::sim::Flight;
use crate::sim::lab::{LabModel, plan, pull as pull_lever, run as run_errand, world};
use crate::units::Millis;

/// Keys that a pilot may press at one instant: more is a pilot that does not look up.
const KEYS: u32 = 8;
/// Users who are not in band so long after going back may never be.
const IN_BAND: Millis = Millis::secs(30);
/// What a flight may take beyond what its plan takes.
const SLACK: Millis = Millis::secs(210);

/// What the cockpit shows to whoever flies.
#[derive(Debug, Clone)]
pub struct Sight<'a> {
    /// Now.
    pub now: Millis,
    /// The step of the runbook, 1 to 8.
    pub step: u8,
    /// What `--yes` would press now, if anything; but nobody leaves before the warm window is over.
    pub routine: Option<Command>,
    /// The question that is shown.
    pub question: Option<&'a Asked>,
    /// Whether the run goes, or went, back.
    pub back: bool,
    /// Whether the way back has nothing more to do.
    pub settled: bool,
    /// Whether users were seen well again after going back, or that will not be seen any more.
    pub in_band: bool,
    /// Whether somebody has said that they leave.
    pub leaving: bool,
    /// Whether the run is held.
    pub held: bool,
    /// Green's percent that was last asked for.
    pub green: u8,
    /// Every second that was measured.
    pub samples: &'a [Sample],
    /// Every change of what a limit says.
    pub told: &'a [Told],
    /// The plan that is flown.
    pub plan: &'a Plan,
    /// What a look at each step of the runbook shows.
    pub items: &'a [EvidenceSpec],
}

/// Somebody at the keys.
pub trait Pilot {
    /// What is pressed now, if anything. It is asked again until nothing is pressed.
    fn press(&mut self, sight: &Sight<'_>) -> Option<Command>;
}

/// A flight that has ended.
#[derive(Debug, Clone)]
pub struct Flown {
    /// What the pilot saw and did.
    pub tape: Tape,
    /// What was true.
    pub truth: Truth,
    /// What it did to users.
    pub harm: Harm,
}

impl Flown {
    /// A flight by hand, from its journal and from what the lab says was true.
    pub fn of_run(course: &Course, run: &journal::Run, truth: Truth) -> Self {
        Self { tape: Tape::of_run(run), harm: course.harm(&truth), truth }
    }
}

/// What is flown: a scenario as it is, or changed.
#[derive(Debug, Clone)]
pub struct Course {
    /// The scenario.
    pub scenario: Scenario,
    /// Its answer.
    pub answer: Answer,
    plan: Plan,
}

impl Course {
    /// A course from a scenario and its answer.
    ///
    /// # Errors
    /// What is wrong with the scenario's part of the plan.
    pub fn new(scenario: Scenario, answer: Answer) -> Result<Self, Faults> {
        let plan = plan(&scenario)?;
        Ok(Self { scenario, answer, plan })
    }

    /// The plan that is flown.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The same world, in which no limit goes back by itself: what doing nothing is worth.
    pub fn unguarded(&self) -> Self {
        let mut course = self.clone();
        course.plan.on_trip.ask = true;
        course
    }

    /// The same, in which nothing goes wrong: what should have does nothing to anybody. It is
    /// still there, with its name and its moment, so that an answer that speaks of it holds.
    pub fn without_faults(&self) -> Self {
        let mut course = self.clone();
        course.scenario.faults.iter_mut().for_each(|fault| fault.inert = true);
        course
    }

    /// The same, in which one fault, by its name, does nothing to anybody.
    pub fn without(&self, fault: &str) -> Self {
        let mut course = self.clone();
        let of_name = course.scenario.faults.iter_mut().filter(|known| known.id == fault);
        of_name.for_each(|fault| fault.inert = true);
        course
    }

    /// What a flight did to users, to the horizon that all flights on this course are counted to.
    pub fn harm(&self, truth: &Truth) -> Harm {
        harm::of(&truth.tally_by_horizon(), &self.answer.harm, &self.scenario.traffic)
    }

    /// Until when users are counted, in the time of a flight of which this is true, however early
    /// or late somebody left it: for as long after it began to hurt, or after the deploy, as the
    /// plan takes from the deploy to the end, and the scenario's horizon. Where it never came to
    /// either, nothing is at stake any more.
    pub fn horizon(&self, truth: &Truth) -> Millis {
        let onset = self.answer.truth.onset.as_ref().and_then(|moment| truth.when(moment));
        let from = onset.or_else(|| truth.seen(&Anchor::Deploy));
        let plan = self.timed() + self.plan.warm + self.scenario.clock.horizon;
        from.map_or(truth.ended, |from| from + plan)
    }

    /// How long the plan's own waits are, in all.
    fn timed(&self) -> Millis {
        let plan = &self.plan;
        let rungs = plan.ramp.len().saturating_sub(1) as u64;
        Millis(plan.health.hold.0 + plan.soak.0 + plan.ramp_hold.0 * rungs + plan.watch.0)
    }

    /// The longest that a flight on it may take.
    fn cap(&self) -> Millis {
        self.scenario.clock.hard_stop.min(self.timed() + self.plan.warm + SLACK)
    }
}

/// Flies a course of a seed. The pilot sees what a person would see.
pub fn with(course: &Course, seed: u64, pilot: &mut impl Pilot) -> Flown {
    fly(course, seed, |sight, _| pilot.press(sight))
}

/// Flies a course of a seed with the oracle, who is told what is true as well.
pub fn with_answer(course: &Course, seed: u64, oracle: &mut Oracle<'_>) -> Flown {
    fly(course, seed, |sight, anchors| oracle.press(sight, anchors))
}

/// The same as [`with`]; what is pressed is written down.
pub fn written(course: &Course, seed: u64, pilot: &mut dyn Pilot, keys: &mut Recorder) -> Flown {
    fly(course, seed, |sight, _| keys.heard(sight, pilot.press(sight)))
}

/// The same as [`with_answer`]; what is pressed is written down.
pub fn written_with_answer(
    course: &Course,
    seed: u64,
    oracle: &mut Oracle<'_>,
    keys: &mut Recorder,
) -> Flown {
    fly(course, seed, |sight, anchors| keys.heard(sight, oracle.press(sight, anchors)))
}

/// Why a flight is ended at its scenario's hard stop.
pub fn hard_stop(scenario: &Scenario) -> String {
    format!("the hard stop of this drill after {}", scenario.clock.hard_stop)
}

fn fly(
    course: &Course,
    seed: u64,
    mut press: impl FnMut(&Sight<'_>, &Anchors) -> Option<Command>,
) -> Flown {
    let Course { scenario, plan, .. } = course;
    let facts = RunFacts {
        run: "0000".to_owned(),
        kind: Kind::Drill,
        host: Clean::new("lab"),
        began_unix_ms: 0,
        attended: true,
        last_rollback: None,
        last_end: None,
        tells_gates: true,
        drilled: None,
        record: crate::signal::Record::default(),
    };
    let world = world(scenario, seed, plan);
    let mut flight: Flight<Tape, LabModel> = Flight::new(plan.clone(), facts, world);
    flight.feed(Event::Begin);
    let cap = course.cap();
    let mut until = cap;
    let mut stopped = None;
    let mut ticks = Vec::new();
    let (mut keys, mut pressed_at, mut deeds) = (0, 0, 0);
    while flight.finish().is_none() {
        if flight.now != pressed_at {
            (keys, pressed_at) = (0, flight.now);
        }
        let command = (keys < KEYS)
            .then(|| press(&sight(&flight, scenario), flight.world.slots.lab().anchors()))
            .flatten();
        if let Some(command) = command {
            keys += 1;
            flight.command(command);
            deeds = pull(&mut flight, deeds);
        } else if !flight.advance_to_next(until.0) {
            // The hard stop ends it as it does on sockets; any other cap is only this loop's.
            if cap < scenario.clock.hard_stop || stopped.is_some() {
                break;
            }
            flight.now = flight.now.max(cap.0);
            // A way back that has begun is finished first.
            until = cap + IN_BAND;
            stopped = Some(hard_stop(scenario));
            flight.command(Command::Interrupt(Interrupt::Terminate));
        }
        let second = flight.now / 1000;
        if ticks.len() as u64 <= second {
            ticks.push((Millis(second * 1000), flight.world.slots.tally()));
        }
    }
    let (ended, tally) = (Millis(flight.now), flight.world.slots.tally());
    ticks.push((ended, tally));
    let mut truth = Truth::new(flight.world.slots.lab().anchors().clone(), ticks, ended);
    truth.stopped = stopped;
    let until = course.horizon(&truth);
    let lab = flight.world.slots.lab();
    let back = flight.watcher.is_back();
    let truth = truth.counted(until, |ahead| Some(lab.foresee(ended + ahead, back).tally));
    let mut tape = flight.watcher;
    tape.ended = ended;
    Flown { tape, harm: course.harm(&truth), truth }
}

fn sight<'a>(flight: &'a Flight<Tape, LabModel>, scenario: &'a Scenario) -> Sight<'a> {
    let (tape, plan, now) = (&flight.watcher, flight.plan(), Millis(flight.now));
    Sight {
        now,
        step: tape.step(),
        routine: flight.core.routine().filter(|command| !leaves_early(command, tape, plan, now)),
        question: tape.question(),
        back: tape.is_back(),
        settled: flight.core.is_back(),
        in_band: tape.stamps[3].is_some() || tape.back_for(now) >= IN_BAND,
        leaving: flight.core.is_leaving(),
        held: tape.held(),
        green: tape.green(),
        samples: &tape.samples,
        told: &tape.told,
        plan,
        items: &scenario.evidence,
    }
}

/// Whether this leaves a release that was kept before its warm window is over. What comes in that
/// time belongs to the flight: a watch that ended well is no end while Blue is still the way back.
fn leaves_early(command: &Command, tape: &Tape, plan: &Plan, now: Millis) -> bool {
    let warm = tape.steps[7].filter(|_| !tape.is_back());
    *command == Command::Leave && warm.is_some_and(|since| now < since + plan.warm)
}

/// A declared act is done: its lever is pulled in the lab. Says how many deeds were looked at.
fn pull(flight: &mut Flight<Tape, LabModel>, from: usize) -> usize {
    let now = Millis(flight.now);
    let deeds = &flight.watcher.deeds[from..];
    let of = |deed: &Deed| match deed {
        Deed::Declare(act) => (act.lever(), act.errand()),
        Deed::Errand(errand) => (None, Some(*errand)),
        _ => (None, None),
    };
    let asked: Vec<_> = deeds.iter().map(|did| of(&did.deed)).collect();
    for errand in asked.iter().filter_map(|(_, errand)| *errand) {
        let _ = run_errand(&mut flight.world, errand, now);
    }
    let levers: Vec<_> = asked.into_iter().filter_map(|(lever, _)| lever).collect();
    for lever in levers {
        // What cannot be pulled now was said in vain.
        let _ = pull_lever(&mut flight.world, lever, now);
    }
    flight.watcher.deeds.len()
}
