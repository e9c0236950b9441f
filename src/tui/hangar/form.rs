//! Questions that are answered in a line each, and one that is answered by choosing.
//!
//! Enter goes on to the next one, and after the last one the page is over. What was not answered
//! stays empty: nobody is kept here.

use super::Page;
use super::frame::Frame;
use super::rows::{Look, Row, paragraph};
use crate::tui::keymap::Key;
use crate::tui::theme::Theme;
use crate::tui::widget::ink::{Ink, width};
use ratatui::layout::Rect;

/// The longest answer, in characters.
const LONGEST: usize = 200;

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Field {
    /// What is asked.
    pub asks: String,
    /// What is answered.
    pub answer: String,
    /// What may be chosen; where it is empty, anything may be written.
    pub choices: Vec<String>,
    /// Whether only figures are taken.
    pub figures: bool,
}

impl Field {
    /// A question that is answered in a line.
    pub fn line(asks: &str) -> Self {
        Self { asks: asks.to_owned(), ..Self::default() }
    }

    /// Which choice it is.
    pub fn choice(&self) -> Option<usize> {
        self.choices.iter().position(|choice| *choice == self.answer)
    }
}

/// The questions.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// Title and keys.
    pub frame: Frame,
    /// What stands above them.
    pub lead: String,
    /// The questions.
    pub fields: Vec<Field>,
    /// The one that is being answered.
    pub at: usize,
    /// Choices a row, when it was last drawn.
    across: usize,
}

impl Form {
    /// Questions that nobody has answered yet.
    pub fn new(frame: Frame, lead: &str, fields: Vec<Field>) -> Self {
        Self { frame, lead: lead.to_owned(), fields, at: 0, across: 1 }
    }

    fn choose(&mut self, by: isize) {
        let Some(field) = self.fields.get_mut(self.at) else { return };
        let last = field.choices.len().saturating_sub(1);
        let to = field.choice().map_or(0, |place| place.saturating_add_signed(by).min(last));
        if let Some(choice) = field.choices.get(to) {
            field.answer.clone_from(choice);
        }
    }

    fn write(&mut self, letters: impl Iterator<Item = char>) {
        let Some(field) = self.fields.get_mut(self.at).filter(|f| f.choices.is_empty()) else {
            return;
        };
        for letter in letters {
            let fits = !letter.is_control() && (!field.figures || letter.is_ascii_digit());
            let most = if field.figures { 3 } else { LONGEST };
            if fits && field.answer.chars().count() < most {
                field.answer.push(letter);
            }
        }
    }

    /// The grid of choices; gives the row after it.
    fn grid(&mut self, ink: &mut Ink<'_>, area: Rect, row: u16, theme: &Theme) -> u16 {
        let Some(field) = self.fields.get(self.at) else { return row };
        let wide = field.choices.iter().map(|choice| width(choice)).max().unwrap_or(1) + 3;
        let across = (area.width / wide).clamp(1, 4);
        let shown = field.choice();
        for (place, choice) in (0_u16..).zip(&field.choices) {
            let (down, over) = (place / across, place % across);
            let chosen = shown == Some(usize::from(place));
            let (mark, style) = if chosen { ("▶ ", theme.key) } else { ("  ", theme.text) };
            if row + down >= area.height {
                break;
            }
            let mut pen = ink.line(area, row + down);
            pen.gap(over * wide).say(mark, style).say(choice, style);
        }
        self.across = usize::from(across);
        row + u16::try_from(field.choices.len()).unwrap_or(1).div_ceil(across)
    }
}

impl Page for Form {
    /// Whether the last question was passed; not where the page was left before it.
    type Out = bool;

    fn draw(&mut self, ink: &mut Ink<'_>, theme: &Theme) {
        let area = self.frame.draw(ink, theme);
        let mut row = 0;
        for line in paragraph(Row::empty(), &self.lead, Look::Text, area.width) {
            line.draw(ink, area, row, theme);
            row += 1;
        }
        row += 1;
        for place in 0..self.fields.len() {
            let field = &self.fields[place];
            let here = place == self.at;
            let look = if here { Look::Title } else { Look::Dim };
            // Where there is little room, an answer stands beside its question.
            let tight = area.height < 26 && !here;
            if tight {
                let line = Row::of(format!("{} ", field.asks), look);
                line.and(&field.answer, Look::Text).draw(ink, area, row, theme);
                row += 1;
                continue;
            }
            Row::of(&field.asks, look).draw(ink, area, row, theme);
            row += 1;
            if here && !field.choices.is_empty() {
                row = self.grid(ink, area, row, theme);
                continue;
            }
            // The end of what is written is what is looked at.
            let room = usize::from(area.width.saturating_sub(4));
            let letters: Vec<char> = field.answer.chars().collect();
            let from = letters.len().saturating_sub(room);
            let shown: String = letters[from..].iter().collect();
            if here {
                let blank = usize::from(area.width.saturating_sub(3 + width(&shown)));
                let line = Row::of(" ", Look::Text)
                    .and(format!("{shown}_{}", " ".repeat(blank)), Look::Field);
                line.draw(ink, area, row, theme);
            } else {
                Row::of(format!(" {shown}"), Look::Text).draw(ink, area, row, theme);
            }
            row += if area.height >= 26 { 2 } else { 1 };
        }
    }

    fn key(&mut self, key: Key) -> Option<bool> {
        let choosing = self.fields.get(self.at).is_some_and(|field| !field.choices.is_empty());
        let across = isize::try_from(self.across).unwrap_or(1);
        match key {
            Key::Esc => return Some(false),
            Key::Enter | Key::Tab if self.at + 1 >= self.fields.len() => {
                return (key == Key::Enter).then_some(true);
            }
            Key::Enter | Key::Tab => self.at += 1,
            Key::BackTab => self.at = self.at.saturating_sub(1),
            Key::Up if choosing => self.choose(-across),
            Key::Down if choosing => self.choose(across),
            Key::Left if choosing => self.choose(-1),
            Key::Right if choosing => self.choose(1),
            Key::Up => self.at = self.at.saturating_sub(1),
            Key::Down => self.at = (self.at + 1).min(self.fields.len().saturating_sub(1)),
            Key::Backspace => {
                if let Some(field) = self.fields.get_mut(self.at).filter(|f| f.choices.is_empty()) {
                    field.answer.pop();
                }
            }
            Key::Char(letter) => self.write(std::iter::once(letter)),
            _ => {}
        }
        None
    }

    fn paste(&mut self, text: &str) {
        self.write(text.chars());
    }
}
