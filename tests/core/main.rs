//! The core flown through a simulated world: stories that read as sentences, and properties that
//! hold whatever happens. No clock, no socket, no screen.

#[path = "../support/sim/mod.rs"]
#[allow(dead_code)]
mod sim;
mod story;

mod bad_days;
mod going_back;
mod happy;
mod leaving;
mod others;
mod properties;
mod resuming;
mod waiting;
