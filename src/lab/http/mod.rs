//! The lab on real sockets, for a person: two HTTP services, a weighted proxy with a control
//! endpoint, and users who come whether or not anybody answers. All of it lives on one thread of
//! its own, so that it does not disturb the engine; the [`World`] decides
//! what each request gets, and the sockets do it: real statuses, real delays, real resets.

mod acts;
mod body;
mod control;
mod plan;
mod proxy;
mod service;
mod site;
mod telemetry;
mod users;

pub use acts::act;
pub use users::Seen;

use super::errand::Errand;
use super::lever::Lever;
use super::scenario::Scenario;
use super::tally::Tally;
use super::world::{Standing, World};
use crate::runbook::readback::{Fault, FaultKind};
use crate::units::Millis;
use site::Site;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;

/// Where the lab listens. All ports are on loopback and given by the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The two services, in the plan's order.
    pub slots: [SocketAddr; 2],
    /// The proxy, where users come in.
    pub front: SocketAddr,
    /// The proxy's control endpoint.
    pub control: SocketAddr,
}

/// The plan for a lab that is not on sockets: the ports are those of nobody.
pub fn plan_apart(scenario: &Scenario) -> String {
    let port = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let [left, right, front, control] = [1, 2, 3, 4].map(port);
    plan::toml(scenario, &Addresses { slots: [left, right], front, control })
}

/// What the lab's owner can ask its thread.
enum Ask {
    Truth(mpsc::Sender<(Standing, Seen)>),
    Foresee(Millis, bool, mpsc::Sender<Standing>),
    Pull(Lever, mpsc::Sender<Result<String, String>>),
    Run(Errand, mpsc::Sender<Result<String, String>>),
    Stop,
}

/// A lab that runs. It ends when it is dropped.
#[derive(Debug)]
pub struct Lab {
    scenario: Scenario,
    addresses: Addresses,
    asks: UnboundedSender<Ask>,
    thread: Option<JoinHandle<()>>,
}

impl Lab {
    /// Starts the world of a scenario and a seed on sockets. When this returns, Blue serves and
    /// users are coming.
    pub fn start(scenario: &Scenario, seed: u64) -> Result<Self, Fault> {
        let world = World::new(scenario, seed);
        let (asks, asked) = unbounded_channel();
        let (begun, beginning) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("lab".to_owned())
            .spawn(move || {
                if let Err(fault) = run(world, asked, &begun) {
                    // Whoever started us is waiting for exactly one of the two answers.
                    let _ = begun.send(Err(fault));
                }
            })
            .map_err(|error| local("start the lab's thread", &error))?;
        match beginning.recv() {
            Ok(Ok(addresses)) => {
                Ok(Self { scenario: scenario.clone(), addresses, asks, thread: Some(thread) })
            }
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(Fault::new(
                FaultKind::Local,
                "the lab ended before it began",
                "this is a fault of the program: please report it",
            )),
        }
    }

    /// Where it listens.
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// What really happened to users so far, by the model; nothing once the lab has ended.
    pub fn tally(&self) -> Option<Tally> {
        self.truth().map(|(standing, _)| standing.tally)
    }

    /// How things really stand now, on the lab's own time; nothing once the lab has ended.
    pub fn standing(&self) -> Option<Standing> {
        self.truth().map(|(standing, _)| standing)
    }

    /// How things would stand so long from now if nobody did anything any more: the model goes on
    /// alone, without sockets. Whoever went back has ended Green (`ends_green`). Nothing once the lab
    /// has ended.
    pub fn foresee(&self, ahead: Millis, ends_green: bool) -> Option<Standing> {
        let (answer, answered) = mpsc::channel();
        self.asks.send(Ask::Foresee(ahead, ends_green, answer)).ok()?;
        answered.recv_timeout(Duration::from_secs(5)).ok()
    }

    /// Pulls a lever of the site, and says what it did; or why it cannot be pulled.
    pub fn pull(&self, lever: Lever) -> Result<String, Fault> {
        self.told(|answer| Ask::Pull(lever, answer))
    }

    /// Runs an errand, and says what came of it; or why it cannot be run.
    pub fn errand(&self, errand: Errand) -> Result<String, Fault> {
        self.told(|answer| Ask::Run(errand, answer))
    }

    fn told(
        &self,
        ask: impl FnOnce(mpsc::Sender<Result<String, String>>) -> Ask,
    ) -> Result<String, Fault> {
        let gone = || {
            Fault::new(
                FaultKind::Unreachable,
                "the lab has ended",
                "a lab ends with its drill: start the drill again",
            )
        };
        let (answer, answered) = mpsc::channel();
        self.asks.send(ask(answer)).map_err(|_| gone())?;
        let said = answered.recv_timeout(Duration::from_secs(5)).map_err(|_| gone())?;
        said.map_err(|why| Fault::new(FaultKind::Refused, why, "look for another way"))
    }

    /// What users saw at their end of the sockets so far; nothing once the lab has ended.
    pub fn seen(&self) -> Option<Seen> {
        self.truth().map(|(_, seen)| seen)
    }

    fn truth(&self) -> Option<(Standing, Seen)> {
        let (answer, answered) = mpsc::channel();
        self.asks.send(Ask::Truth(answer)).ok()?;
        answered.recv_timeout(Duration::from_secs(5)).ok()
    }

    /// The plan for this lab, as its operator would write it.
    pub fn plan_toml(&self) -> String {
        plan::toml(&self.scenario, &self.addresses)
    }

    /// Ends every task and waits for the thread.
    pub fn stop(&mut self) {
        // Sending fails only where the thread has ended already.
        let _ = self.asks.send(Ask::Stop);
        if let Some(thread) = self.thread.take() {
            // A panic in the lab must not become one in whoever stops it.
            let _ = thread.join();
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.stop();
    }
}

fn local(what: &str, error: &std::io::Error) -> Fault {
    Fault::new(
        FaultKind::Local,
        format!("could not {what}: {error}"),
        "close other programs that hold many files or ports, and try again",
    )
}

/// The lab's thread: its own runtime, until it is told to stop.
fn run(
    world: World,
    mut asked: UnboundedReceiver<Ask>,
    begun: &mpsc::Sender<Result<Addresses, Fault>>,
) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| local("start the lab's runtime", &error))?;
    let tasks = LocalSet::new();
    tasks.block_on(&runtime, async {
        let (site, front, control) =
            Site::open(world).await.map_err(|error| local("open the lab's ports", &error))?;
        let site = Rc::new(site);
        service::listen(&site, site.blue())
            .map_err(|error| local("listen on the live slot's port", &error))?;
        let addresses = Addresses {
            slots: site.addresses(),
            front: front.local_addr().map_err(|error| local("find the front's port", &error))?,
            control: control
                .local_addr()
                .map_err(|error| local("find the control port", &error))?,
        };
        tokio::task::spawn_local(proxy::serve(site.clone(), front));
        tokio::task::spawn_local(control::serve(site.clone(), control));
        let seen = users::begin(site.clone(), addresses.front);
        // The starter may have given up; then the channel of asks is closed as well.
        let _ = begun.send(Ok(addresses));
        // Whoever asked may have stopped waiting.
        while let Some(ask) = asked.recv().await {
            match ask {
                Ask::Stop => break,
                Ask::Truth(answer) => {
                    let standing = site.world.borrow().standing(site.now());
                    let _ = answer.send((standing, seen.borrow().clone()));
                }
                Ask::Foresee(ahead, ends_green, answer) => {
                    let _ =
                        answer.send(site.world.borrow().foresee(site.now() + ahead, ends_green));
                }
                Ask::Run(errand, answer) => {
                    let _ = answer.send(site.world.borrow_mut().run(errand, site.now()));
                }
                Ask::Pull(lever, answer) => {
                    let _ = answer.send(site.world.borrow_mut().pull(lever, site.now()));
                }
            }
        }
        Ok(())
    })
}
