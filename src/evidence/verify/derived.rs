//! What was derived from the rest is derived again, and must be the same to the last byte.

use super::who::Signed;
use super::{Asked, Verified, tokens};
use crate::evidence::manifest::{MOST_BYTES, files_of, read_plain};
use crate::evidence::seal::{DERIVED, derive};
use crate::evidence::{environment, names};
use crate::journal::Run;
use std::path::Path;

const CHECK: &str = "derived files";

/// Derives the report and everything like it again.
pub fn derived(bundle: &Path, run: &Run, signed: &Signed, asked: &Asked<'_>, told: &mut Verified) {
    let stated = read_plain(&bundle.join(names::ENVIRONMENT), MOST_BYTES)
        .map_err(|e| e.to_string())
        .and_then(|bytes| environment::stated(&bytes));
    let stated = match stated {
        Ok(stated) => stated,
        Err(why) => return told.bad(CHECK, format!("{}: {why}", names::ENVIRONMENT)),
    };
    tokens::of_the_seal(bundle, &stated, asked, told);
    match (&stated.signer, &signed.by) {
        (Some(said), Some(by)) if said.fingerprint != by.fingerprint => {
            told.bad("signer", "the bundle says that it is signed with another key");
        }
        (None, Some(_)) => told.bad("signer", "the bundle says that it is not signed"),
        (Some(_), None) => told.bad("signer", "the bundle says that it is signed"),
        _ => {}
    }
    let ours = env!("CARGO_PKG_VERSION");
    if stated.program.version != ours {
        let why = format!("they were made by version {}, this is {ours}", stated.program.version);
        return told.passed_over(CHECK, why);
    }
    let made = match derive(bundle, run, &stated) {
        Ok(made) => made,
        Err(why) => return told.bad(CHECK, why),
    };
    let there = files_of(bundle).unwrap_or_default();
    let mut differ: Vec<&str> = made
        .iter()
        .filter(|(name, bytes)| {
            read_plain(&bundle.join(name), MOST_BYTES).ok().as_ref() != Some(bytes)
        })
        .map(|(name, _)| name.as_str())
        .collect();
    let not_made = |name: &&&str| !made.iter().any(|(made, _)| made == **name);
    differ.extend(
        DERIVED.iter().filter(not_made).filter(|name| there.iter().any(|file| file == **name)),
    );
    if differ.is_empty() {
        told.ok(CHECK, format!("{} made again, byte for byte the same", made.len()));
    } else {
        told.bad(CHECK, format!("not what the journal gives: {}", differ.join(", ")));
    }
}
