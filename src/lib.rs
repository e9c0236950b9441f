//! Switchback.
pub mod adapter;
pub mod clean;
pub mod feed;
pub mod plan;
pub mod runbook;
pub mod signal;
pub mod text;
pub mod tui;
pub mod units;
