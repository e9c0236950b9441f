//! What this host's clock goes by, as far as the system says.
//!
//! Stamps in a bundle are this host's time. Whether a stranger can believe them depends on what
//! keeps the clock, so the system is asked once, shortly. This module measures nothing: a clock
//! that is said to be synchronised may be wrong all the same.

use super::tool::{self, Asking};
use crate::journal::ClockState;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long the system may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// It is there where systemd's own client has set the clock.
const SET: &str = "/run/systemd/timesync/synchronized";

/// What this host's clock goes by.
pub fn state() -> ClockState {
    let mut command = Command::new("timedatectl");
    command.args(["show", "-p", "NTPSynchronized", "--value"]);
    let said = tool::run(&mut command, Asking::Nobody, PATIENCE).ok();
    let answer = said.filter(|said| said.well).map(|said| said.out).unwrap_or_default();
    of_answer(&answer, Path::new(SET).exists())
}

fn of_answer(answer: &[u8], set: bool) -> ClockState {
    match answer.trim_ascii() {
        b"yes" => ClockState::Synchronised,
        b"no" => ClockState::Free,
        _ if set => ClockState::Synchronised,
        _ => ClockState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_answer_is_one() {
        assert_eq!(of_answer(b"yes\n", false), ClockState::Synchronised);
        assert_eq!(of_answer(b"no\n", true), ClockState::Free);
        assert_eq!(of_answer(b"", true), ClockState::Synchronised);
        assert_eq!(of_answer(b"maybe\n", false), ClockState::Unknown);
    }
}
