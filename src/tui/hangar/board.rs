//! A list to choose from, with what is to be said of the chosen one beside it.

use super::Page;
use super::frame::{self, Frame};
use super::rows::Row;
use crate::tui::keymap::Key;
use crate::tui::theme::Theme;
use crate::tui::widget::ink::Ink;
use crate::tui::widget::panel;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// One row of the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Item {
    /// What stands at the left.
    pub left: Row,
    /// What stands at the right, in columns.
    pub right: Row,
    /// Whether it can be chosen; a heading cannot.
    pub open: bool,
}

/// What was chosen: the place in the list, and the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// The place in the list.
    pub place: usize,
    /// The key that was pressed.
    pub key: Key,
}

/// The list.
pub struct Board<'a> {
    /// Title and keys.
    pub frame: Frame,
    /// What stands on the list's border: its name, and its columns.
    pub heads: [String; 2],
    /// The list.
    pub items: Vec<Item>,
    /// The place of the chosen one.
    pub chosen: usize,
    /// What is said of an item, in so many columns.
    pub side: Box<dyn Fn(usize, u16) -> Vec<Row> + 'a>,
    /// The keys that end it.
    pub ends: Vec<Key>,
    top: usize,
    room: usize,
}

impl std::fmt::Debug for Board<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Board").field("frame", &self.frame).finish_non_exhaustive()
    }
}

impl<'a> Board<'a> {
    /// A list, with the first open item chosen.
    pub fn new(
        frame: Frame,
        heads: [&str; 2],
        items: Vec<Item>,
        ends: &[Key],
        side: impl Fn(usize, u16) -> Vec<Row> + 'a,
    ) -> Self {
        let chosen = items.iter().position(|item| item.open).unwrap_or(0);
        let heads = heads.map(str::to_owned);
        let (side, ends) = (Box::new(side), ends.to_vec());
        Self { frame, heads, items, chosen, side, ends, top: 0, room: 0 }
    }

    /// Moves by so many open items.
    fn step(&mut self, by: isize) {
        let open: Vec<usize> =
            (0..self.items.len()).filter(|place| self.items[*place].open).collect();
        let at = open.iter().position(|place| *place == self.chosen).unwrap_or(0);
        let to = at.saturating_add_signed(by).min(open.len().saturating_sub(1));
        self.chosen = open.get(to).copied().unwrap_or(0);
    }

    /// Keeps the chosen one, and its heading, in sight.
    fn follow(&mut self, room: usize) {
        self.room = room;
        let mut first = self.chosen;
        while first > 0 && !self.items[first - 1].open {
            first -= 1;
        }
        if first < self.top {
            self.top = first;
        }
        if self.chosen >= self.top + room {
            self.top = self.chosen + 1 - room;
        }
    }

    fn list(&mut self, ink: &mut Ink<'_>, area: Rect, theme: &Theme) {
        let inside = panel::frame(ink, area, theme);
        let [name, columns] = &self.heads;
        panel::head(ink, area, &[(name, theme.title)], (columns, theme.dim));
        self.follow(usize::from(inside.height));
        for (row, (place, item)) in
            (0..inside.height).zip(self.items.iter().enumerate().skip(self.top))
        {
            let columns = item.right.width().min(inside.width);
            let left = Rect { width: inside.width - columns, ..inside };
            let right = Rect { x: left.right(), width: columns, ..inside };
            if place == self.chosen && item.open {
                let mut inverse = theme.clone();
                let style = theme.text.add_modifier(Modifier::REVERSED);
                (inverse.text, inverse.dim, inverse.warn) = (style, style, style);
                ink.run(inside.x, inside.y + row, inside.width, ' ', inverse.text);
                item.left.draw(ink, left, row, &inverse);
                item.right.draw(ink, right, row, &inverse);
            } else {
                item.left.draw(ink, left, row, theme);
                item.right.draw(ink, right, row, theme);
            }
        }
        let x = area.right().saturating_sub(1);
        if self.top > 0 {
            ink.dot(x, inside.y, '↑', theme.key);
        }
        if self.top + self.room < self.items.len() {
            ink.dot(x, inside.bottom().saturating_sub(1), '↓', theme.key);
        }
    }
}

impl Page for Board<'_> {
    type Out = Chosen;

    fn draw(&mut self, ink: &mut Ink<'_>, theme: &Theme) {
        let area = self.frame.draw(ink, theme);
        let area = Rect::new(0, area.y.saturating_sub(1), area.width + 2, area.height + 2);
        let side = if area.width >= 110 { 50 } else { area.width * 2 / 5 };
        let list = Rect { width: area.width - side, ..area };
        let beside = Rect { x: list.right(), width: side, ..area };
        self.list(ink, list, theme);
        let inside = panel::frame(ink, beside, theme);
        let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
        let rows = (self.side)(self.chosen, inside.width);
        let page = Rect { width: inside.width + 2, ..inside };
        frame::scrolled(ink, page, &rows, 0, theme);
    }

    fn key(&mut self, key: Key) -> Option<Chosen> {
        if self.ends.contains(&key) {
            return Some(Chosen { place: self.chosen, key });
        }
        let page = isize::try_from(self.room.saturating_sub(2).max(1)).unwrap_or(1);
        match key {
            Key::Up => self.step(-1),
            Key::Down => self.step(1),
            Key::PageUp => self.step(-page),
            Key::PageDown => self.step(page),
            Key::Home => self.step(isize::MIN + 1),
            Key::End => self.step(isize::MAX),
            _ => {}
        }
        None
    }
}
