//! Headers, and the secrets that they name. No value of a header is ever repeated here.

use super::slots::is_slot_name;
use super::text;
use crate::plan::address::is_header_name;
use crate::plan::placeholder::placeholders;
use crate::plan::value::Value;
use crate::plan::walk::Doc;
use crate::plan::words::nearest;
use crate::plan::{Plan, SecretSource};
use std::collections::BTreeMap;

pub(super) fn headers(doc: &mut Doc<'_>, table: &str) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    let mut bad = Vec::new();
    for found in doc.entries(table) {
        if !is_header_name(&found.name) {
            bad.push(found.name.clone());
        } else if let Some(Value::Text(value)) = &found.value {
            headers.insert(found.name.clone(), value.clone());
        }
    }
    for name in bad {
        doc.key_fault(
            &format!("{table}.{name}"),
            "a header's name holds what no header's name can",
            "write it as Authorization or \"X-Probe\"",
        );
    }
    headers
}

pub(super) fn secrets(doc: &mut Doc<'_>) -> BTreeMap<String, SecretSource> {
    let mut secrets = BTreeMap::new();
    for name in doc.subtables("secrets") {
        let path = format!("secrets.{name}");
        let env = format!("{path}.env");
        let file = format!("{path}.file");
        if !is_slot_name(&name) {
            doc.fault(
                &path,
                &format!("`{name}` cannot be the name of a secret"),
                "letters, digits, `-` and `_`, at most 32",
            );
        } else if let (Some(_), Some(_)) = (text(doc, &env), text(doc, &file)) {
            let cause = format!("secret `{name}` comes from a variable and from a file");
            doc.fault(&path, &cause, "keep one of them");
        } else if let Some(env) = text(doc, &env) {
            secrets.insert(name, SecretSource::Env(env));
        } else if let Some(file) = text(doc, &file) {
            secrets.insert(name, SecretSource::File(file));
        } else if !doc.says(&env) && !doc.says(&file) {
            doc.fault(
                &path,
                &format!("secret `{name}` says nothing"),
                "write { env = \"NAME\" } or { file = \"/path\" }",
            );
        }
    }
    secrets
}

/// Headers name only secrets that there are.
pub(super) fn header_secrets(doc: &mut Doc<'_>, plan: &Plan) {
    // Those that are declared badly have their own fault; they are known all the same.
    let declared = doc.subtables("secrets");
    let known: Vec<&str> = declared.iter().map(String::as_str).collect();
    let tables = std::iter::once(("health".to_owned(), &plan.health.headers))
        .chain(plan.probes.iter().enumerate().map(|(n, p)| (format!("probe[{n}]"), &p.headers)));
    for (table, headers) in tables {
        for (header, value) in headers {
            for found in placeholders(value) {
                if known.contains(&found.name) {
                    continue;
                }
                let path = format!("{table}.headers.{header}");
                let cause = format!(
                    "header `{header}` names {{{}}}, and there is no such secret",
                    found.name
                );
                let hint = match nearest(found.name, &known) {
                    Some(near) => format!("did you mean {{{near}}}?"),
                    None => format!("declare it: [secrets] {} = {{ env = \"NAME\" }}", found.name),
                };
                doc.fault(&path, &cause, &hint);
            }
        }
    }
}
