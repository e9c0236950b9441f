//! Who signed: the bundle's digests, the declaration, the approval.

use super::{Asked, Verified};
use crate::evidence::manifest::read_plain;
use crate::evidence::signers::Checked;
use crate::evidence::{names, purpose, sign};
use crate::journal::{Declared, Signer};
use std::io;
use std::path::Path;

/// A manifest of more bytes than this is none.
const LARGEST_MANIFEST: u64 = 1024 * 1024;
/// A signature of more bytes than this is none.
const LARGEST_SIG: u64 = 64 * 1024;

/// The digests and whose key is under them, whoever that is.
#[derive(Debug, Clone, Default)]
pub struct Signed {
    /// The manifest's bytes.
    pub manifest: Option<Vec<u8>>,
    /// The key.
    pub by: Option<Signer>,
}

/// Looks at the signature under the manifest, before anything else.
pub fn signature(bundle: &Path, asked: &Asked<'_>, told: &mut Verified) -> Signed {
    const CHECK: &str = "signature";
    let manifest = match read_plain(&bundle.join(names::MANIFEST), LARGEST_MANIFEST) {
        Ok(bytes) => bytes,
        Err(e) => {
            told.bad(CHECK, format!("{} cannot be read: {e}", names::MANIFEST));
            return Signed::default();
        }
    };
    let sig = match read_plain(&bundle.join(names::MANIFEST_SIG), LARGEST_SIG) {
        Ok(sig) => sig,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            told.passed_over(CHECK, "the bundle is not signed");
            return Signed { manifest: Some(manifest), by: None };
        }
        Err(e) => {
            told.bad(CHECK, format!("{} cannot be read: {e}", names::MANIFEST_SIG));
            return Signed { manifest: Some(manifest), by: None };
        }
    };
    let by = match sign::by_anybody(&sig, &manifest, purpose::EVIDENCE) {
        Ok(signer) => signer,
        Err(why) => {
            told.bad(CHECK, why);
            return Signed { manifest: Some(manifest), by: None };
        }
    };
    let key = format!("{} ({})", by.fingerprint, by.key);
    match asked.signers.map(|signers| {
        (signers, signers.check(&sig, &manifest, purpose::EVIDENCE, asked.now_unix_s))
    }) {
        None => told.passed_over(
            CHECK,
            format!("it fits, by {key}; give --signers FILE to know whose that is"),
        ),
        Some((_, Checked::Known { principal, .. })) => {
            told.ok(CHECK, format!("by {principal}, {key}"));
            told.author = Some(principal);
        }
        Some((signers, Checked::Unknown { .. })) => {
            let now = asked.now_unix_s;
            let why = signers.why_unknown(&by.fingerprint, purpose::EVIDENCE, now);
            told.passed_over(CHECK, format!("it fits, by nobody whom we know: {why}"));
        }
        Some((_, Checked::Bad(why))) => told.bad(CHECK, why),
    }
    Signed { manifest: Some(manifest), by: Some(by) }
}

/// Whether the declaration is signed by whoever signed the bundle, as the journal says.
pub fn declaration(
    bundle: &Path,
    declared: &Declared,
    signed: &Signed,
    asked: &Asked<'_>,
    told: &mut Verified,
) {
    const CHECK: &str = "declaration's signature";
    let sig = read_plain(&bundle.join(names::DECLARATION_SIG), LARGEST_SIG).ok();
    let (sig, signer) = match (sig, &declared.signed) {
        (Some(sig), Some(signer)) => (sig, signer),
        (None, None) => {
            let why = declared.unsigned.as_ref().map_or("no reason is known", |why| why.as_str());
            return told.passed_over(CHECK, format!("nobody signed it: {why}"));
        }
        (Some(_), None) => return told.bad(CHECK, "it is there, and the journal knows of none"),
        (None, Some(_)) => return told.bad(CHECK, "the journal knows of one, and it is not there"),
    };
    let found = read_plain(&bundle.join(names::DECLARATION), LARGEST_MANIFEST)
        .map_err(|e| e.to_string())
        .and_then(|bytes| {
            let by = sign::by_anybody(&sig, &bytes, purpose::DECLARATION)?;
            if by.fingerprint != signer.fingerprint {
                return Err("it is by another key than the journal says".to_owned());
            }
            let Some(author) = &told.author else {
                return Ok((false, format!("it fits, by {}", by.fingerprint)));
            };
            let same = signed.by.as_ref().is_some_and(|seal| seal.fingerprint == by.fingerprint);
            let known = asked.signers.is_some_and(|signers| {
                signers.gives(author, &by.fingerprint, purpose::DECLARATION, asked.now_unix_s)
            });
            match (known, same) {
                (true, _) => Ok((true, format!("by {author}, as the bundle"))),
                (false, true) => Ok((
                    false,
                    format!(
                        "it fits, by the bundle's key, which --signers does not allow for {}",
                        purpose::DECLARATION
                    ),
                )),
                (false, false) => Err(format!("it is not by {author}, who signed the bundle")),
            }
        });
    match found {
        Ok((true, says)) => told.ok(CHECK, says),
        Ok((false, says)) => told.passed_over(CHECK, says),
        Err(why) => told.bad(CHECK, why),
    }
}

/// Whether a second person has signed the same plan, as the journal says.
pub fn approval(
    bundle: &Path,
    declared: &Declared,
    plan_sha256: &str,
    asked: &Asked<'_>,
    told: &mut Verified,
) {
    const CHECK: &str = "approval";
    let Some(approver) = &declared.approved else {
        let why = declared.not_approved.as_ref().map_or_else(
            || "there is none: approver = deployer".to_owned(),
            |why| format!("the one that is there does not count: {why}"),
        );
        return told.passed_over(CHECK, why);
    };
    let read = |name: &str| {
        read_plain(&bundle.join(name), LARGEST_MANIFEST).map_err(|e| format!("{name}: {e}"))
    };
    let found = read(names::APPROVAL).and_then(|bytes| {
        let sig = read(names::APPROVAL_SIG)?;
        let by = sign::by_anybody(&sig, &bytes, purpose::APPROVAL)?;
        if by.fingerprint != approver.fingerprint {
            return Err("it is by another key than the journal says".to_owned());
        }
        let says: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|e| format!("it cannot be read: {e}"))?;
        if says.get("plan_sha256").and_then(|sha256| sha256.as_str()) != Some(plan_sha256) {
            return Err("it is of another plan".to_owned());
        }
        let checked = asked
            .signers
            .map(|signers| signers.check(&sig, &bytes, purpose::APPROVAL, asked.now_unix_s));
        match checked {
            Some(Checked::Known { principal, .. }) if Some(&principal) != told.author.as_ref() => {
                Ok((true, format!("by {principal}, a second person")))
            }
            Some(Checked::Known { .. }) => Ok((false, "approver = deployer".to_owned())),
            Some(Checked::Unknown { .. }) | None => {
                Ok((false, format!("it fits, by {}, whom nobody knows", by.fingerprint)))
            }
            Some(Checked::Bad(why)) => Err(why),
        }
    });
    match found {
        Ok((true, says)) => told.ok(CHECK, says),
        Ok((false, says)) => told.passed_over(CHECK, says),
        Err(why) => told.bad(CHECK, why),
    }
}
