//! One line to the runtime API and its replies, on a connection of its own.
//!
//! HAProxy answers each command of a line in turn, ends each reply with an empty line, and
//! closes. There is no status code: what a reply means is read by whoever asked. Everything
//! here is bounded, in time by one deadline and in size, because what listens on a socket need
//! not be HAProxy.

use crate::runbook::readback::{Fault, FaultKind};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::{Instant, timeout_at};

/// More than any real answer: ten thousand servers take about 4 MB.
const LONGEST_ANSWER: usize = 8 << 20;

/// Where the runtime API listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A unix socket.
    Unix(PathBuf),
    /// `host:port`.
    Tcp(String),
}

impl Address {
    /// A path where it holds a slash, `host:port` otherwise. HAProxy's own prefixes are taken.
    pub(super) fn new(text: &str) -> Self {
        if let Some(path) = text.strip_prefix("unix@") {
            return Self::Unix(path.into());
        }
        if text.contains('/') {
            return Self::Unix(text.into());
        }
        let bare = ["ipv4@", "ipv6@", "tcp@"].into_iter().find_map(|p| text.strip_prefix(p));
        Self::Tcp(bare.unwrap_or(text).to_owned())
    }

    /// The same text for every way of writing the same address.
    pub(super) async fn canonical(&self, deadline: Instant) -> Result<String, Fault> {
        match self {
            Self::Unix(path) => std::fs::canonicalize(path)
                .map(|path| path.display().to_string())
                .map_err(|error| self.unreachable(&error)),
            Self::Tcp(host) => {
                let mut found: Vec<_> = timeout_at(deadline, lookup_host(host.as_str()))
                    .await
                    .map_err(|_| self.late("its name was not resolved in time"))?
                    .map_err(|error| self.unreachable(&error))?
                    .collect();
                found.sort();
                let first = found.first().map(ToString::to_string);
                first.ok_or_else(|| self.unreachable(&io::ErrorKind::NotFound.into()))
            }
        }
    }

    fn late(&self, what: &str) -> Fault {
        Fault::new(
            FaultKind::TimedOut,
            format!("{self}: {what}"),
            "is HAProxy overloaded or stopped? is this address its runtime API?",
        )
    }

    fn garbage(&self, what: impl fmt::Display) -> Fault {
        Fault::new(
            FaultKind::Garbage,
            format!("{self} {what}"),
            "is this HAProxy's `stats socket`? see address under [router]",
        )
    }

    fn unreachable(&self, error: &io::Error) -> Fault {
        let (cause, hint) = match (self, error.kind()) {
            (Self::Unix(path), io::ErrorKind::NotFound) => (
                format!("no socket at {}", path.display()),
                format!(
                    "is HAProxy running? its `global` section needs `stats socket {} level admin`",
                    path.display()
                ),
            ),
            (Self::Unix(path), io::ErrorKind::PermissionDenied) => (
                format!("permission denied on {}", path.display()),
                "run as a user who may write to the socket, or give it `mode 660 group ...` \
                 on its `stats socket` line"
                    .to_owned(),
            ),
            (Self::Unix(path), io::ErrorKind::ConnectionRefused) => (
                format!("nobody listens on {}", path.display()),
                "start HAProxy; the file was left behind by a process that has ended, or it is \
                 no socket"
                    .to_owned(),
            ),
            (Self::Tcp(host), io::ErrorKind::ConnectionRefused) => (
                format!("{host} refused the connection"),
                format!("is HAProxy running, with `stats socket ipv4@{host} level admin`?"),
            ),
            _ => (format!("{self}: {error}"), "see address under [router]".to_owned()),
        };
        Fault::new(FaultKind::Unreachable, cause, hint)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Tcp(host) => f.write_str(host),
        }
    }
}

/// Sends the commands as one line and returns one reply for each.
pub(super) async fn ask(
    address: &Address,
    commands: &[String],
    deadline: Instant,
) -> Result<Vec<String>, Fault> {
    let mut line = commands.join(";");
    line.push('\n');
    let late = |_| address.late("no connection in time");
    let answer = match address {
        Address::Unix(path) => {
            let stream = timeout_at(deadline, UnixStream::connect(Path::new(path)))
                .await
                .map_err(late)?
                .map_err(|error| address.unreachable(&error))?;
            exchange(stream, address, &line, deadline).await?
        }
        Address::Tcp(host) => {
            let stream = timeout_at(deadline, TcpStream::connect(host.as_str()))
                .await
                .map_err(late)?
                .map_err(|error| address.unreachable(&error))?;
            // The line is one small packet; if this fails it only goes out later.
            let _ = stream.set_nodelay(true);
            exchange(stream, address, &line, deadline).await?
        }
    };
    let text = String::from_utf8_lossy(&answer);
    let replies = split(&text);
    if replies.len() == commands.len() {
        return Ok(replies);
    }
    Err(match text.trim() {
        "" => address.garbage("closed the connection without an answer"),
        start if replies.is_empty() || !text.contains("\n\n") => {
            let start: String = start.chars().take(60).collect();
            address.garbage(format_args!("answered {start:?}"))
        }
        _ => address.garbage(format_args!(
            "answered {} of {} commands and ended",
            replies.len(),
            commands.len()
        )),
    })
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    address: &Address,
    line: &str,
    deadline: Instant,
) -> Result<Vec<u8>, Fault> {
    let broken = |error: io::Error| {
        Fault::new(
            FaultKind::Unreachable,
            format!("{address}: connection lost: {error}"),
            "HAProxy may be reloading: read again",
        )
    };
    timeout_at(deadline, stream.write_all(line.as_bytes()))
        .await
        .map_err(|_| address.late("the line could not be sent in time"))?
        .map_err(broken)?;
    let mut answer = Vec::with_capacity(4 << 10);
    let mut chunk = [0_u8; 16 << 10];
    loop {
        let read = timeout_at(deadline, stream.read(&mut chunk)).await.map_err(|_| {
            if answer.is_empty() {
                address.late("accepted the connection and said nothing")
            } else {
                address.late("stopped in the middle of its answer")
            }
        })?;
        match read.map_err(broken)? {
            0 => return Ok(answer),
            n => answer.extend_from_slice(&chunk[..n]),
        }
        if answer.len() > LONGEST_ANSWER {
            return Err(address.garbage("answered more than 8 MB"));
        }
    }
}

/// The replies, each ended by an empty line; one that is cut off is no reply.
fn split(text: &str) -> Vec<String> {
    let mut replies = Vec::new();
    let mut reply = String::new();
    for line in text.split_inclusive('\n') {
        if line == "\n" {
            replies.push(std::mem::take(&mut reply));
        } else {
            reply.push_str(line);
        }
    }
    replies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_may_not_be_written_to_says_who_may() {
        // Told by the kernel's word, as root is never refused and could not show it.
        let socket = Address::Unix("/run/haproxy/admin.sock".into());
        let fault = socket.unreachable(&io::Error::from(io::ErrorKind::PermissionDenied));
        assert_eq!(fault.kind, FaultKind::Unreachable);
        assert_eq!(fault.cause.as_str(), "permission denied on /run/haproxy/admin.sock");
        assert!(fault.hint.as_str().contains("mode 660"), "{}", fault.hint);
    }

    #[test]
    fn replies_end_with_an_empty_line_and_an_empty_reply_is_one_too() {
        let text = "\n\n90 (initial 1)\n\nPermission denied\n\nPid: 7\nStopping: 0\n\n";
        assert_eq!(
            split(text),
            ["", "", "90 (initial 1)\n", "Permission denied\n", "Pid: 7\nStopping: 0\n"]
        );
        assert_eq!(split("\nPid: 7\nStop"), [""]);
    }

    #[test]
    fn an_address_is_a_path_or_a_host_with_a_port() {
        assert_eq!(Address::new("/run/a.sock"), Address::Unix("/run/a.sock".into()));
        assert_eq!(Address::new("unix@/run/a.sock"), Address::Unix("/run/a.sock".into()));
        assert_eq!(Address::new("ipv4@127.0.0.1:99"), Address::Tcp("127.0.0.1:99".into()));
        assert_eq!(Address::new("localhost:99"), Address::Tcp("localhost:99".into()));
    }
}
