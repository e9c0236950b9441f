//! Who signed: the bundle's digests, the declaration, the approval.

use super::{Asked, Verified, tokens};
use crate::evidence::manifest::read_plain;
use crate::evidence::signers::{Checked, NOT_NOW, Signers};
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
    /// When it was signed at the latest, in seconds since 1970, where a time authority proves it to
    /// the evaluator: a key that was valid then was good, even if it is not any more.
    pub proven_unix_s: Option<i64>,
}

impl Signed {
    /// Holds a signature against the signers as of now, or as of the time that is proven.
    fn check(
        &self,
        asked: &Asked<'_>,
        sig: &[u8],
        message: &[u8],
        purpose: &str,
    ) -> Option<Checked> {
        let check = |at: i64| asked.signers.map(|signers| signers.check(sig, message, purpose, at));
        match (check(asked.now_unix_s), self.proven_unix_s) {
            (Some(Checked::Unknown { .. }), Some(at)) => check(at),
            (checked, _) => checked,
        }
    }

    /// The same for a name and a key.
    fn gives(&self, asked: &Asked<'_>, name: &str, fingerprint: &str, purpose: &str) -> bool {
        let gives =
            |at: i64| asked.signers.is_some_and(|by| by.gives(name, fingerprint, purpose, at));
        gives(asked.now_unix_s) || self.proven_unix_s.is_some_and(gives)
    }
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
            return Signed { manifest: Some(manifest), ..Signed::default() };
        }
        Err(e) => {
            told.bad(CHECK, format!("{} cannot be read: {e}", names::MANIFEST_SIG));
            return Signed { manifest: Some(manifest), ..Signed::default() };
        }
    };
    let by = match sign::by_anybody(&sig, &manifest, purpose::EVIDENCE) {
        Ok(signer) => signer,
        Err(why) => {
            told.bad(CHECK, why);
            return Signed { manifest: Some(manifest), ..Signed::default() };
        }
    };
    let key = format!("{} ({})", by.fingerprint, by.key);
    let proven_unix_s = tokens::proven(bundle, asked);
    let signed = Signed { manifest: None, by: Some(by.clone()), proven_unix_s };
    let now = asked.now_unix_s;
    let why = |signers: &Signers| signers.why_unknown(&by.fingerprint, purpose::EVIDENCE, now);
    match signed.check(asked, &sig, &manifest, purpose::EVIDENCE) {
        None => told.passed_over(
            CHECK,
            format!("it fits, by {key}; give --signers FILE to know whose that is"),
        ),
        Some(Checked::Known { principal, .. }) => {
            let now = asked.signers.is_some_and(|signers| {
                signers.gives(&principal, &by.fingerprint, purpose::EVIDENCE, now)
            });
            let then = match (now, asked.signers) {
                (false, Some(signers)) => {
                    format!(
                        "; valid when it was signed, as a time authority proves; {}",
                        why(signers)
                    )
                }
                _ => String::new(),
            };
            told.ok(CHECK, format!("by {principal}, {key}{then}"));
            told.author = Some(principal);
        }
        Some(Checked::Unknown { .. }) => {
            let mut why = asked.signers.map_or_else(String::new, why);
            let is_dated = bundle.join(names::MANIFEST_TOKEN).is_file();
            if is_dated && proven_unix_s.is_none() && why.ends_with(NOT_NOW) {
                why.push_str("; whether it was when it was signed, --tsa-chain can prove");
            }
            told.passed_over(CHECK, format!("it fits, by nobody whom we know: {why}"));
        }
        Some(Checked::Bad(why)) => told.bad(CHECK, why),
    }
    Signed { manifest: Some(manifest), ..signed }
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
            let known = signed.gives(asked, author, &by.fingerprint, purpose::DECLARATION);
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
    signed: &Signed,
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
        match signed.check(asked, &sig, &bytes, purpose::APPROVAL) {
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
