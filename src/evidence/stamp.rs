//! Time stamps by RFC 3161: an authority's word that some bytes existed at its time.
//!
//! Only a digest leaves this machine. `openssl` makes the query and reads the reply; the request
//! itself is one POST. That the reply grants the stamp, is of our bytes and answers our question is
//! checked here; whether the authority is to be believed is not, for that takes its certificate,
//! which an evaluator has and the operator cannot vouch for: `openssl ts -verify` with `-CAfile`.

pub mod form;
pub mod own;

use super::put;
use super::tool::{self, Asking, Said, Silent};
use crate::clean::Clean;
use crate::journal::Token;
use crate::runbook::{Fault, FaultKind};
use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use reqwest::header::CONTENT_TYPE;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The most bytes that a reply may have.
const LARGEST: usize = 64 << 10;
/// How long `openssl` may take to make a query or read a reply.
const READING: Duration = Duration::from_secs(5);

/// Gets a token over a file's bytes from an authority, and writes it to `out`. It takes no longer
/// than `patience`, but for the reading of the reply.
pub fn token(of: &Path, out: &Path, authority: &str, patience: Duration) -> Result<Token, Fault> {
    let until = Instant::now() + patience;
    let mut command = openssl(&["-query", "-sha256", "-cert", "-data"]);
    let query = hear(command.arg(of), patience.min(READING))?;
    if !query.well {
        return Err(local(
            format!("openssl made no query over {}: {}", of.display(), query.why()),
            "try it: openssl ts -query -sha256 -cert -data FILE",
        ));
    }
    let reply = ask(&query.out, authority, until.saturating_duration_since(Instant::now()))?;
    let bytes = std::fs::read(of).map_err(|error| {
        local(format!("{} cannot be read: {error}", of.display()), "look at its directory")
    })?;
    let kept = keep(out, &reply).and_then(|()| {
        let told = read(out, authority)?;
        // What the authority says beside its token is signed by nobody, and is not kept.
        let reply = form::kept(&reply).map_err(|odd| garbage(authority, odd))?;
        form::read(&reply).map_err(|odd| garbage(authority, &format!("its token: {odd}")))?;
        keep(out, &reply)?;
        if told.imprint != Sha256::digest(&bytes).to_vec() {
            return Err(garbage(authority, "its token is of other bytes"));
        }
        // A reply to another question is somebody's recording.
        if told.nonce.is_none() || told.nonce != nonce_of(&query.out, out)? {
            return Err(garbage(authority, "its token answers another question"));
        }
        Ok(told.time)
    });
    let time = kept.inspect_err(|_| {
        let _ = std::fs::remove_file(out);
    })?;
    Ok(Token { time, authority: Clean::new(authority) })
}

/// The authority's time in a token, RFC 3339 in UTC. Nothing is verified.
pub fn time_of(token: &Path) -> Result<String, Fault> {
    read(token, &token.display().to_string()).map(|told| told.time)
}

/// SHA-256 of the bytes that a token is of, in hex. Nothing is verified.
pub fn imprint_of(token: &Path) -> Result<String, Fault> {
    let told = read(token, &token.display().to_string())?;
    Ok(told.imprint.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn openssl(words: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command.arg("ts").args(words);
    command
}

fn hear(command: &mut Command, patience: Duration) -> Result<Said, Fault> {
    tool::run(command, Asking::Nobody, patience).map_err(|silent| match silent {
        Silent::Missing => {
            local("openssl is not installed", "install it, or take `tsa` out of [evidence]")
        }
        Silent::Broken(error) => {
            local(format!("openssl could not be run: {error}"), "try it: openssl version")
        }
        Silent::Stopped => local("a signal stopped openssl", "let it be dated again"),
        Silent::TooLong | Silent::Asks => {
            local("openssl did not end", "try it: openssl ts -query -sha256 -data FILE")
        }
    })
}

fn local(cause: impl AsRef<str>, hint: impl AsRef<str>) -> Fault {
    Fault::new(FaultKind::Local, cause, hint)
}

fn garbage(authority: &str, why: &str) -> Fault {
    Fault::new(
        FaultKind::Garbage,
        format!("the time authority {authority}: {why}"),
        "is it an RFC 3161 authority? see [evidence] tsa",
    )
}

fn keep(out: &Path, reply: &[u8]) -> Result<(), Fault> {
    put::put(out, reply, 0o600).map_err(|error| {
        local(format!("the token was not kept in {}: {error}", out.display()), "is the disk full?")
    })
}

/// One POST on a thread of its own, which needs no runtime of the caller's.
fn ask(query: &[u8], authority: &str, patience: Duration) -> Result<Vec<u8>, Fault> {
    let asked = std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime
                    .map_err(|error| local(format!("no runtime: {error}"), "see `ulimit -a`"))?;
                // Looking up a name can take longer than anything that is asked of it.
                let reply = runtime.block_on(async {
                    tokio::time::timeout(patience, post(query, authority, patience)).await
                });
                runtime.shutdown_background();
                reply.unwrap_or_else(|_| Err(late(authority, patience)))
            })
            .join()
    });
    asked.unwrap_or_else(|_| Err(local("the request failed", "this is a bug: please report it")))
}

fn late(authority: &str, patience: Duration) -> Fault {
    Fault::new(
        FaultKind::TimedOut,
        format!("the time authority {authority} did not answer within {} ms", patience.as_millis()),
        "see whether it can be reached from here",
    )
}

async fn post(query: &[u8], authority: &str, patience: Duration) -> Result<Vec<u8>, Fault> {
    // An error says that a provider is there already, which is all we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder();
    if !authority.starts_with("https:") {
        builder = builder.tls_certs_only([]);
    }
    let client = builder
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(patience)
        .user_agent(concat!("switchback/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| local(format!("no HTTP client: {error}"), "see ca-certificates"))?;
    let unreachable = |error: reqwest::Error| {
        if error.is_timeout() {
            return late(authority, patience);
        }
        Fault::new(
            FaultKind::Unreachable,
            format!("the time authority {authority} cannot be reached: {}", root(&error)),
            "see whether it can be reached from here",
        )
    };
    let mut answer = client
        .post(authority)
        .header(CONTENT_TYPE, "application/timestamp-query")
        .body(query.to_vec())
        .send()
        .await
        .map_err(unreachable)?;
    if !answer.status().is_success() {
        let status = answer.status().as_u16();
        return Err(Fault::new(
            FaultKind::Refused,
            format!("the time authority {authority} answered {status}"),
            "see its address and its terms",
        ));
    }
    let mut reply = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
        reply.extend_from_slice(&chunk);
        if reply.len() > LARGEST {
            return Err(garbage(authority, "its answer is too large for a token"));
        }
    }
    Ok(reply)
}

/// The innermost cause, which is what helps.
fn root(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// What a reply says.
struct Told {
    time: String,
    imprint: Vec<u8>,
    nonce: Option<String>,
}

fn read(token: &Path, whose: &str) -> Result<Told, Fault> {
    let said = hear(openssl(&["-reply", "-text", "-in"]).arg(token), READING)?;
    let text = String::from_utf8_lossy(&said.out);
    if !said.well {
        return Err(garbage(whose, "its answer is no time stamp"));
    }
    let field = |name: &str| {
        text.lines().find_map(|line| line.trim().strip_prefix(name)).map(|v| v.trim().to_owned())
    };
    let status = field("Status:").filter(|_| text.contains("Status info:"));
    match status.as_deref() {
        Some("Granted." | "Granted with modifications.") => {}
        Some(_) => {
            let why = field("Failure info:").unwrap_or_default();
            let why = if why.is_empty() { "no reason".to_owned() } else { why };
            return Err(Fault::new(
                FaultKind::Refused,
                format!("the time authority {whose} gave no stamp: {why}"),
                "see its terms: which digests and policies it takes",
            ));
        }
        None => return Err(garbage(whose, "its answer is no time stamp")),
    }
    if field("Hash Algorithm:").as_deref() != Some("sha256") {
        return Err(garbage(whose, "its token is not of a SHA-256"));
    }
    let time = field("Time stamp:").and_then(|time| utc(&time));
    let time = time.ok_or_else(|| garbage(whose, "its token says no time"))?;
    Ok(Told { time, imprint: dump(&text), nonce: field("Nonce:") })
}

fn nonce_of(query: &[u8], out: &Path) -> Result<Option<String>, Fault> {
    // A tool of ours gets no input: the query goes by a file.
    let mut beside = out.as_os_str().to_owned();
    beside.push(".query");
    let beside = Path::new(&beside);
    keep(beside, query)?;
    let said = hear(openssl(&["-query", "-text", "-in"]).arg(beside), READING);
    let _ = std::fs::remove_file(beside);
    let text = String::from_utf8_lossy(&said?.out).into_owned();
    Ok(text.lines().find_map(|line| line.strip_prefix("Nonce:")).map(|n| n.trim().to_owned()))
}

/// `20261123151136.25Z`, as it stands in a token.
pub fn when(time: &str) -> Option<DateTime<Utc>> {
    let time = NaiveDateTime::parse_from_str(time.strip_suffix('Z')?, "%Y%m%d%H%M%S%.f").ok()?;
    Some(time.and_utc())
}

/// `Nov 23 15:11:36.25 2026 GMT` as RFC 3339.
fn utc(time: &str) -> Option<String> {
    let time = time.strip_suffix("GMT")?.trim();
    let at = NaiveDateTime::parse_from_str(time, "%b %e %H:%M:%S%.f %Y").ok()?;
    Some(at.and_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// The bytes of the dump under `Message data:`, whose lines are
/// `    0000 - 58 91 b5 b5 22 d5 df 08-6d 0f ...   X..."...m...`.
fn dump(text: &str) -> Vec<u8> {
    let lines = text.lines().skip_while(|line| line.trim() != "Message data:").skip(1);
    let mut bytes = Vec::new();
    for line in lines {
        let Some((offset, rest)) = line.trim_start().split_once(" - ") else { break };
        if usize::from_str_radix(offset, 16) != Ok(bytes.len()) {
            break;
        }
        // 16 bytes, three columns each; what follows is the same in letters.
        for column in rest.as_bytes().chunks(3).take(16) {
            let digits = std::str::from_utf8(column.get(..2).unwrap_or_default()).unwrap_or("");
            match u8::from_str_radix(digits, 16) {
                Ok(byte) => bytes.push(byte),
                Err(_) => break,
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_dumps_of_openssl_are_read() {
        assert_eq!(utc("Nov 23 15:11:36 2026 GMT").unwrap(), "2026-11-23T15:11:36Z");
        assert_eq!(utc("Nov  3 05:01:06.250 2026 GMT").unwrap(), "2026-11-03T05:01:06.250Z");
        assert_eq!(utc("soon"), None);
        let at = |time| when(time).map(|at| at.timestamp_millis() % 60_000);
        assert_eq!(at("20261123151136Z"), Some(36_000));
        assert_eq!(at("20261123151136.25Z"), Some(36_250));
        assert_eq!(at("20261123151136"), None);
        let text = "Hash Algorithm: sha256\nMessage data:\n    \
                    0000 - 58 91 b5 b5 22 d5 df 08-6d 0f f0 b1 10 fb d9 d2   X..aa ...m.......\n    \
                    0010 - 1b b4                                             ..\n\
                    Serial number: 0x02\n";
        let bytes = dump(text);
        assert_eq!(bytes.len(), 18);
        assert_eq!((bytes[0], bytes[8], bytes[17]), (0x58, 0x6d, 0xb4));
    }

    #[test]
    fn an_authority_that_is_not_there_is_told_with_a_next_move() {
        let home = tempfile::tempdir().unwrap();
        let (file, out) = (home.path().join("file"), home.path().join("file.tsr"));
        std::fs::write(&file, "bytes").unwrap();
        // Bound and never listening: no other test gets the port meanwhile, and it refuses.
        let deaf = tokio::net::TcpSocket::new_v4().unwrap();
        deaf.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let free = deaf.local_addr().unwrap();
        let fault =
            token(&file, &out, &format!("http://{free}/"), Duration::from_secs(5)).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreachable, "{fault}");
        assert!(!out.exists());
    }
}
