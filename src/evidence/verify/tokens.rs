//! Time authorities' tokens: of which bytes they are, and, with the authority's certificates, when.

use super::{Asked, Verified};
use crate::evidence::environment::Stated;
use crate::evidence::manifest::read_plain;
use crate::evidence::names;
use crate::evidence::stamp;
use crate::evidence::stamp::form::{self, Form};
use crate::evidence::stamp::own::{self, Own};
use crate::evidence::tool::{self, Asking};
use chrono::{DateTime, SecondsFormat, Utc};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
/// What a token is of, and a token, are of no more bytes than this.
const LARGEST: u64 = 1024 * 1024;

/// The token over the seal, which must be there if the bundle says so, and only then.
pub fn of_the_seal(bundle: &Path, stated: &Stated, asked: &Asked<'_>, told: &mut Verified) {
    const CHECK: &str = "time of the seal";
    let there = bundle.join(names::MANIFEST_TOKEN).symlink_metadata().is_ok();
    match (stated.is_dated(), there) {
        (true, true) => {
            let of = if stated.signer.is_some() { names::MANIFEST_SIG } else { names::MANIFEST };
            token(CHECK, bundle, names::MANIFEST_TOKEN, of, asked, told);
        }
        (false, false) => {
            let why = stated.undated.as_ref().map_or_else(
                || "no time authority was asked".to_owned(),
                |why| format!("no token: {why}"),
            );
            told.passed_over(CHECK, format!("this host's own word: {why}"));
        }
        (true, false) => told.bad(CHECK, "the bundle says that a token is there, and it is not"),
        (false, true) => told.bad(CHECK, "a token is there, and the bundle says that none is"),
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
    let fits = reads(&token, &data, of);
    let (form, at) = match fits {
        Ok(fits) => fits,
        Err(why) => return told.bad(check, why),
    };
    let time = at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    match (own::holds(&form, &token, &data, at.timestamp()), asked.tsa_chain) {
        (Own::Bad(why), _) => told.bad(check, why),
        (Own::Unable(why), None) => {
            told.passed_over(check, format!("{time} by the token's own word: {why}"));
        }
        (Own::Fits { uncovered }, None) => {
            let uncovered = match uncovered {
                0 => String::new(),
                n => format!(
                    ", nor are {}",
                    crate::text::count(n as u64, "certificate") + " beside it"
                ),
            };
            told.passed_over(
                check,
                format!(
                    "{time} by its own certificate; whether that is an authority: not checked \
                     (--tsa-chain){uncovered}"
                ),
            );
        }
        (_, Some(chain)) => match proves((&token, &data), chain, at.timestamp()) {
            Proof::Now => told.ok(check, format!("{time}, proven by the time authority")),
            Proof::Then => told.ok(
                check,
                format!(
                    "{time}, proven by the time authority, whose certificate was valid then and \
                     is not now"
                ),
            ),
            Proof::No(why) => told.bad(check, why),
            Proof::Unable => told.passed_over(check, "openssl could not be run"),
        },
    }
}

/// Reads a token, which must be of these bytes; gives its time as well.
fn reads(token: &Path, data: &Path, of: &str) -> Result<(Form, DateTime<Utc>), String> {
    let read = |path: &Path| read_plain(path, LARGEST).map_err(|e| e.to_string());
    let form = form::read(&read(token)?).map_err(str::to_owned)?;
    let time = stamp::when(&form.time).ok_or("its time is none")?;
    let same = form.imprint == Sha256::digest(read(data)?).to_vec();
    same.then_some((form, time)).ok_or_else(|| format!("the token is not of {of}"))
}

/// When the bundle's signature was there already, in seconds since 1970, if a time authority proves
/// it to the evaluator.
pub fn proven(bundle: &Path, asked: &Asked<'_>) -> Option<i64> {
    let (token, data) = (bundle.join(names::MANIFEST_TOKEN), bundle.join(names::MANIFEST_SIG));
    let (_, at) = reads(&token, &data, names::MANIFEST_SIG).ok()?;
    let proof = proves((&token, &data), asked.tsa_chain?, at.timestamp());
    matches!(proof, Proof::Now | Proof::Then).then(|| at.timestamp())
}

/// Whether an authority's certificates prove a token.
enum Proof {
    /// They do.
    Now,
    /// They did at the token's time, and have expired since.
    Then,
    /// They do not.
    No(String),
    /// Nobody could look.
    Unable,
}

fn proves((token, data): (&Path, &Path), chain: &Path, at_unix_s: i64) -> Proof {
    let ask = |when: Option<i64>| {
        let mut command = Command::new("openssl");
        command.args(["ts", "-verify", "-data"]).arg(data).arg("-in").arg(token);
        command.arg("-CAfile").arg(chain);
        if let Some(when) = when {
            command.arg("-attime").arg(when.to_string());
        }
        tool::run(&mut command, Asking::Nobody, PATIENCE)
    };
    match ask(None) {
        Ok(now) if now.well => Proof::Now,
        Ok(now) => match ask(Some(at_unix_s)) {
            Ok(then) if then.well => Proof::Then,
            _ => Proof::No(format!("openssl ts -verify: {}", now.why())),
        },
        Err(_) => Proof::Unable,
    }
}
