//! The keys, in groups, over the screen; printed from the same table as everything else.

use crate::tui::keymap::{self, Binding, Group};
use crate::tui::screen::{Scrolled, Seen};
use crate::tui::widget::ink::Ink;
use crate::tui::widget::panel;
use crate::tui::widget::wrap::wrapped;
use ratatui::layout::Rect;

/// What a stamp says that no key does.
const BAND: &str = "users back in band: for 10 s, with at least 3 of Blue's users, no limit is \
                    exceeded";

/// Columns before the words of a key.
const MARGIN: u16 = 16;

/// A row of the help: a key, if it begins one, and words.
enum Row {
    Title(&'static str),
    Key(String, String),
    Words(String),
}

fn lines(table: &[Binding], columns: u16, spaced: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let there = |group: &&Group| table.iter().any(|binding| binding.group == **group);
    for (i, group) in Group::ALL.iter().filter(there).enumerate() {
        if i > 0 && spaced {
            rows.push(Row::Words(String::new()));
        }
        rows.push(Row::Title(group.title()));
        for binding in table.iter().filter(|binding| binding.group == *group) {
            let keys: Vec<String> = binding.keys.iter().map(ToString::to_string).collect();
            let mut words = wrapped(binding.what, columns.saturating_sub(MARGIN)).into_iter();
            rows.push(Row::Key(keys.join(" "), words.next().unwrap_or("").to_owned()));
            rows.extend(words.map(|words| Row::Words(words.to_owned())));
        }
        if *group == Group::Back {
            let words = wrapped(BAND, columns.saturating_sub(MARGIN));
            rows.extend(words.into_iter().map(|words| Row::Words(words.to_owned())));
        }
    }
    rows
}

/// Draws the keys in the middle of `body`.
pub fn draw(ink: &mut Ink<'_>, body: Rect, seen: &Seen<'_>) -> Scrolled {
    let theme = seen.theme;
    let columns = 92.min(body.width);
    let inside = columns.saturating_sub(2);
    let table = keymap::table(seen.scene.ui.mode(Some(seen.snapshot)));
    let mut all = lines(table, inside, true);
    if all.len() + 2 > usize::from(body.height) {
        all = lines(table, inside, false);
    }
    let rows = u16::try_from(all.len() + 2).unwrap_or(u16::MAX).min(body.height);
    let (area, inner) = panel::overlay(ink, body, (columns, rows), theme.title, theme);
    let page = usize::from(inner.height);
    let scroll = seen.scene.ui.scroll.min(all.len().saturating_sub(page));
    let remark = if scroll + page < all.len() { "Down: more" } else { "Esc closes" };
    panel::head(ink, area, &[("Keys", theme.title)], (remark, theme.dim));
    for (row, line) in all.iter().skip(scroll).take(page).enumerate() {
        let mut pen = ink.line(inner, row as u16);
        match line {
            Row::Title(title) => pen.say(&format!(" {title}"), theme.title),
            Row::Key(keys, words) => {
                pen.gap(3).say(&format!("{keys:<12}"), theme.key).gap(1).say(words, theme.text)
            }
            Row::Words(words) => pen.gap(MARGIN).say(words, theme.text),
        };
    }
    Scrolled { lines: all.len(), page }
}
