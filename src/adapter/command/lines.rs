//! Bytes become lines, and only as many lines as somebody could follow.
//!
//! [`Lines`] cuts at line ends and carriage returns (progress bars), bounds the length of a line
//! and remembers the last ones. [`Flow`] lets a burst pass, then a steady trickle, and counts
//! what it holds back: a million lines cost no memory and tell the reader that they were there.

use crate::clean::Clean;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes of one line that are kept; the rest of it is dropped.
const LONGEST_LINE: usize = 4 << 10;
/// Lines that may come at once.
const BURST: f64 = 1_000.0;
/// Lines a second after that.
const RATE: f64 = 100.0;

/// Cuts bytes into lines.
#[derive(Debug)]
pub(super) struct Lines {
    line: Vec<u8>,
    cut: bool,
    returned: bool,
    keep: usize,
    last: VecDeque<Vec<u8>>,
}

impl Lines {
    /// Remembers the last `keep` lines.
    pub(super) const fn new(keep: usize) -> Self {
        Self { line: Vec::new(), cut: false, returned: false, keep, last: VecDeque::new() }
    }

    /// Takes bytes; calls `each` with every line that is whole now.
    pub(super) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) {
        for &byte in bytes {
            match byte {
                b'\n' if self.returned && self.line.is_empty() => self.returned = false,
                b'\n' => self.end(&mut each),
                b'\r' if self.line.is_empty() => self.returned = true,
                b'\r' => {
                    self.end(&mut each);
                    self.returned = true;
                }
                _ => {
                    self.returned = false;
                    if self.line.len() < LONGEST_LINE {
                        self.line.push(byte);
                    } else {
                        self.cut = true;
                    }
                }
            }
        }
    }

    /// No more bytes come: what is left is a line too.
    pub(super) fn finish(&mut self, mut each: impl FnMut(&[u8])) {
        if !self.line.is_empty() {
            self.end(&mut each);
        }
    }

    fn end(&mut self, each: &mut impl FnMut(&[u8])) {
        if std::mem::take(&mut self.cut) {
            self.line.extend_from_slice("…".as_bytes());
        }
        self.returned = false;
        each(&self.line);
        let mut spare = if self.last.len() >= self.keep {
            self.last.pop_front().unwrap_or_default()
        } else {
            Vec::new()
        };
        spare.clear();
        std::mem::swap(&mut spare, &mut self.line);
        self.last.push_back(spare);
    }

    /// The last lines.
    pub(super) fn tail(&self) -> Vec<Clean> {
        self.last.iter().map(|line| clean(line)).collect()
    }
}

fn clean(line: &[u8]) -> Clean {
    Clean::new(&String::from_utf8_lossy(line))
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
    pub(super) fn pass(&mut self, now: Instant, line: &[u8], pass: &mut impl FnMut(Clean)) {
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
        pass(clean(line));
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

    fn cut(chunks: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::new(3);
        let mut out = Vec::new();
        for chunk in chunks {
            lines.push(chunk, |line| out.push(String::from_utf8_lossy(line).into_owned()));
        }
        lines.finish(|line| out.push(String::from_utf8_lossy(line).into_owned()));
        out
    }

    #[test]
    fn lines_end_at_line_feeds_and_carriage_returns_wherever_the_chunks_end() {
        assert_eq!(cut(&[b"a\nb", b"b\r", b"\n\nlast"]), ["a", "bb", "", "last"]);
        assert_eq!(cut(&[b"10%\r20%\r\r100%\r\ndone\n"]), ["10%", "20%", "100%", "done"]);
        assert_eq!(cut(&[b"\n\n"]), ["", ""]);
    }

    #[test]
    fn a_line_without_end_is_cut_and_the_next_one_is_whole() {
        let long = [vec![b'x'; 1 << 20], b"\nnext\n".to_vec()].concat();
        let lines = cut(&[&long]);
        assert_eq!(lines[0].len(), LONGEST_LINE + '…'.len_utf8());
        assert_eq!(lines[1], "next");
    }

    #[test]
    fn the_last_lines_are_remembered() {
        let mut lines = Lines::new(3);
        lines.push(b"1\n2\n3\n4\n5\n", |_| ());
        assert_eq!(lines.tail(), ["3", "4", "5"].map(Clean::from));
    }

    #[test]
    fn a_flood_passes_as_a_burst_and_a_count() {
        let began = Instant::now();
        let mut flow = Flow::new(began);
        let mut seen: Vec<Clean> = Vec::new();
        for _ in 0..1_000_000 {
            flow.pass(began, b"x", &mut |line| seen.push(line));
        }
        assert_eq!(seen.len(), 1_000);
        flow.pass(began + Duration::from_secs(2), b"later", &mut |line| seen.push(line));
        assert_eq!(seen[1_000].as_str(), "(999000 lines skipped)");
        assert_eq!(seen[1_001].as_str(), "later");
    }
}
