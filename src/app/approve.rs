//! A second person approves a plan: read, shown, signed, and put beside it.

use super::{Failure, load, print};
use crate::cli::Global;
use crate::engine::clock::unix_ms;
use crate::evidence::{approve, sign};
use crate::plan::Overrides;
use crate::plan::secrets::at_home;
use crate::units::Millis;
use std::fmt::Write as _;
use std::path::Path;

/// Signs a plan and its release with the approver's key.
pub fn approve(
    global: &Global,
    path: &Path,
    overrides: Overrides,
    key: &Path,
    identity: Option<&str>,
    valid: Millis,
) -> Result<u8, Failure> {
    let options: String =
        overrides.sealed().iter().map(|(name, value)| format!(" --{name} {value}")).collect();
    let loaded = load(path, overrides)?;
    let approver = sign::signer(key, identity.unwrap_or_default())?;
    if approver.identity.is_empty() {
        return Err(Failure::usage(
            "nobody knows who approves: the key has no comment that says it",
            "say --identity NAME, as the evaluator's signers file has it",
        ));
    }
    let evidence = &loaded.plan.evidence;
    let own = evidence.key.as_deref().and_then(|key| sign::signer(&at_home(key), "").ok());
    if own.is_some_and(|own| own.fingerprint == approver.fingerprint)
        || evidence.identity.as_deref() == Some(approver.identity.as_str())
    {
        return Err(Failure::usage(
            "the plan's own key or name would approve itself: approver = deployer",
            "let somebody else approve it, with a key of their own",
        ));
    }
    let (approval, file) = approve::approve(path, &loaded.plan, key, approver, unix_ms(), valid)?;
    if global.json {
        let line = serde_json::to_string(&approval)
            .map_err(|error| Failure::world(error, "this is a bug: please report it"))?;
        return print(format!("{line}\n").as_bytes());
    }
    let release = &approval.release;
    let current = release.current.as_ref().map_or("what Blue runs", |name| name.as_str());
    let next = release.next.as_ref().map_or("a release without a name", |name| name.as_str());
    let mut out = String::new();
    let who = &approval.approver;
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "approved: {}, {current} to {next}, migration {}\n\
         plan: {} sha256 {}\n\
         by: {} with {} {}\n\
         good until: {}\n\
         kept: {} and .sig\n\
         next: switchback deploy {}{options}\n",
        approval.service,
        release.migration.key(),
        path.display(),
        approval.plan_sha256,
        who.identity,
        who.key,
        who.fingerprint,
        approval.valid_until.as_deref().unwrap_or("for ever"),
        file.display(),
        path.display(),
    );
    print(out.as_bytes())
}
