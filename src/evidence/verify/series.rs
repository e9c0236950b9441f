//! The bundle before this one: is it the one that this one names?
//!
//! It is looked for where it can be: beside this one, in the runs' directory that this one lies in,
//! and in the one that was asked about. Where it is not, nothing was checked, and that is said. One
//! of the same run with another digest was sealed again, if the index or its own `PREVIOUS` says so;
//! else somebody has changed it. Whether that bundle is good itself is for its own check.

use super::{Asked, Verified};
use crate::evidence::manifest::read_plain;
use crate::evidence::names;
use crate::evidence::previous::{Before, Previous};
use crate::journal::Run;
use crate::journal::chain::digest;
use crate::runs::index::{self, INDEX};
use std::path::{Path, PathBuf};

const CHECK: &str = "series";
/// A manifest or a `PREVIOUS` of more bytes than this is none.
const LARGEST: u64 = 1024 * 1024;
/// No more neighbours than this are looked at.
const MOST: usize = 4_096;

/// A bundle of the run before.
struct Found {
    sha256: String,
    path: PathBuf,
    /// Whether it lies where its runs' directory has it, and not as a copy.
    at_home: bool,
}

/// Looks for the bundle that this one names.
pub fn series(bundle: &Path, run: &Run, asked: &Asked<'_>, told: &mut Verified) {
    let previous = read_plain(&bundle.join(names::PREVIOUS), LARGEST).ok();
    let Some(previous) = previous.and_then(|bytes| Previous::parse(&bytes)) else {
        return told.bad(CHECK, "PREVIOUS names no bundle");
    };
    let roots = roots(bundle, asked);
    let (before, sha256) = match &previous.before {
        Before::First => return first(run, &roots, told),
        Before::Bundle { run, sha256 } => (run.as_str(), sha256.as_str()),
    };
    let found: Vec<Found> = roots.iter().flat_map(|root| of_run(root, before)).collect();
    if found.iter().any(|found| found.sha256 == sha256) {
        return told
            .ok(CHECK, format!("after {before}, whose bundle is here and is the one named"));
    }
    let Some(other) = found.iter().rev().find(|found| found.at_home).or(found.first()) else {
        let says = format!(
            "it says that it comes after {before}, whose SHA256SUMS is {sha256}: that bundle is \
             not here"
        );
        return told.passed_over(CHECK, says);
    };
    let indices: Vec<_> = roots
        .iter()
        .filter(|root| root.join(INDEX).is_file())
        .map(|root| index::read(root).0)
        .collect();
    let explained = found.iter().any(|found| {
        replaces(&found.path, sha256)
            || indices.iter().any(|lines| {
                let at = |sha256: &str| {
                    lines.iter().position(|line| {
                        line.id == before && line.bundle.as_deref() == Some(sha256)
                    })
                };
                matches!((at(sha256), at(&found.sha256)), (Some(then), Some(now)) if then < now)
            })
    });
    let not = format!(
        "{before}, which it comes after, is not as it was: its SHA256SUMS is {}, not {sha256}",
        other.sha256
    );
    if explained {
        told.passed_over(CHECK, format!("{not}: it was sealed again since"));
    } else if indices.is_empty() && !other.at_home {
        told.passed_over(CHECK, format!("{not}; no index is here that would say why"));
    } else {
        told.bad(CHECK, format!("{not}, and no index says that it was sealed again"));
    }
}

/// One that says that there is none before it: does an index that knows it say the same?
fn first(run: &Run, roots: &[PathBuf], told: &mut Verified) {
    let facts = &run.opened.facts;
    let known = roots.iter().find_map(|root| {
        let lines = index::read(root).0;
        let knows = lines.iter().any(|line| line.id == facts.run);
        knows.then(|| Previous::of(&facts.run, facts.began_unix_ms, &lines).before)
    });
    match known {
        None => {
            told.passed_over(CHECK, "it says that it is the first: no index is here that knows it")
        }
        Some(Before::First) => told.ok(CHECK, "the first of its series, as the runs' index says"),
        Some(Before::Bundle { run, .. }) => told.passed_over(
            CHECK,
            format!("it says that it is the first, and the runs' index knows {run} before it"),
        ),
    }
}

/// Where bundles of the same series may lie.
fn roots(bundle: &Path, asked: &Asked<'_>) -> Vec<PathBuf> {
    let bundle = bundle.canonicalize().unwrap_or_else(|_| bundle.to_owned());
    let beside = bundle.ancestors().skip(1).take(2).map(Path::to_owned);
    let mut roots: Vec<PathBuf> = beside.collect();
    if let Some(runs) =
        asked.runs.map(|runs| runs.canonicalize().unwrap_or_else(|_| runs.to_owned()))
        && !roots.contains(&runs)
    {
        roots.push(runs);
    }
    roots
}

/// The bundles of a run under a root.
fn of_run(root: &Path, run: &str) -> Vec<Found> {
    let own = root.join(run);
    let again = (1..MOST).map(|n| own.join(format!("{}.{n}", names::BUNDLE)));
    let at_home = |path: PathBuf| Some(Found { sha256: sum(&path, None)?, path, at_home: true });
    let mut found: Vec<Found> = again.map_while(at_home).collect();
    found.extend(at_home(own.join(names::BUNDLE)));
    let copies = std::fs::read_dir(root).into_iter().flatten().take(MOST);
    found.extend(copies.filter_map(|entry| {
        let path = entry.ok()?.path();
        Some(Found { sha256: sum(&path, Some(run))?, path, at_home: false })
    }));
    found
}

/// The digest of a bundle's manifest, which is of this run if one is named.
fn sum(bundle: &Path, run: Option<&str>) -> Option<String> {
    let bytes = read_plain(&bundle.join(names::MANIFEST), LARGEST).ok()?;
    let title = bytes.split(|b| *b == b'\n').next()?;
    let of_it = run.is_none_or(|run| title.ends_with(format!(", run {run}").as_bytes()));
    of_it.then(|| digest(&bytes))
}

/// Whether a bundle says that it was sealed in place of this one.
fn replaces(bundle: &Path, sha256: &str) -> bool {
    let previous = read_plain(&bundle.join(names::PREVIOUS), LARGEST).ok();
    previous
        .and_then(|bytes| Previous::parse(&bytes))
        .is_some_and(|previous| previous.again.as_deref() == Some(sha256))
}
