//! A debrief as lines of text, as plain mode prints it and a screen may.

use super::{Debrief, Ghost, Mark, Strip};
use crate::text;
use crate::units::Millis;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Below this nothing can be laid out.
const NARROWEST: usize = 40;
/// What stands before an axis.
const MARGIN: usize = 10;
/// Stands for a space that is not broken at, until the lines are made.
const JOINED: &str = "_\u{2060}";

/// All of it.
pub(super) fn of(debrief: &Debrief, width: usize) -> Vec<String> {
    let width = width.max(NARROWEST);
    let mut out = Vec::new();
    let score = &debrief.score;
    head(&mut out, &format!("{}: {} of 100, {}", debrief.title, score.total, score.grade.word()));
    if let Some(void) = &score.void {
        wrap(&mut out, "  ", &format!("It does not count: {void}."), width);
    }
    if let Some(remark) = &debrief.remark {
        wrap(&mut out, "  ", remark, width);
    }
    for grave in &score.critical {
        let at = text::clock(grave.at);
        wrap(
            &mut out,
            "  ",
            &format!("Grave, at {at}: {} At most {}.", grave.says, grave.cap),
            width,
        );
    }
    head(&mut out, "You first");
    for (question, answer) in debrief.account() {
        let answer = if answer.is_empty() { "-" } else { answer };
        wrap(&mut out, "  ", &format!("{question} {answer}"), width);
    }
    head(&mut out, "What was true");
    wrap(&mut out, "  ", &debrief.cause, width);
    for source in &debrief.sources {
        let relation = if source.relation.is_empty() { "see" } else { &source.relation };
        wrap(&mut out, "  ", &format!("{relation}: {}", source.title), width);
        if !source.url.is_empty() {
            out.push(format!("  {}", source.url));
        }
    }
    head(&mut out, "Tape");
    strip(&mut out, &debrief.strip, width);
    head(&mut out, "Users who failed");
    ghosts(&mut out, debrief, width);
    head(&mut out, "Points");
    for part in &score.parts {
        let lead = format!("  {:<13}{:>4.0} of {:<3} ", part.name.words(), part.points, part.of);
        wrap(&mut out, &lead, &part.says, width);
    }
    if score.marks_off > 0 {
        let says = "for marks with nothing to be seen";
        out.push(format!("  {:<13}{:>4} {says}", "marks", -i64::from(score.marks_off)));
    }
    if let Some(says) = score.hints.says() {
        let lead = format!("  {:<13}{:>4}        ", "hints", -i64::from(score.hints.off));
        wrap(&mut out, &lead, &says, width);
    }
    if let Some(focus) = &debrief.focus {
        head(&mut out, &format!("One focus: {}", focus.loss.word()));
        wrap(&mut out, "  ", &capital(&focus.says), width);
    }
    if !debrief.lesson.is_empty() {
        head(&mut out, "One lesson");
        wrap(&mut out, "  ", &debrief.lesson, width);
    }
    if let Some(carry) = &debrief.carry_over {
        head(&mut out, "For your own runbook");
        wrap(&mut out, "  ", carry, width);
    }
    head(&mut out, "What went right");
    wrap(&mut out, "  ", &capital(&debrief.well), width);
    if let Some(needless) = &debrief.needless {
        wrap(&mut out, "  ", &capital(needless), width);
    }
    if !debrief.siblings.is_empty() {
        wrap(&mut out, "  ", &format!("Next: {}", debrief.siblings.join(", ")), width);
    }
    out
}

fn head(out: &mut Vec<String>, words: &str) {
    if !out.is_empty() {
        out.push(String::new());
    }
    out.push(words.to_owned());
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        let sentence = first.to_uppercase().chain(letters).collect::<String>();
        if sentence.ends_with(['.', '!', '?']) { sentence } else { sentence + "." }
    })
}

/// Breaks at spaces; the first line begins with `lead`, the others as far in.
fn wrap(out: &mut Vec<String>, lead: &str, text: &str, width: usize) {
    let indent = " ".repeat(lead.width());
    let room = width.saturating_sub(lead.width()).max(10);
    let mut line = String::new();
    let mut begin = lead.to_owned();
    for word in text.split_whitespace() {
        // A word that is longer than a line is cut: nothing may leave the screen.
        for piece in pieces(word, room) {
            if !line.is_empty() && line.width() + 1 + piece.width() > room {
                out.push(format!("{begin}{line}"));
                begin.clone_from(&indent);
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&piece);
        }
    }
    out.push(format!("{begin}{line}").trim_end().to_owned());
}

fn pieces(word: &str, room: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for letter in word.graphemes(true) {
        match pieces.last_mut() {
            Some(last) if last.width() + letter.width() <= room => last.push_str(letter),
            _ => pieces.push(letter.to_owned()),
        }
    }
    pieces
}

/// Two rows of marks on one axis, and what each mark is.
fn strip(out: &mut Vec<String>, strip: &Strip, width: usize) {
    let room = width - MARGIN - 1;
    let ends = strip.ends.0.max(1);
    let column = |at: Millis| (at.0.min(ends) * (room as u64 - 1) / ends) as usize;
    let row = |marks: &[Mark], from: char| {
        let mut cells = vec!['-'; room];
        for (mark, letter) in marks.iter().zip(letters(from)) {
            // Where two fall on one place, the later one stands beside it.
            let mut place = column(mark.at);
            while place < room && cells[place] != '-' {
                place += 1;
            }
            if let Some(cell) = cells.get_mut(place) {
                *cell = letter;
            }
        }
        cells.into_iter().collect::<String>()
    };
    out.push(format!("  {:<8}{}", "true", row(&strip.truth, 'A')));
    out.push(format!("  {:<8}{}", "you", row(&strip.seen, 'a')));
    let end = text::clock(strip.ends);
    let gap = room.saturating_sub(end.width() + 4);
    out.push(format!("  {:<8}0:00{}{end}", "", " ".repeat(gap)));
    for (marks, from) in [(&strip.truth, 'A'), (&strip.seen, 'a')] {
        let told: Vec<String> = marks
            .iter()
            .zip(letters(from))
            // A mark is not broken between its letter and its words.
            .map(|(mark, letter)| {
                let told = format!("{letter} {} {}", text::clock(mark.at), mark.text);
                told.replace(' ', JOINED)
            })
            .collect();
        if !told.is_empty() {
            let from = out.len();
            wrap(out, "  ", &told.join(" · "), width);
            out[from..].iter_mut().for_each(|line| *line = line.replace(JOINED, " "));
        }
    }
}

/// Twenty-six letters, and then a plus for each that is left.
fn letters(from: char) -> impl Iterator<Item = char> {
    let all = (from as u8)..(from as u8 + 26);
    all.map(char::from).chain(std::iter::repeat('+'))
}

/// Three lines over time, and what they came to.
fn ghosts(out: &mut Vec<String>, debrief: &Debrief, width: usize) {
    let all = [("you", &debrief.yours), ("oracle", &debrief.oracle), ("nothing", &debrief.nothing)];
    let most = all.iter().map(|(_, ghost)| ghost.failed).max().unwrap_or(0).max(1);
    let ends = all.iter().filter_map(|(_, g)| g.line.last()).map(|(at, _)| at.0).max().unwrap_or(1);
    let room = width - MARGIN - 10;
    for (name, ghost) in all {
        out.push(format!(
            "  {name:<8}{} {:>8}",
            bars(ghost, room, ends.max(1), most),
            ghost.failed
        ));
    }
    let says = format!(
        "If you had done nothing, {} would have failed; you {}, with the answer known {}.",
        text::count(debrief.nothing.failed, "user"),
        debrief.yours.failed,
        debrief.oracle.failed,
    );
    wrap(out, "  ", &says, width);
}

/// One line over time, in eighths of the most that any of them came to.
fn bars(ghost: &Ghost, room: usize, ends: u64, most: u64) -> String {
    const LEVELS: [char; 8] = ['.', ':', '-', '=', '+', '*', '#', '@'];
    let cell = |place: usize| {
        let until = ends * (place as u64 + 1) / room as u64;
        let after = ghost.line.partition_point(|(at, _)| at.0 <= until);
        let (at, failed) = ghost.line[after.checked_sub(1)?];
        // A flight that has ended has no more to tell.
        let over = after == ghost.line.len() && at.0 + ends / room as u64 + 1_000 < until;
        (!over).then(|| LEVELS[(failed * 7 / most).min(7) as usize])
    };
    (0..room).map(|place| cell(place).unwrap_or(' ')).collect()
}
