//! The two plots: failed requests and latency, Blue and Green on one time axis.
//!
//! ```text
//! ╭ 5xx   Green ⠶ 0.3 %   Blue ⠤ 0.1 % ─────────── limit 2 % for 2m ╮
//! │ 3.3%                    ┆               ┆                       │
//! │ 2%  ┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈│
//! │ 0   ⣀⣀⣀⣀⣀⡠⠤⢄⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⡠⠤⠤⠤⣀⣀⣀⣀⣀⣀⣀⣀⡠│
//! ╰─ -15m ──────────────── 10 % ────────── 50 % ──────────────── now ╯
//! ```
//!
//! The limit lies at six tenths of the height, whatever it is, so that a trip is seen; what goes
//! over the top is clipped and its value written there.

use crate::plan::{Bound, Signal};
use crate::signal::Verdict;
use crate::text;
use crate::tui::history::Plotted;
use crate::tui::screen::{self, Seen};
use crate::tui::view::limits;
use crate::tui::widget::ink::{Ink, width};
use crate::tui::widget::{panel, plot};
use crate::units::{Millis, Role};
use ratatui::layout::Rect;

/// Columns for the values at the left.
const LABELS: u16 = 5;
/// Where a limit lies in the height.
const SHARE: f32 = 0.6;

/// Draws one of the plots.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>, what: Plotted) {
    if area.height < 3 || area.width < 20 {
        return;
    }
    let theme = seen.theme;
    let signal = match what {
        Plotted::Errors => Signal::ErrorRate,
        Plotted::P95 => Signal::LatencyP95,
    };
    let judgement = seen.judgement(signal);
    let verdict = judgement.map(|judgement| judgement.verdict);
    let border = match verdict {
        // The colour of the verdict; without colours, a border that is not dimmed.
        Some(verdict @ (Verdict::Tripping | Verdict::Tripped | Verdict::Shared)) => {
            limits::look(verdict, theme).fg.map_or(theme.text, |colour| theme.text.fg(colour))
        }
        _ => theme.border,
    };
    let inner = panel::framed(ink, area, border);
    head(ink, area, seen, what, judgement);
    if verdict == Some(Verdict::NotDeclared) {
        ink.line(inner, inner.height / 2).gap(LABELS).say("not declared", theme.dim);
        return;
    }
    let plot_area = Rect::new(inner.x + LABELS, inner.y, inner.width - LABELS, inner.height);
    let axis = screen::axis(plot_area.width, ink.area(), seen.now);
    let bound = judgement.map(|judgement| match judgement.limit.above {
        Bound::Percent(value) | Bound::Millis(value) | Bound::Count(value) => value as f32,
    });
    let history = seen.scene.history;
    let value = |role| move |from, to| history.most(what, role, from, to);
    let top = bound.map_or_else(|| free_top(seen, what, &axis), |bound| bound / SHARE);
    // The legend of the axis lies on the bottom border.
    let bottom = Rect::new(area.x + 1, area.bottom() - 1, area.width - 2, 1);
    let now_x = bottom.right() - 6;
    ink.text(bottom, now_x, bottom.y, " now ", theme.dim);
    let past = format!(" -{} ", minutes(axis.span()));
    let after_past = ink.text(bottom, plot_area.x.saturating_sub(1), bottom.y, &past, theme.dim);
    let labels = Rect::new(after_past, bottom.y, now_x.saturating_sub(after_past), 1);
    plot::marks(ink, plot_area, &axis, &history.switches, labels, theme.mark);
    let limit_row = bound.and_then(|_| plot::limit(ink, plot_area, SHARE, theme.limit));
    label(ink, inner, inner.y, &short(what, top), theme.dim);
    label(ink, inner, inner.bottom() - 1, "0", theme.dim);
    if let (Some(bound), Some(y)) = (bound, limit_row) {
        label(ink, inner, y, &short(what, bound), theme.limit);
    }
    let (blue, green) = (value(Role::Blue), value(Role::Green));
    let lines = [
        plot::Line { style: theme.blue, thick: false, value: &blue },
        plot::Line { style: theme.green, thick: true, value: &green },
    ];
    if let Some(clipped) = plot::draw(ink, plot_area, &axis, top, &lines) {
        let words = format!("↑{}", long(what, clipped.value));
        // Left of its peak, so that the peak is seen; right of it where there is no room.
        let x = match clipped.cell.checked_sub(width(&words)) {
            Some(cell) => plot_area.x + cell,
            None => plot_area.x + clipped.cell + 1,
        };
        ink.text(plot_area, x, plot_area.y, &words, theme.title.patch(clipped.style));
    }
}

fn head(
    ink: &mut Ink<'_>,
    area: Rect,
    seen: &Seen<'_>,
    what: Plotted,
    judgement: Option<&crate::signal::Judgement>,
) {
    let theme = seen.theme;
    let now = |role| seen.scene.history.now(what, role, seen.now);
    let (blue, green) = (now(Role::Blue), now(Role::Green));
    let mut measured = [blue, green].into_iter().flatten().peekable();
    let only_probes = measured.peek().is_some() && measured.all(|m| m.probes);
    let name = match what {
        Plotted::Errors => "5xx",
        Plotted::P95 => "p95",
    };
    let name = if only_probes { format!("{name} of probes") } else { name.to_owned() };
    let words = |measured: Option<crate::tui::history::Measured>| match measured {
        Some(m) if m.probes && !only_probes => format!("{} (probes)", long(what, m.value)),
        Some(m) => long(what, m.value),
        None => "no value".to_owned(),
    };
    let (thick, thin) = if ink.ascii() { ('#', '-') } else { ('⠶', '⠤') };
    let title = [
        (name.as_str(), theme.title),
        (&format!("   Green {thick} {}", words(green)), theme.green),
        (&format!("   Blue {thin} {}", words(blue)), theme.blue),
    ];
    let limit = judgement.map_or_else(
        || "no limit".to_owned(),
        |judgement| format!("limit {} for {}", judgement.limit.above, judgement.limit.hold),
    );
    // What the plot cannot show is said: two lines that are over are no word about whose fault.
    let says = match judgement.map(|judgement| judgement.verdict) {
        Some(Verdict::Shared) => Some("BOTH SLOTS SUFFER"),
        Some(verdict @ (Verdict::Tripping | Verdict::Tripped)) => Some(verdict.word()),
        _ => None,
    };
    let words = says.map(|says| format!("{says} · {limit}"));
    let taken: u16 = title.iter().map(|(text, _)| width(text)).sum();
    let fits = |words: &String| taken + width(words) + 8 <= area.width;
    match (words.filter(fits), says, judgement) {
        (Some(words), _, Some(judgement)) => {
            panel::head(ink, area, &title, (&words, limits::style(judgement, theme)));
        }
        (None, Some(says), Some(judgement)) => {
            panel::head(ink, area, &title, (says, limits::style(judgement, theme)));
        }
        _ => panel::head(ink, area, &title, (&limit, theme.dim)),
    }
}

fn label(ink: &mut Ink<'_>, inner: Rect, y: u16, text: &str, style: ratatui::style::Style) {
    let room = Rect::new(inner.x, y, LABELS.min(inner.width), 1);
    ink.text(room, room.x + 1, y, text, style);
}

/// The height of a plot that has no limit: a little more than its largest value.
fn free_top(seen: &Seen<'_>, what: Plotted, axis: &plot::Axis) -> f32 {
    let span = axis.seconds(0).map_or(0, |(from, _)| from)..seen.now.as_secs() + 1;
    let most = Role::BOTH
        .iter()
        .filter_map(|role| seen.scene.history.most(what, *role, span.start, span.end))
        .fold(0.0, f32::max);
    let least = if what == Plotted::Errors { 1.0 } else { 10.0 };
    (most * 1.25).max(least)
}

/// A value on the axis, in four columns.
fn short(what: Plotted, value: f32) -> String {
    match what {
        Plotted::Errors if value < 9.95 && value.fract() > 0.05 => format!("{value:.1}%"),
        Plotted::Errors => format!("{value:.0}%"),
        Plotted::P95 if value >= 9_999.5 => format!("{:.0}s", value / 1_000.0),
        Plotted::P95 => format!("{value:.0}"),
    }
}

/// A value in words.
fn long(what: Plotted, value: f32) -> String {
    match what {
        Plotted::Errors => text::percent(f64::from(value)),
        Plotted::P95 => text::latency(f64::from(value)),
    }
}

/// A length of the axis, to the nearest minute where there are any.
fn minutes(seconds: u64) -> String {
    let rounded = if seconds >= 90 { (seconds + 30) / 60 * 60 } else { seconds };
    Millis::secs(rounded).to_string()
}
