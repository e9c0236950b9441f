//! How many colours a terminal shows, and the nearest of them.
//!
//! Themes are written in full colours; this brings them down once, when a theme is loaded.

use ratatui::style::Color;

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None at all, by the operator's wish.
    None,
    /// The sixteen ANSI colours.
    Sixteen,
    /// The palette of 256.
    Indexed,
    /// Any.
    Full,
}

impl Depth {
    /// What the environment says. Without a word the sixteen are safe.
    pub fn of(env: &dyn Fn(&str) -> Option<String>) -> Self {
        if env("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            return Self::None;
        }
        if matches!(env("COLORTERM").as_deref(), Some("truecolor" | "24bit")) {
            return Self::Full;
        }
        match env("TERM") {
            Some(term) if term.contains("direct") => Self::Full,
            Some(term) if term.contains("256") || term.contains("kitty") => Self::Indexed,
            _ => Self::Sixteen,
        }
    }
}

/// The sixteen as most terminals show them, in their order.
const ANSI: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 49, 49),
    (13, 188, 121),
    (229, 229, 16),
    (36, 114, 200),
    (188, 63, 188),
    (17, 168, 205),
    (229, 229, 229),
    (102, 102, 102),
    (241, 76, 76),
    (35, 209, 139),
    (245, 245, 67),
    (59, 142, 234),
    (214, 112, 214),
    (41, 184, 219),
    (255, 255, 255),
];

/// The nearest colour that a terminal of this depth shows; nothing where it shows none.
pub fn degrade(colour: Color, depth: Depth) -> Option<Color> {
    match (colour, depth) {
        (_, Depth::None) => None,
        (Color::Rgb(r, g, b), Depth::Indexed) => Some(Color::Indexed(indexed((r, g, b)))),
        (Color::Rgb(r, g, b), Depth::Sixteen) => Some(Color::Indexed(nearest(&ANSI, (r, g, b)))),
        (Color::Indexed(i @ 16..), Depth::Sixteen) => {
            Some(Color::Indexed(nearest(&ANSI, of_index(i))))
        }
        (other, _) => Some(other),
    }
}

/// The colour of an index from 16 up: a cube of six levels, then 24 greys.
const fn of_index(index: u8) -> (u8, u8, u8) {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    if index >= 232 {
        let grey = 8 + (index - 232) * 10;
        return (grey, grey, grey);
    }
    let i = (index - 16) as usize;
    (LEVELS[i / 36], LEVELS[i / 6 % 6], LEVELS[i % 6])
}

fn indexed(rgb: (u8, u8, u8)) -> u8 {
    (16..=255).min_by_key(|&i| distance(of_index(i), rgb)).unwrap_or(15)
}

fn nearest(of: &[(u8, u8, u8)], rgb: (u8, u8, u8)) -> u8 {
    let best = of.iter().enumerate().min_by_key(|(_, c)| distance(**c, rgb));
    best.map_or(7, |(i, _)| i as u8)
}

/// Squared distance, weighted as the eye weighs the three.
fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let part = |x: u8, y: u8, weight: u32| u32::from(x.abs_diff(y)).pow(2) * weight;
    part(a.0, b.0, 3) + part(a.1, b.1, 4) + part(a.2, b.2, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_shown_stays_and_the_rest_goes_to_its_neighbour() {
        assert_eq!(degrade(Color::Red, Depth::Sixteen), Some(Color::Red));
        assert_eq!(degrade(Color::Rgb(255, 0, 0), Depth::Full), Some(Color::Rgb(255, 0, 0)));
        assert_eq!(degrade(Color::Rgb(255, 0, 0), Depth::Indexed), Some(Color::Indexed(196)));
        assert_eq!(degrade(Color::Rgb(250, 80, 80), Depth::Sixteen), Some(Color::Indexed(9)));
        assert_eq!(degrade(Color::Rgb(1, 2, 3), Depth::None), None);
    }
}
