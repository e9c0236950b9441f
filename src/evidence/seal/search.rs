//! The last look before the seal: does anything hold what should have been masked?
//!
//! Text is searched line by line, recordings as they were drawn: a secret on a screen is in no one
//! piece of what was sent to it. What the recorder has found while it recorded counts too.

use super::gather::{Gathered, is_cast};
use crate::clean::{Clean, Mask};
use crate::evidence::{names, scan};
use crate::journal::{Hit, Noted, Run};

/// What was found, by file.
pub fn search(run: &Run, gathered: &Gathered, mask: &Mask) -> Vec<(String, Hit)> {
    let mut hits = Vec::new();
    for (name, bytes) in &gathered.files {
        if is_cast(name) {
            recording(run, name, bytes, mask, &mut hits);
        } else if ![names::DECLARATION_TOKEN].contains(&name.as_str()) {
            text(name, bytes, mask, &mut hits);
        }
    }
    hits
}

fn text(name: &str, bytes: &[u8], mask: &Mask, hits: &mut Vec<(String, Hit)>) {
    let text = String::from_utf8_lossy(bytes);
    for (line, number) in text.split('\n').zip(1_u64..) {
        if let Some(rule) = mask.would_mask(line) {
            let place = Clean::new(&format!("{name}, line {number}"));
            hits.push((name.to_owned(), Hit { rule: rule.to_owned(), place }));
        }
    }
}

fn recording(run: &Run, name: &str, bytes: &[u8], mask: &Mask, hits: &mut Vec<(String, Hit)>) {
    let found = scan::scan(bytes, mask);
    let while_recorded = run.noted.iter().filter_map(|(_, _, noted)| match noted {
        Noted::RecordingClosed(closed) if closed.file == name => Some(&closed.hits),
        _ => None,
    });
    let all = found.into_iter().chain(while_recorded.flatten().cloned());
    for hit in all {
        let hit = (name.to_owned(), hit);
        if !hits.contains(&hit) {
            hits.push(hit);
        }
    }
}
