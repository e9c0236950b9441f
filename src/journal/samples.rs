//! The routine inputs, as lines of `samples.jsonl`.
//!
//! Seconds, due timers and read-backs that say what the one before said would make a journal too
//! long for a person and a shell. They go beside it, one line each, in the form that `backtest`
//! takes; with `n` they find their place among the other inputs again, exactly.
//!
//! ```json
//! {"at":125000,"role":"green","from":"probes","requests":4,"failed":0,"n":97,"step":4}
//! {"at":125013,"n":98,"mark":"due"}
//! {"at":125020,"n":99,"mark":"read","same":true,"took_us":412}
//! {"at":125400,"n":101,"mark":"split","green":50}
//! ```
//!
//! A second that reached the core later than it ended says when: `"stepped":125013`. The mark
//! `split` is no input: it follows from one, and stands here for those who judge again.

use super::ascii::to_json;
use crate::clean::Clean;
use crate::runbook::{Event, Readback};
use crate::runbook::{Kind, RunFacts};
use crate::signal::Sample;
use crate::units::Millis;
use serde::{Deserialize, Serialize};

/// What a line holds besides the sample or mark.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    n: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stepped: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    step: Option<u8>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    at: Millis,
    n: u64,
    #[serde(flatten)]
    what: What,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "mark", rename_all = "snake_case")]
enum What {
    Due,
    Read { same: bool, took_us: u64 },
    Split { green: u8 },
}

/// Decides which inputs are routine. It must see every input, in order.
#[derive(Debug, Default)]
pub struct Routine {
    last_read: Option<Readback>,
}

impl Routine {
    /// The line for `samples.jsonl`, without its line feed; nothing if the input belongs into the
    /// journal.
    pub fn line(
        &mut self,
        n: u64,
        at: Millis,
        step: Option<u8>,
        event: &Event,
    ) -> serde_json::Result<Option<String>> {
        match event {
            Event::Sample(sample) => {
                let stepped = (at != sample.at).then_some(at);
                let place = to_json(&Place { n, stepped, step })?;
                let sample = to_json(sample)?;
                let (open, rest) = (&sample[..sample.len() - 1], &place[1..]);
                Ok(Some(format!("{open},{rest}")))
            }
            Event::Due => to_json(&Mark { at, n, what: What::Due }).map(Some),
            Event::Read(read) => {
                let same = self.last_read.as_ref().is_some_and(|last| last.nodes == read.nodes);
                self.saw_read(read);
                if !same {
                    return Ok(None);
                }
                let what = What::Read { same, took_us: read.took_us };
                to_json(&Mark { at, n, what }).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// A read-back that was found in a journal that goes on.
    pub fn saw_read(&mut self, read: &Readback) {
        self.last_read = Some(read.clone());
    }
}

/// The mark of a switch: Green's percent, as the router reported it after input `n`.
pub fn split_mark(n: u64, at: Millis, green: u8) -> serde_json::Result<String> {
    to_json(&Mark { at, n, what: What::Split { green } })
}

/// The first line: whose samples these are. Whoever judges them passes over it.
pub fn title(facts: &RunFacts) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Title<'a> {
        at: Millis,
        mark: &'static str,
        kind: Kind,
        host: &'a Clean,
        run: &'a str,
    }
    let (kind, host, run) = (facts.kind, &facts.host, facts.run.as_str());
    to_json(&Title { at: Millis::ZERO, mark: "run", kind, host, run })
}

/// A routine input, read back.
#[derive(Debug, PartialEq)]
pub enum Found {
    /// A whole input: its number, its time, what happened.
    Input(u64, Millis, Event),
    /// The same as the read-back before it: its number, its time, and how long it took in
    /// microseconds.
    SameRead(u64, Millis, u64),
    /// No input: a split mark, or a mark that we do not know.
    Other,
}

/// Reads a line of `samples.jsonl`.
pub fn decode(line: &str) -> Result<Found, String> {
    #[derive(Deserialize)]
    struct Peek {
        mark: Option<String>,
    }
    let said = |e: serde_json::Error| e.to_string();
    // Most lines are seconds and have no such key; in a text its quotes would be escaped.
    let mark = if line.contains("\"mark\":") {
        serde_json::from_str::<Peek>(line).map_err(said)?.mark
    } else {
        None
    };
    match mark.as_deref() {
        None => {
            let sample: Sample = serde_json::from_str(line).map_err(said)?;
            let place: Place = serde_json::from_str(line).map_err(said)?;
            let at = place.stepped.unwrap_or(sample.at);
            Ok(Found::Input(place.n, at, Event::Sample(Box::new(sample))))
        }
        Some("due" | "read") => {
            let mark: Mark = serde_json::from_str(line).map_err(said)?;
            Ok(match mark.what {
                What::Due => Found::Input(mark.n, mark.at, Event::Due),
                What::Read { took_us, .. } => Found::SameRead(mark.n, mark.at, took_us),
                What::Split { .. } => Found::Other,
            })
        }
        Some(_) => Ok(Found::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::{Histogram, Origin, Whose};

    #[test]
    fn a_second_is_written_as_the_design_shows_it_and_comes_back() {
        let mut sample = Sample::empty(Millis(125_000), Whose::Green, Origin::Users);
        sample.requests = Some(20);
        let mut latency = Histogram::default();
        latency.add(31.2, 12);
        sample.latency_ms = Some(latency);
        let event = Event::Sample(Box::new(sample));
        let line = Routine::default().line(7, Millis(125_000), Some(5), &event).unwrap().unwrap();
        assert_eq!(
            line,
            r#"{"at":125000,"role":"green","from":"users","requests":20,"latency_ms":{"31.2":12},"n":7,"step":5}"#
        );
        assert_eq!(decode(&line), Ok(Found::Input(7, Millis(125_000), event.clone())));
        let late = Routine::default().line(7, Millis(125_013), None, &event).unwrap().unwrap();
        assert_eq!(decode(&late), Ok(Found::Input(7, Millis(125_013), event)));
    }

    #[test]
    fn a_read_back_is_routine_only_while_it_says_the_same() {
        let read = |worker, took_us| {
            let state = crate::runbook::NodeState { weights: [1, 0], up: [None; 2], worker };
            let outcome = crate::runbook::NodeOutcome::State(state);
            let nodes = vec![crate::runbook::NodeRead { node: "n".into(), outcome }];
            Event::Read(Readback { nodes, took_us })
        };
        let mut routine = Routine::default();
        let mut line = |event| routine.line(1, Millis(5), None, &event).unwrap();
        assert_eq!(line(read(Some(1), 400)), None);
        let same = line(read(Some(1), 412)).unwrap();
        assert_eq!(same, r#"{"at":5,"n":1,"mark":"read","same":true,"took_us":412}"#);
        assert_eq!(decode(&same), Ok(Found::SameRead(1, Millis(5), 412)));
        assert_eq!(line(read(Some(2), 412)), None, "another worker is news");
    }

    #[test]
    fn marks_that_nobody_knows_are_passed_over() {
        assert_eq!(decode(r#"{"at":1,"mark":"moon"}"#), Ok(Found::Other));
        assert_eq!(decode(&split_mark(3, Millis(9), 50).unwrap()), Ok(Found::Other));
        assert!(decode("{").is_err());
    }
}
