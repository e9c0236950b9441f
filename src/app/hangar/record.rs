//! What the record says: of one scenario, and of all flights together.

use super::deck::Deck;
use crate::drill::history::{self, Calls, MarkOf, Standing, Trend};
use crate::drill::score::Grade;
use crate::lab::scenario::Family;
use crate::tui::hangar::rows::{Look, Row, heading, paragraph};

/// Below this many columns the situation is told in the brief alone.
const NARROW: u16 = 40;
/// Points of a trend that have room in a line.
const POINTS: usize = 6;

const FAMILIES: [(Family, &str); 11] = [
    (Family::Gate, "gate"),
    (Family::Loud, "loud"),
    (Family::Restraint, "restraint"),
    (Family::Attribution, "whose error"),
    (Family::OffHttp, "off HTTP"),
    (Family::SlowBurn, "slow burn"),
    (Family::WayBack, "way back"),
    (Family::SharedFate, "shared fate"),
    (Family::EndGame, "end game"),
    (Family::Data, "data"),
    (Family::Blind, "instruments"),
];

fn words(family: Family) -> &'static str {
    FAMILIES.iter().find(|(known, _)| *known == family).map_or("?", |(_, words)| words)
}

/// What is said of the plan here.
pub fn deploy(columns: u16) -> Vec<Row> {
    let text = "Opens the cockpit on ./switchback.toml. Nothing moves before a gate is open and \
                you say so. `switchback check` first reads it and reaches everything it names.";
    paragraph(Row::empty(), text, Look::Text, columns)
}

/// What is said of a scenario, and of all flights below it.
pub fn of(deck: &Deck, number: usize, columns: u16) -> Vec<Row> {
    let sheet = &deck.sheets[number];
    let card = &sheet.card;
    let mut out = paragraph(Row::empty(), &sheet.title, Look::Title, columns);
    if columns >= NARROW {
        out.extend(paragraph(Row::empty(), &sheet.brief, Look::Text, columns));
    }
    let (due, look) = deck.due(&sheet.entry.id);
    out.push(
        Row::of(format!("{} min · level {} · ", sheet.minutes, sheet.entry.level), Look::Dim)
            .and(due, look),
    );
    if card.flights == 0 {
        let text = "Never flown: what it trains is told after the first flight.";
        out.extend(paragraph(Row::empty(), text, Look::Dim, columns));
    } else {
        let family: Vec<_> = sheet.entry.family.iter().map(|family| words(*family)).collect();
        out.extend(paragraph(
            Row::of("trains ", Look::Dim),
            &family.join(", "),
            Look::Text,
            columns,
        ));
        let points = |points: Option<u32>| points.map_or("-".to_owned(), |p| p.to_string());
        let mut text = format!(
            "first cold {} · best {} · flown {}",
            points(card.first_cold),
            points(card.best),
            card.flights
        );
        for (count, what) in [(card.abandoned, "abandoned"), (card.spoiled, "spoiled")] {
            if count > 0 {
                text.push_str(&format!(" · {count} {what}"));
            }
        }
        out.extend(paragraph(Row::empty(), &text, Look::Text, columns));
    }
    out.extend(whole(deck, columns));
    out
}

/// What is said of all flights together.
pub fn whole(deck: &Deck, columns: u16) -> Vec<Row> {
    let lines = &deck.lines;
    let mut out = vec![Row::empty()];
    if lines.is_empty() {
        let text = "No flight is on the record yet. First cold flights are the record; repeats \
                    within 30 days are rehearsals, and stay visible.";
        out.extend(paragraph(Row::empty(), text, Look::Dim, columns));
        return out;
    }
    table(&mut out, history::calls(lines));
    trend(&mut out, "noticed", &history::trend(lines, |line| line.detect_par), columns);
    trend(&mut out, "called", &history::trend(lines, |line| line.decide_par), columns);
    for (said, right, all) in history::calibration(lines) {
        out.push(Row::of(format!("said {said:>3} %: right {right} of {all}"), Look::Text));
    }
    heading(&mut out, "By family, the last eight");
    for (family, words) in FAMILIES {
        let marks = history::marks(lines, family);
        if marks.is_empty() {
            continue;
        }
        let mut row = Row::of(format!("{words:<12}"), Look::Text);
        for mark in &marks {
            row = row.and(sign(mark), look(mark.grade)).and(" ", Look::Text);
        }
        if let Some(day) = crate::drill::due::last_flown(lines, family) {
            row = row.and(ago(deck.today - day), Look::Dim);
        }
        out.push(row);
    }
    let key = "● clean or pass  ✖ fail  ▲ grave  ○ not cold  - abandoned or void";
    out.extend(paragraph(Row::empty(), key, Look::Dim, columns));
    out
}

fn ago(days: i64) -> String {
    match days {
        ..=0 => "today".to_owned(),
        1 => "1 day ago".to_owned(),
        days => format!("{days} days ago"),
    }
}

fn table(out: &mut Vec<Row>, calls: Calls) {
    heading(out, "Going back, in cold flights");
    let cell = |count: u32, what: &str| format!("{:<10}", format!("{count} {what}"));
    out.push(Row::of(format!("{:<7}{:<10}{}", "", "was right", "was wrong"), Look::Dim));
    out.push(
        Row::of(format!("{:<7}", "back"), Look::Dim)
            .and(cell(calls.hits, "hits"), Look::Good)
            .and(cell(calls.false_alarms, "false"), Look::Warn),
    );
    out.push(
        Row::of(format!("{:<7}", "stayed"), Look::Dim)
            .and(cell(calls.misses, "missed"), Look::Bad)
            .and(cell(calls.passes, "passes"), Look::Good),
    );
}

/// A median, the one before, and single points; never a mean.
fn trend(out: &mut Vec<Row>, what: &str, trend: &Trend, columns: u16) {
    let Some(now) = trend.now else { return };
    let before = trend.before.map_or_else(String::new, |before| format!(", before {before:.1}"));
    let from = trend.points.len().saturating_sub(POINTS);
    let points: Vec<String> = trend.points[from..].iter().map(|p| format!("{p:.1}")).collect();
    let text = format!("median {now:.1} x par{before} ({})", points.join(" "));
    out.extend(paragraph(Row::of(format!("{what} "), Look::Dim), &text, Look::Text, columns));
}

const fn sign(mark: &MarkOf) -> &'static str {
    match (mark.grade, mark.standing) {
        (Grade::Abandoned | Grade::Void, _) => "-",
        (_, Standing::Rehearsal | Standing::Replay) => "○",
        (Grade::Clean | Grade::Pass, _) => "●",
        (Grade::Fail, _) => "✖",
        (Grade::Critical, _) => "▲",
    }
}

const fn look(grade: Grade) -> Look {
    match grade {
        Grade::Clean => Look::Good,
        Grade::Pass => Look::Text,
        Grade::Fail | Grade::Critical => Look::Bad,
        Grade::Abandoned | Grade::Void => Look::Unknown,
    }
}
