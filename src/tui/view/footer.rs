//! The keys that mean something now, the way back first.
//!
//! ```text
//!  r ROLLBACK TO BLUE   space next step (1:48)   h hold   + extend   n note   ? help   q leave
//! ```
//!
//! Keys that do nothing now are dimmed and stay where they are: position is memory. Where there is
//! no room for all, those at the end go.

use crate::tui::keymap::{self, Action, Availability, BINDINGS, Label};
use crate::tui::screen::Seen;
use crate::tui::widget::ink::{Ink, width};
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// Draws the row.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let (snapshot, theme, ui) = (seen.snapshot, seen.theme, seen.scene.ui);
    let mode = ui.mode(Some(snapshot));
    let mut pen = ink.line(area, 0);
    pen.gap(1);
    for row in BINDINGS {
        let Some(key) = keymap::shown(row, mode) else { continue };
        let label = match row.label {
            Label::Nowhere => continue,
            Label::Fixed(label) => label.to_owned(),
            Label::By(label) => label(snapshot, ui, seen.now),
        };
        let key = key.to_string();
        if row.action == Action::Rollback {
            pen.say(&format!(" {key} {label} "), theme.rollback).gap(2);
            continue;
        }
        if width(&key) + 1 + width(&label) > pen.room() {
            continue;
        }
        let (key_style, style) = match (row.available)(snapshot, ui) {
            Availability::Yes => (theme.key, theme.text),
            Availability::No(_) => (theme.dim.remove_modifier(Modifier::BOLD), theme.dim),
        };
        pen.say(&key, key_style).gap(1).say(&label, style).gap(3);
    }
}
