//! A drill: a brief, the same program over the lab, and a debrief.
//!
//! The flight is the cockpit as it is; from its first step to its last nothing knows that it is a
//! drill, but for the word in each frame. What is told before is in [`brief`], who goes along in
//! [`beside`], what is asked after in [`ask`], and what is shown then in [`told`]. The answer of
//! the scenario is read for the score alone, once the flight has ended.

mod ask;
mod beside;
mod brief;
mod exercise;
mod kept;
pub mod real;
pub mod shown;
mod steady;
mod told;

use super::flight::{self, Beside, begin_beside};
use super::{Failure, Watcher, print, watcher};
use crate::clean::Clean;
use crate::cli::Global;
use crate::drill::blind::Drawn;
use crate::drill::debrief;
use crate::drill::declare;
use crate::drill::due::{self, Entry};
use crate::drill::fly::{Course, Flown};
use crate::drill::history::{self, Begun, begun, seen};
use crate::drill::regress::{self, Yardstick};
use crate::drill::score::{Grade, Sureness};
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
use exercise::Debriefed;
use kept::{Carried, Kept};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc;
use std::time::Instant;
use steady::{Gate, Goes, Steady, Waiting};

pub use kept::{OpenCheck, last as last_debrief, open as open_checks, settle};

/// One drill that is to be flown.
#[derive(Debug)]
pub struct Sortie {
    /// The scenario and its answer.
    pub course: Course,
    /// The name or path that it was loaded by.
    pub file: String,
    /// The seed.
    pub seed: u64,
    /// All that it is called before its end, where it is flown blind.
    pub codename: Option<String>,
}

impl Sortie {
    /// Loads one by its name or path. Where nobody chose a seed it is one that was not flown yet.
    pub fn load(root: &Path, name: &str, seed: Option<u64>, blind: bool) -> Result<Self, Failure> {
        let told = |fault: crate::runbook::Fault| Failure::usage(&fault.cause, &fault.hint);
        let scenario = scenario::load(name).map_err(told)?;
        let answer = scenario::load_answer(name).map_err(told)?;
        let fresh = || {
            let pool = &scenario.clock.seeds;
            history::next_seed(&history::read(root).0, &scenario.drill.id, pool)
        };
        let seed = seed.unwrap_or_else(fresh);
        let course = Course::new(scenario, answer)?;
        let codename = blind.then(|| course.scenario.drill.codename.clone());
        Ok(Self { course, file: name.to_owned(), seed, codename })
    }

    /// One that was drawn.
    pub fn drawn(root: &Path, drawn: &Drawn, seed: Option<u64>) -> Result<Self, Failure> {
        let seed = Some(seed.unwrap_or_else(|| drawn.seed()));
        let sortie = Self::load(root, drawn.reveal(), seed, true)?;
        // Its own codename would be known after the first time.
        Ok(Self { codename: Some(drawn.codename().to_owned()), ..sortie })
    }

    /// Whether only its codename is shown.
    pub const fn is_blind(&self) -> bool {
        self.codename.is_some()
    }

    /// The line of its beginning.
    fn begun(&self, run: &str) -> Begun {
        Begun::new(run, &self.course.scenario.drill.id, self.seed, self.is_blind(), unix_ms())
    }

    /// What it is called before its end.
    pub fn name(&self) -> String {
        match &self.codename {
            Some(codename) => codename.clone(),
            None => self.course.scenario.drill.title.clone(),
        }
    }
}

/// Flies a drill from its brief to its debrief.
pub fn drill(global: &Global, sortie: &Sortie) -> Result<u8, Failure> {
    let watcher = watcher(global)?;
    let home = flight::home(global)?;
    kept::settle(&home.runs)?;
    // The plan of the brief is that of a lab which is not on sockets: they are opened with the key.
    let told = plan::parse(&lab::plan_apart(&sortie.course.scenario), "the lab's plan")?;
    // The brief's time serves to see whether this machine carries a steady lab.
    let gate = Gate::begin(&sortie.course, sortie.seed)?;
    let Some(taken) = briefed(global, watcher, sortie, &told, &home.runs, &gate)? else {
        return Ok(0);
    };
    drop(gate);
    let mut lab = Lab::start(&sortie.course.scenario, sortie.seed)?;
    let gone = fly(global, watcher, sortie, &lab, &taken, &home.runs);
    lab.stop();
    let Gone { landed, truth, held } = gone?;
    let directory = &landed.directory;
    let done = Done { root: &home.runs, directory, run: run_id(directory) };
    let told = match truth {
        Some(mut truth) => {
            truth.void = taken.unsteady.as_deref().map(steady::void).or(truth.void);
            debriefed(global, watcher, sortie, truth, &done)
        }
        None => {
            crate::plain::complain("warning: the lab ended before the flight; it is not scored");
            Ok(())
        }
    };
    // What has no line by now was left.
    drop(held);
    let settled = kept::settle(&home.runs);
    // What came of the exercise goes into the bundle; without it there is one all the same.
    let exit = landed.flown.seal(&home);
    settled?;
    told?;
    Ok(exit)
}

/// The id of the run that lives in a directory.
fn run_id(directory: &Path) -> String {
    directory.file_name().map(|id| id.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A flight that is over.
struct Gone {
    landed: flight::Landed,
    /// What was true; nothing where the lab has ended before.
    truth: Option<Truth>,
    /// It has no line in the history yet.
    held: Option<begun::Held>,
}

/// A closed flight.
struct Done<'a> {
    root: &'a Path,
    directory: &'a Path,
    run: String,
}

/// Tells the brief and waits for a steady lab. Gives what was taken from it; nothing where the
/// operator has left.
fn briefed(
    global: &Global,
    watcher: Watcher,
    sortie: &Sortie,
    plan: &Loaded,
    root: &Path,
    gate: &Gate,
) -> Result<Option<Taken>, Failure> {
    let remark = brief::remark(sortie);
    let id = &sortie.course.scenario.drill.id;
    // Blind, that it was seen would tell which it is; the debrief says it.
    let seen = seen::spoils(&seen::read(root), id, unix_ms()).filter(|_| !sortie.is_blind());
    let name = sortie.name();
    match watcher {
        Watcher::Json { .. } => {
            return Ok(Some(Taken { unsteady: gate.wait(), ..Taken::default() }));
        }
        Watcher::Plain { .. } => {
            let every: Vec<String> =
                brief::first_step(sortie).map(|item| item.item.clone()).collect();
            let every = Taken { opened: every, ..Taken::default() };
            let rows = brief::rows(sortie, &plan.plan, &every, seen.as_ref(), By::Lines, 78);
            let rows: String = rows.iter().map(|row| row.plain() + "\n").collect();
            print(format!("DRILL {name} · {remark}\n\n{rows}\n").as_bytes())?;
            if gate.stands() != Steady::Yes {
                print(b"waiting for a steady lab\n")?;
            }
            let unsteady = gate.wait();
            if let Some(why) = &unsteady {
                print(
                    format!("void: lab not steady: {why}; it is flown and does not count\n")
                        .as_bytes(),
                )?;
            }
            // What stands in lines was not opened: a look is a note, as in the cockpit.
            return Ok(Some(Taken { unsteady, ..Taken::default() }));
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
    let goes = match begun {
        true => pages.show(&mut Waiting::new(gate, &name)).map_err(lost)?,
        false => None,
    };
    pages.close()?;
    Ok(match goes {
        Some(Goes::On(unsteady)) => Some(Taken { unsteady, ..taken }),
        Some(Goes::Leaves) | None => None,
    })
}

/// Flies it; gives the run, and what was true.
fn fly(
    global: &Global,
    watcher: Watcher,
    sortie: &Sortie,
    lab: &Lab,
    taken: &Taken,
    root: &Path,
) -> Result<Gone, Failure> {
    let text = lab.plan_toml();
    let loaded = plan::parse(&text, "the lab's plan")?;
    // A closer look at the brief is one at step 1, and a hint is a hint.
    let looks = taken.opened.iter().map(|item| declare::look(item));
    let hints = (0..taken.hints).map(|_| declare::hint());
    let looks = looks.chain(hints).map(Command::Note).collect();
    std::thread::scope(|scope| {
        let (joins, joined) = mpsc::channel::<(Joined, String)>();
        let witness = scope.spawn(move || {
            let (joined, run) = joined.recv().ok()?;
            let begun = sortie.begun(&run);
            // Where it cannot be kept that it was begun, it is flown all the same.
            let held = begun::begin(root, &begun).inspect_err(|fault| {
                joined.link.send(Command::Note(Clean::new(&format!("site: {}", fault.cause))));
            });
            Some((beside::witness(lab, &sortie.course, &joined), held.ok()))
        });
        let joins = move |link, directory: &Path| {
            let run = run_id(directory);
            // Who would go along is gone only where a thread has panicked.
            let _ = joins.send((Joined { link, at: Instant::now() }, run));
        };
        let beside = Beside { first: looks, joins: Some(Box::new(joins)) };
        let (kind, text) = (Kind::Drill, text.as_bytes());
        let overrides = BTreeMap::new();
        let flown =
            begin_beside(global, watcher, kind, &loaded.plan, text, None, overrides, beside);
        let (truth, held) = witness.join().unwrap_or(None).unwrap_or_default();
        Ok(Gone { landed: flown?, truth, held })
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
    let scenario = &sortie.course.scenario;
    let flown = Flown::of_run(&sortie.course, &run, truth);
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
    let link = history::append(done.root, &line)?;
    if score.grade == Grade::Abandoned {
        drop(pages);
        // Its answer stays closed: it can still be flown without having been told.
        if !matches!(watcher, Watcher::Json { .. }) {
            let why = flown.truth.stopped.map_or_else(String::new, |why| format!(" at {why}"));
            let says = "it is on the record with 0 points, and nothing is told of it";
            print(format!("drill: abandoned{why}; {says}\n").as_bytes())?;
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
    let mut kept = Kept {
        run: done.run.clone(),
        scenario,
        debrief,
        carried: Carried::Open,
        waits_since_unix_ms,
    };
    kept::save(done.directory, &kept)?;
    let due = due::of(&history::read(done.root).0, &Entry::of(&sortie.course), &catalogue());
    let mut told = Debriefed {
        sortie,
        kept: &kept.clone(),
        account: &account,
        line: (&line, &link),
        due,
        shown: false,
    };
    // Before it is shown, in case that this process ends meanwhile; and again when it is known what
    // becomes of its check.
    exercise::write(done.directory, &told)?;
    if interrupted {
        let says =
            b"drill: the questions were left; the flight is on the record, and d in the hangar \
                     shows its debrief\n";
        return print(says).map(|_| ());
    }
    match (pages, watcher) {
        (Some(mut pages), _) => {
            shown::on_screen(&mut pages, done.root, &mut kept)?;
            pages.close()?;
        }
        (None, Watcher::Json { .. }) => {
            let line = serde_json::to_string(&line)
                .map_err(|error| Failure::world(error, "this is a bug: please report it"))?;
            print(format!("{line}\n").as_bytes())?;
        }
        (None, Watcher::Screen) => {}
        (None, Watcher::Plain { .. }) => shown::in_lines(done.root, &mut kept, attended)?,
    }
    told.shown = attended;
    told.kept = &kept;
    exercise::write(done.directory, &told)
}

/// What of the catalogue matters for what is due next; nothing where it cannot be read.
fn catalogue() -> Vec<Entry> {
    super::hangar::catalogue().unwrap_or_default()
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
