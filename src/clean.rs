//! The one sanitiser: untrusted text becomes [`Clean`] here or it becomes nothing.
//!
//! Terminals obey what they are sent. A health body, a header or a command's output may hold
//! escape sequences that paint a false answer, write the clipboard or hide half a line; so nothing
//! from outside reaches screen, journal, recording or report but through this module. What could
//! act on a terminal or cannot be seen is replaced by a visible stand-in (`␛`, `<U+202E>`,
//! `<0xFF>`), never dropped in silence: whoever reads must see that something odd was there.
//! Secrets become `[redacted:NAME]`, and length is bounded.
//!
//! The order is fixed: stand-ins, then masks, then the cut. Stand-ins go character by character, so
//! a secret is still in one piece when it is looked for; masks come before the cut, so that no cut
//! leaves half a secret. Cleaning clean text changes nothing.
//!
//! Text that is somebody else's, such as a service's log or a health body, goes through
//! [`Clean::foreign`], which hides what is personal in it as well.
//!
//! This module does not wrap, lay out or measure text.

mod assignment;
mod forms;
mod lines;
mod mask;
mod personal;

pub use lines::{Line, LineSplitter, lines};
pub use mask::{Mask, MaskInstalled, installed};

use serde::{Deserialize, Serialize};
use std::fmt;

/// The most characters that a [`Clean`] holds, the `…` of a cut included.
pub const LENGTH: usize = 400;

/// The most bytes of one text that are looked at. A body of 100 MB costs no more than this.
const LOOKED_AT: usize = 64 * 1024;

/// Text that is safe on a terminal, in the journal and in a report: no control characters, no
/// escape sequences, no bidi or invisible characters, of bounded length, secrets masked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Clean(String);

/// What the sanitiser found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Control characters: C0 but for TAB and LF, DEL, C1.
    pub controls: u64,
    /// Characters that turn the direction of text.
    pub bidi: u64,
    /// Characters that take part in text and cannot be seen.
    pub invisible: u64,
    /// Bytes that are not UTF-8.
    pub invalid: u64,
    /// Secrets that were masked.
    pub masked: u64,
    /// Texts that were longer than they may be.
    pub cut: u64,
}

impl Counts {
    /// Whether anything was replaced that honest text does not hold.
    pub const fn is_odd(self) -> bool {
        self.controls + self.bidi + self.invisible + self.invalid > 0
    }

    /// Adds what was found elsewhere.
    pub const fn add(&mut self, other: Self) {
        self.controls += other.controls;
        self.bidi += other.bidi;
        self.invisible += other.invisible;
        self.invalid += other.invalid;
        self.masked += other.masked;
        self.cut += other.cut;
    }
}

/// Makes the mask that every [`Clean`] of this process goes through from now on. It can be done
/// once, before anything untrusted is read.
pub fn install(mask: Mask) -> Result<(), MaskInstalled> {
    mask::install(mask)
}

impl Clean {
    /// Sanitises text that came from outside: one line, at most [`LENGTH`] characters.
    pub fn new(text: &str) -> Self {
        let mask = installed();
        if text.len() <= LENGTH && is_plain(text) && !mask.may_match(text) {
            return Self(text.to_owned());
        }
        Self::counted(text).0
    }

    /// Sanitises bytes that may not even be text.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        wash(bytes, installed(), LENGTH, Whose::Ours).0
    }

    /// Sanitises text that is somebody else's, one line of at most [`LENGTH`] characters: what is
    /// personal in it is hidden too. Our own sentences, and what the plan names, are not made by
    /// this.
    pub fn foreign(text: &str) -> Self {
        Self::foreign_to(text, LENGTH)
    }

    /// The same, down to at most `length` characters.
    pub fn foreign_to(text: &str, length: usize) -> Self {
        wash(text.as_bytes(), installed(), length, Whose::Others).0
    }

    /// Text that is still being typed, as it may be drawn: what is a secret or personal is hidden
    /// as it is in a note, and so is what is on its way to become it, as each key is a frame of
    /// the recording.
    pub fn unfinished(text: &str) -> Self {
        Self::unfinished_with(text, installed())
    }

    fn unfinished_with(text: &str, mask: &Mask) -> Self {
        let wash = |text: &str| wash(text.as_bytes(), mask, LENGTH, Whose::Others);
        let text = mask.hide_beginning(text);
        let (drawn, counts) = wash(&text);
        // What a key or two would make of the last word, it is already.
        let begun = ["1", "zz", ".zz", "zz.zz"].into_iter().find_map(|more| {
            let (sooner, then) = wash(&format!("{text}{more}"));
            (then.masked > counts.masked && sooner.0.ends_with(']')).then_some(sooner)
        });
        begun.unwrap_or(drawn)
    }

    /// Sanitises bytes that are somebody else's with a mask of one's own, down to at most
    /// `length` characters, and says what was found.
    pub fn foreign_with(bytes: &[u8], mask: &Mask, length: usize) -> (Self, Counts) {
        wash(bytes, mask, length, Whose::Others)
    }

    /// Sanitises text, and says what was found in it.
    pub fn counted(text: &str) -> (Self, Counts) {
        wash(text.as_bytes(), installed(), LENGTH, Whose::Ours)
    }

    /// Sanitises bytes with a mask of one's own, down to at most `length` characters.
    pub fn with(bytes: &[u8], mask: &Mask, length: usize) -> (Self, Counts) {
        wash(bytes, mask, length, Whose::Ours)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text in ASCII, for terminals and files that know nothing else: `<ESC>`, `...`,
    /// `<U+00E9>`.
    pub fn ascii(&self) -> String {
        let mut ascii = String::with_capacity(self.0.len());
        for c in self.0.chars() {
            match c {
                ' '..='~' => ascii.push(c),
                '…' => ascii.push_str("..."),
                '␀'..='␟' => {
                    let name = C0_NAMES.get((c as usize).wrapping_sub(0x2400)).unwrap_or(&"?");
                    ascii.push('<');
                    ascii.push_str(name);
                    ascii.push('>');
                }
                '␡' => ascii.push_str("<DEL>"),
                _ => push_code(&mut ascii, c),
            }
        }
        ascii
    }
}

const C0_NAMES: [&str; 32] = [
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "TAB", "LF", "VT", "FF", "CR",
    "SO", "SI", "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC",
    "FS", "GS", "RS", "US",
];

/// What a character may do to those who look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    Control,
    Bidi,
    Invisible,
}

/// Whether a character can be shown as it is: it acts on no terminal and hides nothing.
pub fn can_be_shown(c: char) -> bool {
    class(c) == Class::Plain
}

fn class(c: char) -> Class {
    match c {
        ' '..='~' => Class::Plain,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Class::Control,
        '\u{061c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => Class::Bidi,
        // Soft hyphen, joiners and fillers, Mongolian and other variation selectors, line and
        // paragraph separators, invisible operators, byte order mark, annotation marks,
        // shorthand and musical format controls, tag characters.
        '\u{ad}'
        | '\u{034f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200d}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => Class::Invisible,
        // The last two of each plane are no characters at all.
        _ if c as u32 & 0xfffe == 0xfffe => Class::Invisible,
        _ => Class::Plain,
    }
}

/// Whether a character is shown as itself and does nothing else: no control, nothing that turns the
/// direction of text, nothing that cannot be seen.
pub fn shows_itself(c: char) -> bool {
    class(c) == Class::Plain
}

/// Printable ASCII alone, which is nearly everything that we ever see.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| (b' '..=b'~').contains(&b))
}

fn push_code(out: &mut String, c: char) {
    out.push_str(&format!("<U+{:04X}>", c as u32));
}

/// Puts stand-ins for what could act or hide.
fn stand_in(text: &str, out: &mut String, counts: &mut Counts) {
    for c in text.chars() {
        match class(c) {
            Class::Plain => out.push(c),
            Class::Control => match c {
                '\t' => out.push(' '),
                '\n' => out.push('␊'),
                '\u{7f}' => {
                    counts.controls += 1;
                    out.push('␡');
                }
                c => {
                    counts.controls += 1;
                    match char::from_u32(0x2400 + c as u32) {
                        Some(picture) if (c as u32) < 0x20 => out.push(picture),
                        _ => push_code(out, c),
                    }
                }
            },
            Class::Bidi => {
                counts.bidi += 1;
                push_code(out, c);
            }
            Class::Invisible => {
                counts.invisible += 1;
                push_code(out, c);
            }
        }
    }
}

/// The text with stand-ins, without mask or cut: the form in which secrets are looked for.
fn with_stand_ins(bytes: &[u8], counts: &mut Counts) -> String {
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        stand_in(chunk.valid(), &mut out, counts);
        for byte in chunk.invalid() {
            counts.invalid += 1;
            out.push_str(&format!("<0x{byte:02X}>"));
        }
    }
    out
}

/// Whose words a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Others,
}

/// A mask or a cut may uncover one more thing to hide, as where a number ends. Three rounds are
/// more than any honest text takes.
const ROUNDS: usize = 8;

fn wash(bytes: &[u8], mask: &Mask, length: usize, whose: Whose) -> (Clean, Counts) {
    let mut counts = Counts::default();
    let looked_at = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let mut unseen = looked_at.len() < bytes.len();
    let mut text = with_stand_ins(looked_at, &mut counts);
    for round in 0..ROUNDS {
        let (secrets, personal);
        (text, secrets) = mask.apply(text);
        (text, personal) = match whose {
            Whose::Ours => (text, 0),
            Whose::Others => mask.apply_personal(text),
        };
        counts.masked += secrets + personal;
        if unseen && round == 0 {
            // What was looked at may end within a secret, which is then not recognised: the last
            // characters that could belong to one are given up.
            drop_last(&mut text, mask.longest());
        }
        let cut = cut(&mut text, length, std::mem::take(&mut unseen));
        counts.cut |= u64::from(cut);
        if whose == Whose::Ours || secrets + personal == 0 && !cut {
            break;
        }
    }
    (Clean(text), counts)
}

fn drop_last(text: &mut String, bytes: usize) {
    let mut keep = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(keep) {
        keep -= 1;
    }
    text.truncate(keep);
}

/// Cuts to `length` characters, the last of which is then `…`; says whether it had to.
fn cut(text: &mut String, length: usize, unseen: bool) -> bool {
    let too_long = text.char_indices().nth(length).is_some();
    if !too_long && !unseen {
        return false;
    }
    if let Some((keep, _)) = text.char_indices().nth(length.saturating_sub(1)) {
        text.truncate(keep);
    }
    text.push('…');
    true
}

impl From<String> for Clean {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<&str> for Clean {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<Clean> for String {
    fn from(clean: Clean) -> Self {
        clean.0
    }
}

impl AsRef<str> for Clean {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown_and_does_not_act() {
        for (raw, clean) in [
            ("plain", "plain"),
            ("\u{1b}[31mred", "␛[31mred"),
            ("a\tb\nc\r", "a b␊c␍"),
            ("\u{9b}2J", "<U+009B>2J"),
            ("user\u{202e}txt.exe", "user<U+202E>txt.exe"),
            ("zero\u{200b}width", "zero<U+200B>width"),
            ("\u{e0041}", "<U+E0041>"),
            ("grüße 漢字 🚀", "grüße 漢字 🚀"),
        ] {
            assert_eq!(Clean::new(raw).as_str(), clean);
        }
        assert_eq!(
            Clean::from_bytes(b"caf\xe9 \xed\xa0\x80").as_str(),
            "caf<0xE9> <0xED><0xA0><0x80>"
        );
    }

    #[test]
    fn what_was_odd_is_counted() {
        let (_, counts) = Clean::counted("\u{1b}[1m\u{7f}\u{202e}\u{200d}\t\n");
        assert_eq!((counts.controls, counts.bidi, counts.invisible), (2, 1, 1));
        assert!(counts.is_odd());
        assert!(!Clean::counted("tabs\tand\nlines are honest").1.is_odd());
    }

    #[test]
    fn long_text_is_cut_and_says_so_and_a_huge_one_costs_little() {
        let (clean, counts) = Clean::counted(&"ü".repeat(401));
        assert_eq!(clean.as_str().chars().count(), LENGTH);
        assert!(clean.as_str().ends_with('…'));
        assert_eq!(counts.cut, 1);
        assert_eq!(Clean::new(&"ü".repeat(400)).as_str(), "ü".repeat(400));
        let huge = vec![0x1b; 100 << 20];
        assert_eq!(Clean::from_bytes(&huge).as_str().chars().count(), LENGTH);
    }

    #[test]
    fn no_key_of_a_secret_that_is_typed_is_seen_once_it_is_known_for_one() {
        let mask = Mask::new([("db".to_owned(), "correct horse".to_owned())]);
        let drawn = |text: &str| Clean::unfinished_with(text, &mask).to_string();
        for (secret, seen) in [
            ("correct horse", "corr"),
            ("anna@example.org", "anna@"),
            ("203.0.113.9", "203.0.113."),
        ] {
            let text = format!("it is {secret}");
            for end in 1..=text.len() {
                let drawn = drawn(&text[..end]);
                assert!(!drawn.contains(seen), "{drawn}");
                assert!(end < 6 + seen.len() || drawn.contains("[redacted:"), "{drawn}");
            }
        }
        for text in ["it is 1.8.2", "at 12:41:07 all is well", "correction of #118", "", "a @ b "] {
            assert_eq!(drawn(text), text);
        }
        assert_eq!(drawn("\u{1b}[2J"), "␛[2J");
    }

    #[test]
    fn the_ascii_form_is_ascii() {
        assert_eq!(Clean::new("\u{1b}[1m é \u{7f}").ascii(), "<ESC>[1m <U+00E9> <DEL>");
        assert!(Clean::new(&"漢".repeat(500)).ascii().ends_with("..."));
    }
}
