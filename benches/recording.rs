//! What the recording costs whoever draws, and whether its own thread keeps up.
//!
//! The cockpit is drawn with a quarter of an hour of history into a writer that keeps the bytes, a
//! second of the run with each frame, once without a recorder and once with one that writes a real
//! file beside a real journal. Both see the same frames in turn. What is added on the drawing side
//! is the copy and the queue; searching the screen for secrets is the recorder's own time.
//!
//! `cargo bench --bench recording`

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench that cannot go on shall fail")]
#![allow(dead_code, reason = "what tests share is more than is used here")]

#[path = "support/figures.rs"]
mod figures;
#[path = "../tests/journal_help/mod.rs"]
mod journal_help;
#[path = "../tests/stories/mod.rs"]
mod stories;

use figures::{figure, is_bench, quantile, remark};
use journal_help::Engine;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};
use stories::Story;
use switchback::clean::{self, Mask};
use switchback::evidence::recorder::{Light, Recorder, Spec};
use switchback::evidence::scan::Scan;
use switchback::evidence::slate::{Closing, Opening};
use switchback::journal::ClockState;
use switchback::runbook::snapshot::Update;
use switchback::runbook::{Kind, RunOutcome};
use switchback::signal::{Histogram, Origin, Sample, Whose};
use switchback::tui::history::History;
use switchback::tui::screen;
use switchback::units::Millis;

const FRAMES: u64 = 1_000;
const HISTORY: u64 = 15 * 60;
/// No screen is drawn more often.
const PACE: Duration = Duration::from_millis(4);

/// Keeps a frame's bytes.
#[derive(Clone, Default)]
struct Frame(Rc<RefCell<Vec<u8>>>);

impl Write for Frame {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A second of both slots.
fn measure(story: &mut Story, second: u64) {
    let at = Millis::secs(second);
    let wave = |line: u64| ((second * (line + 3)) as f64 / 40.0).sin() * 0.3 + 0.4;
    let mut samples = Vec::new();
    for (line, whose) in [(0, Whose::Blue), (1, Whose::Green)] {
        let mut users = Sample::empty(at, whose, Origin::Users);
        users.requests = Some(1_000);
        users.failed = Some((wave(line) * 33.0) as u64);
        let mut latency = Histogram::default();
        latency.add(wave(line + 2) * 800.0, 1_000);
        users.latency_ms = Some(latency);
        samples.push(users);
    }
    let update = Update {
        reset: false,
        seq: second,
        snapshot: story.snapshot.clone(),
        samples,
        switches: Vec::new(),
        records: Vec::new(),
        log: Vec::new(),
        output: Vec::new(),
    };
    story.history.take(&update);
}

fn opening() -> Opening {
    Opening {
        kind: Kind::Drill,
        service: "notes".into(),
        host: "bench".into(),
        run: "r-7f3a".to_owned(),
        plan_sha256: "9c41e2d0".repeat(8),
        signed: None,
        clock: ClockState::Unknown,
        marking: None,
        unix_ms: stories::BEGAN,
    }
}

fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

fn at(width: u16, height: u16) {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = Engine::new(dir.path(), "r", Kind::Drill);
    let (marks, notes) = (engine.writer.marks(), engine.writer.notes());
    let spec = Spec { dir: dir.path().to_owned(), opening: opening(), marks, notes };
    let recorder = Recorder::start(spec);
    recorder.resize(width, height);
    let frame = Frame::default();
    let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
    let backend = CrosstermBackend::new(frame.clone());
    let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
    let mut story = stories::holding();
    story.history = History::default();
    (1..=HISTORY).for_each(|second| measure(&mut story, second));
    let mut scan = Scan::new(clean::installed(), "bench", (width, height));
    let (mut drawn, mut added, mut scanned) = (Vec::new(), Vec::new(), Vec::new());
    let mut bytes = 0;
    for i in 1..=FRAMES {
        let now = Millis::secs(HISTORY + i);
        measure(&mut story, HISTORY + i);
        (story.now, story.snapshot.at) = (Some(now), now);
        let began = Instant::now();
        terminal
            .draw(|f| {
                screen::draw(&story.scene(), f.buffer_mut());
            })
            .unwrap();
        let after = Instant::now();
        recorder.frame(&frame.0.borrow());
        recorder.drawn(now);
        let recorded = Instant::now();
        drawn.push(micros(after - began));
        added.push(micros(recorded - after));
        let written = std::mem::take(&mut *frame.0.borrow_mut());
        bytes += written.len() as u64;
        // The same search as the recorder's thread makes, where it can be timed.
        let text = String::from_utf8(written).unwrap();
        let began = Instant::now();
        scan.take(i as f64, &text);
        scanned.push(micros(began.elapsed()));
        std::thread::sleep(PACE.saturating_sub(after - began));
    }
    assert!(matches!(recorder.light(), Light::On { .. }), "{:?}", recorder.light());
    let closing = Closing { outcome: RunOutcome::Kept, exit: 0, says: "kept".into(), head: None };
    let began = Instant::now();
    recorder.close(closing, Duration::from_secs(10));
    let closed = began.elapsed();
    println!("{width}x{height}, {FRAMES} frames, each a second of the run");
    remark("a frame without a recorder, p50", quantile(&mut drawn, 0.5), "us");
    figure("added by the recorder, p50", quantile(&mut added, 0.5), "us", 60.0);
    figure("added by the recorder, p99", quantile(&mut added, 0.99), "us", 1_000.0);
    remark("search of a frame, recorder's thread, p50", quantile(&mut scanned, 0.5), "us");
    remark("search of a frame, recorder's thread, p99", quantile(&mut scanned, 0.99), "us");
    remark("written to the terminal, a frame", bytes as f64 / FRAMES as f64, "bytes");
    let cast = dir.path().join("session.cast").metadata().unwrap().len();
    remark("recorded, a frame", cast as f64 / FRAMES as f64, "bytes");
    remark("closed after the last frame", closed.as_secs_f64() * 1e3, "ms");
    engine.writer.close(Duration::from_secs(10)).unwrap();
}

fn main() {
    if !is_bench() {
        return;
    }
    let secrets = ["probe_token", "db_password", "api_key"]
        .map(|name| (name.to_owned(), format!("{name} of the bench, which nobody prints")));
    clean::install(Mask::new(secrets)).expect("nobody has installed another");
    for (width, height) in [(200, 60), (120, 36), (80, 24)] {
        at(width, height);
    }
}
