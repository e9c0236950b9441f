//! What the plan's commands printed, whole: a line that is too long is broken, not cut.

use crate::clean::Clean;
use crate::text;
use crate::tui::screen::{Scrolled, Seen};
use crate::tui::view::scroll;
use crate::tui::widget::ink::Ink;
use crate::tui::widget::panel;
use ratatui::layout::Rect;

/// Draws all of it in a panel, scrolled.
pub fn whole(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) -> Scrolled {
    let theme = seen.theme;
    let inner = panel::frame(ink, area, theme);
    let output = &seen.scene.history.output;
    let page = usize::from(inner.height);
    let columns = inner.width.saturating_sub(2);
    let window = scroll::window(output.iter().map(Clean::as_str), columns, page, seen);
    let remark = match &seen.snapshot.running {
        Some((command, took)) => {
            format!("{command} {} · {}", text::clock(*took), window.place)
        }
        None => window.place,
    };
    panel::head(ink, area, &[("Output", theme.title)], (&remark, theme.dim));
    if output.is_empty() {
        ink.line(inner, 0).say(" no command has printed anything", theme.dim);
    }
    for (row, (_, _, words)) in window.rows.into_iter().enumerate() {
        ink.line(inner, row as u16).gap(1).say(words, theme.text);
    }
    window.scrolled
}
