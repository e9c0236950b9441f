//! Database errors and the queue, as bars over time.
//!
//! ```text
//! ╭ DB errors ─── 0 of 623 ╮╭ Queue ───────────── 41 ╮
//! │ ▁▁▁▁▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁││ ▁▂▂▃▂▁▁▂▂▁▁▁▂▃▂▁▁▁▁▂▂  │
//! ```

use crate::plan::{Bound, Signal};
use crate::signal::Verdict;
use crate::tui::history::Series;
use crate::tui::screen::{self, Seen};
use crate::tui::view::limits;
use crate::tui::widget::ink::Ink;
use crate::tui::widget::{panel, spark};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Draws the panel of database errors.
pub fn db_errors(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let history = seen.scene.history;
    let counts = history.db_errors_of(seen.now);
    let words = counts.map(|(errors, of)| format!("{errors} of {of}"));
    // Where there is little room, what is said of it is more than its name.
    let name = if area.width < 30 { "DB err" } else { "DB errors" };
    draw(ink, area, seen, name, Signal::DbErrors, &history.db_errors, words);
}

/// Draws the panel of the queue.
pub fn queue(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let history = seen.scene.history;
    let now = seen.now.as_secs();
    // What is older than three seconds is not the depth of now.
    let depth = (0..4).find_map(|ago| {
        let second = now.checked_sub(ago)?;
        history.queue.most(second, second + 1)
    });
    let words = depth.map(|depth| format!("{depth:.0}"));
    draw(ink, area, seen, "Queue", Signal::QueueDepth, &history.queue, words);
}

fn draw(
    ink: &mut Ink<'_>,
    area: Rect,
    seen: &Seen<'_>,
    name: &str,
    signal: Signal,
    series: &Series,
    words: Option<String>,
) {
    let theme = seen.theme;
    let judgement = seen.judgement(signal);
    let verdict = judgement.map(|judgement| judgement.verdict);
    let (words, style): (String, Style) = match (words, verdict) {
        (None, None | Some(Verdict::NotDeclared)) => ("not declared".to_owned(), theme.dim),
        (None, Some(Verdict::Stale)) => ("stale".to_owned(), theme.unknown),
        (None, Some(_)) => ("unknown".to_owned(), theme.unknown),
        (Some(words), Some(verdict)) if verdict != Verdict::NotDeclared => {
            (words, limits::look(verdict, theme))
        }
        (Some(words), _) => (words, theme.text),
    };
    let inner = panel::frame(ink, area, theme);
    panel::head(ink, area, &[(name, theme.title)], (&words, style));
    if inner.width < 3 {
        return;
    }
    let bars = Rect::new(inner.x + 1, inner.y, inner.width - 2, inner.height);
    let axis = screen::axis(bars.width, ink.area(), seen.now);
    let value = |cell| axis.cell_seconds(cell).and_then(|(from, to)| series.most(from, to));
    // The height is the limit, so that a few jobs are no mountain.
    let floor = judgement.map_or(5.0, |judgement| match judgement.limit.above {
        Bound::Count(count) => count as f32,
        Bound::Percent(_) | Bound::Millis(_) => 5.0,
    });
    let top = (0..bars.width).filter_map(value).fold(floor, f32::max);
    spark::bars(ink, bars, top, style, value);
}
