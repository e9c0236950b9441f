//! `README.txt`: what a bundle is, and how whoever was handed it checks it in three commands.
//!
//! It is written for somebody who has never heard of this program and has stock tools alone. It
//! follows from the journal and from what was stated at the seal.

use super::environment::{self, Stated};
use super::{names, purpose};
use crate::journal::line::utc;
use crate::journal::{Noted, Run};
use crate::runbook::Kind;
use std::fmt::Write as _;

/// Of which run something is, in a line of ASCII: it stands at the head of every file that has
/// room for it.
pub fn title(run: &Run) -> String {
    let facts = &run.opened.facts;
    format!("{} on {}, run {}", facts.kind.word(), facts.host.ascii(), facts.run)
}

/// The file.
pub fn text(run: &Run, stated: &Stated, files: &[String]) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, run, stated, files);
    out
}

fn write(out: &mut String, run: &Run, stated: &Stated, files: &[String]) -> std::fmt::Result {
    let title = title(run);
    writeln!(out, "{title}\n{}\n", "=".repeat(title.len()))?;
    if let Some(marking) = &run.opened.plan.evidence.marking {
        writeln!(out, "{}\n", crate::clean::Clean::new(marking).ascii())?;
    }
    writeln!(out, "This is the evidence of one run of Switchback, a deploy cockpit. It began at")?;
    writeln!(out, "{} by this host's clock.", utc(run.opened.facts.began_unix_ms))?;
    match &run.closed {
        Some(closed) => writeln!(
            out,
            "It ended at {}: {} (exit {}).",
            utc(closed.ended_unix_ms),
            closed.outcome.word(),
            closed.exit
        )?,
        None => writeln!(out, "It was CUT OFF: its journal has no last record.")?,
    }
    if run.opened.facts.kind == Kind::Rehearsal {
        writeln!(
            out,
            "It was a REHEARSAL: no new release, a small share of the users, and back. It"
        )?;
        writeln!(out, "shows that the way back works on this router on that day, and how long it")?;
        writeln!(out, "took; not that a bad release is found.")?;
    }
    writeln!(out, "Open report.html to read it; it needs no network.\n")?;
    check(out, run, stated)?;
    missing(out, run, stated)?;
    writeln!(out, "WHAT IS IN HERE\n")?;
    for name in files {
        writeln!(out, "  {name:<30}  {}", what(name))?;
    }
    writeln!(out, "\nWHAT IT DOES NOT SHOW\n")?;
    writeln!(out, "  Who wrote it, until the signature was checked with a key that you have from")?;
    writeln!(
        out,
        "  elsewhere. When, but for the times that a time authority has signed: all others"
    )?;
    writeln!(
        out,
        "  are this host's own. That the operator, who holds the key, did not make it up:"
    )?;
    writeln!(
        out,
        "  a token from before the first change, and the bundle that names this one in its"
    )?;
    writeln!(
        out,
        "  PREVIOUS, make that harder. That no other run was flown: a series is one of a"
    )?;
    writeln!(
        out,
        "  runs' directory, and another directory begins its own with `first`. It is no"
    )?;
    writeln!(out, "  compliance advice.")
}

fn check(out: &mut String, run: &Run, stated: &Stated) -> std::fmt::Result {
    writeln!(out, "HOW TO CHECK IT, with stock tools\n")?;
    let who = stated.signer.as_ref().map(|signer| signer.identity.ascii());
    let named = who.as_deref().filter(|who| who.bytes().all(is_word)).unwrap_or("SIGNER");
    writeln!(out, "  ssh-keygen -Y verify -f ALLOWED_SIGNERS -I {named} \\")?;
    writeln!(out, "    -n {} -s {} < {}", purpose::EVIDENCE, names::MANIFEST_SIG, names::MANIFEST)?;
    writeln!(out, "  sha256sum --strict -c {}", names::MANIFEST)?;
    writeln!(out, "  sh {} . ALLOWED_SIGNERS {named}\n", names::VERIFY_SH)?;
    writeln!(
        out,
        "The last does both, and looks for added files, the declaration's signature and the"
    )?;
    writeln!(out, "journal's chain as well. It is short: read it, or bring your own copy. Get")?;
    writeln!(out, "ALLOWED_SIGNERS from somebody you trust, never from whoever handed you this.")?;
    writeln!(
        out,
        "\nNone of these holds report and journal against each other: `switchback verify . --signers"
    )?;
    writeln!(
        out,
        "ALLOWED_SIGNERS` does, which derives every page from the journal again, byte for byte.\n"
    )?;
    approval(out, run)?;
    match (&stated.signer, &stated.unsigned) {
        (Some(signer), _) => writeln!(
            out,
            "It says that it is signed by {} with\n{} ({}).",
            signer.identity.ascii(),
            signer.fingerprint,
            signer.key
        )?,
        (None, why) => {
            let why = why.as_ref().map_or_else(|| "no reason is known".to_owned(), |w| w.ascii());
            writeln!(out, "It is NOT SIGNED ({why}): nobody can tell who wrote it.")?;
        }
    }
    match (&stated.time_authority, &stated.undated) {
        (None, _) => {}
        (Some(_), Some(why)) => {
            writeln!(out, "It is NOT DATED: no token: {}", why.ascii())?;
        }
        (Some(authority), None) => {
            let authority = authority.ascii();
            writeln!(
                out,
                "\nA token of {authority} stands beside it: {}\n",
                names::MANIFEST_TOKEN
            )?;
            let signed =
                if stated.signer.is_some() { names::MANIFEST_SIG } else { names::MANIFEST };
            writeln!(
                out,
                "  openssl ts -verify -data {signed} -in {} -CAfile AUTHORITY.pem",
                names::MANIFEST_TOKEN
            )?;
        }
    }
    writeln!(out)
}

/// How to check the second person's signature, where there is one.
fn approval(out: &mut String, run: &Run) -> std::fmt::Result {
    let declared = environment::declared(run);
    let Some(approver) = declared.and_then(|declared| declared.approved.as_ref()) else {
        return Ok(());
    };
    let who = approver.identity.ascii();
    let named = if who.bytes().all(is_word) { who.as_str() } else { "APPROVER" };
    writeln!(out, "A second person has approved the plan, it says: {who} with")?;
    writeln!(
        out,
        "{} ({}). Their line in ALLOWED_SIGNERS names",
        approver.fingerprint, approver.key
    )?;
    writeln!(
        out,
        "the purpose {}; name them as well, and it is checked too:\n",
        purpose::APPROVAL
    )?;
    writeln!(out, "  sh {} . ALLOWED_SIGNERS SIGNER {named}\n", names::VERIFY_SH)
}

const fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@')
}

fn missing(out: &mut String, run: &Run, stated: &Stated) -> std::fmt::Result {
    let lost = run.noted.iter().filter_map(|(_, _, noted)| match noted {
        Noted::RecordingLost(lost) => Some(lost),
        _ => None,
    });
    let inputs = environment::missing(run);
    let mut lines = Vec::new();
    lines.extend(
        stated
            .left_out
            .iter()
            .map(|left| format!("{} was LEFT OUT: {}", left.file.ascii(), left.why.ascii())),
    );
    lines.extend(lost.map(|lost| {
        let file = crate::clean::Clean::new(&lost.file);
        format!("{} ends at {:.1} s: {}", file.ascii(), lost.after_s, lost.why.ascii())
    }));
    if inputs > 0 {
        lines.push(format!("{inputs} inputs of the run were lost, as in a power cut"));
    }
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "WHAT IS MISSING\n")?;
    for line in lines {
        writeln!(out, "  {line}")?;
    }
    writeln!(out)
}

/// What a file of a bundle is.
fn what(name: &str) -> &'static str {
    match name {
        "journal.jsonl" => "what happened, hash-chained: the source of all the rest",
        "samples.jsonl" => "every second that was measured",
        names::PLAN => "the plan, as it was read",
        names::DECLARATION => "what was to be done, written before the first change",
        names::DECLARATION_SIG => "the operator's signature under it",
        names::DECLARATION_TOKEN => "a time authority's token over that signature",
        names::APPROVAL => "what a second person has approved",
        names::APPROVAL_SIG => "their signature",
        names::EXERCISE => "criteria, measures and result of the exercise",
        names::TRANSCRIPT => "the screen's text at each mark",
        names::REPORT => "the report",
        names::REPORT_MD => "the report for a pull request",
        names::STATE_BEFORE => "what ran where before",
        names::STATE_AFTER => "what ran where after",
        names::ENVIRONMENT => "program, host, clock, key, gaps, redactions",
        names::CONTROLS => "which controls this is relevant to, and what it does not show",
        names::OSCAL => "observations for assessors' tools (OSCAL)",
        names::STATEMENT => "the gates as an in-toto statement",
        names::PREVIOUS => "the bundle before this one, and its digest",
        names::VERIFY_SH => "the check with stock tools",
        name if name.ends_with(".cast") => "what the screen showed: asciinema play FILE",
        name if name.starts_with("logs/") => "what a command or a health check said",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_identity_reaches_the_commands_unless_a_shell_takes_it_as_it_is() {
        assert!("me@example.org".bytes().all(super::is_word));
        assert!(!"me; rm -rf ~".bytes().all(super::is_word));
    }
}
