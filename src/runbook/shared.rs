//! Both slots suffer: going back would help nobody, so nothing moves until it is over. That is
//! said, and after the plan's `shared_hold` the operator is asked. Where nobody is there it stays
//! held, and says so again each time as much has passed.

use super::core::Core;
use super::phase::Phase;
use super::question::About;
use crate::signal::Judgement;
use crate::units::{Millis, Role};

/// With few requests what happens is seen now and then: it is over when it was not seen for so
/// long, or for as long as the limit holds.
const OVER: Millis = Millis::secs(60);

/// Since when both slots suffer, and when that is told or asked about again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shared {
    since: Millis,
    again: Millis,
    /// Until when it is not over, even if nothing of it is seen.
    lasts: Millis,
}

impl Core {
    /// Follows what the limits say of both slots.
    pub(super) fn act_on_shared(&mut self) {
        let nobody_asks = self.rollback.is_some()
            || !self.green_is_judged()
            || matches!(self.phase, Phase::Warm { .. });
        if nobody_asks {
            self.shared = None;
            return self.withdraw(|about| about == About::Shared);
        }
        let seen = self.world.green().shared().cloned();
        match (seen, self.shared) {
            (None, None) => {}
            (None, Some(shared)) if self.at >= shared.lasts => {
                self.shared = None;
                self.withdraw(|about| about == About::Shared);
                let lasted = Millis::secs(self.at.since(shared.since).as_secs());
                self.info(&format!("it is not both slots that suffer any more, after {lasted}"));
            }
            (Some(judgement), None) => self.both_suffer(&judgement),
            (seen, Some(mut shared)) => {
                if let Some(judgement) = &seen {
                    shared.lasts = self.at + OVER.max(judgement.limit.hold);
                    self.shared = Some(shared);
                }
                if self.at >= shared.again {
                    self.both_suffer_still(seen.as_ref(), shared);
                }
            }
        }
    }

    fn both_suffer(&mut self, judgement: &Judgement) {
        let since = self.at;
        let hold = self.plan.on_trip.shared_hold;
        // What both slots share was measured once for both: nothing says whose fault it is, and
        // the operator is asked at once.
        let wait = if judgement.both { Millis::ZERO } else { hold };
        let lasts = since + OVER.max(judgement.limit.hold);
        self.shared = Some(Shared { since, again: since + wait, lasts });
        // Nor does the end of a countdown send anybody back meanwhile: it is asked again.
        self.withdraw(|about| about.is_forward() || about == About::Unproven);
        self.warn("both slots suffer: HOLDING, not going back; r goes back all the same");
        if judgement.both
            && let Some(shared) = self.shared
        {
            self.both_suffer_still(Some(judgement), shared);
        }
    }

    fn both_suffer_still(&mut self, judgement: Option<&Judgement>, shared: Shared) {
        let line = judgement.map_or_else(
            || {
                "at this moment it is not seen; it is over when it was not seen for longer"
                    .to_owned()
            },
            |judgement| judgement.line_on(Role::Green),
        );
        let hold = self.plan.on_trip.shared_hold.max(Millis::secs(5));
        self.shared = Some(Shared { again: self.at + hold, ..shared });
        let lasted = Millis::secs(self.at.since(shared.since).as_secs());
        let says = format!("both slots have suffered for {lasted}");
        if !self.facts.attended {
            self.warn(&format!("{says}; HELD with nobody at the keyboard: {line}"));
        } else if !self.asks(About::Shared) {
            let lines = vec![
                line,
                "Blue suffers too: going back is likely to help nobody.".to_owned(),
                format!("Without an answer it stays held, and you are asked again in {hold}."),
            ];
            let title = "Both slots suffer: go back all the same?";
            self.ask(About::Shared, title, lines, "go back", "hold");
        }
    }
}
