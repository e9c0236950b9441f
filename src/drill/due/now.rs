//! What makes a family due today, whatever its ladder says: things that happened to real deploys, or
//! that changed around them. A flight of the family since then settles it.
//!
//! It informs and never stands in anybody's way. Families are named here and no scenario: which one
//! is flown is drawn, so that what is due does not tell what is in a drill that was never flown.

use crate::drill::history::HistoryLine;
use crate::lab::scenario::Family;
use serde::{Deserialize, Serialize};

/// So many days without a real deploy, and hands forget.
pub const NO_DEPLOY_DAYS: i64 = 30;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A real deploy went back.
    WentBack,
    /// A real run ended where somebody had to look.
    Incident,
    /// There was no real deploy for a while.
    NoDeploy,
    /// The plan means something else than it did at the last deploy.
    PlanEdited,
    /// The plan's router is one that no deploy went through.
    NewRouter,
    /// The plan's kind of migration is one that no deploy had.
    NewMigration,
}

impl Why {
    /// The words, as they follow `due now:`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::WentBack => "a deploy went back",
            Self::Incident => "a run was left unguarded",
            Self::NoDeploy => "no deploy for 30 days",
            Self::PlanEdited => "the plan was edited",
            Self::NewRouter => "a new router",
            Self::NewMigration => "a new kind of migration",
        }
    }

    /// The families that it makes due.
    pub const fn families(self) -> &'static [Family] {
        match self {
            Self::WentBack => &[Family::WayBack, Family::Loud],
            Self::Incident => &[Family::WayBack, Family::Attribution],
            Self::NoDeploy => &[Family::Gate, Family::WayBack],
            Self::PlanEdited => &[Family::Gate],
            Self::NewRouter => &[Family::WayBack],
            Self::NewMigration => &[Family::Data],
        }
    }
}

/// Something that happened, and when, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// What.
    pub why: Why,
    /// When.
    pub at_unix_ms: i64,
}

/// A family that is due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueNow {
    /// Which.
    pub family: Family,
    /// What made it due: the last of several.
    pub happened: Happened,
}

/// The families that are due now, the one whose reason is freshest first.
pub fn of(lines: &[HistoryLine], happened: &[Happened]) -> Vec<DueNow> {
    let mut happened = happened.to_vec();
    happened.sort_by_key(|event| std::cmp::Reverse(event.at_unix_ms));
    let mut due: Vec<DueNow> = Vec::new();
    for event in happened {
        for family in event.why.families() {
            let practised = lines.iter().any(|line| {
                line.is_practice()
                    && line.ended_unix_ms >= event.at_unix_ms
                    && line.family.contains(family)
            });
            if !practised && due.iter().all(|due| due.family != *family) {
                due.push(DueNow { family: *family, happened: event });
            }
        }
    }
    due
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::score::Grade;

    fn flown(family: Family, at: i64, grade: Grade) -> HistoryLine {
        serde_json::from_value(serde_json::json!({
            "run": "7f3a", "scenario": "red", "file": "", "seed": 1, "blind": false,
            "family": [family], "back_was_right": true, "version": 1, "score": 90, "parts": {},
            "grade": grade, "call": null, "right": true, "confidence": null, "detect_par": null,
            "decide_par": null, "standing": "cold", "spoiled": false, "ended_unix_ms": at,
        }))
        .unwrap()
    }

    #[test]
    fn a_deploy_that_went_back_is_settled_by_a_flight_after_it_and_by_none_before() {
        let back = [Happened { why: Why::WentBack, at_unix_ms: 1_000 }];
        let families = |lines: &[HistoryLine]| {
            of(lines, &back).into_iter().map(|due| due.family).collect::<Vec<_>>()
        };
        assert_eq!(families(&[]), [Family::WayBack, Family::Loud]);
        assert_eq!(families(&[flown(Family::WayBack, 999, Grade::Clean)]).len(), 2);
        assert_eq!(families(&[flown(Family::WayBack, 1_001, Grade::Fail)]), [Family::Loud]);
        assert_eq!(families(&[flown(Family::WayBack, 1_001, Grade::Abandoned)]).len(), 2);
    }

    #[test]
    fn a_family_is_due_once_and_by_what_was_last() {
        let events = [(Why::WentBack, 10), (Why::NewRouter, 20), (Why::NewMigration, 5)]
            .map(|(why, at_unix_ms)| Happened { why, at_unix_ms });
        let due = of(&[], &events);
        let of_back: Vec<_> = due.iter().filter(|due| due.family == Family::WayBack).collect();
        assert_eq!((of_back.len(), of_back[0].happened.why), (1, Why::NewRouter));
        assert!(due.iter().any(|due| due.family == Family::Data));
    }
}
