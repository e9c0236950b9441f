//! Frame by frame: what a replay draws is what the live cockpit drew, to the cell.

use crate::film::{Filmed, fly, of_an_hour, that_goes_back, update, written};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::time::{Duration, Instant};
use switchback::feed::Feed;
use switchback::journal::{self, Run};
use switchback::replay::{Kept, Order, Player, Speed, Tape, play};
use switchback::runbook::record::Tone;
use switchback::runbook::snapshot::{Snapshot, Update};
use switchback::runbook::{Event, View};
use switchback::tui::history::History;
use switchback::tui::screen::{Scene, draw};
use switchback::tui::state::UiState;
use switchback::tui::theme::{Theme, built_in};
use switchback::units::Millis;

const SIZES: [(u16, u16); 3] = [(120, 36), (80, 24), (40, 8)];

fn theme() -> Theme {
    built_in("dark").unwrap()
}

fn drawn(snapshot: &Snapshot, history: &History, ui: &UiState, (w, h): (u16, u16)) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, w, h));
    let theme = theme();
    let scene = Scene {
        rec: Default::default(),
        snapshot: Some(snapshot),
        history,
        ui,
        theme: &theme,
        ascii: false,
        now: snapshot.at,
        unix_ms: snapshot.facts.began_unix_ms + snapshot.at.0 as i64,
        silent: None,
    };
    draw(&scene, &mut buf);
    buf
}

fn text(buffer: &Buffer) -> String {
    let rows = buffer.content().chunks(usize::from(buffer.area.width));
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>() + "\n").collect()
}

/// What the live screen knew at each step.
fn live(flight: &Filmed, upto: usize) -> History {
    let mut history = History::default();
    flight.watcher.frames[..upto].iter().for_each(|frame| history.take(&frame.update()));
    history
}

fn tape(flight: &Filmed) -> Tape {
    let place = tempfile::tempdir().unwrap();
    Tape::new(written(place.path(), flight), &Kept::new(), false)
}

/// The replay's screen after a move, compared to the live one there at every size, to the cell.
fn same(flight: &Filmed, player: &Player, snapshot: &Snapshot, history: &History) {
    let n = player.index();
    let was = &flight.watcher.frames[n - 1];
    assert_eq!(snapshot, &was.snapshot, "the snapshot after input {n}");
    let known = live(flight, n);
    for size in SIZES {
        for view in [View::Cockpit, View::Log, View::Limits] {
            let mut ui = UiState::default();
            ui.view = view;
            let was = drawn(&was.snapshot, &known, &ui, size);
            let is = drawn(snapshot, history, &ui, size);
            assert!(was == is, "input {n} at {size:?}\nwas\n{}\nis\n{}", text(&was), text(&is));
        }
    }
}

#[test]
fn every_frame_of_a_replay_is_the_live_one_forwards_and_after_any_jump() {
    let flight = that_goes_back();
    let frames = flight.watcher.frames.len();
    let mut player = Player::new(tape(&flight));
    assert!(player.tape().compared().is_ok(), "{:?}", player.tape().compared());
    assert_eq!(player.tape().len(), frames);
    let mut history = History::default();
    let mut go = |index: usize| {
        let moved = player.go(index);
        history.take(&update(moved.snapshot.clone(), moved.news, moved.reset));
        same(&flight, &player, &moved.snapshot, &history);
    };
    (1..=frames).step_by(37).for_each(&mut go);
    // Anywhere, back and forth: the same cells again.
    for index in [frames, 1, frames / 2, frames / 3, frames - 1, frames / 2 + 1, 2, frames] {
        go(index);
    }
    assert_eq!(player.snapshot(), flight.watcher.frames[frames - 1].snapshot);
    assert!(player.snapshot().finish.is_some());
}

#[test]
fn every_frame_says_that_it_is_a_replay_and_where_it_stands() {
    let flight = that_goes_back();
    let playback = play(tape(&flight), Millis::ZERO, Speed::OWN).unwrap();
    playback.deck.order(Order::Pause);
    for tenth in 0..10 {
        playback.deck.order(Order::Tenth(tenth));
        let stands = soon(|| {
            let playing = playback.deck.playing();
            let snapshot = playback.link.feed.since(0)?.snapshot;
            let there = playing.at.0 / (playing.end.0 / 10) == u64::from(tenth);
            (there && snapshot.at <= playing.at && playing.paused).then_some((playing, snapshot))
        });
        let (playing, snapshot) = stands;
        for size in [(120, 36), (80, 24), (60, 16), (40, 8)] {
            for help in [false, true] {
                let mut ui = UiState::default();
                (ui.replay, ui.help) = (Some(playing.clone()), help);
                let frame = text(&drawn(&snapshot, &History::default(), &ui, size));
                let last = frame.lines().last().unwrap();
                assert!(last.starts_with(" REPLAY "), "{size:?}\n{frame}");
                assert!(last.contains(&playing.words()), "{size:?}\n{frame}");
                assert!(frame.contains("REPLAY DEPLOY") || size.1 < 16, "{size:?}\n{frame}");
                assert!(!frame.contains("● journal"), "nothing is written down:\n{frame}");
                assert!(!frame.contains("ROLLBACK TO BLUE"), "{frame}");
                if size.1 >= 16 {
                    assert!(frame.contains("then "), "whose clock is it?\n{frame}");
                }
            }
        }
    }
    playback.end();
}

/// Waits for something, and not long.
fn soon<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_watcher_of_the_feed_forgets_what_was_when_the_replay_goes_back() {
    let feed = Feed::default();
    let flight = that_goes_back();
    let mut player = Player::new(tape(&flight));
    let moved = player.go(player.tape().len());
    feed.publish(moved.snapshot, moved.news);
    let first = feed.since(0).unwrap();
    let mut history = History::default();
    history.take(&first);
    assert!(history.green_had_weight());
    let moved = player.go(3);
    feed.restart();
    assert!(feed.since(first.seq).is_none(), "nothing is new until it is told");
    feed.publish(moved.snapshot, moved.news);
    let second: Update = feed.since(first.seq).unwrap();
    assert!(second.reset);
    history.take(&second);
    assert!(!history.green_had_weight(), "that has not happened yet");
    assert!(feed.since(second.seq - 1).is_some_and(|again| again.reset), "whoever is late too");
    feed.publish(player.snapshot(), Default::default());
    assert!(!feed.since(second.seq).unwrap().reset, "once is enough");
}

#[test]
fn a_jump_within_an_hour_is_at_once() {
    let flight = of_an_hour();
    let mut player = Player::new(tape(&flight));
    let frames = player.tape().len();
    assert!(player.tape().end_at() > Millis::secs(3_600), "{}", player.tape().end_at());
    let mut times = Vec::new();
    for index in [frames, 1, frames * 9 / 10, frames / 2, frames - 1, frames / 3, frames, 100] {
        let began = Instant::now();
        let moved = player.go(index);
        times.push(began.elapsed());
        drop(moved);
    }
    times.sort();
    println!("{frames} inputs, jumps took {times:?}");
    // Without optimisation, on a machine that has other things to do: ten times what is promised.
    assert!(times[times.len() / 2] < Duration::from_millis(500), "{times:?}");
}

fn read(flight: &Filmed) -> Run {
    let place = tempfile::tempdir().unwrap();
    written(place.path(), flight)
}

fn loudly(tape: Tape) -> Vec<(Tone, String)> {
    let mut player = Player::new(tape);
    let all = player.go(usize::MAX).news.log;
    all.into_iter().filter(|line| line.topic == "replay").map(|l| (l.tone, l.text)).collect()
}

#[test]
fn what_differs_from_the_journal_is_said_loudly_where_it_happened() {
    let flight = that_goes_back();
    let mut run = read(&flight);
    let turn = run.turns.iter_mut().rev().find(|turn| turn.effects.len() > 1).unwrap();
    let n = turn.n;
    turn.effects[1].json.push(' ');
    let tape = Tape::new(run, &Kept::new(), false);
    assert_eq!(tape.compared().as_ref().unwrap_err().n, n);
    assert_eq!(tape.len(), flight.watcher.frames.len(), "the rest is shown all the same");
    let said = loudly(tape);
    assert_eq!(said.len(), 1, "{said:?}");
    let wanted = format!("replay differs from the journal at input {n}, effect 2");
    assert!(said[0].0 == Tone::Bad && said[0].1.starts_with(&wanted), "{said:?}");
}

#[test]
fn where_inputs_are_missing_the_replay_ends_and_says_so() {
    let flight = that_goes_back();
    let mut run = read(&flight);
    let samples = |turn: &journal::Turn| matches!(turn.event, Event::Sample(_));
    let lost =
        run.turns.iter().position(|turn| samples(turn) && turn.at > Millis::secs(30)).unwrap();
    let n = run.turns.remove(lost).n;
    (run.gaps, run.torn, run.closed) = (vec![(n, n)], [0, 17], None);
    let tape = Tape::new(run, &Kept::new(), false);
    assert_eq!(tape.len(), lost);
    let said: Vec<String> = loudly(tape).into_iter().map(|(_, text)| text).collect();
    assert!(said[0].starts_with(&format!("the replay ends here: inputs {n} to {n} are missing")));
    assert!(said[1].contains("half-written lines of 17 bytes"), "{said:?}");
    assert!(said[2].contains("the run was cut off"), "{said:?}");
}

#[test]
fn a_run_that_was_killed_and_picked_up_is_one_replay() {
    let mut flight = crate::film::begun();
    fly(&mut flight, 45);
    flight.dies_for(7_000);
    fly(&mut flight, 900);
    let mut player = Player::new(tape(&flight));
    let moved = player.go(usize::MAX);
    assert_eq!(moved.snapshot, flight.watcher.frames.last().unwrap().snapshot);
    assert!(player.tape().compared().is_ok(), "{:?}", player.tape().compared());
}
