//! The field for a note, at the foot of the screen, so that the screen stays in sight.

use crate::clean::Clean;
use crate::tui::screen::Seen;
use crate::tui::widget::ink::{Ink, width};
use crate::tui::widget::panel;
use ratatui::layout::Rect;

/// Draws the field over the last rows of `body`.
pub fn draw(ink: &mut Ink<'_>, body: Rect, seen: &Seen<'_>) {
    let Some(note) = &seen.scene.ui.note else { return };
    let theme = seen.theme;
    let rows = 3.min(body.height);
    let area = Rect { y: body.bottom() - rows, height: rows, ..body };
    ink.clear(area, theme.text.patch(theme.overlay));
    let inner = panel::framed(ink, area, theme.title);
    let waiting = if seen.snapshot.question.is_some() { "a question waits" } else { "" };
    panel::head(ink, area, &[("Note", theme.title)], (waiting, theme.warn));
    // The end of a long note is what is being written.
    let drawn = Clean::unfinished(note);
    let mut shown = drawn.as_str();
    while width(shown) + 3 > inner.width && !shown.is_empty() {
        let first = shown.chars().next().map_or(0, char::len_utf8);
        shown = &shown[first..];
    }
    ink.line(inner, 0).gap(1).say(&format!("{shown}_"), theme.field);
}
