//! The gates as an in-toto statement, for those who collect such.
//!
//! The predicate is `test-result`, which fits gates; there is none for a deployment. The subject is
//! the artefact if the plan declares its digest, or else the plan. It is not signed by itself: the
//! bundle's digests cover it.

use super::{Account, json, names};
use crate::runbook::RunOutcome;
use crate::runbook::gate::GateState;
use serde_json::{Value, json};

const TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// The statement; `digests` are the bundle's files with their SHA-256 in hex.
pub fn json(account: &Account, digests: &[(String, String)]) -> String {
    let plan = digest_of(digests, names::PLAN).unwrap_or(&account.plan_sha256);
    let plan = json!({ "name": names::PLAN, "digest": { "sha256": plan } });
    let subject = artefact(account).unwrap_or_else(|| plan.clone());
    let mut configuration = plan;
    configuration["annotations"] = json!({
        "kind": account.kind.word(),
        "host": account.host,
        "service": account.service,
        "run": account.run,
        "outcome": account.outcome.map_or("cut off", RunOutcome::word),
    });
    let tests = Tests::of(account);
    json::file(&json!({
        "_type": TYPE,
        "subject": [subject],
        "predicateType": PREDICATE,
        "predicate": {
            "result": tests.result(account),
            "configuration": [configuration],
            "passedTests": tests.passed,
            "warnedTests": tests.warned,
            "failedTests": tests.failed,
        },
    }))
}

/// The digest of one of the bundle's files, in hex.
pub(super) fn digest_of<'d>(digests: &'d [(String, String)], file: &str) -> Option<&'d String> {
    digests.iter().find(|(name, _)| name == file).map(|(_, digest)| digest)
}

/// The artefact, if the plan declares it with its digest: `sha256:...` or `NAME@sha256:...`.
fn artefact(account: &Account) -> Option<Value> {
    let said = account.change.get("artefact")?.as_str();
    let (name, digest) = said.rsplit_once("sha256:")?;
    let is_hex = digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
    let name = name.trim_end_matches('@');
    let name = if name.is_empty() { account.service.as_str() } else { name };
    let digest = digest.to_ascii_lowercase();
    is_hex.then(|| json!({ "name": name, "digest": { "sha256": digest } }))
}

#[derive(Default)]
struct Tests {
    passed: Vec<String>,
    warned: Vec<String>,
    failed: Vec<String>,
}

impl Tests {
    fn of(account: &Account) -> Self {
        let mut tests = Self::default();
        for gate in &account.gates {
            let list = match gate.state {
                GateState::Open => &mut tests.passed,
                GateState::Waiting | GateState::Unknown => &mut tests.warned,
                GateState::Shut => &mut tests.failed,
            };
            list.push(format!("gate {} {}", gate.step.number(), gate.step.title()));
        }
        for (_, role, judgement) in &account.trips {
            let test = format!("limit {} on {}", judgement.signal().key(), role);
            if !tests.failed.contains(&test) {
                tests.failed.push(test);
            }
        }
        tests
    }

    /// A release that was not kept has not passed, whatever opened before.
    fn result(&self, account: &Account) -> &'static str {
        let gone = account.outcome.is_some_and(|outcome| {
            matches!(outcome, RunOutcome::RolledBack | RunOutcome::Abandoned | RunOutcome::Failed)
        });
        if gone || !self.failed.is_empty() {
            "FAILED"
        } else if account.outcome == Some(RunOutcome::Kept) && self.warned.is_empty() {
            "PASSED"
        } else {
            "WARNED"
        }
    }
}
