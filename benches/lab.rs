//! What the lab on its HTTP front costs at 400 requests a second: `cargo bench --bench lab`.
//!
//! The share of one core is that of the whole process, which is nothing but the lab: users,
//! proxy, both services and the control endpoint. It runs for 15 seconds (`LAB_BENCH_SECS` for
//! others), with users on both slots.

#[path = "support/figures.rs"]
mod figures;

use figures::{figure, is_bench, remark};
use std::time::{Duration, Instant};
use switchback::adapter::router::lab::LabRouter;
use switchback::lab::scenario::parse;
use switchback::lab::{Lab, act};
use switchback::units::{Millis, Percent, Slot, Split};

const SCENARIO: &str = r#"
schema = 1
[drill]
id = "bench"
title = "Bench"
level = 1
minutes = 1
[traffic]
base_rps = 400.0
[world.blue]
version = "1"
threads = 64
pool_per_worker = 9
[world.green]
version = "2"
threads = 64
pool_per_worker = 9
deploy = "100ms"
boot = "100ms"
"#;

/// Processor time of this process, all threads.
fn cpu() -> std::io::Result<Duration> {
    let mut nanos = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanos += text.split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(nanos))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if !is_bench() {
        return Ok(());
    }
    let secs = std::env::var("LAB_BENCH_SECS").ok().and_then(|n| n.parse().ok()).unwrap_or(15);
    let scenario = parse("bench", SCENARIO).map_err(|fault| fault.to_string())?;
    let lab = Lab::start(&scenario, 1).map_err(|fault| fault.to_string())?;
    let control = lab.addresses().control.to_string();
    act(&control, &["deploy".to_owned(), "right".to_owned()], &mut std::io::sink())
        .map_err(|fault| fault.to_string())?;
    std::thread::sleep(Duration::from_millis(300));
    let half = Split::giving(Slot::Second, Percent::new(50).unwrap_or_default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let set = runtime.block_on(LabRouter::new(control, Millis::secs(2)).set(half));
    assert_eq!(set.split(), Some(half), "the proxy took the split");
    std::thread::sleep(Duration::from_secs(1));

    let gone = "the lab has ended";
    let (before, begun, spent) = (lab.seen().ok_or(gone)?, Instant::now(), cpu()?);
    std::thread::sleep(Duration::from_secs(secs));
    let (after, took, spent) = (lab.seen().ok_or(gone)?, begun.elapsed(), cpu()? - spent);

    let mut overhead = after.overhead_ms.clone();
    overhead.remove(&before.overhead_ms);
    let answered = after.answered - before.answered;
    let rps = answered as f64 / took.as_secs_f64();
    let share = 100.0 * spent.as_secs_f64() / took.as_secs_f64();
    println!("lab on its HTTP front, {secs} s, users on both slots");
    remark("answered", rps, "a second");
    remark("failed, where 0.2 % were declared", (after.failed - before.failed) as f64, "");
    figure("processor", share, "% of one", 35.0);
    remark("over nominal, p50", overhead.quantile(0.5).unwrap_or(0.0), "ms");
    remark("over nominal, p99", overhead.quantile(0.99).unwrap_or(0.0), "ms");
    Ok(())
}
