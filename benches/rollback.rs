//! How long the way back takes, from the key to the router at Blue, and to Blue's first answer.
//!
//! The real program in a terminal of 200x60, a real HAProxy on its unix socket, and two real
//! services. Each rollback is a run of its own: it comes to 50 %, one of the probes of Green begins
//! to hang, and at some moment `r` is pressed, which finds the screen drawing, probes asking and
//! one of them waiting. The stamps are those of the run's journal, which count from the moment the
//! key was read; beside them stands what can be seen from outside, from the key's way into the
//! terminal to the words on the screen.
//!
//! `cargo bench --bench rollback` makes 200 rollbacks in about twelve minutes; `-- 20` makes 20.
//! It needs haproxy (apt-get install haproxy).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot go on shall fail")]

#[path = "../tests/support/haproxy.rs"]
#[allow(dead_code, reason = "tests use more of it")]
mod haproxy;
mod support;

use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};
use support::figures::{figure, is_bench, numbers, quantile, remark};
use support::pty::Pty;
use support::world::World;

const ROLLBACKS: u64 = 200;

/// As short as a way to 50 % can be, with probes ten times a second.
const PLAN: &str = r#"
[health]
readiness = "/readyz"
every = "100ms"
timeout = "2s"
hold = "0s"
[probes]
every = "100ms"
[[probe]]
path = "/orders"
[[probe]]
path = "/slow"
[soak]
for = "0s"
"#;

/// The stamps in microseconds since the key, as the run's journal has them so far.
fn stamps(runs: &Path) -> Option<[u64; 2]> {
    let run = std::fs::read_dir(runs).ok()?.flatten().find(|run| run.path().is_dir())?;
    let journal = std::fs::read_to_string(run.path().join("journal.jsonl")).ok()?;
    let stamp = |name: &str| {
        journal.lines().filter(|line| line.contains(name)).find_map(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            find(&line, "after_us")?.as_u64()
        })
    };
    Some([stamp("router_at_blue")?, stamp("first_from_blue")?])
}

/// The value of a key, wherever it stands.
fn find<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    let map = value.as_object()?;
    map.get(key).or_else(|| map.values().find_map(|inner| find(inner, key)))
}

/// One run, and its way back: router at Blue and first answer as the run says, and seen from
/// outside; all in milliseconds.
fn rollback(world: &World, n: u64) -> [f64; 3] {
    let runs = world.directory().join(format!("runs-{n}"));
    let runs_arg = runs.display().to_string();
    let args = ["deploy", "--yes", "--runs", &runs_arg];
    let mut pty = Pty::start(&args, world.directory(), (200, 60));
    pty.until("HOLDING AT 50");
    world.services[1].hang(true);
    // A probe hangs from its next turn on; the key comes at any moment of the screen's rhythm.
    std::thread::sleep(Duration::from_millis(250 + n * 37 % 250));
    pty.expect(|screen| screen.contains("router read at Blue"));
    let pressed = pty.press("r");
    let shown = pty.came(Duration::from_secs(10));
    let shown = shown.unwrap_or_else(|| panic!("it never came back:\n{}", pty.screen()));
    let began = Instant::now();
    let [at_blue, first] = loop {
        if let Some(stamps) = stamps(&runs) {
            break stamps.map(|us| us as f64 / 1_000.0);
        }
        assert!(began.elapsed() < Duration::from_secs(10), "no stamps:\n{}", pty.screen());
        std::thread::sleep(Duration::from_millis(20));
    };
    world.services[1].hang(false);
    drop(pty);
    std::fs::remove_dir_all(runs).unwrap();
    [at_blue, first, (shown - pressed).as_secs_f64() * 1_000.0]
}

fn main() {
    if !is_bench() {
        return;
    }
    let [rollbacks] = numbers([ROLLBACKS]);
    let world = World::start();
    world.write_plan(PLAN);
    // What a request takes at best, on a connection that is there, and on a fresh one.
    let mut kept = None;
    let mut own: Vec<f64> = (0..500).map(|_| world.request(&mut kept)).collect();
    let own = quantile(&mut own, 0.5);
    let mut all: [Vec<f64>; 3] = Default::default();
    for n in 0..rollbacks {
        for (values, value) in all.iter_mut().zip(rollback(&world, n)) {
            values.push(value);
        }
    }
    let [at_blue, first, shown] = &mut all;
    println!("{rollbacks} rollbacks of a real HAProxy, 200x60, a probe hanging");
    figure("key read to router at Blue, p50", quantile(at_blue, 0.5), "ms", 1.5);
    figure("key read to router at Blue, p99", quantile(at_blue, 0.99), "ms", 10.0);
    remark("the service's own p50, through the router", own, "ms");
    figure("key read to first answer from Blue, p50", quantile(first, 0.5), "ms", own + 5.0);
    remark("key read to first answer from Blue, p99", quantile(first, 0.99), "ms");
    remark("key pressed to BACK ON BLUE on screen, p50", quantile(shown, 0.5), "ms");
    remark("key pressed to BACK ON BLUE on screen, p99", quantile(shown, 0.99), "ms");
}
