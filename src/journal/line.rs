//! One record as one line, and back.
//!
//! ```text
//! {"seq":2,"time":"2026-11-23T14:22:07.104Z","at":104,"type":"input.begin","actor":"cockpit",
//!  "host":"vps-1","data":{"n":1,"event":"begin"},"prev":"7510645a8302…"}
//! ```

use super::ascii::to_json;
use super::chain;
use super::entry::{Closed, Entry, Lost, Opened, Resumed, SamplesDigest, VERSION};
use super::fault::JournalFault;
use crate::clean::Clean;
use crate::runbook::{Effect, Event};
use crate::units::Millis;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Milliseconds since 1970 as RFC 3339 in UTC.
pub fn utc(unix_ms: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(unix_ms)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// What a line says besides its entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Stamped {
    /// Counts the lines from 1.
    pub seq: u64,
    /// Milliseconds since the run began.
    pub at: Millis,
    /// Wall clock in milliseconds since 1970.
    pub unix_ms: i64,
}

#[derive(Serialize)]
struct Out<'a> {
    seq: u64,
    time: String,
    at: Millis,
    r#type: &'a str,
    actor: super::entry::Actor,
    host: &'a Clean,
    data: &'a RawValue,
}

#[derive(Serialize)]
struct InputOut<'a> {
    n: u64,
    event: &'a Event,
}

#[derive(Serialize)]
struct EffectOut<'a> {
    n: u64,
    effect: &'a Effect,
}

/// Writes an entry as a line that follows the line with the digest `prev`.
pub fn encode(
    entry: &Entry,
    stamped: &Stamped,
    host: &Clean,
    prev: &str,
) -> serde_json::Result<String> {
    let data = match entry {
        Entry::Opened(opened) => to_json(opened)?,
        Entry::Resumed(resumed) => to_json(resumed)?,
        Entry::Input { n, event } => to_json(&InputOut { n: *n, event })?,
        Entry::Effect { n, effect } => to_json(&EffectOut { n: *n, effect })?,
        Entry::Samples(samples) => to_json(samples)?,
        Entry::Lost(lost) => to_json(lost)?,
        Entry::Noted(noted) => to_json(noted)?,
        Entry::Closed(closed) => to_json(closed)?,
    };
    let object = to_json(&Out {
        seq: stamped.seq,
        time: utc(stamped.unix_ms),
        at: stamped.at,
        r#type: entry.name(),
        actor: entry.actor(),
        host,
        data: &RawValue::from_string(data)?,
    })?;
    Ok(chain::seal(&object, prev))
}

#[derive(Deserialize)]
struct In<'a> {
    seq: u64,
    time: DateTime<Utc>,
    at: Millis,
    r#type: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct InputIn {
    n: u64,
    event: Event,
}

#[derive(Deserialize)]
struct EffectIn<'a> {
    n: u64,
    #[serde(borrow)]
    effect: &'a RawValue,
}

#[derive(Deserialize)]
struct VersionIn {
    journal: u32,
}

/// A line, read.
#[derive(Debug)]
pub struct Decoded {
    /// Its numbers.
    pub stamped: Stamped,
    /// Its entry.
    pub entry: Entry,
    /// Of an effect: its very bytes.
    pub raw: Option<String>,
}

/// Reads line number `number`. The chain is not looked at here.
pub fn decode(line: &str, number: u64) -> Result<Decoded, JournalFault> {
    let garbage = |why: String| JournalFault::Garbage { line: number, why };
    let read: In<'_> = serde_json::from_str(line).map_err(|e| garbage(e.to_string()))?;
    let data = read.data.get();
    let mut raw = None;
    let entry = match read.r#type.as_str() {
        "run.opened" => {
            let found = of::<VersionIn>(data, number)?.journal;
            if found > VERSION {
                return Err(JournalFault::Newer { found, known: VERSION });
            }
            Entry::Opened(Box::new(of::<Opened>(data, number)?))
        }
        "run.resumed" => Entry::Resumed(of::<Resumed>(data, number)?),
        "samples.digest" => Entry::Samples(of::<SamplesDigest>(data, number)?),
        "journal.lost" => Entry::Lost(of::<Lost>(data, number)?),
        "run.closed" => Entry::Closed(of::<Closed>(data, number)?),
        name if name.starts_with("recording.") || name.starts_with("evidence.") => {
            Entry::Noted(of(data, number)?)
        }
        name if name.starts_with("input.") => {
            let InputIn { n, event } = of(data, number)?;
            Entry::Input { n, event }
        }
        _ => {
            let EffectIn { n, effect } =
                serde_json::from_str(data).map_err(|e| garbage(e.to_string()))?;
            raw = Some(effect.get().to_owned());
            Entry::Effect { n, effect: of(effect.get(), number)? }
        }
    };
    if entry.name() != read.r#type {
        return Err(garbage(format!("it says {:?} and holds {}", read.r#type, entry.name())));
    }
    let unix_ms = read.time.timestamp_millis();
    Ok(Decoded { stamped: Stamped { seq: read.seq, at: read.at, unix_ms }, entry, raw })
}

fn of<T: DeserializeOwned>(data: &str, number: u64) -> Result<T, JournalFault> {
    serde_json::from_str(data)
        .map_err(|e| JournalFault::Garbage { line: number, why: e.to_string() })
}
