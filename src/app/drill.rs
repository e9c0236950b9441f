//! A drill: a brief, the same program over the lab, and a debrief.
//!
//! The flight is the cockpit as it is; from its first step to its last nothing knows that it is a
//! drill, but for the word in each frame. What is told before is in [`brief`], who goes along in
//! [`beside`], what is asked after in [`ask`], and what is shown then in [`told`]. The answer of
//! the scenario is read for the score alone, once the flight has ended.

mod ask;
mod beside;
mod brief;
mod kept;
pub mod shown;
mod told;

use super::flight::{self, Beside, begin_beside};
use super::{Failure, Watcher, print, watcher};
use crate::cli::Global;
use crate::drill::blind::Drawn;
use crate::drill::debrief;
use crate::drill::declare;
use crate::drill::fly::{Course, Flown};
use crate::drill::harm;
use crate::drill::history::{self, seen};
use crate::drill::regress::{self, Yardstick};
use crate::drill::score::{Grade, Sureness};
use crate::drill::tape::Tape;
use crate::drill::truth::Truth;
use crate::engine::clock::unix_ms;
use crate::journal;
use crate::lab::{self, Lab, scenario};
use crate::plan::{self, Loaded};
use crate::runbook::{Command, Kind};
use crate::tui::hangar::Pages;
use crate::tui::hangar::frame::Frame;
use crate::tui::hangar::reader::Reader;
use crate::tui::keymap::Key;
use ask::Answers;
use beside::Joined;
use brief::{By, Taken};
use color_eyre::eyre::Report;
use kept::{Carried, Kept};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc;
use std::time::Instant;

pub use kept::{OpenCheck, last as last_debrief, open as open_checks};

/// One drill that is to be flown.
#[derive(Debug)]
pub struct Sortie {
    /// The scenario and its answer.
    pub course: Course,
    /// The name or path that it was loaded by.
    pub file: String,
    /// The seed.
    pub seed: u64,
    /// Whether only its codename is shown.
    pub blind: bool,
}

impl Sortie {
    /// Loads one by its name or path.
    pub fn load(name: &str, seed: Option<u64>, blind: bool) -> Result<Self, Failure> {
        let told = |fault: crate::runbook::Fault| Failure::usage(&fault.cause, &fault.hint);
        let scenario = scenario::load(name).map_err(told)?;
        let answer = scenario::load_answer(name).map_err(told)?;
        let seed = seed.unwrap_or_else(|| scenario.default_seed());
        let course = Course::new(scenario, answer)?;
        Ok(Self { course, file: name.to_owned(), seed, blind })
    }

    /// One that was drawn.
    pub fn drawn(drawn: &Drawn, seed: Option<u64>) -> Result<Self, Failure> {
        Self::load(drawn.reveal(), Some(seed.unwrap_or_else(|| drawn.seed())), true)
    }

    /// What it is called before its end.
    pub fn name(&self) -> String {
        let drill = &self.course.scenario.drill;
        match self.blind {
            true if drill.codename.is_empty() => "BLIND".to_owned(),
            true => drill.codename.clone(),
            false => drill.title.clone(),
        }
    }
}

/// Flies a drill from its brief to its debrief.
pub fn drill(global: &Global, sortie: &Sortie) -> Result<u8, Failure> {
    let watcher = watcher(global)?;
    let home = flight::home(global)?;
    // The plan of the brief is that of a lab which is not on sockets: they are opened with the key.
    let told = plan::parse(&lab::plan_apart(&sortie.course.scenario), "the lab's plan")?;
    let Some(taken) = briefed(global, watcher, sortie, &told, &home.runs)? else { return Ok(0) };
    let mut lab = Lab::start(&sortie.course.scenario, sortie.seed)?;
    let flown = fly(global, watcher, sortie, &lab, &taken);
    lab.stop();
    let (flown, truth) = flown?;
    let run = flown.directory.file_name().map(|id| id.to_string_lossy().into_owned());
    let Some(truth) = truth else {
        crate::plain::complain("warning: the lab ended before the flight; it is not scored");
        return Ok(flown.exit);
    };
    let done = Done { root: &home.runs, directory: &flown.directory, run: run.unwrap_or_default() };
    debriefed(global, watcher, sortie, truth, &done)?;
    Ok(flown.exit)
}

/// A closed flight.
struct Done<'a> {
    root: &'a Path,
    directory: &'a Path,
    run: String,
}

/// Tells the brief. Gives what was taken from it; nothing where the operator has left.
fn briefed(
    global: &Global,
    watcher: Watcher,
    sortie: &Sortie,
    plan: &Loaded,
    root: &Path,
) -> Result<Option<Taken>, Failure> {
    let remark = brief::remark(sortie);
    let id = &sortie.course.scenario.drill.id;
    // Blind, that it was seen would tell which it is; the debrief says it.
    let seen = seen::spoils(&seen::read(root), id, unix_ms()).filter(|_| !sortie.blind);
    let name = sortie.name();
    match watcher {
        Watcher::Json { .. } => return Ok(Some(Taken::default())),
        Watcher::Plain { .. } => {
            let every: Vec<String> =
                brief::first_step(sortie).map(|item| item.item.clone()).collect();
            let every = Taken { opened: every, hints: 0 };
            let rows = brief::rows(sortie, &plan.plan, &every, seen.as_ref(), By::Lines, 78);
            let rows: String = rows.iter().map(|row| row.plain() + "\n").collect();
            print(format!("DRILL {name} · {remark}\n\n{rows}\n").as_bytes())?;
            // What stands in lines was not opened: a look is a note, as in the cockpit.
            return Ok(Some(Taken::default()));
        }
        Watcher::Screen => {}
    }
    let mut pages = pages(global)?;
    let mut taken = Taken::default();
    let mut top = 0;
    let begun = loop {
        let keys = [
            ("space", "begins the flight"),
            ("1-9", "a closer look"),
            ("h", "a hint"),
            ("q", "leaves"),
        ];
        let frame = Frame::new("DRILL", &name, &remark, &keys);
        let figures = ('1'..='9').map(Key::Char);
        let ends: Vec<Key> = [Key::Char(' '), Key::Enter, Key::Char('h'), Key::Char('q'), Key::Esc]
            .into_iter()
            .chain(figures)
            .collect();
        let (so_far, seen) = (taken.clone(), seen.as_ref());
        let rows = move |columns| brief::rows(sortie, &plan.plan, &so_far, seen, By::Keys, columns);
        let mut reader = Reader::new(frame, &ends, rows);
        reader.top = top;
        match pages.show(&mut reader).map_err(lost)? {
            Some(Key::Char(' ') | Key::Enter) => break true,
            Some(Key::Char(figure @ '1'..='9')) => {
                let place = figure.to_digit(10).unwrap_or(1) as usize - 1;
                if let Some(item) = brief::first_step(sortie).nth(place)
                    && !taken.opened.contains(&item.item)
                {
                    taken.opened.push(item.item.clone());
                }
                top = reader.top;
            }
            Some(Key::Char('h')) => {
                taken.hints = (taken.hints + 1).min(sortie.course.scenario.story.hints.len());
                // They stand near the end, and are what was asked for.
                top = usize::MAX;
            }
            _ => break false,
        }
    };
    pages.close()?;
    Ok(begun.then_some(taken))
}

/// Flies it; gives the run, and what was true.
fn fly(
    global: &Global,
    watcher: Watcher,
    sortie: &Sortie,
    lab: &Lab,
    taken: &Taken,
) -> Result<(flight::Landed, Option<Truth>), Failure> {
    let text = lab.plan_toml();
    let loaded = plan::parse(&text, "the lab's plan")?;
    // A closer look at the brief is one at step 1, and a hint is a hint.
    let looks = taken.opened.iter().map(|item| declare::look(item));
    let hints = (0..taken.hints).map(|_| declare::hint());
    let looks = looks.chain(hints).map(Command::Note).collect();
    std::thread::scope(|scope| {
        let (joins, joined) = mpsc::channel::<Joined>();
        let witness = scope.spawn(move || {
            let joined = joined.recv().ok()?;
            beside::go(lab, &sortie.course.scenario, &joined)
        });
        let joins = move |link| {
            // Who would go along is gone only where a thread has panicked.
            let _ = joins.send(Joined { link, at: Instant::now() });
        };
        let beside = Beside { first: looks, joins: Some(Box::new(joins)) };
        let (kind, text) = (Kind::Drill, text.as_bytes());
        let overrides = BTreeMap::new();
        let flown =
            begin_beside(global, watcher, kind, &loaded.plan, text, None, overrides, beside);
        let truth = witness.join().unwrap_or(None);
        Ok((flown?, truth))
    })
}

/// Asks, judges, writes down and shows.
fn debriefed(
    global: &Global,
    watcher: Watcher,
    sortie: &Sortie,
    truth: Truth,
    done: &Done<'_>,
) -> Result<(), Failure> {
    let run = journal::read(done.directory)
        .map_err(|fault| Failure::world(fault, "the drill is not scored"))?;
    let tape = Tape::of_run(&run);
    let Course { scenario, answer, .. } = &sortie.course;
    let harm = harm::of(&truth.tally(), &answer.harm, &scenario.traffic);
    let flown = Flown { tape, truth, harm };
    let yardstick = Yardstick::of(&sortie.course, sortie.seed);
    let unsure = Sureness::default();
    let (.., first) = regress::judge(&sortie.course, &flown, &yardstick, &unsure);
    let attended = flight::attended(watcher);
    let left = first.grade == Grade::Abandoned;
    let mut pages = match watcher {
        // Where the terminal went away in flight, nobody is asked and the flight counts.
        Watcher::Screen if !left => pages(global).ok(),
        _ => None,
    };
    let mut interrupted = false;
    // A terminal that went away while it was asked has answered nothing; the flight counts.
    let answers = match &mut pages {
        Some(pages) => ask::on_screen(pages, sortie).unwrap_or_default(),
        None if attended && !left && matches!(watcher, Watcher::Plain { .. }) => {
            let (answers, stopped) = ask::in_lines(sortie);
            interrupted = stopped;
            answers
        }
        None => Answers::default(),
    };
    let (account, harm, score) = regress::judge(&sortie.course, &flown, &yardstick, &answers.sure);
    let line = kept::line(done.root, sortie, &done.run, (&account, &score), &answers);
    history::append(done.root, &line)?;
    if score.grade == Grade::Abandoned {
        drop(pages);
        // Its answer stays closed: it can still be flown without having been told.
        if !matches!(watcher, Watcher::Json { .. }) {
            print(
                b"drill: abandoned; it is on the record with 0 points, and nothing is told of it\n",
            )?;
        }
        return Ok(());
    }
    let flight = debrief::Flight {
        tape: &flown.tape,
        truth: &flown.truth,
        account: &account,
        harm,
        score: &score,
    };
    let mut debrief = debrief::of(&sortie.course, &flight, &yardstick, &answers.account);
    debrief.remark = line.remark();
    let scenario = scenario.drill.id.clone();
    let waits_since_unix_ms = Some(line.ended_unix_ms);
    let kept = Kept {
        run: done.run.clone(),
        scenario,
        debrief,
        carried: Carried::Open,
        waits_since_unix_ms,
    };
    kept::save(done.directory, &kept)?;
    if interrupted {
        let says =
            b"drill: the questions were left; the flight is on the record, and d in the hangar \
                     shows its debrief\n";
        return print(says).map(|_| ());
    }
    match (pages, watcher) {
        (Some(mut pages), _) => {
            shown::on_screen(&mut pages, done.root, kept)?;
            pages.close()?;
        }
        (None, Watcher::Json { .. }) => {
            let line = serde_json::to_string(&line)
                .map_err(|error| Failure::world(error, "this is a bug: please report it"))?;
            print(format!("{line}\n").as_bytes())?;
        }
        (None, Watcher::Screen) => {}
        (None, Watcher::Plain { .. }) => shown::in_lines(done.root, kept, attended)?,
    }
    Ok(())
}

/// Takes the terminal for pages.
pub fn pages(global: &Global) -> Result<Pages, Failure> {
    Pages::open(&super::theme(global), global.ascii).map_err(lost)
}

/// The terminal is gone, or cannot be had.
pub fn lost(report: Report) -> Failure {
    Failure::world(format!("{report:#}"), "--plain prints lines instead")
}

/// What the lab's own commands do: an act on the lab, over its control endpoint.
pub fn act(address: &str, words: &[String]) -> Result<u8, Failure> {
    lab::act(address, words, &mut std::io::stdout().lock())?;
    Ok(0)
}
