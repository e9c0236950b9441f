//! What of a run's directory goes into its bundle, and what is left out.

use super::{Sealing, local};
use crate::clean::Clean;
use crate::evidence::environment::LeftOut;
use crate::evidence::manifest::{MOST_BYTES, is_name, read_plain};
use crate::evidence::{environment, names};
use crate::journal::{JOURNAL, Noted, Run, SAMPLES};
use crate::runbook::Fault;
use std::path::Path;

/// The run's own files, as they go into the bundle.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Names and bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// What is not among them.
    pub left_out: Vec<LeftOut>,
}

/// What can be there, but for recordings and logs.
const FILES: [&str; 9] = [
    JOURNAL,
    SAMPLES,
    names::PLAN,
    names::DECLARATION,
    names::DECLARATION_SIG,
    names::DECLARATION_TOKEN,
    names::APPROVAL,
    names::APPROVAL_SIG,
    names::EXERCISE,
];

/// Whether a file is a recording.
pub fn is_cast(name: &str) -> bool {
    name.strip_suffix(".cast").is_some_and(|stem| {
        stem == "session"
            || stem
                .strip_prefix("session.")
                .is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Whether a bundle of ours can hold a file of this name.
pub fn is_of_a_bundle(name: &str) -> bool {
    FILES.contains(&name)
        || super::DERIVED.contains(&name)
        || name == names::PREVIOUS
        || is_cast(name)
        || name.starts_with("logs/")
}

/// Whether a bundle is whole without a file. What has a digest or a signature in the journal is not
/// among these: whoever verifies would find it missing.
fn can_be_left_out(name: &str) -> bool {
    name == names::PLAN || is_cast(name) || name.starts_with("logs/")
}

/// Reads the run's files.
pub fn gather(dir: &Path, run: &Run, how: &Sealing<'_>) -> Result<Gathered, Fault> {
    let mut wanted: Vec<String> = FILES.iter().map(|name| (*name).to_owned()).collect();
    wanted.extend(names_in(dir, "", is_cast));
    wanted.extend(names_in(dir, "logs/", |_| true));
    for out in &how.leave_out {
        if !wanted.contains(out) {
            let shown = Clean::new(out);
            return Err(local(
                format!("{shown} is no file of this run's evidence"),
                "name it as it stands in the run's directory, such as logs/deploy.log",
            ));
        }
        if !can_be_left_out(out) {
            return Err(local(
                format!("{out} cannot be left out: what is signed and proven stands on it"),
                "only recordings, logs and plan.toml can be: leave out something else",
            ));
        }
    }
    let mut gathered = Gathered::default();
    for name in wanted {
        if let Some(why) = why_left_out(&name, how) {
            if dir.join(&name).symlink_metadata().is_ok() {
                gathered.left_out.push(LeftOut { file: Clean::new(&name), why: why.into() });
            }
            continue;
        }
        match read_plain(&dir.join(&name), MOST_BYTES) {
            Ok(bytes) => gathered.files.push((name, bytes)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) if !can_be_left_out(&name) => {
                return Err(local(format!("{name} cannot be read: {e}"), "see who owns it"));
            }
            Err(e) => {
                let why = Clean::new(&format!("it cannot be read: {e}"));
                gathered.left_out.push(LeftOut { file: Clean::new(&name), why });
            }
        }
    }
    if let Some(why) = environment::declared(run).and_then(|put| put.not_put_down.as_ref()) {
        let why = Clean::new(&format!("it was not put down: {why}"));
        gathered.left_out.push(LeftOut { file: Clean::new(names::DECLARATION), why });
    }
    for (_, _, noted) in &run.noted {
        let Noted::RecordingStarted(started) = noted else { continue };
        let there = gathered.files.iter().any(|(name, _)| *name == started.file);
        let told = gathered.left_out.iter().any(|left| left.file.as_str() == started.file);
        if !there && !told {
            let why = "it was recorded, and is not there any more".into();
            gathered.left_out.push(LeftOut { file: Clean::new(&started.file), why });
        }
    }
    gathered.left_out.sort();
    Ok(gathered)
}

fn why_left_out(name: &str, how: &Sealing<'_>) -> Option<&'static str> {
    if how.leave_out.iter().any(|out| out == name) {
        Some("whoever sealed asked for it")
    } else if how.without_recording && is_cast(name) {
        Some("whoever sealed asked to seal without the recording")
    } else if !is_name(name) {
        Some("no file of a bundle may be called so")
    } else {
        None
    }
}

/// The files in a folder of the run, by the names that they would have in the bundle.
fn names_in(dir: &Path, folder: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir.join(folder)) else { return Vec::new() };
    let mut found: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().to_string_lossy().into_owned();
            wanted(&name).then(|| format!("{folder}{name}"))
        })
        .collect();
    found.sort();
    found
}
