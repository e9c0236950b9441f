//! What the record says: of one scenario, and of all flights together.

use super::deck::Deck;
use crate::drill::due;
use crate::drill::history::sense::{self, Figure};
use crate::drill::history::{self, Calls, HistoryLine, MarkOf, Standing, Trend, seen};
use crate::drill::score::Grade;
use crate::engine::clock::unix_ms;
use crate::lab::scenario::Family;
use crate::text;
use crate::tui::hangar::rows::{Look, Row, heading, paragraph};

/// Below this many columns the situation is told in the brief alone.
const NARROW: u16 = 40;
/// Points of a trend that have room in a line.
const POINTS: usize = 6;
/// From so many columns on all points have.
const WIDE: u16 = 70;
const DAY_MS: i64 = 86_400_000;

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

/// What a family is called on the screen.
pub fn words(family: Family) -> &'static str {
    FAMILIES.iter().find(|(known, _)| *known == family).map_or("?", |(_, words)| words)
}

/// What is said of the plan here.
pub fn deploy(columns: u16) -> Vec<Row> {
    let text = "Opens the cockpit on ./switchback.toml. Nothing moves before a gate is open and \
                you say so. `switchback check` first reads it and reaches everything it names.";
    paragraph(Row::empty(), text, Look::Text, columns)
}

/// What is said of a rehearsal.
pub fn rehearse(columns: u16) -> Vec<Row> {
    let text = "A no-change rollback on the router of ./switchback.toml, timed: both slots run the \
                same release, a small share of users goes to Green, and r takes it back. It asks \
                before anything moves. A drill shows the operator; this shows the road.";
    paragraph(Row::empty(), text, Look::Text, columns)
}

/// When it was last rehearsed, in words.
pub fn rehearsed(at_unix_ms: Option<i64>) -> String {
    let Some(at) = at_unix_ms else { return "never rehearsed".to_owned() };
    format!("last {}", ago(unix_ms().div_euclid(DAY_MS) - at.div_euclid(DAY_MS)))
}

/// What is said of a scenario, and of all flights below it.
pub fn of(deck: &Deck, number: usize, columns: u16) -> Vec<Row> {
    let sheet = &deck.sheets[number];
    let card = &sheet.card;
    let mut out = paragraph(Row::empty(), &sheet.title, Look::Title, columns);
    // The brief is not here: it would tell a blind one by its first words.
    let (due, look) = deck.due(&sheet.entry.id);
    out.push(
        Row::of(format!("{} min · level {} · ", sheet.minutes, sheet.entry.level), Look::Dim)
            .and(due, look),
    );
    // One that was left was never debriefed.
    if card.flights == card.abandoned {
        let text = "Never flown to its end: what it trains is told after the first debrief.";
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
        let besides =
            [(card.abandoned, "abandoned"), (card.spoiled, "spoiled"), (card.void, "void")];
        for (count, what) in besides {
            if count > 0 {
                text.push_str(&format!(" · {count} {what}"));
            }
        }
        out.extend(paragraph(Row::empty(), &text, Look::Text, columns));
    }
    if let Some(look) = seen::spoils(&deck.seen, &sheet.entry.id, deck.today * DAY_MS) {
        let day = text::utc(look.at_unix_ms);
        let day = day.get(..10).unwrap_or(&day);
        let text = format!("You have seen its answer on {day}, {}.", look.how.words());
        out.extend(paragraph(Row::empty(), &text, Look::Warn, columns));
    }
    out.push(Row::empty());
    out.extend(whole(deck, columns));
    out
}

/// What is said of all flights together, and of what waits.
pub fn whole(deck: &Deck, columns: u16) -> Vec<Row> {
    let lines = &deck.lines;
    let mut out = Vec::new();
    waiting(&mut out, deck, columns);
    if lines.is_empty() {
        let text = "No flight is on the record yet. First cold flights are the record; repeats \
                    within 30 days are rehearsals, and stay visible.";
        out.extend(paragraph(Row::empty(), text, Look::Dim, columns));
        return out;
    }
    let calls = history::calls(lines);
    table(&mut out, calls);
    sensed(&mut out, &calls, columns);
    let mut times = Vec::new();
    trend(&mut times, "noticed", &history::trend(lines, |line| line.detect_par), columns);
    trend(&mut times, "called", &history::trend(lines, |line| line.decide_par), columns);
    for (said, right, all) in history::calibration(lines) {
        times.push(Row::of(format!("you said {said} %: right {right} of {all}"), Look::Text));
    }
    if !times.is_empty() {
        heading(&mut out, "Times, in cold flights");
        out.extend(times);
    }
    families(&mut out, deck, columns);
    besides(&mut out, lines, columns);
    out
}

/// What waits for the operator: checks, families that are due now, the next level.
fn waiting(out: &mut Vec<Row>, deck: &Deck, columns: u16) {
    if !deck.due_now.is_empty() {
        heading(out, "Due now (b draws)");
        for due in &deck.due_now {
            let age = deck.today - due.happened.at_unix_ms.div_euclid(DAY_MS);
            let text = format!("{}, {}", due.happened.why.words(), ago(age));
            let lead = Row::of(format!("{:<12}", words(due.family)), Look::Warn);
            out.extend(paragraph(lead, &text, Look::Text, columns));
        }
    }
    if !deck.open.is_empty() {
        heading(out, "Open checks (d asks again)");
        for open in &deck.open {
            let look = if open.left < 0 { Look::Warn } else { Look::Dim };
            let says = format!("{}: {}", open.title, open.says());
            out.extend(paragraph(Row::empty(), &says, look, columns));
            out.extend(paragraph(Row::of("  ", Look::Text), &open.check, Look::Text, columns));
        }
    }
    if let Some(wants) = deck.progress.wants().filter(|_| !deck.lines.is_empty()) {
        heading(out, "The next level");
        out.extend(paragraph(Row::empty(), &wants, Look::Text, columns));
    }
}

/// The last eight of each family, when it was last flown, and when it is due.
fn families(out: &mut Vec<Row>, deck: &Deck, columns: u16) {
    heading(out, "By family, the last eight");
    let wide = columns >= NARROW;
    for (family, words) in FAMILIES {
        let marks = history::marks(&deck.lines, family);
        if marks.is_empty() {
            continue;
        }
        let mut row = Row::of(format!("{words:<12}"), Look::Text);
        for mark in &marks {
            row =
                row.and(sign(mark), look(mark.grade)).and(if wide { " " } else { "" }, Look::Text);
        }
        let gap = " ".repeat((history::MARKS - marks.len()) * if wide { 2 } else { 1 } + 1);
        let last = due::last_flown(&deck.lines, family).map_or_else(String::new, |day| {
            let days = deck.today - day;
            if days <= 0 {
                "today".to_owned()
            } else {
                if wide { format!("{days} d ago") } else { format!("{days} d") }
            }
        });
        let (next, look) = deck.due_of(family);
        row = row.and(format!("{gap}{last:<10}"), Look::Dim).and(next, look);
        out.push(row);
    }
    let key = "● clean  • pass  ✖ fail  ▲ grave  ○ not cold  s spoiled  - left, or void";
    out.extend(paragraph(Row::empty(), key, Look::Dim, columns));
}

/// What sets no record and is shown all the same.
fn besides(out: &mut Vec<Row>, lines: &[HistoryLine], columns: u16) {
    let count = |which: fn(&HistoryLine) -> bool| lines.iter().filter(|line| which(line)).count();
    let kinds = [
        (count(|line| line.counts()), "cold"),
        (count(|line| line.is_practice() && line.standing != Standing::Cold), "rehearsed"),
        (count(|line| line.grade == Grade::Abandoned), "abandoned, or killed in flight"),
        (count(|line| line.grade == Grade::Void), "void (paused, or unsteady)"),
        (count(|line| line.spoiled), "spoiled"),
        (count(|line| line.hints > 0), "with hints"),
    ];
    let told: Vec<String> =
        kinds.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let text = format!("All flights: {}.", told.join(" · "));
    out.extend(paragraph(Row::empty(), &text, Look::Dim, columns));
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
    // What did not happen is no news, good or bad.
    let cell = |count: u32, what: &str, look| {
        let look = if count == 0 { Look::Dim } else { look };
        let end = match (count, what.ends_with('s')) {
            (1, _) => "",
            (_, true) => "es",
            (_, false) => "s",
        };
        (format!("{:<14}", format!("{count} {what}{end}")), look)
    };
    let row = |name: &str, cells: [(String, Look); 2]| {
        let lead = Row::of(format!("{name:<7}"), Look::Dim);
        cells.into_iter().fold(lead, |row, (text, look)| row.and(text, look))
    };
    out.push(Row::of(format!("{:<7}{:<14}{}", "", "it was right", "it was wrong"), Look::Dim));
    let hits = cell(calls.hits, "hit", Look::Good);
    out.push(row("back", [hits, cell(calls.false_alarms, "false alarm", Look::Warn)]));
    let missed = cell(calls.misses, "miss", Look::Bad);
    out.push(row("stayed", [missed, cell(calls.passes, "pass", Look::Good)]));
}

/// How well bad is told from good, from twelve flights on.
fn sensed(out: &mut Vec<Row>, calls: &Calls, columns: u16) {
    let all = calls.hits + calls.misses + calls.false_alarms + calls.passes;
    let Some(sense) = sense::of(calls) else {
        let text = if all < sense::GRADED {
            let from = sense::GRADED;
            format!(
                "How well you tell them apart is said from {from} cold flights on; so far {all}."
            )
        } else {
            "How well you tell them apart is said when both kinds were flown.".to_owned()
        };
        out.extend(paragraph(Row::empty(), &text, Look::Dim, columns));
        return;
    };
    let told =
        |figure: Figure| format!("{:.1} ({:.1} to {:.1})", figure.is, figure.from, figure.to);
    let leans = match sense.leans {
        Figure { to, .. } if to < 0.0 => "you go back too readily",
        Figure { from, .. } if from > 0.0 => "you go back too late",
        _ => "to neither side, as far as can be said",
    };
    let text = format!("{}; 0 is guessing, 2 is good", told(sense.apart));
    out.extend(paragraph(Row::of("apart d' ", Look::Dim), &text, Look::Text, columns));
    let text = format!("{}; {leans}", told(sense.leans));
    out.extend(paragraph(Row::of("leans c  ", Look::Dim), &text, Look::Text, columns));
}

/// A median, the one before, and single points; never a mean.
fn trend(out: &mut Vec<Row>, what: &str, trend: &Trend, columns: u16) {
    let Some(now) = trend.now else { return };
    let before = trend.before.map_or_else(String::new, |before| format!(", before {before:.1}"));
    let room = if columns >= WIDE { trend.points.len() } else { POINTS };
    let from = trend.points.len().saturating_sub(room);
    let points: Vec<String> = trend.points[from..].iter().map(|p| format!("{p:.1}")).collect();
    let text = format!("median {now:.1} x par{before} ({})", points.join(" "));
    out.extend(paragraph(Row::of(format!("{what} "), Look::Dim), &text, Look::Text, columns));
}

const fn sign(mark: &MarkOf) -> &'static str {
    match (mark.grade, mark.standing) {
        (Grade::Abandoned | Grade::Void, _) => "-",
        _ if mark.spoiled => "s",
        (_, Standing::Rehearsal | Standing::Replay) => "○",
        (Grade::Clean, _) => "●",
        (Grade::Pass, _) => "•",
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
