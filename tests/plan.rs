//! Plans as people write them: good ones, and one story for each kind of fault.
//!
//! `tests/fixtures/plans/faults/NAME.toml` is refused with the text of `NAME.expected` beside it,
//! and `warnings/NAME.toml` holds with those warnings. `UPDATE_EXPECTED=1 cargo test --test plan`
//! writes the texts anew; read the difference before you keep it.

#![allow(clippy::unwrap_used, reason = "a story that cannot be read has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use switchback::plan::{
    self, Bound, CommandName, Faults, Migration, Overrides, Plan, RouterKind, Severity, Signal,
    SignalSource,
};
use switchback::units::{Millis, Percent};

fn plans(dir: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/plans").join(dir);
    let mut plans: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .collect();
    plans.sort();
    assert!(!plans.is_empty());
    plans
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn read(path: &Path) -> Result<plan::Loaded, Faults> {
    plan::parse(&fs::read_to_string(path).unwrap(), &name(path))
}

fn good(file: &str) -> Plan {
    let path = plans("good").into_iter().find(|path| name(path) == file).unwrap();
    read(&path).unwrap_or_else(|faults| panic!("{faults}")).plan
}

fn compare(plan: &Path, text: &str, wrong: &mut Vec<String>) {
    let expected = plan.with_extension("expected");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&expected, text).unwrap();
    }
    let wanted = fs::read_to_string(&expected).unwrap_or_default();
    if wanted != text {
        wrong.push(format!("{}\n--- expected\n{wanted}\n--- got\n{text}", plan.display()));
    }
}

#[test]
fn every_kind_of_fault_is_named_by_line_with_cause_and_hint() {
    let mut wrong = Vec::new();
    for path in plans("faults") {
        let faults = read(&path).err().unwrap_or_else(|| panic!("{} was accepted", path.display()));
        assert!(faults.iter().all(|fault| fault.severity == Severity::Error));
        let text = format!("{faults}\n");
        assert!(!text.contains("hunter2"), "{}: a secret was printed:\n{text}", path.display());
        compare(&path, &text, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_plan_that_holds_and_will_hurt_is_warned_about() {
    let mut wrong = Vec::new();
    for path in plans("warnings") {
        let loaded = read(&path).unwrap_or_else(|faults| panic!("{faults}"));
        let lines: Vec<String> = loaded.warnings.iter().map(|w| format!("{w}\n")).collect();
        assert!(loaded.warnings.iter().all(|warning| warning.severity == Severity::Warning));
        compare(&path, &lines.join("\n"), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_short_plan_is_a_whole_plan() {
    let plan = good("short.toml");
    assert_eq!(plan.slots[0].name, "left");
    assert_eq!(plan.slots[1].url, "http://127.0.0.1:8002");
    assert_eq!(plan.health.every, Millis::secs(1));
    assert_eq!(plan.health.timeout, Millis::secs(2));
    assert_eq!(plan.health.hold, Millis::secs(30));
    assert_eq!(plan.health.deadline, Millis::secs(300));
    assert_eq!(plan.probe_every, Millis(250));
    assert_eq!(plan.ramp, [10, 50, 100].map(|n| Percent::new(n).unwrap()));
    assert_eq!(plan.ramp_hold, Millis::secs(180));
    assert_eq!((plan.soak, plan.watch), (Millis::secs(300), Millis::secs(720)));
    assert_eq!((plan.warm, plan.drain), (Millis::secs(3600), Millis::secs(30)));
    assert_eq!(plan.router.timeout, Millis::secs(1));
    assert_eq!(plan.release.migration, Migration::Undeclared);
    assert!(!plan.on_trip.ask);
    assert_eq!(plan.commands.timeout, Millis::secs(300));
    assert_eq!(plan.limits, plan::default_limits());
    let signals: Vec<Signal> = plan.limits.iter().map(|limit| limit.signal).collect();
    assert_eq!(signals, Signal::ALL);
    let limit = plan.limit(Signal::ErrorRate).unwrap();
    assert_eq!((limit.above, limit.hold), (Bound::Percent(2.0), Millis::secs(120)));
    assert!(plan.commands.has(CommandName::Deploy) && !plan.commands.has(CommandName::Stop));
}

#[test]
fn everything_that_can_be_said_is_understood() {
    let plan = good("full.toml");
    assert_eq!(plan.release.change["reference"], "#118");
    assert_eq!(plan.release.migration, Migration::Expand);
    assert_eq!(plan.identity.slot_header.as_deref(), Some("X-Slot"));
    let RouterKind::Haproxy { backend, servers, state_file, .. } = &plan.router.kind else {
        panic!("not haproxy");
    };
    assert_eq!(backend.as_deref(), Some("notes"));
    assert_eq!(servers.as_ref().unwrap(), &["app_a", "app_b"]);
    assert_eq!(state_file.as_deref(), Some("/var/lib/haproxy/servers.state"));
    assert_eq!(plan.probes[0].contains.as_deref(), Some("total"));
    assert_eq!(plan.probes[0].headers["X-Probe"], "yes");
    let p95 = plan.limit(Signal::LatencyP95).unwrap();
    assert!(p95.declared && p95.literal);
    assert!(!plan.limit(Signal::Health).unwrap().declared);
    assert_eq!(plan.signals[&Signal::DbErrors], SignalSource::Readiness("/db/errors".to_owned()));
    assert_eq!(plan.signals[&Signal::QueueDepth], SignalSource::None);
    assert_eq!(plan.commands.argv.len(), CommandName::ALL.len());
    assert_eq!(plan.evidence.marking.as_deref(), Some("CUI"));
    assert_eq!(plan.digest.len(), 64);
}

#[test]
fn the_order_of_the_slots_is_that_of_the_file() {
    let plan = good("command.toml");
    assert_eq!(plan.slots.each_ref().map(|slot| slot.name.as_str()), ["a", "8001"]);
    assert_eq!(plan.slots[0].url, "https://a.example.org/app", "without the trailing slash");
}

#[test]
fn the_effective_plan_reads_back_as_the_same_plan() {
    for path in plans("good").into_iter().chain(plans("warnings")) {
        let plan = read(&path).unwrap().plan;
        let text = plan::effective(&plan);
        let again = plan::parse(&text, "effective")
            .unwrap_or_else(|faults| panic!("{}: {faults}\n{text}", path.display()))
            .plan;
        assert_eq!(Plan { digest: plan.digest.clone(), ..again.clone() }, plan, "{text}");
        assert_ne!(again.digest, plan.digest, "the digest is of the bytes");
        assert_eq!(plan::effective(&again), text, "and prints the same");
    }
}

#[test]
fn the_effective_plan_says_what_is_a_default_and_what_is_not_declared() {
    insta::assert_snapshot!(plan::effective(&good("short.toml")));
}

#[test]
fn no_key_is_forgotten_by_the_effective_plan() {
    let text = plan::effective(&good("full.toml"));
    assert!(!text.contains("# not declared"), "everything is declared there:\n{text}");
}

#[test]
fn what_the_command_line_says_is_not_warned_about_any_more() {
    let path = plans("good").into_iter().find(|path| name(path) == "short.toml").unwrap();
    let loaded = read(&path).unwrap();
    let undeclared = |loaded: &plan::Loaded| {
        loaded.warnings.iter().filter(|w| w.path.as_str() == "release.migration").count()
    };
    assert_eq!(undeclared(&loaded), 1);
    let overrides = Overrides { migration: Some(Migration::None), ..Overrides::default() };
    assert_eq!(undeclared(&loaded.with(overrides).unwrap()), 0);
}

#[test]
fn the_runbook_carries_the_plan() {
    insta::assert_snapshot!("runbook_full", plan::runbook_md(&good("full.toml")));
    insta::assert_snapshot!("runbook_command", plan::runbook_md(&good("command.toml")));
}

#[test]
fn the_command_line_goes_before_the_plan_and_is_checked_like_it() {
    let plan = good("full.toml");
    let overrides = Overrides {
        release: Some("2.0.0".to_owned()),
        current: None,
        migration: Some(Migration::Irreversible),
    };
    let with = plan.clone().with(overrides).unwrap();
    assert_eq!(with.release.next.as_deref(), Some("2.0.0"));
    assert_eq!(with.release.current, plan.release.current);
    assert_eq!(with.release.migration, Migration::Irreversible);
    assert_eq!(with.digest, plan.digest);

    let bad = Overrides {
        release: Some("--rm".to_owned()),
        current: Some("1 2".to_owned()),
        migration: None,
    };
    let faults = plan.with(bad).unwrap_err();
    assert_eq!(faults.len(), 2, "{faults}");
    assert!(faults.to_string().contains("--release: the value begins with `-`"), "{faults}");
}

#[test]
fn a_file_that_is_no_plan_says_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let says = |path: &Path| plan::load(path).unwrap_err().to_string();
    assert!(
        says(&dir.path().join("none.toml")).contains("there is no such file\nhint: copy the short")
    );
    assert!(says(dir.path()).contains("this is a directory"));
    let write = |bytes: &[u8]| {
        let path = dir.path().join("plan.toml");
        fs::write(&path, bytes).unwrap();
        path
    };
    assert!(says(&write(b"")).contains("the plan is empty"));
    assert!(says(&write(b"# nothing\n")).contains("`schema` is missing"));
    assert!(says(&write(&vec![b'a'; 10 << 20])).contains("larger than 1 MiB"));
    assert!(
        says(&write(b"schema = 1\nservice = \"\xff\"\n"))
            .contains("plan.toml:2: the plan is not UTF-8")
    );
    assert!(says(&write(b"\x00\x01\x02")).contains("not TOML"));
    let pipe = dir.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
    assert!(says(&pipe).contains("not a regular file"), "and it does not wait for a writer");
}

#[test]
fn a_hostile_file_neither_crashes_nor_reaches_the_terminal() {
    for text in [
        "[".repeat(200_000),
        format!("a = {}", "[".repeat(200_000)),
        format!("a = {}", "{a=".repeat(100_000)),
        "a.".repeat(100_000) + "b = 1",
        format!("\"{}\" = 1", "k".repeat(500_000)),
        (0..100_000).map(|n| format!("k{n} = 1\n")).collect(),
        "[[probe]]\n".repeat(100_000),
        "[[limit]]\nsignal = \"health\"\n".repeat(30_000),
        "=\n".repeat(400_000),
    ] {
        let faults = plan::parse(&text, "hostile").unwrap_err().to_string();
        assert!(faults.len() < 50_000, "{}", faults.len());
    }
    let faults =
        plan::parse("schema = 1\n\"\\u001b[2J\" = 1\nx\x1b[31m = 1\n", "plan\x1b[2J").unwrap_err();
    assert!(!faults.to_string().contains('\x1b'), "{faults:?}");
    assert!(
        !serde_json::to_string(&faults.iter().collect::<Vec<_>>()).unwrap().contains("\\u001b")
    );
}

#[test]
fn secrets_are_fetched_by_name_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    fs::write(&file, "hunter2\n").unwrap();
    let text = |source: &str| {
        let short = fs::read_to_string(&plans("good")[2]).unwrap();
        format!("{short}\n[secrets]\ntoken = {source}\n")
    };
    let load = |source: &str| plan::parse(&text(source), "plan").unwrap().plan;

    let secrets = plan::secrets::resolve(&load(&format!("{{ file = {file:?} }}"))).unwrap();
    assert_eq!(secrets.by_name()["token"], "hunter2");
    assert!(!format!("{secrets:?}").contains("hunter2"));

    let secrets = plan::secrets::resolve(&load("{ env = \"CARGO_PKG_NAME\" }")).unwrap();
    assert_eq!(secrets.by_name()["token"], "switchback");

    let faults = plan::secrets::resolve(&load("{ env = \"SWITCHBACK_NO_SUCH\" }")).unwrap_err();
    assert!(faults.to_string().contains("the variable SWITCHBACK_NO_SUCH is not set"), "{faults}");

    fs::write(&file, "two\nlines\n").unwrap();
    let faults = plan::secrets::resolve(&load(&format!("{{ file = {file:?} }}"))).unwrap_err();
    assert!(!faults.to_string().contains("two"), "{faults}");

    let path = dir.path().join("plan.toml");
    fs::write(&path, text("{ env = \"SWITCHBACK_NO_SUCH\" }")).unwrap();
    let warnings = plan::load(&path).unwrap().warnings;
    let warning = warnings.iter().find(|w| w.path.as_str() == "secrets.token").unwrap();
    assert!(warning.cause.as_str().contains("SWITCHBACK_NO_SUCH") && warning.line.is_some());
}

#[test]
fn programs_are_looked_for_as_the_system_does() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    let short = fs::read_to_string(&plans("good")[2]).unwrap();
    let short = short.split("[commands]").next().unwrap();
    let text = format!(
        "{short}\n[commands]\ndeploy = [\"sh\"]\nlogs = [\"no-such-program-here\"]\nstop = [{script:?}]\nmigrate = [\"./deploy-{{slot}}\"]\n"
    );
    let loaded = plan::parse(&text, "plan").unwrap();
    let faults = plan::commands_on_path(&loaded.plan, &loaded.places);
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["commands.logs", "commands.stop"], "{faults:?}");
    assert!(faults[0].cause.as_str().contains("on the PATH") && faults[0].line.is_some());
    assert!(faults[1].cause.as_str().contains("not executable"));
}

#[test]
fn the_schema_accepts_the_plans_and_refuses_what_check_refuses() {
    let schema = plan::schema();
    for path in plans("good") {
        let plan =
            toml::from_str::<serde_json::Value>(&fs::read_to_string(&path).unwrap()).unwrap();
        accepts(&schema, &plan).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    }
    for fault in [
        "unknown-key",
        "unknown-table",
        "wrong-types",
        "brackets",
        "commands",
        "slots-three",
        "router-command",
    ] {
        let path =
            plans("faults").into_iter().find(|p| name(p) == format!("{fault}.toml")).unwrap();
        let plan =
            toml::from_str::<serde_json::Value>(&fs::read_to_string(&path).unwrap()).unwrap();
        assert!(accepts(&schema, &plan).is_err(), "{fault} was accepted");
    }
}

/// As much of JSON Schema as ours uses, but for patterns.
fn accepts(schema: &serde_json::Value, value: &serde_json::Value) -> Result<(), String> {
    use serde_json::Value;
    let no = |why: &str| Err(format!("{why}: {value} by {schema}"));
    if schema == &Value::Bool(false) {
        return no("never allowed");
    }
    if let Some(any) = schema["anyOf"].as_array()
        && !any.iter().any(|schema| accepts(schema, value).is_ok())
    {
        return no("none of the forms");
    }
    for case in schema["allOf"].as_array().into_iter().flatten() {
        if accepts(&case["if"], value).is_ok() {
            accepts(&case["then"], value)?;
        }
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return no("not the constant");
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return no("not one of the words");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = |kind: &&str| match *kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("the schema uses a type {other}"),
    };
    if !types.is_empty() && !types.iter().any(is) {
        return no("wrong type");
    }
    if let Some(items) = value.as_array()
        && schema["items"].is_object()
    {
        items.iter().try_for_each(|item| accepts(&schema["items"], item))?;
    }
    if let Some(table) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten() {
            if !table.contains_key(name.as_str().unwrap()) {
                return no("a key is missing");
            }
        }
        if schema["maxProperties"].as_u64().is_some_and(|most| table.len() as u64 > most) {
            return no("too many keys");
        }
        for (name, item) in table {
            match schema["properties"].get(name) {
                Some(schema) => accepts(schema, item)?,
                None if schema["additionalProperties"].is_null() => {}
                None => accepts(&schema["additionalProperties"], item)?,
            }
        }
    }
    Ok(())
}
