//! The catalogue with what the record says of each scenario, and the same as lines.

use super::events;
use crate::app::drill::{OpenCheck, open_checks, settle};
use crate::app::{Failure, flight};
use crate::cli::Global;
use crate::drill::due::now::DueNow;
use crate::drill::due::{self, Due, Entry};
use crate::drill::fly::Course;
use crate::drill::history::level::{self, Progress};
use crate::drill::history::seen::{self, SeenLine};
use crate::drill::history::{self, Card, HistoryLine};
use crate::engine::clock::unix_ms;
use crate::lab::scenario::{self, Family};
use crate::text;
use crate::tui::hangar::rows::{Look, Row};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What the columns of the list are called.
pub const COLUMNS: &str = "min due     first best";
const DAY_MS: i64 = 86_400_000;

/// A scenario, as far as it may be shown.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// What the catalogue says of it.
    pub entry: Entry,
    /// Its name for people.
    pub title: String,
    /// About how long it takes.
    pub minutes: u32,
    /// What the record says of it.
    pub card: Card,
}

/// The catalogue and the record.
#[derive(Debug)]
pub struct Deck {
    /// Where the runs live.
    pub root: PathBuf,
    /// The scenarios.
    pub sheets: Vec<Sheet>,
    /// The record.
    pub lines: Vec<HistoryLine>,
    /// What is due, the most urgent first.
    pub due: Vec<Due>,
    /// Families that are due now, by what happened to real deploys.
    pub due_now: Vec<DueNow>,
    /// Checks from debriefs that wait for a yes or a no.
    pub open: Vec<OpenCheck>,
    /// Looks at answers.
    pub seen: Vec<SeenLine>,
    /// The level that was reached, and how far the next one is.
    pub progress: Progress,
    /// When the plan here was last rehearsed, in milliseconds since 1970.
    pub rehearsed_unix_ms: Option<i64>,
    /// Today, in days since 1970, UTC.
    pub today: i64,
    /// Where the record's chain breaks, if it does.
    pub broken: Option<String>,
}

/// What a level is called.
pub const fn level_words(level: u8) -> &'static str {
    match level {
        1 => "1 Recruit: one cause, a plain signal",
        2 => "2 Operator: the signal is elsewhere",
        3 => "3 Senior: the way back is in doubt",
        _ => "4 Expert: several things at once",
    }
}

/// The courses of the catalogue.
fn courses() -> impl Iterator<Item = Result<Course, Failure>> {
    let told = |fault: crate::runbook::Fault| Failure::usage(&fault.cause, &fault.hint);
    scenario::builtin().map(move |name| {
        let scenario = scenario::load(name).map_err(told)?;
        let answer = scenario::load_answer(name).map_err(told)?;
        Ok(Course::new(scenario, answer)?)
    })
}

/// What of the catalogue matters for what to fly next.
pub fn catalogue() -> Result<Vec<Entry>, Failure> {
    courses().map(|course| Ok(Entry::of(&course?))).collect()
}

impl Deck {
    /// Reads the catalogue and the record.
    pub fn load(global: &Global) -> Result<Self, Failure> {
        let root = flight::home(global)?.runs;
        settle(&root)?;
        let (lines, fault) = history::read(&root);
        let mut sheets = Vec::new();
        for course in courses() {
            let course = course?;
            let drill = &course.scenario.drill;
            let (title, minutes) = (drill.title.clone(), drill.minutes);
            let entry = Entry::of(&course);
            let card = history::card(&lines, &entry.id);
            sheets.push(Sheet { entry, title, minutes, card });
        }
        let catalogue: Vec<Entry> = sheets.iter().map(|sheet| sheet.entry.clone()).collect();
        let due = due::all(&lines, &catalogue);
        let now = unix_ms();
        let today = now.div_euclid(DAY_MS);
        let plan = Path::new(super::PLAN);
        let due_now = due::now::of(&lines, &events::of(&root, plan, now));
        let open = open_checks(&root, &lines, now);
        let progress = level::of(&lines, &catalogue);
        let rehearsed_unix_ms = events::rehearsed(&root, plan);
        let seen = seen::read(&root);
        let aside = || {
            let files = history::broken(&root);
            (!files.is_empty())
                .then(|| format!("set aside, for it was broken: {}", files.join(", ")))
        };
        let broken = fault.map(|fault| fault.to_string()).or_else(aside);
        Ok(Self {
            root,
            sheets,
            lines,
            due,
            due_now,
            open,
            seen,
            progress,
            rehearsed_unix_ms,
            today,
            broken,
        })
    }

    /// What is drawn from. What is due now comes first, as long as that does not tell what to do
    /// in it; what was seen comes last, for a flight of it would be spoiled.
    pub fn to_draw(&self) -> Vec<Entry> {
        let now = self.today * DAY_MS;
        let known = self.sheets.iter().map(|sheet| &sheet.entry);
        let level = self.progress.level;
        let known: Vec<&Entry> = known.filter(|entry| entry.level <= level).collect();
        let unseen = |entry: &&&Entry| seen::spoils(&self.seen, &entry.id, now).is_none();
        let due =
            |entry: &&&Entry| self.due_now.iter().any(|due| entry.family.contains(&due.family));
        let owned = |some: Vec<&&Entry>| some.into_iter().map(|e| (*e).clone()).collect::<Vec<_>>();
        let both = |some: &[Entry]| {
            some.iter().any(|entry| entry.back_is_right)
                && some.iter().any(|entry| !entry.back_is_right)
        };
        let urgent = owned(known.iter().filter(unseen).filter(due).collect());
        if both(&urgent) {
            return urgent;
        }
        let fresh = owned(known.iter().filter(unseen).collect());
        if fresh.is_empty() { owned(known.iter().collect()) } else { fresh }
    }

    /// The scenarios by level, and as the catalogue has them within.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.sheets.len()).collect();
        order.sort_by_key(|number| (self.sheets[*number].entry.level, *number));
        order
    }

    /// The first that is due now.
    pub fn first(&self) -> Option<usize> {
        let due = self.due.iter().find(|due| due.days_left(self.today) <= 0)?;
        self.sheets.iter().position(|sheet| sheet.entry.id == due.scenario)
    }

    /// When a scenario is due, in words and as how pressing that is.
    pub fn due(&self, id: &str) -> (String, Look) {
        let known = self.due.iter().find(|due| due.scenario == id);
        match known.map(|due| due.days_left(self.today)) {
            Some(days) if days <= 0 => ("due".to_owned(), Look::Warn),
            Some(1) => ("in 1 d".to_owned(), Look::Text),
            Some(days) => (format!("in {days} d"), Look::Dim),
            None if self.lines.iter().any(|line| line.scenario == id) => {
                ("flown".to_owned(), Look::Dim)
            }
            None => ("new".to_owned(), Look::Dim),
        }
    }

    /// When a family is due, in words and as how pressing that is.
    pub fn due_of(&self, family: Family) -> (String, Look) {
        if self.due_now.iter().any(|due| due.family == family) {
            return ("due now".to_owned(), Look::Warn);
        }
        let is_of = |due: &&Due| {
            let after = self.sheets.iter().find(|sheet| sheet.entry.id == due.after);
            after.is_some_and(|sheet| sheet.entry.family.contains(&family))
        };
        match self.due.iter().filter(is_of).map(|due| due.days_left(self.today)).min() {
            Some(days) if days <= 0 => ("due".to_owned(), Look::Warn),
            Some(days) => (format!("in {days} d"), Look::Dim),
            None => (String::new(), Look::Dim),
        }
    }

    /// The columns of a scenario.
    pub fn columns(&self, number: usize) -> Row {
        let sheet = &self.sheets[number];
        let (due, look) = self.due(&sheet.entry.id);
        let points = |points: Option<u32>| points.map_or("-".to_owned(), |p| p.to_string());
        let [first, best] = [sheet.card.first_cold, sheet.card.best].map(points);
        Row::of(format!("{:>3} ", sheet.minutes), Look::Dim)
            .and(format!("{due:<8}"), look)
            .and(format!("{first:>5}{best:>5} "), Look::Text)
    }

    /// What stands at the right of the title.
    pub fn remark(&self) -> String {
        if let Some(broken) = &self.broken {
            return format!("the record is believed in part: {broken}");
        }
        let due = self.due.iter().filter(|due| due.days_left(self.today) <= 0).count();
        let mut says = format!("{} flown · {due} due", self.lines.len());
        if !self.open.is_empty() {
            let _ = write!(says, " · {} open", text::count(self.open.len() as u64, "check"));
        }
        says
    }

    /// A line of JSON for each scenario.
    pub fn json(&self) -> Result<String, Failure> {
        let mut out = String::new();
        for sheet in self.order().into_iter().map(|number| &self.sheets[number]) {
            let id = &sheet.entry.id;
            let due = self.due.iter().find(|due| due.scenario == *id);
            let line = serde_json::json!({
                "scenario": id,
                "title": sheet.title,
                "level": sheet.entry.level,
                "minutes": sheet.minutes,
                "due_in_days": due.map(|due| due.days_left(self.today)),
                "flights": sheet.card.flights,
                "first_cold": sheet.card.first_cold,
                "best": sheet.card.best,
                "abandoned": sheet.card.abandoned,
                "spoiled": sheet.card.spoiled,
                "void": sheet.card.void,
            });
            let _ = writeln!(out, "{line}");
        }
        Ok(out)
    }
}

/// The list as lines; with the record where all of it is wanted.
pub fn lines(deck: &Deck, whole: bool) -> String {
    let mut out = String::new();
    let mut level = 0;
    for number in deck.order() {
        let sheet = &deck.sheets[number];
        if sheet.entry.level != level {
            level = sheet.entry.level;
            let _ = writeln!(out, "\n{:<48}{COLUMNS}", level_words(level));
        }
        let name = format!("switchback drill {}", sheet.entry.id);
        let _ = writeln!(out, "  {name:<45} {}", deck.columns(number).plain());
    }
    if whole {
        out.push('\n');
        for row in super::record::whole(deck, 78) {
            let _ = writeln!(out, "{}", row.plain());
        }
    }
    out
}
