//! One check, carried over from a drill into the operator's own plan file.
//!
//! It becomes a `[[check]]` at the end of the file: the cockpit shows it at step 1 of each deploy
//! from then on, as one that the operator judges. Nothing else of the file is touched; the new file
//! is written beside it and put in its place, and what it means is compared first. A plan that was
//! approved is another one then: whoever approves sees the check.

use crate::clean::Clean;
use crate::plan::{self, OwnCheck};
use crate::runbook::{Fault, FaultKind};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// The longest text of a check, in characters, as the plan allows it.
const LONGEST: usize = 200;

/// A plan's text with the check in it; nothing where `known` has it already, or it says nothing.
/// `from` is the drill and the day that it comes from.
pub fn with(text: &str, known: &[OwnCheck], check: &str, from: &str) -> Option<String> {
    let one_line = |text: &str| {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = Clean::new(&line).as_str().trim().to_owned();
        match line.char_indices().nth(LONGEST) {
            Some((end, _)) => line[..end].trim_end().to_owned(),
            None => line,
        }
    };
    let (check, from) = (one_line(check), one_line(from));
    if check.is_empty() || known.iter().any(|own| own.text == check) {
        return None;
    }
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut out = text.to_owned();
    if !out.is_empty() && !out.ends_with('\n') {
        out.push_str(ending);
    }
    let mut lines = vec![String::new(), "[[check]]".to_owned()];
    lines.push(format!("text = {}", plan::quoted(&check)));
    if !from.is_empty() {
        lines.push(format!("from = {}", plan::quoted(&from)));
    }
    for line in lines {
        out.push_str(&line);
        out.push_str(ending);
    }
    Some(out)
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
    let means = |text: &str| plan::parse(text, "the plan").map(|loaded| plain(loaded.plan)).ok();
    let was = means(&text).ok_or_else(|| {
        let cause = format!("{} is no plan as it stands", path.display());
        Fault::new(FaultKind::Local, cause, "switchback check names what is wrong with it")
    })?;
    let Some(changed) = with(&text, &was.checks, check, from) else { return Ok(false) };
    let mut is = means(&changed);
    // One check more, at the end, and nothing else.
    let added = is.as_mut().and_then(|plan| plan.checks.pop());
    if added.is_none() || is.as_ref() != Some(&was) {
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

    const PLAN: &str = "# Notes.\nservice = \"notes\"\n";

    fn checks(text: &str) -> Vec<(String, Option<String>)> {
        let table: toml::Table = text.parse().unwrap();
        let list = table.get("check").and_then(|list| list.as_array()).cloned();
        let said = |check: &toml::Value, key| {
            check.get(key).and_then(|value| value.as_str()).map(str::to_owned)
        };
        let own = |check: &toml::Value| (said(check, "text").unwrap(), said(check, "from"));
        list.unwrap_or_default().iter().map(own).collect()
    }

    #[test]
    fn the_check_stands_at_the_end_of_the_file_and_only_once() {
        let once =
            with(PLAN, &[], "Do the sum of two pools.", "twice-the-pool, 2026-11-23").unwrap();
        assert!(once.starts_with(PLAN));
        let from = Some("twice-the-pool, 2026-11-23".to_owned());
        assert_eq!(checks(&once), [("Do the sum of two pools.".to_owned(), from)]);
        let known = [OwnCheck { text: "Do the sum of two pools.".to_owned(), from: None }];
        assert_eq!(with(&once, &known, "Do the sum of  two pools.", "another day"), None);
        let twice = with(&once, &known, "Do the sum.", "").unwrap();
        assert_eq!(checks(&twice).len(), 2, "the beginning of it is another one");
        assert_eq!(with(PLAN, &[], " \n ", "x"), None);
    }

    #[test]
    fn a_check_can_be_nothing_but_a_check() {
        let trap = "a\"\nservice = \"evil\"\r\n[router]\u{1b}[2J \\";
        let text = with(PLAN, &[], trap, "b\nc = 1").unwrap();
        assert_eq!(checks(&text).len(), 1, "{text}");
        assert!(!text.contains('\u{1b}') && text.lines().count() == 6, "{text}");
        for text in ["", "a = 1", "#a", "a = 1\r\n"] {
            let with = with(text, &[], "x", "").unwrap();
            assert_eq!(checks(&with), [("x".to_owned(), None)], "{with:?}");
        }
        let long = "ä".repeat(500);
        assert_eq!(checks(&with(PLAN, &[], &long, "").unwrap())[0].0.chars().count(), LONGEST);
    }
}
