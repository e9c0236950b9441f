//! What the stories about journals share: a plan, a run's beginning, and a small stepper that
//! stands in for the core.
#![allow(dead_code, reason = "each story's binary uses its part")]

use std::collections::BTreeMap;
use std::path::Path;
use switchback::clean::Clean;
use switchback::journal::{Entry, Opened, Writer};
use switchback::plan::*;
use switchback::runbook::snapshot::Stamp;
use switchback::runbook::{
    Act, Barrier, Command, Effect, EffectId, Event, Finish, Kind, NodeOutcome, NodeRead, NodeState,
    Outcome, Readback, Record, RunFacts, RunOutcome, Step,
};
use switchback::signal::{Histogram, Judgement, Origin, Sample, Verdict, Whose};
use switchback::units::{Millis, Percent, Role, Slot, Split};

pub fn plan() -> Plan {
    let slot = |name: &str, port: u16| SlotPlan {
        name: name.to_owned(),
        url: format!("http://127.0.0.1:{port}"),
    };
    let limit = Limit {
        signal: Signal::ErrorRate,
        // A value that only an exact reader brings back.
        above: Bound::Percent(7.000_000_000_000_001),
        hold: Millis::secs(120),
        literal: false,
        declared: true,
    };
    Plan {
        service: "notes".to_owned(),
        slots: [slot("left", 8001), slot("right", 8002)],
        release: ReleasePlan::default(),
        identity: IdentityPlan::default(),
        router: RouterPlan {
            kind: RouterKind::Command { set: vec!["set".into()], get: vec!["get".into()] },
            front: None,
            timeout: Millis::secs(2),
        },
        health: HealthPlan {
            liveness: None,
            readiness: "/readyz".to_owned(),
            every: Millis::secs(1),
            timeout: Millis::secs(2),
            hold: Millis::secs(30),
            flaps: 2,
            deadline: Millis::secs(300),
            deadline_then: DeadlineThen::Abandon,
            require: Vec::new(),
            optional: Vec::new(),
            headers: BTreeMap::new(),
        },
        probe_every: Millis(250),
        probes: Vec::new(),
        checks: Vec::new(),
        ramp: vec![Percent::ALL],
        ramp_hold: Millis::secs(180),
        soak: Millis::secs(300),
        watch: Millis::secs(720),
        unproven: Unproven::Ask,
        warm: Millis::secs(3600),
        drain: Millis::secs(30),
        limits: vec![limit],
        on_trip: OnTrip { ask: false, countdown: Millis::secs(30), shared_hold: Millis::secs(600) },
        signals: BTreeMap::new(),
        commands: CommandsPlan::default(),
        evidence: EvidencePlan::default(),
        secrets: BTreeMap::new(),
        digest: "9c41e2d0".repeat(8),
    }
}

pub fn opened(run: &str, kind: Kind) -> Opened {
    let facts = RunFacts {
        run: run.to_owned(),
        kind,
        host: Clean::new("vps-1 grüße"),
        began_unix_ms: 1_795_443_727_000,
        attended: true,
        last_rollback: None,
        last_end: None,
        tells_gates: true,
        drilled: None,
        record: switchback::signal::Record::default(),
    };
    Opened::new(facts, plan(), "/run/haproxy/admin.sock notes")
}

/// Stands in for the core: its effects depend on everything it has seen.
#[derive(Debug, Default)]
pub struct Stepper {
    pub seen: u64,
    pub acts: u32,
    pub requests: u64,
    pub flips: u64,
    /// A stepper that was changed since the run says something else here.
    pub changed: bool,
}

impl Stepper {
    pub fn step(&mut self, event: Event, at: Millis) -> Vec<Effect> {
        self.seen += 1;
        let info = |text: String| Effect::Record(Record::Info(Clean::new(&text)));
        match event {
            Event::Begin => vec![
                Effect::Record(Record::StepEntered { step: Step::Confirm }),
                self.act(Barrier::Nothing, Act::ReadRouter),
            ],
            Event::Resumed { .. } => vec![info(format!("picked up after {} inputs", self.seen))],
            Event::Sample(sample) => {
                self.requests += sample.requests.unwrap_or(0);
                if self.requests.is_multiple_of(3) { vec![self.verdict()] } else { Vec::new() }
            }
            Event::Read(read) => match read.split() {
                Some(_) if !read.took_us.is_multiple_of(5) => Vec::new(),
                _ => vec![info(format!("read in {} us at {at}", read.took_us))],
            },
            Event::Done { outcome: Outcome::Router(_), after_us, .. } => {
                self.flips += 1;
                let green = if self.flips.is_multiple_of(2) { 50 } else { 0 };
                vec![Effect::Record(Record::Split {
                    asked: Some(green),
                    read: Some(green),
                    took_us: after_us,
                    says: Clean::new("asked, reads"),
                })]
            }
            Event::Command(Command::Note(note)) => vec![Effect::Record(Record::Note(note))],
            Event::Command(Command::Rollback) => {
                let split = Split::all_to(Slot::First);
                let timeout = Millis::secs(2);
                vec![
                    Effect::Record(Record::RollbackStarted { why: "asked".into(), from: Some(50) }),
                    self.act(
                        Barrier::Nothing,
                        Act::SetRouter { split, timeout, rollback: true, expect: None },
                    ),
                    Effect::Record(Record::Stamped {
                        stamp: Stamp::RouterAtBlue,
                        after_us: Some(480),
                        says: "0.5 ms".into(),
                    }),
                ]
            }
            Event::Due if self.changed && self.seen > 5 => vec![info("changed".to_owned())],
            _ => Vec::new(),
        }
    }

    fn act(&mut self, after: Barrier, act: Act) -> Effect {
        self.acts += 1;
        Effect::Act { id: EffectId { n: self.acts, attempt: 1 }, after, act }
    }

    fn verdict(&self) -> Effect {
        let judgement = Judgement {
            // Seventeen digits, so that nothing but the same bits will do.
            value: Some(100.0 / (self.requests as f64 + 0.7)),
            bad: 1,
            of: self.requests,
            ..Judgement::new(plan().limits[0], Verdict::Ok)
        };
        Effect::Record(Record::Verdict { role: Role::Green, judgement })
    }
}

pub fn sample(at: Millis, requests: u64) -> Event {
    let mut sample = Sample::empty(at, Whose::Green, Origin::Users);
    sample.requests = Some(requests);
    let mut latency = Histogram::default();
    latency.record(requests as f64 * 1.7);
    sample.latency_ms = Some(latency);
    sample.why = Some(Clean::new("grüße \u{1b}[1m"));
    Event::Sample(Box::new(sample))
}

pub fn read(green: u32, took_us: u64) -> Event {
    Event::Read(readback(green, took_us))
}

pub fn readback(green: u32, took_us: u64) -> Readback {
    let state = NodeState { weights: [100 - green, green], up: [Some(true); 2], worker: Some(7) };
    let outcome = NodeOutcome::State(state);
    Readback { nodes: vec![NodeRead { node: "admin.sock".into(), outcome }], took_us }
}

/// An engine in small: numbers the inputs, steps, and journals both.
#[derive(Debug)]
pub struct Engine {
    pub writer: Writer,
    pub stepper: Stepper,
    pub n: u64,
}

impl Engine {
    pub fn new(dir: &Path, run: &str, kind: Kind) -> Self {
        let (writer, _) = Writer::create(dir, opened(run, kind), Millis::ZERO).unwrap();
        Self { writer, stepper: Stepper::default(), n: 0 }
    }

    pub fn feed(&mut self, event: Event, at: Millis) {
        self.n += 1;
        self.writer.append(Entry::Input { n: self.n, event: event.clone() }, at);
        for effect in self.stepper.step(event, at) {
            self.writer.append(Entry::Effect { n: self.n, effect }, at);
        }
    }

    /// `secs` seconds of a run: a second's samples, a read-back and a timer each.
    pub fn fly(&mut self, from: u64, secs: u64) {
        for s in from..from + secs {
            let at = Millis::secs(s);
            self.feed(sample(at, s % 11), at + Millis(s % 3));
            self.feed(read(if s % 40 > 20 { 50 } else { 0 }, 400 + s), at + Millis(5));
            self.feed(Event::Due, at + Millis(9));
            if s % 10 == 3 {
                self.feed(
                    Event::Command(Command::Note(Clean::new("schöner Tag \u{202e}"))),
                    at + Millis(11),
                );
                let effect = EffectId { n: 1, attempt: 1 };
                let outcome = Outcome::Router(readback(50, 300));
                self.feed(Event::Done { effect, outcome, after_us: 311 }, at + Millis(13));
            }
        }
    }
}

pub fn finish(outcome: RunOutcome, exit: u8) -> Finish {
    Finish { outcome, exit, says: "all traffic is back on Blue".to_owned() }
}
