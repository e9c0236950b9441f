//! Real parts for tests: an HAProxy with two services behind it, on ports that the system gives.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]
#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub mod haproxy;
pub mod service;
