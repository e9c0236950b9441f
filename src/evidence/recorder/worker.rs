//! The recorder's own thread: it takes what was put into the queue, in order, and writes it.
//!
//! The file is made with the first frame, as nobody knows the screen's size before. Each step says
//! whether the recording can go on; where it cannot, the file is let go, and what comes after is
//! thrown away.

use super::{Fate, Message, Shared};
use crate::clean::{self, Clean};
use crate::evidence::cast;
use crate::evidence::scan::Scan;
use crate::evidence::slate::{self, CLOSING, Closing, OPENING, Opening};
use crate::evidence::tape::{Gone, Tape};
use crate::journal::{Mark, Noted, RecordingClosed, RecordingStarted};
use crate::units::Millis;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// The recorder's thread.
pub(super) struct Worker {
    shared: Arc<Shared>,
    dir: PathBuf,
    opening: Opening,
    marks: Option<Receiver<Mark>>,
    size: (u16, u16),
    tape: Option<Tape>,
    scan: Option<Scan<'static>>,
    text: cast::Text,
    /// When the first frame came: it stands where the opening slate ends.
    began: Instant,
    /// Marks whose line no frame has shown yet.
    pending: VecDeque<Mark>,
    /// The latest instant of the run that was shown.
    drawn: Option<Millis>,
}

impl Worker {
    pub fn new(
        shared: Arc<Shared>,
        dir: PathBuf,
        opening: Opening,
        marks: Option<Receiver<Mark>>,
    ) -> Self {
        Self {
            shared,
            dir,
            opening,
            marks,
            size: (80, 24),
            tape: None,
            scan: None,
            text: cast::Text::default(),
            began: Instant::now(),
            pending: VecDeque::new(),
            drawn: None,
        }
    }

    /// Works until it is told to end.
    pub fn run(mut self) {
        loop {
            let message = self.next();
            let done = match message {
                Message::End(closing, tell) => {
                    if let Err(gone) = self.end(closing.as_deref()) {
                        self.shared.lose(gone.short, &gone.why);
                    }
                    let _ = tell.send(());
                    return;
                }
                Message::Size(size) => self.resize(size),
                Message::Frame(at, bytes) => self.frame(at, &bytes),
                Message::Drawn(at) => {
                    self.drawn = self.drawn.max(Some(at));
                    self.mark(self.drawn)
                }
            };
            if let Err(gone) = done {
                self.shared.lose(gone.short, &gone.why);
                self.tape = None;
            }
        }
    }

    fn next(&self) -> Message {
        let mut kept = self.shared.kept();
        loop {
            match kept.queue.pop_front() {
                Some(message) => {
                    if let Message::Frame(_, bytes) = &message {
                        kept.bytes = kept.bytes.saturating_sub(bytes.len());
                    }
                    return message;
                }
                None => {
                    kept = self.shared.more.wait(kept).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.shared.kept().fate, Fate::Lost(_) | Fate::Closed)
    }

    /// Where an instant stands in the recording.
    fn place(&self, at: Instant) -> Duration {
        OPENING + at.saturating_duration_since(self.began)
    }

    fn resize(&mut self, size: (u16, u16)) -> Result<(), Gone> {
        let size = (size.0.clamp(1, cast::LARGEST.0), size.1.clamp(1, cast::LARGEST.1));
        if size == self.size {
            return Ok(());
        }
        self.size = size;
        let at = self.place(Instant::now());
        if let Some(tape) = &mut self.tape {
            tape.event(at, cast::RESIZE, &cast::size(size))?;
        }
        if let Some(scan) = &mut self.scan {
            scan.resize(size);
        }
        Ok(())
    }

    fn frame(&mut self, at: Instant, bytes: &[u8]) -> Result<(), Gone> {
        if self.is_over() {
            return Ok(());
        }
        if self.tape.is_none() {
            self.open(at)?;
        }
        let place = self.place(at);
        let data = self.text.take(bytes);
        let Some(tape) = &mut self.tape else { return Ok(()) };
        tape.event(place, cast::OUTPUT, &data)?;
        tape.frames += 1;
        self.kept_until(at);
        if let Some(scan) = &mut self.scan {
            scan.take(place.as_secs_f64(), &data);
        }
        Ok(())
    }

    /// Makes the file, with header and slate, as the first frame is there.
    fn open(&mut self, at: Instant) -> Result<(), Gone> {
        self.began = at;
        let header = self.header();
        let mut tape = Tape::create(&self.dir)?;
        self.shared.kept().file = tape.name().to_owned();
        tape.line(&header.line())?;
        let slate = self.opening.screen();
        tape.event(Duration::ZERO, cast::OUTPUT, &slate)?;
        let mut scan = Scan::new(clean::installed(), tape.name(), self.size);
        scan.take(0.0, &slate);
        // Frames need not begin with an empty screen, and lines never do.
        tape.event(OPENING, cast::OUTPUT, slate::END)?;
        scan.take(OPENING.as_secs_f64(), slate::END);
        let started = RecordingStarted {
            file: tape.name().to_owned(),
            width: self.size.0,
            height: self.size.1,
        };
        (self.tape, self.scan) = (Some(tape), Some(scan));
        self.kept_until(at);
        self.shared.notes.note(Noted::RecordingStarted(started));
        Ok(())
    }

    fn header(&self) -> cast::Header {
        let Opening { kind, service, host, run, marking, unix_ms, .. } = &self.opening;
        let marking = marking.as_ref().map(Clean::as_str);
        let term = std::env::var("TERM").map(|term| ("TERM".to_owned(), Clean::new(&term).ascii()));
        cast::Header {
            version: 2,
            width: self.size.0,
            height: self.size.1,
            timestamp: unix_ms.div_euclid(1_000),
            title: cast::title(*kind, service.as_str(), host.as_str(), run, marking),
            env: term.into_iter().collect(),
        }
    }

    /// The recording runs, and holds everything until this instant.
    fn kept_until(&self, at: Instant) {
        let (since, last) = (self.began, self.place(at));
        let mut kept = self.shared.kept();
        if matches!(kept.fate, Fate::Waiting | Fate::Running { .. }) {
            kept.fate = Fate::Running { since, last };
        }
    }

    /// Writes the marks of lines that were shown by now, or all that there are.
    fn mark(&mut self, shown: Option<Millis>) -> Result<(), Gone> {
        if let Some(marks) = &self.marks {
            self.pending.extend(marks.try_iter());
        }
        let place = self.place(Instant::now());
        let Some(tape) = &mut self.tape else { return Ok(()) };
        let mut marked = false;
        while let Some(mark) = self.pending.front() {
            if shown.is_some_and(|shown| mark.at > shown) {
                break;
            }
            tape.event(place, cast::MARKER, &mark.label)?;
            self.pending.pop_front();
            marked = true;
        }
        if marked { tape.sync() } else { Ok(()) }
    }

    fn end(&mut self, closing: Option<&Closing>) -> Result<(), Gone> {
        if self.is_over() {
            return Ok(());
        }
        self.mark(None)?;
        let Some(tape) = &mut self.tape else { return Ok(()) };
        let Some(closing) = closing else { return tape.sync() };
        let at = tape.last() + CLOSING;
        let slate = closing.screen();
        tape.event(at, cast::OUTPUT, &slate)?;
        tape.sync()?;
        let mut hits = Vec::new();
        if let Some(scan) = &mut self.scan {
            scan.take(at.as_secs_f64(), &slate);
            hits = scan.hits().to_vec();
        }
        let closed = RecordingClosed {
            file: tape.name().to_owned(),
            bytes: tape.bytes(),
            sha256: tape.sha256(),
            frames: tape.frames,
            seconds: at.as_secs_f64(),
            hits,
        };
        let mut kept = self.shared.kept();
        // Whoever waited may have given it up in the meantime, and said so.
        if matches!(kept.fate, Fate::Running { .. }) {
            kept.fate = Fate::Closed;
            self.shared.notes.note(Noted::RecordingClosed(closed));
        }
        Ok(())
    }
}
