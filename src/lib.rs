//! Switchback.
pub mod adapter;
pub mod clean;
pub mod feed;
pub mod lab;
pub mod plan;
pub mod runbook;
pub mod signal;
pub mod units;
