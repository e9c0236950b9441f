//! Questions: the risky direction asks, and every wait has a deadline with a declared outcome.

use super::core::Core;
use super::event::Answer;
use super::record::Record;
use super::snapshot::Question;
use crate::clean::Clean;
use crate::units::{Millis, Percent};

/// What a question is about; it decides what its answer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// Begin step 2.
    Deploy,
    /// Run a step's command again after it failed.
    Again,
    /// Begin the readiness hold anew after the flap budget was used up.
    HoldAgain,
    /// Give Green so much.
    Rung(Percent),
    /// A limit tripped; the countdown ends in rollback.
    Tripped,
    /// The watch saw too little.
    Unproven,
    /// Go back although the release cannot be undone.
    Irreversible,
    /// Leave while Green has weight, or before the run has ended.
    Leave,
    /// Stop Blue for good.
    Decommission,
    /// Contract the schema.
    Contract,
    /// Go on after a run was cut off.
    GoOn,
}

/// A question that is open.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub number: u32,
    pub about: About,
    pub title: String,
    pub lines: Vec<String>,
    pub yes: String,
    pub no: String,
    pub type_word: Option<Clean>,
    /// When it answers itself, and with what.
    pub due: Option<(Millis, Answer)>,
}

impl Open {
    pub fn view(&self) -> Question {
        Question {
            number: self.number,
            title: self.title.clone(),
            lines: self.lines.clone(),
            yes: self.yes.clone(),
            no: self.no.clone(),
            type_word: self.type_word.clone(),
            due: self.due.as_ref().map(|(at, answer)| {
                let verb = if *answer == Answer::Yes { &self.yes } else { &self.no };
                (*at, verb.clone())
            }),
            routine: self.type_word.is_none()
                && matches!(self.about, About::Deploy | About::Rung(_) | About::GoOn),
        }
    }
}

impl Core {
    pub(super) fn ask(
        &mut self,
        about: About,
        title: &str,
        lines: Vec<String>,
        yes: &str,
        no: &str,
    ) -> &mut Open {
        self.questions += 1;
        let number = self.questions;
        self.record(Record::Asked { question: number, words: Clean::new(title) });
        self.question.insert(Open {
            number,
            about,
            title: title.to_owned(),
            lines,
            yes: yes.to_owned(),
            no: no.to_owned(),
            type_word: None,
            due: None,
        })
    }

    /// Closes the open question without an answer, because what it asks about is over.
    pub(super) fn withdraw(&mut self) {
        if let Some(open) = self.question.take() {
            self.record(Record::Answered { question: open.number, how: Clean::new("withdrawn") });
        }
    }

    pub(super) fn asks(&self, about: About) -> bool {
        self.question.as_ref().is_some_and(|open| open.about == about)
    }

    pub(super) fn answer(&mut self, number: u32, answer: &Answer, by: &str) {
        // An answer to a question that is gone: the press came late.
        let Some(open) = self.question.take_if(|open| open.number == number) else { return };
        let yes = match (answer, &open.type_word) {
            (Answer::Yes, None) => true,
            (Answer::Typed(word), Some(wanted)) if word == wanted => true,
            (Answer::Typed(_) | Answer::Yes, Some(wanted)) => {
                self.warn(&format!("that is not `{wanted}`; nothing was done"));
                self.question = Some(open);
                return;
            }
            _ => false,
        };
        let verb = if yes { &open.yes } else { &open.no };
        self.record(Record::Answered { question: number, how: Clean::new(&format!("{verb}{by}")) });
        self.answered(open.about, yes);
    }

    pub(super) fn questions_due(&mut self) {
        let due = self.question.as_ref().and_then(|open| {
            let (at, answer) = open.due.as_ref()?;
            (*at <= self.at).then(|| (open.number, answer.clone()))
        });
        if let Some((number, answer)) = due {
            self.answer(number, &answer, " (the time was up)");
        }
    }
}
