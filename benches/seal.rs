//! How long a run of an hour takes to seal, and how large its bundle is: `cargo bench --bench seal`.
//!
//! The run is flown in simulated time through the cockpit's own core, a second at a time, and
//! journalled as a real one. Every frame that the cockpit would have drawn in that hour at 120x36,
//! four a second, is drawn and kept in the recorder's format, with its marks. Then it is sealed and
//! signed, as at the end of a run, and verified.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a bench that cannot go on shall fail"
)]

#[path = "../tests/support/bundle.rs"]
#[allow(dead_code, reason = "of the place's parts")]
mod bundle;
#[path = "support/figures.rs"]
mod figures;
#[path = "../tests/support/sim/plan.rs"]
#[allow(dead_code, reason = "of the plan's parts")]
mod fixture;
#[path = "../tests/stories/mod.rs"]
mod stories;

use bundle::{Place, RUN};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use switchback::evidence::cast::{Header, line, title};
use switchback::evidence::declare::{Declaration, declare};
use switchback::evidence::manifest::files_of;
use switchback::evidence::sign::Asking;
use switchback::journal::chain::digest;
use switchback::journal::{
    Closed, Entry, Mark, Noted, Opened, RecordingClosed, RecordingStarted, Writer,
};
use switchback::runbook::snapshot::Update;
use switchback::runbook::{Event, RunFacts};
use switchback::sim::{Flight, History, World};
use switchback::tui::screen;
use switchback::units::Millis;

const WIDTH: u16 = 120;
const HEIGHT: u16 = 36;
/// An ordinary frame comes four times a second.
const FRAME: u64 = 250;
/// Seals that are timed.
const SEALS: usize = 9;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() {
    if !figures::is_bench() {
        return;
    }
    let mut place = Place::new(fixture::plan());
    // An hour: most of it is the watch.
    place.plan.ramp = fixture::plan().ramp;
    (place.plan.soak, place.plan.ramp_hold) = (Millis::secs(300), Millis::secs(600));
    (place.plan.watch, place.plan.warm) = (Millis::secs(2_000), Millis::secs(60));
    // What is flown is what is written down.
    place.plan = place.written();
    let began = Instant::now();
    let (seconds, frames) = fly(&place);
    println!("  flown: {seconds} s in {frames} frames, in {:.1} s", began.elapsed().as_secs_f64());
    let mut took = Vec::new();
    let mut last = None;
    for _ in 0..SEALS {
        let began = Instant::now();
        let sealed = place.seal().unwrap();
        took.push(began.elapsed().as_secs_f64() * 1e3);
        last = Some(sealed.path);
    }
    let bundle = last.unwrap();
    let began = Instant::now();
    let told = place.verify(&bundle);
    let verified = began.elapsed().as_secs_f64() * 1e3;
    assert_eq!(told.exit(), 0, "{:?}", told.checks);
    let sizes: BTreeMap<String, u64> = files_of(&bundle)
        .unwrap()
        .into_iter()
        .map(|name| (name.clone(), bundle.join(name).metadata().unwrap().len()))
        .collect();
    for (name, bytes) in sizes.iter().filter(|(_, bytes)| **bytes > 100_000) {
        println!("  {name:<20} {:>8.2} MB", *bytes as f64 / 1e6);
    }
    let all = sizes.values().sum::<u64>() as f64 / 1e6;
    figures::figure(
        "an hour at 120x36: sealed, p50",
        figures::quantile(&mut took, 0.5),
        "ms",
        1_000.0,
    );
    figures::figure("its longest", figures::quantile(&mut took, 1.0), "ms", 1_000.0);
    figures::figure("its bundle", all, "MB", 20.0);
    figures::remark("verified", verified, "ms");
}

/// Flies, draws, journals and records; says how many seconds and frames that were.
fn fly(place: &Place) -> (u64, usize) {
    let facts = RunFacts { run: RUN.to_owned(), attended: false, ..fixture::facts() };
    let mut flight: Flight<History> =
        Flight::new(place.plan.clone(), facts.clone(), World::default());
    let kept = Kept::default();
    let viewport = Viewport::Fixed(Rect::new(0, 0, WIDTH, HEIGHT));
    let backend = CrosstermBackend::new(kept.clone());
    let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
    let mut story = stories::holding();
    story.history = Default::default();
    let mut drawn: Vec<(Duration, String)> = Vec::new();
    let mut told = 0;
    flight.feed(Event::Begin);
    let mut now = 0;
    while flight.finish().is_none() {
        now += FRAME;
        while flight.finish().is_none() {
            match flight.core.routine() {
                Some(command) => flight.command(command),
                None if !flight.advance_to_next(now) => break,
                None => {}
            }
        }
        let samples = flight.watcher.steps[told..].iter().filter_map(|step| match &step.event {
            Event::Sample(sample) => Some((**sample).clone()),
            _ => None,
        });
        let update = Update {
            reset: false,
            seq: now,
            snapshot: flight.core.snapshot(),
            samples: samples.collect(),
            switches: Vec::new(),
            records: Vec::new(),
            log: Vec::new(),
            output: Vec::new(),
        };
        told = flight.watcher.steps.len();
        story.history.take(&update);
        story.snapshot = update.snapshot;
        story.now = Some(Millis(now));
        terminal
            .draw(|frame| {
                screen::draw(&story.scene(), frame.buffer_mut());
            })
            .unwrap();
        let bytes = std::mem::take(&mut *kept.0.lock().unwrap());
        drawn.push((Duration::from_millis(now), String::from_utf8(bytes).unwrap()));
    }
    journal(place, &flight, facts, &drawn);
    (flight.now / 1_000, drawn.len())
}

fn journal(place: &Place, flight: &Flight<History>, facts: RunFacts, drawn: &[(Duration, String)]) {
    let dir = place.run_dir();
    let opened = Opened::new(facts, place.plan.clone(), "router");
    let what = Declaration::of(&opened, opened.facts.began_unix_ms);
    let declared = declare(&dir, &what, &place.plan.evidence, None, Asking::Nobody);
    let (mut writer, _troubles) = Writer::create(&dir, opened.clone(), Millis::ZERO).unwrap();
    let (marks, notes) = (writer.marks().unwrap(), writer.notes());
    notes.note(Noted::Declared(Box::new(declared)));
    let file = "session.cast".to_owned();
    notes.note(Noted::RecordingStarted(RecordingStarted {
        file: file.clone(),
        width: WIDTH,
        height: HEIGHT,
    }));
    let mut marked: Vec<Mark> = Vec::new();
    for (n, step) in (1..).zip(&flight.watcher.steps) {
        writer.append(Entry::Input { n, event: step.event.clone() }, step.at);
        for effect in &step.effects {
            writer.append(Entry::Effect { n, effect: effect.clone() }, step.at);
        }
        if n % 1_000 == 0 {
            // The writer's queue is bounded.
            let _ = writer.head(Duration::from_secs(30));
            marked.extend(marks.try_iter());
        }
    }
    let _ = writer.head(Duration::from_secs(30));
    marked.extend(marks.try_iter());
    let cast = cast(&opened, drawn, &marked);
    std::fs::write(dir.join(&file), &cast).unwrap();
    notes.note(Noted::RecordingClosed(RecordingClosed {
        file,
        bytes: cast.len() as u64,
        sha256: digest(cast.as_bytes()),
        frames: drawn.len() as u64,
        seconds: flight.now as f64 / 1e3,
        hits: Vec::new(),
    }));
    let finish = flight.finish().unwrap();
    writer.append(Entry::Closed(Closed::now(finish)), Millis(flight.now));
    writer.close(Duration::from_secs(60)).unwrap();
}

fn cast(opened: &Opened, drawn: &[(Duration, String)], marked: &[Mark]) -> String {
    let facts = &opened.facts;
    let header = Header {
        version: 2,
        width: WIDTH,
        height: HEIGHT,
        timestamp: facts.began_unix_ms / 1_000,
        title: title(facts.kind, &opened.plan.service, facts.host.as_str(), &facts.run, None),
        env: BTreeMap::from([("TERM".to_owned(), "xterm-256color".to_owned())]),
    };
    let mut out = header.line();
    let mut marked = marked.iter().peekable();
    for (at, screen) in drawn {
        out.push_str(&line(*at, "o", screen));
        while let Some(mark) = marked.next_if(|mark| u128::from(mark.at.0) <= at.as_millis()) {
            out.push_str(&line(*at, "m", &mark.label));
        }
    }
    out
}
