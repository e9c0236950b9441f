//! Which controls a bundle is evidence relevant to, with what of it, and what it does not show.
//!
//! A bundle claims nothing: it is something to examine, and whether a control is met is an
//! assessor's to decide. So each row names the files that are worth a look and, as loudly, what
//! they leave open; only rows that this very run can say something about are there. A drill is an
//! exercise on a lab and speaks of exercises alone. Names are those of SP 800-53 rev. 5 and of
//! CMMC level 2, which goes by SP 800-171 rev. 2.

mod table;

use super::account::{Before, GateEnd};
use super::{Account, json};
use crate::clean::Clean;
use crate::runbook::gate::GateState;
use crate::runbook::snapshot::Stamp;
use crate::runbook::{Kind, RunOutcome, Step};
use serde::Serialize;

/// A family of controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Framework {
    /// SP 800-53.
    #[serde(rename = "NIST SP 800-53 rev. 5")]
    Nist,
    /// CMMC.
    #[serde(rename = "CMMC level 2 (NIST SP 800-171 rev. 2)")]
    Cmmc,
}

impl Framework {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nist => "NIST SP 800-53 rev. 5",
            Self::Cmmc => "CMMC level 2 (NIST SP 800-171 rev. 2)",
        }
    }
}

/// A control that a bundle is relevant to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Of which family.
    pub framework: Framework,
    /// Its id: `CM-3(2)`.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The lowest baseline of SP 800-53B that has it: `moderate`, `high`, or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<&'static str>,
    /// What of the bundle is worth a look.
    pub relevant: Vec<Piece>,
    /// What it does not show.
    pub does_not_show: String,
}

impl Row {
    /// The id as OSCAL's catalogue has it: `cm-3.2`.
    pub fn oscal_id(&self) -> String {
        self.id.to_ascii_lowercase().replace('(', ".").replace(')', "")
    }
}

/// What of the bundle is worth a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// The file.
    pub file: &'static str,
    /// What to look for in it.
    pub what: String,
}

/// The rows that this run can say something about.
pub fn rows(account: &Account) -> Vec<Row> {
    table::rows(&Facts::of(account))
}

/// The rows as the bundle's file.
pub fn json(account: &Account) -> String {
    #[derive(Serialize)]
    struct File<'a> {
        what: &'static str,
        kind: Kind,
        host: &'a Clean,
        run: &'a str,
        service: &'a Clean,
        #[serde(skip_serializing_if = "Option::is_none")]
        marking: Option<&'a Clean>,
        read_this_first: &'static str,
        controls: Vec<Row>,
    }
    json::file(&File {
        what: "controls",
        kind: account.kind,
        host: &account.host,
        run: &account.run,
        service: &account.service,
        marking: account.marking.as_ref(),
        read_this_first: READ_THIS_FIRST,
        controls: rows(account),
    })
}

/// What stands above every table of controls.
pub const READ_THIS_FIRST: &str = "This bundle is evidence relevant to the controls listed here. \
    Whether a control is met is decided by an assessor, who examines, interviews and tests. No \
    tool can show policy, people, parameters that the organisation defines, retention or review.";

/// What the table goes by.
struct Facts {
    kind: Kind,
    /// The key's kind, where the declaration is signed.
    signed: Option<String>,
    /// Whether a time authority has dated the declaration.
    dated: bool,
    /// Whether it was before the first change, and on whose word.
    before: Before,
    /// Who else has approved.
    approved: Option<String>,
    /// Whether something was refused: a gate was shut, or the release was not kept.
    refused: bool,
    /// Gates before users were moved, the journal's lines where they opened.
    tested: Vec<String>,
    /// What is declared of the change.
    impact: bool,
    commit: bool,
    artefact: bool,
    flaw: bool,
    /// Whether the running artefact was compared with the declared one.
    compared: bool,
    /// When the router was back at Blue, in microseconds since the way back began.
    back_us: Option<u64>,
    recorded: bool,
    /// Whether criteria and result of the exercise are there.
    exercise: bool,
    clock: &'static str,
    operator: bool,
}

impl Facts {
    fn of(account: &Account) -> Self {
        let declared = account.declared.as_ref();
        let has = |key: &str| account.change.contains_key(key);
        let flaw = account.change.values().any(|said| said.as_str().contains("CVE-"));
        let stamped = |stamps: &[(Stamp, Option<u64>, Clean)]| {
            stamps.iter().find(|(stamp, ..)| *stamp == Stamp::RouterAtBlue).and_then(|s| s.1)
        };
        let tested = account.gates.iter().filter(|gate| {
            gate.state == GateState::Open
                && gate.end == GateEnd::Passed
                && gate.step < Step::Switch
                && gate.step > Step::Deploy
        });
        Self {
            kind: account.kind,
            signed: declared.and_then(|d| d.signed.as_ref()).map(|signer| signer.key.clone()),
            before: account.declared_before(),
            dated: declared.is_some_and(|d| d.token.is_some()),
            approved: declared.and_then(|d| d.approved.as_ref()).map(|s| s.identity.ascii()),
            refused: account.gates.iter().any(|gate| gate.state == GateState::Shut)
                || matches!(
                    account.outcome,
                    Some(RunOutcome::RolledBack | RunOutcome::Abandoned | RunOutcome::Failed)
                ),
            tested: tested
                .map(|gate| format!("{} (line {})", gate.step.title(), gate.seq))
                .collect(),
            impact: has("impact"),
            commit: has("commit"),
            artefact: has("artefact"),
            flaw,
            compared: account.compared.iter().any(|row| {
                row.what.contains("artefact") && row.planned.is_some() && row.actual.is_some()
            }),
            back_us: account.back.as_ref().and_then(|back| stamped(&back.stamps)),
            recorded: account.recordings.iter().any(|recording| recording.present),
            exercise: account.exercise.is_some(),
            clock: declared.map_or("unknown whether synchronised", |d| d.clock.words()),
            operator: account.operator.is_some(),
        }
    }
}
