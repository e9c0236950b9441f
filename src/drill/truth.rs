//! What was true in a flight: when each thing happened in the lab, and what users had got by each
//! second. The lab knows; the operator did not.
//!
//! Times are those of the run. A lab on sockets begins before its run does: [`Truth::since`]
//! moves what it says.

use crate::lab::anchor::{Anchor, Anchors, Moment};
use crate::lab::scenario::answer::Decision;
use crate::lab::tally::Tally;
use crate::lab::world::Standing;
use crate::units::Millis;

/// What was true. See the module's text.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    anchors: Anchors,
    /// What users had got by then, in the order of time.
    pub ticks: Vec<(Millis, Tally)>,
    /// The last moment that is known.
    pub ended: Millis,
    /// What users will have got by the horizon; nothing where nobody has looked ahead.
    after: Option<Tally>,
    /// Why the flight does not count, where whoever went along saw that: the lab was not steady
    /// before it, or nothing ran for a while.
    pub void: Option<String>,
    /// Why whoever went along has ended it, where nobody else did.
    pub stopped: Option<String>,
}

impl Truth {
    /// From the lab's anchors and its counts over time.
    pub fn new(anchors: Anchors, ticks: Vec<(Millis, Tally)>, ended: Millis) -> Self {
        Self { anchors, ticks, ended, void: None, stopped: None, after: None }
    }

    /// From how things stood, second by second, in a lab that was `began` old when the run began.
    pub fn of_standings(standings: &[Standing], began: Millis) -> Self {
        let mut anchors = Anchors::default();
        let all = standings.iter().flat_map(|standing| &standing.anchors);
        all.for_each(|(anchor, at)| anchors.note(anchor.clone(), *at));
        let ticks = standings.iter().map(|standing| (standing.at, standing.tally)).collect();
        let ended = standings.iter().map(|standing| standing.at).max().unwrap_or_default();
        Self::new(anchors, ticks, ended).since(began)
    }

    /// The same, of a lab that was so old when the run began.
    pub fn since(self, began: Millis) -> Self {
        let mut anchors = Anchors::default();
        for (anchor, at) in self.anchors.all() {
            anchors.note(anchor.clone(), at.since(began));
        }
        let ticks = self.ticks.into_iter().map(|(at, tally)| (at.since(began), tally)).collect();
        Self { anchors, ticks, ended: self.ended.since(began), ..self }
    }

    /// When a moment was, if it came before the end. What the lab only expects is not yet true.
    pub fn when(&self, moment: &Moment) -> Option<Millis> {
        self.anchors.when(moment).filter(|at| *at <= self.ended)
    }

    /// Whether a moment was, or is known to come.
    pub fn expects(&self, moment: &Moment) -> bool {
        self.anchors.when(moment).is_some()
    }

    /// Whether a decision is one in this run: some hang on what the seed brings.
    pub fn offers(&self, decision: &Decision) -> bool {
        let given = decision.given.as_ref().is_none_or(|moment| self.expects(moment));
        given && !decision.without.as_ref().is_some_and(|moment| self.expects(moment))
    }

    /// When an anchor was seen, if it was before the end.
    pub fn seen(&self, anchor: &Anchor) -> Option<Millis> {
        self.anchors.seen(anchor).filter(|at| *at <= self.ended)
    }

    /// What users had got by a moment.
    pub fn tally_at(&self, at: Millis) -> Tally {
        let after = self.ticks.partition_point(|(tick, _)| *tick <= at);
        after.checked_sub(1).map_or_else(Tally::default, |last| self.ticks[last].1)
    }

    /// The same, with what users will have got by `until` if nobody does anything any more:
    /// `ahead` tells it, of so long after the end. What has come after `until` no longer counts.
    pub fn counted(mut self, until: Millis, ahead: impl FnOnce(Millis) -> Option<Tally>) -> Self {
        self.after = if until <= self.ended {
            Some(self.tally_at(until))
        } else {
            ahead(until.since(self.ended))
        };
        self
    }

    /// What users have got by the horizon to which flights are compared; by the end, where nobody
    /// has looked ahead.
    pub fn tally_by_horizon(&self) -> Tally {
        self.after.unwrap_or_else(|| self.tally())
    }

    /// What users had got in the end.
    pub fn tally(&self) -> Tally {
        self.ticks.last().map(|(_, tally)| *tally).unwrap_or_default()
    }
}
