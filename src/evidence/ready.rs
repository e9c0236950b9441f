//! Whether a plan's run could be signed now, tried before it is flown.
//!
//! `check` asks. A signature is really made, over a line of no meaning in a directory that goes away,
//! with nobody to be asked for anything; a token is not tried, which would want a touch. The approval
//! beside the plan is held against what the plan means now. Nothing is kept.

use super::approve::{self, Meant};
use super::declare::Release;
use super::sign::{self, Asking};
use crate::clean::Clean;
use crate::journal::line::utc;
use crate::plan::Plan;
use crate::runbook::{Fault, FaultKind};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// For what a trial signature is good: nothing.
const TRIAL: &str = "trial@switchback";

/// Whether the plan's key was seen to sign, or what keeps it from that. A token is not tried, and
/// nothing is where the plan names no key and requires none.
pub fn signing(plan: &Plan) -> Result<bool, Fault> {
    let evidence = &plan.evidence;
    let Some(key) = evidence.key.as_deref().map(Path::new) else {
        if evidence.require {
            return Err(Fault::new(
                FaultKind::Local,
                "`require` is true, and no key is named: no deploy will begin",
                "add key = \"~/.ssh/deploy_ecdsa\", or take `require` out",
            ));
        }
        return Ok(false);
    };
    let signer = sign::signer(key, evidence.identity.as_deref().unwrap_or_default())?;
    if signer.key.starts_with("sk-") {
        return Ok(false);
    }
    let here = format!("switchback-trial-{}-{}", std::process::id(), signer.fingerprint.len());
    let here = std::env::temp_dir().join(here);
    let failed = |e: std::io::Error| {
        let cause = format!("{} cannot be written: {e}", here.display());
        Fault::new(FaultKind::Local, cause, "free some space, or set TMPDIR")
    };
    DirBuilder::new().mode(0o700).create(&here).map_err(failed)?;
    let file = here.join("trial");
    let tried = std::fs::write(&file, "of no meaning\n").map_err(failed).and_then(|()| {
        sign::sign_as(key, TRIAL, &file, sign::UNASKED, Asking::Nobody).map(|_| true)
    });
    // What is left of it means nothing.
    let _ = std::fs::remove_dir_all(&here);
    tried
}

/// Who has approved the plan as it is now (milliseconds since 1970), or why the approval beside it
/// would not count.
pub fn approval(plan_file: &Path, plan: &Plan, now_unix_ms: i64) -> Result<Option<Clean>, Fault> {
    let (release, service, at) = (Release::of(plan), Clean::new(&plan.service), utc(now_unix_ms));
    let meant = Meant { plan_sha256: &plan.digest, release: &release, service: &service, at: &at };
    let evidence = &plan.evidence;
    let operator = evidence.key.as_deref().and_then(|key| {
        sign::signer(Path::new(key), evidence.identity.as_deref().unwrap_or_default()).ok()
    });
    let counts = approve::counts(plan_file, &meant, operator.as_ref())?;
    Ok(counts.map(|counts| counts.approval.approver.identity))
}
