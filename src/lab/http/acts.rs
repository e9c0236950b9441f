//! What an operator's commands do to the lab: a deploy, a look at the logs, a stop. The command
//! is a real process that asks over the control endpoint and prints what comes; where it is
//! killed half-way, what it did ends half-way too.

use super::service;
use super::site::Site;
use crate::lab::errand::Errand;
use crate::lab::lever::Lever;
use crate::lab::scenario::SLOT_NAMES;
use crate::runbook::readback::{Fault, FaultKind};
use crate::units::Slot;
use bytes::Bytes;
use hyper::body::{Body, Frame};
use std::convert::Infallible;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep_until;

/// How an act's last line begins. Without it the act was cut off.
const DONE: &str = "done: ";

/// Lines that come as they are said.
pub(super) struct Lines(UnboundedReceiver<Bytes>);

impl Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}

/// Where an act says its lines.
struct Says(UnboundedSender<Bytes>);

impl Says {
    fn line(&self, text: &str) {
        // Whoever listened may have been killed; `gone` tells the act.
        let _ = self.0.send(Bytes::from(format!("{text}\n")));
    }

    async fn gone(&self) {
        self.0.closed().await;
    }
}

/// Begins an act, or says why not.
pub(super) fn begin(site: &Rc<Site>, words: &[&str]) -> Result<Lines, String> {
    let (says, lines) = unbounded_channel();
    let says = Says(says);
    match words {
        ["deploy", slot, release @ ..] => {
            let slot = slot_named(slot)?;
            let release = release.first().copied();
            if let Some(release) = release {
                site.world.borrow().slot_of(release)?;
            }
            let release = release.map(str::to_owned);
            tokio::task::spawn_local(deploy(site.clone(), slot, release, says));
        }
        ["redeploy-check", release] => {
            let checked = site.world.borrow_mut().redeploy_check(release, site.now())?;
            let (first, rest) = checked.split_first().ok_or("nothing was found")?;
            for line in rest {
                says.line(line);
            }
            says.line(&format!("{DONE}{first}"));
        }
        ["lever", lever] => {
            let known = || Lever::ALL.map(Lever::name).join(", ");
            let lever = Lever::named(lever)
                .ok_or_else(|| format!("no lever is called {lever:?}; they are {}", known()))?;
            let said = site.world.borrow_mut().pull(lever, site.now())?;
            says.line(&format!("{DONE}{said}"));
        }
        ["ask", errand @ ..] => {
            let words = errand.join(" ");
            let errand = Errand::read(&words).ok_or_else(|| {
                format!("nobody here can do {words:?}; known are {}", Errand::WORDS)
            })?;
            let mut world = site.world.borrow_mut();
            let said = world.run(errand, site.now())?;
            says.line(&format!("{DONE}{said}"));
        }
        ["logs", slot] => {
            let slot = slot_named(slot)?;
            let mut lines = site.log_lines(slot);
            lines.extend(site.world.borrow().ends_again(slot, site.now()));
            for line in &lines {
                says.line(line);
            }
            says.line(&format!("{DONE}{} lines", lines.len()));
        }
        ["stop", slot] => {
            let (site, name, slot) = (site.clone(), (*slot).to_owned(), slot_named(slot)?);
            tokio::task::spawn_local(async move {
                site.world.borrow_mut().stop(slot, site.now());
                site.hush(slot).await;
                site.log(slot, "stopped");
                says.line(&format!("{DONE}{name} is stopped"));
            });
        }
        [] => return Err("no act was named".to_owned()),
        [act, ..] => {
            return Err(format!(
                "no act is {act:?} with {} words; known are deploy SLOT [RELEASE], \
                 redeploy-check RELEASE, logs SLOT, stop SLOT, lever NAME, ask WHAT",
                words.len() - 1
            ));
        }
    }
    Ok(Lines(lines))
}

fn slot_named(name: &str) -> Result<Slot, String> {
    Slot::BOTH
        .into_iter()
        .find(|slot| SLOT_NAMES[slot.index()] == name)
        .ok_or_else(|| format!("no slot is called {name:?}; they are {}", SLOT_NAMES.join(" and ")))
}

async fn deploy(site: Rc<Site>, slot: Slot, release: Option<String>, says: Says) {
    let name = SLOT_NAMES[slot.index()];
    let (listens, version) = {
        let mut world = site.world.borrow_mut();
        let listens = world.deploy(slot, release.as_deref(), site.now());
        (listens, world.version(slot).to_owned())
    };
    site.hush(slot).await;
    for line in site.world.borrow().deploy_says(slot, site.now()) {
        says.line(&line);
    }
    tokio::select! {
        () = sleep_until(site.instant(listens)) => {}
        () = says.gone() => {
            site.world.borrow_mut().stop(slot, site.now());
            site.log(slot, "the deploy was cut off");
            return;
        }
    }
    // Another deploy to the slot may have ended meanwhile; the later one stands.
    site.hush(slot).await;
    match service::listen(&site, slot) {
        Ok(()) => says.line(&format!("{DONE}{name} runs {version} on {}", site.address(slot))),
        Err(error) => {
            site.world.borrow_mut().stop(slot, site.now());
            says.line(&format!("{name} could not listen: {error}"));
        }
    }
}

/// Asks the lab at `address` (`host:port` of its control endpoint) for an act, and writes what it
/// says to `out`, line by line. It returns when the act has ended; it blocks, for it is the whole
/// work of a command.
pub fn act(address: &str, words: &[String], out: &mut impl Write) -> Result<(), Fault> {
    let lost = |error: std::io::Error| {
        Fault::new(
            FaultKind::Unreachable,
            format!("the lab at {address} could not be asked: {error}"),
            "a lab ends with its drill: start the drill again",
        )
    };
    let socket = address.parse().map_err(|_| {
        Fault::new(FaultKind::Local, format!("{address:?} is no address"), "write it as host:port")
    })?;
    let mut stream = TcpStream::connect_timeout(&socket, Duration::from_secs(2)).map_err(lost)?;
    let body = words.join("\n");
    // HTTP/1.0: the answer ends with the connection, and its lines come as they are.
    write!(stream, "POST /act HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .map_err(lost)?;
    let mut lines = BufReader::new(stream).lines();
    let status = lines.next().transpose().map_err(lost)?.unwrap_or_default();
    let good = status.split(' ').nth(1) == Some("200");
    for line in lines.by_ref() {
        if line.map_err(lost)?.is_empty() {
            break;
        }
    }
    let mut last = String::new();
    for line in lines {
        last = line.map_err(lost)?;
        if good {
            // A command that prints into a closed pipe has nobody to tell, and its act goes on.
            let _ = writeln!(out, "{}", last.strip_prefix(DONE).unwrap_or(&last));
            let _ = out.flush();
        }
    }
    if good && last.starts_with(DONE) {
        return Ok(());
    }
    let act = words.first().map_or("nothing", String::as_str);
    Err(if good {
        Fault::new(
            FaultKind::Unreachable,
            format!("{act} was cut off after: {last}"),
            "see whether the lab still runs",
        )
    } else {
        Fault::new(
            FaultKind::Refused,
            format!("the lab refused {act}: {last}"),
            "check the words of the command",
        )
    })
}
