//! Lines that are longer than the screen is wide, broken where people would break them.
//!
//! Broken at spaces, and within a word only where the word alone is too long. Nothing is left out
//! but the space at which a line was broken, so that what is read is what was written.

use super::ink::width;
use unicode_segmentation::UnicodeSegmentation;

/// The rows of a text that is `columns` wide at most; an empty text has one, an empty one.
pub fn wrapped(text: &str, columns: u16) -> Vec<&str> {
    let columns = columns.max(1);
    let mut rows = Vec::new();
    let mut rest = text;
    while width(rest) > columns {
        let (end, next) = break_at(rest, columns);
        rows.push(&rest[..end]);
        rest = &rest[next..];
    }
    if rows.is_empty() || !rest.is_empty() {
        rows.push(rest);
    }
    rows
}

/// As many whole parts of a text, from its beginning, as `columns` have room for; parts stand
/// between dots: `5xx tripped on Green: 13 of 312 · limit 2 % for 2m`.
pub fn parts(text: &str, columns: u16) -> &str {
    let mut text = text;
    while width(text) > columns {
        let Some((shorter, _)) = text.rsplit_once(" · ") else { return text };
        text = shorter;
    }
    text
}

/// Where the first row ends, and where the next one begins, in bytes.
fn break_at(text: &str, columns: u16) -> (usize, usize) {
    let (mut wide, mut space) = (0, None);
    for (at, part) in text.grapheme_indices(true) {
        // The space itself may stand beyond the edge: nobody sees it there.
        if part == " " && at > 0 {
            space = Some(at);
        }
        let columns_of_it = width(part);
        if wide + columns_of_it > columns {
            return match space {
                Some(space) => (space, space + 1),
                // One character that is wider than the screen is a row all the same.
                None if at == 0 => (part.len(), part.len()),
                None => (at, at),
            };
        }
        wide += columns_of_it;
    }
    (text.len(), text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrapped("asked 50/50 and read", 11), ["asked 50/50", "and read"]);
        assert_eq!(wrapped("asked 50/50 and read", 12), ["asked 50/50", "and read"]);
        assert_eq!(wrapped("short", 11), ["short"]);
        assert_eq!(wrapped("", 11), [""]);
        assert_eq!(wrapped("sha256:0123456789", 6), ["sha256", ":01234", "56789"]);
        assert_eq!(wrapped("日本語", 5), ["日本", "語"]);
        assert_eq!(wrapped("日本", 1), ["日", "本"]);
    }

    #[test]
    fn parts_that_do_not_fit_are_left_out_whole() {
        let text = "13 of 312 · limit 2 % · luck 1:4000";
        assert_eq!(parts(text, 35), text);
        assert_eq!(parts(text, 34), "13 of 312 · limit 2 %");
        assert_eq!(parts(text, 20), "13 of 312");
        assert_eq!(parts(text, 3), "13 of 312", "the first stays whatever the room");
    }

    #[test]
    fn nothing_is_lost_but_spaces() {
        let text = "left  serves all users:   it is Blue in this run 日本語 héllo";
        for columns in 1..70 {
            let rows = wrapped(text, columns);
            let kept: String = rows.concat().split(' ').collect();
            assert_eq!(kept, text.split(' ').collect::<String>());
            assert!(rows.iter().all(|row| width(row) <= columns.max(2)), "{columns}: {rows:?}");
        }
    }
}
