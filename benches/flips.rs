//! 150 flips of a real HAProxy under keep-alive load: how long a verified write takes, and
//! whether any user notices.
//!
//! Twelve clients send a request every 5 ms each over kept connections, and look whether a
//! connection was closed before they use it again. An error on a kept connection before the first
//! byte of an answer is tried once more on a fresh one and counts as *raced*; any other error,
//! and any status but 200, counts as *failed*. A request that began after a flip was acknowledged
//! and was answered by the old slot counts as *stale*.
//!
//! `cargo bench --bench flips`; it needs haproxy (apt-get install haproxy).

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on shall fail")]

#[path = "support/figures.rs"]
mod figures;
#[path = "../tests/support/mod.rs"]
mod support;

use figures::{figure, is_bench, quantile, remark};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use support::haproxy::{Config, Haproxy, plan};
use support::service::Service;
use switchback::adapter::router::Router;
use switchback::units::{Slot, Split};

const FLIPS: usize = 150;
const CLIENTS: usize = 12;
const EVERY: Duration = Duration::from_millis(5);
const BETWEEN_FLIPS: Duration = Duration::from_millis(50);

/// What the clients saw.
#[derive(Default)]
struct Seen {
    requests: AtomicU64,
    failed: AtomicU64,
    raced: AtomicU64,
    /// When a request began and ended, and who answered.
    answers: Mutex<Vec<(Instant, Instant, Slot)>>,
    over: AtomicBool,
}

enum Trouble {
    /// Nothing of an answer had come.
    Early,
    /// It broke in the middle, or was not what it should be.
    Late,
}

/// One request on an open connection.
fn ask(stream: &mut TcpStream) -> Result<Slot, Trouble> {
    let request = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n";
    stream.write_all(request).map_err(|_| Trouble::Early)?;
    let mut answer = Vec::with_capacity(256);
    let mut chunk = [0; 1024];
    loop {
        match stream.read(&mut chunk) {
            Ok(n) if n > 0 => answer.extend_from_slice(&chunk[..n]),
            _ if answer.is_empty() => return Err(Trouble::Early),
            _ => return Err(Trouble::Late),
        }
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if !head.starts_with("HTTP/1.1 200") {
            return Err(Trouble::Late);
        }
        match body {
            "left" => return Ok(Slot::First),
            "right" => return Ok(Slot::Second),
            _ if body.len() > 5 => return Err(Trouble::Late),
            _ => {}
        }
    }
}

/// Whether the other side has closed a connection that nobody uses now.
fn is_closed(stream: &TcpStream) -> bool {
    let closed = stream.set_nonblocking(true).is_err()
        || !matches!(stream.peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock);
    stream.set_nonblocking(false).is_err() || closed
}

fn connect(front: &str) -> Option<TcpStream> {
    let stream = TcpStream::connect(front).ok()?;
    stream.set_nodelay(true).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    Some(stream)
}

fn client(front: &str, seen: &Seen) {
    let mut kept: Option<TcpStream> = None;
    let mut next = Instant::now();
    while !seen.over.load(Ordering::SeqCst) {
        next += EVERY;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        let began = Instant::now();
        seen.requests.fetch_add(1, Ordering::Relaxed);
        kept = kept.filter(|stream| !is_closed(stream));
        let reused = kept.is_some();
        let mut answer = match kept.as_mut() {
            Some(stream) => ask(stream),
            None => Err(Trouble::Early),
        };
        if matches!(answer, Err(Trouble::Early)) {
            seen.raced.fetch_add(u64::from(reused), Ordering::Relaxed);
            kept = connect(front);
            answer = kept.as_mut().map_or(Err(Trouble::Late), ask);
        }
        match answer {
            Ok(slot) => {
                let mut answers = seen.answers.lock().unwrap_or_else(PoisonError::into_inner);
                answers.push((began, Instant::now(), slot));
            }
            Err(_) => {
                seen.failed.fetch_add(1, Ordering::Relaxed);
                kept = None;
            }
        }
    }
}

fn main() {
    if !is_bench() {
        return;
    }
    let (left, right) = (Service::start("left"), Service::start("right"));
    let slots = [left.url(), right.url()];
    let haproxy = Haproxy::start(&Config::default(), slots.clone());
    let plan = plan(&haproxy.socket().display().to_string(), slots);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut router = Router::of_plan(&plan).unwrap();
    let mut to = Slot::First;
    assert_eq!(runtime.block_on(router.set(Split::all_to(to))).split(), Some(Split::all_to(to)));

    let seen = Arc::new(Seen::default());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (front, seen) = (haproxy.front.clone(), Arc::clone(&seen));
            std::thread::spawn(move || client(&front, &seen))
        })
        .collect();
    std::thread::sleep(Duration::from_millis(500));

    let mut acknowledged = Vec::new();
    let mut flips = vec![(Instant::now(), Instant::now(), to)];
    for _ in 0..FLIPS {
        to = to.other();
        let began = Instant::now();
        let readback = runtime.block_on(router.set(Split::all_to(to)));
        acknowledged.push(began.elapsed().as_secs_f64() * 1_000.0);
        flips.push((began, Instant::now(), to));
        assert_eq!(readback.split(), Some(Split::all_to(to)), "{readback:?}");
        std::thread::sleep(BETWEEN_FLIPS);
    }
    seen.over.store(true, Ordering::SeqCst);
    for client in clients {
        client.join().unwrap();
    }

    let answers = seen.answers.lock().unwrap_or_else(PoisonError::into_inner);
    let stale = answers.iter().filter(|(began, ended, slot)| {
        // The last flip that was done before the request began, where the next one had not begun
        // when it ended.
        let i = flips.partition_point(|(_, done, _)| done < began);
        let undisturbed = flips.get(i).is_none_or(|(next, ..)| ended < next);
        i > 0 && undisturbed && flips[i - 1].2 != *slot
    });
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
    println!("{FLIPS} flips of a real HAProxy under keep-alive load");
    remark("requests", count(&seen.requests), "");
    figure("failed", count(&seen.failed), "", 0.0);
    figure("raced", count(&seen.raced), "", 0.0);
    figure("answered by the old slot after the flip", stale.count() as f64, "", 0.0);
    remark("flip written and read back, p50", quantile(&mut acknowledged, 0.5), "ms");
    remark("flip written and read back, p99", quantile(&mut acknowledged, 0.99), "ms");
}
