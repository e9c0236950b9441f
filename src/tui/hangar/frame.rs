//! What stands on every page: a title at the top, the keys at the bottom, and the page between.

use super::rows::{Look, Row};
use crate::tui::theme::Theme;
use crate::tui::widget::ink::Ink;
use ratatui::layout::Rect;

/// The title and the keys of a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// The word in the badge: `DRILL`.
    pub badge: String,
    /// What the page is about.
    pub title: String,
    /// What stands at the right of the title.
    pub remark: String,
    /// Keys and what they do.
    pub keys: Vec<(String, String)>,
}

impl Frame {
    /// A frame of words.
    pub fn new(badge: &str, title: &str, remark: &str, keys: &[(&str, &str)]) -> Self {
        let keys = keys.iter().map(|(key, does)| ((*key).to_owned(), (*does).to_owned()));
        Self {
            badge: badge.to_owned(),
            title: title.to_owned(),
            remark: remark.to_owned(),
            keys: keys.collect(),
        }
    }

    /// Draws it; gives what is left for the page.
    pub fn draw(&self, ink: &mut Ink<'_>, theme: &Theme) -> Rect {
        let area = ink.area();
        ink.clear(area, theme.text);
        if area.height < 4 {
            return Rect { height: 0, ..area };
        }
        let mut pen = ink.line(area, 0);
        pen.say(&format!(" {} ", self.badge), Look::Drill.style(theme)).gap(1);
        pen.right(&format!("{} ", self.remark), theme.dim);
        pen.say(&self.title, theme.title);
        let mut pen = ink.line(area, area.height - 1);
        pen.gap(1);
        for (key, does) in &self.keys {
            pen.say(key, theme.key).say(&format!(" {does}"), theme.text).gap(3);
        }
        Rect::new(area.x + 1, area.y + 2, area.width.saturating_sub(2), area.height - 4)
    }
}

/// Draws rows from `top` on, and says in the last column where more of them are.
pub fn scrolled(ink: &mut Ink<'_>, area: Rect, rows: &[Row], top: usize, theme: &Theme) {
    let room = usize::from(area.height);
    let page = Rect { width: area.width.saturating_sub(2), ..area };
    for (place, row) in (0..area.height).zip(rows.iter().skip(top)) {
        row.draw(ink, page, place, theme);
    }
    let x = area.right().saturating_sub(1);
    if top > 0 {
        ink.dot(x, area.y, '↑', theme.key);
    }
    if top + room < rows.len() {
        ink.dot(x, area.bottom().saturating_sub(1), '↓', theme.key);
    }
}
