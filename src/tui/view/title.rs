//! The first row: what kind of run this is, of what, where, and whether it is written down.
//!
//! ```text
//!  DEPLOY  notes-api 1.8.2 → 1.9.0   on vps-1   ● journal 12:41   run 7f3a  plan 9c41e2d0   UTC
//! ```
//!
//! While it is recorded, `● REC 12:41` stands where `● journal` does, and `▲ REC LOST` where the
//! recording has failed; a plan's marking (`CUI`) follows the kind.
//!
//! Host, run, plan and clock are on every frame: a picture of the screen says what it shows. Where
//! there is little room the words between them go, then the releases, which the traffic panel
//! names as well, then the plan, then the end of the service's name.

use crate::clean::Clean;
use crate::evidence::recorder::Light;
use crate::text;
use crate::tui::screen::Seen;
use crate::tui::widget::ink::{Ink, width};
use ratatui::layout::Rect;

/// Columns of a marking that every screen has room for.
const SHORT: u16 = 8;

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
    let ids = if roomy {
        format!("run {}  plan {}", seen.run(), snapshot.plan)
    } else if area.width >= 72 {
        format!("{} {}", seen.run(), snapshot.plan)
    } else {
        seen.run().to_owned()
    };
    let mut pen = ink.line(area, 0);
    pen.say(&format!(" {} ", facts.kind.word()), theme.badge(facts.kind)).gap(1);
    if let Some(marking) = &snapshot.marking
        && (roomy || width(marking.as_str()) <= SHORT)
    {
        let marking = short(marking.as_str(), area.width / 5);
        pen.say(&format!(" {marking} "), theme.warn).gap(1);
    }
    pen.right(&format!("{clock} "), theme.text);
    pen.right(&if roomy { format!(" {ids}  ") } else { ids }, theme.dim);
    // Where there is little room the word stays and its time goes.
    let time = if roomy { format!(" {}", text::clock(seen.now)) } else { String::new() };
    // The worst of what is to be said of journal and recording.
    match (&snapshot.journal_trouble, seen.scene.rec, seen.scene.silent) {
        (Some(_), ..) => pen.right("▲ NOT JOURNALLED", theme.bad),
        (None, Light::Lost(_), _) => pen.right("▲ REC LOST", theme.bad),
        (None, _, Some(_)) => pen.right("? journal", theme.unknown),
        (None, Light::Stuck, None) => pen.right("? REC", theme.unknown),
        (None, Light::On { ran }, None) => {
            let ran = if roomy { format!(" {}", text::clock(ran)) } else { String::new() };
            pen.right(&format!("● REC{ran}"), theme.text)
        }
        (None, Light::Off, None) => pen.right(&format!("● journal{time}"), theme.text),
    };
    let host = if roomy { format!("  on {}", facts.host) } else { format!(" {}", facts.host) };
    // The host stays readable whatever the service is called.
    let most = pen.room().saturating_sub(width(&host));
    let name = name(seen, most);
    let end = pen.x() + width(&name).min(most);
    let y = area.y;
    let x = pen.x();
    ink.text(Rect::new(x, y, end - x, 1), x, y, &name, theme.title);
    let host_end = (end + width(&host)).min(area.right());
    ink.text(Rect::new(end, y, host_end - end, 1), end, y, &host, theme.text);
}

/// As much of it as there is room for; what is cut is seen to be.
fn short(words: &str, room: u16) -> String {
    let mut out = words.to_owned();
    while width(&out) > room {
        out.truncate(out.trim_end_matches('…').char_indices().next_back().map_or(0, |(at, _)| at));
        out = format!("{}…", out.trim_end());
        if out == "…" {
            break;
        }
    }
    out
}

/// The service with as much of its releases as there is room for.
fn name(seen: &Seen<'_>, room: u16) -> String {
    let snapshot = seen.snapshot;
    let service = &snapshot.service;
    let release = |of: &Option<Clean>| of.as_ref().map_or("?".to_owned(), Clean::to_string);
    if snapshot.current.is_none() && snapshot.next.is_none() {
        return service.to_string();
    }
    let (current, next) = (release(&snapshot.current), release(&snapshot.next));
    [format!("{service} {current} → {next}"), format!("{service} → {next}")]
        .into_iter()
        .find(|name| width(name) <= room)
        .unwrap_or_else(|| service.to_string())
}
