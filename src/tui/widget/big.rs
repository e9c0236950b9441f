//! Big letters, for the one thing that must be read from across the room.
//!
//! Five dots high: half blocks make three rows of them, ASCII makes five.

use super::ink::Ink;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Rows that big letters take.
pub const fn rows(ascii: bool) -> u16 {
    if ascii { 5 } else { 3 }
}

/// Whether there is a big letter for a character.
pub fn has(ch: char) -> bool {
    glyph(ch).iter().any(|row| row.contains('#'))
}

/// Columns that a text takes in big letters.
pub fn width(text: &str) -> u16 {
    let columns: usize = text.chars().map(|ch| glyph(ch)[0].len() + 1).sum();
    u16::try_from(columns.saturating_sub(1)).unwrap_or(u16::MAX)
}

/// Writes a text in big letters from the top left of `area`, clipped to it.
pub fn write(ink: &mut Ink<'_>, area: Rect, text: &str, style: Style) {
    let mut x = area.x;
    for ch in text.chars() {
        let glyph = glyph(ch);
        for column in 0..glyph[0].len() as u16 {
            if x >= area.right() {
                return;
            }
            let lit = |row: usize| {
                glyph.get(row).is_some_and(|dots| dots.as_bytes()[usize::from(column)] == b'#')
            };
            for row in 0..rows(ink.ascii()).min(area.height) {
                let at = usize::from(row);
                let dot = match (ink.ascii(), lit(at * 2), lit(at * 2 + 1), lit(at)) {
                    (true, _, _, true) => '#',
                    (false, true, true, _) => '█',
                    (false, true, false, _) => '▀',
                    (false, false, true, _) => '▄',
                    _ => continue,
                };
                ink.dot(x, area.y + row, dot, style);
            }
            x += 1;
        }
        x += 1;
    }
}

/// The dots of a letter. Letters that are not there are a blank.
const fn glyph(ch: char) -> [&'static str; 5] {
    match ch {
        'A' => [" ## ", "#  #", "####", "#  #", "#  #"],
        'B' => ["### ", "#  #", "### ", "#  #", "### "],
        'C' => [" ###", "#   ", "#   ", "#   ", " ###"],
        'D' => ["### ", "#  #", "#  #", "#  #", "### "],
        'E' => ["####", "#   ", "### ", "#   ", "####"],
        'F' => ["####", "#   ", "### ", "#   ", "#   "],
        'G' => [" ###", "#   ", "# ##", "#  #", " ###"],
        'H' => ["#  #", "#  #", "####", "#  #", "#  #"],
        'I' => ["###", " # ", " # ", " # ", "###"],
        'J' => ["  ##", "   #", "   #", "#  #", " ## "],
        'K' => ["#  #", "# # ", "##  ", "# # ", "#  #"],
        'L' => ["#   ", "#   ", "#   ", "#   ", "####"],
        'M' => ["#   #", "## ##", "# # #", "#   #", "#   #"],
        'N' => ["#  #", "## #", "# ##", "#  #", "#  #"],
        'O' => [" ## ", "#  #", "#  #", "#  #", " ## "],
        'P' => ["### ", "#  #", "### ", "#   ", "#   "],
        'Q' => [" ## ", "#  #", "#  #", "# ##", " ###"],
        'R' => ["### ", "#  #", "### ", "# # ", "#  #"],
        'S' => [" ###", "#   ", " ## ", "   #", "### "],
        'T' => ["#####", "  #  ", "  #  ", "  #  ", "  #  "],
        'U' => ["#  #", "#  #", "#  #", "#  #", " ## "],
        'V' => ["#   #", "#   #", "#   #", " # # ", "  #  "],
        'W' => ["#   #", "#   #", "# # #", "## ##", "#   #"],
        'X' => ["#  #", "#  #", " ## ", "#  #", "#  #"],
        'Y' => ["#   #", " # # ", "  #  ", "  #  ", "  #  "],
        'Z' => ["####", "  # ", " #  ", "#   ", "####"],
        '0' => [" ## ", "#  #", "#  #", "#  #", " ## "],
        '1' => [" # ", "## ", " # ", " # ", "###"],
        '2' => ["### ", "   #", " ## ", "#   ", "####"],
        '3' => ["### ", "   #", " ## ", "   #", "### "],
        '4' => ["#  #", "#  #", "####", "   #", "   #"],
        '5' => ["####", "#   ", "### ", "   #", "### "],
        '6' => [" ###", "#   ", "### ", "#  #", " ## "],
        '7' => ["####", "   #", "  # ", " #  ", " #  "],
        '8' => [" ## ", "#  #", " ## ", "#  #", " ## "],
        '9' => [" ## ", "#  #", " ###", "   #", "### "],
        '.' => [" ", " ", " ", " ", "#"],
        ':' => [" ", "#", " ", "#", " "],
        '/' => ["   #", "  # ", " #  ", "#   ", "#   "],
        _ => ["  ", "  ", "  ", "  ", "  "],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_is_as_wide_in_each_of_its_rows() {
        for ch in ('A'..='Z').chain('0'..='9').chain(['.', ':', '/', '?']) {
            let dots = glyph(ch);
            assert!(dots.iter().all(|row| row.len() == dots[0].len()), "{ch}");
        }
        assert_eq!(width("AB"), 9);
    }
}
