//! The index: one line for each run that has ended, chained like a journal.
//!
//! It holds the digest of each journal's last line, so that a journal whose end was cut off, or a
//! run that was removed, shows. The age of the way back comes from here.

use crate::clean::Clean;
use crate::journal::{Closed, Ended, JournalFault, Opened};
use crate::journal::{chain, list};
use crate::runbook::surroundings::{End, LastEnd};
use crate::runbook::{Fault, FaultKind, Kind, RunOutcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The index's file in the runs' root.
pub const INDEX: &str = "index.jsonl";

/// One run that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexLine {
    /// The run's id.
    pub id: String,
    /// Its kind.
    pub kind: Kind,
    /// The service.
    pub service: Clean,
    /// How it ended.
    pub outcome: RunOutcome,
    /// The exit code.
    pub exit: u8,
    /// Digest of its journal's last line.
    pub head: String,
    /// What the router is known by.
    pub router: Clean,
    /// How long the way back took in microseconds, if it was taken and verified.
    pub rollback_us: Option<u64>,
    /// How long it took from its start until users were back in band, in microseconds, if that was
    /// seen.
    #[serde(default)]
    pub restored_us: Option<u64>,
    /// Whether Green ever had weight; nothing in a line that an older version wrote.
    #[serde(default)]
    pub moved: Option<bool>,
    /// When it began, in milliseconds since 1970.
    pub began_unix_ms: i64,
    /// When it ended, in milliseconds since 1970.
    pub ended_unix_ms: i64,
    /// SHA-256 of the `SHA256SUMS` of the bundle that it left, if it was sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
    /// How it left its surroundings; nothing in lines of older programs, and where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// No run, but a way back that was taken straight to the router: it counts as none, and only
    /// its end is of use. Older programs take it for a rehearsal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub straight: bool,
}

impl IndexLine {
    /// The line for a way back without a run, which ended now (in milliseconds since 1970) and
    /// left things so; nothing where it failed, and nobody knows.
    pub fn straight(router: &str, service: &str, end: Option<End>, now: i64) -> Self {
        let (outcome, exit) = match end {
            Some(_) => (RunOutcome::RolledBack, 0),
            None => (RunOutcome::Failed, 4),
        };
        Self {
            id: format!("rollback-{now}"),
            kind: Kind::Rehearsal,
            service: Clean::new(service),
            outcome,
            exit,
            head: chain::GENESIS.to_owned(),
            router: Clean::new(router),
            rollback_us: None,
            restored_us: None,
            moved: None,
            began_unix_ms: now,
            ended_unix_ms: now,
            bundle: None,
            end,
            straight: true,
        }
    }

    /// The line for a run, from what its journal says.
    pub fn new(opened: &Opened, closed: &Closed, ended: &Ended) -> Self {
        Self {
            id: opened.facts.run.clone(),
            kind: opened.facts.kind,
            service: Clean::new(&opened.plan.service),
            outcome: closed.outcome,
            exit: closed.exit,
            head: ended.head.clone(),
            router: opened.router.clone(),
            rollback_us: ended.rollback_us,
            restored_us: ended.restored_us,
            moved: Some(ended.moved),
            began_unix_ms: opened.facts.began_unix_ms,
            ended_unix_ms: closed.ended_unix_ms,
            bundle: None,
            end: None,
            straight: false,
        }
    }

    /// The same line, which says how the run left its surroundings.
    #[must_use]
    pub fn leaving(self, end: Option<End>) -> Self {
        Self { end, ..self }
    }
}

/// Adds the last line of a run once more, now with the digest of its bundle. One that has none, as
/// it was interrupted or cut off, gets none.
pub fn sealed(root: &Path, run: &str, bundle: &str) -> Result<(), Fault> {
    match read(root).0.into_iter().rfind(|line| line.id == run) {
        Some(line) if line.bundle.as_deref() != Some(bundle) => {
            append(root, &IndexLine { bundle: Some(bundle.to_owned()), ..line })
        }
        _ => Ok(()),
    }
}

/// The last line of each run, in the order of these lines: one that was sealed again, or picked up
/// after it had ended, has several.
pub fn last_of_each(lines: Vec<IndexLine>) -> Vec<IndexLine> {
    let last: BTreeMap<String, usize> =
        lines.iter().enumerate().map(|(at, line)| (line.id.clone(), at)).collect();
    let kept = lines.into_iter().enumerate().filter(|(at, line)| last.get(&line.id) == Some(at));
    kept.map(|(_, line)| line).collect()
}

/// Adds a line. Two cockpits that end at once wait for each other. A half-written last line, of a
/// process that was killed here, is taken away first.
pub fn append(root: &Path, line: &IndexLine) -> Result<(), Fault> {
    list::append(&root.join(INDEX), line).map(|_| ()).map_err(|e| {
        Fault::new(
            FaultKind::Local,
            format!("the runs' index in {} cannot be written: {e}", root.display()),
            "the run itself is whole; make the index writable",
        )
    })
}

/// Reads the index as far as its chain holds, and says where it breaks if it does.
pub fn read(root: &Path) -> (Vec<IndexLine>, Option<JournalFault>) {
    list::read(&root.join(INDEX))
}

/// The last way back that was really taken on this router: how long it took in microseconds, and
/// when, in milliseconds since 1970. A drill's router is not this one; lines after a break in the
/// index are not believed.
pub fn last_rollback(root: &Path, router: &str) -> Option<(u64, i64)> {
    let router = Clean::new(router);
    last_of_each(read(root).0)
        .into_iter()
        .filter(|line| line.kind.outlives_process() && line.router == router)
        // Abandoning Green moves nobody: it says nothing about the way back.
        .filter(|line| line.outcome == RunOutcome::RolledBack)
        .filter_map(|line| Some((line.rollback_us?, line.ended_unix_ms)))
        .max_by_key(|(_, ended)| *ended)
}

/// How the last run on this router left it. A drill's router dies with it. Where the last run's
/// end is not known, what an earlier one knew is no help.
pub fn last_end(root: &Path, router: &str) -> Option<LastEnd> {
    let router = Clean::new(router);
    let ours = |line: &IndexLine| line.kind.outlives_process() && line.router == router;
    // One that was sealed again later has not ended later.
    let last = read(root).0.into_iter().filter(ours).max_by_key(|line| line.ended_unix_ms)?;
    Some(LastEnd {
        run: last.id,
        ended_unix_ms: last.ended_unix_ms,
        end: last.end?,
        straight: last.straight,
    })
}

/// How a way back straight to this router left it, if one was taken after this time, in
/// milliseconds since 1970.
pub fn straight_since(root: &Path, router: &str, since_unix_ms: i64) -> Option<End> {
    let router = Clean::new(router);
    let lines = read(root).0.into_iter().rev();
    let mut ours = lines.filter(|line| line.straight && line.router == router);
    ours.find(|line| line.ended_unix_ms >= since_unix_ms)?.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn line(id: &str, kind: Kind, router: &str, rollback_us: Option<u64>, ended: i64) -> IndexLine {
        IndexLine {
            id: id.to_owned(),
            kind,
            service: "notes".into(),
            outcome: RunOutcome::RolledBack,
            exit: 3,
            head: chain::GENESIS.to_owned(),
            router: router.into(),
            rollback_us,
            restored_us: None,
            moved: None,
            began_unix_ms: 0,
            ended_unix_ms: ended,
            bundle: None,
            end: None,
            straight: false,
        }
    }

    #[test]
    fn the_age_of_the_way_back_is_that_of_this_router_and_no_drill() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(last_rollback(root.path(), "ours"), None);
        for line in [
            line("1", Kind::Deploy, "ours", Some(480), 10),
            line("2", Kind::Rehearsal, "ours", Some(510), 20),
            line("3", Kind::Deploy, "ours", None, 30),
            line("4", Kind::Deploy, "theirs", Some(90), 40),
            line("5", Kind::Drill, "ours", Some(70), 50),
        ] {
            append(root.path(), &line).unwrap();
        }
        assert_eq!(last_rollback(root.path(), "ours"), Some((510, 20)));
        let (lines, fault) = read(root.path());
        assert_eq!(lines.len(), 5);
        assert!(fault.is_none());
    }

    #[test]
    fn the_last_end_is_that_of_this_router_and_an_unknown_one_is_not_guessed() {
        let root = tempfile::tempdir().unwrap();
        let end = |serves: &str| End {
            slots: ["left".into(), "right".into()],
            serves: Some(serves.into()),
            first: None,
            releases: [None, None],
        };
        assert_eq!(last_end(root.path(), "ours"), None);
        for (id, kind, router, serves) in [
            ("1", Kind::Deploy, "ours", "left"),
            ("2", Kind::Rehearsal, "ours", "right"),
            ("3", Kind::Deploy, "theirs", "left"),
            ("4", Kind::Drill, "ours", "left"),
        ] {
            let line = line(id, kind, router, None, 7).leaving(Some(end(serves)));
            append(root.path(), &line).unwrap();
        }
        let last = last_end(root.path(), "ours").unwrap();
        assert_eq!((last.run.as_str(), last.ended_unix_ms, last.end), ("2", 7, end("right")));
        append(root.path(), &line("5", Kind::Deploy, "ours", None, 8)).unwrap();
        assert_eq!(last_end(root.path(), "ours"), None, "an older line is no help");
    }

    #[test]
    fn a_way_back_without_a_run_is_the_last_end_and_no_rehearsal() {
        let root = tempfile::tempdir().unwrap();
        let end = |serves: &str| End {
            slots: ["left".into(), "right".into()],
            serves: Some(serves.into()),
            first: None,
            releases: [None, None],
        };
        let of_run = line("1", Kind::Deploy, "ours", Some(5), 7).leaving(Some(end("right")));
        append(root.path(), &of_run).unwrap();
        let straight = IndexLine::straight("ours", "notes", Some(end("left")), 9);
        append(root.path(), &straight).unwrap();
        let last = last_end(root.path(), "ours").unwrap();
        assert_eq!((last.straight, last.ended_unix_ms, last.end), (true, 9, end("left")));
        assert_eq!(straight_since(root.path(), "ours", 9), Some(end("left")));
        assert_eq!(straight_since(root.path(), "ours", 10), None);
        assert_eq!(straight_since(root.path(), "theirs", 0), None);
        assert_eq!(last_rollback(root.path(), "ours"), Some((5, 7)), "it was not measured");
        append(root.path(), &IndexLine::straight("ours", "notes", None, 11)).unwrap();
        assert_eq!(last_end(root.path(), "ours"), None, "one that failed left nobody knows what");
        assert_eq!(straight_since(root.path(), "ours", 0), None);
    }

    #[test]
    fn a_run_that_is_taken_out_of_the_index_shows() {
        let root = tempfile::tempdir().unwrap();
        for id in ["1", "2", "3"] {
            append(root.path(), &line(id, Kind::Deploy, "r", Some(1), 1)).unwrap();
        }
        let path = root.path().join(INDEX);
        let text = fs::read_to_string(&path).unwrap();
        let without: Vec<&str> = text.lines().filter(|l| !l.contains(r#""id":"2""#)).collect();
        fs::write(&path, without.join("\n") + "\n").unwrap();
        let (lines, fault) = read(root.path());
        assert_eq!(lines.len(), 1);
        assert!(matches!(fault, Some(JournalFault::Broken { line: 2 })));
    }

    #[test]
    fn a_line_of_an_older_program_is_read_and_the_last_of_a_run_counts() {
        let root = tempfile::tempdir().unwrap();
        let first = line("1", Kind::Deploy, "r", Some(1), 1);
        append(root.path(), &first).unwrap();
        append(root.path(), &line("2", Kind::Deploy, "r", Some(2), 2)).unwrap();
        super::sealed(root.path(), "1", &"ab".repeat(32)).unwrap();
        super::sealed(root.path(), "no such run", &"ab".repeat(32)).unwrap();
        let sealed = IndexLine { bundle: Some("ab".repeat(32)), ..first };
        let text = fs::read_to_string(root.path().join(INDEX)).unwrap();
        assert!(!text.lines().next().unwrap().contains("bundle"), "as older programs wrote it");
        let last: Vec<_> = last_of_each(read(root.path()).0);
        assert_eq!(last.iter().map(|l| l.id.as_str()).collect::<Vec<_>>(), ["2", "1"]);
        assert_eq!(last[1], sealed);
    }

    #[test]
    fn a_half_written_line_is_taken_away_by_the_next() {
        let root = tempfile::tempdir().unwrap();
        append(root.path(), &line("1", Kind::Deploy, "r", None, 1)).unwrap();
        let path = root.path().join(INDEX);
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_slice(b"{\"id\":\"2");
        fs::write(&path, bytes).unwrap();
        append(root.path(), &line("3", Kind::Deploy, "r", None, 3)).unwrap();
        let ids: Vec<String> = read(root.path()).0.into_iter().map(|l| l.id).collect();
        assert_eq!(ids, ["1", "3"]);
    }
}
