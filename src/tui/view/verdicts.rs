//! The limits in full: each with everything that its verdict was made of.
//!
//! ```text
//!          verdict          counted              limit         tolerance    luck      Blue      needed
//!  5xx     TRIPPING 0:05    13 of 312 (4.2 %)    2 % for 2m    13 of 6.2    1:4000    <0.2 %    312 of ~24
//! ```
//!
//! Where there is no room for the columns, a limit takes two rows. What the words mean stands
//! below, for nobody remembers it at two in the morning.

use super::limits;
use crate::plan::Signal;
use crate::signal::{Judgement, Verdict};
use crate::text;
use crate::tui::screen::{Scrolled, Seen};
use crate::tui::theme::Theme;
use crate::tui::widget::ink::Ink;
use crate::tui::widget::panel;
use crate::tui::widget::wrap::wrapped;
use crate::units::Role;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Columns inside the panel from which a limit takes one row.
const WIDE: u16 = 116;

/// What the words mean. A release goes back where three things are so at once.
const MEANING: [&str; 6] = [
    "A limit trips where its tolerance is used up, it is no luck, and it still happens.",
    "quiet now: its tolerance is used up, and it was not above the limit in the last 10 s",
    "tolerance: failures that count, of those that the limit allows; (3/4): parts of its time over it",
    "luck 1:N: a Green no worse than Blue looks like this once in N watches; proved at 1:100",
    "Blue: what it normally does, at most; where both slots suffer nothing goes back by itself",
    "needed: requests after which a bad release would have shown",
];

/// One row: its words with their looks, each at its column.
type Row = Vec<(u16, String, Style)>;

/// Rows that all of it takes inside the panel.
pub fn rows(seen: &Seen<'_>, width: u16) -> u16 {
    u16::try_from(lines(seen, width.saturating_sub(2)).len()).unwrap_or(u16::MAX)
}

/// Draws the panel.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) -> Scrolled {
    let theme = seen.theme;
    let inner = panel::frame(ink, area, theme);
    let lines = lines(seen, inner.width);
    let page = usize::from(inner.height);
    let start = seen.scene.ui.scroll.min(lines.len().saturating_sub(page));
    let title = format!("Limits on {}", seen.snapshot.limits_on);
    let judged = match seen.snapshot.limits_at {
        _ if limits::is_over(seen) => String::new(),
        Some(at) => format!("judged {} ago", text::age(seen.now.since(at))),
        None => "not judged yet".to_owned(),
    };
    let remark = match start + page < lines.len() {
        true => format!("{judged} · {} more below: Down", lines.len() - start - page),
        false => judged,
    };
    panel::head(ink, area, &[(&title, theme.title)], (&remark, theme.dim));
    for (row, line) in lines.iter().skip(start).take(page).enumerate() {
        for (i, (column, words, style)) in line.iter().enumerate() {
            // A word ends before the next begins.
            let end = line.get(i + 1).map_or(inner.width, |(next, ..)| next.saturating_sub(1));
            let end = end.min(inner.width);
            let x = inner.x + column.min(&inner.width);
            let room = Rect::new(x, inner.y, (inner.x + end).saturating_sub(x), inner.height);
            ink.text(room, x, inner.y + row as u16, words, *style);
        }
    }
    Scrolled { lines: lines.len(), page }
}

fn lines(seen: &Seen<'_>, width: u16) -> Vec<Row> {
    let theme = seen.theme;
    if limits::is_over(seen) {
        return vec![vec![(1, limits::OVER.to_owned(), theme.dim)]];
    }
    if seen.snapshot.limits.is_empty() {
        return vec![vec![(1, "nothing is judged yet".to_owned(), theme.unknown)]];
    }
    let mut rows = Vec::new();
    if width >= WIDE {
        let heads = ["", "verdict", "counted", "limit", "tolerance", "luck", "Blue", "needed"];
        let head = COLUMNS.iter().zip(heads);
        rows.push(head.map(|(column, word)| (*column, word.to_owned(), theme.dim)).collect());
    }
    for judgement in &seen.snapshot.limits {
        if width >= WIDE {
            rows.push(one_row(judgement, seen));
        } else {
            rows.extend(two_rows(judgement, seen, width));
        }
    }
    rows.push(Vec::new());
    for line in MEANING {
        let broken = wrapped(line, width.saturating_sub(2));
        rows.extend(broken.into_iter().map(|words| vec![(1, words.to_owned(), theme.dim)]));
    }
    rows
}

/// Where the columns of one row begin.
const COLUMNS: [u16; 8] = [1, 9, 28, 48, 64, 81, 92, 103];

fn one_row(judgement: &Judgement, seen: &Seen<'_>) -> Row {
    let theme = seen.theme;
    let facts = facts(judgement, theme, seen.snapshot.limits_on);
    let words = [
        (judgement.signal().label().to_owned(), theme.title),
        (limits::verdict(judgement, seen), limits::style(judgement, theme)),
        (counted(judgement, seen), theme.text),
        (bound(judgement), theme.text),
    ];
    // The column is called luck.
    let bare = |words: String| words.strip_prefix("luck ").map(str::to_owned).unwrap_or(words);
    let all = words.into_iter().chain(facts.map(|(_, words, style)| (bare(words), style)));
    COLUMNS.iter().zip(all).map(|(column, (words, style))| (*column, words, style)).collect()
}

/// A limit, and below it what its verdict was made of.
fn two_rows(judgement: &Judgement, seen: &Seen<'_>, width: u16) -> Vec<Row> {
    let theme = seen.theme;
    let first = vec![
        (1, judgement.signal().label().to_owned(), theme.title),
        (9, limits::verdict(judgement, seen), limits::style(judgement, theme)),
        (28, counted(judgement, seen), theme.text),
        (width.saturating_sub(30).max(48), bound(judgement), theme.text),
    ];
    let facts = facts(judgement, theme, seen.snapshot.limits_on);
    let told: Vec<String> = facts
        .into_iter()
        .filter(|(_, words, _)| words != NONE)
        .map(|(name, words, _)| match name {
            "luck" => words,
            "needed" => format!("{words} needed"),
            _ => format!("{name} {words}"),
        })
        .collect();
    if told.is_empty() {
        return vec![first];
    }
    vec![first, vec![(5, told.join(" · "), theme.dim)]]
}

/// What there is no number for.
const NONE: &str = "-";

/// Tolerance, luck, Blue and how many are needed; what is not told is a dash, never a zero.
fn facts(judgement: &Judgement, theme: &Theme, on: Role) -> [(&'static str, String, Style); 4] {
    let dim = |name, words: Option<String>| match words {
        Some(words) => (name, words, theme.text),
        None => (name, NONE.to_owned(), theme.dim),
    };
    if judgement.limit.literal {
        let literal = judgement
            .trips_in
            .filter(|_| judgement.verdict == Verdict::Tripping)
            .map(|left| format!("over {}", text::clock(judgement.limit.hold.since(left))));
        return [
            dim("tolerance", literal),
            dim("luck", Some("luck not told".to_owned())),
            dim("Blue", None),
            dim("needed", judgement.seen_words()),
        ];
    }
    let tolerance = judgement.used_words().map(|used| match judgement.parts {
        Some((over, of)) if of > 1 => format!("{used} ({over}/{of})"),
        _ => used,
    });
    let normal = match (on, judgement.blue) {
        (Role::Blue, _) => None,
        (Role::Green, Some(blue)) => Some(format!("{} of {}", blue.bad, blue.of)),
        (Role::Green, None) => judgement
            .normal
            .map(|_| judgement.normal_words().unwrap_or_else(|| "unknown".to_owned())),
    };
    [
        dim("tolerance", tolerance),
        dim("luck", judgement.luck_words()),
        dim("Blue", normal),
        dim("needed", judgement.seen_words()),
    ]
}

fn bound(judgement: &Judgement) -> String {
    format!("{} for {}", judgement.limit.above, judgement.limit.hold)
}

/// The counts, with their share and whose they are.
fn counted(judgement: &Judgement, seen: &Seen<'_>) -> String {
    if seen.snapshot.limits_at.is_none() && judgement.verdict != Verdict::NotDeclared {
        return NONE.to_owned();
    }
    let counts = judgement.counts();
    match (judgement.signal(), judgement.value) {
        (Signal::LatencyP95, Some(_)) if judgement.of > 0 && counts.ends_with('s') => {
            format!("{counts}, {} of {}", judgement.bad, judgement.of)
        }
        (Signal::LatencyP95 | Signal::QueueDepth, _) => counts,
        (_, Some(share)) if judgement.bad > 0 => format!("{counts} ({})", text::percent(share)),
        _ => counts,
    }
}
