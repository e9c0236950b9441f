//! A second person's signature: is it under what was declared, and is it a second person's?

use super::who::Signed;
use super::{Asked, Verified};
use crate::clean::Clean;
use crate::evidence::approve::{self, Approval};
use crate::evidence::declare::Declaration;
use crate::evidence::manifest::read_plain;
use crate::evidence::signers::Checked;
use crate::evidence::{names, purpose};
use crate::journal::{Declared, Signer};
use std::path::Path;

const CHECK: &str = "approval";
/// An approval, or a signature, of more bytes than this is none.
const LARGEST: u64 = 64 * 1024;

/// Holds the approval against what was declared, and against who signed that and the bundle.
pub fn approval(
    bundle: &Path,
    declared: &Declared,
    said: Option<&Declaration>,
    signed: &Signed,
    asked: &Asked<'_>,
    told: &mut Verified,
) {
    let Some(approver) = &declared.approved else {
        let why = declared.not_approved.as_ref().map_or_else(
            || "there is none: approver = deployer".to_owned(),
            |why| format!("the one that is there does not count: {why}"),
        );
        return told.passed_over(CHECK, why);
    };
    let mut files = [names::APPROVAL, names::APPROVAL_SIG].map(|name| {
        read_plain(&bundle.join(name), LARGEST).map_err(|e| told.unread(CHECK, name, &e))
    });
    let [Ok(text), Ok(sig)] = &mut files else { return };
    let fits = fits(text, sig, approver, declared, said).and_then(|approval| {
        let fingerprint = &approver.fingerprint;
        let one_of = [signed.by.as_ref(), declared.signed.as_ref()];
        if one_of.iter().flatten().any(|own| own.fingerprint == *fingerprint) {
            return Err("it is by the key that signed the rest: approver = deployer".to_owned());
        }
        Ok(approval)
    });
    told.approval = Some("its approval was not checked".into());
    let approval = match fits {
        Ok(approval) => approval,
        Err(why) => return told.bad(CHECK, why),
    };
    let also = match &declared.also_carried[..] {
        [] => String::new(),
        others => format!("; also carried by run {}", others.join(", ")),
    };
    let (name, key) = (approval.approver.identity.as_str(), &approver.fingerprint);
    match (signed.check(asked, sig, text, purpose::APPROVAL), &told.author) {
        (Some(Checked::Bad(why)), _) => told.bad(CHECK, why),
        (Some(Checked::Known { principal, .. }), _)
            if !signed.gives(asked, name, key, purpose::APPROVAL) =>
        {
            told.bad(CHECK, format!("it calls the key {name}, and --signers {principal}"));
        }
        (Some(Checked::Known { .. }), Some(author)) if author == name => {
            told.bad(CHECK, format!("{author} signed the rest as well: approver = deployer"));
        }
        (Some(Checked::Known { .. }), Some(_)) => {
            told.approval = Some(Clean::new(&format!("approved by {name}")));
            told.ok(CHECK, format!("by {name}, a second person{also}"));
        }
        (Some(Checked::Known { .. }), None) => told.passed_over(
            CHECK,
            format!(
                "it fits, by {name}; who signed the rest nobody knows, or whether it is another"
            ),
        ),
        (Some(Checked::Unknown { .. }) | None, _) => told.passed_over(
            CHECK,
            format!("it fits, by {key}, whom nobody knows: the name {name} is its own word"),
        ),
    }
}

/// Whether it is whole, what the journal says, and of what was declared.
fn fits(
    text: &[u8],
    sig: &[u8],
    approver: &Signer,
    declared: &Declared,
    said: Option<&Declaration>,
) -> Result<Approval, String> {
    let approval = approve::good(text, sig).map_err(|fault| fault.cause.to_string())?;
    if approval.approver != *approver {
        return Err("it is by another person than the journal says".to_owned());
    }
    let said = said.ok_or("what it approves cannot be read")?;
    approve::fits(&approval, &approve::Meant::of(said), declared.signed.as_ref())
        .map_err(|fault| fault.cause.to_string())?;
    Ok(approval)
}
