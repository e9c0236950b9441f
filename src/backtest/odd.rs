//! What is odd about lines that others wrote, and was most likely not meant.
//!
//! Nothing here is judged: times in another unit, keys that nobody knows and counts that cannot be
//! are told beside the verdicts, because a verdict on them is true and says nothing.

use super::line::{KEYS, Line};
use crate::clean::Clean;
use crate::signal::{Origin, Whose};
use crate::text::count;
use crate::units::Millis;

/// Seconds of one stream that are closer together than this are none.
const CLOSE: u64 = 100;
/// Fewer seconds than this show nothing.
const FEW: u64 = 20;
/// So many strange keys are named.
const NAMED: usize = 3;

/// The seconds of one slot from one source.
#[derive(Debug, Clone)]
struct Stream {
    role: Whose,
    from: Origin,
    seconds: u64,
    first: Millis,
    last: Millis,
    before: Millis,
    steps: u64,
    close: u64,
}

/// A stream whose seconds cannot be seconds: `at` is in another unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Squeezed(String);

impl Squeezed {
    /// The next move.
    pub const HINT: &'static str =
        "multiply each `at` by 1000: the second that ends at 2:05 has {\"at\":125000}";
}

impl std::fmt::Display for Squeezed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What was odd so far.
#[derive(Debug, Clone, Default)]
pub struct Odd {
    streams: Vec<Stream>,
    /// Strange keys and in how many lines each was, in the order of their coming.
    keys: Vec<(String, u64)>,
    /// Lines with a strange key.
    strange: u64,
    /// The first line with more failed than requests, and how many there are.
    more_failed: Option<(u64, u64)>,
}

impl Odd {
    /// Looks at line `number`, which has keys that nobody knows.
    pub fn look(&mut self, number: u64, line: &Line, strange: Vec<String>) {
        // A run of ours writes what it means.
        let Line::Sample(sample, None) = line else { return };
        self.strange += u64::from(!strange.is_empty());
        for key in strange {
            if let Some((_, lines)) = self.keys.iter_mut().find(|(known, _)| *known == key) {
                *lines += 1;
            } else if self.keys.len() < NAMED {
                self.keys.push((key, 1));
            }
        }
        if sample.failed.is_some_and(|failed| sample.requests.is_some_and(|all| failed > all)) {
            self.more_failed.get_or_insert((number, 0)).1 += 1;
        }
        let known =
            self.streams.iter_mut().find(|s| s.role == sample.role && s.from == sample.from);
        match known {
            Some(stream) => stream.goes_on(sample.at),
            None => self.streams.push(Stream {
                role: sample.role,
                from: sample.from,
                seconds: 1,
                first: sample.at,
                last: sample.at,
                before: sample.at,
                steps: 0,
                close: 0,
            }),
        }
    }

    /// The stream with the most seconds that cannot be seconds; of several, Green's users.
    pub fn squeezed(&self) -> Option<Squeezed> {
        let squeezed = self.streams.iter().filter(|stream| stream.is_squeezed());
        let asked = (Whose::Green, Origin::Users);
        let most = squeezed.max_by_key(|s| (s.seconds, (s.role, s.from) == asked));
        most.map(|stream| {
            let role = match stream.role {
                Whose::Blue => "blue",
                Whose::Green => "green",
                Whose::Both => "both",
            };
            let from = match stream.from {
                Origin::Users => "users",
                Origin::Probes => "probes",
                Origin::Gauges => "gauges",
            };
            Squeezed(format!(
                "`at` is in milliseconds: {} seconds of {role} {from} lie in {:.1} s",
                stream.seconds,
                stream.span() as f64 / 1000.0
            ))
        })
    }

    /// What whoever asked should know of these lines, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (key, lines) in &self.keys {
            let near = nearest(key).map_or_else(String::new, |near| format!(": nearest `{near}`"));
            let lines = count(*lines, "line");
            let key = Clean::new(key);
            warnings.push(format!("`{key}` is not a key of a sample{near} ({lines})"));
        }
        if self.keys.len() == NAMED {
            let lines = count(self.strange, "line");
            warnings.push(format!("{lines} in all with keys that nobody knows"));
        }
        if let Some((number, lines)) = self.more_failed {
            let more = match lines {
                1 => String::new(),
                _ => format!(", the first of {}", count(lines, "such line")),
            };
            warnings.push(format!("line {number}: `failed` is above `requests`{more}"));
        }
        warnings
    }
}

impl Stream {
    fn goes_on(&mut self, at: Millis) {
        let step = at.0.abs_diff(self.before.0);
        self.seconds += 1;
        // Several may write the same second.
        self.steps += u64::from(step > 0);
        self.close += u64::from((1..CLOSE).contains(&step));
        self.first = self.first.min(at);
        self.last = self.last.max(at);
        self.before = at;
    }

    fn span(&self) -> u64 {
        self.last.since(self.first).0
    }

    /// More than half of its steps are too short, and all of it is.
    const fn is_squeezed(&self) -> bool {
        self.seconds > FEW
            && self.close * 2 > self.steps
            && self.last.0 - self.first.0 < self.seconds.saturating_mul(CLOSE)
    }
}

/// The key that a strange one was most likely meant to be.
fn nearest(word: &str) -> Option<&'static str> {
    let length = word.chars().count();
    if length > 64 {
        return None;
    }
    let near = KEYS.iter().map(|key| (strsim::damerau_levenshtein(word, key), *key));
    let near = near.filter(|(distance, key)| *distance <= (length.max(key.len()) / 3).max(1));
    near.min_by_key(|(distance, _)| *distance).map(|(_, key)| key)
}
