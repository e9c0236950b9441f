//! The bar that shows the split: Blue solid, Green shaded, the border between them where the
//! router reports it.

use super::ink::Ink;
use crate::tui::theme::Theme;
use ratatui::layout::Rect;

/// Draws a row of `area`: as much of it shaded as `green` percent. Whoever has any share has at
/// least one column, and whoever has none has none.
pub fn split(ink: &mut Ink<'_>, area: Rect, green: u8, theme: &Theme) {
    let columns = area.width;
    let exact = (u32::from(columns) * u32::from(green) + 50) / 100;
    let mut shaded = u16::try_from(exact).unwrap_or(columns).min(columns);
    if green > 0 && columns > 1 {
        shaded = shaded.max(1);
    }
    if green < 100 && columns > 1 {
        shaded = shaded.min(columns - 1);
    }
    ink.run(area.x, area.y, columns - shaded, '█', theme.blue);
    ink.run(area.x + columns - shaded, area.y, shaded, '▒', theme.green);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::buffer::Buffer;

    #[test]
    fn one_percent_is_seen_and_none_is_not() {
        let theme = Theme::default();
        let shaded = |green| {
            let mut buf = Buffer::empty(Rect::new(0, 0, 20, 1));
            let area = buf.area;
            split(
                &mut Ink::new(&mut buf, ratatui::style::Style::new(), false),
                area,
                green,
                &theme,
            );
            buf.content().iter().filter(|cell| cell.symbol() == "▒").count()
        };
        assert_eq!([0, 1, 50, 99, 100].map(shaded), [0, 1, 10, 19, 20]);
    }
}
