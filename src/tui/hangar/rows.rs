//! Rows of words with meanings: what every page outside of the cockpit is made of.
//!
//! A row knows what its words mean and no colour; the theme says what that looks like. Words that
//! are too long for a page are broken here, before anything is drawn.

use crate::tui::theme::Theme;
use crate::tui::widget::ink::{Ink, width};
use crate::tui::widget::wrap::wrapped;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// What words mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    /// Nothing in particular.
    #[default]
    Text,
    /// There for reference.
    Dim,
    /// A heading.
    Title,
    /// A key.
    Key,
    /// Good news.
    Good,
    /// Worth a look.
    Warn,
    /// Bad news.
    Bad,
    /// Not known.
    Unknown,
    /// Of Blue.
    Blue,
    /// Of Green.
    Green,
    /// The badge of a drill.
    Drill,
    /// A text field.
    Field,
}

impl Look {
    /// What it looks like in a theme.
    pub const fn style(self, theme: &Theme) -> Style {
        match self {
            Self::Text => theme.text,
            Self::Dim => theme.dim,
            Self::Title => theme.title,
            Self::Key => theme.key,
            Self::Good => theme.good,
            Self::Warn => theme.warn,
            Self::Bad => theme.bad,
            Self::Unknown => theme.unknown,
            Self::Blue => theme.blue,
            Self::Green => theme.green,
            Self::Drill => theme.drill,
            Self::Field => theme.field,
        }
    }
}

/// Words with meanings, from left to right.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row(pub Vec<(String, Look)>);

impl Row {
    /// An empty row.
    pub const fn empty() -> Self {
        Self(Vec::new())
    }

    /// A row of words.
    pub fn of(text: impl Into<String>, look: Look) -> Self {
        Self(vec![(text.into(), look)])
    }

    /// The same with more words.
    #[must_use]
    pub fn and(mut self, text: impl Into<String>, look: Look) -> Self {
        self.0.push((text.into(), look));
        self
    }

    /// Columns that it takes.
    pub fn width(&self) -> u16 {
        self.0.iter().map(|(text, _)| width(text)).fold(0, u16::saturating_add)
    }

    /// Its words alone.
    pub fn plain(&self) -> String {
        let text: String = self.0.iter().map(|(text, _)| text.as_str()).collect();
        text.trim_end().to_owned()
    }

    /// Draws it in one row of `area`.
    pub fn draw(&self, ink: &mut Ink<'_>, area: Rect, row: u16, theme: &Theme) {
        let mut pen = ink.line(area, row);
        for (text, look) in &self.0 {
            pen.say(text, look.style(theme));
        }
    }
}

/// A text as rows of at most `columns`; the first begins with `lead`, the others as far in.
pub fn paragraph(lead: Row, text: &str, look: Look, columns: u16) -> Vec<Row> {
    let indent = lead.width();
    let room = columns.saturating_sub(indent).max(8);
    let mut begin = Some(lead);
    let pieces = wrapped(text.trim(), room).into_iter();
    pieces
        .map(|piece| {
            let head = begin.take();
            let head = head.unwrap_or_else(|| Row::of(" ".repeat(indent.into()), Look::Text));
            head.and(piece.trim_end(), look)
        })
        .collect()
}

/// A heading, with an empty row before it unless it is the first.
pub fn heading(out: &mut Vec<Row>, words: &str) {
    if !out.is_empty() {
        out.push(Row::empty());
    }
    out.push(Row::of(words, Look::Title));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_stays_in_its_columns_and_stands_under_its_lead() {
        let rows = paragraph(Row::of("a  ", Look::Key), "one two three four", Look::Text, 12);
        let plain: Vec<_> = rows.iter().map(Row::plain).collect();
        assert_eq!(plain, ["a  one two", "   three", "   four"]);
        assert!(rows.iter().all(|row| row.width() <= 12));
    }
}
