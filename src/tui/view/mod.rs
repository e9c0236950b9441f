//! The regions of the screen, one a file. Each is given an area and the scene, and writes.

pub mod alarm;
pub mod footer;
pub mod gate;
pub mod gauges;
pub mod headline;
pub mod health;
pub mod help;
pub mod limits;
pub mod log;
pub mod note;
pub mod outcome;
pub mod output;
pub mod plain;
pub mod question;
pub mod runbook;
pub mod scroll;
pub mod series;
pub mod title;
pub mod traffic;
pub mod verdicts;
