//! What an operator is told before a drill: the situation, what step 1 shows, the limits, and how
//! to say what the cockpit has no key for. Nothing of the answer is in reach here.

use super::{Sortie, beside};
use crate::clean::Clean;
use crate::drill::history::seen::SeenLine;
use crate::drill::score;
use crate::lab::Errand;
use crate::lab::scenario::EvidenceSpec;
use crate::lab::scenario::answer::Declares;
use crate::plan::Plan;
use crate::text;
use crate::tui::hangar::rows::{Look, Row, heading, paragraph};
use crate::units::Millis;

/// How an operator says things: keys of the cockpit, or typed words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Keys.
    Keys,
    /// Lines.
    Lines,
}

/// What an operator has taken from a brief.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// Items at which a closer look was taken.
    pub opened: Vec<String>,
    /// How many hints.
    pub hints: usize,
    /// Why the lab was not steady meanwhile, where it was not.
    pub unsteady: Option<String>,
}

/// What is told of a sortie, in so many columns, with what was taken so far. `seen` is the look at
/// its answer that spoils it.
pub fn rows(
    sortie: &Sortie,
    plan: &Plan,
    taken: &Taken,
    seen: Option<&SeenLine>,
    by: By,
    columns: u16,
) -> Vec<Row> {
    let Taken { opened, hints, .. } = taken;
    let scenario = &sortie.course.scenario;
    let columns = columns.min(100);
    let mut out = Vec::new();
    if let Some(seen) = seen {
        out.extend(paragraph(Row::empty(), &spoiled(seen), Look::Warn, columns));
        out.push(Row::empty());
    }
    let mut say = |text: &str| {
        let text = Clean::new(text);
        out.extend(paragraph(Row::empty(), text.as_str(), Look::Text, columns));
    };
    say(&scenario.story.brief);
    if !scenario.story.change_note.is_empty() {
        say(&format!("The change note: {}", scenario.story.change_note));
    }
    heading(&mut out, "What step 1 shows");
    for (number, item) in (1..).zip(first_step(sortie)) {
        let key = if number <= 9 { format!("{number} ") } else { "  ".to_owned() };
        let lead = Row::of(key, Look::Key).and(format!("{}: ", item.item), Look::Title);
        out.extend(paragraph(lead, &item.shows, Look::Text, columns));
        if opened.contains(&item.item) && !item.detail.is_empty() {
            let lead = Row::of("  closer: ", Look::Dim);
            out.extend(paragraph(lead, &item.detail, Look::Warn, columns));
        }
    }
    if first_step(sortie).next().is_none() {
        out.push(Row::of("Nothing besides what the cockpit itself shows.", Look::Text));
    } else {
        let how = match by {
            By::Keys => "A figure takes a closer look, here and now.",
            By::Lines => "`note look: ITEM` takes a closer look; it counts before the deploy.",
        };
        out.push(Row::of(how, Look::Dim));
    }
    let later: Vec<String> = scenario
        .evidence
        .iter()
        .filter(|item| item.step > 1)
        .map(|item| format!("{} (step {})", item.item, item.step))
        .collect();
    if !later.is_empty() {
        let text = format!(
            "Later there is more to look at: {}. {} `look: {}` shows it.",
            later.join(", "),
            if by == By::Keys { "In the cockpit, n and" } else { "There, `note` and" },
            scenario.evidence.iter().find(|i| i.step > 1).map_or("", |i| i.item.as_str())
        );
        out.extend(paragraph(Row::empty(), &text, Look::Text, columns));
    }
    heading(&mut out, "The flight");
    for line in flight(plan, scenario.clock.soak_scale) {
        out.extend(paragraph(Row::empty(), &line, Look::Text, columns));
    }
    heading(&mut out, "What can be done");
    let lead = |key: &str| Row::of(format!("{key:<7}"), Look::Key);
    let [next, hold, back, note] = match by {
        By::Keys => ["space", "h", "r", "n"],
        By::Lines => ["next", "hold", "back", "note"],
    };
    for (key, does) in [
        (next, "the next step; each asks before it does anything"),
        (hold, "holds: nothing moves forward; the same again goes on"),
        (back, "all users to Blue, at once, in every state; before the switch, Green is abandoned"),
        (note, "a note, to say what there is nothing else for:"),
    ] {
        out.extend(paragraph(lead(key), does, Look::Text, columns));
    }
    let price = hint_words(sortie, by);
    let acts = Declares::ALL.map(Declares::words).join(" · ");
    for (note, does) in [
        ("mark", "something is odd; the first sign of it counts"),
        ("declare: ACT", acts.as_str()),
        ("look: ITEM", "a closer look at what a step shows"),
        ("ask: WHAT", Errand::WORDS),
        ("hint", price.as_str()),
    ] {
        let lead = Row::of("       ", Look::Text).and(format!("{note:<14}"), Look::Key);
        out.extend(paragraph(lead, does, Look::Text, columns));
    }
    for given in 0..(*hints).min(scenario.story.hints.len()) {
        let says = beside::hint(&scenario.story.hints, given);
        out.extend(paragraph(Row::of("       ", Look::Text), &says, Look::Warn, columns));
    }
    let leave = if by == By::Keys { "q" } else { "leave" };
    let end = format!(
        "The flight ends with its last step, with {back} and then {leave}, or with {leave}; by \
         itself after {}. Going on, holding, going back: each is right in some drills. Users are real requests on this \
         machine; nothing else is touched.",
        scenario.clock.hard_stop
    );
    out.push(Row::empty());
    out.extend(paragraph(Row::empty(), &end, Look::Dim, columns));
    out
}

/// What hints there are, and what they cost.
fn hint_words(sortie: &Sortie, by: By) -> String {
    let drill = &sortie.course.scenario;
    let here = if by == By::Keys { "; here h gives it" } else { "" };
    let many = text::count(drill.story.hints.len() as u64, "hint");
    match (drill.story.hints.len(), score::price(drill.drill.level)) {
        (0, _) => "there are none here".to_owned(),
        // Its price would tell the level.
        _ if sortie.is_blind() => format!("the next of {many}, at what its level asks{here}"),
        (_, 0) => format!("the next of {many}, free at level 1{here}"),
        (_, points) => format!("the next of {many}, at {points} points each{here}"),
    }
}

/// That the answer was seen.
fn spoiled(seen: &SeenLine) -> String {
    let day = text::utc(seen.at_unix_ms);
    let day = day.get(..10).unwrap_or(&day);
    let how = seen.how.words();
    format!(
        "You have seen its answer on {day}, {how}: this flight is kept as spoiled, and sets no record."
    )
}

/// The items of step 1, in their order.
pub fn first_step(sortie: &Sortie) -> impl Iterator<Item = &EvidenceSpec> {
    sortie.course.scenario.evidence.iter().filter(|item| item.step == 1)
}

/// `scale` is the soak here as a share of the story's: people are not scaled, so it is said.
fn flight(plan: &Plan, scale: f64) -> Vec<String> {
    let soak = match scale > 0.0 && scale < 1.0 {
        true => {
            let story = Millis::secs((plan.soak.0 as f64 / 1000.0 / scale).round() as u64);
            format!("{} of soak before, for {story} in a real one", plan.soak)
        }
        false => format!("{} of soak before", plan.soak),
    };
    let ramp: Vec<String> = plan.ramp.iter().map(ToString::to_string).collect();
    let mut lines = vec![format!(
        "Users go to Green at {} %; {soak}; {} of watch at the end.",
        ramp.join(", "),
        plan.watch
    )];
    let limits: Vec<String> = plan
        .limits
        .iter()
        .map(|limit| format!("{} above {} for {}", limit.signal.label(), limit.above, limit.hold))
        .collect();
    lines.push(format!("Limits on Green: {}.", limits.join(" · ")));
    let trip = if plan.on_trip.ask {
        format!(
            "A limit that trips asks, and goes back if nobody answers for {}.",
            plan.on_trip.countdown
        )
    } else {
        "A limit that trips goes back by itself.".to_owned()
    };
    lines.push(trip);
    lines
}

/// The head of a brief: what is shown at the right of the title.
pub fn remark(sortie: &Sortie) -> String {
    // Level, length and seed would tell which it is.
    if sortie.is_blind() {
        return "blind: a codename, and no more".to_owned();
    }
    let drill = &sortie.course.scenario.drill;
    let minutes = text::count(drill.minutes.into(), "minute");
    format!("level {} · about {minutes} · seed {}", drill.level, sortie.seed)
}
