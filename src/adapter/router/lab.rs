//! The lab's own proxy as a router: its control endpoint speaks HTTP, and a write answers with
//! the new state, so that writing and reading back are one round trip.
//!
//! Each call opens a connection of its own and drives it itself: nothing runs besides the future
//! of the call, and dropping that closes the connection.

use super::{RouterStats, SlotCounters};
use crate::clean::Clean;
use crate::lab::wire::{SetWeights, SlotState, State};
use crate::runbook::readback::{Fault, FaultKind, NodeOutcome, NodeRead, NodeState, Readback};
use crate::units::{Millis, Slot, Split};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::handshake;
use hyper::header::HOST;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use std::time::Instant;
use tokio::net::TcpStream;

/// The most that a state may say, in bytes.
const LONGEST: usize = 1 << 20;

/// A router of kind `lab`.
#[derive(Debug, Clone)]
pub struct LabRouter {
    address: String,
    timeout: Millis,
}

impl LabRouter {
    /// The proxy whose control endpoint is at `address` (`host:port`); `timeout` is for one call.
    pub const fn new(address: String, timeout: Millis) -> Self {
        Self { address, timeout }
    }

    /// What names this router, whatever plan leads to it.
    pub fn identity(&self) -> String {
        format!("lab {}", self.address)
    }

    /// What is said where the split would be kept for a restart.
    pub fn persist() -> Clean {
        Clean::new("the lab's proxy ends with the lab: nothing is kept for a restart")
    }

    /// Reads the split.
    pub async fn read(&mut self) -> Readback {
        self.stats().await.readback
    }

    /// Writes the split; the answer is what the proxy reports then.
    pub async fn set(&mut self, split: Split) -> Readback {
        let begun = Instant::now();
        let weights = Slot::BOTH.map(|slot| u32::from(split.share(slot).get()));
        let answer = match serde_json::to_vec(&SetWeights { weights }) {
            Ok(body) => self.ask(Method::PUT, "/weights", body).await,
            Err(error) => Err(self.garbage(&error.to_string())),
        };
        self.readback(answer.as_ref(), begun)
    }

    /// Reads the split and the counters.
    pub async fn stats(&mut self) -> RouterStats {
        let begun = Instant::now();
        let answer = self.ask(Method::GET, "/state", Vec::new()).await;
        let readback = self.readback(answer.as_ref(), begun);
        RouterStats {
            readback,
            slots: answer.ok().filter(|state| state.counted).map(|state| state.slots.map(counters)),
        }
    }

    fn readback(&self, answer: Result<&State, &Fault>, begun: Instant) -> Readback {
        let outcome = match answer {
            Ok(state) => NodeOutcome::State(NodeState {
                weights: [state.slots[0].weight, state.slots[1].weight],
                up: [None; 2],
                worker: Some(state.worker),
            }),
            Err(fault) => NodeOutcome::Fault(fault.clone()),
        };
        Readback {
            nodes: vec![NodeRead { node: Clean::new(&self.address), outcome }],
            took_us: begun.elapsed().as_micros() as u64,
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> Result<State, Fault> {
        let asked = format!("{method} {path} of the lab at {}", self.address);
        let answer = tokio::time::timeout(self.timeout.into(), self.exchange(method, path, body));
        let (status, body) = answer.await.map_err(|_| {
            Fault::new(
                FaultKind::TimedOut,
                format!("{asked}: no answer in {}", self.timeout),
                "see whether the lab still runs",
            )
        })??;
        if !status.is_success() {
            let why = String::from_utf8_lossy(&body);
            return Err(Fault::new(
                FaultKind::Refused,
                format!("{asked}: {status}: {why}"),
                "read what the lab says",
            ));
        }
        serde_json::from_slice(&body).map_err(|error| self.garbage(&error.to_string()))
    }

    /// One question on one connection.
    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(hyper::StatusCode, Bytes), Fault> {
        let lost = |error: &dyn std::fmt::Display| {
            Fault::new(
                FaultKind::Unreachable,
                format!("the lab at {} could not be asked: {error}", self.address),
                "a lab ends with its drill: see whether it still runs",
            )
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.address)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| self.garbage(&error.to_string()))?;
        let stream = TcpStream::connect(&self.address).await.map_err(|error| lost(&error))?;
        // A write must not wait for another.
        stream.set_nodelay(true).map_err(|error| lost(&error))?;
        let (mut sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| lost(&error))?;
        let talk = async {
            let answer = sender.send_request(request).await.map_err(|error| lost(&error))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), LONGEST)
                .collect()
                .await
                .map_err(|error| self.garbage(&error.to_string()))?;
            Ok((status, body.to_bytes()))
        };
        tokio::pin!(talk, connection);
        tokio::select! {
            biased;
            answer = &mut talk => answer,
            // It ends when the answer is in, or broke off before; the talk knows which.
            _ = &mut connection => talk.await,
        }
    }

    fn garbage(&self, why: &str) -> Fault {
        Fault::new(
            FaultKind::Garbage,
            format!("the lab at {} made no sense: {why}", self.address),
            "see whether the plan's router address is the lab's control endpoint",
        )
    }
}

fn counters(slot: SlotState) -> SlotCounters {
    SlotCounters {
        requests: slot.requests,
        ended: slot.requests,
        failed: slot.failed,
        client_errors: slot.client_errors,
        in_flight: slot.in_flight,
        latency_ms: Some(slot.latency_ms),
    }
}
