//! One line of samples, read in one go.
//!
//! A backtest reads far more lines than anything else here, and is called again and again, so a
//! line is parsed once, straight into the [`Sample`] that is judged. What has an unknown mark is
//! nobody's business and may hold anything; what has none must be a sample, and is told if not.

use crate::clean::Clean;
use crate::signal::{Histogram, Origin, Sample, Whose};
use crate::units::Millis;
use serde::Deserialize as Fields;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// A line that cannot be read: why, and the next move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What is wrong with it.
    pub why: Clean,
    /// Whether it only ends too soon, as a line that was being written when its writer was ended.
    pub ends_too_soon: bool,
}

impl Unread {
    /// The next move.
    pub const HINT: &'static str = "a line is a sample, such as {\"at\":125000,\"role\":\"green\",\"from\":\"users\",\
         \"requests\":20,\"failed\":1}, or a mark, such as {\"at\":124000,\"mark\":\"split\",\"green\":50}; \
         correct that line, or take it out";
}

/// Where a second stands in a run of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When the core took it.
    pub stepped: Millis,
    /// The step that the run was in, 1 to 8.
    pub step: u8,
}

/// What a line says.
#[expect(clippy::large_enum_variant, reason = "nearly every line is one, and is judged at once")]
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// A second; with its place where a run of ours wrote it.
    Sample(Sample, Option<Place>),
    /// From here on Green gets this share of the users, in percent.
    Split {
        /// When.
        at: Millis,
        /// Green's percent.
        green: f64,
    },
    /// A run of ours was woken: nothing happened but that time had passed.
    Due(Millis),
    /// A mark that says nothing to a judge, or that we do not know.
    Other,
}

/// The keys that mean something to us; what else there is is kept by its name.
#[derive(Fields)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    At,
    Mark,
    Role,
    From,
    Requests,
    Failed,
    ClientErrors,
    LatencyMs,
    Checks,
    Unready,
    Live,
    Ready,
    DbErrors,
    QueueDepth,
    Green,
    N,
    Stepped,
    Step,
    Other(String),
}

/// The keys of a sample, as people write them.
pub(super) const KEYS: [&str; 13] = [
    "at",
    "role",
    "from",
    "requests",
    "failed",
    "client_errors",
    "latency_ms",
    "checks",
    "unready",
    "live",
    "ready",
    "db_errors",
    "queue_depth",
];

/// Everything that a line may hold and that is judged.
#[derive(Default)]
struct Raw {
    at: Millis,
    mark: Option<String>,
    role: Option<Whose>,
    from: Option<Origin>,
    requests: Option<u64>,
    failed: Option<u64>,
    client_errors: Option<u64>,
    latency_ms: Option<Times>,
    checks: Option<u64>,
    unready: Option<u64>,
    live: Option<bool>,
    ready: Option<bool>,
    db_errors: Option<u64>,
    queue_depth: Option<u64>,
    green: Option<f64>,
    n: Option<u64>,
    stepped: Option<Millis>,
    step: Option<u8>,
    strange: Vec<String>,
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Whole)
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sample or a mark")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut raw = Raw::default();
        let mut at = None;
        while let Some(key) = map.next_key()? {
            let map = &mut map;
            match key {
                Key::At => once(&mut at, "at", map),
                Key::Mark => once(&mut raw.mark, "mark", map),
                Key::Role => once(&mut raw.role, "role", map),
                Key::From => once(&mut raw.from, "from", map),
                Key::Requests => once(&mut raw.requests, "requests", map),
                Key::Failed => once(&mut raw.failed, "failed", map),
                Key::ClientErrors => once(&mut raw.client_errors, "client_errors", map),
                Key::LatencyMs => once(&mut raw.latency_ms, "latency_ms", map),
                Key::Checks => once(&mut raw.checks, "checks", map),
                Key::Unready => once(&mut raw.unready, "unready", map),
                Key::Live => once(&mut raw.live, "live", map),
                Key::Ready => once(&mut raw.ready, "ready", map),
                Key::DbErrors => once(&mut raw.db_errors, "db_errors", map),
                Key::QueueDepth => once(&mut raw.queue_depth, "queue_depth", map),
                Key::Green => once(&mut raw.green, "green", map),
                Key::N => once(&mut raw.n, "n", map),
                Key::Stepped => once(&mut raw.stepped, "stepped", map),
                Key::Step => once(&mut raw.step, "step", map),
                Key::Other(name) => {
                    raw.strange.push(name);
                    map.next_value().map(|IgnoredAny| ())
                }
            }?;
        }
        raw.at = at.ok_or_else(|| de::Error::missing_field("at"))?;
        Ok(raw)
    }
}

/// Reads a value that is said once; null is as good as absent.
fn once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    slot: &mut Option<T>,
    key: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return Err(de::Error::duplicate_field(key));
    }
    *slot = map.next_value()?;
    Ok(())
}

/// Times to an answer, without a copy of each bound's text: nine tenths of a line are these.
struct Times(Histogram);

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Buckets;
        impl<'de> Visitor<'de> for Buckets {
            type Value = Times;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of bucket bounds in milliseconds to counts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Times, A::Error> {
                let mut histogram = Histogram::default();
                while let Some((Bound(bound), count)) = map.next_entry()? {
                    histogram.add(bound, count);
                }
                Ok(Times(histogram))
            }
        }
        deserializer.deserialize_map(Buckets)
    }
}

/// The upper bound of a bucket, which is the text of a key.
struct Bound(f64);

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Bound;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a bucket bound in milliseconds")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bound, E> {
                let bound = text.parse().ok().filter(|b: &f64| b.is_finite() && *b >= 0.0);
                bound.map(Bound).ok_or_else(|| E::custom(format!("{text:?} is no bucket bound")))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// What a line is, before anything else is asked of it.
#[derive(Fields)]
struct Peek {
    mark: Option<String>,
}

fn unread(why: &str, ends_too_soon: bool) -> Unread {
    Unread { why: Clean::new(why), ends_too_soon }
}

/// Reads a line, with or without its line feed.
pub fn read(text: &str) -> Result<Line, Unread> {
    read_whole(text).map(|(line, _)| line)
}

/// Reads a line, and gives the keys of a sample that nobody knows.
pub fn read_whole(text: &str) -> Result<(Line, Vec<String>), Unread> {
    let mut raw: Raw = match serde_json::from_str(text) {
        Ok(raw) => raw,
        Err(error) => return otherwise(text, &error).map(|line| (line, Vec::new())),
    };
    let strange = std::mem::take(&mut raw.strange);
    let line = line(raw)?;
    let strange = if matches!(line, Line::Sample(..)) { strange } else { Vec::new() };
    Ok((line, strange))
}

fn line(raw: Raw) -> Result<Line, Unread> {
    match raw.mark.as_deref() {
        None => sample(raw),
        Some("split") => match raw.green {
            Some(green) => Ok(Line::Split { at: raw.at, green }),
            None => Err(unread("a split mark without `green`, Green's percent", false)),
        },
        // A read-back brings the time as well: the core decides whenever anything happens.
        Some("due" | "read") => Ok(Line::Due(raw.at)),
        Some(_) => Ok(Line::Other),
    }
}

fn sample(raw: Raw) -> Result<Line, Unread> {
    let (role, from) = match (raw.role, raw.from) {
        (Some(role), Some(from)) => (role, from),
        (None, None) => return Err(unread("neither a sample nor a mark", false)),
        (None, _) => return Err(unread("a sample without `role`: blue, green or both", false)),
        (_, None) => return Err(unread("a sample without `from`: users, probes or gauges", false)),
    };
    let place = match (raw.n, raw.step) {
        (Some(_), Some(step)) => Some(Place { stepped: raw.stepped.unwrap_or(raw.at), step }),
        _ => None,
    };
    let sample = Sample {
        requests: raw.requests,
        failed: raw.failed,
        client_errors: raw.client_errors,
        latency_ms: raw.latency_ms.map(|Times(histogram)| histogram),
        checks: raw.checks,
        unready: raw.unready,
        live: raw.live,
        ready: raw.ready,
        db_errors: raw.db_errors,
        queue_depth: raw.queue_depth,
        ..Sample::empty(raw.at, role, from)
    };
    Ok(Line::Sample(sample, place))
}

/// What did not fit may be a mark that we do not know, whose keys are its own.
fn otherwise(text: &str, error: &serde_json::Error) -> Result<Line, Unread> {
    match serde_json::from_str::<Peek>(text) {
        Ok(Peek { mark: Some(mark) }) if mark != "split" => Ok(Line::Other),
        _ => {
            // It is one line, and its number is the file's to say.
            let why = error.to_string();
            let why = why.replace(" at line 1 column ", " at character ");
            Err(unread(&why, error.is_eof()))
        }
    }
}

/// Whether any line of `text` moves users to Green.
pub fn moves_users(text: &str) -> bool {
    text.match_indices("\"split\"").any(|(at, _)| {
        let from = text[..at].rfind('\n').map_or(0, |feed| feed + 1);
        let to = text[at..].find('\n').map_or(text.len(), |feed| at + feed);
        matches!(read(&text[from..to]), Ok(Line::Split { green, .. }) if green > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> String {
        read(text).unwrap_err().why.to_string()
    }

    #[test]
    fn the_lines_of_the_design_are_read() {
        let split = read(r#"{"at":124000,"mark":"split","green":50}"#);
        assert_eq!(split, Ok(Line::Split { at: Millis(124_000), green: 50.0 }));
        let Ok(Line::Sample(users, None)) = read(
            r#"{"at":125000,"role":"green","from":"users","requests":20,"failed":1,"client_errors":0,"latency_ms":{"31.2":12,"36.1":6,"410.0":2}}"#,
        ) else {
            panic!("it is a sample")
        };
        assert_eq!((users.requests, users.failed, users.checks), (Some(20), Some(1), None));
        assert_eq!(users.latency_ms.map(|times| times.over(40.0)), Some(2));
        let both = r#"{"at":125000,"role":"both","from":"gauges","db_errors":0,"queue_depth":41}"#;
        let Ok(Line::Sample(both, None)) = read(both) else { panic!("it is a sample") };
        assert_eq!((both.db_errors, both.queue_depth, both.requests), (Some(0), Some(41), None));
    }

    #[test]
    fn a_line_of_ours_has_its_place() {
        let text =
            r#"{"at":125000,"role":"green","from":"probes","n":7,"stepped":125013,"step":4}"#;
        let Ok(Line::Sample(_, Some(place))) = read(text) else { panic!("it has one") };
        assert_eq!(place, Place { stepped: Millis(125_013), step: 4 });
        assert_eq!(read(r#"{"at":9,"n":8,"mark":"due"}"#), Ok(Line::Due(Millis(9))));
    }

    #[test]
    fn unknown_fields_and_marks_are_passed_over_whatever_they_hold() {
        let moon = r#"{"mark":"moon","green":"cheese","requests":"many"}"#;
        assert_eq!(read(moon), Ok(Line::Other));
        assert_eq!(read(r#"{"at":1,"mark":"note","says":{"a":[1]}}"#), Ok(Line::Other));
        assert_eq!(read(r#"{"mark":"read","same":"?"}"#), Ok(Line::Other));
        let more = r#"{"at":1,"role":"blue","from":"users","pod":"web-1","why":7,"requests":2}"#;
        assert!(matches!(read(more), Ok(Line::Sample(..))), "{:?}", read(more));
    }

    #[test]
    fn what_is_no_line_is_told_with_its_cause() {
        assert!(why("garbage").contains("expected value at character 1"), "{}", why("garbage"));
        assert!(why(r#"{"at":1}"#).contains("neither a sample nor a mark"));
        assert!(why(r#"{"at":1,"role":"green"}"#).contains("`from`"));
        assert!(why(r#"{"at":1,"role":"purple","from":"users"}"#).contains("purple"));
        assert!(why(r#"{"role":"green","from":"users"}"#).contains("missing field `at`"));
        assert!(why(r#"{"at":1,"mark":"split"}"#).contains("`green`"));
        assert!(why(r#"{"at":1,"mark":"split","green":"half"}"#).contains("half"));
        let minus = why(r#"{"at":1,"role":"blue","from":"users","requests":-4}"#);
        assert!(minus.contains("-4"), "{minus}");
        assert!(read(r#"{"at":1,"role":"bl"#).unwrap_err().ends_too_soon);
        assert!(!read("garbage").unwrap_err().ends_too_soon);
        assert!(!why("{\u{1b}[31m").contains('\u{1b}'));
    }

    #[test]
    fn users_are_moved_by_a_split_mark_and_by_nothing_that_looks_like_one() {
        assert!(moves_users("x\n{\"at\":1,\"green\":10,\"mark\":\"split\"}\n{"));
        assert!(!moves_users("{\"at\":1,\"mark\":\"split\",\"green\":0}\n"));
        assert!(!moves_users("{\"at\":1,\"mark\":\"note\",\"of\":\"split\",\"green\":50}"));
    }
}
