//! `PREVIOUS`: the bundle before this one, so that a run which was taken out of a series shows.
//!
//! Its first line is `first`, or the id of the run before and the SHA-256 of its `SHA256SUMS`; a
//! second line, `seals again DIGEST`, names the bundle of the same run that this one replaces. The
//! run before is the last one that had ended and was sealed when this one ended, by the order of the
//! runs' index, which is chained itself: sealing any of them again changes nothing in that. A series
//! is one of a runs' directory: another one begins with `first`.

use super::manifest::is_digest;
use crate::runs::{IndexLine, is_id};

/// What a bundle follows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Previous {
    /// The bundle of the run before.
    pub before: Before,
    /// SHA-256 of the manifest that this run's own earlier bundle has, if it is sealed again.
    pub again: Option<String>,
}

/// The bundle before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Before {
    /// There is none.
    #[default]
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
    /// What a run follows that began at `began_unix_ms` (milliseconds since 1970), by the index.
    pub fn of(run: &str, began_unix_ms: i64, index: &[IndexLine]) -> Self {
        let ended = index.iter().position(|line| line.id == run);
        let earlier = |line: &&IndexLine| {
            // A run without a line of its own was cut off: what had ended before it began.
            line.id != run && (ended.is_some() || line.ended_unix_ms <= began_unix_ms)
        };
        let lines: Vec<&IndexLine> =
            index[..ended.unwrap_or(index.len())].iter().filter(earlier).collect();
        let sealed = |id: &str| {
            let mut all = lines.iter().filter(|line| line.id == id);
            // What was sealed again while there was no line of this run yet, or after, cannot be
            // told apart: the first stays the first.
            match ended {
                Some(_) => all.rev().find_map(|line| line.bundle.clone()),
                None => all.find_map(|line| line.bundle.clone()),
            }
        };
        let mut runs: Vec<&str> = Vec::new();
        for line in &lines {
            if !runs.contains(&line.id.as_str()) {
                runs.push(&line.id);
            }
        }
        let last = runs.into_iter().rev().find_map(|id| Some((id, sealed(id)?)));
        let before = last
            .map_or(Before::First, |(id, sha256)| Before::Bundle { run: id.to_owned(), sha256 });
        let own = |line: &IndexLine| line.bundle.clone().filter(|_| line.id == run);
        Self { before, again: index.iter().rev().find_map(own) }
    }

    /// As it stands in the file.
    pub fn text(&self) -> String {
        let before = match &self.before {
            Before::First => "first\n".to_owned(),
            Before::Bundle { run, sha256 } => format!("{run} {sha256}\n"),
        };
        let again = self.again.as_ref().map(|sha256| format!("{AGAIN}{sha256}\n"));
        before + &again.unwrap_or_default()
    }

    /// Reads the file.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.strip_suffix('\n')?;
        let (before, again) = match text.split_once('\n') {
            None => (text, None),
            Some((before, line)) => {
                let sha256 = line.strip_prefix(AGAIN).filter(|sha256| is_digest(sha256))?;
                (before, Some(sha256.to_owned()))
            }
        };
        if before == "first" {
            return Some(Self { before: Before::First, again });
        }
        let (run, sha256) = before.split_once(' ')?;
        (is_id(run) && is_digest(sha256)).then(|| Self {
            before: Before::Bundle { run: run.to_owned(), sha256: sha256.to_owned() },
            again,
        })
    }
}

/// How the second line begins.
const AGAIN: &str = "seals again ";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::{Kind, RunOutcome};

    fn line(id: &str, began: i64, bundle: Option<&str>) -> IndexLine {
        IndexLine {
            kind: Kind::Deploy,
            outcome: RunOutcome::Kept,
            began_unix_ms: began,
            ended_unix_ms: began + 5,
            bundle: bundle.map(|two| two.repeat(32)),
            ..IndexLine::straight("router", "notes", None, 0)
        }
        .called(id)
    }

    impl IndexLine {
        fn called(self, id: &str) -> Self {
            Self { id: id.to_owned(), ..self }
        }
    }

    fn before(previous: &Previous) -> Option<(&str, &str)> {
        match &previous.before {
            Before::First => None,
            Before::Bundle { run, sha256 } => Some((run, &sha256[..2])),
        }
    }

    #[test]
    fn an_older_run_never_follows_a_later_one_however_often_it_is_sealed() {
        let mut index = vec![line("a", 0, None), line("a", 0, Some("a0")), line("b", 10, None)];
        assert_eq!(before(&Previous::of("b", 10, &index)), Some(("a", "a0")));
        index.extend([line("b", 10, Some("b0")), line("c", 20, None), line("c", 20, Some("c0"))]);
        let again = Previous::of("a", 0, &index);
        assert_eq!(before(&again), None);
        assert_eq!(again.again, Some("a0".repeat(32)), "the bundle that is replaced");
        index.extend([line("a", 0, Some("a1")), line("b", 10, Some("b1"))]);
        assert_eq!(before(&Previous::of("b", 10, &index)), Some(("a", "a0")), "as at first");
        assert_eq!(before(&Previous::of("c", 20, &index)), Some(("b", "b0")));
        // `a` was sealed again last; `d` follows `c` all the same, so that nobody drops out.
        index.push(line("d", 30, None));
        assert_eq!(before(&Previous::of("d", 30, &index)), Some(("c", "c0")));
    }

    #[test]
    fn a_run_that_was_cut_off_has_no_line_and_follows_who_had_ended_when_it_began() {
        let mut index = vec![line("a", 0, Some("a0")), line("c", 20, Some("c0"))];
        assert_eq!(before(&Previous::of("b", 10, &index)), Some(("a", "a0")));
        index.push(line("a", 0, Some("a1")));
        assert_eq!(before(&Previous::of("b", 10, &index)), Some(("a", "a0")));
    }

    #[test]
    fn the_file_is_a_line_or_two_and_nothing_else_is_read() {
        let run = "20261123T142207Z-7f3a".to_owned();
        for before in [Before::First, Before::Bundle { run, sha256: "0a".repeat(32) }] {
            for again in [None, Some("1b".repeat(32))] {
                let previous = Previous { before: before.clone(), again };
                assert_eq!(Previous::parse(previous.text().as_bytes()), Some(previous.clone()));
            }
        }
        for odd in [
            "",
            "first",
            "none\n",
            "20261123T142207Z-7f3a 0a\n",
            "x y\n",
            "first\nseals again 0a\n",
            "first\n\n",
        ] {
            assert_eq!(Previous::parse(odd.as_bytes()), None, "{odd:?}");
        }
    }
}
