//! The HAProxy adapter against a real HAProxy, and against what only pretends to be one.
//!
//! Tests that need the real one are ignored by plain `cargo test`; `tests/all` installs it and
//! runs them. Where it is missing then, they fail and name the command that installs it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;
use support::haproxy::{Config, Haproxy, plan, soon};
use support::service::Service;
use switchback::adapter::router::{HaproxyRouter, Router};
use switchback::plan::{Plan, RouterKind};
use switchback::runbook::readback::{Fault, FaultKind, Readback};
use switchback::units::{Millis, Percent, Slot, Split};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn green(percent: u8) -> Split {
    Split::giving(Slot::Second, Percent::new(percent).unwrap())
}

fn weights(readback: &Readback) -> [u32; 2] {
    readback.states().next().unwrap_or_else(|| panic!("{readback:?}")).weights
}

fn fault(readback: &Readback) -> &Fault {
    readback.first_fault().unwrap_or_else(|| panic!("no fault in {readback:?}")).1
}

/// Two services, an HAProxy in front of them, and our router.
struct World {
    left: Service,
    right: Service,
    haproxy: Haproxy,
    plan: Plan,
}

impl World {
    fn new(config: &Config) -> Self {
        let (left, right) = (Service::start("left"), Service::start("right"));
        let slots = [left.url(), right.url()];
        let haproxy = Haproxy::start(config, slots.clone());
        let plan = plan(&haproxy.socket().display().to_string(), slots);
        Self { left, right, haproxy, plan }
    }

    fn slots(&self) -> [String; 2] {
        [self.left.url(), self.right.url()]
    }

    fn router(&self) -> Router {
        Router::of_plan(&self.plan).unwrap()
    }

    fn naming(
        &mut self,
        set: impl FnOnce(&mut Option<String>, &mut Option<[String; 2]>, &mut Option<String>),
    ) -> Router {
        let RouterKind::Haproxy { backend, servers, state_file, .. } = &mut self.plan.router.kind
        else {
            unreachable!()
        };
        set(backend, servers, state_file);
        self.router()
    }
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_split_is_written_read_back_and_what_users_see() {
    let world = World::new(&Config::default());
    let mut router = world.router();
    let start = block_on(router.read());
    assert_eq!(weights(&start), [1, 1], "default weights are reported as they are");
    assert_eq!(start.split(), Some(green(50)));
    assert_eq!(start.states().next().unwrap().up, [Some(true); 2]);
    for percent in [0, 10, 50, 100, 0] {
        let readback = block_on(router.set(green(percent)));
        assert_eq!(readback.split(), Some(green(percent)), "{readback:?}");
        assert_eq!(readback.states().next().unwrap().worker, world.haproxy.worker());
        let [_, seen] = world.haproxy.users(100, ["left", "right"]);
        let asked = usize::from(percent);
        // Exact but for where in its cycle HAProxy was; nothing and everything are exact.
        assert!(
            seen.abs_diff(asked) <= usize::from(!matches!(percent, 0 | 100)),
            "{seen} of {asked}"
        );
    }
    assert_eq!(block_on(router.read()).split(), Some(green(0)));
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_clone_knows_what_was_found_and_has_its_own_connections() {
    let world = World::new(&Config::default());
    let mut router = world.router();
    block_on(router.read());
    let mut way_back = router.clone();
    let before = world.haproxy.ask("show info").unwrap();
    assert_eq!(block_on(way_back.set(green(0))).split(), Some(green(0)));
    let after = world.haproxy.ask("show info").unwrap();
    let count = |info: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix("CumReq: "));
        line.unwrap().parse::<u32>().unwrap()
    };
    // One line of ours with four commands, and the two that looked.
    assert!(count(&after) - count(&before) <= 5, "more than one round trip");
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn what_is_kept_survives_a_reload_and_what_is_not_does_not() {
    let mut world = World::new(&Config { state: true, ..Config::default() });
    let file = world.haproxy.path("servers.state");
    let mut router = world.router();
    block_on(router.set(green(10)));
    let said = block_on(router.persist()).unwrap();
    assert!(said.as_str().contains("state_file"), "{said}");
    world.haproxy.reload();
    let after = block_on(router.read());
    assert_eq!(weights(&after), [1, 1], "nothing was kept");
    assert!(router.notes().iter().any(|note| note.as_str().contains("left 1, right 1")));

    let mut router =
        world.naming(|_, _, state_file| *state_file = Some(file.display().to_string()));
    block_on(router.set(green(10)));
    let before = block_on(router.read()).states().next().unwrap().worker;
    let said = block_on(router.persist()).unwrap();
    assert!(said.as_str().contains("left 90, right 10"), "{said}");
    world.haproxy.reload();
    let after = block_on(router.read());
    assert_eq!(weights(&after), [90, 10]);
    assert_ne!(after.states().next().unwrap().worker, before, "another worker says so");
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn names_that_are_wrong_are_a_mismatch_that_says_what_is_there() {
    let mut world = World::new(&Config::default());
    let mut router = world.naming(|backend, _, _| *backend = Some("ap".into()));
    let readback = block_on(router.read());
    assert_eq!(fault(&readback).kind, FaultKind::Mismatch);
    assert_eq!(fault(&readback).cause.as_str(), "there is no backend ap; there is app");

    let mut router = world.naming(|backend, servers, _| {
        *backend = Some("app".into());
        *servers = Some(["app_a".into(), "app_c".into()]);
    });
    let readback = block_on(router.set(green(0)));
    assert_eq!(fault(&readback).kind, FaultKind::Mismatch);
    assert!(fault(&readback).cause.as_str().contains("app/app_b at 127.0.0.1:"));
    assert!(fault(&readback).hint.as_str().contains("servers = { left = "));

    world.plan.slots[1].url = "http://127.0.0.1:1".into();
    let mut router = world.naming(|backend, servers, _| (*backend, *servers) = (None, None));
    let readback = block_on(router.read());
    assert_eq!(fault(&readback).kind, FaultKind::Mismatch);
    assert!(fault(&readback).cause.as_str().contains("127.0.0.1:1 (right)"), "{readback:?}");
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_name_in_the_plan_is_as_good_as_an_address() {
    let mut world = World::new(&Config::default());
    for slot in &mut world.plan.slots {
        slot.url = slot.url.replace("127.0.0.1", "localhost");
    }
    assert_eq!(weights(&block_on(world.router().read())), [1, 1]);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn two_backends_with_the_same_servers_are_not_guessed_between() {
    let (left, right) = (Service::start("left"), Service::start("right"));
    let slots = [left.url(), right.url()];
    let [a, b] = slots.each_ref().map(|url| url.trim_start_matches("http://"));
    let more = format!("backend admin\n    server x {a}\n    server y {b}\n");
    let haproxy = Haproxy::start(&Config { more, ..Config::default() }, slots.clone());
    let plan = plan(&haproxy.socket().display().to_string(), slots.clone());
    let mut world = World { left, right, haproxy, plan };
    let readback = block_on(world.router().set(green(0)));
    assert_eq!(fault(&readback).kind, FaultKind::Mismatch);
    assert!(fault(&readback).cause.as_str().ends_with("more than one backend: admin, app"));
    assert!(fault(&readback).hint.as_str().contains("backend = \"admin\""));
    let mut router = world.naming(|backend, _, _| *backend = Some("app".into()));
    assert_eq!(block_on(router.set(green(0))).split(), Some(green(0)));
    let weights = world.haproxy.ask("get weight admin/y").unwrap();
    assert!(weights.starts_with("1 "), "the other backend was touched: {weights}");
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_socket_that_may_only_look_refuses_with_the_line_that_helps() {
    for level in ["user", "operator"] {
        let world = World::new(&Config { level, ..Config::default() });
        let mut router = world.router();
        assert_eq!(weights(&block_on(router.read())), [1, 1], "reading is allowed");
        let readback = block_on(router.set(green(10)));
        assert_eq!(fault(&readback).kind, FaultKind::Refused);
        assert!(fault(&readback).cause.as_str().ends_with("was refused: Permission denied"));
        assert!(fault(&readback).hint.as_str().contains("level admin"));
        assert_eq!(weights(&block_on(router.read())), [1, 1], "and nothing was written");
    }
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn an_algorithm_that_cannot_split_says_which_can() {
    let world = World::new(&Config { app: "balance source", ..Config::default() });
    let readback = block_on(world.router().set(green(10)));
    assert_eq!(fault(&readback).kind, FaultKind::Refused);
    assert!(fault(&readback).hint.as_str().contains("balance roundrobin"));
    let config = Config { app: "balance source", weights: [7, 3], ..Config::default() };
    let world = World::new(&config);
    for (percent, seen) in [(0, [4, 0]), (100, [0, 4]), (0, [4, 0])] {
        let readback = block_on(world.router().set(green(percent)));
        assert_eq!(readback.split(), Some(green(percent)), "a hard switch works: {readback:?}");
        assert_eq!(world.haproxy.users(4, ["left", "right"]), seen);
    }
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_server_that_is_a_backup_is_pointed_out() {
    let world = World::new(&Config { server: "backup", ..Config::default() });
    let mut router = world.router();
    block_on(router.read());
    let notes = router.notes();
    assert!(
        notes.iter().any(|note| note.as_str().contains("app/app_b is a `backup`")),
        "{notes:?}"
    );
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn an_old_worker_is_known_for_what_it_is() {
    let mut world = World::new(&Config::default());
    // A connection that was opened before the reload stays with the old worker.
    let old = UnixStream::connect(world.haproxy.socket()).unwrap();
    let relay = world.haproxy.path("relay.sock");
    let listener = UnixListener::bind(&relay).unwrap();
    block_on(world.router().read());
    world.haproxy.reload();
    let thread = std::thread::spawn(move || {
        let (mut ours, mut old) = (listener.accept().unwrap().0, old);
        let mut line = [0; 4096];
        let n = ours.read(&mut line).unwrap();
        old.write_all(&line[..n]).unwrap();
        let mut answer = Vec::new();
        old.read_to_end(&mut answer).unwrap();
        ours.write_all(&answer).unwrap();
    });
    world.plan = plan(&relay.display().to_string(), world.slots());
    let readback = block_on(world.router().read());
    thread.join().unwrap();
    assert_eq!(fault(&readback).kind, FaultKind::OldWorker, "{readback:?}");
    assert!(fault(&readback).cause.as_str().contains("stopping after a reload"));
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_reload_that_swaps_the_servers_is_noticed_before_it_is_believed() {
    let world = World::new(&Config::default());
    let mut router = world.router();
    block_on(router.set(green(0)));
    let [left, right] = world.slots();
    world.haproxy.configure(&Config { weights: [3, 1], ..Config::default() }, &[right, left]);
    world.haproxy.reload();
    // app_a is now the service on the right: its weight of 3 is the right slot's.
    assert_eq!(weights(&block_on(router.read())), [1, 3]);
    block_on(router.set(green(0)));
    assert_eq!(world.haproxy.users(10, ["left", "right"]), [10, 0]);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_write_that_meets_swapped_servers_is_put_right_in_the_same_attempt() {
    let world = World::new(&Config::default());
    let router = world.router();
    assert_eq!(block_on(router.clone().set(green(50))).split(), Some(green(50)));
    let [left, right] = world.slots();
    world.haproxy.configure(&Config::default(), &[right, left]);
    world.haproxy.reload();
    // Each attempt has a clone of its own, as each attempt of a rollback has.
    for _ in 0..2 {
        let readback = block_on(router.clone().set(green(0)));
        assert_eq!(readback.split(), Some(green(0)), "{readback:?}");
        assert_eq!(world.haproxy.users(10, ["left", "right"]), [10, 0]);
    }
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_write_that_meets_renamed_servers_finds_them_in_the_same_attempt() {
    let world = World::new(&Config::default());
    let router = world.router();
    assert_eq!(block_on(router.clone().set(green(50))).split(), Some(green(50)));
    let file = world.haproxy.path("haproxy.cfg");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("server app_", "server web_")).unwrap();
    world.haproxy.reload();
    for _ in 0..2 {
        let readback = block_on(router.clone().set(green(0)));
        assert_eq!(readback.split(), Some(green(0)), "{readback:?}");
    }
    assert_eq!(world.haproxy.users(10, ["left", "right"]), [10, 0]);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn what_the_reader_learns_of_a_reload_the_way_back_knows_too() {
    let world = World::new(&Config::default());
    let (mut reader, mut way_back) = (world.router(), world.router());
    for _ in 0..2 {
        block_on(reader.read());
        way_back = reader.clone();
    }
    let [left, right] = world.slots();
    world.haproxy.configure(&Config::default(), &[right, left]);
    world.haproxy.reload();
    assert_eq!(block_on(reader.read()).split(), Some(green(50)));
    let asked = |what: &str| {
        let info = world.haproxy.ask("show info").unwrap();
        let line = info.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(": "));
        line.unwrap().parse::<u64>().unwrap()
    };
    let before = asked("CumConns");
    let readback = block_on(way_back.set(green(0)));
    assert_eq!(readback.split(), Some(green(0)), "{readback:?}");
    assert_eq!(asked("CumConns") - before, 2, "one for the write, one for this question");
    assert_eq!(world.haproxy.users(10, ["left", "right"]), [10, 0]);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_server_that_somebody_took_out_of_service_is_not_up_whatever_its_weight() {
    let world = World::new(&Config::default());
    let mut router = world.router();
    block_on(router.set(green(50)));
    world.haproxy.ask("set server app/app_b state maint").unwrap();
    let state = block_on(router.read()).states().next().unwrap().clone();
    assert_eq!((state.weights, state.up), ([50, 50], [Some(true), Some(false)]));
    world.haproxy.ask("set server app/app_b state drain").unwrap();
    let state = block_on(router.set(green(10))).states().next().unwrap().clone();
    assert_eq!(state.up[1], Some(false), "what somebody else set is not undone");
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn users_whom_a_cookie_binds_to_green_come_back_too() {
    let cookie = "balance roundrobin\n    cookie SLOT insert indirect nocache";
    let world = World::new(&Config { app: cookie, ..Config::default() });
    let bound = || world.haproxy.user_with("Cookie: SLOT=app_b\r\n");
    let mut router = world.router();
    block_on(router.set(green(100)));
    assert_eq!(bound(), "right");
    assert!(router.notes().iter().any(|note| note.as_str().contains("cookie SLOT")));
    let readback = block_on(router.set(green(0)));
    assert_eq!(readback.split(), Some(green(0)));
    assert_eq!(readback.states().next().unwrap().up, [Some(true), None]);
    assert_eq!(bound(), "left", "weight 0 alone would leave this user on Green");
    // Another process, which knows nothing of what this one did, brings the slot to life again.
    block_on(world.router().set(green(50)));
    assert_eq!(bound(), "right");
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn failures_are_counted_for_the_slot_that_failed_and_for_the_one_that_is_dead() {
    let config = Config { app: "balance roundrobin\n    retries 0", ..Config::default() };
    let world = World::new(&config);
    let mut router = world.router();
    block_on(router.set(green(50)));
    let before = block_on(router.stats()).slots.unwrap();
    world.haproxy.users(10, ["left", "right"]);
    let served = block_on(router.stats()).slots.unwrap();
    assert_eq!([0, 1].map(|i| served[i].requests - before[i].requests), [5, 5]);
    assert_eq!([0, 1].map(|i| served[i].failed - before[i].failed), [0, 0]);

    world.left.answer_with(503);
    world.haproxy.users(4, ["left", "right"]);
    world.left.answer_with(404);
    world.haproxy.users(4, ["left", "right"]);
    let ill = block_on(router.stats()).slots.unwrap();
    assert_eq!(ill[0].failed - served[0].failed, 2);
    assert_eq!(ill[0].client_errors - served[0].client_errors, 2);

    world.left.answer_with(200);
    world.right.kill();
    let seen = world.haproxy.users(10, ["left", "right"]);
    assert_eq!(seen, [5, 0]);
    let dead = block_on(router.stats()).slots.unwrap();
    assert_eq!(dead[1].requests - ill[1].requests, 5);
    assert_eq!(dead[1].failed - ill[1].failed, 5, "no answer is a failure, and shows as one");
    assert_eq!(dead[0].failed, ill[0].failed);
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn a_slot_that_haproxy_finds_dead_is_not_up() {
    let config = Config { server: "check inter 50ms fall 1 rise 1", ..Config::default() };
    let world = World::new(&config);
    let mut router = world.router();
    world.right.kill();
    soon("haproxy sees that the slot is down", || {
        block_on(router.read()).states().next().unwrap().up == [Some(true), Some(false)]
    });
}

#[test]
#[ignore = "needs haproxy: apt-get install haproxy"]
fn two_ways_of_writing_one_socket_are_one_router() {
    let world = World::new(&Config::default());
    let alias = world.haproxy.path("alias.sock");
    std::os::unix::fs::symlink(world.haproxy.socket(), &alias).unwrap();
    let mut other = Router::of_plan(&plan(&alias.display().to_string(), world.slots())).unwrap();
    let names = [block_on(world.router().identity()), block_on(other.identity())];
    assert_eq!(names[0], names[1]);
    assert!(names[0].as_ref().unwrap().ends_with(" app"), "{names:?}");
}

/// Something that listens like an HAProxy and is none.
fn pretender(directory: &Path, behave: impl Fn(UnixStream) + Send + 'static) -> std::path::PathBuf {
    let path = directory.join("pretender.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = [0; 4096];
            let _ = stream.read(&mut line);
            behave(stream);
        }
    });
    path
}

fn read_at(path: &Path, timeout: Millis) -> Readback {
    let slots = ["http://127.0.0.1:1".to_owned(), "http://127.0.0.1:2".to_owned()];
    let mut plan = plan(&path.display().to_string(), slots);
    plan.router.timeout = timeout;
    block_on(HaproxyRouter::of_plan(&plan).unwrap().read())
}

#[test]
fn a_socket_that_cannot_be_reached_says_why_and_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    drop(UnixListener::bind(path("dead.sock")).unwrap());
    fs::write(path("file"), "").unwrap();
    for (name, cause, hint) in [
        ("missing.sock", "no socket at", "level admin"),
        ("dead.sock", "nobody listens on", "start HAProxy"),
        ("file", "nobody listens on", "no socket"),
    ] {
        let readback = read_at(&path(name), Millis::secs(5));
        let fault = fault(&readback);
        assert_eq!(fault.kind, FaultKind::Unreachable, "{name}");
        assert!(fault.cause.as_str().starts_with(cause), "{name}: {fault}");
        assert!(fault.hint.as_str().contains(hint), "{name}: {}", fault.hint);
    }
    let readback = block_on(async {
        let deaf = support::deaf();
        let port = deaf.local_addr().unwrap();
        let slots = ["http://127.0.0.1:1".to_owned(), "http://127.0.0.1:2".to_owned()];
        HaproxyRouter::of_plan(&plan(&port.to_string(), slots)).unwrap().read().await
    });
    assert!(fault(&readback).cause.as_str().ends_with("refused the connection"));
}

#[test]
fn whatever_answers_in_haproxys_place_is_bounded_and_named() {
    type Behaviour = fn(UnixStream);
    let cases: [(Behaviour, FaultKind, &str); 6] = [
        (|_| (), FaultKind::Garbage, "without an answer"),
        (
            |mut s| drop(s.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n\x1b[2J")),
            FaultKind::Garbage,
            "answered \"HTTP/1.1 400",
        ),
        (
            |mut s| drop(s.write_all(b"1\n# be_id\n\nPid: 1\nStop")),
            FaultKind::Garbage,
            "answered 1 of 4 commands and ended",
        ),
        (
            |_s| std::thread::sleep(Duration::from_secs(30)),
            FaultKind::TimedOut,
            "accepted the connection and said nothing",
        ),
        (
            |mut s| {
                let _ = s.write_all(b"1\n");
                std::thread::sleep(Duration::from_secs(30));
            },
            FaultKind::TimedOut,
            "stopped in the middle of its answer",
        ),
        (
            |mut s| while s.write_all(&[b'x'; 1 << 16]).is_ok() {},
            FaultKind::Garbage,
            "more than 8 MB",
        ),
    ];
    for (behave, kind, cause) in cases {
        let directory = tempfile::tempdir().unwrap();
        // Whoever hangs is waited for; whoever talks too much has the time to do so.
        let timeout = if kind == FaultKind::TimedOut { Millis(300) } else { Millis::secs(20) };
        let readback = read_at(&pretender(directory.path(), behave), timeout);
        let fault = fault(&readback);
        assert!(fault.cause.as_str().contains(cause), "{cause}: {fault}");
        assert_eq!(fault.kind, kind, "{cause}");
        assert!(readback.took_us < 20_000_000);
        assert!(!fault.hint.as_str().is_empty());
        assert!(!fault.cause.as_str().contains('\u{1b}'));
    }
}

#[test]
fn dropping_a_write_closes_its_connection() {
    let directory = tempfile::tempdir().unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let path = pretender(directory.path(), move |mut stream| {
        sender.send("asked").unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        sender.send("closed").unwrap();
    });
    let slots = ["http://127.0.0.1:1".to_owned(), "http://127.0.0.1:2".to_owned()];
    block_on(async {
        let mut router = HaproxyRouter::of_plan(&plan(&path.display().to_string(), slots)).unwrap();
        let task = tokio::spawn(async move { router.set(green(0)).await });
        let receiver = tokio::task::spawn_blocking(move || {
            assert_eq!(receiver.recv().unwrap(), "asked");
            receiver
        })
        .await
        .unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        tokio::task::spawn_blocking(move || assert_eq!(receiver.recv().unwrap(), "closed"))
            .await
            .unwrap();
    });
}

#[test]
fn a_name_that_would_be_a_command_is_refused_before_anything_is_sent() {
    let mut plan =
        plan("/run/none.sock", ["http://127.0.0.1:1".to_owned(), "http://127.0.0.1:2".to_owned()]);
    let RouterKind::Haproxy { backend, .. } = &mut plan.router.kind else { unreachable!() };
    *backend = Some("app;shutdown sessions server app/a".into());
    assert_eq!(HaproxyRouter::of_plan(&plan).unwrap_err().kind, FaultKind::Mismatch);
}
