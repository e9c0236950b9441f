//! What a bundle says, once it is known to be whole: does it hold together?
//!
//! It was written by whoever holds the key, or by a stranger where nobody knows the author; so it
//! is looked at on a thread of its own, which may fail and may not go on for ever.

use super::who::Signed;
use super::{Asked, Verified, derived, recordings, tokens, who};
use crate::evidence::manifest::{MOST_BYTES, Manifest, read_plain};
use crate::evidence::previous::Previous;
use crate::evidence::{environment, names, readme};
use crate::journal::{self, Declared, Noted, Run};
use crate::runbook::{Act, Core, Effect};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

const CHECK: &str = "contents";
/// Within this time everything has been looked at, or it never will be.
const PATIENCE: Duration = Duration::from_secs(120);

/// Looks at all of it.
pub fn contents(
    bundle: &Path,
    manifest: &Manifest,
    signed: &Signed,
    asked: &Asked<'_>,
    told: &mut Verified,
) {
    let (tell, hear) = channel();
    let (bundle, title, signed) = (bundle.to_owned(), manifest.title.clone(), signed.clone());
    let signers = asked.signers.cloned();
    let chain = asked.tsa_chain.map(Path::to_owned);
    let (run, now_unix_s) = (asked.run.map(str::to_owned), asked.now_unix_s);
    let mut own = Verified { author: told.author.clone(), ..Verified::default() };
    let spawned = std::thread::Builder::new().name("contents".to_owned()).spawn(move || {
        let asked = Asked {
            signers: signers.as_ref(),
            tsa_chain: chain.as_deref(),
            run: run.as_deref(),
            now_unix_s,
        };
        let looked = catch_unwind(AssertUnwindSafe(|| {
            look(&bundle, &title, &signed, &asked, &mut own);
        }));
        if looked.is_err() {
            own.bad(CHECK, "it makes no sense that this program could bear");
        }
        // Nobody listens any more where it took too long.
        let _ = tell.send(own);
    });
    match spawned.map(|_| hear.recv_timeout(PATIENCE)) {
        Ok(Ok(own)) => {
            told.checks.extend(own.checks);
            told.of = own.of;
        }
        Ok(Err(_)) => told.bad(CHECK, format!("no answer within {} s", PATIENCE.as_secs())),
        Err(e) => told.bad(CHECK, format!("it could not be looked at: {e}")),
    }
}

fn look(bundle: &Path, title: &str, signed: &Signed, asked: &Asked<'_>, told: &mut Verified) {
    let run = match journal::read(bundle) {
        Ok(run) => run,
        Err(fault) => return told.bad("journal", fault.to_string()),
    };
    let facts = &run.opened.facts;
    told.of = Some((facts.run.clone(), facts.kind, facts.host.clone()));
    told.ok("journal", format!("{} lines, chained, head {}", run.lines, run.head));
    told.found("title", of_this_run(title, &run, asked));
    end(&run, told);
    told.found("plan", plan(bundle, &run));
    let previous = read_plain(&bundle.join(names::PREVIOUS), 1024).ok();
    match previous.and_then(|bytes| Previous::parse(&bytes)) {
        Some(Previous::First) => told.ok("series", "the first bundle of its series"),
        Some(Previous::Bundle { run, sha256 }) => {
            told.ok("series", format!("after {run}, whose SHA256SUMS is {sha256}"));
        }
        None => told.bad("series", "PREVIOUS names no bundle"),
    }
    match environment::declared(&run) {
        None => told.passed_over("declaration", "nothing was declared before the first change"),
        Some(declared) => {
            told.found("declaration", declaration(bundle, &run, declared));
            who::declaration(bundle, declared, signed, asked, told);
            who::approval(bundle, declared, &run.opened.plan_sha256, signed, asked, told);
            tokens::of_the_declaration(bundle, declared.token.is_some(), asked, told);
        }
    }
    recordings::recordings(bundle, &run, told);
    replay(&run, told);
    derived::derived(bundle, &run, signed, asked, told);
}

fn of_this_run(title: &str, run: &Run, asked: &Asked<'_>) -> Result<String, String> {
    let meant = readme::title(run);
    if title != meant {
        return Err(format!("{} says {title:?}, the journal {meant:?}", names::MANIFEST));
    }
    match asked.run {
        Some(id) if id != run.opened.facts.run => Err(format!("it is not of run {id}: {meant}")),
        _ => Ok(meant),
    }
}

/// How it ended, which must be its last record, unless a crash ended it.
fn end(run: &Run, told: &mut Verified) {
    const CHECK: &str = "end of the run";
    match &run.closed {
        Some(closed) => told.ok(CHECK, format!("{} (exit {})", closed.outcome.word(), closed.exit)),
        None => told.passed_over(CHECK, "it was cut off: the journal has no last record"),
    }
    let missing = environment::missing(run);
    if missing > 0 {
        told.passed_over("inputs", format!("{missing} were lost, as in a power cut"));
    }
}

fn plan(bundle: &Path, run: &Run) -> Result<String, String> {
    let path: PathBuf = bundle.join(names::PLAN);
    let bytes = match read_plain(&path, MOST_BYTES) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && left_out(bundle, names::PLAN) => {
            return Ok("it was left out; the journal holds what it means".to_owned());
        }
        Err(e) => return Err(format!("{}: {e}", names::PLAN)),
    };
    let sha256 = journal::chain::digest(&bytes);
    if sha256 == run.opened.plan_sha256 {
        Ok(sha256)
    } else {
        Err(format!("{} is not the one that the journal names", names::PLAN))
    }
}

/// Whether the bundle says itself that a file was left out.
pub fn left_out(bundle: &Path, name: &str) -> bool {
    read_plain(&bundle.join(names::ENVIRONMENT), MOST_BYTES)
        .ok()
        .and_then(|bytes| environment::stated(&bytes).ok())
        .is_some_and(|stated| stated.left_out.iter().any(|left| left.file.as_str() == name))
}

fn declaration(bundle: &Path, run: &Run, declared: &Declared) -> Result<String, String> {
    let bytes = read_plain(&bundle.join(names::DECLARATION), MOST_BYTES)
        .map_err(|e| format!("{}: {e}", names::DECLARATION))?;
    if journal::chain::digest(&bytes) != declared.sha256 {
        return Err("it is not the one that the journal names".to_owned());
    }
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

fn replay(run: &Run, told: &mut Verified) {
    const CHECK: &str = "replay";
    let ours = env!("CARGO_PKG_VERSION");
    if run.opened.program != ours {
        let why = format!("it was flown by version {}, this is {ours}", run.opened.program);
        return told.passed_over(CHECK, why);
    }
    let mut core = Core::new(run.opened.plan.clone(), run.opened.facts.clone());
    match journal::replay(run, |event, at| core.step(event, at)) {
        Ok(seen) => {
            let gap = seen.gap.map_or_else(String::new, |gap| format!("; input {gap} is lost"));
            told.ok(
                CHECK,
                format!("{} inputs give the same {} effects{gap}", seen.inputs, seen.effects),
            );
        }
        Err(difference) => told.bad(CHECK, difference.to_string()),
    }
}
