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
use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

fn cleaned(text: &str) -> String {
    Clean::new(text.trim()).as_str().to_owned()
}

fn answers(lines: &[String]) -> Answers {
    let line = |place: usize| cleaned(lines.get(place).map_or("", String::as_str));
    Answers {
        account: OwnAccount { what: line(0), when: line(1), again: line(2), own: Vec::new() },
        sure: Sureness { confidence: confidence(&line(3)), telling: signal(&line(4)) },
    }
}

/// Asks on the screen, the scenario's own questions after those that are always asked. Whoever
/// leaves half-way has answered so far.
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
    let mut form = Form::new(frame.clone(), lead, fields);
    let whole = pages.show(&mut form)? == Some(true);
    let lines: Vec<String> = form.fields.into_iter().map(|field| field.answer).collect();
    let mut said = answers(&lines);
    let own = own_questions(sortie);
    // Whoever has left is not asked on.
    if !whole || own.is_empty() {
        return Ok(said);
    }
    // They stand on a page of their own: some of them point at what told it.
    let lead =
        "And on this flight, before its answer is told: a line each, and none of it is marked.";
    let fields = own.iter().map(|asks| Field::line(asks)).collect();
    let mut form = Form::new(frame, lead, fields);
    pages.show(&mut form)?;
    said.account.own = form.fields.iter().map(|field| cleaned(&field.answer)).collect();
    Ok(said)
}

/// What the scenario asks besides.
fn own_questions(sortie: &Sortie) -> &[String] {
    &sortie.course.answer.debrief.ask
}

/// Asks in lines, of whoever is at standard input. Nothing where it was interrupted, and with what
/// had been answered until then.
pub fn in_lines(sortie: &Sortie) -> (Answers, bool) {
    let heard = Interrupted::listen();
    let (mut lines, mut own) = (Vec::new(), Vec::new());
    let told = choices().join(", ");
    let asked = QUESTIONS.iter().map(|asks| (*asks).to_owned());
    let asked = asked.chain([HOW_SURE.to_owned(), format!("{WHAT_TOLD} One of: {told}")]);
    let asked = asked.map(|asks| (asks, true));
    let besides = own_questions(sortie).iter().map(|asks| (asks.clone(), false));
    for (asks, always) in asked.chain(besides) {
        let _ = crate::app::print(format!("?  {asks}\n").as_bytes());
        let Some(line) = line(&heard) else { break };
        if always { lines.push(line) } else { own.push(cleaned(&line)) }
    }
    let mut said = answers(&lines);
    said.account.own = own;
    (said, heard.is_it())
}

/// Whether somebody has pressed Ctrl-C, or asked the program to end, since this was made. While a
/// run is flown its engine hears these; nobody does afterwards, and a question would wait for ever.
#[derive(Debug)]
pub struct Interrupted {
    flag: Arc<AtomicBool>,
    ids: Vec<SigId>,
}

impl Interrupted {
    /// Listens from now on.
    pub fn listen() -> Self {
        let flag = Arc::new(AtomicBool::new(false));
        let hear = |signal| signal_hook::flag::register(signal, Arc::clone(&flag)).ok();
        let ids = [SIGINT, SIGTERM, SIGHUP].into_iter().filter_map(hear).collect();
        Self { flag, ids }
    }

    /// Whether it was.
    pub fn is_it(&self) -> bool {
        self.flag.load(Ordering::Acquire)
    }
}

impl Drop for Interrupted {
    fn drop(&mut self) {
        self.ids.drain(..).for_each(|id| {
            signal_hook::low_level::unregister(id);
        });
    }
}

/// How soon an interruption is heard while nothing is typed.
const LOOK: Duration = Duration::from_millis(100);

/// The next line that is typed; nothing where nobody types any more.
pub fn line(heard: &Interrupted) -> Option<String> {
    loop {
        if heard.is_it() {
            return None;
        }
        match plain::typed(LOOK) {
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
