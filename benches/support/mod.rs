//! What the benches that look from outside share: a terminal that keeps time, services that can be
//! told to hang, and what a process has used.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on shall fail")]
#![allow(dead_code, reason = "each bench uses its own part of this")]

pub mod figures;
pub mod process;
pub mod pty;
pub mod service;
pub mod world;
