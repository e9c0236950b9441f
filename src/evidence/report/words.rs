//! Sentences of the report that both of its forms say in the same words.

use super::super::Account;
use super::super::account::{Before, Cut};
use super::Page;
use crate::clean::Clean;
use crate::runbook::Kind;
use crate::runbook::snapshot::{Stamp, StepState};
use crate::text::{clock, micros};
use crate::units::Millis;

/// `users failed: 3 of 4210`, and where; or that nobody counted.
pub fn users(account: &Account) -> (String, String) {
    let (users, kind) = (&account.users, account.kind);
    if !users.counted {
        let why = "the router did not count users' requests; nothing is known of them";
        return ("nobody counted".to_owned(), why.to_owned());
    }
    let (green, blue) = (users.green, users.blue);
    let failed = green.0.saturating_add(blue.0);
    let all = green.1.saturating_add(blue.1);
    let who = if kind == Kind::Drill { "simulated users' requests" } else { "users' requests" };
    let mut where_ = format!(
        "{who}, as the router counted: {} of {} on Green, {} of {} on Blue",
        green.0, green.1, blue.0, blue.1
    );
    if !account.cuts.is_empty() {
        where_.push_str("; nobody counted while nobody watched");
    }
    let until = if account.is_cut_off() { " until the cut" } else { "" };
    (format!("{failed} of {all}{until}"), where_)
}

/// How long the run was.
pub fn duration(account: &Account) -> String {
    let length = match account.ended_unix_ms {
        Some(ended) => Millis(ended.saturating_sub(account.began_unix_ms).max(0) as u64),
        None => account.last_at,
    };
    clock(length)
}

/// When the run was: its beginning and length, and its end.
pub fn when(account: &Account) -> (String, String) {
    let (began, length) = (crate::text::utc(account.began_unix_ms), duration(account));
    let Some(ended) = account.ended_unix_ms else {
        let last = utc(account, account.last_at);
        let says = format!("the journal ends after {length}, at {last}; the run did not");
        return (began, says);
    };
    (format!("{began}, for {length}"), format!("until {}", crate::text::utc(ended)))
}

/// Where nobody watched, a sentence each.
pub fn cuts(account: &Account) -> Vec<String> {
    account.cuts.iter().map(|cut: &Cut| account.cut(cut)).collect()
}

/// What the bundle does not hold: the sentence of page one, if anything was left out.
pub fn left_out(page: &Page) -> Option<String> {
    (!page.left_out.is_empty()).then(|| page.left_out.join("; "))
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
    let (before, authority) = (account.declared_before(), &token.authority);
    let changed = account.first_change.map(|at| utc(account, at));
    let says = match (before, changed) {
        (Before::Unreadable, _) => format!("{authority} gave a time that cannot be read"),
        (_, None) => format!("by {authority}; this run changed nothing"),
        (Before::After, Some(changed)) => format!(
            "{authority} says a time AFTER the first change at {changed} by this host's clock"
        ),
        (_, Some(changed)) => {
            format!("by {authority}; the first change was at {changed} by this host's clock")
        }
    };
    let word = match before {
        Before::After => "NOT before: token of",
        Before::Unreadable => "not proven: token of",
        _ => "proven at",
    };
    (format!("{word} {}", token.time), says)
}

/// Who approved: the same person, or another one, as far as a signature says.
pub fn approver(account: &Account) -> (String, String) {
    let declared = account.declared.as_ref();
    if let Some(signer) = declared.and_then(|declared| declared.approved.as_ref()) {
        let at = account.approved_at.as_ref().map_or_else(
            || "their approval names no date".to_owned(),
            |at| format!("at {} by the clock of their host", day(at.as_str())),
        );
        let mut says = format!(
            "as the key's holder says; signed with {} ({}), {at}",
            signer.fingerprint, signer.key
        );
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
    ("nobody but the deployer".to_owned(), format!("approver = deployer: {why}"))
}

/// A date of RFC 3339 as the page says dates; as it stands where it is none.
fn day(text: &str) -> String {
    chrono::DateTime::parse_from_rfc3339(text)
        .map_or_else(|_| text.to_owned(), |at| crate::text::utc(at.timestamp_millis()))
}

/// Who signed: the key's fingerprint, which a signature proves, and who its holder says to be; or
/// `unsigned`.
pub fn signed(page: &Page) -> (String, String) {
    let declared = page.account.declared.as_ref();
    let signer = page.signed.as_ref().or_else(|| declared.and_then(|d| d.signed.as_ref()));
    match signer {
        Some(signer) => {
            let kind = if is_token(&signer.key) { "a token's key" } else { "a software key" };
            let (name, key) = (&signer.identity, &signer.key);
            let says = format!("{key}, {kind}; its holder says to be {name}");
            (signer.fingerprint.clone(), says)
        }
        None => {
            let why = declared.and_then(|declared| declared.unsigned.as_ref());
            let why = why.map_or_else(|| "no key is declared".to_owned(), Clean::to_string);
            ("unsigned".to_owned(), format!("{why}: at best intact, author unknown"))
        }
    }
}

/// What a row of page one rests on: this host's word, a signature, or a time authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rests {
    /// On what this host and its operator say.
    Claimed,
    /// On a key's signature, as far as the key goes; its holder's name is claimed.
    Signed,
    /// On a time authority's token.
    Proven,
}

impl Rests {
    /// In a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Signed => "key signed, name claimed",
            Self::Proven => "proven",
        }
    }
}

/// What these words mean.
pub const RESTS: &str = "Claimed: this host says so. Signed: by the key with that fingerprint, if \
    the check holds; whose key it is, your own list says. Proven: a time authority dated it.";

/// The rows of page one: a name, what is said in short and in long, and what it rests on.
pub fn facts(page: &Page) -> Vec<(&'static str, (String, String), Rests)> {
    let account = &page.account;
    let declared = account.declared.as_ref();
    let signed = |is: bool| if is { Rests::Signed } else { Rests::Claimed };
    let signer = page.signed.is_some() || declared.is_some_and(|d| d.signed.is_some());
    let approved = declared.is_some_and(|declared| declared.approved.is_some());
    let dated = match account.declared_before() {
        Before::Proven | Before::After => Rests::Proven,
        Before::Nothing | Before::Word | Before::Unreadable => Rests::Claimed,
    };
    vec![
        ("Users failed", users(account), Rests::Claimed),
        ("When", when(account), Rests::Claimed),
        ("Who", (operator(account), format!("run {}", account.run)), Rests::Claimed),
        ("Signed by", self::signed(page), signed(signer)),
        ("Declared before", self::declared(account), dated),
        ("Approved by", approver(account), signed(approved)),
    ]
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
        // No time was measured: there was no answer.
        Some((Stamp::LastFromGreen, Some(0), says)) => ("none".to_owned(), says.to_string()),
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
