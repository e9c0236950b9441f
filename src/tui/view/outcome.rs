//! The one thing that is large: the way back while it runs and when it is done, and how a run
//! ended.
//!
//! ```text
//! ╭ Rollback ───────────────────────────────────────── 5xx tripped on Green ╮
//! │   ████ █▀▀█ █    █    ▀█▀ █▄ █ █▀▀▀   …                          412 ms │
//! │   ✔ router at Blue            0.4 ms                                    │
//! │   … first answer from Blue    waiting                                   │
//! ```
//!
//! The four stamps are always the same four, in the same words and order.

use crate::runbook::Tone;
use crate::runbook::effect::{Finish, RunOutcome};
use crate::runbook::snapshot::{RollbackView, Stamp, StampState};
use crate::text;
use crate::tui::screen::Seen;
use crate::tui::widget::ink::{Ink, width};
use crate::tui::widget::wrap::{parts, wrapped};
use crate::tui::widget::{big, panel};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Whether there is something large to show.
pub const fn is_due(seen: &Seen<'_>) -> bool {
    seen.snapshot.rollback.is_some() || seen.snapshot.finish.is_some()
}

/// Rows that it takes.
pub fn rows(ink: &Ink<'_>, seen: &Seen<'_>) -> u16 {
    let mut rows = 2 + 1 + big::rows(ink.ascii()) + 1;
    if let Some(rollback) = &seen.snapshot.rollback {
        rows += 1 + Stamp::ALL.len() as u16;
        rows += u16::from(rollback.trouble.is_some());
    }
    if let Some(finish) = &seen.snapshot.finish {
        let columns = ink.area().width.saturating_sub(6);
        let says = wrapped(&finish_words(finish), columns).len();
        rows += u16::try_from(says).unwrap_or(1);
        rows += u16::try_from(seen.snapshot.owed.len()).unwrap_or(0);
    }
    rows
}

/// Draws the panel.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let (words, style) = headline(seen);
    let theme = seen.theme;
    let inner = panel::framed(ink, area, style);
    let rollback = seen.snapshot.rollback.as_ref();
    let why = rollback.map_or("", |rollback| rollback.why.as_str());
    let title = if rollback.is_some() { "Rollback" } else { "The run is over" };
    // As many whole parts of the reason as there is room for: the log has all of them.
    let room = area.width.saturating_sub(width(title) + 8);
    panel::head(ink, area, &[(title, theme.title)], (parts(why, room), theme.text));
    let letters =
        Rect::new(inner.x + 2, inner.y + 1, inner.width.saturating_sub(4), 5).intersection(inner);
    let took = rollback.and_then(|rollback| elapsed(rollback, seen));
    if big::width(words) <= letters.width {
        big::write(ink, letters, words, style);
        if let Some(took) = took {
            let x = letters.x + big::width(words) + 4;
            let room = Rect { x, width: letters.right().saturating_sub(x), ..letters };
            let time = large_time(took);
            if big::width(&time) <= room.width {
                big::write(ink, room, &time, theme.title);
            }
        }
    } else {
        ink.text(letters, letters.x, letters.y, words, style);
    }
    let under = letters.y - inner.y + big::rows(ink.ascii()) + 1;
    let rows = Rect { y: inner.y + under, height: inner.height.saturating_sub(under), ..inner };
    let mut row = 0;
    if let Some(rollback) = rollback {
        row = stamps(ink, rows, rollback, took, seen);
    }
    if let Some(finish) = &seen.snapshot.finish {
        let words = finish_words(finish);
        for line in wrapped(&words, rows.width.saturating_sub(4)) {
            ink.line(rows, row).gap(2).say(line, theme.title);
            row += 1;
        }
        for (i, owed) in seen.snapshot.owed.iter().enumerate() {
            let at = row + i as u16;
            ink.line(rows, at).gap(2).say(&format!("still owed: {owed}"), theme.warn);
        }
    }
}

/// The word that is large, and how it looks.
fn headline(seen: &Seen<'_>) -> (&'static str, Style) {
    let theme = seen.theme;
    let outcome = seen.snapshot.finish.as_ref().map(|finish| finish.outcome);
    match (outcome, &seen.snapshot.rollback) {
        (_, Some(rollback)) if !rollback.verified && outcome.is_some() => {
            ("NOT VERIFIED", theme.bad)
        }
        // The router was at Blue once, and that is not the end of it: the large words must not
        // say more than the line above them.
        (None, Some(rollback)) if rollback.verified && seen.snapshot.headline.tone == Tone::Bad => {
            let away = seen.snapshot.traffic.moved_by_others;
            (if away { "MOVED AWAY" } else { "BLUE IS DOWN" }, theme.bad)
        }
        (_, Some(rollback)) => match (rollback.verified, rollback.abandoned) {
            (false, false) => ("ROLLING BACK", theme.warn),
            (true, false) => ("BACK ON BLUE", theme.blue),
            (false, true) => ("ABANDONING", theme.warn),
            (true, true) => ("ABANDONED", theme.blue),
        },
        (Some(RunOutcome::Kept), None) => ("KEPT", theme.good),
        (Some(RunOutcome::RolledBack), None) => ("BACK ON BLUE", theme.blue),
        (Some(RunOutcome::Abandoned), None) => ("ABANDONED", theme.blue),
        (Some(RunOutcome::Interrupted), None) => ("INTERRUPTED", theme.warn),
        (Some(RunOutcome::Failed), None) => ("FAILED", theme.bad),
        (None, None) => ("", theme.text),
    }
}

/// The time that runs until the router is read at Blue, then the time that it took, in
/// microseconds.
fn elapsed(rollback: &RollbackView, seen: &Seen<'_>) -> Option<u64> {
    match (&rollback.stamps[0], rollback.verified) {
        (StampState::After(us), _) => Some(*us),
        (_, false) => Some(seen.now.since(rollback.began).0 * 1_000),
        _ => None,
    }
}

/// A time in large letters: in milliseconds as long as they can be read.
fn large_time(us: u64) -> String {
    match us {
        0..=9_949 => format!("{:.1} MS", us as f64 / 1_000.0),
        9_950..=9_999_499 => format!("{} MS", (us + 500) / 1_000),
        _ => format!("{} S", us / 1_000_000),
    }
}

fn stamps(
    ink: &mut Ink<'_>,
    rows: Rect,
    rollback: &RollbackView,
    took: Option<u64>,
    seen: &Seen<'_>,
) -> u16 {
    let theme = seen.theme;
    let mut pen = ink.line(rows, 0);
    pen.gap(2);
    if rollback.verified {
        pen.say("router read at Blue", theme.good);
    } else {
        pen.say(&format!("attempt {}", rollback.attempt.max(1)), theme.warn);
    }
    if let Some(us) = took {
        pen.say(&format!(" · {}", text::micros(us)), theme.title);
    }
    let mut row = 1;
    if let Some(trouble) = &rollback.trouble {
        ink.line(rows, row).gap(2).say(&format!("▲ {trouble}"), theme.bad);
        row += 1;
    }
    for (words, style) in stamp_lines(seen) {
        ink.line(rows, row).gap(2).say(&words, style);
        row += 1;
    }
    row
}

fn finish_words(finish: &Finish) -> String {
    format!("exit {} · {}", finish.exit, finish.says)
}

/// The four stamps, a line each, in the words of every size.
pub fn stamp_lines(seen: &Seen<'_>) -> Vec<(String, Style)> {
    let theme = seen.theme;
    let stamps = seen.snapshot.rollback.iter().flat_map(|rollback| &rollback.stamps);
    Stamp::ALL
        .iter()
        .zip(stamps)
        .map(|(stamp, state)| {
            let (mark, words, style) = match state {
                StampState::Waiting => ('…', "waiting".to_owned(), theme.text),
                StampState::After(0) if *stamp == Stamp::LastFromGreen => {
                    ('✔', Stamp::NONE_SINCE.to_owned(), theme.good)
                }
                StampState::Not(why) if why == Stamp::NONE_SINCE => ('✔', why.clone(), theme.good),
                StampState::After(us) => ('✔', text::micros(*us), theme.good),
                StampState::Not(why) => ('?', format!("cannot be had: {why}"), theme.unknown),
            };
            (format!("{mark} {:<24} {words}", stamp.words()), style)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_time_has_no_letter_that_cannot_be_written() {
        for (us, words) in [
            (0, "0.0 MS"),
            (412, "0.4 MS"),
            (9_949, "9.9 MS"),
            (412_000, "412 MS"),
            (9_999_000, "9999 MS"),
            (12_400_000, "12 S"),
        ] {
            assert_eq!(large_time(us), words);
            assert!(words.chars().all(|ch| ch == ' ' || big::has(ch)));
        }
    }
}
