//! Seven simple ways to fly, which the catalogue must tell apart: who knows the answer, who never
//! goes back, who goes back at the first red second, who does what the limits say, who abandons
//! whatever comes, who waits for nothing, and who opens everything at step 1 and then abandons.
//!
//! They are the deck's regression test and no opponents. Only the [`Oracle`] is ever given an
//! answer; the others are [`Pilot`]s and see a [`Sight`].

mod oracle;
mod simple;

use super::fly::{Pilot, Sight};
use super::score::Sureness;
use super::tape::Tape;
use crate::runbook::{Answer, Command};
use crate::signal::Verdict;
use serde::{Deserialize, Serialize};
use std::fmt;

pub use oracle::Oracle;
pub use simple::{AlwaysAbort, Never, PreparedAbort, Rusher, ThresholdOnly, Twitch};

/// One of the seven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bot {
    /// Reads the answer.
    Oracle,
    /// Presses what is routine and never goes back.
    Never,
    /// Goes back at the first red second.
    Twitch,
    /// Does what the limits say.
    ThresholdOnly,
    /// Abandons whatever comes.
    AlwaysAbort,
    /// Waits for nothing.
    Rusher,
    /// Opens everything that step 1 has, and abandons whatever it says.
    PreparedAbort,
}

impl Bot {
    /// All seven, the oracle first.
    pub const ALL: [Self; 7] = [
        Self::Oracle,
        Self::Never,
        Self::Twitch,
        Self::ThresholdOnly,
        Self::AlwaysAbort,
        Self::Rusher,
        Self::PreparedAbort,
    ];

    /// Its name, as scenario files and the command line write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oracle => "oracle",
            Self::Never => "never",
            Self::Twitch => "twitch",
            Self::ThresholdOnly => "threshold_only",
            Self::AlwaysAbort => "always_abort",
            Self::Rusher => "rusher",
            Self::PreparedAbort => "prepared_abort",
        }
    }

    /// The bot of this name; `-` and `_` are the same.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        Self::ALL.into_iter().find(|bot| bot.name() == name)
    }

    /// How sure it says it was, and of what: who decides by habit cannot know, says three in four,
    /// and names what a limit said first.
    pub fn sureness(self, telling: &[String], tape: &Tape) -> Sureness {
        if self == Self::Oracle {
            return Sureness { confidence: Some(0.95), telling: telling.first().cloned() };
        }
        let loud = tape.told.iter().find(|told| {
            matches!(told.verdict, Verdict::Tripping | Verdict::Tripped | Verdict::Shared)
        });
        let named = loud
            .map(|told| format!("{}.{}", told.role.to_string().to_lowercase(), told.signal.key()));
        Sureness { confidence: Some(0.75), telling: named }
    }
}

impl fmt::Display for Bot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What everybody presses at the end: who is back, and has seen users well again, leaves. Where
/// nobody was ever on Green there is nothing to be seen.
fn leaves(sight: &Sight<'_>) -> Option<Command> {
    let seen = sight.in_band || sight.green == 0;
    (sight.settled && seen && !sight.leaving).then_some(Command::Leave)
}

/// An answer to the question that is shown, where it is none of routine.
fn answers(sight: &Sight<'_>, answer: Answer) -> Option<Command> {
    let question = sight.question?.number;
    Some(Command::Answer { question, answer })
}

/// Whether the question that is shown asks to go back, so that *no* stays.
fn asks_to_go_back(sight: &Sight<'_>) -> bool {
    sight.question.is_some_and(|asked| {
        ["limit has tripped", "go back all the same", "Go back"]
            .iter()
            .any(|words| asked.words.contains(words))
    })
}
