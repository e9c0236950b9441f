//! The seal: a run's files and everything derived from them, under one list of digests and one
//! signature.
//!
//! A bundle is made beside the run's own files, in `evidence.part`, and gets its name when it is
//! whole and on disk; one that the run has already is kept beside it under a number. Before that
//! every text is searched once more for what should have been masked: a hit blocks the seal and
//! names rule and place, never what was found. Who signs is told within the files, so that they
//! are written anew where the key turns out not to sign.
//!
//! Nothing here changes how a run ended, and the run's own files are only read.

mod derived;
mod gather;
mod place;
mod search;

pub use derived::{DERIVED, derive};
pub use gather::{is_cast, is_of_a_bundle};

use super::environment::{LeftOut, Program, Stated};
use super::manifest::{self, Manifest};
use super::previous::Previous;
use super::{clock, names, purpose, readme, sign, stamp};
use crate::clean::{Clean, Mask};
use crate::journal::chain::digest;
use crate::journal::{self, Hit, Run, Signer, Token};
use crate::runbook::{Fault, FaultKind};
use gather::Gathered;
use place::Place;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a time authority is waited for.
const TOKEN: Duration = Duration::from_secs(5);
/// How long somebody may take to touch a key or to type its passphrase.
pub const ATTENDED: Duration = Duration::from_secs(30);

/// How to seal.
#[derive(Debug)]
pub struct Sealing<'a> {
    /// The bundle before.
    pub previous: Previous,
    /// Files that shall not be in the bundle.
    pub leave_out: Vec<String>,
    /// Leave out every recording.
    pub without_recording: bool,
    /// What must not be in it.
    pub mask: &'a Mask,
    /// Whether somebody can be asked for a passphrase.
    pub asking: sign::Asking,
    /// When, in milliseconds since 1970.
    pub now_unix_ms: i64,
    /// SHA-256 of this program in hex, where it could be read.
    pub program_sha256: Option<String>,
}

/// A bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Its directory.
    pub path: PathBuf,
    /// SHA-256 of its manifest, in hex.
    pub digest: String,
    /// Who signed it.
    pub signed: Option<Signer>,
    /// Why nobody did.
    pub unsigned: Option<Clean>,
    /// The time authority's token.
    pub token: Option<Token>,
    /// Why there is none, where one was wanted.
    pub no_token: Option<Clean>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
    /// Where the bundle that the run had before is now.
    pub older: Option<PathBuf>,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum NotSealed {
    /// Something was found that should have been masked.
    #[error("{}", blocked(hits))]
    Blocked {
        /// Which rule, and where; never what.
        hits: Vec<Hit>,
        /// Whether all of it is in recordings.
        recording_alone: bool,
    },
    /// Anything else.
    #[error("{0}")]
    Fault(Fault),
}

fn blocked(hits: &[Hit]) -> String {
    let first = hits.first().map_or_else(String::new, |hit| {
        format!(": the rule {} finds something in {}", hit.rule, hit.place)
    });
    let more = match hits.len() {
        0 | 1 => String::new(),
        n => format!(", and {} more", n - 1),
    };
    format!("something is there that should have been masked{first}{more}")
}

impl From<Fault> for NotSealed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn local(cause: impl AsRef<str>, hint: impl AsRef<str>) -> Fault {
    Fault::new(FaultKind::Local, cause, hint)
}

/// Seals a run that is over, was interrupted, or was cut off.
pub fn seal(run_dir: &Path, how: &Sealing<'_>) -> Result<Sealed, NotSealed> {
    let place = Place::take(run_dir)?;
    let run = journal::read(run_dir).map_err(|fault| {
        local(format!("the journal does not hold: {fault}"), "see `switchback runs`")
    })?;
    let gathered = gather::gather(run_dir, &run, how)?;
    let hits = search::search(&run, &gathered, how.mask);
    if !hits.is_empty() {
        let recording_alone = hits.iter().all(|(file, _)| gather::is_cast(file));
        let hits = hits.into_iter().map(|(_, hit)| hit).collect();
        return Err(NotSealed::Blocked { hits, recording_alone });
    }
    let (signer, unsigned) = who(&run);
    let mut stated = Stated {
        program: Program::this(how.program_sha256.clone()),
        sealed_unix_ms: how.now_unix_ms,
        clock: clock::state(),
        signer,
        unsigned,
        time_authority: run.opened.plan.evidence.tsa.as_deref().map(Clean::new),
        undated: None,
        left_out: gathered.left_out.clone(),
    };
    // What turns out not to be had is told within the files, which are written and signed anew.
    let (manifest, token) = loop {
        let manifest = write(&place, &gathered, &stated, how)?;
        if stated.signer.is_some()
            && let Err(fault) = signed(&place, &run, how)
        {
            stated.signer = None;
            stated.unsigned = Some(Clean::new(&format!("{}; {}", fault.cause, fault.hint)));
            continue;
        }
        match dated(&place, &stated) {
            Ok(token) => break (manifest, token),
            Err(fault) => stated.undated = Some(fault.cause),
        }
    };
    let (path, older) = place.settle()?;
    Ok(Sealed {
        path,
        digest: digest(manifest.text().as_bytes()),
        signed: stated.signer,
        unsigned: stated.unsigned,
        token,
        no_token: stated.undated,
        left_out: stated.left_out,
        older,
    })
}

/// Who is to sign, or why nobody will.
fn who(run: &Run) -> (Option<Signer>, Option<Clean>) {
    let evidence = &run.opened.plan.evidence;
    let Some(key) = &evidence.key else {
        return (None, Some("the plan names no key: [evidence] key".into()));
    };
    match sign::signer(Path::new(key), evidence.identity.as_deref().unwrap_or_default()) {
        Ok(signer) => (Some(signer), None),
        Err(fault) => (None, Some(Clean::new(&format!("{}; {}", fault.cause, fault.hint)))),
    }
}

/// Writes all files of the bundle anew, and their manifest.
fn write(
    place: &Place,
    gathered: &Gathered,
    stated: &Stated,
    how: &Sealing<'_>,
) -> Result<Manifest, NotSealed> {
    place.empty()?;
    for (name, bytes) in &gathered.files {
        place.write(name, bytes)?;
    }
    place.write(names::PREVIOUS, how.previous.text().as_bytes())?;
    // Read again from where it will lie: whoever verifies has nothing else.
    let run = journal::read(place.part()).map_err(|fault| {
        local(format!("the journal does not hold: {fault}"), "is the disk full?")
    })?;
    for (name, bytes) in derive(place.part(), &run, stated).map_err(|why| {
        local(format!("the bundle's own files cannot be made: {why}"), "please report this")
    })? {
        place.write(&name, &bytes)?;
    }
    let manifest = manifest::of(place.part(), &readme::title(&run)).map_err(|odd| {
        let first = odd.first().map(ToString::to_string).unwrap_or_default();
        local(format!("the bundle cannot be listed: {first}"), "see the run's directory")
    })?;
    place.write(names::MANIFEST, manifest.text().as_bytes())?;
    Ok(manifest)
}

fn signed(place: &Place, run: &Run, how: &Sealing<'_>) -> Result<PathBuf, Fault> {
    let key = run.opened.plan.evidence.key.as_deref().unwrap_or_default();
    let patience = match how.asking {
        sign::Asking::Person => ATTENDED,
        sign::Asking::Nobody => sign::patience(how.asking),
    };
    let manifest = place.part().join(names::MANIFEST);
    sign::sign_as(Path::new(key), purpose::EVIDENCE, &manifest, patience, how.asking)
}

/// A token over the signature, or over the digests where nobody signed; none where none is wanted.
fn dated(place: &Place, stated: &Stated) -> Result<Option<Token>, Fault> {
    let Some(authority) = stated.time_authority.as_ref().filter(|_| stated.is_dated()) else {
        return Ok(None);
    };
    let of = if stated.signer.is_some() { names::MANIFEST_SIG } else { names::MANIFEST };
    let (of, out) = (place.part().join(of), place.part().join(names::MANIFEST_TOKEN));
    stamp::token(&of, &out, authority.as_str(), TOKEN).map(Some).inspect_err(|_| {
        // Half a token is none.
        let _ = std::fs::remove_file(out);
    })
}
