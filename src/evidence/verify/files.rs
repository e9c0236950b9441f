//! Whether the files are those of the manifest: no more, no fewer, and with these digests.

use super::{State, Verified};
use crate::evidence::manifest::{
    MOST_BYTES, MOST_OF_ALL, Manifest, UNLISTED, files_of, read_plain,
};
use crate::evidence::names;
use crate::evidence::seal::is_of_a_bundle;
use crate::journal::chain::digest;
use std::collections::BTreeSet;
use std::path::Path;

/// No more findings than this are told one by one.
const TOLD: usize = 20;

/// Looks at all of them; says whether they are what the manifest says.
pub fn files(bundle: &Path, manifest: &Manifest, told: &mut Verified) -> bool {
    let there = match files_of(bundle) {
        Ok(names) => names,
        Err(odd) => {
            for odd in odd.iter().take(TOLD) {
                let state = if odd.is_ours { State::CannotCheck } else { State::Bad };
                told.add("files", state, odd.to_string());
            }
            return false;
        }
    };
    let there: BTreeSet<String> =
        there.into_iter().filter(|name| !UNLISTED.contains(&name.as_str())).collect();
    let mut wrong = Vec::new();
    for name in there.iter().filter(|name| !manifest.files.contains_key(*name)) {
        wrong.push(format!("{name} was added: {} does not list it", names::MANIFEST));
    }
    for name in manifest.files.keys().filter(|name| !there.contains(*name)) {
        wrong.push(format!("{name} is missing"));
    }
    for name in manifest.files.keys().filter(|name| !is_of_a_bundle(name)) {
        wrong.push(format!("{name} is no file of a bundle"));
    }
    if wrong.is_empty() {
        told.ok("files", format!("{} files, none added, none missing", there.len()));
    }
    let mut of_all = 0_u64;
    let (mut changed, mut unread) = (Vec::new(), false);
    for (name, sha256) in manifest.files.iter().filter(|(name, _)| there.contains(*name)) {
        match read_plain(&bundle.join(name), MOST_BYTES) {
            Ok(bytes) => {
                of_all = of_all.saturating_add(bytes.len() as u64);
                if digest(&bytes) != *sha256 {
                    changed.push(format!("{name} is not what was signed"));
                }
            }
            Err(e) => {
                unread = true;
                told.unread("digests", name, &e);
            }
        }
        if of_all > MOST_OF_ALL {
            unread = true;
            told.unable("digests", format!("all files have more than {MOST_OF_ALL} bytes"));
            break;
        }
    }
    if changed.is_empty() && !unread {
        told.ok("digests", format!("{of_all} bytes"));
    }
    let good = wrong.is_empty() && changed.is_empty() && !unread;
    wrong.iter().take(TOLD).for_each(|wrong| told.bad("files", wrong));
    changed.iter().take(TOLD).for_each(|changed| told.bad("digests", changed));
    good
}
