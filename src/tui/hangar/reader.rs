//! A page that is read: it scrolls, and ends with one of its keys.

use super::Page;
use super::frame::{self, Frame};
use super::rows::Row;
use crate::tui::keymap::Key;
use crate::tui::theme::Theme;
use crate::tui::widget::ink::Ink;

/// A page of rows that are made for its width.
pub struct Reader<'a> {
    /// Title and keys.
    pub frame: Frame,
    /// The rows of so many columns.
    pub rows: Box<dyn Fn(u16) -> Vec<Row> + 'a>,
    /// The keys that end it.
    pub ends: Vec<Key>,
    /// The row at the top.
    pub top: usize,
    /// How many rows there were, and how many had room, when it was last drawn.
    seen: (usize, usize),
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("frame", &self.frame).finish_non_exhaustive()
    }
}

impl<'a> Reader<'a> {
    /// A page at its beginning.
    pub fn new(frame: Frame, ends: &[Key], rows: impl Fn(u16) -> Vec<Row> + 'a) -> Self {
        Self { frame, rows: Box::new(rows), ends: ends.to_vec(), top: 0, seen: (0, 0) }
    }

    fn to(&mut self, top: usize) {
        let (rows, room) = self.seen;
        self.top = top.min(rows.saturating_sub(room));
    }
}

impl Page for Reader<'_> {
    type Out = Key;

    fn draw(&mut self, ink: &mut Ink<'_>, theme: &Theme) {
        let area = self.frame.draw(ink, theme);
        let rows = (self.rows)(area.width.saturating_sub(2));
        self.seen = (rows.len(), usize::from(area.height));
        self.to(self.top);
        frame::scrolled(ink, area, &rows, self.top, theme);
    }

    fn key(&mut self, key: Key) -> Option<Key> {
        if self.ends.contains(&key) {
            return Some(key);
        }
        let page = self.seen.1.saturating_sub(2).max(1);
        match key {
            Key::Up => self.to(self.top.saturating_sub(1)),
            Key::Down => self.to(self.top + 1),
            Key::PageUp => self.to(self.top.saturating_sub(page)),
            Key::PageDown => self.to(self.top + page),
            Key::Home => self.to(0),
            Key::End => self.to(usize::MAX),
            _ => {}
        }
        None
    }
}
