//! The third row: what stands against going on, and when it will act by itself.
//!
//! ```text
//!  ▲ 5xx 12 of 120 on Green, limit 2 % for 2m · acts in 0:41
//! ```
//!
//! Where nothing does, it is the place for a word about the last key.

use crate::runbook::record::Tone;
use crate::text;
use crate::tui::screen::Seen;
use crate::tui::widget::ink::Ink;
use ratatui::layout::Rect;

/// Draws the row.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let theme = seen.theme;
    let mut pen = ink.line(area, 0);
    if let Some(remark) = &seen.scene.ui.remark {
        pen.right(&format!("{remark} "), theme.warn);
    }
    if let Some(words) = words(seen) {
        let tone = seen.snapshot.alarm.as_ref().map_or(Tone::Bad, |alarm| alarm.tone);
        pen.say(&format!(" ▲ {words}"), theme.tone(tone));
    } else if let Some((command, took)) = &seen.snapshot.running {
        pen.say(&format!(" running {command} · {}", text::clock(*took)), theme.text);
        if let Some(line) = seen.scene.history.output.back() {
            pen.say(&format!(" · {line}"), theme.dim);
        }
    } else if !seen.snapshot.owed.is_empty() {
        let owed: Vec<&str> = seen.snapshot.owed.iter().map(|owed| owed.as_str()).collect();
        pen.say(&format!(" still owed: {}", owed.join(", ")), theme.warn);
    }
}

/// What stands against going on, if anything does.
pub fn words(seen: &Seen<'_>) -> Option<String> {
    let trouble = seen.snapshot.journal_trouble.as_ref();
    let trouble = trouble.map(|why| format!("the journal cannot be written: {why}"));
    let alarm = seen.snapshot.alarm.as_ref().map(|alarm| match alarm.due {
        Some(due) => format!("{} · acts in {}", alarm.text, text::countdown(seen.now, due)),
        None => alarm.text.clone(),
    });
    match (alarm, trouble) {
        (Some(alarm), Some(trouble)) => Some(format!("{alarm} · {trouble}")),
        (alarm, trouble) => alarm.or(trouble),
    }
}
