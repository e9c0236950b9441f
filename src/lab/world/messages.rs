//! What people say during a drill: the scenario's injects, its offers, and the faults that are
//! words. Each comes when its moment has come.

use super::World;
use crate::lab::fault::FaultKind;
use crate::units::Millis;
use serde::Serialize;

/// Somebody says something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// When it is said.
    pub at: Millis,
    /// Who says it.
    pub from: String,
    /// What is said.
    pub text: String,
    /// Whether it leads astray. No screen shows this before the end.
    pub decoy: bool,
}

impl World {
    /// Everything that was said up to `at`, in the order in which it was said.
    pub fn messages(&self, at: Millis) -> Vec<Message> {
        let injects = self.scenario.injects.iter().filter_map(|inject| {
            let (from, text) = (inject.from.clone(), inject.text.clone());
            Some(Message { at: self.anchors.when(&inject.at)?, from, text, decoy: inject.decoy })
        });
        let offers = self.scenario.offers.iter().filter(|offer| !offer.says.is_empty());
        let offers = offers.filter_map(|offer| {
            let (from, text) = (offer.from.clone(), offer.says.clone());
            Some(Message { at: self.anchors.when(&offer.at)?, from, text, decoy: false })
        });
        let faults = self.faults.iter().filter_map(|fault| {
            let (from, text, decoy) = match &fault.spec.kind {
                FaultKind::LabelSwap { says: Some((from, text)) } => {
                    (from.clone(), text.clone(), true)
                }
                FaultKind::AdviceWrong { text } => ("adviser".to_owned(), text.clone(), true),
                FaultKind::InjectMessage { from, text, decoy } => {
                    (from.clone(), text.clone(), *decoy)
                }
                _ => return None,
            };
            Some(Message { at: fault.began(at)?, from, text, decoy })
        });
        let mut said: Vec<_> =
            injects.chain(offers).chain(faults).filter(|message| message.at <= at).collect();
        said.sort_by_key(|message| message.at);
        said
    }
}
