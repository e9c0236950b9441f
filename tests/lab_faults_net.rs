//! The wire between a slot and its users, as stories on both fronts: a narrow wire, answers in
//! slices, connections that close half-way. The world says what it costs, and the sockets do it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use switchback::lab::scenario::parse;
use switchback::lab::world::{Fate, Served};
use switchback::lab::{Lab, Scenario, World};
use switchback::units::{Millis, Slot};

const BLUE: Slot = Slot::First;
/// One page of 20 000 bytes, and nothing else goes wrong with it.
const HEAD: &str = "schema = 1\n[drill]\nid = \"t\"\ntitle = \"T\"\nlevel = 1\nminutes = 1\n\
    [traffic]\nerror_pct = 0.0\nclient_error_pct = 0.0\n\
    routes = [{ path = \"/list\", share = 1.0, db = 1.0, bytes = 20000 }]\n";

fn scenario(fault: &str) -> Scenario {
    let fault = if fault.is_empty() {
        String::new()
    } else {
        format!("[[fault]]\nid = \"f\"\ntarget = \"blue\"\nat = \"start\"\n{fault}\n")
    };
    parse("t", &format!("{HEAD}{fault}")).unwrap_or_else(|f| panic!("{f} ({})", f.hint))
}

/// What the users of half a minute got.
fn served(fault: &str) -> Vec<Served> {
    let mut world = World::new(&scenario(fault), 5);
    world.play_until(Millis::secs(30)).into_iter().map(|(.., served)| served).collect()
}

fn median_ms(served: &[Served]) -> f64 {
    let mut all: Vec<_> = served.iter().map(|served| served.latency_us).collect();
    all.sort_unstable();
    all[all.len() / 2] as f64 / 1000.0
}

/// One request over a real socket: the head, what came of the body, when its parts came, and
/// whether the connection was closed before its end.
struct Got {
    status: String,
    body: usize,
    parts: Vec<Duration>,
    whole: bool,
}

fn get(address: SocketAddr) -> Got {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let begun = Instant::now();
    stream.write_all(b"GET /list HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").unwrap();
    let (mut all, mut parts, mut chunk) = (Vec::new(), Vec::new(), vec![0; 65_536]);
    while let Ok(n @ 1..) = stream.read(&mut chunk) {
        all.extend_from_slice(&chunk[..n]);
        parts.push(begun.elapsed());
    }
    let text = String::from_utf8_lossy(&all).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    Got {
        status: head.lines().next().unwrap_or_default().to_owned(),
        body: body.len(),
        parts,
        whole: length == Some(body.len()),
    }
}

fn from_slot(fault: &str) -> Got {
    let lab = Lab::start(&scenario(fault), 5).unwrap();
    get(lab.addresses().slots[BLUE.index()])
}

#[test]
fn an_answer_has_the_size_that_its_route_says() {
    let plain = served("");
    assert!(plain.iter().all(|s| s.body.bytes == 20_000 && s.body.takes_us == 0));
    let got = from_slot("");
    assert!(got.status.contains("200") && got.whole, "{}", got.status);
    assert_eq!(got.body, 20_000);
}

#[test]
fn a_narrow_wire_makes_large_answers_late_and_none_of_them_wrong() {
    let narrow = "kind = \"net.bandwidth\"\nvalue = 20";
    let (plain, slow) = (served(""), served(narrow));
    let more = median_ms(&slow) - median_ms(&plain);
    assert!((990.0..1_010.0).contains(&more), "20 kB at 20 kB/s take a second: {more}");
    assert!(!slow.iter().any(Served::failed));
    let half = served("kind = \"net.bandwidth\"\nvalue = 20\nshare = 0.3");
    let hit = half.iter().filter(|s| s.body.takes_us > 0).count() as f64 / half.len() as f64;
    assert!((0.25..0.35).contains(&hit), "{hit}");
    let dry = served("kind = \"net.bandwidth\"\nvalue = 1");
    assert!(dry.iter().all(Served::failed), "nobody waits for twenty seconds");

    let got = from_slot(narrow);
    assert!(got.whole && got.parts.len() > 5, "it trickles: {:?}", got.parts);
    assert!(*got.parts.last().unwrap() >= Duration::from_millis(990), "{:?}", got.parts);
}

#[test]
fn slices_come_one_after_the_other_with_their_pauses() {
    let slices = "kind = \"net.slicer\"\nvalue = 4000\nvariation = 0\ntakes = \"150ms\"";
    let more = median_ms(&served(slices)) - median_ms(&served(""));
    assert!((599.0..601.0).contains(&more), "five slices, four pauses: {more}");
    let uneven = served("kind = \"net.slicer\"\nvalue = 4000\nvariation = 3000\ntakes = \"150ms\"");
    let counts: std::collections::BTreeSet<_> = uneven.iter().map(|s| s.body.pieces).collect();
    assert!(counts.len() > 1 && counts.contains(&5), "{counts:?}");

    let got = from_slot(slices);
    let (first, last) = (got.parts[0], *got.parts.last().unwrap());
    assert!(got.whole && got.parts.len() >= 4, "{:?}", got.parts);
    assert!(last.checked_sub(first).unwrap() >= Duration::from_millis(400), "{:?}", got.parts);
}

#[test]
fn a_connection_that_closes_half_way_is_a_failure_on_every_side() {
    let limit = "kind = \"net.limit\"\nvalue = 7000";
    assert!(
        served(limit).iter().all(|s| s.fate == Fate::Cut && s.failed() && s.body.sent == 7_000)
    );
    assert!(!served("kind = \"net.limit\"\nvalue = 20000").iter().any(Served::failed), "it fits");

    let got = from_slot(limit);
    assert!(got.status.contains("200") && !got.whole, "it began well: {}", got.status);
    assert_eq!(got.body, 7_000);

    let lab = Lab::start(&scenario(limit), 5).unwrap();
    assert!(get(lab.addresses().front).status.contains("502"), "the proxy says that it was cut");
    let began = Instant::now();
    loop {
        let (seen, tally) = (lab.seen().unwrap(), lab.tally().unwrap());
        if seen.failed > 20 {
            assert_eq!(seen.failed, seen.answered, "each of them");
            assert!(tally.slot(BLUE).failed >= 20, "{tally:?}");
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{seen:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn users_behind_a_narrow_wire_wait_as_long_on_sockets_as_the_world_says() {
    let lab = Lab::start(&scenario("kind = \"net.bandwidth\"\nvalue = 40"), 5).unwrap();
    let began = Instant::now();
    while lab.seen().unwrap().answered < 40 {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(50));
    }
    let seen = lab.seen().unwrap();
    assert_eq!(seen.failed, 0);
    let over = seen.overhead_ms.quantile(0.5).unwrap();
    assert!(over < 150.0, "what the sockets add is little: {over}");
}
