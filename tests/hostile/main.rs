//! Deploys in a hostile world, with fresh seeds each time: nothing that is promised may break.
//!
//! `cargo test --test hostile` flies 5,000 of them and prints the seed they began with. A failure
//! prints the invariant that broke, the smallest story that breaks it, its seed, and the command
//! that flies it again. `-- --seed N --runs N` (or `SWITCHBACK_SEED=N`) flies again.
#![allow(clippy::expect_used, reason = "a story that cannot be told is a failure")]
#![allow(dead_code, reason = "the stories use more of the simulated world than this")]

#[path = "../support/sim/mod.rs"]
mod sim;

mod squadron;

use squadron::{Orders, fly};
use std::process::ExitCode;

/// What CI flies.
const RUNS: u64 = 5_000;

fn main() -> ExitCode {
    let Some(orders) = Orders::from_arguments(RUNS) else { return ExitCode::SUCCESS };
    fly(&orders)
}
