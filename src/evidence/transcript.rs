//! The transcript: what the screen showed at each mark, as plain text.
//!
//! For whoever has no player, for `grep`, and for those who read with their ears. It is derived
//! from the recordings alone, by playing them through a terminal. What happened between two marks
//! is not in it.

use super::cast::{self, Cast};
use super::scan::{rows_of, terminal};
use std::fmt::Write as _;

/// The screen at each mark of these recordings: their files' names, and their bytes. What cannot
/// be read is said in its place.
pub fn text(casts: &[(String, Vec<u8>)]) -> String {
    let mut out = String::from(
        "What the screen showed at each mark: seconds into the recording, the journal's line, and\n\
         the screen as text. Derived from the recording; colours are left out.\n",
    );
    for (file, bytes) in casts {
        let _ = writeln!(out, "\n==== {file}");
        match cast::read(bytes) {
            Ok(cast) => of(&cast, &mut out),
            Err(why) => {
                let _ = writeln!(out, "This recording cannot be read: {why}");
            }
        }
    }
    out
}

fn of(cast: &Cast, out: &mut String) {
    let header = &cast.header;
    let _ = writeln!(out, "{}", header.title);
    let began = crate::text::utc(header.timestamp.saturating_mul(1_000));
    let _ = writeln!(out, "{}x{}, begun {began}", header.width, header.height);
    if cast.torn > 0 {
        let _ = writeln!(out, "Its last line was not written to its end ({} bytes).", cast.torn);
    }
    let mut seen = terminal((header.width, header.height));
    for event in &cast.events {
        match event.code.as_str() {
            cast::OUTPUT => seen.process(event.data.as_bytes()),
            cast::RESIZE => {
                if let Some(size) = cast::size_of(&event.data) {
                    seen = terminal(size);
                }
            }
            cast::MARKER => {
                let _ = writeln!(out, "\n---- {:.3} s  {}", event.t, event.data);
                screen(seen.screen(), out);
            }
            _ => {}
        }
    }
    let _ = writeln!(out, "\n---- {:.3} s  the end", cast.seconds());
    screen(seen.screen(), out);
}

/// The rows, without empty ones at the end.
fn screen(screen: &vt100::Screen, out: &mut String) {
    let rows = rows_of(screen);
    let end = rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1);
    for row in &rows[..end] {
        out.push_str(row);
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_screen_is_told_at_each_mark_and_at_the_end() {
        let mut cast = cast::Header {
            version: 2,
            width: 20,
            height: 4,
            timestamp: 1_795_443_727,
            title: "DRILL notes on vps-1, run r-7f3a".to_owned(),
            env: Default::default(),
        }
        .line();
        let ms = Duration::from_millis;
        cast += &cast::line(ms(3_000), cast::OUTPUT, "\u{1b}[2J\u{1b}[2;3H● STEP 1   ");
        cast += &cast::line(ms(3_100), cast::MARKER, "#2 step.entered 1");
        cast += &cast::line(ms(4_000), cast::OUTPUT, "\u{1b}[2;10H2");
        let text =
            text(&[("session.cast".to_owned(), cast.into_bytes()), ("b".to_owned(), vec![])]);
        assert!(
            text.contains("==== session.cast\nDRILL notes on vps-1, run r-7f3a\n20x4"),
            "{text}"
        );
        assert!(text.contains("---- 3.100 s  #2 step.entered 1\n\n  ● STEP 1\n\n"), "{text}");
        assert!(text.contains("---- 4.000 s  the end\n\n  ● STEP 2\n"), "{text}");
        assert!(text.contains("==== b\nThis recording cannot be read"), "{text}");
        assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
    }
}
