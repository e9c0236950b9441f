//! One check, carried over from a drill into the operator's own plan file.
//!
//! It is written as a comment above the first table: the plan means what it meant, and whoever
//! opens it at step 1 reads it. Nothing else of the file is touched; the new file is written
//! beside it and put in its place, and what it means is compared first.

use crate::clean::Clean;
use crate::plan;
use crate::runbook::{Fault, FaultKind};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// How a check begins in a plan file.
pub const LEAD: &str = "# Check before step 1 passes: ";
/// The longest check, in bytes.
const LONGEST: usize = 300;

/// A plan's text with the check in it; nothing where it stands there already, or says nothing.
/// `from` is the drill and the day that it comes from.
pub fn with(text: &str, check: &str, from: &str) -> Option<String> {
    let one_line = |text: &str| {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Clean::new(&line).as_str().to_owned()
    };
    let (mut check, from) = (one_line(check), one_line(from));
    if check.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| check.is_char_boundary(*end)).unwrap_or(0);
        check.truncate(end);
    }
    let wanted = format!("{LEAD}{check}");
    let is_there = |line: &str| {
        line.trim_end()
            .strip_prefix(&wanted)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(" (from "))
    };
    if check.is_empty() || text.lines().any(is_there) {
        return None;
    }
    let line = if from.is_empty() { wanted } else { format!("{wanted} (from {from})") };
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    // After the comment at the top of the file and before what it declares, where a comment is a
    // comment whatever follows.
    let head: usize = text
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('#') && line.ends_with('\n'))
        .map(str::len)
        .sum();
    let (before, after) = text.split_at(head);
    Some(format!("{before}{line}{ending}{after}"))
}

/// Appends the check to the plan file at `path`; says whether it was not there before.
///
/// # Errors
/// The file cannot be read or written, or the plan would not mean the same afterwards.
pub fn append(path: &Path, check: &str, from: &str) -> Result<bool, Fault> {
    let told = |what: &str, error: std::io::Error| {
        let cause = format!("{} could not be {what}: {error}", path.display());
        Fault::new(FaultKind::Local, cause, "write the check into it by hand")
    };
    // What a link points at is the file that is meant.
    let real = std::fs::canonicalize(path).map_err(|error| told("found", error))?;
    let text = std::fs::read_to_string(&real).map_err(|error| told("read", error))?;
    let Some(changed) = with(&text, check, from) else { return Ok(false) };
    let means = |text: &str| plan::parse(text, "the plan").map(|loaded| plain(loaded.plan)).ok();
    if means(&text) != means(&changed) {
        let cause = format!("{} would not mean the same with the check in it", path.display());
        return Err(Fault::new(FaultKind::Local, cause, "write the check into it by hand"));
    }
    let name = real.file_name().map(|name| name.to_string_lossy().into_owned());
    let beside = real.with_file_name(format!(".{}.new", name.unwrap_or_default()));
    let written = (|| {
        let was = std::fs::metadata(&real)?;
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).open(&beside)?;
        file.set_permissions(std::fs::Permissions::from_mode(was.mode() & 0o777))?;
        file.write_all(changed.as_bytes())?;
        file.sync_all()?;
        // Somebody may have saved it in the meantime: theirs is not overwritten.
        if std::fs::read_to_string(&real)? != text {
            return Err(std::io::Error::other("it was changed meanwhile"));
        }
        std::fs::rename(&beside, &real)
    })();
    written.map(|()| true).map_err(|error| {
        // What is half written is of no use; where it was never made, there is nothing to remove.
        if error.kind() != std::io::ErrorKind::AlreadyExists {
            let _ = std::fs::remove_file(&beside);
        }
        told("written", error)
    })
}

/// A plan without the digest of its text, which may change.
fn plain(plan: plan::Plan) -> plan::Plan {
    plan::Plan { digest: String::new(), ..plan }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "# Notes.\n# Ours.\nschema = 1\nservice = \"notes\"\n";

    #[test]
    fn the_check_stands_under_the_head_of_the_file_and_only_once() {
        let once = with(PLAN, "Do the sum of two pools.", "twice-the-pool, 2026-11-23").unwrap();
        assert_eq!(
            once,
            "# Notes.\n# Ours.\n# Check before step 1 passes: Do the sum of two pools. (from \
             twice-the-pool, 2026-11-23)\nschema = 1\nservice = \"notes\"\n"
        );
        assert_eq!(with(&once, "Do the sum of two pools.", "another day"), None);
        assert!(with(&once, "Do the sum.", "").is_some(), "the beginning of it is another one");
        assert_eq!(with(PLAN, " \n ", "x"), None);
    }

    #[test]
    fn a_check_can_be_nothing_but_a_comment() {
        let trap = "a\nservice = \"evil\"\r\n[router]\u{1b}[2J";
        let text = with(PLAN, trap, "b\nc = 1").unwrap();
        let added: Vec<&str> = text.lines().filter(|line| !PLAN.contains(line)).collect();
        assert_eq!(added.len(), 1, "{text}");
        assert!(added[0].starts_with(LEAD) && !added[0].contains('\u{1b}'), "{text}");
        assert!(with("", "x", "").unwrap().ends_with("x\n"));
        assert!(with("schema = 1", "x", "").unwrap().ends_with("x\nschema = 1"));
        assert!(with("#a", "x", "").unwrap().ends_with("x\n#a"), "a last line without its end");
    }
}
