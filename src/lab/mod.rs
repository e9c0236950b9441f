//! The lab: a small world to fly in.
//!
//! [`world`] is a pure, seeded model of two services that share a database and a queue: who
//! arrives when, which slot the proxy chooses, and what each request gets at each moment. It
//! knows no socket and no clock. [`http`] puts real sockets in front of it for a person; tests
//! and bots use the model alone. What goes wrong is written in a [`scenario`], as faults that act
//! on causes (a cache, a pool, a processor); the graphs follow.
//!
//! The lab is never told what the cockpit does. It sees the deploy, the first ready, the first
//! weight on Green as any service and proxy would, and nothing outside `lab` and `drill` knows
//! that it is a lab.

pub mod anchor;
mod balance;
mod database;
mod dice;
pub mod errand;
pub mod fault;
pub mod http;
pub mod lever;
mod queue;
pub mod scenario;
pub mod series;
mod service;
pub mod tally;
mod traffic;
pub mod wire;
pub mod world;

pub use errand::Errand;
pub use http::{Lab, Seen, act, plan_apart};
pub use lever::Lever;
pub use scenario::Scenario;
pub use world::World;
