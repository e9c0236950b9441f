//! Readiness of both slots over time.
//!
//! ```text
//! ╭ Health ──────────────────╮
//! │ Blue  ━━━━━━━━━━━━ ready │
//! │ Green ━━━━━━╳━━━━━ ready │
//! ```
//!
//! A column in which one check failed shows it; a column without a check is empty.

use crate::tui::screen::{self, Seen};
use crate::tui::widget::ink::{Ink, width};
use crate::tui::widget::panel;
use crate::units::Role;
use ratatui::layout::Rect;

/// Draws the panel.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let theme = seen.theme;
    let inner = panel::frame(ink, area, theme);
    panel::head(ink, area, &[("Health", theme.title)], ("", theme.dim));
    let mut why = None;
    for role in Role::BOTH {
        let health = &seen.snapshot.health[role.index()];
        let (word, style) = match (health.live, health.ready) {
            (Some(false), _) => ("DEAD", theme.bad),
            (_, Some(true)) => ("ready", theme.good),
            (_, Some(false)) => ("NOT READY", theme.bad),
            (_, None) => ("unknown", theme.unknown),
        };
        if let Some(reason) = &health.why {
            why.get_or_insert_with(|| (format!(" {role}: {reason}"), style));
        }
        let row = role.index() as u16;
        let mut pen = ink.line(inner, row);
        pen.right(&format!("{word} "), style);
        pen.say(&format!(" {:<6}", role.to_string()), theme.role(role));
        let strip = Rect::new(pen.x(), inner.y + row, pen.room(), 1);
        if row < inner.height {
            draw_strip(ink, strip, seen, role);
        }
    }
    if let Some((why, style)) = why.filter(|(why, _)| width(why) > 0) {
        ink.line(inner, 2).say(&why, style);
    }
}

fn draw_strip(ink: &mut Ink<'_>, strip: Rect, seen: &Seen<'_>, role: Role) {
    let axis = screen::axis(strip.width, ink.area(), seen.now);
    for cell in 0..strip.width {
        let Some((from, to)) = axis.cell_seconds(cell) else { continue };
        match seen.scene.history.ready(role, from, to) {
            Some(true) => ink.dot(strip.x + cell, strip.y, '━', seen.theme.good),
            Some(false) => ink.dot(strip.x + cell, strip.y, '╳', seen.theme.bad),
            None => {}
        }
    }
}
