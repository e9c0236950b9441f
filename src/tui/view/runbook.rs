//! The eight steps: where we are, what is behind, what is ahead.
//!
//! ```text
//! ╭ Runbook ─────────────────────────────╮
//! │ ✔ 4 Soak                        5:00 │
//! │ ▶ 5 Switch    50 %         1:12/3:00 │
//! │   6 Watch                      12:00 │
//! ```

use crate::runbook::snapshot::{StepLine, StepState};
use crate::text;
use crate::tui::screen::Seen;
use crate::tui::widget::ink::Ink;
use crate::tui::widget::panel;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Draws the panel.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let theme = seen.theme;
    let inner = panel::frame(ink, area, theme);
    panel::head(ink, area, &[("Runbook", theme.title)], ("", theme.dim));
    for (row, line) in seen.snapshot.steps.iter().enumerate() {
        let (mark, style) = look(line, seen);
        let mut pen = ink.line(inner, row as u16);
        pen.right(&format!("{} ", times(line)), style);
        pen.say(&format!(" {mark} {} {}", line.step.number(), line.step.title()), style);
        if !line.note.is_empty() {
            pen.gap(2).say(&line.note, style);
        }
    }
}

/// Draws the steps in two rows without a border.
pub fn compact(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    for (row, lines) in seen.snapshot.steps.chunks(4).enumerate() {
        let mut pen = ink.line(area, row as u16);
        for line in lines {
            let (mark, style) = look(line, seen);
            let mut words = format!(" {mark} {} {}", line.step.number(), line.step.title());
            if line.state == StepState::Now {
                for part in [&line.note, &times(line)] {
                    if !part.is_empty() {
                        words.push(' ');
                        words.push_str(part);
                    }
                }
            }
            pen.say(&words, style).gap(1);
        }
    }
}

fn look(line: &StepLine, seen: &Seen<'_>) -> (char, Style) {
    let theme = seen.theme;
    match line.state {
        StepState::Ahead => (' ', theme.dim),
        StepState::Now => ('▶', theme.title),
        StepState::Passed => ('✔', theme.good),
        StepState::Skipped => (' ', theme.dim),
        StepState::Failed => ('✖', theme.bad),
    }
}

fn times(line: &StepLine) -> String {
    match (line.state, line.took, line.of) {
        (StepState::Skipped, ..) => "left out".to_owned(),
        (StepState::Now, Some(took), Some(of)) => {
            format!("{}/{}", text::clock(took), text::clock(of))
        }
        (StepState::Ahead, _, Some(of)) => text::clock(of),
        (_, Some(took), _) => text::clock(took),
        (_, None, _) => String::new(),
    }
}
