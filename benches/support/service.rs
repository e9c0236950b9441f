//! A small real HTTP/1.1 service whose `/slow` can be told to hang.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A service. It runs until the bench ends.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    hangs: Arc<AtomicBool>,
}

impl Service {
    /// A service that answers 200 with a readiness body everywhere.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let hangs = Arc::new(AtomicBool::new(false));
        let of_thread = Arc::clone(&hangs);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let hangs = Arc::clone(&of_thread);
                std::thread::spawn(move || serve(&stream, &hangs));
            }
        });
        Self { address, hangs }
    }

    /// Whether `/slow` hangs from now on.
    pub fn hang(&self, hangs: bool) {
        self.hangs.store(hangs, Ordering::SeqCst);
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn serve(stream: &TcpStream, hangs: &AtomicBool) {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    let (mut line, mut slow) = (String::new(), false);
    loop {
        line.clear();
        if !matches!(reader.read_line(&mut line), Ok(n) if n > 0) {
            return;
        }
        slow |= line.starts_with("GET /slow");
        if line != "\r\n" {
            continue;
        }
        while slow && hangs.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(20));
        }
        slow = false;
        let body = r#"{"status":"ready","database":"ok"}"#;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        if writer.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}
