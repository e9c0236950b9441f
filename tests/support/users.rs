//! Users: requests at a steady rate, whether or not the ones before have been answered.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What happened to one user, who came at that instant.
#[derive(Debug, Clone)]
pub struct Visit {
    /// When they asked.
    pub at: Instant,
    /// The body that they got, where they were served well.
    pub got: Option<String>,
}

/// Users who come until this is dropped.
#[derive(Debug)]
pub struct Users {
    visits: Arc<Mutex<Vec<Visit>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Users {
    /// So many users a second, at the front door.
    pub fn come(front: &str, per_second: u32) -> Self {
        let visits = Arc::new(Mutex::new(Vec::new()));
        let over = Arc::new(AtomicBool::new(false));
        let (seen, ended, front) = (Arc::clone(&visits), Arc::clone(&over), front.to_owned());
        let thread = std::thread::spawn(move || {
            let pause = Duration::from_secs(1) / per_second;
            let mut next = Instant::now();
            while !ended.load(Ordering::SeqCst) {
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
                next += pause;
                let (seen, front) = (Arc::clone(&seen), front.clone());
                std::thread::spawn(move || {
                    let at = Instant::now();
                    let got = visit(&front).ok().flatten();
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push(Visit { at, got });
                });
            }
        });
        Self { visits, over, thread: Some(thread) }
    }

    /// All visits that have ended.
    pub fn visits(&self) -> Vec<Visit> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many have failed, of all who came after `since`.
    pub fn failed_since(&self, since: Instant) -> (usize, usize) {
        let visits: Vec<_> = self.visits().into_iter().filter(|visit| visit.at >= since).collect();
        (visits.iter().filter(|visit| visit.got.is_none()).count(), visits.len())
    }

    /// How many have failed, of all.
    pub fn failed(&self) -> (usize, usize) {
        let visits = self.visits();
        (visits.iter().filter(|visit| visit.got.is_none()).count(), visits.len())
    }
}

impl Drop for Users {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn visit(front: &str) -> std::io::Result<Option<String>> {
    let mut stream = TcpStream::connect(front)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let good = answer.starts_with("HTTP/1.1 200");
    Ok(good.then(|| answer.rsplit("\r\n\r\n").next().unwrap_or_default().to_owned()))
}
