//! Bytes of a program's output, as they arrive, into clean lines.
//!
//! A read may end anywhere: within a character, within an escape sequence, within a secret. So
//! nothing is let go before its line is whole. A line longer than [`KEPT`] is cut there and the rest
//! of it passed over: a program that prints without end costs a fixed amount of memory. Whoever
//! shows only some of a million lines gets them as [`Line`]s, which are cleaned when they are
//! needed and can be had in no other way.
//!
//! A private key is several lines, of which only the first says so; the splitter remembers that it
//! is inside one, and behind how long a prefix, as log viewers put one before every line. It stops
//! believing so at the first line that cannot belong to a key, lest a program hide everything it
//! prints afterwards.

use super::mask::begins_private_key;
use super::{Clean, Counts, LENGTH, Mask, installed};
use std::fmt;

/// The most bytes of one line that are kept while it is not whole.
const KEPT: usize = 16 * 1024;

/// The most lines of a private key.
const KEY_LINES: u32 = 200;

/// A whole line of an output, not yet clean; [`Line::clean`] is the only way to read it.
pub struct Line<'m> {
    bytes: Vec<u8>,
    mask: &'m Mask,
    length: usize,
}

impl Line<'_> {
    /// The line.
    pub fn clean(&self) -> Clean {
        self.counted().0
    }

    fn counted(&self) -> (Clean, Counts) {
        Clean::foreign_with(&self.bytes, self.mask, self.length)
    }
}

/// It may hold a secret: nothing of it is shown.
impl fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// What the last byte of what was read so far means for an LF that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Nothing: an LF ends the line.
    Other,
    /// It was a CR that ended a line: an LF belongs to it.
    EndedLine,
    /// It was a CR with nothing before it, as progress bars begin: alone it ends nothing.
    BareCr,
}

/// A private key that has begun.
#[derive(Debug, Clone, Copy)]
struct Key {
    /// Bytes before the key on its first line, and so on the others.
    prefix: usize,
    /// Lines since it began.
    lines: u32,
}

/// Takes bytes, gives clean lines. LF, CR LF and a lone CR behind some text end a line.
#[derive(Debug)]
pub struct LineSplitter<'m> {
    mask: &'m Mask,
    length: usize,
    line: Vec<u8>,
    /// Whether the line is longer than what is kept of it.
    too_long: bool,
    last: Last,
    /// The private key that we are inside of.
    in_key: Option<Key>,
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
            last: Last::Other,
            in_key: None,
            counts: Counts { controls: 0, bidi: 0, invisible: 0, invalid: 0, masked: 0, cut: 0 },
        }
    }

    /// Takes what was read, gives the lines that are now whole.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Clean> {
        let lines = self.push_raw(bytes);
        lines.iter().map(|line| self.count(line)).collect()
    }

    /// The output is over: gives what is left, if anything is.
    pub fn finish(&mut self) -> Option<Clean> {
        let line = self.finish_raw()?;
        Some(self.count(&line))
    }

    /// Takes what was read, gives the lines that are now whole, to be cleaned where needed.
    pub fn push_raw(&mut self, mut bytes: &[u8]) -> Vec<Line<'m>> {
        let mut lines = Vec::new();
        while let Some(end) = bytes.iter().position(|b| matches!(b, b'\n' | b'\r')) {
            let (piece, rest) = bytes.split_at(end);
            if !piece.is_empty() {
                self.last = Last::Other;
                self.keep(piece);
            }
            let is_cr = rest.first() == Some(&b'\r');
            let is_bare = is_cr && self.line.is_empty();
            if !is_bare && (is_cr || self.last != Last::EndedLine) {
                lines.extend(self.end_line());
            }
            self.last = match (is_cr, is_bare) {
                (false, _) => Last::Other,
                (true, true) if self.last != Last::EndedLine => Last::BareCr,
                (true, _) => Last::EndedLine,
            };
            bytes = rest.get(1..).unwrap_or_default();
        }
        if !bytes.is_empty() {
            self.last = Last::Other;
            self.keep(bytes);
        }
        lines
    }

    /// The output is over: gives what is left, to be cleaned where needed.
    pub fn finish_raw(&mut self) -> Option<Line<'m>> {
        if self.line.is_empty() { None } else { self.end_line() }
    }

    fn count(&mut self, line: &Line<'_>) -> Clean {
        let (clean, counts) = line.counted();
        self.counts.add(counts);
        clean
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

    fn end_line(&mut self) -> Option<Line<'m>> {
        let mut bytes = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.too_long) {
            // It may end within a secret; and it must be cut visibly, as it is not whole.
            bytes.truncate(KEPT.saturating_sub(self.mask.longest()));
            bytes.extend_from_slice("…".as_bytes());
            self.counts.cut += 1;
        }
        if self.is_key_line(&bytes) {
            return None;
        }
        Some(Line { bytes, mask: self.mask, length: self.length })
    }

    /// Whether the line belongs to a key whose first line was already masked.
    fn is_key_line(&mut self, line: &[u8]) -> bool {
        // Nearly every line is neither in a key nor begins one, and shall cost next to nothing.
        if self.in_key.is_none() && !line.contains(&b'-') {
            return false;
        }
        let text = String::from_utf8_lossy(line);
        let begin = text.find("-----BEGIN ").filter(|&at| begins_private_key(&text[at..]));
        match &mut self.in_key {
            Some(_) if text.contains("-----END ") => {
                self.in_key = None;
                true
            }
            Some(key) if key.lines < KEY_LINES && looks_like_key(&text, key.prefix) => {
                key.lines += 1;
                true
            }
            _ => {
                let open = begin.filter(|_| !text.contains("-----END "));
                self.in_key = open.map(|prefix| Key { prefix, lines: 0 });
                false
            }
        }
    }
}

/// Base64, a header of an old key file, or nothing at all, behind a prefix as long as that of the
/// key's first line. A key that is indented further is one too.
fn looks_like_key(line: &str, prefix: usize) -> bool {
    let Some(line) = line.get(prefix..) else { return line.trim().is_empty() };
    let line = line.trim();
    let base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
    line.bytes().all(base64)
        || line.starts_with("Proc-Type:")
        || line.starts_with("DEK-Info:")
        || line.starts_with("Comment:")
        || line.starts_with("Version:")
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
        assert_eq!(texts(&lines(b"10%\r20%\r\r100%\r\ndone\n")), ["10%", "20%", "100%", "done"]);
        assert_eq!(
            texts(&lines(b"\r10%\r\n\r\nan empty one\n\n")),
            ["10%", "", "an empty one", ""]
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
    fn a_key_is_hidden_behind_what_log_viewers_put_before_it() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIE+x/=\n-----END RSA PRIVATE KEY-----";
        for prefix in ["web-1  | ", "ü ", "    "] {
            let text: String = key.lines().map(|line| format!("{prefix}{line}\n")).collect();
            let masked = format!("{prefix}[redacted:private_key]");
            let after = format!("{text}{prefix}ready to serve\n");
            assert_eq!(
                texts(&lines(after.as_bytes())),
                [masked, format!("{prefix}ready to serve")]
            );
        }
    }

    #[test]
    fn a_false_key_hides_nothing_that_follows() {
        let text = b"-----BEGIN PRIVATE KEY-----\nrm -rf / was called\n";
        assert_eq!(texts(&lines(text)), ["[redacted:private_key]", "rm -rf / was called"]);
    }
}
