//! Writing into the buffer, clipped and, where the terminal needs it, in ASCII.
//!
//! This is the only place that knows whether the terminal shows more than ASCII: whatever a view
//! writes, service names and log lines included, comes out in what can be shown.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// A buffer to write into.
#[derive(Debug)]
pub struct Ink<'b> {
    buf: &'b mut Buffer,
    ground: Style,
    ascii: bool,
}

/// Gives a cell a style, whole: nothing of what it looked like before shines through.
fn paint(cell: &mut Cell, style: Style, ground: Style) {
    cell.fg = style.fg.or(ground.fg).unwrap_or(Color::Reset);
    cell.bg = style.bg.or(ground.bg).unwrap_or(Color::Reset);
    cell.modifier = style.add_modifier;
}

/// Columns that a text takes.
pub fn width(text: &str) -> u16 {
    let columns = if text.is_ascii() { text.len() } else { text.width() };
    u16::try_from(columns).unwrap_or(u16::MAX)
}

impl<'b> Ink<'b> {
    /// Ink for a buffer; `ground` is what styles leave open, `ascii` where the terminal shows
    /// nothing else.
    pub const fn new(buf: &'b mut Buffer, ground: Style, ascii: bool) -> Self {
        Self { buf, ground, ascii }
    }

    /// Whether only ASCII can be shown.
    pub const fn ascii(&self) -> bool {
        self.ascii
    }

    /// All that can be written on.
    pub const fn area(&self) -> Rect {
        self.buf.area
    }

    /// Writes one character of one column; outside the buffer nothing happens.
    pub fn dot(&mut self, x: u16, y: u16, ch: char, style: Style) {
        let ch = if self.ascii { to_ascii(ch) } else { ch };
        if let Some(cell) = self.buf.cell_mut((x, y)) {
            cell.set_char(ch);
            paint(cell, style, self.ground);
        }
    }

    /// Writes a text from `x` on, up to the right edge of `area`; says where it ended. A text that
    /// does not fit ends in an ellipsis: nobody takes a part for the whole.
    pub fn text(&mut self, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
        let area = area.intersection(self.buf.area);
        if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() {
            return x;
        }
        let room = area.right() - x;
        let fits = width(text) <= room;
        let end = if fits { room } else { room - 1 };
        let mut at = 0;
        if text.is_ascii() {
            for byte in text.bytes().take(usize::from(end)) {
                self.cell(x + at, y, char::from(byte), style);
                at += 1;
            }
        } else {
            for part in text.graphemes(true) {
                let columns = width(part);
                if at + columns > end {
                    break;
                }
                at += self.grapheme(x + at, y, part, columns, style);
            }
        }
        if !fits {
            self.dot(x + at, y, '…', style);
            at += 1;
        }
        x + at
    }

    fn grapheme(&mut self, x: u16, y: u16, part: &str, columns: u16, style: Style) -> u16 {
        let mut chars = part.chars();
        match (chars.next(), chars.next()) {
            (Some(ch), None) if columns == 1 => self.dot(x, y, ch, style),
            _ if columns == 0 => {}
            _ if self.ascii => (0..columns).for_each(|i| self.cell(x + i, y, '?', style)),
            _ => {
                if let Some(cell) = self.buf.cell_mut((x, y)) {
                    cell.set_symbol(part);
                    paint(cell, style, self.ground);
                }
                for i in 1..columns {
                    if let Some(cell) = self.buf.cell_mut((x + i, y)) {
                        cell.reset();
                        paint(cell, style, self.ground);
                    }
                }
            }
        }
        columns
    }

    fn cell(&mut self, x: u16, y: u16, ch: char, style: Style) {
        let ch = if ch.is_ascii_control() { ' ' } else { ch };
        if let Some(cell) = self.buf.cell_mut((x, y)) {
            cell.set_char(ch);
            paint(cell, style, self.ground);
        }
    }

    /// A run of the same character.
    pub fn run(&mut self, x: u16, y: u16, length: u16, ch: char, style: Style) {
        for i in 0..length {
            self.dot(x.saturating_add(i), y, ch, style);
        }
    }

    /// Empties an area and gives it a ground.
    pub fn clear(&mut self, area: Rect, style: Style) {
        let area = area.intersection(self.buf.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buf.cell_mut((x, y)) {
                    cell.reset();
                    paint(cell, style, self.ground);
                }
            }
        }
    }

    /// A pen at the beginning of a row of `area`, counted from its top.
    pub fn line(&mut self, area: Rect, row: u16) -> Pen<'_, 'b> {
        let y = area.y.saturating_add(row);
        let inside = row < area.height;
        let right = if inside { area.right() } else { area.x };
        Pen { ink: self, x: area.x, right, y }
    }
}

/// Writes one row from left to right; what stands at its right end is written first.
#[derive(Debug)]
pub struct Pen<'i, 'b> {
    ink: &'i mut Ink<'b>,
    x: u16,
    right: u16,
    y: u16,
}

impl Pen<'_, '_> {
    /// Writes on.
    pub fn say(&mut self, text: &str, style: Style) -> &mut Self {
        let room = Rect::new(self.x, self.y, self.right.saturating_sub(self.x), 1);
        self.x = self.ink.text(room, self.x, self.y, text, style);
        self
    }

    /// Leaves so many columns free.
    pub fn gap(&mut self, columns: u16) -> &mut Self {
        self.x = self.x.saturating_add(columns).min(self.right);
        self
    }

    /// Goes on at this column, counted from the beginning of the buffer, unless it is past it.
    pub fn column(&mut self, x: u16) -> &mut Self {
        self.x = self.x.max(x).min(self.right);
        self
    }

    /// Writes at the right end of what is left, and keeps that and a space free.
    pub fn right(&mut self, text: &str, style: Style) -> &mut Self {
        let columns = width(text).min(self.right.saturating_sub(self.x));
        let x = self.right - columns;
        let room = Rect::new(x, self.y, columns, 1);
        self.ink.text(room, x, self.y, text, style);
        self.right = x.saturating_sub(1).max(self.x);
        self
    }

    /// Columns that are left.
    pub const fn room(&self) -> u16 {
        self.right.saturating_sub(self.x)
    }

    /// Where the pen is.
    pub const fn x(&self) -> u16 {
        self.x
    }
}

/// The nearest thing in ASCII, of the same width.
const fn to_ascii(ch: char) -> char {
    match ch {
        _ if ch.is_ascii() => ch,
        '─' | '—' | '–' => '-',
        '━' => '=',
        '│' | '┃' => '|',
        '┆' => ':',
        '╭' | '╮' | '╰' | '╯' | '┼' | '┬' | '┴' | '├' | '┤' | '✔' => '+',
        '█' | '▀' | '▄' => '#',
        '▒' | '░' => ':',
        '▶' | '→' => '>',
        '●' | '•' => '*',
        '○' => 'o',
        '✖' | '╳' | '×' => 'x',
        '▲' => '!',
        '↑' => '^',
        '↓' => 'v',
        '…' | '┈' => '.',
        '·' | '‧' => '-',
        'µ' => 'u',
        '’' | '‘' => '\'',
        '“' | '”' => '"',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(columns: u16, ascii: bool, text: &str) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, columns, 1));
        let area = buf.area;
        Ink::new(&mut buf, Style::new(), ascii).text(area, 0, 0, text, Style::new());
        buf.content().iter().map(|cell| cell.symbol()).collect()
    }

    #[test]
    fn what_does_not_fit_says_so() {
        assert_eq!(row(5, false, "split"), "split");
        assert_eq!(row(5, false, "splits"), "spli…");
        assert_eq!(row(5, true, "splits"), "spli.");
        assert_eq!(row(4, false, "日本語"), "日 … ", "a wide character is not cut in two");
    }

    #[test]
    fn in_ascii_mode_everything_is_ascii() {
        let written = row(12, true, "✔ né 日 → µs");
        assert!(written.is_ascii(), "{written}");
    }

    #[test]
    fn the_right_end_is_kept_free() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, 1));
        let area = buf.area;
        let mut ink = Ink::new(&mut buf, Style::new(), false);
        ink.line(area, 0).right("ok", Style::new()).say("a long word", Style::new());
        let text: String = buf.content().iter().map(|cell| cell.symbol()).collect();
        assert_eq!(text, "a long w… ok");
        let mut ink = Ink::new(&mut buf, Style::new(), false);
        ink.line(area, 3).say("outside", Style::new());
    }
}
