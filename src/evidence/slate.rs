//! Slates: what stands before and after the picture, as on a film.
//!
//! The opening one says what is recorded: kind, service, host, run, the whole digest of the plan,
//! who signed, and what the clock goes by. The closing one says how it ended, and where the journal
//! stood. They are in the recording alone, never on the operator's terminal, and they are plain
//! text of at most 60 columns and 16 rows, so that every screen shows all of them.
//!
//! The opening slate stands for [`OPENING`]: everything after it is that much later in the
//! recording than it was.

use crate::clean::Clean;
use crate::journal::{ClockState, Signer};
use crate::runbook::{Kind, RunOutcome};
use crate::text;
use unicode_width::UnicodeWidthStr;

/// How long the opening slate stands: all later times of a recording are shifted by it.
pub const OPENING: std::time::Duration = std::time::Duration::from_secs(3);
/// How long after the last frame the closing slate comes.
pub const CLOSING: std::time::Duration = std::time::Duration::from_secs(1);

/// What ends a slate: an empty screen, in which frames or lines begin.
pub(super) const END: &str = "\u{1b}[0m\u{1b}[2J\u{1b}[1;1H";

/// The most columns of a slate.
const WIDTH: usize = 60;
/// The most rows.
const HEIGHT: usize = 16;

/// What the opening slate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// What kind of run.
    pub kind: Kind,
    /// Of which service.
    pub service: Clean,
    /// Flown from which host.
    pub host: Clean,
    /// Which run.
    pub run: String,
    /// SHA-256 of the plan's bytes, in hex.
    pub plan_sha256: String,
    /// Who signed plan and release before the first change; nobody, if nobody did.
    pub signed: Option<Signer>,
    /// What this host's clock goes by.
    pub clock: ClockState,
    /// The marking line, if the plan declares one.
    pub marking: Option<Clean>,
    /// When the recording began, in milliseconds since 1970.
    pub unix_ms: i64,
}

/// What the closing slate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// How the run ended.
    pub outcome: RunOutcome,
    /// The exit code.
    pub exit: u8,
    /// In a sentence.
    pub says: Clean,
    /// Lines of the journal so far and the digest of the last; nothing if the disk did not answer.
    pub head: Option<(u64, String)>,
}

impl Opening {
    /// The slate as it is written to a terminal.
    pub fn screen(&self) -> String {
        let mut lines = Vec::new();
        lines.extend(self.marking.as_ref().map(|marking| cut(marking.as_str(), WIDTH)));
        lines.push(cut(&format!("{} {}", self.kind.word(), self.service), WIDTH));
        lines.push(cut(&format!("on    {}", self.host), WIDTH));
        lines.push(cut(&format!("run   {}", self.run), WIDTH));
        lines.push(format!("time  {}", text::utc(self.unix_ms)));
        lines.push(format!("clock {}", self.clock.words()));
        lines.push("plan  SHA-256".to_owned());
        lines.extend(digest(&self.plan_sha256));
        match &self.signed {
            Some(signer) => {
                lines.push(cut(&format!("signed by {}", signer.identity), WIDTH));
                lines.push(cut(&signer.fingerprint, WIDTH));
            }
            None => lines.push("unsigned: nobody signed plan and release".to_owned()),
        }
        lines.push(String::new());
        lines.push("Recorded by Switchback, which drew what follows.".to_owned());
        paint(&lines)
    }
}

impl Closing {
    /// The slate as it is written to a terminal.
    pub fn screen(&self) -> String {
        let mut lines = vec![format!("END: {} (exit {})", self.outcome.word(), self.exit)];
        lines.extend(wrap(self.says.as_str(), 4));
        match &self.head {
            Some((count, head)) => {
                lines.push(format!("journal: {count} lines so far, head SHA-256"));
                lines.extend(digest(head));
            }
            None => lines.push("journal: its head was not known in time".to_owned()),
        }
        lines.push(String::new());
        lines.push("What this recording cannot show:".to_owned());
        for limit in [
            "- what was not drawn: keys, other windows, other people",
            "- that its clock was right",
            "- that it is the only one: the journal names it, and the",
            "  signature over the bundle speaks for both",
        ] {
            lines.push(limit.to_owned());
        }
        paint(&lines)
    }
}

/// A digest in two halves.
fn digest(hex: &str) -> Vec<String> {
    hex.as_bytes().chunks(32).map(|half| format!("  {}", String::from_utf8_lossy(half))).collect()
}

/// Cuts to so many columns; what is cut is seen to be.
fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + c.to_string().width() + 1 > columns {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// A sentence in at most so many rows.
fn wrap(text: &str, rows: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let full = lines.len() == rows;
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            Some(line) if full => {
                *line = format!("{}…", cut(line, WIDTH - 1).trim_end_matches('…'));
                break;
            }
            _ => lines.push(cut(word, WIDTH)),
        }
    }
    lines
}

fn paint(lines: &[String]) -> String {
    let lines = &lines[..lines.len().min(HEIGHT)];
    format!("\u{1b}[0m\u{1b}[?25l\u{1b}[2J\u{1b}[1;1H{}", lines.join("\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening() -> Opening {
        Opening {
            kind: Kind::Deploy,
            service: "notes ".repeat(30).as_str().into(),
            host: "vps-1".into(),
            run: "20261123T140707Z-7f3a".to_owned(),
            plan_sha256: "9c41e2d0".repeat(8),
            signed: Some(Signer {
                identity: "op@example.org".into(),
                fingerprint: format!("SHA256:{}", "x".repeat(43)),
                key: "ecdsa-sha2-nistp256".to_owned(),
            }),
            clock: ClockState::Synchronised,
            marking: Some("CUI".into()),
            unix_ms: 1_795_443_727_000,
        }
    }

    fn shown(screen: &str) -> String {
        let mut terminal = vt100::Parser::new(16.try_into().unwrap(), 60.try_into().unwrap(), 0);
        terminal.process(screen.as_bytes());
        terminal.screen().contents()
    }

    #[test]
    fn the_smallest_screen_shows_all_of_the_opening_slate() {
        let slate = opening();
        let seen = shown(&slate.screen());
        let half = "9c41e2d0".repeat(4);
        for words in ["CUI", "DEPLOY notes", "vps-1", "20261123T140707Z-7f3a", &half, "op@example"]
        {
            assert!(seen.contains(words), "{words}:\n{seen}");
        }
        assert!(seen.contains(&slate.signed.as_ref().unwrap().fingerprint), "{seen}");
        assert!(
            seen.contains("synchronised") && seen.contains("2026-11-23 14:22:07 UTC"),
            "{seen}"
        );
        assert_eq!(seen.matches(&half).count(), 2, "the whole digest:\n{seen}");
        let unsigned = Opening { signed: None, ..opening() };
        assert!(shown(&unsigned.screen()).contains("unsigned"));
    }

    #[test]
    fn the_smallest_screen_shows_all_of_the_closing_slate() {
        let closing = Closing {
            outcome: RunOutcome::RolledBack,
            exit: 3,
            says: "a very long sentence about how it went ".repeat(12).as_str().into(),
            head: Some((1_234, "ab".repeat(32))),
        };
        let seen = shown(&closing.screen());
        for words in ["(exit 3)", "1234 lines", &"ab".repeat(16), "speaks for both", "…"] {
            assert!(seen.contains(words), "{words}:\n{seen}");
        }
        let unknown = Closing { head: None, ..closing };
        assert!(shown(&unknown.screen()).contains("not known in time"));
    }
}
