//! Who goes along with a drill's flight: passes on what people say, pulls the levers that the
//! operator declares, and keeps what was true.
//!
//! It speaks in notes, as somebody beside the operator would: they stand in the log and in the
//! journal, and nothing outside of here knows that a drill is flown. What was true is the lab's,
//! on the lab's own time, and is moved to the run's when the flight is over.

use crate::clean::Clean;
use crate::drill::declare::{self, Said};
use crate::drill::truth::Truth;
use crate::feed::{Bell, Link};
use crate::lab::anchor::Anchors;
use crate::lab::scenario::EvidenceSpec;
use crate::lab::scenario::answer::Declares;
use crate::lab::tally::Tally;
use crate::lab::world::Standing;
use crate::lab::{Errand, Lab, Scenario};
use crate::runbook::{Command, Record};
use crate::units::Millis;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the lab is asked how things stand.
const LOOK: Duration = Duration::from_millis(250);

/// The link of a run, and when it began.
pub struct Joined {
    /// The link.
    pub link: Link,
    /// When the run began, nearly.
    pub at: Instant,
}

/// Goes along until the run is over; gives what was true, in the run's time. Nothing where the lab
/// has ended before.
pub fn go(lab: &Lab, scenario: &Scenario, joined: &Joined) -> Option<Truth> {
    let Joined { link, at } = joined;
    let first = lab.standing()?;
    let began = first.at.since(Millis(at.elapsed().as_millis().try_into().unwrap_or(0)));
    let bell = Arc::new(Bell::default());
    link.feed.ring(Arc::clone(&bell));
    let mut ticks: Vec<(Millis, Tally)> = vec![(first.at, first.tally)];
    let (mut seq, mut heard) = (0, 0);
    let mut last: Standing = first;
    loop {
        let over = link.feed.is_over();
        if let Some(update) = link.feed.since(seq) {
            seq = update.seq;
            for (_, record) in &update.records {
                if let Record::Note(text) = record
                    && let Some(answer) = answer(lab, scenario, text.as_str())
                {
                    link.send(Command::Note(Clean::new(&answer)));
                }
            }
        }
        // Whoever was asked last has the truth as it was then.
        let Some(standing) = lab.standing() else { break };
        last = standing;
        if over || ticks.last().is_none_or(|(at, _)| at.as_secs() < last.at.as_secs()) {
            ticks.push((last.at, last.tally));
        }
        for message in last.messages.iter().skip(heard) {
            link.send(Command::Note(Clean::new(&format!(
                "from {}: {}",
                message.from, message.text
            ))));
        }
        heard = last.messages.len();
        if over {
            break;
        }
        bell.rest(LOOK);
    }
    let mut anchors = Anchors::default();
    for (anchor, at) in last.anchors {
        anchors.note(anchor, at);
    }
    Some(Truth::new(anchors, ticks, last.at).since(began))
}

/// What is answered to a note, if anything is.
fn answer(lab: &Lab, scenario: &Scenario, note: &str) -> Option<String> {
    match declare::read(note)? {
        Said::Mark(_) => None,
        Said::Declare(act) => Some(match act.lever() {
            None => match act.errand() {
                Some(errand) => ran(lab, errand),
                None => format!("site: {} is taken down as declared", act.words()),
            },
            Some(lever) => match lab.pull(lever) {
                Ok(said) => format!("site: {said}"),
                Err(fault) => format!("site: {}", fault.cause),
            },
        }),
        Said::Unheard(words) => {
            let known = Declares::ALL.map(Declares::words).join(", ");
            Some(format!(
                "site: nobody knows the act {words:?}; known are {known}; and to ask for: {}",
                Errand::WORDS
            ))
        }
        Said::Errand(errand) => Some(ran(lab, errand)),
        Said::Look(item) => Some(looked(&scenario.evidence, &item)),
    }
}

/// What is answered to an errand.
fn ran(lab: &Lab, errand: Errand) -> String {
    match lab.errand(errand) {
        Ok(said) => format!("site: {said}"),
        Err(fault) => format!("site: {}", fault.cause),
    }
}

/// What a closer look at an item shows.
pub fn looked(items: &[EvidenceSpec], name: &str) -> String {
    match items.iter().find(|evidence| evidence.item == name) {
        Some(EvidenceSpec { item, shows, detail, .. }) if detail.is_empty() => {
            format!("shown: {item}: {shows}")
        }
        Some(EvidenceSpec { item, shows, detail, .. }) => {
            format!("shown: {item}: {shows}; {detail}")
        }
        None => {
            let known: Vec<_> = items.iter().map(|evidence| evidence.item.as_str()).collect();
            format!("shown: nothing is called {name:?} here; there are {}", known.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_answered_is_never_taken_for_something_said() {
        let items = [EvidenceSpec {
            step: 1,
            item: "db".to_owned(),
            shows: "24 of 60".to_owned(),
            detail: "36 more at warm-up".to_owned(),
        }];
        let shown = looked(&items, "db");
        assert_eq!(shown, "shown: db: 24 of 60; 36 more at warm-up");
        assert!(looked(&items, "mark").contains("there are db"));
        for answer in [shown.as_str(), "site: declare: x", "from customer: mark my words"] {
            assert_eq!(declare::read(answer), None, "{answer}");
        }
    }
}
