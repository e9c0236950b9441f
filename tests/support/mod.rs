//! Real parts for tests: an HAProxy with two services behind it, on ports that the system gives;
//! users; and the built program, in a terminal of its own or without one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]
#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub mod cockpit;
pub mod haproxy;
pub mod lines;
pub mod place;
pub mod service;
pub mod site;
pub mod users;
