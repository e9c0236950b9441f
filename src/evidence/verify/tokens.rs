//! Time authorities' tokens: of which bytes they are, and, with the authority's certificates, when.

use super::{Asked, Verified};
use crate::evidence::manifest::read_plain;
use crate::evidence::tool::{self, Asking};
use crate::evidence::{names, stamp};
use crate::journal::chain::digest;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
/// What a token is of, and a token, are of no more bytes than this.
const LARGEST: u64 = 1024 * 1024;

/// The token over the seal. `asked_for` says whether the bundle says that one was asked for.
pub fn of_the_seal(bundle: &Path, asked_for: bool, asked: &Asked<'_>, told: &mut Verified) {
    const CHECK: &str = "time of the seal";
    let there = bundle.join(names::MANIFEST_TOKEN).symlink_metadata().is_ok();
    match (asked_for, there) {
        (true, true) => {
            let signed = bundle.join(names::MANIFEST_SIG).is_file();
            let of = if signed { names::MANIFEST_SIG } else { names::MANIFEST };
            token(CHECK, bundle, names::MANIFEST_TOKEN, of, asked, told);
        }
        (false, false) => {
            told.passed_over(CHECK, "no time authority was asked: this host's own word")
        }
        (true, false) => {
            told.passed_over(CHECK, "a time authority was asked, and no token is there")
        }
        (false, true) => told.bad(CHECK, "a token is there, and none was asked for"),
    }
}

/// The token over the declaration.
pub fn of_the_declaration(bundle: &Path, wanted: bool, asked: &Asked<'_>, told: &mut Verified) {
    const CHECK: &str = "time of the declaration";
    match (wanted, bundle.join(names::DECLARATION_TOKEN).is_file()) {
        (true, true) => {
            let signed = bundle.join(names::DECLARATION_SIG).is_file();
            let of = if signed { names::DECLARATION_SIG } else { names::DECLARATION };
            token(CHECK, bundle, names::DECLARATION_TOKEN, of, asked, told);
        }
        (false, false) => told.passed_over(CHECK, "operator's word"),
        (true, false) => told.bad(CHECK, "the journal knows of a token, and it is not there"),
        (false, true) => told.bad(CHECK, "a token is there, and the journal knows of none"),
    }
}

fn token(
    check: &'static str,
    bundle: &Path,
    token: &str,
    of: &str,
    asked: &Asked<'_>,
    told: &mut Verified,
) {
    let (token, data) = (bundle.join(token), bundle.join(of));
    let fits = read_plain(&token, LARGEST)
        .and_then(|_| read_plain(&data, LARGEST))
        .map_err(|e| e.to_string())
        .and_then(|bytes| {
            let imprint = stamp::imprint_of(&token).map_err(|fault| fault.cause.to_string())?;
            let same = imprint == digest(&bytes);
            same.then_some(()).ok_or_else(|| format!("the token is not of {of}"))
        });
    if let Err(why) = fits {
        return told.bad(check, why);
    }
    let time = stamp::time_of(&token).unwrap_or_default();
    let Some(chain) = asked.tsa_chain else {
        return told
            .passed_over(check, format!("{time} by the token's own word: give --tsa-chain FILE"));
    };
    let mut command = Command::new("openssl");
    command.args(["ts", "-verify", "-data"]).arg(&data).arg("-in").arg(&token);
    command.arg("-CAfile").arg(chain);
    match tool::run(&mut command, Asking::Nobody, PATIENCE) {
        Ok(said) if said.well => told.ok(check, format!("{time}, proven by the time authority")),
        Ok(said) => told.bad(check, format!("openssl ts -verify: {}", said.why())),
        Err(_) => told.passed_over(check, "openssl could not be run"),
    }
}
