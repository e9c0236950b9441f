//! Reading theme files.
//!
//! A theme that is half understood would hide a meaning, so every meaning must be there and every
//! unknown key is an error that names the nearest known one.

use super::Theme;
use ratatui::style::{Color, Modifier, Style};
use std::path::Path;
use std::str::FromStr;

/// The themes that are built in, by name.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    ("colour-blind", include_str!("../../../themes/colour-blind.toml")),
    ("mono", include_str!("../../../themes/mono.toml")),
];

/// Why a theme cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("theme {theme}: {cause}\n  hint: {hint}")]
pub struct ThemeError {
    /// Which theme: its name or its path.
    pub theme: String,
    /// What is wrong.
    pub cause: String,
    /// The next move.
    pub hint: String,
}

/// The built-in theme of this name.
pub fn built_in(name: &str) -> Result<Theme, ThemeError> {
    let found = BUILT_IN.iter().find(|(known, _)| *known == name);
    let (_, source) = found.ok_or_else(|| ThemeError {
        theme: name.to_owned(),
        cause: "there is no such theme".to_owned(),
        hint: format!("one of {}, or a path to a theme file", names()),
    })?;
    parse(name, source)
}

/// The theme in a file.
pub fn file(path: &Path) -> Result<Theme, ThemeError> {
    let name = path.display().to_string();
    let source = std::fs::read_to_string(path).map_err(|error| ThemeError {
        theme: name.clone(),
        cause: format!("cannot be read: {error}"),
        hint: format!("one of {}, or a path to a theme file", names()),
    })?;
    parse(&name, &source)
}

fn names() -> String {
    BUILT_IN.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// Reads a theme from the text of its file.
fn parse(theme: &str, source: &str) -> Result<Theme, ThemeError> {
    let fail = |cause: String, hint: String| ThemeError { theme: theme.to_owned(), cause, hint };
    let root: toml::Table = source.parse().map_err(|error: toml::de::Error| {
        fail(format!("is no TOML: {}", error.message()), "mend the file".to_owned())
    })?;
    let known = |key: &str, of: &[&str], place: &str| -> Result<(), ThemeError> {
        if of.contains(&key) {
            return Ok(());
        }
        Err(fail(format!("unknown key {key:?} {place}"), suggestion(key, of)))
    };
    for key in root.keys() {
        known(key, &["name", "palette", "styles"], "at the top")?;
    }
    let empty = toml::Table::new();
    let table = |key: &str| root.get(key).and_then(toml::Value::as_table).unwrap_or(&empty);
    let colour = |word: &str, place: &str| -> Result<Color, ThemeError> {
        let value = table("palette").get(word).and_then(toml::Value::as_str).unwrap_or(word);
        Color::from_str(value).map_err(|_| {
            let names: Vec<&str> = table("palette").keys().map(String::as_str).collect();
            fail(format!("{place}: {word:?} is no colour"), suggestion(word, &names))
        })
    };
    let mut read = Theme::default();
    for (role, spec) in table("styles") {
        known(role, Theme::ROLES, "in [styles]")?;
        let spec = spec.as_table().ok_or_else(|| {
            fail(format!("{role} is no table"), format!("write {role} = {{ fg = \"red\" }}"))
        })?;
        let mut style = Style::new();
        for (key, value) in spec {
            known(key, &["fg", "bg", "mods"], &format!("in {role}"))?;
            match (key.as_str(), value) {
                ("fg", toml::Value::String(word)) => style = style.fg(colour(word, role)?),
                ("bg", toml::Value::String(word)) => style = style.bg(colour(word, role)?),
                ("mods", toml::Value::Array(words)) => {
                    for word in words {
                        let word = word.as_str().unwrap_or_default();
                        let modifier = modifier(word).ok_or_else(|| {
                            fail(format!("{role}: {word:?} is no modifier"), suggestion(word, MODS))
                        })?;
                        style = style.add_modifier(modifier);
                    }
                }
                _ => {
                    return Err(fail(
                        format!("{role}: {key} has the wrong type"),
                        "fg and bg are strings, mods is a list of strings".to_owned(),
                    ));
                }
            }
        }
        read.set(role, style);
    }
    match Theme::ROLES.iter().find(|role| !table("styles").contains_key(**role)) {
        Some(missing) => Err(fail(
            format!("{missing} is missing from [styles]"),
            format!("write {missing} = {{}} for the plain look"),
        )),
        None => Ok(read),
    }
}

const MODS: &[&str] = &["bold", "dim", "italic", "underline", "reverse"];

fn modifier(word: &str) -> Option<Modifier> {
    Some(match word {
        "bold" => Modifier::BOLD,
        "dim" => Modifier::DIM,
        "italic" => Modifier::ITALIC,
        "underline" => Modifier::UNDERLINED,
        "reverse" => Modifier::REVERSED,
        _ => return None,
    })
}

fn suggestion(word: &str, known: &[&str]) -> String {
    let near = known.iter().min_by_key(|candidate| strsim::levenshtein(word, candidate));
    match near {
        Some(near) if strsim::levenshtein(word, near) <= 3 => format!("did you mean {near:?}?"),
        _ => format!("known: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_that_ships_can_be_loaded() {
        for (name, _) in BUILT_IN {
            built_in(name).unwrap_or_else(|error| panic!("{error}"));
        }
        assert!(built_in("drak").unwrap_err().hint.contains("dark"));
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_its_neighbour() {
        let (_, dark) = BUILT_IN[0];
        let broken = |from: &str, to: &str| parse("mine", &dark.replace(from, to)).unwrap_err();
        let error = broken("headline_good =", "headline_goood =");
        assert!(error.cause.contains("headline_goood"), "{error}");
        assert!(error.hint.contains("headline_good"), "{error}");
        assert!(broken("[styles]", "[style]").hint.contains("styles"));
        assert!(broken("fg = \"sky\"", "fg = \"skye\"").hint.contains("sky"));
        assert!(
            broken("mods = [\"underline\"]", "mods = [\"underlined\"]").hint.contains("underl")
        );
        assert!(
            broken("field = { mods = [\"underline\"] }", "").cause.contains("field is missing")
        );
    }
}
