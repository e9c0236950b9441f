//! The gates as an in-toto statement, for those who collect such.
//!
//! The predicate is `test-result`, which fits gates; there is none for a deployment. The subject is
//! the artefact if the plan declares its digest, or else the plan. It is not signed by itself: the
//! bundle's digests cover it.

use super::{Account, json, names};
use crate::evidence::account::GateEnd;
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
    if let Some(back) = &account.back {
        configuration["annotations"]["wayBack"] = json!(back.why);
    }
    if let Some(unproven) = &account.unproven {
        configuration["annotations"]["unproven"] = json!(unproven);
    }
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
            // A gate that opened has passed only where its step did, and proved what it had to.
            let list = match (gate.state, gate.end) {
                (GateState::Open, GateEnd::Passed) => &mut tests.passed,
                _ if gate.is_decided() => &mut tests.passed,
                (GateState::Open, GateEnd::Here) if account.outcome == Some(RunOutcome::Kept) => {
                    &mut tests.passed
                }
                (GateState::Shut, GateEnd::WayBack | GateEnd::Here) => &mut tests.failed,
                _ => &mut tests.warned,
            };
            list.push(format!("gate {} {}", gate.step.number(), gate.step.title()));
        }
        for (_, role, judgement) in &account.trips {
            let test = format!("limit {} on {}", judgement.signal().key(), role);
            if !tests.failed.contains(&test) {
                tests.failed.push(test);
            }
        }
        // What failed is named. Where an operator chose to go back, or the watch proved too
        // little, nothing has: that is a warning.
        if tests.failed.is_empty() {
            match &account.back {
                Some(back) if !account.operator_went_back() => {
                    tests.failed.push(format!("way back: {}", back.why));
                }
                _ if account.outcome == Some(RunOutcome::Failed) => {
                    tests.failed.push(format!("run: {}", account.says));
                }
                _ => {}
            }
        }
        tests
    }

    /// A release that was not kept has not passed, whatever opened before; it has failed where
    /// something is named that did.
    fn result(&self, account: &Account) -> &'static str {
        if !self.failed.is_empty() {
            "FAILED"
        } else if account.outcome == Some(RunOutcome::Kept) && self.warned.is_empty() {
            "PASSED"
        } else {
            "WARNED"
        }
    }
}
