//! The report for a pull request: the page's first screen and its tables, in Markdown that can
//! neither link nor mention.

use super::escape::markdown as esc;
use super::{Page, caveats, exercise, verdict, words};
use crate::clean::Clean;
use crate::runbook::CheckState;
use crate::runbook::snapshot::Stamp;
use std::fmt::Write;

/// The report as Markdown.
pub fn text(page: &Page) -> String {
    let mut out = String::new();
    head(&mut out, page);
    stamps(&mut out, page);
    exercise::markdown(&mut out, page);
    compared(&mut out, page);
    gates(&mut out, page);
    out.push_str("\n## Limits of this evidence\n\n");
    for (title, says) in caveats::of(page) {
        let _ = writeln!(out, "- **{}.** {}", esc(title), esc(&says));
    }
    out.push_str("\nNot compliance advice. `report.html` beside this file has the whole story.\n");
    if let Some(marking) = &page.account.marking {
        let _ = writeln!(out, "\n**{}**", esc(marking.as_str()));
    }
    out
}

fn head(out: &mut String, page: &Page) {
    let account = &page.account;
    let verdict = verdict::of(account);
    if let Some(marking) = &account.marking {
        let _ = writeln!(out, "**{}**\n", esc(marking.as_str()));
    }
    let exit = account.exit.map_or_else(String::new, |exit| format!(" (exit {exit})"));
    let _ = write!(
        out,
        "# {}: {} of {} on {}\n\n{} {}{exit}\n\n",
        verdict.word,
        account.kind.word(),
        esc(&words::what(account)),
        esc(account.host.as_str()),
        esc(&verdict.means),
        esc(account.says.as_str()),
    );
    if account.kind != crate::runbook::Kind::Deploy {
        let _ = writeln!(out, "**{}**\n", verdict::kind(account.kind));
    }
    for cut in words::cuts(account) {
        let _ = writeln!(out, "**Not all of it was watched:** {}\n", esc(&cut));
    }
    if let Some(left) = words::left_out(page) {
        let _ = writeln!(out, "**Left out of this bundle:** {}\n", esc(&left));
    }
    for (name, (value, says), rests) in words::facts(page) {
        let (name, rests) = (name.to_lowercase(), rests.word());
        let _ = writeln!(out, "- {name}: **{}** ({}) *{rests}*", esc(&value), esc(&says));
    }
    let _ = writeln!(out, "\n{}", esc(words::RESTS));
    out.push_str("\nThis text cannot vouch for itself. In the bundle's directory:\n\n```sh\n");
    for (_, command) in words::verify(page) {
        // A fence ends where a line begins with its sign; a command is one line and begins with
        // the program's name.
        let _ = writeln!(out, "{}", Clean::new(&command));
    }
    out.push_str("```\n");
}

fn stamps(out: &mut String, page: &Page) {
    out.push_str("\n## The way back\n\n| stamp | after | what was said |\n|---|---|---|\n");
    for stamp in Stamp::ALL {
        let (time, says) = words::stamp(&page.account, stamp);
        let _ = writeln!(out, "| {} | {} | {} |", stamp.words(), esc(&time), esc(&says));
    }
}

fn compared(out: &mut String, page: &Page) {
    out.push_str(
        "\n## Planned against actual\n\n| | what | planned | actual |\n|---|---|---|---|\n",
    );
    for row in &page.account.compared {
        let sign = match row.same {
            Some(false) => "**differs**",
            None => "not compared",
            Some(true) => "as planned",
        };
        let or = |text: &Option<Clean>, none: &str| {
            text.as_ref().map_or(none.to_owned(), |text| esc(text.as_str()))
        };
        let (planned, actual) = (or(&row.planned, "not declared"), or(&row.actual, "not known"));
        let _ = writeln!(out, "| {sign} | {} | {planned} | {actual} |", esc(&row.what));
    }
    out.push('\n');
    for (name, value) in words::change(&page.account) {
        let value = value.map_or("not declared".to_owned(), |value| esc(value.as_str()));
        let _ = writeln!(out, "- {name}: {value}");
    }
    for says in &page.account.outside {
        let _ = writeln!(out, "- **changed outside Switchback:** {}", esc(says.as_str()));
    }
}

fn gates(out: &mut String, page: &Page) {
    out.push_str("\n## Gates\n\n| gate | state | seen | line |\n|---|---|---|---|\n");
    for gate in &page.account.gates {
        let mut seen: Vec<String> = gate
            .checks
            .iter()
            .filter(|_| !gate.is_decided() && !gate.is_stale())
            .map(|check| {
                let word = match check.state {
                    CheckState::Good => "good",
                    CheckState::Waiting => "waiting",
                    CheckState::Bad => "BAD",
                    CheckState::Unknown => "unknown",
                    CheckState::NotDeclared => "not judged",
                };
                format!("{word}, {}", esc(&check.says))
            })
            .collect();
        if gate.is_stale() {
            seen.push(esc(&gate.seen()));
        } else if let Some(note) = gate.note() {
            seen.push(note.to_owned());
        }
        let (number, title) = (gate.step.number(), gate.step.title());
        let (state, seq) = (gate.word(), gate.seq);
        let _ = writeln!(out, "| {number} {title} | {state} | {} | {seq} |", seen.join("<br>"));
    }
}
