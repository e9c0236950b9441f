//! The recording of real runs: what the operator saw is what it plays, it is bound to the journal,
//! and whatever happens to it the run goes on.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod journal_help;
mod support;

use journal_help::{Engine, opened};
use nix::sys::signal::Signal;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{TerminalOptions, Viewport};
use std::cell::RefCell;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;
use support::cockpit::Cockpit;
use support::haproxy::soon;
use support::place::{HOME, Place, Terms};
use switchback::clean::{self, Mask};
use switchback::evidence::cast::{self, Cast, OUTPUT, RESIZE};
use switchback::evidence::recorder::{Light, Recorder, Spec};
use switchback::evidence::slate::{Closing, Opening};
use switchback::evidence::{allow, scan, transcript};
use switchback::journal::{self, ClockState, JOURNAL, Noted, RecordingClosed, Run, chain, mark};
use switchback::runbook::{Event, Kind, RunOutcome};
use switchback::units::Millis;

/// Held for so long at each step of the ramp that nothing moves by itself.
fn patient() -> Terms {
    Terms { hold: "60s", soak: "1s", ..Terms::default() }
}

/// What a recording holds, read by our own reader and held against the list of what it may hold.
fn played(dir: &Path, file: &str) -> (Cast, Vec<u8>) {
    let bytes = std::fs::read(dir.join(file)).unwrap();
    allow::check(&bytes).unwrap();
    (cast::read(&bytes).unwrap(), bytes)
}

/// How the journal says that a recording was closed.
fn closed(run: &Run) -> &RecordingClosed {
    let closed = run.noted.iter().find_map(|(.., noted)| match noted {
        Noted::RecordingClosed(closed) => Some(closed),
        _ => None,
    });
    closed.unwrap_or_else(|| panic!("never closed: {:?}", run.noted))
}

/// The labels that a recording of this run must have, from the journal's lines alone.
fn marks(dir: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(dir.join(JOURNAL)).unwrap();
    let mark = |(i, line): (usize, &str)| {
        let decoded = journal::line::decode(line, i as u64 + 1).unwrap();
        mark::of(decoded.stamped.seq, decoded.stamped.at, &decoded.entry)
    };
    text.lines().enumerate().filter_map(mark).map(|mark| mark.label).collect()
}

fn labels(cast: &Cast) -> Vec<&str> {
    cast.markers().map(|(_, label)| label).collect()
}

/// The screen after each event: seconds, and the text as the terminal of these stories gives it.
fn screens(cast: &Cast) -> Vec<(f64, String)> {
    let new = |(cols, rows): (u16, u16)| {
        vt100::Parser::new(rows.try_into().unwrap(), cols.try_into().unwrap(), 0)
    };
    let mut terminal = new((cast.header.width, cast.header.height));
    let mut screens = Vec::new();
    for event in &cast.events {
        match event.code.as_str() {
            OUTPUT => terminal.process(event.data.as_bytes()),
            RESIZE => terminal = new(cast::size_of(&event.data).unwrap()),
            _ => continue,
        }
        screens.push((event.t, terminal.screen().contents()));
    }
    screens
}

/// The screen when it has stood still for a moment, so that no frame is seen half.
fn settled(cockpit: &Cockpit) -> String {
    loop {
        let screen = cockpit.screen();
        std::thread::sleep(Duration::from_millis(40));
        if cockpit.screen() == screen {
            return screen;
        }
    }
}

fn only_run(place: &Place) -> PathBuf {
    let runs = place.runs();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].clone()
}

#[test]
fn what_the_operator_saw_is_what_the_recording_plays() {
    let place = Place::of_files(&patient());
    let mut cockpit = place.to_split(10);
    cockpit.expect("● REC 0:");
    let holding = settled(&cockpit);
    cockpit.resize((100, 30)).expect("router reads").key("?").expect("at once, in every state");
    cockpit.key("?").resize(HOME).key("r").expect("BACK ON BLUE");
    let back = settled(&cockpit);
    cockpit.key("q");
    assert_eq!(cockpit.exit_code(), 3);
    let (run, dir) = (place.flown(), only_run(&place));
    let (cast, bytes) = played(&dir, "session.cast");

    let facts = &run.opened.facts;
    let title = format!("DEPLOY notes on {}, run {}", facts.host, facts.run);
    assert_eq!((cast.header.width, cast.header.height, &cast.header.title), (120, 36, &title));
    assert_eq!(cast.header.env["TERM"], "xterm-256color");
    assert_eq!(cast.torn, 0);

    let closed = closed(&run);
    assert_eq!((closed.bytes, &closed.sha256), (bytes.len() as u64, &chain::digest(&bytes)));
    assert_eq!(closed.file, "session.cast");
    assert!((closed.seconds - cast.seconds()).abs() < 0.001, "{closed:?}");
    assert_eq!(closed.hits, []);
    let outputs = cast.events.iter().filter(|event| event.code == OUTPUT).count() as u64;
    assert_eq!(closed.frames + 3, outputs, "every frame, two slates, and the first one's end");

    let labels = labels(&cast);
    assert_eq!(labels, marks(&dir), "each mark is a line of the journal, and each has its mark");
    for said in ["step.entered 5 Switch", "Green at 10 %", "going back", "rolled back (exit 3)"] {
        assert!(labels.iter().any(|label| label.ends_with(said)), "{said}: {labels:#?}");
    }
    assert!(cast.events.iter().any(|event| event.code == RESIZE && event.data == "100x30"));

    let screens = screens(&cast);
    let (at, opening) = &screens[0];
    assert_eq!(*at, 0.0);
    assert!(opening.contains(&facts.run) && opening.contains("unsigned"), "{opening}");
    assert_eq!((screens[1].0, screens[1].1.trim()), (3.0, ""), "the slate ends as frames begin");
    for seen in [&holding, &back] {
        assert!(screens.iter().any(|(_, screen)| screen == seen), "never played:\n{seen}");
    }
    let (_, closing) = screens.last().unwrap();
    let (_, last) = &screens[screens.len() - 2];
    assert!(closing.contains("END: rolled back (exit 3)"), "{closing}");
    assert!(last.contains("ROLLED BACK"), "{last}");

    // A marker stands after the frame that shows what it speaks of.
    let (t, _) = cast.markers().find(|(_, label)| label.ends_with("going back")).unwrap();
    let (_, shown) = screens.iter().rfind(|(at, _)| *at <= t).unwrap();
    assert!(shown.contains("BLUE"), "{shown}");

    let text = transcript::text(&[("session.cast".to_owned(), bytes)]);
    assert!(text.contains(&title) && text.contains("ROLLED BACK"), "{text}");
    assert!(labels.iter().all(|label| text.contains(label)), "{text}");
}

#[test]
fn the_recording_is_for_its_owner_alone_and_a_drill_says_that_it_is_one() {
    use std::os::unix::fs::MetadataExt;
    let place = Place::of_files(&patient());
    let mut cockpit = place.cockpit("drill plain-sailing");
    cockpit.begin_drill().key("r").expect("ALL ON BLUE").key("q").end_drill();
    assert_eq!(cockpit.exit_code(), 5);
    let dir = only_run(&place);
    let (cast, _) = played(&dir, "session.cast");
    assert!(cast.header.title.starts_with("DRILL "), "{}", cast.header.title);
    assert!(screens(&cast)[0].1.starts_with("DRILL"), "{}", screens(&cast)[0].1);
    assert_eq!(labels(&cast), marks(&dir));
    assert_eq!(dir.join("session.cast").metadata().unwrap().mode() & 0o777, 0o600);
}

#[test]
fn a_plan_s_marking_is_on_screen_slate_and_title() {
    let more = "[evidence]\nmarking = \"CUI\"\n".to_owned();
    let place = Place::of_files(&Terms { more, ..patient() });
    let mut cockpit = place.cockpit("deploy PLAN");
    cockpit.expect(" DEPLOY   CUI ").expect("press space to deploy").key("q");
    assert_eq!(cockpit.exit_code(), 0);
    let (cast, _) = played(&only_run(&place), "session.cast");
    assert!(cast.header.title.starts_with("CUI: DEPLOY notes"), "{}", cast.header.title);
    assert!(screens(&cast)[0].1.starts_with("CUI\n"), "{}", screens(&cast)[0].1);
}

/// A drill without a terminal that is asked to end when it has gone some way; what it printed.
fn drilled(place: &Place, form: &str) -> String {
    let mut drill = place.lines(&format!("drill plain-sailing --yes {form}"));
    // In lines the brief comes first.
    drill.expect(if form == "--plain" { "DRILL notes" } else { "1.9.0" });
    drill.signal(Signal::SIGTERM);
    drill.end().1
}

#[test]
fn a_pipe_that_is_closed_ends_no_unattended_run() {
    let place = Place::of_files(&patient());
    let argv = place.argv("drill plain-sailing --yes --plain");
    let mut drill = std::process::Command::new(&argv[0])
        .args(&argv[1..])
        .envs(place.env())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut lines = std::io::BufReader::new(drill.stdout.take().unwrap());
    lines.read_line(&mut first).unwrap();
    assert!(first.contains("DRILL"), "{first}");
    drop(lines);
    // It has noticed, and says so where somebody may still hear it.
    let mut told = String::new();
    std::io::BufReader::new(drill.stderr.take().unwrap()).read_line(&mut told).unwrap();
    assert!(told.contains("the run goes on"), "{told}");
    assert!(drill.try_wait().unwrap().is_none(), "it has ended");
    let drill = nix::unistd::Pid::from_raw(i32::try_from(drill.id()).unwrap());
    nix::sys::signal::kill(drill, Signal::SIGTERM).unwrap();
    nix::sys::wait::waitpid(drill, None).unwrap();
    let run = journal::read(&only_run(&place)).unwrap();
    let says = run.closed.unwrap().says.to_string();
    assert!(says.contains("step"), "{says}");
    assert!(
        !support::place::timeline(&journal::read(&only_run(&place)).unwrap())
            .contains("screen failed")
    );
}

#[test]
fn lines_are_recorded_too_and_json_is_not() {
    let place = Place::of_files(&patient());
    let printed = drilled(&place, "--plain");
    let dir = only_run(&place);
    let (cast, bytes) = played(&dir, "session.cast");
    assert_eq!((cast.header.width, cast.header.height), (100, 30));
    assert_eq!(labels(&cast), marks(&dir));
    let said: String = cast.events[2..cast.events.len() - 1]
        .iter()
        .filter(|event| event.code == OUTPUT)
        .map(|event| event.data.replace("\r\n", "\n"))
        .collect();
    assert!(said.lines().count() > 5 && printed.contains(&said), "{said}\n{printed}");
    assert_eq!(closed(&journal::read(&dir).unwrap()).sha256, chain::digest(&bytes));

    let place = Place::of_files(&patient());
    drilled(&place, "--json");
    assert!(!only_run(&place).join("session.cast").exists());
}

#[test]
fn a_run_that_is_picked_up_has_a_second_recording() {
    let place = Place::of_files(&patient());
    let cockpit = place.to_split(10);
    let dir = only_run(&place);
    // A mark is on disk with the first frame after its line is: at most a second later.
    soon("the split is marked", || {
        let text = std::fs::read_to_string(dir.join("session.cast")).unwrap();
        text.contains("Green at 10 %\"]\n")
    });
    cockpit.kill();
    let (first, _) = played(&dir, "session.cast");
    let id = dir.file_name().unwrap().to_string_lossy().into_owned();
    let mut cockpit = place.cockpit(&format!("resume {id}"));
    cockpit.expect("STANDING AT 10 %").key("r").expect("BACK ON BLUE").key("q");
    assert_eq!(cockpit.exit_code(), 3);
    let (second, bytes) = played(&dir, "session.2.cast");
    let run = place.flown();
    assert_eq!(closed(&run).file, "session.2.cast");
    assert_eq!(closed(&run).sha256, chain::digest(&bytes));
    let all: Vec<&str> = labels(&first).into_iter().chain(labels(&second)).collect();
    let marks = marks(&dir);
    assert!(all.iter().all(|label| marks.iter().any(|mark| mark == label)), "{all:#?}");
    assert_eq!(all.last().unwrap(), marks.last().unwrap());
}

/// How the journal says that the recording was lost.
fn lost(run: &Run) -> String {
    let lost: Vec<String> = run
        .noted
        .iter()
        .filter_map(|(.., noted)| match noted {
            Noted::RecordingLost(lost) => Some(format!("{} {}", lost.file, lost.why)),
            _ => None,
        })
        .collect();
    assert_eq!(lost.len(), 1, "it is told once: {:?}", run.noted);
    let closed = run.noted.iter().any(|(.., noted)| matches!(noted, Noted::RecordingClosed(_)));
    assert!(!closed, "what is lost is not closed: {:?}", run.noted);
    lost[0].clone()
}

#[test]
fn a_recording_that_is_taken_away_is_told_and_the_run_goes_on() {
    let place = Place::of_files(&patient());
    let mut cockpit = place.cockpit("deploy PLAN");
    cockpit.expect("press space to deploy").expect("● REC");
    std::fs::remove_file(only_run(&place).join("session.cast")).unwrap();
    cockpit.expect("▲ REC LOST").expect("the recording is lost: its file is gone");
    cockpit.key(" ").yes("Deploy 1.1.0 to right").send(10).expect("HOLDING AT 10 %");
    cockpit.key("r").expect("BACK ON BLUE").expect("▲ REC LOST").key("q");
    assert_eq!(cockpit.exit_code(), 3);
    assert_eq!(place.weights(), [100, 0]);
    assert!(lost(&place.flown()).contains("taken its file away"));
}

#[test]
fn a_disk_that_takes_no_more_ends_the_recording_and_nothing_else() {
    let place = Place::of_files(&patient());
    // No file may grow beyond this; the journal stays well below.
    let script = r#"trap "" XFSZ; ulimit -f 128; exec "$0" "$@""#;
    let mut cockpit = place.cockpit_under_a_shell(script, "deploy PLAN");
    cockpit.expect("press space to deploy").expect("● REC");
    let mut help = false;
    while !cockpit.screen().contains("▲ REC LOST") {
        help = !help;
        let keys = "all traffic to Blue, at once";
        cockpit.key("?").until("the help", |screen| screen.contains(keys) == help);
    }
    if help {
        cockpit.key("?");
    }
    cockpit.expect("the recording is lost: the file may not grow").key("r").expect("ALL ON BLUE");
    cockpit.key("q");
    assert_eq!(cockpit.exit_code(), 5);
    assert!(lost(&place.flown()).contains("it cannot be written"));
    let (cast, _) = played(&only_run(&place), "session.cast");
    assert_eq!(cast.torn, 0, "what was kept is whole");
    assert!(cast.events.len() > 10);
}

fn opening() -> Opening {
    Opening {
        kind: Kind::Drill,
        service: "notes".into(),
        host: "vps-1".into(),
        run: "r-7f3a".to_owned(),
        plan_sha256: "9c41e2d0".repeat(8),
        signed: None,
        clock: ClockState::Unknown,
        marking: None,
        unix_ms: 1_795_443_727_000,
    }
}

fn closing() -> Closing {
    Closing { outcome: RunOutcome::Kept, exit: 0, says: "kept".into(), head: None }
}

/// A recorder over a journal that is really written.
fn recorder(dir: &Path) -> (Engine, Recorder) {
    let mut engine = Engine::new(dir, "r", Kind::Drill);
    let (marks, notes) = (engine.writer.marks(), engine.writer.notes());
    let spec = Spec { dir: dir.to_owned(), opening: opening(), marks, notes };
    (engine, Recorder::start(spec))
}

/// Ends both, and reads the journal.
fn ended(dir: &Path, engine: Engine, recorder: &Recorder) -> Run {
    assert!(engine.writer.head(Duration::from_secs(10)).is_some());
    recorder.close(closing(), Duration::from_secs(10));
    engine.writer.close(Duration::from_secs(10)).unwrap();
    journal::read(dir).unwrap()
}

/// Bytes of the frames that a ratatui screen writes.
#[derive(Clone, Default)]
struct Bytes(Rc<RefCell<Vec<u8>>>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_secret_that_the_bytes_do_not_have_is_found_on_the_screen_while_it_grows() {
    let secret = "s3cret phrase-of many words";
    let mask = || Mask::new([("probe_token".to_owned(), secret.to_owned())]);
    // Everything in this process is masked with it from now on; no other story speaks of it.
    clean::install(mask()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (engine, recorder) = recorder(dir.path());
    let bytes = Bytes::default();
    let viewport = Viewport::Fixed(Rect::new(0, 0, 60, 16));
    let backend = CrosstermBackend::new(bytes.clone());
    let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
    recorder.resize(60, 16);
    let mut raw = Vec::new();
    let frames = [
        // Only what differs is painted: the spaces and half of the letters are there already.
        vec![(6, 4, "s-cr-t phra-e-of many w-rds")],
        vec![(6, 4, secret)],
        // And again, on two rows of a panel.
        vec![(0, 9, "│ nothing here           │"), (0, 10, "│                        │")],
        vec![(0, 9, "│ is s3cret phrase-of    │"), (0, 10, "│ many words, or not     │")],
    ];
    for frame in frames {
        let draw = |f: &mut ratatui::Frame<'_>| {
            for (x, y, text) in &frame {
                f.buffer_mut().set_string(*x, *y, text, ratatui::style::Style::new());
            }
        };
        terminal.draw(draw).unwrap();
        let frame = std::mem::take(&mut *bytes.0.borrow_mut());
        raw.extend_from_slice(&frame);
        recorder.frame(&frame);
    }
    let run = ended(dir.path(), engine, &recorder);
    let raw = String::from_utf8(raw).unwrap();
    assert!(!raw.contains(secret) && !raw.contains("phrase-of many"), "{raw:?}");
    let hits = closed(&run).hits.clone();
    let rows: Vec<&str> =
        hits.iter().map(|hit| hit.place.as_str().rsplit(", ").next().unwrap()).collect();
    assert_eq!(rows, ["row 5", "row 10"], "{hits:?}");
    assert!(hits.iter().all(|hit| hit.rule == "probe_token"));
    let (_, bytes) = played(dir.path(), "session.cast");
    assert_eq!(scan::scan(&bytes, &mask()), hits, "the finished file says the same");
    assert_eq!(mask().hits(), [], "looking counts nothing");
}

#[test]
fn marks_wait_for_the_frame_that_shows_them_and_idle_frames_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let (mut engine, recorder) = recorder(dir.path());
    assert_eq!(recorder.light(), Light::Off, "nothing is recorded yet");
    engine.feed(Event::Begin, Millis::ZERO);
    engine.fly(1, 20);
    recorder.resize(80, 24);
    recorder.frame(b"\x1b[?2026hstep 1\x1b[?2026l");
    recorder.drawn(Millis::ZERO);
    soon("the light is on", || matches!(recorder.light(), Light::On { .. }));
    recorder.frame(b"\x1b[?2026h\x1b[39m\x1b[49m\x1b[59m\x1b[0m\x1b[?25l\x1b[?2026l");
    engine.writer.head(Duration::from_secs(10)).unwrap();
    recorder.frame(b"green at 50");
    recorder.drawn(Millis::secs(20));
    let run = ended(dir.path(), engine, &recorder);
    assert_eq!(recorder.light(), Light::Off, "it is over");
    let (cast, _) = played(dir.path(), "session.cast");
    assert_eq!(closed(&run).frames, 2);
    assert_eq!(labels(&cast), marks(dir.path()));
    let at = |text: &str| cast.events.iter().position(|event| event.data.contains(text)).unwrap();
    assert!(at("step 1") < at("step.entered"), "{cast:#?}");
    let splits: Vec<usize> =
        (0..cast.events.len()).filter(|&i| cast.events[i].data.contains("split")).collect();
    assert!(!splits.is_empty() && splits.iter().all(|&i| i > at("green at 50")), "{cast:#?}");
}

#[test]
fn more_than_may_wait_is_a_loss_and_no_wait() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, recorder) = recorder(dir.path());
    recorder.resize(80, 24);
    recorder.frame(b"one");
    recorder.frame(&vec![b'x'; 9 << 20]);
    assert_eq!(recorder.light(), Light::Lost("the disk does not answer"));
    recorder.frame(b"nothing more");
    let run = ended(dir.path(), engine, &recorder);
    assert!(lost(&run).contains("did not answer"), "{:?}", run.noted);
    assert_eq!(opened("r", Kind::Drill).facts.host, run.opened.facts.host);
}

#[test]
fn a_directory_that_cannot_be_written_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = Engine::new(dir.path(), "r", Kind::Drill);
    let (marks, notes) = (engine.writer.marks(), engine.writer.notes());
    let nowhere = dir.path().join("nowhere");
    let recorder = Recorder::start(Spec { dir: nowhere, opening: opening(), marks, notes });
    recorder.frame(b"a frame");
    soon("it is lost", || matches!(recorder.light(), Light::Lost(_)));
    let run = ended(dir.path(), engine, &recorder);
    assert!(lost(&run).contains("cannot be made"), "{:?}", run.noted);
}

/// A recording of a short run in a terminal.
fn short_run() -> (Place, PathBuf) {
    let place = Place::of_files(&patient());
    let mut cockpit = place.cockpit("drill plain-sailing");
    cockpit.begin_drill().key("r").expect("ALL ON BLUE").key("q").end_drill();
    assert_eq!(cockpit.exit_code(), 5);
    let file = only_run(&place).join("session.cast");
    (place, file)
}

#[test]
#[ignore = "needs asciinema"]
fn stock_asciinema_plays_it() {
    let (_place, file) = short_run();
    for args in [vec!["cat"], vec!["play", "-s", "50", "-i", "0.1"]] {
        let out = Command::new("asciinema").args(&args).arg(&file).output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        let mut terminal = vt100::Parser::new(36.try_into().unwrap(), 120.try_into().unwrap(), 0);
        terminal.process(&out.stdout);
        let seen = terminal.screen().contents();
        assert!(seen.contains("END: abandoned (exit 5)"), "{args:?}:\n{seen}");
        let bytes = String::from_utf8_lossy(&out.stdout);
        assert!(bytes.contains("DRILL") && bytes.contains("\u{1b}[?2026h"), "{args:?}");
    }
}

#[test]
#[ignore = "needs agg"]
fn stock_agg_makes_a_film_of_it() {
    let (place, file) = short_run();
    let film = place.path("film.gif");
    let out = Command::new("agg").arg(&file).arg(&film).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let film = std::fs::read(film).unwrap();
    assert!(film.starts_with(b"GIF89a") && film.len() > 10_000, "{} bytes", film.len());
}
