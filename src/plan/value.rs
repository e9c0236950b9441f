//! Single values: what was written becomes what is meant, or a complaint with a hint.
//!
//! Each [`Kind`] has one reader here. A complaint reads on after the key's name (`` `health.hold`
//! is a number, and a length of time needs a unit``). How values fit together is not judged here.

use super::address::{address, base, env, header, header_value, path, pointer, url};
use super::keys::{Kind, SCHEMA};
use super::types::Bound;
use crate::units::{Millis, Percent};
use toml::de::DeValue;

/// A value that was understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(u32),
    Span(Millis),
    Bound(Bound),
    List(Vec<String>),
    Ramp(Vec<Percent>),
    Flag(bool),
}

/// Why a value was not understood.
#[derive(Debug)]
pub(super) struct Complaint {
    /// Reads on after the key's name.
    pub says: String,
    /// The next move.
    pub hint: String,
}

/// A value, or why not.
pub(super) type Read = Result<Value, Complaint>;

pub(super) fn complain<T>(
    says: impl Into<String>,
    hint: impl Into<String>,
) -> Result<T, Complaint> {
    Err(Complaint { says: says.into(), hint: hint.into() })
}

/// Reads a value as what its key holds.
pub(super) fn read(kind: Kind, value: &DeValue<'_>) -> Read {
    match kind {
        Kind::Schema => schema(value),
        Kind::Text => text(value).and_then(|text| one_line(text, 200)),
        Kind::Needle => text(value).and_then(needle),
        Kind::Release => text(value).and_then(release),
        Kind::Word(words) => word(value, words),
        Kind::Span(least, most) => span(value, least, most),
        Kind::Count(least, most) => count(value, least, most),
        Kind::Bound => bound(value),
        Kind::Ramp => ramp(value),
        Kind::Base => text(value).and_then(base),
        Kind::Url => text(value).and_then(|text| url(text).map(|_| Value::Text(text.to_owned()))),
        Kind::Path => text(value).and_then(path),
        Kind::Pointer => text(value).and_then(pointer),
        Kind::Header => text(value).and_then(header),
        Kind::HeaderValue => text(value).and_then(header_value),
        Kind::File => text(value).and_then(|text| one_line(text, 4096)),
        Kind::Address => text(value).and_then(address),
        Kind::Env => text(value).and_then(env),
        Kind::Argv => argv(value),
        Kind::Names => names(value),
        Kind::Flag => flag(value),
    }
}

/// What a value is, in a noun that people use.
pub(super) fn noun(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, Complaint> {
    match value {
        DeValue::String(text) => Ok(text),
        DeValue::Integer(_) | DeValue::Float(_) => {
            complain("is a number, and must be a text", "put it in quotes")
        }
        other => complain(format!("is {}, and must be a text", noun(other)), "write it in quotes"),
    }
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).ok().map(|n| n as f64),
        DeValue::Float(n) => n.as_str().parse().ok(),
        _ => None,
    }
}

fn schema(value: &DeValue<'_>) -> Read {
    let says = |what: &str| format!("is {what}, and this version of switchback reads {SCHEMA}");
    let hint =
        format!("write schema = {SCHEMA}, or use the switchback that the plan was written for");
    match value {
        DeValue::Integer(n) => match i64::from_str_radix(n.as_str(), n.radix()) {
            Ok(SCHEMA) => Ok(Value::Number(1)),
            _ => complain(says(n.as_str()), hint),
        },
        other => complain(says(noun(other)), hint),
    }
}

pub(super) fn one_line(text: &str, longest: usize) -> Read {
    if text.trim().is_empty() {
        return complain("is empty", "give it a value");
    }
    if text.trim() != text {
        return complain("begins or ends with a blank", "take the blank away");
    }
    if text.chars().any(char::is_control) {
        return complain("holds a control character", "write it in one plain line");
    }
    if text.chars().count() > longest {
        return complain(format!("is longer than {longest} characters"), "make it shorter");
    }
    Ok(Value::Text(text.to_owned()))
}

fn needle(text: &str) -> Read {
    if text.is_empty() {
        return complain(
            "is empty, and every body contains that",
            "name a text that only a good body has",
        );
    }
    Ok(Value::Text(text.to_owned()))
}

/// Reads a release's name. The command line's overrides come through here too.
pub(super) fn release(text: &str) -> Read {
    if text.chars().any(char::is_whitespace) {
        return complain("holds a blank", "name the release as tags do, such as 1.9.0");
    }
    if text.starts_with('-') {
        return complain(
            "begins with `-`, which commands would read as an option",
            "name the release as tags do, such as 1.9.0",
        );
    }
    one_line(text, 128)
}

fn word(value: &DeValue<'_>, words: &[&str]) -> Read {
    let listed = match words {
        [only] => format!("write \"{only}\", or leave it out"),
        _ => format!("one of: {}", words.join(", ")),
    };
    let text = match value {
        DeValue::String(text) => text,
        other => return complain(format!("is {}, and must be a word", noun(other)), listed),
    };
    if words.contains(&text.as_ref()) {
        return Ok(Value::Text(text.to_string()));
    }
    match super::words::nearest(text, words) {
        Some(near) => complain(format!("is `{text}`"), format!("did you mean `{near}`? {listed}")),
        None => complain(format!("is `{text}`"), listed),
    }
}

fn span(value: &DeValue<'_>, least: Millis, most: Millis) -> Read {
    let text = match value {
        DeValue::String(text) => text,
        DeValue::Integer(n) => {
            return complain(
                "is a number, and a length of time needs a unit",
                format!("write \"{}s\", \"{}ms\" or the like", n.as_str(), n.as_str()),
            );
        }
        other => {
            return complain(
                format!("is {}, and must be a length of time", noun(other)),
                "write it as \"250ms\", \"30s\", \"5m\" or \"1h30m\"",
            );
        }
    };
    match text.parse::<Millis>() {
        Err(why) => complain(
            format!("is `{text}`: {why}"),
            "write a length of time as \"250ms\", \"30s\", \"5m\" or \"1h30m\"",
        ),
        Ok(ms) if ms < least => complain(
            format!("is \"{text}\", which is too short"),
            format!("at least \"{}\"", days(least)),
        ),
        Ok(ms) if ms > most => complain(
            format!("is \"{text}\", which is too long"),
            format!("at most \"{}\"", days(most)),
        ),
        Ok(ms) => Ok(Value::Span(ms)),
    }
}

/// A bound as people write it: whole days as days.
fn days(ms: Millis) -> String {
    const DAY: u64 = 86_400_000;
    if ms.0 > 0 && ms.0.is_multiple_of(DAY) { format!("{}d", ms.0 / DAY) } else { ms.to_string() }
}

fn count(value: &DeValue<'_>, least: u32, most: u32) -> Read {
    let hint = format!("write a whole number from {least} to {most}, without quotes");
    match value {
        DeValue::Integer(n) => match u32::from_str_radix(n.as_str(), n.radix()) {
            Ok(n) if (least..=most).contains(&n) => Ok(Value::Number(n)),
            _ => complain(format!("is {}, out of bounds", n.as_str()), hint),
        },
        other => complain(format!("is {}, and must be a whole number", noun(other)), hint),
    }
}

fn flag(value: &DeValue<'_>) -> Read {
    match value {
        DeValue::Boolean(yes) => Ok(Value::Flag(*yes)),
        other => complain(
            format!("is {}, and must be true or false", noun(other)),
            "write true or false, without quotes",
        ),
    }
}

/// A limit's value, in whichever unit it was written; whether it is the signal's is judged later.
fn bound(value: &DeValue<'_>) -> Read {
    const HINT: &str = "write a share as \"2%\", a latency as \"500ms\", a queue's length as 500";
    if let Some(n) = number(value) {
        return match n.is_finite() && (0.0..=1e12).contains(&n) {
            true => Ok(Value::Bound(Bound::Count(n))),
            false => complain("is not a length that a queue can have", HINT),
        };
    }
    let text = match value {
        DeValue::String(text) => text.trim(),
        other => return complain(format!("is {}, and must be a limit's value", noun(other)), HINT),
    };
    if let Some(share) = text.strip_suffix('%') {
        return match plain_number(share.trim_end()) {
            Some(share) if share > 0.0 && share <= 50.0 => Ok(Value::Bound(Bound::Percent(share))),
            Some(_) => complain(
                format!("is {text}"),
                "a share is above 0% and at most 50%: beyond that, good and bad look alike",
            ),
            None => complain(format!("is `{text}`, and that is no percentage"), HINT),
        };
    }
    match text.parse::<Millis>() {
        Ok(Millis(0)) => {
            complain("is no time at all", "name the latency that users can bear, such as \"500ms\"")
        }
        Ok(ms) => Ok(Value::Bound(Bound::Millis(ms.0 as f64))),
        Err(_) if plain_number(text).is_some() => {
            complain(format!("is \"{text}\", without a unit"), HINT)
        }
        Err(_) => complain(format!("is `{text}`"), HINT),
    }
}

/// A number of digits and at most one point: no sign, no exponent, no `inf`.
fn plain_number(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    if plain { text.parse().ok() } else { None }
}

fn ramp(value: &DeValue<'_>) -> Read {
    const HINT: &str =
        "write Green's percent at each step, such as [10, 50, 100]; [100] is the hard switch";
    let DeValue::Array(items) = value else {
        return complain(format!("is {}, and must be a list of percents", noun(value)), HINT);
    };
    let mut ramp: Vec<Percent> = Vec::new();
    for item in items {
        let step = match item.get_ref() {
            DeValue::Integer(n) => u8::from_str_radix(n.as_str(), n.radix()).ok(),
            _ => None,
        };
        match step.filter(|&step| step > 0).and_then(Percent::new) {
            Some(step) if ramp.last().is_some_and(|&last| last >= step) => {
                return complain("does not ascend", HINT);
            }
            Some(step) => ramp.push(step),
            None => {
                return complain("holds something else than whole percents from 1 to 100", HINT);
            }
        }
    }
    match ramp.last() {
        Some(&Percent::ALL) => Ok(Value::Ramp(ramp)),
        Some(_) => complain("does not end with 100", HINT),
        None => complain("is empty", HINT),
    }
}

fn argv(value: &DeValue<'_>) -> Read {
    const HINT: &str = "write each word as a text of its own: [\"docker\", \"compose\", \"up\"]";
    let items = match value {
        DeValue::Array(items) => items,
        DeValue::String(text) => {
            let shell = text.contains(['"', '\'', '|', '&', ';', '>', '<', '$', '`', '*']);
            let words: Vec<String> = match shell {
                true => ["sh", "-c", text.as_ref()].map(quoted).to_vec(),
                false => text.split_whitespace().map(quoted).collect(),
            };
            return complain(
                "is a text, and must be a list of words: there is no shell unless you name one",
                format!("write [{}]", words.join(", ")),
            );
        }
        other => return complain(format!("is {}, and must be a list of words", noun(other)), HINT),
    };
    let mut words = Vec::new();
    for item in items {
        match item.get_ref() {
            DeValue::String(word) if word.contains('\0') => {
                return complain("holds a NUL character", HINT);
            }
            DeValue::String(word) => words.push(word.to_string()),
            other => {
                return complain(format!("holds {}, and every word is a text", noun(other)), HINT);
            }
        }
    }
    match words.first() {
        None => complain("is an empty list", "name the program, or leave the key out"),
        Some(program) if program.trim().is_empty() => complain("begins with an empty word", HINT),
        Some(_) => Ok(Value::List(words)),
    }
}

fn names(value: &DeValue<'_>) -> Read {
    const HINT: &str = "write a list of names: [\"database\", \"config\"]";
    let DeValue::Array(items) = value else {
        return complain(format!("is {}, and must be a list of names", noun(value)), HINT);
    };
    let mut names: Vec<String> = Vec::new();
    for item in items {
        let DeValue::String(name) = item.get_ref() else {
            return complain(
                format!("holds {}, and every name is a text", noun(item.get_ref())),
                HINT,
            );
        };
        one_line(name, 200)?;
        if names.iter().any(|other| other == name) {
            return complain(format!("names `{name}` twice"), "name it once");
        }
        names.push(name.to_string());
    }
    Ok(Value::List(names))
}

/// A text as TOML writes it, in one line.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
