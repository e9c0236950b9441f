//! The second row, the one that a tired person reads first.
//!
//! ```text
//!  STEP 5 · HOLDING AT 50 % · WELL · ready in 1:48, then press space
//!  ENGINE SILENT 0:05 · WAS STEP 5 · HOLDING AT 50 %
//! ```
//!
//! The engine speaks at least once a second. Where it has not for longer, that is what the line
//! says, for nothing else on the screen is known to be so any more.

use crate::runbook::record::Tone;
use crate::text;
use crate::tui::screen::Seen;
use crate::tui::widget::ink::{Ink, width};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Draws the row.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let next = next(seen);
    let mut state = format!(" {} ", state(seen));
    // Which limit it is stands in the panel as well; the next move stands here.
    let going = &seen.snapshot.headline.going;
    if let Some((short, _)) = going.split_once(": ")
        && width(&state) + 1 + width(&next) > area.width
    {
        state = state.replace(going.as_str(), short);
    }
    // What comes next may be cut, but never without a sign that there was more.
    let least = if next.is_empty() { 0 } else { 3.min(area.width) };
    let words = Rect { width: area.width - least, ..area };
    let mut pen = ink.line(words, 0);
    pen.say(&state, style(seen));
    let end = pen.x();
    let rest = Rect { x: end, width: area.right() - end, ..area };
    ink.line(rest, 0).gap(1).say(&next, seen.theme.title);
}

/// How loud the line is.
pub fn style(seen: &Seen<'_>) -> Style {
    match seen.scene.silent {
        Some(_) => seen.theme.headline(Tone::Bad),
        None => seen.theme.headline(seen.snapshot.headline.tone),
    }
}

/// Step, what is going on, and how.
pub fn state(seen: &Seen<'_>) -> String {
    let headline = &seen.snapshot.headline;
    if let Some(age) = seen.scene.silent {
        let step = seen.snapshot.step.number();
        return format!(
            "ENGINE SILENT {} · WAS STEP {step} · {}",
            text::clock(age),
            headline.state
        );
    }
    let mut words = format!("STEP {}", seen.snapshot.step.number());
    for part in [&headline.state, &headline.going] {
        if !part.is_empty() {
            words.push_str(" · ");
            words.push_str(part);
        }
    }
    words
}

/// What comes next, with the time until it does. `{}` in the words is where the time stands;
/// without it the time follows. What a silent engine promised is not repeated.
pub fn next(seen: &Seen<'_>) -> String {
    let headline = &seen.snapshot.headline;
    if seen.scene.silent.is_some() {
        return String::new();
    }
    let Some(due) = headline.due else { return headline.next.clone() };
    let time = text::countdown(seen.now, due);
    if headline.next.contains("{}") {
        headline.next.replacen("{}", &time, 1)
    } else if headline.next.is_empty() {
        time
    } else {
        format!("{} · {time}", headline.next)
    }
}
