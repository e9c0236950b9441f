//! Questions: the risky direction asks, and every wait has a deadline with a declared outcome.
//!
//! Questions may come on top of each other (a limit trips while *leave?* is on the screen). The
//! newest is shown; the others wait beneath it, their deadlines go on running, and they come back
//! when it is answered. An answer names its question, so a press that was meant for another one
//! does nothing.

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
    /// Begin a wait for Green anew after its deadline, or its flap budget, was used up.
    HoldAgain,
    /// Give Green so much.
    Rung(Percent),
    /// A limit tripped; the countdown ends in rollback.
    Tripped,
    /// Both slots have suffered for long.
    Shared,
    /// The way back is due, but Blue is not known to be ready.
    BlueUnwell,
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

impl About {
    /// Whether a yes moves the run forward; such a question is withdrawn when the run holds.
    pub const fn is_forward(self) -> bool {
        matches!(self, Self::Deploy | Self::Again | Self::Rung(_) | Self::Decommission)
    }
}

/// How an answer begins that nobody has given.
pub(super) const BY_YES: &str = "by --yes: ";

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
    /// Whether `--yes` may answer it, if no word must be typed.
    pub routine: bool,
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
            routine: self.type_word.is_none() && self.routine,
        }
    }
}

/// Who gave an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Somebody pressed a key for it.
    Operator,
    /// `--yes` did, where nobody is there.
    Autopilot,
    /// The question's time was up.
    Time,
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
        let open = Open {
            number,
            about,
            title: title.to_owned(),
            lines,
            yes: yes.to_owned(),
            no: no.to_owned(),
            type_word: None,
            due: None,
            routine: matches!(about, About::Deploy | About::Rung(_) | About::GoOn),
        };
        let place = self.open.len();
        let mut open = open;
        // Where nobody is there, nobody answers what is not a matter of routine. To wait for Blue
        // is a hold, which has a deadline of its own.
        if !self.facts.attended && !open.routine && about != About::BlueUnwell {
            open.due = Some((self.at + self.plan.health.deadline, Answer::No));
        }
        self.open.push(open);
        &mut self.open[place]
    }

    /// The question that is shown.
    pub(super) fn question(&self) -> Option<&Open> {
        self.open.last()
    }

    /// Closes questions without an answer, because what they ask about is over.
    pub(super) fn withdraw(&mut self, which: impl Fn(About) -> bool) {
        let (gone, kept) =
            std::mem::take(&mut self.open).into_iter().partition(|open| which(open.about));
        self.open = kept;
        let gone: Vec<Open> = gone;
        for open in gone {
            self.record(Record::Answered { question: open.number, how: Clean::new("withdrawn") });
        }
    }

    /// Whether a question about this is open, shown or beneath another one.
    pub(super) fn asks(&self, about: About) -> bool {
        self.open.iter().any(|open| open.about == about)
    }

    pub(super) fn answer(&mut self, number: u32, answer: &Answer, by: By) {
        // An answer to a question that is gone, or not shown: the press came late.
        let Some(place) = self.open.iter().position(|open| open.number == number) else { return };
        if by != By::Time && place + 1 != self.open.len() {
            return;
        }
        let yes = match (answer, &self.open[place].type_word) {
            (Answer::No, _) => false,
            (Answer::Yes, None) => true,
            // What is typed is cleaned as somebody else's words are.
            (Answer::Typed(word), Some(wanted))
                if word == wanted || *word == Clean::foreign(wanted.as_str()) =>
            {
                true
            }
            (Answer::Typed(_) | Answer::Yes, Some(wanted)) => {
                let says = format!("that is not `{wanted}`; nothing was done");
                return self.warn(&says);
            }
            (Answer::Typed(_), None) => return self.warn("no word is asked for: yes or no"),
        };
        let open = self.open.remove(place);
        let verb = if yes { &open.yes } else { &open.no };
        let how = match by {
            By::Operator => verb.clone(),
            By::Autopilot => format!("{BY_YES}{verb}"),
            By::Time => format!("{verb} (the time was up)"),
        };
        let how = Clean::new(&how);
        self.record(Record::Answered { question: number, how });
        self.answered(open.about, yes, by);
    }

    /// Answers for the operator, who said the same with another key.
    pub(super) fn answer_about(&mut self, about: About, answer: &Answer) {
        let Some(place) = self.open.iter().position(|open| open.about == about) else { return };
        for above in self.open.split_off(place + 1) {
            self.record(Record::Answered { question: above.number, how: Clean::new("withdrawn") });
        }
        self.answer(self.open[place].number, answer, By::Operator);
    }

    pub(super) fn questions_due(&mut self) {
        let due = self.open.iter().find_map(|open| {
            let (at, answer) = open.due.as_ref()?;
            (*at <= self.at).then(|| (open.number, answer.clone()))
        });
        if let Some((number, answer)) = due {
            self.answer(number, &answer, By::Time);
        }
    }
}
