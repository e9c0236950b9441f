//! Drills: what is measured of a flight, what it is worth, and what is learned from it. Each test
//! is a story; the scenarios are small ones with their answers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on shall fail")]

mod bots;
mod debriefs;
mod flights;
mod nothing_for_nothing;
mod record;
mod scenes;
mod scores;
