//! The catalogue's regression test: every bot flies every scenario on simulated time, and each
//! flight becomes a line.
//!
//! A flight hangs on the scenario, the seed and the bot alone: the lines are the same, bit for
//! bit, however many threads there are and whoever asks again.

use super::account::{self, Account};
use super::bots::{AlwaysAbort, Bot, Never, Oracle, PreparedAbort, Rusher, ThresholdOnly, Twitch};
use super::fly::{self, Course, Flown, Pilot};
use super::harm::Compared;
use super::keys::{Keys, Recorder};
use super::score::{self, Grade, Score, Sureness};
use crate::lab::scenario::answer::Call;
use serde::Serialize;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One flight of a bot, with all that is made of it.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Who flew.
    pub bot: Bot,
    /// On which seed.
    pub seed: u64,
    /// The flight.
    pub flown: Flown,
    /// What was measured of it.
    pub account: Account,
    /// Beside the oracle and doing nothing.
    pub harm: Compared,
    /// Its score.
    pub score: Score,
}

/// One line of the regression test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The scenario's id.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// Who flew.
    pub bot: Bot,
    /// What was called; null where nothing was.
    pub call: Option<Call>,
    /// Points, 0 to 100.
    pub score: u32,
    /// What it counts as.
    pub grade: Grade,
    /// What was grave, in words.
    pub critical: Vec<String>,
    /// Users spared against doing nothing, weighed; less than 0 where it was made worse.
    pub users_spared: f64,
    /// Users who failed.
    pub users_failed: u64,
}

impl Trial {
    /// Its line.
    pub fn line(&self, scenario: &str) -> Line {
        Line {
            scenario: scenario.to_owned(),
            seed: self.seed,
            bot: self.bot,
            call: self.account.call.map(|made| made.call),
            score: self.score.total,
            grade: self.score.grade,
            critical: self.score.critical.iter().map(|grave| grave.says.clone()).collect(),
            users_spared: (self.harm.spared() * 10.0).round() / 10.0,
            users_failed: self.harm.yours.failed,
        }
    }
}

/// The two flights that every other of the same seed is held against.
#[derive(Debug, Clone)]
pub struct Yardstick {
    /// Nothing was done, and no limit did it either.
    pub nothing: Flown,
    /// The answer was known.
    pub oracle: Flown,
}

impl Yardstick {
    /// Flies both.
    pub fn of(course: &Course, seed: u64) -> Self {
        let nothing = fly::with(&course.unguarded(), seed, &mut Never);
        let oracle = oracle(course, seed, &nothing);
        Self { nothing, oracle }
    }
}

fn oracle(course: &Course, seed: u64, nothing: &Flown) -> Flown {
    fly::with_answer(course, seed, &mut knowing(course, nothing))
}

/// The oracle, with what it knows from the flight in which nothing was done.
fn knowing<'a>(course: &'a Course, nothing: &Flown) -> Oracle<'a> {
    let known = account::of(&nothing.tape, &nothing.truth, &course.scenario, &course.answer);
    Oracle::new(&course.answer, known.evidence, &nothing.truth)
}

/// Judges a flight on a course.
pub fn judge(
    course: &Course,
    flown: &Flown,
    yardstick: &Yardstick,
    sure: &Sureness,
) -> (Account, Compared, Score) {
    let Course { scenario, answer, .. } = course;
    let account = account::of(&flown.tape, &flown.truth, scenario, answer);
    let harm = Compared {
        yours: flown.harm,
        oracle: yardstick.oracle.harm,
        nothing: yardstick.nothing.harm,
    };
    let score = score::of(&score::Flown {
        scenario,
        answer,
        tape: &flown.tape,
        truth: &flown.truth,
        account: &account,
        harm,
        sure,
    });
    (account, harm, score)
}

/// Flies these bots on one seed of a course.
pub fn trials(course: &Course, seed: u64, bots: &[Bot]) -> Vec<Trial> {
    let yardstick = Yardstick::of(course, seed);
    let guarded = !course.plan().on_trip.ask;
    let trial = |bot: &Bot| {
        let flown = match bot {
            Bot::Oracle => yardstick.oracle.clone(),
            Bot::Never if !guarded => yardstick.nothing.clone(),
            Bot::Never => fly::with(course, seed, &mut Never),
            Bot::Twitch => fly::with(course, seed, &mut Twitch::default()),
            Bot::ThresholdOnly => fly::with(course, seed, &mut ThresholdOnly),
            Bot::AlwaysAbort => fly::with(course, seed, &mut AlwaysAbort),
            Bot::Rusher => fly::with(course, seed, &mut Rusher::default()),
            Bot::PreparedAbort => fly::with(course, seed, &mut PreparedAbort::default()),
        };
        let sure = bot.sureness(&course.answer.truth.telling_signal, &flown.tape);
        let (account, harm, score) = judge(course, &flown, &yardstick, &sure);
        Trial { bot: *bot, seed, flown, account, harm, score }
    };
    bots.iter().map(trial).collect()
}

/// Flies a bot on one seed of a course and writes down its keys.
pub fn keys(course: &Course, seed: u64, bot: Bot, yardstick: &Yardstick) -> (Flown, Keys) {
    let mut keys = Recorder::default();
    let mut with = |pilot: &mut dyn Pilot| fly::written(course, seed, pilot, &mut keys);
    let flown = match bot {
        Bot::Never => with(&mut Never),
        Bot::Twitch => with(&mut Twitch::default()),
        Bot::ThresholdOnly => with(&mut ThresholdOnly),
        Bot::AlwaysAbort => with(&mut AlwaysAbort),
        Bot::Rusher => with(&mut Rusher::default()),
        Bot::PreparedAbort => with(&mut PreparedAbort::default()),
        Bot::Oracle => {
            let mut oracle = knowing(course, &yardstick.nothing);
            fly::written_with_answer(course, seed, &mut oracle, &mut keys)
        }
    };
    let mut keys = keys.done();
    keys.ended = keys.ended.max(flown.tape.ended);
    keys.over = flown.tape.outcome.is_some();
    (flown, keys)
}

/// So many seeds of a scenario: its own pool first, and then those after its last.
pub fn seeds(course: &Course, count: usize) -> Vec<u64> {
    let pool = &course.scenario.clock.seeds;
    let after = pool.iter().copied().max().unwrap_or(0);
    let more = (1..).map(|n| after.wrapping_add(n));
    pool.iter().copied().chain(more).take(count).collect()
}

/// Does `one` for each of `all` on so many threads; what comes of it stands in their order.
pub fn each<T: Sync, R: Send>(all: &[T], threads: usize, one: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((place, item)) = {
            let place = next.fetch_add(1, Ordering::Relaxed);
            all.get(place).map(|item| (place, item))
        } {
            done.push((place, one(item)));
        }
        done
    };
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            match other.join() {
                Ok(theirs) => done.extend(theirs),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The lines of these bots on so many seeds of each course, in the order of courses, seeds, bots.
pub fn lines(courses: &[Course], count: usize, bots: &[Bot], threads: usize) -> Vec<Line> {
    let all: Vec<(&Course, u64)> = courses
        .iter()
        .flat_map(|course| seeds(course, count).into_iter().map(move |seed| (course, seed)))
        .collect();
    let flown = each(&all, threads, |(course, seed)| {
        let id = &course.scenario.drill.id;
        trials(course, *seed, bots).iter().map(|trial| trial.line(id)).collect::<Vec<_>>()
    });
    flown.into_iter().flatten().collect()
}
