//! Moments of a run as the lab sees them: `switch+6s` is six seconds after the first weight on
//! Green, whenever the operator gave it. A scenario never uses wall time, for people differ in
//! pace.

use super::scenario::span;
use crate::units::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Something that happens once in a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Anchor {
    /// The lab began.
    Start,
    /// A deploy to Green began.
    Deploy,
    /// Green was ready for the first time.
    Ready,
    /// The first request was sent straight to Green: a soak has begun.
    Soak,
    /// Green got its first weight.
    Switch,
    /// Green got this percentage or more.
    Weight(u8),
    /// Green got everything.
    Full,
    /// Green lost all its weight again.
    Rollback,
    /// What ran in Green has ended, or its deploy was cut off.
    Stopped,
    /// What ran in Blue has ended.
    Decommission,
    /// Something happened that has a name: a lever of the lab was pulled.
    Event(String),
    /// A fault of the scenario began.
    Fault(String),
}

impl Anchor {
    /// The names that a scenario may use.
    pub const NAMES: &'static str = "start, deploy, ready, soak, switch, weight:25 (any \
        percentage), full, rollback, stopped, decommission, event:NAME, fault:ID";
}

impl TryFrom<String> for Anchor {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Ok(match text.as_str() {
            "start" => Self::Start,
            "deploy" => Self::Deploy,
            "ready" => Self::Ready,
            "soak" => Self::Soak,
            "switch" => Self::Switch,
            "full" => Self::Full,
            "rollback" => Self::Rollback,
            "stopped" => Self::Stopped,
            "decommission" => Self::Decommission,
            other => match other.split_once(':') {
                Some(("event", name)) if !name.is_empty() => Self::Event(name.to_owned()),
                Some(("fault", id)) if !id.is_empty() => Self::Fault(id.to_owned()),
                Some(("weight", percent)) => {
                    let percent = percent.parse().ok().filter(|p| (1..=100).contains(p));
                    percent.map(Self::Weight).ok_or_else(|| unknown(other))?
                }
                _ => return Err(unknown(other)),
            },
        })
    }
}

fn unknown(text: &str) -> String {
    format!("{text:?} is no anchor; known are {}", Anchor::NAMES)
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Deploy => "deploy",
            Self::Ready => "ready",
            Self::Soak => "soak",
            Self::Switch => "switch",
            Self::Weight(percent) => return write!(f, "weight:{percent}"),
            Self::Full => "full",
            Self::Rollback => "rollback",
            Self::Stopped => "stopped",
            Self::Decommission => "decommission",
            Self::Event(name) => return write!(f, "event:{name}"),
            Self::Fault(id) => return write!(f, "fault:{id}"),
        })
    }
}

impl From<Anchor> for String {
    fn from(anchor: Anchor) -> Self {
        anchor.to_string()
    }
}

/// A time after an anchor: `switch+6s`, or the anchor alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Moment {
    /// After what.
    pub anchor: Anchor,
    /// How long after.
    pub after: Millis,
}

impl TryFrom<String> for Moment {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let (anchor, after) = text.split_once('+').unwrap_or((&text, "0s"));
        Ok(Self { anchor: anchor.trim().to_owned().try_into()?, after: span(after.trim())? })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.after == Millis::ZERO {
            return self.anchor.fmt(f);
        }
        write!(f, "{}+{}", self.anchor, self.after)
    }
}

/// When each anchor was first seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Anchors(BTreeMap<Anchor, Millis>);

impl Anchors {
    /// Notes an anchor. Only the first time counts.
    pub fn note(&mut self, anchor: Anchor, at: Millis) {
        self.0.entry(anchor).or_insert(at);
    }

    /// Notes what may come at another time than was thought before.
    pub(super) fn expect(&mut self, anchor: Anchor, at: Millis) {
        self.0.insert(anchor, at);
    }

    /// Takes back an anchor that did not come true, such as a ready that was cut off.
    pub(super) fn forget(&mut self, anchor: &Anchor) {
        self.0.remove(anchor);
    }

    /// When it was seen, if it was.
    pub fn seen(&self, anchor: &Anchor) -> Option<Millis> {
        self.0.get(anchor).copied()
    }

    /// When a moment is, if its anchor was seen.
    pub fn when(&self, moment: &Moment) -> Option<Millis> {
        Some(self.seen(&moment.anchor)? + moment.after)
    }

    /// Everything that was seen, in no order that matters.
    pub fn all(&self) -> impl Iterator<Item = (&Anchor, Millis)> {
        self.0.iter().map(|(anchor, &at)| (anchor, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let read = |text: &str| Moment::try_from(text.to_owned());
        assert_eq!(
            read("switch+6s"),
            Ok(Moment { anchor: Anchor::Switch, after: Millis::secs(6) })
        );
        assert_eq!(
            read("weight:25+1m30s"),
            Ok(Moment { anchor: Anchor::Weight(25), after: Millis::secs(90) })
        );
        assert_eq!(read("full"), Ok(Moment { anchor: Anchor::Full, after: Millis::ZERO }));
        let fill = Anchor::Fault("pool-fill".to_owned());
        assert_eq!(
            read("fault:pool-fill+18s"),
            Ok(Moment { anchor: fill, after: Millis::secs(18) })
        );
        assert_eq!(read("event:patch").unwrap().to_string(), "event:patch");
        assert_eq!(read("switch+6s").unwrap().to_string(), "switch+6s");
        assert!(read("fault:").is_err() && read("ready+0s").is_ok());
        assert!(read("swich+6s").unwrap_err().contains("switch"));
        assert!(read("weight:0").is_err() && read("switch+soon").is_err());
    }

    #[test]
    fn only_the_first_time_counts() {
        let mut anchors = Anchors::default();
        anchors.note(Anchor::Switch, Millis(5));
        anchors.note(Anchor::Switch, Millis(9));
        assert_eq!(anchors.seen(&Anchor::Switch), Some(Millis(5)));
        assert_eq!(anchors.seen(&Anchor::Full), None);
    }
}
