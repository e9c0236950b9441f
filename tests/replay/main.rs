//! A run that is played again: the frames are the live ones, and nothing can be moved.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a story that cannot go on has failed")]

mod cockpit;
mod film;
mod frames;
mod keys;
#[path = "../support/sim/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the stories use more of it")]
mod sim;
#[path = "../support/mod.rs"]
mod support;
