//! Shows a debrief, on the screen or in lines, and does what is wanted with its check.

use super::ask;
use super::kept::{self, Carried, Kept};
use super::told;
use super::{Failure, lost, print};
use crate::drill::carry;
use crate::text;
use crate::tui::hangar::Pages;
use crate::tui::hangar::frame::Frame;
use crate::tui::hangar::reader::Reader;
use crate::tui::hangar::rows::{Look, Row, paragraph};
use crate::tui::keymap::Key;
use std::path::Path;

/// The operator's own plan.
const PLAN: &str = "switchback.toml";

/// Shows it until it is left.
pub fn on_screen(pages: &mut Pages, root: &Path, kept: &mut Kept) -> Result<(), Failure> {
    let (mut top, mut says) = (0, String::new());
    loop {
        let open = matches!(kept.carried, Carried::Open | Carried::Later)
            && kept.debrief.carry_over.is_some();
        let mut keys = vec![("Up/Down", "scroll")];
        let mut ends = vec![Key::Char('q'), Key::Esc, Key::Enter];
        if open {
            keys.extend([("y", "check into ./switchback.toml"), ("n", "no"), ("l", "later")]);
            ends.extend(['y', 'n', 'l'].map(Key::Char));
        }
        keys.push(("q", "done"));
        let score = &kept.debrief.score;
        let remark = format!("{} of 100 · {}", score.total, score.grade.word());
        let frame = Frame::new("DEBRIEF", &kept.debrief.title, &remark, &keys);
        let (debrief, line) = (&kept.debrief, says.clone());
        let rows = move |columns| {
            let mut rows = Vec::new();
            if !line.is_empty() {
                rows.extend(paragraph(Row::empty(), &line, Look::Warn, columns));
                rows.push(Row::empty());
            }
            rows.extend(told::rows(debrief, columns));
            rows
        };
        let mut reader = Reader::new(frame, &ends, rows);
        reader.top = top;
        let key = pages.show(&mut reader).map_err(lost)?;
        top = reader.top;
        drop(reader);
        let Some(Key::Char(key @ ('y' | 'n' | 'l'))) = key else { return Ok(()) };
        says = carried(root, kept, key);
        top = if says.is_empty() { top } else { 0 };
    }
}

/// Prints it, and asks for the check where somebody is there.
pub fn in_lines(root: &Path, kept: &mut Kept, attended: bool) -> Result<(), Failure> {
    let mut out = kept.debrief.lines(78).join("\n");
    out.push('\n');
    print(format!("\n{out}").as_bytes())?;
    if !attended || kept.debrief.carry_over.is_none() {
        return Ok(());
    }
    print(b"?  the check into ./switchback.toml? y, n or l (later)\n")?;
    let heard = ask::Interrupted::listen();
    let key = ask::line(&heard).and_then(|line| line.trim().to_lowercase().chars().next());
    let says = carried(root, kept, key.unwrap_or('l'));
    print(format!("{says}\n").as_bytes())?;
    Ok(())
}

/// Until when it may wait, in a sentence.
fn later(kept: &Kept) -> String {
    let now = crate::engine::clock::unix_ms();
    let left = kept.open(now).map_or(0, |open| open.left);
    let day = text::utc(now + left.max(0) * 86_400_000);
    let day = day.get(..10).unwrap_or(&day);
    format!("Later: it stays open in the hangar, to be decided by {day}; d there asks again.")
}

/// Does what is wanted with the check, and says what was done.
fn carried(root: &Path, kept: &mut Kept, key: char) -> String {
    let Some(check) = kept.debrief.carry_over.clone() else { return String::new() };
    let day = text::utc(crate::engine::clock::unix_ms());
    let from = format!("{}, {}", kept.scenario, day.get(..10).unwrap_or(&day));
    let (carried, says) = match key {
        'y' => match carry::append(Path::new(PLAN), &check, &from) {
            Ok(true) => (Carried::Yes, format!("The check stands in ./{PLAN} now.")),
            Ok(false) => (Carried::Yes, format!("The check stands in ./{PLAN} already.")),
            Err(fault) => (Carried::Later, format!("{}; {}. It waits.", fault.cause, fault.hint)),
        },
        'n' => (Carried::No, "The check is not carried over.".to_owned()),
        _ => (Carried::Later, later(kept)),
    };
    kept.carried = carried;
    match kept::save(&root.join(&kept.run), kept) {
        Ok(()) => says,
        Err(failure) => format!("{says} {}", failure.says.replace('\n', "; ")),
    }
}
