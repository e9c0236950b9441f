//! JSON in ASCII: what is beyond becomes `\uXXXX`, so that `cat journal.jsonl` is safe anywhere.

use serde::Serialize;
use serde_json::ser::Formatter;
use std::io;

struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut plain = 0;
        for (i, c) in fragment.char_indices() {
            if matches!(c, ' '..='~') {
                continue;
            }
            writer.write_all(&fragment.as_bytes()[plain..i])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = i + c.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[plain..])
    }
}

/// One value as compact JSON in ASCII.
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    let mut out = Vec::with_capacity(128);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Ascii))?;
    String::from_utf8(out).map_err(serde::ser::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_beyond_ascii_is_escaped_and_comes_back() {
        let text = "grüße 🚀 \u{7f}\u{9b}\u{202e}\"\\\n";
        let json = to_json(text).unwrap();
        assert!(json.is_ascii() && !json.contains('\u{7f}'), "{json}");
        assert_eq!(json, r#""gr\u00fc\u00dfe \ud83d\ude80 \u007f\u009b\u202e\"\\\n""#);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
