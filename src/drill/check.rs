//! Whether a scenario is one: the bots come out of it as it says, a world without its faults is
//! told apart, and nobody passes by habit. And whether a whole deck is one.
//!
//! Everything that does not hold is said with the bot, the seed and the number, and with what to
//! do about it.

use super::bots::Bot;
use super::fly::Course;
use super::harm::NIL;
use super::regress::{self, Line, Trial};
use super::score::PASS;
use crate::lab::anchor::Anchor;
use crate::lab::scenario::VerdictClass;
use crate::lab::scenario::answer::{Call, Opens};
use serde::Serialize;

/// Seeds on which a world without its faults is flown.
const BARE_SEEDS: usize = 3;
/// What the oracle must have, over a deck, on the average.
const ORACLE: f64 = 88.0;
/// What nobody who flies by habit may have, over a deck, on the average.
const HABIT: f64 = 55.0;

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Of which scenario; nothing where it is of the deck.
    pub scenario: Option<String>,
    /// What does not hold, with its numbers.
    pub cause: String,
    /// What to do.
    pub hint: String,
}

/// What came of proving a scenario.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Proof {
    /// Every flight.
    pub lines: Vec<Line>,
    /// What does not hold.
    pub findings: Vec<Finding>,
    /// What is worth knowing, and no fault.
    pub notes: Vec<String>,
}

/// Proves a scenario on so many seeds.
pub fn scenario(course: &Course, count: usize, threads: usize) -> Proof {
    let mut proof = quick(course, count, threads);
    let id = &course.scenario.drill.id;
    let seeds = regress::seeds(course, count);
    let twice = seeds.first().map(|seed| regress::trials(course, *seed, &Bot::ALL));
    let again = twice.iter().flatten().map(|trial| trial.line(id)).collect::<Vec<_>>();
    if proof.lines.get(..again.len()) != Some(&again[..]) {
        let cause = "the same seed, flown twice, did not give the same lines".to_owned();
        proof.findings.push(Finding {
            scenario: Some(id.clone()),
            cause,
            hint: "report this: something in the lab hangs on more than the seed".to_owned(),
        });
    }
    let faults = &course.scenario.faults;
    for fault in faults.iter().filter(|_| faults.len() > 1) {
        let bare = course.without(&fault.id);
        let told =
            !bands_hold(&bare, &seeds, threads) || users_notice(course, &bare, &seeds, threads);
        let id = &fault.id;
        if told && fault.cosmetic {
            let note = format!("the fault {id:?} is said to be cosmetic, and a band notices it");
            proof.notes.push(note);
        } else if !told && !fault.cosmetic {
            proof.findings.push(Finding {
                scenario: Some(course.scenario.drill.id.clone()),
                cause: format!("no band and no user notices when {id:?} alone does nothing"),
                hint:
                    "narrow the bands, or let it hurt; or say cosmetic = true in it, where it is \
                       there for the story"
                        .to_owned(),
            });
        }
    }
    proof
}

/// The same without a second flight of any seed and without notes on single faults: what a test
/// of a whole deck has the time for.
pub fn quick(course: &Course, count: usize, threads: usize) -> Proof {
    let id = &course.scenario.drill.id;
    let seeds = regress::seeds(course, count);
    let flown = regress::each(&seeds, threads, |seed| regress::trials(course, *seed, &Bot::ALL));
    let trials: Vec<&Trial> = flown.iter().flatten().collect();
    let mut proof =
        Proof { lines: trials.iter().map(|trial| trial.line(id)).collect(), ..Proof::default() };
    let mut find = |cause: String, hint: &str| {
        let hint = hint.to_owned();
        proof.findings.push(Finding { scenario: Some(id.clone()), cause, hint });
    };
    if course.answer.decisions.is_empty() {
        find("nothing is called right".to_owned(), "add a [[decision]], the best one first");
    }
    let [blue, green] = [&course.scenario.world.blue, &course.scenario.world.green];
    if blue.version == green.version {
        let cause = format!("both slots run {}: there is nothing to release", green.version);
        find(cause, "name another version in [world.blue]");
    }
    for bot in Bot::ALL {
        bands(course, bot, &trials, &mut find);
    }
    habits(course, &trials, &mut find);
    // Where all of it is there for the story, there is nothing that a bot must notice.
    let of_weight = course.scenario.faults.iter().any(|fault| !fault.cosmetic);
    let bare = course.without_faults();
    let told = |(_, band): &(&str, Option<[u32; 2]>)| band.is_some_and(|band| band != [0, 100]);
    // Bands that hold nobody notice nothing, whatever users do.
    let banded = course.answer.bots.named().iter().any(told);
    let users = || users_notice(course, &bare, &seeds[..seeds.len().min(1)], threads);
    if of_weight && bands_hold(&bare, &seeds, threads) && !(banded && users()) {
        find(
            "without its faults every band still holds: the bots do not notice them".to_owned(),
            "narrow the bands around what the bots have now; or let the answer hang on the fault, \
             as onset = \"fault:ID\" or a marker does",
        );
    }
    proof
}

/// The worst of a bot's scores, against its band.
fn bands(course: &Course, bot: Bot, trials: &[&Trial], find: &mut impl FnMut(String, &str)) {
    let Some([low, high]) = band(course, bot) else {
        if bot == Bot::Oracle {
            let hint = "add [bots] with oracle = [88, 100], and bands for the others";
            find("it says nothing of what the oracle must have".to_owned(), hint);
        }
        return;
    };
    let of_bot = || trials.iter().filter(|trial| trial.bot == bot);
    let lowest = of_bot().min_by_key(|trial| trial.score.total);
    if let Some(trial) = lowest.filter(|trial| trial.score.total < low) {
        let lost = trial.score.largest_loss();
        let lost = lost.map_or_else(String::new, |part| {
            let lost = part.of - part.points;
            format!("; {lost:.0} points were lost on {}: {}", part.name.words(), part.says)
        });
        let cause = format!(
            "{bot} has {} on seed {}, and its band is {low} to {high}{lost}",
            trial.score.total, trial.seed
        );
        let hint = if bot == Bot::Oracle {
            "let the first [[decision]] be one that can be taken in its steps and in its time"
        } else {
            "lower the band, if it is right that this way of flying is worth so little"
        };
        find(cause, hint);
    }
    let highest = of_bot().max_by_key(|trial| trial.score.total);
    if let Some(trial) = highest.filter(|trial| trial.score.total > high) {
        let by_limit = trial.account.call.is_some_and(|made| made.by == super::tape::By::Limit);
        let cause = format!(
            "{bot} has {} on seed {}, and its band is {low} to {high}; the call: {}",
            trial.score.total, trial.seed, trial.score.ruling.says
        );
        let hint = if by_limit {
            "a limit decides this drill alone: say on_trip = \"ask\" in [plan], or use wider limits"
        } else {
            "make habit cost more: a fault that hurts more, a window that opens later; or raise the \
             band"
        };
        find(cause, hint);
    }
}

fn band(course: &Course, bot: Bot) -> Option<[u32; 2]> {
    course.answer.bots.named().into_iter().find(|(name, _)| *name == bot.name())?.1
}

/// Those who would pass without looking, by the kind of release.
const fn trivial(verdict: VerdictClass) -> &'static [Bot] {
    match verdict {
        VerdictClass::Good => &[Bot::AlwaysAbort],
        VerdictClass::Bad => &[Bot::Never, Bot::Rusher, Bot::AlwaysAbort],
        VerdictClass::Shared | VerdictClass::Unsafe | VerdictClass::Thin => &[Bot::AlwaysAbort],
    }
}

fn habits(course: &Course, trials: &[&Trial], find: &mut impl FnMut(String, &str)) {
    let Some(verdict) = course.scenario.drill.verdict else {
        return find(
            "it does not say what kind of release it is".to_owned(),
            "add verdict = \"GOOD\", \"BAD\", \"SHARED\", \"UNSAFE\" or \"THIN\" to [drill]",
        );
    };
    for bot in trivial(verdict) {
        let of_bot: Vec<_> = trials.iter().filter(|trial| trial.bot == *bot).collect();
        let passed = of_bot.iter().filter(|trial| trial.score.grade.passed()).count();
        if passed * 2 > of_bot.len() {
            let of = of_bot.len();
            let cause = format!("{bot}, who never looks, passes on {passed} of {of} seeds");
            find(cause, "let what it does without looking be wrong, or late, or hurt more");
        }
    }
    // What a gate keeps from users hurts none of them.
    let of_users = course
        .answer
        .decisions
        .first()
        .is_some_and(|best| best.steps.is_empty() || best.steps.iter().any(|step| *step >= 5));
    let hurts = |trial: &&&Trial| trial.harm.oracle.weighed > trial.harm.nothing.weighed + NIL;
    let oracles = trials.iter().filter(|trial| trial.bot == Bot::Oracle);
    if let Some(trial) = oracles.clone().find(hurts) {
        let (with, without) = (trial.harm.oracle.weighed, trial.harm.nothing.weighed);
        let cause = format!(
            "the oracle hurts {with:.0} users on seed {}, and doing nothing {without:.0}",
            trial.seed
        );
        find(cause, "what is called right must not be worse than doing nothing: weigh it anew");
    }
    let unseen = course.answer.decisions.iter().find(|decision| {
        let start = matches!(&decision.opens, Opens::At(at) if at.anchor == Anchor::Start);
        start && decision.call == Call::Rollback && decision.requires_viewed.is_empty()
    });
    if let Some(decision) = unseen {
        let cause = format!(
            "the decision {:?} goes back from the start, and asks for no look",
            decision.id
        );
        find(cause, "name the item that shows the reason in requires_viewed, or open it later");
    }
    if verdict == VerdictClass::Bad && of_users {
        let worst = trials.iter().map(|trial| trial.harm.nothing.weighed).fold(0.0, f64::max);
        if worst < NIL {
            let cause = format!("doing nothing hurts {worst:.0} users: nothing can be spared");
            find(cause, "let its faults hurt while the plan's watch still runs");
        }
    }
}

/// Whether some flight on a changed course does more or less to users than it did.
fn users_notice(whole: &Course, bare: &Course, seeds: &[u64], threads: usize) -> bool {
    let differ = |seed: &u64| {
        let (whole, bare) =
            (regress::trials(whole, *seed, &Bot::ALL), regress::trials(bare, *seed, &Bot::ALL));
        whole.iter().zip(&bare).any(|(whole, bare)| {
            let (whole, bare) = (whole.harm.yours.weighed, bare.harm.yours.weighed);
            (whole - bare).abs() > NIL.max(0.1 * whole.max(bare))
        })
    };
    let seeds = &seeds[..seeds.len().min(BARE_SEEDS)];
    regress::each(seeds, threads, differ).into_iter().any(|differs| differs)
}

/// Whether every bot is in its band on a changed course. The first seed mostly tells.
fn bands_hold(course: &Course, seeds: &[u64], threads: usize) -> bool {
    let in_band = |trial: &Trial| {
        band(course, trial.bot).is_none_or(|[low, high]| (low..=high).contains(&trial.score.total))
    };
    let holds = |seed: &u64| regress::trials(course, *seed, &Bot::ALL).iter().all(in_band);
    let (first, others) = seeds.split_at(seeds.len().min(1));
    first.iter().all(holds)
        && regress::each(&others[..others.len().min(BARE_SEEDS - 1)], threads, holds)
            .into_iter()
            .all(|held| held)
}

/// What does not hold of a deck, by the lines of all its scenarios.
pub fn deck(courses: &[Course], lines: &[Line]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |cause: String, hint: &str| {
        findings.push(Finding { scenario: None, cause, hint: hint.to_owned() });
    };
    let of_bot = |bot: Bot| lines.iter().filter(move |line| line.bot == bot);
    let mean = |bot: Bot| {
        let scores: Vec<f64> = of_bot(bot).map(|line| f64::from(line.score)).collect();
        scores.iter().sum::<f64>() / scores.len().max(1) as f64
    };
    let oracle = mean(Bot::Oracle);
    if oracle < ORACLE {
        let cause = format!("the oracle has {oracle:.1} on the average, and must have {ORACLE}");
        find(cause, "look at the scenarios in which it lost the most");
    }
    for bot in Bot::ALL.into_iter().filter(|bot| *bot != Bot::Oracle) {
        let (mean, all) = (mean(bot), of_bot(bot).count());
        let passed = of_bot(bot).filter(|line| line.grade.passed()).count();
        if mean > HABIT {
            let cause = format!("{bot} has {mean:.1} on the average, and may have {HABIT}");
            find(cause, "add scenarios in which this habit is wrong");
        }
        if passed * 2 > all {
            find(
                format!("{bot} passes {passed} of {all} flights"),
                "add scenarios in which this habit is wrong",
            );
        }
    }
    let hard: Vec<&str> = courses
        .iter()
        .filter(|course| course.scenario.drill.level >= 2)
        .map(|course| course.scenario.drill.id.as_str())
        .collect();
    let limits: Vec<_> =
        of_bot(Bot::ThresholdOnly).filter(|line| hard.contains(&line.scenario.as_str())).collect();
    let failed = limits.iter().filter(|line| line.score < PASS).count();
    if failed * 10 < limits.len() * 4 {
        let of = limits.len();
        let cause =
            format!("the limits alone fail only {failed} of {of} flights of level 2 and up");
        find(cause, "add scenarios whose signal is on no limit");
    }
    // Where the key itself hurts, what takes users back in the end is another call than it.
    let key_hurts = |course: &Course| course.scenario.drill.verdict == Some(VerdictClass::Unsafe);
    let other = courses.iter().filter(|course| key_hurts(course) || !goes_back(course)).count();
    let share = other as f64 * 100.0 / courses.len().max(1) as f64;
    // In a handful one scenario is many percent.
    if courses.len() >= 10 && !(35.0..=45.0).contains(&share) {
        let cause = format!("in {share:.0} % of the deck going back is not the right call");
        find(cause, "bring it to 35 to 45 %");
    }
    findings
}

/// Whether going back is the right call on a course, by its best decision and what must follow it.
pub fn goes_back(course: &Course) -> bool {
    let answer = &course.answer;
    answer.decisions.first().is_some_and(|best| answer.leads_back(best))
}
