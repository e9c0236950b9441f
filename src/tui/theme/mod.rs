//! Themes: what a meaning looks like.
//!
//! Views ask for a meaning (`theme.bad`), never for a colour. A theme is a TOML file: a palette of
//! names and one style for each meaning. Four are built in; any file in the same form can be given
//! instead. What the terminal cannot show is brought down to what it can when the theme is loaded,
//! so that no view ever asks about the terminal.

mod depth;
mod load;

pub use depth::{Depth, degrade};
pub use load::{BUILT_IN, ThemeError, built_in};

use crate::runbook::record::Tone;
use crate::runbook::snapshot::Kind;
use crate::units::Role;
use ratatui::style::Style;
use std::path::PathBuf;

/// Which theme the operator wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ThemeChoice {
    /// What the environment suggests: `NO_COLOR` is mono, a light `COLORFGBG` is light, else dark.
    #[default]
    Auto,
    /// One of the built-in themes, by name.
    Named(String),
    /// A file in the form of the built-in ones.
    File(PathBuf),
}

impl ThemeChoice {
    /// What a person may give after `--theme`: a built-in name, or else a path.
    pub fn from_word(word: &str) -> Self {
        if word == "auto" {
            Self::Auto
        } else if BUILT_IN.iter().any(|(name, _)| *name == word) {
            Self::Named(word.to_owned())
        } else {
            Self::File(PathBuf::from(word))
        }
    }

    /// Loads it, for what the environment says that the terminal can show.
    pub fn load(&self, env: &dyn Fn(&str) -> Option<String>) -> Result<Theme, ThemeError> {
        let depth = Depth::of(env);
        let name = match self {
            // A person who set NO_COLOR and then names a theme gets the theme's shapes at most:
            // the wish for no colour stands above.
            _ if depth == Depth::None => "mono",
            Self::Auto if light_terminal(env) => "light",
            Self::Auto => "dark",
            Self::Named(name) => name,
            Self::File(path) => return Ok(load::file(path)?.degraded(depth)),
        };
        Ok(built_in(name)?.degraded(depth))
    }
}

/// Whether the terminal says that its ground is light: `COLORFGBG` is `foreground;background`.
fn light_terminal(env: &dyn Fn(&str) -> Option<String>) -> bool {
    let ground = env("COLORFGBG").and_then(|v| v.rsplit(';').next()?.parse::<u8>().ok());
    matches!(ground, Some(7 | 15))
}

macro_rules! theme {
    ($($(#[$doc:meta])* $role:ident),+ $(,)?) => {
        /// A style for each meaning on the screen.
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct Theme {
            $($(#[$doc])* pub $role: Style,)+
        }

        impl Theme {
            /// The names of all meanings, as they stand in a theme file.
            pub const ROLES: &[&str] = &[$(stringify!($role)),+];

            fn set(&mut self, role: &str, style: Style) {
                match role {
                    $(stringify!($role) => self.$role = style,)+
                    _ => {}
                }
            }

            fn each(&mut self, change: impl Fn(&mut Style)) {
                $(change(&mut self.$role);)+
            }
        }
    };
}

theme! {
    /// Everything that has no other meaning; also the ground.
    text,
    /// What is there for reference.
    dim,
    /// Borders of panels.
    border,
    /// Titles of panels.
    title,
    /// Blue: its bar, its line.
    blue,
    /// Green: its bar, its line.
    green,
    /// Good news.
    good,
    /// Worth a look.
    warn,
    /// Bad news.
    bad,
    /// Unknown, stale, too few: never as if it were good.
    unknown,
    /// Keys in footer and help.
    key,
    /// The rollback key.
    rollback,
    /// The badge of a deploy.
    deploy,
    /// The badge of a drill.
    drill,
    /// The badge of a rehearsal.
    rehearsal,
    /// The headline, when all is well.
    headline_good,
    /// The headline, when nothing is to be said about how it goes.
    headline_plain,
    /// The headline, when something is worth a look.
    headline_warn,
    /// The headline, when it is bad.
    headline_bad,
    /// The line of a limit in a plot.
    limit,
    /// The mark of a switch in a plot.
    mark,
    /// The ground of an overlay.
    overlay,
    /// A text field.
    field,
}

impl Theme {
    /// The style of a tone.
    pub const fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::Good => self.good,
            Tone::Plain => self.text,
            Tone::Warn => self.warn,
            Tone::Bad => self.bad,
        }
    }

    /// The style of the headline.
    pub const fn headline(&self, tone: Tone) -> Style {
        match tone {
            Tone::Good => self.headline_good,
            Tone::Plain => self.headline_plain,
            Tone::Warn => self.headline_warn,
            Tone::Bad => self.headline_bad,
        }
    }

    /// The style of a role.
    pub const fn role(&self, role: Role) -> Style {
        match role {
            Role::Blue => self.blue,
            Role::Green => self.green,
        }
    }

    /// The style of the badge that says what kind of run this is.
    pub const fn badge(&self, kind: Kind) -> Style {
        match kind {
            Kind::Deploy => self.deploy,
            Kind::Drill => self.drill,
            Kind::Rehearsal => self.rehearsal,
        }
    }

    /// The same meanings in what a terminal of this depth can show.
    pub fn degraded(mut self, depth: Depth) -> Self {
        self.each(|style| {
            style.fg = style.fg.and_then(|colour| degrade(colour, depth));
            style.bg = style.bg.and_then(|colour| degrade(colour, depth));
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Color;

    fn theme(vars: &[(&str, &str)]) -> Theme {
        let env = |name: &str| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        ThemeChoice::Auto.load(&env).unwrap()
    }

    #[test]
    fn no_color_means_that_no_colour_is_left_anywhere() {
        let mut mono = theme(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]);
        mono.each(|style| assert_eq!((style.fg, style.bg), (None, None)));
        let empty = theme(&[("NO_COLOR", ""), ("COLORTERM", "truecolor")]);
        assert!(empty.bad.fg.is_some(), "an empty NO_COLOR is not set");
    }

    #[test]
    fn the_environment_chooses_dark_or_light_and_the_depth() {
        let dark = theme(&[("COLORTERM", "truecolor")]);
        assert!(matches!(dark.blue.fg, Some(Color::Rgb(..))));
        assert_eq!(dark.text.bg, None, "dark leaves the ground alone");
        let light = theme(&[("COLORTERM", "truecolor"), ("COLORFGBG", "0;15")]);
        assert!(light.text.bg.is_some());
        assert!(matches!(
            theme(&[("TERM", "xterm-256color")]).blue.fg,
            Some(Color::Indexed(16..=255))
        ));
        let sixteen = theme(&[("TERM", "linux")]);
        assert!(matches!(sixteen.blue.fg, Some(Color::Indexed(0..=15))), "{:?}", sixteen.blue);
    }

    #[test]
    fn a_word_is_a_theme_or_a_path() {
        assert_eq!(ThemeChoice::from_word("mono"), ThemeChoice::Named("mono".to_owned()));
        assert_eq!(ThemeChoice::from_word("./my.toml"), ThemeChoice::File("./my.toml".into()));
    }
}
