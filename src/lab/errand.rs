//! What somebody at the site does for the operator on a word, besides pulling levers: a look at
//! the users part by part, at everything that is measured, a request straight to a slot, a fresh
//! readiness check, a weight. The answer is words, with numbers of the last seconds from the
//! services' own logs: what is wrong with the counters does not touch it.

use crate::units::{Percent, Role};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The event of a fresh check, as an anchor's name.
pub const RECHECK: &str = "recheck";

/// By what the users are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// By the slot that answered.
    Slot,
    /// By its worker.
    Worker,
    /// By the page that was asked for.
    Route,
    /// By the kind of user.
    Cohort,
    /// By the client: users, and whoever asks like nobody else.
    Client,
}

/// See the module's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    /// The users of the last seconds, part by part.
    By(Part),
    /// Everything that is measured.
    Series,
    /// Requests straight to a slot, one for each page.
    Probe(Role),
    /// A fresh readiness check of a slot, shallow and deep, and of what a way back needs.
    Recheck(Role),
    /// So much of the traffic to Green, whatever the plan's steps are.
    Weight(Percent),
}

impl Errand {
    /// Words of each, for whoever asks for something else.
    pub const WORDS: &'static str = "by slot, by worker, by route, by cohort, by client, series, \
        probe blue, probe green, recheck blue, recheck green, weight 25";

    /// Reads what is asked for.
    pub fn read(words: &str) -> Option<Self> {
        let plain = words.to_lowercase().replace(['-', '_', '%', ','], " ");
        let mut words: Vec<_> = plain.split_whitespace().collect();
        if let ["split" | "show" | "set" | "direct" | "view", ..] = words[..] {
            words.remove(0);
        }
        let role = |name: &str| match name {
            "blue" => Some(Role::Blue),
            "green" => Some(Role::Green),
            _ => None,
        };
        Some(match words[..] {
            ["by", part] => Self::By(match part.trim_end_matches('s') {
                "slot" => Part::Slot,
                "worker" => Part::Worker,
                "route" | "page" => Part::Route,
                "cohort" => Part::Cohort,
                "client" => Part::Client,
                _ => return None,
            }),
            ["series"] => Self::Series,
            ["probe", "of", name] | ["probe", name] => Self::Probe(role(name)?),
            ["recheck"] | ["recheck" | "check", "readiness"] | ["re", "check", "readiness"] => {
                Self::Recheck(Role::Green)
            }
            ["recheck", name] | ["re", "check", name] => Self::Recheck(role(name)?),
            ["weight", percent] | ["weight", percent, ..] => {
                Self::Weight(percent.parse().ok().and_then(Percent::new)?)
            }
            _ => return None,
        })
    }

    /// Whether it changes nothing.
    pub const fn only_looks(self) -> bool {
        !matches!(self, Self::Weight(_))
    }
}

impl fmt::Display for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = |role: Role| if role == Role::Blue { "blue" } else { "green" };
        match self {
            Self::By(part) => f.write_str(match part {
                Part::Slot => "by slot",
                Part::Worker => "by worker",
                Part::Route => "by route",
                Part::Cohort => "by cohort",
                Part::Client => "by client",
            }),
            Self::Series => f.write_str("series"),
            Self::Probe(of) => write!(f, "probe {}", role(*of)),
            Self::Recheck(of) => write!(f, "recheck {}", role(*of)),
            Self::Weight(percent) => write!(f, "weight {}", percent.get()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errand_is_read_as_it_is_written_and_as_people_say_it() {
        for words in Errand::WORDS.split(", ") {
            assert_eq!(Errand::read(words).unwrap().to_string(), words);
        }
        assert_eq!(Errand::read("Split by workers"), Some(Errand::By(Part::Worker)));
        assert_eq!(Errand::read("re-check readiness"), Some(Errand::Recheck(Role::Green)));
        assert_eq!(Errand::read("set weight 40 %").unwrap().to_string(), "weight 40");
        for words in ["", "by", "by moon", "weight 101", "weight", "probe", "pray"] {
            assert_eq!(Errand::read(words), None, "{words}");
        }
    }
}
