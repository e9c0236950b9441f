//! The timeline: what happened, when, and who said so.
//!
//! ```text
//!  14:20:55  router   asked 50/50 · reads 50/50 after 0.4 ms
//!  14:21:02  limit    5xx 1 of 120 on Green · no evidence yet
//! ```

use crate::runbook::record::LogLine;
use crate::runbook::snapshot::StampState;
use crate::text;
use crate::tui::screen::{Scrolled, Seen};
use crate::tui::view::{limits, scroll};
use crate::tui::widget::ink::{Ink, Pen};
use crate::tui::widget::panel;
use crate::units::Millis;
use ratatui::layout::Rect;

/// Columns before the words of a line: the time of day and who says so.
const MARGIN: u16 = 20;

/// So long a note stays where there is room for one line alone.
const HEARD: Millis = Millis::secs(15);

/// Draws the last lines, each in one row. Where there is but one row, what somebody said just now
/// comes before what is told all the time.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let mut log: Vec<&LogLine> = told(seen).collect();
    if area.height == 1 {
        let now = seen.snapshot.at;
        let fresh = |line: &&&LogLine| line.topic == "note" && now.since(line.at) < HEARD;
        log = log.iter().rfind(fresh).or(log.last()).copied().into_iter().collect();
    }
    let start = log.len().saturating_sub(usize::from(area.height));
    for (row, line) in log.iter().skip(start).enumerate() {
        margin(&mut ink.line(area, row as u16), line, seen)
            .say(&line.text, seen.theme.tone(line.tone));
    }
}

/// Draws all of it in a panel, scrolled; a line that is too long is broken, not cut.
pub fn whole(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) -> Scrolled {
    let theme = seen.theme;
    let inner = panel::frame(ink, area, theme);
    let log: Vec<&LogLine> = told(seen).collect();
    let columns = inner.width.saturating_sub(MARGIN + 1);
    let texts = log.iter().map(|line| line.text.as_str());
    let window = scroll::window(texts, columns, usize::from(inner.height), seen);
    panel::head(ink, area, &[("Log", theme.title)], (&window.place, theme.dim));
    for (row, (number, part, words)) in window.rows.into_iter().enumerate() {
        let Some(line) = log.get(number) else { continue };
        let mut pen = ink.line(inner, row as u16);
        if part == 0 {
            margin(&mut pen, line, seen);
        } else {
            pen.gap(MARGIN);
        }
        pen.say(words, theme.tone(line.tone));
    }
    window.scrolled
}

/// What is told. Once everybody is back on Blue a verdict on Green is no news: the journal has it.
fn told<'s>(seen: &'s Seen<'_>) -> impl Iterator<Item = &'s LogLine> {
    let verified = seen.snapshot.rollback.as_ref().filter(|_| limits::is_over(seen));
    let since = verified.and_then(|rollback| match rollback.stamps[0] {
        StampState::After(us) => Some(rollback.began + Millis(us.div_ceil(1_000))),
        _ => None,
    });
    let is_old =
        move |line: &&LogLine| since.is_some_and(|since| line.at > since) && line.topic == "limit";
    seen.scene.history.log.iter().filter(move |line| !is_old(line))
}

/// When it was, and who says so.
fn margin<'p, 'i, 'b>(
    pen: &'p mut Pen<'i, 'b>,
    line: &LogLine,
    seen: &Seen<'_>,
) -> &'p mut Pen<'i, 'b> {
    let time = text::time_of_day(seen.unix_ms(line.at));
    pen.say(&format!(" {time}  "), seen.theme.dim);
    pen.say(&format!("{:<9}", line.topic), seen.theme.dim)
}
