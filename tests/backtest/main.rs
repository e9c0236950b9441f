//! Samples judged again: files of others, runs of ours, and what earlier runs say of Blue.

// A test says where it stopped by panicking.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod hour;
mod of_lines;
mod of_runs;
mod of_strangers;
mod record;
#[path = "../support/sim/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the stories use more of it")]
mod sim;
#[path = "../support/mod.rs"]
mod support;
