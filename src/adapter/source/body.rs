//! What a readiness body says: components that must be good, components that may be degraded,
//! numbers that stand at a JSON pointer.
//!
//! Bodies are other people's. A component is looked for under `components`, under `checks`, and
//! at the top; it is good where it says `ok`, `up`, `pass`, `healthy`, `ready` or `true`, itself
//! or in its `status`. A required component that cannot be found is not ready: silence is no
//! proof. A body that names nothing required is judged by the status of the answer alone.

use crate::clean::Clean;
use serde_json::Value;

/// As much of a component's own words as is shown.
const WORDS: usize = 60;
/// As much of an artefact's digest: `sha512:` and its digits, and some room.
const DIGEST: usize = 160;

/// What the components say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Components {
    /// The first required component that is not good, in a few words.
    pub bad: Option<Clean>,
    /// The optional components that are not good.
    pub degraded: Vec<Clean>,
}

/// Judges the components of a body; `None` is a body that could not be read as JSON, for the
/// reason given.
pub fn components(
    body: Result<&Value, &str>,
    require: &[String],
    optional: &[String],
) -> Components {
    let body = match body {
        Ok(body) => body,
        Err(why) => {
            let bad = require.first().map(|name| format!("component {name} unknown: {why}"));
            return Components { bad: bad.map(|bad| Clean::new(&bad)), degraded: Vec::new() };
        }
    };
    let bad = require.iter().find_map(|name| match find(body, name) {
        None => Some(format!("component {name} is not in the answer")),
        Some(value) => (!is_good(value)).then(|| format!("component {name} {}", words(value))),
    });
    let degraded = optional.iter().filter_map(|name| {
        let value = find(body, name)?;
        (!is_good(value)).then(|| Clean::new(&format!("{name} {}", words(value))))
    });
    Components { bad: bad.map(|bad| Clean::new(&bad)), degraded: degraded.collect() }
}

fn find<'a>(body: &'a Value, name: &str) -> Option<&'a Value> {
    ["components", "checks"]
        .into_iter()
        .find_map(|group| body.get(group)?.get(name))
        .or_else(|| body.get(name))
}

fn is_good(value: &Value) -> bool {
    match value {
        Value::Bool(good) => *good,
        Value::String(word) => {
            let good = ["ok", "up", "pass", "healthy", "ready", "true"];
            good.iter().any(|good| word.eq_ignore_ascii_case(good))
        }
        Value::Object(object) => object.get("status").is_some_and(is_good),
        Value::Array(all) => !all.is_empty() && all.iter().all(is_good),
        Value::Null | Value::Number(_) => false,
    }
}

/// What a component says of itself: washed before it is cut, lest a cut leave half a secret.
fn words(value: &Value) -> String {
    let said = match value {
        Value::Object(object) => object.get("status"),
        other => Some(other),
    };
    match said {
        None => "has no status".to_owned(),
        Some(Value::String(word)) => format!("is {}", Clean::foreign_to(word, WORDS)),
        Some(other) => format!("is {}", Clean::foreign_to(&other.to_string(), WORDS)),
    }
}

/// A count at a JSON pointer: a whole number that is not negative, as a number or in a string.
pub fn count_at(body: &Value, pointer: &str) -> Option<u64> {
    match body.pointer(pointer)? {
        Value::Number(number) => number.as_u64().or_else(|| {
            let number = number.as_f64()?;
            // 2^53: above it a float is no count any more.
            (number >= 0.0 && number.fract() == 0.0 && number < 9e15).then_some(number as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A short text at a JSON pointer, such as a version.
pub fn text_at(body: &Value, pointer: &str) -> Option<Clean> {
    short(&said_at(body, pointer)?)
}

/// The digest of an artefact at a JSON pointer.
pub fn digest_at(body: &Value, pointer: &str) -> Option<Clean> {
    digest(&said_at(body, pointer)?)
}

fn said_at(body: &Value, pointer: &str) -> Option<String> {
    match body.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A short text from outside; nothing where it is empty. Four numbers with dots between them are
/// a release's here, and nobody's address.
pub fn short(text: &str) -> Option<Clean> {
    named(text, WORDS)
}

/// The digest of an artefact, which is longer than other names.
pub fn digest(text: &str) -> Option<Clean> {
    named(text, DIGEST)
}

fn named(text: &str, length: usize) -> Option<Clean> {
    let text = text.trim();
    let clean = match text.parse::<std::net::Ipv4Addr>() {
        Ok(_) => Clean::new(text),
        Err(_) => Clean::foreign_to(text, length),
    };
    (!clean.is_empty()).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judge(body: &Value, require: &[&str], optional: &[&str]) -> (Option<String>, Vec<String>) {
        let own = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let found = components(Ok(body), &own(require), &own(optional));
        let degraded = found.degraded.iter().map(ToString::to_string).collect();
        (found.bad.map(|bad| bad.to_string()), degraded)
    }

    #[test]
    fn components_are_found_in_the_shapes_that_services_use() {
        for body in [
            json!({"components": {"database": {"status": "UP"}, "config": {"status": "UP"}}}),
            json!({"checks": {"database": [{"status": "pass"}], "config": "pass"}}),
            json!({"database": "ok", "config": true}),
            json!({"status": "healthy", "database": {"status": "healthy"}, "config": "Ready"}),
        ] {
            assert_eq!(judge(&body, &["database", "config"], &[]), (None, vec![]), "{body}");
        }
    }

    #[test]
    fn a_required_component_that_is_bad_or_missing_is_named() {
        for (database, says) in [
            (json!("down"), "component database is down"),
            (json!({"status": "DOWN"}), "component database is DOWN"),
            (json!({"latency": 3}), "component database has no status"),
            (json!(false), "component database is false"),
            (json!(1), "component database is 1"),
            (json!([]), "component database is []"),
            (json!(null), "component database is null"),
        ] {
            let body = json!({"config": "ok", "database": database});
            assert_eq!(judge(&body, &["config", "database"], &[]).0.unwrap(), says);
        }
        let (bad, _) = judge(&json!({"status": "ok"}), &["database"], &[]);
        assert_eq!(bad.unwrap(), "component database is not in the answer");
        assert!(judge(&json!("ok"), &["database"], &[]).0.is_some());
    }

    #[test]
    fn optional_components_may_be_degraded_or_absent() {
        let body = json!({"search": {"status": "slow"}, "mail": "ok"});
        assert_eq!(
            judge(&body, &[], &["search", "mail", "fax"]),
            (None, vec!["search is slow".to_owned()])
        );
    }

    #[test]
    fn a_body_that_is_no_json_hurts_only_where_components_are_required() {
        let found = |require: &[String]| components(Err("no JSON"), require, &[]).bad;
        assert_eq!(found(&[]), None);
        let bad = found(&["database".to_owned()]).unwrap();
        assert_eq!(bad.as_str(), "component database unknown: no JSON");
    }

    #[test]
    fn counts_are_whole_and_never_negative() {
        let body = json!({"db": {"errors": 7}, "q": "41", "f": 3.0, "n": -1, "h": 1.5, "t": "x"});
        let at = |pointer| count_at(&body, pointer);
        assert_eq!([at("/db/errors"), at("/q"), at("/f")], [Some(7), Some(41), Some(3)]);
        assert_eq!([at("/n"), at("/h"), at("/t"), at("/db"), at("/gone")], [None; 5]);
    }

    #[test]
    fn words_of_a_component_are_short_and_clean() {
        let body = json!({"database": format!("\u{1b}[31m{}", "x".repeat(10_000))});
        let bad = judge(&body, &["database"], &[]).0.unwrap();
        assert!(bad.len() < 200 && !bad.contains('\u{1b}'), "{bad}");
    }
}
