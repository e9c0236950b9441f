//! The page: verdict first, then everything that it rests on, in one file.
//!
//! Its content security policy lets nothing in from outside and runs nothing but what is in it:
//! every script and style is named by its digest. Without script all of it can be read but the
//! recording and the raw journal, which lie beside the page.

use super::escape::{self, html as esc};
use super::recording::{self, PLAYER};
use super::{Page, caveats, exercise, first, plots, tables, verdict, words};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The page.
pub fn page(page: &Page) -> String {
    let plays = !page.casts.is_empty();
    let [player, player_style, _] = PLAYER;
    let style = format!("{STYLE}{}", on_paper(page));
    let mut styles = vec![style.as_str()];
    let mut scripts = vec![SCRIPT];
    if plays {
        styles.push(player_style.text);
        scripts.insert(0, player.text);
    }
    let mut out = String::with_capacity(512 * 1024);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n",
        policy(&styles, &scripts),
        esc(&title(page)),
    );
    for style in &styles {
        let _ = writeln!(out, "<style>{style}</style>");
    }
    out.push_str("</head>\n<body>\n");
    body(&mut out, page);
    out.push_str(&recording::data(page));
    let journal = String::from_utf8_lossy(&page.journal);
    let _ = writeln!(
        out,
        "<script type=\"application/json\" id=\"journal-data\">{}</script>",
        escape::json(&journal)
    );
    for script in &scripts {
        let _ = writeln!(out, "<script>{script}</script>");
    }
    out.push_str("</body>\n</html>\n");
    out
}

/// What the browser may run and show: what is named here by its digest, and nothing from a
/// network. The player's terminal is compiled code that lies in the page, hence
/// `wasm-unsafe-eval`.
fn policy(styles: &[&str], scripts: &[&str]) -> String {
    let hashes = |texts: &[&str]| {
        let hash = |text: &&str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
        texts.iter().map(hash).collect::<Vec<_>>().join(" ")
    };
    let wasm = if scripts.len() > 1 { " 'wasm-unsafe-eval'" } else { "" };
    format!(
        "default-src 'none'; style-src {}; script-src {}{wasm}; base-uri 'none'; \
         form-action 'none'",
        hashes(styles),
        hashes(scripts)
    )
}

fn title(page: &Page) -> String {
    let account = &page.account;
    let marking = account.marking.as_ref().map_or_else(String::new, |m| format!("{m} · "));
    format!(
        "{marking}{} · {} · {} · {} · {}",
        verdict::of(account).word,
        account.kind.word(),
        words::what(account),
        account.host,
        account.run
    )
}

/// The running lines of every printed page.
fn on_paper(page: &Page) -> String {
    let account = &page.account;
    let marking = account.marking.as_ref().map_or("", |marking| marking.as_str());
    let run = format!("{} {} on {}", account.kind.word(), account.run, account.host);
    let (marking, run) = (escape::css(marking), escape::css(&run));
    format!(
        "\n@page{{margin:20mm 15mm;\
         @top-center{{content:{marking};font:bold 10pt sans-serif}}\
         @bottom-center{{content:{marking};font:bold 10pt sans-serif}}\
         @bottom-left{{content:{run};font:8pt sans-serif}}\
         @bottom-right{{content:\"page \" counter(page) \" of \" counter(pages);\
         font:8pt sans-serif}}}}\n@page :first{{@top-center{{content:none}}}}\n"
    )
}

fn marking(out: &mut String, page: &Page) {
    if let Some(marking) = &page.account.marking {
        let _ = writeln!(out, "<p class=\"marking\">{}</p>", esc(marking.as_str()));
    }
}

fn body(out: &mut String, page: &Page) {
    let account = &page.account;
    marking(out, page);
    first::screen(out, page);
    out.push_str("<main>\n");
    section(out, "planned", "Planned against actual", &planned(page));
    if let Some(told) = exercise::html(page) {
        section(out, "exercise", "The exercise", &told);
    }
    section(out, "back", "The way back", &back(page));
    out.push_str(&recording::section(page));
    let lead = "<p class=\"quiet\">Every line is one of <code>journal.jsonl</code>, by its \
                number. <em>Run</em> counts from the beginning of the run.</p>";
    section(out, "timeline", "Timeline", &format!("{lead}{}", tables::timeline(page)));
    section(out, "plots", "What was measured", &plotted(page));
    section(out, "gates", "Gates and steps", &gates(page));
    if !page.controls.is_empty() {
        let lead = "<p>This is evidence that an assessor can weigh, and not compliance advice: it \
                    says to which controls something in here is relevant, and what it does not \
                    show. No control is claimed to be satisfied.</p>";
        section(out, "controls", "Controls", &format!("{lead}{}", tables::controls(page)));
    }
    section(out, "limits", "Limits of this evidence", &limits(page));
    section(out, "files", "Files and digests", &files(page));
    section(out, "journal", "The journal", &journal(page));
    out.push_str("</main>\n<footer>");
    let _ = write!(
        out,
        "<p>{} {} on {} · {} · made by switchback {} from the run's own journal. Not compliance \
         advice.</p>",
        account.kind.word(),
        esc(&account.run),
        esc(account.host.as_str()),
        esc(&crate::text::utc(account.began_unix_ms)),
        esc(&account.program),
    );
    if !page.casts.is_empty() {
        out.push_str(&recording::licence());
    }
    out.push_str("</footer>\n");
    marking(out, page);
}

fn section(out: &mut String, id: &str, heading: &str, content: &str) {
    let _ = writeln!(out, "<section id=\"{id}\"><h2>{heading}</h2>{content}</section>");
}

fn planned(page: &Page) -> String {
    let account = &page.account;
    let mut out = tables::compared(page);
    if !account.outside.is_empty() {
        out.push_str("<div class=\"outside\"><h3>Changed outside Switchback</h3><ul>");
        for says in &account.outside {
            let _ = write!(out, "<li>{}</li>", esc(says.as_str()));
        }
        out.push_str("</ul></div>");
    }
    out.push_str("<h3>The change, as declared</h3><dl class=\"change\">");
    for (name, value) in words::change(account) {
        let value = value.map_or_else(
            || format!("<span class=\"missing\">{name} not declared</span>"),
            |value| esc(value.as_str()),
        );
        let _ = write!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    for (name, value) in &account.overrides {
        let (name, value) = (esc(name), esc(value.as_str()));
        let _ = write!(
            out,
            "<div><dt>--{name}</dt><dd>{value} <span class=\"quiet\">(said on the command line, \
             not in the plan)</span></dd></div>"
        );
    }
    let _ = write!(
        out,
        "<div><dt>plan</dt><dd><code>sha256 {}</code></dd></div></dl>",
        esc(&account.plan_sha256)
    );
    out
}

fn back(page: &Page) -> String {
    let account = &page.account;
    let lead = match &account.back {
        None => "The way back was not taken.".to_owned(),
        Some(back) => {
            let from =
                back.from.map_or("an unknown split".to_owned(), |p| format!("{p} % on Green"));
            format!(
                "Taken at {} from {from}: {}",
                esc(&words::utc(account, back.at)),
                esc(back.why.as_str())
            )
        }
    };
    let means = "<p class=\"quiet\">Stamps count from the moment at which the way back was asked \
                 for.</p>";
    format!("<p>{lead}</p>{}{means}", tables::stamps(page))
}

fn plotted(page: &Page) -> String {
    let mut out = String::from(
        "<p class=\"legend\"><span class=\"key-blue\">● Blue, solid line</span> \
         <span class=\"key-green\">▲ Green, dashed line</span> \
         <span class=\"key-probes\">thin and dotted: probes, not users</span> \
         <span>│ a switch of the split</span> <span class=\"key-back\">┃ the way back</span> \
         <span class=\"key-limit\">╌ limit</span> <span class=\"key-trip\">▼ trip</span></p>",
    );
    for plot in plots::all(&page.account) {
        let _ = write!(
            out,
            "<figure><h3>{}</h3><div class=\"scroll\">{}</div><figcaption>{}</figcaption></figure>",
            esc(&plot.title),
            plot.svg,
            esc(&plot.says)
        );
    }
    out
}

fn gates(page: &Page) -> String {
    let lead = "<p class=\"quiet\">A gate opens when everything that it expects is good; what \
                cannot be said opens none. <em>Not judged</em> neither opens nor shuts it.</p>";
    format!("{lead}{}<h3>Steps</h3>{}", tables::gates(page), tables::steps(page))
}

fn limits(page: &Page) -> String {
    let mut out = String::from("<dl class=\"caveats\">");
    for (title, says) in caveats::of(page) {
        let (title, says) = (esc(title), esc(&says));
        let _ = write!(out, "<div><dt>{title}</dt><dd>{says}</dd></div>");
    }
    out + "</dl>"
}

fn files(page: &Page) -> String {
    let lead = "<p>Digests of the bundle's other files, as they were when this page was made. The \
                list that counts is <code>SHA256SUMS</code>, under its signature.</p>";
    format!("{lead}{}", tables::files(page))
}

fn journal(page: &Page) -> String {
    let (lines, head) = &page.account.journal;
    format!(
        "<p>{lines} lines, each with the digest of the line before; the last one's is \
         <code>{}</code>. The same bytes are in <code>journal.jsonl</code> beside this page.</p>\
         <p class=\"screen\" id=\"journal-buttons\" hidden><button type=\"button\" \
         id=\"show-journal\" aria-expanded=\"false\" aria-controls=\"raw-journal\">Show \
         it</button> <a id=\"save-journal\" download=\"journal.jsonl\">Save it</a></p>\
         <pre id=\"raw-journal\" class=\"screen\" tabindex=\"0\" hidden></pre>",
        esc(head)
    )
}
