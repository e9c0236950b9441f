//! `switchback verify`: a bundle is checked, one line a check.

use super::{Failure, flight, print};
use crate::cli::{Global, VerifyArgs};
use crate::engine::clock::unix_ms;
use crate::evidence::names;
use crate::evidence::signers::Signers;
use crate::evidence::verify::{Asked, Check, Verified, verify as check};
use crate::journal::JOURNAL;
use crate::plain::complain;
use crate::runs;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Serialize)]
struct Line<'a> {
    run: Option<&'a str>,
    kind: Option<&'a str>,
    host: Option<&'a str>,
    #[serde(flatten)]
    check: Option<&'a Check>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'a str>,
}

/// Checks a bundle; gives 0 verified, 1 tampered, 2 cannot be checked.
pub fn verify(global: &Global, args: &VerifyArgs) -> Result<u8, Failure> {
    let (bundle, run) = find(global, &args.bundle)?;
    let signers = match &args.signers {
        None => None,
        Some(path) => {
            Some(Signers::read(path).map_err(|fault| Failure::usage(fault.cause, fault.hint))?)
        }
    };
    for names in signers.iter().flat_map(Signers::for_everything) {
        complain(format_args!(
            "warning: the signers file lets {names} sign anything: evidence, declarations, approvals\n\
             hint: write namespaces=\"evidence@switchback,declaration@switchback\" before the key"
        ));
    }
    if args.signer.is_some() && signers.is_none() {
        return Err(Failure::usage("nobody knows whose keys are whose", "give --signers FILE"));
    }
    if let Some(chain) = args.tsa_chain.as_deref().filter(|chain| !chain.is_file()) {
        return Err(Failure::usage(
            format!("{} is no file", chain.display()),
            "give the time authority's certificates as PEM",
        ));
    }
    let home = flight::home(global).ok();
    let told = check(
        &bundle,
        &Asked {
            signers: signers.as_ref(),
            tsa_chain: args.tsa_chain.as_deref(),
            run: run.as_deref(),
            signer: args.signer.as_deref(),
            runs: home.as_ref().map(|home| home.runs.as_path()),
            now_unix_s: unix_ms() / 1_000,
        },
    );
    print(if global.json { json(&told)? } else { lines(&told) }.as_bytes())?;
    Ok(told.exit())
}

/// The bundle, and the id of the run that it must be of where a run was named.
fn find(global: &Global, named: &str) -> Result<(PathBuf, Option<String>), Failure> {
    let path = Path::new(named);
    if path.is_dir() {
        let within = path.join(names::BUNDLE);
        let is_run = !path.join(names::MANIFEST).exists() && within.is_dir();
        let path = if is_run { within } else { path.to_owned() };
        // One that has lost its list of digests is a bundle still, and a bad one.
        let traces = [names::MANIFEST, names::MANIFEST_SIG, names::README, names::REPORT];
        if !traces.iter().any(|name| path.join(name).symlink_metadata().is_ok()) {
            return Err(Failure::usage(
                format!("{} is no bundle: no {} in it", path.display(), names::MANIFEST),
                "name a bundle's directory, or a run: switchback runs lists them",
            ));
        }
        let run = of_its_directory(&path);
        return Ok((path, run));
    }
    if path.symlink_metadata().is_ok() {
        return Err(Failure::usage(
            format!("{} is no bundle: it is no directory", path.display()),
            "name the directory that the bundle's files are in",
        ));
    }
    let home = flight::home(global)?;
    let found = runs::find(&home.runs, Some(named))
        .map_err(|fault| Failure::usage(&fault, "name a bundle's directory, or a run"))?;
    let bundle = found.path.join(names::BUNDLE);
    if !bundle.is_dir() {
        let running = super::runs::listed(&home)?
            .iter()
            .any(|run| run.id == found.id && run.outcome == "running");
        let hint = if running {
            "it is being flown right now, and is sealed when it ends".to_owned()
        } else {
            format!("switchback report {} seals it", runs::short(&found.id))
        };
        return Err(Failure::usage(format!("run {} is not sealed", found.id), hint));
    }
    Ok((bundle, Some(found.id)))
}

/// The run in whose directory a bundle lies, which is called as the run is: an older run's bundle
/// that was put there is not of it.
fn of_its_directory(bundle: &Path) -> Option<String> {
    let bundle = bundle.canonicalize().ok()?;
    let run = bundle.parent().filter(|run| run.join(JOURNAL).is_file())?;
    Some(run.file_name()?.to_string_lossy().into_owned())
}

fn lines(told: &Verified) -> String {
    let mut out = String::new();
    for Check { check, state, says } in &told.checks {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{:<12}  {check}: {says}", state.word());
    }
    let of = told.of.as_ref().map_or_else(String::new, |(run, kind, host)| {
        format!("{} on {host}, run {}: ", kind.word(), crate::clean::Clean::new(run))
    });
    let _ = writeln!(out, "{of}{}", told.says());
    out
}

fn json(told: &Verified) -> Result<String, Failure> {
    let of = told.of.as_ref();
    let line = Line {
        run: of.map(|(run, ..)| run.as_str()),
        kind: of.map(|(_, kind, _)| kind.word()),
        host: of.map(|(.., host)| host.as_str()),
        check: None,
        exit: None,
        verdict: None,
    };
    let says = told.says();
    let verdict = Line { exit: Some(told.exit()), verdict: Some(&says), ..line };
    let mut all: Vec<Line<'_>> =
        told.checks.iter().map(|check| Line { check: Some(check), ..line }).collect();
    all.push(verdict);
    let mut out = String::new();
    for line in all {
        let json = serde_json::to_string(&line)
            .map_err(|e| Failure::world(e, "this is a bug: please report it"))?;
        let _ = writeln!(out, "{json}");
    }
    Ok(out)
}
