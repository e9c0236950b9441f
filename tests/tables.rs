//! The tables of a bundle: controls, OSCAL, in-toto.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;
use switchback::evidence::account::{Back, Compared, GateEnd, GateTold, Recording};
use switchback::evidence::{Account, controls, oscal, statement};
use switchback::journal::{ClockState, Declared, Signer, Token};
use switchback::plan::Migration;
use switchback::runbook::gate::{Check, CheckState, GateState};
use switchback::runbook::snapshot::Stamp;
use switchback::runbook::{Kind, RunOutcome, Step};
use switchback::units::Millis;

fn gate(step: Step, state: GateState, seq: u64) -> GateTold {
    let checks = vec![Check::new(CheckState::Good, "grüße: 240 of 240 ready")];
    GateTold { step, state, checks, at: Millis(seq * 1000), seq, end: GateEnd::Passed }
}

fn signer(identity: &str, key: &str) -> Signer {
    let fingerprint = format!("SHA256:{identity}");
    Signer { identity: identity.into(), fingerprint, key: key.to_owned() }
}

/// A deploy that was kept, of which nothing is declared or signed.
fn plain(kind: Kind) -> Account {
    Account {
        run: "20261123T142207Z-7f3a".to_owned(),
        kind,
        host: "vps-1".into(),
        service: "notes".into(),
        operator: Some("otto".into()),
        attended: true,
        marking: None,
        program: "0.1.0".to_owned(),
        began_unix_ms: 1_795_443_727_104,
        ended_unix_ms: Some(1_795_447_327_104),
        outcome: Some(RunOutcome::Kept),
        exit: Some(0),
        says: "kept".into(),
        plan_sha256: "ab".repeat(32),
        overrides: Default::default(),
        router: "haproxy".into(),
        slots: ["left".into(), "right".into()],
        blue_known: true,
        current: Some("1.8.2".into()),
        next: Some("1.9.0".into()),
        migration: Migration::None,
        change: Default::default(),
        declared: Some(Declared { clock: ClockState::Free, ..Default::default() }),
        first_change: Some(Millis(9_000)),
        steps: Vec::new(),
        cuts: Vec::new(),
        gates: vec![
            gate(Step::Confirm, GateState::Open, 9),
            gate(Step::Readiness, GateState::Open, 17),
            gate(Step::Soak, GateState::Open, 21),
            gate(Step::Watch, GateState::Open, 40),
        ],
        compared: Vec::new(),
        users: Default::default(),
        back: None,
        switches: Vec::new(),
        last_read: None,
        limits: Vec::new(),
        trips: Vec::new(),
        later_trips: Vec::new(),
        unproven: None,
        outside: Vec::new(),
        timeline: Vec::new(),
        redacted: Default::default(),
        marks: None,
        approved_at: None,
        exercise: None,
        recordings: Vec::new(),
        samples: Vec::new(),
        owed: Vec::new(),
        journal: (50, "cd".repeat(32)),
        missing_inputs: 0,
        last_at: Millis(3_600_000),
    }
}

/// One that has everything that a row goes by, and went back.
fn full() -> Account {
    let mut account = plain(Kind::Deploy);
    for (key, value) in [
        ("reason", "fixes CVE-2026-1234"),
        ("impact", "reads more"),
        ("commit", "4f2a"),
        ("artefact", "registry.example.org/notes@sha256:"),
    ] {
        account.change.insert(key.to_owned(), value.into());
    }
    let artefact = format!("registry.example.org/notes@sha256:{}", "EF".repeat(32));
    account.change.insert("artefact".to_owned(), artefact.as_str().into());
    account.marking = Some("CUI".into());
    account.outcome = Some(RunOutcome::RolledBack);
    account
        .gates
        .push(GateTold { end: GateEnd::WayBack, ..gate(Step::Decide, GateState::Shut, 44) });
    account.declared = Some(Declared {
        signed: Some(signer("otto", "sk-ecdsa-sha2-nistp256@openssh.com")),
        approved: Some(signer("olga", "ecdsa-sha2-nistp256")),
        token: Some(Token { time: "2026-11-23T14:22:08Z".to_owned(), authority: "a".into() }),
        clock: ClockState::Synchronised,
        ..Default::default()
    });
    account.compared.push(Compared {
        what: "artefact".to_owned(),
        planned: Some("a".into()),
        actual: Some("a".into()),
        same: Some(true),
    });
    account.back = Some(Back {
        at: Millis(3_000_000),
        why: "tripped".into(),
        from: Some(50),
        stamps: vec![(Stamp::RouterAtBlue, Some(512), "".into())],
    });
    account.recordings.push(Recording {
        file: "session.cast".to_owned(),
        size: (120, 36),
        closed: None,
        lost: None,
        present: true,
    });
    account
}

fn ids(account: &Account) -> Vec<&'static str> {
    controls::rows(account).iter().map(|row| row.id).collect()
}

fn files() -> Vec<(String, String)> {
    [
        "declaration.json",
        "declaration.json.sig",
        "journal.jsonl",
        "plan.toml",
        "report.html",
        "session.cast",
        "state.after.json",
    ]
    .iter()
    .enumerate()
    .map(|(n, file)| ((*file).to_owned(), format!("{n:064x}")))
    .collect()
}

#[test]
fn only_rows_are_there_that_the_run_can_say_something_about() {
    let plain_ids = ids(&plain(Kind::Deploy));
    for there in ["CM-3", "CM-3(2)", "AU-3", "AU-8", "AU-9(3)", "AC-5", "CM.L2-3.4.3"] {
        assert!(plain_ids.contains(&there), "{there}");
    }
    let needs = [
        "CM-3(1)",
        "CM-4",
        "CM-5",
        "CM-5(1)",
        "CM-2",
        "SI-2",
        "SI-7",
        "SA-10",
        "CP-10",
        "CP-10(4)",
        "AU-10",
        "AU-14",
        "CM.L2-3.4.4",
        "CM.L2-3.4.5",
        "RA.L2-3.11.3",
    ];
    let full_ids = ids(&full());
    for absent in needs {
        assert!(!plain_ids.contains(&absent), "{absent}");
        assert!(full_ids.contains(&absent), "{absent}");
    }
    for exercise in ["CP-4", "IR-3", "IR.L2-3.6.3"] {
        assert!(!full_ids.contains(&exercise), "{exercise} is for drills and rehearsals");
        assert!(ids(&plain(Kind::Rehearsal)).contains(&exercise), "{exercise}");
    }
    assert_eq!(ids(&plain(Kind::Drill)), ["CP-4", "IR-3", "IR.L2-3.6.3"]);
    assert!(controls::json(&plain(Kind::Drill)).contains("this was a lab and not the system"));
    assert_eq!(full_ids.len(), full_ids.iter().collect::<BTreeSet<_>>().len(), "each once");
    // A key in a file can be copied: what it signed can be denied.
    let mut software = full();
    let declared = software.declared.as_mut().unwrap();
    declared.signed.as_mut().unwrap().key = "ecdsa-sha2-nistp256".to_owned();
    assert!(!ids(&software).contains(&"AU-10"));
}

#[test]
fn duties_that_are_not_separate_are_told() {
    let row = |account: &Account| {
        controls::rows(account).into_iter().find(|row| row.id == "AC-5").unwrap()
    };
    assert!(row(&plain(Kind::Deploy)).does_not_show.contains("approver = deployer"));
    let approved = row(&full());
    assert!(approved.relevant[0].what.contains("olga"));
    assert!(approved.does_not_show.contains("two people"), "{}", approved.does_not_show);
}

#[test]
fn nothing_claims_what_only_an_assessor_can_say() {
    for account in [plain(Kind::Deploy), plain(Kind::Drill), plain(Kind::Rehearsal), full()] {
        for row in controls::rows(&account) {
            assert!(!row.does_not_show.is_empty() && !row.relevant.is_empty(), "{}", row.id);
        }
        for text in [
            controls::json(&account),
            oscal::json(&account, &files()),
            statement::json(&account, &files()),
        ] {
            let small = text.to_lowercase();
            for claim in ["complian", "satisf", "certif", "fips", "\"findings\""] {
                assert!(!small.contains(claim), "{claim}: {text}");
            }
            assert!(text.is_ascii() && text.ends_with("}\n"));
            assert!(text.contains("vps-1") && small.contains(&account.kind.word().to_lowercase()));
        }
    }
}

/// All strings of a document, with the key that they stand under.
fn strings(value: &Value, under: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((under.to_owned(), text.clone())),
        Value::Array(list) => list.iter().for_each(|value| strings(value, under, found)),
        Value::Object(map) => map.iter().for_each(|(key, value)| strings(value, key, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_to_a_file_with_its_digest() {
    for account in [plain(Kind::Deploy), plain(Kind::Drill), full()] {
        let files = files();
        let text = oscal::json(&account, &files);
        assert_eq!(text, oscal::json(&account, &files), "the same run gives the same file");
        let doc: Value = serde_json::from_str(&text).unwrap();
        let mut found = Vec::new();
        strings(&doc, "", &mut found);
        let uuids: Vec<&String> =
            found.iter().filter(|(key, _)| key == "uuid").map(|(_, id)| id).collect();
        assert_eq!(uuids.len(), uuids.iter().collect::<BTreeSet<_>>().len(), "no id twice");
        let references: Vec<&str> = found
            .iter()
            .filter(|(key, _)| key == "href")
            .filter_map(|(_, href)| href.strip_prefix('#'))
            .collect();
        assert!(references.len() > 3);
        for resource in doc["assessment-results"]["back-matter"]["resources"].as_array().unwrap() {
            let id = resource["uuid"].as_str().unwrap();
            assert!(references.contains(&id), "nothing speaks of {}", resource["title"]);
        }
        for reference in references {
            assert!(uuids.iter().any(|id| *id == reference), "#{reference} leads nowhere");
        }
        let doc = &doc["assessment-results"];
        let resources = doc["back-matter"]["resources"].as_array().unwrap();
        let links: Vec<(String, String)> = resources
            .iter()
            .map(|resource| {
                let link = &resource["rlinks"][0];
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                (text(&link["href"]), text(&link["hashes"][0]["value"]))
            })
            .collect();
        assert_eq!(links, files);
        let title = doc["metadata"]["title"].as_str().unwrap();
        assert!(title.contains(account.kind.word()) && title.contains("vps-1"), "{title}");
        let other = Account { run: "20261123T142207Z-7f3b".to_owned(), ..account.clone() };
        let other: Value = serde_json::from_str(&oscal::json(&other, &files)).unwrap();
        assert_ne!(other["assessment-results"]["uuid"], doc["uuid"]);
    }
}

#[test]
fn the_statement_speaks_of_the_artefact_and_of_each_gate() {
    let doc: Value = serde_json::from_str(&statement::json(&full(), &files())).unwrap();
    assert_eq!(doc["subject"][0]["name"], "registry.example.org/notes");
    assert_eq!(doc["subject"][0]["digest"]["sha256"], "ef".repeat(32));
    assert_eq!(doc["predicate"]["result"], "FAILED");
    assert_eq!(doc["predicate"]["failedTests"], serde_json::json!(["gate 7 Decide"]));
    assert_eq!(doc["predicate"]["passedTests"].as_array().unwrap().len(), 4);
    assert_eq!(doc["predicate"]["configuration"][0]["digest"]["sha256"], files()[3].1);
    let mut account = plain(Kind::Deploy);
    let result = |account: &Account| {
        let doc: Value = serde_json::from_str(&statement::json(account, &[])).unwrap();
        assert_eq!(doc["subject"][0]["name"], "plan.toml");
        assert_eq!(doc["subject"][0]["digest"]["sha256"], "ab".repeat(32));
        doc["predicate"]["result"].as_str().unwrap().to_owned()
    };
    assert_eq!(result(&account), "PASSED");
    account.gates[1].state = GateState::Unknown;
    assert_eq!(result(&account), "WARNED");
    account.gates[1].state = GateState::Open;
    account.outcome = None;
    assert_eq!(result(&account), "WARNED", "a run that was cut off has not passed");
    account.outcome = Some(RunOutcome::RolledBack);
    assert_ne!(result(&account), "PASSED", "what was sent back has not passed");
}

fn back(why: &str) -> Back {
    Back { at: Millis(3_000_000), why: why.into(), from: Some(100), stamps: Vec::new() }
}

/// The lists of a statement, and its result.
fn tests(account: &Account) -> (String, [Vec<String>; 3]) {
    let doc: Value = serde_json::from_str(&statement::json(account, &[])).unwrap();
    let list = |key: &str| {
        let list = doc["predicate"][key].as_array().unwrap();
        list.iter().map(|test| test.as_str().unwrap().to_owned()).collect()
    };
    let result = doc["predicate"]["result"].as_str().unwrap().to_owned();
    (result, ["passedTests", "warnedTests", "failedTests"].map(list))
}

#[test]
fn a_failed_statement_names_what_has_failed_and_a_choice_is_no_failure() {
    let mut account = plain(Kind::Deploy);
    account.outcome = Some(RunOutcome::RolledBack);
    account.back = Some(back("the operator went back"));
    account.gates[3].end = GateEnd::WayBack;
    let (result, [passed, warned, failed]) = tests(&account);
    assert_eq!((result.as_str(), failed.len()), ("WARNED", 0));
    assert_eq!(passed.len(), 3, "{passed:?}");
    assert_eq!(warned, ["gate 6 Watch"], "it was open, and its step did not pass");
    account.back = Some(back("Green does not answer any more"));
    let (result, [.., failed]) = tests(&account);
    assert_eq!(result, "FAILED");
    assert_eq!(failed, ["way back: Green does not answer any more"]);
}

#[test]
fn signed_before_the_first_change_is_said_with_its_reserve() {
    let told = |account: &Account| {
        let row = controls::rows(account).into_iter().find(|row| row.id == "CM-3").unwrap();
        row.relevant[0].what.clone()
    };
    let mut account = full();
    assert!(told(&account).ends_with("as a time authority's token says"), "{}", told(&account));
    let declared = account.declared.as_mut().unwrap();
    declared.token.as_mut().unwrap().time = "2026-11-24T00:00:00Z".to_owned();
    assert!(told(&account).contains("AFTER the first change"), "{}", told(&account));
    account.declared.as_mut().unwrap().token = None;
    assert!(told(&account).ends_with("by the operator's word alone"), "{}", told(&account));
    for text in [controls::json(&account), oscal::json(&account, &files())] {
        let claims = text.matches("before the first change").count();
        assert!(claims > 0);
        assert_eq!(claims, text.matches("before the first change by the operator's word").count());
    }
}

#[test]
fn a_watch_that_ended_unproven_has_not_passed() {
    let mut account = plain(Kind::Deploy);
    account.outcome = Some(RunOutcome::RolledBack);
    account.back = Some(back("The watch ended unproven: 7 of 36 requests"));
    account.gates[3].end = GateEnd::Unproven;
    let (result, [passed, warned, failed]) = tests(&account);
    assert_eq!((result.as_str(), failed.len()), ("WARNED", 0));
    assert!(!passed.contains(&"gate 6 Watch".to_owned()));
    assert_eq!(warned, ["gate 6 Watch"]);
    assert!(oscal::json(&account, &[]).contains("its outcome was unproven"));
}

#[test]
fn a_gate_that_waited_is_not_told_as_waiting_where_its_step_is_over() {
    let mut account = plain(Kind::Deploy);
    account.gates[3].state = GateState::Waiting;
    let text = oscal::json(&account, &[]);
    assert!(!text.contains("Watch: waiting"), "{text}");
    assert!(text.contains("Gate 6, Watch: passed (step passed; how the gate stood then is not"));
    account.gates[3].end = GateEnd::WayBack;
    let text = oscal::json(&account, &[]);
    assert!(text.contains("Gate 6, Watch: left (left at the way back)"), "{text}");
    assert!(text.contains("left at the way back; before that, at line 40: "), "{text}");
}

#[test]
#[ignore = "needs trestle: pip install compliance-trestle"]
fn trestle_takes_the_file() {
    let home = tempfile::tempdir().unwrap();
    let trestle = |line: &[&str]| {
        let out = Command::new("trestle").args(line).current_dir(home.path()).output();
        out.unwrap_or_else(|error| panic!("trestle (compliance-trestle) is needed: {error}"))
    };
    let ready = trestle(&["init"]);
    assert!(ready.status.success(), "{}", String::from_utf8_lossy(&ready.stderr));
    let mut empty = full();
    empty.says = "".into();
    empty.gates[0].checks.clear();
    let accounts = [plain(Kind::Deploy), plain(Kind::Drill), plain(Kind::Rehearsal), full(), empty];
    for (n, account) in accounts.iter().enumerate() {
        let name = format!("run-{n}");
        let dir = home.path().join("assessment-results").join(&name);
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("assessment-results.json");
        let text = oscal::json(account, &files());
        std::fs::write(&file, &text).unwrap();
        let said = trestle(&["validate", "-t", "assessment-results", "-n", &name]);
        let words = String::from_utf8_lossy(&said.stdout).into_owned()
            + &String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{n}: {words}");
        // It is known to look: without what is required it refuses.
        std::fs::write(&file, text.replace("import-ap", "imported-ap")).unwrap();
        let said = trestle(&["validate", "-t", "assessment-results", "-n", &name]);
        assert!(!said.status.success(), "it takes anything");
        std::fs::remove_dir_all(dir).unwrap();
    }
}
