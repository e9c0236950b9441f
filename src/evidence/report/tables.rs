//! The tables of the page: planned against actual, stamps, timeline, gates, controls, files.

use super::super::account::Compared;
use super::escape::html as esc;
use super::{Page, recording, words};
use crate::clean::Clean;
use crate::runbook::CheckState;
use crate::runbook::record::Tone;
use crate::runbook::snapshot::Stamp;
use crate::text::{clock, time_of_day};
use std::fmt::Write;

/// The head of a table: a caption that is read aloud, and its columns.
pub(super) fn open(out: &mut String, class: &str, caption: &str, columns: &[&str]) {
    let _ = write!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\
         <table class=\"{class}\"><caption>{caption}</caption><thead><tr>"
    );
    for column in columns {
        let _ = write!(out, "<th scope=\"col\">{column}</th>");
    }
    out.push_str("</tr></thead><tbody>");
}

/// The end of a table.
pub(super) const CLOSE: &str = "</tbody></table></div>";

fn or_unknown(text: Option<&Clean>) -> String {
    text.map_or_else(|| "<span class=\"quiet\">not known</span>".to_owned(), |t| esc(t.as_str()))
}

/// Planned against actual, differences first.
pub fn compared(page: &Page) -> String {
    let mut out = String::new();
    open(
        &mut out,
        "compared",
        "Planned against actual, differences first",
        &["", "What", "Planned", "Actual"],
    );
    for Compared { what, planned, actual, same } in &page.account.compared {
        let (class, sign) = match same {
            Some(false) => ("differs", "≠ differs"),
            None => ("open", "? not compared"),
            Some(true) => ("same", "= as planned"),
        };
        let planned = planned.as_ref().map_or_else(
            || "<span class=\"quiet\">not declared</span>".to_owned(),
            |t| esc(t.as_str()),
        );
        let (what, actual) = (esc(what), or_unknown(actual.as_ref()));
        let _ = write!(
            out,
            "<tr class=\"{class}\"><td class=\"sign\">{sign}</td><th scope=\"row\">{what}</th>\
             <td>{planned}</td><td>{actual}</td></tr>"
        );
    }
    out + CLOSE
}

/// The four stamps, always the four.
pub fn stamps(page: &Page) -> String {
    let mut out = String::new();
    let taken = page.account.back.is_some();
    if !taken {
        let names: Vec<&str> = Stamp::ALL.iter().map(|stamp| stamp.words()).collect();
        let _ = write!(out, "<p class=\"paper\">Not taken: {}.</p>", esc(&names.join(", ")));
    }
    open(
        &mut out,
        if taken { "stamps" } else { "stamps untaken" },
        "The four stamps of the way back",
        &["Stamp", "After", "What was said"],
    );
    for stamp in Stamp::ALL {
        let (time, says) = words::stamp(&page.account, stamp);
        let (name, time, says) = (esc(stamp.words()), esc(&time), esc(&says));
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{name}</th><td class=\"figure\">{time}</td><td>{says}</td></tr>"
        );
    }
    out + CLOSE
}

/// The eight steps.
pub fn steps(page: &Page) -> String {
    let mut out = String::new();
    open(&mut out, "steps", "The eight steps", &["Step", "Proves", "Ended", "Begun", "Took"]);
    for told in &page.account.steps {
        let begun = told.entered.map_or("–".to_owned(), clock);
        let took = told.took.map_or("–".to_owned(), clock);
        let (number, title) = (told.step.number(), esc(told.step.title()));
        let (proves, state) = (esc(told.step.proves()), words::step(told.state));
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{number} {title}</th><td>{proves}</td><td>{state}</td>\
             <td class=\"figure\">{begun}</td><td class=\"figure\">{took}</td></tr>"
        );
    }
    out + CLOSE
}

const fn tone(tone: Tone) -> (&'static str, &'static str) {
    match tone {
        Tone::Good => ("good", "✔"),
        Tone::Plain => ("plain", ""),
        Tone::Warn => ("warn", "!"),
        Tone::Bad => ("bad", "✖"),
    }
}

/// The timeline; a time of a recording that is in the page leads to it.
pub fn timeline(page: &Page) -> String {
    let account = &page.account;
    let mut out = String::new();
    open(
        &mut out,
        "timeline",
        "Timeline",
        &["Line", "UTC", "Run", "Cast", "", "Topic", "What happened"],
    );
    for moment in &account.timeline {
        let utc = time_of_day(account.unix_ms(moment.at));
        let cast = match (recording::place(page, moment), moment.cast) {
            (Some((index, second)), _) => {
                let (at, shown) = (recording::second(second), recording::shown(second));
                format!(
                    "<a class=\"seek\" href=\"#recording\" data-cast=\"{index}\" \
                     data-time=\"{at}\" aria-label=\"show line {} in the recording\">▶ {shown}</a>",
                    moment.seq
                )
            }
            (None, Some((_, second))) => recording::shown(second),
            (None, None) => String::new(),
        };
        let (class, sign) = tone(moment.tone);
        let (seq, run) = (moment.seq, clock(moment.at));
        let (topic, text) = (esc(&moment.topic), esc(&moment.text));
        let _ = write!(
            out,
            "<tr id=\"l{seq}\" class=\"{class}\"><td class=\"figure\">{seq}</td>\
             <td class=\"figure\">{utc}</td><td class=\"figure\">{run}</td>\
             <td class=\"figure\">{cast}</td><td class=\"sign\">{sign}</td>\
             <td>{topic}</td><td>{text}</td></tr>"
        );
    }
    out + CLOSE
}

const fn check(state: CheckState) -> (&'static str, &'static str) {
    match state {
        CheckState::Good => ("good", "✔ good"),
        CheckState::Waiting => ("plain", "… waiting"),
        CheckState::Bad => ("bad", "✖ bad"),
        CheckState::Unknown => ("warn", "? unknown"),
        CheckState::NotDeclared => ("plain", "– not judged"),
    }
}

/// Each gate as it last stood: what it has to prove, and what was seen.
pub fn gates(page: &Page) -> String {
    let account = &page.account;
    let mut out = String::new();
    open(
        &mut out,
        "gates",
        "Gates, as they stood when their steps were over",
        &["Gate of step", "Expected", "State", "Seen", "UTC", "Line"],
    );
    for gate in &account.gates {
        let mut seen = String::from("<ul>");
        if gate.is_stale() {
            let _ = write!(seen, "<li class=\"quiet\">{}</li>", esc(&gate.seen()));
        }
        let fresh = !gate.is_stale() && !gate.is_decided();
        for one in gate.checks.iter().filter(|_| fresh) {
            let (class, word) = check(one.state);
            let says = esc(&one.says);
            let _ = write!(seen, "<li><span class=\"{class}\">{word}</span> {says}</li>");
        }
        seen.push_str("</ul>");
        let (number, title) = (gate.step.number(), esc(gate.step.title()));
        let (proves, state, note) = (esc(gate.step.proves()), gate.word(), gate.note());
        let (utc, seq) = (time_of_day(account.unix_ms(gate.at)), gate.seq);
        let note = note
            .map_or_else(String::new, |note| format!("<br><span class=\"quiet\">{note}</span>"));
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{number} {title}</th><td>{proves}</td>\
             <td><strong>{state}</strong>{note}</td><td>{seen}</td>\
             <td class=\"figure\">{utc}</td><td class=\"figure\">{seq}</td></tr>"
        );
    }
    out + CLOSE
}

/// Controls: what is relevant, and what is not shown.
pub fn controls(page: &Page) -> String {
    let mut out = String::new();
    open(
        &mut out,
        "controls",
        "Controls that this bundle is relevant to",
        &["Control", "Name", "What is here", "Does not show"],
    );
    for row in &page.controls {
        let (framework, id, name) = (esc(&row.framework), esc(&row.id), esc(&row.name));
        let (relevant, not_shown) = (esc(&row.relevant), esc(&row.not_shown));
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{id}<br><span class=\"quiet\">{framework}</span></th>\
             <td>{name}</td><td>{relevant}</td><td>{not_shown}</td></tr>"
        );
    }
    out + CLOSE
}

/// Files and digests.
pub fn files(page: &Page) -> String {
    let mut out = String::new();
    open(&mut out, "files", "Files of this bundle", &["File", "SHA-256"]);
    for (name, digest) in &page.digests {
        let (name, digest) = (esc(name), esc(digest));
        let _ = write!(
            out,
            "<tr><th scope=\"row\"><code>{name}</code></th><td><code>{digest}</code></td></tr>"
        );
    }
    out + CLOSE
}
