//! What the site answers to an operator on a word, with numbers of the last seconds, on the pure
//! world and on sockets; and the series on the lab's own page.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use switchback::lab::scenario::{load, parse};
use switchback::lab::series::Series;
use switchback::lab::{Errand, Lab, Scenario, World, act};
use switchback::units::{Millis, Percent, Slot, Split};

const GREEN: Slot = Slot::Second;
const HEAD: &str = "schema = 1\n[drill]\nid = \"t\"\ntitle = \"T\"\nlevel = 1\nminutes = 1\n";

fn scenario(rest: &str) -> Scenario {
    parse("t", &format!("{HEAD}{rest}")).unwrap_or_else(|f| panic!("{f} ({})", f.hint))
}

fn secs(secs: u64) -> Millis {
    Millis::secs(secs)
}

/// A world whose Green has so much of the traffic since 10 s, played to 40 s.
fn world(rest: &str, percent: u8) -> World {
    let mut world = World::new(&scenario(rest), 5);
    world.play_until(secs(1));
    world.deploy(GREEN, None, secs(1));
    world.play_until(secs(10));
    world.set_split(Split::giving(GREEN, Percent::new(percent).unwrap()), secs(10));
    world.play_until(secs(40));
    world
}

fn ask(world: &mut World, words: &str) -> String {
    world.run(Errand::read(words).unwrap(), secs(40)).unwrap()
}

/// The percentages of what is said, in order.
fn numbers(said: &str) -> Vec<f64> {
    said.split(" % failed")
        .filter_map(|part| part.rsplit([' ', ':']).next()?.parse().ok())
        .collect()
}

#[test]
fn a_look_by_worker_finds_the_one_that_fails() {
    let fault = "[[fault]]\nid = \"f\"\nkind = \"worker.variant\"\nat = \"switch\"\nworker = 2\n\
        share = 0.6\n";
    let said = ask(&mut world(fault, 100), "by worker");
    assert!(said.starts_with("by worker, the last 10 s. Blue: no users. Green: worker 1: "));
    let [one, two, three] = numbers(&said)[..] else { panic!("{said}") };
    assert!(one < 3.0 && three < 3.0 && (45.0..75.0).contains(&two), "{said}");
}

#[test]
fn looks_by_page_by_cohort_and_by_client_find_whose_trouble_it_is() {
    let page = "[[fault]]\nid = \"f\"\nkind = \"http.error\"\nat = \"switch\"\nshare = 1.0\n\
        route = \"/pay\"\n";
    let said = ask(&mut world(page, 100), "by route");
    assert!(said.contains("/pay: 100 % failed"), "{said}");
    let cohort = "[traffic]\ncohorts = [{ name = \"web\", share = 0.7 }, \
        { name = \"api\", share = 0.3 }]\n[[fault]]\nid = \"f\"\nkind = \"http.error\"\n\
        at = \"switch\"\nshare = 1.0\nstatus = 403\ncohort = \"api\"\n";
    let said = ask(&mut world(cohort, 100), "by cohort");
    assert!(said.contains("Green: api: 0 % failed") && said.contains("403: 100 %"), "{said}");
    let thief = "[[fault]]\nid = \"f\"\nkind = \"client.abuse\"\nat = \"switch\"\nvalue = 15\n\
        share = 1.0\nfrom = \"client 7\"\nroute = \"/pay\"\n";
    let mut abused = world(thief, 50);
    let said = ask(&mut abused, "by client");
    assert!(said.matches("client 7: 100 % failed").count() == 2, "both slots have it: {said}");
    let said = ask(&mut abused, "by slot");
    assert!(said.contains("Blue: ") && numbers(&said).iter().all(|pct| *pct > 10.0), "{said}");
}

#[test]
fn a_probe_goes_straight_to_a_slot_and_leaves_no_trace() {
    let bug = "[[fault]]\nid = \"f\"\nkind = \"latent.trigger\"\nat = \"full+5s\"\nshare = 1.0\n";
    let mut both = world(bug, 100);
    let said = ask(&mut both, "probe blue");
    assert!(said.contains("/orders 500 in"), "the old release has it too: {said}");
    let mut asked = world("", 50);
    let mut left_alone = asked.clone();
    for words in ["probe green", "by worker", "series", "recheck blue"] {
        ask(&mut asked, words);
    }
    assert_eq!(asked.play_until(secs(90)), left_alone.play_until(secs(90)));
    assert_eq!(asked.tally(), left_alone.tally());
}

#[test]
fn a_recheck_looks_deeper_than_the_lie() {
    let lie = "[[fault]]\nid = \"l\"\nkind = \"ready.lie\"\nat = \"ready\"\n\
        [[fault]]\nid = \"f\"\nkind = \"http.reject_auth\"\nat = \"ready\"\nshare = 1.0\n\
        route = \"/pay\"\n";
    let said = ask(&mut world(lie, 0), "re-check green");
    assert!(said.contains("Green rechecked: ready, deep check not ready"), "{said}");
    assert!(said.contains("401 on /pay"), "{said}");
}

#[test]
fn a_weight_is_set_as_far_as_the_proxy_obeys() {
    let mut obeys = world("", 10);
    let said = ask(&mut obeys, "set weight 35");
    assert!(said.contains("35 %") && obeys.weights() == [65, 35], "{said}");
    let stuck = "[[fault]]\nid = \"f\"\nkind = \"proxy.stuck\"\nat = \"switch+5s\"\n";
    let mut stuck = world(stuck, 10);
    assert!(ask(&mut stuck, "weight 0").ends_with("Green has 10 % now"));
    let refuses = "[[fault]]\nid = \"f\"\nkind = \"proxy.refuse\"\nat = \"switch+5s\"\n";
    let refused = world(refuses, 10).run(Errand::read("weight 0").unwrap(), secs(40));
    assert!(refused.unwrap_err().contains("403"));
}

#[test]
fn the_series_say_everything_that_is_measured() {
    let world = world("", 50);
    let series = world.series(secs(40));
    let [left, right] = &series.slots;
    assert!((17.0..23.0).contains(&left.users.rps) && (17.0..23.0).contains(&right.users.rps));
    assert!((left.users.rps + right.users.rps - series.total.rps).abs() < 0.11);
    assert_eq!((left.workers.len(), left.ready.shallow, left.ready.deep), (3, true, true));
    let of_workers: u64 = left.workers.iter().map(|worker| worker.requests).sum();
    assert_eq!(of_workers, left.users.requests);
    let (p50, p99) = (left.users.p50_ms.unwrap(), left.users.p99_ms.unwrap());
    assert!((25.0..50.0).contains(&p50) && p99 > 2.0 * p50);
    assert_eq!((series.db.used, series.db.max), (48, 60));
    assert!((5.0..60.0).contains(&series.db.latency_ms), "{:?}", series.db);
    assert!((4.0..8.0).contains(&series.queue.in_per_s), "{:?}", series.queue);
    assert!((4.0..8.0).contains(&series.queue.out_per_s), "{:?}", series.queue);
    assert!((left.cache.hit_pct - 92.0).abs() < 0.1 && series.disk.used_pct == 41.0);
    assert!((5.0..7.0).contains(&series.jobs.runs_per_min), "{:?}", series.jobs);
    assert!((200.0..520.0).contains(&series.acts_per_min), "{}", series.acts_per_min);
    assert!((0.7..0.9).contains(&series.logins_per_s), "{}", series.logins_per_s);
    assert!(series.total.client_errors_pct["404"] < 6.0 && series.ages_ms["users"] == 0);
    for line in ["worker 3", "database: 48 of 60", "queue: ", "disk 41 %", "age of what is read"] {
        assert!(series.lines().iter().any(|said| said.contains(line)), "{line}");
    }
}

#[test]
fn the_series_move_with_their_causes() {
    let faults = "[[fault]]\nid = \"m\"\nkind = \"mem.leak\"\nat = \"switch\"\nvalue = 3\n\
        [[fault]]\nid = \"d\"\nkind = \"disk.fill\"\nat = \"switch\"\nvalue = 0.5\n\
        [[fault]]\nid = \"q\"\nkind = \"queue.stop\"\nat = \"switch\"\n\
        [[fault]]\nid = \"j\"\nkind = \"job.double\"\nat = \"ready\"\nvalue = 4\n\
        [[fault]]\nid = \"l\"\nkind = \"db.lock\"\nat = \"switch\"\ntakes = \"2s\"\n\
        [[fault]]\nid = \"s\"\nkind = \"session.key\"\nat = \"switch\"\n\
        [[fault]]\nid = \"t\"\nkind = \"telemetry.freeze\"\nat = \"switch+20s\"\n\
        [[fault]]\nid = \"p\"\nkind = \"conn.pinned\"\nat = \"switch\"\nvalue = 50\n\
        target = \"green\"\n";
    let series = world(faults, 100).series(secs(40));
    let green = &series.slots[1];
    assert!(green.memory.full_in_s.is_some() && green.memory.rss_mb > 250.0, "{:?}", green.memory);
    assert!(series.disk.full_in_s.is_some() && series.disk.used_pct > 50.0, "{:?}", series.disk);
    assert!(series.queue.out_per_s < 0.1 && series.queue.oldest_s > 20, "{:?}", series.queue);
    assert!(series.jobs.runs_per_min > 10.0 && series.jobs.side_effects_twice_per_min > 10.0);
    assert!(series.db.lock_wait_ms > 100.0 && series.db.waiting > 0, "{:?}", series.db);
    assert!(series.logins_per_s > 1.5, "{}", series.logins_per_s);
    assert!(green.users.open_connections >= 50, "{}", green.users.open_connections);
    assert_eq!(series.ages_ms["users"], 10_000, "frozen for ten seconds");
    let hidden = faults.replace("telemetry.freeze\"", "telemetry.freeze\"\nvisible = false");
    assert_eq!(world(&hidden, 100).series(secs(40)).ages_ms["users"], 0, "nobody is told");
}

fn page(lab: &Lab, path: &str) -> String {
    let mut stream = TcpStream::connect(lab.addresses().control).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    all.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn on_sockets_the_same_is_asked_by_command_and_stands_on_the_lab_s_own_page() {
    let lab = Lab::start(&load("plain-sailing").unwrap(), 101).unwrap();
    let began = Instant::now();
    let series = loop {
        let series: Series = serde_json::from_str(&page(&lab, "/series")).unwrap();
        if series.slots[0].users.requests >= 60 {
            break series;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{series:?}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(series.slots[0].ready.shallow && series.slots[1].users.requests == 0);
    assert!(page(&lab, "/").contains("left worker 3: "));
    assert!(lab.errand(Errand::read("by worker").unwrap()).unwrap().contains("Blue: worker 1: "));
    let address = lab.addresses().control.to_string();
    let mut out = Vec::new();
    let words = ["ask", "probe", "blue"].map(str::to_owned);
    act(&address, &words, &mut out).unwrap();
    let said = String::from_utf8(out).unwrap();
    assert!(said.starts_with("Blue asked directly: / 200 in"), "{said}");
    let words = ["ask", "the", "moon"].map(str::to_owned);
    assert!(
        act(&address, &words, &mut Vec::new()).unwrap_err().cause.as_str().contains("by worker")
    );
}
