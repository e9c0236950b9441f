//! Simulated time: a run in a world of data, without a clock, a socket or an async runtime.
//!
//! [`Flight`] is the loop. It performs the core's effects with delays and feeds it events in the
//! order of time, so that a run of an hour takes a blink and goes the same way each time.
//! [`World`] is what can go wrong around the core: a [`Router`] with its [`Manner`], the
//! operator's commands with their [`Fate`], a journal that stops, and somebody else. What runs in
//! the slots, and what is measured of it, is a [`Model`]: [`Slots`] is the plain one, [`lab`] plays
//! the scenarios that a person drills on.
//!
//! The loop judges nothing. Who wants to look at each step is a [`Watcher`]: [`History`] keeps
//! what happened and replays it, `()` looks at nothing and costs nothing.

mod flight;
mod history;
pub mod lab;
mod model;
pub mod pilot;
mod router;
mod slots;
mod watcher;
mod world;

pub use flight::Flight;
pub use history::{Differs, History, Past};
pub use model::Model;
pub use router::{Manner, Router};
pub use slots::{Health, SlotWorld, Slots};
pub use watcher::Watcher;
pub use world::{Fate, World};
