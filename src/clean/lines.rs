//! Bytes of a program's output, as they arrive, into clean lines.
//!
//! A read may end anywhere: within a character, within an escape sequence, within a secret. So
//! nothing is let go before its line is whole. A line longer than [`KEPT`] is cut there and the rest
//! of it passed over: a program that prints without end costs a fixed amount of memory.
//!
//! A private key is several lines, of which only the first says so; the splitter remembers that it
//! is inside one. It stops believing so at the first line that cannot belong to a key, lest a
//! program hide everything it prints afterwards.

use super::mask::begins_private_key;
use super::{Clean, Counts, LENGTH, Mask, installed};

/// The most bytes of one line that are kept while it is not whole.
const KEPT: usize = 16 * 1024;

/// The most lines of a private key.
const KEY_LINES: u32 = 200;

/// Takes bytes, gives clean lines. LF, CR LF and a lone CR end a line.
#[derive(Debug)]
pub struct LineSplitter<'m> {
    mask: &'m Mask,
    length: usize,
    line: Vec<u8>,
    /// Whether the line is longer than what is kept of it.
    too_long: bool,
    /// Whether the last byte was a CR, so that an LF after it ends nothing.
    after_cr: bool,
    /// Lines since a private key began, while inside one.
    in_key: Option<u32>,
    counts: Counts,
}

impl Default for LineSplitter<'static> {
    fn default() -> Self {
        Self::new()
    }
}

impl LineSplitter<'static> {
    /// A splitter with the mask of this process and the usual length.
    pub fn new() -> Self {
        LineSplitter::with(installed(), LENGTH)
    }
}

impl<'m> LineSplitter<'m> {
    /// A splitter with a mask of one's own, and lines of at most `length` characters.
    pub const fn with(mask: &'m Mask, length: usize) -> Self {
        Self {
            mask,
            length,
            line: Vec::new(),
            too_long: false,
            after_cr: false,
            in_key: None,
            counts: Counts { controls: 0, bidi: 0, invisible: 0, invalid: 0, masked: 0, cut: 0 },
        }
    }

    /// Takes what was read, gives the lines that are now whole.
    pub fn push(&mut self, mut bytes: &[u8]) -> Vec<Clean> {
        let mut lines = Vec::new();
        while let Some(end) = bytes.iter().position(|b| matches!(b, b'\n' | b'\r')) {
            let (piece, rest) = bytes.split_at(end);
            let second_half = self.after_cr && end == 0 && rest.first() == Some(&b'\n');
            self.after_cr = rest.first() == Some(&b'\r');
            if !second_half {
                self.keep(piece);
                lines.extend(self.end_line());
            }
            bytes = rest.get(1..).unwrap_or_default();
        }
        if !bytes.is_empty() {
            self.after_cr = false;
            self.keep(bytes);
        }
        lines
    }

    /// The output is over: gives what is left, if anything is.
    pub fn finish(&mut self) -> Option<Clean> {
        if self.line.is_empty() { None } else { self.end_line() }
    }

    /// What was odd in all lines so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = KEPT.saturating_sub(self.line.len());
        self.too_long |= piece.len() > room;
        self.line.extend_from_slice(piece.get(..room).unwrap_or(piece));
    }

    fn end_line(&mut self) -> Option<Clean> {
        let mut line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.too_long) {
            // It may end within a secret; and it must be cut visibly, as it is not whole.
            line.truncate(KEPT.saturating_sub(self.mask.longest()));
            line.extend_from_slice("…".as_bytes());
            self.counts.cut += 1;
        }
        if self.is_key_line(&line) {
            return None;
        }
        let (clean, counts) = Clean::with(&line, self.mask, self.length);
        self.counts.add(counts);
        Some(clean)
    }

    /// Whether the line belongs to a key whose first line was already masked.
    fn is_key_line(&mut self, line: &[u8]) -> bool {
        let text = String::from_utf8_lossy(line);
        let begins = text.find("-----BEGIN ").is_some_and(|i| begins_private_key(&text[i..]));
        match self.in_key {
            Some(_) if text.contains("-----END ") => {
                self.in_key = None;
                true
            }
            Some(lines) if lines < KEY_LINES && looks_like_key(&text) => {
                self.in_key = Some(lines + 1);
                true
            }
            _ => {
                self.in_key = (begins && !text.contains("-----END ")).then_some(0);
                false
            }
        }
    }
}

/// Base64, a header of an old key file, or nothing at all.
fn looks_like_key(line: &str) -> bool {
    let line = line.trim();
    let base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
    line.bytes().all(base64)
        || line.starts_with("Proc-Type:")
        || line.starts_with("DEK-Info:")
        || line.starts_with("Comment:")
}

/// Splits a whole text into clean lines.
pub fn lines(bytes: &[u8]) -> Vec<Clean> {
    let mut splitter = LineSplitter::new();
    let mut lines = splitter.push(bytes);
    lines.extend(splitter.finish());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Clean]) -> Vec<&str> {
        lines.iter().map(Clean::as_str).collect()
    }

    #[test]
    fn lines_end_as_the_worlds_programs_end_them() {
        assert_eq!(
            texts(&lines(b"one\ntwo\r\n10%\r20%\r\n\nlast")),
            ["one", "two", "10%", "20%", "", "last"]
        );
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn where_a_read_ends_makes_no_difference() {
        let mask = Mask::new([("token".to_owned(), "hunter2-aaaa-yyyy".to_owned())]);
        let text = "a hunter2-aaaa-yyyy\r\n\u{1b}[1mgrüße\n-----BEGIN PRIVATE KEY-----\nMHcC\n-----END PRIVATE KEY-----\nend".as_bytes();
        let whole = {
            let mut splitter = LineSplitter::with(&mask, LENGTH);
            let mut lines = splitter.push(text);
            lines.extend(splitter.finish());
            lines
        };
        assert_eq!(
            texts(&whole),
            ["a [redacted:token]", "␛[1mgrüße", "[redacted:private_key]", "end"]
        );
        for cut in 0..text.len() {
            let mut splitter = LineSplitter::with(&mask, LENGTH);
            let mut lines = splitter.push(&text[..cut]);
            lines.extend(splitter.push(&text[cut..]));
            lines.extend(splitter.finish());
            assert_eq!(lines, whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_line_without_end_costs_a_fixed_amount() {
        let mut splitter = LineSplitter::new();
        for _ in 0..1_000 {
            assert!(splitter.push(&[b'x'; 10_000]).is_empty());
            assert!(splitter.line.len() <= KEPT);
        }
        let lines = splitter.push(b"\nnext\n");
        assert_eq!(lines.len(), 2);
        assert!(lines[0].as_str().ends_with('…'));
        assert_eq!(lines[1].as_str(), "next");
    }

    #[test]
    fn a_false_key_hides_nothing_that_follows() {
        let text = b"-----BEGIN PRIVATE KEY-----\nrm -rf / was called\n";
        assert_eq!(texts(&lines(text)), ["[redacted:private_key]", "rm -rf / was called"]);
    }
}
