//! What the operator is asked after a flight, before anything of the answer is shown: three lines
//! of their own, how sure they were, and what told them.
//!
//! Whatever is not answered stays empty and counts as not said.

use super::Sortie;
use crate::clean::Clean;
use crate::drill::debrief::{OwnAccount, QUESTIONS};
use crate::drill::score::Sureness;
use crate::drill::words::SIGNALS;
use crate::plain::{self, Typed};
use crate::tui::hangar::Pages;
use crate::tui::hangar::form::{Field, Form};
use crate::tui::hangar::frame::Frame;
use color_eyre::eyre::Report;
use std::time::Duration;

/// Nothing told it.
const NOTHING: &str = "nothing did";

/// What was answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    /// The three lines.
    pub account: OwnAccount,
    /// How sure, and what told it.
    pub sure: Sureness,
}

fn choices() -> Vec<String> {
    let named = SIGNALS.iter().map(|(words, _)| (*words).to_owned());
    named.chain([NOTHING.to_owned()]).collect()
}

fn signal(words: &str) -> Option<String> {
    let is_it = |known: &str| known.eq_ignore_ascii_case(words);
    let known = SIGNALS.iter().find(|(known, name)| is_it(known) || is_it(name));
    known.map(|(_, name)| (*name).to_owned())
}

/// From figures to a share; what is below 50 or above 100 is taken as the nearest of them.
fn confidence(figures: &str) -> Option<f64> {
    let percent: f64 = figures.trim().trim_end_matches('%').trim().parse().ok()?;
    Some(percent.clamp(50.0, 100.0) / 100.0)
}

const HOW_SURE: &str = "How sure were you of your call? 50 to 100 %";
const WHAT_TOLD: &str = "What told you?";

fn answers(lines: &[String]) -> Answers {
    let line = |place: usize| {
        let text = lines.get(place).map_or("", |line| line.trim());
        Clean::new(text).as_str().to_owned()
    };
    Answers {
        account: OwnAccount { what: line(0), when: line(1), again: line(2) },
        sure: Sureness { confidence: confidence(&line(3)), telling: signal(&line(4)) },
    }
}

/// Asks on the screen. Whoever leaves half-way has answered so far.
///
/// # Errors
/// The terminal is gone.
pub fn on_screen(pages: &mut Pages, sortie: &Sortie) -> Result<Answers, Report> {
    let keys = [("Enter", "next"), ("Shift-Tab", "back"), ("Esc", "that is all")];
    let frame = Frame::new("DRILL", &sortie.name(), "your account, before anything is told", &keys);
    let mut fields: Vec<Field> = QUESTIONS.iter().map(|asks| Field::line(asks)).collect();
    fields.push(Field { figures: true, ..Field::line(HOW_SURE) });
    fields.push(Field { choices: choices(), ..Field::line(WHAT_TOLD) });
    let lead = "You first: a line each, in your own words. It is kept with the flight, and nobody \
                marks the words; how sure you were is weighed against how it was.";
    let mut form = Form::new(frame, lead, fields);
    pages.show(&mut form)?;
    let lines: Vec<String> = form.fields.into_iter().map(|field| field.answer).collect();
    Ok(answers(&lines))
}

/// Asks in lines, of whoever is at standard input.
pub fn in_lines() -> Answers {
    let mut lines = Vec::new();
    let told = choices().join(", ");
    let asked = QUESTIONS.iter().map(|asks| (*asks).to_owned());
    let asked = asked.chain([HOW_SURE.to_owned(), format!("{WHAT_TOLD} One of: {told}")]);
    for asks in asked {
        let _ = crate::app::print(format!("?  {asks}\n").as_bytes());
        match line() {
            Some(line) => lines.push(line),
            None => break,
        }
    }
    answers(&lines)
}

/// The next line that is typed; nothing where nobody types any more.
pub fn line() -> Option<String> {
    loop {
        match plain::typed(Duration::from_secs(1)) {
            Typed::Line(line) => return Some(line),
            Typed::Nothing => {}
            Typed::Ended => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::scenario;

    #[test]
    fn what_tells_any_scenario_can_be_named() {
        for name in scenario::builtin() {
            let telling = scenario::load_answer(name).unwrap().truth.telling_signal;
            let named = |(_, own): &(&str, &str)| {
                telling
                    .iter()
                    .any(|t| t == own || t.split_once('.').is_some_and(|(_, t)| t == *own))
            };
            assert!(telling.is_empty() || SIGNALS.iter().any(named), "{name}: {telling:?}");
        }
    }

    #[test]
    fn what_was_not_said_is_not_made_up() {
        assert_eq!(answers(&[]), Answers::default());
        let said = ["pool", "late", "the sum", "80 %", "Errors on Blue"].map(str::to_owned);
        let said = answers(&said);
        assert_eq!(said.sure.confidence, Some(0.8));
        assert_eq!(said.sure.telling.as_deref(), Some("blue.error_rate"));
        assert_eq!(
            (confidence("7"), confidence("x"), confidence("200")),
            (Some(0.5), None, Some(1.0))
        );
    }
}
