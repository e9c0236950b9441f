//! Whether Green runs the artefact that was declared: a name says what somebody called a release,
//! and a digest says what it is.
//!
//! Green's word is compared with the plan's, as the plan says how Green names it. An old Green that
//! still answers names its old artefact: only one that names the new release is called wrong.

use super::core::Core;
use super::gate::{CheckState, Checks};
use crate::units::Role;

/// Digits of a digest that are shown in a check; the log has them all.
const SHOWN: usize = 12;

/// A Green that names another artefact each time shall not fill the log.
const MOST: usize = 8;

/// A digest without what stands before it: `app@sha256:AB..` and `ab..` are the same.
fn bare(digest: &str) -> &str {
    let digest = digest.rsplit('@').next().unwrap_or(digest).trim();
    let prefix = digest.get(..7).filter(|prefix| prefix.eq_ignore_ascii_case("sha256:"));
    prefix.map_or(digest, |prefix| &digest[prefix.len()..])
}

/// Whether two names are of the same artefact.
pub(super) fn same_artefact(one: &str, other: &str) -> bool {
    bare(one).eq_ignore_ascii_case(bare(other))
}

/// A digest as a check shows it.
pub(super) fn short(digest: &str) -> String {
    let bare = bare(digest);
    let prefix = if bare.len() == 64 { "sha256:" } else { "" };
    match bare.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{prefix}{}..", &bare[..end]),
        None => format!("{prefix}{bare}"),
    }
}

impl Core {
    /// What was declared, in a run that compares it.
    pub(super) fn planned_artefact(&self) -> Option<&str> {
        self.plan.release.artefact().filter(|_| self.facts.tells_gates)
    }

    /// The check of gate 2; nothing where no artefact was declared.
    pub(super) fn check_artefact(&self, to: &mut impl Checks) {
        let Some(planned) = self.planned_artefact() else { return };
        let named = self.world.health[Role::Green.index()].artefact.as_ref();
        match (self.artefact_is_right(), named) {
            (None, _) => to.plain(
                CheckState::NotDeclared,
                "artefact: not compared: the plan does not say how Green names its artefact",
            ),
            (Some(true), _) => to.check(CheckState::Good, || {
                format!("Green runs {}, as the plan says", short(planned))
            }),
            (Some(false), Some(named)) => {
                let old = self.green_is_next() == Some(false);
                let state = if old { CheckState::Waiting } else { CheckState::Bad };
                to.check(state, || {
                    let (named, planned) = (short(named.as_str()), short(planned));
                    format!("Green runs {named} and the plan says {planned}")
                });
            }
            (Some(false), None) => to.plain(CheckState::Waiting, "Green names no artefact yet"),
        }
    }

    /// Writes down, whole, what Green names after it was deployed: each artefact once.
    pub(super) fn note_artefact(&mut self) {
        let deployed = self.times[super::Step::Deploy as usize].entered.is_some();
        let Some(named) = self.world.health[Role::Green.index()].artefact.as_ref() else { return };
        if !deployed || self.artefacts_said.len() >= MOST || self.artefacts_said.contains(named) {
            return;
        }
        let named = named.clone();
        let planned = match self.plan.release.artefact() {
            Some(planned) if same_artefact(named.as_str(), planned) => "as planned".to_owned(),
            Some(planned) => format!("planned was {planned}"),
            None => "no artefact was declared".to_owned(),
        };
        self.info(&format!("Green names the artefact {named}; {planned}"));
        self.artefacts_said.push(named);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_digest_is_the_same_however_it_is_written() {
        let ab = "ab".repeat(32);
        for other in
            [format!("sha256:{ab}"), ab.to_uppercase(), format!("reg.example/app@sha256:{ab}")]
        {
            assert!(same_artefact(&ab, &other), "{other}");
        }
        assert!(!same_artefact(&ab, &"cd".repeat(32)));
        assert_eq!(short(&ab), "sha256:abababababab..");
        assert_eq!(short("v7"), "v7");
    }
}
