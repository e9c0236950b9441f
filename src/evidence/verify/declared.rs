//! What was declared against what was flown.
//!
//! The journal's first record holds the plan as it was meant, and the core flew by it. The sealed
//! plan's bytes and the declaration must say the same, or whoever reads them reads of another run:
//! whoever holds the key can sign both.

use super::Verified;
use crate::clean::Clean;
use crate::evidence::declare::Declaration;
use crate::evidence::manifest::{MOST_BYTES, read_plain};
use crate::evidence::{json, names};
use crate::journal::chain::digest;
use crate::journal::{Declared, Noted, Opened, Run};
use crate::plan::{self, Migration, Overrides, Plan, Rehearsal};
use crate::runbook::{Act, Effect};
use crate::units::{Millis, Percent};
use serde::Serialize;
use serde_json::Value;
use std::io;
use std::path::Path;

/// What was put down, with what it says.
pub type Said = Option<Declaration>;

/// Whether the plan's bytes are those that were read, and mean what was flown.
pub fn plan(bundle: &Path, run: &Run, told: &mut Verified) {
    const CHECK: &str = "plan";
    let opened = &run.opened;
    let bytes = match read_plain(&bundle.join(names::PLAN), MOST_BYTES) {
        Ok(bytes) => bytes,
        Err(e)
            if e.kind() == io::ErrorKind::NotFound
                && super::contents::left_out(bundle, names::PLAN) =>
        {
            return told.passed_over(CHECK, "it was left out; the journal holds what it means");
        }
        Err(e) => return told.unread(CHECK, names::PLAN, &e),
    };
    let sha256 = digest(&bytes);
    if sha256 != opened.plan_sha256 || sha256 != opened.plan.digest {
        return told.bad(CHECK, format!("{} is not the one that the journal names", names::PLAN));
    }
    let skew = skew(opened);
    match (meant(&bytes, opened), skew) {
        (Ok(plan), _) if same(&plan, &opened.plan) => {
            told.ok(CHECK, format!("{sha256}, and it means what was flown"));
        }
        (_, Some(skew)) => {
            told.passed_over(CHECK, format!("{sha256}; whether it means what was flown: {skew}"));
        }
        (Ok(plan), None) => {
            let differ = differ(&plan, &opened.plan).join(", ");
            told.bad(CHECK, format!("it is not the plan that was flown: {differ}"));
        }
        (Err(why), None) => told.bad(CHECK, format!("it is not a plan that can be flown: {why}")),
    }
}

/// Why nothing is to be expected of what another version has written.
fn skew(opened: &Opened) -> Option<String> {
    let ours = env!("CARGO_PKG_VERSION");
    (opened.program != ours)
        .then(|| format!("it was flown by version {}, this is {ours}", Clean::new(&opened.program)))
}

/// What a plan's bytes mean with what the command line said.
fn meant(bytes: &[u8], opened: &Opened) -> Result<Plan, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
    let said = |name: &str| opened.overrides.get(name).map(Clean::to_string);
    let known = ["release", "current", "migration", "rehearsal", "hold"];
    if let Some(odd) = opened.overrides.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("nobody can say --{odd}"));
    }
    let migration = match said("migration") {
        None => None,
        Some(word) => {
            Some(Migration::from_key(&word).ok_or_else(|| format!("--migration {word}"))?)
        }
    };
    let overrides = Overrides { release: said("release"), current: said("current"), migration };
    let loaded = plan::parse(text, names::PLAN).and_then(|loaded| loaded.with(overrides));
    let plan = loaded.map(|loaded| loaded.plan).map_err(|faults| {
        faults.to_string().lines().next().unwrap_or("nobody knows why").to_owned()
    })?;
    // A rehearsal flies no more of the plan than it says beside it.
    match (said("rehearsal"), said("hold")) {
        (None, None) => Ok(plan),
        (percent, hold) => {
            let percent = percent.and_then(|word| word.strip_suffix(" %")?.parse().ok());
            let percent = percent.and_then(Percent::new).ok_or("a rehearsal at no percent")?;
            let hold = hold.and_then(|word| word.parse::<Millis>().ok());
            let hold = hold.ok_or("a rehearsal that is held for no time")?;
            Ok(plan.rehearsing(Rehearsal { percent, hold }))
        }
    }
}

/// As the journal would hold them: what was flown was read back from there.
fn same(one: &Plan, other: &Plan) -> bool {
    let back = serde_json::to_vec(one).ok().and_then(|json| serde_json::from_slice(&json).ok());
    back.as_ref() == Some(other)
}

/// The names under which two things are not the same.
fn differ<T: Serialize>(one: &T, other: &T) -> Vec<String> {
    let value = |of: &T| serde_json::to_value(of).unwrap_or_default();
    let (Value::Object(one), Value::Object(other)) = (value(one), value(other)) else {
        return Vec::new();
    };
    one.iter()
        .filter(|(name, said)| other.get(*name) != Some(said))
        .map(|(n, _)| n.clone())
        .collect()
}

/// Whether the declaration is the journal's, stands before the first change, and declares what was
/// flown; gives what it says.
pub fn declaration(bundle: &Path, run: &Run, declared: &Declared, told: &mut Verified) -> Said {
    const CHECK: &str = "declaration";
    let bytes = match read_plain(&bundle.join(names::DECLARATION), MOST_BYTES) {
        Ok(bytes) => bytes,
        Err(e) => {
            told.unread(CHECK, names::DECLARATION, &e);
            return None;
        }
    };
    if digest(&bytes) != declared.sha256 {
        told.bad(CHECK, "it is not the one that the journal names");
        return None;
    }
    let skew = skew(&run.opened);
    let said: Declaration = match (serde_json::from_slice(&bytes), &skew) {
        (Ok(said), _) => said,
        (Err(_), Some(skew)) => {
            told.passed_over(CHECK, skew);
            return None;
        }
        (Err(e), None) => {
            told.bad(CHECK, format!("it cannot be read: {e}"));
            return None;
        }
    };
    let mut flown = Declaration::of(&run.opened, 0);
    flown.declared.clone_from(&said.declared);
    flown.signer.clone_from(declared.signed.as_ref().map_or(&said.signer, |_| &declared.signed));
    flown.program_sha256.clone_from(&declared.program_sha256);
    let differ = differ(&flown, &said);
    // These mean the same in every version.
    let always = |name: &String| {
        ["kind", "host", "run", "service", "plan", "overrides", "release", "router", "slots"]
            .contains(&name.as_str())
    };
    let whole = json::file(&flown).as_bytes() == bytes;
    match skew {
        None if !differ.is_empty() => {
            told.bad(CHECK, format!("it is not of what was flown: {}", differ.join(", ")));
        }
        Some(_) if differ.iter().any(always) => {
            told.bad(CHECK, format!("it is not of what was flown: {}", differ.join(", ")));
        }
        None if !whole => told.bad(CHECK, "it says more than this program writes"),
        Some(skew) if !whole => told.passed_over(CHECK, format!("not all of it: {skew}")),
        _ => told.found(CHECK, before(run)),
    }
    Some(said)
}

/// Whether it was put down before anything was changed.
fn before(run: &Run) -> Result<String, String> {
    let noted = run.noted.iter().find_map(|(seq, _, noted)| match noted {
        Noted::Declared(_) => Some(*seq),
        _ => None,
    });
    let changes = run.turns.iter().flat_map(|turn| &turn.effects);
    let changes = changes.chain(run.loose.iter().flat_map(|loose| &loose.effects));
    let first = changes
        .filter(|written| match &written.effect {
            Effect::Act { act, .. } => {
                matches!(act, Act::SetRouter { .. } | Act::Run { .. } | Act::PersistRouter)
            }
            _ => false,
        })
        .map(|written| written.seq)
        .min();
    match (noted, first) {
        (Some(noted), Some(first)) if noted > first => {
            Err(format!("line {noted} comes after the first change, line {first}"))
        }
        (Some(noted), Some(first)) => {
            Ok(format!("line {noted}, before the first change, line {first}"))
        }
        _ => Ok("nothing was changed at all".to_owned()),
    }
}

/// A declaration that could not be written is nowhere, and nothing stands on it.
pub fn not_put_down(bundle: &Path, declared: &Declared, why: &Clean, told: &mut Verified) {
    const CHECK: &str = "declaration";
    let files = [
        names::DECLARATION,
        names::DECLARATION_SIG,
        names::DECLARATION_TOKEN,
        names::APPROVAL,
        names::APPROVAL_SIG,
    ];
    let there = files.iter().find(|name| bundle.join(name).symlink_metadata().is_ok());
    let stands =
        declared.signed.is_some() || declared.token.is_some() || declared.approved.is_some();
    match there {
        Some(name) => told.bad(CHECK, format!("{name} is there, and the journal knows of none")),
        None if stands => told.bad(CHECK, "it was not put down, and was signed all the same"),
        None => told.passed_over(CHECK, format!("it was not put down: {why}")),
    }
}
