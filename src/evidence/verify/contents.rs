//! What a bundle says, once it is known to be whole: does it hold together?
//!
//! It was written by whoever holds the key, or by a stranger where nobody knows the author; so it
//! is looked at on a thread of its own, which may fail and may not go on for ever.

use super::who::Signed;
use super::{
    Asked, Verified, approval, declared, derived, is_ours, recordings, series, tokens, who,
};
use crate::evidence::exercise::Exercise;
use crate::evidence::manifest::{MOST_BYTES, Manifest, read_plain};
use crate::evidence::{environment, names, readme};
use crate::journal::{self, Declared, JournalFault, Run};
use crate::runbook::{Core, Kind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
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
    let (run, signer) = (asked.run.map(str::to_owned), asked.signer.map(str::to_owned));
    let runs = asked.runs.map(Path::to_owned);
    let now_unix_s = asked.now_unix_s;
    let mut own = Verified { author: told.author.clone(), ..Verified::default() };
    let spawned = std::thread::Builder::new().name("contents".to_owned()).spawn(move || {
        let asked = Asked {
            signers: signers.as_ref(),
            tsa_chain: chain.as_deref(),
            run: run.as_deref(),
            signer: signer.as_deref(),
            runs: runs.as_deref(),
            now_unix_s,
        };
        let looked = catch_unwind(AssertUnwindSafe(|| {
            look(&bundle, &title, &signed, &asked, &mut own);
        }));
        if looked.is_err() {
            own.unable(CHECK, "it makes no sense that this program could bear");
        }
        // Nobody listens any more where it took too long.
        let _ = tell.send(own);
    });
    match spawned.map(|_| hear.recv_timeout(PATIENCE)) {
        Ok(Ok(own)) => {
            told.checks.extend(own.checks);
            told.of = own.of;
            told.approval = own.approval;
        }
        Ok(Err(_)) => told.unable(CHECK, format!("no answer within {} s", PATIENCE.as_secs())),
        Err(e) => told.unable(CHECK, format!("it could not be looked at: {e}")),
    }
}

fn look(bundle: &Path, title: &str, signed: &Signed, asked: &Asked<'_>, told: &mut Verified) {
    let run = match journal::read(bundle) {
        Ok(run) => run,
        Err(JournalFault::Unreadable { source, .. }) if is_ours(&source) => {
            return told.unable("journal", format!("it cannot be read: {source}"));
        }
        Err(fault) => return told.bad("journal", fault.to_string()),
    };
    let facts = &run.opened.facts;
    told.of = Some((facts.run.clone(), facts.kind, facts.host.clone()));
    told.ok("journal", format!("{} lines, chained, head {}", run.lines, run.head));
    told.found("title", of_this_run(title, &run, asked));
    end(&run, told);
    declared::plan(bundle, &run, told);
    series::series(bundle, &run, asked, told);
    match environment::declared(&run) {
        None => told.passed_over("declaration", "nothing was declared before the first change"),
        Some(put @ Declared { not_put_down: Some(why), .. }) => {
            declared::not_put_down(bundle, put, why, told);
        }
        Some(put) => {
            let said = declared::declaration(bundle, &run, put, told);
            who::declaration(bundle, put, signed, asked, told);
            approval::approval(bundle, put, said.as_ref(), signed, asked, told);
            tokens::of_the_declaration(bundle, &run, put.token.as_ref(), asked, told);
        }
    }
    exercise(bundle, &run, told);
    recordings::recordings(bundle, &run, told);
    replay(&run, told);
    derived::derived(bundle, &run, signed, asked, told);
}

/// Whether the record of an exercise fits the journal; its points are the program's word.
fn exercise(bundle: &Path, run: &Run, told: &mut Verified) {
    let fits = |exercise: Exercise| {
        exercise.fits(run)?;
        Ok(format!("{}, by the program's word", exercise.result))
    };
    match Exercise::beside(bundle) {
        Ok(Some(exercise)) => told.found("exercise", fits(exercise)),
        Ok(None) if run.opened.facts.kind == Kind::Drill => {
            told.passed_over("exercise", "nothing says by which criteria it was flown");
        }
        Ok(None) => {}
        Err(why) => told.bad("exercise", why),
    }
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

/// Whether the bundle says itself that a file was left out.
pub fn left_out(bundle: &Path, name: &str) -> bool {
    read_plain(&bundle.join(names::ENVIRONMENT), MOST_BYTES)
        .ok()
        .and_then(|bytes| environment::stated(&bytes).ok())
        .is_some_and(|stated| stated.left_out.iter().any(|left| left.file.as_str() == name))
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
