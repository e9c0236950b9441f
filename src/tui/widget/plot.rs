//! A plot of two series on one time axis, written into the buffer as braille.
//!
//! A column of dots is a bucket of whole seconds that begins at a multiple of its length since the
//! run began, and the window moves by whole cells: a calm line leaves nearly every cell as it was,
//! and few bytes cross a slow line. Blue is a thin line and Green a thick one, so that they can be
//! told apart without colour; where both pass through a cell, it has Green's. What goes over the
//! top is clipped and labelled with its value; a gap is a gap.

use super::ink::{Ink, width};
use crate::units::Millis;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// The time axis that plots and strips share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// Seconds in a column of dots.
    pub bucket: u64,
    /// First second that is drawn. It may be before the run began; that is kept apart.
    first_bucket: i64,
    /// Columns of cells.
    pub cells: u16,
}

impl Axis {
    /// An axis of so many cells that shows about `span` seconds up to now.
    pub fn new(cells: u16, span: u64, now: Millis) -> Self {
        let columns = u64::from(cells.max(1)) * 2;
        let bucket = ((span + columns / 2) / columns).max(1);
        // The last cell holds the present bucket; cells begin at even buckets.
        let last_cell = (now.as_secs() / bucket / 2) as i64;
        let first_bucket = (last_cell - i64::from(cells) + 1) * 2;
        Self { bucket, first_bucket, cells }
    }

    /// The seconds of a column of dots, `from..to`; nothing for what was before the run.
    pub fn seconds(&self, column: u16) -> Option<(u64, u64)> {
        let bucket = u64::try_from(self.first_bucket + i64::from(column)).ok()?;
        Some((bucket * self.bucket, (bucket + 1) * self.bucket))
    }

    /// The seconds of a cell, `from..to`.
    pub fn cell_seconds(&self, cell: u16) -> Option<(u64, u64)> {
        let (from, _) = self.seconds(cell * 2)?;
        Some((from, from + 2 * self.bucket))
    }

    /// The cell in which an instant lies, if it is on the axis.
    pub fn cell_of(&self, at: Millis) -> Option<u16> {
        let bucket = (at.as_secs() / self.bucket) as i64 - self.first_bucket;
        let cell = u16::try_from(bucket / 2).ok().filter(|_| bucket >= 0)?;
        (cell < self.cells).then_some(cell)
    }

    /// The length of the axis in seconds.
    pub const fn span(&self) -> u64 {
        self.cells as u64 * 2 * self.bucket
    }
}

/// A line: its style, how thick, and its value for the seconds `from..to`.
pub struct Line<'a> {
    /// How it looks.
    pub style: Style,
    /// Two dots high rather than one.
    pub thick: bool,
    /// Its value in a column.
    pub value: &'a dyn Fn(u64, u64) -> Option<f32>,
}

impl std::fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("thick", &self.thick).finish_non_exhaustive()
    }
}

/// What was clipped: where, and its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clipped {
    /// The column of cells.
    pub cell: u16,
    /// The largest value.
    pub value: f32,
    /// How its line looks.
    pub style: Style,
}

/// Widest plot that is drawn, in cells.
const MOST_CELLS: usize = 512;

/// Bits of a braille character, by column and row from the top.
const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Draws lines into `area`, from nought at its bottom to `top`. Lines that come later lie over
/// those before. Gives the largest value that went over the top.
pub fn draw(
    ink: &mut Ink<'_>,
    area: Rect,
    axis: &Axis,
    top: f32,
    lines: &[Line<'_>],
) -> Option<Clipped> {
    let cells = axis.cells.min(area.width).min(MOST_CELLS as u16);
    if area.height == 0 || cells == 0 || top <= 0.0 {
        return None;
    }
    let mut clipped: Option<Clipped> = None;
    for line in lines {
        let dots = area.height * 4;
        let mut previous: Option<u16> = None;
        let mut cell: Cell = Cell::default();
        for column in 0..cells * 2 {
            if column % 2 == 0 {
                cell = Cell::default();
            }
            let value = axis.seconds(column).and_then(|(from, to)| (line.value)(from, to));
            let dot = value.map(|value| {
                if value > top && clipped.is_none_or(|c| value > c.value) {
                    clipped = Some(Clipped { cell: column / 2, value, style: line.style });
                }
                ((value / top).clamp(0.0, 1.0) * f32::from(dots - 1)).round() as u16
            });
            if let Some(dot) = dot {
                let from = previous.unwrap_or(dot);
                // The stroke reaches from beside the last dot to this one.
                let (low, high) = match dot.cmp(&from) {
                    std::cmp::Ordering::Greater => (from + 1, dot),
                    std::cmp::Ordering::Less => (dot, from - 1),
                    std::cmp::Ordering::Equal => (dot, dot),
                };
                let high = if line.thick { (high + 1).min(dots - 1).max(1) } else { high };
                let low = if line.thick && low == dots - 1 { low - 1 } else { low };
                cell.stroke(column % 2, low, high);
            }
            previous = dot;
            if column % 2 == 1 {
                cell.put(ink, area, column / 2, line);
            }
        }
    }
    clipped
}

/// One column of cells while it is drawn: the bits of each row that has any.
#[derive(Default)]
struct Cell {
    bits: [u8; ROWS],
}

/// Tallest plot that is drawn, in rows.
const ROWS: usize = 32;

impl Cell {
    fn stroke(&mut self, side: u16, low: u16, high: u16) {
        for dot in low..=high {
            if let Some(bits) = self.bits.get_mut(usize::from(dot / 4)) {
                *bits |= BITS[usize::from(side)][3 - usize::from(dot % 4)];
            }
        }
    }

    fn put(&self, ink: &mut Ink<'_>, area: Rect, cell: u16, line: &Line<'_>) {
        for row in 0..area.height.min(ROWS as u16) {
            let bits = self.bits[usize::from(row)];
            if bits == 0 {
                continue;
            }
            let ch = match (ink.ascii(), line.thick) {
                (true, true) => '#',
                (true, false) => '-',
                (false, _) => char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' '),
            };
            ink.dot(area.x + cell, area.bottom() - 1 - row, ch, line.style);
        }
    }
}

/// Draws the horizontal line of a limit that lies at `share` of the height.
pub fn limit(ink: &mut Ink<'_>, area: Rect, share: f32, style: Style) -> Option<u16> {
    if area.height == 0 {
        return None;
    }
    let dot = (share.clamp(0.0, 1.0) * f32::from(area.height * 4 - 1)).round() as u16;
    let y = area.bottom() - 1 - (dot / 4).min(area.height - 1);
    ink.run(area.x, y, area.width, '┈', style);
    Some(y)
}

/// Draws the marks of switches as dotted verticals and writes each one's label on the row `y`
/// below, the newest first; a label that has no room is left out.
pub fn marks(
    ink: &mut Ink<'_>,
    area: Rect,
    axis: &Axis,
    switches: &[(Millis, u8)],
    label_row: Rect,
    style: Style,
) {
    let mut free_until = label_row.right();
    for (at, green) in switches.iter().rev() {
        let Some(cell) = axis.cell_of(*at) else { continue };
        let x = area.x + cell;
        for y in area.top()..area.bottom() {
            ink.dot(x, y, '┆', style);
        }
        let label = format!("{green} %");
        let columns = width(&label);
        let start = x.saturating_sub(columns / 2).min(free_until.saturating_sub(columns));
        if start >= label_row.left() && start + columns <= free_until {
            ink.text(label_row, start, label_row.y, &label, style);
            free_until = start.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::buffer::Buffer;

    fn plot(now: u64, value: impl Fn(u64, u64) -> Option<f32>) -> (Vec<String>, Option<Clipped>) {
        let mut buf = Buffer::empty(Rect::new(0, 0, 8, 2));
        let area = buf.area;
        let axis = Axis::new(8, 16, Millis::secs(now));
        let line = Line { style: Style::new(), thick: false, value: &value };
        let clipped = draw(
            &mut Ink::new(&mut buf, ratatui::style::Style::new(), false),
            area,
            &axis,
            7.0,
            &[line],
        );
        let cells: Vec<&str> = buf.content().iter().map(|cell| cell.symbol()).collect();
        (cells.chunks(8).map(<[&str]>::concat).collect(), clipped)
    }

    #[test]
    fn a_calm_line_does_not_change_while_the_window_moves() {
        let calm = |_, _| Some(0.0);
        assert_eq!(plot(100, calm), plot(104, calm));
        assert_eq!(plot(101, calm).0[1], "⣀⣀⣀⣀⣀⣀⣀⣀");
    }

    #[test]
    fn what_was_before_the_run_and_what_was_not_measured_is_empty() {
        let (rows, _) = plot(7, |from, _| (from != 2).then_some(0.0));
        assert_eq!(rows[1], "    ⣀⢀⣀⣀");
    }

    #[test]
    fn what_goes_over_the_top_is_clipped_and_said() {
        let (rows, clipped) = plot(15, |from, _| Some(if from == 8 { 60.0 } else { 0.0 }));
        let clipped = clipped.unwrap();
        assert_eq!((clipped.cell, clipped.value), (4, 60.0));
        assert_ne!(rows[0].chars().nth(4), Some(' '));
    }

    #[test]
    fn the_window_moves_by_whole_cells() {
        let axis = |s| Axis::new(10, 40, Millis::secs(s));
        assert_eq!(axis(100).bucket, 2);
        assert_eq!(axis(100), axis(103));
        assert_ne!(axis(103), axis(104));
        assert_eq!(axis(100).cell_of(Millis::secs(100)), Some(9), "now is in the last cell");
        assert_eq!(axis(100).cell_of(Millis::secs(10)), None);
    }
}
