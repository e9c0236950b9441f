//! The limits of this evidence: what it rests on, and what it cannot show. They are the report's
//! own words against itself, and each is there or not by what the account says.

use super::super::Account;
use super::{Page, words};
use crate::clean::Clean;
use crate::journal::ClockState;
use crate::runbook::Kind;
use crate::text::count;

/// One limit: a title, and what it means.
pub type Caveat = (&'static str, String);

/// Every limit of this evidence.
pub fn of(page: &Page) -> Vec<Caveat> {
    let account = &page.account;
    let mut all = Vec::new();
    if let Some(kind) = kind(account.kind) {
        all.push(kind);
    }
    all.push(key(page));
    all.push(when(account));
    all.push(approval(account));
    all.push(clock(account));
    all.extend(recording(page));
    all.push(missing(account));
    all.push(redactions(account));
    all.extend(page.left_out.iter().map(|what| ("Left out", what.clone())));
    all.push((
        "Sources",
        "Health, errors and times are what probes, the router and the plan's own commands said. \
         This program can be told wrong things by them."
            .to_owned(),
    ));
    all.push((
        "One journal",
        format!(
            "{} It does not show that what was written was true, nor that every deploy has left a \
             bundle: each bundle names the one before it, so a missing one in between shows; the \
             newest may be missing, and a series is one of a runs' directory: another directory \
              begins its own.",
            if page.signed.is_some() {
                "The lines are chained, and their digests are signed: no line was changed, added \
                 or removed since that signature. Before it, whoever held the files could write \
                 the whole chain anew."
            } else {
                "The lines are chained, and nobody signed the chain: it shows only that they fit \
                 each other. Whoever held these files could write the whole chain anew."
            }
        ),
    ));
    all
}

fn kind(kind: Kind) -> Option<Caveat> {
    match kind {
        Kind::Drill => Some((
            "A drill",
            "This shows training, in a simulated world. It does not show that production can be \
             rolled back."
                .to_owned(),
        )),
        Kind::Rehearsal => Some((
            "A rehearsal",
            "The way back was flown without a new release. It shows that the router obeys, not how \
             a bad release would behave."
                .to_owned(),
        )),
        Kind::Deploy => None,
    }
}

fn key(page: &Page) -> Caveat {
    let declared = page.account.declared.as_ref();
    let signer = page.signed.as_ref().or_else(|| declared.and_then(|d| d.signed.as_ref()));
    let says = match signer {
        None => "Unsigned. Whoever holds these files could have written them anew: at best they \
                 are intact, their author is unknown."
            .to_owned(),
        Some(signer) if words::is_token(&signer.key) => {
            "Signed with a key that lives on a hardware token. An operator's own signature proves \
             little against that operator, who can sign another story with the same token."
                .to_owned()
        }
        Some(_) => {
            "Signed with a key in software: whoever can read its file, or reach its agent, can \
             sign. An operator's own signature proves little against that operator."
                .to_owned()
        }
    };
    ("Signature", says)
}

fn when(account: &Account) -> Caveat {
    let (word, says) = words::declared(account);
    ("Declared before the first change", format!("{word}: {says}."))
}

fn approval(account: &Account) -> Caveat {
    let approved = account.declared.as_ref().is_some_and(|declared| declared.approved.is_some());
    let says = if approved {
        "A second key signed the same plan and release. Whether a second person holds it is not \
         shown."
            .to_owned()
    } else {
        let (nobody, why) = words::approver(account);
        format!("{} ({why}). Duties were not separated.", capital(&nobody))
    };
    ("Approval", says)
}

fn clock(account: &Account) -> Caveat {
    let state = account.declared.as_ref().map_or(ClockState::Unknown, |declared| declared.clock);
    let says = match state {
        ClockState::Synchronised => {
            "This host said that its clock was synchronised. Times in the journal are that clock's."
        }
        ClockState::Free => {
            "This host said that its clock was NOT synchronised. Times of day may be wrong; \
             lengths of time are measured and hold."
        }
        ClockState::Unknown => {
            "Whether this host's clock was synchronised is not known. Times of day may be wrong; \
             lengths of time are measured and hold."
        }
    };
    ("Clock", says.to_owned())
}

fn recording(page: &Page) -> Vec<Caveat> {
    let account = &page.account;
    if account.recordings.is_empty() {
        let says = "Nothing was recorded. The journal stands alone.";
        return vec![("Recording", says.to_owned())];
    }
    let mut all = Vec::new();
    for recording in &account.recordings {
        let file = Clean::new(&recording.file);
        if !recording.present {
            all.push(("Recording", format!("{file} is not in the bundle.")));
        }
        if let Some(lost) = &recording.lost {
            let (after, why) = (lost.after_s, &lost.why);
            let says = format!(
                "{file} was lost after {after:.1} s ({why}): what came later is not in it."
            );
            all.push(("Recording", says));
        }
        if recording.closed.is_none() && recording.lost.is_none() {
            all.push(("Recording", format!("{file} was not closed: its end may be missing.")));
        }
        let hits = recording.closed.as_ref().map_or(0, |closed| closed.hits.len());
        if hits > 0 {
            let found = count(hits as u64, "place");
            all.push(("Recording", format!("{file} shows a secret in {found}.")));
        }
    }
    if all.is_empty() {
        let says = "It shows what this program drew, and neither keys that were pressed nor what \
                    else was on the screen. Its marks carry the numbers of the journal's lines.";
        all.push(("Recording", says.to_owned()));
    }
    all
}

fn missing(account: &Account) -> Caveat {
    let says = match account.missing_inputs {
        0 if account.is_cut_off() => format!(
            "Every input is there until the journal ends at {}. What came later is not known, nor \
             whether the very last was still written.",
            words::utc(account, account.last_at)
        ),
        0 if !account.cuts.is_empty() => format!(
            "Every input that was taken is in the journal and the samples beside it. In between \
             nothing was: {}.",
            words::cuts(account).join("; ")
        ),
        0 => "Every input of the run is in the journal and the samples beside it.".to_owned(),
        n => format!(
            "{} missing: power failed, or a disk did. What followed from them is in the journal, \
             what was measured in them is not.",
            if n == 1 { "1 input is".to_owned() } else { format!("{n} inputs are") }
        ),
    };
    ("Completeness", says)
}

fn redactions(account: &Account) -> Caveat {
    const NOT_FOUND: &str =
        "Secrets that nobody named and that look like nothing known are not found.";
    let rules: Vec<String> =
        account.redacted.iter().map(|(rule, times)| format!("{rule} {times} ×")).collect();
    let counted = match (rules.is_empty(), account.counts_lost_until()) {
        (true, None) => "Nothing was counted as masked.".to_owned(),
        (true, Some(_)) => String::new(),
        (false, _) => format!("Masked before anything was written: {}.", rules.join(", ")),
    };
    let lost = account.counts_lost_until().map(|until| {
        let (until, marks) = (words::utc(account, until), account.marks);
        let marks = marks.map_or_else(
            || "how many marks stand in the files is not known".to_owned(),
            |n| format!("{} of masking stand in the journal, samples and logs", count(n, "mark")),
        );
        format!("What was masked is not known for the time before {until}; {marks}.")
    });
    let says: Vec<String> = [Some(counted), lost, Some(NOT_FOUND.to_owned())]
        .into_iter()
        .flatten()
        .filter(|says| !says.is_empty())
        .collect();
    ("Redaction", says.join(" "))
}

/// A fragment as the beginning of a sentence.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
