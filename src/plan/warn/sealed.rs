//! Secrets that stand in the plan itself.
//!
//! A plan is sealed as it was read: nothing in it is masked, and whoever gets the bundle reads it.
//! So what looks like a secret there is told before it is flown, by its key and never by its value.

use crate::clean::Mask;
use crate::plan::Plan;
use crate::plan::fault::PlanFault;
use crate::plan::loaded::Places;
use serde_json::Value;

/// What to write instead.
const HINT: &str = "the plan is sealed as it stands: name it in [secrets], as token = { env = \"TOKEN\" }, \
and write {token} in a header; a command finds it in its environment";

/// A warning for each key whose text looks like a secret.
pub fn warnings(plan: &Plan, places: &Places) -> Vec<PlanFault> {
    let mut found = Vec::new();
    if let Ok(plan) = serde_json::to_value(plan) {
        walk("", &plan, &mut found);
    }
    found.dedup();
    let told = |path: &String| {
        let cause = format!("`{path}` holds what looks like a secret");
        places.warning(path, &cause, HINT)
    };
    found.iter().map(told).collect()
}

fn walk(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if holds(text) => found.push(path.to_owned()),
        Value::Array(list) => {
            let words: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            // `--password hunter2` is two words of a command.
            let pair = |pair: &[&str]| {
                pair[0].starts_with('-')
                    && !pair[1].starts_with('-')
                    && holds(&format!("{}={}", pair[0], pair[1]))
            };
            if words.windows(2).any(pair) {
                found.push(path.to_owned());
            }
            list.iter().for_each(|value| walk(path, value, found));
        }
        Value::Object(table) => {
            for (name, value) in table {
                // What a plan says under [commands] stands one level deeper in what is meant.
                let path = match (path, name.as_str()) {
                    ("", name) => name.to_owned(),
                    ("commands", "argv") => path.to_owned(),
                    (path, name) => format!("{path}.{name}"),
                };
                // Where the sources of secrets are named, nothing is one; a header may be.
                let called = value.as_str().is_some_and(|text| holds(&format!("{name}={text}")));
                if called && path.contains("headers") {
                    found.push(path.clone());
                }
                walk(&path, value, found);
            }
        }
        _ => {}
    }
}

/// Whether a text looks like a secret, or names one with its value.
fn holds(text: &str) -> bool {
    Mask::new([]).finds_secret(text)
}
