//! HAProxy, driven over its runtime API.
//!
//! Each call is one line on one fresh connection: the weights are written, read back and the
//! answering process asked who it is, in a single round trip. A connection that is kept open
//! would survive a reload and go on talking to the old worker; a fresh one costs a tenth of a
//! millisecond and reaches the one that serves.
//!
//! Weights are absolute, the percent itself: a percentage would be taken of the configured
//! weight, and silently be something else. The larger share is written first, so that the pair
//! is never 0/0 in between. An algorithm that hashes (`balance source`) accepts only 0 and the
//! configured weight, so there the latter stands for everything: a hard switch works, a ramp is
//! refused.
//!
//! A weight of 0 does not move users whom a cookie binds to a slot. Where the backend has such a
//! cookie, a slot that gets nothing is also put into maintenance, and a slot that gets anything
//! is made ready before: otherwise *all traffic to Blue* would leave those users on Green. Where
//! there is no cookie the administrative state of the servers is never touched, and a server
//! that somebody else has put into maintenance shows as not up.
//!
//! A reload may give the servers other names or addresses. The reply that reads a write back shows
//! it, so such a write is put right at once, under the names that hold now. All clones share what
//! was found, so that the one that reads every second has usually learnt of a reload before
//! anything is written; nothing else is shared, and nobody waits for it.
//!
//! What this module does not do: it never retries a write that was refused and never judges a
//! split. What the node reports goes back as it is.

mod discover;
mod info;
mod known;
mod persist;
mod refusal;
mod stat;
mod state;
mod wire;

use super::{RouterStats, SlotCounters};
use crate::clean::Clean;
use crate::plan::{Plan, RouterKind};
use crate::runbook::readback::{Fault, FaultKind, NodeOutcome, NodeRead, NodeState, Readback};
use crate::units::{Slot, Split};
use discover::{Found, Wanted};
use known::Known;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use wire::Address;

/// One HAProxy process (or a master and its workers) behind a runtime socket.
#[derive(Debug, Clone)]
pub struct HaproxyRouter {
    address: Address,
    wanted: Wanted,
    state_file: Option<PathBuf>,
    timeout: Duration,
    known: Known,
}

/// What one round trip brought.
struct Seen {
    state: NodeState,
    counters: Option<[SlotCounters; 2]>,
}

impl HaproxyRouter {
    /// The HAProxy that the plan names. Nothing is asked of it yet.
    pub fn of_plan(plan: &Plan) -> Result<Self, Fault> {
        let RouterKind::Haproxy { address, backend, servers, state_file } = &plan.router.kind
        else {
            return Err(Fault::new(
                FaultKind::Local,
                "the plan's router is no haproxy",
                "set kind = \"haproxy\" under [router]",
            ));
        };
        Ok(Self {
            address: Address::new(address),
            wanted: Wanted::new(&plan.slots, backend.clone(), servers.clone())?,
            state_file: state_file.as_ref().map(PathBuf::from),
            timeout: plan.router.timeout.into(),
            known: Known::default(),
        })
    }

    /// Reads the split.
    pub async fn read(&mut self) -> Readback {
        self.call(None, false).await.readback
    }

    /// Writes the split, then reads it back, in one round trip.
    pub async fn set(&mut self, split: Split) -> Readback {
        self.call(Some(split), false).await.readback
    }

    /// Reads the split and the counters, in one round trip.
    pub async fn stats(&mut self) -> RouterStats {
        self.call(None, true).await
    }

    /// Writes the state of all servers to the plan's `state_file`, from which HAProxy takes it
    /// when it starts.
    pub async fn persist(&mut self) -> Result<Clean, Fault> {
        let deadline = Instant::now() + self.timeout;
        let found = self.find(deadline).await?;
        let Some(path) = self.state_file.clone() else {
            return Ok(Clean::new(&found.without_state_file(&self.wanted)));
        };
        let line = ["show servers state".to_owned(), "show info".to_owned()];
        let replies = wire::ask(&self.address, &line, deadline).await?;
        info::parse(&replies[1])?.serving(&self.address)?;
        let state = self.state_in(&state::parse(&replies[0])?, &found, None)?;
        let kept = persist::keep(path, replies[0].clone(), deadline).await?;
        let [first, second] = state.weights;
        let [a, b] = &self.wanted.names;
        Ok(Clean::new(&format!("{a} {first}, {b} {second} kept in {}", kept.display())))
    }

    /// The socket's real path (or the resolved address) and the backend.
    pub async fn identity(&mut self) -> Result<String, Fault> {
        let deadline = Instant::now() + self.timeout;
        let found = self.find(deadline).await?;
        let address = self.address.canonical(deadline).await?;
        Ok(format!("haproxy {address} {}", found.backend))
    }

    /// The slot whose server has this name, as HAProxy puts it into a header with `%s`.
    pub async fn slot_served_by(&mut self, server: &str) -> Option<Slot> {
        let found = self.find(Instant::now() + self.timeout).await.ok()?;
        Slot::BOTH.into_iter().find(|slot| found.servers[slot.index()] == server)
    }

    /// What in the configuration may keep users where they are; empty before the first read.
    pub fn cautions(&self) -> Vec<Clean> {
        let Some(found) = self.known.get() else { return Vec::new() };
        found.notes().iter().map(|note| Clean::new(note)).collect()
    }

    /// What the operator should know before the first write; empty before the first read.
    pub fn notes(&self) -> Vec<Clean> {
        let mut notes = self.cautions();
        if let (None, Some(found)) = (&self.state_file, self.known.get()) {
            notes.push(Clean::new(&found.without_state_file(&self.wanted)));
        }
        notes
    }

    async fn call(&mut self, write: Option<Split>, count: bool) -> RouterStats {
        let began = Instant::now();
        let seen = self.attempt(write, count, began + self.timeout).await;
        let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let node = self.address.to_string();
        match seen {
            Ok(Seen { state, counters }) => {
                let outcome = NodeOutcome::State(state);
                let nodes = vec![NodeRead { node: Clean::new(&node), outcome }];
                RouterStats { readback: Readback { nodes, took_us }, slots: counters }
            }
            Err(fault) => {
                RouterStats { readback: Readback::fault(node, fault, took_us), slots: None }
            }
        }
    }

    /// One round trip. Where what we knew of the servers does not hold any more they are looked
    /// for, and it is done once more with what was found: also a write, because one that went to
    /// a server that is the other slot's by now has just done the opposite of what was asked.
    async fn attempt(
        &mut self,
        write: Option<Split>,
        count: bool,
        deadline: Instant,
    ) -> Result<Seen, Fault> {
        let Some(knew) = self.known.get() else {
            let found = self.look(deadline).await?;
            return self.round_trip(&found, write, count, deadline).await;
        };
        match self.round_trip(&knew, write, count, deadline).await {
            Err(fault) if fault.kind == FaultKind::Mismatch => {
                let found = self.look(deadline).await?;
                if found == knew {
                    return Err(fault);
                }
                self.round_trip(&found, write, count, deadline).await
            }
            other => other,
        }
    }

    async fn round_trip(
        &self,
        found: &Found,
        write: Option<Split>,
        count: bool,
        deadline: Instant,
    ) -> Result<Seen, Fault> {
        let mut line = write.map(|split| writes(found, split)).unwrap_or_default();
        let written = line.len();
        line.push(format!("show servers state {}", found.backend));
        line.push("show info".to_owned());
        if count {
            line.push("show stat -1 4 -1".to_owned());
        }
        let replies = wire::ask(&self.address, &line, deadline).await?;
        let info = info::parse(&replies[written + 1])?.serving(&self.address)?;
        for (command, reply) in line.iter().zip(&replies).take(written) {
            let reply = reply.trim();
            if !reply.is_empty() {
                return Err(refusal::fault(command, reply, &self.wanted.names));
            }
        }
        let state = self.state_in(&state::parse(&replies[written])?, found, Some(info.pid))?;
        let counters = if count {
            Some(stat::counters(&replies[written + 2], &found.backend, &found.servers)?)
        } else {
            None
        };
        Ok(Seen { state, counters })
    }

    /// What we know of the servers, after asking if we know nothing yet.
    async fn find(&self, deadline: Instant) -> Result<Arc<Found>, Fault> {
        match self.known.get() {
            Some(found) => Ok(found),
            None => self.look(deadline).await,
        }
    }

    /// Asks which servers are the plan's. Where that fails, what we knew stays: it is checked
    /// whenever it is used, and may hold again after the next reload.
    async fn look(&self, deadline: Instant) -> Result<Arc<Found>, Fault> {
        let found = discover::discover(&self.address, &self.wanted, deadline).await?;
        Ok(self.known.learn(found))
    }

    fn state_in(
        &self,
        servers: &[state::Server],
        found: &Found,
        worker: Option<u64>,
    ) -> Result<NodeState, Fault> {
        let [first, second] = found.rows(servers, &self.wanted)?;
        Ok(NodeState {
            weights: [first.weight, second.weight],
            up: [first, second].map(|server| server.is_up(found.cookie.is_some())),
            worker,
        })
    }
}

/// The commands that write a split: the larger share first.
fn writes(found: &Found, split: Split) -> Vec<String> {
    let mut slots = Slot::BOTH;
    slots.sort_by_key(|&slot| std::cmp::Reverse(split.share(slot)));
    let backend = &found.backend;
    let mut commands = Vec::with_capacity(4);
    for slot in slots {
        let server = &found.servers[slot.index()];
        let share = split.share(slot).get();
        if found.cookie.is_some() && share > 0 {
            commands.push(format!("set server {backend}/{server} state ready"));
        }
        let weight = found.weight(slot.index(), share);
        commands.push(format!("set weight {backend}/{server} {weight}"));
        if found.cookie.is_some() && share == 0 {
            commands.push(format!("set server {backend}/{server} state maint"));
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Percent;

    fn found(cookie: Option<&str>) -> Found {
        Found {
            backend: "app".into(),
            servers: ["b".into(), "g".into()],
            addresses: None,
            config_weights: [1, 1],
            cookie: cookie.map(str::to_owned),
            table: false,
            algorithm: Some("roundrobin".into()),
            backup: [false; 2],
        }
    }

    #[test]
    fn the_larger_share_is_written_first_so_that_the_pair_is_never_nothing() {
        let to = |slot| writes(&found(None), Split::all_to(slot));
        assert_eq!(to(Slot::First), ["set weight app/b 100", "set weight app/g 0"]);
        assert_eq!(to(Slot::Second), ["set weight app/g 100", "set weight app/b 0"]);
        for percent in 0..=100 {
            let split = Split::giving(Slot::First, Percent::new(percent).unwrap());
            assert!(!writes(&found(None), split)[0].ends_with(" 0"));
        }
    }

    #[test]
    fn an_algorithm_that_hashes_gets_the_configured_weight_for_everything() {
        let source =
            Found { algorithm: Some("source".into()), config_weights: [7, 0], ..found(None) };
        let to = |slot| writes(&source, Split::all_to(slot));
        assert_eq!(to(Slot::First), ["set weight app/b 7", "set weight app/g 0"]);
        assert_eq!(to(Slot::Second), ["set weight app/g 100", "set weight app/b 0"]);
        let ten = Split::giving(Slot::Second, Percent::new(10).unwrap());
        assert_eq!(writes(&source, ten), ["set weight app/b 90", "set weight app/g 10"]);
    }

    #[test]
    fn users_bound_by_a_cookie_are_moved_too() {
        assert_eq!(
            writes(&found(Some("SLOT")), Split::all_to(Slot::First)),
            [
                "set server app/b state ready",
                "set weight app/b 100",
                "set weight app/g 0",
                "set server app/g state maint",
            ]
        );
    }
}
