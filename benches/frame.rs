//! What a frame costs, beside a hand-written one in the same run.
//!
//! The cockpit with a quarter of an hour of history, and with half an hour, which is as much as
//! 200 columns show, against a plain ratatui program
//! that draws as much in the most direct way: the same number of plots by a loop over braille
//! bits, borders, rows of text and bars. Both go through the crossterm backend into a writer that
//! only counts; their frames alternate, so that both see the same machine. The present moves a
//! quarter of a second with each frame.
//!
//! `cargo bench --bench frame`

#![allow(clippy::expect_used)]

#[path = "support/figures.rs"]
mod figures;
#[path = "../tests/stories/mod.rs"]
mod stories;

use figures::{figure, is_bench};
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect, Size};
use ratatui::style::{Color, Style};
use ratatui::widgets::{Block, Gauge, Paragraph, Sparkline, Widget};
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};
use stories::Story;
use switchback::runbook::snapshot::Update;
use switchback::signal::{Histogram, Origin, Sample, Whose};
use switchback::tui::history::History;
use switchback::tui::screen;
use switchback::units::Millis;

const FRAMES: u32 = 1_000;

/// Counts bytes and keeps none.
#[derive(Clone, Default)]
struct Counter(Rc<Cell<u64>>);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A wave between 0 and 1 for each of the four lines: both programs draw the same.
fn wave(line: u64, second: u64) -> f64 {
    let slow = ((second * (line + 3)) as f64 / 40.0).sin() * 0.3 + 0.4;
    slow + ((second * 7919 + line * 31) % 17) as f64 / 170.0
}

/// A second of both slots.
fn measure(story: &mut Story, second: u64) {
    let at = Millis::secs(second);
    let mut samples = Vec::new();
    for (line, role) in [(0, Whose::Blue), (1, Whose::Green)] {
        let mut users = Sample::empty(at, role, Origin::Users);
        users.requests = Some(1_000);
        // The plot's height is a little more than 3 %.
        users.failed = Some((wave(line, second) * 33.0) as u64);
        let mut latency = Histogram::default();
        latency.add(wave(line + 2, second) * 800.0, 1_000);
        users.latency_ms = Some(latency);
        let mut probes = Sample::empty(at, role, Origin::Probes);
        probes.ready = Some(true);
        samples.extend([users, probes]);
    }
    let mut gauges = Sample::empty(at, Whose::Both, Origin::Gauges);
    gauges.db_errors = Some(0);
    gauges.queue_depth = Some((wave(0, second) * 400.0) as u64);
    samples.push(gauges);
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

struct Measured {
    name: &'static str,
    terminal: Terminal<CrosstermBackend<Counter>>,
    bytes: Counter,
    took: Vec<Duration>,
    written: Vec<u64>,
}

impl Measured {
    fn new(name: &'static str, size: Size) -> Self {
        let bytes = Counter::default();
        let viewport = Viewport::Fixed(Rect::new(0, 0, size.width, size.height));
        let backend = CrosstermBackend::new(bytes.clone());
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport })
            .expect("a counting writer does not fail");
        Self { name, terminal, bytes, took: Vec::new(), written: Vec::new() }
    }

    fn frame(&mut self, draw: impl FnOnce(&mut Buffer)) {
        let before = self.bytes.0.get();
        let began = Instant::now();
        self.terminal.draw(|frame| draw(frame.buffer_mut())).expect("drawing does not fail");
        self.took.push(began.elapsed());
        self.written.push(self.bytes.0.get() - before);
    }

    /// Median time, and prints it with the bytes. The first frame paints the whole screen.
    fn report(&mut self, size: Size) -> Duration {
        let first = self.written[0];
        let mut took = self.took.split_off(1);
        took.sort();
        let (p50, p99) = (took[took.len() / 2], took[took.len() * 99 / 100]);
        let mean = self.written[1..].iter().sum::<u64>() / (self.written.len() as u64 - 1);
        println!(
            "{:<14} {}x{}  p50 {:>7.1} µs  p99 {:>7.1} µs  {mean:>6} bytes a frame, first {first}",
            self.name,
            size.width,
            size.height,
            p50.as_secs_f64() * 1e6,
            p99.as_secs_f64() * 1e6,
        );
        p50
    }
}

fn main() {
    if !is_bench() {
        return;
    }
    for (width, height, minutes) in [(200, 60, 15), (200, 60, 30), (120, 36, 15), (80, 24, 15)] {
        let history = minutes * 60;
        let size = Size { width, height };
        let mut story = stories::holding();
        let mut cockpit = Measured::new("cockpit", size);
        let mut reference = Measured::new("hand-braille", size);
        story.history = History::default();
        story.history.switches = vec![(Millis::secs(520), 10), (Millis::secs(828), 50)];
        (1..=history).for_each(|second| measure(&mut story, second));
        let data = Data::new(history);
        for i in 0..=FRAMES {
            // The run goes on, at four frames a second.
            let now = Millis::secs(history) + Millis(u64::from(i) * 250);
            story.now = Some(now);
            story.snapshot.traffic.read_at = story.now;
            if now.0.is_multiple_of(1_000) && i > 0 {
                measure(&mut story, now.as_secs());
            }
            cockpit.frame(|buf| {
                screen::draw(&story.scene(), buf);
            });
            reference.frame(|buf| data.draw(buf, i));
        }
        let (ours, theirs) = (cockpit.report(size), reference.report(size));
        let what = format!("{width}x{height}, {minutes} minutes: times the hand-written frame");
        figure(&what, ours.as_secs_f64() / theirs.as_secs_f64(), "", 1.3);
    }
}

/// The reference: what a person would write by hand, with ratatui's own widgets for all but plots.
struct Data {
    series: Vec<Vec<f64>>,
    lines: Vec<String>,
}

impl Data {
    fn new(history: u64) -> Self {
        let series =
            (0..4).map(|line| (0..history).map(|second| wave(line, second)).collect()).collect();
        let lines =
            (0..60).map(|i| format!(" 14:20:{i:02}  router   asked 50/50 · reads 50/50")).collect();
        Self { series, lines }
    }

    fn draw(&self, buf: &mut Buffer, frame: u32) {
        let area = buf.area;
        let panels = if area.height >= 30 { area.height - 8 } else { area.height - 4 };
        let rows = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(panels),
            Constraint::Min(0),
            Constraint::Length(1),
        ]);
        let [title, headline, body, log, footer] = rows.areas(area);
        Paragraph::new(format!(" DEPLOY  notes-api 1.8.2 → 1.9.0  on vps-1  frame {frame}"))
            .render(title, buf);
        Paragraph::new(" STEP 5 · HOLDING AT 50 % · WELL").render(headline, buf);
        let [left, right] =
            Layout::horizontal([Constraint::Length(40), Constraint::Min(0)]).areas(body);
        for part in Layout::vertical([Constraint::Fill(1); 3]).split(left).iter() {
            let block = Block::bordered().title("Panel");
            let inner = block.inner(*part);
            block.render(*part, buf);
            for (y, line) in (inner.top()..inner.bottom()).zip(&self.lines) {
                buf.set_stringn(inner.x, y, line, usize::from(inner.width), Style::new());
            }
        }
        let [traffic, one, two, small] = Layout::vertical([
            Constraint::Length(3),
            Constraint::Fill(1),
            Constraint::Fill(1),
            Constraint::Length(5),
        ])
        .areas(right);
        Gauge::default().block(Block::bordered().title("Traffic")).percent(50).render(traffic, buf);
        for (area, pair) in [one, two].into_iter().zip(self.series.chunks(2)) {
            let block = Block::bordered().title("5xx   Green 0.3 %   Blue 0.1 %");
            let inner = block.inner(area);
            block.render(area, buf);
            for (series, colour) in pair.iter().zip([Color::Blue, Color::Green]) {
                braille(buf, inner, series, frame, colour);
            }
        }
        let data: Vec<u64> = self.series[0].iter().map(|v| (v * 100.0) as u64).collect();
        for area in Layout::horizontal([Constraint::Fill(1); 3]).split(small).iter() {
            Sparkline::default()
                .block(Block::bordered().title("Queue"))
                .data(&data)
                .render(*area, buf);
        }
        for (y, line) in (log.top()..log.bottom()).zip(&self.lines) {
            buf.set_stringn(log.x, y, line, usize::from(log.width), Style::new());
        }
        Paragraph::new(" r ROLLBACK TO BLUE   space next step   h hold").render(footer, buf);
    }
}

/// One series as braille, the smallest and largest value of each column of dots.
fn braille(buf: &mut Buffer, area: Rect, series: &[f64], frame: u32, colour: Color) {
    const BITS: [[u32; 4]; 2] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];
    let columns = usize::from(area.width) * 2;
    let dots = usize::from(area.height) * 4;
    if columns == 0 || dots == 0 {
        return;
    }
    let mut bits = vec![0_u32; usize::from(area.width) * usize::from(area.height)];
    // Moves by a whole column of dots once it has lasted that long.
    let step = series.len().div_ceil(columns);
    let shift = frame as usize / 4 / step * step;
    for column in 0..columns {
        let from = column * series.len() / columns;
        let to = ((column + 1) * series.len() / columns).max(from + 1);
        let (mut low, mut high) = (f64::MAX, f64::MIN);
        for i in from..to {
            let value = series[(i + shift) % series.len()];
            low = low.min(value);
            high = high.max(value);
        }
        let dot = |v: f64| (v.clamp(0.0, 1.0) * (dots - 1) as f64).round() as usize;
        for y in dot(low)..=dot(high) {
            let row = usize::from(area.height) - 1 - y / 4;
            bits[row * usize::from(area.width) + column / 2] |= BITS[column % 2][y % 4];
        }
    }
    for (i, bits) in bits.iter().enumerate().filter(|(_, bits)| **bits != 0) {
        let x = area.x + (i % usize::from(area.width)) as u16;
        let y = area.y + (i / usize::from(area.width)) as u16;
        if let (Some(cell), Some(ch)) = (buf.cell_mut((x, y)), char::from_u32(0x2800 + bits)) {
            cell.set_char(ch).set_fg(colour);
        }
    }
}
