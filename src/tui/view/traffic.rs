//! Where the traffic is: what we asked for, what the router reports, what users saw.
//!
//! ```text
//! ╭ Traffic ─────────────────────────────────── users saw Green 312 of 623 ╮
//! │ BLUE left 1.8.2   50 ████████████▒▒▒▒▒▒▒▒▒▒▒▒ 50   right 1.9.0 GREEN   │
//! │ asked 50/50 · router reads 50/50   Blue ready 240 of 240 · back 0.5 ms │
//! ```
//!
//! The bar is what the router reports and nothing else. Where it does not report, there is no bar.

use crate::runbook::snapshot::StampState;
use crate::text;
use crate::tui::screen::Seen;
use crate::tui::widget::ink::{Ink, width};
use crate::tui::widget::{bar, panel};
use crate::units::{Millis, Percent, Role, Slot};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// A read-back that is older than this is said with its age.
const FRESH: Millis = Millis(3_000);

/// Draws the panel.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let (traffic, theme) = (&seen.snapshot.traffic, seen.theme);
    let inner = panel::frame(ink, area, theme);
    let users = match traffic.seen {
        Some((green, all)) if traffic.named => {
            format!("users saw Green {green} of {all}")
        }
        Some((green, all)) => format!("Green {green} of {all} users · verified by the router"),
        None => "no users counted".to_owned(),
    };
    panel::head(ink, area, &[("Traffic", theme.title)], (&users, theme.text));
    match (seen.snapshot.blue, traffic.first) {
        (Some(blue), _) => known(ink, inner, seen, blue),
        (None, Some(first)) => unsettled(ink, inner, seen, first),
        (None, None) => {
            ink.line(inner, 0).say(" which slot is Blue is not known yet", theme.unknown);
        }
    }
    let (reading, reading_style) = reading(seen);
    let (blue, back, blue_style) = way_back(seen);
    let mut pen = ink.line(inner, 1);
    if seen.snapshot.blue.is_some() {
        // What is wrong with the reading is more than how fast the last way back was.
        let room = inner.width.saturating_sub(width(&reading) + 2);
        let fits = |blue: &str, back: &str| width(blue) + width(back) + 2 <= room;
        // The counts go before the time of the way back does.
        let few = blue.split(" of ").next().and_then(|words| words.rsplit_once(' '));
        let short = few.map_or(blue.as_str(), |(words, _)| words);
        let backs = [back.as_str(), back.strip_prefix("· last ").unwrap_or(&back)];
        let dotted = |back: &str| {
            if back.starts_with('·') { back.to_owned() } else { format!("· {back}") }
        };
        let both = [blue.as_str(), short].into_iter().find_map(|blue| {
            backs.iter().map(|back| dotted(back)).find(|back| fits(blue, back)).map(|b| (blue, b))
        });
        match both {
            Some((blue, back)) => {
                pen.right(&format!("{back} "), theme.dim).right(blue, blue_style);
            }
            None => {
                pen.right(&format!("{blue} "), blue_style);
            }
        }
    }
    pen.say(&format!(" {reading}"), reading_style);
}

/// Blue is fixed: the bar, with each side's slot and release written out.
fn known(ink: &mut Ink<'_>, inner: Rect, seen: &Seen<'_>, blue: Slot) {
    let (snapshot, theme) = (seen.snapshot, seen.theme);
    let slot = |role: Role| {
        let slot = if role == Role::Blue { blue } else { blue.other() };
        let declared = if role == Role::Blue { &snapshot.current } else { &snapshot.next };
        let release = snapshot.health[role.index()].release.as_ref().or(declared.as_ref());
        let release = release.map_or_else(String::new, |release| format!(" {release}"));
        format!("{}{release}", snapshot.slots[slot.index()])
    };
    let room = inner.width / 3;
    let short = |text: String| {
        if width(&text) + 8 > room {
            text.chars().take(usize::from(room.saturating_sub(9))).collect()
        } else {
            text
        }
    };
    let (left, right) = (short(slot(Role::Blue)), short(slot(Role::Green)));
    let strong = |style: Style| style.add_modifier(ratatui::style::Modifier::BOLD);
    let mut pen = ink.line(inner, 0);
    pen.say(" BLUE", strong(theme.blue)).say(&format!(" {left}  "), theme.text);
    pen.right("GREEN ", strong(theme.green)).right(&right, theme.text);
    let row = Rect::new(pen.x(), inner.y, pen.room(), 1);
    match snapshot.traffic.read {
        Some(green) => shares(ink, row, green, seen),
        None => {
            let why = "THE SPLIT IS NOT KNOWN";
            let x = row.x + row.width.saturating_sub(width(why)) / 2;
            ink.text(row, x, row.y, why, theme.bad);
        }
    }
}

fn shares(ink: &mut Ink<'_>, row: Rect, green: Percent, seen: &Seen<'_>) {
    let theme = seen.theme;
    let mut pen = ink.line(row, 0);
    pen.say(&format!("{:>3} ", green.rest().get()), theme.title);
    pen.right(&format!("{:<3}", green.get()), theme.title);
    let bar = Rect::new(pen.x(), row.y, pen.room(), 1);
    bar::split(ink, bar, green.get(), theme);
}

/// Blue is not fixed: the slots by their names alone.
fn unsettled(ink: &mut Ink<'_>, inner: Rect, seen: &Seen<'_>, first: Percent) {
    let [one, two] = &seen.snapshot.slots;
    let words =
        format!(" {one} {first} · {two} {} · which of them is Blue is not settled", first.rest());
    ink.line(inner, 0).say(&words, seen.theme.unknown);
}

/// What was asked and what is read.
fn reading(seen: &Seen<'_>) -> (String, Style) {
    let (traffic, theme) = (&seen.snapshot.traffic, seen.theme);
    // Both shares, Blue first: one number alone could be anybody's.
    let both = |green: Percent| format!("{}/{green}", green.rest());
    let asked = traffic.asked.map_or_else(String::new, |a| format!("asked {} · ", both(a)));
    let age = traffic.read_at.map(|at| seen.now.since(at));
    if let Some(why) = &traffic.trouble {
        // How old what is known is comes before why: the end is what is cut.
        let age = age.map_or_else(String::new, |age| format!(" for {}", text::age(age)));
        return (format!("{asked}router NOT READ{age}: {why}"), theme.bad);
    }
    let read = match (traffic.read, traffic.first) {
        (Some(green), _) => both(green),
        (None, Some(first)) => format!("{first}/{}", first.rest()),
        (None, None) => return (format!("{asked}router not read yet"), theme.unknown),
    };
    let mut words = format!("{asked}router reads {read}");
    let mut style = theme.text;
    if traffic.asked.is_some_and(|asked| Some(asked) != traffic.read) {
        style = theme.warn;
    }
    if let Some(age) = age.filter(|age| *age > FRESH) {
        words.push_str(&format!(" {} ago", text::age(age)));
        style = theme.unknown;
    }
    if traffic.moved_by_others {
        words.push_str(" · MOVED BY OTHERS");
        style = theme.bad;
    }
    (words, style)
}

/// How Blue is, how long the last way back took, and how the first of them looks.
fn way_back(seen: &Seen<'_>) -> (String, String, Style) {
    let theme = seen.theme;
    let blue = &seen.snapshot.health[Role::Blue.index()];
    let (good, of) = blue.good_of;
    let (ready, style) = match blue.ready {
        Some(true) => (format!("Blue ready {good} of {of}"), theme.good),
        Some(false) => {
            let since = text::clock(seen.now.since(blue.since));
            (format!("BLUE NOT READY {since}"), theme.bad)
        }
        None => ("Blue unknown".to_owned(), theme.unknown),
    };
    let rollback = seen.snapshot.rollback.as_ref();
    let this = rollback.and_then(|rollback| match rollback.stamps[0] {
        StampState::After(us) => Some(us),
        _ => None,
    });
    let back = match seen.snapshot.facts.last_rollback {
        _ if this.is_some() => format!("· back in {}", text::micros(this.unwrap_or_default())),
        Some((us, when)) => {
            let ago = u64::try_from(seen.scene.unix_ms - when).unwrap_or(0);
            format!("· last back in {} ({})", text::micros(us), text::age(Millis(ago)))
        }
        None => "· no rollback timed yet".to_owned(),
    };
    (ready, back, style)
}
