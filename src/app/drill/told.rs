//! A debrief as rows of a page: the score and its reasons first, then one time axis for what was
//! true, what was seen and done, and users who failed in three ways to fly.

use crate::clean::Clean;
use crate::drill::debrief::{Debrief, Ghost, Mark};
use crate::drill::score::Part;
use crate::text;
use crate::tui::hangar::rows::{Look, Row, heading, paragraph};
use crate::units::Millis;

/// What stands before an axis.
const MARGIN: u16 = 9;
/// Rows of the plot.
const TALL: usize = 6;

/// All of it, in so many columns.
pub fn rows(debrief: &Debrief, columns: u16) -> Vec<Row> {
    let columns = columns.min(116);
    let mut out = Vec::new();
    score(&mut out, debrief, columns);
    axis(&mut out, debrief, columns);
    if let Some(focus) = &debrief.focus {
        heading(&mut out, &format!("One focus: {}", focus.loss.word()));
        say(&mut out, &sentence(&focus.says), columns);
    }
    if !debrief.lesson.is_empty() {
        heading(&mut out, "One lesson");
        say(&mut out, &debrief.lesson, columns);
    }
    if let Some(carry) = &debrief.carry_over {
        heading(&mut out, "For your own plan");
        say(&mut out, carry, columns);
    }
    heading(&mut out, "What went right");
    say(&mut out, &sentence(&debrief.well), columns);
    if let Some(needless) = &debrief.needless {
        say(&mut out, &sentence(needless), columns);
    }
    heading(&mut out, "What was true");
    say(&mut out, &debrief.cause, columns);
    for source in &debrief.sources {
        let relation = if source.relation.is_empty() { "see" } else { &source.relation };
        say(&mut out, &format!("{relation}: {}", source.title), columns);
        if !source.url.is_empty() {
            let lead = Row::of("  ", Look::Text);
            out.extend(paragraph(lead, &source.url, Look::Key, columns));
        }
    }
    heading(&mut out, "You said");
    for (question, answer) in debrief.account() {
        let answer = if answer.is_empty() { "-" } else { answer };
        let lead = Row::of(format!("{question} "), Look::Dim);
        out.extend(paragraph(lead, Clean::new(answer).as_str(), Look::Text, columns));
    }
    if !debrief.siblings.is_empty() {
        heading(&mut out, "Next");
        say(&mut out, &debrief.siblings.join(", "), columns);
    }
    out
}

fn say(out: &mut Vec<Row>, text: &str, columns: u16) {
    out.extend(paragraph(Row::empty(), text, Look::Text, columns));
}

/// A capital at its beginning and a stop at its end.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        let text: String = first.to_uppercase().chain(letters).collect();
        if text.ends_with(['.', '!', '?']) { text } else { text + "." }
    })
}

fn score(out: &mut Vec<Row>, debrief: &Debrief, columns: u16) {
    let score = &debrief.score;
    let look = if score.grade.passed() { Look::Good } else { Look::Bad };
    let total = format!("{} of 100, {}", score.total, score.grade.word());
    out.push(Row::of(total, look).and("   (70 passes, 85 is clean)", Look::Dim));
    if let Some(void) = &score.void {
        say(out, &format!("It does not count: {void}."), columns);
    }
    if let Some(remark) = &debrief.remark {
        out.extend(paragraph(Row::empty(), remark, Look::Warn, columns));
    }
    for grave in &score.critical {
        let text = format!("{} At most {} points.", sentence(&grave.says), grave.cap);
        let lead = Row::of(format!("Grave, at {}: ", text::clock(grave.at)), Look::Bad);
        out.extend(paragraph(lead, &text, Look::Bad, columns));
    }
    for part in &score.parts {
        let lead = Row::of(format!("{:<13}", part.name.words()), Look::Text)
            .and(format!("{:>3.0} of {:<3}", part.points, part.of), share(part));
        out.extend(paragraph(lead.and("  ", Look::Text), &part.says, Look::Dim, columns));
    }
    if score.marks_off > 0 {
        let lead = Row::of(format!("{:<13}", "marks"), Look::Text);
        let lead = lead.and(format!("{:>3}       ", -i64::from(score.marks_off)), Look::Warn);
        out.push(lead.and("for marks with nothing to be seen", Look::Dim));
    }
    if let Some(says) = score.hints.says() {
        let look = if score.hints.off > 0 { Look::Warn } else { Look::Dim };
        let lead = Row::of(format!("{:<13}", "hints"), Look::Text);
        let lead = lead.and(format!("{:>3}         ", -i64::from(score.hints.off)), look);
        out.extend(paragraph(lead, &says, Look::Dim, columns));
    }
}

fn share(part: &Part) -> Look {
    match part.points / part.of.max(1.0) {
        share if share >= 0.8 => Look::Good,
        share if share >= 0.4 => Look::Warn,
        _ => Look::Bad,
    }
}

/// Everything that has a time, on one axis.
fn axis(out: &mut Vec<Row>, debrief: &Debrief, columns: u16) {
    let strip = &debrief.strip;
    let last = |ghost: &Ghost| ghost.line.last().map_or(Millis::ZERO, |(at, _)| *at);
    let others = last(&debrief.nothing).max(last(&debrief.oracle));
    // What became of the others long after the flight stands in the sentence below.
    let longest = Millis(strip.ends.0 * 5 / 2);
    let ends = strip.ends.max(others.min(longest)).max(Millis(1));
    let room = usize::from(columns.saturating_sub(MARGIN + 1)).max(20);
    let column = move |at: Millis| ((at.0.min(ends.0)) * (room as u64 - 1) / ends.0) as usize;
    heading(out, "One time axis: what was true, what you saw and did, users who failed");
    let when = |name: &str| strip.truth.iter().find(|m| m.text == name).map(|m| m.at);
    let hurt =
        when("onset").map(|onset| (column(onset), column(when("restore").unwrap_or(strip.ends))));
    let flown = column(strip.ends);
    out.push(marks_row("true", &strip.truth, 'A', room, column, |place| match hurt {
        _ if place > flown => (' ', Look::Text),
        Some((from, to)) if place >= from && place <= to => ('━', Look::Bad),
        _ => ('─', Look::Good),
    }));
    out.push(marks_row("you", &strip.seen, 'a', room, column, |place| {
        if place > flown { (' ', Look::Text) } else { ('─', Look::Dim) }
    }));
    plot(out, debrief, room, ends);
    let end = text::clock(ends);
    let gap = room.saturating_sub(end.len() + 4);
    let zero = format!("{}0:00{}{end}", " ".repeat(MARGIN.into()), " ".repeat(gap));
    out.push(Row::of(zero, Look::Dim));
    for (marks, from, look) in [(&strip.truth, 'A', Look::Bad), (&strip.seen, 'a', Look::Key)] {
        legend(out, marks, from, look, columns);
    }
    let beyond = if others > ends { " The axis ends before that." } else { "" };
    let said = format!(
        "If you had done nothing, {} would have failed; you {}, with the answer known {}.{beyond}",
        text::count(debrief.nothing.failed, "user"),
        debrief.yours.failed,
        debrief.oracle.failed,
    );
    say(out, &said, columns);
}

/// One row of marks on the axis, over a line.
fn marks_row(
    name: &str,
    marks: &[Mark],
    from: char,
    room: usize,
    column: impl Fn(Millis) -> usize,
    ground: impl Fn(usize) -> (char, Look),
) -> Row {
    let mut cells: Vec<(char, Look)> = (0..room).map(ground).collect();
    let mut taken = vec![false; room];
    for (mark, letter) in marks.iter().zip(letters(from)) {
        // Where two fall on one place, the later one stands beside it.
        let free = (column(mark.at)..room).find(|place| !taken[*place]);
        if let Some(place) = free {
            taken[place] = true;
            cells[place] = (letter, Look::Title);
        }
    }
    joined(name, &cells)
}

/// Cells as a row, with equal looks joined.
fn joined(name: &str, cells: &[(char, Look)]) -> Row {
    let mut row = Row::of(format!("{name:<9}"), Look::Dim);
    for (letter, look) in cells {
        match row.0.last_mut().filter(|(_, last)| last == look) {
            Some((text, _)) => text.push(*letter),
            None => row.0.push((letter.to_string(), *look)),
        }
    }
    row
}

/// Twenty-six letters, and then a plus for each that is left.
fn letters(from: char) -> impl Iterator<Item = char> {
    let all = (from as u8)..(from as u8 + 26);
    all.map(char::from).chain(std::iter::repeat('+'))
}

/// What the letters of a row are, each whole.
fn legend(out: &mut Vec<Row>, marks: &[Mark], from: char, look: Look, columns: u16) {
    let mut row = Row::empty();
    for (mark, letter) in marks.iter().zip(letters(from)) {
        let text = format!(" {} {}   ", text::clock(mark.at), Clean::new(&mark.text));
        let next = Row::of(letter.to_string(), look).and(text, Look::Text);
        if !row.0.is_empty() && row.width() + next.width() > columns {
            out.push(std::mem::take(&mut row));
        }
        row.0.extend(next.0);
    }
    if !row.0.is_empty() {
        out.push(row);
    }
}

/// Users who had failed by each moment, in three ways to fly; the operator's lies on top.
fn plot(out: &mut Vec<Row>, debrief: &Debrief, room: usize, ends: Millis) {
    let ghosts = [
        ('×', Look::Bad, &debrief.nothing),
        ('○', Look::Good, &debrief.oracle),
        ('●', Look::Text, &debrief.yours),
    ];
    let at = |ghost: &Ghost, place: usize| {
        let until = ends.0 * (place as u64 + 1) / room as u64;
        let after = ghost.line.partition_point(|(at, _)| at.0 <= until);
        let (at, failed) = ghost.line.get(after.checked_sub(1)?).copied()?;
        // A flight that has ended has no more to tell.
        let over = after == ghost.line.len() && at.0 + ends.0 / room as u64 + 1_000 < until;
        (!over).then_some(failed)
    };
    let most = ghosts
        .iter()
        .flat_map(|(_, _, ghost)| (0..room).filter_map(|place| at(ghost, place)).max());
    let most = most.max().unwrap_or(0).max(1);
    let mut cells = vec![vec![(' ', Look::Text); room]; TALL];
    for (dot, look, ghost) in ghosts {
        let known = (0..room).filter_map(|place| Some((place, at(ghost, place)?)));
        for (place, failed) in known {
            let level = (failed * (TALL as u64 - 1)).div_ceil(most) as usize;
            cells[TALL - 1 - level.min(TALL - 1)][place] = (dot, look);
        }
    }
    for (number, row) in cells.iter().enumerate() {
        let name = match number {
            0 => most.to_string(),
            n if n == TALL - 1 => "0".to_owned(),
            _ => String::new(),
        };
        out.push(joined(&name, row));
    }
    let key = Row::of(" ".repeat(MARGIN.into()), Look::Text)
        .and("● you   ", Look::Text)
        .and("○ with the answer known   ", Look::Good)
        .and("× nothing done", Look::Bad);
    out.push(key);
}
