//! The timeline: what happened, when, and who said so.
//!
//! ```text
//!  14:20:55  router   asked 50/50 · reads 50/50 after 0.4 ms
//!  14:21:02  limit    5xx 1 of 120 on Green · no evidence yet
//! ```

use crate::text;
use crate::tui::screen::{Scrolled, Seen};
use crate::tui::widget::ink::Ink;
use crate::tui::widget::panel;
use ratatui::layout::Rect;

/// Draws the last lines.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    lines(ink, area, seen, 0);
}

/// Draws all of it in a panel, scrolled.
pub fn whole(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) -> Scrolled {
    let theme = seen.theme;
    let inner = panel::frame(ink, area, theme);
    let all = seen.scene.history.log.len();
    let back = seen.scene.ui.scroll.min(all.saturating_sub(usize::from(inner.height)));
    let remark = if back > 0 {
        format!("{} below · End", text::count(back as u64, "line"))
    } else {
        text::count(all as u64, "line")
    };
    panel::head(ink, area, &[("Log", theme.title)], (&remark, theme.dim));
    lines(ink, inner, seen, back);
    Scrolled { lines: all, page: usize::from(inner.height) }
}

fn lines(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>, back: usize) {
    let log = &seen.scene.history.log;
    let end = log.len().saturating_sub(back);
    let start = end.saturating_sub(usize::from(area.height));
    for (row, line) in log.range(start..end).enumerate() {
        let theme = seen.theme;
        let time = text::time_of_day(seen.unix_ms(line.at));
        let mut pen = ink.line(area, row as u16);
        pen.say(&format!(" {time}  "), theme.dim);
        pen.say(&format!("{:<9}", line.topic), theme.dim);
        pen.say(&line.text, theme.tone(line.tone));
    }
}
