//! Figures of past runs, from their chained index: how many deploys had to go back, and how long
//! that took.
//!
//! Drills and rehearsals are counted apart: nobody's users were in them. One operator has few
//! deploys; so points are told as points, with their median, and never as a distribution. Where
//! the chain is broken, the lines before the break are believed and no others.

use super::index::IndexLine;
use super::list::RunSummary;
use crate::clean::Clean;
use crate::journal::JournalFault;
use crate::runbook::{Kind, RunOutcome};
use crate::text::micros;
use std::collections::{BTreeMap, BTreeSet};

/// At most so many points are told.
const POINTS: usize = 12;

/// Durations in microseconds, in the order in which they were measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Points(Vec<u64>);

impl Points {
    /// The one in the middle, or the mean of the two there.
    pub fn median(&self) -> Option<u64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = *sorted.get((sorted.len() - 1) / 2)?;
        Some(lower + (upper - lower) / 2)
    }

    /// `0.5 ms median of 2 (0.4 ms, 0.6 ms)`, a single one as it is.
    fn words(&self) -> Option<String> {
        let median = micros(self.median()?);
        let n = self.0.len();
        if n == 1 {
            return Some(median);
        }
        let told: Vec<String> =
            self.0[n.saturating_sub(POINTS)..].iter().copied().map(micros).collect();
        let last = if n > POINTS { format!("the last {POINTS}: ") } else { String::new() };
        Some(format!("{median} median of {n} ({last}{})", told.join(", ")))
    }
}

/// Figures of the runs of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfKind {
    /// How many have ended, by how.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Runs in which Green had users.
    pub seen: u64,
    /// Of these, those that were not kept.
    pub failed: u64,
    /// Runs of which nobody knows whether Green had users.
    pub unknown: u64,
    /// From the start of the way back until the router read Blue.
    pub back: Points,
    /// From the start of the way back until users were back in band.
    pub restored: Points,
    /// Ways back after which that was not seen.
    pub not_restored: u64,
    /// Whether one that is called abandoned had users all the same.
    pub abandoned_late: bool,
}

impl OfKind {
    fn add(&mut self, line: &IndexLine) {
        *self.outcomes.entry(line.outcome.word()).or_default() += 1;
        self.abandoned_late |= line.outcome == RunOutcome::Abandoned && line.moved == Some(true);
        let by_outcome = match line.outcome {
            RunOutcome::Kept | RunOutcome::RolledBack => Some(true),
            RunOutcome::Abandoned => Some(false),
            RunOutcome::Interrupted | RunOutcome::Failed => None,
        };
        match (line.moved, by_outcome) {
            (Some(true), _) | (_, Some(true)) => {
                self.seen += 1;
                self.failed += u64::from(line.outcome != RunOutcome::Kept);
            }
            (Some(false), _) | (None, Some(false)) => {}
            (None, None) => self.unknown += 1,
        }
        if line.outcome == RunOutcome::RolledBack {
            self.back.0.extend(line.rollback_us);
            match line.restored_us {
                Some(us) => self.restored.0.push(us),
                // An older version did not write it down: that is no word about users.
                None => self.not_restored += u64::from(line.moved.is_some()),
            }
        }
    }

    fn runs(&self) -> u64 {
        self.outcomes.values().sum()
    }

    fn words(&self, kind: Kind) -> String {
        let of = |outcome: RunOutcome| {
            let n = *self.outcomes.get(outcome.word())?;
            let unseen = outcome == RunOutcome::Abandoned && !self.abandoned_late;
            let unseen = if unseen { " (no user saw it)" } else { "" };
            Some(format!("{n} {}{unseen}", outcome.word()))
        };
        let outcomes: Vec<String> = [
            RunOutcome::Kept,
            RunOutcome::RolledBack,
            RunOutcome::Abandoned,
            RunOutcome::Failed,
            RunOutcome::Interrupted,
        ]
        .into_iter()
        .filter_map(of)
        .collect();
        let plural = kind.word().to_lowercase() + "s";
        let mut says = vec![format!("{} {}: {}", plural, self.runs(), outcomes.join(", "))];
        if kind == Kind::Deploy {
            let seen = match self.seen {
                0 => "change failure rate: none reached users yet".to_owned(),
                seen => format!("change failure rate {} of {seen} that users saw", self.failed),
            };
            let unknown = match self.unknown {
                0 => String::new(),
                n => format!(", {n} not known"),
            };
            says.push(seen + &unknown);
        }
        says.extend(self.back.words().map(|words| format!("back in {words}")));
        says.extend(self.restored.words().map(|words| format!("users back in band {words}")));
        if self.not_restored > 0 {
            says.push(format!("not seen back in band: {} of {}", self.not_restored, {
                self.not_restored + self.restored.0.len() as u64
            }));
        }
        says.join(" · ")
    }
}

/// Figures of past runs, each kind for itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Each kind that has ended runs, deploys first.
    pub kinds: Vec<(Kind, OfKind)>,
    /// What is to be known of the index itself, a sentence each.
    pub says: Vec<String>,
}

impl Figures {
    /// From the index as far as it is believed, where it breaks, and the runs that there are.
    pub fn of(lines: &[IndexLine], fault: Option<&JournalFault>, listed: &[RunSummary]) -> Self {
        let mut figures = Self::default();
        // A run that was picked up after its end has ended twice: the last line counts.
        let mut last: BTreeMap<&str, &IndexLine> = BTreeMap::new();
        for line in lines.iter().filter(|line| !line.straight) {
            last.insert(&line.id, line);
        }
        let mut ended: Vec<&IndexLine> = last.values().copied().collect();
        ended.sort_by_key(|line| (line.ended_unix_ms, line.id.as_str()));
        for line in &ended {
            let known = figures.kinds.iter().position(|(kind, _)| *kind == line.kind);
            let place = known.unwrap_or_else(|| {
                figures.kinds.push((line.kind, OfKind::default()));
                figures.kinds.len() - 1
            });
            figures.kinds[place].1.add(line);
        }
        figures.kinds.sort_by_key(|(kind, _)| (*kind != Kind::Deploy, kind.word()));
        if let Some(fault) = fault {
            figures.says.push(format!(
                "the runs' index is believed up to line {} only: {fault}",
                lines.len()
            ));
        }
        let there: BTreeSet<&str> = listed.iter().map(|run| run.id.as_str()).collect();
        let gone = last.keys().copied().filter(|id| !there.contains(id));
        figures.tell(gone, "in the index, and its directory is gone");
        let over = listed.iter().filter(|run| run.exit.is_some() && !run.open);
        let over = over.filter(|run| run.outcome != RunOutcome::Interrupted.word());
        let unlisted = over.map(|run| run.id.as_str()).filter(|id| !last.contains_key(id));
        figures.tell(unlisted, "ended, and not in the index: not counted");
        let open = listed.iter().filter(|run| run.open || run.outcome == "running");
        figures.tell(open.map(|run| run.id.as_str()), "not over: not counted");
        figures
    }

    fn tell<'a>(&mut self, ids: impl Iterator<Item = &'a str>, what: &str) {
        let ids: Vec<String> = ids.map(|id| Clean::new(id).to_string()).collect();
        match ids.len() {
            0 => {}
            1..=POINTS => self.says.push(format!("{what}: {}", ids.join(", "))),
            n => self.says.push(format!(
                "{what}: {} and {} more",
                ids[..POINTS].join(", "),
                n - POINTS
            )),
        }
    }

    /// The last paragraph under a list of runs, a line a kind.
    pub fn paragraph(&self) -> String {
        let told = self.kinds.iter().map(|(kind, of)| of.words(*kind));
        let lines = told.chain(self.says.iter().cloned());
        lines.fold(String::new(), |text, line| text + &line + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: u32, kind: Kind, outcome: RunOutcome) -> IndexLine {
        IndexLine {
            id: format!("20261123T1422{id:02}Z-000{}", id % 10),
            kind,
            service: "notes".into(),
            outcome,
            exit: 0,
            head: String::new(),
            router: "r".into(),
            rollback_us: None,
            restored_us: None,
            moved: None,
            began_unix_ms: 0,
            ended_unix_ms: i64::from(id),
            bundle: None,
            end: None,
            straight: false,
        }
    }

    fn back(id: u32, kind: Kind, us: u64, restored_us: Option<u64>) -> IndexLine {
        let rollback_us = Some(us);
        let moved = Some(true);
        IndexLine { rollback_us, restored_us, moved, ..line(id, kind, RunOutcome::RolledBack) }
    }

    #[test]
    fn drills_are_never_counted_as_deploys() {
        let mut lines: Vec<IndexLine> =
            (0..3).map(|id| line(id, Kind::Deploy, RunOutcome::Kept)).collect();
        lines.push(back(4, Kind::Deploy, 600, Some(13_000_000)));
        lines.push(back(3, Kind::Deploy, 400, Some(11_000_000)));
        lines.push(line(5, Kind::Deploy, RunOutcome::Abandoned));
        lines.push(back(6, Kind::Drill, 90_000, None));
        let figures = Figures::of(&lines, None, &[]);
        let text = figures.paragraph();
        let told: Vec<&str> = text.lines().collect();
        assert_eq!(
            told[0],
            "deploys 6: 3 kept, 2 rolled back, 1 abandoned (no user saw it) · change failure rate \
             2 of 5 that users saw · back in 0.5 ms median of 2 (0.4 ms, 0.6 ms) · users back in \
             band 12 s median of 2 (11 s, 13 s)"
        );
        assert_eq!(
            told[1],
            "drills 1: 1 rolled back · back in 90 ms · not seen back in band: 1 of 1"
        );
    }

    #[test]
    fn a_run_that_ended_twice_counts_as_it_ended_last_and_what_is_missing_is_named() {
        let kept = line(1, Kind::Deploy, RunOutcome::Kept);
        let then = IndexLine { ended_unix_ms: 99, ..back(1, Kind::Deploy, 500, None) };
        let figures = Figures::of(&[kept, then], Some(&JournalFault::Broken { line: 3 }), &[]);
        assert_eq!(figures.kinds[0].1.outcomes, BTreeMap::from([("rolled back", 1)]));
        let text = figures.paragraph();
        assert!(text.contains("believed up to line 2 only: "), "{text}");
        assert!(text.contains("directory is gone: 20261123T142201Z-0001"), "{text}");
    }

    #[test]
    fn at_most_twelve_points_are_told_and_a_failed_run_is_not_known_to_have_hurt() {
        let mut lines: Vec<IndexLine> =
            (0..14).map(|id| back(id, Kind::Deploy, 1_000 * u64::from(id + 1), None)).collect();
        lines.push(line(20, Kind::Deploy, RunOutcome::Failed));
        let figures = Figures::of(&lines, None, &[]);
        assert_eq!(figures.kinds[0].1.back.median(), Some(7_500));
        let text = figures.paragraph();
        assert!(text.contains("7.5 ms median of 14 (the last 12: 3.0 ms, "), "{text}");
        assert!(text.contains("14 of 14 that users saw, 1 not known"), "{text}");
        let unmoved = IndexLine { moved: Some(false), ..line(1, Kind::Deploy, RunOutcome::Failed) };
        assert_eq!(Figures::of(&[unmoved], None, &[]).kinds[0].1.unknown, 0);
    }
}
