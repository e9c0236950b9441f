//! What the views that scroll have in common: long lines broken, the end in sight, and where one is.
//!
//! ```text
//! ╭ Log ──────────────────────────────────── 41-60 of 128 · End: newest ╮
//! ```
//!
//! They are read from their end, for what happened last is what is asked for first.

use crate::text;
use crate::tui::screen::{Scrolled, Seen};
use crate::tui::widget::wrap::wrapped;

/// The rows of a view of so many columns and rows that are in sight.
#[derive(Debug)]
pub struct Window<'a> {
    /// Which line a row is of, which of its rows it is, and its words.
    pub rows: Vec<(usize, usize, &'a str)>,
    /// Where one is, in words.
    pub place: String,
    /// What there is to scroll.
    pub scrolled: Scrolled,
}

/// Finds what is in sight of `lines`, each broken to so many columns.
pub fn window<'a>(
    lines: impl DoubleEndedIterator<Item = &'a str> + ExactSizeIterator,
    columns: u16,
    page: usize,
    seen: &Seen<'_>,
) -> Window<'a> {
    let mut rows: Vec<(usize, usize, &str)> = Vec::with_capacity(lines.len());
    for (number, line) in lines.enumerate() {
        let broken = wrapped(line, columns).into_iter().enumerate();
        rows.extend(broken.map(|(part, words)| (number, part, words)));
    }
    let all = rows.len();
    let below = seen.scene.ui.below(all, page);
    let end = all - below;
    let start = end.saturating_sub(page);
    let place = match (start, below) {
        _ if all == 0 => "nothing yet".to_owned(),
        (0, 0) => text::count(all as u64, "line"),
        (_, 0) => format!("{}-{end} of {all} · the end · Up, PgUp", start + 1),
        _ => format!("{}-{end} of {all} · End: the newest", start + 1),
    };
    Window {
        rows: rows.drain(start..end).collect(),
        place,
        scrolled: Scrolled { lines: all, page },
    }
}
