//! What each limit says: its counts, the limit itself, and the verdict in words.
//!
//! ```text
//! ╭ Limits on Green ─────────────────────╮
//! │ 5xx      1 of 312   2 % for 2m   ok  │
//! │ 4xx       4 of 9     too few 9 of 24 │
//! │ queue    not declared                │
//! ```
//!
//! The numbers are those of the last evaluation, which there is one of every 5 s; the title says
//! how old they are. Where there is no room for all of a row the bound goes: it stands in the plan,
//! the verdict does not. A wide panel has room for every word.

use crate::plan::Signal;
use crate::signal::rate::EVALUATE_EVERY;
use crate::signal::{Judgement, Verdict};
use crate::text;
use crate::tui::screen::Seen;
use crate::tui::theme::Theme;
use crate::tui::widget::ink::{Ink, width};
use crate::tui::widget::panel;
use crate::units::{Millis, Percent, Role};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Rows that the limits take inside a panel.
pub fn rows(seen: &Seen<'_>) -> u16 {
    u16::try_from(seen.snapshot.limits.len()).unwrap_or(u16::MAX).clamp(1, 12)
}

/// Columns inside a panel in which every word of every row has room.
const ROOMY: u16 = 58;
/// Columns that a row takes at most: what is apart is not read together.
const WIDEST: u16 = 66;

/// Draws the panel.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let (snapshot, theme) = (seen.snapshot, seen.theme);
    let inner = panel::frame(ink, area, theme);
    // Health is of probes always, and nobody needs to be told.
    let told = |judgement: &&Judgement| judgement.of > 0 && judgement.signal() != Signal::Health;
    let measured = || snapshot.limits.iter().filter(|_| !is_over(seen)).filter(told);
    let all_probes = measured().next().is_some() && measured().all(|judgement| judgement.probes);
    let title = title(seen);
    let remark = if all_probes { "of probes" } else { "" };
    panel::head(ink, area, &[(&title, theme.title)], (remark, theme.dim));
    if is_over(seen) {
        ink.line(inner, 0).say(&format!(" {OVER}"), theme.dim);
        return;
    }
    if snapshot.limits.is_empty() {
        ink.line(inner, 0).say(" nothing is judged yet", theme.unknown);
    }
    let rows = Rect { width: inner.width.min(WIDEST), ..inner };
    for (row, judgement) in snapshot.limits.iter().enumerate() {
        let mut pen = ink.line(rows, row as u16);
        let style = style(judgement, theme);
        let bound = format!("{} for {}", judgement.limit.above, judgement.limit.hold);
        let short = bound.replacen(' ', "", 1);
        // Before the first evaluation there are no numbers: beside a gate that counts already
        // they would be read as a contradiction.
        let judged = snapshot.limits_at.is_some() || judgement.verdict == Verdict::NotDeclared;
        let mut counts = if judged { judgement.counts() } else { String::new() };
        let named = judgement.of == 0 || judgement.signal() == Signal::QueueDepth;
        if judgement.probes && !all_probes && !named {
            counts.push_str(" probes");
        }
        let label = judgement.signal().label();
        // Where not both have room, what was counted is more than how much is missing.
        let mut says = verdict(judgement, seen);
        let roomy = inner.width >= ROOMY;
        let (least, besides) = if roomy { (16, 27) } else { (11, 10) };
        if width(&counts).max(least) + besides + width(&says) > rows.width {
            says = if judged { judgement.word().to_owned() } else { says };
        }
        pen.right(&format!("{says} "), style);
        if roomy {
            // Columns of their own: the widest verdict is never beside a bound.
            pen.say(&format!(" {label:<8}{counts:>16}"), theme.text).gap(2);
            pen.say(&format!("{bound:>14}"), theme.dim);
            continue;
        }
        pen.say(&format!(" {label:<7}{counts:>11}"), theme.text).gap(2);
        let bound = if width(&bound) <= pen.room() { bound } else { short };
        if width(&bound) <= pen.room() {
            // Kept apart from the verdict, so that the eye finds a column of bounds.
            let pad = usize::from(13.min(pen.room()));
            pen.say(&format!("{bound:>pad$}"), theme.dim);
        }
    }
}

/// Younger than this it is as good as now.
const FRESH: Millis = Millis::secs(3);

/// Whose limits these are, and how old the numbers are where they are not of now.
fn title(seen: &Seen<'_>) -> String {
    let snapshot = seen.snapshot;
    let on = format!("Limits on {}", snapshot.limits_on);
    match snapshot.limits_at.map(|at| seen.now.since(at)).filter(|_| !is_over(seen)) {
        Some(old) if old >= FRESH && seen.scene.silent.is_none() => {
            format!("{on} · {} s ago", old.as_secs())
        }
        _ => on,
    }
}

/// What is said then.
pub const OVER: &str = "not judged any more: all on Blue";

/// Whether nobody judges Green any more, because nobody is sent there.
pub fn is_over(seen: &Seen<'_>) -> bool {
    let snapshot = seen.snapshot;
    snapshot.limits_on == Role::Green
        && snapshot.rollback.as_ref().is_some_and(|rollback| rollback.verified)
        && snapshot.traffic.read == Some(Percent::ZERO)
}

/// The verdict in words, with what it still waits for: time, or evidence.
pub fn verdict(judgement: &Judgement, seen: &Seen<'_>) -> String {
    let snapshot = seen.snapshot;
    if snapshot.limits_at.is_none()
        && matches!(judgement.verdict, Verdict::TooFew)
        && seen.scene.silent.is_none()
    {
        let first = Millis((snapshot.at.0 / EVALUATE_EVERY.0 + 1) * EVALUATE_EVERY.0);
        return format!("judged in {}", text::countdown(seen.now, first));
    }
    let word = judgement.word();
    let judged_at = snapshot.limits_at.unwrap_or(snapshot.at);
    let left = judgement.trips_in.filter(|_| seen.scene.silent.is_none());
    match (judgement.verdict, left) {
        (_, Some(left)) => format!("{word} {}", text::countdown(seen.now, judged_at + left)),
        (Verdict::Ok | Verdict::TooFew, None) if judgement.over => {
            judgement.luck_words().map_or_else(|| "over".to_owned(), |luck| format!("over, {luck}"))
        }
        (Verdict::TooFew, None) if word == Verdict::TooFew.word() => match judgement.seen_words() {
            Some(seen) => format!("{word} {}", seen.replace('~', "")),
            None => word.to_owned(),
        },
        _ => word.to_owned(),
    }
}

/// How the verdict of a judgement looks: what is over is not drawn as if it were good.
pub fn style(judgement: &Judgement, theme: &Theme) -> Style {
    match judgement.verdict {
        Verdict::Ok if judgement.word() != Verdict::Ok.word() => theme.warn,
        Verdict::TooFew if judgement.over => theme.warn,
        verdict => look(verdict, theme),
    }
}

/// How a verdict looks; its word says the same.
pub const fn look(verdict: Verdict, theme: &Theme) -> Style {
    match verdict {
        Verdict::Ok => theme.good,
        Verdict::Tripping | Verdict::Shared => theme.warn,
        Verdict::Tripped => theme.bad,
        Verdict::TooFew | Verdict::Stale | Verdict::Unknown => theme.unknown,
        Verdict::NotDeclared => theme.dim,
    }
}
