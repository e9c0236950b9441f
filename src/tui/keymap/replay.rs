//! The keys of a replay: a table in the same form as the cockpit's.
//!
//! No key here is a command to anybody: they move the run's time, or what is looked at. Keys that
//! do something in a cockpit and nothing here say so, so that nobody waits for them.

use super::{Action, Availability, Binding, Group, Key, Label, Mode, always};
use crate::replay::Order;
use crate::runbook::event::View;
use crate::runbook::snapshot::Snapshot;
use crate::tui::state::UiState;
use crate::units::Millis;

/// Why such a key does nothing.
const NOTHING: &str = "this is a replay: nothing moves";

const HERE: &[Mode] = &[Mode::Replay];
const HELP: &[Mode] = &[Mode::ReplayHelp];
const ALL: &[Mode] = &Mode::REPLAY;

const fn nothing(_: &Snapshot, _: &UiState) -> Availability {
    Availability::No(NOTHING)
}

fn pause_label(_: &Snapshot, ui: &UiState, _: Millis) -> String {
    match &ui.replay {
        Some(replay) if replay.at >= replay.end => "again",
        Some(replay) if replay.paused => "play",
        _ => "pause",
    }
    .to_owned()
}

const fn play(keys: &'static [Key], order: Order, label: Label, what: &'static str) -> Binding {
    let (modes, action, group) = (HERE, Action::Play(order), Group::Replay);
    Binding { keys, modes, action, label, group, what, available: always }
}

const fn look(
    keys: &'static [Key],
    modes: &'static [Mode],
    action: Action,
    label: Label,
    what: &'static str,
) -> Binding {
    Binding { keys, modes, action, label, group: Group::Look, what, available: always }
}

/// The table.
pub const BINDINGS: &[Binding] = &[
    play(
        &[Key::Char(' ')],
        Order::Pause,
        Label::By(pause_label),
        "stop the run's time; go on; at the end, from the beginning again",
    ),
    play(
        &[Key::Char(']')],
        Order::Mark(1),
        Label::Fixed("mark"),
        "to the next mark: step, switch, trip, way back, end",
    ),
    play(&[Key::Char('[')], Order::Mark(-1), Label::Nowhere, "to the mark before"),
    play(&[Key::Char('.')], Order::Step(1), Label::Fixed("event"), "one event on, and stop there"),
    play(&[Key::Char(',')], Order::Step(-1), Label::Nowhere, "one event back, and stop there"),
    play(&[Key::Right], Order::Skip(10), Label::Nowhere, "10 s on"),
    play(&[Key::Left], Order::Skip(-10), Label::Nowhere, "10 s back"),
    play(
        &[Key::Char('>'), Key::Char('+'), Key::Char('=')],
        Order::Turn(1),
        Label::Fixed("faster"),
        "faster, up to 64 times",
    ),
    play(
        &[Key::Char('<'), Key::Char('-')],
        Order::Turn(-1),
        Label::Nowhere,
        "slower, down to a quarter",
    ),
    play(&[Key::Home], Order::Begin, Label::Nowhere, "to the beginning of the run"),
    play(&[Key::End], Order::End, Label::Nowhere, "to its end"),
    Binding {
        keys: &[
            Key::Char('0'),
            Key::Char('1'),
            Key::Char('2'),
            Key::Char('3'),
            Key::Char('4'),
            Key::Char('5'),
            Key::Char('6'),
            Key::Char('7'),
            Key::Char('8'),
            Key::Char('9'),
        ],
        modes: HERE,
        action: Action::Tenth,
        label: Label::Nowhere,
        group: Group::Replay,
        what: "to so many tenths of the run",
        available: always,
    },
    Binding {
        keys: &[
            Key::Char('r'),
            Key::Ctrl('r'),
            Key::Char('y'),
            Key::Char('n'),
            Key::Char('h'),
            Key::Enter,
        ],
        modes: ALL,
        action: Action::Nothing,
        label: Label::Nowhere,
        group: Group::Replay,
        what: "nothing: in a replay nothing moves",
        available: nothing,
    },
    look(&[Key::Char('l')], HERE, Action::Show(View::Log), Label::Nowhere, "the whole log"),
    look(
        &[Key::Char('o')],
        HERE,
        Action::Show(View::Output),
        Label::Nowhere,
        "what the commands printed, where it was kept: all of it at their end",
    ),
    look(
        &[Key::Char('g')],
        HERE,
        Action::Show(View::Limits),
        Label::Nowhere,
        "gate and limits in full",
    ),
    look(
        &[Key::Tab],
        HERE,
        Action::NextView,
        Label::Fixed("views"),
        "the next view: cockpit, log, output, gate and limits",
    ),
    look(&[Key::BackTab], HERE, Action::PreviousView, Label::Nowhere, "the view before"),
    look(&[Key::Up], ALL, Action::Lines(-1), Label::Nowhere, "a line up"),
    look(&[Key::Down], ALL, Action::Lines(1), Label::Nowhere, "a line down"),
    look(&[Key::PageUp], ALL, Action::Pages(-1), Label::Nowhere, "a page up"),
    look(&[Key::PageDown], ALL, Action::Pages(1), Label::Nowhere, "a page down"),
    look(&[Key::Home], HELP, Action::Oldest, Label::Nowhere, "in these keys: to their beginning"),
    look(&[Key::End], HELP, Action::Newest, Label::Nowhere, "in these keys: to their end"),
    look(&[Key::Esc], ALL, Action::Close, Label::Nowhere, "closes the keys; back to the cockpit"),
    look(&[Key::Char('?')], ALL, Action::Help, Label::Fixed("help"), "the keys"),
    Binding {
        keys: &[Key::Char('q'), Key::Ctrl('c')],
        modes: ALL,
        action: Action::Play(Order::Leave),
        label: Label::Fixed("leave"),
        group: Group::Terminal,
        what: "leave, at once",
        available: always,
    },
    Binding {
        keys: &[Key::Ctrl('l')],
        modes: ALL,
        action: Action::Repaint,
        label: Label::Nowhere,
        group: Group::Terminal,
        what: "draw all of the screen anew",
        available: always,
    },
    Binding {
        keys: &[Key::Ctrl('z')],
        modes: ALL,
        action: Action::Suspend,
        label: Label::Nowhere,
        group: Group::Terminal,
        what: "give the terminal to the shell for a while",
        available: always,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keymap::{BINDINGS as COCKPIT, lookup, markdown_of};

    #[test]
    fn a_key_means_one_thing_in_a_mode() {
        for mode in Mode::REPLAY {
            let mut seen: Vec<Key> = Vec::new();
            for row in BINDINGS.iter().filter(|row| row.modes.contains(&mode)) {
                for key in row.keys {
                    assert!(!seen.contains(key), "{key} means two things in {mode:?}");
                    seen.push(*key);
                }
            }
        }
    }

    #[test]
    fn no_key_of_the_cockpit_is_silent_in_a_replay() {
        for key in COCKPIT.iter().flat_map(|row| row.keys) {
            // What a text field takes has no field here.
            assert!(lookup(*key, Mode::Replay).is_some(), "{key}");
        }
    }

    #[test]
    fn every_row_is_in_the_table_for_the_readme() {
        assert_eq!(markdown_of(BINDINGS).lines().count(), BINDINGS.len() + 2);
    }
}
