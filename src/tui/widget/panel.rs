//! A bordered panel with a title on its left and a remark on its right.

use super::ink::{Ink, width};
use crate::tui::theme::Theme;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Draws the border; gives what is inside.
pub fn frame(ink: &mut Ink<'_>, area: Rect, theme: &Theme) -> Rect {
    framed(ink, area, theme.border)
}

/// Draws the border in a style; gives what is inside.
pub fn framed(ink: &mut Ink<'_>, area: Rect, style: Style) -> Rect {
    if area.width < 2 || area.height < 2 {
        return Rect { width: 0, height: 0, ..area };
    }
    let (left, right) = (area.left(), area.right() - 1);
    let (top, bottom) = (area.top(), area.bottom() - 1);
    ink.run(left + 1, top, area.width - 2, '─', style);
    ink.run(left + 1, bottom, area.width - 2, '─', style);
    for y in top + 1..bottom {
        ink.dot(left, y, '│', style);
        ink.dot(right, y, '│', style);
    }
    ink.dot(left, top, '╭', style);
    ink.dot(right, top, '╮', style);
    ink.dot(left, bottom, '╰', style);
    ink.dot(right, bottom, '╯', style);
    Rect::new(left + 1, top + 1, area.width - 2, area.height - 2)
}

/// Writes on the top border: a title from the left and a remark at the right, which goes first
/// where there is no room for both.
pub fn head(ink: &mut Ink<'_>, area: Rect, title: &[(&str, Style)], remark: (&str, Style)) {
    if area.width < 6 || area.height == 0 {
        return;
    }
    let title_width: u16 = title.iter().map(|(text, _)| width(text)).sum();
    let row = Rect::new(area.x + 2, area.y, area.width - 4, 1);
    let mut right = row.right();
    let remark_width = width(remark.0);
    if remark_width > 0 && title_width + remark_width + 4 <= row.width {
        let x = row.right() - remark_width - 1;
        ink.text(row, x - 1, row.y, " ", remark.1);
        ink.text(row, x, row.y, remark.0, remark.1);
        ink.text(row, row.right() - 1, row.y, " ", remark.1);
        right = x - 1;
    }
    let room = Rect::new(row.x - 1, row.y, right - row.x + 1, 1);
    let mut x = ink.text(room, room.x, room.y, " ", Style::new());
    for (text, style) in title {
        x = ink.text(room, x, room.y, text, *style);
    }
    ink.text(room, x, room.y, " ", Style::new());
}

/// A panel of so many columns and rows in the middle of `body`, over whatever was there. Gives the
/// panel and what is inside its border.
pub fn overlay(
    ink: &mut Ink<'_>,
    body: Rect,
    (columns, rows): (u16, u16),
    border: Style,
    theme: &Theme,
) -> (Rect, Rect) {
    let x = body.x + body.width.saturating_sub(columns) / 2;
    let y = body.y + body.height.saturating_sub(rows) / 2;
    let area = Rect::new(x, y, columns, rows);
    ink.clear(area, theme.text.patch(theme.overlay));
    (area, framed(ink, area, border))
}
