//! What each limit says: its counts, the limit itself, and the verdict in words.
//!
//! ```text
//! ╭ Limits on Green ─────────────────────╮
//! │ 5xx      1 of 312   2 % for 2m   ok  │
//! │ 4xx       4 of 9     too few 9 of 24 │
//! │ queue    not declared                │
//! ```
//!
//! The numbers are those of the last evaluation, which there is one of every 5 s. Where there is no room for all of a row the bound goes: it stands in the plan, the verdict does
//! not. A wide panel has room for every word.

use crate::plan::Signal;
use crate::signal::{Judgement, Verdict};
use crate::text;
use crate::tui::screen::Seen;
use crate::tui::theme::Theme;
use crate::tui::widget::ink::{Ink, width};
use crate::tui::widget::panel;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Rows that the limits take inside a panel.
pub fn rows(seen: &Seen<'_>) -> u16 {
    u16::try_from(seen.snapshot.limits.len()).unwrap_or(u16::MAX).clamp(1, 12)
}

/// Columns inside a panel in which every word of every row has room.
const ROOMY: u16 = 58;
/// Columns that a row takes at most: what is apart is not read together.
const WIDEST: u16 = 66;

/// Draws the panel.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let (snapshot, theme) = (seen.snapshot, seen.theme);
    let inner = panel::frame(ink, area, theme);
    // Health is of probes always, and nobody needs to be told.
    let told = |judgement: &&Judgement| judgement.of > 0 && judgement.signal() != Signal::Health;
    let measured = || snapshot.limits.iter().filter(told);
    let all_probes = measured().next().is_some() && measured().all(|judgement| judgement.probes);
    let title = format!("Limits on {}", snapshot.limits_on);
    let remark = if all_probes { "of probes" } else { "" };
    panel::head(ink, area, &[(&title, theme.title)], (remark, theme.dim));
    if snapshot.limits.is_empty() {
        ink.line(inner, 0).say(" nothing is judged yet", theme.unknown);
    }
    let rows = Rect { width: inner.width.min(WIDEST), ..inner };
    for (row, judgement) in snapshot.limits.iter().enumerate() {
        let mut pen = ink.line(rows, row as u16);
        let style = style(judgement, theme);
        let bound = format!("{} for {}", judgement.limit.above, judgement.limit.hold);
        let short = bound.replacen(' ', "", 1);
        let mut counts = judgement.counts();
        if judgement.probes && !all_probes && judgement.signal() != Signal::QueueDepth {
            counts.push_str(" probes");
        }
        let label = judgement.signal().label();
        // Where not both have room, what was counted is more than how much is missing.
        let mut says = verdict(judgement, seen);
        let roomy = inner.width >= ROOMY;
        let (least, besides) = if roomy { (16, 27) } else { (11, 10) };
        if width(&counts).max(least) + besides + width(&says) > rows.width {
            says = judgement.verdict.word().to_owned();
        }
        pen.right(&format!("{says} "), style);
        if roomy {
            // Columns of their own: the widest verdict is never beside a bound.
            pen.say(&format!(" {label:<8}{counts:>16}"), theme.text).gap(2);
            pen.say(&format!("{bound:>14}"), theme.dim);
            continue;
        }
        pen.say(&format!(" {label:<7}{counts:>11}"), theme.text).gap(2);
        let bound = if width(&bound) <= pen.room() { bound } else { short };
        if width(&bound) <= pen.room() {
            // Kept apart from the verdict, so that the eye finds a column of bounds.
            let pad = usize::from(13.min(pen.room()));
            pen.say(&format!("{bound:>pad$}"), theme.dim);
        }
    }
}

/// The verdict in words, with what it still waits for: time, or evidence.
pub fn verdict(judgement: &Judgement, seen: &Seen<'_>) -> String {
    let word = judgement.verdict.word();
    let judged_at = seen.snapshot.limits_at.unwrap_or(seen.snapshot.at);
    let left = judgement.trips_in.filter(|_| seen.scene.silent.is_none());
    match (judgement.verdict, left) {
        (_, Some(left)) => format!("{word} {}", text::countdown(seen.now, judged_at + left)),
        // Beside a number that is over its bound, `ok` alone would be read as a mistake.
        (Verdict::Ok | Verdict::TooFew, None) if judgement.over => {
            judgement.luck_words().map_or_else(|| "over".to_owned(), |luck| format!("over, {luck}"))
        }
        (Verdict::Ok, None) if judgement.is_above() => "in tolerance".to_owned(),
        (Verdict::TooFew, None) => match judgement.seen_words() {
            Some(seen) => format!("{word} {}", seen.replace('~', "")),
            None => word.to_owned(),
        },
        _ => word.to_owned(),
    }
}

/// How the verdict of a judgement looks: what is over is not drawn as if it were good.
pub fn style(judgement: &Judgement, theme: &Theme) -> Style {
    match judgement.verdict {
        Verdict::Ok if judgement.over || judgement.is_above() => theme.warn,
        Verdict::TooFew if judgement.over => theme.warn,
        verdict => look(verdict, theme),
    }
}

/// How a verdict looks; its word says the same.
pub const fn look(verdict: Verdict, theme: &Theme) -> Style {
    match verdict {
        Verdict::Ok => theme.good,
        Verdict::Tripping | Verdict::Shared => theme.warn,
        Verdict::Tripped => theme.bad,
        Verdict::TooFew | Verdict::Stale | Verdict::Unknown => theme.unknown,
        Verdict::NotDeclared => theme.dim,
    }
}
