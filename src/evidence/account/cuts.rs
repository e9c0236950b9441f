//! Where nobody watched: a run that was cut off, or left, and picked up again.

use super::Account;
use crate::clean::Clean;
use crate::units::Millis;

/// A stretch of a run in which no process flew it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The last instant that is written down before it.
    pub from: Millis,
    /// When the run was picked up.
    pub to: Millis,
    /// Green's percent as the router reported it last before, if it had.
    pub green: Option<u8>,
    /// Whether the run had been left in order; else its process was killed, or its host.
    pub left: bool,
}

impl Cut {
    /// How much of a stretch of the run nobody watched.
    pub fn of(self, from: Millis, to: Millis) -> Millis {
        self.to.min(to).since(self.from.max(from))
    }
}

impl Account {
    /// A cut, in a sentence: `cut off 16:22:54 to 16:22:58 at 50 %, nobody watched`.
    pub fn cut(&self, cut: &Cut) -> String {
        told(self.began_unix_ms, cut)
    }

    /// Whether counts of what was masked are lost with the process that had them, and until when.
    pub fn counts_lost_until(&self) -> Option<Millis> {
        let killed = self.cuts.iter().rev().find(|cut| !cut.left).map(|cut| cut.to);
        if self.is_cut_off() { Some(self.last_at) } else { killed }
    }
}

/// A cut in a sentence, of a run that began at `began_unix_ms`.
pub(super) fn told(began_unix_ms: i64, cut: &Cut) -> String {
    let time = |at: Millis| {
        crate::text::time_of_day(
            began_unix_ms.saturating_add(i64::try_from(at.0).unwrap_or(i64::MAX)),
        )
    };
    let how = if cut.left { "left" } else { "cut off" };
    let split = cut.green.map_or("at an unknown split".to_owned(), |p| format!("at {p} %"));
    format!("{how} {} to {} {split}, nobody watched", time(cut.from), time(cut.to))
}

/// The same as an actual of a row: all of them.
pub(super) fn all(began_unix_ms: i64, cuts: &[Cut]) -> Clean {
    let told: Vec<String> = cuts.iter().map(|cut| told(began_unix_ms, cut)).collect();
    Clean::new(&told.join("; "))
}
