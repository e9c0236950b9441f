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
        means = verdict.means,
        says = esc(account.says.as_str()),
    );
    facts(out, page);
    out.push_str("</div>\n");
    vouch(out, page);
    out.push_str("</header>\n");
    contents(out, page);
}

fn facts(out: &mut String, page: &Page) {
    let account = &page.account;
    let (failed, failed_says) = words::users(&account.users, account.kind);
    let (signed, signed_says) = words::signed(page);
    let (declared, declared_says) = words::declared(account);
    let (approver, approver_says) = words::approver(account);
    let ended = account.ended_unix_ms.map_or("not ended".to_owned(), crate::text::utc);
    let began = crate::text::utc(account.began_unix_ms);
    let rows = [
        ("Users failed", failed, failed_says),
        ("When", format!("{began}, for {}", words::duration(account)), format!("until {ended}")),
        ("Who", words::operator(account), format!("run {}", account.run)),
        ("Signed by", signed, signed_says),
        ("Declared before", declared, declared_says),
        ("Approved by", approver, approver_says),
    ];
    out.push_str("<dl class=\"facts\">");
    for (name, value, says) in rows {
        let (value, says) = (esc(&value), esc(&says));
        let _ = write!(
            out,
            "<div><dt>{name}</dt><dd><strong>{value}</strong> <span>{says}</span></dd></div>"
        );
    }
    out.push_str("</dl>");
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
    let kind = page.account.kind;
    if kind != Kind::Deploy {
        let _ = write!(out, "<p><strong>{}</strong></p>", verdict::kind(kind));
    }
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
        if id != "controls" || !page.controls.is_empty() {
            let _ = write!(out, "<li><a href=\"#{id}\">{name}</a></li>");
        }
    }
    out.push_str("</ul></nav>\n");
}
