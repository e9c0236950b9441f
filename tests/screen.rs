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
use switchback::evidence::recorder::Light;
use switchback::plan::Migration;
use switchback::runbook::event::{Answer, Command, View};
use switchback::runbook::record::{LogLine, Tone};
use switchback::runbook::snapshot::Traffic;
use switchback::signal::Verdict;
use switchback::tui::keymap::{self, Key, Mode};
use switchback::tui::screen;
use switchback::tui::state::UiState;
use switchback::tui::theme::BUILT_IN;
use switchback::units::{Millis, Percent};

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

/// The first row of a story that is recorded like this.
fn title(rec: Light, marking: Option<&str>, columns: u16) -> String {
    let mut story = stories::holding();
    story.rec = rec;
    story.snapshot.marking = marking.map(Clean::new);
    text(&drawn(&story, columns, 36)).lines().next().unwrap().to_owned()
}

#[test]
fn the_title_says_what_is_true_of_the_recording() {
    let on = Light::On { ran: Millis::secs(761) };
    let lost = Light::Lost("disk full");
    let home = |rec| title(rec, None, 120);
    assert!(home(on).contains("● REC 12:41  run 7f3a") && !home(on).contains("journal"));
    assert!(home(Light::Off).contains("● journal 15:00") && !home(Light::Off).contains("REC"));
    assert!(home(Light::Stuck).contains("? REC") && !home(Light::Stuck).contains("●"));
    assert!(home(lost).contains("▲ REC LOST") && !home(lost).contains("●"));
    assert!(title(on, None, 80).contains("● REC 7f3a"), "{}", title(on, None, 80));
    assert!(title(lost, None, 60).contains("▲ REC LOST"), "{}", title(lost, None, 60));
    insta::assert_snapshot!(
        [
            title(on, Some("CUI"), 120),
            title(lost, Some("CUI"), 80),
            title(on, Some("CUI"), 60),
            title(on, Some("CONTROLLED UNCLASSIFIED INFORMATION"), 120),
        ]
        .join("\n")
    );
    let mut story = stories::holding();
    story.rec = lost;
    let buffer = drawn(&story, 120, 36);
    assert!(looks(style_of(&buffer, "▲ REC LOST"), story.theme.bad));
    assert!(text(&buffer).contains("the recording is lost: disk full; the run goes on"));
    // A journal that is not written is worse.
    story.snapshot.journal_trouble = Some("disk full".into());
    let seen = text(&drawn(&story, 120, 36));
    assert!(seen.contains("▲ NOT JOURNALLED") && !seen.contains("REC"), "{seen}");
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
    for (name, mut story, (columns, rows)) in [
        ("tripping", stories::tripping(), (120, 36)),
        ("shared", stories::shared(), (120, 36)),
        ("few", stories::few(), (80, 24)),
        ("shared", stories::shared(), (200, 60)),
    ] {
        story.ui.view = View::Limits;
        let drawn = text(&drawn(&story, columns, rows));
        insta::assert_snapshot!(format!("view_limits_{name}_{columns}x{rows}"), drawn);
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
            style_of(&buffer, "STEP 5 · HOLDING AT 50 % · 5xx TRIPPING"),
            theme.headline_bad
        ));
        assert!(looks(style_of(&buffer, "TRIPPING 0:05"), theme.warn));
        assert!(looks(style_of(&buffer, "TRIPPED"), theme.bad));
        assert!(looks(style_of(&buffer, "r ROLLBACK TO BLUE"), theme.rollback));
        assert!(looks(style_of(&buffer, "▲ 5xx tripping on Green: 223 of 372"), theme.bad));
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
    assert!(words.contains("router NOT READ for 0s: connection refused"), "{words}");
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
    ui.see(&story.snapshot);
    ui.drawn(Some(4), at);
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
fn a_question_is_answered_by_who_has_seen_it_and_not_by_a_key_that_was_on_its_way() {
    let (before, after) = (stories::holding(), stories::asking());
    let at = Instant::now();
    let ms = |ms| at + Duration::from_millis(ms);
    // Called for or not, and however long ago it came: it must have stood on the screen.
    for called_for in [false, true] {
        let mut ui = UiState::default();
        ui.see(&before.snapshot);
        ui.drawn(None, at);
        if called_for {
            let pressed = ui.press(Key::Char(' '), Some(&before.snapshot), at);
            assert_eq!(pressed.commands, [Command::Next]);
        }
        ui.see(&after.snapshot);
        assert!(ui.press(Key::Char('y'), Some(&after.snapshot), ms(900)).commands.is_empty());
        assert!(ui.remark.as_deref().is_some_and(|why| why.contains("press again")));
        ui.drawn(Some(4), ms(1_000));
        ui.drawn(Some(4), ms(1_250));
        assert!(ui.press(Key::Char('n'), Some(&after.snapshot), ms(1_280)).commands.is_empty());
        let back = ui.press(Key::Char('r'), Some(&after.snapshot), ms(1_290)).commands;
        assert_eq!(back, [Command::Rollback], "the way back never waits");
        let answer = ui.press(Key::Char('y'), Some(&after.snapshot), ms(1_310)).commands;
        assert_eq!(answer.len(), 1);
    }
    let word = stories::asking_for_a_word();
    let mut ui = UiState::default();
    ui.see(&word.snapshot);
    ui.paste("notes-api", Some(&word.snapshot));
    assert!(ui.press(Key::Enter, Some(&word.snapshot), at).commands.is_empty());
    ui.drawn(Some(4), at);
    assert_eq!(ui.press(Key::Enter, Some(&word.snapshot), ms(301)).commands.len(), 1);
}

#[test]
fn a_word_is_typed_and_a_paste_is_text_there_and_nothing_elsewhere() {
    let story = stories::asking_for_a_word();
    let late = Instant::now() + Duration::from_secs(1);
    let mut ui = UiState::default();
    ui.see(&story.snapshot);
    ui.drawn(Some(4), Instant::now());
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
fn what_is_personal_in_a_note_is_in_no_frame_and_in_no_record() {
    let mut story = stories::holding();
    let note = "anna@example.org from 203.0.113.9 saw /cart?user=7";
    story.ui.press(Key::Char('n'), Some(&story.snapshot), Instant::now());
    for ch in note.chars() {
        story.ui.press(Key::Char(ch), Some(&story.snapshot), Instant::now());
        let frame = text(&drawn(&story, 120, 30));
        for hidden in ["anna@", "203.0.113.", "user=7"] {
            assert!(!frame.contains(hidden), "{hidden}: {frame}");
        }
    }
    assert_eq!(story.ui.note.as_deref(), Some(note), "the field is as it was typed");
    let sent = story.ui.press(Key::Enter, Some(&story.snapshot), Instant::now()).commands;
    let says = "[redacted:email] from [redacted:client_address] saw /cart?[redacted:query]";
    assert_eq!(sent, [Command::Note(Clean::new(says))]);
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
fn the_shell_must_wait_as_long_as_a_weight_may_be_on_its_way() {
    let refused = |what: &str, story: &Story| {
        let mut ui = UiState::default();
        let pressed = ui.press(Key::Ctrl('z'), Some(&story.snapshot), Instant::now());
        assert!(!pressed.suspend && pressed.commands.is_empty(), "{what}");
        let why = ui.remark.unwrap();
        assert!(why.contains(what), "{why:?}, not {what:?}");
    };
    // Asked for, and the router was last read before it.
    let mut story = stories::holding();
    story.snapshot.traffic.read = Percent::new(0);
    refused("users were sent to Green", &story);
    // Nothing more is asked for, but nobody knows.
    story.snapshot.traffic = Traffic { asked: Percent::new(0), ..Traffic::default() };
    refused("the split is not known", &story);
    refused("the way back is not settled", &stories::rolling_back());
    refused("the way back is not settled", &stories::back_on_blue());
    let mut kept = stories::kept();
    kept.snapshot.finish = None;
    refused("q leaves", &kept);
    let mut back = stories::back_on_blue();
    back.snapshot.next_open = true;
    let mut ui = UiState::default();
    assert!(ui.press(Key::Ctrl('z'), Some(&back.snapshot), Instant::now()).suspend);
    // Before any weight moved, an unknown split is as it was found.
    let mut early = stories::soaking();
    early.snapshot.traffic.read = None;
    let at = Instant::now();
    let mut ui = UiState::default();
    assert!(ui.press(Key::Ctrl('z'), Some(&early.snapshot), at).suspend);
    // A yes that was given a moment ago is not in the last snapshot yet.
    let mut ui = UiState::default();
    ui.press(Key::Char(' '), Some(&early.snapshot), at);
    let soon = at + Duration::from_millis(300);
    assert!(!ui.press(Key::Ctrl('z'), Some(&early.snapshot), soon).suspend);
    let late = at + Duration::from_millis(1_300);
    assert!(ui.press(Key::Ctrl('z'), Some(&early.snapshot), late).suspend);
}

#[test]
fn a_rollback_brings_the_cockpit_to_the_front() {
    let mut ui = UiState::default();
    (ui.view, ui.help) = (View::Log, true);
    ui.see(&stories::rolling_back().snapshot);
    assert_eq!((ui.view, ui.help), (View::Cockpit, false));
    ui.view = View::Log;
    ui.see(&stories::back_on_blue().snapshot);
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

#[test]
fn on_the_way_back_the_footer_shows_what_works_and_nothing_else() {
    for (story, leave) in [
        (stories::rolling_back(), "q leave (asks)"),
        (stories::back_on_blue(), "q leave when settled"),
    ] {
        let words = text(&drawn(&story, 120, 36));
        let footer = words.lines().last().unwrap();
        for hint in [leave, "n note", "l log", "o output", "g gate", "? help"] {
            assert!(footer.contains(hint), "{hint} in {footer:?}");
        }
        for hint in ["space", "hold", "extend", "Tab"] {
            assert!(!footer.contains(hint), "{hint} in {footer:?}");
        }
        let small = text(&drawn(&story, 80, 24));
        let footer = small.lines().last().unwrap();
        assert!(footer.contains(leave) && !footer.contains("space"), "{footer:?}");
    }
    let mut story = stories::back_on_blue();
    story.snapshot.next_open = true;
    let words = text(&drawn(&story, 120, 36));
    assert!(words.lines().last().unwrap().trim_end().ends_with("q leave"));
}

#[test]
fn a_silent_engine_is_said_louder_than_anything_it_said() {
    for (name, mut story) in stories::all() {
        story.silent = Some(Millis(5_400));
        for (columns, rows) in [(120, 36), (80, 24), (50, 12)] {
            let buffer = drawn(&story, columns, rows);
            let words = text(&buffer);
            assert!(words.contains("ENGINE SILENT 0:05"), "{name}:\n{words}");
            assert!(looks(style_of(&buffer, "ENGINE SILENT 0:05"), story.theme.headline_bad));
            assert!(!words.contains("trips in") && !words.contains("● "), "{name}:\n{words}");
            assert!(!words.contains("ready in 1:48, then"), "{name}:\n{words}");
        }
    }
    let mut story = stories::tripping();
    story.silent = Some(Millis::secs(65));
    let small = text(&drawn(&story, 80, 24));
    assert!(small.contains("`switchback rollback` goes back"), "{small}");
    assert!(!small.contains("space next step") && small.contains("r ROLLBACK TO BLUE"), "{small}");
    let mut story = stories::holding();
    story.silent = Some(Millis::secs(65));
    story.now = Some(story.snapshot.at + Millis::secs(65));
    insta::assert_snapshot!("silent_120x36", text(&drawn(&story, 120, 36)));
    insta::assert_snapshot!("silent_80x24", text(&drawn(&story, 80, 24)));
}

#[test]
fn the_run_is_named_by_its_last_four_digits_and_service_and_host_can_be_read() {
    for (columns, rows) in [(120, 36), (80, 24), (60, 16)] {
        let words = text(&drawn(&stories::holding(), columns, rows));
        let title = words.lines().next().unwrap();
        assert!(title.contains("notes-api") && title.contains("vps-1"), "{title:?}");
        assert!(title.contains("7f3a") && !title.contains("140707Z"), "{title:?}");
    }
    let at_home = text(&drawn(&stories::holding(), 80, 24));
    assert!(at_home.lines().next().unwrap().contains("notes-api 1.8.2 → 1.9.0"), "{at_home}");
}

#[test]
fn when_a_limit_trips_is_said_however_long_the_words_before_it() {
    let mut story = stories::tripping();
    if let Some(alarm) = &mut story.snapshot.alarm {
        alarm.text.push_str(&" and much more of it".repeat(5));
    }
    for columns in [60, 80, 120] {
        let words = text(&drawn(&story, columns, 24));
        let alarm = words.lines().nth(2).unwrap();
        assert!(alarm.starts_with(" ▲ 5xx tripping on Green: 223 of 372"), "{alarm:?}");
        assert!(alarm.contains('…') && alarm.ends_with("· trips in 0:05"), "{alarm:?}");
    }
}

#[test]
fn the_four_stamps_and_when_a_limit_trips_are_in_the_plain_view_too() {
    let words = text(&drawn(&stories::tripping(), 50, 12));
    assert!(words.contains("\ntrips in 0:05"), "{words}");
    let words = text(&drawn(&stories::back_on_blue(), 50, 12));
    for stamp in ["✔ router at Blue", "✔ first answer", "? last answer", "… users back in band"]
    {
        assert!(words.contains(stamp), "{words}");
    }
}

#[test]
fn a_gate_that_waits_says_for_what() {
    let story = stories::holding();
    let mut ui = UiState::default();
    press(&mut ui, Key::Char(' '), &story);
    assert_eq!(ui.remark.as_deref(), Some("space: the gate still waits: hold 1:12 of 3:00"));
    // It is said as long as it is so.
    ui.see(&story.snapshot);
    press(&mut ui, Key::Char(' '), &story);
    ui.see(&story.snapshot);
    assert!(ui.remark.is_some());
    let mut open = story.snapshot.clone();
    open.gate = switchback::runbook::GateState::Open;
    ui.see(&open);
    assert_eq!(ui.remark, None);
}

#[test]
fn a_long_check_is_broken_into_free_rows() {
    let mut story = stories::holding();
    story.snapshot.checks[3].says = "deploy /srv/notes/bin/start --release 1.9.0 failed".to_owned();
    let words = text(&drawn(&story, 120, 36));
    assert!(words.contains("1.9.0 failed"), "{words}");
}

#[test]
fn once_users_were_counted_their_absence_is_a_gap_and_not_the_probes() {
    let mut story = stories::holding();
    let at = story.snapshot.at.as_secs();
    let what = switchback::tui::history::Plotted::Errors;
    let green = switchback::units::Role::Green;
    let mut update = stories::update(at + 10, &[], None);
    update.samples.retain(|sample| sample.at.as_secs() > at);
    story.history.take(&update);
    assert_eq!(story.history.most(what, green, at + 5, at + 6), None);
    assert!(story.history.most(what, green, 100, 101).is_some(), "before the switch: probes");
    assert!(story.history.most(what, green, at - 5, at).is_some());
}

#[test]
fn a_number_over_its_bound_is_not_simply_ok() {
    let mut story = stories::holding();
    story.snapshot.limits[3].value = Some(95.0);
    let words = text(&drawn(&story, 120, 36));
    assert!(words.contains("in tolerance"), "{words}");
}

#[test]
fn a_tolerance_that_is_used_up_is_quiet_now_and_never_ok() {
    let mut story = stories::holding();
    let health = &mut story.snapshot.limits[3];
    (health.value, health.bad, health.of) = (Some(19.0), 45, 240);
    (health.used, health.tolerance) = (Some(45.0), Some(24.0));
    let words = text(&drawn(&story, 120, 36));
    assert!(words.contains("quiet now") && !words.contains("in tolerance"), "{words}");
    story.ui.view = View::Limits;
    let words = text(&drawn(&story, 120, 36));
    assert!(words.contains("45 of 24") && words.contains("in the last 10 s"), "{words}");
}

#[test]
fn before_the_first_evaluation_no_number_is_told() {
    let mut story = stories::few();
    story.snapshot.limits_at = None;
    let words = text(&drawn(&story, 120, 36));
    assert!(words.contains("judged in 0:0"), "{words}");
    for told in ["no traffic", "too few", "0 of 2 "] {
        assert!(!words.contains(told), "{told}:\n{words}");
    }
}

#[test]
fn limits_say_how_old_they_are_and_when_nobody_judges_any_more() {
    let mut story = stories::holding();
    let at = story.snapshot.at;
    story.snapshot.limits_at = Some(at);
    assert!(text(&drawn(&story, 120, 36)).contains("Limits on Green ─"));
    story.snapshot.limits_at = Some(at.since(Millis::secs(4)));
    let words = text(&drawn(&story, 120, 36));
    assert!(words.contains("Limits on Green · 4 s ago"), "{words}");
    let mut back = stories::back_on_blue();
    back.ui.view = View::Limits;
    let words = text(&drawn(&back, 120, 36));
    assert!(words.contains("not judged any more: all on Blue"), "{words}");
    // A verdict that came after the way back is no news.
    let line = |second, text: &str| LogLine {
        at: Millis::secs(second),
        topic: "limit".to_owned(),
        text: text.to_owned(),
        tone: Tone::Plain,
    };
    let began = back.snapshot.rollback.as_ref().map_or(0, |back| back.began.as_secs());
    back.history.log.push_back(line(began, "said before"));
    back.history.log.push_back(line(began + 9, "said after"));
    back.ui.view = View::Log;
    let words = text(&drawn(&back, 120, 36));
    assert!(words.contains("said before") && !words.contains("said after"), "{words}");
}

#[test]
fn a_queue_that_was_not_read_yet_is_not_too_few() {
    let mut story = stories::few();
    let queue = &mut story.snapshot.limits[5];
    (queue.verdict, queue.value) = (Verdict::TooFew, None);
    story.snapshot.limits[2].probes = true;
    let words = text(&drawn(&story, 120, 36));
    assert!(words.contains("not read yet"), "{words}");
    assert!(words.contains("no probes") && !words.contains("probes probes"), "{words}");
}

#[test]
fn a_step_that_is_shut_takes_no_room_from_what_can_be_done() {
    let wide = text(&drawn(&stories::shared(), 200, 60));
    assert!(wide.contains("space next step (gate shut)"), "{wide}");
    let small = text(&drawn(&stories::shared(), 80, 24));
    assert!(small.contains("h hold") && !small.contains("next step"), "{small}");
}

#[test]
fn an_incident_of_both_slots_is_no_trip_and_looks_like_none() {
    for (theme, _) in BUILT_IN {
        let story = stories::shared().theme(theme);
        let buffer = drawn(&story, 120, 36);
        let theme = &story.theme;
        let state = "STEP 5 · HOLDING AT 50 % · BOTH SLOTS SUFFER";
        assert!(looks(style_of(&buffer, state), theme.headline_warn));
        assert!(looks(style_of(&buffer, "▲ 5xx, both slots suffer: Green 13 of 312"), theme.warn));
        assert!(looks(style_of(&buffer, "BOTH SLOTS SUFFER · limit 2 % for 2m"), theme.warn));
        assert!(looks(style_of(&buffer, "SHARED"), theme.warn));
    }
    let small = text(&drawn(&stories::shared(), 80, 24));
    assert!(small.contains("Green 13 of 312 (4.2 %) · Blue 21 of 410 (5.1 %)"), "{small}");
}

#[test]
fn every_verdict_has_its_word_and_what_it_waits_for() {
    let at_home = text(&drawn(&stories::few(), 120, 36));
    for words in
        ["over, luck 1:2", "too few 2 of 5", "no traffic", "stale", "unknown", "not declared"]
    {
        assert!(at_home.contains(words), "{words}:\n{at_home}");
    }
    let story = stories::few();
    assert!(looks(style_of(&drawn(&story, 120, 36), "over, luck 1:2"), story.theme.warn));
    // What was counted is not cut for how much is missing.
    let mut story = stories::few();
    for judgement in &mut story.snapshot.limits[..2] {
        (judgement.bad, judgement.of, judgement.seen) = (0, 12, 12);
        (judgement.over, judgement.needed) = (false, Some(172));
    }
    story.snapshot.limits[0].probes = true;
    let words = text(&drawn(&story, 120, 36));
    assert!(words.contains("0 of 12 probes") && words.contains("too few 12 of 172"), "{words}");
}

#[test]
fn the_limits_in_full_are_read_from_their_beginning() {
    let mut story = stories::few();
    story.ui.view = View::Limits;
    let draw = |story: &mut Story| {
        let mut buf = Buffer::empty(Rect::new(0, 0, 80, 24));
        let scrolled = screen::draw(&story.scene(), &mut buf);
        story.ui.settle(scrolled.lines, scrolled.page);
        text(&buf)
    };
    let top = draw(&mut story);
    assert!(top.contains("more below: Down") && !top.contains("proved at 1:100"), "{top}");
    story.ui.press(Key::PageDown, Some(&story.snapshot), Instant::now());
    let end = draw(&mut story);
    assert!(end.contains("proved at 1:100") && !end.contains("more below"), "{end}");
}

#[test]
fn words_that_are_cut_say_so() {
    let mut story = stories::holding();
    story.snapshot.headline.due = None;
    story.snapshot.headline.next = "the router did not answer ".repeat(12);
    let cut = |story: &Story| {
        for columns in [60, 80, 120] {
            let words = text(&drawn(story, columns, 24));
            assert!(words.lines().nth(1).unwrap().ends_with('…'), "{words}");
        }
    };
    cut(&story);
    // Also where the state alone takes the whole row.
    story.snapshot.headline.state = "STANDING AT AN UNKNOWN SPLIT ".repeat(6);
    cut(&story);
}

#[test]
fn the_journal_is_not_complained_of_twice() {
    let mut story = stories::holding();
    story.snapshot.journal_trouble = Some(Clean::new("disk full"));
    let says = "the journal cannot be written: disk full";
    let count = |story: &Story| text(&drawn(story, 200, 60)).matches(says).count();
    assert_eq!(count(&story), 1);
    story.snapshot.alarm = stories::tripping().snapshot.alarm;
    assert_eq!(count(&story), 1);
    if let Some(alarm) = &mut story.snapshot.alarm {
        (alarm.text, alarm.due) = (says.to_owned(), None);
    }
    assert_eq!(count(&story), 1);
}

#[test]
fn the_split_of_somebody_else_and_a_blue_that_is_not_well_are_said_at_every_size() {
    for (columns, rows) in [(120, 36), (80, 24)] {
        let mut story = stories::holding();
        story.snapshot.traffic.moved_by_others = true;
        assert!(text(&drawn(&story, columns, rows)).contains("MOVED BY OTHERS"));
        let mut story = stories::holding();
        story.snapshot.traffic.read = None;
        story.snapshot.traffic.trouble = Some(Clean::new(&"connection refused ".repeat(9)));
        story.now = Some(story.snapshot.at + Millis::secs(7));
        assert!(text(&drawn(&story, columns, rows)).contains("router NOT READ for 7s: conn"));
        for (mut story, words) in [
            (stories::rolling_back(), "r ROLLING BACK (BLUE NOT READY 0:12)"),
            (stories::back_on_blue(), "r BACK ON BLUE (BLUE NOT READY 0:12)"),
        ] {
            story.snapshot.health[0].ready = Some(false);
            story.snapshot.health[0].since = Millis::secs(888);
            let seen = text(&drawn(&story, columns, rows));
            assert!(seen.contains(words) && seen.contains("BLUE NOT READY 0:12"), "{seen}");
        }
    }
}

#[test]
fn with_room_every_limit_keeps_its_bound_whatever_its_verdict() {
    let story = stories::tripping();
    let words = text(&drawn(&story, 200, 60));
    for row in ["2 % for 2m", "500 ms for 2m"] {
        let left = words.lines().map(|line| line.chars().take(62).collect::<String>());
        let limits = left.filter(|line| line.contains("TRIPP") && line.contains(row));
        assert_eq!(limits.count(), 1, "{row}:\n{words}");
    }
}

#[test]
fn a_run_that_is_over_asks_nothing() {
    let mut story = stories::asking();
    story.snapshot.finish = stories::kept().snapshot.finish;
    for (columns, rows) in [(120, 36), (80, 24), (50, 12)] {
        let words = text(&drawn(&story, columns, rows));
        assert!(!words.contains("move everybody"), "{words}");
    }
}

#[test]
fn what_is_read_in_the_log_does_not_move_when_more_comes() {
    let mut story = stories::holding();
    story.ui.view = View::Log;
    let long = "one of many lines, and longer than a small window is wide: it is broken, not cut";
    let line = |i: u64| LogLine {
        at: Millis::secs(i),
        topic: "info".to_owned(),
        text: format!("{i} {long}"),
        tone: Tone::Plain,
    };
    story.history.log.extend((0..60).map(line));
    let draw = |story: &mut Story| {
        let mut buf = Buffer::empty(Rect::new(0, 0, 80, 24));
        let scrolled = screen::draw(&story.scene(), &mut buf);
        story.ui.settle(scrolled.lines, scrolled.page);
        text(&buf)
    };
    let end = draw(&mut story);
    assert!(end.contains("is broken, not cut") && end.contains("59 one of many"), "{end}");
    assert!(end.contains("of 127 · the end"), "{end}");
    story.ui.press(Key::PageUp, Some(&story.snapshot), Instant::now());
    let before = draw(&mut story);
    assert!(before.contains("End: the newest"), "{before}");
    story.history.log.extend((60..70).map(line));
    let body = |words: &str| words.lines().skip(4).take(18).map(str::to_owned).collect::<Vec<_>>();
    let after = draw(&mut story);
    assert_eq!(body(&before), body(&after));
    assert_eq!(body(&draw(&mut story)), body(&after), "and it stays");
    story.ui.press(Key::End, Some(&story.snapshot), Instant::now());
    assert!(draw(&mut story).contains("69 one of many"));
}

#[test]
fn the_large_words_do_not_say_back_when_it_did_not_last() {
    let well = text(&drawn(&stories::back_on_blue(), 120, 36));
    for (away, state) in
        [(true, "WAS BACK, NOW 30 %"), (false, "BACK ON BLUE · THE ROUTER HOLDS BLUE DOWN")]
    {
        let mut story = stories::back_on_blue();
        story.snapshot.headline.state = state.to_owned();
        story.snapshot.headline.tone = Tone::Bad;
        story.snapshot.traffic.moved_by_others = away;
        let words = text(&drawn(&story, 120, 36));
        assert!(words.contains(state), "{words}");
        let large =
            |words: &str| words.lines().skip(9).take(3).map(str::to_owned).collect::<Vec<_>>();
        assert_ne!(large(&words), large(&well), "{words}");
    }
}
