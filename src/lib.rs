//! Switchback.
pub mod adapter;
pub mod app;
pub mod clean;
pub mod cli;
pub mod engine;
pub mod feed;
pub mod journal;
pub mod lab;
pub mod plain;
pub mod plan;
pub mod runbook;
pub mod runs;
pub mod signal;
pub mod text;
pub mod tui;
pub mod units;
