//! A small real HTTP/1.1 service: it says who it is, and can be told to fail or to be slow.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What the service's threads share with its owner.
#[derive(Debug, Default)]
struct Shared {
    status: AtomicU16,
    answered: AtomicU64,
    dead: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

/// A service with keep-alive. Dropping it kills it.
#[derive(Debug)]
pub struct Service {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Service {
    /// A service that answers 200 with its name in the body and in `X-Service`.
    pub fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { status: AtomicU16::new(200), ..Shared::default() });
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if of_thread.dead.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&of_thread)) else { continue };
                let mut open = shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
                open.extend(stream.try_clone());
                drop(open);
                thread::spawn(move || serve(&stream, name, &shared));
            }
        });
        Self { address, shared }
    }

    /// The status of every answer from now on.
    pub fn answer_with(&self, status: u16) {
        self.shared.status.store(status, Ordering::SeqCst);
    }

    /// Answers given so far.
    pub fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::SeqCst)
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Closes the port and every connection, as a process that is killed does.
    pub fn kill(&self) {
        if self.shared.dead.swap(true, Ordering::SeqCst) {
            return;
        }
        // Wakes the thread that accepts, so that it lets go of the port.
        drop(TcpStream::connect(self.address));
        let mut open = self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

fn serve(stream: &TcpStream, name: &str, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let mut line = String::new();
        loop {
            line.clear();
            match reader.read_line(&mut line) {
                Ok(n) if n > 0 => {}
                _ => return,
            }
            if line == "\r\n" {
                break;
            }
        }
        let status = shared.status.load(Ordering::SeqCst);
        shared.answered.fetch_add(1, Ordering::SeqCst);
        let answer = format!(
            "HTTP/1.1 {status} X\r\nX-Service: {name}\r\nContent-Length: {}\r\n\r\n{name}",
            name.len()
        );
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
