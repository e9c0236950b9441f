//! What the journal says about the evidence itself: what was declared, and what became of the
//! recordings.

use super::{Moment, Recording, cast};
use crate::clean::Clean;
use crate::journal::{Noted, Run};
use crate::runbook::record::Tone;
use std::collections::BTreeMap;
use std::path::Path;

/// What the journal says about the evidence itself.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub declared: Option<crate::journal::Declared>,
    pub recordings: Vec<Recording>,
    pub redacted: BTreeMap<String, u64>,
    pub moments: Vec<Moment>,
}

impl Told {
    /// All of it, and a line of the timeline for each.
    pub fn of(run: &Run) -> Self {
        let mut told = Self::default();
        for (seq, at, noted) in &run.noted {
            let (text, tone) = told.take(noted);
            let (topic, cast) = ("evidence".to_owned(), None);
            told.moments.push(Moment { seq: *seq, at: *at, topic, text, tone, cast });
        }
        told
    }

    fn recording(&mut self, file: &str) -> Option<&mut Recording> {
        self.recordings.iter_mut().find(|recording| recording.file == file)
    }

    fn take(&mut self, noted: &Noted) -> (String, Tone) {
        match noted {
            Noted::Declared(declared) => {
                let by = declared.signed.as_ref().map_or_else(
                    || "unsigned".to_owned(),
                    |signer| format!("signed by {}", signer.identity),
                );
                let token = declared.token.as_ref();
                let when = token.map_or_else(String::new, |t| format!(", proven at {}", t.time));
                // A run that is picked up declares nothing new: the first one was before.
                self.declared.get_or_insert_with(|| (**declared).clone());
                (format!("plan and release declared, {by}{when}"), Tone::Plain)
            }
            Noted::RecordingStarted(started) => {
                let file = started.file.clone();
                let text = format!("recording {} begun", Clean::new(&file));
                let size = (started.width, started.height);
                if self.recording(&file).is_none() {
                    let (closed, lost, present) = (None, None, false);
                    self.recordings.push(Recording { file, size, closed, lost, present });
                }
                (text, Tone::Plain)
            }
            Noted::RecordingLost(lost) => {
                if let Some(recording) = self.recording(&lost.file) {
                    recording.lost = Some(lost.clone());
                }
                let (file, after, why) = (Clean::new(&lost.file), lost.after_s, &lost.why);
                (format!("recording {file} lost after {after:.1} s: {why}"), Tone::Warn)
            }
            Noted::RecordingClosed(closed) => {
                if let Some(recording) = self.recording(&closed.file) {
                    recording.closed = Some(closed.clone());
                }
                let (file, frames, secs) =
                    (Clean::new(&closed.file), closed.frames, closed.seconds);
                let found = match closed.hits.len() {
                    0 => String::new(),
                    n => {
                        format!("; {} found on its screens", crate::text::count(n as u64, "secret"))
                    }
                };
                let tone = if closed.hits.is_empty() { Tone::Plain } else { Tone::Bad };
                (format!("recording {file} closed: {frames} frames, {secs:.1} s{found}"), tone)
            }
            Noted::Redacted(counts) => {
                for (rule, times) in counts {
                    let sum = self.redacted.entry(rule.clone()).or_insert(0);
                    *sum = sum.saturating_add(*times);
                }
                let sum = counts.values().fold(0_u64, |sum, times| sum.saturating_add(*times));
                (format!("masked {}", crate::text::count(sum, "time")), Tone::Plain)
            }
        }
    }
}

/// The recordings, with the seconds at which the timeline's lines are on the screen.
pub(super) fn found(dir: &Path, told: Vec<Recording>, timeline: &mut [Moment]) -> Vec<Recording> {
    let mut recordings = told;
    for (index, recording) in recordings.iter_mut().enumerate() {
        let Some(marks) = cast::marks(dir, &recording.file) else { continue };
        recording.present = true;
        for moment in timeline.iter_mut() {
            if let Some(second) = marks.get(&moment.seq) {
                moment.cast = Some((index, *second));
            }
        }
    }
    recordings
}
