//! The engine's private socket: a second terminal asks, the first one's engine answers.
//!
//! One JSON line each way, over a unix socket that only its owner can open: `{"do":"rollback"}` or
//! `{"do":"status"}`. Who asks is checked by the kernel's word on the peer. What is asked for is
//! the engine's to decide; this only carries it.

use crate::clean::Clean;
use crate::runbook::{Fault, FaultKind, Snapshot};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

/// A question is at most this long.
const QUESTION_BYTES: u64 = 4 * 1024;
/// An answer is at most this long.
const ANSWER_BYTES: u64 = 4 * 1024 * 1024;
/// A question must be there by then.
const QUESTION_WITHIN: Duration = Duration::from_secs(5);

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// All traffic back to Blue; the answer comes when it is verified, or cannot be.
    Rollback,
    /// How the run stands.
    Status,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Whether what was asked for was done.
    pub good: bool,
    /// In a sentence.
    pub says: Clean,
    /// How the run stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Box<Snapshot>>,
}

/// A question that waits for its answer. Dropped without one, the asker is told so.
#[derive(Debug)]
pub struct Asked {
    /// What was asked.
    pub request: Request,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Reply>,
}

/// The open socket. It is closed and removed when this is dropped.
#[derive(Debug)]
pub struct Served {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
        // Nobody can be harmed by a socket that is left: nobody answers there.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Opens the socket; questions come out of the receiver. Only who has the router's lock may call
/// this: a socket that is left from a dead process is replaced.
pub fn serve(path: &Path) -> io::Result<(mpsc::UnboundedReceiver<Asked>, Served)> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    // The directory is private, so nobody comes between these two.
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    let (asked, questions) = mpsc::unbounded_channel();
    let task = tokio::spawn(async move {
        let mut each = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        // A question that cannot be read is its asker's trouble.
                        let asked = asked.clone();
                        each.spawn(async move { let _ = answer(stream, asked).await; });
                    }
                    // Too many open files: come back when some are closed.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                },
                Some(_) = each.join_next() => {}
            }
        }
    });
    Ok((questions, Served { path: path.to_owned(), task }))
}

async fn answer(stream: UnixStream, asked: mpsc::UnboundedSender<Asked>) -> io::Result<()> {
    if stream.peer_cred()?.uid() != nix::unistd::geteuid().as_raw() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let (read, mut write) = stream.into_split();
    let mut question = String::new();
    let mut read = BufReader::new(read.take(QUESTION_BYTES));
    tokio::time::timeout(QUESTION_WITHIN, read.read_line(&mut question)).await??;
    let reply = match serde_json::from_str::<Request>(&question) {
        Ok(request) => {
            let (reply, answer) = oneshot::channel();
            let gone = "the engine has ended without an answer";
            match asked.send(Asked { request, reply }) {
                Ok(()) => answer.await.unwrap_or_else(|_| no(gone)),
                Err(_) => no(gone),
            }
        }
        Err(e) => no(&format!("this is no question: {e}")),
    };
    let mut line = serde_json::to_string(&reply)?;
    line.push('\n');
    write.write_all(line.as_bytes()).await?;
    write.shutdown().await
}

fn no(says: &str) -> Reply {
    Reply { good: false, says: Clean::new(says), snapshot: None }
}

/// Asks the engine behind a socket, and waits at most `timeout` in all. It blocks.
pub fn ask(path: &Path, request: Request, timeout: Duration) -> Result<Reply, Fault> {
    let until = Instant::now() + timeout;
    let at = path.display();
    let fault = |kind, cause: String, hint: &str| Fault::new(kind, cause, hint);
    let io_fault = |e: io::Error| match e.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => fault(
            FaultKind::TimedOut,
            format!("the engine at {at} did not answer within {} ms", timeout.as_millis()),
            "go to its terminal and press r there",
        ),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => fault(
            FaultKind::Unreachable,
            format!("no engine answers at {at}: {e}"),
            "its run was cut off: `switchback resume`, or `switchback rollback --to SLOT`",
        ),
        _ => fault(
            FaultKind::Unreachable,
            format!("the engine at {at} cannot be asked: {e}"),
            "go to its terminal and press r there",
        ),
    };
    let mut stream = std::os::unix::net::UnixStream::connect(path).map_err(io_fault)?;
    let mut question = serde_json::to_string(&request).map_err(|e| io_fault(e.into()))?;
    question.push('\n');
    stream
        .set_write_timeout(Some(timeout.max(Duration::from_millis(1))))
        .and_then(|()| stream.write_all(question.as_bytes()))
        .map_err(io_fault)?;
    let mut answer = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    while !answer.contains(&b'\n') && (answer.len() as u64) < ANSWER_BYTES {
        let left = until.saturating_duration_since(Instant::now());
        let left = if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) };
        let n = left
            .and_then(|left| stream.set_read_timeout(Some(left)))
            .and_then(|()| stream.read(&mut buffer))
            .map_err(io_fault)?;
        if n == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..n]);
    }
    serde_json::from_slice(&answer).map_err(|e| {
        fault(
            FaultKind::Garbage,
            format!("the engine at {at} gave no answer that can be read: {e}"),
            "go to its terminal and press r there",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_second_terminal_goes_back_through_the_first_ones_engine() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.sock");
        // What a dead process left.
        std::fs::write(&path, "").unwrap();
        runtime().block_on(async {
            let (mut questions, served) = serve(&path).unwrap();
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            let asking = {
                let path = path.clone();
                tokio::task::spawn_blocking(move || ask(&path, Request::Rollback, LONG))
            };
            let asked = questions.recv().await.unwrap();
            assert_eq!(asked.request, Request::Rollback);
            let reply = Reply { good: true, says: "back".into(), snapshot: None };
            asked.reply.send(reply.clone()).unwrap();
            assert_eq!(asking.await.unwrap(), Ok(reply));
            drop(served);
        });
        assert!(!path.exists());
        let fault = ask(&path, Request::Status, LONG).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreachable);
        assert!(fault.hint.as_str().contains("resume"));
    }

    #[test]
    fn an_engine_that_says_nothing_is_left_in_time_and_garbage_is_answered() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.sock");
        runtime().block_on(async {
            let (mut questions, _served) = serve(&path).unwrap();
            let asking = {
                let path = path.clone();
                tokio::task::spawn_blocking(move || {
                    ask(&path, Request::Status, Duration::from_millis(50))
                })
            };
            let asked = questions.recv().await.unwrap();
            assert_eq!(asking.await.unwrap().unwrap_err().kind, FaultKind::TimedOut);
            drop(asked);
            let mut stream = UnixStream::connect(&path).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            let reply: Reply = serde_json::from_str(&answer).unwrap();
            assert!(!reply.good && reply.says.as_str().contains("no question"), "{answer}");
        });
    }

    #[test]
    fn questions_are_the_lines_that_are_documented() {
        assert_eq!(serde_json::to_string(&Request::Rollback).unwrap(), r#"{"do":"rollback"}"#);
        assert_eq!(serde_json::from_str::<Request>(r#"{"do":"status"}"#).unwrap(), Request::Status);
    }
}
