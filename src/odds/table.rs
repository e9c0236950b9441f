//! The report for a person: a table with small plots, as wide as the terminal.

use super::advice::{Advice, Good};
use super::report::{Report, clock};
use super::tally::{COLUMNS, Share, Tally};
use std::fmt::Write;

/// The widths that a table is made for: narrower terminals wrap it, wider ones leave room.
pub const WIDTHS: (usize, usize) = (80, 120);

/// The report, `width` columns wide (80 at least), in ASCII where that is asked for.
pub fn table(report: &Report, width: usize, ascii: bool) -> String {
    let width = width.clamp(WIDTHS.0, WIDTHS.1);
    let mut table = Table { out: String::new(), bar: 8 + (width - WIDTHS.0) * 3 / 5, width, ascii };
    table.head(report);
    table.bad(report);
    table.good(report);
    table.shared(report);
    table.night(report);
    table.words(
        "Users hurt: until the release is sent back, or for an hour from its onset. Held: noticed \
         that both slots suffer. Asks: left to a person. What each kind does: --help.",
    );
    table.line("");
    table.advice(report);
    if !report.notes.is_empty() {
        table.line("");
    }
    for note in &report.notes {
        table.words(&format!("note: {note}"));
    }
    table.out
}

struct Table {
    out: String,
    bar: usize,
    width: usize,
    ascii: bool,
}

impl Table {
    /// A line; it never ends in blanks.
    fn line(&mut self, text: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.out, "{}", text.trim_end());
    }

    /// Words in as many lines as they need.
    fn words(&mut self, text: &str) {
        let mut line = String::new();
        let text = if self.ascii { text.replace('±', "+-") } else { text.to_owned() };
        for word in text.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > self.width {
                self.line(&std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(&line);
    }

    fn head(&mut self, report: &Report) {
        let Report { service, rps, rps_from, p95_ms, p95_from, seed, releases, .. } = report;
        self.words(&format!(
            "{service} at {} requests a second ({rps_from}), p95 {p95_ms:.0} ms ({p95_from}). \
             {releases} releases, seed {seed}; {} from the soak to the end of the watch.",
            number(*rps),
            clock(report.deploy_s as f64),
        ));
        for warning in &report.warnings {
            self.words(&format!("warning: {warning}"));
        }
        self.line("");
    }

    fn bad(&mut self, report: &Report) {
        let bar = self.bar;
        let (later, share) = (if self.ascii { "10s.." } else { "10s…" }, bar + 6);
        self.line(&format!(
            "{:<16} {:<share$} {:>13} {later:<COLUMNS$} {:>13} {:>5} {:>5}",
            "to send back", "sent back", "back after", "users hurt", "kept", "asks"
        ));
        self.line(&format!(
            "{:<16} {:<bar$} {:>5} {:>6} {:>6} {:<COLUMNS$} {:>6} {:>6}",
            "", "", "", "median", "95 %", "", "median", "95 %"
        ));
        for tally in &report.bad {
            let (median, p95) = tally
                .delay_s
                .map_or(("-".into(), "-".into()), |delay| (clock(delay.median), clock(delay.p95)));
            let (hurt, most) = tally
                .users_hurt
                .map_or((String::new(), String::new()), |h| (count(h.median), count(h.p95)));
            self.line(&format!(
                "{:<16} {} {:>5} {median:>6} {p95:>6} {} {hurt:>6} {most:>6} {:>5} {:>5}",
                tally.kind,
                self.plot(tally.back.percent),
                percent(tally.back),
                self.spark(&tally.delays),
                percent(tally.kept),
                percent(tally.asks),
            ));
        }
        self.line(&format!("{:<16} {:<bar$} {:>5}", "of all", "", percent(report.found)));
        self.line("");
    }

    /// A name, a bar of what was sent back, its interval, and more in percent.
    fn row(&mut self, name: &str, tally: &Tally, more: [Share; 2]) {
        let [low, high] = tally.back.interval;
        self.line(&format!(
            "{name:<27} {} {:>5}  {:>15} {:>6} {:>6}",
            self.plot(tally.back.percent),
            percent(tally.back),
            format!("{low:.1} to {high:.1} %"),
            percent(more[0]),
            percent(more[1]),
        ));
    }

    fn heading(&mut self, name: &str, more: [&str; 2]) {
        let share = self.bar + 6;
        let [one, two] = more;
        self.line(&format!(
            "{name:<27} {:<share$}  {:>15} {one:>6} {two:>6}",
            "sent back", "95 % sure"
        ));
    }

    fn good(&mut self, report: &Report) {
        self.heading("to keep", ["kept", "asks"]);
        for tally in &report.good {
            self.row(tally.kind, tally, [tally.kept, tally.asks]);
        }
        let [low, high] = report.sent_back.interval;
        let bar = self.bar;
        let between = format!("{low:.1} to {high:.1} %");
        let all = percent(report.sent_back);
        self.line(&format!("{:<27} {:<bar$} {all:>5}  {between:>15}", "of all", ""));
        self.line("");
    }

    fn shared(&mut self, report: &Report) {
        self.heading("both slots suffer", ["held", "asks"]);
        for tally in &report.shared {
            self.row(tally.kind, tally, [tally.held, tally.asks]);
        }
        self.line("");
    }

    fn night(&mut self, report: &Report) {
        self.heading("at night", ["kept", "asks"]);
        for tally in &report.night {
            let name = format!("{}, {} rps", tally.kind, number(tally.rps));
            self.row(&name, tally, [tally.kept, tally.asks]);
        }
        self.line("");
    }

    fn advice(&mut self, report: &Report) {
        let tried = report.changes;
        let Some(advice) = &report.advice else {
            return self.words(&format!(
                "What would help most: none. A deploy costs {:.2} seconds of all users now (as if \
                 everybody had been failed for so long), and of {tried} changes of one line none \
                 is for certain worth its while{}.",
                report.cost_s,
                report.nearest.as_ref().map_or(String::new(), |nearest| {
                    let line = nearest.change.toml().join(" ");
                    format!(
                        "; the nearest, {line}, saves {:.2} ± {:.2} of them",
                        nearest.saves_s, nearest.within_s
                    )
                })
            ));
        };
        self.line(&format!("What would help most, of {tried} changes of one line:"));
        self.line("");
        for line in advice.change.toml() {
            self.line(&format!("  {line}"));
        }
        self.line("");
        self.words(&said(advice));
    }

    fn plot(&self, share: f64) -> String {
        let eighths = libm::round(share / 100.0 * (self.bar * 8) as f64) as usize;
        // What is not nothing is never drawn as nothing.
        let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
        let (full, rest) = (eighths / 8, eighths % 8);
        let bar = self.bar;
        if self.ascii {
            let full = (eighths + 4) / 8;
            let bars = "#".repeat(full.max(usize::from(share > 0.0)));
            return format!("{bars:.<bar$}");
        }
        let mut text = "█".repeat(full);
        if rest > 0 {
            text.push(['▏', '▎', '▍', '▌', '▋', '▊', '▉'][rest - 1]);
        }
        format!("{text:<bar$}")
    }

    /// How late: each column is twice as late as the one before.
    fn spark(&self, delays: &[u64; COLUMNS]) -> String {
        let most = delays.iter().copied().max().unwrap_or(0).max(1);
        let (levels, nothing): (&[char], char) = if self.ascii {
            (&['.', ':', '-', '=', '+', '*', '#', '@'], ' ')
        } else {
            (&['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'], ' ')
        };
        let level = |n: u64| levels[((n * 8).div_ceil(most) as usize).clamp(1, 8) - 1];
        delays.iter().map(|n| if *n == 0 { nothing } else { level(*n) }).collect()
    }
}

fn said(advice: &Advice) -> String {
    let Advice { change, effect, users_saved, minutes_longer, .. } = advice;
    let difference = effect.then - effect.now;
    let what = match effect.figure {
        "sent_back_percent" => format!(
            "it sends {:.0} % of \"{}\" back instead of {:.0} % ({difference:+.0} ± {:.0})",
            effect.then, effect.kind, effect.now, effect.within
        ),
        "asks_percent" => format!(
            "a person is asked about {:.0} % of \"{}\" instead of {:.0} % \
             ({difference:+.0} ± {:.0})",
            effect.then, effect.kind, effect.now, effect.within
        ),
        _ => format!(
            "\"{}\" hurts {} users instead of {} ({difference:+.1} ± {:.1})",
            effect.kind,
            count(effect.then),
            count(effect.now),
            effect.within
        ),
    };
    let users = match *users_saved {
        saved if saved >= 0.05 => format!(", hurts {saved:.1} users less a deploy"),
        saved if saved <= -0.05 => format!(", hurts {:.1} users more a deploy", -saved),
        _ => String::new(),
    };
    let time = match libm::round(*minutes_longer * 10.0) / 10.0 {
        longer if longer > 0.0 => format!(", costs {} min a deploy", number(longer)),
        longer if longer < 0.0 => format!(", saves {} min a deploy", number(-longer)),
        _ => String::new(),
    };
    let now = if change.is_probe() {
        "There is no [[probe]] now; one is taken to touch half of what users touch.".to_owned()
    } else {
        format!("It says {} now.", change.was)
    };
    format!(
        "{now} With the change {what}{users}{time}. Of good releases it sends {} back and asks a \
         person about {}. A deploy costs its users now as if everybody had been failed for {:.2} \
         seconds, and {:.2} ± {:.2} less then ({} releases, see --help).",
        good(&advice.good_sent_back),
        good(&advice.good_asks),
        advice.cost_s,
        advice.saves_s,
        advice.within_s,
        advice.flights
    )
}

/// What a change does to good releases.
fn good(Good { now, then, within }: &Good) -> String {
    format!("{then:.1} % instead of {now:.1} % ({:+.1} ± {within:.1})", then - now)
}

/// A share as five characters at most, and never as nothing where it is something.
fn percent(share: Share) -> String {
    match share.percent {
        p if share.count == share.of || share.count == 0 => format!("{p:.0} %"),
        p if p < 10.0 => format!("{p:.1}%"),
        p => format!("{p:.0} %"),
    }
}

/// A count in at most six characters.
fn count(n: f64) -> String {
    match n {
        n if n >= 9_999.5 => format!("{:.0}k", n / 1_000.0),
        n if n >= 10.0 || n == libm::round(n) => format!("{n:.0}"),
        n => format!("{n:.1}"),
    }
}

/// A number with as many decimals as it needs, at most two.
fn number(n: f64) -> String {
    // What is not nothing is never told as nothing.
    if n != 0.0 && n.abs() < 0.01 {
        let whole = n.to_string();
        return if whole.len() <= 8 { whole } else { format!("{n:e}") };
    }
    let text = format!("{n:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}
