//! The second row, the one that a tired person reads first.
//!
//! ```text
//!  STEP 5 · HOLDING AT 50 % · WELL · ready in 1:48, then press space
//! ```

use crate::runbook::snapshot::Headline;
use crate::text;
use crate::tui::screen::Seen;
use crate::tui::widget::ink::Ink;
use crate::units::Millis;
use ratatui::layout::Rect;

/// Draws the row.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let headline = &seen.snapshot.headline;
    let style = seen.theme.headline(headline.tone);
    let mut pen = ink.line(area, 0);
    pen.say(&format!(" {} ", state(seen)), style);
    pen.say(&format!(" {}", next(headline, seen.now)), seen.theme.title);
}

/// Step, what is going on, and how.
pub fn state(seen: &Seen<'_>) -> String {
    let headline = &seen.snapshot.headline;
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
/// without it the time follows.
pub fn next(headline: &Headline, now: Millis) -> String {
    let Some(due) = headline.due else { return headline.next.clone() };
    let time = text::countdown(now, due);
    if headline.next.contains("{}") {
        headline.next.replacen("{}", &time, 1)
    } else if headline.next.is_empty() {
        time
    } else {
        format!("{} · {time}", headline.next)
    }
}
