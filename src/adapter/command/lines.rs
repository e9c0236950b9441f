//! Of a command's lines only as many as somebody could follow.
//!
//! [`Tail`] remembers the last ones. [`Flow`] lets a burst pass, then a steady trickle, and counts
//! what it holds back: a million lines cost no memory and tell the reader that they were there.
//! Lines come from the one splitter, in [`crate::clean`], and are cleaned when they are passed on.

use crate::clean::{Clean, Line};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Lines that may come at once.
const BURST: f64 = 1_000.0;
/// Lines a second after that.
const RATE: f64 = 100.0;

/// The last lines of an output.
#[derive(Debug)]
pub(super) struct Tail {
    keep: usize,
    last: VecDeque<Line<'static>>,
}

impl Tail {
    /// Remembers the last `keep` lines.
    pub(super) const fn new(keep: usize) -> Self {
        Self { keep, last: VecDeque::new() }
    }

    /// One more line, for which the oldest gives way.
    pub(super) fn keep(&mut self, line: Line<'static>) {
        if self.last.len() >= self.keep {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    /// The last lines.
    pub(super) fn lines(&self) -> Vec<Clean> {
        self.last.iter().map(Line::clean).collect()
    }
}

/// Holds lines back where nobody could read them.
#[derive(Debug)]
pub(super) struct Flow {
    room: f64,
    since: Instant,
    held_back: u64,
}

impl Flow {
    pub(super) const fn new(now: Instant) -> Self {
        Self { room: BURST, since: now, held_back: 0 }
    }

    /// Passes a line on, or counts it.
    pub(super) fn pass(&mut self, now: Instant, line: &Line<'_>, pass: &mut impl FnMut(Clean)) {
        let elapsed: Duration = now.saturating_duration_since(self.since);
        self.since = now;
        self.room = (self.room + elapsed.as_secs_f64() * RATE).min(BURST);
        // After a stop we wait until there is room for a readable stretch.
        let needed = if self.held_back > 0 { RATE } else { 1.0 };
        if self.room < needed {
            self.held_back += 1;
            return;
        }
        self.finish(pass);
        self.room -= 1.0;
        pass(line.clean());
    }

    /// No more lines come: passes on those of the last ones that were held back.
    pub(super) fn finish_with(&mut self, tail: &[Clean], pass: &mut impl FnMut(Clean)) {
        let held_back = usize::try_from(self.held_back).unwrap_or(usize::MAX).min(tail.len());
        self.held_back -= held_back as u64;
        self.finish(pass);
        tail[tail.len() - held_back..].iter().cloned().for_each(pass);
    }

    /// Says how many lines were held back since the last one that passed.
    pub(super) fn finish(&mut self, pass: &mut impl FnMut(Clean)) {
        match std::mem::take(&mut self.held_back) {
            0 => {}
            1 => pass(Clean::new("(1 line skipped)")),
            n => pass(Clean::new(&format!("({n} lines skipped)"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::LineSplitter;

    fn lines(text: &str) -> Vec<Line<'static>> {
        LineSplitter::new().push_raw(text.as_bytes())
    }

    #[test]
    fn the_last_lines_are_remembered() {
        let mut tail = Tail::new(3);
        lines("1\n2\n3\n4\n5\n").into_iter().for_each(|line| tail.keep(line));
        assert_eq!(tail.lines(), ["3", "4", "5"].map(Clean::from));
    }

    #[test]
    fn a_flood_passes_as_a_burst_and_a_count() {
        let began = Instant::now();
        let mut flow = Flow::new(began);
        let mut seen: Vec<Clean> = Vec::new();
        let [x, later] = &lines("x\nlater\n")[..] else { panic!() };
        for _ in 0..1_000_000 {
            flow.pass(began, x, &mut |line| seen.push(line));
        }
        assert_eq!(seen.len(), 1_000);
        flow.pass(began + Duration::from_secs(2), later, &mut |line| seen.push(line));
        assert_eq!(seen[1_000].as_str(), "(999000 lines skipped)");
        assert_eq!(seen[1_001].as_str(), "later");
    }
}
