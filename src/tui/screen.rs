//! The screen: which regions there are at which size, and who draws them.
//!
//! ```text
//!  title      kind, service, host, journal, run, plan, UTC        every size
//!  headline   step, how it goes, what comes next                  every size
//!  alarm      what is tripping, or why a key did nothing          every size
//! ╭ runbook ─╮╭ traffic ────────────────────╮   110x30 and more: two columns;
//! ╰──────────╯╰─────────────────────────────╯   the log takes what is left
//! ╭ gate ────╮╭ 5xx ────────────────────────╮
//! ╰──────────╯╰─────────────────────────────╯   60x16 and more: runbook in two rows,
//! ╭ limits ──╮╭ p95 ────────────────────────╮   traffic, plots, keys; then, with the
//! ╰──────────╯╰─────────────────────────────╯   height for it, limits and log
//!             ╭ health ─╮╭ DB ────╮╭ queue ─╮
//!             ╰─────────╯╰────────╯╰────────╯   less: one plain view
//!  log
//!  keys
//! ```
//!
//! A scene is all that there is to draw, the instant included: nothing here reads a clock, does
//! IO, or keeps anything. The same scene gives the same cells.

use super::history::History;
use super::state::UiState;
use super::theme::Theme;
use super::view;
use super::widget::ink::Ink;
use super::widget::plot::Axis;
use crate::evidence::recorder::Light;
use crate::plan::Signal;
use crate::runbook::event::View;
use crate::runbook::snapshot::Snapshot;
use crate::signal::Judgement;
use crate::units::Millis;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// All that there is to draw.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// How things stand; nothing until the engine has said so.
    pub snapshot: Option<&'a Snapshot>,
    /// What was.
    pub history: &'a History,
    /// What the operator does with the screen.
    pub ui: &'a UiState,
    /// What meanings look like.
    pub theme: &'a Theme,
    /// Whether only ASCII can be shown.
    pub ascii: bool,
    /// The present instant of the run.
    pub now: Millis,
    /// The present instant in milliseconds since 1970.
    pub unix_ms: i64,
    /// How old all of this is, where the engine has been silent for longer than it ever is.
    pub silent: Option<Millis>,
    /// Whether this is recorded.
    pub rec: Light,
}

/// A scene in which the engine has spoken: what views are given.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The scene.
    pub scene: &'a Scene<'a>,
    /// How things stand.
    pub snapshot: &'a Snapshot,
    /// What meanings look like.
    pub theme: &'a Theme,
    /// The present instant of the run.
    pub now: Millis,
}

impl Seen<'_> {
    /// What a signal's limit says, if the plan has one.
    pub fn judgement(&self, signal: Signal) -> Option<&Judgement> {
        self.snapshot.limits.iter().find(|judgement| judgement.signal() == signal)
    }

    /// The run's id as people say it: its last four digits, `7f3a`.
    pub fn run(&self) -> &str {
        let id = self.snapshot.facts.run.as_str();
        let short = id.rsplit('-').next().unwrap_or(id);
        let from = short.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
        &short[from..]
    }

    /// An instant of the run in milliseconds since 1970.
    pub const fn unix_ms(&self, at: Millis) -> i64 {
        self.snapshot.facts.began_unix_ms.saturating_add_unsigned(at.0)
    }
}

/// What drawing found out about a view that scrolls: its lines, and how many of them fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scrolled {
    /// Lines in all.
    pub lines: usize,
    /// Lines that fit.
    pub page: usize,
}

/// Least columns and rows for anything but the plain view.
pub const LEAST: (u16, u16) = (60, 16);
/// Least columns and rows for two columns of panels.
const WIDE: (u16, u16) = (110, 30);
/// Columns of the left one.
const LEFT: u16 = 40;
/// Columns from which the left one is wide enough for every word of a limit.
const ROOMY: u16 = 160;
/// Columns of it there.
const LEFT_ROOMY: u16 = 62;

/// Draws the scene.
pub fn draw(scene: &Scene<'_>, buf: &mut Buffer) -> Scrolled {
    let area = buf.area;
    let mut ink = Ink::new(buf, scene.theme.text, scene.ascii);
    if scene.theme.text != ratatui::style::Style::new() {
        ink.clear(area, scene.theme.text);
    }
    if area.is_empty() {
        return Scrolled::default();
    }
    let Some(snapshot) = scene.snapshot else {
        let words = "waiting for the engine";
        ink.text(area, area.x, area.y, words, scene.theme.dim);
        return Scrolled::default();
    };
    let seen = Seen { scene, snapshot, theme: scene.theme, now: scene.now };
    if area.width < LEAST.0 || area.height < LEAST.1 {
        view::plain::draw(&mut ink, area, &seen);
        return Scrolled::default();
    }
    let [title, headline, alarm, body, footer] = cut(area, [1, 1, 1, area.height - 4, 1]);
    view::title::draw(&mut ink, title, &seen);
    view::headline::draw(&mut ink, headline, &seen);
    view::alarm::draw(&mut ink, alarm, &seen);
    view::footer::draw(&mut ink, footer, &seen);
    let mut scrolled = match scene.ui.view {
        View::Log => view::log::whole(&mut ink, body, &seen),
        View::Output => view::output::whole(&mut ink, body, &seen),
        View::Limits => {
            // The verdicts take what they need; the gate says in its last row what it left out.
            let wanted = view::verdicts::rows(&seen, body.width) + 2;
            let checks = u16::try_from(snapshot.checks.len()).unwrap_or(u16::MAX);
            let gate = checks
                .saturating_add(2)
                .min(body.height * 2 / 5)
                .max(body.height.saturating_sub(wanted));
            let [gate, limits] = cut(body, [gate, body.height - gate]);
            view::gate::draw(&mut ink, gate, &seen);
            view::verdicts::draw(&mut ink, limits, &seen)
        }
        View::Cockpit | View::Help => {
            if view::outcome::is_due(&seen) {
                large(&mut ink, body, &seen);
            } else if area.width >= WIDE.0 && area.height >= WIDE.1 {
                wide(&mut ink, body, &seen);
            } else {
                narrow(&mut ink, body, &seen);
            }
            Scrolled::default()
        }
    };
    if scene.ui.help {
        scrolled = view::help::draw(&mut ink, body, &seen);
    }
    // Nobody can answer any more what a run asked before it ended.
    if snapshot.question.is_some() && snapshot.finish.is_none() {
        view::question::draw(&mut ink, body, &seen);
    }
    if scene.ui.note.is_some() {
        view::note::draw(&mut ink, body, &seen);
    }
    scrolled
}

/// Cuts an area into rows of these heights, as far as it reaches.
pub fn cut<const N: usize>(area: Rect, heights: [u16; N]) -> [Rect; N] {
    let mut y = area.y;
    heights.map(|height| {
        let height = height.min(area.bottom().saturating_sub(y));
        let row = Rect { y, height, ..area };
        y += height;
        row
    })
}

/// Cuts an area into columns of these widths, as far as it reaches.
pub fn split<const N: usize>(area: Rect, widths: [u16; N]) -> [Rect; N] {
    let mut x = area.x;
    widths.map(|width| {
        let width = width.min(area.right().saturating_sub(x));
        let column = Rect { x, width, ..area };
        x += width;
        column
    })
}

/// Two columns of panels; the log takes what is left below.
fn wide(ink: &mut Ink<'_>, body: Rect, seen: &Seen<'_>) {
    let log = (body.height.saturating_sub(27)).max(5).min(body.height - 24);
    let panels = body.height - log;
    let [panels_area, log_area] = cut(body, [panels, log]);
    let left = if body.width >= ROOMY { LEFT_ROOMY } else { LEFT };
    let [left, right] = split(panels_area, [left, body.width - left]);
    let limits = view::limits::rows(seen) + 2;
    let gate = panels.saturating_sub(10 + limits);
    let [runbook, gate, limits] = cut(left, [10, gate, limits]);
    view::runbook::draw(ink, runbook, seen);
    view::gate::draw(ink, gate, seen);
    view::limits::draw(ink, limits, seen);
    let [traffic, plots, small] = cut(right, [4, panels - 9, 5]);
    view::traffic::draw(ink, traffic, seen);
    draw_plots(ink, plots, seen);
    draw_small(ink, small, seen);
    view::log::draw(ink, log_area, seen);
}

/// One column: runbook in two rows, traffic, the two plots; then limits and log, if there is room.
fn narrow(ink: &mut Ink<'_>, body: Rect, seen: &Seen<'_>) {
    let limits = view::limits::rows(seen) + 2;
    let mut left = body.height.saturating_sub(6 + 13);
    let limits = if left >= limits { limits } else { 0 };
    left -= limits;
    // Plots grow before the log does, up to nine rows each; but what somebody says is never unseen.
    let grow = left.saturating_sub(1).min(4);
    let log = left - grow;
    let plots = body.height.saturating_sub(6 + limits + log);
    let [runbook, traffic, plots, limits, log] = cut(body, [2, 4, plots, limits, log]);
    view::runbook::compact(ink, runbook, seen);
    view::traffic::draw(ink, traffic, seen);
    draw_plots(ink, plots, seen);
    view::limits::draw(ink, limits, seen);
    view::log::draw(ink, log, seen);
}

/// The way back, or the end: one thing large, and what it did to users below.
fn large(ink: &mut Ink<'_>, body: Rect, seen: &Seen<'_>) {
    let banner = view::outcome::rows(ink, seen).min(body.height.saturating_sub(4));
    let left = body.height.saturating_sub(4 + banner);
    let plots = match left {
        0..=11 => 0,
        12..=25 => left - 5,
        _ => 20,
    };
    let [traffic, banner, plots, log] = cut(body, [4, banner, plots, left - plots]);
    view::traffic::draw(ink, traffic, seen);
    view::outcome::draw(ink, banner, seen);
    draw_plots(ink, plots, seen);
    view::log::draw(ink, log, seen);
}

fn draw_plots(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    // One plot that can be read is better than two stubs.
    let first = if area.height >= 12 { area.height.div_ceil(2) } else { area.height };
    let [errors, p95] = cut(area, [first, area.height - first]);
    view::series::draw(ink, errors, seen, super::history::Plotted::Errors);
    view::series::draw(ink, p95, seen, super::history::Plotted::P95);
}

fn draw_small(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let third = area.width / 3;
    let [health, db, queue] = split(area, [area.width - 2 * third, third, third]);
    view::health::draw(ink, health, seen);
    view::gauges::db_errors(ink, db, seen);
    view::gauges::queue(ink, queue, seen);
}

/// The time axis for so many cells: a quarter of an hour, and half an hour where there is room
/// for it.
pub fn axis(cells: u16, screen: Rect, now: Millis) -> Axis {
    let span = if screen.width >= ROOMY { 30 * 60 } else { 15 * 60 };
    Axis::new(cells, grown(cells, span, now), now)
}

/// The span of a young run: as short as holds all of it, growing in steps, so that the first
/// minutes are not a sliver at the edge of an empty plot.
fn grown(cells: u16, span: u64, now: Millis) -> u64 {
    let columns = u64::from(cells.max(1)) * 2;
    (1..=12)
        .map(|bucket| bucket * columns)
        .find(|&s| now.as_secs() < s)
        .map_or(span, |s| s.min(span))
}
