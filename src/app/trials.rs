//! Drills that nobody flies: bots on simulated time, for the catalogue's regression test and to
//! prove a new scenario.

use super::drill::real;
use super::{Failure, flight, print};
use crate::cli::{BotArgs, Global};
use crate::drill::bots::Bot;
use crate::drill::check::{self, Finding};
use crate::drill::fly::Course;
use crate::drill::history::REHEARSAL_DAYS;
use crate::drill::history::seen::{self, How, SeenLine};
use crate::drill::regress::{self, Line};
use crate::engine::clock::unix_ms;
use crate::lab::scenario;
use serde::Serialize;
use std::fmt::Write;
use std::io::IsTerminal;

/// Threads, where the machine has more: the figures are promised for two.
const THREADS: usize = 2;
/// Real flights at once.
const ABREAST: usize = 12;

/// Whether bots are asked for at all.
pub const fn wanted(bots: &BotArgs) -> bool {
    bots.all || bots.bot.is_some() || bots.check || bots.seeds.is_some()
}

/// Lets bots fly.
pub fn trials(
    global: &Global,
    name: Option<&str>,
    seed: Option<u64>,
    bots: &BotArgs,
) -> Result<u8, Failure> {
    let names: Vec<String> = match name {
        Some(name) => vec![name.to_owned()],
        None if bots.all => scenario::builtin().map(str::to_owned).collect(),
        None => {
            return Err(Failure::usage(
                "no scenario is named",
                "name one, or a file, or say --all",
            ));
        }
    };
    let mut courses = names.iter().map(|name| course(name)).collect::<Result<Vec<_>, _>>()?;
    let mut count = bots.seeds.map(usize::from);
    if let Some(seed) = seed {
        courses.iter_mut().for_each(|course| course.scenario.clock.seeds = vec![seed]);
        count = count.or(Some(1));
    }
    if bots.check {
        spoil(global, &courses, How::Check);
        return prove(global, &courses, count.unwrap_or(8), bots.all);
    }
    let flying = match bots.bot.as_deref() {
        None | Some("all") => Bot::ALL.to_vec(),
        Some(name) => vec![Bot::named(name).ok_or_else(|| {
            let known = Bot::ALL.map(Bot::name).join(", ");
            Failure::usage(format!("no bot is called {name:?}"), format!("known are {known}, all"))
        })?],
    };
    spoil(global, &courses, How::Bots);
    if bots.real {
        return real(global, &courses, count.unwrap_or(1), &flying);
    }
    let lines = regress::lines(&courses, count.unwrap_or(4), &flying, threads());
    tell(global, &lines)
}

/// Keeps that these answers were looked at: a flight of one of them is spoiled for a while. Where it
/// cannot be kept, that is said, and the bots fly all the same.
fn spoil(global: &Global, courses: &[Course], how: How) {
    let scenarios = courses.iter().map(|course| course.scenario.drill.id.clone()).collect();
    let line = SeenLine { scenarios, how, at_unix_ms: unix_ms() };
    let kept = flight::home(global).and_then(|home| Ok(seen::note(&home.runs, &line)?));
    let told = match kept {
        // Who reads it is told; a pipeline's lines stay as they were.
        Ok(()) if !std::io::stderr().is_terminal() => return,
        Ok(()) => {
            let many = crate::text::count(courses.len() as u64, "scenario");
            format!(
                "note: this tells the answer of {many}: who flies it by hand within \
                 {REHEARSAL_DAYS} days has seen it, and the record says so"
            )
        }
        Err(failure) => failure.says.replacen("error:", "warning:", 1),
    };
    crate::plain::complain(told);
}

/// Lets the keys of bots fly in real time, many flights at once: they mostly wait.
fn real(global: &Global, courses: &[Course], count: usize, bots: &[Bot]) -> Result<u8, Failure> {
    let seeds = |course| regress::seeds(course, count);
    let all: Vec<(&Course, u64, Bot)> = courses
        .iter()
        .flat_map(|course| seeds(course).into_iter().map(move |seed| (course, seed)))
        .flat_map(|(course, seed)| bots.iter().map(move |bot| (course, seed, *bot)))
        .collect();
    let flown = regress::each(&all, ABREAST, |(course, seed, bot)| {
        let lines = real::both(course, *seed, *bot)?;
        let text: Result<String, Failure> = lines
            .iter()
            .map(|line| if global.json { json(line) } else { Ok(real::words(line)) })
            .collect();
        // Whoever waits for minutes sees each flight when it is over.
        print(text?.as_bytes())
    });
    flown.into_iter().try_fold(0, |_, one| one)
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(THREADS)
}

fn course(name: &str) -> Result<Course, Failure> {
    let told = |fault: crate::runbook::Fault| Failure::usage(&fault.cause, &fault.hint);
    let scenario = scenario::load(name).map_err(told)?;
    let answer = scenario::load_answer(name).map_err(told)?;
    Ok(Course::new(scenario, answer)?)
}

fn tell(global: &Global, lines: &[Line]) -> Result<u8, Failure> {
    let mut out = String::new();
    if global.json {
        for line in lines {
            out.push_str(&json(line)?);
        }
        return print(out.as_bytes());
    }
    for line in lines {
        let call = line.call.map_or("nothing", crate::drill::call_word);
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{:<20} {:>6}  {:<14} {:>3}  {:<9}  {:<8} {:>6} failed, {:.0} spared{}",
            line.scenario,
            line.seed,
            line.bot.name(),
            line.score,
            line.grade.word(),
            call,
            line.users_failed,
            line.users_spared,
            if line.critical.is_empty() { "" } else { "  GRAVE" },
        );
    }
    print(out.as_bytes())
}

fn prove(global: &Global, courses: &[Course], count: usize, whole: bool) -> Result<u8, Failure> {
    let (mut lines, mut findings, mut out) = (Vec::new(), Vec::new(), String::new());
    for course in courses {
        let proof = check::scenario(course, count, threads());
        if !global.json {
            let holds = if proof.findings.is_empty() { "holds" } else { "DOES NOT HOLD" };
            let _ = writeln!(out, "{:<20} {holds} on {count} seeds", course.scenario.drill.id);
            bands(&mut out, course, &proof.lines);
            proof.notes.iter().for_each(|note| {
                let _ = writeln!(out, "  note: {note}");
            });
        }
        lines.extend(proof.lines);
        findings.extend(proof.findings);
    }
    if whole {
        findings.extend(check::deck(courses, &lines));
    }
    for finding in &findings {
        if global.json {
            out.push_str(&json(finding)?);
        } else {
            let Finding { scenario, cause, hint } = finding;
            let whose = scenario.as_deref().unwrap_or("the deck");
            let _ = writeln!(out, "\nerror: {whose}: {cause}\nhint: {hint}");
        }
    }
    print(out.as_bytes())?;
    Ok(if findings.is_empty() { 0 } else { 2 })
}

/// What each bot has, from its lowest to its highest, beside its band.
fn bands(out: &mut String, course: &Course, lines: &[Line]) {
    for (bot, (_, band)) in Bot::ALL.into_iter().zip(course.answer.bots.named()) {
        let scores = || lines.iter().filter(|line| line.bot == bot).map(|line| line.score);
        let (low, high) = (scores().min().unwrap_or(0), scores().max().unwrap_or(0));
        let told = band.map_or("no band".to_owned(), |[low, high]| format!("{low} to {high}"));
        let out_of = band.is_some_and(|band| low < band[0] || high > band[1]);
        let mark = if out_of { "  <-- outside" } else { "" };
        let _ = writeln!(out, "  {:<14} {low:>3} to {high:>3}   band {told}{mark}", bot.name());
    }
}

fn json(what: &impl Serialize) -> Result<String, Failure> {
    let line = serde_json::to_string(what).map_err(|error| {
        Failure::world(format!("a line could not be written: {error}"), "report this")
    })?;
    Ok(line + "\n")
}
