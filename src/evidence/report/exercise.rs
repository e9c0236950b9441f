//! What a drill was an exercise of: criteria that stood before it, measures against them, what the
//! operator said first, what follows. Only a drill that was debriefed has it.

use super::super::exercise::{Exercise, Point};
use super::Page;
use super::escape::html as esc;
use super::escape::markdown as md;
use crate::clean::Clean;
use crate::text::clock;
use std::fmt::Write;

/// The section's content; nothing where there is no exercise.
pub fn html(page: &Page) -> Option<String> {
    let told = page.account.exercise.as_ref()?;
    let mut out = format!(
        "<p><strong>{}</strong></p><p>{}</p><p class=\"quiet\">The points are the program's own \
         word: they rest on what its lab knew to be true, which the journal does not carry.</p>\
         <dl class=\"change\">",
        esc(told.result.as_str()),
        esc(&told.limits),
    );
    for (name, value) in facts(told) {
        let _ = write!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", esc(&value));
    }
    out.push_str("</dl>");
    table(
        &mut out,
        "Measures against criteria",
        &["Measure", "Criterion", "Measured", "Why"],
        told.measures.iter().map(|m| {
            [&m.what, &m.criterion, &m.measured, &m.says].map(|text| text.as_str().to_owned())
        }),
    );
    table(
        &mut out,
        "What was true, and what was done",
        &["Run", "In the lab", "The operator"],
        told.timeline.iter().map(|point: &Point| {
            let what = point.what.as_str().to_owned();
            let [lab, did] =
                if point.true_in_lab { [what, String::new()] } else { [String::new(), what] };
            [clock(point.at), lab, did]
        }),
    );
    list(&mut out, "The operator's own account, before anything was shown", accounts(told));
    list(&mut out, "Observations", told.observations.iter().map(text).collect());
    list(&mut out, "Where the runbook was not kept", told.deviations.iter().map(text).collect());
    list(&mut out, "Corrective actions", actions(told));
    Some(out)
}

/// The same for a pull request; empty where there is no exercise.
pub fn markdown(out: &mut String, page: &Page) {
    let Some(told) = page.account.exercise.as_ref() else { return };
    let _ = writeln!(out, "\n## The exercise\n\n**{}**\n", md(told.result.as_str()));
    for (name, value) in facts(told) {
        let _ = writeln!(out, "- {name}: {}", md(&value));
    }
    out.push_str("\n| measure | criterion | measured |\n|---|---|---|\n");
    for measure in &told.measures {
        let [what, criterion, measured] =
            [&measure.what, &measure.criterion, &measure.measured].map(|text| md(text.as_str()));
        let _ = writeln!(out, "| {what} | {criterion} | {measured} |");
    }
    out.push('\n');
    for action in actions(told) {
        let _ = writeln!(out, "- to do: {}", md(&action));
    }
    let _ = writeln!(out, "\n{}", md(&told.limits));
}

fn text(clean: &Clean) -> String {
    clean.as_str().to_owned()
}

fn facts(told: &Exercise) -> Vec<(&'static str, String)> {
    let scenario = &told.scenario;
    let or = |text: &Option<Clean>, none: &str| text.as_ref().map_or(none.to_owned(), self::text);
    let families: Vec<&str> = scenario.families.iter().map(Clean::as_str).collect();
    let blind = if scenario.blind { ", blind: the operator knew a codename" } else { "" };
    let spoiled = if scenario.spoiled { "; its answer had been seen before" } else { "" };
    let review = &told.review;
    let reviewer = match (&review.reviewer, review.by_the_operator) {
        (None, _) => "nobody yet".to_owned(),
        (Some(who), true) => format!("{who}, who flew it: nobody else has looked"),
        (Some(who), false) => who.as_str().to_owned(),
    };
    let day = review.at.as_ref().map_or_else(String::new, |at| format!(", on {at}"));
    let mut facts = vec![
        ("type", told.what.clone()),
        (
            "scenario",
            format!(
                "{} ({}), level {}, seed {}{blind}",
                scenario.title, scenario.id, scenario.level, scenario.seed
            ),
        ),
        ("its file", format!("sha256 {}", scenario.sha256)),
        ("on the record", format!("{}{spoiled}", scenario.standing)),
        ("trains", families.join(", ")),
        ("objective", text(&told.objective)),
        ("passes with", text(&told.pass)),
        ("what went wrong", text(&scenario.cause)),
        ("operator", or(&told.operator, "not known")),
        ("reviewed by", format!("{reviewer}{day}")),
        ("due again", or(&told.next_due, "not known")),
    ];
    for (title, address) in &scenario.sources {
        facts.push(("modelled on", format!("{title} ({address})")));
    }
    if let Some(line) = &told.history {
        let says = format!("line sha256 {}, the one before it {}", line.sha256, line.previous);
        facts.push(("history of drills", says));
    }
    facts
}

fn accounts(told: &Exercise) -> Vec<String> {
    let said = |said: &Clean| if said.is_empty() { "not said".to_owned() } else { text(said) };
    told.account.iter().map(|pair| format!("{} {}", pair.asked, said(&pair.said))).collect()
}

fn actions(told: &Exercise) -> Vec<String> {
    let action = |action: &super::super::exercise::Action| {
        let or = |text: &Option<Clean>| text.as_ref().map_or("not set".to_owned(), self::text);
        let when = match &action.closed_on {
            Some(day) => format!("closed on {day}"),
            None => format!("open, due {}", or(&action.due)),
        };
        format!(
            "{} Owner: {}; {when}; {}",
            action.text,
            action.owner.as_ref().map_or("not known", Clean::as_str),
            action.evidence
        )
    };
    told.corrective_actions.iter().map(action).collect()
}

fn table<const N: usize>(
    out: &mut String,
    caption: &str,
    heads: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    super::tables::open(out, "exercise", caption, heads);
    for row in rows {
        out.push_str("<tr>");
        for (place, cell) in row.iter().enumerate() {
            let cell = esc(cell);
            let _ = match place {
                0 => write!(out, "<th scope=\"row\">{cell}</th>"),
                _ => write!(out, "<td>{cell}</td>"),
            };
        }
        out.push_str("</tr>");
    }
    out.push_str(super::tables::CLOSE);
}

fn list(out: &mut String, title: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    let _ = write!(out, "<h3>{title}</h3><ul>");
    for line in lines {
        let _ = write!(out, "<li>{}</li>", esc(&line));
    }
    out.push_str("</ul>");
}
