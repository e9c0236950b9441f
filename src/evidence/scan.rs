//! The search for secrets on a recorded screen.
//!
//! A screen is written as what has changed: spaces are skipped and single cells repainted, so a
//! secret that stands there in full may be nowhere in the bytes. So the recording is played through
//! a terminal, and what is searched is what a person would have seen: each row that has changed,
//! and rows with the one below them, as a text that is too long goes on there (within the same
//! panel, where there are panels). What was written in one go is searched as well, for it may be
//! painted over in the same frame.
//!
//! A hit tells the rule and the place and never the text. It does not mend anything: a recording
//! with a hit is not sealed.

use super::allow::{Piece, pieces};
use super::cast::{self, Cast};
use crate::clean::{Clean, Mask};
use crate::journal::Hit;
use std::num::NonZeroU16;
use unicode_width::UnicodeWidthChar;

/// The most hits that are told: more would say no more.
const MOST: usize = 20;

/// A terminal that is watched for secrets.
pub struct Scan<'a> {
    mask: &'a Mask,
    file: String,
    terminal: vt100::Parser,
    rows: Vec<String>,
    /// Whether something was written that is none of ours: any row may change from then on.
    odd: bool,
    hits: Vec<Hit>,
    seen: Vec<(String, Option<usize>)>,
}

/// Secrets are nobody's business.
impl std::fmt::Debug for Scan<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan").field("hits", &self.hits).finish_non_exhaustive()
    }
}

/// A terminal of so many columns and rows, at least one of each.
pub(super) fn terminal((columns, rows): (u16, u16)) -> vt100::Parser {
    let at_least_one = |n| NonZeroU16::new(n).unwrap_or(NonZeroU16::MIN);
    vt100::Parser::new(at_least_one(rows), at_least_one(columns), 0)
}

/// The rows of a screen, without the spaces at their ends.
pub(super) fn rows_of(screen: &vt100::Screen) -> Vec<String> {
    let (_, columns) = screen.size();
    let trimmed = |mut row: String| {
        row.truncate(row.trim_end().len());
        row
    };
    screen.rows(0, columns.get()).map(trimmed).collect()
}

/// One of them.
fn row_of(screen: &vt100::Screen, row: u16) -> String {
    // Up to the beginning of the next one: so the rows above are not read.
    let mut text = screen.contents_between(row, 0, row.saturating_add(1), 0);
    text.truncate(text.trim_end().len());
    text
}

impl<'a> Scan<'a> {
    /// An empty screen of this size; `file` is what the recording is called.
    pub fn new(mask: &'a Mask, file: &str, size: (u16, u16)) -> Self {
        let file = file.to_owned();
        let (terminal, rows) = (terminal(size), Vec::new());
        Self { mask, file, terminal, rows, odd: false, hits: Vec::new(), seen: Vec::new() }
    }

    /// The window has another size. What comes next paints all of it.
    pub fn resize(&mut self, size: (u16, u16)) {
        self.terminal = terminal(size);
        self.rows.clear();
    }

    /// Takes what was written at an instant (in seconds of the recording), and searches what it
    /// changed.
    pub fn take(&mut self, t: f64, data: &str) {
        let touched = self.write(data);
        if self.hits.len() >= MOST {
            return;
        }
        let changed = self.read(&touched);
        let (_, columns) = self.terminal.screen().size();
        let columns = usize::from(columns.get());
        let rows = std::mem::take(&mut self.rows);
        for i in 0..rows.len() {
            if changed[i] {
                self.look(t, &rows[i], Some(i));
            }
            let Some(below) = rows.get(i + 1) else { continue };
            if changed[i] || changed[i + 1] {
                for joined in joined(&rows[i], below, columns) {
                    self.look(t, &joined, Some(i));
                }
            }
        }
        self.rows = rows;
        for piece in pieces(data) {
            if let Piece::Text(text) = piece {
                self.look(t, text, None);
            }
        }
    }

    /// Lets the terminal take it; gives the rows that it can have changed. Reading all of them
    /// each time would take most of a seal.
    fn write(&mut self, data: &str) -> Vec<bool> {
        let (height, columns) = self.terminal.screen().size();
        let (height, columns) = (usize::from(height.get()), usize::from(columns.get()));
        let mut touched = vec![false; height];
        let mut rest = data;
        for piece in pieces(data) {
            let (raw, after) = rest.split_at_checked(piece.length()).unwrap_or((rest, ""));
            rest = after;
            let (row, column) = self.terminal.screen().cursor_position();
            let (row, column) = (usize::from(row), usize::from(column));
            match reach(piece) {
                _ if self.odd => {}
                Reach::Nothing => {}
                Reach::Row => touched[row..=row].fill(true),
                Reach::Columns(n) if column + n <= columns => touched[row..=row].fill(true),
                Reach::Scroll if row + 1 < height => {}
                Reach::Columns(_) | Reach::Scroll | Reach::All => touched.fill(true),
                Reach::Odd => self.odd = true,
            }
            self.terminal.process(raw.as_bytes());
        }
        if self.odd {
            touched.fill(true);
        }
        touched
    }

    /// Reads these rows anew; says which are others than before.
    fn read(&mut self, touched: &[bool]) -> Vec<bool> {
        let screen = self.terminal.screen();
        if self.rows.len() != touched.len() || touched.iter().all(|touched| *touched) {
            let rows = rows_of(screen);
            let changed = (0..rows.len()).map(|i| self.rows.get(i) != rows.get(i)).collect();
            self.rows = rows;
            return changed;
        }
        let read = |(row, (old, touched)): (u16, (&mut String, &bool))| {
            let new = touched.then(|| row_of(screen, row)).filter(|new| new != old);
            new.map(|new| *old = new).is_some()
        };
        (0..).zip(self.rows.iter_mut().zip(touched)).map(read).collect()
    }

    fn look(&mut self, t: f64, text: &str, row: Option<usize>) {
        let Some(rule) = self.mask.would_mask(text) else { return };
        let hit = (rule.to_owned(), row);
        let on_a_row = row.is_none() && self.seen.iter().any(|(seen, _)| *seen == hit.0);
        if self.hits.len() >= MOST || on_a_row || self.seen.contains(&hit) {
            return;
        }
        let place = match row {
            Some(row) => format!("{t:.1} s into {}, row {}", self.file, row + 1),
            None => format!("{t:.1} s into {}, as it was written", self.file),
        };
        self.hits.push(Hit { rule: rule.to_owned(), place: Clean::new(&place) });
        self.seen.push(hit);
    }

    /// What was found.
    pub fn hits(&self) -> &[Hit] {
        &self.hits
    }
}

/// What of a screen something that is written can change.
enum Reach {
    Nothing,
    /// The cursor's row.
    Row,
    /// So many columns from the cursor on, if the row has them.
    Columns(usize),
    /// Everything, at the last row.
    Scroll,
    /// Everything.
    All,
    /// Whatever it likes, and what comes after it as well.
    Odd,
}

fn reach(piece: Piece<'_>) -> Reach {
    match piece {
        Piece::Text(text) => {
            let width = |c| UnicodeWidthChar::width(c).filter(|width| *width > 0);
            // What has no width goes onto the character before, which may be a row above.
            text.chars().map(width).sum::<Option<usize>>().map_or(Reach::All, Reach::Columns)
        }
        Piece::Break => Reach::Scroll,
        Piece::Sequence(parameters, 'm' | 'H') if !parameters.starts_with('?') => Reach::Nothing,
        Piece::Sequence("?25" | "?2026" | "?2004", 'h' | 'l') => Reach::Nothing,
        Piece::Sequence("" | "0" | "1" | "2", 'K') => Reach::Row,
        Piece::Sequence("" | "0" | "1" | "2", 'J') => Reach::All,
        Piece::Sequence("?1049", 'h' | 'l') => Reach::All,
        Piece::Sequence(..) | Piece::Odd(_) => Reach::Odd,
    }
}

/// A row and the row below it as one text: of the whole row, and of each panel that has its walls
/// in the same columns.
fn joined(upper: &str, lower: &str, columns: usize) -> Vec<String> {
    let (upper, lower) = (cells(upper, columns), cells(lower, columns));
    let mut ways = vec![(0, columns)];
    let walls = |row: &[Cell]| -> Vec<usize> {
        (0..row.len()).filter(|&at| matches!(row[at], Some('│' | '|'))).collect()
    };
    let above = walls(&upper);
    let both: Vec<usize> = walls(&lower).into_iter().filter(|at| above.contains(at)).collect();
    ways.extend(both.windows(2).map(|pair| (pair[0] + 1, pair[1])));
    let mut texts = Vec::new();
    for (from, to) in ways {
        let (upper, lower) = (&upper[from..to], &lower[from..to]);
        let (first, second) = (text(upper), text(lower));
        let (first, second) = (first.trim(), second.trim());
        if first.is_empty() || second.is_empty() {
            continue;
        }
        // A word that goes on below has filled its line, but for a margin.
        let margin = upper.iter().rev().take_while(|cell| matches!(cell, Some(' '))).count();
        if margin <= 2 {
            texts.push(format!("{first}{second}"));
        }
        texts.push(format!("{first} {second}"));
    }
    texts
}

/// What a cell shows; nothing is the other half of a wide character.
type Cell = Option<char>;

/// A row as cells, a wide character in two of them.
fn cells(row: &str, columns: usize) -> Vec<Cell> {
    let mut cells = Vec::with_capacity(columns);
    for c in row.chars() {
        match UnicodeWidthChar::width(c) {
            Some(2) => cells.extend([Some(c), None]),
            Some(1) => cells.push(Some(c)),
            // What combines with the character before takes no place.
            _ => {}
        }
    }
    cells.resize(columns, Some(' '));
    cells
}

fn text(cells: &[Cell]) -> String {
    cells.iter().flatten().collect()
}

/// Searches a whole recording.
pub fn scan(bytes: &[u8], mask: &Mask) -> Vec<Hit> {
    cast::read(bytes).map(|cast| of(&cast, mask, super::names::CAST)).unwrap_or_default()
}

/// Searches a recording that was read; `file` is what it is called.
pub fn of(cast: &Cast, mask: &Mask, file: &str) -> Vec<Hit> {
    let mut scan = Scan::new(mask, file, (cast.header.width, cast.header.height));
    for event in &cast.events {
        match event.code.as_str() {
            cast::OUTPUT => scan.take(event.t, &event.data),
            cast::RESIZE => {
                if let Some(size) = cast::size_of(&event.data) {
                    scan.resize(size);
                }
            }
            _ => {}
        }
    }
    scan.hits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask() -> Mask {
        Mask::new([("probe_token".to_owned(), "hunter2-aaaa yyyy-zzzz".to_owned())])
    }

    #[test]
    fn the_rows_that_are_known_are_those_of_the_screen_whatever_is_written() {
        const PIECES: [&str; 26] = [
            "a",
            "hello there",
            "漢字漢字漢字",
            "e\u{301}",
            "\u{301}",
            "0123456789012345678901234567890123456789",
            "\r",
            "\n",
            "\r\n",
            "\u{1b}[1;1H",
            "\u{1b}[3;18H",
            "\u{1b}[6;20H",
            "\u{1b}[5H",
            "\u{1b}[31m",
            "\u{1b}[K",
            "\u{1b}[1K",
            "\u{1b}[J",
            "\u{1b}[1J",
            "\u{1b}[2J",
            "\u{1b}[?2026h",
            "\u{1b}[?25l",
            "\u{1b}[?1049h",
            "\u{1b}[?1049l",
            "      ",
            "│ x │",
            "",
        ];
        const ODD: [&str; 8] =
            ["\u{1b}", "[2J", "\u{1b}[2;4r", "\u{1b}M", "\t", "\u{8}", "\u{1b}[1L", "\u{1b}[3S"];
        let mask = mask();
        let mut dice = 7_u64;
        let mut throw = |n: usize| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (dice >> 33) as usize % n
        };
        for round in 0..300 {
            let mut scan = Scan::new(&mask, "a", (20, 6));
            for _ in 0..60 {
                let mut data = String::new();
                for _ in 0..throw(6) {
                    let odd = round % 3 == 0 && throw(40) == 0;
                    data += if odd { ODD[throw(ODD.len())] } else { PIECES[throw(PIECES.len())] };
                }
                scan.take(0.0, &data);
                assert_eq!(scan.rows, rows_of(scan.terminal.screen()), "{data:?}");
            }
            assert!(round % 3 == 0 || !scan.odd);
        }
    }

    fn hits(frames: &[&str]) -> Vec<String> {
        let mask = mask();
        let mut scan = Scan::new(&mask, "session.cast", (40, 6));
        for (i, frame) in frames.iter().enumerate() {
            scan.take(i as f64 + 0.4, frame);
        }
        scan.hits().iter().map(|hit| format!("{}: {}", hit.rule, hit.place)).collect()
    }

    #[test]
    fn a_secret_that_is_on_the_screen_and_not_in_the_bytes_is_found() {
        // The space was there before, and the word came cell by cell.
        let frames = ["\u{1b}[2;3Hhunter2-aaa", "\u{1b}[2;16Hyyyy-zzzz", "\u{1b}[2;14Ha"];
        assert_eq!(hits(&frames), ["probe_token: 2.4 s into session.cast, row 2"]);
        assert!(frames.iter().all(|frame| mask().would_mask(frame).is_none()));
    }

    #[test]
    fn a_secret_that_goes_on_in_the_next_row_is_found_in_its_panel_too() {
        let row = |n: u32, a: &str, b: &str| format!("\u{1b}[{n};1H│{a:<10}│{b:<8}│");
        let panels = row(3, "x", " hunter2") + &row(4, "", " -aaaa") + &row(5, "", " yyyy-zz");
        assert!(hits(&[&panels]).is_empty(), "three rows are more than is searched");
        let panels = row(3, "xhunter2-a", "something") + &row(4, "aaa yyyy-z", "else");
        assert!(hits(&[&panels]).is_empty(), "it is cut");
        let wide = format!("\u{1b}[1;1H{:>40}{}", "token=hunter2-", "aaaa yyyy-zzzz and more");
        assert_eq!(hits(&[&wide]), ["probe_token: 0.4 s into session.cast, row 1"]);
        let walls = |n: u32, a: &str| format!("\u{1b}[{n};1H│ {a:<16} │ of another panel │");
        let two = walls(2, "is hunter2-aaaa") + &walls(3, "yyyy-zzzz");
        assert_eq!(hits(&[&two]), ["probe_token: 0.4 s into session.cast, row 2"]);
        let broken = walls(2, "hunter2-aaaa yyy") + &walls(3, "y-zzzz");
        assert_eq!(hits(&[&broken]), ["probe_token: 0.4 s into session.cast, row 2"]);
    }

    #[test]
    fn what_is_painted_over_in_the_same_frame_was_there_all_the_same() {
        let frame = "\u{1b}[1;1Hhunter2-aaaa yyyy-zzzz\u{1b}[2J";
        assert_eq!(hits(&[frame]), ["probe_token: 0.4 s into session.cast, as it was written"]);
    }

    #[test]
    fn a_stand_in_is_no_hit_and_many_hits_are_told_once() {
        assert!(hits(&["[redacted:probe_token] https://[redacted:userinfo]@host"]).is_empty());
        let line = "hunter2-aaaa yyyy-zzzz";
        let said = hits(&[line, "\u{1b}[2J", &format!("\u{1b}[1;1H{line}")]);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(!format!("{said:?}").contains("hunter2"));
    }

    #[test]
    fn a_finished_recording_is_searched_across_a_change_of_size() {
        let mut cast = cast::Header {
            version: 2,
            width: 40,
            height: 6,
            timestamp: 0,
            title: String::new(),
            env: Default::default(),
        }
        .line();
        let at = std::time::Duration::from_secs;
        cast += &cast::line(at(1), cast::OUTPUT, "hello");
        cast += &cast::line(at(2), cast::RESIZE, "80x24");
        cast += &cast::line(at(3), cast::OUTPUT, "\u{1b}[20;50Hhunter2-aaaa yyyy-zzzz");
        let found = scan(cast.as_bytes(), &mask());
        assert_eq!(found.last().unwrap().place.as_str(), "3.0 s into session.cast, row 20");
    }
}
