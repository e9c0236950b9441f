//! The keys of a replay: whatever is pressed, nobody is commanded.

use crate::film::that_goes_back;
use std::time::Instant;
use switchback::replay::{Order, Playing, Speed};
use switchback::tui::keymap::{self, Key};
use switchback::tui::state::UiState;
use switchback::units::Millis;

fn replay() -> UiState {
    let playing = Playing {
        at: Millis::secs(10),
        end: Millis::secs(100),
        speed: Speed::OWN,
        paused: false,
        looked: None,
        of: 0,
    };
    let mut ui = UiState::default();
    ui.replay = Some(playing);
    ui
}

fn all_keys() -> Vec<Key> {
    let tables = keymap::BINDINGS.iter().chain(keymap::replay::BINDINGS);
    let mut keys: Vec<Key> = tables.flat_map(|row| row.keys.iter().copied()).collect();
    keys.extend((' '..='~').map(Key::Char));
    keys.extend(('a'..='z').map(Key::Ctrl));
    keys.push(Key::Backspace);
    keys
}

#[test]
fn no_key_of_a_replay_is_a_command_to_anybody_in_any_state_of_the_run() {
    let flight = that_goes_back();
    let asked = flight.watcher.frames.iter().any(|frame| frame.snapshot.question.is_some());
    assert!(asked, "or this shows nothing of questions");
    let states = flight.watcher.frames.iter().step_by(5).map(|frame| &frame.snapshot);
    let asking = flight.watcher.frames.iter().map(|frame| &frame.snapshot);
    let asking = asking.filter(|snapshot| snapshot.question.is_some());
    for snapshot in states.chain(asking) {
        let mut ui = replay();
        for key in all_keys() {
            let pressed = ui.press(key, Some(snapshot), Instant::now());
            assert_eq!(pressed.commands, [], "{key}");
            assert!(ui.note.is_none(), "{key} opens a field");
        }
    }
}

#[test]
fn a_key_of_the_cockpit_says_that_nothing_moves() {
    let flight = that_goes_back();
    let snapshot = &flight.watcher.frames[200].snapshot;
    for key in [Key::Char('r'), Key::Ctrl('r'), Key::Char('h'), Key::Char('y'), Key::Char('n')] {
        let mut ui = replay();
        let pressed = ui.press(key, Some(snapshot), Instant::now());
        assert_eq!((pressed.order, pressed.commands.len()), (None, 0), "{key}");
        let remark = ui.remark.unwrap();
        assert!(remark.ends_with("this is a replay: nothing moves"), "{remark}");
    }
}

#[test]
fn keys_ask_the_replay_for_what_the_table_says() {
    let flight = that_goes_back();
    let snapshot = &flight.watcher.frames[200].snapshot;
    let order = |key| replay().press(key, Some(snapshot), Instant::now()).order;
    for (key, wanted) in [
        (Key::Char(' '), Order::Pause),
        (Key::Char('.'), Order::Step(1)),
        (Key::Char(','), Order::Step(-1)),
        (Key::Right, Order::Skip(10)),
        (Key::Left, Order::Skip(-10)),
        (Key::Char(']'), Order::Mark(1)),
        (Key::Char('['), Order::Mark(-1)),
        (Key::Char('+'), Order::Turn(1)),
        (Key::Char('<'), Order::Turn(-1)),
        (Key::Home, Order::Begin),
        (Key::End, Order::End),
        (Key::Char('7'), Order::Tenth(7)),
        (Key::Char('q'), Order::Leave),
        (Key::Ctrl('c'), Order::Leave),
    ] {
        assert_eq!(order(key), Some(wanted), "{key}");
    }
}
