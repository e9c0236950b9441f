//! What is wrong with a plan, said so that the next edit is obvious.
//!
//! A [`PlanFault`] names the line, the key, the cause and the next move. All faults of a file are
//! collected before anything is printed: nobody should have to run `check` five times to find
//! five typos. Lines under `[secrets]` and header values are never quoted, because people put the
//! value there by mistake. This module knows nothing about what a plan may say.

use crate::clean::Clean;
use serde::Serialize;
use std::fmt;
use std::ops::Range;
use unicode_width::UnicodeWidthChar;

/// How much a fault matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The plan does not hold.
    Error,
    /// The plan holds, and something about it will hurt.
    Warning,
}

impl Severity {
    /// The word that opens the printed line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One fault of a plan, or one warning about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanFault {
    /// Whether the plan holds in spite of it.
    pub severity: Severity,
    /// The plan's file, as the operator named it.
    pub file: Clean,
    /// Line, counted from 1; none where the file as a whole is meant.
    pub line: Option<u32>,
    /// Column in characters, counted from 1.
    pub column: Option<u32>,
    /// The key, such as `health.readiness` or `limit[0].above`; empty for the file as a whole.
    pub path: Clean,
    /// What is wrong.
    pub cause: Clean,
    /// The next move.
    pub hint: Option<Clean>,
    /// The line itself with what to underline, where quoting it helps and gives nothing away.
    #[serde(skip)]
    pub excerpt: Option<Excerpt>,
}

impl PlanFault {
    /// An error about the file as a whole.
    pub fn file(file: &str, cause: &str, hint: &str) -> Self {
        Self {
            severity: Severity::Error,
            file: Clean::new(file),
            line: None,
            column: None,
            path: Clean::default(),
            cause: brief(cause),
            hint: (!hint.is_empty()).then(|| brief(hint)),
            excerpt: None,
        }
    }
}

/// Text for one line of a terminal: a plan can hold a key of a megabyte.
fn brief(text: &str) -> Clean {
    const LONGEST: usize = 400;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Clean::new(&format!("{}...", &text[..end])),
        None => Clean::new(text),
    }
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity.word(), self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.cause)?;
        if let (Some(line), Some(excerpt)) = (self.line, &self.excerpt) {
            let number = line.to_string();
            let (pad, dent) = (" ".repeat(number.len()), " ".repeat(excerpt.indent));
            write!(f, "\n  {number} | {}\n  {pad} | {dent}", excerpt.text)?;
            f.write_str(&"^".repeat(excerpt.width))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

/// A line of the plan, and where in it the fault lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    text: Clean,
    /// Terminal cells before the underlined part.
    indent: usize,
    /// Terminal cells that are underlined, at least one.
    width: usize,
}

/// All errors of one plan, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Vec<PlanFault>);

impl Faults {
    /// Orders faults by line; those about the whole file come first.
    pub fn new(mut faults: Vec<PlanFault>) -> Self {
        faults.sort_by_key(|fault| (fault.line, fault.column));
        Self(faults)
    }

    /// The faults, in the order of the file's lines.
    pub fn iter(&self) -> std::slice::Iter<'_, PlanFault> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<PlanFault> for Faults {
    fn from(fault: PlanFault) -> Self {
        Self(vec![fault])
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a PlanFault;
    type IntoIter = std::slice::Iter<'a, PlanFault>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("\n\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// The text of a plan with its lines, to turn byte ranges into places that people can find.
#[derive(Debug, Clone)]
pub(super) struct Source<'t> {
    name: &'t str,
    text: &'t str,
}

impl<'t> Source<'t> {
    pub(super) const fn new(name: &'t str, text: &'t str) -> Self {
        Self { name, text }
    }

    /// Line and column of a byte, both from 1.
    pub(super) fn place(&self, byte: usize) -> (u32, u32) {
        let before = self.text.get(..byte).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }

    /// What stands behind the `=` of a byte's line.
    pub(super) fn value_of_line(&self, byte: usize) -> Option<&'t str> {
        let begin = self.text.get(..byte)?.rfind('\n').map_or(0, |n| n + 1);
        let line = self.text.get(begin..)?.lines().next()?;
        Some(line.split_once('=')?.1.trim_start())
    }

    /// The end of the text.
    pub(super) const fn end(&self) -> Range<usize> {
        self.text.len()..self.text.len()
    }

    /// An error at a place of the text; `path` decides whether the line may be quoted.
    pub(super) fn error(
        &self,
        at: &Range<usize>,
        path: &str,
        cause: &str,
        hint: &str,
    ) -> PlanFault {
        let (line, column) = self.place(at.start);
        let quote = !(is_private(path) || self.is_private_line(at.start));
        PlanFault {
            line: Some(line),
            column: Some(column),
            path: brief(path),
            excerpt: if quote { self.excerpt(at) } else { None },
            ..PlanFault::file(self.name, cause, hint)
        }
    }

    /// The same without a place, for what is not in the text at all.
    pub(super) fn absent(&self, path: &str, cause: &str, hint: &str) -> PlanFault {
        PlanFault { path: brief(path), ..PlanFault::file(self.name, cause, hint) }
    }

    fn excerpt(&self, at: &Range<usize>) -> Option<Excerpt> {
        /// Lines are quoted up to this many characters, with the fault inside.
        const LONGEST: usize = 96;
        let begin = self.text.get(..at.start)?.rfind('\n').map_or(0, |n| n + 1);
        let end = self.text.get(at.start..)?.find('\n').map_or(self.text.len(), |n| at.start + n);
        let line = self.text.get(begin..end)?.trim_end();
        if line.trim().is_empty() {
            return None;
        }
        let lead = self.text.get(begin..at.start)?.chars().count();
        let marked = self.text.get(at.start..at.end.clamp(at.start, end))?.trim_end();
        let skip = if lead > LONGEST - 24 { lead - 24 } else { 0 };
        // One character stays one character, so that the caret stays under its fault.
        let flat = |c: char| if c.is_control() { ' ' } else { c };
        let shown: String = line.chars().skip(skip).take(LONGEST).map(flat).collect();
        let cells = |text: &mut dyn Iterator<Item = char>| -> usize {
            text.map(|c| flat(c).width().unwrap_or(0)).sum()
        };
        let indent = cells(&mut line.chars().skip(skip).take(lead - skip));
        let room = LONGEST.saturating_sub(lead - skip).max(1);
        let width = cells(&mut marked.chars().take(room)).max(1);
        Some(Excerpt { text: Clean::new(&shown), indent, width })
    }

    /// Whether a line lies where secrets are declared or headers are set. It is asked of the text
    /// and not of the parsed table, because a line that does not parse can hold a secret too.
    fn is_private_line(&self, byte: usize) -> bool {
        let before = self.text.get(..byte).unwrap_or(self.text);
        let begin = before.rfind('\n').map_or(0, |n| n + 1);
        let line = self.text.get(begin..).unwrap_or_default().lines().next().unwrap_or_default();
        let section = before.lines().rev().map(str::trim_start).find(|line| line.starts_with('['));
        let named = |text: &str| {
            let text = text.to_ascii_lowercase();
            let words = ["secret", "header", "authorization", "token", "passw"];
            words.iter().any(|word| text.contains(word))
        };
        // A mistyped identity header gives nothing away; its table is left quotable.
        let identity = section.is_some_and(|s| s.starts_with("[identity"));
        let login = line.split_once("://").is_some_and(|(_, rest)| rest.contains('@'));
        login
            || (named(line) && !identity && line.contains('='))
            || section.is_some_and(|s| s.starts_with("[secrets") || s.contains(".headers"))
    }
}

fn is_private(path: &str) -> bool {
    path.starts_with("secrets") || path.contains(".headers")
}
