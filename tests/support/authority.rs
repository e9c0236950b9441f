//! A time authority by RFC 3161 on loopback, and the real tools that it is made with.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Runs a tool that must be there, and must succeed.
pub fn tool(dir: &Path, line: &[&str]) -> Output {
    let out = maybe(dir, line, b"");
    assert!(out.status.success(), "{line:?}: {}", String::from_utf8_lossy(&out.stderr));
    out
}

/// Runs a tool that must be there.
pub fn maybe(dir: &Path, line: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(line[0])
        .args(&line[1..])
        .current_dir(dir)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{} is needed: {error}", line[0]));
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// How an authority answers.
#[derive(Debug, Clone)]
pub enum Answers {
    /// As it should.
    Well,
    /// With these bytes.
    Bytes(Vec<u8>),
    /// With what it answered first, whatever is asked.
    Recorded,
    /// With this status.
    Status(u16),
    /// Never.
    Never,
}

/// A time authority on loopback.
pub struct Authority {
    pub url: String,
    pub dir: PathBuf,
    pub asked: Arc<AtomicUsize>,
    answers: Arc<Mutex<Answers>>,
}

const CONF: &str = "\
[req]
distinguished_name = dn
[dn]
[ext]
basicConstraints = critical,CA:true
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = here
[here]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
";

impl Authority {
    pub fn open(dir: &Path) -> Self {
        let dir = dir.join("authority");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("tsa.cnf"), CONF).unwrap();
        fs::write(dir.join("serial"), "01\n").unwrap();
        tool(
            &dir,
            &[
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-keyout",
                "tsa.key",
                "-out",
                "tsa.pem",
                "-days",
                "2",
                "-subj",
                "/CN=a clock",
                "-config",
                "tsa.cnf",
                "-extensions",
                "ext",
            ],
        );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let answers = Arc::new(Mutex::new(Answers::Well));
        let asked = Arc::new(AtomicUsize::new(0));
        let (at, how, count) = (dir.clone(), Arc::clone(&answers), Arc::clone(&asked));
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let query = body(&stream);
                count.fetch_add(1, Ordering::SeqCst);
                let answers = how.lock().unwrap().clone();
                let (status, reply) = match answers {
                    Answers::Well => (200, stamp(&at, &query)),
                    Answers::Bytes(bytes) => (200, bytes),
                    Answers::Recorded => (200, fs::read(at.join("reply")).unwrap()),
                    Answers::Status(status) => (status, Vec::new()),
                    Answers::Never => {
                        held.push(stream);
                        continue;
                    }
                };
                let head = format!(
                    "HTTP/1.1 {status} so\r\nContent-Type: application/timestamp-reply\r\n\
                     Content-Length: {}\r\nConnection: close\r\n\r\n",
                    reply.len()
                );
                let _ = stream.write_all(head.as_bytes());
                let _ = stream.write_all(&reply);
            }
        });
        Self { url, dir, asked, answers }
    }

    pub fn answer(&self, how: Answers) {
        *self.answers.lock().unwrap() = how;
    }

    /// Whether a stranger with the authority's certificate believes the token.
    pub fn vouches(&self, token: &Path, of: &Path) -> bool {
        let (token, of) = (token.to_str().unwrap(), of.to_str().unwrap());
        let line = ["openssl", "ts", "-verify", "-data", of, "-in", token, "-CAfile", "tsa.pem"];
        maybe(&self.dir, &line, b"").status.success()
    }
}

fn stamp(dir: &Path, query: &[u8]) -> Vec<u8> {
    fs::write(dir.join("query"), query).unwrap();
    tool(
        dir,
        &[
            "openssl",
            "ts",
            "-reply",
            "-config",
            "tsa.cnf",
            "-queryfile",
            "query",
            "-signer",
            "tsa.pem",
            "-inkey",
            "tsa.key",
            "-out",
            "reply",
        ],
    );
    fs::read(dir.join("reply")).unwrap()
}

/// The body of a request, whose kind must be a time stamp's.
fn body(stream: &std::net::TcpStream) -> Vec<u8> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut kind) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if let Some(value) = line.strip_prefix("content-type:") {
            kind = value.trim().to_owned();
        }
    }
    assert_eq!(kind, "application/timestamp-query");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    body
}
