//! Names in braces: `{slot}`, `{release}`, `{probe_token}`.
//!
//! The braces of shells and templates go through untouched: `${HOME}`, `{{.Id}}` and `{ print }`
//! are not ours. The plan's checks and everybody who fills names in read them through here, so
//! that what was checked is what is filled in.

use std::ops::Range;

/// A name in braces, with the range of the braces in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder<'t> {
    /// What stands between the braces.
    pub name: &'t str,
    /// Bytes from the opening to behind the closing brace.
    pub range: Range<usize>,
}

/// The names in braces in a text, in order.
pub fn placeholders(text: &str) -> Vec<Placeholder<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(open) = text.get(from..).and_then(|rest| rest.find('{')).map(|n| n + from) {
        from = open + 1;
        let Some(rest) = text.get(from..) else { break };
        let length = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
        let name = &rest[..length];
        let after = &rest[length..];
        let before = text[..open].chars().next_back();
        let ours = after.starts_with('}')
            && !after.starts_with("}}")
            && !matches!(before, Some('{' | '$'))
            && name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if ours {
            from += length + 1;
            found.push(Placeholder { name, range: open..from });
        }
    }
    found
}

/// Replaces each name in braces by its value; a name without a value stays as it is.
pub fn fill<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut from = 0;
    for placeholder in placeholders(text) {
        if let Some(value) = value(placeholder.name) {
            filled.push_str(&text[from..placeholder.range.start]);
            filled.push_str(value);
            from = placeholder.range.end;
        }
    }
    filled.push_str(&text[from..]);
    filled
}

const fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_other_braces_are_left_alone() {
        let value = |name: &str| (name == "slot").then_some("left");
        for (text, filled) in [
            ("web-{slot}", "web-left"),
            ("{slot}{slot}", "leftleft"),
            (
                "{{.State.Slot}} {{slot}} ${slot} { slot }",
                "{{.State.Slot}} {{slot}} ${slot} { slot }",
            ),
            ("{", "{"),
            ("{slot", "{slot"),
            ("ü{slot}ü", "üleftü"),
            ("{other} {slot}", "{other} left"),
        ] {
            assert_eq!(fill(text, value), filled);
        }
    }

    #[test]
    fn a_value_is_never_read_as_a_name_again() {
        let value = |name: &str| match name {
            "a" => Some("{b}"),
            "b" => Some("never"),
            _ => None,
        };
        assert_eq!(fill("{a}", value), "{b}");
    }
}
