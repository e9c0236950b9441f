//! The bundle's own JSON files: indented, ASCII, with a line feed at the end.
//!
//! They are read by people in terminals and hashed by shells, so the same value is the same bytes
//! and nothing in them acts on a terminal.

use serde::Serialize;
use std::fmt::Write as _;

/// A value as such a file. What cannot be written as JSON, which none of ours is, is `null`.
pub(super) fn file<T: Serialize>(value: &T) -> String {
    let pretty = serde_json::to_string_pretty(value).unwrap_or_else(|_| "null".to_owned());
    let mut out = String::with_capacity(pretty.len() + 1);
    for c in pretty.chars() {
        // Beyond ASCII there are only strings.
        if matches!(c, ' '..='~' | '\n') {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_file_is_ascii_and_means_the_same() {
        let value = serde_json::json!({ "a": ["grüße 🚀\u{7f}\n", 1.5], "b": null });
        let text = super::file(&value);
        assert!(text.is_ascii() && !text.contains('\u{7f}') && text.ends_with("}\n"), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
