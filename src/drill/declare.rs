//! What an operator of a drill says in the words of a note: a mark, a declaration, a look at an
//! item of evidence, a wish for a hint.
//!
//! The cockpit has a key for a note and needs no new one: a note that begins with `mark`, with
//! `declare:`, `look:` or `ask:`, or that is `hint`, is read here, and stays a note for everybody
//! else. Whoever puts a
//! button on the screen sends the note that [`declare`] or [`look`] writes.

use crate::clean::Clean;
use crate::lab::Errand;
use crate::lab::scenario::answer::Declares;
use serde::{Deserialize, Serialize};

/// What a note says to a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Something was noticed.
    Mark(String),
    /// An act is declared.
    Declare(Declares),
    /// A declaration that no act is known by, as it was typed.
    Unheard(String),
    /// An item of evidence is looked at, by its name.
    Look(String),
    /// The next hint is asked for.
    Hint,
    /// Somebody at the site shall do something.
    Errand(Errand),
}

/// The note that declares an act.
pub fn declare(act: Declares) -> Clean {
    Clean::new(&format!("declare: {}", act.words()))
}

/// The note that says that an item of evidence was looked at.
pub fn look(item: &str) -> Clean {
    Clean::new(&format!("look: {item}"))
}

/// The note that asks somebody at the site for something.
pub fn ask(errand: Errand) -> Clean {
    Clean::new(&format!("ask: {errand}"))
}

/// The note that says that something was noticed.
pub fn mark(what: &str) -> Clean {
    Clean::new(format!("mark {what}").trim())
}

/// The note that asks for the next hint.
pub fn hint() -> Clean {
    Clean::new("hint")
}

/// Reads a note. One that is said to nobody in particular is nothing.
pub fn read(note: &str) -> Option<Said> {
    let note = note.trim();
    let after = |word: &str| {
        let head = note.get(..word.len())?;
        head.eq_ignore_ascii_case(word).then(|| note[word.len()..].trim())
    };
    if let Some(errand) = after("ask:") {
        let read = Errand::read(errand);
        return Some(read.map_or_else(|| Said::Unheard(errand.to_owned()), Said::Errand));
    }
    if let Some(act) = after("declare:") {
        if let Some(errand) = Errand::read(act) {
            return Some(Said::Errand(errand));
        }
        return Some(act_of(act).map_or_else(|| Said::Unheard(act.to_owned()), Said::Declare));
    }
    if let Some(item) = after("look:") {
        return Some(Said::Look(item.to_owned()));
    }
    // What is answered begins with `hint 1 of`, and asks for nothing.
    if note.trim_end_matches(['?', '.', '!']).eq_ignore_ascii_case("hint") {
        return Some(Said::Hint);
    }
    let rest = after("mark")?;
    // `market day` is no mark.
    let whole = note.len() == "mark".len()
        || note["mark".len()..].starts_with(|c: char| !c.is_alphanumeric());
    whole.then(|| Said::Mark(rest.trim_start_matches([':', ',']).trim().to_owned()))
}

/// The act that these words name: its own words, its lever's name, or the beginning of the words
/// where no other act begins like it.
fn act_of(words: &str) -> Option<Declares> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', '\''], " ");
    let said = plain(words);
    if said.is_empty() {
        return None;
    }
    let exact = Declares::ALL.into_iter().find(|act| {
        let lever = act.lever().map(|lever| plain(lever.name()));
        plain(act.words()) == said || lever.as_deref() == Some(&*said)
    });
    let mut like = Declares::ALL.into_iter().filter(|act| plain(act.words()).starts_with(&said));
    exact.or_else(|| like.next().filter(|_| like.next().is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_is_understood_as_its_button_writes_it_and_by_its_lever() {
        for act in Declares::ALL {
            assert_eq!(read(declare(act).as_str()), Some(Said::Declare(act)), "{act}");
            if let Some(lever) = act.lever() {
                let typed = format!("Declare: {}", lever.name());
                assert_eq!(read(&typed), Some(Said::Declare(act)), "{typed}");
            }
        }
        assert_eq!(read("declare: pause"), Some(Said::Declare(Declares::PauseQueue)));
    }

    #[test]
    fn an_errand_is_asked_for_or_declared() {
        for words in Errand::WORDS.split(", ") {
            let errand = Errand::read(words).unwrap();
            assert_eq!(read(ask(errand).as_str()), Some(Said::Errand(errand)), "{words}");
        }
        let weight = Errand::read("weight 25").unwrap();
        assert_eq!(read("Declare: set weight 25 %"), Some(Said::Errand(weight)));
        assert_eq!(read("ask: the moon"), Some(Said::Unheard("the moon".to_owned())));
    }

    #[test]
    fn what_could_be_two_acts_is_said_back() {
        for typed in ["declare: go back", "declare:", "declare: pray"] {
            assert!(matches!(read(typed), Some(Said::Unheard(_))), "{typed}");
        }
    }

    #[test]
    fn a_mark_is_a_word_of_its_own() {
        assert_eq!(read("mark"), Some(Said::Mark(String::new())));
        assert_eq!(read("MARK: blue errors"), Some(Said::Mark("blue errors".to_owned())));
        assert_eq!(read("market day"), None);
        assert_eq!(read("looks fine"), None);
        assert_eq!(read("look: db_headroom"), Some(Said::Look("db_headroom".to_owned())));
        assert_eq!(read("ünïcode"), None);
        assert_eq!(read(hint().as_str()), Some(Said::Hint));
        assert_eq!(read(" Hint? "), Some(Said::Hint));
        assert_eq!(read("hint 1 of 2: which slot?"), None);
    }
}
