//! The first screen: how it ended, what is known of that in six lines, and what to do next.

use super::escape::html as esc;
use super::{Page, verdict, words};
use crate::runbook::Kind;
use std::fmt::Write;

/// The first screen, and what else there is on the page.
pub fn screen(out: &mut String, page: &Page) {
    let account = &page.account;
    let verdict = verdict::of(account);
    let kind = account.kind;
    let badge = match kind {
        Kind::Deploy => "deploy",
        Kind::Drill => "drill",
        Kind::Rehearsal => "rehearsal",
    };
    let exit = account.exit.map_or_else(String::new, |exit| format!(" (exit {exit})"));
    let _ = write!(
        out,
        "<header class=\"{class}\">\n<div class=\"verdict\"><p class=\"kind\">\
         <span class=\"badge {badge}\">{word}</span> of <strong>{what}</strong> on \
         <strong>{host}</strong></p><h1><span aria-hidden=\"true\">{sign}</span> {verdict}</h1>\
         <p class=\"means\">{means}</p><p class=\"says\">{says}{exit}</p>",
        class = verdict.class,
        word = kind.word(),
        what = esc(&words::what(account)),
        host = esc(account.host.as_str()),
        sign = verdict.sign,
        verdict = verdict.word,
        means = esc(&verdict.means),
        says = esc(account.says.as_str()),
    );
    lacks(out, page);
    facts(out, page);
    out.push_str("</div>\n");
    vouch(out, page);
    out.push_str("</header>\n");
    contents(out, page);
}

fn facts(out: &mut String, page: &Page) {
    out.push_str("<dl class=\"facts\">");
    for (name, (value, says), rests) in words::facts(page) {
        let (value, says, rests) = (esc(&value), esc(&says), rests.word());
        let _ = write!(
            out,
            "<div><dt>{name}</dt><dd><strong>{value}</strong> <span>{says}</span> \
             <em class=\"rests\">{rests}</em></dd></div>"
        );
    }
    let _ = write!(out, "</dl><p class=\"rests-means\">{}</p>", esc(words::RESTS));
}

/// What nobody watched, and what the bundle does not hold: nobody may have to look for it.
fn lacks(out: &mut String, page: &Page) {
    let account = &page.account;
    if account.kind != Kind::Deploy {
        let _ = write!(out, "<p class=\"lacks\">{}</p>", esc(verdict::kind(account.kind)));
    }
    for cut in words::cuts(account) {
        let _ = write!(
            out,
            "<p class=\"lacks\"><strong>Not all of it was watched:</strong> {}</p>",
            esc(&cut)
        );
    }
    if let Some(left) = words::left_out(page) {
        let _ = write!(
            out,
            "<p class=\"lacks\"><strong>Left out of this bundle:</strong> {}</p>",
            esc(&left)
        );
    }
}

/// What to do next: a page that vouches for itself vouches for nothing.
fn vouch(out: &mut String, page: &Page) {
    out.push_str(
        "<aside aria-labelledby=\"vouch\"><h2 id=\"vouch\">Next: check it</h2><p>This page cannot \
         vouch for itself. In its directory, in this order:</p><ol>",
    );
    for (answers, command) in words::verify(page) {
        let command = esc(&command);
        let _ = write!(out, "<li>{answers}: <code>{command}</code></li>");
    }
    let signers = if page.signed.is_some() {
        "<code>SIGNERS</code> is the file with the keys that you trust. Get it, or the key's \
         fingerprint, by another way than this bundle."
    } else {
        "Nobody signed this bundle. At best it is intact; who wrote it is not known."
    };
    let _ = write!(out, "</ol><p class=\"quiet\">{signers}</p>");
    if !page.account.owed.is_empty() {
        let owed: Vec<String> = page.account.owed.iter().map(|o| esc(o.as_str())).collect();
        let _ = write!(out, "<p><strong>Still owed:</strong> {}.</p>", owed.join(", "));
    }
    if !page.left_out.is_empty() {
        let left: Vec<String> = page.left_out.iter().map(|what| esc(what)).collect();
        let _ = write!(out, "<p><strong>Left out:</strong> {}.</p>", left.join("; "));
    }
    out.push_str("</aside>\n");
}

fn contents(out: &mut String, page: &Page) {
    out.push_str("<nav aria-label=\"Contents\"><ul>");
    for (id, name) in [
        ("planned", "Planned"),
        ("exercise", "Exercise"),
        ("back", "Way back"),
        ("recording", "Recording"),
        ("timeline", "Timeline"),
        ("plots", "Measured"),
        ("gates", "Gates"),
        ("controls", "Controls"),
        ("limits", "Limits"),
        ("files", "Files"),
        ("journal", "Journal"),
    ] {
        let there = match id {
            "controls" => !page.controls.is_empty(),
            "exercise" => page.account.exercise.is_some(),
            _ => true,
        };
        if there {
            let _ = write!(out, "<li><a href=\"#{id}\">{name}</a></li>");
        }
    }
    out.push_str("</ul></nav>\n");
}
