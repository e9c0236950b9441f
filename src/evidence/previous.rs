//! `PREVIOUS`: the bundle before this one, so that a run which was taken out of a series shows.
//!
//! It is one line: `first`, or the id of the run before and the SHA-256 of its `SHA256SUMS`. It is
//! looked up in the runs' index, which is chained itself.

use super::manifest::is_digest;
use crate::runs::{IndexLine, is_id};

/// The bundle before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Previous {
    /// There is none.
    First,
    /// There is one.
    Bundle {
        /// The run's id.
        run: String,
        /// SHA-256 of its manifest.
        sha256: String,
    },
}

impl Previous {
    /// The newest bundle in an index that is not of this run.
    pub fn of(run: &str, index: &[IndexLine]) -> Self {
        index
            .iter()
            .rev()
            .filter(|line| line.id != run)
            .find_map(|line| {
                let sha256 = line.bundle.clone()?;
                Some(Self::Bundle { run: line.id.clone(), sha256 })
            })
            .unwrap_or(Self::First)
    }

    /// As it stands in the file.
    pub fn text(&self) -> String {
        match self {
            Self::First => "first\n".to_owned(),
            Self::Bundle { run, sha256 } => format!("{run} {sha256}\n"),
        }
    }

    /// Reads the file.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.strip_suffix('\n')?;
        if text == "first" {
            return Some(Self::First);
        }
        let (run, sha256) = text.split_once(' ')?;
        (is_id(run) && is_digest(sha256))
            .then(|| Self::Bundle { run: run.to_owned(), sha256: sha256.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_one_line_and_nothing_else_is_read() {
        let run = "20261123T142207Z-7f3a".to_owned();
        for previous in [Previous::First, Previous::Bundle { run, sha256: "0a".repeat(32) }] {
            assert_eq!(Previous::parse(previous.text().as_bytes()), Some(previous.clone()));
        }
        for odd in ["", "first", "none\n", "20261123T142207Z-7f3a 0a\n", "x y\n"] {
            assert_eq!(Previous::parse(odd.as_bytes()), None, "{odd:?}");
        }
    }
}
