//! Who goes along with a drill's flight: passes on what people say, pulls the levers that the
//! operator declares, and keeps what was true.
//!
//! It ends a flight at its scenario's hard stop, as a closed terminal would: traffic stays where it
//! is, and a way back that has begun is finished first. And it notices when nothing ran for a
//! while, because the process was stopped or the machine slept: such a flight does not count.
//!
//! It speaks in notes, as somebody beside the operator would: they stand in the log and in the
//! journal, and nothing outside of here knows that a drill is flown. What was true is the lab's,
//! on the lab's own time, and is moved to the run's when the flight is over.

use crate::clean::Clean;
use crate::drill::declare::{self, Said};
use crate::drill::fly::Course;
use crate::drill::fly::hard_stop;
use crate::drill::truth::Truth;
use crate::engine::clock::Clock;
use crate::feed::{Bell, Link};
use crate::lab::anchor::Anchors;
use crate::lab::scenario::EvidenceSpec;
use crate::lab::scenario::answer::Declares;
use crate::lab::tally::Tally;
use crate::lab::world::Standing;
use crate::lab::{Errand, Lab, Scenario};
use crate::runbook::{Command, Interrupt, Record};
use crate::units::Millis;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the lab is asked how things stand.
const LOOK: Duration = Duration::from_millis(250);
/// Who wakes up so much later than they wanted to was stopped, and the whole lab with them.
const STOOD_STILL: Millis = Millis::secs(5);

/// The link of a run, and when it began.
pub struct Joined {
    /// The link.
    pub link: Link,
    /// When the run began, nearly.
    pub at: Instant,
}

/// Goes along until the run is over; gives what was true, in the run's time, and what will become
/// of its users to the horizon. Nothing where the lab has ended before.
pub fn witness(lab: &Lab, course: &Course, joined: &Joined) -> Option<Truth> {
    let truth = go(lab, &course.scenario, joined)?;
    let until = course.horizon(&truth);
    let back = joined.link.feed.since(0).is_some_and(|last| last.snapshot.rollback.is_some());
    Some(truth.counted(until, |ahead| Some(lab.foresee(ahead, back)?.tally)))
}

fn go(lab: &Lab, scenario: &Scenario, joined: &Joined) -> Option<Truth> {
    let Joined { link, at } = joined;
    let first = lab.standing()?;
    let began = first.at.since(Millis(at.elapsed().as_millis().try_into().unwrap_or(0)));
    let bell = Arc::new(Bell::default());
    link.feed.ring(Arc::clone(&bell));
    let mut ticks: Vec<(Millis, Tally)> = vec![(first.at, first.tally)];
    let (mut seq, mut heard, mut hints) = (0, 0, 0);
    let mut last: Standing = first;
    let clock = Clock::begin();
    let ends =
        scenario.clock.hard_stop.since(Millis(at.elapsed().as_millis().try_into().unwrap_or(0)));
    let (mut woke, mut void, mut stopped) = (clock.now(), None, None);
    loop {
        let now = clock.now();
        let still = now.since(std::mem::replace(&mut woke, now));
        if still >= STOOD_STILL {
            let why =
                format!("the run was paused: nothing ran for {}", Millis::secs(still.as_secs()));
            link.send(note(&format!("{why}; it does not count")));
            void = Some(why);
        }
        if now >= ends && stopped.is_none() {
            let why = hard_stop(scenario);
            link.send(note(&format!("{why} is reached: the flight ends")));
            link.send(Command::Interrupt(Interrupt::Terminate));
            stopped = Some(why);
        }
        let over = link.feed.is_over();
        if let Some(update) = link.feed.since(seq) {
            seq = update.seq;
            for (_, record) in &update.records {
                if let Record::Note(text) = record
                    && let Some(answer) = answer(lab, scenario, text.as_str(), &mut hints)
                {
                    link.send(Command::Note(Clean::new(&answer)));
                }
            }
        }
        // Whoever was asked last has the truth as it was then.
        // Who was stopped while the lab was asked takes its answer for lost: it is asked again.
        let Some(standing) = lab.standing().or_else(|| lab.standing()) else { break };
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
    let mut truth = Truth::new(anchors, ticks, last.at).since(began);
    (truth.void, truth.stopped) = (void, stopped);
    Some(truth)
}

/// What is said by nobody in particular.
fn note(says: &str) -> Command {
    Command::Note(Clean::new(&format!("site: {says}")))
}

/// What is answered to a note, if anything is. `hints` were given so far.
fn answer(lab: &Lab, scenario: &Scenario, note: &str, hints: &mut usize) -> Option<String> {
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
        Said::Hint => {
            let given = hint(&scenario.story.hints, *hints);
            *hints += 1;
            Some(given)
        }
    }
}

/// The hint after so many.
pub fn hint(hints: &[String], given: usize) -> String {
    match hints.get(given) {
        Some(says) => format!("hint {} of {}: {says}", given + 1, hints.len()),
        None => "hint: there are no more of them, and this one costs nothing".to_owned(),
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
        let hints = ["Which page?".to_owned()];
        assert_eq!(hint(&hints, 0), "hint 1 of 1: Which page?");
        for given in 0..2 {
            assert_eq!(declare::read(&hint(&hints, given)), None, "a hint asks for no hint");
        }
    }
}
