//! What the journal says about the evidence itself: what was declared, and what became of the
//! recordings.

use super::{Moment, Recording, cast};
use crate::clean::Clean;
use crate::journal::{Noted, Run};
use crate::runbook::record::Tone;
use crate::units::Millis;
use std::collections::BTreeMap;
use std::path::Path;

/// What the journal says about the evidence itself.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub declared: Option<crate::journal::Declared>,
    pub recordings: Vec<Recording>,
    /// The first and last of the journal's lines that each recording can show.
    pub spans: Vec<(u64, u64)>,
    pub redacted: BTreeMap<String, u64>,
    pub moments: Vec<Moment>,
}

impl Told {
    /// All of it, and a line of the timeline for each.
    pub fn of(run: &Run) -> Self {
        let mut told = Self::default();
        for (seq, at, noted) in &run.noted {
            let (text, tone) = told.take(*seq, noted);
            let (topic, cast) = ("evidence".to_owned(), None);
            told.moments.push(Moment { seq: *seq, at: *at, topic, text, tone, cast });
        }
        told
    }

    fn recording(&mut self, file: &str) -> Option<&mut Recording> {
        self.recordings.iter_mut().find(|recording| recording.file == file)
    }

    fn take(&mut self, seq: u64, noted: &Noted) -> (String, Tone) {
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
                    // Whoever records anew does not record the old file any more.
                    if let Some((_, to)) = self.spans.last_mut() {
                        *to = (*to).min(seq);
                    }
                    self.spans.push((seq, u64::MAX));
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

/// The recordings, with the seconds at which the timeline's lines are on the screen: as marked, or
/// from the nearest mark on, since both clocks go alike.
pub(super) fn found(dir: &Path, told: &Told, timeline: &mut [Moment]) -> Vec<Recording> {
    let mut recordings = told.recordings.clone();
    for (index, (recording, span)) in recordings.iter_mut().zip(&told.spans).enumerate() {
        let Some(cast) = cast::marks(dir, &recording.file) else { continue };
        recording.present = true;
        let mut known: Vec<(Millis, f64)> = Vec::new();
        for moment in timeline.iter_mut() {
            if let Some(second) = cast.marks.get(&moment.seq) {
                moment.cast = Some((index, *second));
                known.push((moment.at, *second));
            }
        }
        let lost = recording.lost.as_ref().map_or(f64::INFINITY, |lost| lost.after_s);
        let end = cast.end.min(lost);
        for moment in timeline.iter_mut().filter(|moment| moment.cast.is_none()) {
            if moment.seq < span.0 || moment.seq > span.1 {
                continue;
            }
            let second = beside(&known, moment.at);
            moment.cast = second.filter(|second| *second <= end).map(|second| (index, second));
        }
    }
    recordings
}

/// The second of an instant, from the mark that is nearest to it.
fn beside(known: &[(Millis, f64)], at: Millis) -> Option<f64> {
    let (mark, second) = known.iter().min_by_key(|(mark, _)| mark.0.abs_diff(at.0))?;
    Some((second + (at.0 as f64 - mark.0 as f64) / 1e3).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_a_mark_is_shown_from_the_nearest_one_on() {
        let known = [(Millis(4_000), 9.5), (Millis(10_000), 15.75)];
        assert_eq!(beside(&known, Millis(4_250)), Some(9.75));
        assert_eq!(beside(&known, Millis(9_000)), Some(14.75));
        assert_eq!(beside(&[(Millis(4_000), 1.0)], Millis(0)), Some(0.0));
        assert_eq!(beside(&[], Millis(0)), None);
    }
}
