//! The core flown through a simulated world: stories that read as sentences, and properties that
//! hold whatever happens. No clock, no socket, no screen.

// A test says where it stopped by panicking, and a story is told in the third person.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::wrong_self_convention)]

#[path = "../support/sim/mod.rs"]
#[allow(dead_code, reason = "the hostile test uses more of it")]
mod sim;
mod story;

mod bad_days;
mod found;
mod going_back;
mod happy;
mod judging;
mod leaving;
mod others;
mod outside;
mod properties;
mod rehearsing;
mod resuming;
mod reviewed;
mod waiting;
