//! What the plan's commands printed, whole.

use crate::text;
use crate::tui::screen::{Scrolled, Seen};
use crate::tui::widget::ink::Ink;
use crate::tui::widget::panel;
use ratatui::layout::Rect;

/// Draws all of it in a panel, scrolled.
pub fn whole(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) -> Scrolled {
    let theme = seen.theme;
    let inner = panel::frame(ink, area, theme);
    let output = &seen.scene.history.output;
    let page = usize::from(inner.height);
    let back = seen.scene.ui.scroll.min(output.len().saturating_sub(page));
    let remark = match &seen.snapshot.running {
        _ if back > 0 => format!("{} below · End", text::count(back as u64, "line")),
        Some((command, took)) => format!("{command} · {}", text::clock(*took)),
        None => text::count(output.len() as u64, "line"),
    };
    panel::head(ink, area, &[("Output", theme.title)], (&remark, theme.dim));
    if output.is_empty() {
        ink.line(inner, 0).say(" no command has printed anything", theme.dim);
    }
    let end = output.len() - back;
    for (row, line) in output.range(end.saturating_sub(page)..end).enumerate() {
        ink.line(inner, row as u16).say(" ", theme.text).say(line.as_str(), theme.text);
    }
    Scrolled { lines: output.len(), page }
}
