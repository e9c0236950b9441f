//! Runs to draw: a release of the notes service, at the moments that matter.
//!
//! A [`Story`] is what the engine would have told the screen by then. It is built from the same
//! public types, second by second, so that plots and counts agree with the words.

// A story that cannot be told ends the test; not every test tells every story.
#![allow(dead_code, clippy::expect_used)]

use switchback::clean::Clean;
use switchback::evidence::recorder::Light;
use switchback::plan::{Bound, Limit, Migration, Signal};
use switchback::runbook::effect::{Finish, RunOutcome};
use switchback::runbook::gate::{Check, CheckState, GateState, judge};
use switchback::runbook::record::{LogLine, Tone};
use switchback::runbook::snapshot::{
    Alarm, Headline, Health, Kind, Question, RollbackView, RunFacts, Snapshot, StampState,
    StepLine, StepState, Traffic, Update,
};
use switchback::runbook::step::Step;
use switchback::signal::share::requests_needed;
use switchback::signal::{Histogram, Judgement, Origin, Sample, Tally, Verdict, Whose};
use switchback::tui::history::History;
use switchback::tui::screen::Scene;
use switchback::tui::state::UiState;
use switchback::tui::theme::{Theme, built_in};
use switchback::units::{Millis, Percent, Role, Slot};

/// 2026-11-23 14:07:07 UTC.
pub const BEGAN: i64 = 1_795_443_727_000 - 900_000;

/// A moment of a run.
pub struct Story {
    pub snapshot: Snapshot,
    pub history: History,
    pub ui: UiState,
    pub theme: Theme,
    pub ascii: bool,
    /// The present, if it is not the snapshot's instant.
    pub now: Option<Millis>,
    /// How long the engine has said nothing, if that is too long.
    pub silent: Option<Millis>,
    /// Whether it is recorded.
    pub rec: Light,
}

impl Story {
    pub fn scene(&self) -> Scene<'_> {
        let now = self.now.unwrap_or(self.snapshot.at);
        Scene {
            snapshot: Some(&self.snapshot),
            history: &self.history,
            ui: &self.ui,
            theme: &self.theme,
            ascii: self.ascii,
            now,
            unix_ms: BEGAN + now.0 as i64,
            silent: self.silent,
            rec: self.rec,
        }
    }

    pub fn theme(mut self, name: &str) -> Self {
        self.theme = built_in(name).expect("a built-in theme");
        self
    }
}

fn percent(value: u8) -> Option<Percent> {
    Percent::new(value)
}

fn limit(signal: Signal, above: Bound, hold: u64) -> Limit {
    Limit { signal, above, hold: Millis::secs(hold), literal: false, declared: true }
}

pub fn judgement(signal: Signal, verdict: Verdict, bad: u64, of: u64, value: f64) -> Judgement {
    let limit = match signal {
        Signal::ErrorRate => limit(signal, Bound::Percent(2.0), 120),
        Signal::ClientErrorRate => limit(signal, Bound::Percent(10.0), 120),
        Signal::LatencyP95 => limit(signal, Bound::Millis(500.0), 120),
        Signal::Health => limit(signal, Bound::Percent(10.0), 60),
        Signal::DbErrors => limit(signal, Bound::Percent(1.0), 60),
        Signal::QueueDepth => limit(signal, Bound::Count(500.0), 60),
    };
    let judged = !matches!(signal, Signal::QueueDepth);
    let x = match limit.above {
        Bound::Percent(percent) => percent / 100.0,
        Bound::Millis(_) | Bound::Count(_) => 0.05,
    };
    Judgement {
        value: Some(value),
        bad,
        of,
        used: judged.then_some(bad as f64),
        tolerance: judged.then_some(of as f64 * x),
        luck: judged.then_some(1.2),
        normal: judged.then_some(x * 10.0),
        seen: of,
        needed: judged.then(|| requests_needed(x, x / 10.0)),
        ..Judgement::new(limit, verdict)
    }
}

fn all_well() -> Vec<Judgement> {
    use Signal::{ClientErrorRate, DbErrors, ErrorRate, LatencyP95, QueueDepth};
    vec![
        judgement(ErrorRate, Verdict::Ok, 1, 312, 0.3),
        judgement(ClientErrorRate, Verdict::Ok, 4, 312, 1.3),
        judgement(LatencyP95, Verdict::Ok, 9, 312, 182.0),
        judgement(Signal::Health, Verdict::Ok, 0, 240, 0.0),
        judgement(DbErrors, Verdict::Ok, 0, 312, 0.0),
        judgement(QueueDepth, Verdict::Ok, 0, 0, 41.0),
    ]
}

fn steps(now: Step, took: u64, of: Option<u64>, note: &str) -> Vec<StepLine> {
    let past = [14, 31, 30, 300, 540, 720, 2, 0];
    let timed = [None, None, Some(30), Some(300), Some(180), Some(720), None, Some(3_600)];
    Step::ALL
        .into_iter()
        .map(|step| {
            let i = usize::from(step.number()) - 1;
            let (state, took, of) = match step.cmp(&now) {
                std::cmp::Ordering::Less => (StepState::Passed, Some(past[i]), timed[i]),
                std::cmp::Ordering::Equal => (StepState::Now, Some(took), of),
                std::cmp::Ordering::Greater => (StepState::Ahead, None, timed[i]),
            };
            StepLine {
                step,
                state,
                note: if step == now { note.to_owned() } else { String::new() },
                took: took.map(Millis::secs),
                of: of.map(Millis::secs),
            }
        })
        .collect()
}

fn headline(state: &str, going: &str, next: &str, tone: Tone, due: Option<u64>) -> Headline {
    Headline {
        state: state.to_owned(),
        going: going.to_owned(),
        next: next.to_owned(),
        tone,
        due: due.map(Millis::secs),
    }
}

fn check(state: CheckState, says: &str) -> Check {
    Check::new(state, says)
}

fn well(since: u64) -> Health {
    Health {
        live: Some(true),
        ready: Some(true),
        since: Millis::secs(since),
        good_of: (240, 240),
        ..Health::default()
    }
}

/// A run at step 5, holding at 50 percent, all well, 900 s after it began.
fn base() -> Snapshot {
    let at = Millis::secs(900);
    let checks = vec![
        check(CheckState::Good, "router reads 50/50 (0.4 ms)"),
        check(CheckState::Good, "no limit tripping"),
        check(CheckState::Good, "312 Green users (24 needed)"),
        check(CheckState::Waiting, "hold 1:12 of 3:00"),
    ];
    Snapshot {
        at,
        facts: RunFacts {
            run: "20261123T140707Z-7f3a".to_owned(),
            kind: Kind::Deploy,
            host: Clean::new("vps-1"),
            began_unix_ms: BEGAN,
            attended: true,
            last_rollback: Some((512, BEGAN - 3 * 86_400_000)),
            last_end: None,
            tells_gates: true,
            drilled: None,
            record: switchback::signal::Record::default(),
        },
        service: Clean::new("notes-api"),
        plan: "9c41e2d0".to_owned(),
        current: Some(Clean::new("1.8.2")),
        next: Some(Clean::new("1.9.0")),
        migration: Migration::None,
        slots: [Clean::new("left"), Clean::new("right")],
        blue: Some(Slot::First),
        step: Step::Switch,
        steps: steps(Step::Switch, 72, Some(180), "50 %"),
        headline: headline(
            "HOLDING AT 50 %",
            "WELL",
            "ready in {}, then press space",
            Tone::Good,
            Some(1_008),
        ),
        alarm: None,
        traffic: Traffic {
            asked: percent(50),
            read: percent(50),
            first: percent(50),
            read_at: Some(at),
            trouble: None,
            seen: Some((312, 623)),
            moved_by_others: false,
            named: true,
        },
        gate: judge(&checks),
        checks,
        limits: all_well(),
        limits_on: Role::Green,
        limits_at: Some(at),
        health: [well(0), well(60)],
        rollback: None,
        question: None,
        next_open: false,
        turns_back: false,
        held: false,
        can_extend: true,
        running: None,
        journal_trouble: None,
        marking: None,
        owed: Vec::new(),
        finish: None,
    }
}

/// What was measured until `at`: Green's users from the first switch on, its probes before.
/// `bad` is the second from which Green goes wrong.
pub fn history(at: u64, switches: &[(u64, u8)], bad: Option<u64>) -> History {
    let mut history = History::default();
    history.take(&update(at, switches, bad));
    history
}

/// What the engine would have sent until `at`.
pub fn update(at: u64, switches: &[(u64, u8)], bad: Option<u64>) -> Update {
    let mut update = Update {
        reset: false,
        seq: 1,
        snapshot: base(),
        samples: Vec::new(),
        switches: switches.iter().map(|(at, green)| (Millis::secs(*at), *green)).collect(),
        log: Vec::new(),
        records: Vec::new(),
        output: Vec::new(),
    };
    for second in 1..=at {
        let green_users = switches.iter().rev().find(|(from, _)| *from <= second).map(|s| s.1);
        for role in Role::BOTH {
            let wrong = role == Role::Green && bad.is_some_and(|bad| second >= bad);
            let share = match role {
                Role::Blue => 100 - u64::from(green_users.unwrap_or(0)),
                Role::Green => u64::from(green_users.unwrap_or(0)),
            };
            let requests = 40 * share / 100;
            let failed = match (wrong, role) {
                (true, _) => requests * 6 / 10,
                (false, Role::Green) => u64::from(second % 97 == 1 && requests > 0),
                (false, Role::Blue) => u64::from(second % 211 == 1 && requests > 0),
            };
            if role == Role::Blue || green_users.is_some() {
                let base = if role == Role::Blue { 130.0 } else { 140.0 };
                let base = if wrong { base * 9.0 } else { base };
                let mut users =
                    Sample::empty(Millis::secs(second), Whose::from(role), Origin::Users);
                users.requests = Some(requests);
                users.failed = Some(failed);
                users.latency_ms = Some(latency(requests, base, second));
                update.samples.push(users);
            }
            if role == Role::Blue || second > 60 {
                let mut probes =
                    Sample::empty(Millis::secs(second), Whose::from(role), Origin::Probes);
                probes.requests = Some(4);
                probes.failed = Some(if wrong { 2 } else { 0 });
                probes.latency_ms = Some(latency(4, 120.0, second));
                probes.ready = Some(!(role == Role::Green && (70..74).contains(&second)));
                update.samples.push(probes);
            }
        }
        let mut gauges = Sample::empty(Millis::secs(second), Whose::Both, Origin::Gauges);
        gauges.db_errors = Some(0);
        gauges.queue_depth = Some(40 + (second * 7919 / 13) % 30 - second % 17);
        update.samples.push(gauges);
    }
    for (at, topic, text, tone) in [
        (2, "router", "reads 100/0 · write access proven in 0.4 ms", Tone::Plain),
        (14, "step", "1 Confirm the way back passed after 0:14", Tone::Good),
        (45, "command", "deploy ended well after 0:31", Tone::Good),
        (71, "health", "Green not ready: database", Tone::Warn),
        (828, "router", "asked 50/50 · reads 50/50 after 0.4 ms", Tone::Plain),
        (835, "limit", "5xx ok on Green: 0 of 28 · limit 2 % for 2m", Tone::Plain),
        (863, "note", "watching the export page", Tone::Plain),
    ] {
        if at <= update.snapshot.at.as_secs() && at <= self::last(&update) {
            let at = Millis::secs(at);
            let (topic, text) = (topic.to_owned(), text.to_owned());
            update.log.push(LogLine { at, topic, text, tone });
        }
    }
    update.output =
        ["Pulling web-right", "Container notes-web-right-1  Started"].map(Clean::new).to_vec();
    update
}

fn last(update: &Update) -> u64 {
    update.samples.last().map_or(0, |sample| sample.at.as_secs())
}

fn latency(requests: u64, base: f64, second: u64) -> Histogram {
    let mut h = Histogram::default();
    for i in 0..requests {
        let wobble = ((second * 31 + i * 17) % 23) as f64;
        h.record(base * (0.5 + wobble / 50.0));
    }
    h
}

fn story(snapshot: Snapshot, history: History) -> Story {
    let theme = built_in("dark").expect("dark is built in");
    Story {
        snapshot,
        history,
        ui: UiState::default(),
        theme,
        ascii: false,
        now: None,
        silent: None,
        rec: Light::Off,
    }
}

const RAMP: &[(u64, u8)] = &[(520, 10), (828, 50)];

/// Step 1: nothing of Green is there yet; the queue has no source.
pub fn confirming() -> Story {
    let mut s = base();
    s.at = Millis::secs(9);
    s.step = Step::Confirm;
    s.steps = steps(Step::Confirm, 9, None, "");
    s.headline = headline("CONFIRMING THE WAY BACK", "", "redeploy_check runs", Tone::Plain, None);
    s.checks = vec![
        check(CheckState::Good, "Blue is left: live and ready"),
        check(CheckState::Good, "router reads 100/0, write access proven"),
        check(CheckState::Waiting, "redeploy_check runs"),
        check(CheckState::NotDeclared, "shared capacity not declared"),
    ];
    s.gate = judge(&s.checks);
    s.traffic = Traffic {
        read: percent(0),
        first: percent(100),
        read_at: Some(s.at),
        seen: Some((0, 360)),
        named: true,
        ..Traffic::default()
    };
    s.limits_on = Role::Blue;
    for judgement in &mut s.limits {
        judgement.verdict = Verdict::TooFew;
        (judgement.bad, judgement.of, judgement.seen) = (0, 4, 4);
        judgement.probes = judgement.signal() != Signal::Health;
    }
    s.limits[5].verdict = Verdict::NotDeclared;
    s.health[1] = Health::default();
    s.running = Some((Clean::new("redeploy_check"), Millis::secs(4)));
    s.can_extend = false;
    s.facts.last_rollback = None;
    let mut story = story(s, history(9, &[], None));
    story.history.queue = Default::default();
    story
}

/// Step 4: Green is probed and has no users.
pub fn soaking() -> Story {
    let mut s = base();
    s.at = Millis::secs(200);
    s.step = Step::Soak;
    s.steps = steps(Step::Soak, 124, Some(300), "");
    s.headline = headline("SOAKING", "WELL", "switch can begin in {}", Tone::Good, Some(376));
    s.checks = vec![
        check(CheckState::Good, "no limit tripping on probes"),
        check(CheckState::Waiting, "soak 2:04 of 5:00"),
    ];
    s.gate = judge(&s.checks);
    s.traffic = Traffic {
        read: percent(0),
        first: percent(100),
        read_at: Some(s.at),
        seen: Some((0, 2_400)),
        named: true,
        ..Traffic::default()
    };
    for judgement in &mut s.limits {
        judgement.probes = true;
        (judgement.bad, judgement.of, judgement.seen) = (0, 480, 480);
    }
    story(s, history(200, &[], None))
}

/// Step 5: half of the users are on Green, and all is well.
pub fn holding() -> Story {
    story(base(), history(900, RAMP, None))
}

/// Step 5: Green fails six of ten requests.
pub fn tripping() -> Story {
    let mut s = base();
    s.headline = headline(
        "HOLDING AT 50 %",
        "5xx TRIPPING",
        "r goes back now · else by itself in {}",
        Tone::Bad,
        Some(905),
    );
    s.alarm = Some(Alarm { text: String::new(), tone: Tone::Bad, due: Some(Millis::secs(905)) });
    s.limits[0] = Judgement {
        over_for: Millis::secs(5),
        over: true,
        trips_in: Some(Millis::secs(5)),
        used: Some(223.0),
        tolerance: Some(7.4),
        luck: Some(1e12),
        ..judgement(Signal::ErrorRate, Verdict::Tripping, 223, 372, 60.0)
    };
    s.limits[2] = Judgement {
        over: true,
        luck: Some(1e12),
        parts: Some((4, 4)),
        ..judgement(Signal::LatencyP95, Verdict::Tripped, 372, 372, 1_240.0)
    };
    if let Some(alarm) = &mut s.alarm {
        alarm.text = s.limits[0].line_on(Role::Green);
    }
    s.checks = vec![
        check(CheckState::Good, "router reads 50/50 (0.4 ms)"),
        check(CheckState::Bad, "5xx is tripping"),
    ];
    s.gate = GateState::Shut;
    story(s, history(900, RAMP, Some(870)))
}

/// Step 5: both slots fail, as a database that both use does.
pub fn shared() -> Story {
    let mut s = base();
    s.headline = headline(
        "HOLDING AT 50 %",
        "BOTH SLOTS SUFFER",
        "r goes back all the same · nothing moves",
        Tone::Warn,
        None,
    );
    s.limits[0] = Judgement {
        over: true,
        luck: Some(48_211.0),
        blue: Some(Tally { bad: 21, of: 410 }),
        ..judgement(Signal::ErrorRate, Verdict::Shared, 13, 312, 4.2)
    };
    s.limits[2] = Judgement {
        over: true,
        luck: Some(31.4),
        parts: Some((2, 4)),
        ..judgement(Signal::LatencyP95, Verdict::Ok, 26, 312, 512.0)
    };
    s.alarm = Some(Alarm { text: s.limits[0].line_on(Role::Green), tone: Tone::Warn, due: None });
    s.checks[1] = check(CheckState::Bad, "5xx: both slots suffer, 13 of 312");
    s.gate = GateState::Shut;
    story(s, history(900, RAMP, None))
}

/// Step 5: the first users, and too few of them to say anything; one of them failed.
pub fn few() -> Story {
    let mut s = base();
    s.headline = headline(
        "HOLDING AT 50 %",
        "TOO FEW TO SAY",
        "ready in {}, then press space",
        Tone::Plain,
        Some(1_008),
    );
    s.limits[0] = Judgement {
        over: true,
        luck: Some(2.2),
        ..judgement(Signal::ErrorRate, Verdict::TooFew, 1, 9, 11.1)
    };
    s.limits[1] = judgement(Signal::ClientErrorRate, Verdict::TooFew, 0, 2, 0.0);
    s.limits[2] = Judgement {
        value: None,
        luck: None,
        used: None,
        tolerance: None,
        ..judgement(Signal::LatencyP95, Verdict::TooFew, 0, 0, 0.0)
    };
    s.limits[3].verdict = Verdict::Stale;
    s.limits[4].verdict = Verdict::Unknown;
    s.limits[5].verdict = Verdict::NotDeclared;
    s.traffic.seen = Some((9, 21));
    story(s, history(900, RAMP, None))
}

/// The gate is open, and the next step of the ramp is being asked for.
pub fn asking() -> Story {
    let mut story = holding();
    let s = &mut story.snapshot;
    s.checks[3] = check(CheckState::Good, "hold 3:00 of 3:00");
    s.gate = judge(&s.checks);
    s.headline = headline("HOLDING AT 50 %", "WELL", "answer the question", Tone::Good, None);
    s.question = Some(Question {
        number: 4,
        title: "Switch 100 % to Green?".to_owned(),
        lines: vec![
            "312 of 623 users saw Green: 1 failed, p95 182 ms.".to_owned(),
            "All users move. Blue stays warm; r brings them back.".to_owned(),
        ],
        yes: "move everybody".to_owned(),
        no: "stay at 50 %".to_owned(),
        type_word: None,
        due: None,
        routine: true,
    });
    story
}

/// A question that wants a word, and ends by itself.
pub fn asking_for_a_word() -> Story {
    let mut story = asking();
    if let Some(question) = &mut story.snapshot.question {
        question.type_word = Some(Clean::new("notes-api"));
        question.due = Some((Millis::secs(930), "stay".to_owned()));
    }
    story
}

fn rolling(snapshot: &mut Snapshot) {
    snapshot.headline = headline("ROLLING BACK", "", "nothing to do", Tone::Warn, None);
    snapshot.alarm = None;
    snapshot.steps[4].state = StepState::Failed;
    for line in &mut snapshot.steps[5..] {
        line.state = StepState::Skipped;
    }
    let tripped = Judgement { verdict: Verdict::Tripped, ..snapshot.limits[0].clone() };
    snapshot.rollback = Some(RollbackView {
        began: snapshot.at,
        why: Clean::new(&tripped.line_on(Role::Green)),
        verified: false,
        attempt: 2,
        trouble: Some(Clean::new("the router did not answer within 2s; trying again")),
        stamps: [const { StampState::Waiting }; 4],
        abandoned: false,
    });
}

/// 412 ms into a rollback, on its second attempt.
pub fn rolling_back() -> Story {
    let mut story = tripping();
    rolling(&mut story.snapshot);
    story.now = Some(story.snapshot.at + Millis(412));
    story
}

/// Everything went back; one stamp cannot be had.
pub fn back_on_blue() -> Story {
    let mut story = rolling_back();
    let s = &mut story.snapshot;
    s.headline = headline("BACK ON BLUE", "VERIFIED", "press q to leave", Tone::Good, None);
    s.alarm = None;
    s.traffic.asked = percent(0);
    s.traffic.read = percent(0);
    if let Some(rollback) = &mut s.rollback {
        rollback.verified = true;
        rollback.trouble = None;
        rollback.stamps = [
            StampState::After(412),
            StampState::After(3_100),
            StampState::Not("answers do not name their slot".to_owned()),
            StampState::Waiting,
        ];
    }
    story
}

/// The release is kept; a contracting migration is owed.
pub fn kept() -> Story {
    let mut s = base();
    s.step = Step::Warm;
    s.steps = steps(Step::Warm, 5, Some(3_600), "");
    s.headline = headline("KEPT", "WELL", "Blue warm until 15:22, q leaves", Tone::Good, None);
    s.traffic.asked = percent(100);
    s.traffic.read = percent(100);
    s.owed = vec![Clean::new("contract migration of 1.9.0")];
    s.finish = Some(Finish {
        outcome: RunOutcome::Kept,
        exit: 0,
        says: "kept, Blue warm until 15:22".to_owned(),
    });
    story(s, history(900, &[(520, 10), (700, 50), (828, 100)], None))
}

/// Every story with its name.
pub fn all() -> Vec<(&'static str, Story)> {
    vec![
        ("confirming", confirming()),
        ("soaking", soaking()),
        ("holding", holding()),
        ("tripping", tripping()),
        ("shared", shared()),
        ("few", few()),
        ("asking", asking()),
        ("asking_for_a_word", asking_for_a_word()),
        ("rolling_back", rolling_back()),
        ("back_on_blue", back_on_blue()),
        ("kept", kept()),
    ]
}
