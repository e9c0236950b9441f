//! What the cockpit costs while nothing happens, seen from outside.
//!
//! The real program in a terminal of ours, at 200x60 and 120x36, holding at 50 % on a real HAProxy
//! with two real services and some users, with everything probed once a minute: what is measured is
//! the screen and the engine's own pulse. Processor time and wakeups are what the kernel counts
//! for the process; bytes and frames are what arrives in the terminal. Then `?` is pressed at
//! random moments, and the time runs until the last byte that shows the help.
//!
//! `cargo bench --bench screen` takes three minutes; `-- 60 900` watches each size for 60 s, after
//! a quarter of an hour in which its plots have been filled.
//! It needs haproxy (apt-get install haproxy).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot go on shall fail")]

#[path = "../tests/support/haproxy.rs"]
#[allow(dead_code, reason = "tests use more of it")]
mod haproxy;
mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::figures::{figure, is_bench, numbers, quantile, remark};
use support::process::{by_thread, usage};
use support::pty::Pty;
use support::world::World;

/// Seconds that each size is watched.
const WATCHED: u64 = 40;
/// Seconds that it flies before that.
const BEFORE: u64 = 10;
const PRESSES: u64 = 100;

const PLAN: &str = r#"
[health]
readiness = "/readyz"
every = "60s"
hold = "0s"
[probes]
every = "60s"
[soak]
for = "0s"
"#;

/// Only the help has this.
const HELP: &str = "╭ Keys ";

fn watch(world: &World, size: (u16, u16), [secs, before]: [u64; 2], bytes_goal: f64) {
    let runs = world.directory().join(format!("runs-{}", size.0)).display().to_string();
    let args = ["deploy", "--yes", "--runs", &runs];
    let mut pty = Pty::start(&args, world.directory(), size);
    pty.until("HOLDING AT 50");
    std::thread::sleep(Duration::from_secs(before));

    let (before, (bytes, frames)) = (usage(pty.pid), pty.written());
    let threads = by_thread(pty.pid);
    let began = Instant::now();
    std::thread::sleep(Duration::from_secs(secs));
    let (after, took) = (usage(pty.pid), began.elapsed().as_secs_f64());
    let (bytes, frames) = (pty.written().0 - bytes, pty.written().1 - frames);
    let cpu = (after.cpu - before.cpu).as_secs_f64();
    println!("{}x{}, at 50 %, watched for {secs} s", size.0, size.1);
    figure("processor", cpu * 60.0 / took, "s/min", 0.4);
    figure("wakeups", (after.switches - before.switches) as f64 / took, "a second", 12.0);
    figure("to the terminal", bytes as f64 / took / 1_000.0, "kB/s", bytes_goal);
    remark("frames", frames as f64 / took, "a second");
    for ((name, now), (_, then)) in by_thread(pty.pid).into_iter().zip(threads) {
        remark(&format!("  wakeups of {name}"), (now - then) as f64 / took, "a second");
    }

    let mut shown = Vec::new();
    for n in 0..PRESSES {
        // Not in step with anything.
        std::thread::sleep(Duration::from_millis(60 + n * 7919 % 127));
        pty.expect(|screen| screen.contains(HELP));
        let pressed = pty.press("?");
        let came = pty.came(Duration::from_secs(5));
        let came = came.unwrap_or_else(|| panic!("no help:\n{}", pty.screen()));
        shown.push((came - pressed).as_secs_f64() * 1_000.0);
        std::thread::sleep(Duration::from_millis(60 + n * 104_729 % 127));
        pty.expect(|screen| !screen.contains(HELP));
        pty.press("?");
        pty.came(Duration::from_secs(5)).expect("the help goes away");
    }
    figure("key to screen, p50", quantile(&mut shown, 0.5), "ms", 1.5);
    remark("key to screen, p99", quantile(&mut shown, 0.99), "ms");
    figure("resident, at most", usage(pty.pid).peak_kib as f64 / 1_024.0, "MiB", 20.0);
}

fn main() {
    if !is_bench() {
        return;
    }
    let spans = numbers([WATCHED, BEFORE]);
    let world = World::start();
    world.write_plan(PLAN);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Twenty users a second, so that every number on the screen moves.
        scope.spawn(|| {
            let mut kept = None;
            while !over.load(Ordering::SeqCst) {
                world.request(&mut kept);
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        watch(&world, (200, 60), spans, 4.0);
        // The next run begins with Blue alone, as the first did.
        world.haproxy.ask("set server app/app_a weight 100").unwrap();
        world.haproxy.ask("set server app/app_b weight 0").unwrap();
        watch(&world, (120, 36), spans, 1.0);
        over.store(true, Ordering::SeqCst);
    });
}
