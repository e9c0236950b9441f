//! What a recording may hold: the few things that our renderer writes, and nothing else.
//!
//! A recording is played on other people's terminals and in their browsers, so it is held against
//! a list before it is sealed, and again when it is verified. The list is a grammar and not a
//! parser that passes over what it does not know: after each escape come `[`, perhaps `?`,
//! digits with `;` or `:`, and one letter, without anything in between. Everything else that could
//! act on a terminal (other escapes, C0 but CR and LF, C1, DEL) or that cannot be seen (bidi,
//! zero-width, tags) is refused, with its place. So an OSC, DCS, APC, PM or SOS cannot be in it.

use super::cast::{self, Cast};
use crate::clean;

/// A piece of what was written to a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Characters that are shown.
    Text(&'a str),
    /// CR or LF.
    Break,
    /// A control sequence: what stands between `ESC [` and its last letter, and that letter.
    Sequence(&'a str, char),
    /// Something else that acts, or cannot be seen.
    Odd(char),
}

impl Piece<'_> {
    /// Its length in bytes, as it was written.
    pub fn length(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Break => 1,
            Self::Sequence(parameters, last) => 2 + parameters.len() + last.len_utf8(),
            Self::Odd(c) => c.len_utf8(),
        }
    }
}

/// Cuts what was written into its pieces.
pub fn pieces(data: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (piece, length) = match first {
            '\r' | '\n' => (Piece::Break, 1),
            '\u{1b}' => sequence(rest).unwrap_or((Piece::Odd(first), 1)),
            c if clean::shows_itself(c) => {
                let end = rest.find(|c| !clean::shows_itself(c)).unwrap_or(rest.len());
                (Piece::Text(&rest[..end]), end)
            }
            c => (Piece::Odd(c), c.len_utf8()),
        };
        rest = &rest[length..];
        Some(piece)
    })
}

/// The sequence at the beginning of the text, and its length in bytes.
fn sequence(text: &str) -> Option<(Piece<'_>, usize)> {
    let inner = text.strip_prefix("\u{1b}[")?;
    let end = inner.find(|c: char| !matches!(c, '0'..='9' | ';' | ':' | '?'))?;
    let last = inner[end..].chars().next()?;
    let ours = inner[..end].rfind('?').is_none_or(|at| at == 0);
    (ours && last.is_ascii_alphabetic()).then(|| (Piece::Sequence(&inner[..end], last), end + 3))
}

/// Whether our renderer writes this sequence: colours, the cursor's place, clearing, and the modes
/// that a screen takes and gives back.
fn is_ours(parameters: &str, last: char) -> bool {
    match last {
        'm' => !parameters.starts_with('?'),
        'H' => parameters.bytes().all(|b| b.is_ascii_digit() || b == b';'),
        'J' | 'K' => matches!(parameters, "" | "0" | "1" | "2"),
        'h' | 'l' => matches!(parameters, "?25" | "?1049" | "?2026" | "?2004"),
        _ => false,
    }
}

/// What is wrong with something that was written, if anything is.
pub fn refused(data: &str) -> Option<String> {
    pieces(data).find_map(|piece| match piece {
        Piece::Text(_) | Piece::Break => None,
        Piece::Sequence(parameters, last) if is_ours(parameters, last) => None,
        Piece::Sequence(parameters, last) => {
            Some(format!("the sequence ESC [ {parameters} {last}"))
        }
        Piece::Odd('\u{1b}') => Some("an escape that begins no control sequence".to_owned()),
        Piece::Odd(c) => Some(format!("the character U+{:04X}", c as u32)),
    })
}

/// Whether a recording holds only what our renderer writes; otherwise what and where.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    of(&cast::read(bytes)?)
}

/// The same of a recording that was read.
pub fn of(cast: &Cast) -> Result<(), String> {
    let header = &cast.header;
    let said = std::iter::once(&header.title).chain(header.env.iter().flat_map(|(k, v)| [k, v]));
    for said in said {
        if let Some(odd) = said.chars().find(|c| !clean::shows_itself(*c)) {
            return Err(format!("the header has the character U+{:04X}", odd as u32));
        }
    }
    for (i, event) in cast.events.iter().enumerate() {
        let at = || format!("at {:.3} s, line {}", event.t, i + 2);
        match event.code.as_str() {
            cast::OUTPUT => {
                if let Some(what) = refused(&event.data) {
                    return Err(format!("{}: {what}", at()));
                }
            }
            cast::MARKER if event.data.chars().all(|c| matches!(c, ' '..='~')) => {}
            cast::MARKER => return Err(format!("{}: a marker that is not ASCII", at())),
            cast::RESIZE => {}
            _ => return Err(format!("{}: an event of a kind that is never recorded", at())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_screen_is_drawn_with_is_allowed() {
        for data in [
            "\u{1b}[?2026h\u{1b}[2J\u{1b}[1;1H● 漢字 ⣿\u{1b}[38;5;12m\u{1b}[39m\u{1b}[?25l\u{1b}[?2026l",
            "a line\r\n",
            "\u{1b}[38;2;1;2;3m\u{1b}[58;5;1m\u{1b}[0m\u{1b}[?1049h\u{1b}[?2004l\u{1b}[K",
            "",
        ] {
            assert_eq!(refused(data), None, "{data:?}");
        }
    }

    #[test]
    fn everything_that_acts_otherwise_is_refused() {
        let mut odd: Vec<String> = (0..0x20_u8)
            .chain([0x7f])
            .filter(|c| !matches!(c, b'\r' | b'\n'))
            .map(|c| char::from(c).to_string())
            .collect();
        odd.extend((0x80..0xa0).filter_map(char::from_u32).map(String::from));
        // Escapes with any byte after them but `[`: OSC, DCS, APC, PM, SOS, resets, charsets.
        odd.extend((0..0x80_u8).filter(|b| *b != b'[').map(|b| format!("\u{1b}{}", b as char)));
        odd.extend(["\u{202e}", "\u{200b}", "\u{feff}", "\u{e0041}", "\u{ad}"].map(String::from));
        for sequence in [
            "[6n",
            "[c",
            "[5i",
            "[21t",
            "[?1000h",
            "[?1h",
            "[4h",
            "[!p",
            "[>1u",
            "[ q",
            "[2 q",
            "[1\r2J",
            "[3J",
            "[1",
            "[",
            "[?25?h",
            "[?1m",
            "[1;\u{1b}[2J",
            "[100A",
            "[1L",
            "[s",
            "[?25;1000h",
        ] {
            odd.push(format!("\u{1b}{sequence}"));
        }
        for odd in odd {
            let data = format!("before {odd}");
            assert!(refused(&data).is_some(), "{data:?} is allowed");
        }
    }

    #[test]
    fn a_refusal_names_the_place_and_keys_are_never_recorded() {
        let cast = |event: &str| {
            let header = r#"{"version":2,"width":80,"height":24}"#;
            check(format!("{header}\n[0.5,\"o\",\"fine\"]\n{event}\n").as_bytes())
        };
        assert_eq!(cast(r#"[1.5,"m","a marker"]"#), Ok(()));
        assert!(
            cast(r#"[1.5,"o","\u001b]52;c;x\u0007"]"#).unwrap_err().contains("at 1.500 s, line 3")
        );
        assert!(cast(r#"[1.5,"i","r"]"#).unwrap_err().contains("never recorded"));
        assert!(cast(r#"[1.5,"m","\u001b[2J"]"#).unwrap_err().contains("not ASCII"));
        assert!(cast("no event").is_err());
        let odd = "{\"version\":2,\"width\":80,\"height\":24,\"title\":\"\\u001b]0;x\"}\n";
        assert!(check(odd.as_bytes()).unwrap_err().contains("U+001B"));
    }
}
