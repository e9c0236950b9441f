//! Keys, signatures and a time authority, all made with the real tools in a directory of the test.

use base64::Engine as _;
use sha2::{Digest, Sha256, Sha512};
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

/// A key of a kind, with a passphrase or none.
pub fn key(dir: &Path, name: &str, kind: &[&str], passphrase: &str) -> PathBuf {
    let mut line = vec!["ssh-keygen", "-q", "-N", passphrase, "-C", "olga@example.org", "-f", name];
    line.extend(kind);
    tool(dir, &line);
    dir.join(name)
}

pub const P256: [&str; 4] = ["-t", "ecdsa", "-b", "256"];

pub fn public(key: &Path) -> String {
    let text = fs::read_to_string(format!("{}.pub", key.display())).unwrap();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// What `ssh-keygen -Y verify` says.
pub fn stock(
    dir: &Path,
    signers: &str,
    name: &str,
    purpose: &str,
    sig: &[u8],
    message: &[u8],
    at: &str,
) -> bool {
    fs::write(dir.join("stock.signers"), signers).unwrap();
    fs::write(dir.join("stock.sig"), sig).unwrap();
    let at = format!("verify-time={at}");
    let line = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-O",
        &at,
        "-f",
        "stock.signers",
        "-I",
        name,
        "-n",
        purpose,
        "-s",
        "stock.sig",
    ];
    maybe(dir, &line, message).status.success()
}

/// A token's signature, made by hand of what a token would sign: no token is at hand in a test.
pub fn by_token(dir: &Path, kind: &str, purpose: &str, message: &[u8]) -> (String, Vec<u8>) {
    let string = |bytes: &[u8]| {
        let mut out = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
        out.extend(bytes);
        out
    };
    let mut signed = b"SSHSIG".to_vec();
    for part in [purpose.as_bytes(), b"", b"sha512", &Sha512::digest(message)] {
        signed.extend(string(part));
    }
    let trailer = [1_u8, 0, 0, 0, 7];
    let mut of_token = Sha256::digest(b"ssh:").to_vec();
    of_token.extend(trailer);
    of_token.extend(Sha256::digest(&signed));
    fs::write(dir.join("of-token"), of_token).unwrap();
    let ed25519 = kind.starts_with("sk-ssh-ed25519");
    let make: &[&str] = if ed25519 {
        &["openssl", "genpkey", "-algorithm", "ed25519", "-out", "token.pem"]
    } else {
        &[
            "openssl",
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            "token.pem",
        ]
    };
    tool(dir, make);
    let der = tool(dir, &["openssl", "pkey", "-in", "token.pem", "-pubout", "-outform", "DER"]);
    let (mut key, mut raw) = (string(kind.as_bytes()), Vec::new());
    if ed25519 {
        key.extend(string(&der.stdout[der.stdout.len() - 32..]));
        let line =
            ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", "token.pem", "-in", "of-token"];
        raw.extend(tool(dir, &line).stdout);
    } else {
        key.extend(string(b"nistp256"));
        key.extend(string(&der.stdout[der.stdout.len() - 65..]));
        let line = ["openssl", "dgst", "-sha256", "-sign", "token.pem", "of-token"];
        let der = tool(dir, &line).stdout;
        // SEQUENCE { INTEGER r, INTEGER s }: both are short, and already as ssh writes them.
        let r = &der[4..4 + usize::from(der[3])];
        let s = &der[4 + r.len() + 2..];
        raw.extend(string(r));
        raw.extend(string(s));
    }
    key.extend(string(b"ssh:"));
    let mut sig = string(kind.as_bytes());
    sig.extend(string(&raw));
    sig.extend(trailer);
    let mut blob = b"SSHSIG\0\0\0\x01".to_vec();
    for part in [&key[..], purpose.as_bytes(), b"", b"sha512", &sig] {
        blob.extend(string(part));
    }
    let engine = base64::engine::general_purpose::STANDARD;
    (format!("{kind} {}", engine.encode(&key)), armour(&blob))
}

/// A blob as ssh-keygen writes it.
pub fn armour(blob: &[u8]) -> Vec<u8> {
    let text = base64::engine::general_purpose::STANDARD.encode(blob);
    let mut out = "-----BEGIN SSH SIGNATURE-----\n".to_owned();
    for line in text.as_bytes().chunks(70) {
        out.push_str(std::str::from_utf8(line).unwrap());
        out.push('\n');
    }
    out.push_str("-----END SSH SIGNATURE-----\n");
    out.into_bytes()
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
