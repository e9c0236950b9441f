//! The chain: each line ends with the SHA-256 of the line before it.
//!
//! `prev` is the last key of a line, and the digest is taken over the bytes of the line with its
//! line feed, never over JSON that was written anew. So four lines of shell can check a file, and
//! no rule about canonical JSON is needed. The chain shows edits, holes and changes of order; it
//! does not show that the end is missing, which is why the run's last digest is written down
//! elsewhere as well.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// What the first line names as its predecessor.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const KEY: &str = ",\"prev\":\"";

/// The SHA-256 of some bytes, in hex.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut hex, b| {
        let _ = write!(hex, "{b:02x}");
        hex
    })
}

/// Closes a JSON object with `prev` as its last key, and ends the line. `object` is a whole
/// object with at least one key.
pub fn seal(object: &str, prev: &str) -> String {
    let open = object.strip_suffix('}').unwrap_or(object);
    format!("{open}{KEY}{prev}\"}}\n")
}

/// What a line (with or without its line feed) names as its predecessor, if it ends as it must.
pub fn prev_of(line: &str) -> Option<&str> {
    let line = line.strip_suffix('\n').unwrap_or(line).strip_suffix("\"}")?;
    let prev = line.get(line.len().checked_sub(64)?..)?;
    let hex = prev.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (hex && line[..line.len() - 64].ends_with(KEY)).then_some(prev)
}

/// The lines of a file, each with its line feed, and what stands after the last line feed: a line
/// that a crash has cut off.
pub fn whole_lines(bytes: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let end = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    let (whole, torn) = bytes.split_at(end);
    (whole.split_inclusive(|b| *b == b'\n').collect(), torn)
}

/// Follows a chain from its first line.
#[derive(Debug, Clone)]
pub struct Follow {
    head: String,
    lines: u64,
}

impl Default for Follow {
    fn default() -> Self {
        Self { head: GENESIS.to_owned(), lines: 0 }
    }
}

impl Follow {
    /// Takes the next line, with its line feed; says whether it names the one before.
    pub fn takes(&mut self, line: &str) -> bool {
        let follows = prev_of(line) == Some(self.head.as_str());
        if follows {
            self.head = digest(line.as_bytes());
            self.lines += 1;
        }
        follows
    }

    /// The digest of the last line.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// How many lines were taken.
    pub const fn lines(&self) -> u64 {
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_follows_and_breaks_where_it_was_touched() {
        let first = seal(r#"{"a":1}"#, GENESIS);
        let second = seal(r#"{"a":2}"#, &digest(first.as_bytes()));
        assert_eq!(prev_of(&first), Some(GENESIS));
        let mut chain = Follow::default();
        assert!(chain.takes(&first) && chain.takes(&second));
        assert_eq!((chain.lines(), chain.head()), (2, digest(second.as_bytes()).as_str()));
        let mut chain = Follow::default();
        assert!(chain.takes(&first.replace(":1", ":3")));
        assert!(!chain.takes(&second));
    }

    #[test]
    fn only_the_last_key_counts() {
        let trap = format!(r#"{{"a":"\",\"prev\":\"{GENESIS}\"}}"}}"#);
        assert_eq!(prev_of(&trap), None);
        assert_eq!(prev_of(&format!(r#"{{"prev":"{GENESIS}","a":1}}"#)), None);
        assert_eq!(prev_of(""), None);
    }

    #[test]
    fn what_follows_the_last_line_feed_is_torn() {
        let (lines, torn) = whole_lines(b"a\nb\nc");
        assert_eq!((lines, torn), (vec![&b"a\n"[..], b"b\n"], &b"c"[..]));
        assert_eq!(whole_lines(b""), (vec![], &b""[..]));
    }
}
