//! The third row: what stands against going on, and when it will act by itself.
//!
//! ```text
//!  ▲ 5xx tripping on Green: 12 of 120 (10 %) · limit 2 % for 2m · tolerance 12 of 2.4 used … · trips in 0:05
//! ```
//!
//! When it acts is the last thing to be cut.
//!
//! Where nothing does, it is the place for a word about the last key.

use crate::evidence::recorder::Light;
use crate::runbook::record::Tone;
use crate::text;
use crate::tui::screen::Seen;
use crate::tui::widget::ink::{Ink, width};
use crate::tui::widget::wrap::parts as parts_of;
use ratatui::layout::Rect;

/// Draws the row.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let theme = seen.theme;
    let mut pen = ink.line(area, 0);
    if let Some(remark) = &seen.scene.ui.remark {
        pen.right(&format!("{remark} "), theme.warn);
    }
    if let Some((words, due)) = parts(seen) {
        let style = theme.tone(tone(seen));
        let words = format!(" ▲ {words}");
        if width(&words) + width(&due) > pen.room() {
            // Left out are whole parts, from the end: half a number is none.
            let room = pen.room().saturating_sub(width(&due) + 2);
            let short = format!("{} …", parts_of(&words, room));
            if width(&short) + width(&due) <= pen.room() {
                pen.say(&short, style).say(&due, style);
            } else {
                pen.right(&due, style);
                pen.say(&words, style);
            }
        } else {
            pen.say(&words, style).say(&due, style);
        }
    } else if let Some((command, took)) = &seen.snapshot.running {
        pen.say(&format!(" running {command} · {}", text::clock(*took)), theme.text);
        if let Some(line) = seen.scene.history.output.back() {
            pen.say(&format!(" · {line}"), theme.dim);
        }
    } else if !seen.snapshot.owed.is_empty() {
        let owed: Vec<&str> = seen.snapshot.owed.iter().map(|owed| owed.as_str()).collect();
        pen.say(&format!(" still owed: {}", owed.join(", ")), theme.warn);
    } else if let Light::Lost(why) = seen.scene.rec {
        pen.say(&format!(" the recording is lost: {why}; the run goes on"), theme.warn);
    }
}

/// How loud it is.
pub fn tone(seen: &Seen<'_>) -> Tone {
    match &seen.snapshot.alarm {
        Some(alarm) if seen.scene.silent.is_none() => alarm.tone,
        _ => Tone::Bad,
    }
}

/// What stands against going on, and when it acts by itself; of a silent engine only that it is.
pub fn parts(seen: &Seen<'_>) -> Option<(String, String)> {
    if seen.scene.silent.is_some() {
        let another = seen.snapshot.facts.kind.outlives_process();
        let way = if another { ": another window's `switchback rollback` goes back" } else { "" };
        return Some((format!("what stands below is old{way}"), String::new()));
    }
    let trouble = seen.snapshot.journal_trouble.as_ref();
    let trouble = trouble.map(|why| format!("the journal cannot be written: {why}"));
    let Some(alarm) = &seen.snapshot.alarm else { return trouble.map(|why| (why, String::new())) };
    let due = alarm
        .due
        .map_or_else(String::new, |due| format!(" · trips in {}", text::countdown(seen.now, due)));
    let words = match trouble.filter(|trouble| *trouble != alarm.text) {
        Some(trouble) => format!("{} · {trouble}", alarm.text),
        None => alarm.text.clone(),
    };
    Some((words, due))
}
