//! The forms in which programs print a value: as it is, each line of it, and encoded.
//!
//! Base64 in its three alignments, percent-encoded by the habits of several libraries, escaped for
//! JSON and for HTML, and as hex digits. What is found here is looked for as it is; nothing is
//! decoded.

use super::mask::SHORTEST;
use super::{Counts, with_stand_ins};
use std::fmt::Write as _;

/// Every form in which a value may turn up, each at least [`SHORTEST`] characters.
pub(super) fn forms(value: &str) -> Vec<String> {
    let mut forms = Vec::new();
    let whole = value.trim_end_matches(['\n', '\r']);
    if whole.chars().count() >= SHORTEST {
        encoded(whole, &mut forms);
    }
    if whole.contains('\n') {
        for line in whole.lines().map(str::trim).filter(|line| line.chars().count() >= SHORTEST) {
            encoded(line, &mut forms);
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

fn encoded(value: &str, forms: &mut Vec<String>) {
    let mut add = |form: String| {
        // Secrets are looked for in text that has its stand-ins already.
        let form = with_stand_ins(form.as_bytes(), &mut Counts::default());
        if form.len() >= SHORTEST {
            forms.push(form);
        }
    };
    add(value.to_owned());
    for kept in KEPT {
        for (upper, plus) in [(true, false), (true, true), (false, false), (false, true)] {
            add(percent(value, kept, upper, plus));
        }
    }
    if let Ok(json) = serde_json::to_string(value) {
        let inner = json[1..json.len() - 1].to_owned();
        add(inner.replace('/', "\\/"));
        add(ascii_json(&inner));
        // Some libraries make JSON fit for a page.
        let page = [("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e")];
        add(replaced(&inner, &page));
        add(inner);
    }
    html(value, &mut add);
    let hex = |upper: bool| {
        value.bytes().fold(String::new(), |mut out, b| {
            let _ = if upper { write!(out, "{b:02X}") } else { write!(out, "{b:02x}") };
            out
        })
    };
    add(hex(false));
    add(hex(true));
    for alphabet in [BASE64, BASE64_URL] {
        for shift in 0..3 {
            add(base64(value.as_bytes(), shift, alphabet));
        }
    }
}

/// What is left as it is beside letters and digits: by the standard, by a browser's component, by
/// a browser's whole address, by a path, and by a form.
const KEPT: [&[u8]; 5] = [b"-._~", b"-_.!~*'()", b"-_.!~*'();/?:@&=+$,#", b"-._~/", b"*-._"];

fn replaced(text: &str, by: &[(&str, &str)]) -> String {
    by.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// In a page: `&` first, as the others bring more of it.
fn html(value: &str, add: &mut impl FnMut(String)) {
    let inner = replaced(value, &[("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")]);
    for quote in ["\"", "&quot;", "&#34;", "&#x22;"] {
        for apostrophe in ["'", "&#39;", "&#x27;", "&apos;"] {
            add(replaced(&inner, &[("\"", quote), ("'", apostrophe)]));
        }
    }
}

fn percent(value: &str, kept: &[u8], upper: bool, plus: bool) -> String {
    let mut out = String::new();
    for b in value.bytes() {
        if b == b' ' && plus {
            out.push('+');
        } else if b.is_ascii_alphanumeric() || kept.contains(&b) {
            out.push(char::from(b));
        } else if upper {
            let _ = write!(out, "%{b:02X}");
        } else {
            let _ = write!(out, "%{b:02x}");
        }
    }
    out
}

fn ascii_json(inner: &str) -> String {
    let mut out = String::new();
    for c in inner.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The characters of base64 that depend on the value alone, where it begins `shift` bytes into a
/// group of three: whatever is encoded around it, these turn up.
fn base64(value: &[u8], shift: usize, alphabet: &[u8; 64]) -> String {
    let bits = value.len() * 8;
    let first = (6 - shift * 8 % 6) % 6;
    let mut out = String::new();
    let mut at = first;
    while at + 6 <= bits {
        let sextet = (at..at + 6)
            .fold(0u8, |sextet, bit| (sextet << 1) | ((value[bit / 8] >> (7 - bit % 8)) & 1));
        out.push(char::from(alphabet[usize::from(sextet)]));
        at += 6;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::Clean;
    use super::super::mask::Mask;
    use super::*;

    #[test]
    fn base64_is_found_wherever_the_value_begins() {
        let value = "correct horse";
        let mask = Mask::new([("horse".to_owned(), value.to_owned())]);
        for before in ["", "u", "us", "use", "user"] {
            let all = format!("{before}{value}tail!").into_bytes();
            let text = base64(&all, 0, BASE64);
            let clean = Clean::with(text.as_bytes(), &mask, 400).0;
            assert!(clean.as_str().contains("[redacted:horse]"), "{before:?}: {clean}");
        }
    }

    #[test]
    fn a_value_is_found_as_hex_in_a_page_and_as_a_browser_sends_it() {
        let mask = Mask::new([("word".to_owned(), "a<b>&\"c' (d)".to_owned())]);
        for text in [
            "a<b>&\"c' (d)",
            "613c623e26226327202864 29",
            "613C623E262263272028642 9",
            "a&lt;b&gt;&amp;&quot;c&#39; (d)",
            "a&lt;b&gt;&amp;\"c' (d)",
            "a%3Cb%3E%26%22c'%20(d)",
            "a%3cb%3e%26%22c%27+%28d%29",
            "a\\u003cb\\u003e\\u0026\\\"c' (d)",
        ] {
            let text =
                if text.starts_with("613") { text.replace(' ', "") } else { text.to_owned() };
            let clean = Clean::with(format!("x {text} y").as_bytes(), &mask, 400).0;
            assert_eq!(clean.as_str(), "x [redacted:word] y", "{text}");
        }
    }
}
