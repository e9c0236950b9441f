//! The bundle as OSCAL assessment results: observations, and never a finding.
//!
//! A finding must say `satisfied` or `not-satisfied`, which is an assessor's word. So there are
//! only observations: one for each gate, and one for each control of SP 800-53 that the bundle is
//! relevant to, with what it does not show. Every id follows from the run's, so that the same run
//! gives the same file; every reference is to a resource in it, with the file's digest.

use super::controls::{self, Framework, Row};
use super::statement::digest_of;
use super::{Account, json, names};
use crate::journal::line::utc;
use crate::runbook::RunOutcome;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The version of OSCAL that this is written in.
const VERSION: &str = "1.2.1";
/// Where our names of properties are from.
const NS: &str = "urn:switchback:evidence";

/// The file; `digests` are the bundle's files with their SHA-256 in hex, but for this one.
pub fn json(account: &Account, digests: &[(String, String)]) -> String {
    let ids = Ids::of(&account.run);
    let mut files = digests.to_vec();
    if digest_of(digests, names::PLAN).is_none() {
        files.push((names::PLAN.to_owned(), account.plan_sha256.clone()));
    }
    let book = Book { account, ids: &ids, files: &files };
    let rows: Vec<Row> = controls::rows(account)
        .into_iter()
        .filter(|row| row.framework == Framework::Nist)
        .collect();
    let selected: Vec<Value> =
        rows.iter().map(|row| json!({ "control-id": row.oscal_id() })).collect();
    let title = format!(
        "{} {} on {}: {}",
        account.kind.word(),
        account.service.ascii(),
        account.host.ascii(),
        account.outcome.map_or("cut off", RunOutcome::word),
    );
    let mut result = json!({
        "uuid": ids.of_thing("result"),
        "title": title,
        "description": said(account.says.ascii(), "the run has no last word"),
        "start": utc(account.began_unix_ms),
        "end": utc(book.end()),
        "props": [
            prop("kind", account.kind.word()),
            prop("host", &account.host.ascii()),
            prop("run", &account.run),
        ],
        "reviewed-controls": {
            "description": controls::READ_THIS_FIRST,
            "control-selections": [{ "include-controls": selected }],
        },
        "observations": book.observations(&rows),
    });
    if let Some(outcome) = account.outcome {
        push(&mut result, "props", prop("outcome", outcome.word()));
    }
    let mut metadata = json!({
        "title": title,
        "last-modified": utc(book.end()),
        "version": account.run,
        "oscal-version": VERSION,
        "remarks": controls::READ_THIS_FIRST,
    });
    if let Some(marking) = account.marking.as_ref().filter(|marking| !marking.is_empty()) {
        metadata["props"] = json!([{ "name": "marking", "value": marking.ascii().trim() }]);
    }
    json::file(&json!({
        "assessment-results": {
            "uuid": ids.of_thing("assessment-results"),
            "metadata": metadata,
            // Required, and there is no assessment plan: what was planned is the operator's plan.
            "import-ap": { "href": format!("#{}", ids.of_file(names::PLAN)) },
            "results": [result],
            "back-matter": { "resources": book.resources() },
        }
    }))
}

/// Ids that follow from the run's.
struct Ids(Uuid);

impl Ids {
    fn of(run: &str) -> Self {
        Self(Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{NS}:{run}").as_bytes()))
    }

    fn of_thing(&self, thing: &str) -> String {
        Uuid::new_v5(&self.0, thing.as_bytes()).to_string()
    }

    fn of_file(&self, file: &str) -> String {
        self.of_thing(&format!("file {file}"))
    }
}

struct Book<'a> {
    account: &'a Account,
    ids: &'a Ids,
    files: &'a [(String, String)],
}

impl Book<'_> {
    /// When it ended, or what is known last of it.
    fn end(&self) -> i64 {
        let account = self.account;
        let last = i64::try_from(account.last_at.0).unwrap_or(i64::MAX);
        account.ended_unix_ms.unwrap_or_else(|| account.began_unix_ms.saturating_add(last))
    }

    fn observations(&self, rows: &[Row]) -> Vec<Value> {
        let mut list = Vec::new();
        for gate in &self.account.gates {
            let (step, state) = (gate.step, gate.word());
            let note = gate.note().map_or_else(String::new, |note| format!(" ({note})"));
            let at = self.account.began_unix_ms.saturating_add(gate.at.0.try_into().unwrap_or(0));
            let mut seen = json!({
                "uuid": self.ids.of_thing(&format!("gate {}", step.number())),
                "title": format!("Gate {}, {}: {state}{note}", step.number(), step.title()),
                "description": said(gate.seen(), "it names no checks"),
                "methods": ["TEST"],
                "collected": utc(at),
                "props": [prop("journal-line", &gate.seq.to_string())],
            });
            let what = format!("line {}", gate.seq);
            self.evidence(&mut seen, &[(crate::journal::JOURNAL, what)]);
            list.push(seen);
        }
        for row in rows {
            let pieces: Vec<(&str, String)> =
                row.relevant.iter().map(|piece| (piece.file, piece.what.clone())).collect();
            let told: Vec<String> =
                pieces.iter().map(|(file, what)| format!("{file}: {what}")).collect();
            let mut seen = json!({
                "uuid": self.ids.of_thing(&format!("control {}", row.id)),
                "title": format!("Evidence relevant to {} {}", row.id, row.name),
                "description": told.join("; "),
                "methods": ["EXAMINE"],
                "collected": utc(self.end()),
                "props": [prop("relevant-control", &row.oscal_id())],
                "remarks": format!("It does not show: {}.", row.does_not_show),
            });
            self.evidence(&mut seen, &pieces);
            list.push(seen);
        }
        list.push(self.files(&list));
        list
    }

    /// The bundle's files, so that each resource is part of an observation.
    fn files(&self, others: &[Value]) -> Value {
        let said: Vec<String> = others.iter().map(Value::to_string).collect();
        let named = |file: &str| {
            let id = format!("\"#{}\"", self.ids.of_file(file));
            said.iter().any(|other| other.contains(&id))
        };
        let rest: Vec<(&str, String)> = self
            .files
            .iter()
            .filter(|(file, _)| !named(file))
            .map(|(file, _)| (file.as_str(), "its digest is in the resource".to_owned()))
            .collect();
        let mut seen = json!({
            "uuid": self.ids.of_thing("files"),
            "title": "Files of the bundle",
            "description": "What else the bundle holds, each with its SHA-256",
            "methods": ["EXAMINE"],
            "collected": utc(self.end()),
        });
        self.evidence(&mut seen, &rest);
        seen
    }

    /// Points at files of the bundle; at what is not in it nothing is pointed.
    fn evidence(&self, seen: &mut Value, pieces: &[(&str, String)]) {
        let list: Vec<Value> = pieces
            .iter()
            .filter(|(file, _)| digest_of(self.files, file).is_some())
            .map(|(file, what)| {
                json!({ "href": format!("#{}", self.ids.of_file(file)), "description": what })
            })
            .collect();
        if !list.is_empty() {
            seen["relevant-evidence"] = Value::Array(list);
        }
    }

    fn resources(&self) -> Vec<Value> {
        let one = |(file, digest): &(String, String)| {
            let mut resource = Map::new();
            resource.insert("uuid".to_owned(), json!(self.ids.of_file(file)));
            resource.insert("title".to_owned(), json!(file));
            let hashes = json!([{ "algorithm": "SHA-256", "value": digest }]);
            resource.insert("rlinks".to_owned(), json!([{ "href": file, "hashes": hashes }]));
            Value::Object(resource)
        };
        self.files.iter().map(one).collect()
    }
}

/// A property's value may not be empty, nor begin or end with a blank.
fn prop(name: &str, value: &str) -> Value {
    json!({ "name": name, "ns": NS, "value": said(value.trim().to_owned(), "unknown") })
}

fn said(text: String, else_said: &str) -> String {
    if text.trim().is_empty() { else_said.to_owned() } else { text }
}

fn push(value: &mut Value, key: &str, more: Value) {
    if let Some(list) = value.get_mut(key).and_then(Value::as_array_mut) {
        list.push(more);
    }
}
