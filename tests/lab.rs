//! The lab as a story: the pure world first, on its own time, then real sockets.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use switchback::adapter::router::lab::LabRouter;
use switchback::adapter::source::Prober;
use switchback::lab::anchor::Anchor;
use switchback::lab::scenario::{builtin, load, parse};
use switchback::lab::world::{Fate, Life, Served};
use switchback::lab::{Lab, Scenario, World, act};
use switchback::runbook::readback::FaultKind;
use switchback::units::{Millis, Percent, Slot, Split};

const BLUE: Slot = Slot::First;
const GREEN: Slot = Slot::Second;
const HEAD: &str = "schema = 1\n[drill]\nid = \"t\"\ntitle = \"T\"\nlevel = 1\nminutes = 1\n";

fn scenario(rest: &str) -> Scenario {
    parse("t", &format!("{HEAD}{rest}")).unwrap_or_else(|fault| panic!("{fault} ({})", fault.hint))
}

fn green(percent: u8) -> Split {
    Split::giving(GREEN, Percent::new(percent).unwrap())
}

fn secs(secs: u64) -> Millis {
    Millis::secs(secs)
}

/// A world whose Green is up at 10 s, with no traffic on it yet.
fn deployed(scenario: &Scenario, seed: u64) -> World {
    let mut world = World::new(scenario, seed);
    world.deploy(GREEN, None, secs(1));
    world.play_until(secs(10));
    assert_eq!(world.life(GREEN, secs(10)), Life::Up);
    world
}

/// What users of one slot got between two seconds.
fn between(world: &mut World, slot: Slot, from: u64, to: u64) -> Vec<Served> {
    world.play_until(Millis(from * 1000 - 1));
    let played = world.play_until(Millis(to * 1000 - 1));
    played.into_iter().filter(|(_, s, _)| *s == slot).map(|(_, _, served)| served).collect()
}

fn failed_pct(served: &[Served]) -> f64 {
    100.0 * served.iter().filter(|served| served.failed()).count() as f64 / served.len() as f64
}

fn quantile_ms(served: &[Served], q: f64) -> f64 {
    let mut all: Vec<_> = served.iter().map(|served| served.latency_us).collect();
    all.sort_unstable();
    all[((all.len() - 1) as f64 * q) as usize] as f64 / 1000.0
}

#[test]
fn the_same_seed_tells_the_same_story_and_another_tells_another() {
    let story = |seed| {
        let mut world = deployed(&load("wall-of-red").unwrap(), seed);
        world.set_split(green(50), secs(10));
        (format!("{:?}", world.play_until(secs(60))), world.tally())
    };
    assert_eq!(story(401), story(401));
    assert_ne!(story(401).0, story(402).0);
}

#[test]
fn a_healthy_blue_is_what_the_scenario_says() {
    let mut world = World::new(&load("plain-sailing").unwrap(), 101);
    let served = between(&mut world, BLUE, 1, 601);
    let rps = served.len() as f64 / 600.0;
    assert!((38.5..41.5).contains(&rps), "{rps} requests a second");
    let (p50, p95) = (quantile_ms(&served, 0.5), quantile_ms(&served, 0.95));
    assert!((32.0..38.0).contains(&p50), "p50 {p50}");
    assert!((108.0..132.0).contains(&p95), "p95 {p95}");
    let bad = failed_pct(&served);
    assert!((0.1..0.35).contains(&bad), "5xx {bad} %");
    let client = served.iter().filter(|s| matches!(s.fate, Fate::Answer(404))).count();
    let client = 100.0 * client as f64 / served.len() as f64;
    assert!((1.7..2.3).contains(&client), "4xx {client} %");
    let ready = world.readiness(BLUE, secs(601)).unwrap();
    assert!(ready.ready());
    assert_eq!((ready.db.connections, ready.db.max, ready.db.errors), (24, 60, 0));
    assert!(ready.queue.depth <= 12, "queue {}", ready.queue.depth);
    assert!(world.tally().jobs_done > 3_000, "{} jobs", world.tally().jobs_done);
}

#[test]
fn the_split_is_honoured_to_the_request_and_every_user_is_counted() {
    let mut world = deployed(&load("plain-sailing").unwrap(), 3);
    for percent in [10, 50, 100, 0] {
        let at = world.next_arrival();
        world.set_split(green(percent), at);
        let mut got = [0_u64; 2];
        for _ in 0..300 {
            let next = world.next_arrival();
            for (_, slot, _) in world.play_until(next) {
                got[slot.index()] += 1;
            }
        }
        let all = got[0] + got[1];
        let expected = all as f64 * f64::from(percent) / 100.0;
        assert!((got[1] as f64 - expected).abs() <= 1.0, "{percent} %: {got:?}");
    }
    let tally = world.tally();
    assert_eq!(tally.users(), tally.slot(BLUE).requests + tally.slot(GREEN).requests);
    world.set_weights([0, 0], secs(900));
    world.play_until(secs(900));
    let lost = world.tally().lost;
    assert!(lost > 0 && world.tally().users_failed() >= lost, "nobody's users fail");
}

#[test]
fn a_users_luck_does_not_hang_on_what_the_operator_does() {
    let plain = load("plain-sailing").unwrap();
    let mut held = deployed(&plain, 9);
    let mut moved = deployed(&plain, 9);
    moved.set_split(green(50), secs(10));
    for _ in 0..20 {
        moved.probe(Some(0));
    }
    let (held, moved) = (held.play_until(secs(60)), moved.play_until(secs(60)));
    assert_eq!(held.len(), moved.len());
    for ((a, _, was), (b, _, is)) in held.iter().zip(&moved) {
        assert_eq!((a, was.fate), (b, is.fate));
    }
}

#[test]
fn green_boots_and_is_ready_and_the_lab_sees_each_anchor_itself() {
    let mut world = World::new(&load("plain-sailing").unwrap(), 1);
    assert_eq!(world.readiness(GREEN, secs(1)), None, "nothing listens");
    assert_eq!(world.deploy(GREEN, Some("1.9.1"), secs(2)), secs(4));
    assert_eq!(world.readiness(GREEN, Millis(3_999)), None);
    let booting = world.readiness(GREEN, secs(5)).unwrap();
    assert!(!booting.ready() && booting.version == "1.9.1");
    assert!(world.readiness(GREEN, secs(9)).unwrap().ready());
    assert_eq!(world.readiness(GREEN, secs(9)).unwrap().db.connections, 48, "two pools");
    let probe = world.probe(world.route_at("/orders"));
    world.serve(GREEN, &probe, secs(12));
    world.set_split(green(10), secs(20));
    world.set_split(green(29), secs(30));
    world.set_split(green(100), secs(40));
    world.set_split(green(0), secs(50));
    for (anchor, at) in [
        (Anchor::Start, 0),
        (Anchor::Deploy, 2),
        (Anchor::Ready, 9),
        (Anchor::Soak, 12),
        (Anchor::Switch, 20),
        (Anchor::Weight(10), 20),
        (Anchor::Weight(25), 30),
        (Anchor::Weight(29), 30),
        (Anchor::Full, 40),
        (Anchor::Rollback, 50),
    ] {
        assert_eq!(world.anchors().seen(&anchor), Some(secs(at)), "{anchor}");
    }
}

#[test]
fn a_deploy_that_is_cut_off_leaves_nothing() {
    let mut world = World::new(&load("plain-sailing").unwrap(), 1);
    world.deploy(GREEN, None, secs(2));
    world.stop(GREEN, secs(3));
    assert_eq!(world.life(GREEN, secs(60)), Life::Absent);
    assert_eq!(world.anchors().seen(&Anchor::Ready), None);
}

/// Green alone, with a fault from 10 s to 60 s, and the same world without it.
fn with_and_without(fault: &str) -> (Vec<Served>, Vec<Served>, Vec<Served>) {
    let text = format!("[[fault]]\nid = \"f\"\nat = \"switch\"\nfor = \"50s\"\n{fault}");
    let mut ill = deployed(&scenario(&text), 5);
    let mut well = deployed(&scenario(""), 5);
    for world in [&mut ill, &mut well] {
        world.set_split(green(100), secs(10));
    }
    let during = between(&mut ill, GREEN, 11, 59);
    let after = between(&mut ill, GREEN, 65, 110);
    (during, after, between(&mut well, GREEN, 11, 59))
}

#[test]
fn http_error_fails_its_share_of_its_route_and_nothing_after() {
    let (ill, after, well) = with_and_without("kind = \"http.error\"\nshare = 0.25\nstatus = 502");
    let share = failed_pct(&ill);
    assert!((22.0..28.0).contains(&share), "{share} %");
    assert!(ill.iter().any(|s| s.fate == Fate::Answer(502)));
    assert!(failed_pct(&after) < 1.0 && failed_pct(&well) < 1.0);
    let (one, ..) = with_and_without("kind = \"http.error\"\nshare = 1.0\nroute = \"/pay\"");
    let share = failed_pct(&one);
    assert!((12.0..18.5).contains(&share), "/pay is 15 % of requests: {share} %");
}

#[test]
fn http_latency_multiplies_times_and_fails_nobody() {
    let (ill, after, well) = with_and_without("kind = \"http.latency\"\nvalue = 4");
    let ratio = quantile_ms(&ill, 0.95) / quantile_ms(&well, 0.95);
    assert!((3.8..4.3).contains(&ratio), "{ratio}");
    assert!(failed_pct(&ill) < 1.0);
    assert!(quantile_ms(&after, 0.95) < 150.0);
}

#[test]
fn hangs_and_resets_are_no_answers() {
    let (hung, after, _) = with_and_without("kind = \"http.hang\"\nshare = 0.1");
    assert!(hung.iter().filter(|s| s.fate == Fate::Hang).count() > 100);
    assert!(after.iter().all(|s| s.fate != Fate::Hang));
    let (reset, ..) = with_and_without("kind = \"http.reset\"\nshare = 0.1");
    assert!(failed_pct(&reset) > 7.0);
}

#[test]
fn a_burnt_processor_slows_the_processors_part_and_in_the_end_turns_users_away() {
    let (half, _, well) = with_and_without("kind = \"cpu.burn\"\nvalue = 0.5");
    let ratio = quantile_ms(&half, 0.5) / quantile_ms(&well, 0.5);
    assert!((1.3..1.7).contains(&ratio), "40 % of the time is the processor's: {ratio}");
    let (gone, ..) =
        with_and_without("kind = \"cpu.burn\"\nvalue = 0.98\n[world.green]\nthreads = 6");
    assert!(gone.iter().any(|s| s.fate == Fate::Answer(503)), "no thread in time");
}

#[test]
fn a_slow_database_runs_out_of_connections_and_says_so() {
    let (slow, _, well) = with_and_without("kind = \"db.slow\"\nvalue = 3");
    let ratio = quantile_ms(&slow, 0.5) / quantile_ms(&well, 0.5);
    assert!((2.0..2.5).contains(&ratio), "60 % of the time is the database's: {ratio}");
    let (ill, ..) = with_and_without("kind = \"db.slow\"\nvalue = 60");
    assert!(ill.iter().any(|s| s.db_refused) && failed_pct(&ill) > 10.0);
    assert!(!well.iter().any(|s| s.db_refused));
}

#[test]
fn two_pools_that_do_not_fit_starve_the_slot_that_serves() {
    let text = "[world.blue]\nversion = \"1\"\npool_idle = 1\n[world.green]\npool_per_worker = 18\n\
                [[fault]]\nid = \"f\"\nkind = \"db.slow\"\ntarget = \"blue\"\nat = \"start\"\nvalue = 8\n";
    let mut world = deployed(&scenario(text), 1);
    between(&mut world, BLUE, 11, 60);
    let tally = world.tally();
    assert!(tally.slot(BLUE).db_refused > 0, "Green holds what Blue needs");
    assert_eq!(tally.slot(GREEN).requests, 0, "and has no users");
    let ready = world.readiness(BLUE, secs(60)).unwrap();
    assert!(ready.db.errors >= tally.slot(BLUE).db_refused);
    assert_eq!(ready.db.connections, 57, "60 less the 3 that are reserved");
}

#[test]
fn faults_can_hang_on_the_weight() {
    let text = "[[fault]]\nid = \"f\"\nkind = \"http.error\"\nat = \"switch\"\nshare = 1.0\ncouple = \"weight\"\n";
    let mut world = deployed(&scenario(text), 1);
    world.set_split(green(20), secs(10));
    let few = failed_pct(&between(&mut world, GREEN, 11, 60));
    world.set_split(green(80), secs(60));
    let many = failed_pct(&between(&mut world, GREEN, 61, 110));
    assert!((12.0..28.0).contains(&few) && (75.0..85.0).contains(&many), "{few} {many}");
}

#[test]
fn wall_of_red_stands_six_seconds_after_the_switch() {
    for seed in load("wall-of-red").unwrap().clock.seeds {
        let mut world = deployed(&load("wall-of-red").unwrap(), seed);
        world.set_split(green(50), secs(10));
        let before = between(&mut world, GREEN, 10, 15);
        let after = between(&mut world, GREEN, 17, 60);
        assert!(failed_pct(&before) < 5.0, "seed {seed}: {}", failed_pct(&before));
        let red = failed_pct(&after);
        assert!((54.0..66.0).contains(&red), "seed {seed}: {red} %");
        let ratio = quantile_ms(&after, 0.5) / 35.0;
        assert!((16.0..24.0).contains(&ratio), "seed {seed}: {ratio} times as slow");
        let blue = between(&mut world, BLUE, 61, 100);
        assert!(failed_pct(&blue) < 1.5, "Blue is well");
    }
}

/// The literal rule: every rolling share over half the hold is over the bound, for the hold.
fn trips(seconds: &[(u64, u64)], bound_pct: f64, hold: usize) -> bool {
    let window = hold / 2;
    let mut over = 0;
    for end in window..=seconds.len() {
        let sums = seconds[end - window..end].iter();
        let (bad, of) = sums.fold((0, 0), |(bad, of), second| (bad + second.0, of + second.1));
        over = if of > 0 && 100.0 * bad as f64 / of as f64 > bound_pct { over + 1 } else { 0 };
        if over > hold {
            return true;
        }
    }
    false
}

#[test]
fn cold_shiver_frightens_and_never_trips() {
    let shiver = load("cold-shiver").unwrap();
    for seed in shiver.clock.seeds.iter().copied().chain(0..60) {
        let mut world = deployed(&shiver, seed);
        let (mut errors, mut slow) = (Vec::new(), Vec::new());
        let mut at = 10;
        for (percent, hold) in [(10, 15), (50, 15), (100, 40)] {
            world.set_split(green(percent), Millis(at * 1000 - 1));
            for second in at..at + hold {
                let served = between(&mut world, GREEN, second, second + 1);
                let of = served.len() as u64;
                errors.push((served.iter().filter(|s| s.failed()).count() as u64, of));
                slow.push((served.iter().filter(|s| s.latency_us > 500_000).count() as u64, of));
            }
            at += hold;
        }
        assert!(!trips(&errors, 2.0, 10), "seed {seed}: {errors:?}");
        // A p95 above 500 ms is more than 5 % of answers above it.
        assert!(!trips(&slow, 5.0, 15), "seed {seed}: {slow:?}");
    }
    // Many users at once show the causes: more database reads, times that fall, a few errors.
    let mut world = deployed(&shiver, 501);
    world.set_split(green(100), secs(10));
    let first = between(&mut world, GREEN, 10, 12);
    assert_eq!(world.readiness(GREEN, secs(12)).unwrap().components["cache"], "warming");
    let later = between(&mut world, GREEN, 30, 60);
    assert_eq!(world.readiness(GREEN, secs(60)).unwrap().components["cache"], "ok");
    let reads =
        |served: &[Served]| served.iter().map(|s| s.db_reads).sum::<f64>() / served.len() as f64;
    assert!(reads(&first) > 2.5 * reads(&later), "{} {}", reads(&first), reads(&later));
    let fear = quantile_ms(&first, 0.5) / quantile_ms(&later, 0.5);
    assert!((1.8..3.5).contains(&fear), "{fear}");
}

// Real sockets from here on.

fn up(name: &str) -> Lab {
    let mut scenario = load(name).unwrap();
    scenario.world.green.deploy = Millis(100);
    scenario.world.green.boot = Millis(200);
    Lab::start(&scenario, 1).unwrap_or_else(|fault| panic!("{fault}"))
}

fn get(address: std::net::SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(12)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn say(lab: &Lab, words: &[&str]) -> Result<String, switchback::runbook::readback::Fault> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let mut said = Vec::new();
    act(&lab.addresses().control.to_string(), &words, &mut said)?;
    Ok(String::from_utf8(said).unwrap())
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn router(lab: &Lab) -> LabRouter {
    LabRouter::new(lab.addresses().control.to_string(), secs(2))
}

#[test]
fn green_is_deployed_by_a_command_and_served_through_the_proxy_by_weight() {
    let lab = up("plain-sailing");
    let [blue, green_port] = lab.addresses().slots;
    let front = lab.addresses().front;
    assert!(get(blue, "/readyz").unwrap().contains("\"database\":\"ok\""));
    assert!(get(green_port, "/readyz").is_err(), "nothing listens");

    let said = say(&lab, &["deploy", "right", "1.9.0"]).unwrap();
    assert!(said.contains("starting 1.9.0 in right") && said.contains("right runs"), "{said}");
    let booting = get(green_port, "/readyz").unwrap();
    assert!(booting.starts_with("HTTP/1.1 503") || booting.contains("\"ok\""), "{booting}");
    until("Green to be ready", || get(green_port, "/readyz").unwrap().starts_with("HTTP/1.1 200"));
    let ready = get(green_port, "/readyz").unwrap();
    assert!(ready.to_lowercase().contains("x-version: 1.9.0"), "{ready}");
    let body: serde_json::Value =
        serde_json::from_str(ready.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body.pointer("/db/errors").unwrap(), 0);
    assert!(body.pointer("/queue/depth").unwrap().is_u64());

    let mut router = router(&lab);
    let read = wait(router.read());
    assert_eq!(read.split(), Some(Split::all_to(BLUE)));
    let set = wait(router.set(green(30)));
    assert_eq!(set.split(), Some(green(30)), "the answer is the new state");
    let before = wait(router.stats()).slots.unwrap();
    let mut slots = [0; 2];
    for _ in 0..50 {
        let answer = get(front, "/orders").unwrap().to_lowercase();
        slots[usize::from(answer.contains("x-slot: right"))] += 1;
        assert!(answer.contains("x-version"), "{answer}");
    }
    assert!(slots[0] > 20 && slots[1] > 5, "{slots:?}");
    until("users", || {
        let now = wait(router.stats()).slots.unwrap();
        now[0].requests + now[1].requests > before[0].requests + before[1].requests + 120
    });
    let now = wait(router.stats()).slots.unwrap();
    let grown = [0, 1].map(|i: usize| (now[i].requests - before[i].requests) as f64);
    let share = 100.0 * grown[1] / (grown[0] + grown[1]);
    assert!((28.0..32.0).contains(&share), "{share} % of {grown:?}");
    let times = now[1].latency_ms.as_ref().unwrap();
    assert_eq!(times.count(), now[1].requests, "a request is counted when it has ended");
    assert!(times.quantile(0.5).unwrap() > 10.0);
    assert!(router.identity().starts_with("lab 127.0.0.1:"));
    assert!(lab.tally().unwrap().users() > 100);
    assert!(lab.seen().unwrap().answered > 50);
}

#[test]
fn a_service_that_is_well_complains_of_nothing() {
    let lab = up("plain-sailing");
    let plan = switchback::plan::parse(&lab.plan_toml(), "the lab's plan").unwrap().plan;
    let secrets = std::collections::BTreeMap::new();
    let prober = Prober::new(&plan, &plan.slots[0].url, &secrets).unwrap();
    let check = wait(async move { prober.check().await });
    assert!(check.ready && check.degraded.is_empty() && check.why.is_none(), "{check:?}");
}

#[test]
fn a_stopped_slot_refuses_and_its_users_fail_and_it_can_come_back_on_its_port() {
    let lab = up("plain-sailing");
    let mut router = router(&lab);
    say(&lab, &["deploy", "right"]).unwrap();
    wait(router.set(green(50)));
    until("Green's users", || lab.tally().unwrap().slot(GREEN).requests > 5);
    say(&lab, &["stop", "right"]).unwrap();
    let failed = wait(router.stats()).slots.unwrap()[1].failed;
    until("failures", || wait(router.stats()).slots.unwrap()[1].failed > failed + 5);
    assert!(lab.tally().unwrap().slot(GREEN).failed > 5, "the model counts them too");
    assert!(get(lab.addresses().slots[1], "/healthz").is_err());
    assert!(say(&lab, &["logs", "right"]).unwrap().contains("stopped"));
    say(&lab, &["deploy", "right"]).unwrap();
    assert!(get(lab.addresses().slots[1], "/healthz").unwrap().starts_with("HTTP/1.1 200"));
}

#[test]
fn commands_that_make_no_sense_are_refused_with_a_reason() {
    let lab = up("plain-sailing");
    for (words, why) in [
        (&["deploy", "middle"][..], "left and right"),
        (&["deploy", "right", "9.9"], "1.8.2 and 1.9.0"),
        (&["dance"], "known are deploy"),
    ] {
        let fault = say(&lab, words).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused);
        assert!(fault.cause.as_str().contains(why), "{}", fault.cause);
    }
    assert!(say(&lab, &["redeploy-check", "1.8.2"]).unwrap().contains("is there"));
}

#[test]
fn a_deploy_whose_command_is_killed_ends_with_it() {
    let mut scenario = load("plain-sailing").unwrap();
    scenario.world.green.deploy = Millis(800);
    let lab = Lab::start(&scenario, 1).unwrap();
    let mut command = TcpStream::connect(lab.addresses().control).unwrap();
    write!(command, "POST /act HTTP/1.0\r\nContent-Length: 12\r\n\r\ndeploy\nright").unwrap();
    let mut first = [0; 16];
    command.read_exact(&mut first).unwrap();
    drop(command);
    until("the log", || say(&lab, &["logs", "right"]).unwrap().contains("cut off"));
    assert!(get(lab.addresses().slots[1], "/healthz").is_err());
}

#[test]
fn real_resets_and_errors_reach_the_user() {
    let lab = |kind: &str| {
        let text = format!(
            "[[fault]]\nid = \"f\"\ntarget = \"blue\"\nat = \"start\"\nkind = \"{kind}\"\nshare = 1.0\n"
        );
        Lab::start(&scenario(&text), 1).unwrap()
    };
    let reset = lab("http.reset");
    let error = get(reset.addresses().slots[0], "/orders").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(get(reset.addresses().front, "/orders").unwrap().starts_with("HTTP/1.1 502"));
    let wrong = lab("http.error");
    assert!(get(wrong.addresses().front, "/orders").unwrap().starts_with("HTTP/1.1 500"));
    assert!(get(wrong.addresses().slots[0], "/readyz").unwrap().starts_with("HTTP/1.1 200"));
}

/// Everybody on Green of a lab whose faults begin with the switch.
fn on_green(text: &str) -> Lab {
    let mut scenario = scenario(text);
    scenario.world.green.deploy = Millis(100);
    scenario.world.green.boot = Millis(200);
    let lab = Lab::start(&scenario, 1).unwrap_or_else(|fault| panic!("{fault}"));
    say(&lab, &["deploy", "right"]).unwrap();
    let green_port = lab.addresses().slots[1];
    until("Green", || get(green_port, "/readyz").is_ok_and(|s| s.starts_with("HTTP/1.1 200")));
    assert_eq!(wait(router(&lab).set(green(100))).split(), Some(green(100)));
    lab
}

#[test]
fn a_stuck_proxy_says_yes_and_stays_and_the_second_path_moves_it() {
    let lab = on_green("[[fault]]\nid = \"f\"\nkind = \"proxy.stuck\"\nat = \"full\"\n");
    let mut router = router(&lab);
    assert_eq!(wait(router.set(green(0))).split(), Some(green(100)), "read back as it stands");
    assert!(say(&lab, &["lever", "second-path"]).unwrap().contains("Blue alone"));
    assert_eq!(wait(router.read()).split(), Some(green(0)));
    let lab = on_green("[[fault]]\nid = \"f\"\nkind = \"proxy.refuse\"\nat = \"full\"\n");
    let refused = wait(LabRouter::new(lab.addresses().control.to_string(), secs(2)).set(green(0)));
    assert_eq!(refused.first_fault().unwrap().1.kind, FaultKind::Refused);
    let lab = on_green("[[fault]]\nid = \"f\"\nkind = \"proxy.mute\"\nat = \"full\"\n");
    let mut silent = LabRouter::new(lab.addresses().control.to_string(), Millis(200));
    assert_eq!(wait(silent.read()).first_fault().unwrap().1.kind, FaultKind::TimedOut);
    assert!(get(lab.addresses().front, "/").is_ok(), "users are served");
}

#[test]
fn levers_are_pulled_by_command_and_by_hand_and_unknown_ones_are_named() {
    let text = "[[fault]]\nid = \"f\"\nkind = \"latent.trigger\"\nat = \"full\"\nshare = 1.0\n\
                [[inject]]\nat = \"full\"\nfrom = \"customer\"\ntext = \"It fails.\"\n";
    let lab = on_green(text);
    let front = lab.addresses().front;
    assert!(get(front, "/orders").unwrap().starts_with("HTTP/1.1 500"));
    let fault = say(&lab, &["lever", "wish"]).unwrap_err();
    assert!(fault.cause.as_str().contains("pause-queue"), "{}", fault.cause);
    let fault = lab.pull(switchback::lab::Lever::Patch).unwrap_err();
    assert!(fault.cause.as_str().contains("nobody here"), "{}", fault.cause);
    assert!(say(&lab, &["lever", "disable-trigger"]).unwrap().contains("is off"));
    until("good answers", || get(front, "/orders").unwrap().starts_with("HTTP/1.1 200"));
    let standing = lab.standing().unwrap();
    assert_eq!(standing.messages[0].text, "It fails.");
    assert!(standing.anchors.iter().any(|(a, _)| a.to_string() == "event:disable-trigger"));
    let ahead = lab.foresee(secs(30), false).unwrap();
    assert!(ahead.tally.users() > standing.tally.users() + 1_000, "the model goes on alone");
}

#[test]
fn deep_checks_bad_certificates_and_dead_boots_are_real_on_sockets() {
    let deep = "[[fault]]\nid = \"f\"\nkind = \"ready.sequence\"\nturns = [0]\ndeep = true\nat = \"start\"\ntarget = \"blue\"\n";
    let lab = Lab::start(&scenario(deep), 1).unwrap();
    let blue = lab.addresses().slots[0];
    assert!(get(blue, "/readyz").unwrap().starts_with("HTTP/1.1 200"));
    let deep = get(blue, "/readyz?deep").unwrap();
    assert!(deep.starts_with("HTTP/1.1 503") && deep.contains("401 from"), "{deep}");
    let lab = on_green("[[fault]]\nid = \"f\"\nkind = \"tls.bad\"\nat = \"switch\"\n");
    let failed = wait(router(&lab).stats()).slots.unwrap()[1].failed;
    until("users who fail", || wait(router(&lab).stats()).slots.unwrap()[1].failed > failed + 10);
    assert!(get(lab.addresses().slots[1], "/orders").unwrap().starts_with("HTTP/1.1 200"));
    assert!(!say(&lab, &["logs", "right"]).unwrap().contains("reset"), "it never got there");
    let mut dead = scenario("[[fault]]\nid = \"f\"\nkind = \"boot.fail\"\nat = \"deploy\"\n");
    dead.world.green.deploy = Millis(100);
    let lab = Lab::start(&dead, 1).unwrap();
    assert!(say(&lab, &["deploy", "right"]).unwrap().contains("1 MB (1.8.2 has 27 MB)"));
    until("its end", || get(lab.addresses().slots[1], "/healthz").is_ok_and(|s| s.is_empty()));
}

#[test]
fn counters_can_freeze_and_be_missing_while_users_are_served() {
    let lab = on_green(
        "[[fault]]\nid = \"f\"\nkind = \"http.error\"\nshare = 1.0\nat = \"full+2s\"\n\
         [[fault]]\nid = \"g\"\nkind = \"telemetry.freeze\"\nat = \"full+2s\"\nfor = \"5s\"\n\
         [[fault]]\nid = \"h\"\nkind = \"telemetry.gap\"\nat = \"full+7s\"\nfor = \"2s\"\n",
    );
    let mut router = router(&lab);
    let green = |lab: &Lab| lab.tally().unwrap().slots[1].failed;
    let mut seen = || wait(router.stats()).slots.map(|slots| (slots[1].requests, slots[1].failed));
    until("real failures", || {
        seen();
        green(&lab) > 60
    });
    let (requests, failed) = seen().unwrap();
    assert!(failed < 10, "{failed} of {requests} are seen to fail");
    until("more of the same", || seen().is_some_and(|(more, _)| more > requests + 20));
    until("nothing", || seen().is_none());
    until("the truth", || seen().is_some_and(|(_, failed)| failed > 100));
}

#[test]
fn the_routers_faults_say_what_happened() {
    let mut lab = up("plain-sailing");
    let mut router = router(&lab);
    let page = lab.addresses().front.to_string();
    let stranger = wait(LabRouter::new(page, secs(2)).read());
    assert_eq!(stranger.first_fault().unwrap().1.kind, FaultKind::Refused);
    lab.stop();
    let gone = wait(router.read());
    assert_eq!(gone.first_fault().unwrap().1.kind, FaultKind::Unreachable);
    assert_eq!(gone.split(), None);
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = deaf.local_addr().unwrap().to_string();
    let late = wait(LabRouter::new(address, Millis(50)).set(green(0)));
    assert_eq!(late.first_fault().unwrap().1.kind, FaultKind::TimedOut);
}

#[test]
fn a_dropped_call_closes_its_connection() {
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = deaf.local_addr().unwrap().to_string();
    wait(async {
        let mut router = LabRouter::new(address, secs(60));
        tokio::select! {
            _ = router.set(green(100)) => panic!("nobody answers"),
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
        let (mut stream, _) = deaf.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("PUT /weights"), "read to its end: {text}");
    });
}

#[test]
fn the_plan_of_every_scenario_is_toml_that_names_the_lab() {
    for name in builtin() {
        let lab = Lab::start(&load(name).unwrap(), 1).unwrap();
        let plan: toml::Table = lab.plan_toml().parse().unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(plan["router"]["kind"].as_str(), Some("lab"));
        let front = plan["router"]["front"].as_str().unwrap();
        assert_eq!(front, format!("http://{}", lab.addresses().front));
        assert_eq!(plan["limit"].as_array().unwrap().len(), load(name).unwrap().plan.limits.len());
        assert_eq!(plan["commands"]["deploy"][1].as_str(), Some("lab-act"));
    }
}
