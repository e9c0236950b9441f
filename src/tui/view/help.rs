//! The keys, in groups, over the screen; printed from the same table as everything else.

use crate::tui::keymap::{BINDINGS, Group};
use crate::tui::screen::{Scrolled, Seen};
use crate::tui::widget::ink::Ink;
use crate::tui::widget::panel;
use ratatui::layout::Rect;

/// Draws the keys in the middle of `body`.
pub fn draw(ink: &mut Ink<'_>, body: Rect, seen: &Seen<'_>) -> Scrolled {
    let theme = seen.theme;
    let tight = BINDINGS.len() + Group::ALL.len();
    let roomy = tight + Group::ALL.len() - 1;
    let spaced = roomy + 2 <= usize::from(body.height);
    let all = if spaced { roomy } else { tight };
    let rows = u16::try_from(all + 2).unwrap_or(u16::MAX).min(body.height);
    let columns = 92.min(body.width);
    let area = Rect::new(
        body.x + (body.width - columns) / 2,
        body.y + (body.height - rows) / 2,
        columns,
        rows,
    );
    ink.clear(area, theme.text.patch(theme.overlay));
    let inner = panel::framed(ink, area, theme.title);
    let page = usize::from(inner.height);
    let scroll = seen.scene.ui.scroll.min(all.saturating_sub(page));
    let remark = if scroll + page < all { "more below" } else { "Esc closes" };
    panel::head(ink, area, &[("Keys", theme.title)], (remark, theme.dim));
    let mut row = 0;
    let mut place = || {
        row += 1;
        (row - 1_usize).checked_sub(scroll).filter(|row| *row < page).map(|row| row as u16)
    };
    for (i, group) in Group::ALL.iter().enumerate() {
        if i > 0 && spaced {
            place();
        }
        if let Some(at) = place() {
            ink.line(inner, at).say(&format!(" {}", group.title()), theme.title);
        }
        for binding in BINDINGS.iter().filter(|binding| binding.group == *group) {
            let Some(at) = place() else { continue };
            let keys: Vec<String> = binding.keys.iter().map(ToString::to_string).collect();
            let mut pen = ink.line(inner, at);
            pen.gap(3).say(&format!("{:<12}", keys.join(" ")), theme.key);
            pen.say(binding.what, theme.text);
        }
    }
    Scrolled { lines: all, page }
}
