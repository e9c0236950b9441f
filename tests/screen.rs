//! The screen, as it is seen: every story at every size, and the styles that carry meaning.
//!
//! Snapshots keep the words and shapes; they hold no colours. Where colour repeats a meaning, a
//! test names the style.

#![allow(clippy::unwrap_used)]

mod stories;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::{Terminal, backend::TestBackend};
use std::time::{Duration, Instant};
use stories::Story;
use switchback::clean::Clean;
use switchback::plan::Migration;
use switchback::runbook::event::{Answer, Command, View};
use switchback::tui::keymap::{self, Key, Mode};
use switchback::tui::screen;
use switchback::tui::state::UiState;
use switchback::tui::theme::BUILT_IN;
use switchback::units::Millis;

fn drawn(story: &Story, columns: u16, rows: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal
        .draw(|frame| {
            screen::draw(&story.scene(), frame.buffer_mut());
        })
        .unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let columns = usize::from(buffer.area.width.max(1));
    let rows = buffer.content().chunks(columns);
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The style of the first place where these words stand, whole.
fn style_of(buffer: &Buffer, words: &str) -> Style {
    let columns = usize::from(buffer.area.width);
    for row in buffer.content().chunks(columns) {
        let line: Vec<&str> = row.iter().map(|cell| cell.symbol()).collect();
        for x in 0..line.len() {
            let n = words.chars().count();
            if x + n <= line.len() && line[x..x + n].concat() == words {
                let style = row[x].style();
                assert!(
                    row[x..x + n].iter().all(|c| c.style() == style),
                    "{words:?} has one style"
                );
                return style;
            }
        }
    }
    panic!("{words:?} is not on the screen:\n{}", text(buffer));
}

/// Whether a cell looks as a theme's style says: what the style leaves open may be anything.
fn looks(cell: Style, wanted: Style) -> bool {
    (wanted.fg.is_none() || cell.fg == wanted.fg)
        && (wanted.bg.is_none() || cell.bg == wanted.bg)
        && cell.add_modifier.contains(wanted.add_modifier)
}

#[test]
fn stories_at_home() {
    for (name, story) in stories::all() {
        insta::assert_snapshot!(format!("{name}_120x36"), text(&drawn(&story, 120, 36)));
    }
}

#[test]
fn stories_in_a_small_window() {
    for (name, story) in stories::all() {
        insta::assert_snapshot!(format!("{name}_80x24"), text(&drawn(&story, 80, 24)));
    }
}

#[test]
fn stories_in_a_large_window() {
    for (name, story) in
        [("holding", stories::holding()), ("rolling_back", stories::rolling_back())]
    {
        insta::assert_snapshot!(format!("{name}_200x60"), text(&drawn(&story, 200, 60)));
    }
}

#[test]
fn stories_in_a_window_that_is_too_small() {
    for (name, story) in stories::all() {
        insta::assert_snapshot!(format!("{name}_50x12"), text(&drawn(&story, 50, 12)));
    }
}

#[test]
fn views_and_overlays() {
    for (name, view) in [("log", View::Log), ("output", View::Output), ("limits", View::Limits)] {
        let mut story = stories::holding();
        story.ui.view = view;
        insta::assert_snapshot!(format!("view_{name}"), text(&drawn(&story, 100, 30)));
    }
    let mut story = stories::holding();
    story.ui.help = true;
    insta::assert_snapshot!("view_help", text(&drawn(&story, 120, 36)));
    story.ui.help = false;
    story.ui.note = Some("watching the export page".to_owned());
    insta::assert_snapshot!("view_note", text(&drawn(&story, 100, 30)));
}

#[test]
fn every_size_can_be_drawn() {
    for (_, mut story) in stories::all() {
        for (columns, rows) in (0..=60).flat_map(|c| (0..=30).map(move |r| (c, r))) {
            let mut buf = Buffer::empty(Rect::new(0, 0, columns, rows));
            screen::draw(&story.scene(), &mut buf);
        }
        for (help, note, view) in [
            (true, None, View::Log),
            (false, Some("a note".repeat(20)), View::Output),
            (false, None, View::Limits),
            (true, Some(String::new()), View::Cockpit),
        ] {
            (story.ui.help, story.ui.note, story.ui.view) = (help, note, view);
            for size in [(60, 16), (61, 17), (80, 24), (109, 31), (110, 30), (300, 16), (60, 90)] {
                let mut buf = Buffer::empty(Rect::new(0, 0, size.0, size.1));
                screen::draw(&story.scene(), &mut buf);
            }
        }
    }
}

#[test]
fn the_way_back_is_on_every_frame_and_what_the_run_is() {
    for (name, story) in stories::all() {
        for (columns, rows) in [(120, 36), (80, 24), (200, 60), (50, 12), (30, 1)] {
            let words = text(&drawn(&story, columns, rows));
            let last = words.lines().last().unwrap();
            assert!(last.trim_start().starts_with(['r', 'C']), "{name} {columns}x{rows}: {last}");
        }
        for (columns, rows) in [(120, 36), (80, 24)] {
            let words = text(&drawn(&story, columns, rows));
            let title = words.lines().next().unwrap();
            for fact in ["DEPLOY", "notes-api", "vps-1", "7f3a", "9c41e2d0", "UTC"] {
                assert!(title.contains(fact), "{name}: {fact} in {title:?}");
            }
        }
    }
}

#[test]
fn in_ascii_mode_there_is_nothing_but_ascii() {
    for (name, mut story) in stories::all() {
        story.ascii = true;
        story.snapshot.service = Clean::new("nötes→api 日本");
        for (columns, rows) in [(120, 36), (80, 24), (50, 12)] {
            let words = text(&drawn(&story, columns, rows));
            assert!(words.is_ascii(), "{name}:\n{words}");
        }
        if name == "holding" || name == "rolling_back" {
            insta::assert_snapshot!(format!("{name}_ascii"), text(&drawn(&story, 120, 36)));
        }
    }
}

#[test]
fn colour_repeats_what_words_say() {
    for (theme, _) in BUILT_IN {
        let story = stories::tripping().theme(theme);
        let buffer = drawn(&story, 120, 36);
        let theme = &story.theme;
        assert!(looks(
            style_of(&buffer, "STEP 5 · HOLDING AT 50 % · TRIPPING"),
            theme.headline_bad
        ));
        assert!(looks(style_of(&buffer, "TRIPPING 0:31"), theme.warn));
        assert!(looks(style_of(&buffer, "TRIPPED"), theme.bad));
        assert!(looks(style_of(&buffer, "r ROLLBACK TO BLUE"), theme.rollback));
        assert!(looks(style_of(&buffer, "▲ 5xx 223 of 372"), theme.bad));
        assert!(looks(style_of(&buffer, "████"), theme.blue));
        assert!(looks(style_of(&buffer, "▒▒▒▒"), theme.green));
        assert!(looks(style_of(&buffer, "DEPLOY"), theme.deploy));
        assert!(looks(style_of(&buffer, "shut"), theme.bad));
        let story = stories::holding().theme(BUILT_IN[0].0);
        let buffer = drawn(&story, 120, 36);
        assert!(looks(
            style_of(&buffer, "STEP 5 · HOLDING AT 50 % · WELL"),
            story.theme.headline_good
        ));
    }
}

#[test]
fn what_is_not_known_is_never_drawn_as_if_it_were_good() {
    let mut story = stories::holding();
    story.snapshot.traffic.read = None;
    story.snapshot.traffic.trouble = Some(Clean::new("connection refused"));
    story.snapshot.health[0].ready = None;
    let buffer = drawn(&story, 120, 36);
    let words = text(&buffer);
    assert!(looks(style_of(&buffer, "THE SPLIT IS NOT KNOWN"), story.theme.bad));
    assert!(words.contains("router cannot be read: connection refused"), "{words}");
    let bar = words.lines().find(|line| line.contains("BLUE left")).unwrap();
    assert!(!bar.contains(['█', '▒']), "no bar without a read-back: {bar}");
    assert!(words.contains("r ROLLBACK (BLUE UNKNOWN)"), "{words}");
    let story = stories::confirming();
    let buffer = drawn(&story, 120, 36);
    assert!(looks(style_of(&buffer, "too few"), story.theme.unknown));
    assert!(looks(style_of(&buffer, "not declared"), story.theme.dim));
}

#[test]
fn the_rollback_key_says_what_it_will_do() {
    let label = |change: &dyn Fn(&mut Story)| {
        let mut story = stories::holding();
        change(&mut story);
        text(&drawn(&story, 120, 36)).lines().last().unwrap().trim().to_owned()
    };
    let starts = |change: &dyn Fn(&mut Story), with: &str| {
        let label = label(change);
        assert!(label.starts_with(with), "{label:?}, not {with:?}");
    };
    starts(&|_| {}, "r ROLLBACK TO BLUE");
    starts(
        &|s| {
            s.snapshot.health[0].ready = Some(false);
            s.snapshot.health[0].since = Millis::secs(888);
        },
        "r ROLLBACK (BLUE NOT READY 0:12)",
    );
    starts(&|s| s.snapshot.migration = Migration::Irreversible, "r ROLLBACK TO BLUE (asks first)");
    starts(&|s| s.ui.note = Some(String::new()), "Ctrl-R ROLLBACK TO BLUE");
    starts(&|s| *s = stories::asking_for_a_word(), "Ctrl-R ROLLBACK TO BLUE");
    starts(&|s| *s = stories::soaking(), "r ABANDON GREEN");
    starts(&|s| *s = stories::rolling_back(), "r ROLLING BACK");
    starts(&|s| *s = stories::back_on_blue(), "r BACK ON BLUE");
}

#[test]
fn an_old_reading_is_said_with_its_age() {
    let mut story = stories::holding();
    story.now = Some(story.snapshot.at + Millis::secs(7));
    assert!(text(&drawn(&story, 120, 36)).contains("router reads 50/50 7s ago"));
}

fn press(ui: &mut UiState, key: Key, story: &Story) -> Vec<Command> {
    ui.press(key, Some(&story.snapshot), Instant::now()).commands
}

#[test]
fn r_is_rollback_everywhere_but_in_a_text_field_and_ctrl_r_is_everywhere() {
    for (name, story) in stories::all() {
        for view in [View::Cockpit, View::Log, View::Output, View::Limits] {
            for (help, note) in [(false, None), (true, None), (false, Some("te".to_owned()))] {
                let mut ui = UiState::default();
                (ui.view, ui.help, ui.note) = (view, help, note);
                let field = ui.mode(Some(&story.snapshot)) == Mode::Field;
                let plain = press(&mut ui.clone(), Key::Char('r'), &story);
                assert_eq!(plain == [Command::Rollback], !field, "{name} {view:?}");
                assert_eq!(press(&mut ui, Key::Ctrl('r'), &story), [Command::Rollback]);
            }
        }
    }
    let mut ui = UiState::default();
    assert_eq!(ui.press(Key::Char('r'), None, Instant::now()).commands, [Command::Rollback]);
}

#[test]
fn a_question_is_answered_by_its_number_and_no_key_means_yes_by_accident() {
    let story = stories::asking();
    let at = Instant::now();
    let mut ui = UiState::default();
    ui.see(&story.snapshot, at);
    let late = at + Duration::from_secs(1);
    for key in [Key::Enter, Key::Char(' '), Key::Char('h'), Key::Char('Y')] {
        assert!(ui.press(key, Some(&story.snapshot), late).commands.is_empty(), "{key}");
    }
    let answer = |answer| vec![Command::Answer { question: 4, answer }];
    let mut press = |key| ui.press(key, Some(&story.snapshot), late).commands;
    assert_eq!(press(Key::Char('y')), answer(Answer::Yes));
    assert_eq!(press(Key::Char('n')), answer(Answer::No));
    assert_eq!(press(Key::Esc), answer(Answer::No));
}

#[test]
fn a_question_that_comes_by_itself_is_not_answered_by_the_key_that_was_on_its_way() {
    let (before, after) = (stories::holding(), stories::asking());
    let at = Instant::now();
    let mut ui = UiState::default();
    ui.see(&before.snapshot, at);
    ui.see(&after.snapshot, at);
    let soon = at + Duration::from_millis(50);
    assert!(ui.press(Key::Char('n'), Some(&after.snapshot), soon).commands.is_empty());
    assert!(ui.remark.is_some());
    assert_eq!(ui.press(Key::Char('r'), Some(&after.snapshot), soon).commands, [Command::Rollback]);
    // One that was called for is answered as fast as anybody types.
    let mut ui = UiState::default();
    ui.see(&before.snapshot, at);
    assert_eq!(ui.press(Key::Char(' '), Some(&before.snapshot), at).commands, [Command::Next]);
    ui.see(&after.snapshot, soon);
    assert_eq!(ui.press(Key::Char('y'), Some(&after.snapshot), soon).commands.len(), 1);
}

#[test]
fn a_word_is_typed_and_a_paste_is_text_there_and_nothing_elsewhere() {
    let story = stories::asking_for_a_word();
    let late = Instant::now() + Duration::from_secs(1);
    let mut ui = UiState::default();
    ui.see(&story.snapshot, Instant::now());
    for key in "notesX".chars().map(Key::Char).chain([Key::Backspace]) {
        assert!(ui.press(key, Some(&story.snapshot), late).commands.is_empty());
    }
    ui.paste("-api\n", Some(&story.snapshot));
    let sent = ui.press(Key::Enter, Some(&story.snapshot), late).commands;
    let word = Answer::Typed(Clean::new("notes-api"));
    assert_eq!(sent, [Command::Answer { question: 4, answer: word }]);
    let story = stories::holding();
    let mut ui = UiState::default();
    ui.paste("rrr yyy", Some(&story.snapshot));
    assert_eq!((ui.typed.as_str(), ui.note.as_deref()), ("", None));
}

#[test]
fn a_note_is_kept_and_an_empty_one_is_not() {
    let story = stories::holding();
    let mut ui = UiState::default();
    assert!(press(&mut ui, Key::Char('n'), &story).is_empty());
    for ch in "all well".chars() {
        assert!(press(&mut ui, Key::Char(ch), &story).is_empty());
    }
    assert_eq!(press(&mut ui, Key::Enter, &story), [Command::Note(Clean::new("all well"))]);
    press(&mut ui, Key::Char('n'), &story);
    assert!(press(&mut ui, Key::Enter, &story).is_empty());
}

#[test]
fn looking_somewhere_is_a_command() {
    let story = stories::holding();
    let mut ui = UiState::default();
    assert_eq!(press(&mut ui, Key::Char('l'), &story), [Command::Look(View::Log)]);
    assert_eq!(press(&mut ui, Key::Tab, &story), [Command::Look(View::Output)]);
    assert_eq!(press(&mut ui, Key::Char('?'), &story), [Command::Look(View::Help)]);
    assert_eq!(press(&mut ui, Key::Esc, &story), [Command::Look(View::Output)]);
    assert_eq!(press(&mut ui, Key::Esc, &story), [Command::Look(View::Cockpit)]);
    assert_eq!(press(&mut ui, Key::Esc, &story), [], "escape never leaves");
}

#[test]
fn the_shell_is_refused_while_green_has_users() {
    let mut ui = UiState::default();
    let split = stories::holding();
    let pressed = ui.press(Key::Ctrl('z'), Some(&split.snapshot), Instant::now());
    assert!(!pressed.suspend && pressed.commands.is_empty());
    assert!(ui.remark.as_deref().is_some_and(|why| why.contains("Green has users")));
    let soak = stories::soaking();
    let pressed = ui.press(Key::Ctrl('z'), Some(&soak.snapshot), Instant::now());
    assert!(pressed.suspend);
    assert_eq!(pressed.commands, [Command::Suspend]);
}

#[test]
fn a_rollback_brings_the_cockpit_to_the_front() {
    let mut ui = UiState::default();
    (ui.view, ui.help) = (View::Log, true);
    ui.see(&stories::rolling_back().snapshot, Instant::now());
    assert_eq!((ui.view, ui.help), (View::Cockpit, false));
    ui.view = View::Log;
    ui.see(&stories::back_on_blue().snapshot, Instant::now());
    assert_eq!(ui.view, View::Log, "once; then the operator looks where they like");
}

#[test]
fn the_footer_and_the_help_are_the_table() {
    let mut story = stories::holding();
    let footer = text(&drawn(&story, 200, 60)).lines().last().unwrap().to_owned();
    story.ui.help = true;
    let help = text(&drawn(&story, 120, 60));
    for row in keymap::BINDINGS {
        assert!(help.contains(row.what), "{} is in the help", row.what);
    }
    for hint in ["space next step (1:48)", "h hold", "+ extend", "n note", "? help"] {
        assert!(footer.contains(hint), "{hint} in {footer:?}");
    }
    assert!(footer.contains("q leave (nobody guards)"));
}
