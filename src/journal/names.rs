//! What a record is called: the `type` of a line, for people and for `grep`.
//!
//! The name follows from the record and carries nothing that the record does not; reading goes by
//! the record.

use super::entry::Entry;
use crate::runbook::{Act, Effect, Event, Record};

impl Entry {
    /// The name of its type.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Opened(_) => "run.opened",
            Self::Resumed(_) => "run.resumed",
            Self::Samples(_) => "samples.digest",
            Self::Lost(_) => "journal.lost",
            Self::Noted(noted) => noted.name(),
            Self::Closed(_) => "run.closed",
            Self::Input { event, .. } => event_name(event),
            Self::Effect { effect, .. } => effect_name(effect),
        }
    }
}

const fn event_name(event: &Event) -> &'static str {
    match event {
        Event::Begin => "input.begin",
        Event::Resumed { .. } => "input.resumed",
        Event::Command(_) => "input.command",
        Event::Autopilot(_) => "input.autopilot",
        Event::Sample(_) => "input.sample",
        Event::Read(_) => "input.read",
        Event::Done { .. } => "input.done",
        Event::Seen { .. } => "input.seen",
        Event::JournalFailed(_) => "input.journal_failed",
        Event::Caution(_) => "input.caution",
        Event::JournalRecovered { .. } => "input.journal_recovered",
        Event::Due => "input.due",
    }
}

const fn effect_name(effect: &Effect) -> &'static str {
    match effect {
        Effect::Record(record) => record_name(record),
        Effect::Act { act, .. } => match act {
            Act::ReadRouter => "effect.act.read_router",
            Act::SetRouter { .. } => "effect.act.set_router",
            Act::PersistRouter => "effect.act.persist_router",
            Act::Run { .. } => "effect.act.run",
            Act::Capture { .. } => "effect.act.capture",
            Act::Chase { .. } => "effect.act.chase",
        },
        Effect::Cancel(_) => "effect.cancel",
        Effect::Observe(_) => "effect.observe",
        Effect::Finish(_) => "effect.finish",
    }
}

const fn record_name(record: &Record) -> &'static str {
    match record {
        Record::Blue { .. } => "blue.fixed",
        Record::Outside { .. } => "outside.changed",
        Record::StepEntered { .. } => "step.entered",
        Record::StepPassed { .. } => "step.passed",
        Record::Gate { .. } => "gate",
        Record::Split { .. } => "split",
        Record::Verdict { .. } => "verdict",
        Record::RollbackStarted { .. } => "rollback.started",
        Record::Stamped { .. } => "stamp",
        Record::Asked { .. } => "question.asked",
        Record::Answered { .. } => "question.answered",
        Record::Command { .. } => "command",
        Record::Note(_) => "note",
        Record::Looked(_) => "look",
        Record::Warning(_) => "warning",
        Record::Info(_) => "info",
        Record::Ended { .. } => "run.ended",
    }
}
