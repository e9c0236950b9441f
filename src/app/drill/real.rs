//! A drill that a bot's keys fly on real sockets, with nobody watching: the same engine, lab,
//! router, probes and commands as a person has, in real time.
//!
//! The keys are those of the bot's flight on simulated time, placed by what is seen
//! ([`keys`](crate::drill::keys)). Both flights are judged in one way, so that their lines can be
//! held against each other: that is the proof that a drill is the same on both fronts. Nothing of
//! it is kept: the run's directory goes when its line is made.

use super::beside::{self, Joined};
use super::steady::{self, Gate};
use crate::app::{Failure, flight};
use crate::drill::bots::Bot;
use crate::drill::fly::{Course, Flown};
use crate::drill::keys::{Glance, Keys, Player};
use crate::drill::regress::{self, Line, Trial, Yardstick};
use crate::drill::score::Sureness;
use crate::engine::clock::unix_ms;
use crate::engine::{Engine, Setup, autopilot};
use crate::feed::{Bell, Link};
use crate::journal::{self, Entry, Opened, Writer};
use crate::lab::Lab;
use crate::plan;
use crate::runbook::{Command, Interrupt, Kind, RunFacts};
use crate::runs::RunDir;
use crate::units::Millis;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often keys are looked for where nothing new is seen.
const LOOK: Duration = Duration::from_millis(10);
/// The longest wait for a disk.
const LAST_WRITE: Duration = Duration::from_secs(3);

/// Where a drill was flown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Front {
    /// On simulated time.
    Simulated,
    /// On real sockets and in real time.
    Http,
}

/// One flight of a bot's keys on one front.
#[derive(Debug, Clone, Serialize)]
pub struct RealLine {
    /// On which front.
    pub front: Front,
    /// What every flight of a bot tells.
    #[serde(flatten)]
    pub line: Line,
    /// The points of each part, by its name.
    pub parts: BTreeMap<&'static str, f64>,
    /// Milliseconds of the run: when it began to hurt, when that could be known, when it was
    /// noticed, decided, had taken effect and was over; null where it never was.
    pub moments_ms: BTreeMap<&'static str, Option<u64>>,
    /// Harm to users, weighed in users who failed.
    pub harm: f64,
    /// Why it does not count, where it does not.
    pub void: Option<String>,
    /// How many keys there were.
    pub keys: usize,
    /// Keys whose cue never came.
    pub missed: Vec<String>,
}

/// Flies a bot's keys on both fronts: the simulated flight first, then the real one.
pub fn both(course: &Course, seed: u64, bot: Bot) -> Result<[RealLine; 2], Failure> {
    let yardstick = Yardstick::of(course, seed);
    let (simulated, keys) = regress::keys(course, seed, bot, &yardstick);
    let (real, missed) = fly(course, seed, &keys)?;
    // How sure it was, and of what, is one more of its keys.
    let sure = bot.sureness(&course.answer.truth.telling_signal, &simulated.tape);
    let tell = |front, flown, missed| {
        let trial = judged(course, seed, bot, flown, &yardstick, &sure);
        line(course, front, &trial, keys.keys.len(), missed)
    };
    Ok([tell(Front::Simulated, simulated, Vec::new()), tell(Front::Http, real, missed)])
}

/// A line for people.
pub fn words(line: &RealLine) -> String {
    let RealLine { line: told, parts, .. } = line;
    let call = told.call.map_or("nothing", crate::drill::call_word);
    let front = match line.front {
        Front::Simulated => "simulated",
        Front::Http => "http",
    };
    let parts: Vec<String> =
        parts.iter().map(|(name, points)| format!("{name} {points:.1}")).collect();
    let mut words = format!(
        "{:<20} {:>6}  {:<14} {front:<9} {:>3}  {:<9}  {call:<8} {}",
        told.scenario,
        told.seed,
        told.bot.name(),
        told.score,
        told.grade.word(),
        parts.join(", "),
    );
    if let Some(why) = &line.void {
        words.push_str(&format!("; {why}"));
    }
    if !line.missed.is_empty() {
        words.push_str(&format!("; {} of {} keys came to nothing", line.missed.len(), line.keys));
    }
    words + "\n"
}

fn judged(
    course: &Course,
    seed: u64,
    bot: Bot,
    flown: Flown,
    yardstick: &Yardstick,
    sure: &Sureness,
) -> Trial {
    let (account, harm, score) = regress::judge(course, &flown, yardstick, sure);
    Trial { bot, seed, flown, account, harm, score }
}

fn line(
    course: &Course,
    front: Front,
    trial: &Trial,
    keys: usize,
    missed: Vec<String>,
) -> RealLine {
    let account = &trial.account;
    let moments = [
        ("onset", account.onset),
        ("evidence", account.evidence),
        ("detect", account.detect),
        ("decide", account.decide),
        ("effect", account.effect),
        ("restore", account.restore),
    ];
    let parts = trial.score.parts.iter();
    RealLine {
        front,
        line: trial.line(&course.scenario.drill.id),
        parts: parts.map(|part| (part.name.words(), (part.points * 10.0).round() / 10.0)).collect(),
        moments_ms: moments.map(|(name, at)| (name, at.map(|at| at.0))).into(),
        harm: (trial.flown.harm.weighed * 10.0).round() / 10.0,
        void: trial.score.void.clone(),
        keys,
        missed,
    }
}

/// Flies keys on real sockets; gives the flight, and the keys whose cue never came.
pub fn fly(course: &Course, seed: u64, keys: &Keys) -> Result<(Flown, Vec<String>), Failure> {
    let unsteady = Gate::begin(course, seed)?.wait();
    let mut lab = Lab::start(&course.scenario, seed)?;
    let root = Scratch::new()?;
    let flown = on(&lab, course, keys, &root.0);
    lab.stop();
    let (mut flown, missed) = flown?;
    flown.truth.void = unsteady.map(|why| steady::void(&why)).or(flown.truth.void);
    Ok((flown, missed))
}

fn on(
    lab: &Lab,
    course: &Course,
    keys: &Keys,
    root: &Path,
) -> Result<(Flown, Vec<String>), Failure> {
    let text = lab.plan_toml();
    let plan = plan::parse(&text, "the lab's plan")?.plan;
    let secrets = flight::mask(&plan)?;
    let (router, identity) = flight::find(&plan)?;
    let directory = RunDir::create(root, Kind::Drill, text.as_bytes())?;
    let facts = RunFacts {
        run: directory.id().to_owned(),
        kind: Kind::Drill,
        host: "lab".into(),
        began_unix_ms: unix_ms(),
        attended: true,
        last_rollback: None,
        last_end: None,
        drilled: None,
        tells_gates: true,
        record: crate::signal::Record::default(),
    };
    let opened = Opened::new(facts.clone(), plan.clone(), &identity);
    let (journal, troubles) = Writer::create(directory.path(), opened, Millis::ZERO)?;
    let began = Instant::now();
    let engine = Engine::start(Setup {
        plan,
        facts,
        directory: directory.path().to_owned(),
        journal,
        troubles,
        secrets,
        router,
        resume: None,
        socket: None,
        yes: false,
    })?;
    let mut player = Player::new(keys);
    let (truth, cut_short) = std::thread::scope(|scope| {
        let joined = Joined { link: engine.link.clone(), at: began };
        let witness = scope.spawn(move || beside::go(lab, &course.scenario, &joined));
        let cut_short = play(&engine.link, began, &mut player);
        (witness.join().unwrap_or(None), cut_short)
    });
    let ended = engine.join()?;
    ended.journal.append(Entry::Closed(ended.closed), ended.at);
    ended.journal.close(LAST_WRITE)?;
    let gone = || Failure::world("the lab ended before the flight", "fly it again");
    let truth = truth.ok_or_else(gone)?;
    let run = journal::read(directory.path())
        .map_err(|fault| Failure::world(fault, "the flight is not judged"))?;
    let missed = player.missed.iter().map(|key| format!("{key:?}")).collect();
    let mut flown = Flown::of_run(course, &run, truth);
    if cut_short && !keys.over {
        // The simulated flight was not left either: it was only not looked at any longer.
        flown.tape.outcome = None;
    }
    Ok((flown, missed))
}

/// Presses the keys until the run is over; says whether it had to be ended, because the flight
/// that they are of was not ended either.
fn play(link: &Link, began: Instant, player: &mut Player<'_>) -> bool {
    let bell = Arc::new(Bell::default());
    link.feed.ring(Arc::clone(&bell));
    let (mut ended, mut seq, mut last, mut pressed) = (false, 0, None, false);
    while !link.feed.is_over() {
        bell.wait(LOOK);
        if let Some(update) = link.feed.since(seq) {
            (seq, last, pressed) = (update.seq, Some(update.snapshot), false);
        }
        // Every key may change what is seen: the next one is pressed at what follows from it.
        let Some(snapshot) = last.as_ref().filter(|_| !pressed) else { continue };
        let now = Millis(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
        let routine = autopilot::press(snapshot, snapshot.running.is_none());
        let glance = Glance::of(snapshot, now, routine);
        if let Some(command) = player.press(&glance) {
            pressed = true;
            link.send(command);
        } else if !ended && player.ends().is_some_and(|at| now >= at) {
            ended = true;
            link.send(Command::Interrupt(Interrupt::Terminate));
        }
    }
    ended
}

/// Counts the directories of this process.
static SCRATCHES: AtomicU64 = AtomicU64::new(0);

/// A directory that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let path = std::env::temp_dir();
        let nth = SCRATCHES.fetch_add(1, Ordering::Relaxed);
        let name = format!("switchback-real-{}-{}-{nth}", std::process::id(), unix_ms());
        let path = path.join(name);
        std::fs::create_dir(&path).map_err(|error| {
            let cause = format!("no directory {}: {error}", path.display());
            Failure::world(cause, "set TMPDIR to one that can be written")
        })?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is the system's to clean.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
