//! Records as lines of the log: the voice of the screen, of plain mode and of the report.

use super::gate::GateState;
use super::question::BY_YES;
use super::record::{LogLine, Record, Tone};
use super::snapshot::Stamp;
use crate::signal::Verdict;
use crate::units::Millis;

pub use crate::text::micros;

/// The line of a record, if it has one: what only repeats another line has none.
pub fn line(record: &Record, at: Millis) -> Option<LogLine> {
    let (topic, text, tone) = match record {
        Record::Blue { name, .. } => {
            ("router", format!("{name} serves all users: it is Blue in this run"), Tone::Plain)
        }
        Record::Outside { says, .. } => ("outside", says.to_string(), Tone::Warn),
        Record::StepEntered { step } => {
            ("step", format!("{} {}: begun", step.number(), step.title()), Tone::Plain)
        }
        Record::StepPassed { step, took } => (
            "step",
            format!("{} {}: done after {}", step.number(), step.title(), whole(*took)),
            Tone::Good,
        ),
        Record::Gate { step, state, checks } => {
            let (tone, why) = match state {
                GateState::Waiting => return None,
                GateState::Open => (Tone::Good, String::new()),
                GateState::Shut | GateState::Unknown => {
                    let bad = checks.iter().find(|check| {
                        use super::gate::CheckState::{Bad, Unknown};
                        matches!(check.state, Bad | Unknown)
                    });
                    (Tone::Warn, bad.map_or_else(String::new, |c| format!(": {}", c.says)))
                }
            };
            ("gate", format!("{} is {}{why}", step.number(), state.word()), tone)
        }
        Record::Split { asked, read, says, .. } => {
            let tone = if asked == read { Tone::Plain } else { Tone::Warn };
            ("router", says.to_string(), tone)
        }
        Record::Verdict { role, judgement } => {
            let tone = match judgement.verdict {
                Verdict::Tripped | Verdict::Tripping => Tone::Bad,
                Verdict::Stale | Verdict::Unknown | Verdict::Shared => Tone::Warn,
                Verdict::TooFew | Verdict::NotDeclared => return None,
                Verdict::Ok => Tone::Plain,
            };
            let text = judgement.line_on(*role);
            ("limit", text, tone)
        }
        Record::RollbackStarted { why, from } => {
            let from = from.map_or("an unknown split".to_owned(), |p| format!("{p} % on Green"));
            ("back", format!("GOING BACK from {from}: {why}"), Tone::Bad)
        }
        Record::Stamped { stamp, after_us, says } => {
            let tone = match (stamp, after_us) {
                (Stamp::RouterAtBlue | Stamp::UsersInBand, Some(_)) => Tone::Good,
                _ => Tone::Plain,
            };
            ("back", says.to_string(), tone)
        }
        Record::Asked { words, .. } => ("ask", words.to_string(), Tone::Plain),
        Record::Answered { how, .. } => {
            let by = if how.as_str().starts_with(BY_YES) { "" } else { ":" };
            ("ask", format!("answered{by} {how}"), Tone::Plain)
        }
        Record::Command { says, good, .. } => (
            "command",
            says.to_string(),
            if *good == Some(false) { Tone::Bad } else { Tone::Plain },
        ),
        Record::Note(text) => ("note", text.to_string(), Tone::Plain),
        Record::Looked(_) => return None,
        Record::Warning(text) => ("warning", text.to_string(), Tone::Warn),
        Record::Info(text) => ("info", text.to_string(), Tone::Plain),
        Record::Ended { says, exit, .. } => {
            let tone = if matches!(exit, 0 | 3 | 5) { Tone::Good } else { Tone::Bad };
            ("end", format!("{says} (exit {exit})"), tone)
        }
    };
    Some(LogLine { at, topic: topic.to_owned(), text, tone })
}

/// A duration in whole seconds.
fn whole(ms: Millis) -> Millis {
    Millis::secs(ms.as_secs())
}
