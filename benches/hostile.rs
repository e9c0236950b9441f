//! How many deploys a second are flown through a hostile world, with every invariant looked at
//! after each step, on two threads; and how many invariants break.
//!
//! `cargo bench --bench hostile -- 200000` flies so many; `--seed N` flies them again.
#![allow(clippy::expect_used, reason = "a story that cannot be told is a failure")]
#![allow(dead_code, reason = "the stories use more of the simulated world than this")]

#[path = "support/figures.rs"]
mod figures;
#[path = "../tests/support/sim/mod.rs"]
mod sim;
#[path = "../tests/hostile/squadron.rs"]
mod squadron;

use squadron::{Orders, fly};
use std::process::ExitCode;

fn main() -> ExitCode {
    match Orders::from_arguments(20_000).filter(|_| figures::is_bench()) {
        Some(orders) => fly(&orders),
        None => ExitCode::SUCCESS,
    }
}
