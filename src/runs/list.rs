//! Which runs there are.
//!
//! What a run is and how it ended is read from its own journal, its first and last line; the index
//! is not asked, so that a damaged index hides no run. Nothing is verified here: this is a list.

use super::dir::{RunDir, is_id, short};
use crate::clean::Clean;
use crate::journal::chain::whole_lines;
use crate::journal::line::{decode, utc};
use crate::journal::{Entry, JOURNAL};
use crate::runbook::{Kind, RunOutcome};
use serde::Serialize;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The last line of a journal is looked for in this many last bytes.
const TAIL: u64 = 64 * 1024;

/// A run in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// Its id.
    pub id: String,
    /// Its directory.
    pub path: PathBuf,
    /// Its kind; nothing if its journal cannot be read.
    pub kind: Option<Kind>,
    /// `open`, `cut off` where it cannot be picked up, how it ended, or `unreadable`.
    pub outcome: &'static str,
    /// The exit code, once it has ended.
    pub exit: Option<u8>,
    /// When it began, UTC.
    pub began: Option<String>,
    /// When it ended, UTC.
    pub ended: Option<String>,
    /// How long the way back took in microseconds, if it was taken and verified.
    pub rollback_us: Option<u64>,
    /// What the router is known by.
    pub router: Option<Clean>,
    /// The service.
    pub service: Option<Clean>,
    /// Whether it can be picked up.
    pub open: bool,
}

/// Why no run was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindFault {
    /// None of that name.
    #[error("no run {name} under {root}: see `switchback runs`", root = root.display())]
    None {
        /// What was looked for.
        name: Clean,
        /// Where.
        root: PathBuf,
    },
    /// None is open.
    #[error("no run under {root} is open: see `switchback runs`", root = root.display())]
    NoneOpen {
        /// Where.
        root: PathBuf,
    },
    /// Several.
    #[error("{name} could be {ids}: say more of it")]
    Several {
        /// What was looked for.
        name: Clean,
        /// Which.
        ids: String,
    },
    /// The root cannot be read.
    #[error("{root} cannot be read: {why}", root = root.display())]
    Unreadable {
        /// Where.
        root: PathBuf,
        /// Why.
        why: String,
    },
}

/// All runs, oldest first. A root that does not exist holds none.
pub fn list(root: &Path) -> io::Result<Vec<RunSummary>> {
    let entries = match std::fs::read_dir(root) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut runs = Vec::new();
    for entry in entries {
        if let Some(dir) = RunDir::at(&entry?.path()) {
            runs.push(summary(&dir));
        }
    }
    runs.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(runs)
}

/// The run with this id, a beginning of it, or its short id; without a name the newest that is
/// open.
pub fn find(root: &Path, name: Option<&str>) -> Result<RunSummary, FindFault> {
    let root_path = || root.to_owned();
    let runs =
        list(root).map_err(|e| FindFault::Unreadable { root: root_path(), why: e.to_string() })?;
    let Some(name) = name else {
        let newest = runs.into_iter().rev().find(|run| run.open);
        return newest.ok_or_else(|| FindFault::NoneOpen { root: root_path() });
    };
    let is = |run: &RunSummary| short(&run.id) == name || run.id == name;
    let mut found: Vec<RunSummary> = runs
        .into_iter()
        .filter(|run| is(run) || !name.is_empty() && run.id.starts_with(name))
        .collect();
    let name = Clean::new(name);
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(FindFault::None { name, root: root_path() }),
        _ => {
            let ids: Vec<&str> = found.iter().map(|run| run.id.as_str()).collect();
            Err(FindFault::Several { name, ids: ids.join(" or ") })
        }
    }
}

fn summary(dir: &RunDir) -> RunSummary {
    debug_assert!(is_id(dir.id()));
    let mut run = RunSummary {
        id: dir.id().to_owned(),
        path: dir.path().to_owned(),
        kind: None,
        outcome: "unreadable",
        exit: None,
        began: None,
        ended: None,
        rollback_us: None,
        router: None,
        service: None,
        open: false,
    };
    let Some((first, last)) = ends(&dir.path().join(JOURNAL)) else { return run };
    let Ok(Entry::Opened(opened)) = decode(&first, 1).map(|decoded| decoded.entry) else {
        return run;
    };
    run.kind = Some(opened.facts.kind);
    run.began = Some(utc(opened.facts.began_unix_ms));
    run.router = Some(opened.router.clone());
    run.service = Some(Clean::new(&opened.plan.service));
    (run.outcome, run.open) = ("open", true);
    if let Some(Entry::Closed(closed)) =
        last.and_then(|last| decode(&last, 0).ok()).map(|decoded| decoded.entry)
    {
        run.outcome = closed.outcome.word();
        run.open = closed.outcome == RunOutcome::Interrupted;
        run.exit = Some(closed.exit);
        run.ended = Some(utc(closed.ended_unix_ms));
        run.rollback_us = closed.rollback_us;
    }
    if run.open && !opened.facts.kind.outlives_process() {
        // There is nothing left to pick up.
        run.open = false;
        if run.outcome == "open" {
            run.outcome = "cut off";
        }
    }
    run
}

/// The first and the last whole line of a file, without reading what lies between.
fn ends(path: &Path) -> Option<(String, Option<String>)> {
    let mut file = BufReader::new(File::open(path).ok()?);
    let mut first = String::new();
    file.read_line(&mut first).ok()?;
    let mut file = file.into_inner();
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail).ok()?;
    let last = whole_lines(&tail).0.last().and_then(|last| String::from_utf8(last.to_vec()).ok());
    Some((first, last))
}
