//! A question that waits for an answer, over everything but the rollback key.
//!
//! ```text
//! ╭ Switch 50 % to Green ────────────── answers itself in 0:28: go back ╮
//! │ 312 of 623 users saw Green, 1 failed                               │
//! │                                                                    │
//! │   y  yes: move 50 % of users       n  no: stay at 10 %             │
//! ╰────────────────────────────────────────────────────────────────────╯
//! ```

use crate::clean::Clean;
use crate::runbook::snapshot::Question;
use crate::text;
use crate::tui::screen::Seen;
use crate::tui::widget::ink::{Ink, width};
use crate::tui::widget::panel;
use ratatui::layout::Rect;

/// Draws the question in the middle of `body`.
pub fn draw(ink: &mut Ink<'_>, body: Rect, seen: &Seen<'_>) {
    let Some(question) = &seen.snapshot.question else { return };
    let theme = seen.theme;
    let widest = question.lines.iter().map(|line| width(line)).max().unwrap_or(0);
    let columns = widest
        .max(width(&question.title) + 6)
        .max(width(&question.yes) + width(&question.no) + 24)
        .saturating_add(6)
        .clamp(50, 100)
        .min(body.width.saturating_sub(2));
    let lines = wrapped(question, usize::from(columns.saturating_sub(6)));
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(6).min(body.height);
    let (area, inner) = panel::overlay(ink, body, (columns, rows), theme.warn, theme);
    let due = question.due.as_ref().map_or_else(String::new, |(due, how)| {
        format!("in {}: {how}", text::countdown(seen.now, *due))
    });
    let style = theme.warn;
    panel::head(ink, area, &[(&question.title, style)], ("", style));
    // What the question says may be cut, how it is answered may not.
    let foot = 3.min(inner.height);
    let words = Rect { height: inner.height - foot, ..inner };
    for (row, line) in lines.iter().enumerate() {
        ink.line(words, 1 + row as u16).gap(2).say(line, theme.text);
    }
    let answers = Rect { y: words.bottom(), height: foot, ..inner };
    if let Some(word) = &question.type_word {
        let mut pen = ink.line(answers, 1);
        pen.gap(2).say(&format!("type {word} and Enter to {}: ", question.yes), theme.text);
        pen.say(&format!("{}_", Clean::unfinished(&seen.scene.ui.typed)), theme.field);
        ink.line(answers, 2)
            .gap(2)
            .say("Esc", theme.key)
            .say(&format!(" no: {}", question.no), theme.text)
            .gap(4)
            .say(&due, style);
    } else {
        let mut pen = ink.line(answers, 1);
        pen.gap(2).say("y", theme.key).say(&format!(" yes: {}", question.yes), theme.text).gap(5);
        pen.say("n", theme.key).say(&format!(" no: {}", question.no), theme.title);
        let mut pen = ink.line(answers, 2);
        pen.gap(2);
        if due.is_empty() {
            pen.say("it waits; the limits are watched meanwhile", theme.dim);
        } else {
            pen.say(&format!("answers itself {due}"), style);
        }
    }
}

/// The question's lines, broken at spaces.
fn wrapped(question: &Question, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in &question.lines {
        let mut row = String::new();
        for word in line.split(' ') {
            let longer = usize::from(width(&row)) + 1 + usize::from(width(word));
            if !row.is_empty() && longer > columns {
                lines.push(std::mem::take(&mut row));
            }
            if !row.is_empty() {
                row.push(' ');
            }
            row.push_str(word);
        }
        lines.push(row);
    }
    lines
}
