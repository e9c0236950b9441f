//! Moments of a run as the lab sees them: `switch+6s` is six seconds after the first weight on
//! Green, whenever the operator gave it. A scenario never uses wall time, for people differ in
//! pace.

use super::scenario::span;
use crate::units::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Something that happens once in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
}

impl Anchor {
    /// The names that a scenario may use.
    pub const NAMES: &'static str =
        "start, deploy, ready, soak, switch, weight:25 (any percentage), full, rollback";
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
            other => other
                .strip_prefix("weight:")
                .and_then(|percent| percent.parse().ok())
                .filter(|percent| (1..=100).contains(percent))
                .map(Self::Weight)
                .ok_or_else(|| format!("{other:?} is no anchor; known are {}", Self::NAMES))?,
        })
    }
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
        })
    }
}

impl From<Anchor> for String {
    fn from(anchor: Anchor) -> Self {
        anchor.to_string()
    }
}

/// A time after an anchor: `switch+6s`, or the anchor alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
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

/// When each anchor was first seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Anchors(BTreeMap<Anchor, Millis>);

impl Anchors {
    /// Notes an anchor. Only the first time counts.
    pub fn note(&mut self, anchor: Anchor, at: Millis) {
        self.0.entry(anchor).or_insert(at);
    }

    /// Takes back an anchor that did not come true, such as a ready that was cut off.
    pub(super) fn forget(&mut self, anchor: Anchor) {
        self.0.remove(&anchor);
    }

    /// When it was seen, if it was.
    pub fn seen(&self, anchor: Anchor) -> Option<Millis> {
        self.0.get(&anchor).copied()
    }

    /// Everything that was seen, in no order that matters.
    pub fn all(&self) -> impl Iterator<Item = (Anchor, Millis)> {
        self.0.iter().map(|(&anchor, &at)| (anchor, at))
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
        assert!(read("swich+6s").unwrap_err().contains("switch"));
        assert!(read("weight:0").is_err() && read("switch+soon").is_err());
    }

    #[test]
    fn only_the_first_time_counts() {
        let mut anchors = Anchors::default();
        anchors.note(Anchor::Switch, Millis(5));
        anchors.note(Anchor::Switch, Millis(9));
        assert_eq!(anchors.seen(Anchor::Switch), Some(Millis(5)));
        assert_eq!(anchors.seen(Anchor::Full), None);
    }
}
