//! The hangar: what can be flown, what is due, and what the record says. And the way from there
//! into a drill, a deploy, a debrief or the list of past runs.
//!
//! Of a scenario that was never flown nothing is shown that would tell what is in it: its family,
//! its verdict and its answer stay closed until then. The figures are counts, medians and single
//! points; a mean of skewed times tells nobody anything.

mod deck;
mod events;
mod record;

pub use deck::catalogue;
pub use record::words as family_words;

use super::drill::{self, Sortie, lost, pages, shown};
use super::{Failure, flight, home, print, rehearse};
use crate::cli::{Global, PlanArg, RehearseArgs};
use crate::drill::blind::Session;
use crate::drill::history::seen::{self, How, SeenLine};
use crate::engine::clock::unix_ms;
use crate::plan::Overrides;
use crate::runbook::Kind;
use crate::runbook::snapshot::Drilled;
use crate::runs::Figures;
use crate::tui::hangar::board::{Board, Chosen, Item};
use crate::tui::hangar::frame::Frame;
use crate::tui::hangar::reader::Reader;
use crate::tui::hangar::rows::{Look, Row, heading, paragraph};
use crate::tui::keymap::Key;
use deck::{Deck, lines};
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The plan that a deploy from here is of.
pub const PLAN: &str = "switchback.toml";

/// Whether there is a screen to show it on.
fn has_screen(global: &Global) -> bool {
    let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    terminal && !global.plain && !global.json && !global.yes
}

/// `switchback drill`: the drills.
pub fn drills(global: &Global) -> Result<u8, Failure> {
    if has_screen(global) {
        return open(global, false);
    }
    let deck = Deck::load(global)?;
    print(if global.json { deck.json()? } else { lines(&deck, true) }.as_bytes())
}

/// `switchback` alone: drills beside deploys and past runs.
pub fn home(global: &Global) -> Result<u8, Failure> {
    if has_screen(global) { open(global, true) } else { home::home(global) }
}

/// The drills as lines.
pub fn listed(global: &Global) -> Result<String, Failure> {
    Ok(lines(&Deck::load(global)?, false))
}

/// When the way back was last drilled, for the cockpit of a deploy by this plan. A catalogue that
/// cannot be read is no reason not to deploy.
pub fn drilled(runs: &Path, kind: Kind, plan: Option<&Path>) -> Option<Drilled> {
    let plan = plan.filter(|_| kind == Kind::Deploy)?;
    events::drilled(runs, plan, || deck::catalogue().unwrap_or_default(), unix_ms())
}

/// When the plan here was last rehearsed, in words.
pub fn rehearsed(global: &Global) -> Result<String, Failure> {
    let runs = flight::home(global)?.runs;
    Ok(record::rehearsed(events::rehearsed(&runs, Path::new(PLAN))))
}

/// Draws a drill and flies it.
pub fn blind(global: &Global, seed: Option<u64>) -> Result<u8, Failure> {
    let deck = Deck::load(global)?;
    drill::drill(global, &draw(&mut session(), &deck, seed)?)
}

/// A session that hangs on a number which nobody chose.
fn session() -> Session {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Session::new(since.as_nanos() as u64 ^ u64::from(std::process::id()).rotate_left(32))
}

fn draw(session: &mut Session, deck: &Deck, seed: Option<u64>) -> Result<Sortie, Failure> {
    let drawn = session.draw(&deck.to_draw(), deck.progress.level, &deck.lines);
    let drawn = drawn.ok_or_else(|| Failure::usage("there is nothing to draw", "see --help"))?;
    Sortie::drawn(&deck.root, &drawn, seed)
}

/// What an item of the list is.
enum Place {
    Heading,
    Deploy,
    Rehearse,
    Drill(usize),
}

/// Shows the list until it is left.
fn open(global: &Global, at_home: bool) -> Result<u8, Failure> {
    let mut session = session();
    let mut chosen: Option<usize> = None;
    loop {
        let deck = Deck::load(global)?;
        let mut terminal = pages(global)?;
        let (places, items) = list(&deck, at_home);
        let side = |place: usize, columns: u16| match places.get(place) {
            Some(Place::Drill(number)) => record::of(&deck, *number, columns),
            Some(Place::Deploy) => record::deploy(columns),
            Some(Place::Rehearse) => record::rehearse(columns),
            Some(Place::Heading) | None => Vec::new(),
        };
        let keys = [
            ("Enter", "flies"),
            ("b", "blind"),
            ("d", "debrief"),
            ("p", "progress"),
            ("r", "runs"),
            ("q", "quit"),
        ];
        let remark = deck.remark();
        let title = if at_home { "controlled change, and one key back" } else { "drills" };
        let badge = if at_home { "SWITCHBACK" } else { "HANGAR" };
        let frame = Frame::new(badge, title, &remark, &keys);
        let ends =
            ['b', 'd', 'p', 'r', 'q'].map(Key::Char).into_iter().chain([Key::Enter, Key::Esc]);
        let ends: Vec<Key> = ends.collect();
        let mut board = Board::new(frame, ["What to fly", deck::COLUMNS], items, &ends, side);
        let first = places.iter().position(|place| matches!(place, Place::Drill(_)));
        board.chosen = chosen
            .or_else(|| {
                deck.first().and_then(|number| {
                    places.iter().position(|p| matches!(p, Place::Drill(n) if *n == number))
                })
            })
            .or(first)
            .unwrap_or(0);
        let next = loop {
            let Some(Chosen { place, key }) = terminal.show(&mut board).map_err(lost)? else {
                terminal.close()?;
                return Ok(0);
            };
            chosen = Some(place);
            match (key, &places[place]) {
                (Key::Enter, Place::Drill(number)) => {
                    let sortie =
                        Sortie::load(&deck.root, &deck.sheets[*number].entry.id, None, false)?;
                    break Some(Next::Drill(Box::new(sortie)));
                }
                (Key::Enter, Place::Deploy) => break Some(Next::Deploy),
                (Key::Enter, Place::Rehearse) => break Some(Next::Rehearse),
                (Key::Char('b'), _) => {
                    break Some(Next::Drill(Box::new(draw(&mut session, &deck, None)?)));
                }
                (Key::Char('p'), _) => progress(&deck, &mut terminal)?,
                (Key::Char('r'), _) => runs(global, &mut terminal)?,
                (Key::Char('d'), Place::Drill(number)) => {
                    let id = &deck.sheets[*number].entry.id;
                    match drill::last_debrief(&deck.root, &deck.lines, id) {
                        Some(mut kept) => {
                            // Read again it is fresh in mind; where that cannot be kept, it is
                            // read all the same.
                            let (scenarios, how) = (vec![id.clone()], How::Debrief);
                            let at_unix_ms = unix_ms();
                            let look = SeenLine { scenarios, how, at_unix_ms };
                            let _ = seen::note(&deck.root, &look);
                            shown::on_screen(&mut terminal, &deck.root, &mut kept)?;
                            // A check that was open may be settled now.
                            break None;
                        }
                        None => board.frame.remark = "no debrief yet: fly it first".to_owned(),
                    }
                }
                (Key::Char('q') | Key::Esc, _) => {
                    terminal.close()?;
                    return Ok(0);
                }
                _ => {}
            }
        };
        drop(board);
        terminal.close()?;
        match next {
            Some(Next::Drill(sortie)) => {
                drill::drill(global, &sortie)?;
            }
            Some(Next::Deploy) => {
                return flight::deploy(global, Path::new(PLAN), Overrides::default());
            }
            Some(Next::Rehearse) => {
                let plan = PlanArg { path: PLAN.into() };
                return rehearse::rehearse(
                    global,
                    &RehearseArgs { plan, percent: None, hold: None },
                );
            }
            None => {}
        }
    }
}

/// Where it goes on from the list.
enum Next {
    Drill(Box<Sortie>),
    Deploy,
    Rehearse,
}

/// What the record says of all flights, on a page of its own.
fn progress(deck: &Deck, pages: &mut crate::tui::hangar::Pages) -> Result<(), Failure> {
    let keys = [("Up/Down PgUp/PgDn", "scroll"), ("q", "back")];
    let frame = Frame::new("PROGRESS", "counts, medians, single points", &deck.remark(), &keys);
    let ends = [Key::Char('q'), Key::Esc, Key::Char('p'), Key::Enter];
    let rows = |columns: u16| record::whole(deck, columns.min(100));
    pages.show(&mut Reader::new(frame, &ends, rows)).map_err(lost)?;
    Ok(())
}

/// The list, and what each of its rows is.
fn list(deck: &Deck, at_home: bool) -> (Vec<Place>, Vec<Item>) {
    let (mut places, mut items) = (Vec::new(), Vec::new());
    let mut put = |place, left, right, open| {
        places.push(place);
        items.push(Item { left, right, open });
    };
    let head = |words: &str| Row::of(words, Look::Title);
    if at_home {
        put(Place::Heading, head("Deploy"), Row::empty(), false);
        if Path::new(PLAN).exists() {
            let row = Row::of(format!("  ./{PLAN}"), Look::Text);
            put(Place::Deploy, row, Row::of("opens the cockpit ", Look::Dim), true);
            let row = Row::of("  rehearse the way back", Look::Text);
            let last = format!("{} ", record::rehearsed(deck.rehearsed_unix_ms));
            put(Place::Rehearse, row, Row::of(last, Look::Dim), true);
        } else {
            let row = Row::of(format!("  no ./{PLAN} here yet"), Look::Dim);
            put(Place::Heading, row, Row::empty(), false);
        }
    }
    let mut level = 0;
    for number in deck.order() {
        let sheet = &deck.sheets[number];
        if sheet.entry.level != level {
            level = sheet.entry.level;
            put(Place::Heading, head(deck::level_words(level)), Row::empty(), false);
        }
        let left = Row::of(format!("  {}", sheet.title), Look::Text);
        put(Place::Drill(number), left, deck.columns(number), true);
    }
    (places, items)
}

/// The list of past runs, the newest first.
fn runs(global: &Global, pages: &mut crate::tui::hangar::Pages) -> Result<(), Failure> {
    let home = flight::home(global)?;
    let all = super::runs::listed(&home)?;
    let (lines, fault) = crate::runs::index::read(&home.runs);
    let figures = Figures::of(&lines, fault.as_ref(), &all).paragraph();
    let frame = Frame::new(
        "RUNS",
        "past runs, the newest first",
        "switchback replay RUN plays one",
        &[("Up/Down PgUp/PgDn", "scroll"), ("q", "back")],
    );
    let rows = |columns: u16| {
        let mut out: Vec<Row> =
            all.iter().rev().map(|run| Row::of(super::runs::line(run), Look::Text)).collect();
        if out.is_empty() {
            out.push(Row::of("none yet", Look::Dim));
        }
        if !figures.is_empty() {
            heading(&mut out, "Figures");
            for line in figures.lines() {
                out.extend(paragraph(Row::empty(), line, Look::Text, columns));
            }
        }
        out
    };
    let ends = [Key::Char('q'), Key::Esc, Key::Char('r'), Key::Enter];
    pages.show(&mut Reader::new(frame, &ends, rows)).map_err(lost)?;
    Ok(())
}
