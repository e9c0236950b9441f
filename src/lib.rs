//! Switchback.
pub mod adapter;
pub mod clean;
pub mod cli;
pub mod engine;
pub mod feed;
pub mod journal;
pub mod plan;
pub mod runbook;
pub mod runs;
pub mod signal;
pub mod units;
