//! PURE. A plan as a rehearsal flies it: the same router, slots and limits, no new release, and a
//! ramp that ends where it turns back.
//!
//! That a rehearsal never moves more users than was said is not watched over by anybody: there is
//! no larger share in its plan that a key could ask for. What a deploy does to Green or to the data
//! is taken out of it.

use super::types::{CommandName, Migration, Plan};
use crate::units::{Millis, Percent};
use std::collections::BTreeMap;

/// The largest share of the users that a rehearsal moves, unless it is told otherwise.
const SMALL: u8 = 10;
/// The longest soak of a rehearsal: what is in Green has served users before.
const SOAK: Millis = Millis::secs(10);

/// What is said about a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rehearsal {
    /// Green's share, which is never exceeded.
    pub percent: Percent,
    /// How long it is held before it goes back by itself.
    pub hold: Millis,
}

impl Plan {
    /// Whether the ramp ends before all users are on Green: from there the run goes back. Plans
    /// that are read from a file never do.
    pub fn turns_back(&self) -> bool {
        self.ramp.last().is_some_and(|percent| *percent < Percent::ALL)
    }

    /// The share that a rehearsal of this plan moves unless it is told otherwise.
    pub fn small_split(&self) -> Percent {
        let small = Percent::new(SMALL).unwrap_or(Percent::ZERO);
        self.ramp.first().map_or(small, |first| small.min(*first))
    }

    /// The plan of a rehearsal, in which what is current stays. The digest stays that of the file.
    #[must_use]
    pub fn rehearsing(mut self, rehearsal: Rehearsal) -> Self {
        let Rehearsal { percent, hold } = rehearsal;
        self.ramp = vec![percent];
        self.ramp_hold = hold;
        self.soak = self.soak.min(SOAK);
        self.release.next.clone_from(&self.release.current);
        self.release.migration = Migration::None;
        // The declared change, and its artefact, are those of another release.
        self.release.change = BTreeMap::new();
        let kept =
            |name: &CommandName| matches!(name, CommandName::RedeployCheck | CommandName::Logs);
        self.commands.argv.retain(|name, _| kept(name));
        self
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::{CommandName, Migration, Rehearsal, parse};
    use crate::units::{Millis, Percent};

    const PLAN: &str = "schema = 1\nservice = \"notes\"\n[slots]\nleft = \"http://127.0.0.1:1\"\n\
        right = \"http://127.0.0.1:2\"\n[router]\nkind = \"command\"\n\
        set = [\"set\", \"{left}\", \"{right}\"]\nget = [\"get\"]\n\
        [health]\nreadiness = \"/readyz\"\n[release]\ncurrent = \"1.8.2\"\nnext = \"1.9.0\"\n\
        migration = \"irreversible\"\n[release.change]\nartefact = \"ARTEFACT\"\n\
        [commands]\ndeploy = [\"d\"]\nmigrate = [\"m\"]\nstop = [\"s\"]\nlogs = [\"l\"]\n\
        [traffic]\nramp = [RAMP]\n";

    fn plan(ramp: &str) -> crate::plan::Plan {
        let digest = format!("sha256:{}", "0".repeat(64));
        let text = PLAN.replace("RAMP", ramp).replace("ARTEFACT", &digest);
        parse(&text, "plan").unwrap_or_else(|faults| panic!("{faults}")).plan
    }

    #[test]
    fn the_usual_split_is_the_first_of_the_ramp_and_small() {
        for (ramp, small) in [("5, 100", 5), ("50, 100", 10), ("100", 10)] {
            assert_eq!(plan(ramp).small_split().get(), small, "{ramp}");
        }
    }

    #[test]
    fn a_rehearsal_has_no_share_above_its_own_and_nothing_of_a_deploy() {
        let percent = Percent::new(7).unwrap();
        let hold = Millis::secs(10);
        let plan = plan("10, 50, 100");
        assert!(!plan.turns_back());
        let flown = plan.clone().rehearsing(Rehearsal { percent, hold });
        assert!(flown.turns_back());
        assert_eq!(flown.ramp, [percent]);
        assert_eq!(flown.release.next.as_deref(), Some("1.8.2"));
        assert_eq!(flown.release.current, flown.release.next);
        assert_eq!(flown.release.migration, Migration::None);
        assert_eq!(flown.release.artefact(), None);
        let commands: Vec<_> = flown.commands.argv.keys().copied().collect();
        assert_eq!(commands, [CommandName::Logs]);
        assert_eq!((flown.limits, flown.digest), (plan.limits, plan.digest));
    }
}
