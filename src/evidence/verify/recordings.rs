//! Recordings: are they what the journal says was closed, do they hold only what we draw with, and
//! do their marks say what the journal's lines say?

use super::{Verified, contents};
use crate::evidence::manifest::{MOST_BYTES, files_of, read_plain};
use crate::evidence::seal::is_cast;
use crate::evidence::{allow, cast};
use crate::journal::chain::{digest, whole_lines};
use crate::journal::line::decode;
use crate::journal::{JOURNAL, Noted, RecordingClosed, Run, mark};
use std::collections::BTreeMap;
use std::path::Path;

const CHECK: &str = "recording";

/// Looks at every recording that is there or should be.
pub fn recordings(bundle: &Path, run: &Run, told: &mut Verified) {
    let (mut started, mut closed) = (Vec::new(), BTreeMap::<&str, &RecordingClosed>::new());
    for (_, _, noted) in &run.noted {
        match noted {
            Noted::RecordingStarted(start) => started.push(start.file.as_str()),
            Noted::RecordingClosed(end) => {
                closed.insert(&end.file, end);
            }
            Noted::RecordingLost(lost) => {
                let says = format!("{} ends at {:.1} s: {}", lost.file, lost.after_s, lost.why);
                told.passed_over(CHECK, says);
            }
            Noted::Declared(_) | Noted::Redacted(_) => {}
        }
    }
    let there: Vec<String> =
        files_of(bundle).unwrap_or_default().into_iter().filter(|name| is_cast(name)).collect();
    for file in started.iter().filter(|file| !there.iter().any(|name| name == **file)) {
        if contents::left_out(bundle, file) {
            told.passed_over(CHECK, format!("{file} was left out, as the bundle says"));
        } else {
            told.bad(CHECK, format!("{file} was recorded, and is not there"));
        }
    }
    if started.is_empty() && there.is_empty() {
        told.passed_over(CHECK, "nothing was recorded");
    }
    let labels = labels(bundle);
    for file in &there {
        let found = if started.contains(&file.as_str()) {
            one(bundle, file, closed.get(file.as_str()).copied(), &labels)
        } else {
            Err(format!("the journal knows of no {file}"))
        };
        told.found(CHECK, found);
    }
}

fn one(
    bundle: &Path,
    file: &str,
    closed: Option<&RecordingClosed>,
    labels: &BTreeMap<u64, String>,
) -> Result<String, String> {
    let bytes = read_plain(&bundle.join(file), MOST_BYTES).map_err(|e| format!("{file}: {e}"))?;
    if let Some(closed) = closed
        && (closed.bytes != bytes.len() as u64 || closed.sha256 != digest(&bytes))
    {
        return Err(format!("{file} is not the one that the journal says was closed"));
    }
    let cast = cast::read(&bytes).map_err(|why| format!("{file}: {why}"))?;
    allow::of(&cast).map_err(|why| format!("{file}: {why}"))?;
    let mut marks = 0;
    for (at, label) in cast.markers() {
        let line = mark::seq_of(label).and_then(|seq| labels.get(&seq));
        if line.map(String::as_str) != Some(label) {
            return Err(format!("{file} at {at:.1} s: its mark is not what the journal says"));
        }
        marks += 1;
    }
    let end = if closed.is_some() { "" } else { ", never closed" };
    Ok(format!("{file}: {:.1} s, {marks} marks of the journal's lines{end}", cast.seconds()))
}

/// What each line of the journal that has a mark is marked with.
fn labels(bundle: &Path) -> BTreeMap<u64, String> {
    let bytes = read_plain(&bundle.join(JOURNAL), MOST_BYTES).unwrap_or_default();
    let lines = (1..).zip(whole_lines(&bytes).0);
    lines
        .filter_map(|(number, line)| {
            let decoded = decode(std::str::from_utf8(line).ok()?, number).ok()?;
            let mark = mark::of(number, decoded.stamped.at, &decoded.entry)?;
            Some((number, mark.label))
        })
        .collect()
}
