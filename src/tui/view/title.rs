//! The first row: what kind of run this is, of what, where, and whether it is written down.
//!
//! ```text
//!  DEPLOY  notes-api 1.8.2 → 1.9.0   on vps-1   ● journal 12:41   run 7f3a  plan 9c41e2d0   UTC
//! ```
//!
//! Host, run, plan and clock are on every frame: a picture of the screen says what it shows. Where
//! there is little room the words between them go, then the end of the service's name.

use crate::text;
use crate::tui::screen::Seen;
use crate::tui::widget::ink::{Ink, width};
use ratatui::layout::Rect;

/// Draws the row.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let (snapshot, theme) = (seen.snapshot, seen.theme);
    let facts = &snapshot.facts;
    let roomy = area.width >= 110;
    let clock = if roomy {
        text::utc(seen.scene.unix_ms)
    } else {
        format!("{} UTC", text::time_of_day(seen.scene.unix_ms))
    };
    let release = match (&snapshot.current, &snapshot.next) {
        (Some(current), Some(next)) => format!(" {current} → {next}"),
        (Some(current), None) => format!(" {current} → ?"),
        (None, Some(next)) => format!(" ? → {next}"),
        (None, None) => String::new(),
    };
    let ids = if roomy {
        format!("run {}  plan {}", facts.run, snapshot.plan)
    } else {
        format!("{} {}", facts.run, snapshot.plan)
    };
    let mut pen = ink.line(area, 0);
    pen.say(&format!(" {} ", facts.kind.word()), theme.badge(facts.kind)).gap(1);
    pen.right(&format!("{clock} "), theme.text);
    pen.right(&if roomy { format!("{ids}  ") } else { ids }, theme.dim);
    match &snapshot.journal_trouble {
        Some(_) => pen.right("▲ NOT JOURNALLED", theme.bad),
        None => pen.right(&format!("● journal {}", text::clock(seen.now)), theme.text),
    };
    let host = if roomy { format!("  on {}", facts.host) } else { format!(" {}", facts.host) };
    // The host stays readable whatever the service is called.
    let name = format!("{}{release}", snapshot.service);
    let most = pen.room().saturating_sub(width(&host));
    let end = pen.x() + width(&name).min(most);
    let y = area.y;
    let x = pen.x();
    ink.text(Rect::new(x, y, end - x, 1), x, y, &name, theme.title);
    let host_end = (end + width(&host)).min(area.right());
    ink.text(Rect::new(end, y, host_end - end, 1), end, y, &host, theme.text);
}
