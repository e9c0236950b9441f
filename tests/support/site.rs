//! A slot's service: it runs a release, says so, and can be deployed to, made ill, and killed.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ill {
    /// Every request gets a 500; readiness stays good.
    Failing,
    /// Readiness is 503, and says why; users are served.
    NotReady,
    /// The readiness check is never answered.
    Hangs,
    /// The readiness check is reset in the middle.
    Resets,
    /// The readiness body has 100 MB.
    Huge,
    /// The readiness body wants to paint the terminal.
    Escapes,
}

#[derive(Debug)]
struct State {
    release: String,
    ill: Option<Ill>,
    /// What its readiness says of an optional component, and what its pages say they run, one
    /// answer after the other; for whoever sends what no service should.
    says: Vec<Vec<u8>>,
    asked: usize,
    connections: Vec<TcpStream>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    answered: AtomicU64,
    dead: AtomicBool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A service with keep-alive. Dropping it kills it.
#[derive(Debug, Clone)]
pub struct Site {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    _life: Arc<Life>,
}

#[derive(Debug)]
struct Life(SocketAddr, Arc<Shared>);

impl Drop for Life {
    fn drop(&mut self) {
        kill(self.0, &self.1);
    }
}

fn kill(address: SocketAddr, shared: &Shared) {
    if shared.dead.swap(true, Ordering::SeqCst) {
        return;
    }
    // Wakes the thread that accepts, so that it lets go of the port.
    drop(TcpStream::connect(address));
    for stream in shared.state().connections.drain(..) {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

impl Site {
    /// A service that runs `release`.
    pub fn start(release: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            release: release.to_owned(),
            ill: None,
            says: Vec::new(),
            asked: 0,
            connections: Vec::new(),
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            answered: AtomicU64::new(0),
            dead: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if of_thread.dead.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&of_thread)) else { continue };
                shared.state().connections.extend(stream.try_clone());
                thread::spawn(move || serve(&stream, &shared));
            }
        });
        Self { address, _life: Arc::new(Life(address, Arc::clone(&shared))), shared }
    }

    /// Another release runs from now on.
    pub fn deploy(&self, release: &str) {
        release.clone_into(&mut self.shared.state().release);
    }

    /// What runs.
    pub fn release(&self) -> String {
        self.shared.state().release.clone()
    }

    /// Makes it ill, or well.
    pub fn set(&self, ill: Option<Ill>) {
        self.shared.state().ill = ill;
    }

    /// Every answer says one of these, in its turn.
    pub fn says(&self, says: Vec<Vec<u8>>) {
        self.shared.state().says = says;
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
        kill(self.address, &self.shared);
    }
}

fn serve(stream: &TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    loop {
        let mut path = String::new();
        let mut line = String::new();
        loop {
            line.clear();
            match reader.read_line(&mut line) {
                Ok(n) if n > 0 => {}
                _ => return,
            }
            if path.is_empty() {
                line.split(' ').nth(1).unwrap_or_default().clone_into(&mut path);
            }
            if line == "\r\n" {
                break;
            }
        }
        shared.answered.fetch_add(1, Ordering::SeqCst);
        let (release, ill, says) = {
            let mut state = shared.state();
            state.asked += 1;
            let n = state.asked / 4;
            let says = state.says.get(n % state.says.len().max(1)).cloned();
            let says = says.map(|says| (says, state.asked.is_multiple_of(2)));
            (state.release.clone(), state.ill, says)
        };
        if let Some((says, in_header)) = says {
            if hostile(stream, in_header, &says).is_err() {
                return;
            }
            continue;
        }
        if answer(stream, &path, &release, ill, &shared.dead).is_err() {
            return;
        }
    }
}

/// Ready, with words that no service should say, in a body, and in a header of every other answer.
fn hostile(mut stream: &TcpStream, in_header: bool, says: &[u8]) -> std::io::Result<()> {
    let text = String::from_utf8_lossy(says);
    let component = serde_json::to_string(&text).unwrap();
    let body = format!(
        r#"{{"status":"ok","version":{component},"components":{{"database":"ok","search":{component}}}}}"#
    );
    let mut head = b"HTTP/1.1 200 X\r\n".to_vec();
    if in_header {
        head.extend_from_slice(b"X-Version: ");
        head.extend_from_slice(says);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    stream.write_all(&head)
}

fn answer(
    mut stream: &TcpStream,
    path: &str,
    release: &str,
    ill: Option<Ill>,
    dead: &AtomicBool,
) -> std::io::Result<()> {
    let readiness = path == "/readyz";
    let mut status = 200;
    let mut body = format!("release {release}");
    if readiness {
        body = r#"{"status":"ok","components":{"database":"ok"}}"#.to_owned();
    }
    match ill {
        Some(Ill::Failing) if !readiness => status = 500,
        Some(Ill::NotReady) if readiness => {
            status = 503;
            body = r#"{"status":"down","components":{"database":"refused"}}"#.to_owned();
        }
        Some(Ill::Hangs) if readiness => {
            while !dead.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(20));
            }
        }
        Some(Ill::Resets) if readiness => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"stat")?;
            stream.shutdown(Shutdown::Both)?;
        }
        Some(Ill::Huge) if readiness => {
            let n = 100 << 20;
            let head = format!("HTTP/1.1 200 OK\r\nX-Version: {release}\r\nContent-Length: {n}");
            stream.write_all(format!("{head}\r\n\r\n").as_bytes())?;
            for _ in 0..n >> 16 {
                stream.write_all(&[b'x'; 1 << 16])?;
            }
            return Ok(());
        }
        Some(Ill::Escapes) if readiness => {
            status = 503;
            "\u{1b}[2J\u{1b}]0;gotcha\u{7}\u{1b}[?1049lLIES EVERYWHERE\r\n\u{202e}"
                .clone_into(&mut body);
        }
        _ => {}
    }
    let head = format!(
        "HTTP/1.1 {status} X\r\nX-Version: {release}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes())
}
