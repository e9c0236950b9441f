//! Recordings as asciicast v2: a line of JSON that says what is recorded, then a line an event.
//!
//! ```text
//! {"version":2,"width":120,"height":36,"timestamp":1795413600,"title":"DEPLOY notes ...","env":{...}}
//! [3.012,"o","\u001b[2J..."]                  what was written to the terminal
//! [9.300,"m","#17 step.entered 5 Switch"]     a line of the journal became visible here
//! [11.000,"r","100x30"]                       the window has another size
//! ```
//!
//! This version is read by every player there is. Lines are ASCII, so that a recording can be
//! looked at with `cat`. Keys are never recorded: what the operator decides is in the journal.
//! Nothing here opens files or looks at clocks.

use crate::journal::ascii;
use crate::runbook::Kind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The most columns and rows of a recording that is read: a header that claims more would have a
/// reader paint a screen that fits no memory.
pub const LARGEST: (u16, u16) = (2_000, 1_000);

/// Output: the bytes that were written, as text.
pub const OUTPUT: &str = "o";
/// A marker.
pub const MARKER: &str = "m";
/// Another size: `100x30`.
pub const RESIZE: &str = "r";

/// The first line of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Always 2.
    pub version: u32,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// When it began, in seconds since 1970.
    #[serde(default)]
    pub timestamp: i64,
    /// What is recorded: [`title`].
    #[serde(default)]
    pub title: String,
    /// The terminal's kind as `TERM`, and nothing else.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

impl Header {
    /// The line, with its line feed.
    pub fn line(&self) -> String {
        json(self)
    }
}

/// Kind, service, host and run, and the marking line where one is declared: whoever sees the
/// title alone cannot take a drill for a deploy.
pub fn title(kind: Kind, service: &str, host: &str, run: &str, marking: Option<&str>) -> String {
    let kind = kind.word();
    let marking = marking.map_or_else(String::new, |marking| format!("{marking}: "));
    format!("{marking}{kind} {service} on {host}, run {run}")
}

/// An event of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When, in seconds since the recording began.
    pub t: f64,
    /// What kind of event.
    pub code: String,
    /// What was written, said, or the size.
    pub data: String,
}

/// A recording, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Cast {
    /// What is recorded.
    pub header: Header,
    /// The events, in order.
    pub events: Vec<Event>,
    /// Bytes of a half-written last line, which were passed over: its writer was cut off.
    pub torn: usize,
}

impl Cast {
    /// The last instant in seconds.
    pub fn seconds(&self) -> f64 {
        self.events.last().map_or(0.0, |event| event.t)
    }

    /// The markers: their seconds and labels.
    pub fn markers(&self) -> impl Iterator<Item = (f64, &str)> {
        let markers = self.events.iter().filter(|event| event.code == MARKER);
        markers.map(|event| (event.t, event.data.as_str()))
    }
}

/// One event as a line, with its line feed. Times have milliseconds, as in the journal.
pub fn line(t: Duration, code: &str, data: &str) -> String {
    let seconds = format!("{}.{:03}", t.as_secs(), t.subsec_millis());
    format!("[{seconds},\"{code}\",{}]\n", json(data).trim_end())
}

/// A resize event's data.
pub fn size((columns, rows): (u16, u16)) -> String {
    format!("{columns}x{rows}")
}

fn json<T: Serialize + ?Sized>(value: &T) -> String {
    // What is written here is text and numbers: there is nothing that JSON cannot say.
    ascii::to_json(value).map_or_else(|_| "\"\"\n".to_owned(), |line| line + "\n")
}

/// Reads a resize event's data.
pub fn size_of(data: &str) -> Option<(u16, u16)> {
    let (columns, rows) = data.split_once('x')?;
    fits((columns.parse().ok()?, rows.parse().ok()?))
}

fn fits(size: (u16, u16)) -> Option<(u16, u16)> {
    let fits = (1..=LARGEST.0).contains(&size.0) && (1..=LARGEST.1).contains(&size.1);
    fits.then_some(size)
}

/// Reads a recording. A last line that was not written to its end is passed over and told; any
/// other that is no event is a fault, with the number of its line.
pub fn read(bytes: &[u8]) -> Result<Cast, String> {
    let text =
        std::str::from_utf8(bytes).map_err(|e| format!("no text at byte {}", e.valid_up_to()));
    let text = text?;
    let (whole, torn) = match text.rfind('\n') {
        Some(end) => text.split_at(end + 1),
        None => ("", text),
    };
    let mut lines = whole.lines();
    let header = lines.next().ok_or("there is no whole line in it")?;
    let header: Header =
        serde_json::from_str(header).map_err(|e| format!("line 1 is no header: {e}"))?;
    if header.version != 2 {
        return Err(format!("it is asciicast v{}, and only v2 is read", header.version));
    }
    if fits((header.width, header.height)).is_none() {
        return Err(format!("no screen has {}x{} cells", header.width, header.height));
    }
    let mut events: Vec<Event> = Vec::new();
    for (i, line) in lines.enumerate() {
        let number = i + 2;
        let (t, code, data): (f64, String, String) =
            serde_json::from_str(line).map_err(|e| format!("line {number} is no event: {e}"))?;
        if !t.is_finite() || t < events.last().map_or(0.0, |before| before.t) {
            return Err(format!("line {number} goes back in time"));
        }
        if code == RESIZE && size_of(&data).is_none() {
            return Err(format!("line {number} has no size"));
        }
        events.push(Event { t, code, data });
    }
    Ok(Cast { header, events, torn: torn.len() })
}

/// Bytes on their way to becoming text: a character that is cut in two waits for its other half.
#[derive(Debug, Default)]
pub struct Text {
    tail: Vec<u8>,
}

impl Text {
    /// Takes bytes and gives the text that is whole. What can never become text is replaced.
    pub fn take(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.tail);
        all.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&all) {
            Err(cut) if cut.error_len().is_none() => cut.valid_up_to(),
            // What follows after a byte that is no text may be cut as well.
            Err(_) => all.len() - cut_tail(&all),
            Ok(_) => all.len(),
        };
        self.tail = all.split_off(whole);
        String::from_utf8_lossy(&all).into_owned()
    }
}

/// How many bytes at the end are the beginning of a character.
fn cut_tail(bytes: &[u8]) -> usize {
    (1..=3.min(bytes.len()))
        .find(|n| {
            let tail = &bytes[bytes.len() - n..];
            matches!(std::str::from_utf8(tail), Err(e) if e.error_len().is_none() && e.valid_up_to() == 0)
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            version: 2,
            width: 80,
            height: 24,
            timestamp: 1_795_413_600,
            title: title(Kind::Drill, "notes", "vps-1", "r-7f3a", Some("CUI")),
            env: BTreeMap::from([("TERM".to_owned(), "xterm-256color".to_owned())]),
        }
    }

    #[test]
    fn what_is_written_is_ascii_and_is_read_again() {
        let mut text = header().line();
        text += &line(Duration::from_millis(100), OUTPUT, "\u{1b}[2J● \"grüße\" 🚀\\\r\n");
        text += &line(Duration::from_millis(500), MARKER, "#3 step.entered 1");
        text += &line(Duration::from_secs(2), RESIZE, &size((100, 30)));
        assert!(text.is_ascii() && !text.contains('\u{1b}'), "{text}");
        assert!(text.contains("[0.100,\"o\","), "{text}");
        let cast = read(text.as_bytes()).unwrap();
        assert_eq!(cast.header, header());
        assert_eq!(cast.header.title, "CUI: DRILL notes on vps-1, run r-7f3a");
        assert_eq!(cast.events[0].data, "\u{1b}[2J● \"grüße\" 🚀\\\r\n");
        assert_eq!(cast.markers().collect::<Vec<_>>(), [(0.5, "#3 step.entered 1")]);
        assert_eq!(size_of(&cast.events[2].data), Some((100, 30)));
        assert_eq!((cast.seconds(), cast.torn), (2.0, 0));
    }

    #[test]
    fn a_torn_end_is_told_and_a_torn_middle_is_a_fault() {
        let whole = header().line() + &line(Duration::ZERO, OUTPUT, "a");
        let torn = format!("{whole}[1.0,\"o\",\"hal");
        let cast = read(torn.as_bytes()).unwrap();
        assert_eq!((cast.events.len(), cast.torn), (1, 13));
        let broken = format!("{whole}[1.0,\"o\",\"hal\n[2.0,\"o\",\"b\"]\n");
        assert!(read(broken.as_bytes()).unwrap_err().contains("line 3 is no event"));
        let back = format!("{whole}[1.0,\"o\",\"\"]\n[0.5,\"o\",\"\"]\n");
        assert!(read(back.as_bytes()).unwrap_err().contains("line 4 goes back"));
        assert!(read(b"").is_err());
        let huge = header().line().replace("\"width\":80", "\"width\":65535");
        assert!(read(huge.as_bytes()).unwrap_err().contains("no screen"));
    }

    #[test]
    fn a_character_that_is_cut_in_two_comes_whole_or_not_at_all() {
        let mut text = Text::default();
        let bytes = "a●b🚀".as_bytes();
        let whole: String = bytes.iter().map(|b| text.take(&[*b])).collect();
        assert_eq!(whole, "a●b🚀");
        assert_eq!(text.take(b"\xffx\xe2\x97"), "\u{fffd}x");
        assert_eq!(text.take(b"\x8f"), "●");
    }
}
