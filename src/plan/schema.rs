//! The table of keys as a JSON Schema, for editors that complete and check as people type.
//!
//! It says what one key may hold and which keys there are. What must fit between keys (an
//! ascending ramp, two addresses that differ) only `check` knows.

use super::keys::{KEYS, Key, Kind, Need, ROUTERS, SCHEMA};
use super::walk::is_text;
use serde_json::{Map, Value, json};

/// The JSON Schema (draft 2020-12) of a plan.
pub fn schema() -> Value {
    let mut root = table();
    for key in KEYS {
        let segments: Vec<&str> = key.path.split('.').collect();
        insert(&mut root, &segments, key);
    }
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("switchback plan");
    root["description"] = json!(format!("version {SCHEMA} of the plan's format"));
    root["required"] = json!(["schema", "service", "slots", "router", "health"]);
    root["properties"]["slots"]["minProperties"] = json!(2);
    root["properties"]["slots"]["maxProperties"] = json!(2);
    let cases: Vec<Value> = ROUTERS.iter().map(|kind| router_case(kind)).collect();
    root["properties"]["router"]["allOf"] = json!(cases);
    root
}

fn table() -> Value {
    json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

/// Puts a row where it belongs, making the tables on the way.
fn insert(table: &mut Value, path: &[&str], key: &Key) {
    let Some((&head, rest)) = path.split_first() else { return };
    let name = head.trim_end_matches("[]");
    if rest.is_empty() {
        if matches!(key.need, Need::Must) && key.only.is_empty() && name != "*" {
            require(table, name);
        }
        let leaf = leaf(key);
        match name {
            "*" => table["additionalProperties"] = leaf,
            name => table["properties"][name] = leaf,
        }
        return;
    }
    let slot = match name {
        "*" => &mut table["additionalProperties"],
        name => &mut table["properties"][name],
    };
    if head.ends_with("[]") {
        if slot.is_null() {
            *slot = json!({ "type": "array", "items": self::table() });
        }
        insert(&mut slot["items"], rest, key);
    } else if slot.get("type") == Some(&json!("string")) {
        // A word, or a table: the row of the word came first.
        let word = slot.take();
        let mut inner = self::table();
        insert(&mut inner, rest, key);
        *slot = json!({ "anyOf": [word, inner] });
    } else {
        if !slot.is_object() {
            *slot = self::table();
        }
        insert(slot, rest, key);
    }
}

fn require(table: &mut Value, name: &str) {
    match table.get_mut("required").and_then(Value::as_array_mut) {
        Some(required) => required.push(json!(name)),
        None => table["required"] = json!([name]),
    }
}

fn leaf(key: &Key) -> Value {
    const TIME: &str = r"^([0-9]+(\.[0-9]+)?(d|h|m|s|ms))+$";
    let mut leaf = match key.kind {
        Kind::Schema => json!({ "const": SCHEMA }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::Span(..) => json!({ "type": "string", "pattern": TIME }),
        Kind::Count(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Bound => json!({ "type": ["string", "number"] }),
        Kind::Ramp => json!({
            "type": "array", "minItems": 1,
            "items": { "type": "integer", "minimum": 1, "maximum": 100 },
        }),
        Kind::Argv => json!({ "type": "array", "minItems": 1, "items": { "type": "string" } }),
        Kind::Names => json!({
            "type": "array", "uniqueItems": true, "items": { "type": "string" },
        }),
        Kind::Base | Kind::Url => json!({ "type": "string", "pattern": "^https?://" }),
        Kind::Path | Kind::Pointer => json!({ "type": "string", "pattern": "^/" }),
        Kind::Env => json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" }),
        Kind::HeaderValue => json!({ "type": "string" }),
        Kind::Text | Kind::Needle | Kind::Release | Kind::Header | Kind::File | Kind::Address => {
            json!({ "type": "string", "minLength": 1 })
        }
    };
    leaf["description"] = json!(key.doc);
    if let Need::Or(text) = key.need {
        leaf["default"] = match is_text(key.kind) {
            true => json!(text),
            false => serde_json::from_str(text).unwrap_or(Value::Null),
        };
    }
    leaf
}

/// What a router of this kind has to say, and what it may not.
fn router_case(kind: &str) -> Value {
    let rows = || KEYS.iter().filter(|key| key.path.starts_with("router.") && !key.only.is_empty());
    let name = |key: &Key| key.path.split('.').nth(1).unwrap_or_default();
    let required: Vec<&str> = rows()
        .filter(|key| key.only.contains(&kind) && matches!(key.need, Need::Must))
        .map(name)
        .collect();
    let never: Map<String, Value> = rows()
        .filter(|key| !key.only.contains(&kind))
        .map(|key| (name(key).to_owned(), json!(false)))
        .collect();
    json!({
        "if": { "properties": { "kind": { "const": kind } } },
        "then": { "required": required, "properties": never },
    })
}
