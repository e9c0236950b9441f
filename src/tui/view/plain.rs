//! The plain view for a window that is too small: step, verdict, split and the rollback key.
//!
//! ```text
//! DEPLOY notes-api on vps-1
//! STEP 5 · HOLDING AT 50 % · WELL
//! ready in 1:48, then press space
//! Blue 50 · Green 50
//! all limits ok
//! r ROLLBACK TO BLUE
//! ```
//!
//! The key is the last thing to go: in one row there is nothing else.

use crate::signal::Verdict;
use crate::tui::screen::Seen;
use crate::tui::view::{alarm, footer, headline, limits, outcome, title};
use crate::tui::widget::ink::{Ink, width};
use crate::tui::widget::wrap::wrapped;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Draws the view.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let (snapshot, theme) = (seen.snapshot, seen.theme);
    let foot = Rect { y: area.bottom() - 1, height: 1, ..area };
    let body = Rect { height: area.height - 1, ..area };
    footer::draw(ink, foot, seen);
    let mut lines: Vec<(String, Style)> = Vec::new();
    lines.push((headline::state(seen), headline::style(seen)));
    lines.push(split(seen));
    lines.push(verdict(seen));
    if let Some((words, due)) = alarm::parts(seen) {
        let style = theme.tone(alarm::tone(seen));
        if width(&words) + width(&due) > body.width && !due.is_empty() {
            lines.extend([(words, style), (due.replacen(" · ", "", 1), style)]);
        } else {
            lines.push((words + &due, style));
        }
    }
    if snapshot.rollback.is_some() {
        lines.extend(outcome::stamp_lines(seen));
    }
    if let Some(remark) = &seen.scene.ui.remark {
        lines.push((remark.clone(), theme.warn));
    }
    if let Some(question) = snapshot.question.as_ref().filter(|_| snapshot.finish.is_none()) {
        lines.push((question.title.clone(), theme.warn));
        match &question.type_word {
            Some(word) => {
                let typed = &seen.scene.ui.typed;
                lines.push((format!("type {word} to {}: {typed}_", question.yes), theme.text));
            }
            None => {
                lines.push((format!("y {} · n {}", question.yes, question.no), theme.text));
            }
        }
        lines.extend(question.lines.iter().map(|line| (line.clone(), theme.text)));
    } else if let Some(note) = &seen.scene.ui.note {
        lines.push((format!("note: {note}_"), theme.text));
    }
    let next = headline::next(seen);
    lines.extend(wrapped(&next, body.width).into_iter().map(|row| (row.to_owned(), theme.title)));
    if let Some(finish) = &snapshot.finish {
        lines.push((format!("exit {} · {}", finish.exit, finish.says), theme.title));
    }
    let facts = &snapshot.facts;
    let (kind, _) = title::of_a_replay(seen, facts.kind.word(), String::new());
    let name = format!("{kind} {} on {}", snapshot.service, facts.host);
    if usize::from(body.height) > lines.len() {
        lines.insert(0, (name, theme.badge(facts.kind)));
    }
    for (row, (words, style)) in lines.iter().enumerate() {
        ink.line(body, row as u16).say(words, *style);
    }
}

fn split(seen: &Seen<'_>) -> (String, Style) {
    let traffic = &seen.snapshot.traffic;
    match (traffic.read, seen.snapshot.blue) {
        (Some(green), Some(_)) => {
            (format!("Blue {} · Green {green}", green.rest()), seen.theme.text)
        }
        _ => ("the split is not known".to_owned(), seen.theme.bad),
    }
}

/// The worst that any limit says.
fn verdict(seen: &Seen<'_>) -> (String, Style) {
    let rank = |verdict: Verdict| match verdict {
        Verdict::Tripped => 0,
        Verdict::Tripping => 1,
        Verdict::Shared => 2,
        Verdict::Unknown => 3,
        Verdict::Stale => 4,
        Verdict::TooFew => 5,
        Verdict::Ok => 6,
        Verdict::NotDeclared => 7,
    };
    if limits::is_over(seen) {
        return (limits::OVER.to_owned(), seen.theme.dim);
    }
    let worst = seen.snapshot.limits.iter().min_by_key(|judgement| rank(judgement.verdict));
    match worst {
        Some(worst) if worst.verdict == Verdict::Ok => {
            match seen.snapshot.limits.iter().find(|judgement| {
                judgement.verdict == Verdict::Ok && judgement.word() != Verdict::Ok.word()
            }) {
                Some(over) => {
                    let label = over.signal().label();
                    let words =
                        format!("{label} {} · {}", limits::verdict(over, seen), over.counts());
                    (words, limits::style(over, seen.theme))
                }
                None => ("all limits ok".to_owned(), seen.theme.good),
            }
        }
        Some(worst) if seen.snapshot.limits_at.is_none() => {
            let words = format!("limits {}", limits::verdict(worst, seen));
            (words, limits::style(worst, seen.theme))
        }
        Some(worst) => {
            let label = worst.signal().label();
            let words = format!("{label} {} · {}", limits::verdict(worst, seen), worst.counts());
            (words, limits::style(worst, seen.theme))
        }
        None => ("nothing is judged yet".to_owned(), seen.theme.unknown),
    }
}
