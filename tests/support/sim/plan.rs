//! A plan whose times are short, built by hand so that it needs no parser.

use std::collections::BTreeMap;
use switchback::clean::Clean;
use switchback::plan::{
    Bound, CommandName, CommandsPlan, DeadlineThen, EvidencePlan, HealthPlan, IdentityPlan, Limit,
    Migration, OnTrip, Plan, ReleasePlan, RouterKind, RouterPlan, Signal, SlotPlan, Unproven,
};
use switchback::runbook::{Kind, RunFacts};
use switchback::units::{Millis, Percent};

/// Slots `left` and `right`, ramp 10/50/100, holds of 20 s, a watch of 60 s, 5xx over 2 % for 20 s.
pub fn plan() -> Plan {
    let limit = |signal, above, secs| Limit {
        signal,
        above,
        hold: Millis::secs(secs),
        literal: true,
        declared: true,
    };
    let slot = |name: &str, port: u16| SlotPlan {
        name: name.to_owned(),
        url: format!("http://127.0.0.1:{port}"),
    };
    Plan {
        service: "notes".to_owned(),
        slots: [slot("left", 8001), slot("right", 8002)],
        release: ReleasePlan {
            current: Some("1.8.2".to_owned()),
            next: Some("1.9.0".to_owned()),
            migration: Migration::None,
            change: BTreeMap::new(),
        },
        identity: IdentityPlan::default(),
        router: RouterPlan {
            kind: RouterKind::Lab { address: "127.0.0.1:1".to_owned() },
            front: Some("http://127.0.0.1:8080".to_owned()),
            timeout: Millis::secs(1),
        },
        health: HealthPlan {
            liveness: None,
            readiness: "/readyz".to_owned(),
            every: Millis::secs(1),
            timeout: Millis::secs(1),
            hold: Millis::secs(10),
            flaps: 2,
            deadline: Millis::secs(60),
            deadline_then: DeadlineThen::Abandon,
            require: vec![],
            optional: vec![],
            headers: BTreeMap::new(),
        },
        probe_every: Millis(250),
        probes: vec![],
        checks: vec![],
        ramp: [10, 50, 100].into_iter().filter_map(Percent::new).collect(),
        ramp_hold: Millis::secs(20),
        soak: Millis::secs(20),
        watch: Millis::secs(60),
        unproven: Unproven::Ask,
        warm: Millis::secs(120),
        drain: Millis::secs(10),
        limits: vec![
            limit(Signal::ErrorRate, Bound::Percent(2.0), 20),
            limit(Signal::LatencyP95, Bound::Millis(500.0), 20),
            limit(Signal::Health, Bound::Percent(10.0), 20),
            limit(Signal::QueueDepth, Bound::Count(500.0), 20),
        ],
        on_trip: OnTrip { ask: false, countdown: Millis::secs(30), shared_hold: Millis::secs(600) },
        signals: BTreeMap::new(),
        commands: CommandsPlan {
            argv: BTreeMap::from([(CommandName::Deploy, vec!["true".to_owned()])]),
            timeout: Millis::secs(30),
        },
        evidence: EvidencePlan::default(),
        secrets: BTreeMap::new(),
        digest: "0".repeat(64),
    }
}

/// An attended deploy that began at noon.
pub fn facts() -> RunFacts {
    RunFacts {
        run: "7f3a".to_owned(),
        kind: Kind::Deploy,
        host: Clean::new("vps-1"),
        began_unix_ms: 1_794_744_000_000,
        attended: true,
        last_rollback: None,
        last_end: None,
        tells_gates: true,
        drilled: None,
        record: switchback::signal::Record::default(),
    }
}
