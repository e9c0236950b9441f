//! The gate of this step: what it says, and why.
//!
//! ```text
//! ╭ Gate 5 ───────────────────── waiting ╮
//! │ ✔ router reads 50/50 (0.4 ms)        │
//! │ … hold 1:12 of 3:00                  │
//! ```

use crate::runbook::gate::{CheckState, GateState};
use crate::tui::screen::Seen;
use crate::tui::widget::ink::Ink;
use crate::tui::widget::panel;
use crate::tui::widget::wrap::wrapped;
use ratatui::layout::Rect;

/// Draws the panel. What does not fit is counted in its last row.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let (snapshot, theme) = (seen.snapshot, seen.theme);
    let inner = panel::frame(ink, area, theme);
    let word = match snapshot.gate {
        GateState::Open => theme.good,
        GateState::Waiting => theme.text,
        GateState::Shut => theme.bad,
        GateState::Unknown => theme.unknown,
    };
    let title = format!("Gate {}", snapshot.step.number());
    panel::head(ink, area, &[(&title, theme.title)], (snapshot.gate.word(), word));
    let rows = usize::from(inner.height);
    let checks = &snapshot.checks;
    let shown = if checks.len() > rows { rows.saturating_sub(1) } else { checks.len() };
    // What stands in the way comes first where not all can be shown.
    let mut order: Vec<&_> = checks.iter().collect();
    if shown < checks.len() {
        order.sort_by_key(|check| match check.state {
            CheckState::Bad => 0,
            CheckState::Unknown => 1,
            CheckState::Waiting => 2,
            CheckState::Good => 3,
            CheckState::NotDeclared => 4,
        });
    }
    // What is too long is broken into rows that are free.
    let mut free = rows.saturating_sub(checks.len());
    let mut row = 0;
    for check in order.iter().take(shown) {
        let (mark, style) = match check.state {
            CheckState::Good => ('✔', theme.good),
            CheckState::Waiting => ('…', theme.text),
            CheckState::Bad => ('✖', theme.bad),
            CheckState::Unknown => ('?', theme.unknown),
            CheckState::NotDeclared => ('-', theme.dim),
        };
        let broken = wrapped(&check.says, inner.width.saturating_sub(4));
        if broken.len() > 1 && broken.len() - 1 <= free {
            free -= broken.len() - 1;
            for (i, words) in broken.into_iter().enumerate() {
                let mark = if i == 0 { mark } else { ' ' };
                ink.line(inner, row).say(&format!(" {mark} {words}"), style);
                row += 1;
            }
        } else {
            ink.line(inner, row).say(&format!(" {mark} {}", check.says), style);
            row += 1;
        }
    }
    if shown < checks.len() && rows > 0 {
        let more = format!(" {} more: g", checks.len() - shown);
        ink.line(inner, (rows - 1) as u16).say(&more, theme.dim);
    }
}
