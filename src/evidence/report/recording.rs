//! The recording in the page: the player that is shipped with the program, and the casts.
//!
//! A page without a recording holds no player. Casts are embedded as base64, which no markup can
//! obey, and are given to the player as text: nothing is fetched from anywhere.

use super::super::account::Moment;
use super::{Page, escape};
use crate::text::count;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

/// A file of somebody else's that is part of the page.
#[derive(Debug, Clone, Copy)]
pub struct PlayerFile {
    /// Its name as it was published.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// The player: its program, its style and its licence.
pub const PLAYER: [PlayerFile; 3] = [
    PlayerFile {
        name: "asciinema-player.min.js",
        text: include_str!("player/asciinema-player.min.js"),
    },
    PlayerFile { name: "asciinema-player.css", text: include_str!("player/asciinema-player.css") },
    PlayerFile { name: "LICENSE", text: include_str!("player/LICENSE") },
];

/// The place of a moment in the casts that the page holds: which one, and at which second.
pub fn place(page: &Page, moment: &Moment) -> Option<(usize, f64)> {
    let (recording, second) = moment.cast?;
    let file = &page.account.recordings.get(recording)?.file;
    let index = page.casts.iter().position(|(name, _)| name == file)?;
    Some((index, second))
}

/// A second of a recording, as it is written and sought.
pub fn second(second: f64) -> String {
    let text = format!("{second:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() { "0".to_owned() } else { text.to_owned() }
}

/// A second of a recording, as a person reads it: `4:07.2`.
pub fn shown(second: f64) -> String {
    let tenths = (second * 10.0).floor().max(0.0) as u64;
    format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

/// Where a picture is shown before anything is played: the way back, else the last mark.
fn poster(page: &Page, index: usize) -> f64 {
    let mut marks: Vec<(u64, f64)> = Vec::new();
    for moment in &page.account.timeline {
        if let Some((of, second)) = place(page, moment)
            && of == index
        {
            let back = moment.text.starts_with("GOING BACK");
            marks.push((u64::from(back), second));
        }
    }
    marks.iter().max_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))).map_or(0.0, |mark| mark.1)
}

/// The section with the player.
pub fn section(page: &Page) -> String {
    let mut out = String::from("<section id=\"recording\"><h2>Recording</h2>");
    for recording in &page.account.recordings {
        let file = escape::html(&recording.file);
        let (columns, rows) = recording.size;
        let closed = recording.closed.as_ref().map_or_else(
            || "not closed: its end may be missing".to_owned(),
            |closed| {
                let frames = count(closed.frames, "frame");
                format!("{frames}, {}, {} bytes", shown(closed.seconds), closed.bytes)
            },
        );
        let lost = recording.lost.as_ref().map_or_else(String::new, |lost| {
            let why = escape::html(lost.why.as_str());
            format!("; lost after {} s: {why}", second(lost.after_s))
        });
        let embedded = page.casts.iter().any(|(name, _)| *name == recording.file);
        let here = if embedded { "" } else { "; not in this page" };
        let _ = write!(
            out,
            "<p class=\"quiet\"><code>{file}</code>: {columns} × {rows}, {closed}{lost}{here}.</p>"
        );
    }
    if page.casts.is_empty() {
        out.push_str(
            "<p>There is no recording in this page. The timeline and the journal stand \
                      alone.</p></section>",
        );
        return out;
    }
    out.push_str(
        "<noscript><p>The player needs script. <code>asciinema play session.cast</code> plays the \
         same recording in a terminal, and <code>transcript.txt</code> has its screens as \
         text.</p></noscript>\
         <p class=\"paper\">The recording cannot be printed. It is in the bundle; \
         <code>transcript.txt</code> has its screens as text.</p><div class=\"player-box\">",
    );
    if page.casts.len() > 1 {
        out.push_str("<p><label for=\"which\">Recording</label> <select id=\"which\">");
        for (index, (name, _)) in page.casts.iter().enumerate() {
            let name = escape::html(name);
            let _ = write!(out, "<option value=\"{index}\">{name}</option>");
        }
        out.push_str("</select></p>");
    }
    out.push_str(
        "<div id=\"player\"></div><p id=\"shown\" class=\"quiet\" aria-live=\"polite\">A time in \
         the timeline's column <em>cast</em> shows that moment here.</p></div></section>",
    );
    out
}

/// The casts, as data of the page.
pub fn data(page: &Page) -> String {
    let mut out = String::new();
    for (index, (_, bytes)) in page.casts.iter().enumerate() {
        let poster = second(poster(page, index));
        let _ = write!(
            out,
            "<script type=\"text/plain\" id=\"cast-{index}\" data-poster=\"{poster}\">{}</script>",
            STANDARD.encode(bytes)
        );
    }
    out
}

/// Whose work the player is, and under which terms.
pub fn licence() -> String {
    let [.., licence] = PLAYER;
    format!(
        "<details class=\"screen\"><summary>The player's licence</summary><p>The recording is \
         played by asciinema-player 3.18.0, copyright Marcin Kulik, unchanged, under the Apache \
         License, version 2.0.</p><pre>{}</pre></details>",
        licence.text.lines().map(escape::html).collect::<Vec<_>>().join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_sought_as_they_are_written() {
        for (value, text, read) in
            [(0.0, "0", "0:00.0"), (12.5, "12.5", "0:12.5"), (247.25, "247.25", "4:07.2")]
        {
            assert_eq!(second(value), text);
            assert_eq!(shown(value), read);
        }
        assert_eq!(second(100.0), "100");
    }
}
