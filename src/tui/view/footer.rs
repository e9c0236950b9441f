//! The keys that mean something now, the way back first.
//!
//! ```text
//!  r ROLLBACK TO BLUE   space next step (1:48)   h hold   + extend   n note   ? help   q leave
//! ```
//!
//! Keys that do nothing now are dimmed and stay where they are: position is memory. Once the run
//! goes back, or is over, nothing will be as it was: then only what works is shown, with the keys
//! of the views. A silent engine takes no step forward, so no such key is offered. In a
//! replay its position stands first. Where there is no room for
//! all, those that can be done without go first.

use crate::replay::Order;
use crate::runbook::event::View;
use crate::runbook::gate::GateState;
use crate::tui::keymap::{self, Action, Availability, Binding, Label};
use crate::tui::screen::Seen;
use crate::tui::widget::ink::{Ink, width};
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// What goes first where there is no room for all.
const DISPENSABLE: [Action; 10] = [
    Action::NextView,
    Action::Show(View::Limits),
    Action::Show(View::Output),
    Action::Show(View::Log),
    Action::Extend,
    Action::Note,
    Action::Hold,
    Action::Help,
    Action::Leave,
    Action::Next,
];

/// The same of a replay, whose position is never left out.
const DISPENSABLE_IN_A_REPLAY: [Action; 7] = [
    Action::NextView,
    Action::Play(Order::Turn(1)),
    Action::Play(Order::Step(1)),
    Action::Play(Order::Mark(1)),
    Action::Help,
    Action::Play(Order::Pause),
    Action::Play(Order::Leave),
];

struct Hint {
    row: &'static Binding,
    key: String,
    label: String,
    /// Whether its label is a countdown, which is reason enough that it does nothing yet.
    timed: bool,
}

impl Hint {
    fn width(&self) -> u16 {
        width(&self.key) + 1 + width(&self.label)
    }
}

/// Draws the row.
pub fn draw(ink: &mut Ink<'_>, area: Rect, seen: &Seen<'_>) {
    let (theme, ui) = (seen.theme, seen.scene.ui);
    let gap = if area.width < 110 { 2 } else { 3 };
    let mut hints = hints(seen);
    let works = |hint: &Hint| (hint.row.available)(seen.snapshot, ui) == Availability::Yes;
    let position = ui.replay.as_ref().map(|replay| format!(" REPLAY {} ", replay.words()));
    let taken = position.as_ref().map_or(0, |words| width(words) + gap);
    let room = area.width.saturating_sub(taken);
    let dispensable: &[Action] =
        if position.is_some() { &DISPENSABLE_IN_A_REPLAY } else { &DISPENSABLE };
    for action in dispensable {
        let all: u16 = hints.iter().map(|hint| hint.width() + gap).sum();
        if all <= room {
            break;
        }
        // A step that is shut is no offer: what can be done now stays for it.
        if *action == Action::Extend {
            hints.retain(|hint| hint.row.action != Action::Next || hint.timed || works(hint));
            let all: u16 = hints.iter().map(|hint| hint.width() + gap).sum();
            if all <= area.width {
                break;
            }
        }
        hints.retain(|hint| hint.row.action != *action);
    }
    let mut pen = ink.line(area, 0);
    if let Some(position) = &position {
        pen.say(position, theme.badge(seen.snapshot.facts.kind)).gap(gap);
    }
    for Hint { row, key, label, .. } in &hints {
        if row.action == Action::Rollback {
            pen.say(&format!(" {key} {label} "), theme.rollback).gap(gap - 1);
            continue;
        }
        let (key_style, style) = match (row.available)(seen.snapshot, ui) {
            Availability::Yes => (theme.key, theme.text),
            Availability::No(_) => (theme.dim.remove_modifier(Modifier::BOLD), theme.dim),
        };
        pen.say(key, key_style).gap(1).say(label, style).gap(gap);
    }
}

fn hints(seen: &Seen<'_>) -> Vec<Hint> {
    let (snapshot, ui) = (seen.snapshot, seen.scene.ui);
    let mode = ui.mode(Some(snapshot));
    let looking = keymap::only_looking(snapshot);
    let onward = looking || seen.scene.silent.is_some();
    let forward = [Action::Next, Action::Hold, Action::Extend, Action::NextView];
    let hint = |row: &'static Binding| {
        let key = keymap::shown(row, mode)?.to_string();
        let works = (row.available)(snapshot, ui) == Availability::Yes;
        let replay = ui.replay.is_some();
        if !replay && (looking && !works || onward && forward.contains(&row.action)) {
            return None;
        }
        let label = match row.label {
            Label::Nowhere => return None,
            Label::Fixed(label) => label.to_owned(),
            Label::By(label) => label(snapshot, ui, seen.now),
        };
        // Without colours, what is dimmed must say so: what it waits for is a time, or this.
        let timed = label.contains('(');
        let shut = row.action == Action::Next && !works && !timed;
        let label = match snapshot.gate {
            GateState::Waiting | GateState::Open if shut => format!("{label} (waits)"),
            GateState::Shut if shut => format!("{label} (gate shut)"),
            GateState::Unknown if shut => format!("{label} (unknown)"),
            _ => label,
        };
        (!label.is_empty()).then_some(Hint { row, key, label, timed })
    };
    keymap::table(mode).iter().filter_map(hint).collect()
}
