//! Where in a recording the journal's lines are: the marks of an asciicast, and nothing else of it.
//!
//! What a recording shows is not looked at here, and a line that makes no sense is passed over:
//! whether a recording is whole and harmless is asked elsewhere. An account only needs to know at
//! which second to look.

use crate::journal::mark;
use std::collections::BTreeMap;
use std::path::Path;

/// Whether a recording may be called so: the journal names files, and nothing outside the
/// directory is ever opened for it.
pub fn is_name(file: &str) -> bool {
    let number = file.strip_prefix("session").and_then(|rest| rest.strip_suffix(".cast"));
    match number {
        Some("") => true,
        Some(number) => number.strip_prefix('.').is_some_and(|digits| {
            !digits.is_empty() && digits.len() < 6 && digits.bytes().all(|b| b.is_ascii_digit())
        }),
        None => false,
    }
}

/// What a recording is marked with.
#[derive(Debug, Default, PartialEq)]
pub struct Marks {
    /// The journal's lines, each with its second.
    pub marks: BTreeMap<u64, f64>,
    /// Its last second.
    pub end: f64,
}

/// What a recording is marked with; nothing where there is no such file.
pub fn marks(dir: &Path, file: &str) -> Option<Marks> {
    if !is_name(file) {
        return None;
    }
    let bytes = std::fs::read(dir.join(file)).ok()?;
    Some(marks_of(&bytes))
}

fn marks_of(bytes: &[u8]) -> Marks {
    let text = String::from_utf8_lossy(bytes);
    let mut marks = BTreeMap::new();
    let mut end = 0.0_f64;
    for line in text.lines().skip(1) {
        let time = line.strip_prefix('[').and_then(|rest| rest.split(',').next());
        if let Some(time) = time.and_then(|time| time.trim().parse::<f64>().ok())
            && time.is_finite()
        {
            end = end.max(time);
        }
        // Frames are long, marks are few.
        if !line.contains("\"m\"") {
            continue;
        }
        let Ok((time, code, label)) = serde_json::from_str::<(f64, String, String)>(line) else {
            continue;
        };
        if code == "m"
            && time.is_finite()
            && time >= 0.0
            && let Some(seq) = mark::seq_of(&label)
        {
            marks.entry(seq).or_insert(time);
        }
    }
    Marks { marks, end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_by_their_lines_and_nothing_else_is_believed() {
        let cast = b"{\"version\": 2, \"width\": 80, \"height\": 24}\n\
            [0.1, \"o\", \"[1, \\\"m\\\", \\\"#9 x\\\"]\"]\n\
            [0.5, \"m\", \"#17 step.entered 5 Switch\"]\n\
            [0.7, \"m\", \"closing slate\"]\n\
            [1.0, \"m\"]\n\
            [2.5, \"m\", \"#18 \"]";
        let found = Marks { marks: BTreeMap::from([(17, 0.5), (18, 2.5)]), end: 2.5 };
        assert_eq!(marks_of(cast), found);
        assert_eq!(marks_of(b"\xff\xfe\n\xff"), Marks::default());
    }

    #[test]
    fn no_name_leads_out_of_the_directory() {
        assert!(is_name("session.cast") && is_name("session.2.cast") && is_name("session.13.cast"));
        for name in ["", "session", "session..cast", "../session.cast", "session./x.cast", "a.cast"]
        {
            assert!(!is_name(name), "{name}");
        }
    }
}
