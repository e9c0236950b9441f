//! The rows themselves: each says when it is relevant, to what, and what it leaves open.

use super::super::names;
use super::{Facts, Framework, Piece, Row};
use crate::runbook::Kind;

/// The rows that a run with these facts can say something about.
pub(super) fn rows(facts: &Facts) -> Vec<Row> {
    let mut table = Table { rows: Vec::new() };
    match facts.kind {
        Kind::Drill => table.exercise(facts),
        Kind::Rehearsal => {
            table.exercise(facts);
            table.records(facts);
            table.recovery(facts);
        }
        Kind::Deploy => {
            table.change(facts);
            table.release(facts);
            table.recovery(facts);
            table.records(facts);
            table.people(facts);
        }
    }
    table.rows
}

fn piece(file: &'static str, what: impl Into<String>) -> Piece {
    Piece { file, what: what.into() }
}

fn journal(what: impl Into<String>) -> Piece {
    piece(crate::journal::JOURNAL, what)
}

struct Table {
    rows: Vec<Row>,
}

impl Table {
    fn nist(
        &mut self,
        id: &'static str,
        name: &'static str,
        baseline: Option<&'static str>,
        relevant: Vec<Piece>,
        does_not_show: &str,
    ) {
        let (framework, does_not_show) = (Framework::Nist, does_not_show.to_owned());
        self.rows.push(Row { framework, id, name, baseline, relevant, does_not_show });
    }

    fn cmmc(
        &mut self,
        id: &'static str,
        name: &'static str,
        relevant: Vec<Piece>,
        does_not_show: &str,
    ) {
        let (framework, does_not_show) = (Framework::Cmmc, does_not_show.to_owned());
        self.rows.push(Row { framework, id, name, baseline: None, relevant, does_not_show });
    }

    /// That a change was made in order.
    fn change(&mut self, facts: &Facts) {
        let mut order = Vec::new();
        if facts.signed.is_some() {
            let what = format!("b: what was to be done, signed {}", facts.before.reserve());
            order.push(piece(names::DECLARATION_SIG, what));
        }
        if facts.approved.is_some() {
            order.push(piece(names::APPROVAL_SIG, "b: a second key's approval of it"));
        }
        order.push(journal("c: the decisions: gates, answers, notes"));
        order.push(piece(names::REPORT, "d: planned against actual"));
        order.push(piece(names::MANIFEST, "e: this record of the change"));
        self.nist(
            "CM-3",
            "Configuration Change Control",
            Some(MODERATE),
            order.clone(),
            "a: which changes are controlled; g: a body that oversees changes; how long records \
             are kept",
        );
        self.cmmc(
            "CM.L2-3.4.3",
            "System Change Management",
            order,
            "that all changes are tracked, reviewed and approved this way; this is one of them",
        );
        if facts.refused {
            self.nist(
                "CM-3(1)",
                "Automated Documentation, Notification, and Prohibition of Changes",
                Some(HIGH),
                vec![journal("d: gates that were shut, limits that tripped; e: all that was done")],
                "b, c and f: that anybody was notified",
            );
        }
        if !facts.tested.is_empty() {
            let what =
                format!("gates that opened before users were moved: {}", facts.tested.join(", "));
            self.nist(
                "CM-3(2)",
                "Testing, Validation, and Documentation of Changes",
                Some(MODERATE),
                vec![journal(what)],
                "the quality of these tests",
            );
        }
        if facts.impact {
            let when = match facts.signed {
                Some(_) => format!(", signed {}", facts.before.reserve()),
                None => String::new(),
            };
            let told = vec![piece(names::DECLARATION, format!("the impact as declared{when}"))];
            self.nist(
                "CM-4",
                "Impact Analyses",
                Some(MODERATE),
                told.clone(),
                "that an analysis was made, or that it is right",
            );
            self.cmmc(
                "CM.L2-3.4.4",
                "Security Impact Analysis",
                told,
                "that security was analysed, or that the analysis is right",
            );
        }
        if facts.signed.is_some() {
            let key = vec![piece(names::DECLARATION_SIG, "the key that declared the change")];
            let lacks = "that there is no other way to change production";
            self.nist("CM-5", "Access Restrictions for Change", Some(MODERATE), key.clone(), lacks);
            self.cmmc("CM.L2-3.4.5", "Access Restrictions for Change", key, lacks);
            if facts.refused {
                self.nist(
                    "CM-5(1)",
                    "Automated Access Enforcement and Audit Records",
                    Some(HIGH),
                    vec![journal("what was refused, under which key's declaration")],
                    "enforcement on the hosts",
                );
            }
        }
    }

    /// What was released.
    fn release(&mut self, facts: &Facts) {
        if facts.artefact || facts.commit {
            let told = || {
                vec![
                    piece(names::STATE_BEFORE, "what ran before"),
                    piece(names::STATE_AFTER, "what ran after"),
                ]
            };
            let lacks = "a baseline of the hosts: this is input to one, and no more";
            self.nist("CM-2", "Baseline Configuration", Some(LOW), told(), lacks);
            let lacks = "an inventory: this is input to one, and no more";
            self.nist("CM-8", "System Component Inventory", Some(LOW), told(), lacks);
            let lacks = "a baseline of the systems: this is input to one, and no more";
            self.cmmc("CM.L2-3.4.1", "System Baselining", told(), lacks);
        }
        if facts.flaw {
            let told = || {
                let tested =
                    "b: tests before users were moved; c: when the correction was installed";
                vec![piece(names::DECLARATION, "the flaw that is named"), journal(tested)]
            };
            let lacks = "a: how flaws are found and reported; when the correction was published";
            self.nist("SI-2", "Flaw Remediation", Some(LOW), told(), lacks);
            self.cmmc("SI.L1-3.14.1", "Flaw Remediation", told(), lacks);
            let lacks = "that it went by an assessment of risk";
            self.cmmc("RA.L2-3.11.3", "Vulnerability Remediation", told(), lacks);
        }
        if facts.compared {
            let told =
                || vec![piece(names::REPORT, "the artefact declared against the one running")];
            self.nist(
                "SI-7",
                "Software, Firmware, and Information Integrity",
                Some(MODERATE),
                told(),
                "monitoring that goes on after the run",
            );
            self.nist(
                "SI-7(1)",
                "Integrity Checks",
                Some(MODERATE),
                told(),
                "checks at other times than this one",
            );
        }
        if facts.commit {
            self.nist(
                "SA-10",
                "Developer Configuration Management",
                Some(MODERATE),
                vec![piece(
                    names::DECLARATION,
                    "b, c, d: commit, plan and who declared or approved",
                )],
                "a: that it is so throughout development; e: how flaws are tracked",
            );
        }
    }

    /// That the way back was taken, and how long it took.
    fn recovery(&mut self, facts: &Facts) {
        let Some(us) = facts.back_us else { return };
        let told = || {
            let ms = us as f64 / 1000.0;
            vec![
                journal(format!("the way back: the router was back at Blue after {ms} ms")),
                piece(names::STATE_AFTER, "what ran afterwards"),
            ]
        };
        self.nist(
            "CP-10",
            "System Recovery and Reconstitution",
            Some(LOW),
            told(),
            "recovery of data, or from the loss of a host",
        );
        self.nist(
            "CP-10(4)",
            "Restore Within Time Period",
            Some(HIGH),
            told(),
            "the period that the organisation has defined; recovery of data",
        );
    }

    /// That a way back was exercised.
    fn exercise(&mut self, facts: &Facts) {
        let told = || {
            let mut told = vec![journal("what was done, and when")];
            if facts.recorded {
                told.push(piece(names::CAST, "what the operator saw"));
            }
            if facts.exercise {
                told.push(piece(names::EXERCISE, "criteria, measures against them, what follows"));
            }
            told.push(piece(names::REPORT, "the result and its times"));
            told
        };
        let on = match facts.kind {
            Kind::Drill => "; this was a lab and not the system",
            _ => "",
        };
        let lacks = format!("that the contingency plan names this as a test of it{on}");
        self.nist("CP-4", "Contingency Plan Testing", Some(LOW), told(), &lacks);
        let lacks = format!("that it was part of a test of incident response{on}");
        self.nist("IR-3", "Incident Response Testing", Some(MODERATE), told(), &lacks);
        self.cmmc("IR.L2-3.6.3", "Incident Response Testing", told(), &lacks);
        if facts.kind != Kind::Drill || !facts.exercise {
            return;
        }
        let lacks = "that simulated events are part of the organisation's training, for whom, and \
                     how often";
        self.nist("CP-3(1)", "Simulated Events", Some(HIGH), told(), lacks);
        self.nist("IR-2(1)", "Simulated Events", Some(HIGH), told(), lacks);
    }

    /// That there is a record, and what it is worth.
    fn records(&mut self, facts: &Facts) {
        let types = "the types of events that are recorded";
        self.nist(
            "AU-2",
            "Event Logging",
            Some(LOW),
            vec![journal(types)],
            "which events the organisation has chosen",
        );
        let content = "each line: type, time, host, actor, outcome";
        self.nist(
            "AU-3",
            "Content of Audit Records",
            Some(LOW),
            vec![journal(content)],
            "records of other systems",
        );
        self.nist(
            "AU-6",
            "Audit Record Review, Analysis, and Reporting",
            Some(LOW),
            vec![piece(names::REPORT, "a report that can be reviewed")],
            "that anybody reviews it",
        );
        let report = || vec![piece(names::REPORT, "the record in order, made from the journal")];
        self.nist(
            "AU-7",
            "Audit Record Reduction and Report Generation",
            Some(MODERATE),
            report(),
            "reports over other systems",
        );
        let clock = || {
            let mut told = vec![
                journal("UTC with milliseconds in each line"),
                piece(names::ENVIRONMENT, format!("this host's clock: {}", facts.clock)),
            ];
            if facts.dated {
                told.push(piece(names::DECLARATION_TOKEN, "the time authority's time"));
            }
            told
        };
        let lacks = "how accurate the host's clock is";
        self.nist("AU-8", "Time Stamps", Some(LOW), clock(), lacks);
        self.cmmc("AU.L2-3.3.7", "Authoritative Time Source", clock(), lacks);
        let chain = || {
            let mut told = vec![
                journal("each line has the digest of the one before"),
                piece(names::MANIFEST, "SHA-256 of every file"),
            ];
            if facts.signed.is_some() {
                told.push(piece(names::MANIFEST_SIG, "the signature under the digests"));
            }
            told
        };
        self.nist(
            "AU-9",
            "Protection of Audit Information",
            Some(LOW),
            chain(),
            "prevention of access or deletion: a change is detected, no more",
        );
        self.nist(
            "AU-9(3)",
            "Cryptographic Protection",
            Some(HIGH),
            chain(),
            "protection of the tool itself, whose digest is recorded",
        );
        self.cmmc(
            "AU.L2-3.3.8",
            "Audit Protection",
            chain(),
            "a and c to f: prevention of access, change and deletion; b is detection only",
        );
        if facts.dated && facts.signed.as_ref().is_some_and(|key| key.starts_with("sk-")) {
            self.nist(
                "AU-10",
                "Non-repudiation",
                Some(HIGH),
                vec![
                    piece(names::DECLARATION_SIG, "by a key on a token that is touched"),
                    piece(names::DECLARATION_TOKEN, "when, by an authority"),
                ],
                "who touched the token",
            );
        }
        self.nist(
            "AU-12",
            "Audit Record Generation",
            Some(LOW),
            vec![journal("written while the run was flown")],
            "records of the whole system",
        );
        if facts.recorded {
            self.nist(
                "AU-14",
                "Session Audit",
                None,
                vec![piece(names::CAST, "what the operator saw; keys are not recorded")],
                "other sessions on the same hosts",
            );
        }
        self.cmmc(
            "AU.L2-3.3.1",
            "System Auditing",
            vec![journal(content)],
            "what the organisation has defined to be audited; how long records are kept",
        );
        self.cmmc("AU.L2-3.3.6", "Reduction & Reporting", report(), "reports over other systems");
    }

    /// Who did it.
    fn people(&mut self, facts: &Facts) {
        if facts.operator || facts.signed.is_some() {
            let mut told = vec![journal("the operator, as the system names them")];
            if facts.signed.is_some() {
                told.push(piece(names::DECLARATION_SIG, "the operator's key"));
            }
            self.cmmc(
                "AU.L2-3.3.2",
                "User Accountability",
                told.clone(),
                "that nobody else can use the account or the key",
            );
            self.cmmc(
                "AC.L2-3.1.7",
                "Privileged Functions",
                told,
                "what users without privileges are kept from",
            );
        }
        let (told, lacks) = match &facts.approved {
            Some(who) => (
                vec![piece(
                    names::APPROVAL_SIG,
                    format!("approved with another key, whose holder says to be {who}"),
                )],
                "that the two keys belong to two people: the evaluator's signers file says whose \
                 they are"
                    .to_owned(),
            ),
            None => (
                vec![piece(names::DECLARATION, "who declared, and that nobody else approved")],
                "separation: nobody but the deployer approved (approver = deployer)".to_owned(),
            ),
        };
        self.nist("AC-5", "Separation of Duties", Some(MODERATE), told.clone(), &lacks);
        self.cmmc("AC.L2-3.1.4", "Separation of Duties", told, &lacks);
    }
}

const LOW: &str = "low";
const MODERATE: &str = "moderate";
const HIGH: &str = "high";
