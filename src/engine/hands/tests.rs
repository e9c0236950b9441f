//! The engine's hands on a real front door that says who answers, and on commands as a router.

use super::*;
use crate::plan::{Plan, ProbePlan, RouterKind, fixture};
use crate::runbook::Seen;
use crate::signal::{Origin, Sample, Whose};
use crate::units::Role;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A service that answers `/slow` never, `/broken` with 500, and all else well; in the name of
/// `slot`. It lives as long as the test's process.
fn service(slot: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(&stream, slot));
        }
    });
    url
}

fn serve(stream: &TcpStream, slot: &str) {
    let (mut lines, mut writer) = (BufReader::new(stream).lines(), stream);
    while let Some(Ok(first)) = lines.next() {
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let status = match first.split(' ').nth(1) {
            // No answer, and no end either, until whoever asked gives up.
            Some("/slow") => continue,
            Some("/broken") => 500,
            _ => 200,
        };
        let answer = format!("HTTP/1.1 {status} X\r\nX-Slot: {slot}\r\nContent-Length: 0\r\n\r\n");
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

struct Scene {
    hands: Hands,
    done: UnboundedReceiver<Event>,
    found: UnboundedReceiver<Measured>,
    directory: tempfile::TempDir,
}

/// Two slots, a front door behind which `front` answers, and commands that say all is on the left.
fn plan(front: &'static str, probe: &str) -> Plan {
    let mut plan = fixture::plan();
    for (slot, name) in plan.slots.iter_mut().zip(["left", "right"]) {
        slot.url = service(name);
    }
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    plan.router.kind = RouterKind::Command {
        set: words(&["true", "{left}", "{right}"]),
        get: words(&["echo", "left=100", "right=0"]),
    };
    plan.router.timeout = Millis::secs(20);
    plan.router.front = Some(service(front));
    plan.identity.slot_header = Some("X-Slot".to_owned());
    plan.health.timeout = Millis::secs(60);
    plan.probes = vec![ProbePlan {
        path: probe.to_owned(),
        expect: 200,
        contains: None,
        headers: BTreeMap::new(),
    }];
    plan
}

fn scene(plan: &Plan) -> Scene {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("logs")).unwrap();
    let (done, done_here) = unbounded_channel();
    let (found, found_here) = unbounded_channel();
    let router = Router::of_plan(plan).unwrap();
    let facts = crate::runbook::RunFacts {
        run: "20261123T142207Z-7f3a".to_owned(),
        kind: crate::runbook::Kind::Deploy,
        host: "vm".into(),
        began_unix_ms: 0,
        attended: true,
        last_rollback: None,
        last_end: None,
        tells_gates: true,
        drilled: None,
        record: Default::default(),
    };
    let logs = Logs::new(directory.path(), &facts);
    let secrets = Secrets::default();
    let hands = Hands::new(plan, logs, &secrets, router, Clock::begin(), done, found).unwrap();
    Scene { hands, done: done_here, found: found_here, directory }
}

impl Scene {
    fn observe(&self, synthetic: bool, front: bool) {
        let every = Millis(50);
        self.hands.observe(Regime { blue: Slot::First, green: true, every, synthetic, front });
    }

    /// The next sample that is wanted.
    async fn sample(&mut self, wanted: impl Fn(&Sample) -> bool) -> Sample {
        loop {
            match self.found.recv().await.unwrap() {
                Measured::Second(sample) if wanted(&sample) => return *sample,
                _ => {}
            }
        }
    }

    async fn outcome(&mut self) -> Outcome {
        match self.done.recv().await.unwrap() {
            Event::Done { outcome, .. } => outcome,
            other => panic!("{other:?}"),
        }
    }

    fn act(&mut self, n: u32, act: Act) {
        self.hands.act(EffectId { n, attempt: 1 }, act, Instant::now(), None);
    }

    fn go_back(&mut self, n: u32) {
        let split = Split::all_to(Slot::First);
        let timeout = Millis::secs(20);
        self.act(n, Act::SetRouter { split, timeout, rollback: true, expect: None });
    }
}

fn on_a_thread_of_its_own<T>(story: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        timeout(Duration::from_secs(30), story).await.expect("it never came true")
    })
}

#[test]
fn a_page_that_hangs_does_not_make_readiness_old() {
    let plan = plan("left", "/slow");
    on_a_thread_of_its_own(async {
        let mut scene = scene(&plan);
        scene.observe(true, false);
        for role in [Whose::Blue, Whose::Blue, Whose::Green] {
            let sample = scene.sample(|s| s.role == role && s.checks.is_some()).await;
            assert_eq!(sample.ready, Some(true));
        }
    });
}

#[test]
fn a_page_that_fails_through_the_front_door_counts_for_the_slot_that_answered() {
    let plan = plan("right", "/broken");
    on_a_thread_of_its_own(async {
        let mut scene = scene(&plan);
        scene.observe(false, true);
        let sample = scene.sample(|s| s.failed.is_some()).await;
        assert_eq!((sample.role, sample.from), (Whose::Green, Origin::Probes));
        assert!(sample.failed > Some(0) && sample.failed == sample.requests, "{sample:?}");
        assert!(sample.latency_ms.is_some());
        // It is no user either; what was counted so far may just have been taken off.
        while scene.hands.shared.own_requests(Slot::Second) == 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_chase_that_begins_when_the_router_is_at_blue_sees_blue_and_counts_itself() {
    let plan = plan("left", "/");
    on_a_thread_of_its_own(async {
        let mut scene = scene(&plan);
        // Nobody else knocks, and nobody takes off what was counted.
        scene.hands.measuring.iter().for_each(AbortHandle::abort);
        scene.go_back(1);
        assert!(matches!(scene.outcome().await, Outcome::Router(read) if read.split().is_some()));
        scene.act(2, Act::Chase { blue: Slot::First, timeout: Millis::secs(20) });
        loop {
            match scene.found.recv().await.unwrap() {
                Measured::Seen { what, .. } => {
                    assert_eq!(what, Seen::FirstAnswer(Role::Blue));
                    break;
                }
                Measured::Over { .. } => panic!("nothing was seen"),
                _ => {}
            }
        }
        assert_eq!(scene.hands.shared.own_requests(Slot::First), 1, "our own is no user");
    });
}

#[test]
fn a_log_that_hangs_holds_neither_the_way_back_nor_the_command() {
    let plan = plan("left", "/");
    on_a_thread_of_its_own(async {
        let mut scene = scene(&plan);
        let log = scene.directory.path().join("logs/01-deploy.log");
        nix::unistd::mkfifo(&log, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let (command, timeout) = (CommandName::Deploy, Millis::secs(20));
        scene.act(1, Act::Run { command, slot: Slot::Second, timeout });
        scene.go_back(2);
        assert!(matches!(scene.outcome().await, Outcome::Router(_)), "the way back came first");
        assert!(matches!(scene.outcome().await, Outcome::Ran(ran) if ran.end.is_good()));
        let printed = scene.hands.printed();
        assert!(printed.iter().any(|line| line.as_str().contains("not kept")), "{printed:?}");
        // A reader comes after all, so that the thread does not stay.
        drop(std::fs::File::open(&log));
    });
}
