//! What the lab's tasks share on their one thread: the world, the clock, the ports of the two
//! slots and the proxy's counters.

use super::telemetry::Telemetry;
use crate::lab::scenario::SLOT_NAMES;
use crate::lab::wire::{SlotState, State};
use crate::lab::world::World;
use crate::units::{Millis, Slot};
use hyper::header::HeaderValue;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Lines of a service's log that are kept.
const LOG_LINES: usize = 200;
/// Users whose told latency is remembered; more than can be in flight.
const TOLD: usize = 4096;

/// A slot's port. While nothing runs it is bound and does not listen: connections are refused,
/// and nobody else gets the port.
#[derive(Debug)]
struct Port {
    address: SocketAddr,
    reserved: Option<TcpSocket>,
    task: Option<JoinHandle<()>>,
}

/// See the module's text.
#[derive(Debug)]
pub(super) struct Site {
    begun: Instant,
    pub world: RefCell<World>,
    pub counts: RefCell<[SlotState; 2]>,
    ports: [RefCell<Port>; 2],
    logs: [RefCell<VecDeque<String>>; 2],
    telemetry: RefCell<Telemetry>,
    /// What the model told each of the last users to wait, in microseconds.
    told: Vec<Cell<u64>>,
}

fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Connections of an earlier process may linger on the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Site {
    /// Opens the ports: the slots' (which do not listen yet), the front and the control port.
    pub async fn open(world: World) -> io::Result<(Self, TcpListener, TcpListener)> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let port = || -> io::Result<_> {
            let reserved = reserve(any)?;
            let address = reserved.local_addr()?;
            Ok(RefCell::new(Port { address, reserved: Some(reserved), task: None }))
        };
        let ports = [port()?, port()?];
        let front = TcpListener::bind(any).await?;
        let control = TcpListener::bind(any).await?;
        let counts =
            SLOT_NAMES.map(|name| SlotState { name: name.to_owned(), ..SlotState::default() });
        let site = Self {
            begun: Instant::now(),
            world: RefCell::new(world),
            counts: RefCell::new(counts),
            ports,
            logs: Default::default(),
            telemetry: RefCell::default(),
            told: (0..TOLD).map(|_| Cell::new(0)).collect(),
        };
        Ok((site, front, control))
    }

    /// The world's time.
    pub fn now(&self) -> Millis {
        Millis(self.begun.elapsed().as_millis() as u64)
    }

    /// A time of the world's on the runtime's clock.
    pub fn instant(&self, at: Millis) -> Instant {
        self.begun + at.into()
    }

    pub fn blue(&self) -> Slot {
        self.world.borrow().blue()
    }

    pub fn address(&self, slot: Slot) -> SocketAddr {
        self.ports[slot.index()].borrow().address
    }

    pub fn addresses(&self) -> [SocketAddr; 2] {
        Slot::BOTH.map(|slot| self.address(slot))
    }

    /// The proxy's state, with the weights of this moment.
    pub fn state(&self) -> State {
        let (now, mut slots) = (self.now(), self.counts.borrow().clone());
        let world = self.world.borrow();
        let seen = world.may_be_blind().then(|| world.vision(now));
        let named = world.blurred(now);
        let counted = seen.is_none_or(|vision| {
            self.telemetry.borrow_mut().see_some(&mut slots, vision, named, now)
        });
        let weights = world.weights();
        for (slot, state) in Slot::BOTH.into_iter().zip(&mut slots) {
            state.weight = weights[slot.index()];
            state.in_flight += world.uploads(slot);
        }
        State { worker: u64::from(std::process::id()), slots, counted }
    }

    /// Lets a slot's port listen; `task` gets the listener. The port must be at rest.
    pub fn listen(
        &self,
        slot: Slot,
        task: impl FnOnce(TcpListener) -> JoinHandle<()>,
    ) -> io::Result<()> {
        let mut port = self.ports[slot.index()].borrow_mut();
        let socket = match port.reserved.take() {
            Some(socket) => socket,
            None => reserve(port.address)?,
        };
        port.task = Some(task(socket.listen(1024)?));
        Ok(())
    }

    /// Ends what listens on a slot's port and every connection to it.
    pub async fn hush(&self, slot: Slot) {
        let Some(task) = self.ports[slot.index()].borrow_mut().task.take() else { return };
        task.abort();
        // Its listener is closed only when the task is gone.
        let _ = task.await;
        let mut port = self.ports[slot.index()].borrow_mut();
        // Where this fails, `listen` tries again and says why.
        port.reserved = reserve(port.address).ok();
    }

    /// Writes a line into a slot's log.
    pub fn log(&self, slot: Slot, line: &str) {
        let mut log = self.logs[slot.index()].borrow_mut();
        if log.len() == LOG_LINES {
            log.pop_front();
        }
        let secs = self.now().0 as f64 / 1000.0;
        log.push_back(format!("{secs:9.3} {line}"));
    }

    /// The last lines of a slot's log.
    pub fn log_lines(&self, slot: Slot) -> Vec<String> {
        self.logs[slot.index()].borrow().iter().cloned().collect()
    }

    /// Nothing listened where the proxy sent somebody: users count that as failed.
    pub fn user_refused(&self, slot: Slot, user: Option<&HeaderValue>) {
        let Some(n) = user.and_then(|n| n.to_str().ok()?.parse().ok()) else { return };
        let mut world = self.world.borrow_mut();
        let request = world.user(n, None);
        // What is served is a refusal; it is asked for its count.
        world.serve(slot, &request, self.now());
    }

    /// Remembers, or says, how long the model told a user to wait.
    pub fn told(&self, user: u64) -> &Cell<u64> {
        &self.told[user as usize % TOLD]
    }
}

/// Answers without delay: small writes must not wait for each other.
pub(super) fn prompt(stream: &TcpStream) {
    // Without it the lab is slower and no less right.
    let _ = stream.set_nodelay(true);
}
