//! Time authorities' tokens: of which bytes they are, and, with the authority's certificates, when.

use super::{Asked, Verified};
use crate::evidence::account::Account;
use crate::evidence::environment::Stated;
use crate::evidence::manifest::read_plain;
use crate::evidence::names;
use crate::evidence::stamp;
use crate::evidence::stamp::form::{self, Form};
use crate::evidence::stamp::own::{self, Own};
use crate::evidence::tool::{self, Asking};
use crate::journal::{Run, Token};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How far the clocks of a host and of an authority may be apart.
const APART: TimeDelta = TimeDelta::minutes(5);
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
            token(CHECK, bundle, names::MANIFEST_TOKEN, of, asked, told, &|_| Ok(String::new()));
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

/// The token over the declaration: it says the time that the journal says, which is what the report
/// has, and that is before the first change.
pub fn of_the_declaration(
    bundle: &Path,
    run: &Run,
    wanted: Option<&Token>,
    asked: &Asked<'_>,
    told: &mut Verified,
) {
    const CHECK: &str = "time of the declaration";
    match (wanted, bundle.join(names::DECLARATION_TOKEN).symlink_metadata().is_ok()) {
        (Some(wanted), true) => {
            let signed = bundle.join(names::DECLARATION_SIG).is_file();
            let of = if signed { names::DECLARATION_SIG } else { names::DECLARATION };
            let began = run.opened.facts.began_unix_ms;
            let first = Account::of(bundle, run).first_change;
            let first = first.and_then(|at| began.checked_add(i64::try_from(at.0).ok()?));
            let when = |at| before(at, &wanted.time, first);
            token(CHECK, bundle, names::DECLARATION_TOKEN, of, asked, told, &when);
        }
        (None, false) => told.passed_over(CHECK, "operator's word"),
        (Some(_), false) => told.bad(CHECK, "the journal knows of a token, and it is not there"),
        (None, true) => told.bad(CHECK, "a token is there, and the journal knows of none"),
    }
}

/// Whether a token's time is the one that was said, and before the first change, in milliseconds
/// since 1970; what else is to be said of it.
fn before(at: DateTime<Utc>, said: &str, first: Option<i64>) -> Result<String, String> {
    if DateTime::parse_from_rfc3339(said).ok().is_none_or(|said| said != at) {
        return Err(format!("the token says {at}, and the journal that it says {said}"));
    }
    let late = first.map_or(0, |first| at.timestamp_millis().saturating_sub(first));
    if late > APART.num_milliseconds() {
        let (late, apart) = (late / 1_000, APART.num_minutes());
        return Err(format!(
            "it is {late} s AFTER the first change; clocks may be {apart} min apart"
        ));
    }
    Ok(if late > 0 {
        format!("; NOT before the first change by this host's clock, but {late} ms after it")
    } else {
        String::new()
    })
}

fn token(
    check: &'static str,
    bundle: &Path,
    token: &str,
    of: &str,
    asked: &Asked<'_>,
    told: &mut Verified,
    when: &dyn Fn(DateTime<Utc>) -> Result<String, String>,
) {
    let (token, data) = (bundle.join(token), bundle.join(of));
    let fits = reads(&token, &data, of);
    let (form, at) = match fits {
        Ok(fits) => fits,
        Err(Unread::Bad(why)) => return told.bad(check, why),
        Err(Unread::Io(e)) => return told.unread(check, "the token, or what it is of,", &e),
    };
    let note = match when(at) {
        Ok(note) => note,
        Err(why) => return told.bad(check, why),
    };
    let time = at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let mut say = |is_ok: bool, says: String| {
        // What is proven and is not before the first change proves nothing of a declaration.
        if is_ok && note.is_empty() {
            told.ok(check, says)
        } else {
            told.passed_over(check, says + &note)
        }
    };
    match (own::holds(&form, &token, &data, at.timestamp()), asked.tsa_chain) {
        (Own::Bad(why), _) => told.bad(check, why),
        (Own::Unable(why), None) => {
            say(false, format!("{time} by the token's own word: {why}"));
        }
        (Own::Fits { uncovered }, None) => {
            let uncovered = match uncovered {
                0 => String::new(),
                n => format!(
                    ", nor are {}",
                    crate::text::count(n as u64, "certificate") + " beside it"
                ),
            };
            let says = format!(
                "{time} by its own certificate; whether that is an authority: not checked \
                 (--tsa-chain){uncovered}"
            );
            say(false, says);
        }
        (_, Some(chain)) => match proves((&token, &data), chain, at.timestamp()) {
            Proof::Now => say(true, format!("{time}, proven by the time authority")),
            Proof::Then => say(
                true,
                format!(
                    "{time}, proven by the time authority, whose certificate was valid then and \
                     is not now"
                ),
            ),
            Proof::No(why) => told.bad(check, why),
            Proof::Unable(why) => say(false, format!("{time} by the token's own word: {why}")),
        },
    }
}

/// Why a token does not hold.
enum Unread {
    Bad(String),
    Io(io::Error),
}

/// Reads a token, which must be of these bytes; gives its time as well.
fn reads(token: &Path, data: &Path, of: &str) -> Result<(Form, DateTime<Utc>), Unread> {
    let read = |path: &Path| read_plain(path, LARGEST).map_err(Unread::Io);
    let bad = |why: &str| Unread::Bad(why.to_owned());
    let form = form::read(&read(token)?).map_err(bad)?;
    let time = stamp::when(&form.time).ok_or_else(|| bad("its time is none"))?;
    let same = form.imprint == Sha256::digest(read(data)?).to_vec();
    same.then_some((form, time)).ok_or_else(|| bad(&format!("the token is not of {of}")))
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
    /// Nobody could look, and why.
    Unable(String),
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
    let now = ask(None);
    match own::verdict(&now) {
        Ok(()) => Proof::Now,
        Err(Own::Bad(why)) => match own::verdict(&ask(Some(at_unix_s))) {
            Ok(()) => Proof::Then,
            Err(Own::Unable(why)) => Proof::Unable(why),
            Err(_) => Proof::No(why),
        },
        Err(Own::Unable(why)) => Proof::Unable(why),
        Err(Own::Fits { .. }) => Proof::Unable("openssl says nothing".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declarations_token_says_what_the_journal_says_and_is_not_of_afterwards() {
        let at = stamp::when("20261123142207Z").unwrap();
        let (said, ms) = ("2026-11-23T14:22:07Z", at.timestamp_millis());
        assert_eq!(before(at, said, Some(ms)), Ok(String::new()));
        assert_eq!(before(at, said, None), Ok(String::new()), "nothing was changed");
        for other in ["2026-11-23T14:22:06Z", "", "soon"] {
            assert!(before(at, other, Some(ms)).is_err(), "{other}");
        }
        let late = before(at, said, Some(ms - 300_000)).unwrap();
        assert!(late.contains("NOT before the first change"), "{late}");
        let late = before(at, said, Some(ms - 300_001)).unwrap_err();
        assert!(late.contains("AFTER the first change"), "{late}");
        assert!(before(at, said, Some(i64::MIN)).is_err());
    }
}
