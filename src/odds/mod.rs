//! Releases as they go well and badly, second by second, as counts. Pure but for its dice, and for
//! the threads of [`tunnel`].
//!
//! A limit is only as good as what it does to releases that nobody has seen yet. This part plays
//! them: the [`catalogue`] holds outcomes of a deploy, each with a name, a class (to keep, shared by
//! both slots, to roll back) and the moment from which a delay counts; a [`Profile`] says how the
//! service behaves that they happen to; a [`Course`] says when users are moved; and a [`World`]
//! turns the three and a seed into the [`crate::signal::Sample`]s that a cockpit would have seen.
//! [`fn@watch`] lets a [`Policy`] look at them, and tells when it went back and who was hurt by then.
//!
//! Nothing here makes a request or knows one: there are counts of spans of seconds, drawn from
//! the same distributions whatever the span. That is what makes ten thousand deploys a matter of
//! seconds, and it is why this is not the lab, which plays every request of one deploy. What the
//! model leaves out: requests that are slow *because* others are (queues), clients that try again,
//! days and weeks, and every latency but the lognormal.
//!
//! The wind tunnel is the same catalogue under the cockpit itself: [`flown`] flies one release on a
//! plan through the core on simulated time, with [`model`] as what runs in the slots; [`tunnel`]
//! flies many; [`tally`], [`change`] and [`advice`] make [`report`] of them, and [`table`] prints
//! it. [`outlook`](mod@outlook) is the part of it that needs no flight.
//!
//! A seed gives one story, bit for bit, on every machine: all functions are `libm`'s, and each
//! purpose has a stream of its own, so that a change of the plan leaves the users' luck alone.

pub mod advice;
pub mod catalogue;
pub mod change;
pub mod cockpit;
pub mod course;
pub mod dice;
pub mod draw;
pub mod flown;
mod latency;
pub mod model;
pub mod outlook;
pub mod profile;
pub mod release;
pub mod report;
mod sessions;
mod slot;
pub mod table;
pub mod tally;
pub mod tunnel;
pub mod watch;
mod weather;
pub mod world;

pub use catalogue::{Class, Outcome};
pub use cockpit::Cockpit;
pub use course::{Course, Mode};
pub use flown::{Flyable, Service};
pub use outlook::{Outlook, outlook};
pub use profile::{Habits, Profile};
pub use release::{Fault, Release, Shape};
pub use report::{Asked, FEWEST, Report, odds};
pub use watch::{Played, Policy, Said, watch, watch_all, watch_release};
pub use world::World;
