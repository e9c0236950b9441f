//! Sentences of the report that both of its forms say in the same words.

use super::super::Account;
use super::super::account::{GateTold, Users};
use super::Page;
use crate::clean::Clean;
use crate::runbook::snapshot::{Stamp, StepState};
use crate::runbook::{GateState, Kind};
use crate::text::{clock, micros};
use crate::units::Millis;
use chrono::DateTime;

/// `users failed: 3 of 4210`, and where; or that nobody counted.
pub fn users(users: &Users, kind: Kind) -> (String, String) {
    if !users.counted {
        let why = "the router did not count users' requests; nothing is known of them";
        return ("nobody counted".to_owned(), why.to_owned());
    }
    let (green, blue) = (users.green, users.blue);
    let failed = green.0.saturating_add(blue.0);
    let all = green.1.saturating_add(blue.1);
    let who = if kind == Kind::Drill { "simulated users' requests" } else { "users' requests" };
    let where_ = format!(
        "{who}, as the router counted: {} of {} on Green, {} of {} on Blue",
        green.0, green.1, blue.0, blue.1
    );
    (format!("{failed} of {all}"), where_)
}

/// How long the run was.
pub fn duration(account: &Account) -> String {
    let length = match account.ended_unix_ms {
        Some(ended) => Millis(ended.saturating_sub(account.began_unix_ms).max(0) as u64),
        None => account.last_at,
    };
    clock(length)
}

/// An instant in UTC as the page says it: `2026-11-23 14:22:07 UTC`.
pub fn utc(account: &Account, at: Millis) -> String {
    crate::text::utc(account.unix_ms(at))
}

/// Whether plan and release were put down before the first change, and what proves it: a short
/// word, and a sentence.
pub fn declared(account: &Account) -> (String, String) {
    let Some(declared) = &account.declared else {
        return (
            "not declared".to_owned(),
            "the journal holds no declaration of plan and release".to_owned(),
        );
    };
    let Some(token) = &declared.token else {
        let why = declared.no_token.as_ref().map_or_else(
            || "no time authority was asked".to_owned(),
            |why| format!("no token of a time authority: {why}"),
        );
        let says = format!("the time of the declaration is that of this host's clock; {why}");
        return ("operator's word".to_owned(), says);
    };
    let proven = DateTime::parse_from_rfc3339(&token.time).ok().map(|at| at.timestamp_millis());
    let changed = account.first_change.map(|at| account.unix_ms(at));
    let says = match (proven, changed) {
        (Some(proven), Some(changed)) if proven > changed => format!(
            "{} says a time AFTER the first change at {} by this host's clock",
            token.authority,
            crate::text::utc(changed)
        ),
        (None, _) => format!("{} gave a time that cannot be read", token.authority),
        (Some(_), None) => format!("by {}; this run changed nothing", token.authority),
        (Some(_), Some(changed)) => format!(
            "by {}; the first change was at {} by this host's clock",
            token.authority,
            crate::text::utc(changed)
        ),
    };
    let word = match (proven, changed) {
        (Some(proven), Some(changed)) if proven > changed => "NOT before: token of",
        (None, _) => "not proven: token of",
        _ => "proven at",
    };
    (format!("{word} {}", token.time), says)
}

/// Who approved: the same person, or another one, as far as a signature says.
pub fn approver(account: &Account) -> (String, String) {
    let declared = account.declared.as_ref();
    if let Some(signer) = declared.and_then(|declared| declared.approved.as_ref()) {
        let mut says = format!("signed with {} ({})", signer.fingerprint, signer.key);
        let others = declared.map(|declared| declared.also_carried.join(", ")).unwrap_or_default();
        if !others.is_empty() {
            says.push_str(&format!("; also carried by run {others}"));
        }
        return (signer.identity.to_string(), says);
    }
    let why = declared.and_then(|declared| declared.not_approved.as_ref()).map_or_else(
        || "no second person signed this plan and release".to_owned(),
        |why| format!("an approval that is there does not count: {why}"),
    );
    ("approver = deployer".to_owned(), why)
}

/// Who signed: identity and fingerprint, or `unsigned`.
pub fn signed(page: &Page) -> (String, String) {
    let declared = page.account.declared.as_ref();
    let signer = page.signed.as_ref().or_else(|| declared.and_then(|d| d.signed.as_ref()));
    match signer {
        Some(signer) => {
            let kind = if is_token(&signer.key) { "a token's key" } else { "a software key" };
            let says = format!("{} ({}, {kind})", signer.fingerprint, signer.key);
            (signer.identity.to_string(), says)
        }
        None => {
            let why = declared.and_then(|declared| declared.unsigned.as_ref());
            let why = why.map_or_else(|| "no key is declared".to_owned(), Clean::to_string);
            ("unsigned".to_owned(), format!("{why}: at best intact, author unknown"))
        }
    }
}

/// Whether a key of this kind lives on a token.
pub fn is_token(key: &str) -> bool {
    key.starts_with("sk-")
}

/// Who was at the keyboard.
pub fn operator(account: &Account) -> String {
    let who = account.operator.as_ref().map_or("nobody named", Clean::as_str);
    if account.attended { who.to_owned() } else { format!("{who}, unattended") }
}

/// How one stamp of the four stands: its time, and what was said.
pub fn stamp(account: &Account, wanted: Stamp) -> (String, String) {
    let Some(back) = &account.back else {
        return ("not taken".to_owned(), "the way back was not taken".to_owned());
    };
    match back.stamps.iter().find(|(stamp, ..)| *stamp == wanted) {
        Some((_, Some(us), says)) => (micros(*us), says.to_string()),
        Some((_, None, says)) if says.as_str().ends_with(Stamp::NONE_SINCE) => {
            ("none".to_owned(), says.to_string())
        }
        Some((_, None, says)) => ("not had".to_owned(), says.to_string()),
        None => ("not seen".to_owned(), "the run ended before it was seen".to_owned()),
    }
}

/// How a step stands at the end of a run, in a word.
pub const fn step(state: StepState) -> &'static str {
    match state {
        StepState::Ahead => "not reached",
        StepState::Now => "here at the end",
        StepState::Passed => "passed",
        StepState::Skipped => "skipped",
        StepState::Failed => "went back here",
    }
}

/// What a gate has said in the end, and what to know of it. A gate that opens is passed at once
/// where nobody is asked: then its checks were written while it was still waiting.
pub fn gate(account: &Account, gate: &GateTold) -> (&'static str, Option<&'static str>) {
    let passed =
        account.steps.iter().any(|told| told.step == gate.step && told.state == StepState::Passed);
    match (gate.state, passed) {
        (GateState::Open, true) => ("open", Some("step passed")),
        (GateState::Waiting, true) => {
            ("opened", Some("step passed; what was seen was written while it waited"))
        }
        (state, true) => (state.word(), Some("step passed later")),
        (state, false) => (state.word(), None),
    }
}

/// What a change declares: every field by name, also those that are missing.
pub fn change(account: &Account) -> Vec<(&'static str, Option<&Clean>)> {
    ["reason", "reference", "impact", "commit", "artefact"]
        .into_iter()
        .map(|name| (name, account.change.get(name)))
        .collect()
}

/// What is deployed over what: `notes 1.8.2 → 1.9.0`.
pub fn what(account: &Account) -> String {
    let or = |name: &Option<Clean>| name.as_ref().map_or("?".to_owned(), Clean::to_string);
    match (&account.current, &account.next) {
        (None, None) => account.service.to_string(),
        (current, next) => format!("{} {} → {}", account.service, or(current), or(next)),
    }
}

/// The commands that check a bundle, in the order of trust, each with what it answers.
pub fn verify(page: &Page) -> Vec<(&'static str, String)> {
    let mut commands = Vec::new();
    if let Some(signer) = &page.signed {
        let (identity, purpose) =
            (pasted(signer.identity.as_str()), super::super::purpose::EVIDENCE);
        commands.push((
            "who",
            format!(
                "ssh-keygen -Y verify -f SIGNERS -I {identity} -n {purpose} \
                 -s SHA256SUMS.sig < SHA256SUMS"
            ),
        ));
    }
    commands.push(("what", "sha256sum --strict -c SHA256SUMS".to_owned()));
    commands.push(("all of it", "switchback verify . --signers SIGNERS".to_owned()));
    commands
}

/// A name as a word of a command that people paste; one that a shell could read otherwise is left
/// to them.
fn pasted(word: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@.-_+".contains(c);
    if word.starts_with(|c: char| c.is_ascii_alphanumeric()) && word.chars().all(plain) {
        word
    } else {
        "PRINCIPAL"
    }
}
