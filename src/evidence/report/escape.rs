//! The one way of text into a page: whatever is written into HTML, SVG, CSS or Markdown comes
//! through here.
//!
//! Text of a run is [`Clean`] when it is journalled. A report is also made from journals that
//! somebody else may have written, so nothing of that is relied on: what could act or hide is
//! given its stand-in once more, and what a markup could obey is escaped.

use crate::clean::{Clean, Mask};
use std::sync::LazyLock;

/// The most characters of one text in a report; what is longer ends in `…`.
const LONGEST: usize = 2_000;

/// No names: what this process knows of secrets must not change a report that others make again.
static MASK: LazyLock<Mask> = LazyLock::new(|| Mask::new(std::iter::empty::<(String, String)>()));

fn washed(text: &str) -> String {
    Clean::with(text.as_bytes(), &MASK, LONGEST).0.as_str().to_owned()
}

/// Text as content or quoted attribute of HTML and SVG.
pub fn html(text: &str) -> String {
    let plain = |b: u8| matches!(b, b' '..=b'~') && !matches!(b, b'<' | b'>' | b'&' | b'"' | b'\'');
    if text.len() <= LONGEST && text.bytes().all(plain) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in washed(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Text as one cell or line of Markdown: nothing in it is a link, a tag or a table's border. What
/// Markdown does not read as a sign stays as it is, since people read it unrendered as well.
pub fn markdown(text: &str) -> String {
    let washed = washed(text);
    let mut out = String::with_capacity(washed.len() + 16);
    for (i, word) in washed.split(' ').enumerate() {
        if i > 0 {
            out.push(' ');
        }
        markdown_word(&mut out, word);
    }
    out
}

/// An address, a mention or an issue's number would become a link, wherever it stands in a text but
/// in a code span.
fn markdown_word(out: &mut String, word: &str) {
    let issue = word.as_bytes().windows(2).any(|two| two[0] == b'#' && two[1].is_ascii_digit());
    let links = word.contains('@') || issue;
    let (before, core) = word.split_at(word.len() - word.trim_start_matches(['(', '"']).len());
    let (core, after) = core.split_at(core.trim_end_matches([',', ';', ':', ')', '.', '"']).len());
    if links && !core.contains(['`', '|', '\\', '<', '&']) {
        signs(out, before, false);
        out.push('`');
        out.push_str(core);
        out.push('`');
        return signs(out, after, false);
    }
    signs(out, word, links);
}

fn signs(out: &mut String, text: &str, links: bool) {
    let mut chars = text.chars().peekable();
    let (mut last, mut so_far) = (' ', String::new());
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        match c {
            '<' => out.push_str("&lt;"),
            '&' if next == '#' || next.is_ascii_alphabetic() => out.push_str("&amp;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            // Within a word it is no sign.
            '_' if !(last.is_alphanumeric() && next.is_alphanumeric()) => out.push_str("\\_"),
            // A bare address would become a link.
            ':' if next == '/' => out.push_str("\\:"),
            '.' if so_far.to_ascii_lowercase().ends_with("www") => out.push_str("\\."),
            '@' if links => out.push_str("&#64;"),
            '#' if links => out.push_str("&#35;"),
            c => out.push(c),
        }
        last = c;
        so_far.push(c);
    }
}

/// Text as a quoted string of CSS, inside a style element.
pub fn css(text: &str) -> String {
    let mut out = String::from("\"");
    for c in washed(text).chars() {
        match c {
            ' ' | '0'..='9' | 'A'..='Z' | 'a'..='z' | '.' | ',' | ':' | '-' | '/' => out.push(c),
            c => out.push_str(&format!("\\{:x} ", c as u32)),
        }
    }
    out.push('"');
    out
}

/// JSON as the content of a script element: no `<` can end the element or open a comment. In JSON
/// a `<` stands in texts only, where `\u003c` says the same.
pub fn json(text: &str) -> String {
    text.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "</script><img src=x onerror=\"a('b')\">&amp;\u{202e}\u{1b}[2J\u{9b}";

    #[test]
    fn nothing_hostile_is_markup_any_more() {
        let safe = html(HOSTILE);
        assert_eq!(
            safe,
            "&lt;/script&gt;&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;amp;\
             &lt;U+202E&gt;␛[2J&lt;U+009B&gt;"
        );
        assert_eq!(html("plain text, 100 %"), "plain text, 100 %");
        for c in ['<', '>', '"', '\'', '\u{202e}', '\u{1b}'] {
            assert!(!html(HOSTILE).contains(c));
        }
    }

    #[test]
    fn markdown_has_no_links_tags_cells_or_mentions() {
        let safe = markdown("a|b [x](http://y) <b> @all #1 `c` *d* ![i](j) www.z.org (a@b.c), @`x");
        assert_eq!(
            safe,
            "a\\|b \\[x\\](http\\://y) &lt;b> `@all` `#1` \\`c\\` \\*d\\* \
             !\\[i\\](j) www\\.z.org (`a@b.c`), &#64;\\`x"
        );
        assert!(!markdown("a\nb").contains('\n'));
    }

    #[test]
    fn what_is_no_sign_in_markdown_is_left_as_it_is() {
        let plain = "at 16:22:58 UTC: 7 of 36 (0.1 ms), redeploy_check; 50 % & more, done!";
        assert_eq!(markdown(plain), plain);
    }

    #[test]
    fn a_style_string_ends_where_it_should() {
        assert_eq!(css("CUI"), "\"CUI\"");
        assert_eq!(css("\"}</style>\\"), "\"\\22 \\7d \\3c /style\\3e \\5c \"");
    }

    #[test]
    fn json_cannot_leave_its_element() {
        let line = r#"{"says":"</script><!--"}"#;
        let safe = json(line);
        assert!(!safe.contains('<'));
        let back: serde_json::Value = serde_json::from_str(&safe).unwrap();
        assert_eq!(back["says"], "</script><!--");
    }
}
